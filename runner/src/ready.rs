//! A host made ready for trials, and the trials that it measures.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use lab::{
    Problem, Result,
    bundle::{ENVIRONMENTS, RunFolder},
    environment::Environment,
    plan::Trial,
    workload::{Arm, BASELINE, Server, Workload},
};

use crate::{
    docker::Containers,
    gpu, host,
    measure::{Setting, due_by_request},
    prepare::Prepared,
    process,
    progress::{Event, Observer},
    server::Launch,
    target::Secret,
    trial,
};

/// This program, and where it was started.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// Its file; it guards servers.
    pub bench: &'a Path,
    /// The commit that it was built from, where it knows one.
    pub revision: Option<&'a str>,
    /// The workload file's folder, for `{here}`.
    pub here: &'a Path,
}

/// What trials are made of, wherever they run.
pub(crate) struct Run<'a> {
    pub workload: &'a Workload,
    pub prepared: &'a Prepared,
    /// The folder of the workload, requests, schedule and plan.
    pub path: &'a Path,
    /// Its name, which containers bear.
    pub name: &'a str,
    pub keys: &'a [Secret],
}

/// Models, GPUs and images of this host, held until this is dropped.
pub(crate) struct Ready {
    pub environment: Environment,
    /// Each model's `tokenizer.json`.
    pub tokenizers: BTreeMap<String, Vec<u8>>,
    gpus: gpu::Held,
    containers: Option<Containers>,
    _kept: host::Kept,
}

impl Ready {
    /// Makes this host ready for these trials.
    pub(crate) async fn of(
        workload: &Workload,
        trials: &[Trial],
        program: &Program<'_>,
        observer: &dyn Observer,
    ) -> Result<Self> {
        observer.see(&Event::Stage("reading models and host"));
        let (mut environment, tokenizers) = host::environment(&workload.models, program.revision)?;
        environment.endpoints = endpoints(workload);
        let gpus = gpu::Held::take(trials.iter().map(|trial| trial.gpus).max().unwrap_or(0))?;
        environment.gpus = gpus.facts.clone();
        let containers = Containers::prepare(workload, &arms(workload, trials), program.bench, &gpus, observer).await?;
        if let Some(containers) = &containers {
            containers.describe(&mut environment);
        }
        let _kept = host::Kept::to(containers.as_ref().map_or(&[], Containers::rest));
        Ok(Ready { environment, tokenizers, gpus, containers, _kept })
    }

    /// Writes what this host is into a run's folder.
    pub(crate) fn describe(&self, folder: &RunFolder) -> Result<()> {
        folder.put(&format!("{ENVIRONMENTS}/{}.json", self.environment.host), self.environment.to_json().as_bytes())
    }

    /// Measures the trials that the folder lacks, in order, and ends all that it needed for it.
    pub(crate) async fn measure(
        &self,
        run: &Run<'_>,
        trials: &[Trial],
        folder: &RunFolder,
        program: &Program<'_>,
        observer: &dyn Observer,
    ) -> Result<()> {
        let &Run { workload, prepared, keys, .. } = run;
        let due = due_by_request(prepared.schedule.as_ref(), prepared.requests.len());
        let containers = self.containers.as_ref();
        let had = Had { workload, bench: program.bench, here: program.here, gpus: &self.gpus, containers };
        for (trial, at) in trials.iter().zip(1..).filter(|(t, _)| !folder.has_trial(&t.folder())) {
            let arm = workload.arm(&trial.arm).ok_or_else(|| {
                Problem::broken(format!("the plan names the arm {}, which the workload lacks", trial.arm))
            })?;
            let setting = Setting {
                trial,
                run: run.path,
                served_name: &workload.models[&trial.model].served_name,
                keys,
                requests: &prepared.requests,
                due: &due,
                sampling: &workload.sampling,
                client: &workload.client,
                limits: &workload.limits,
                observer,
            };
            observer.see(&Event::TrialStarted { trial, at, of: trials.len() });
            let launch = had.launch(&trial.arm, arm, &trial.model, trial.gpus, run.name)?;
            let servers = trial::Servers {
                launch: &launch,
                key: Secret::of(arm, &trial.arm)?,
                gpus: &self.gpus,
                rest: containers.map_or(&[], Containers::rest),
            };
            trial::run(&setting, &servers, &self.environment.host, folder).await?;
        }
        match containers {
            Some(containers) => containers.end().await,
            None => Ok(()),
        }
    }
}

/// What servers are made from.
pub(crate) struct Had<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) bench: &'a Path,
    pub(crate) here: &'a Path,
    pub(crate) gpus: &'a gpu::Held,
    pub(crate) containers: Option<&'a Containers>,
}

impl Had<'_> {
    /// How an arm's server is had for a model on so many GPUs.
    pub(crate) fn launch(&self, name: &str, arm: &Arm, model: &str, gpus: u32, run: &str) -> Result<Launch> {
        let found = &self.workload.models[model];
        match (&arm.server, self.containers) {
            (Server::Command(command), _) => Ok(Launch::Process(process::Launch {
                command: command.clone(),
                env: arm.env.clone(),
                gpus: self.gpus.leased().iter().take(gpus as usize).map(|gpu| gpu.uuid.clone()).collect(),
                secrets: secrets(self.workload, arm),
                bench: self.bench.to_owned(),
                model: found.path.clone(),
                served_name: found.served_name.clone(),
                here: self.here.to_owned(),
            })),
            (Server::Endpoint(url), _) => Ok(Launch::Endpoint(url.clone())),
            (Server::Image { .. }, Some(containers)) => containers.launch(self.workload, name, arm, model, gpus, run),
            (Server::Image { .. }, None) => Err(Problem::machine(format!("the image of {name} was not prepared"))),
        }
    }
}

/// Variables that hold the keys of other arms: nobody's server sees them.
fn secrets(workload: &Workload, own: &Arm) -> Vec<String> {
    let arms = workload.arms().map(|(_, arm)| arm).chain(workload.reference());
    arms.filter_map(|arm| arm.api_key_env.clone()).filter(|name| own.api_key_env.as_ref() != Some(name)).collect()
}

/// The arms that are somebody else's servers.
fn endpoints(workload: &Workload) -> BTreeMap<String, String> {
    let arms = workload.arms();
    arms.filter_map(|(name, arm)| match &arm.server {
        Server::Endpoint(url) => Some((name.to_owned(), url.to_string())),
        _ => None,
    })
    .collect()
}

/// The arms that trials measure, in the workload's order: the baseline first, for without its
/// image nothing can be compared.
fn arms<'w>(workload: &'w Workload, trials: &[Trial]) -> Vec<(&'w str, &'w Arm)> {
    let measured: BTreeSet<&str> = trials.iter().map(|trial| trial.arm.as_str()).collect();
    let mut arms: Vec<_> = workload.arms().filter(|(name, _)| measured.contains(name)).collect();
    arms.sort_by_key(|(name, _)| *name != BASELINE);
    arms
}
