//! What a container may do: asked of the engine, read back, compared.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use bollard::models::{
    ContainerInspectResponse, DeviceRequest, HostConfig, HostConfigLogConfig, Mount, MountType, ResourcesUlimits,
    RestartPolicy, RestartPolicyNameEnum,
};
use lab::{
    records::Contract,
    workload::{self, Profile},
};

use crate::{cores, gpu};

/// Everything that decides what a container may do.
pub(super) struct Terms<'a> {
    pub(super) container: &'a workload::Container,
    pub(super) memory: u64,
    pub(super) cores: &'a [u32],
    pub(super) nodes: &'a [u32],
    /// The network that was made for it, where it has one.
    pub(super) network: Option<&'a str>,
    /// Folders of the host: inside, outside. All are read-only.
    pub(super) folders: &'a BTreeMap<String, PathBuf>,
    /// Folders that its image declares as volumes; nothing that outlives a trial is there.
    pub(super) volumes: &'a [String],
    pub(super) gpus: &'a gpu::Grant,
}

/// The network of a container in words, as a contract has it.
const INTERNAL: &str = "internal";
/// Where a server may write: its temporary folder and its home.
pub(super) const HOME: &str = "/home/server";

/// Files in each of its temporary folders: millions of them take seconds to remove.
const FILES: u32 = 1 << 18;

/// What the engine is asked for.
pub(super) fn asked(terms: &Terms<'_>) -> HostConfig {
    let Terms { container, .. } = terms;
    let open = container.profile == Profile::DockerInDocker;
    let memory = i64::try_from(terms.memory).unwrap_or(i64::MAX);
    let scratch = format!("rw,exec,nosuid,nodev,mode=1777,nr_inodes={FILES},size={}", container.scratch.0);
    let own = ["/tmp", HOME].map(str::to_owned);
    let volumes = terms.volumes.iter().filter(|path| !terms.folders.contains_key(*path)).cloned();
    let tmpfs = own.into_iter().chain(volumes).map(|path| (path, scratch.clone()));
    let mounts = terms.folders.iter().map(|(inside, outside)| mount(inside, outside));
    let driver = terms.gpus.binds.iter().map(|(outside, inside)| mount(&inside.to_string_lossy(), outside));
    HostConfig {
        network_mode: Some(terms.network.unwrap_or("none").to_owned()),
        readonly_rootfs: Some(!open),
        privileged: Some(false),
        cap_drop: (!open).then(|| vec!["ALL".to_owned()]),
        security_opt: (!open).then(|| vec!["no-new-privileges".to_owned()]),
        ipc_mode: Some("private".to_owned()),
        // It lies where folders of the host would hide it.
        init: Some(container.profile != Profile::HostBinds),
        pids_limit: Some(i64::from(container.pids)),
        memory: Some(memory),
        memory_swap: Some(memory),
        shm_size: i64::try_from(container.shm.0).ok(),
        cpuset_cpus: Some(cores::written(terms.cores)),
        cpuset_mems: Some(cores::written(terms.nodes)),
        tmpfs: Some(tmpfs.collect::<HashMap<_, _>>()),
        mounts: Some(mounts.chain(driver).collect()),
        devices: Some(terms.gpus.devices.clone()),
        device_requests: Some(terms.gpus.device_requests.clone()),
        ulimits: Some(vec![ResourcesUlimits { name: Some("core".to_owned()), soft: Some(0), hard: Some(0) }]),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }),
        // Its output is read as it comes; the engine keeps none of it on its disk.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        ..HostConfig::default()
    }
}

fn mount(inside: &str, outside: &Path) -> Mount {
    Mount {
        target: Some(inside.to_owned()),
        source: Some(outside.to_string_lossy().into_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(true),
        ..Mount::default()
    }
}

/// What a configuration means, whoever wrote it: what was asked for, or what the engine says
/// that it made.
pub(super) fn of(host: &HostConfig, network: Option<&str>) -> Contract {
    let mode = host.network_mode.clone().unwrap_or_default();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let list = |of: &Option<Vec<String>>| -> Vec<String> {
        let mut all: Vec<String> = of.iter().flatten().map(|c| c.trim_start_matches("CAP_").to_owned()).collect();
        all.sort();
        all
    };
    let cap_drop = list(&host.cap_drop);
    let cap_add = list(&host.cap_add);
    let security = list(&host.security_opt);
    let binds = host.mounts.iter().flatten().map(|m| {
        let mode = if m.read_only == Some(true) { "ro" } else { "rw" };
        (m.target.clone().unwrap_or_default(), mode.to_owned())
    });
    let written = host.binds.iter().flatten().map(|bind| (bind.clone(), "rw".to_owned()));
    Contract {
        network: if network == Some(mode.as_str()) { INTERNAL.to_owned() } else { mode },
        ports: host.port_bindings.iter().flatten().map(|(port, _)| port.clone()).collect(),
        read_only: host.readonly_rootfs.unwrap_or(false),
        privileged: host.privileged.unwrap_or(false),
        cap_drop,
        cap_add,
        security,
        ipc: text(&host.ipc_mode),
        pid: text(&host.pid_mode),
        uts: text(&host.uts_mode),
        init: host.init.unwrap_or(false),
        pids: host.pids_limit.unwrap_or(0),
        memory_bytes: host.memory.unwrap_or(0),
        memory_swap_bytes: host.memory_swap.unwrap_or(0),
        shm_bytes: host.shm_size.unwrap_or(0),
        cores: text(&host.cpuset_cpus),
        nodes: text(&host.cpuset_mems),
        tmpfs: host.tmpfs.iter().flatten().map(|(path, options)| (path.clone(), options.clone())).collect(),
        binds: binds.chain(written).collect(),
        devices: host.devices.iter().flatten().map(|d| d.path_on_host.clone().unwrap_or_default()).collect(),
        gpu_requests: host.device_requests.iter().flatten().map(request).collect(),
        ulimits: host.ulimits.iter().flatten().map(limit).collect(),
        restart: host.restart_policy.as_ref().and_then(|r| r.name).map(|n| n.to_string()).unwrap_or_default(),
    }
}

fn limit(limit: &ResourcesUlimits) -> String {
    let (soft, hard) = (limit.soft.unwrap_or(-1), limit.hard.unwrap_or(-1));
    format!("{}={soft}:{hard}", limit.name.as_deref().unwrap_or_default())
}

fn request(request: &DeviceRequest) -> String {
    let ids = request.device_ids.as_deref().unwrap_or_default().join(",");
    let capabilities: Vec<String> = request.capabilities.iter().flatten().map(|set| set.join("+")).collect();
    format!("{} {ids} {}", request.driver.as_deref().unwrap_or_default(), capabilities.join(","))
}

/// What the engine granted, beyond its copy of what was asked: what it really mounted, and
/// in which networks the container is.
pub(super) fn granted(made: &ContainerInspectResponse, network: Option<&str>) -> Contract {
    let mut contract = of(&made.host_config.clone().unwrap_or_default(), network);
    // Volumes that an image declares are storage that outlives a trial.
    for mount in made.mounts.iter().flatten().filter(|m| m.typ.as_deref() == Some("volume")) {
        contract.binds.insert(mount.destination.clone().unwrap_or_default(), "volume".to_owned());
    }
    for name in made.network_settings.iter().flat_map(|n| n.networks.iter().flatten()).map(|(name, _)| name) {
        if name != "none" && Some(name.as_str()) != network {
            contract.network = format!("{} and {name}", contract.network);
        }
    }
    contract
}

/// The fields that differ, in words.
pub(super) fn differences(asked: &Contract, granted: &Contract) -> Vec<String> {
    let fields = |contract| match serde_json::to_value(contract) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (asked, granted) = (fields(asked), fields(granted));
    let differs = |(name, wanted): (&String, &serde_json::Value)| {
        let got = granted.get(name).unwrap_or(&serde_json::Value::Null);
        (got != wanted).then(|| format!("{name}: asked for {wanted}, granted {got}"))
    };
    asked.iter().filter_map(differs).collect()
}
