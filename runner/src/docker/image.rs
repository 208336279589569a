//! Having an image, and knowing what it is.

use std::{collections::BTreeMap, path::Path};

use bollard::{
    errors::Error,
    models::{CreateImageInfo, ImageConfig, ImageInspect},
    query_parameters::{CreateImageOptionsBuilder, ImportImageOptionsBuilder, RemoveImageOptions},
};
use futures_util::StreamExt;
use lab::{
    Bytes, Digest,
    environment::ImageFacts,
    records::Class,
    workload::{Limits, Source},
};

use super::engine::{ANSWER, Engine, in_words, within};
use crate::{
    archive::Archive,
    progress::{Event, Observer},
    server::NotReady,
};

/// An image that the engine has.
#[derive(Debug, Clone)]
pub struct Image {
    /// For the environment record.
    pub facts: ImageFacts,
    /// Folders that it declares as volumes.
    pub(super) volumes: Vec<String>,
    /// What it starts, and with which arguments where none are given; for the record.
    pub(super) entry_point: Vec<String>,
    pub(super) arguments: Vec<String>,
}

/// The disk keeps so much free, whatever is unpacked.
const RESERVE: u64 = 1 << 30;

/// Gets the image, unless the engine has it, and makes sure that it is the one asked for.
pub(super) async fn have(
    engine: &Engine,
    arm: &str,
    source: &Source,
    limits: &Limits,
    observer: &dyn Observer,
) -> Result<Image, NotReady> {
    let named = named(source)?;
    let found = find(engine, source, &named).await?;
    let before = found.is_some();
    let found = match found {
        Some(found) => found,
        None => {
            let room = Room::of(engine);
            let getting = async {
                match (source, &named) {
                    (Source::Archive { path, .. }, Named::Archive(archive)) => {
                        load(engine, path, archive, limits, &room).await
                    }
                    _ => pull(engine, arm, &named.name(), limits, &room, observer).await,
                }
            };
            let late = || host(format!("the image of {arm} was not there after {}", limits.pull));
            tokio::time::timeout(limits.pull.into(), getting).await.map_err(|_| late())??;
            let none = || image(format!("the engine has no {source} after it got it"));
            find(engine, source, &named).await?.ok_or_else(none)?
        }
    };
    let checked = checked(source, found, limits);
    if checked.is_err() && !before {
        // Nobody needs it, and it may be large. What other containers use stays.
        let _ = within(ANSWER, engine.docker.remove_image(&named.name(), None::<RemoveImageOptions>, None)).await;
    }
    checked
}

/// What the engine has of an image, if it has it. An archive that is not on this host says nothing yet.
pub(super) async fn described(engine: &Engine, source: &Source, limits: &Limits) -> Result<Option<Image>, NotReady> {
    if matches!(source, Source::Archive { path, .. } if !path.exists()) {
        return Ok(None);
    }
    match find(engine, source, &named(source)?).await? {
        Some(found) => checked(source, found, limits).map(Some),
        None => Ok(None),
    }
}

/// What the engine knows an image by.
enum Named {
    Registry(String),
    Archive(Box<Archive>),
}

impl Named {
    fn name(&self) -> String {
        match self {
            Named::Registry(name) => name.clone(),
            Named::Archive(archive) => archive.config.to_string(),
        }
    }
}

/// The image inside of an archive is read only where the file has the digest asked for.
fn named(source: &Source) -> Result<Named, NotReady> {
    let Source::Archive { path, digest } = source else { return Ok(Named::Registry(source.to_string())) };
    if !path.exists() {
        return Err(host(format!("{}: the archive is not there", path.display())));
    }
    let archive = Archive::read(path).map_err(|problem| match problem.kind {
        lab::Kind::Machine => host(problem.to_string()),
        _ => image(problem.to_string()),
    })?;
    if archive.digest != *digest {
        let (path, found) = (path.display(), archive.digest);
        return Err(image(format!("{path}: the file's digest is {found}, asked for is {digest}")));
    }
    Ok(Named::Archive(Box::new(archive)))
}

async fn find(engine: &Engine, source: &Source, named: &Named) -> Result<Option<ImageInspect>, NotReady> {
    match tokio::time::timeout(ANSWER.into(), engine.docker.inspect_image(&named.name())).await {
        Ok(Ok(found)) => Ok(Some(found)),
        Ok(Err(Error::DockerResponseServerError { status_code: 404, .. })) => Ok(None),
        Ok(Err(e)) => Err(host(format!("the engine does not say whether it has {source}: {}", in_words(&e)))),
        Err(_) => Err(host("the engine does not answer".to_owned())),
    }
}

async fn load(engine: &Engine, path: &Path, archive: &Archive, limits: &Limits, room: &Room) -> Result<(), NotReady> {
    room.fits(Bytes(archive.bytes), limits)?;
    let parts = archive.loadable(path).map_err(|problem| host(problem.to_string()))?;
    let options = ImportImageOptionsBuilder::default().quiet(true).build();
    let mut said = std::pin::pin!(engine.docker.import_image_stream(options, parts, None));
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            part = said.next() => match part {
                None => return Ok(()),
                Some(Err(e)) => {
                    return Err(image(format!("the engine cannot load {}: {}", path.display(), in_words(&e))));
                }
                Some(Ok(_)) => {}
            },
            // The engine says nothing while it unpacks.
            _ = look.tick() => room.left(limits)?,
        }
    }
}

/// Between two looks at the disk.
const LOOK: std::time::Duration = std::time::Duration::from_millis(200);

/// Ends the download as soon as an image is larger than it may be; dropping the stream makes
/// the engine stop.
async fn pull(
    engine: &Engine,
    arm: &str,
    name: &str,
    limits: &Limits,
    room: &Room,
    observer: &dyn Observer,
) -> Result<(), NotReady> {
    let options = CreateImageOptionsBuilder::default().from_image(name).build();
    let mut steps = engine.docker.create_image(Some(options), None, None);
    let mut layers = BTreeMap::new();
    while let Some(step) = steps.next().await {
        let CreateImageInfo { id, status, progress_detail, .. } = step.map_err(|e| failure(name, &in_words(&e)))?;
        let downloads = status.as_deref() == Some("Downloading");
        if let (Some(layer), Some(detail), true) = (id, progress_detail, downloads) {
            let known = |bytes: Option<i64>| bytes.and_then(|b| u64::try_from(b).ok()).unwrap_or(0);
            layers.insert(layer, (known(detail.current), known(detail.total)));
            let (done, of) = layers.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
            room.fits(Bytes(of), limits)?;
            observer.see(&Event::Pull { arm, done, of });
        }
        room.left(limits)?;
    }
    Ok(())
}

/// Whose failure a failed download is: what the registry says about the image is the
/// image's; that it cannot be asked is this host's.
fn failure(name: &str, why: &str) -> NotReady {
    let of_image = ["verification failed", "manifest unknown", "not found", "does not exist", "no matching manifest"];
    let detail = format!("{name} cannot be had: {why}");
    if of_image.iter().any(|sign| why.contains(sign)) { image(detail) } else { host(detail) }
}

/// Disk space where the engine keeps images.
struct Room {
    folder: Option<String>,
    before: Option<u64>,
}

impl Room {
    fn of(engine: &Engine) -> Self {
        let folder = engine.info.docker_root_dir.clone();
        let before = folder.as_deref().and_then(free);
        Room { folder, before }
    }

    /// Before anything is unpacked: packed layers, as far as their sizes are known.
    fn fits(&self, packed: Bytes, limits: &Limits) -> Result<(), NotReady> {
        if packed > limits.image {
            return Err(image(format!("its layers take {} bytes, limits.image allows {}", packed.0, limits.image)));
        }
        match self.before {
            Some(free) if free < packed.0 + RESERVE => {
                Err(host(format!("{} bytes of disk are free, the image needs {} and {RESERVE} beside", free, packed.0)))
            }
            _ => Ok(()),
        }
    }

    /// While it is unpacked: a small layer may hold a large file.
    fn left(&self, limits: &Limits) -> Result<(), NotReady> {
        let (Some(before), Some(now)) = (self.before, self.folder.as_deref().and_then(free)) else { return Ok(()) };
        let taken = before.saturating_sub(now);
        if taken > limits.image.0.saturating_mul(2) {
            return Err(image(format!("unpacking took {taken} bytes of disk, limits.image is {}", limits.image)));
        }
        if now < RESERVE {
            return Err(host(format!("{now} bytes of disk are left where the engine keeps images")));
        }
        Ok(())
    }
}

fn free(folder: &str) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(folder).ok()?;
    Some(stat.blocks_available() as u64 * stat.fragment_size() as u64)
}

/// The engine's view of an image, held against what was asked for.
fn checked(source: &Source, found: ImageInspect, limits: &Limits) -> Result<Image, NotReady> {
    let parse = |text: &str| text.parse::<Digest>().map_err(|e| host(format!("the engine names {source} oddly: {e}")));
    let id = parse(found.id.as_deref().unwrap_or_default())?;
    let confirmed: Vec<Digest> =
        found.repo_digests.iter().flatten().filter_map(|name| name.rsplit_once('@')?.1.parse().ok()).collect();
    let (manifest, id_of) = match source {
        Source::Registry(asked) if asked.digest == id => (Some(asked.digest), "manifest"),
        Source::Registry(asked) if confirmed.contains(&asked.digest) => (Some(asked.digest), "config"),
        Source::Registry(asked) => {
            return Err(image(format!("the engine has {id} by the name {asked}, and another manifest for it")));
        }
        Source::Archive { .. } => (None, "config"),
    };
    let bytes = found.size.and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
    if bytes > limits.image.0 {
        return Err(image(format!("unpacked it takes {bytes} bytes, limits.image allows {}", limits.image)));
    }
    let layers = found.root_fs.and_then(|fs| fs.layers).unwrap_or_default();
    let config = found.config.unwrap_or_default();
    if let Some(what) = unfit(&config) {
        return Err(image(lab::text::shown(&what, 300)));
    }
    let facts = ImageFacts {
        asked: source.to_string(),
        id,
        id_of: id_of.to_owned(),
        manifest,
        bytes,
        layers: layers.iter().map(|l| parse(l)).collect::<Result<_, _>>()?,
        wants: wants(&config),
    };
    let (entry_point, arguments) = (config.entrypoint.unwrap_or_default(), config.cmd.unwrap_or_default());
    Ok(Image { facts, volumes: config.volumes.unwrap_or_default(), entry_point, arguments })
}

/// Variables that make a program load a library: hooks of the host that inherit an image's
/// variables were escaped from this way (CVE-2025-23266).
const PRELOADS: [&str; 2] = ["LD_PRELOAD", "LD_AUDIT"];
/// Folders inside of which an image cannot declare a volume.
const OURS: [&str; 7] = ["/models", "/tmp", "/home", "/proc", "/sys", "/dev", "/etc"];
/// Volumes of an image.
const MOST_VOLUMES: usize = 16;

/// Why no container can be made of an image, or none that is like all others: what an engine
/// would stumble over is the image's and not the host's.
fn unfit(config: &ImageConfig) -> Option<String> {
    for variable in config.env.iter().flatten() {
        let (name, value) = variable.split_once('=').unwrap_or_default();
        if name.is_empty() || variable.contains('\0') {
            return Some(format!("its variable {variable:?} is none"));
        }
        if PRELOADS.contains(&name) {
            return Some(format!(
                "it sets {variable}: programs of the host would load what it names; no image needs that"
            ));
        }
        let odd = |part: &str| !part.is_empty() && (!part.starts_with('/') || part.starts_with("/proc"));
        if name == "LD_LIBRARY_PATH" && value.split([':', ';']).any(odd) {
            return Some(format!("it sets {variable}: a program of the host would look for libraries where it runs"));
        }
    }
    let volumes = config.volumes.as_deref().unwrap_or_default();
    let plain = |path: &str| {
        let mut parts = path.split('/').skip(1);
        path.starts_with('/') && parts.all(|part| !matches!(part, "" | "." | ".."))
    };
    let below = |path: &str| OURS.iter().any(|ours| path == *ours || path.starts_with(&format!("{ours}/")));
    if let Some(path) = volumes.iter().find(|path| !plain(path) || below(path)) {
        return Some(format!("it declares {path:?} as a volume, which cannot be one"));
    }
    if volumes.len() > MOST_VOLUMES {
        return Some(format!("it declares {} volumes, at most {MOST_VOLUMES} are given", volumes.len()));
    }
    let user = config.user.as_deref().unwrap_or_default();
    if user.split(':').any(|part| part.starts_with('-') || part.parse::<u64>().is_ok_and(|id| id >= 0x4000_0000)) {
        return Some(format!("its user {user:?} is above all that an image may have"));
    }
    let folder = config.working_dir.as_deref().unwrap_or_default();
    (!folder.is_empty() && !folder.starts_with('/')).then(|| format!("its working folder {folder:?} is not absolute"))
}

/// What a reader should know about an image.
fn wants(config: &ImageConfig) -> Vec<String> {
    let user = config.user.as_deref().unwrap_or_default();
    let mut wants = Vec::new();
    if matches!(user.split(':').next(), Some("" | "0" | "root")) {
        wants.push("it runs as root (of its container, without capabilities in the profile strict)".to_owned());
    }
    // Engines say the same in another order each time.
    let sorted = |said: &Option<Vec<String>>| {
        let mut all = said.clone().unwrap_or_default();
        all.sort_unstable();
        all
    };
    for path in sorted(&config.volumes) {
        wants.push(format!("it declares the volume {path}; it gets a temporary folder there"));
    }
    let ports = sorted(&config.exposed_ports);
    if ports.len() > 1 {
        wants.push(format!("it exposes the ports {}; only one is used", ports.join(", ")));
    }
    for name in config.env.iter().flatten().filter_map(|e| e.split('=').next()) {
        if name.starts_with("LD_") || name.starts_with("NVIDIA_") {
            wants.push(format!("it sets {name}; what matters of it is overridden"));
        }
    }
    if config.healthcheck.is_some() {
        wants.push("it has a health check of its own, which is not run".to_owned());
    }
    wants.iter().map(|w| lab::text::shown(w, 300)).collect()
}

fn image(detail: String) -> NotReady {
    NotReady { class: Class::Image, detail }
}

fn host(detail: String) -> NotReady {
    NotReady { class: Class::Host, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_would_stumble_over_is_the_image_s() {
        let of = |config: ImageConfig| unfit(&config);
        let list = |text: &str| Some(vec![text.to_owned()]);
        for env in
            ["=x", "X=\0", "LD_PRELOAD=/x", "LD_AUDIT=", "LD_LIBRARY_PATH=/a:b", "LD_LIBRARY_PATH=/proc/self/cwd"]
        {
            assert!(of(ImageConfig { env: list(env), ..ImageConfig::default() }).is_some(), "{env}");
        }
        for volume in ["", "x", "/", "/a/../b", "/a/", "/models/x", "/dev/shm", "/tmp"] {
            assert!(of(ImageConfig { volumes: list(volume), ..ImageConfig::default() }).is_some(), "{volume}");
        }
        for user in ["-5", "4294967295", "0:1073741824"] {
            assert!(of(ImageConfig { user: Some(user.into()), ..ImageConfig::default() }).is_some(), "{user}");
        }
        let usual = ImageConfig {
            env: list("LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64:"),
            volumes: list("/data"),
            user: Some("1000:1000".into()),
            working_dir: Some("/app".into()),
            ..ImageConfig::default()
        };
        assert_eq!(of(usual), None);
    }
}
