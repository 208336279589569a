//! What a container may and may not do: its record is held, field by field, against what the
//! kernel has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use lab::{environment::Layout, records::Client};
use serde_json::{Value, json};

use crate::{
    reading::{Container, Mount, namespace, process_status},
    running::{Run, assert_nothing_left, patient},
    support::{Lab, Workload, code, engine::Engine, model, stderr},
};

const NOTHING: &str = "0000000000000000";

/// Looks at a server that never gets ready, and at its driver, until it is killed. Its record
/// says what was seen.
fn looked_at(engine: &Engine, container: &str, client: Client, look: impl Fn(&Container, u32)) {
    let lab = Lab::new();
    let mut workload = patient(Workload::of_images(&engine.image("stub:plain"), "--mode never-ready"));
    workload.container = format!("memory = \"96MiB\"\npids = 77\nshm = \"12MiB\"\nscratch = \"9MiB\"\n{container}");
    let run = Run::start(&lab, &workload);
    let seen = run.container(engine, &[]);
    let driver = run.driver();
    let contract = as_the_host_has_it(engine, &seen);
    assert_eq!((&contract["pids"], &contract["memory_bytes"]), (&json!(77), &json!(96 << 20)), "as the file says");
    assert_eq!(contract["shm_bytes"], json!(12 << 20), "as the file says");
    let cores = (seen.status("Cpus_allowed_list"), process_status(driver, "Cpus_allowed_list").unwrap());
    in_every_profile(&seen, driver);
    look(&seen, driver);
    engine.docker(&["kill", &seen.id]);
    let output = run.end();
    assert_eq!(code(&output), 13, "{}", stderr(&output));
    assert_nothing_left(engine, &lab);
    let recorded = lab.trial("baseline").trial.server.container.unwrap();
    assert_eq!(serde_json::to_value(&recorded.contract).unwrap(), contract);
    assert_eq!((recorded.id, recorded.client), (seen.id, client));
    apart(&cores, &lab.bundle().environments().unwrap()[0].layout.clone().unwrap());
}

/// Server and driver run where the record says, on cores of their own.
fn apart((server, driver): &(String, String), layout: &Layout) {
    assert_eq!((numbers(server), numbers(driver)), (layout.server.clone(), layout.client.clone()));
    if std::thread::available_parallelism().unwrap().get() > 1 {
        assert!(layout.server.iter().all(|core| !layout.client.contains(core)), "{layout:?}");
    }
}

/// A contract's every field, read off the host.
fn as_the_host_has_it(engine: &Engine, seen: &Container) -> Value {
    let network = network(engine, seen);
    let own = std::process::id();
    let apart =
        |kind: &str, apart: &'static str| if seen.namespace(kind) == namespace(own, kind) { "host" } else { apart };
    let number = |text: String| text.parse::<u64>().unwrap();
    let listed = |path: &str| if seen.says(path).is_null() { json!([]) } else { seen.says(path).clone() };
    let memory = number(seen.limit("memory", "memory.limit_in_bytes", "memory.max"));
    let swap = number(seen.limit("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"));
    let ports: Vec<&String> =
        seen.says("/HostConfig/PortBindings").as_object().into_iter().flat_map(|ports| ports.keys()).collect();
    let init = fs::read_to_string(format!("/proc/{}/cmdline", seen.init)).unwrap();
    let usual = "console core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
    let devices = names(&seen.path("/dev")).into_iter().filter(|name| usual.split(' ').all(|usual| usual != name));
    let tmpfs = BTreeMap::from(["/tmp", "/home/server"].map(|path| (path, temporary(seen, path))));
    let devices: Vec<String> = devices.collect();
    let limits = fs::read_to_string(format!("/proc/{}/limits", seen.server)).unwrap();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    let core: Vec<&str> = limit.split_whitespace().take(2).collect();
    json!({
        "network": network,
        "ports": ports,
        "read_only": seen.mount("/").has("ro"),
        "privileged": seen.says("/HostConfig/Privileged"),
        "cap_drop": if seen.status("CapBnd") == NOTHING { json!(["ALL"]) } else { json!([]) },
        "cap_add": listed("/HostConfig/CapAdd"),
        "security": if seen.status("NoNewPrivs") == "1" { json!(["no-new-privileges"]) } else { json!([]) },
        "ipc": apart("ipc", "private"),
        "pid": apart("pid", ""),
        "uts": apart("uts", ""),
        "init": init.contains("docker-init\0--\0/stub\0"),
        "pids": number(seen.limit("pids", "pids.max", "pids.max")),
        "memory_bytes": memory,
        // Version 2 of control groups counts swap alone.
        "memory_swap_bytes": if swap == 0 { memory } else { swap },
        "shm_bytes": size(&seen.mount("/dev/shm")),
        "cores": seen.limit("cpuset", "cpuset.cpus", "cpuset.cpus").replace('-', ","),
        "nodes": seen.says("/HostConfig/CpusetMems"),
        "tmpfs": tmpfs,
        "binds": binds(seen),
        "devices": devices,
        "ulimits": [format!("core={}", core.join(":"))],
        "gpu_requests": listed("/HostConfig/DeviceRequests"),
        "restart": seen.says("/HostConfig/RestartPolicy/Name"),
    })
}

/// A temporary folder's options, in the order in which they are asked for.
fn temporary(seen: &Container, path: &str) -> String {
    let mount = seen.mount(path);
    assert_eq!(mount.kind, "tmpfs", "{path}");
    let mode = fs::metadata(seen.path(path)).unwrap().permissions().mode() & 0o7777;
    let options = ["rw", "exec", "nosuid", "nodev"].map(|option| match option {
        "exec" if mount.has("noexec") => "noexec",
        "exec" => "exec",
        other if mount.has(other) => other,
        _ => "",
    });
    let files = mount.options.iter().find(|option| option.starts_with("nr_inodes=")).unwrap();
    format!("{},mode={mode:o},{files},size={}", options.join(","), size(&mount))
}

/// Folders that come from a disk of the host, but for what every engine puts there.
fn binds(seen: &Container) -> BTreeMap<String, &'static str> {
    let of_engine = ["/", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/sbin/docker-init"];
    let of_kernel = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"];
    let mounts = seen
        .mounts()
        .into_iter()
        .filter(|(path, mount)| !of_engine.contains(&path.as_str()) && !of_kernel.contains(&mount.kind.as_str()));
    mounts.map(|(path, mount)| (path, if mount.has("ro") { "ro" } else { "rw" })).collect()
}

fn size(mount: &Mount) -> u64 {
    let size = mount.options.iter().find_map(|option| option.strip_prefix("size=")?.strip_suffix('k')).unwrap();
    size.parse::<u64>().unwrap() << 10
}

fn names(folder: &str) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A list like `0-3,8`.
fn numbers(list: &str) -> Vec<u32> {
    let number = |text: &str| text.parse::<u32>().unwrap();
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => (number(first)..=number(last)).collect::<Vec<_>>(),
        None => vec![number(part)],
    };
    list.split(',').flat_map(range).collect()
}

/// The network of a container in a contract's words, by the engine's client.
fn network(engine: &Engine, seen: &Container) -> String {
    if seen.interfaces() == ["lo"] {
        return "none".to_owned();
    }
    let networks = seen.says("/NetworkSettings/Networks").as_object().unwrap();
    let kind =
        |name: &String| engine.docker(&["network", "inspect", name, "--format", "{{.Internal}} {{len .Containers}}"]);
    let kinds: Vec<String> = networks.keys().map(kind).collect();
    if kinds == ["true 1"] { "internal".to_owned() } else { format!("{kinds:?}") }
}

/// What no record says and every profile promises.
fn in_every_profile(seen: &Container, driver: u32) {
    for path in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(seen.status(path), NOTHING, "its user has no capability: {path}");
    }
    assert_eq!(seen.status("Seccomp"), "2", "the engine's filter of system calls");
    assert_eq!(seen.status("Uid"), "65532\t65532\t65532\t65532", "the image's user");
    for kind in ["mnt", "net"] {
        assert_ne!(seen.namespace(kind), namespace(std::process::id(), kind), "{kind}");
    }
    assert!(!Path::new(&seen.path("/var/run/docker.sock")).exists() && !Path::new(&seen.path("/run")).exists());
    let inside = fs::read(seen.path("/models/tokenizer.json")).unwrap();
    assert_eq!(inside, fs::read(model().join("tokenizer.json")).unwrap(), "the model's own folder");

    // The client that reads what this server says has nothing to lose.
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(process_status(driver, set).unwrap(), NOTHING, "the driver's {set}");
    }
    for field in ["Uid", "Gid"] {
        let text = process_status(driver, field).unwrap();
        let ids: BTreeSet<u32> = text.split_whitespace().map(|id| id.parse().unwrap()).collect();
        assert!(ids.len() == 1 && ids.first() >= Some(&(1 << 30)), "nobody else's: {field} {text}");
    }
    assert_eq!(
        (process_status(driver, "Groups").unwrap(), process_status(driver, "NoNewPrivs").unwrap()),
        (String::new(), "1".into())
    );
}

/// What `strict` and `host-binds` have in common.
fn strictly(seen: &Container, driver: u32) {
    assert_eq!(seen.interfaces(), ["lo"]);
    assert_eq!(namespace(driver, "net"), seen.namespace("net"), "the driver is inside");
    assert_eq!(seen.status("CapBnd"), NOTHING);
    assert_eq!(seen.status("NoNewPrivs"), "1");
    assert!(seen.mount("/").has("ro") && seen.mount("/models").has("ro"));
}

#[test]
fn a_strict_container_is_confined_as_its_record_says() {
    let Some(engine) = Engine::from_env() else { return };
    looked_at(&engine, "", Client::Inside, |seen, driver| {
        strictly(seen, driver);
        assert_eq!(binds(seen), BTreeMap::from([("/models".to_owned(), "ro")]));
    });
}

#[test]
fn a_container_with_folders_of_the_host_sees_them_read_only_and_is_strict_otherwise() {
    let Some(engine) = Engine::from_env() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tool"), "of the host").unwrap();
    let container = format!("profile = \"host-binds\"\n[container.binds]\n\"/opt/tools\" = {:?}\n", folder.path());
    looked_at(&engine, &container, Client::Inside, |seen, driver| {
        strictly(seen, driver);
        assert_eq!(binds(seen), BTreeMap::from([("/models".to_owned(), "ro"), ("/opt/tools".to_owned(), "ro")]));
        assert_eq!(fs::read_to_string(seen.path("/opt/tools/tool")).unwrap(), "of the host");
    });
}

#[test]
fn a_container_inside_of_containers_has_a_network_that_leads_nowhere() {
    let Some(engine) = Engine::from_env() else { return };
    looked_at(&engine, "profile = \"docker-in-docker\"\n", Client::Bridge, |seen, driver| {
        assert_eq!(seen.interfaces().len(), 2, "{:?}", seen.interfaces());
        assert_eq!(namespace(driver, "net"), namespace(std::process::id(), "net"), "the driver is on the host");
        assert!(seen.mount("/").has("rw") && seen.mount("/models").has("ro"));
        assert_ne!(seen.status("CapBnd"), NOTHING, "the engine's own set, which root would have");
    });
}
