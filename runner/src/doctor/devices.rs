//! Descriptions of devices that a container engine can be asked for by name (CDI).

use std::path::{Path, PathBuf};

use super::{Finding, files::text};

const SUBJECT: &str = "CDI";
const GENERATE: &str = "`sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`";

/// Looks in the folders that the engine named, else in the usual ones; `None` where no engine
/// answered.
pub(super) fn findings(root: &Path, folders: Option<&[PathBuf]>) -> Vec<Finding> {
    let usual = ["/etc/cdi", "/var/run/cdi"].map(PathBuf::from);
    let looked = folders.filter(|folders| !folders.is_empty()).unwrap_or(&usual);
    let mut files = Vec::new();
    for folder in looked {
        let inside = folder.strip_prefix("/").unwrap_or(folder);
        for entry in std::fs::read_dir(root.join(inside)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_spec = name.ends_with(".json") || name.ends_with(".yaml");
            if let Some(spec) = is_spec.then(|| text(&root.join(inside), &name)).flatten() {
                files.push((folder.join(name).display().to_string(), spec.contains("nvidia.com/gpu")));
            }
        }
    }
    files.sort();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let found = names.join(", ");
    vec![if names.is_empty() {
        let places: Vec<String> = looked.iter().map(|folder| folder.display().to_string()).collect();
        Finding::absent(SUBJECT, format!("no descriptions in {}", places.join(", ")), "no GPU can be asked for by name")
            .next(format!("on a host with GPUs: {GENERATE}"))
    } else if !files.iter().any(|(_, gpu)| *gpu) {
        Finding::note(SUBJECT, format!("{found}: none of nvidia.com/gpu"), "no GPU can be asked for by name")
            .next(GENERATE)
    } else if folders.is_some_and(<[PathBuf]>::is_empty) {
        Finding::note(
            SUBJECT,
            format!("{found}; the engine does not read them"),
            "GPUs are asked for through the toolkit's hook instead",
        )
        .next("Docker 25 or later with `\"features\": {\"cdi\": true}` in /etc/docker/daemon.json")
    } else {
        Finding::good(SUBJECT, found, "GPUs can be asked for by name")
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    #[test]
    fn descriptions_count_where_the_engine_reads_them() {
        let host = Host::new();
        let own = [PathBuf::from("/etc/cdi")];
        assert_eq!(findings(host.root(), Some(&own))[0].level, Level::Absent);
        let host = host.with("etc/cdi/other.json", "{\"kind\": \"vendor.com/net\"}");
        assert_eq!(findings(host.root(), Some(&own))[0].level, Level::Note);
        let host = host.with("etc/cdi/nvidia.yaml", "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\n");
        let finding = &findings(host.root(), Some(&own))[0];
        assert_eq!((finding.level, finding.found.as_str()), (Level::Good, "/etc/cdi/nvidia.yaml, /etc/cdi/other.json"));
        assert_eq!(findings(host.root(), Some(&[]))[0].level, Level::Note);
        assert_eq!(findings(host.root(), None)[0].level, Level::Good);
    }
}
