//! Whether each stage is what the stage before promised: the seed that was committed to, the
//! numbers going on, and the same model on the same kind of machine.

use std::collections::{BTreeMap, BTreeSet};

use lab::{Digest, Kind, Problem, Result, audit, bundle::Bundle, bundle::PLAN, environment::Environment};

use super::{Contract, Study, set::Member};

/// Checks every stage against the one before it.
pub(super) fn check(members: &[Member], contracts: &[Contract]) -> Result<()> {
    for (i, (member, contract)) in members.iter().zip(contracts).enumerate().skip(1) {
        let before = &contracts[i - 1];
        let broken = |what: &str| Err(Problem::broken(what).at(member.measure.path.join(PLAN).display().to_string()));
        let Some(stage) = &contract.plan.stage else { return broken("it is no further stage") };
        if contract.workload.digest != before.workload.digest {
            return Err(Problem::new(Kind::NotComparable, "this stage was run from another workload file").at(member
                .measure
                .path
                .display()
                .to_string()));
        }
        let seed = audit::seed_from_hex(&stage.revealed);
        if seed.map(|seed| audit::commitment(&seed)) != Some(before.run.audit_commitment) {
            return broken("its seed is not the one that the stage before committed to");
        }
        if let Some(what) = audit::mismatch(before.plan.awaits.as_deref(), stage.value.as_deref()) {
            return broken(&what);
        }
        for grade in &members[i - 1].grades {
            if grade.grade()?.value != stage.value {
                return broken("it is drawn from another value than the one with which the stage before was graded");
            }
        }
        if stage.number as usize != i + 1 || stage.after != before.plan.after() {
            return broken("its numbers do not go on from the stage before");
        }
        same_kind(&members[0].measure, &member.measure)?;
    }
    Ok(())
}

/// Rounds of several visits add up only for the same model on the same kind of GPU.
pub(super) fn same_kind(one: &Bundle, other: &Bundle) -> Result<()> {
    let (one_is, other_is) = (one.environments()?, other.environments()?);
    let differs = |what: &str, one_has: &str, other_has: &str| {
        Err(Problem::new(Kind::NotComparable, format!("{what}: {other_has}, in {} {one_has}", one.path.display()))
            .at(other.path.display().to_string())
            .next("name bundles of the same model on the same kind of machine"))
    };
    let (a, b) = (models(&one_is), models(&other_is));
    for (name, digest) in &b {
        if let Some(first) = a.get(name).filter(|first| *first != digest) {
            return differs(&format!("another model {name}"), &first.to_string(), &digest.to_string());
        }
    }
    let (a, b) = (gpus(&one_is), gpus(&other_is));
    if a != b {
        return differs("other GPUs", &a, &b);
    }
    Ok(())
}

/// A calibration asks the same of the same models.
pub(super) fn same_questions(run: &Study, judged: &Study) -> Result<()> {
    let differs = |what: &str, one: String, other: String| {
        Err(Problem::new(Kind::NotComparable, format!("it calibrates {what} {one}, what is judged has {other}"))
            .at(run.stages[0].measure.path.display().to_string())
            .next("calibrate with the same models and sampling"))
    };
    let (own, theirs) = (&run.workload.sampling, &judged.workload.sampling);
    if (own.temperature, own.ignore_eos) != (theirs.temperature, theirs.ignore_eos) {
        let shown = |s: &lab::workload::Sampling| format!("{}, ignore_eos {}", s.temperature, s.ignore_eos);
        return differs("temperature", shown(own), shown(theirs));
    }
    let planned = |study: &Study| -> Result<BTreeSet<String>> {
        let names: BTreeSet<&str> = study.planned().map(|t| t.model.as_str()).collect();
        let environments = study.stages[0].measure.environments()?;
        Ok(models(&environments).iter().filter(|(n, _)| names.contains(*n)).map(|(_, d)| d.to_string()).collect())
    };
    let (own, theirs) = (planned(run)?, planned(judged)?);
    let listed = |digests: &BTreeSet<String>| digests.iter().cloned().collect::<Vec<_>>().join(", ");
    if own != theirs {
        return differs("model", listed(&own), listed(&theirs));
    }
    Ok(())
}

fn models(environments: &[Environment]) -> BTreeMap<&str, Digest> {
    environments.iter().flat_map(|e| &e.models).map(|(name, facts)| (name.as_str(), facts.digest)).collect()
}

fn gpus(environments: &[Environment]) -> String {
    let names: BTreeSet<&str> = environments.iter().flat_map(|e| &e.gpus).map(|gpu| gpu.name.as_str()).collect();
    if names.is_empty() { "none".into() } else { names.into_iter().collect::<Vec<_>>().join(", ") }
}
