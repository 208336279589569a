//! From finished attempts to the run's folder. Whoever submitted does it, and nobody else.

use std::{collections::BTreeSet, fs, io::ErrorKind, path::Path};

use lab::{
    Kind, Problem, Result,
    bundle::{ENVIRONMENTS, RunFolder, TRIALS},
    environment::{Environment, Gpu},
    plain,
    plan::{Plan, Trial},
};

use super::tasks::{Attempt, LARGEST, Tasks};

/// Takes the trials of every block that has a finished attempt, as far as the run lacks them. An
/// attempt that cannot be used has failed, whatever its task said.
pub(super) fn collect(folder: &RunFolder, plan: &Plan, tasks: &Tasks) -> Result<()> {
    for (block, trials) in plan.blocks().filter(|(_, trials)| !whole(folder, trials)) {
        for attempt in tasks.attempts(block).iter().filter(|attempt| attempt.done()) {
            match take(folder, trials, attempt)? {
                Ok(()) => break,
                Err(why) => tasks.refuse(attempt, why)?,
            }
        }
    }
    Ok(())
}

/// Whether the run has all trials of a block.
pub(super) fn whole(folder: &RunFolder, trials: &[Trial]) -> bool {
    trials.iter().all(|trial| folder.has_trial(&trial.folder()))
}

fn take(folder: &RunFolder, trials: &[Trial], attempt: &Attempt) -> Result<std::result::Result<(), String>> {
    let from = attempt.path.join(TRIALS);
    let mut left = BTreeSet::new();
    for path in trials.iter().map(|trial| from.join(trial.folder())) {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => drop(left.insert(path)),
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            // It says nothing of the attempt.
            Err(e) => return Err(Problem::io(Kind::Machine, "find", &path, &e)),
        }
    }
    let here = |trial: &Trial| left.contains(&from.join(trial.folder()));
    // Some may have been taken before whoever took them died, of this attempt or of another.
    let taken = |trial: &Trial| folder.has_trial(&trial.folder());
    if let Some(lacks) = trials.iter().find(|trial| !here(trial) && !taken(trial)) {
        return Ok(Err(format!("attempt {} says that it is done and lacks {}", attempt.number, lacks.folder())));
    }
    if let Some(twice) = trials.iter().find(|trial| here(trial) && taken(trial)) {
        return Ok(Err(format!("the run has {} of another attempt, and a block is of one", twice.folder())));
    }
    let hosts = match environments(&attempt.path)? {
        Ok(hosts) => hosts,
        Err(why) => return Ok(Err(why)),
    };
    for host in hosts {
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

/// The hosts that an attempt describes, or why what lies there describes none.
fn environments(attempt: &Path) -> Result<std::result::Result<Vec<Environment>, String>> {
    let folder = attempt.join(ENVIRONMENTS);
    let failed = |path: &Path, e: &std::io::Error| Problem::io(Kind::Machine, "read", path, e);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Err("it describes no host".into())),
        Err(e) => return Err(failed(&folder, &e)),
    };
    let files = entries.flatten().map(|entry| entry.path());
    let mut hosts = Vec::new();
    for path in files.filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let bytes = match plain::read(&path, LARGEST) {
            Ok(bytes) => bytes,
            // The disk says so, or the network: the next look may see more.
            Err(e) if e.raw_os_error().is_some() => return Err(failed(&path, &e)),
            Err(e) => return Ok(Err(format!("{}: {e}", path.display()))),
        };
        match Environment::from_json(&String::from_utf8_lossy(&bytes)) {
            Ok(host) => hosts.push(host),
            Err(problem) => return Ok(Err(format!("{}: {problem}", path.display()))),
        }
    }
    Ok(Ok(hosts))
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
    use super::{
        super::tasks::{End, Outcome},
        *,
    };

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

    /// A run of one block of two trials, with its tasks.
    fn run(folder: &Path) -> (RunFolder, Plan, Tasks) {
        let trial = |n: u32, role: &str, arm: &str| {
            serde_json::json!({ "n": n, "round": 1, "block": 1, "role": role, "arm": arm, "model": "toy", "gpus": 0,
                "warmup": { "first": 0, "count": 0 }, "phases": [] })
        };
        let digest = lab::Digest::of(b"");
        let plan = serde_json::json!({ "format": 4, "workload": digest, "requests": digest, "seed": 1,
            "trials": [trial(1, "opening", "baseline"), trial(2, "candidate", "fast")] });
        let path = folder.join("x-slurm-1");
        (RunFolder::create(&path).unwrap(), Plan::from_json(&plan.to_string()).unwrap(), Tasks::of(&path))
    }

    /// An attempt with these trials, which says that it is done.
    fn finished(tasks: &Tasks, trials: &[&str]) -> Attempt {
        let attempt = tasks.begin(1).unwrap();
        for trial in trials {
            fs::create_dir_all(attempt.path.join(TRIALS).join(trial)).unwrap();
        }
        fs::create_dir_all(attempt.path.join(ENVIRONMENTS)).unwrap();
        fs::write(attempt.path.join(ENVIRONMENTS).join("n1.json"), host("GPU-1").to_json()).unwrap();
        let (began, ended) = (lab::Nanos(1), lab::Nanos(2));
        tasks
            .end(
                &attempt,
                &End { outcome: Outcome::Done, host: "n1".into(), job: 7, began, ended, starts: Default::default() },
            )
            .unwrap();
        attempt
    }

    /// What the attempts at the block came to.
    fn outcomes(tasks: &Tasks) -> Vec<Outcome> {
        tasks.attempts(1).into_iter().map(|attempt| attempt.end.unwrap().outcome).collect()
    }

    const BOTH: [&str; 2] = ["0001-baseline", "0002-fast"];

    #[test]
    fn a_finished_attempt_is_taken_whole_and_once() {
        let temp = tempfile::tempdir().unwrap();
        let (folder, plan, tasks) = run(temp.path());
        let attempt = finished(&tasks, &BOTH);
        collect(&folder, &plan, &tasks).unwrap();
        assert!(whole(&folder, &plan.trials) && !attempt.path.join(TRIALS).join(BOTH[0]).exists());
        assert!(folder.path().join(ENVIRONMENTS).join("n1.json").exists());
        collect(&folder, &plan, &tasks).unwrap();
        assert_eq!(outcomes(&tasks), [Outcome::Done]);
    }

    #[test]
    fn an_attempt_that_lacks_a_trial_has_failed_and_the_next_one_counts() {
        let temp = tempfile::tempdir().unwrap();
        let (folder, plan, tasks) = run(temp.path());
        finished(&tasks, &BOTH[..1]);
        collect(&folder, &plan, &tasks).unwrap();
        let failed = Outcome::Failed("attempt 1 says that it is done and lacks 0002-fast".into());
        assert_eq!(outcomes(&tasks), std::slice::from_ref(&failed));
        assert!(!folder.has_trial(BOTH[0]));
        finished(&tasks, &BOTH);
        collect(&folder, &plan, &tasks).unwrap();
        assert_eq!(outcomes(&tasks), [failed, Outcome::Done]);
        assert!(whole(&folder, &plan.trials));
    }

    #[test]
    fn a_block_whose_taker_died_is_completed_from_the_same_attempt() {
        let temp = tempfile::tempdir().unwrap();
        let (folder, plan, tasks) = run(temp.path());
        let late = finished(&tasks, &BOTH);
        let first = finished(&tasks, &BOTH);
        folder.take_trial(&first.path.join(TRIALS).join(BOTH[0]), BOTH[0]).unwrap();
        fs::write(first.path.join(TRIALS).join(BOTH[1]).join("of"), "the second").unwrap();
        collect(&folder, &plan, &tasks).unwrap();
        let refused = "the run has 0001-baseline of another attempt, and a block is of one";
        assert_eq!(outcomes(&tasks), [Outcome::Failed(refused.into()), Outcome::Done]);
        assert!(folder.path().join(TRIALS).join(BOTH[1]).join("of").exists());
        assert!(late.path.join(TRIALS).join(BOTH[1]).exists());
    }

    #[test]
    fn a_link_is_no_trial_and_a_spoilt_environment_no_description() {
        let temp = tempfile::tempdir().unwrap();
        let (folder, plan, tasks) = run(temp.path());
        let linked = finished(&tasks, &BOTH[..1]);
        std::os::unix::fs::symlink(temp.path(), linked.path.join(TRIALS).join(BOTH[1])).unwrap();
        let spoilt = finished(&tasks, &BOTH);
        fs::write(spoilt.path.join(ENVIRONMENTS).join("n1.json"), "{").unwrap();
        let piped = finished(&tasks, &BOTH);
        let pipe = piped.path.join(ENVIRONMENTS).join("n2.json");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR).unwrap();
        collect(&folder, &plan, &tasks).unwrap();
        let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        assert!(outcomes(&tasks).iter().all(failed), "{:?}", outcomes(&tasks));
        assert!(!folder.has_trial(BOTH[0]));
    }
}
