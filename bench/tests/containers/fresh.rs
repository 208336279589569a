//! What a server leaves, the next one does not find.

use std::{collections::BTreeSet, fs};

use crate::{
    running::{Run, assert_nothing_left, patient},
    support::{Lab, Workload, code, engine::Engine, stderr},
};

fn volumes(engine: &Engine) -> BTreeSet<String> {
    engine.docker(&["volume", "ls", "--quiet"]).lines().map(str::to_owned).collect()
}

/// Two trials of one run; what is written in the first is looked for in the second.
fn remembers(engine: &Engine, image: &str, container: &str, places: &[&str]) {
    let lab = Lab::new();
    let mut workload = patient(Workload::of_images(&engine.image(image), "--mode never-ready"));
    workload.rounds = 2;
    workload.container += container;
    let before = volumes(engine);
    let run = Run::start(&lab, &workload);
    let first = run.container(engine, &[]);
    for place in places {
        let file = first.path(&format!("{place}/left"));
        fs::write(&file, "by the first").unwrap_or_else(|e| panic!("{place}: {e}"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "by the first");
    }
    assert!(fs::write(first.path("/left"), "").is_ok() == places.contains(&""), "the root is written where it may be");
    engine.docker(&["kill", &first.id]);
    let second = run.container(engine, &[&first]);
    for place in places {
        assert!(fs::metadata(second.path(&format!("{place}/."))).is_ok(), "{place} is there");
        assert!(fs::metadata(second.path(&format!("{place}/left"))).is_err(), "{place} was kept");
    }
    engine.docker(&["kill", &second.id]);
    let output = run.end();
    assert_eq!(code(&output), 13, "{}", stderr(&output));
    assert_nothing_left(engine, &lab);
    assert!(volumes(engine).is_subset(&before), "no volume is left");
}

#[test]
fn a_trial_finds_nothing_of_the_one_before_it() {
    let Some(engine) = Engine::from_env() else { return };
    // `/data` is a volume of this image: storage that outlives containers everywhere else.
    remembers(&engine, "stub-faulty:volume", "", &["/tmp", "/home/server", "/dev/shm", "/data"]);
}

#[test]
fn a_writable_root_is_as_new_in_every_trial() {
    let Some(engine) = Engine::from_env() else { return };
    let places = ["", "/tmp", "/home/server", "/data"];
    remembers(&engine, "stub-faulty:volume", "profile = \"docker-in-docker\"\n", &places);
}
