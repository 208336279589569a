//! A server's container: what it was allowed, as the engine says, and how it ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, workload::Profile};

/// The container of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The engine's name for it.
    pub id: String,
    /// The engine's name for its image.
    pub image: Digest,
    /// The profile that was asked for.
    pub profile: Profile,
    /// Where the client was.
    pub client: Client,
    /// Whether the host's cache of files was emptied before it.
    #[serde(default)]
    pub cold: bool,
    /// What it was allowed: as asked for, and as the engine confirmed after making it.
    pub contract: Contract,
    /// The exit code, where it ended by itself or on a signal.
    pub exit_code: Option<i64>,
    /// Whether the kernel ended it, or a part of it, for its memory.
    pub out_of_memory: bool,
}

/// Where the client of a container was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// A process inside of the container's network, without privileges.
    Inside,
    /// On the host, over the bridge of a network that only this container is in.
    Bridge,
}

/// What a container may and may not do. Asked of the engine and read back from it; a trial
/// runs only where both are equal in every field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// `none`, or `internal`: a network of its own that leads nowhere.
    pub network: String,
    /// Published ports; always none.
    pub ports: Vec<String>,
    /// Whether nothing can be written but in its temporary folders.
    pub read_only: bool,
    /// Whether it may do everything; never.
    pub privileged: bool,
    /// Capabilities taken away.
    pub cap_drop: Vec<String>,
    /// Capabilities given; always none.
    pub cap_add: Vec<String>,
    /// `no-new-privileges`. The engine's own filter of system calls holds beside it.
    pub security: Vec<String>,
    /// Shared memory of its own: `private`.
    pub ipc: String,
    /// Whose processes it sees: its own, as the empty text.
    pub pid: String,
    /// Whose host name it has: its own, as the empty text.
    pub uts: String,
    /// Whether the engine's init is its first process.
    pub init: bool,
    /// Most processes and threads.
    pub pids: i64,
    /// Most memory in bytes, and with swap; equal, so there is none.
    pub memory_bytes: i64,
    /// See `memory_bytes`.
    pub memory_swap_bytes: i64,
    /// Size of `/dev/shm` in bytes.
    pub shm_bytes: i64,
    /// Cores, as a list like `0-3,8`.
    pub cores: String,
    /// Memory nodes; empty where the host has one.
    pub nodes: String,
    /// Temporary folders with their options.
    pub tmpfs: BTreeMap<String, String>,
    /// Folders of the host: the path inside, and `ro` or `rw`.
    pub binds: BTreeMap<String, String>,
    /// Device files of the host.
    pub devices: Vec<String>,
    /// GPUs asked for by request: driver, ids and capabilities.
    pub gpu_requests: Vec<String>,
    /// Limits of its processes: no memory dump, as `core=0:0`.
    #[serde(default)]
    pub ulimits: Vec<String>,
    /// What happens when it ends: nothing, as `no`.
    pub restart: String,
}
