//! A running container as the engine's own client and the kernel show it, read without any
//! code of ours.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, process::Output};

use serde_json::Value;

use crate::support::engine::Engine;

/// A running container.
pub(crate) struct Container {
    pub(crate) id: String,
    /// All that `docker inspect` says.
    pub(crate) said: Value,
    /// Its first process.
    pub(crate) init: u32,
    /// The server.
    pub(crate) server: u32,
}

/// A line of `mountinfo`: where, of what kind, and all options of the mount and of what is
/// mounted.
#[derive(Debug)]
pub(crate) struct Mount {
    pub(crate) kind: String,
    pub(crate) options: Vec<String>,
}

impl Container {
    /// None unless its server runs.
    pub(crate) fn read(engine: &Engine, id: &str) -> Option<Self> {
        Self::said_by(&engine.try_docker(&["inspect", id]), id)
    }

    /// None unless its server runs, by what `docker inspect` printed.
    pub(crate) fn said_by(output: &Output, id: &str) -> Option<Self> {
        let mut said: Value = serde_json::from_slice(&output.stdout).ok()?;
        let said = said.get_mut(0)?.take();
        let init = u32::try_from(said["State"]["Pid"].as_u64()?).ok().filter(|pid| *pid > 0)?;
        let runs = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"/stub\0"));
        // Itself, or the child of an init, which forks before it becomes the server.
        let server = Some(init).filter(runs).or_else(|| child_of(init).filter(runs))?;
        Some(Container { id: id.to_owned(), said, init, server })
    }

    /// A value by the keys that lead to it.
    pub(crate) fn says(&self, path: &str) -> &Value {
        self.said.pointer(path).unwrap_or(&Value::Null)
    }

    pub(crate) fn status(&self, field: &str) -> String {
        process_status(self.server, field).unwrap()
    }

    /// Everything that the server sees mounted, by path; of two at one path the upper one.
    pub(crate) fn mounts(&self) -> BTreeMap<String, Mount> {
        let table = fs::read_to_string(format!("/proc/{}/mountinfo", self.server)).unwrap();
        let read = |line: &str| {
            let (mount, of) = line.split_once(" - ").unwrap();
            let (kind, of) = of.split_once(' ').unwrap();
            let mut mount = mount.split(' ').skip(4);
            let path = mount.next().unwrap().to_owned();
            let options = [mount.next().unwrap(), of.rsplit(' ').next().unwrap()];
            // Options of what is mounted hold where those of the mount do not say otherwise.
            let own = options[0].split(',').map(str::to_owned);
            let of = options[1].split(',').filter(|option| !matches!(*option, "ro" | "rw")).map(str::to_owned);
            (path, Mount { kind: kind.to_owned(), options: own.chain(of).collect() })
        };
        table.lines().map(read).collect()
    }

    /// What is mounted at a path.
    pub(crate) fn mount(&self, path: &str) -> Mount {
        self.mounts().remove(path).unwrap_or_else(|| panic!("nothing is mounted at {path}"))
    }

    /// A limit of its control group, whichever version this host has.
    pub(crate) fn limit(&self, controller: &str, v1: &str, v2: &str) -> String {
        let groups = fs::read_to_string(format!("/proc/{}/cgroup", self.server)).unwrap();
        let own = |wanted: &str| {
            groups.lines().find_map(|line| {
                let (of, path) = line.split_once(':')?.1.split_once(':')?;
                (of.split(',').any(|c| c == wanted)).then(|| path.to_owned())
            })
        };
        let file = match own(controller) {
            Some(path) => format!("/sys/fs/cgroup/{controller}{path}/{v1}"),
            None => format!("/sys/fs/cgroup{}/{v2}", own("").unwrap()),
        };
        fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}")).trim().to_owned()
    }

    pub(crate) fn namespace(&self, kind: &str) -> u64 {
        namespace(self.server, kind)
    }

    /// A path of the server's own tree, for whoever may look there.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("/proc/{}/root{path}", self.server)
    }

    /// Connections that clients have to it.
    pub(crate) fn connections(&self) -> usize {
        self.sockets("01")
    }

    /// Whether it listens.
    pub(crate) fn listens(&self) -> bool {
        self.sockets("0A") > 0
    }

    /// Sockets of port 8000 in a state, as the kernel numbers those.
    fn sockets(&self, state: &str) -> usize {
        let table = fs::read_to_string(format!("/proc/{}/net/tcp", self.server)).unwrap_or_default();
        let counts = |line: &&str| {
            let mut fields = line.split_whitespace();
            fields.nth(1).is_some_and(|own| own.ends_with(":1F40")) && fields.nth(1) == Some(state)
        };
        table.lines().filter(counts).count()
    }

    /// Network interfaces that the server sees.
    pub(crate) fn interfaces(&self) -> Vec<String> {
        let table = fs::read_to_string(format!("/proc/{}/net/dev", self.server)).unwrap();
        table.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
    }
}

impl Mount {
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|o| o == option)
    }
}

/// A line of `/proc/PID/status`.
pub(crate) fn process_status(pid: u32, field: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(':')?.trim().to_owned()))
}

/// The number of a process's namespace.
pub(crate) fn namespace(pid: u32, kind: &str) -> u64 {
    fs::metadata(format!("/proc/{pid}/ns/{kind}")).unwrap().ino()
}

/// A process's only child.
pub(crate) fn child_of(parent: u32) -> Option<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.into_iter().find(|pid| process_status(*pid, "PPid").as_deref() == Some(&parent.to_string()))
}
