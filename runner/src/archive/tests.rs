use std::{fs, io::Read as _};

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::*;

/// An archive in the making: names with contents, a link's behind an arrow.
#[derive(Clone, Default)]
struct Made(Vec<(String, Vec<u8>)>);

impl Made {
    fn with(mut self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        self.0.push((name.into(), contents.as_ref().to_vec()));
        self
    }

    fn json(self, name: &str, value: &Value) -> Self {
        self.with(name, value.to_string())
    }

    fn blob(self, contents: impl AsRef<[u8]>) -> Self {
        self.with(&blob(&contents), contents)
    }

    fn without(mut self, name: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, contents) in &self.0 {
            let mut header = tar::Header::new_gnu();
            if let Some((name, target)) = name.split_once(" -> ") {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                tar.append_link(&mut header, name, target).unwrap();
            } else {
                header.set_size(contents.len() as u64);
                tar.append_data(&mut header, name, contents.as_slice()).unwrap();
            }
        }
        tar.into_inner().unwrap()
    }

    fn read(&self) -> Result<Archive> {
        read(&self.bytes())
    }

    fn refused(&self) -> String {
        self.read().unwrap_err().what
    }
}

fn read(bytes: &[u8]) -> Result<Archive> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Archive::read(file.path())
}

fn blob(contents: &impl AsRef<[u8]>) -> String {
    format!("blobs/sha256/{}", Digest::of(contents).hex())
}

fn described(contents: &str) -> Value {
    json!({ "digest": Digest::of(contents), "size": contents.len() })
}

const LAYERS: [&str; 3] = ["lowest layer", "empty", "highest layer"];

fn config_of(architecture: &str) -> String {
    let diff_ids = [LAYERS[0], LAYERS[1], LAYERS[2], LAYERS[1]].map(Digest::of);
    json!({ "os": "linux", "architecture": architecture, "rootfs": { "diff_ids": diff_ids } }).to_string()
}

fn config() -> String {
    config_of("amd64")
}

/// What `docker save` wrote up to version 24: a repeated layer is a link.
fn saved() -> Made {
    let name = format!("{}.json", Digest::of(config()).hex());
    let layers = ["a/layer.tar", "b/layer.tar", "c/layer.tar", "d/layer.tar"];
    Made::default()
        .with("a/layer.tar", LAYERS[0])
        .with("b/layer.tar", LAYERS[1])
        .with("c/layer.tar", LAYERS[2])
        .with("d/layer.tar -> ../b/layer.tar", "")
        .with(&name, config())
        .json("manifest.json", &json!([{ "Config": name, "RepoTags": ["ubuntu:latest"], "Layers": layers }]))
        .with("repositories", "{}")
}

fn manifest_of(config: &str) -> String {
    let layers = [LAYERS[0], LAYERS[1], LAYERS[2], LAYERS[1]].map(described);
    json!({ "schemaVersion": 2, "config": described(config), "layers": layers }).to_string()
}

fn with_blobs(config: &str) -> Made {
    let made = LAYERS.iter().fold(Made::default(), |made, layer| made.blob(layer));
    made.with("oci-layout", "{}").blob(config).blob(manifest_of(config))
}

fn oci() -> Made {
    with_blobs(&config()).json("index.json", &json!({ "manifests": [described(&manifest_of(&config()))] }))
}

fn digests() -> [Digest; 4] {
    [LAYERS[0], LAYERS[1], LAYERS[2], LAYERS[1]].map(Digest::of)
}

#[test]
fn what_docker_saved_is_an_image() {
    let archive = saved().read().unwrap();
    assert_eq!((archive.kind, archive.config, archive.manifest), (Layout::DockerSave, Digest::of(config()), None));
    assert_eq!(archive.layers, digests());
    let bytes = saved().bytes();
    assert_eq!((archive.digest, archive.bytes), (Digest::of(&bytes), bytes.len() as u64));
}

#[test]
fn an_oci_layout_is_an_image() {
    let archive = oci().read().unwrap();
    let manifest = Some(Digest::of(manifest_of(&config())));
    assert_eq!((archive.kind, archive.config, archive.manifest), (Layout::Oci, Digest::of(config()), manifest));
    assert_eq!(archive.layers, digests());
}

#[test]
fn of_several_platforms_this_one_is_taken_also_from_an_index_in_an_index() {
    let (here, other) = (manifest_of(&config()), manifest_of(&config_of("arm64")));
    let mut choices = [described(&here), described(&other)];
    choices[0]["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    choices[1]["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    let index = json!({ "manifests": choices });
    let inner = index.to_string();
    let made = with_blobs(&config()).blob(&other);
    let flat = made.clone().json("index.json", &index);
    let nested = made.clone().blob(&inner).json("index.json", &json!({ "manifests": [described(&inner)] }));
    for archive in [flat, nested] {
        assert_eq!(archive.read().unwrap().manifest, Some(Digest::of(&here)));
    }
    choices[1]["platform"] = choices[0]["platform"].clone();
    let both = made.json("index.json", &json!({ "manifests": choices }));
    assert_eq!(both.refused(), "it holds 2 images, 2 of them for linux/amd64");
}

#[test]
fn an_image_for_another_platform_is_refused() {
    let config = config_of("arm64");
    let made = with_blobs(&config).json("index.json", &json!({ "manifests": [described(&manifest_of(&config))] }));
    assert_eq!(made.refused(), "its image is for linux/arm64, this host is linux/amd64");
}

#[test]
fn every_altered_byte_is_found() {
    for (made, name, expected) in [
        (saved(), "a/layer.tar".to_owned(), "a layer's digest is"),
        (saved(), format!("{}.json", Digest::of(config()).hex()), "its configuration's digest is"),
        (oci(), blob(&LAYERS[2]), "are named"),
        (oci(), blob(&config()), "are named"),
        (oci(), blob(&manifest_of(&config())), "are named"),
    ] {
        let mut altered = made.clone();
        let (_, bytes) = altered.0.iter_mut().find(|(n, _)| *n == name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert!(altered.refused().contains(expected), "{name}: {}", altered.refused());
        let refused = made.without(&name).refused();
        assert_eq!(refused, format!("it holds no `{name}`"));
    }
}

#[test]
fn layers_and_their_list_have_to_agree() {
    let other = config().replace(&Digest::of(LAYERS[0]).to_string(), &Digest::of("x").to_string());
    let made = with_blobs(&other).json("index.json", &json!({ "manifests": [described(&manifest_of(&other))] }));
    assert!(made.refused().starts_with("a layer's digest is"), "{}", made.refused());
    let fewer = json!([{ "Config": format!("{}.json", Digest::of(config()).hex()), "Layers": ["a/layer.tar"] }]);
    let made = saved().without("manifest.json").json("manifest.json", &fewer);
    assert_eq!(made.refused(), "it holds 1 layers, its configuration names 4");
}

#[test]
fn an_archive_that_names_two_images_is_refused() {
    let image = json!({ "Config": "c.json", "Layers": [] });
    assert_eq!(Made::default().json("manifest.json", &json!([image, image])).refused(), "it holds 2 images");
    // Newer engines write both lists.
    let config = json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": [] } });
    let list = json!([{ "Config": "c.json", "RepoTags": null, "Layers": [] }]);
    let made = oci().json("c.json", &config).json("manifest.json", &list);
    assert_eq!(made.refused(), "manifest.json and index.json name different images");
}

#[test]
fn what_is_no_archive_is_refused() {
    for (bytes, expected) in [
        (b"no archive".to_vec(), "this is no archive of an image: it holds an end in the middle"),
        (b"\x1f\x8b\x08\0\0\0\0".to_vec(), "the archive as a whole is compressed"),
        (Made::default().with("x", "").bytes(), "it holds neither manifest.json nor index.json"),
        (saved().with("repositories", "").bytes(), "it holds `repositories` twice"),
        (saved().bytes()[..2000].to_vec(), "this is no archive of an image: it holds an end in the middle"),
    ] {
        assert_eq!(read(&bytes).unwrap_err().what, expected);
    }
    assert_eq!(Archive::read(Path::new("/nowhere")).unwrap_err().kind, Kind::Image);
}

#[test]
fn hostile_archives_are_bounded() {
    let long = vec![b' '; LONGEST_JSON_BYTES as usize + 1];
    assert_eq!(Made::default().with("index.json", long).refused(), "`index.json` is longer than 4194304 bytes");
    let many = (0..=MOST_ENTRIES).fold(Made::default(), |made, n| made.with(&n.to_string(), ""));
    assert_eq!(many.refused(), "it holds more than 100000 entries");
    let outside = json!([{ "Config": "../../etc/passwd", "Layers": ["../x"] }]);
    assert_eq!(Made::default().json("manifest.json", &outside).refused(), "it holds no `../../etc/passwd`");
    // A link to a link, or to itself, is followed once.
    let circle = json!([{ "Config": "a", "Layers": [] }]);
    assert_eq!(Made::default().with("a -> a", "").json("manifest.json", &circle).refused(), "it holds no `a`");
    // An index that is its own only manifest cannot be made; one that goes on for ever can be long.
    let inner = json!({ "manifests": [described("{}")] }).to_string();
    let nested = (0..5).fold((Made::default().blob("{}").blob(&inner), inner), |(made, inner), _| {
        let outer = json!({ "manifests": [described(&inner)] }).to_string();
        (made.blob(&outer), outer)
    });
    let (made, top) = nested;
    assert_eq!(made.with("index.json", top).refused(), "its index.json leads to no manifest of an image");
}

#[tokio::test]
async fn what_is_loaded_is_the_image_alone_and_the_same_image() {
    for made in [saved().with("evil", "x"), oci().with("evil", "x")] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), made.bytes()).unwrap();
        let archive = Archive::read(file.path()).unwrap();
        let mut bytes = Vec::new();
        archive.reader(file.path()).unwrap().read_to_end(&mut bytes).unwrap();
        let loaded = read(&bytes).unwrap();
        assert_eq!(
            (loaded.config, loaded.manifest, &loaded.layers),
            (archive.config, archive.manifest, &archive.layers)
        );
        assert_eq!(loaded.kind, Layout::DockerSave, "every engine reads manifest.json");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("evil") && !text.contains("ubuntu") && text.contains("\"RepoTags\":null"));
        let parts: Vec<_> = archive.loadable(file.path()).unwrap().collect().await;
        let parts: Vec<u8> = parts.into_iter().flat_map(|part| part.unwrap()).collect();
        assert!(parts == bytes, "the stream is what the reader reads");
    }
}
