use std::collections::BTreeSet;

use lab::{Problem, Result, environment::Layout};

use super::{Topology, sorted, written};

/// Who runs where: the server on as many cores as possible, on the GPU's node where there is
/// one; the client beside it; the rest of this program wherever it disturbs neither.
///
/// Declared cores (`wanted_server`, `client_cores`) are taken as they are; empty means that
/// none are declared. Of those that nobody declared the server keeps at least half, and a
/// physical core is the server's or the client's, not both. Where cores are too few for
/// that, `shared` says who shares.
pub fn layout(
    topology: &Topology,
    wanted_server: &[u32],
    client_cores: &[u32],
    client_threads: u32,
    gpu_node: Option<u32>,
) -> Result<Layout> {
    check(topology, wanted_server, client_cores)?;
    let threads = client_threads.max(1) as usize;
    let mut layout = if let [only] = topology.allowed[..] {
        Layout { server: vec![only], client: vec![only], rest: vec![only], ..Layout::default() }
    } else {
        let mut free = Free::new(topology, wanted_server, client_cores, gpu_node)?;
        let client = if client_cores.is_empty() { free.client(threads) } else { client_cores.to_vec() };
        let rest = free.rest(&client);
        let server = if wanted_server.is_empty() { free.server() } else { sorted(wanted_server) };
        Layout { server, client, rest, ..Layout::default() }
    };
    let nodes: BTreeSet<u32> = layout.server.iter().filter_map(|core| topology.node_of(*core)).collect();
    layout.nodes = nodes.into_iter().collect();
    layout.shared = sharing(topology, &layout, threads);
    Ok(layout)
}

const SERVER: &str = "container.cores";
const CLIENT: &str = "client.cores";

fn check(topology: &Topology, server: &[u32], client: &[u32]) -> Result<()> {
    let allowed = written(&topology.allowed);
    for (field, cores) in [(SERVER, server), (CLIENT, client)] {
        let Some(core) = cores.iter().find(|core| !topology.allowed.contains(core)) else { continue };
        if !topology.online.contains(core) {
            return Err(Problem::machine(format!("this host has no core {core} online"))
                .at(field)
                .next(format!("name cores of {allowed}, or leave {field} out")));
        }
        let both = written(&[&topology.allowed[..], cores].concat());
        return Err(Problem::machine(format!("this process may not run on core {core}, only on {allowed}"))
            .at(field)
            .next(format!("name cores of {allowed}, or allow more: taskset -c {both} bench …")));
    }
    if topology.allowed.len() == 1 {
        return Ok(());
    }
    if let Some(core) = client.iter().find(|core| server.contains(core)) {
        return Err(Problem::machine(format!("core {core} is the server's and the client's"))
            .at(format!("{CLIENT} and {SERVER}"))
            .next(format!("name different cores, or leave {CLIENT} out")));
    }
    for (field, cores, other) in [(SERVER, server, "client"), (CLIENT, client, "server")] {
        if topology.allowed.iter().all(|core| cores.contains(core)) {
            return Err(Problem::machine(format!("all cores ({allowed}) are taken; none is left for the {other}"))
                .at(field)
                .next(format!("leave at least one of {allowed} to the {other}")));
        }
    }
    Ok(())
}

/// Cores that nobody has yet, by physical core where possible.
struct Free {
    /// On the GPU's node, else on those of a declared server, else anywhere.
    near: Vec<Vec<u32>>,
    /// The other nodes.
    far: Vec<Vec<u32>>,
    /// Unused threads of physical cores that the client has.
    spare: Vec<u32>,
    /// Physical cores near the server that need not be the server's.
    budget: usize,
}

impl Free {
    fn new(topology: &Topology, server: &[u32], client: &[u32], gpu_node: Option<u32>) -> Result<Free> {
        let taken = |core: &u32| server.contains(core) || client.contains(core);
        let (touched, whole): (Vec<Vec<u32>>, Vec<Vec<u32>>) =
            topology.physical.iter().cloned().partition(|threads| threads.iter().any(taken));
        let mut spare: Vec<u32> = touched.concat();
        spare.retain(|core| !taken(core) && beside(topology, *core, client) && !beside(topology, *core, server));
        let needed = usize::from(server.is_empty()) + usize::from(client.is_empty());
        let units = if whole.len() >= needed {
            whole
        } else {
            spare.clear();
            topology.allowed.iter().filter(|core| !taken(core)).map(|core| vec![*core]).collect()
        };
        if units.len() < needed {
            return Err(Problem::machine("no core is left for the client and the server").at(SERVER));
        }
        let homes: Vec<u32> = match gpu_node {
            Some(node) => vec![node],
            None => server.iter().filter_map(|core| topology.node_of(*core)).collect(),
        };
        let home = |unit: &Vec<u32>| homes.is_empty() || topology.node_of(unit[0]).is_some_and(|n| homes.contains(&n));
        let (near, far): (Vec<_>, Vec<_>) = units.into_iter().partition(home);
        let (near, far) = if near.is_empty() { (far, near) } else { (near, far) };
        let budget = if server.is_empty() { (near.len() / 2).max(usize::from(far.is_empty())) } else { near.len() };
        Ok(Free { near, far, spare, budget })
    }

    /// A core for each thread. On a large host each is a physical core; on a small one the
    /// threads of one physical core are the client's together.
    fn client(&mut self, threads: usize) -> Vec<u32> {
        let units = if self.budget == 0 { &mut self.far } else { &mut self.near };
        let plenty = (threads + 1) * 4 <= units.len();
        let mut cores = Vec::new();
        while cores.len() < threads && !units.is_empty() && (cores.is_empty() || self.budget > 0) {
            self.budget = self.budget.saturating_sub(1);
            let unit = units.remove(0);
            let kept = if plenty { 1 } else { (threads - cores.len()).min(unit.len()) };
            cores.extend(&unit[..kept]);
            if !plenty {
                self.spare.extend(&unit[kept..]);
            }
        }
        cores
    }

    /// A core away from the others, else a spare thread beside the client, else one more
    /// core, else the client's.
    fn rest(&mut self, client: &[u32]) -> Vec<u32> {
        if !self.far.is_empty() {
            self.far.remove(0)
        } else if !self.spare.is_empty() {
            std::mem::take(&mut self.spare)
        } else if self.budget > 0 && !self.near.is_empty() {
            self.near.remove(0)
        } else {
            sorted(client)
        }
    }

    fn server(self) -> Vec<u32> {
        sorted(&self.near.concat())
    }
}

/// Whether `core` is a thread of the same physical core as one of `others`.
fn beside(topology: &Topology, core: u32, others: &[u32]) -> bool {
    let unit = topology.physical.iter().find(|threads| threads.contains(&core));
    unit.is_some_and(|threads| threads.iter().any(|thread| *thread != core && others.contains(thread)))
}

/// Who shares what, in words; `None` if nobody has to.
fn sharing(topology: &Topology, layout: &Layout, threads: usize) -> Option<String> {
    if layout.server == layout.client {
        return Some(format!("there is only core {}: server, client and rest share it", written(&layout.server)));
    }
    let mut words = Vec::new();
    let distinct = sorted(&layout.client).len();
    if distinct < threads {
        words.push(format!(
            "{threads} client threads share {distinct} {}",
            if distinct == 1 { "core" } else { "cores" }
        ));
    }
    if layout.rest.iter().any(|core| layout.client.contains(core)) {
        words.push(format!("too few cores: client and rest share {}", written(&layout.rest)));
    }
    let split: Vec<u32> =
        layout.client.iter().copied().filter(|core| beside(topology, *core, &layout.server)).collect();
    if !split.is_empty() {
        words.push(format!("the client's {} shares a physical core with the server", written(&split)));
    }
    (!words.is_empty()).then(|| words.join("; "))
}
