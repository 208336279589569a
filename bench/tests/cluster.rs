//! A plan on the nodes of a real Slurm: what happens when nodes, controllers and people come in
//! its way. `eval "$(scripts/slurm start DIR)"` first.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use lab::{
    bundle::Bundle,
    records::{Outcome, Trial},
};
use support::{
    Lab, Workload,
    cluster::{Cluster, kill},
    code,
    engine::Engine,
    stderr, stdout, wait_for, wait_until,
};

const ON_A_CLUSTER: [&str; 4] = ["run", "x.toml", "--executor", "slurm"];

fn workload() -> Workload {
    Workload { rounds: 3, ..Workload::default() }.candidate("fast", "--ttft 1ms --itl 100us")
}

/// Servers that take half a minute to answer, unless somebody ends them.
fn slow() -> Workload {
    let limits = "ready = \"10s\"\nrequest = \"60s\"\nphase = \"60s\"\nstop = \"500ms\"\nresponse = \"256KiB\"\n";
    let slow = Workload { baseline: "--ttft 4s --itl 200us".into(), limits: limits.into(), ..Workload::default() };
    slow.candidate("fast", "--ttft 1ms --itl 100us")
}

/// Starts a run and comes back when a task of it runs: the run's folder and the task's node.
fn started(lab: &Lab, cluster: &Cluster, more: &[&str]) -> (Child, PathBuf, String) {
    let mut command = lab.command(&[&ON_A_CLUSTER[..], more].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let run = wait_for("the run has a folder", || lab.runs().into_iter().find(|run| run.join("plan.json").exists()));
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    let begun = run.with_added_extension("tasks").join("1/1.begun");
    wait_until("a trial has begun", || begun.exists());
    let node = wait_for("the task runs", || cluster.running(&name).pop());
    (child, run, node)
}

fn output(child: Child) -> std::process::Output {
    child.wait_with_output().unwrap()
}

fn good(lab: &Lab, bundle: &Path) {
    let verified = lab.bench(&["verify", bundle.to_str().unwrap()]);
    assert_eq!(code(&verified), 0, "{}{}", stdout(&verified), stderr(&verified));
}

fn trials(bundle: &Bundle) -> Vec<Trial> {
    bundle.plan().unwrap().trials.iter().map(|trial| bundle.trial(&trial.folder()).unwrap().trial).collect()
}

/// Every file of a bundle, without its hosts, and the header of every table.
fn shape(bundle: &Bundle) -> Vec<String> {
    let files = bundle.manifest.files.iter().map(|file| file.path.clone());
    let shape = files.filter(|path| !path.starts_with("environments/")).map(|path| {
        let header = match path.ends_with(".csv") {
            true => fs::read_to_string(bundle.path.join(&path)).unwrap().lines().next().unwrap_or_default().to_owned(),
            false => String::new(),
        };
        format!("{path} {header}")
    });
    shape.collect()
}

/// What the log says happened, in order.
fn logged(lab: &Lab) -> Vec<String> {
    let text = fs::read_to_string(lab.path("results/log")).unwrap();
    let event = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        entry["event"].as_object().unwrap().keys().next().unwrap().clone()
    };
    text.lines().map(event).collect()
}

#[test]
fn a_plan_on_three_nodes_leaves_the_same_bundle_as_on_this_host() {
    let Some(_cluster) = Cluster::from_env() else { return };
    let (here, there) = (Lab::new(), Lab::new());
    let local = here.run(&workload());
    assert_eq!(code(&local), 0, "{}", stderr(&local));
    there.plan(&workload());
    let done = there.bench(&ON_A_CLUSTER);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    assert!(stderr(&done).contains(" of 3 blocks done"), "{}", stderr(&done));
    let cost = "3 tasks; from submission to a node ";
    assert!(stderr(&done).contains(cost) && stderr(&done).contains(" last byte to the next "), "{}", stderr(&done));

    let (local, bundle) = (here.bundle(), there.bundle());
    good(&there, &bundle.path);
    assert_eq!(shape(&bundle), shape(&local));
    assert_eq!(logged(&there), logged(&here));
    assert_eq!(bundle.plan().unwrap().trials, local.plan().unwrap().trials);
    assert_eq!(
        fs::read(bundle.path.join("requests.jsonl")).unwrap(),
        fs::read(local.path.join("requests.jsonl")).unwrap()
    );
    // Trials of a block are of one node, and each node of the run is described.
    let plan = bundle.plan().unwrap();
    for (_, block) in plan.blocks() {
        let hosts: Vec<String> = block.iter().map(|trial| bundle.trial(&trial.folder()).unwrap().trial.host).collect();
        assert!(hosts.iter().all(|host| *host == hosts[0] && host.starts_with('n')), "{hosts:?}");
    }
    let mut hosts: Vec<String> = trials(&bundle).into_iter().map(|trial| trial.host).collect();
    hosts.sort();
    hosts.dedup();
    let described: Vec<String> = bundle.environments().unwrap().into_iter().map(|host| host.host).collect();
    assert_eq!(described, hosts);
    // Nothing is left beside the bundle but what waits for a grade.
    let beside = fs::read_dir(bundle.path.parent().unwrap()).unwrap().flatten().map(|entry| entry.path());
    assert!(beside.into_iter().all(|path| path.extension().is_none_or(|e| e != "tasks")));
    let judged = there.bench(&["judge", bundle.path.to_str().unwrap(), "--json"]);
    let judgement: serde_json::Value = serde_json::from_str(&stdout(&judged)).unwrap();
    let nodes = judgement["baseline"]["nodes"].as_array().cloned().unwrap_or_default();
    let judged: Vec<&str> = nodes.iter().map(|node| node["host"].as_str().unwrap()).collect();
    // A machine that others use spoils a baseline now and then, which the judgement and its requests say.
    let voids = judgement["voids"].to_string();
    let counted = plan.trials.iter().filter(|planned| planned.arm == "baseline" && !voids.contains(&planned.folder()));
    let counted = counted.map(|planned| bundle.trial(&planned.folder()).unwrap());
    let counted = counted.filter(|found| found.requests.iter().any(|request| request.outcome == Outcome::Complete));
    let counted: BTreeSet<String> = counted.map(|found| found.trial.host).collect();
    let counted: Vec<&str> = counted.iter().map(String::as_str).collect();
    assert!(
        if counted.len() < 2 { judged.is_empty() } else { judged == counted },
        "{judged:?} of {counted:?}: {voids}"
    );
}

#[test]
fn a_dry_run_prints_what_would_be_submitted_and_submits_nothing() {
    let lab = Lab::new();
    lab.plan(&workload());
    let printed = lab.bench(&[&ON_A_CLUSTER[..], &["--dry-run", "--partition", "gpu", "--sbatch=--mem=0"]].concat());
    assert_eq!(code(&printed), 0, "{}", stderr(&printed));
    let script = stdout(&printed);
    for line in ["#SBATCH --array=1-3\n", "#SBATCH --partition=gpu\n", "#SBATCH --mem=0\n", "#SBATCH --exclusive\n"] {
        assert!(script.contains(line), "{script}");
    }
    // What is for a cluster alone is not taken for something else here.
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--dry-run"])), 2);
    assert!(lab.runs().is_empty());
}

#[test]
fn a_block_whose_node_dies_is_measured_on_another_and_says_so() {
    let Some(cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&slow());
    let (child, _, node) = started(&lab, &cluster, &[]);
    cluster.kill_node(&node);
    let done = output(child);
    cluster.start(&node);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let bundle = lab.bundle();
    good(&lab, &bundle.path);
    let all = trials(&bundle);
    assert!(all.iter().all(|trial| trial.host != node), "{node} is dead");
    assert_eq!(all[0].attempts.len(), 1);
    assert!(all[0].attempts[0].detail.contains("the run ended during it"), "{:?}", all[0].attempts);
}

#[test]
fn what_a_lost_node_still_writes_reaches_no_bundle() {
    let Some(cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&slow());
    let (child, _, node) = started(&lab, &cluster, &[]);
    // Its network is gone, not its power: the task stands still, and goes on later.
    let late = cluster.processes(&node);
    late.iter().for_each(|pid| kill("STOP", *pid));
    cluster.kill_daemons(&node);
    let done = output(child);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let bundle = lab.bundle();
    good(&lab, &bundle.path);
    late.iter().for_each(|pid| kill("CONT", *pid));
    wait_until("the late task has ended", || cluster.processes(&node).is_empty());
    cluster.start(&node);
    good(&lab, &bundle.path);
}

#[test]
fn a_controller_that_is_away_for_a_while_costs_nothing() {
    let Some(cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&slow());
    let (child, run, _) = started(&lab, &cluster, &[]);
    cluster.end_controller();
    let status = lab.bench(&["status", run.to_str().unwrap()]);
    assert!(stdout(&status).contains("Slurm does not say what it has"), "{}{}", stdout(&status), stderr(&status));
    cluster.start("slurmctld");
    let done = output(child);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let bundle = lab.bundle();
    good(&lab, &bundle.path);
    assert!(trials(&bundle).iter().all(|trial| trial.attempts.is_empty()), "nothing was measured twice");
    assert_eq!(logged(&lab), ["begun", "sealed"]);
}

#[test]
fn a_cancelled_run_is_not_sealed_and_goes_on_where_it_was() {
    let Some(cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&slow());
    let (child, run, node) = started(&lab, &cluster, &[]);
    let cancelled = lab.bench(&["cancel", run.to_str().unwrap()]);
    assert_eq!(code(&cancelled), 0, "{}", stderr(&cancelled));
    let ended = output(child);
    assert_eq!(code(&ended), 11, "{}", stderr(&ended));
    assert!(stderr(&ended).contains("1 of 1 blocks were not measured"), "{}", stderr(&ended));
    assert!(stderr(&ended).contains("it was told to end"), "{}", stderr(&ended));
    assert!(!run.join("manifest.json").exists());
    assert!(cluster.processes(&node).is_empty(), "a cancelled task's server is gone");
    let status = lab.bench(&["status", run.to_str().unwrap(), "--json"]);
    let status: serde_json::Value = serde_json::from_str(&stdout(&status)).unwrap();
    assert_eq!(status["blocks"][0]["state"], "stopped");
    // By who cancelled, and by who had submitted and waited.
    assert_eq!(logged(&lab), ["begun", "ended", "ended"]);

    let resumed = lab.bench(&[&ON_A_CLUSTER[..], &["--resume"]].concat());
    assert_eq!(code(&resumed), 0, "{}", stderr(&resumed));
    good(&lab, &run);
    assert_eq!(logged(&lab)[3..], ["resumed", "sealed"]);
}

#[test]
fn a_cancelled_run_begins_none_of_its_blocks_that_wait() {
    let Some(cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&Workload { rounds: 2, ..slow() });
    let (child, run, _) = started(&lab, &cluster, &["--max-parallel", "1"]);
    assert_eq!(code(&lab.bench(&["cancel", run.to_str().unwrap()])), 0);
    let ended = output(child);
    assert_eq!(code(&ended), 11, "{}", stderr(&ended));
    let said = stderr(&ended);
    assert!(said.contains("2 of 2 blocks were not measured"), "{said}");
    assert!(said.contains("block 2 stopped: it was taken back before it began"), "{said}");
    let status = lab.bench(&["status", run.to_str().unwrap(), "--json"]);
    let status: serde_json::Value = serde_json::from_str(&stdout(&status)).unwrap();
    assert!(status["unknown"].is_null(), "{status:#}");
    assert!(status["blocks"].as_array().unwrap().iter().all(|block| block["state"] == "stopped"), "{status:#}");
    assert!(!run.with_added_extension("tasks").join("2").exists());
    // A second time there is nothing to take back, which is no error.
    assert_eq!(code(&lab.bench(&["cancel", run.to_str().unwrap()])), 0);
    let dry = lab.bench(&[&ON_A_CLUSTER[..], &["--resume", "--dry-run"]].concat());
    assert!(stdout(&dry).contains("#SBATCH --array=1-2\n"), "{}", stdout(&dry));
}

#[test]
fn what_a_shell_has_set_for_slurm_changes_no_task() {
    let Some(_cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&workload());
    let mut command = lab.command(&ON_A_CLUSTER);
    let set = [("SBATCH_JOB_NAME", "mine"), ("SBATCH_ARRAY_INX", "7"), ("SBATCH_OUTPUT", "/dev/null")];
    command.envs(set).envs([("SBATCH_PARTITION", "nowhere"), ("SQUEUE_STATES", "FAILED"), ("SQUEUE_FORMAT", "%i")]);
    let done = command.output().unwrap();
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    good(&lab, &lab.bundle().path);
    assert!(trials(&lab.bundle()).iter().all(|trial| trial.attempts.is_empty()), "nothing was measured twice");
}

#[test]
fn a_detached_run_is_collected_by_whoever_resumes_it() {
    let Some(_cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&workload());
    let left = lab.bench(&[&ON_A_CLUSTER[..], &["--detach"]].concat());
    assert_eq!(code(&left), 0, "{}", stderr(&left));
    let run = lab.runs().into_iter().find(|run| run.join("plan.json").exists()).unwrap();
    assert!(stdout(&left).contains(&format!("bench status {}\n", run.display())), "{}", stdout(&left));
    wait_until("all blocks are measured", || {
        stdout(&lab.bench(&["status", run.to_str().unwrap()])).contains("3 of 3 blocks done")
    });
    assert!(!run.join("manifest.json").exists(), "only whoever collects seals");
    let open = stdout(&lab.bench(&["log", "--check"]));
    assert!(logged(&lab) == ["begun"] && open.contains("  open: "), "{open}");
    let resumed = lab.bench(&[&ON_A_CLUSTER[..], &["--resume"]].concat());
    assert_eq!(code(&resumed), 0, "{}", stderr(&resumed));
    good(&lab, &run);
    assert!(trials(&lab.bundle()).iter().all(|trial| trial.attempts.is_empty()), "nothing was measured twice");
    assert_eq!(logged(&lab), ["begun", "resumed", "sealed"]);
    let sealed = lab.bench(&["status", run.to_str().unwrap()]);
    assert!(stderr(&sealed).contains("this run is measured and sealed"), "{}", stderr(&sealed));
    let cancelled = lab.bench(&["cancel", run.to_str().unwrap()]);
    assert_eq!((code(&cancelled), logged(&lab).len()), (0, 3), "{}", stderr(&cancelled));
    assert!(stdout(&cancelled).contains("it is measured and sealed"), "{}", stdout(&cancelled));
}

#[test]
fn what_the_cluster_cannot_give_is_refused_in_its_own_words() {
    let Some(_cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&workload());
    let refused = lab.bench(&[&ON_A_CLUSTER[..], &["--constraint", "h9000"]].concat());
    assert_eq!(code(&refused), 11, "{}", stderr(&refused));
    let said = stderr(&refused);
    assert!(said.contains("Slurm refuses the tasks") && said.contains("Invalid feature"), "{said}");
    assert!(said.contains("next: ") && said.contains("continue with --resume"), "{said}");
    let resumed = lab.bench(&[&ON_A_CLUSTER[..], &["--resume"]].concat());
    assert_eq!(code(&resumed), 0, "{}", stderr(&resumed));
}

#[test]
fn a_task_that_cannot_do_its_block_says_why() {
    let Some(_cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&workload());
    let detached = lab.bench(&[&ON_A_CLUSTER[..], &["--detach", "--sbatch=--hold"]].concat());
    assert_eq!(code(&detached), 0, "{}", stderr(&detached));
    let run = lab.runs().into_iter().find(|run| run.join("plan.json").exists()).unwrap();
    // A node that sees another workload than the one that was planned.
    let workload = fs::read_to_string(run.join("workload.toml")).unwrap();
    fs::write(run.join("workload.toml"), workload.replace("seed = 3", "seed = 4")).unwrap();
    let task = lab.bench(&["exec", run.to_str().unwrap(), "--index", "2"]);
    lab.bench(&["cancel", run.to_str().unwrap()]);
    assert_eq!(code(&task), 21, "{}", stderr(&task));
    let status = stdout(&lab.bench(&["status", run.to_str().unwrap(), "--json"]));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["blocks"][1]["state"], "failed");
    assert!(status["blocks"][1]["detail"].as_str().unwrap().contains("another plan on this node"), "{status:#}");
    // However narrow the terminal is, people read what to do.
    let status = stdout(&lab.bench(&["status", run.to_str().unwrap()]));
    assert!(status.contains("block 2 failed\n") && status.contains("request files, traces and models"), "{status}");
}

/// A folder on a disk of its own, of so many bytes.
struct Disk(PathBuf);

impl Disk {
    fn new(path: PathBuf, size: &str) -> Self {
        fs::create_dir_all(&path).unwrap();
        let disk = Disk(path);
        disk.mount(&format!("size={size}"), &["-t", "tmpfs", "tmpfs"]);
        disk
    }

    fn mount(&self, options: &str, of: &[&str]) {
        let done = Command::new("mount").args(["-o", options]).args(of).arg(&self.0).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.0).status().unwrap();
    }
}

#[test]
fn a_full_disk_costs_the_blocks_that_it_had_no_room_for() {
    let Some(_cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    let disk = Disk::new(lab.path("results"), "400k");
    // An answer of a thousand tokens leaves more evidence than there is room for.
    lab.plan(&Workload { max_tokens: 1_000, requests: 32, ..workload() });
    let full = lab.bench(&ON_A_CLUSTER);
    assert_eq!(code(&full), 11, "{}", stderr(&full));
    let said = stderr(&full);
    assert!(said.contains("No space left") && said.contains("make room"), "{said}");
    let run = lab.runs().into_iter().find(|run| run.join("plan.json").exists()).unwrap();
    assert!(!run.join("manifest.json").exists(), "what is there is not sealed as whole");
    disk.mount("remount,size=64m", &[]);
    let resumed = lab.bench(&[&ON_A_CLUSTER[..], &["--resume"]].concat());
    assert_eq!(code(&resumed), 0, "{}", stderr(&resumed));
    good(&lab, &lab.bundle().path);
}

#[test]
fn a_task_whose_time_is_up_is_told_to_end_and_is_not_tried_again() {
    let Some(cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    // Slurm looks twice a minute for tasks whose time is up: no server is done before that.
    let limits = slow().limits.replace("60s", "10m");
    lab.plan(&Workload { baseline: "--ttft 90s --itl 200us".into(), limits, ..slow() });
    let (child, run, _) = started(&lab, &cluster, &["--time", "5"]);
    let name = run.file_name().unwrap().to_str().unwrap();
    let job = cluster.slurm("squeue", &["-h", "-n", name, "-o", "%A"]);
    cluster.slurm("scontrol", &["update", &format!("JobId={}", job.trim()), "EndTime=now"]);
    let ended = output(child);
    assert_eq!(code(&ended), 11, "{}", stderr(&ended));
    assert!(stderr(&ended).contains("it was told to end"), "{}", stderr(&ended));
    assert!(!run.join("manifest.json").exists());
}

#[test]
fn a_task_that_is_begun_again_by_the_cluster_is_another_attempt_that_tells_of_the_first() {
    let Some(cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&slow());
    let (child, run, _) = started(&lab, &cluster, &["--sbatch=--requeue"]);
    let name = run.file_name().unwrap().to_str().unwrap();
    let job = cluster.slurm("squeue", &["-h", "-n", name, "-o", "%A"]);
    cluster.slurm("scontrol", &["requeue", job.trim()]);
    let done = output(child);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let bundle = lab.bundle();
    good(&lab, &bundle.path);
    assert_eq!(trials(&bundle)[0].attempts.len(), 1, "{:?}", trials(&bundle)[0].attempts);
}

#[test]
fn a_task_is_not_begun_again_behind_the_back_of_whoever_submitted_it() {
    let Some(cluster) = Cluster::from_env() else { return };
    let lab = Lab::new();
    lab.plan(&slow());
    let (child, run, _) = started(&lab, &cluster, &[]);
    let name = run.file_name().unwrap().to_str().unwrap();
    let job = cluster.slurm("squeue", &["-h", "-n", name, "-o", "%A"]);
    let refused = Command::new("scontrol").args(["requeue", job.trim()]).output().unwrap();
    assert!(!refused.status.success(), "Slurm begins it again");
    assert_eq!(code(&output(child)), 0);
    assert!(trials(&lab.bundle()).iter().all(|trial| trial.attempts.is_empty()), "it was measured twice");
}

/// A server in a container that takes half a minute to answer.
fn slow_image(engine: &Engine) -> Workload {
    let workload = Workload::of_images(&engine.image("stub:plain"), "--ttft 30s --itl 200us");
    Workload { limits: slow().limits, ..workload }
}

/// The containers of a run, once one of them runs.
fn containers(engine: &Engine, run: &Path) -> String {
    let label = format!("bench.run={}", run.file_name().unwrap().to_str().unwrap());
    wait_until("its container runs", || engine.containers(&label).iter().any(|one| one.contains("running")));
    label
}

#[test]
fn a_cancelled_task_takes_its_containers_with_it() {
    let (Some(cluster), Some(engine)) = (Cluster::from_env(), Engine::from_env()) else { return };
    let lab = Lab::new();
    lab.plan(&slow_image(&engine));
    let (child, run, _) = started(&lab, &cluster, &[]);
    let label = containers(&engine, &run);
    lab.bench(&["cancel", run.to_str().unwrap()]);
    assert_eq!(code(&output(child)), 11);
    assert_eq!(engine.containers(&label), [""; 0]);
}

#[test]
fn what_a_killed_task_left_is_removed_by_the_epilog() {
    let (Some(cluster), Some(engine)) = (Cluster::from_env(), Engine::from_env()) else { return };
    let lab = Lab::new();
    lab.plan(&slow_image(&engine));
    // Nobody watches, so nobody tries it again and tidies up before that.
    let (child, run, node) = started(&lab, &cluster, &["--detach"]);
    assert_eq!(code(&output(child)), 0);
    let label = containers(&engine, &run);
    cluster.processes(&node).into_iter().for_each(|pid| kill("KILL", pid));
    wait_until("no container of it is left", || engine.containers(&label).is_empty());
    wait_until("Slurm has no task of it any more", || {
        stdout(&lab.bench(&["status", run.to_str().unwrap()])).contains("1 vanished")
    });
}
