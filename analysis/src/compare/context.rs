//! What has to be equal before two runs can be compared at all.

use std::collections::BTreeSet;

use lab::{
    Kind, Problem, Result,
    environment::Environment,
    workload::{BASELINE, Load, Server, Workload},
};

use crate::{
    declared,
    stack::{Difference, Fields, differences},
    study::Study,
};

/// What differs between two runs without having to be equal.
///
/// # Errors
/// `NotComparable` where a field that has to be equal is not, naming it and both values.
pub(super) fn refuse_unequal(a: &Study, b: &Study) -> Result<Vec<Difference>> {
    let hosts = (environments(a)?, environments(b)?);
    let unequal = differences(gating(a, &hosts.0, request_set(a, b)?), gating(b, &hosts.1, request_set(b, a)?));
    let Some(first) = unequal.first() else {
        return Ok(differences(telling(a, &hosts.0), telling(b, &hosts.1)));
    };
    let mut what =
        format!("{} is {} in {}, and {} in {}", first.field, first.a, super::folder(a), first.b, super::folder(b));
    if unequal.len() > 1 {
        let others: Vec<&str> = unequal[1..].iter().map(|d| d.field.as_str()).collect();
        what +=
            &format!("; {} {} not the same either", others.join(", "), if others.len() == 1 { "is" } else { "are" });
    }
    let next = "compare runs of one contract: what differs besides the candidates is no candidate's doing";
    Err(Problem::new(Kind::NotComparable, what).next(next))
}

/// What has to be equal for two runs to have measured the same cells, whatever their baselines
/// are: as in a comparison, but of the requests how they were made, for each week draws its own.
pub(crate) fn contract(study: &Study, hosts: &[Environment]) -> Fields {
    let mut fields = gating(study, hosts, declared::recipe(&study.workload.requests));
    fields.retain(|(name, _)| name != "baseline");
    fields
}

/// The hosts of all stages.
pub(crate) fn environments(study: &Study) -> Result<Vec<Environment>> {
    let mut hosts = Vec::new();
    for stage in &study.stages {
        hosts.extend(stage.measure.environments()?);
    }
    Ok(hosts)
}

/// What has to be equal.
fn gating(study: &Study, hosts: &[Environment], requests: String) -> Fields {
    let (workload, ran) = (&study.workload, study.ran(hosts));
    let mut fields = ran.models();
    let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
    field("requests", requests);
    field("sampling", declared::sampling(&workload.sampling));
    for load in &workload.loads {
        field(&format!("load {}", load.name), shape(load));
    }
    field("warm-up", declared::warmup(workload.warmup));
    field("client", declared::client(&workload.client));
    ran.hardware().into_iter().for_each(|(name, value)| field(&name, value));
    field("baseline", ran.server(BASELINE, &workload.baseline));
    let of_trials = |of: &dyn Fn(&crate::study::Trial) -> String| {
        let all: BTreeSet<String> = study.trials.iter().map(of).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    field("executor", of_trials(&|t| t.record.server.executor.clone()));
    field("container profile", profile(workload));
    // Version 2 has other times: those of the kernel, from the intended send.
    let times = |format: u32| if format < 2 { "of version 1" } else { "of version 2 or later" };
    field("times", of_trials(&|t| times(t.record.format).to_owned()));
    fields
}

/// What a reader should know.
pub(crate) fn telling(study: &Study, hosts: &[Environment]) -> Fields {
    let (mut fields, ran) = (Fields::new(), study.ran(hosts));
    fields.push(("workload file".into(), study.workload.digest.to_string()));
    fields.push(("rounds".into(), study.planned().map(|t| t.round).max().unwrap_or(0).to_string()));
    fields.extend(ran.host());
    for (name, arm) in study.workload.arms().filter(|(name, _)| *name != BASELINE) {
        fields.push((format!("server {name}"), ran.server(name, arm)));
    }
    fields
}

/// The request set's digest. A run of more rounds takes a longer set: where one begins with the
/// other, both show the digest of the shorter.
fn request_set(study: &Study, other: &Study) -> Result<String> {
    let set = |study: &Study| study.stages[0].measure.requests();
    let digest = |study: &Study| study.stages[0].measure.plan().map(|plan| plan.requests.to_string());
    let (own, theirs) = (set(study)?, set(other)?);
    if own.len() > theirs.len() && own.starts_with(&theirs) { digest(other) } else { digest(study) }
}

fn shape(load: &Load) -> String {
    let trace = load.trace.as_ref().map(|t| format!(", trace {}", t.digest)).unwrap_or_default();
    let think = load.think.map(|t| format!(", think {}", declared::think(t))).unwrap_or_default();
    let time = load.time.map(|t| format!(", for {t}")).unwrap_or_default();
    let sends = crate::loads::shape(&Load { time: None, ..load.clone() });
    format!("{} requests, {sends}{time}{think}{trace}", load.requests)
}

/// What confines containers; none where there are none.
fn profile(workload: &Workload) -> String {
    if !matches!(workload.baseline.server, Server::Image { .. }) {
        return "none".into();
    }
    declared::container(&workload.container)
}
