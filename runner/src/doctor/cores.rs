//! Cores, memory nodes, and the layout that a run would choose.

use std::path::Path;

use super::Finding;
use crate::cores::{Topology, layout, written};

const SUBJECT: &str = "cores";

/// For a process that may run on `allowed`, and servers on a GPU of `gpu_node`.
pub(super) fn findings(root: &Path, allowed: &[u32], gpu_node: Option<u32>) -> Vec<Finding> {
    let topology = match Topology::read(root, allowed) {
        Ok(topology) => topology,
        Err(problem) => return vec![Finding::spoils(SUBJECT, problem.what, "nothing can run").stops()],
    };
    vec![themselves(&topology), chosen(&topology, gpu_node)]
}

fn themselves(topology: &Topology) -> Finding {
    let (cores, online) = (topology.allowed.len(), topology.online.len());
    let mut found = if cores == online {
        format!("{cores}")
    } else {
        format!("{cores} of {online}: {}", written(&topology.allowed))
    };
    if topology.has_siblings() {
        found += &format!(", {} physical", topology.physical.len());
    }
    if topology.nodes.len() > 1 {
        let nodes: Vec<String> =
            topology.nodes.iter().map(|(n, cores)| format!("node {n}: {}", written(cores))).collect();
        found += &format!(", {}", nodes.join(", "));
    }
    if !topology.isolated.is_empty() {
        found += &format!(", isolated: {}", written(&topology.isolated));
    }
    match topology.physical.len() {
        1 => Finding::spoils(SUBJECT, found, "client and server take each other's time: latencies are those of both")
            .next("use a host with at least two physical cores; on this one only outputs can be judged"),
        2 | 3 => Finding::note(SUBJECT, found, "enough for a client of few streams; the server has what is left")
            .next("four physical cores or more keep client, server and the rest apart"),
        _ if cores < online => Finding::note(SUBJECT, found, "the other cores are somebody else's, who may disturb")
            .next(format!("to use them all: `taskset -c {} bench …`", written(&topology.online))),
        _ => Finding::good(SUBJECT, found, "client, server and the rest can be kept apart"),
    }
}

fn chosen(topology: &Topology, gpu_node: Option<u32>) -> Finding {
    const SUBJECT: &str = "layout";
    let layout = match layout(topology, &[], &[], 1, gpu_node) {
        Ok(layout) => layout,
        Err(problem) => return Finding::spoils(SUBJECT, problem.what, "servers and client cannot be kept apart"),
    };
    let who = [("server", &layout.server), ("client", &layout.client), ("rest", &layout.rest)];
    let found = who.map(|(name, cores)| format!("{name} {}", written(cores))).join(", ");
    match layout.shared {
        Some(why) => Finding::note(SUBJECT, found, why),
        None => Finding::good(SUBJECT, found, "what a run chooses unless its workload says otherwise"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    fn of(online: &str, allowed: &[u32]) -> [(Level, String); 2] {
        let mut host = Host::new().with("sys/devices/system/cpu/online", online);
        for (node, cores) in [(0, "0-3"), (1, "4-7")] {
            host = host.with(&format!("sys/devices/system/node/node{node}/cpulist"), cores);
        }
        let found = findings(host.root(), allowed, Some(1));
        let [one, other] = &found[..] else { panic!("{found:?}") };
        [(one.level, one.found.clone()), (other.level, other.found.clone())]
    }

    #[test]
    fn many_cores_are_good_and_the_layout_is_shown() {
        let [cores, layout] = of("0-7", &[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(cores, (Level::Good, "8, node 0: 0-3, node 1: 4-7".into()));
        assert_eq!(layout, (Level::Good, "server 5-7, client 4, rest 0".into()));
    }

    #[test]
    fn two_cores_are_a_note_one_spoils_and_none_stops() {
        assert_eq!(of("0-1", &[0, 1]).map(|(level, _)| level), [Level::Note, Level::Note]);
        assert_eq!(of("0", &[0])[0].0, Level::Spoils);
        let host = Host::new().with("sys/devices/system/cpu/online", "0");
        assert!(findings(host.root(), &[3], None)[0].stops);
    }

    #[test]
    fn cores_of_somebody_else_are_a_note() {
        let [cores, _] = of("0-7", &[0, 1, 2, 3]);
        assert_eq!(cores, (Level::Note, "4 of 8: 0-3, node 0: 0-3, node 1: 4-7".into()));
    }

    #[test]
    fn siblings_and_isolated_cores_are_said() {
        let host = Host::new()
            .with("sys/devices/system/cpu/online", "0-1")
            .with("sys/devices/system/cpu/isolated", "1")
            .with("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1");
        let finding = &findings(host.root(), &[0, 1], None)[0];
        assert_eq!((finding.level, finding.found.as_str()), (Level::Spoils, "2, 1 physical, isolated: 1"));
    }
}
