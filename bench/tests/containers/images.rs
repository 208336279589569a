//! What `bench check` says of images before anything runs.

use crate::support::{Lab, Workload, code, engine::Engine, stderr, stdout};

#[test]
fn an_image_that_is_not_here_is_got_on_request_and_what_it_wants_is_said() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let changes = ["USER root", "VOLUME /data", "EXPOSE 22 8000 9000/udp", "ENV NVIDIA_VISIBLE_DEVICES=all"];
    let greedy = engine.pushed_server("greedy", |_| {}, &changes);
    let workload = Workload::of_images(&engine.image("stub:plain"), "").image("greedy", &greedy.reference, "").image(
        "preload",
        &engine.image("stub-faulty:preload"),
        "",
    );
    lab.plan(&workload);
    let check = |more: &[&str]| {
        let output = lab.bench(&[&["check", "x.toml"], more].concat());
        assert_eq!(code(&output), 12, "one of them cannot be used: {}", stderr(&output));
        stdout(&output)
    };
    assert!(check(&[]).contains("  image of greedy: not here yet; bench check --pull gets it\n"), "{}", check(&[]));
    let said = check(&["--pull"]);
    let id = engine.docker(&["image", "inspect", "--format", "{{.Id}}", &greedy.reference]);
    assert!(said.contains(&format!("  image of greedy: {id} (")), "{said}");
    for note in [
        "    note: it runs as root",
        "    note: it declares the volume /data",
        "    note: it exposes the ports 22/tcp, 8000/tcp, 9000/udp",
        "    note: it sets NVIDIA_VISIBLE_DEVICES",
        "  image of preload: CANNOT BE USED: it sets LD_PRELOAD=/tmp/hook.so",
    ] {
        assert!(said.contains(note), "`{note}` in {said}");
    }
    assert_eq!(check(&[]), said, "and it is here now");
    assert_eq!(lab.runs().len(), 0);
}

#[test]
fn what_an_image_wants_it_does_not_get() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let workload = Workload::of_images(&engine.image("stub-faulty:ports"), "")
        .image("volume", &engine.image("stub-faulty:volume"), "")
        .image("root", &engine.image("stub-faulty:root"), "");
    let output = lab.run(&workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let contract = |arm: &str| lab.trial(arm).trial.server.container.unwrap().contract;
    assert_eq!(contract("baseline").ports, [""; 0]);
    assert!(contract("volume").tmpfs.contains_key("/data"), "a folder that goes with its container");
    let wants = &lab.bundle().environments().unwrap()[0].images;
    assert!(wants["root"].wants[0].contains("it runs as root"), "{:?}", wants["root"]);
    assert!(wants["volume"].wants[0].contains("/data"), "{:?}", wants["volume"]);
    assert!(wants["baseline"].wants[0].contains("9000/udp"), "{:?}", wants["baseline"]);
    // Volumes and users are the images' own; one contract holds for all the same.
    assert_eq!(code(&lab.on_bundles(&["verify"])), 0);
}
