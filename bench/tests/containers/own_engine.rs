//! An engine that a test may kill. It has a network and mounts of its own, so it disturbs no
//! other one, and what it made there goes with them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use crate::{
    reading::{child_of, namespace},
    support::{engine::Engine, processes_with, wait_until},
};

pub(crate) struct OwnEngine {
    folder: tempfile::TempDir,
    /// Holds the network and the mounts, whether the engine runs or not.
    holder: Child,
    daemon: Option<Child>,
}

impl OwnEngine {
    pub(crate) fn start() -> Self {
        let mut holder = Command::new("unshare");
        let holder = holder.args(["--net", "--mount", "sleep", "infinity"]).spawn().unwrap();
        let mut own = OwnEngine { folder: tempfile::tempdir().unwrap(), holder, daemon: None };
        let held = own.holder.id();
        wait_until("it has a network and mounts of its own", || {
            ["net", "mnt"].iter().all(|kind| namespace(held, kind) != namespace(std::process::id(), kind))
        });
        own.begin();
        own
    }

    /// Starts it, again after it was killed.
    pub(crate) fn begin(&mut self) {
        let path = |name: &str| self.folder.path().join(name);
        // It believes the numbers in these, also those of the dead that nobody has buried.
        for stale in ["own.pid", "exec/containerd/containerd.pid"] {
            let _ = fs::remove_file(path(stale));
        }
        let log = fs::File::options().create(true).append(true).open(path("log")).unwrap();
        let daemon = Command::new("nsenter")
            .args(["--target", &self.holder.id().to_string(), "--net", "--mount", "dockerd", "--host", &self.host()])
            .args([&"--data-root".into(), &path("data"), &"--exec-root".into(), &path("exec")])
            .args([&"--pidfile".into(), &path("own.pid")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let pid = daemon.id();
        self.daemon = Some(daemon);
        wait_until("the engine answers", || {
            // One that has ended is there for its parent alone, without its program.
            assert!(Path::new(&format!("/proc/{pid}/exe")).exists(), "{}", fs::read_to_string(path("log")).unwrap());
            self.docker(&["version"]).status.success()
        });
    }

    /// Kills it with its own helper, as a crash does; containers are left to whoever comes.
    pub(crate) fn kill(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        let helper = fs::read_to_string(self.folder.path().join("exec/containerd/containerd.pid")).unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        assert!(Command::new("kill").args(["-s", "KILL", helper.trim()]).status().unwrap().success());
        wait_until("its helper has gone", || !Path::new("/proc").join(helper.trim()).join("exe").exists());
    }

    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    pub(crate) fn docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker").env("DOCKER_HOST", self.host()).args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Containers that it has, running or not.
    pub(crate) fn containers(&self) -> Vec<String> {
        let output = self.docker(&["ps", "--all", "--quiet", "--no-trunc"]);
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// An image of another engine in a file.
    pub(crate) fn image(&self, engine: &Engine, image: &str) -> PathBuf {
        let path = self.folder.path().join("image.tar");
        let id = engine.docker(&["image", "inspect", "--format", "{{.Id}}", &engine.image(image)]);
        engine.docker(&["save", "--output", path.to_str().unwrap(), &id]);
        path
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            // It ends its containers and its helper itself.
            let _ = Command::new("kill").arg(daemon.id().to_string()).status();
            let _ = daemon.wait();
        }
        // A test that failed may have left a container without any engine.
        let folder = self.folder.path().display().to_string();
        for found in processes_with(&folder).iter().filter(|found| found.contains("containerd-shim")) {
            let shim = found.split(' ').next().unwrap_or_default().to_owned();
            let killed = std::iter::successors(Some(shim), |parent| Some(child_of(parent.parse().ok()?)?.to_string()));
            for pid in killed.collect::<Vec<_>>().iter().rev() {
                let _ = Command::new("kill").args(["-s", "KILL", pid]).status();
            }
        }
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
