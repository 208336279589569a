//! The container engine: whether it answers, what it is, and what it would spoil.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use lab::environment;
use tokio::net::UnixStream;

use super::Finding;
use crate::{cores, docker::engine::Engine};

pub(super) const SUBJECT: &str = "container engine";
/// Until an engine has to have said all that is asked.
const ANSWER: Duration = Duration::from_secs(5);
const WITHOUT: &str = "servers can be commands and endpoints, not images";

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// What bundles keep.
    pub facts: environment::Engine,
    /// Whether containers outlive it.
    pub live_restore: bool,
    /// The folder of images and containers.
    pub folder: Option<PathBuf>,
    /// Folders of device descriptions; empty where it has that switched off.
    pub devices: Vec<PathBuf>,
    /// Names of runtimes.
    pub runtimes: Vec<String>,
    /// Containers that run now.
    pub running: i64,
    /// What it complains about itself.
    pub warnings: Vec<String>,
}

/// Asks the engine at `place`, the value of `DOCKER_HOST` or the usual socket.
pub(super) async fn ask(place: &str) -> Result<Said, Finding> {
    let Some(socket) = place.strip_prefix("unix://") else {
        return Err(Finding::absent(SUBJECT, format!("DOCKER_HOST is {place}, not a socket of this host"), WITHOUT)
            .next("servers are measured beside their client: `unset DOCKER_HOST`, or set it to unix:// and a socket"));
    };
    match tokio::time::timeout(ANSWER, UnixStream::connect(socket)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(unreachable(socket, error.kind())),
        Err(_) => return Err(hangs(socket)),
    }
    let engine = match tokio::time::timeout(ANSWER, Engine::connect()).await {
        Ok(Ok(engine)) => engine,
        Ok(Err(problem)) => {
            return Err(Finding::spoils(SUBJECT, format!("{socket}: {}", problem.what), WITHOUT).next(LOOK));
        }
        Err(_) => return Err(hangs(socket)),
    };
    let info = engine.info;
    let list = |paths: Option<Vec<String>>| paths.into_iter().flatten().map(PathBuf::from).collect();
    let mut runtimes: Vec<String> = info.runtimes.into_iter().flat_map(|runtimes| runtimes.into_keys()).collect();
    runtimes.sort();
    Ok(Said {
        facts: engine.facts,
        live_restore: info.live_restore_enabled.unwrap_or(false),
        folder: info.docker_root_dir.map(PathBuf::from),
        devices: list(info.cdi_spec_dirs),
        runtimes,
        running: info.containers_running.unwrap_or(0),
        warnings: info.warnings.unwrap_or_default(),
    })
}

const LOOK: &str = "look why: `sudo journalctl -u docker -n 50`, then `sudo systemctl restart docker`";

fn unreachable(socket: &str, why: std::io::ErrorKind) -> Finding {
    match why {
        std::io::ErrorKind::PermissionDenied => {
            Finding::absent(SUBJECT, format!("this user may not use {socket}"), WITHOUT)
                .next("`sudo usermod -aG docker $USER` and log in again; it makes this user as mighty as root")
        }
        std::io::ErrorKind::NotFound => Finding::absent(SUBJECT, format!("none: there is no {socket}"), WITHOUT)
            .next("`sudo systemctl start docker`, or set DOCKER_HOST to the socket of one that runs"),
        _ => Finding::absent(SUBJECT, format!("none listens at {socket}"), WITHOUT)
            .next("`sudo systemctl start docker`, or set DOCKER_HOST to the socket of one that runs"),
    }
}

fn hangs(socket: &str) -> Finding {
    let found = format!("{socket} takes connections and gives no answer within {} s", ANSWER.as_secs());
    Finding::spoils(SUBJECT, found, WITHOUT).next(LOOK)
}

/// What it is, how it confines, what else it runs, and where.
pub(super) fn findings(said: &Said, root: &Path, cores: u32) -> Vec<Finding> {
    let mut found = vec![itself(said), confinement(said)];
    if said.running > 0 {
        let what = format!("{} run on this engine", said.running);
        let means = "they take cores, memory and bandwidth whenever they want";
        found.push(Finding::note("containers", what, means).next("`docker ps`, and stop what is not needed"));
    }
    found.extend(own_cores(cores::engine_cores(root), cores));
    found
}

fn itself(said: &Said) -> Finding {
    let engine = &said.facts;
    let unknown = || "unknown".to_owned();
    let mut found = format!(
        "{}, API {}, storage {}, cgroup {}, runtime {}",
        engine.version,
        engine.api,
        engine.storage.clone().unwrap_or_else(unknown),
        engine.cgroup.clone().unwrap_or_else(unknown),
        engine.runtime.clone().unwrap_or_else(unknown),
    );
    if said.live_restore {
        found += ", live-restore";
    }
    if engine.security.iter().any(|option| option == "rootless") {
        return Finding::spoils(
            SUBJECT,
            format!("rootless: {found}"),
            "requests would pass a proxy in user space, and limits of memory and cores may not hold",
        )
        .next("use the engine of the system: `export DOCKER_HOST=unix:///var/run/docker.sock`");
    }
    if let Some(first) = said.warnings.first() {
        let found = format!("{found}; it says: {first}");
        return Finding::note(SUBJECT, found, "a limit that the engine cannot set is refused, never left out")
            .next("`docker info` shows all its warnings");
    }
    let means = if said.live_restore {
        "servers can be images, and outlive a restart of the engine"
    } else {
        "servers can be images; a restart of the engine ends the trial that runs"
    };
    Finding::good(SUBJECT, found, means)
}

fn confinement(said: &Said) -> Finding {
    const SUBJECT: &str = "confinement";
    let has = |name: &str| said.facts.security.iter().any(|option| option == name);
    let listed = if said.facts.security.is_empty() { "nothing".to_owned() } else { said.facts.security.join(", ") };
    if !has("seccomp") {
        return Finding::note(SUBJECT, listed, "containers may make any system call: one wall less against strangers")
            .next("a kernel with CONFIG_SECCOMP_FILTER, and no `seccomp-profile: unconfined` in daemon.json");
    }
    if !has("apparmor") && !has("selinux") {
        let means = "system calls are filtered; no AppArmor or SELinux stands behind that";
        return Finding::note(SUBJECT, listed, means).next("for strangers' images: a host with AppArmor or SELinux");
    }
    Finding::good(SUBJECT, listed, "strangers' images are confined by more than one wall")
}

/// Fewer cores cannot be divided anyway.
const DIVISIBLE: u32 = 4;

fn own_cores(engine: Option<Vec<u32>>, cores: u32) -> Option<Finding> {
    let engine = engine?;
    let found = format!("its processes may run on {}", cores::written(&engine));
    Some(if cores >= DIVISIBLE && engine.len() as u32 >= cores {
        Finding::note("engine's cores", found, "its work may interrupt the server and the client")
            .next("`sudo systemctl set-property --runtime docker.service AllowedCPUs=0` (and containerd.service)")
    } else {
        Finding::good("engine's cores", found, "recorded with every run")
    })
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::doctor::Level;

    fn said(security: &[&str]) -> Said {
        Said {
            facts: environment::Engine {
                version: "28.5.1".into(),
                api: "1.51".into(),
                storage: Some("overlay2".into()),
                cgroup: Some("2".into()),
                runtime: Some("runc".into()),
                security: security.iter().map(|s| (*s).to_owned()).collect(),
                cores: None,
            },
            live_restore: false,
            folder: None,
            devices: Vec::new(),
            runtimes: vec!["runc".into()],
            running: 0,
            warnings: Vec::new(),
        }
    }

    fn levels(said: &Said) -> Vec<(String, Level)> {
        findings(said, Path::new("/nowhere"), 8).into_iter().map(|f| (f.subject, f.level)).collect()
    }

    #[test]
    fn an_engine_that_confines_is_good() {
        let said = said(&["seccomp", "apparmor"]);
        assert_eq!(levels(&said), [(SUBJECT.into(), Level::Good), ("confinement".into(), Level::Good)]);
        assert_eq!(itself(&said).found, "28.5.1, API 1.51, storage overlay2, cgroup 2, runtime runc");
    }

    #[test]
    fn live_restore_is_said() {
        let said = Said { live_restore: true, ..said(&["seccomp"]) };
        assert!(itself(&said).found.ends_with("live-restore"));
        assert!(itself(&said).means.contains("outlive a restart"));
    }

    #[test]
    fn missing_walls_complaints_and_other_containers_are_notes() {
        let said = Said { running: 2, warnings: vec!["No swap limit support".into()], ..said(&[]) };
        let notes = [SUBJECT, "confinement", "containers"].map(|subject| (subject.to_owned(), Level::Note));
        assert_eq!(levels(&said), notes);
        assert_eq!(confinement(&self::said(&["seccomp"])).level, Level::Note);
    }

    #[test]
    fn a_rootless_engine_spoils() {
        let finding = itself(&said(&["seccomp", "rootless"]));
        assert_eq!(finding.level, Level::Spoils);
        assert!(finding.next.unwrap().contains("export DOCKER_HOST=unix:///var/run/docker.sock"));
    }

    #[test]
    fn an_engine_on_every_core_of_a_large_host_is_a_note() {
        let level = |engine: &[u32], cores| own_cores(Some(engine.to_vec()), cores).unwrap().level;
        assert_eq!(level(&[0, 1, 2, 3], 4), Level::Note);
        assert_eq!(level(&[0], 4), Level::Good);
        assert_eq!(level(&[0, 1], 2), Level::Good);
        assert_eq!(own_cores(None, 4), None);
    }

    #[test]
    fn each_way_to_have_no_engine_has_its_next_step() {
        for (why, next) in [
            (ErrorKind::PermissionDenied, "usermod -aG docker"),
            (ErrorKind::NotFound, "systemctl start docker"),
            (ErrorKind::ConnectionRefused, "systemctl start docker"),
        ] {
            let finding = unreachable("/run/x.sock", why);
            assert_eq!(finding.level, Level::Absent);
            assert!(finding.next.unwrap().contains(next));
        }
        assert_eq!(hangs("/run/x.sock").level, Level::Spoils);
    }

    #[tokio::test]
    async fn an_engine_of_another_host_is_not_asked() {
        let finding = ask("tcp://example.invalid:2375").await.unwrap_err();
        assert_eq!(finding.level, Level::Absent);
        assert!(finding.next.unwrap().contains("unset DOCKER_HOST"));
    }
}
