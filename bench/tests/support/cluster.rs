//! The Slurm cluster that `scripts/slurm` started: its nodes are all this machine. Tests that need
//! it say so and pass where there is none.

use std::{
    env, fs,
    io::Write,
    path::PathBuf,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::wait_until;

/// A cluster, for one test at a time: some of them take its nodes away.
pub struct Cluster {
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl Cluster {
    /// The cluster that the environment names; without one, the test says that it is skipped;
    /// where the variable is there and empty, whoever set it knows.
    pub fn from_env() -> Option<Self> {
        let Ok(folder) = env::var("BENCH_SLURM") else {
            // Past the test harness, which shows nothing of a test that passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED: no cluster: eval \"$(scripts/slurm start DIR)\"");
            return None;
        };
        if folder.is_empty() {
            return None;
        }
        let cluster = Cluster { folder: folder.into(), _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner) };
        wait_until("all nodes are idle", || cluster.slurm("sinfo", &["-h", "-t", "idle", "-o", "%D"]).trim() == "3");
        Some(cluster)
    }

    /// Runs one of Slurm's commands, and returns what it printed; nothing where it failed.
    pub fn slurm(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).output().unwrap();
        if output.status.success() { String::from_utf8_lossy(&output.stdout).into_owned() } else { String::new() }
    }

    /// The node of each running task of jobs with this name.
    pub fn running(&self, name: &str) -> Vec<String> {
        let nodes = self.slurm("squeue", &["-h", "-t", "running", "-n", name, "-o", "%N"]);
        nodes.lines().map(str::to_owned).collect()
    }

    /// Processes that the tasks of a node started.
    pub fn processes(&self, node: &str) -> Vec<i32> {
        let own = format!("SLURMD_NODENAME={node}");
        let conf = format!("SLURM_CONF={}", self.folder.join("slurm.conf").display());
        let of_node = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mut has = [&own, &conf].into_iter().map(|v| environment.split(|b| *b == 0).any(|e| e == v.as_bytes()));
            has.all(|has| has)
        };
        let all = fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(of_node).collect()
    }

    /// Stops the daemon of a node, and those that lead its tasks: what tasks started goes on.
    pub fn kill_daemons(&self, node: &str) {
        let pid = fs::read_to_string(self.folder.join(format!("{node}.pid"))).unwrap();
        kill("KILL", pid.trim().parse().unwrap());
        for job in self.slurm("squeue", &["-h", "-t", "running", "-w", node, "-o", "%A"]).lines() {
            let leaders = Command::new("pgrep").args(["-f", &format!("^slurmstepd: \\[{job}\\.")]).output().unwrap();
            for pid in String::from_utf8_lossy(&leaders.stdout).lines() {
                kill("KILL", pid.parse().unwrap());
            }
        }
    }

    /// A node without power.
    pub fn kill_node(&self, node: &str) {
        self.kill_daemons(node);
        self.processes(node).into_iter().for_each(|pid| kill("KILL", pid));
    }

    /// Starts a node's daemon, or the controller, again.
    pub fn start(&self, name: &str) {
        let log = fs::File::create(self.folder.join(format!("{name}.out"))).unwrap();
        let mut command = match name {
            "slurmctld" => Command::new("slurmctld"),
            node => {
                let mut command = Command::new("slurmd");
                command.args(["-N", node]);
                command
            }
        };
        let child = command.arg("-D").stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        fs::write(self.folder.join(format!("{name}.pid")), format!("{}\n", child.id())).unwrap();
        // It is nobody's child once this process is gone.
        std::thread::spawn(move || child.wait_with_output());
    }

    /// Ends the controller.
    pub fn end_controller(&self) {
        let pid = fs::read_to_string(self.folder.join("slurmctld.pid")).unwrap();
        kill("TERM", pid.trim().parse().unwrap());
        wait_until("the controller is gone", || self.slurm("scontrol", &["ping"]).is_empty());
    }
}

/// Sends a signal to a process, which may have gone.
pub fn kill(signal: &str, pid: i32) {
    Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).output().unwrap();
}
