use std::{
    io::{BufRead, BufReader},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use lab::Kind;
use runner::gpu::{
    lease::{Lease, lease},
    nvml::{Library, VARIABLE},
};

use crate::nvml::{Stub, uuid};

fn numbers(lease: &Lease) -> Vec<u32> {
    lease.gpus.iter().map(|gpu| gpu.index).collect()
}

const FOLDER: &str = "TEST_LEASE_FOLDER";
const COUNT: &str = "TEST_LEASE_COUNT";
const SAYS: &str = "leased ";

/// The other process of these tests: leases as it is told, says what, and holds it until its
/// input ends.
#[test]
fn another_process() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let count = std::env::var(COUNT).unwrap().parse().unwrap();
    let held = lease(&Library::open(None).unwrap(), count, None, &folder);
    println!("\n{SAYS}{:?}", held.as_ref().map(numbers).map_err(|e| e.what.clone()));
    std::io::stdin().lines().for_each(drop);
}

struct Other(Child, String);

impl Other {
    fn leases(stub: &Stub, count: u32, folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--nocapture", "lease::another_process"]);
        command.env(VARIABLE, stub.path()).env(FOLDER, folder).env(COUNT, count.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let says = lines.find_map(|line| line.strip_prefix(SAYS).map(str::to_owned)).unwrap();
        Other(child, says)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn two_processes_never_share_a_gpu_and_a_killed_one_gives_its_own_back() {
    let (stub, folder) = (Stub::new("gpus 3\n"), tempfile::tempdir().unwrap());
    let library = stub.library();
    let own = lease(&library, 1, None, folder.path()).unwrap();
    assert_eq!((numbers(&own), own.gpus[0].uuid.clone(), own.gpus[0].minor), (vec![0], uuid(0), Some(0)));
    let other = Other::leases(&stub, 2, folder.path());
    assert_eq!(other.1, "Ok([1, 2])");
    let refused = lease(&library, 1, None, folder.path()).unwrap_err();
    assert_eq!(refused.kind, Kind::Machine);
    assert!(refused.what.contains("1 GPUs are needed, 0 are free") && refused.what.contains(&uuid(2)), "{refused}");
    other.kill();
    let both = lease(&library, 2, None, folder.path()).unwrap();
    assert_eq!(numbers(&both), [1, 2]);
    drop(own);
    assert_eq!(numbers(&lease(&library, 1, None, folder.path()).unwrap()), [0]);
}

#[test]
fn many_that_choose_at_once_get_what_there_is() {
    let (stub, folder) = (Stub::new("gpus 8\n"), tempfile::tempdir().unwrap());
    let others: Vec<Other> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| Other::leases(&stub, 2, folder.path()));
        let all: Vec<_> = (0..5).map(|_| one()).collect();
        all.into_iter().map(|other| other.join().unwrap()).collect()
    });
    let mut says: Vec<&str> = others.iter().map(|other| other.1.as_str()).collect();
    says.sort_unstable();
    assert_eq!(says[1..], ["Ok([0, 1])", "Ok([2, 3])", "Ok([4, 5])", "Ok([6, 7])"]);
    assert!(says[0].starts_with("Err(\"2 GPUs are needed, 0 are free"), "{says:?}");
    others.into_iter().for_each(Other::kill);
}

#[test]
fn a_lock_of_another_user_counts_and_so_does_ours_for_them() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let (stub, folder) = (Stub::new("gpus 2\n"), tempfile::tempdir().unwrap());
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    let as_nobody = |lock: &Path, run: &str| {
        let mut flock = Command::new("flock");
        flock.arg("-n").arg(lock).args(["sh", "-c", run]).uid(65_534).gid(65_534).stdin(Stdio::piped());
        flock
    };
    let lock = |n| folder.path().join(format!("bench-{}.lock", uuid(n)));
    // Nobody makes the first lock and holds it; the second one is made by us.
    let mut other = as_nobody(&lock(0), "echo held; cat").stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(other.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    assert_eq!(lock(0).metadata().unwrap().uid(), 65_534);
    let own = lease(&stub.library(), 1, None, folder.path()).unwrap();
    assert_eq!(numbers(&own), [1]);
    assert!(!as_nobody(&lock(1), "true").status().unwrap().success());
    drop(own);
    assert!(as_nobody(&lock(1), "true").status().unwrap().success());
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn gpus_of_one_node_are_leased_together() {
    let (stub, folder, system) = (Stub::new("gpus 4\n"), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (bus, node) in [("3b", 0), ("3c", 1), ("3d", 1), ("3e", 1)] {
        let device = system.path().join(format!("sys/bus/pci/devices/0000:{bus}:00.0"));
        std::fs::create_dir_all(&device).unwrap();
        std::fs::write(device.join("numa_node"), node.to_string()).unwrap();
    }
    let lease = lease(&stub.library().below(system.path()), 2, None, folder.path()).unwrap();
    assert_eq!(numbers(&lease), [1, 2]);
    assert_eq!((lease.gpus[0].node, lease.gpus[0].pci.as_deref()), (Some(1), Some("0000:3c:00.0")));
}

#[test]
fn of_a_job_on_a_cluster_only_its_own_gpus_are_leased() {
    let (stub, folder) = (Stub::new("gpus 4\n"), tempfile::tempdir().unwrap());
    let given = [2, 3].into();
    assert_eq!(numbers(&lease(&stub.library(), 2, Some(&given), folder.path()).unwrap()), [2, 3]);
    let refused = lease(&stub.library(), 3, Some(&given), folder.path()).unwrap_err();
    assert_eq!(refused.what, "3 GPUs are needed, this job has 2");
}

#[test]
fn what_cannot_be_measured_on_is_refused_with_what_to_do() {
    let problem = |script: &str, count: u32| {
        let (stub, folder) = (Stub::new(script), tempfile::tempdir().unwrap());
        let problem = lease(&stub.library(), count, None, folder.path()).unwrap_err();
        assert_eq!(problem.kind, Kind::Machine);
        assert!(problem.next.is_some());
        problem.to_string()
    };
    let busy = "gpus 2\ngpu 1 process 4242 1\n";
    let (stub, folder) = (Stub::new(busy), tempfile::tempdir().unwrap());
    assert_eq!(numbers(&lease(&stub.library(), 1, None, folder.path()).unwrap()), [0], "the other GPU is nobody's");
    let text = problem(busy, 2);
    assert!(text.starts_with(&format!("{}: process 4242 runs on this GPU already", uuid(1))), "{text}");
    assert!(problem("gpus 1\nprocess 7 1\nprocess 8 1\n", 1).contains("processes 7, 8 run on this GPU already"));
    assert!(problem("gpus 1\nmig 1\n", 1).contains(&format!("nvidia-smi -i {} -mig 0", uuid(0))));
    assert!(problem("gpus 1\nmode 2\n", 1).contains("-c DEFAULT"));
    assert!(problem("gpus 1\nfail nvmlDeviceGetComputeRunningProcesses_v3 3\n", 1).contains("cannot be read"));
    assert!(problem("gpus 2\n", 3).starts_with("3 GPUs are needed, this machine has 2"));
    assert!(problem("gpus 0\n", 1).starts_with("1 GPUs are needed, this machine has none"));
}

#[test]
fn a_refused_lease_holds_nothing() {
    let (stub, folder) = (Stub::new("gpus 2\ngpu 1 mig 1\n"), tempfile::tempdir().unwrap());
    lease(&stub.library(), 2, None, folder.path()).unwrap_err();
    assert_eq!(numbers(&lease(&stub.library(), 1, None, folder.path()).unwrap()), [0]);
}
