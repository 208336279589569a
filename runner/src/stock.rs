//! What this host has of what a run was made with, before that run is made once more. It gets
//! nothing and starts nothing.

use std::{collections::BTreeMap, path::Path};

use lab::{
    Digest, Kind, Problem, Result,
    environment::{Environment, ModelFacts},
    workload::{Arm, BASELINE, Model, Server, Workload},
};

use crate::{
    docker::{self, Engine},
    gpu::Library,
    host, process,
};

/// What there is.
pub struct Stock {
    /// This host, with those of the workload's models and images that it has.
    pub environment: Environment,
    /// The digest of the file that each arm's command runs, where it is named by its path.
    pub programs: BTreeMap<String, Digest>,
    /// What it has not, each with how to get it, by `model NAME`, `image of ARM` or `container engine`.
    pub lacks: BTreeMap<String, Problem>,
}

/// Looks for the models of a workload, its images and its programs. `recorded` is what the run had
/// of the models; `here` the folder that its commands mean by `{here}`.
pub async fn look(
    workload: &Workload,
    recorded: &BTreeMap<String, ModelFacts>,
    bench: &Path,
    here: &Path,
    revision: Option<&str>,
) -> Result<Stock> {
    let (present, absent): (BTreeMap<_, _>, BTreeMap<_, _>) =
        workload.models.clone().into_iter().partition(|(_, model)| model.path.join("tokenizer.json").is_file());
    let (mut environment, _) = host::environment(&present, revision)?;
    let weights = |(name, model): (String, Model)| {
        let facts = recorded.get(&name).map(|facts| format!(" (tree digest {}, {} bytes)", facts.digest, facts.bytes));
        let problem = Problem::machine(format!("the weights of {name}{} are not here", facts.unwrap_or_default()))
            .at(model.path.display().to_string())
            .next(format!("get them, and name their folder: --model {name}=PATH"));
        (format!("model {name}"), problem)
    };
    let mut lacks: BTreeMap<String, Problem> = absent.into_iter().map(weights).collect();
    environment.gpus = Library::open(None).map(|library| library.facts()).unwrap_or_default();
    environment.binds = folders(workload);
    images(workload, &mut environment, &mut lacks).await;
    Ok(Stock { environment, programs: programs(workload, bench, here), lacks })
}

/// The folders of this host that containers would see, as far as they are here.
fn folders(workload: &Workload) -> BTreeMap<String, Digest> {
    let common = workload.container.binds.iter().map(|(inside, outside)| (inside.clone(), outside));
    let own = workload.arms().filter_map(|(name, arm)| match &arm.server {
        Server::Image { binds, .. } => Some(binds.iter().map(move |(inside, at)| (format!("{name}:{inside}"), at))),
        _ => None,
    });
    let all = common.chain(own.flatten());
    all.filter_map(|(inside, outside)| Some((inside, Digest::of_host_folder(outside).ok()?))).collect()
}

/// Adds the container engine and what it has of each arm's image, where an arm is one.
async fn images(workload: &Workload, environment: &mut Environment, lacks: &mut BTreeMap<String, Problem>) {
    let arm = |name: &str| workload.arm(name).or(workload.reference());
    let source = |name: &str| match &arm(name)?.server {
        Server::Image { source, .. } => Some(source.to_string()),
        _ => None,
    };
    let mut servers = workload.arms().map(|(_, arm)| arm).chain(workload.reference());
    if !servers.any(|arm| matches!(arm.server, Server::Image { .. })) {
        return;
    }
    let engine = match Engine::connect().await {
        Ok(engine) => engine,
        Err(problem) => return drop(lacks.insert("container engine".into(), problem)),
    };
    environment.engine = Some(engine.facts.clone());
    for (name, found) in docker::look(&engine, workload, None).await {
        let what = match found {
            Ok(Some(image)) => {
                environment.images.insert(name, image);
                continue;
            }
            Ok(None) => format!("the image of {name} is not here: {}", source(&name).unwrap_or_default()),
            Err(not) => format!("the image of {name} cannot be used: {}", not.detail),
        };
        let next = "get it with docker pull, or with bench check --pull on the bundle's workload.toml";
        lacks.insert(format!("image of {name}"), Problem::new(Kind::Image, what).next(next));
    }
}

fn programs(workload: &Workload, bench: &Path, here: &Path) -> BTreeMap<String, Digest> {
    let model = |name: &str| {
        let mut groups = workload.groups.iter();
        let group = groups.find(|g| name == BASELINE || g.candidates.iter().any(|c| c == name))?;
        workload.models.get(&group.model)
    };
    let of = |(name, arm): (&str, &Arm)| {
        let (Server::Command(command), model) = (&arm.server, model(name)?) else { return None };
        let launch = process::Launch {
            command: command.clone(),
            env: arm.env.clone(),
            gpus: Vec::new(),
            secrets: Vec::new(),
            bench: bench.to_owned(),
            model: model.path.clone(),
            served_name: model.served_name.clone(),
            here: here.to_owned(),
        };
        Some((name.to_owned(), launch.program()?))
    };
    workload.arms().filter_map(of).collect()
}
