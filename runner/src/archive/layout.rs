//! Which parts make up the image.

use lab::{Digest, Result};
use serde::Deserialize;

use super::{Archive, Contents, Layout, Manifest, Parts, entries::File};

/// An index names indexes at most so deep.
const DEEPEST: usize = 3;
/// More than any engine takes.
const MOST_LAYERS: usize = 500;

/// Media types of manifests; the first where none is written.
const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// An entry of `manifest.json`.
#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "Layers")]
    layers: Option<Vec<String>>,
}

/// An OCI index or an OCI manifest: their media types may be left out.
#[derive(Deserialize)]
struct Node {
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
struct Descriptor {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    digest: Digest,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize, PartialEq, Eq, Debug)]
struct Platform {
    os: String,
    architecture: String,
}

/// What matters of an image's configuration.
#[derive(Deserialize)]
struct Config {
    os: String,
    architecture: String,
    rootfs: Unpacked,
}

#[derive(Deserialize)]
struct Unpacked {
    diff_ids: Option<Vec<Digest>>,
}

impl Contents<'_> {
    /// The one image of the archive, checked.
    pub(super) fn image(&self) -> Result<Archive> {
        let (saved, indexed) = (self.files.contains_key("manifest.json"), self.files.contains_key("index.json"));
        let oci = if indexed { Some(self.indexed()?) } else { None };
        let (kind, parts) = match (saved, oci) {
            (true, oci) => {
                let parts = self.saved()?;
                // Engines differ in which of the two they read, and shall run the same.
                if oci.as_ref().is_some_and(|oci| oci.config.digest != parts.config.digest) {
                    return Err(self.bad("manifest.json and index.json name different images"));
                }
                (Layout::DockerSave, Parts { manifest: oci.and_then(|oci| oci.manifest), ..parts })
            }
            (false, Some(parts)) => (Layout::Oci, parts),
            (false, None) => return Err(self.bad("it holds neither manifest.json nor index.json")),
        };
        let layers = self.unpacked(&parts)?;
        let (config, manifest) = (parts.config.digest, parts.manifest.map(|manifest| manifest.file.digest));
        Ok(Archive { digest: self.digest, bytes: self.bytes, config, manifest, layers, kind, parts })
    }

    /// By `manifest.json`.
    fn saved(&self) -> Result<Parts> {
        let images: Vec<Saved> = self.json("manifest.json", self.file("manifest.json")?)?;
        let [image] = images.as_slice() else {
            return Err(self.bad(&format!("it holds {} images", images.len())));
        };
        let config = self.file(&image.config)?;
        let name = image.config.rsplit(['/', ':']).next().unwrap_or_default().trim_end_matches(".json");
        if name.len() == 64 && name != config.digest.hex() {
            return Err(self.bad(&format!("its configuration's digest is {}, and not its name", config.digest)));
        }
        let layers = image.layers.iter().flatten().map(|name| self.file(name)).collect::<Result<_>>()?;
        Ok(Parts { config, manifest: None, layers })
    }

    /// By `index.json`.
    fn indexed(&self) -> Result<Parts> {
        let mut node: Node = self.json("index.json", self.file("index.json")?)?;
        let mut manifest = None;
        for _ in 0..DEEPEST {
            let Some(choices) = node.manifests.take() else { break };
            let chosen = self.choice(&choices)?;
            let file = self.blob(chosen)?;
            node = self.json(&file.digest.to_string(), file)?;
            let known = MANIFESTS.into_iter().find(|known| chosen.media_type.as_deref() == Some(known));
            manifest = Some(Manifest { file, media_type: known.unwrap_or(MANIFESTS[0]) });
        }
        let Some(config) = node.config.filter(|_| manifest.is_some()) else {
            return Err(self.bad("its index.json leads to no manifest of an image"));
        };
        let layers = node.layers.iter().flatten().map(|layer| self.blob(layer)).collect::<Result<_>>()?;
        Ok(Parts { config: self.blob(&config)?, manifest, layers })
    }

    /// The only one, or the only one for this platform.
    fn choice<'d>(&self, choices: &'d [Descriptor]) -> Result<&'d Descriptor> {
        let here = Platform::here();
        let fits = |d: &&Descriptor| choices.len() == 1 || d.platform.as_ref() == Some(&here);
        let fitting: Vec<&Descriptor> = choices.iter().filter(fits).collect();
        match fitting.as_slice() {
            [one] => Ok(one),
            _ => Err(self.bad(&format!(
                "it holds {} images, {} of them for {}/{}",
                choices.len(),
                fitting.len(),
                here.os,
                here.architecture
            ))),
        }
    }

    /// A file that its digest names.
    fn blob(&self, described: &Descriptor) -> Result<File> {
        let name = format!("blobs/sha256/{}", described.digest.hex());
        let file = self.file(&name)?;
        if (file.digest, file.size) != (described.digest, described.size) {
            let what = format!("{} bytes with the digest {}", file.size, file.digest);
            return Err(self.bad(&format!("`{name}` has {what}, and {} are named", described.size)));
        }
        Ok(file)
    }

    /// The digests of the unpacked layers, compared with those that are not packed.
    fn unpacked(&self, parts: &Parts) -> Result<Vec<Digest>> {
        let config: Config = self.json("the configuration", parts.config)?;
        let here = Platform::here();
        let Config { os, architecture, .. } = &config;
        if (os, architecture) != (&here.os, &here.architecture) {
            let made = lab::text::shown(&format!("{os}/{architecture}"), 80);
            let what = format!("its image is for {made}, this host is {}/{}", here.os, here.architecture);
            return Err(self.bad(&what).next("make it for this platform"));
        }
        let layers = config.rootfs.diff_ids.unwrap_or_default();
        if layers.len() != parts.layers.len() || layers.len() > MOST_LAYERS {
            let what = format!("it holds {} layers, its configuration names {}", parts.layers.len(), layers.len());
            return Err(self.bad(&what));
        }
        let wrong = |(file, digest): &(&File, &Digest)| !file.compressed && file.digest != **digest;
        if let Some((file, digest)) = parts.layers.iter().zip(&layers).find(wrong) {
            return Err(self.bad(&format!("a layer's digest is {}, its configuration says {digest}", file.digest)));
        }
        Ok(layers)
    }
}

impl Platform {
    /// Of this program, in the words of images.
    fn here() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Platform { os: "linux".to_owned(), architecture: architecture.to_owned() }
    }
}
