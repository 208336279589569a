//! Where on this host the workload of a bundle finds its models. A bundle holds none, and no path
//! that it names is followed: only one that a person named, or that stands in a workload file here
//! with the very same bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use analysis::{Study, reproduction::Here};
use lab::{
    Digest, Kind, Problem, Result,
    bundle::{Bundle, WORKLOAD},
    environment::ModelFacts,
    workload::{self, BASELINE, Server, Workload},
};
use runner::stock::{self, Stock};

/// A bundle's workload, at home on this host.
pub(super) struct Place {
    pub(super) workload: Workload,
    /// What `{here}` means.
    pub(super) here: PathBuf,
}

/// `NAME=PATH`.
pub(super) fn named(written: &str) -> std::result::Result<(String, PathBuf), String> {
    match written.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_owned(), path.into())),
        _ => Err("write NAME=PATH, with the name that the workload gives the model".into()),
    }
}

pub(super) fn of(bundle: &Bundle, file: Option<&Path>, models: &[(String, PathBuf)]) -> Result<Place> {
    let digest = bundle.plan()?.workload;
    let file = match file {
        Some(file) if same(file, digest) => Some(file.to_owned()),
        Some(file) => {
            return Err(Problem::input("the run was made from another workload file")
                .at(file.display().to_string())
                .next("name the file whose bytes are the bundle's workload.toml"));
        }
        None => beside(digest),
    };
    let here = file.as_deref().map(crate::verbs::folder_of);
    let home = here.clone().unwrap_or_else(|| bundle.path.clone());
    let mut workload = workload::parse(&bundle.text(WORKLOAD)?, &home.join(WORKLOAD))?;
    let known: BTreeSet<String> = workload.models.keys().cloned().collect();
    if let Some((stranger, _)) = models.iter().find(|(name, _)| !known.contains(name)) {
        let what = format!("the run has no model {}", lab::text::shown(stranger, 80));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(Problem::input(what).at("--model").next(format!("name one of {}", known.join(", "))));
    }
    for (name, model) in &mut workload.models {
        match (models.iter().find(|(named, _)| named == name), &here) {
            (Some((_, path)), _) => model.path.clone_from(path),
            (None, Some(_)) => {}
            (None, None) => {
                return Err(Problem::machine(format!("a bundle does not hold the weights of {name}"))
                    .at(bundle.path.join(WORKLOAD).display().to_string())
                    .next(format!("name their folder: --model {name}=PATH; or the file that the run was made from: --workload FILE")));
            }
        }
    }
    if here.is_none() && uses_here(&workload) {
        return Err(Problem::machine(
            "its commands name {here}, the folder of the workload file that it was made from",
        )
        .at(bundle.path.join(WORKLOAD).display().to_string())
        .next("name that file: --workload FILE"));
    }
    Ok(Place { workload, here: here.unwrap_or(home) })
}

/// A file of `workloads/` with these bytes.
fn beside(digest: Digest) -> Option<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir("workloads").into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    files.sort();
    files.into_iter().find(|path| same(path, digest))
}

fn same(file: &Path, digest: Digest) -> bool {
    Digest::of_file(file).is_ok_and(|(own, _)| own == digest)
}

fn uses_here(workload: &Workload) -> bool {
    let arms = workload.arms().map(|(_, arm)| arm).chain(workload.reference());
    let commands = arms.filter_map(|arm| match &arm.server {
        Server::Command(command) => Some(command),
        _ => None,
    });
    commands.flatten().any(|part| part.contains("{here}"))
}

/// What this host has of the run, and the first thing that it lacks; none where Ctrl-C came
/// meanwhile.
pub(super) fn look(study: &Study, place: &Place) -> Result<Option<(Here, Option<Problem>)>> {
    let bench = crate::verbs::this_program()?;
    let mut recorded = BTreeMap::<String, ModelFacts>::new();
    for host in study.stages[0].measure.environments()? {
        recorded.extend(host.models);
    }
    let looked = stock::look(&place.workload, &recorded, &bench, &place.here, crate::verbs::revision());
    let Some(stock) = crate::verbs::until_interrupted(looked)? else { return Ok(None) };
    let Stock { environment, programs, mut lacks } = stock;
    for (name, arm) in place.workload.arms() {
        if let (Server::Command(command), None) = (&arm.server, programs.get(name))
            && had_program(study, name)
        {
            let what = format!("the program of {name} is not here: {}", lab::text::shown(&command[0], 200));
            let field = if name == BASELINE { BASELINE.to_owned() } else { format!("program of {name}") };
            lacks.insert(field, Problem::new(Kind::Image, what).next("put it where the run had it"));
        }
    }
    let here = Here { environment, programs, lacks: lacks.keys().cloned().collect() };
    Ok(Some((here, lacks.into_values().next())))
}

/// Whether the run knew the file that an arm ran.
fn had_program(study: &Study, arm: &str) -> bool {
    study.trials.iter().any(|trial| trial.plan.arm == arm && trial.record.server.program.is_some())
}
