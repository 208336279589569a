//! A real engine writes, and loads, what `runner::archive` reads.
#![allow(clippy::unwrap_used)]

#[path = "../../bench/tests/support/engine.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of bench")]
mod engine;

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use engine::Engine;
use lab::Digest;
use runner::archive::{Archive, Layout};
use serde_json::{Value, json};

/// An image of the engine's own, by id: one layer that no other image holds.
fn imported(engine: &Engine, folder: &Path) -> String {
    fs::write(folder.join("file"), folder.display().to_string()).unwrap();
    let layer = folder.join("layer.tar");
    tar(folder, &layer, &["file"]);
    engine.docker(&["import", layer.to_str().unwrap()])
}

fn tar(folder: &Path, out: &Path, names: &[&str]) {
    assert!(Command::new("tar").arg("-C").arg(folder).arg("-cf").arg(out).args(names).status().unwrap().success());
}

/// Loads the archive's image and says which images the engine then has by its id.
fn load(engine: &Engine, path: &Path, archive: &Archive) -> String {
    let mut docker = Command::new("docker")
        .args(["load", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    io::copy(&mut archive.reader(path).unwrap(), &mut docker.stdin.take().unwrap()).unwrap();
    assert!(docker.wait().unwrap().success(), "the engine loads it");
    engine.docker(&["image", "inspect", "--format", "{{.Id}} {{.RepoTags}}", &archive.config.to_string()])
}

fn forget(engine: &Engine, id: &str) {
    engine.docker(&["image", "rm", "--force", id]);
    assert!(!engine.try_docker(&["image", "inspect", id]).status.success(), "it is gone");
}

#[test]
fn what_the_engine_saves_it_loads_again_as_the_same_image() {
    let Some(engine) = Engine::from_env() else { return };
    let folder = tempfile::tempdir().unwrap();
    let id = imported(&engine, folder.path());
    // The name in the archive is one that loading must not give to anything.
    let tag = format!("{}-saved", engine.tag("archive"));
    engine.docker(&["tag", &id, &tag]);
    let path = folder.path().join("image.tar");
    engine.docker(&["save", "--output", path.to_str().unwrap(), &tag]);
    forget(&engine, &id);
    let archive = Archive::read(&path).unwrap();
    assert_eq!((archive.kind, archive.config.to_string()), (Layout::DockerSave, id.clone()));
    assert_eq!(archive.layers, [Digest::of_file(&folder.path().join("layer.tar")).unwrap().0]);
    assert_eq!(load(&engine, &path, &archive), format!("{id} []"));
    forget(&engine, &id);
}

#[test]
fn an_oci_layout_is_loaded_as_the_image_of_its_configuration() {
    let Some(engine) = Engine::from_env() else { return };
    for packed in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (path, config) = layout(folder.path(), packed);
        let archive = Archive::read(&path).unwrap();
        assert_eq!((archive.kind, archive.config), (Layout::Oci, config));
        assert_eq!(load(&engine, &path, &archive), format!("{config} []"), "packed: {packed}");
        forget(&engine, &config.to_string());
    }
}

#[test]
fn the_engine_refuses_a_packed_layer_that_is_another_than_the_configuration_says() {
    let Some(engine) = Engine::from_env() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_, config) = layout(folder.path(), true);
    let blobs = folder.path().join("blobs/sha256");
    let text = fs::read_to_string(blobs.join(config.hex())).unwrap();
    let layer = Digest::of_file(&folder.path().join("layer.tar")).unwrap().0;
    let other = text.replace(&layer.hex(), &Digest::of("another").hex());
    let manifest = fs::read_to_string(blobs.join(named_in(folder.path()).hex())).unwrap();
    let manifest = manifest.replace(&config.hex(), &Digest::of(&other).hex());
    put(folder.path(), other.as_bytes());
    let path = finish(folder.path(), &manifest);
    let archive = Archive::read(&path).unwrap();
    let mut tar = Vec::new();
    io::copy(&mut archive.reader(&path).unwrap(), &mut tar).unwrap();
    fs::write(&path, tar).unwrap();
    let loaded = engine.try_docker(&["load", "--quiet", "--input", path.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&loaded.stderr).into_owned();
    assert!(!loaded.status.success() && text.contains("invalid diffID"), "{text}");
}

/// An OCI layout of one image in a tar file, and the digest of its configuration.
fn layout(folder: &Path, packed: bool) -> (std::path::PathBuf, Digest) {
    fs::write(folder.join("file"), folder.display().to_string()).unwrap();
    let layer = folder.join("layer.tar");
    tar(folder, &layer, &["file"]);
    let unpacked = Digest::of_file(&layer).unwrap().0;
    let mut bytes = fs::read(&layer).unwrap();
    if packed {
        bytes = Command::new("gzip").args(["--stdout"]).arg(&layer).output().unwrap().stdout;
    }
    let config = json!({
        "os": "linux", "architecture": "amd64", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [unpacked] },
    })
    .to_string();
    let form = if packed { "+gzip" } else { "" };
    let described = |kind: &str, bytes: &[u8]| -> Value {
        json!({
            "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": Digest::of(bytes), "size": bytes.len(),
        })
    };
    let manifest = json!({
        "schemaVersion": 2,
        "config": described("config.v1+json", config.as_bytes()),
        "layers": [described(&format!("layer.v1.tar{form}"), &bytes)],
    });
    put(folder, &bytes);
    let digest = put(folder, config.as_bytes());
    (finish(folder, &manifest.to_string()), digest)
}

fn put(folder: &Path, bytes: &[u8]) -> Digest {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let digest = Digest::of(bytes);
    fs::write(blobs.join(digest.hex()), bytes).unwrap();
    digest
}

fn finish(folder: &Path, manifest: &str) -> std::path::PathBuf {
    let digest = put(folder, manifest.as_bytes());
    let index = json!({ "schemaVersion": 2, "manifests": [{ "digest": digest, "size": manifest.len() }] });
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let path = folder.join("image.tar");
    tar(folder, &path, &["oci-layout", "index.json", "blobs"]);
    path
}

/// The digest of the manifest that a layout names.
fn named_in(folder: &Path) -> Digest {
    let index: Value = serde_json::from_str(&fs::read_to_string(folder.join("index.json")).unwrap()).unwrap();
    index["manifests"][0]["digest"].as_str().unwrap().parse().unwrap()
}
