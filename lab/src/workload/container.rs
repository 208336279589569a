//! What containers may and may not do, the same for all arms.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::check::Check;
use crate::{Bytes, Digest, Result, image::Image};

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A registry, by manifest digest.
    Registry(Image),
    /// A file that `docker save` made, or an OCI layout in a tar file.
    Archive {
        /// Relative paths are resolved from the workload file's folder.
        path: PathBuf,
        /// SHA-256 of the file.
        digest: Digest,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Registry(image) => image.fmt(f),
            Source::Archive { path, digest } => {
                write!(f, "{}@{digest}", path.file_name().unwrap_or_default().to_string_lossy())
            }
        }
    }
}

/// Folders of the host that a container sees read-only: the path inside, and the host's.
pub type Binds = BTreeMap<String, PathBuf>;

/// `[container]`: the contract of every container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Container {
    /// What it is confined by.
    pub profile: Profile,
    /// Where a server listens, inside.
    pub port: u16,
    /// Most memory, swap included; three quarters of the host's where none is declared.
    pub memory: Option<Bytes>,
    /// Most processes and threads.
    pub pids: u32,
    /// Size of `/dev/shm`.
    pub shm: Bytes,
    /// Size of each of the two folders that a server may write: `/tmp` and its home.
    pub scratch: Bytes,
    /// The server's cores; chosen by the host's topology where none are declared.
    pub cores: Vec<u32>,
    /// How GPUs are handed over.
    pub gpu: GpuAccess,
    /// Folders of the host that every container sees read-only (profile `host-binds`).
    pub binds: Binds,
    /// Whether the host forgets, before each trial, which parts of files it has in memory: by
    /// them a server could tell its next one what it knows.
    pub cold: bool,
}

impl Default for Container {
    fn default() -> Self {
        Container {
            profile: Profile::Strict,
            port: 8000,
            memory: None,
            pids: 4096,
            shm: Bytes(8 << 30),
            scratch: Bytes(8 << 30),
            cores: Vec::new(),
            gpu: GpuAccess::Toolkit,
            binds: Binds::new(),
            cold: true,
        }
    }
}

/// What a container is confined by; `runner/README.md` lists it point by point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// No network but its own loopback, which the client enters; read-only root; no
    /// capability; no new privileges.
    #[default]
    Strict,
    /// What engines inside of containers allow: a network of its own that leads nowhere,
    /// whose address the client connects to; a writable root; the engine's capabilities.
    DockerInDocker,
    /// As strict, for a thin image that sees folders of the host read-only.
    HostBinds,
}

impl Profile {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Strict => "strict",
            Profile::DockerInDocker => "docker-in-docker",
            Profile::HostBinds => "host-binds",
        }
    }

    /// Whether the client enters the container's network.
    pub fn inside(self) -> bool {
        self != Profile::DockerInDocker
    }
}

/// How GPUs are handed to a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpuAccess {
    /// By the vendor's toolkit, as `docker run --gpus` does.
    #[default]
    Toolkit,
    /// By the container device interface.
    Cdi,
    /// Device files and the driver's libraries, for hosts without the toolkit.
    Devices,
}

impl Check<'_> {
    pub(super) fn container(&self, container: Container) -> Result<Container> {
        self.in_range("container.port", u32::from(container.port), 1..=65_535)?;
        self.in_range("container.pids", container.pids, 16..=1 << 22)?;
        let least =
            [("memory", container.memory.unwrap_or(LEAST)), ("scratch", container.scratch), ("shm", container.shm)];
        for (field, size) in least {
            let enough = if field == "memory" { LEAST } else { Bytes(64 << 10) };
            if size < enough {
                let what = format!("{size} is less than {enough}");
                return Err(self.wrong(&format!("container.{field}"), &what, "write a larger size"));
            }
        }
        let binds = self.below(container.binds);
        self.binds("container.binds", &binds, container.profile)?;
        Ok(Container { binds, ..container })
    }

    /// The host's side of binds, from the workload file's folder.
    pub(super) fn below(&self, binds: Binds) -> Binds {
        binds.into_iter().map(|(inside, path)| (inside, self.folder.join(path))).collect()
    }
}

/// No engine starts a container with less memory.
const LEAST: Bytes = Bytes(8 << 20);
