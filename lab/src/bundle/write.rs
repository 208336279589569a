use std::{
    fs,
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{Kind, MANIFEST, Manifest, TRIALS, manifest};
use crate::{Digest, Problem, Result, digest::files_below};

/// A bundle that is not sealed yet.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    inode: u64,
}

/// Folders with this prefix are being built; they never are part of a bundle.
const BUILDING: &str = ".building-";

impl RunFolder {
    /// Makes an empty folder.
    pub fn create(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| failed("make the folder", parent, &e))?;
        }
        fs::create_dir(path).map_err(|e| failed("make the folder", path, &e))?;
        Self::at(path)
    }

    /// Opens an unsealed one; what was being built when its writer died is removed.
    pub fn resume(path: &Path) -> Result<Self> {
        if path.join(MANIFEST).exists() {
            return Err(Problem::input("this bundle is sealed and will not change").at(path.display().to_string()));
        }
        let folder = Self::at(path)?;
        for parent in [path.to_owned(), path.join(TRIALS)] {
            let Ok(entries) = fs::read_dir(&parent) else { continue };
            for entry in entries.flatten() {
                if entry.file_name().to_string_lossy().starts_with(BUILDING) {
                    let remove = if entry.path().is_dir() {
                        fs::remove_dir_all(entry.path())
                    } else {
                        fs::remove_file(entry.path())
                    };
                    remove.map_err(|e| failed("remove an unfinished part", &entry.path(), &e))?;
                }
            }
        }
        Ok(folder)
    }

    /// Opens an unsealed one that somebody else writes, to look at it.
    pub fn look(path: &Path) -> Result<Self> {
        Self::at(path)
    }

    fn at(path: &Path) -> Result<Self> {
        let inode = fs::metadata(path).map_err(|e| failed("find", path, &e))?.ino();
        Ok(RunFolder { path: path.to_owned(), inode })
    }

    /// A folder that was moved or removed is not made again around what is left of a run.
    fn still_there(&self) -> Result<()> {
        if fs::metadata(&self.path).is_ok_and(|m| m.ino() == self.inode) {
            return Ok(());
        }
        let what = "the run's folder was moved or removed while the run went on";
        Err(Problem::machine(what)
            .at(self.path.display().to_string())
            .next("put it back and continue with --resume, or start anew"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one file at once: either all of it is there or none.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.still_there()?;
        let target = self.path.join(name);
        let (parent, file) = (target.parent().unwrap_or(&self.path), target.file_name().unwrap_or_default());
        fs::create_dir_all(parent).map_err(|e| failed("make the folder", parent, &e))?;
        let building = parent.join(format!("{BUILDING}{}", file.to_string_lossy()));
        write_synced(&building, bytes)?;
        fs::rename(&building, &target).map_err(|e| failed("publish", &target, &e))?;
        sync_folder(parent)
    }

    /// Writes a compressed file at once.
    pub fn put_compressed(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.put(name, &super::tables::compress(bytes))
    }

    /// Begins a trial's folder, beside the published ones, with nothing in it.
    pub fn begin_trial(&self, name: &str) -> Result<TrialFolder> {
        self.still_there()?;
        let trials = self.path.join(TRIALS);
        let building = trials.join(format!("{BUILDING}{name}"));
        if building.exists() {
            fs::remove_dir_all(&building).map_err(|e| failed("remove an unfinished part", &building, &e))?;
        }
        fs::create_dir_all(&building).map_err(|e| failed("make the folder", &building, &e))?;
        Ok(TrialFolder { building, target: trials.join(name) })
    }

    /// Publishes a trial's folder by one rename.
    pub fn publish_trial(&self, trial: TrialFolder) -> Result<()> {
        self.still_there()?;
        sync_folder(&trial.building)?;
        fs::rename(&trial.building, &trial.target).map_err(|e| failed("publish", &trial.target, &e))?;
        sync_folder(&self.path.join(TRIALS))
    }

    /// Publishes a trial's whole folder that was made elsewhere on the same storage, by one rename.
    pub fn take_trial(&self, from: &Path, name: &str) -> Result<()> {
        self.still_there()?;
        let trials = self.path.join(TRIALS);
        fs::create_dir_all(&trials).map_err(|e| failed("make the folder", &trials, &e))?;
        fs::rename(from, trials.join(name)).map_err(|e| failed("publish", from, &e))?;
        sync_folder(&trials)
    }

    /// Whether a trial is published.
    pub fn has_trial(&self, name: &str) -> bool {
        self.path.join(TRIALS).join(name).is_dir()
    }

    /// Writes the manifest: from here on the folder is a bundle and never changes.
    pub fn seal(self, kind: Kind, parents: Vec<Digest>, sealed: &str) -> Result<(PathBuf, Digest)> {
        self.still_there()?;
        if self.path.join(MANIFEST).exists() {
            return Err(Problem::machine("it was sealed by somebody else").at(self.path.display().to_string()));
        }
        let mut files = Vec::new();
        for path in files_below(&self.path).map_err(|e| failed("list", &self.path, &e))? {
            let full = self.path.join(&path);
            let (sha256, size) = Digest::of_file(&full).map_err(|e| failed("read", &full, &e))?;
            files.push(manifest::File { path, size, sha256 });
        }
        let manifest = Manifest { format: manifest::FORMAT, kind, parents, sealed: sealed.to_owned(), files };
        self.put(MANIFEST, manifest.to_json().as_bytes())?;
        Ok((self.path, manifest.id()))
    }
}

/// A trial's folder that is not published yet.
#[derive(Debug)]
pub struct TrialFolder {
    building: PathBuf,
    target: PathBuf,
}

impl TrialFolder {
    /// Where it is while the trial goes on.
    pub fn path(&self) -> &Path {
        &self.building
    }

    /// Where a file of it may lie beside it until the trial is over.
    pub fn beside(&self, file: &str) -> PathBuf {
        self.building.with_added_extension(file)
    }

    /// Takes in what lies beside it, if it is there.
    pub fn adopt(&self, file: &str) -> Result<()> {
        match fs::rename(self.beside(file), self.building.join(file)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed("take in", &self.building.join(file), &e)),
            _ => Ok(()),
        }
    }

    /// Writes one file.
    pub fn put(&self, file: &str, bytes: &[u8]) -> Result<()> {
        write_synced(&self.building.join(file), bytes)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = fs::File::create(path).map_err(|e| failed("write", path, &e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| failed("write", path, &e))
}

fn sync_folder(path: &Path) -> Result<()> {
    fs::File::open(path).and_then(|f| f.sync_all()).map_err(|e| failed("sync", path, &e))
}

fn failed(doing: &str, path: &Path, error: &std::io::Error) -> Problem {
    Problem::io(crate::Kind::Machine, doing, path, error)
        .next("make room or correct the permissions, then continue with --resume")
}
