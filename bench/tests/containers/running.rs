//! A run under way, and what the host shows of it.

use std::{
    cell::RefCell,
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use crate::{
    reading::{Container, process_status},
    support::{Lab, Workload, engine::Engine, stderr, wait_for, wait_until},
};

/// Answers the warm-up and then no more.
pub(crate) const STALLS: &str = "--ttft 2ms --itl 200us --mode stall --mode-after 1";

/// A workload whose servers may be looked at for long.
pub(crate) fn patient(mut workload: Workload) -> Workload {
    workload.limits = workload.limits.replace("ready = \"10s\"", "ready = \"90s\"").replace("\"5s\"", "\"90s\"");
    workload.limits = workload.limits.replace("phase = \"30s\"", "phase = \"90s\"");
    workload
}

/// A running `bench`; a test that fails does not leave it.
pub(crate) struct Run<'a> {
    pub(crate) lab: &'a Lab,
    child: RefCell<Option<Child>>,
}

impl<'a> Run<'a> {
    pub(crate) fn start(lab: &'a Lab, workload: &Workload) -> Self {
        lab.plan(workload);
        Self::of(lab, &mut lab.command(&["run", "x.toml"]))
    }

    pub(crate) fn of(lab: &'a Lab, command: &mut Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        Run { lab, child: RefCell::new(Some(child)) }
    }

    /// Waits for its container that is not one of `known`.
    pub(crate) fn container(&self, engine: &Engine, known: &[&Container]) -> Container {
        wait_for("a container runs", || {
            self.assert_running();
            let running = of_run(engine, self.lab, &["--filter", "status=running"]);
            let new = running.into_iter().find(|id| known.iter().all(|container| container.id != *id));
            new.and_then(|id| Container::read(engine, &id))
        })
    }

    /// Waits for its driver.
    pub(crate) fn driver(&self) -> u32 {
        wait_for("a driver runs", || drivers(self.lab).first().copied())
    }

    /// Waits until a load of two clients is under way, beside the connection that asks for
    /// its health; the warm-up is over in a moment.
    pub(crate) fn load(&self, container: &Container) {
        wait_until("a load is under way", || container.connections() > 2);
    }

    fn assert_running(&self) {
        let mut child = self.child.borrow_mut();
        if child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some()) {
            panic!("it has ended: {}", stderr(&child.take().unwrap().wait_with_output().unwrap()));
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.borrow().as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) fn end(self) -> Output {
        let child = self.child.take();
        child.unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Containers of the lab's runs, by id.
pub(crate) fn of_run(engine: &Engine, lab: &Lab, filters: &[&str]) -> Vec<String> {
    let runs = lab.runs();
    let names = runs.iter().map(|run| run.file_name().unwrap().to_string_lossy());
    let labels: Vec<String> = names.map(|name| format!("label=bench.run={name}")).collect();
    let list = |label: &String| {
        let all = ["ps", "--all", "--quiet", "--no-trunc", "--filter", label];
        engine.docker(&[&all, filters].concat())
    };
    labels.iter().map(list).flat_map(|list| list.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Drivers that write into one of the lab's runs.
pub(crate) fn drivers(lab: &Lab) -> Vec<u32> {
    let root = lab.folder.path().canonicalize().unwrap();
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let drives = |pid: &u32| {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let line = fs::read(folder.join("cmdline")).unwrap_or_default();
        let works_here = fs::read_link(folder.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&root));
        // One that is about to drive still has its starter's privileges.
        line.ends_with(b"\0drive\0") && works_here && process_status(*pid, "NoNewPrivs").as_deref() == Some("1")
    };
    pids.filter(drives).collect()
}

/// Nothing of the lab's runs is left: containers, networks, drivers.
pub(crate) fn assert_nothing_left(engine: &Engine, lab: &Lab) {
    assert_eq!(of_run(engine, lab, &[]), [""; 0], "containers");
    for run in lab.runs() {
        let label = format!("label=bench.run={}", run.file_name().unwrap().to_string_lossy());
        assert_eq!(engine.docker(&["network", "ls", "--quiet", "--filter", &label]), "", "networks");
    }
    assert_eq!(drivers(lab), [0; 0], "drivers");
}
