//! What has to be equal before two runs can be compared at all.

use std::collections::{BTreeMap, BTreeSet};

use lab::{
    Kind, Problem, Result,
    environment::{Environment, Gpu},
    workload::{Arm, BASELINE, Load, Server, Workload},
};
use serde::Serialize;

use crate::study::Study;

/// A field that is not the same in both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its name.
    pub field: String,
    /// In the first run.
    pub a: String,
    /// In the second run.
    pub b: String,
}

/// Field by field, in the order in which a person asks.
type Fields = Vec<(String, String)>;

/// What differs between two runs without having to be equal.
///
/// # Errors
/// `NotComparable` where a field that has to be equal is not, naming it and both values.
pub(super) fn refuse_unequal(a: &Study, b: &Study) -> Result<Vec<Difference>> {
    let hosts = (environments(a)?, environments(b)?);
    let unequal = differences(gating(a, b, &hosts.0)?, gating(b, a, &hosts.1)?);
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

/// Fields whose values differ; a field that one side lacks is `none` there.
fn differences(a: Fields, b: Fields) -> Vec<Difference> {
    let mut names: Vec<&String> = a.iter().map(|(name, _)| name).collect();
    names.extend(b.iter().map(|(name, _)| name).filter(|name| !a.iter().any(|(own, _)| own == *name)));
    let of = |fields: &Fields, name: &str| {
        let found = fields.iter().find(|(own, _)| own == name);
        found.map_or_else(|| "none".to_owned(), |(_, value)| lab::text::shown(value, 300))
    };
    let both = names.into_iter().map(|name| Difference { field: name.clone(), a: of(&a, name), b: of(&b, name) });
    both.filter(|d| d.a != d.b).collect()
}

fn environments(study: &Study) -> Result<Vec<Environment>> {
    let mut hosts = Vec::new();
    for stage in &study.stages {
        hosts.extend(stage.measure.environments()?);
    }
    Ok(hosts)
}

/// What has to be equal.
fn gating(study: &Study, other: &Study, hosts: &[Environment]) -> Result<Fields> {
    let workload = &study.workload;
    let mut fields: Fields = Vec::new();
    let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
    for (name, digest) in models(study, hosts) {
        field(&format!("model {name}"), digest);
    }
    field("requests", requests(study, other)?);
    field("sampling", format!("{:?}", workload.sampling));
    for load in &workload.loads {
        field(&format!("load {}", load.name), shape(load));
    }
    field("warm-up", format!("{:?}", workload.warmup));
    field("client", format!("{:?}", workload.client));
    let gpus = used(study, hosts);
    let names: Vec<String> = counted(gpus.iter().map(|gpu| gpu.name.as_str()));
    field("GPUs", if names.is_empty() { "none".into() } else { names.join(", ") });
    let drivers: BTreeSet<&str> = gpus.iter().map(|gpu| gpu.driver.as_str()).collect();
    field(
        "driver",
        if drivers.is_empty() { "none".into() } else { drivers.into_iter().collect::<Vec<_>>().join(", ") },
    );
    if gpus.is_empty() {
        let cpus: BTreeSet<String> =
            hosts.iter().map(|h| format!("{} × {}", h.cores, h.cpu.as_deref().unwrap_or("unknown"))).collect();
        field("processors", cpus.into_iter().collect::<Vec<_>>().join(", "));
    }
    field("baseline", server(study, BASELINE, &workload.baseline));
    let of_trials = |of: &dyn Fn(&crate::study::Trial) -> String| {
        let all: BTreeSet<String> = study.trials.iter().map(of).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    field("executor", of_trials(&|t| t.record.server.executor.clone()));
    field("container profile", profile(workload));
    // Version 2 has other times: those of the kernel, from the intended send.
    let times = |format: u32| if format < 2 { "of version 1" } else { "of version 2 or later" };
    field("times", of_trials(&|t| times(t.record.format).to_owned()));
    Ok(fields)
}

/// What a reader should know.
fn telling(study: &Study, hosts: &[Environment]) -> Fields {
    let mut fields: Fields = Vec::new();
    let all = |of: &dyn Fn(&Environment) -> String| {
        let all: BTreeSet<String> = hosts.iter().map(of).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    fields.push(("workload file".into(), study.workload.digest.to_string()));
    fields.push(("rounds".into(), study.planned().map(|t| t.round).max().unwrap_or(0).to_string()));
    fields.push(("host".into(), all(&|h| h.host.clone())));
    fields.push(("processors".into(), all(&|h| format!("{} × {}", h.cores, or_unknown(&h.cpu)))));
    fields.push(("system".into(), all(&|h| or_unknown(&h.system))));
    fields.push(("kernel".into(), all(&|h| or_unknown(&h.kernel))));
    fields.push(("program".into(), all(&|h| h.program.version.clone())));
    for (name, arm) in study.workload.arms().filter(|(name, _)| *name != BASELINE) {
        fields.push((format!("server {name}"), server(study, name, arm)));
    }
    fields
}

/// The digest of each model of the plan.
fn models(study: &Study, hosts: &[Environment]) -> BTreeMap<String, String> {
    let planned: BTreeSet<&str> = study.planned().map(|t| t.model.as_str()).collect();
    let digest = |name: &str| {
        let all: BTreeSet<String> =
            hosts.iter().filter_map(|h| h.models.get(name)).map(|m| m.digest.to_string()).collect();
        if all.is_empty() { "unknown".into() } else { all.into_iter().collect::<Vec<_>>().join(", ") }
    };
    planned.into_iter().map(|name| (name.to_owned(), digest(name))).collect()
}

/// The request set's digest. A run of more rounds takes a longer set: where one begins with the
/// other, both show the digest of the shorter.
fn requests(study: &Study, other: &Study) -> Result<String> {
    let set = |study: &Study| study.stages[0].measure.requests();
    let digest = |study: &Study| study.stages[0].measure.plan().map(|plan| plan.requests.to_string());
    let (own, theirs) = (set(study)?, set(other)?);
    if own.len() > theirs.len() && own.starts_with(&theirs) { digest(other) } else { digest(study) }
}

fn shape(load: &Load) -> String {
    let trace = load.trace.as_ref().map(|t| format!(", trace {}", t.digest)).unwrap_or_default();
    let think = load.think.map(|t| format!(", think {t:?}")).unwrap_or_default();
    let time = load.time.map(|t| format!(", for {t}")).unwrap_or_default();
    let sends = crate::loads::shape(&Load { time: None, ..load.clone() });
    format!("{} requests, {sends}{time}{think}{trace}", load.requests)
}

/// The GPUs of each trial's server, where it says which; else the host's.
fn used<'e>(study: &Study, hosts: &'e [Environment]) -> Vec<&'e Gpu> {
    if study.planned().all(|t| t.gpus == 0) {
        return hosts.iter().flat_map(|h| &h.gpus).collect();
    }
    let ids: BTreeSet<&String> = study.trials.iter().flat_map(|t| &t.record.server.gpus).collect();
    let mut seen = BTreeSet::new();
    let all = hosts.iter().flat_map(|h| &h.gpus).filter(|gpu| ids.is_empty() || ids.contains(&gpu.uuid));
    all.filter(|gpu| seen.insert(&gpu.uuid)).collect()
}

/// `2 × NVIDIA H100`, one for each name.
fn counted<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut counts = BTreeMap::<&str, u32>::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts.into_iter().map(|(name, n)| format!("{n} × {name}")).collect()
}

/// A server as it was declared, with what its program or image was.
fn server(study: &Study, name: &str, arm: &Arm) -> String {
    let programs: BTreeSet<String> = study
        .trials
        .iter()
        .filter(|t| t.plan.arm == name)
        .filter_map(|t| t.record.server.program.map(|digest| digest.to_string()))
        .collect();
    let program = programs.into_iter().map(|p| format!(", program {p}")).collect::<String>();
    let is = match &arm.server {
        Server::Command(command) => format!("command {command:?}{program}"),
        Server::Image { source, args, binds } => {
            format!("image {source} {args:?}, folders {:?}", binds.keys().collect::<Vec<_>>())
        }
        Server::Endpoint(url) => format!("endpoint {url:?}"),
    };
    if arm.env.is_empty() { is } else { format!("{is}, variables {:?}", arm.env) }
}

/// What confines containers; none where there are none.
fn profile(workload: &Workload) -> String {
    if !matches!(workload.baseline.server, Server::Image { .. }) {
        return "none".into();
    }
    let c = &workload.container;
    format!(
        "{:?}, memory {:?}, pids {}, shm {:?}, scratch {:?}, GPUs by {:?}",
        c.profile, c.memory, c.pids, c.shm, c.scratch, c.gpu
    )
}
