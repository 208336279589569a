//! Strangers' servers: containers of a Docker engine. The only module that knows Docker.
//!
//! `README.md` of this crate lists the threats and what stands against each of them.

mod contract;
/// The engine itself.
pub mod engine;
mod image;
mod launch;
mod reap;
mod registry;
mod running;

use std::{
    cell::Cell,
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use lab::{
    Digest, Kind, Problem, Result,
    environment::{Environment, ImageFacts, Layout},
    records::Class,
    workload::{Arm, Binds, Server as Had, Workload},
};

pub use engine::Engine;
pub use image::Image;
pub use launch::Launch;
pub use running::Server;

use crate::{
    cores::{self, Topology},
    gpu,
    progress::{Event, Observer},
    server::{self, NotReady},
};

/// All that the containers of a run have in common, and the images of its arms. Dropping it
/// removes them.
pub struct Containers {
    engine: Engine,
    bench: PathBuf,
    layout: Layout,
    memory: u64,
    gpus: Vec<gpu::Leased>,
    driver: String,
    binds: BTreeMap<String, Digest>,
    images: BTreeMap<String, std::result::Result<Image, NotReady>>,
    ended: Cell<bool>,
}

impl Drop for Containers {
    /// After Ctrl-C or a failure there is nobody left to wait for a removal, so it is waited
    /// for here.
    fn drop(&mut self) {
        if !self.ended.get() {
            reap::reap_now(self.engine.making.load(Ordering::Relaxed));
        }
    }
}

impl Containers {
    /// Gets every image that `arms` name, before anything is measured. An image that cannot
    /// be had fails its own arm's trials only, unless nothing can be compared without it.
    pub async fn prepare(
        workload: &Workload,
        arms: &[(&str, &Arm)],
        bench: &Path,
        gpus: &gpu::Held,
        observer: &dyn Observer,
    ) -> Result<Option<Self>> {
        if !arms.iter().any(|(_, arm)| matches!(arm.server, Had::Image { .. })) {
            return Ok(None);
        }
        let engine = Engine::connect().await?;
        reap::reap(&engine).await?;
        let node = gpus.leased().first().and_then(|gpu| gpu.node);
        let client = &workload.client;
        let layout = cores::layout(&Topology::here()?, &workload.container.cores, &client.cores, client.threads, node)?;
        let mut containers = Containers {
            bench: bench.to_owned(),
            memory: memory(workload, &engine)?,
            gpus: gpus.leased().to_vec(),
            driver: gpus.driver(),
            binds: BTreeMap::new(),
            images: BTreeMap::new(),
            layout,
            engine,
            ended: Cell::new(false),
        };
        for (name, arm) in arms {
            containers.add(workload, name, arm, observer).await?;
        }
        Ok(Some(containers))
    }

    async fn add(&mut self, workload: &Workload, name: &str, arm: &Arm, observer: &dyn Observer) -> Result<()> {
        let Had::Image { source, binds, .. } = &arm.server else { return Ok(()) };
        let common = workload.container.binds.iter().map(|(inside, outside)| (inside.clone(), outside));
        let own = binds.iter().map(|(inside, outside)| (format!("{name}:{inside}"), outside));
        for (inside, outside) in common.chain(own) {
            if let Entry::Vacant(place) = self.binds.entry(inside) {
                observer.see(&Event::Stage(&format!("reading what containers see as {}", place.key())));
                let digest = Digest::of_host_folder(outside)
                    .map_err(|e| Problem::io(Kind::Machine, "read a folder that containers see", outside, &e))?;
                place.insert(digest);
            }
        }
        observer.see(&Event::Stage(&format!("getting the image of {name}")));
        let mut had = image::have(&self.engine, name, source, &workload.limits, observer).await;
        if let Err(NotReady { class: Class::Host, detail }) = &had {
            observer.see(&Event::Again { why: &format!("the image of {name}: {detail}") });
            had = image::have(&self.engine, name, source, &workload.limits, observer).await;
        }
        if let (Err(not), lab::workload::BASELINE) = (&had, name) {
            let kind = if not.class == Class::Host { Kind::Machine } else { Kind::Image };
            return Err(Problem::new(kind, format!("the baseline's image: {}", not.detail))
                .next("nothing can be compared without it; see `bench doctor`"));
        }
        self.images.insert(name.to_owned(), had);
        Ok(())
    }

    /// What the environment record says of them.
    pub fn describe(&self, environment: &mut Environment) {
        let mut engine = self.engine.facts.clone();
        engine.cores = cores::engine_cores(Path::new("/")).map(|cores| cores::written(&cores));
        environment.engine = Some(engine);
        environment.layout = Some(self.layout.clone());
        environment.binds = self.binds.clone();
        let had = self.images.iter().filter_map(|(arm, had)| Some((arm.clone(), had.as_ref().ok()?.facts.clone())));
        environment.images = had.collect();
    }

    /// Cores of everything in this program that does not measure.
    pub fn rest(&self) -> &[u32] {
        &self.layout.rest
    }

    /// How an arm's server is had for a model on so many GPUs.
    pub fn launch(
        &self,
        workload: &Workload,
        name: &str,
        arm: &Arm,
        model: &str,
        gpus: u32,
        run: &str,
    ) -> Result<server::Launch> {
        let Had::Image { args, binds, .. } = &arm.server else {
            return Err(Problem::machine(format!("{name} is no image")));
        };
        let image = match self.images.get(name) {
            Some(Ok(image)) => image.clone(),
            Some(Err(not)) => return Ok(server::Launch::Unavailable(not.clone())),
            None => return Err(Problem::machine(format!("the image of {name} was not prepared"))),
        };
        let gpus = self.gpus.get(..gpus as usize).unwrap_or(&self.gpus).to_vec();
        let grant = gpu::grant(workload.container.gpu, &gpus, &self.driver, Path::new("/"))?;
        let model = &workload.models[model];
        let mut folders: Binds = workload.container.binds.clone();
        folders.extend(binds.clone());
        folders.insert(launch::MODELS.to_owned(), model.path.clone());
        for outside in folders.values_mut() {
            *outside = outside
                .canonicalize()
                .map_err(|e| Problem::io(Kind::Machine, "find a folder that containers see", outside, &e))?;
        }
        Ok(server::Launch::Container(Box::new(Launch {
            engine: self.engine.clone(),
            bench: self.bench.clone(),
            run: run.to_owned(),
            image,
            args: args.clone(),
            env: arm.env.clone(),
            container: workload.container.clone(),
            memory: self.memory,
            layout: self.layout.clone(),
            folders,
            served_name: model.served_name.clone(),
            gpus,
            grant,
        })))
    }

    /// At the end nothing is left.
    pub async fn end(&self) -> Result<()> {
        reap::reap(&self.engine).await?;
        self.ended.set(true);
        Ok(())
    }
}

/// The memory of every container: as declared, or three quarters of the host's, so that a
/// server that takes all of its own leaves the client and the engine theirs.
fn memory(workload: &Workload, engine: &Engine) -> Result<u64> {
    let host = engine.info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    match (workload.container.memory, host) {
        (Some(asked), Some(host)) if asked.0 > host => {
            Err(Problem::machine(format!("{asked} of memory are asked for, this host has {host} bytes"))
                .at("container.memory")
                .next("write less, or leave it out for three quarters of the host's"))
        }
        (Some(asked), _) => Ok(asked.0),
        (None, Some(host)) => Ok((host / 4 * 3) >> 20 << 20),
        (None, None) => Err(Problem::machine("the engine does not say how much memory this host has")
            .at("container.memory")
            .next("write how much a container may have")),
    }
}

/// An image for a person to look at: what the engine has, none where it has none, or why it
/// cannot be used.
pub type Found = std::result::Result<Option<ImageFacts>, NotReady>;

/// Every arm's image. What the engine does not have is got first, if `get` is there to watch.
pub async fn look(engine: &Engine, workload: &Workload, get: Option<&dyn Observer>) -> BTreeMap<String, Found> {
    let mut found = BTreeMap::new();
    for (name, arm) in workload.arms().chain(workload.reference().map(|arm| ("reference", arm))) {
        let Had::Image { source, .. } = &arm.server else { continue };
        let image = match get {
            Some(observer) => image::have(engine, name, source, &workload.limits, observer).await.map(Some),
            None => image::described(engine, source, &workload.limits).await,
        };
        found.insert(name.to_owned(), image.map(|image| image.map(|image| image.facts)));
    }
    found
}
