//! `RUN.tasks`, beside the folder of an unfinished run:
//!
//! ```text
//! submission.json      what tasks have to know that the run's folder does not say
//! hardware-<model>-<gpus>.txt  what the first task of a comparison found
//! job-<n>.sh           each script, as it was submitted
//! log/                 what tasks wrote
//! cancelled            somebody took the tasks back: none is submitted until the run is resumed
//! <block>/<attempt>/   trials/ and environments/ as in a bundle; end.json last
//! ```

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use lab::{Digest, Kind, Nanos, Problem, Result, plain};
use serde::{Deserialize, Serialize};

const SUBMISSION: &str = "submission.json";
const END: &str = "end.json";
const CANCELLED: &str = "cancelled";
/// No document here is larger: whoever reads one waits for no more.
pub(super) const LARGEST: u64 = 16 << 20;

/// The folder of tasks of a run.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    path: PathBuf,
}

/// What tasks have to know that the run's folder does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Submission {
    /// This program's file, which every node sees.
    pub bench: PathBuf,
    /// What it has to be.
    pub program: Digest,
    /// The workload file, to whose folder its paths are relative.
    pub file: PathBuf,
    /// Arrays that were submitted, in order.
    pub jobs: Vec<Job>,
}

/// An array of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    /// Slurm's number of it.
    pub id: u64,
    /// When it was submitted: nanoseconds since 1970, UTC.
    pub submitted: Nanos,
    /// The blocks, which are the indices of its tasks.
    pub blocks: Vec<u32>,
}

/// What an attempt at a block came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    /// What became of it.
    pub outcome: Outcome,
    /// The host, as the trials name it.
    pub host: String,
    /// Slurm's number of the array.
    pub job: u64,
    /// When the task began on its node: nanoseconds since 1970, UTC.
    pub began: Nanos,
    /// When it ended.
    pub ended: Nanos,
    /// When the clock of each trial's server stood at zero, by the trial's number.
    #[serde(default)]
    pub starts: BTreeMap<u32, Nanos>,
}

/// What became of an attempt at a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All trials are there.
    Done,
    /// The task was told to end: cancelled, or its time was up.
    Stopped,
    /// This node could not do it.
    Failed(String),
}

/// One attempt at a block.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// Its folder.
    pub path: PathBuf,
    /// None while it goes on, and for ever where its node died.
    pub end: Option<End>,
}

impl Attempt {
    /// Whether all its trials are there.
    pub(super) fn done(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.outcome == Outcome::Done)
    }
}

impl Tasks {
    /// Those of a run.
    pub(super) fn of(run: &Path) -> Self {
        Tasks { path: run.with_added_extension("tasks") }
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where tasks write what they say.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// What was submitted.
    pub(super) fn submission(&self) -> Result<Submission> {
        let path = self.path.join(SUBMISSION);
        let unknown = |what: String| {
            Problem::new(Kind::Input, what)
                .at(path.display().to_string())
                .next("pass the folder of an unfinished run that was submitted with --executor slurm")
        };
        let text =
            plain::read(&path, LARGEST).map_err(|e| unknown(format!("nothing was submitted for this run: {e}")))?;
        serde_json::from_slice(&text).map_err(|e| unknown(format!("not what a submission looks like: {e}")))
    }

    /// Writes down what was submitted.
    pub(super) fn submit(&self, submission: &Submission) -> Result<()> {
        self.put(&self.path.join(SUBMISSION), &serde_json::to_vec_pretty(submission).expect("plain values serialise"))
    }

    /// Says that nothing is to be submitted any more.
    pub(super) fn take_back(&self) -> Result<()> {
        self.put(&self.path.join(CANCELLED), b"")
    }

    /// Whether somebody said so.
    pub(super) fn taken_back(&self) -> bool {
        self.path.join(CANCELLED).exists()
    }

    /// The run goes on.
    pub(super) fn go_on(&self) -> Result<()> {
        let path = self.path.join(CANCELLED);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Problem::io(Kind::Machine, "remove", &path, &e)),
            _ => Ok(()),
        }
    }

    /// Attempts at a block, in order.
    pub(super) fn attempts(&self, block: u32) -> Vec<Attempt> {
        let folder = self.path.join(block.to_string());
        let numbers = fs::read_dir(&folder).map(|entries| {
            let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir()));
            folders.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
        });
        let mut numbers: Vec<u32> = numbers.unwrap_or_default();
        numbers.sort_unstable();
        let attempt = |number: u32| {
            let path = folder.join(number.to_string());
            // Another node wrote it: a folder that is listed is asked for anew, not remembered.
            let _ = fs::read_dir(&path).map(Iterator::count);
            let end = plain::read(&path.join(END), LARGEST).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            Attempt { number, path, end }
        };
        numbers.into_iter().map(attempt).collect()
    }

    /// Begins another attempt at a block: its folder is nobody else's.
    pub(super) fn begin(&self, block: u32) -> Result<Attempt> {
        let folder = self.path.join(block.to_string());
        let failed = |path: &Path, e: &std::io::Error| Problem::io(Kind::Machine, "make the folder", path, e);
        fs::create_dir_all(&folder).map_err(|e| failed(&folder, &e))?;
        // Of whatever has a number and is no folder, the number is taken.
        let mut taken = 0;
        loop {
            let last = self.attempts(block).last().map_or(0, |last| last.number).max(taken);
            let number = last.checked_add(1).ok_or_else(|| {
                Problem::broken(format!("there is no attempt after {last}"))
                    .at(folder.display().to_string())
                    .next("remove what is no attempt there, then continue with --resume")
            })?;
            let path = folder.join(number.to_string());
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Attempt { number, path, end: None }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => taken = number,
                Err(e) => return Err(failed(&path, &e)),
            }
        }
    }

    /// Ends an attempt: from here on its task changes it no more.
    pub(super) fn end(&self, attempt: &Attempt, end: &End) -> Result<()> {
        self.put(&attempt.path.join(END), &serde_json::to_vec_pretty(end).expect("plain values serialise"))
    }

    /// Ends a finished attempt otherwise: nothing can be made of it.
    pub(super) fn refuse(&self, attempt: &Attempt, why: String) -> Result<()> {
        let Some(end) = attempt.end.clone() else { return Ok(()) };
        self.end(attempt, &End { outcome: Outcome::Failed(why), ..end })
    }

    /// Writes a file that is whole or not there, in place of what was there.
    pub(super) fn put(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let failed = |e: &std::io::Error| {
            Problem::io(Kind::Machine, "write", path, e)
                .next("make room or correct the permissions, then continue with --resume")
        };
        let building = path.with_added_extension(format!("{}-{}", crate::host::name(), std::process::id()));
        let write = |building: &Path| {
            fs::create_dir_all(path.parent().unwrap_or(&self.path))?;
            let mut file = fs::File::create(building)?;
            std::io::Write::write_all(&mut file, bytes)?;
            file.sync_all()?;
            fs::rename(building, path)
        };
        write(&building).map_err(|e| {
            // It is of no use to anybody.
            let _ = fs::remove_file(&building);
            failed(&e)
        })
    }

    /// Whether the hardware is what the first task of this comparison had; the first one says so
    /// for all.
    ///
    /// # Errors
    /// What the others have, where it is something else.
    pub(super) fn same_hardware(&self, comparison: &str, own: &str) -> Result<()> {
        let path = self.path.join(format!("hardware-{comparison}.txt"));
        let building = path.with_added_extension(format!("{}-{}", crate::host::name(), std::process::id()));
        let failed = |e: &std::io::Error| Problem::io(Kind::Machine, "write", &path, e);
        fs::write(&building, own).map_err(|e| failed(&e))?;
        // A link is there whole, and only the first one is made.
        let linked = fs::hard_link(&building, &path);
        let _ = fs::remove_file(&building);
        match linked {
            Ok(()) => return Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(&e)),
        }
        let first = plain::read(&path, LARGEST).map_err(|e| failed(&e))?;
        let first = String::from_utf8_lossy(&first);
        if first == own {
            return Ok(());
        }
        Err(Problem::new(Kind::NotComparable, format!("this node has {own}, the comparison began on {first}"))
            .at(path.display().to_string())
            .next("keep to nodes of one kind: --constraint, --partition, or --gres gpu:TYPE"))
    }

    /// Forgets what the first task of this comparison had: nothing was measured on it.
    pub(super) fn forget_hardware(&self, comparison: &str) {
        let _ = fs::remove_file(self.path.join(format!("hardware-{comparison}.txt")));
    }

    /// Removes all of it, once the run is sealed.
    pub(super) fn remove(&self) {
        // What a dead node writes there still is nobody's concern.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    fn tasks() -> (tempfile::TempDir, Tasks) {
        let temp = tempfile::tempdir().unwrap();
        let tasks = Tasks::of(&temp.path().join("x-slurm-1"));
        (temp, tasks)
    }

    #[test]
    fn attempts_are_numbered_folders_and_nothing_else() {
        let (_temp, tasks) = tasks();
        let (first, second) = (tasks.begin(3).unwrap(), tasks.begin(3).unwrap());
        assert_eq!((first.number, second.number), (1, 2));
        let folder = tasks.path().join("3");
        fs::write(folder.join("3"), "a file").unwrap();
        std::os::unix::fs::symlink(&first.path, folder.join("4")).unwrap();
        fs::create_dir(folder.join("x")).unwrap();
        assert_eq!(tasks.attempts(3).iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(tasks.begin(3).unwrap().number, 5);
        fs::create_dir(folder.join(u32::MAX.to_string())).unwrap();
        assert!(tasks.begin(3).unwrap_err().to_string().contains("there is no attempt after 4294967295"));
    }

    #[test]
    fn a_pipe_and_a_file_of_any_size_in_the_place_of_an_end_are_no_end() {
        let (_temp, tasks) = tasks();
        let (pipe, large) = (tasks.begin(1).unwrap(), tasks.begin(1).unwrap());
        mkfifo(&pipe.path.join(END), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        fs::File::create(large.path.join(END)).unwrap().set_len(1 << 40).unwrap();
        assert!(tasks.attempts(1).iter().all(|attempt| attempt.end.is_none()));
        mkfifo(&tasks.path().join(SUBMISSION), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        assert!(tasks.submission().unwrap_err().to_string().contains("no plain file"));
    }

    #[test]
    fn a_run_that_was_taken_back_goes_on_when_it_is_told_to() {
        let (_temp, tasks) = tasks();
        tasks.go_on().unwrap();
        tasks.take_back().unwrap();
        assert!(tasks.taken_back());
        tasks.go_on().unwrap();
        assert!(!tasks.taken_back());
    }

    #[test]
    fn the_first_task_says_what_hardware_a_comparison_is_of_until_that_is_forgotten() {
        let (_temp, tasks) = tasks();
        fs::create_dir(tasks.path()).unwrap();
        tasks.same_hardware("toy-1", "an H100").unwrap();
        tasks.same_hardware("toy-1", "an H100").unwrap();
        let other = tasks.same_hardware("toy-1", "an A100").unwrap_err();
        assert!(other.what.contains("this node has an A100, the comparison began on an H100"), "{other}");
        tasks.forget_hardware("toy-1");
        tasks.same_hardware("toy-1", "an A100").unwrap();
    }
}
