//! Tags in workload files become digests.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use lab::{
    Digest, Kind, Problem, Result,
    image::Tag,
    workload::{self, Tagged},
};
use runner::docker::engine::Engine;

/// A tag of several arms, or of several files, is asked for once. None if interrupted: then no
/// file has changed.
pub(super) fn run(files: &[PathBuf]) -> Result<Option<()>> {
    let mut found = Vec::new();
    for file in files {
        let source =
            fs::read_to_string(file).map_err(|e| Problem::io(Kind::Input, "read the workload file", file, &e))?;
        let tags = workload::tags(&source, file)?;
        found.push((file, source, tags));
    }
    let tags = found.iter().flat_map(|(.., tags)| tags).map(|tagged| &tagged.tag);
    let mut digests: BTreeMap<&Tag, Option<Digest>> = tags.map(|tag| (tag, None)).collect();
    if resolve(&mut digests)?.is_none() {
        return Ok(None);
    }
    for (file, source, tags) in &found {
        let digest = |tagged: &Tagged| digests.get(&tagged.tag).copied().flatten();
        let pinned: Vec<_> = tags.iter().filter_map(|tagged| Some((tagged.clone(), digest(tagged)?))).collect();
        if pinned.is_empty() {
            println!("{}: pinned already", file.display());
            continue;
        }
        let text = workload::pin(source, &pinned);
        // Only a file that is good otherwise is written.
        workload::parse(&text, file)?;
        replace(file, &text)?;
        println!("{}: pinned", file.display());
        for (tagged, digest) in &pinned {
            println!("  {}: {} → {}", tagged.field, tagged.tag, tagged.tag.pinned(*digest));
        }
    }
    Ok(Some(()))
}

fn resolve(digests: &mut BTreeMap<&Tag, Option<Digest>>) -> Result<Option<()>> {
    if digests.is_empty() {
        return Ok(Some(()));
    }
    crate::verbs::until_interrupted(async {
        let engine = Engine::connect().await?;
        for (tag, digest) in digests.iter_mut() {
            *digest = Some(engine.resolve(tag).await?);
        }
        Ok(())
    })
}

/// The whole new text or the old one, never a part, under the same permissions. A link stays
/// a link.
fn replace(file: &Path, text: &str) -> Result<()> {
    let failed = |e: std::io::Error| Problem::io(Kind::Machine, "write the workload file", file, &e);
    let file = file.canonicalize().map_err(failed)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    let write = || {
        let mut out = fs::File::options().write(true).create_new(true).open(&new)?;
        out.write_all(text.as_bytes())?;
        out.set_permissions(fs::metadata(&file)?.permissions())?;
        out.sync_all()?;
        fs::rename(&new, &file)
    };
    write().map_err(|e| {
        // What is left of it helps nobody; that it was never made is no failure either.
        let _ = fs::remove_file(&new);
        failed(e)
    })
}
