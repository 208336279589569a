//! What the engine of this host knows of a workload's images.

use std::collections::BTreeMap;

use lab::{
    Result,
    environment::{ImageFacts, alike},
    workload::{Server, Source, Workload},
};
use runner::{
    docker::{Engine, Found, look},
    progress::Observer,
};

use crate::progress::Lines;

/// Prints it, and says whether nothing is known against the images; with `pull`, those that
/// are not there are got first. None if interrupted.
pub(super) fn run(workload: &Workload, pull: bool) -> Result<Option<bool>> {
    let mut arms = workload.arms().map(|(_, arm)| arm).chain(workload.reference());
    if !arms.any(|arm| matches!(arm.server, Server::Image { .. })) {
        return Ok(Some(true));
    }
    let lines = Lines::new();
    let looked = crate::verbs::until_interrupted(async {
        match Engine::connect().await {
            Ok(engine) => Ok(Some(look(&engine, workload, pull.then_some(&lines as &dyn Observer)).await)),
            Err(problem) if pull => Err(problem),
            Err(_) => Ok(None),
        }
    });
    lines.end();
    match looked? {
        None => return Ok(None),
        Some(None) => {
            println!("  note: no container engine answers here, so images were not looked at; see bench doctor")
        }
        Some(Some(found)) => {
            print(workload, &found);
            return Ok(Some(found.values().all(std::result::Result::is_ok)));
        }
    }
    Ok(Some(true))
}

fn print(workload: &Workload, found: &BTreeMap<String, Found>) {
    let mut here: BTreeMap<String, ImageFacts> = BTreeMap::new();
    for (arm, image) in found {
        match image {
            Ok(Some(image)) => {
                let (layers, mib) = (image.layers.len(), image.bytes >> 20);
                println!("  image of {arm}: {} ({mib} MiB in {layers} layers)", image.id);
                image.wants.iter().for_each(|wanted| println!("    note: {wanted}"));
                here.insert(arm.clone(), image.clone());
            }
            Ok(None) => println!("  image of {arm}: {}", absent(workload, arm)),
            Err(not) => println!("  image of {arm}: CANNOT BE USED: {}", lab::text::shown(&not.detail, 400)),
        }
    }
    alike(&here).iter().for_each(|line| println!("  note: {line}"));
}

fn absent(workload: &Workload, arm: &str) -> String {
    let mut arms = workload.arms().chain(workload.reference().map(|arm| ("reference", arm)));
    match arms.find(|(name, _)| *name == arm).map(|(_, arm)| &arm.server) {
        Some(Server::Image { source: Source::Archive { path, .. }, .. }) => {
            format!("{} is not on this host; `bench run` needs it", path.display())
        }
        _ => "not here yet; bench check --pull gets it".to_owned(),
    }
}
