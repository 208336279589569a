//! Whether all servers of a comparison ran under one contract.

use std::collections::BTreeMap;

use lab::{
    bundle::{TRIAL, TRIALS},
    environment::Environment,
    records::{Contract, ServerFacts, Trial},
    workload::{BASELINE, Workload},
};

use super::{Notes, promise};

/// Broken promises of a trial that are named.
const NAMED: usize = 3;

/// Every trial's server, held against what the workload promises and against the first
/// baseline with the same model and GPUs.
pub(super) fn check(notes: &mut Notes<'_>, workload: &Workload, environments: &[Environment], trials: &[Trial]) {
    for trial in trials {
        let place = format!("{TRIALS}/{}/{TRIAL}", trial.trial.folder());
        let environment = environments.iter().find(|e| e.host == trial.host);
        let broken = promise::broken(workload, environment, trial);
        broken.into_iter().take(NAMED).for_each(|what| notes.add(place.clone(), what));
    }
    let started = || trials.iter().filter(|t| t.server.container.is_some() || t.stages.ready_ns.is_some());
    let mut terms: BTreeMap<(&str, u32), Terms> = BTreeMap::new();
    for baseline in started().filter(|t| t.trial.arm == BASELINE) {
        terms.entry((&baseline.trial.model, baseline.trial.gpus)).or_insert_with(|| of(&baseline.server));
    }
    for trial in started() {
        let Some(wanted) = terms.get(&(trial.trial.model.as_str(), trial.trial.gpus)) else { continue };
        let got = of(&trial.server);
        let differs = wanted
            .iter()
            .chain(&got)
            .find(|(field, value)| wanted.get(*field) != Some(*value) || got.get(*field) != Some(*value));
        if let Some((field, _)) = differs {
            let value = |of: &Terms| of.get(field).map_or("nothing".to_owned(), |v| lab::text::shown(v, 80));
            let what = format!("{field} is {}, the baseline's is {}", value(&got), value(wanted));
            notes.add(format!("{TRIALS}/{}/{TRIAL}", trial.trial.folder()), what);
        }
    }
}

/// Fields of a contract and their values.
type Terms = BTreeMap<String, String>;

/// What has to be equal: everything but the folders that an image declares or an arm brings.
fn of(server: &ServerFacts) -> Terms {
    let executor = [("executor".to_owned(), server.executor.clone()), ("gpus".to_owned(), server.gpus.join(" "))];
    let mut terms = Terms::from(executor);
    if let Some(container) = &server.container {
        terms.insert("profile".to_owned(), container.profile.name().to_owned());
        terms.insert("client".to_owned(), format!("{:?}", container.client).to_lowercase());
        terms.insert("cold".to_owned(), container.cold.to_string());
        let alike = Contract { tmpfs: BTreeMap::new(), binds: BTreeMap::new(), ..container.contract.clone() };
        if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(alike) {
            terms.extend(fields.into_iter().map(|(name, value)| (name, value.to_string())));
        }
    }
    terms
}
