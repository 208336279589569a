//! From finished attempts to the run's folder. Whoever submitted does it, and nobody else.

use std::{collections::BTreeMap, fs, path::Path};

use lab::{
    Kind, Problem, Result,
    bundle::{ENVIRONMENTS, RunFolder, TRIALS},
    environment::{Environment, Gpu},
    plan::{Plan, Trial},
};

use super::tasks::{Attempt, Tasks};

/// Takes the trials of every block that has a finished attempt, as far as the run lacks them.
/// Returns why an attempt cannot be used, by its block.
pub(super) fn collect(folder: &RunFolder, plan: &Plan, tasks: &Tasks) -> Result<BTreeMap<u32, String>> {
    let mut refused = BTreeMap::new();
    for (block, trials) in plan.blocks().filter(|(_, trials)| !whole(folder, trials)) {
        for attempt in tasks.attempts(block).iter().filter(|attempt| attempt.done()) {
            match take(folder, trials, attempt)? {
                Ok(()) => {
                    refused.remove(&block);
                    break;
                }
                Err(why) => drop(refused.insert(block, why)),
            }
        }
    }
    Ok(refused)
}

/// Whether the run has all trials of a block.
pub(super) fn whole(folder: &RunFolder, trials: &[Trial]) -> bool {
    trials.iter().all(|trial| folder.has_trial(&trial.folder()))
}

fn take(folder: &RunFolder, trials: &[Trial], attempt: &Attempt) -> Result<std::result::Result<(), String>> {
    let from = attempt.path.join(TRIALS);
    // Some may have been taken before whoever took them died.
    let there = |trial: &Trial| from.join(trial.folder()).is_dir() || folder.has_trial(&trial.folder());
    if let Some(lacks) = trials.iter().find(|trial| !there(trial)) {
        return Ok(Err(format!("attempt {} says that it is done and lacks {}", attempt.number, lacks.folder())));
    }
    for host in environments(&attempt.path)? {
        let name = format!("{ENVIRONMENTS}/{}.json", host.host);
        let described = match fs::read_to_string(folder.path().join(&name)) {
            Ok(before) => match both(Environment::from_json(&before)?, &host) {
                Ok(both) => both,
                Err(field) => {
                    return Ok(Err(format!("{} changed while the run went on: {field}", host.host)));
                }
            },
            Err(_) => host,
        };
        folder.put(&name, described.to_json().as_bytes())?;
    }
    for trial in trials.iter().filter(|trial| !folder.has_trial(&trial.folder())) {
        folder.take_trial(&from.join(trial.folder()), &trial.folder())?;
    }
    Ok(Ok(()))
}

fn environments(attempt: &Path) -> Result<Vec<Environment>> {
    let folder = attempt.join(ENVIRONMENTS);
    let failed = |path: &Path, e: &std::io::Error| Problem::io(Kind::Machine, "read", path, e);
    let files = fs::read_dir(&folder).map_err(|e| failed(&folder, &e))?.flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    files.map(|path| Environment::from_json(&fs::read_to_string(&path).map_err(|e| failed(&path, &e))?)).collect()
}

/// What two tasks saw of one host: each its own GPUs, and the images of its own arms.
///
/// # Errors
/// The field that they saw differently.
fn both(mut one: Environment, other: &Environment) -> std::result::Result<Environment, &'static str> {
    for gpu in &other.gpus {
        match one.gpus.iter().find(|known| known.uuid == gpu.uuid) {
            Some(known) if known.lasting() != gpu.lasting() => return Err("a GPU's settings"),
            Some(_) => {}
            None => one.gpus.push(gpu.clone()),
        }
    }
    one.gpus.sort_by(|a: &Gpu, b: &Gpu| (&a.pci, &a.uuid).cmp(&(&b.pci, &b.uuid)));
    for (arm, image) in &other.images {
        if one.images.entry(arm.clone()).or_insert_with(|| image.clone()) != image {
            return Err("an image");
        }
    }
    let rest = Environment { gpus: one.gpus.clone(), images: one.images.clone(), ..other.clone() };
    if one == rest {
        return Ok(one);
    }
    let same = [
        ("the program", one.program == rest.program),
        ("a model", one.models == rest.models),
        ("the kernel", one.kernel == rest.kernel),
        ("the layout of cores", one.layout == rest.layout),
        ("the container engine", one.engine == rest.engine),
        ("a folder that containers see", one.binds == rest.binds),
    ];
    Err(same.iter().find(|(_, same)| !same).map_or("its hardware or system", |(field, _)| field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(gpu: &str) -> Environment {
        let gpu = Gpu { uuid: gpu.into(), pcie_generation: Some(1), ..Gpu::default() };
        Environment { host: "n1".into(), cores: 8, gpus: vec![gpu], ..Environment::default() }
    }

    #[test]
    fn tasks_on_different_gpus_of_a_host_describe_it_together() {
        let both = both(host("GPU-2"), &host("GPU-1")).unwrap();
        assert_eq!(both.gpus.iter().map(|gpu| gpu.uuid.as_str()).collect::<Vec<_>>(), ["GPU-1", "GPU-2"]);
    }

    #[test]
    fn a_link_that_wakes_up_changes_no_host_and_a_changed_setting_does() {
        let mut awake = host("GPU-1");
        awake.gpus[0].pcie_generation = Some(5);
        assert_eq!(both(host("GPU-1"), &awake), Ok(host("GPU-1")));
        awake.gpus[0].power_limit_mw = Some(400_000);
        assert_eq!(both(host("GPU-1"), &awake), Err("a GPU's settings"));
    }

    #[test]
    fn what_changed_on_a_host_is_named() {
        let kernel = Environment { kernel: Some("6.2".into()), ..host("GPU-1") };
        assert_eq!(both(host("GPU-1"), &kernel), Err("the kernel"));
        assert_eq!(both(host("GPU-1"), &Environment { cores: 4, ..host("GPU-1") }), Err("its hardware or system"));
    }
}
