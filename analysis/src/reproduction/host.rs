//! What a run was made with, held against a host before anything runs there.

use std::collections::{BTreeMap, BTreeSet};

use lab::{Digest, Result, environment::Environment, records::ServerFacts, workload::BASELINE};

use super::{Reproduction, Word};
use crate::{
    compare::environments,
    stack::{Fields, Ran, differences},
    study::Study,
};

/// What a host has of a run.
pub struct Here {
    /// The host, with the models, images and folders that the run's workload names.
    pub environment: Environment,
    /// The file that each arm's command would run, by arm; without those that are found on a path.
    pub programs: BTreeMap<String, Digest>,
    /// Fields of which this host has nothing yet: they are not held against the run's.
    pub lacks: BTreeSet<String>,
}

/// Adds to what was verified what this host has; *not comparable* where something that has to be
/// equal is not.
///
/// # Errors
/// When a bundle's environment cannot be read.
pub fn host(verified: Reproduction, study: &Study, here: &Here) -> Result<Reproduction> {
    let theirs = environments(study)?;
    let then = study.ran(&theirs);
    let most = study.planned().map(|trial| trial.gpus).max().unwrap_or(0) as usize;
    let gpus: Vec<String> = here.environment.gpus.iter().take(most).map(|gpu| gpu.uuid.clone()).collect();
    let facts: BTreeMap<&str, ServerFacts> = study
        .arms()
        .into_iter()
        .map(|arm| {
            let program = here.programs.get(arm).copied();
            (arm, ServerFacts { program, gpus: gpus.clone(), ..ServerFacts::default() })
        })
        .collect();
    let hosts = std::slice::from_ref(&here.environment);
    let servers = facts.iter().map(|(arm, facts)| (*arm, facts)).collect();
    let now = Ran { servers, hosts, ..study.ran(hosts) };
    let mut found = Reproduction { host: Some(then.stack().against(&now.stack())), ..verified };
    found.unequal = differences(gates(study, &then), gates(study, &now));
    found.unequal.retain(|difference| !here.lacks.contains(&difference.field));
    if let Some(first) = found.unequal.first() {
        let others = found.unequal.len() - 1;
        let more = if others == 0 { String::new() } else { format!(", and {others} more") };
        found.word = Word::NotComparable;
        found.why = format!("{} is not what the run had{more}", first.field);
    }
    Ok(found)
}

/// What a comparison asks to be equal, as far as it is known before a run.
fn gates(study: &Study, ran: &Ran<'_>) -> Fields {
    let mut fields = ran.models();
    fields.extend(ran.hardware());
    fields.push(("baseline".to_owned(), ran.server(BASELINE, &study.workload.baseline)));
    fields
}
