//! Images in files: run as those of a registry are.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use lab::{
    Digest,
    records::{Class, TrialOutcome},
};
use serde_json::{Value, json};

use crate::{
    running::assert_nothing_left,
    support::{
        Lab, Workload, code,
        engine::{Engine, Pushed},
        stderr, stdout,
    },
};

fn tar(arguments: &[&str]) {
    assert!(Command::new("tar").args(arguments).status().unwrap().success());
}

/// An image in a file that `docker save` made; the engine then has it no more.
fn saved(engine: &Engine, pushed: &Pushed<'_>, path: &Path) -> String {
    engine.docker(&["pull", "--quiet", &pushed.reference]);
    let id = engine.docker(&["image", "inspect", "--format", "{{.Id}}", &pushed.reference]);
    engine.docker(&["save", "--output", path.to_str().unwrap(), &id]);
    pushed.forget();
    assert!(!engine.try_docker(&["image", "inspect", &id]).status.success(), "the engine has it no more");
    id
}

/// The image of a saved archive as an OCI layout, under another label, so that it is another
/// image.
fn layout(archive: &Path, folder: &Path) -> (PathBuf, String) {
    let (from, to) = (folder.join("saved"), folder.join("layout"));
    fs::create_dir_all(&from).unwrap();
    fs::create_dir_all(to.join("blobs/sha256")).unwrap();
    tar(&["-C", from.to_str().unwrap(), "-xf", archive.to_str().unwrap()]);
    let read = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let manifest = read(&from.join("manifest.json"))[0].clone();
    let put = |bytes: Vec<u8>, kind: &str| {
        let digest = Digest::of(&bytes);
        fs::write(to.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
        let media = format!("application/vnd.oci.image.{kind}");
        json!({ "mediaType": media, "digest": digest.to_string(), "size": bytes.len() })
    };
    let mut config = read(&from.join(manifest["Config"].as_str().unwrap()));
    config["config"]["Labels"] = json!({ "packed": "as an OCI layout" });
    let config = put(serde_json::to_vec(&config).unwrap(), "config.v1+json");
    let id = config["digest"].as_str().unwrap().to_owned();
    let layers = manifest["Layers"].as_array().unwrap().iter();
    let layers: Vec<Value> =
        layers.map(|layer| put(fs::read(from.join(layer.as_str().unwrap())).unwrap(), "layer.v1.tar")).collect();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers });
    let manifest = put(serde_json::to_vec(&manifest).unwrap(), "manifest.v1+json");
    fs::write(to.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(to.join("index.json"), json!({ "schemaVersion": 2, "manifests": [manifest] }).to_string()).unwrap();
    let path = folder.join("layout.tar");
    tar(&["-C", to.to_str().unwrap(), "-cf", path.to_str().unwrap(), "oci-layout", "index.json", "blobs"]);
    (path, id)
}

/// A copy with a changed byte, in the middle of its only layer.
fn flip(path: &Path, to: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(to, bytes).unwrap();
}

#[test]
fn an_image_is_measured_and_judged_alike_however_it_came() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let (pulled, other) = (engine.pushed_server("pulled", |_| {}, &[]), engine.pushed_server("saved", |_| {}, &[]));
    let path = lab.path("saved.tar");
    let saved = saved(&engine, &other, &path);
    let (oci, oci_id) = layout(&path, lab.folder.path());
    let of_stub = Workload::of_images(&engine.image("stub:plain"), "--ttft 2ms --itl 200us");
    let workload = Workload { rounds: 6, requests: 10, concurrency: 5, ..of_stub }
        .graded(10)
        .image("pulled", &pulled.reference, "")
        .archive("saved", &path, "")
        .archive("layout", &oci, "");
    let output = lab.run(&workload);
    let here = |id: &str| engine.try_docker(&["image", "inspect", id]).status.success();
    let loaded = (here(&saved), here(&oci_id));
    engine.try_docker(&["image", "rm", "--force", &saved, &oci_id]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(loaded, (true, true), "both were loaded");

    let environment = &lab.bundle().environments().unwrap()[0];
    let id = |arm: &str| environment.images[arm].id.to_string();
    assert_eq!((id("saved"), id("layout")), (saved, oci_id));
    let judge = lab.on_bundles(&["judge", "--json"]);
    assert_eq!(code(&judge), 0, "all are equivalent: {}", stdout(&judge));
    let judgement: Value = serde_json::from_str(&stdout(&judge)).unwrap();
    let outcomes = |candidate: &Value| candidate["outcomes"].clone();
    let all: Vec<Value> = judgement["candidates"].as_array().unwrap().iter().map(outcomes).collect();
    assert_eq!(all, vec![json!([["complete", 60]]); 3]);
    assert_nothing_left(&engine, &lab);
}

#[test]
fn an_archive_that_is_not_here_yet_can_be_checked_and_not_run() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let path = lab.path("saved.tar");
    saved(&engine, &engine.pushed_server("away", |_| {}, &[]), &path);
    lab.plan(&Workload::of_images(&engine.image("stub:plain"), "--ttft 2ms").archive("away", &path, ""));
    fs::remove_file(&path).unwrap();
    let checked = lab.bench(&["check", "x.toml"]);
    assert_eq!(code(&checked), 0, "{}", stderr(&checked));
    assert!(stdout(&checked).contains("saved.tar is not on this host; `bench run` needs it\n"), "{}", stdout(&checked));
    // Nothing can get it, and nothing is measured without it.
    let pulled = lab.bench(&["check", "x.toml", "--pull"]);
    assert_eq!(code(&pulled), 12, "{}", stderr(&pulled));
    assert!(stdout(&pulled).contains("saved.tar: the archive is not there"), "{}", stdout(&pulled));
    assert_eq!(code(&lab.bench(&["run", "x.toml"])), 0);
    let outcome = lab.trial("away").trial.outcome;
    assert!(matches!(&outcome, TrialOutcome::Failed { class: Class::Host, .. }), "{outcome:?}");
}

#[test]
fn a_changed_byte_in_an_archive_is_the_images_failure() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let path = lab.path("saved.tar");
    saved(&engine, &engine.pushed_server("changed", |_| {}, &[]), &path);
    // Another valid file than the declared one; a file that was changed after it was declared;
    // one that was declared as it is, with a layer that is not the image's.
    let (other, changed, forged) = (lab.path("other.tar"), lab.path("changed.tar"), lab.path("forged.tar"));
    fs::copy(&path, &other).unwrap();
    fs::copy(&path, &changed).unwrap();
    flip(&path, &forged);
    let workload = Workload::of_images(&engine.image("stub:plain"), "--ttft 2ms")
        .archive("other", &other, "")
        .archive("changed", &changed, "")
        .archive("forged", &forged, "");
    // The end of a tar file is zeros, and any number of them.
    fs::File::options().append(true).open(&other).unwrap().write_all(&[0; 512]).unwrap();
    flip(&path, &changed);
    let output = lab.run(&workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for (arm, words) in [
        ("other", "other.tar: the file's digest is"),
        ("changed", "changed.tar: a layer's digest is"),
        ("forged", "forged.tar: a layer's digest is"),
    ] {
        let outcome = lab.trial(arm).trial.outcome;
        let TrialOutcome::Failed { class: Class::Image, detail } = outcome else { panic!("{arm}: {outcome:?}") };
        assert!(detail.contains(words), "{arm}: {detail}");
    }
    assert_eq!(code(&lab.on_bundles(&["verify"])), 0);
    assert_nothing_left(&engine, &lab);
}
