use std::{fs, path::Path};

use lab::environment::Layout;
use tempfile::TempDir;

use super::*;

/// A folder that looks like a host: its nodes, and how many threads a physical core has.
/// Siblings are numbered as on real hosts: the second threads follow all first ones.
fn host(nodes: &[&str], threads: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: String, text: String| {
        let path = folder.path().join("sys/devices/system").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text + "\n").unwrap();
    };
    let online: Vec<u32> = nodes.iter().flat_map(|cores| read(cores).unwrap()).collect();
    let physical = online.len() as u32 / threads;
    put("cpu/online".into(), written(&online));
    put("cpu/isolated".into(), String::new());
    for core in &online {
        let siblings: Vec<u32> = (0..threads).map(|thread| core % physical + thread * physical).collect();
        put(format!("cpu/cpu{core}/topology/thread_siblings_list"), written(&siblings));
    }
    for (node, cores) in nodes.iter().enumerate() {
        put(format!("node/node{node}/cpulist"), (*cores).to_owned());
    }
    folder
}

fn topology(nodes: &[&str], threads: u32) -> Topology {
    Topology::read(host(nodes, threads).path(), &(0..64).collect::<Vec<_>>()).unwrap()
}

fn of(topology: &Topology, server: &str, client: &str, threads: u32, gpu: Option<u32>) -> Layout {
    layout(topology, &read(server).unwrap(), &read(client).unwrap(), threads, gpu).unwrap()
}

/// Server, client and rest, as written.
fn who(layout: &Layout) -> [String; 3] {
    [&layout.server, &layout.client, &layout.rest].map(|cores| written(cores))
}

fn refusal(topology: &Topology, server: &[u32], client: &[u32]) -> Problem {
    layout(topology, server, client, 1, None).unwrap_err()
}

#[test]
fn one_core_is_shared_by_all_and_says_so() {
    let layout = of(&topology(&["0"], 1), "", "", 1, None);
    assert_eq!(who(&layout), ["0", "0", "0"]);
    assert_eq!(layout.shared.as_deref(), Some("there is only core 0: server, client and rest share it"));
    assert_eq!(who(&of(&topology(&["0"], 1), "0", "0", 1, None)), ["0", "0", "0"]);
}

#[test]
fn of_two_cores_the_server_has_one_alone() {
    let layout = of(&topology(&["0-1"], 1), "", "", 1, None);
    assert_eq!(who(&layout), ["1", "0", "0"]);
    assert_eq!(layout.shared.as_deref(), Some("too few cores: client and rest share 0"));
    assert_eq!(layout.nodes, [0]);
}

#[test]
fn two_threads_of_one_physical_core_are_shared_and_say_so() {
    let layout = of(&topology(&["0-1"], 2), "", "", 1, None);
    assert_eq!(who(&layout), ["1", "0", "0"]);
    let shared = layout.shared.unwrap();
    assert!(shared.contains("the client's 0 shares a physical core with the server"), "{shared}");
}

#[test]
fn with_siblings_the_client_has_a_physical_core_and_the_rest_its_other_thread() {
    let layout = of(&topology(&["0-7"], 2), "", "", 1, None);
    assert_eq!(who(&layout), ["1-3,5-7", "0", "4"]);
    assert_eq!(layout.shared, None);
}

#[test]
fn two_client_threads_fill_one_physical_core() {
    let layout = of(&topology(&["0-7"], 2), "", "", 2, None);
    assert_eq!(who(&layout), ["2,3,6,7", "0,4", "1,5"]);
    assert_eq!(layout.shared, None);
}

#[test]
fn the_server_keeps_half_however_many_threads_the_client_has() {
    let layout = of(&topology(&["0-7"], 1), "", "", 20, None);
    assert_eq!(who(&layout), ["4-7", "0-3", "0-3"]);
    assert!(layout.shared.unwrap().contains("20 client threads share 4 cores"));
}

#[test]
fn four_plain_cores_are_two_one_one() {
    let layout = of(&topology(&["0-3"], 1), "", "", 1, None);
    assert_eq!(who(&layout), ["2,3", "0", "1"]);
    assert_eq!(layout.shared, None);
}

#[test]
fn on_a_large_host_each_client_thread_has_a_physical_core() {
    let layout = of(&topology(&["0-31"], 2), "", "", 2, None);
    assert_eq!(who(&layout), ["3-15,19-31", "0,1", "2,18"]);
}

#[test]
fn server_and_client_are_on_the_gpus_node_and_the_rest_is_not() {
    let two = topology(&["0-3,8-11", "4-7,12-15"], 2);
    let layout = of(&two, "", "", 1, Some(1));
    assert_eq!(who(&layout), ["5-7,13-15", "4", "0,8"]);
    assert_eq!((layout.nodes, layout.shared), (vec![1], None));
}

#[test]
fn a_node_with_one_core_is_the_servers() {
    let layout = of(&topology(&["0-2", "3"], 1), "", "", 1, Some(1));
    assert_eq!(who(&layout), ["3", "0", "1"]);
}

#[test]
fn a_gpu_on_a_node_that_is_not_allowed_does_not_stop_the_layout() {
    let folder = host(&["0-3", "4-7"], 1);
    let topology = Topology::read(folder.path(), &[0, 1, 2, 3]).unwrap();
    let layout = of(&topology, "", "", 1, Some(1));
    assert_eq!(who(&layout), ["2,3", "0", "1"]);
    assert_eq!(layout.nodes, [0]);
}

#[test]
fn cores_that_this_process_may_not_use_are_left_alone() {
    let folder = host(&["0-7"], 2);
    let topology = Topology::read(folder.path(), &[1, 2, 3, 5, 90]).unwrap();
    assert_eq!(topology.allowed, [1, 2, 3, 5]);
    assert_eq!(topology.physical, [vec![1, 5], vec![2], vec![3]]);
    assert_eq!(who(&of(&topology, "", "", 1, None)), ["2,3", "1", "5"]);
}

#[test]
fn no_allowed_core_is_a_problem_of_this_machine() {
    let folder = host(&["0-1"], 1);
    let problem = Topology::read(folder.path(), &[5]).unwrap_err();
    assert_eq!(problem.kind, lab::Kind::Machine);
}

#[test]
fn declared_cores_are_taken_as_declared() {
    let eight = topology(&["0-7"], 1);
    assert_eq!(who(&of(&eight, "0-3", "6,5", 2, None)), ["0-3", "5,6", "4"]);
    assert_eq!(of(&eight, "0-3", "", 1, None).client, [4]);
    assert_eq!(layout(&eight, &[], &[6, 5], 2, None).unwrap().client, [6, 5], "threads take them in this order");
    assert_eq!(who(&of(&eight, "", "7", 1, None)), ["1-6", "7", "0"]);
}

#[test]
fn a_client_beside_a_declared_server_is_on_its_node() {
    let two = topology(&["0-3", "4-7"], 1);
    assert_eq!(who(&of(&two, "4-6", "", 1, None)), ["4-6", "7", "0"]);
}

#[test]
fn a_declared_split_of_siblings_is_said() {
    let eight = topology(&["0-7"], 2);
    let layout = of(&eight, "0-3", "4", 1, None);
    assert_eq!(
        layout.shared.as_deref(),
        Some("too few cores: client and rest share 4; the client's 4 shares a physical core with the server")
    );
}

#[test]
fn wrong_declarations_name_the_field_and_the_next_step() {
    let folder = host(&["0-3"], 1);
    let host = Topology::read(folder.path(), &[0, 1, 2]).unwrap();
    for (server, client, place, next) in [
        (&[0, 3][..], &[][..], "container.cores", "taskset -c 0-3 bench"),
        (&[], &[3], "client.cores", "taskset -c 0-3 bench"),
        (&[9], &[], "container.cores", "name cores of 0-2"),
        (&[0, 1], &[1], "client.cores and container.cores", "name different cores"),
        (&[0, 1, 2], &[], "container.cores", "leave at least one of 0-2 to the client"),
        (&[], &[0, 1, 2], "client.cores", "leave at least one of 0-2 to the server"),
    ] {
        let problem = refusal(&host, server, client);
        assert_eq!(problem.kind, lab::Kind::Machine);
        assert_eq!(problem.place.as_deref(), Some(place), "{problem}");
        assert!(problem.next.as_deref().unwrap().contains(next), "{problem}");
    }
}

#[test]
fn server_and_client_never_overlap_and_siblings_are_not_split() {
    for physical in 2..=12 {
        for smt in 1..=2 {
            let host = topology(&[&format!("0-{}", physical * smt - 1)], smt);
            for threads in 1..=6 {
                let layout = of(&host, "", "", threads, None);
                assert!(
                    layout.server.len() * 2 >= host.allowed.len() - usize::from(physical % 2 == 1 && smt == 1),
                    "{layout:?}"
                );
                for core in &layout.client {
                    assert!(!layout.server.contains(core), "{layout:?}");
                    let unit = host.physical.iter().find(|unit| unit.contains(core)).unwrap();
                    assert!(unit.iter().all(|thread| !layout.server.contains(thread)), "{layout:?}");
                }
                assert!(layout.rest.iter().all(|core| !layout.server.contains(core)), "{layout:?}");
                assert!(![&layout.server, &layout.client, &layout.rest].iter().any(|cores| cores.is_empty()));
            }
        }
    }
}

#[test]
fn this_host_has_a_layout() {
    let here = Topology::here().unwrap();
    layout(&here, &[], &[], 1, None).unwrap();
}

#[test]
fn the_engines_cores_are_those_of_its_processes() {
    let folder = tempfile::tempdir().unwrap();
    let put = |pid: u32, name: &str, cores: &str| {
        let process = folder.path().join(format!("proc/{pid}"));
        fs::create_dir_all(&process).unwrap();
        fs::write(process.join("comm"), format!("{name}\n")).unwrap();
        fs::write(process.join("status"), format!("Name:\t{name}\nCpus_allowed_list:\t{cores}\n")).unwrap();
    };
    assert_eq!(engine_cores(folder.path()), None);
    put(7, "bash", "0-63");
    assert_eq!(engine_cores(folder.path()), None);
    put(8, "dockerd", "0-1");
    put(9, "containerd", "1,8");
    assert_eq!(engine_cores(folder.path()), Some(vec![0, 1, 8]));
    assert_eq!(engine_cores(Path::new("/nowhere")), None);
}
