//! What a server can reach: probed from inside by the test server itself, and every target
//! from the host too, for a target that nobody can reach proves nothing.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    process::Command,
    time::Duration,
};

use crate::{
    reading::Container,
    running::{Run, assert_nothing_left, patient},
    support::{Lab, Workload, code, engine::Engine, wait_until},
};

/// Addresses of this host, as the kernel routes them.
fn own_addresses() -> Vec<IpAddr> {
    let table = fs::read_to_string("/proc/net/fib_trie").unwrap();
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    let local = lines.windows(2).filter(|pair| pair[1] == "/32 host LOCAL");
    let mut found: Vec<IpAddr> = local.map(|pair| pair[0].trim_start_matches("|-- ").parse().unwrap()).collect();
    found.sort();
    found.dedup();
    found
}

/// A container of somebody else on the engine's usual network.
struct Neighbour<'a> {
    engine: &'a Engine,
    id: String,
}

impl<'a> Neighbour<'a> {
    fn start(engine: &'a Engine) -> Self {
        let id = engine.docker(&["run", "--detach", &engine.image("stub:plain"), "--port", "7000"]);
        Neighbour { engine, id }
    }

    /// Of itself in its network.
    fn says(&self, field: &str) -> String {
        let format = format!("{{{{.NetworkSettings.Networks.bridge.{field}}}}}");
        self.engine.docker(&["inspect", "--format", &format, &self.id])
    }

    fn address(&self) -> String {
        format!("{}:7000", self.says("IPAddress"))
    }
}

impl Drop for Neighbour<'_> {
    fn drop(&mut self) {
        self.engine.try_docker(&["rm", "--force", &self.id]);
    }
}

fn connects(address: &str) -> bool {
    let Ok(tcp) = address.parse::<SocketAddr>() else { return UnixStream::connect(address).is_ok() };
    TcpStream::connect_timeout(&tcp, Duration::from_secs(5)).is_ok()
}

/// Outside of this host: a name server, where it can be reached at all.
fn outside() -> Option<String> {
    let names = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = names.lines().filter_map(|line| line.strip_prefix("nameserver ")?.trim().parse::<IpAddr>().ok());
    let far = servers.filter(|ip| !ip.is_loopback()).map(|ip| SocketAddr::new(ip, 53).to_string());
    far.chain(["1.1.1.1:443".to_owned()]).find(|address| connects(address))
}

/// What the server says of each address; `look` sees it while it runs.
fn probed(engine: &Engine, profile: &str, addresses: &[String], look: impl Fn(&Container)) -> BTreeMap<String, String> {
    let lab = Lab::new();
    let options = format!("--mode never-ready --probe {}", addresses.join(","));
    let mut workload = patient(Workload::of_images(&engine.image("stub:plain"), &options));
    workload.container += &format!("profile = \"{profile}\"\n");
    let run = Run::start(&lab, &workload);
    let container = run.container(engine, &[]);
    wait_until("it has probed all of them and listens", || container.listens());
    look(&container);
    engine.docker(&["kill", &container.id]);
    assert_eq!(code(&run.end()), 13);
    assert_nothing_left(engine, &lab);
    let log = fs::read_to_string(lab.bundle().path.join("trials/0001-baseline/server.log")).unwrap();
    let said = log.lines().filter_map(|line| line.strip_prefix("stub: probe ")?.rsplit_once(": "));
    said.map(|(address, outcome)| (address.to_owned(), outcome.to_owned())).collect()
}

#[test]
fn a_strict_container_reaches_nobody() {
    let Some(engine) = Engine::from_env() else { return };
    let neighbour = Neighbour::start(&engine);
    let service = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = service.local_addr().unwrap().port();
    let mut addresses: Vec<String> = own_addresses().iter().map(|ip| format!("{ip}:{port}")).collect();
    let bridge = format!("{}:{port}", neighbour.says("Gateway"));
    let loopback = format!("127.0.0.1:{port}");
    assert!(addresses.contains(&bridge) && addresses.contains(&loopback), "{bridge} in {addresses:?}");
    addresses.extend([neighbour.address(), engine.registry.clone(), engine.socket()]);
    match outside() {
        Some(address) => addresses.push(address),
        None => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "SKIPPED in part: nothing outside of this host can be reached from it");
        }
    }
    for address in &addresses {
        wait_until(&format!("{address} is reached from here"), || connects(address));
    }
    let said = probed(&engine, "strict", &addresses, |_| {});
    for address in &addresses {
        let expected = match address.parse::<SocketAddr>() {
            // Its own loopback, where nobody listens yet.
            Ok(tcp) if tcp.ip().is_loopback() => "refused",
            Ok(_) => "unreachable",
            Err(_) => "absent",
        };
        assert_eq!(said.get(address).map(String::as_str), Some(expected), "{address}: {said:?}");
    }
}

/// The engine gives such a network an address of the host, and drops what would go further.
/// Services that listen on all addresses of the host can be reached there, and, where the
/// engine leaves it a route, at the host's other addresses too. That is why this profile is
/// another one.
#[test]
fn inside_of_containers_a_server_reaches_this_host_and_nobody_else() {
    let Some(engine) = Engine::from_env() else { return };
    let neighbour = Neighbour::start(&engine);
    let service = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = service.local_addr().unwrap().port();
    let mut elsewhere = vec![neighbour.address(), engine.socket(), engine.registry.clone()];
    elsewhere.extend(outside());
    let ours = own_addresses().into_iter().filter(|ip| !ip.is_loopback()).map(|ip| format!("{ip}:{port}"));
    let ours: Vec<String> = ours.collect();
    for address in elsewhere.iter().chain(&ours) {
        wait_until(&format!("{address} is reached from here"), || connects(address));
    }
    let probes = [elsewhere.clone(), ours].concat();
    let said = probed(&engine, "docker-in-docker", &probes, |container| {
        let own = container.says("/NetworkSettings/Networks").as_object().unwrap().values().next().unwrap().clone();
        let network = own["IPAddress"].as_str().unwrap().rsplit_once('.').unwrap().0.to_owned();
        let connect = format!("exec 3<>/dev/tcp/{network}.1/{port}");
        let inside = ["--target", &container.server.to_string(), "--net", "bash", "-c", &connect];
        assert!(Command::new("nsenter").args(inside).status().unwrap().success(), "this host, by {network}.1");
    });
    for address in &elsewhere {
        let expected: &[&str] = match address.parse::<SocketAddr>() {
            // Its own loopback.
            Ok(tcp) if tcp.ip().is_loopback() => &["refused"],
            Ok(_) => &["silent", "unreachable"],
            Err(_) => &["absent"],
        };
        assert!(expected.contains(&said[address].as_str()), "{address}: {said:?}");
    }
}
