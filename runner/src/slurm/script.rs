//! The script that Slurm starts, once for each task of an array.

use std::path::Path;

use super::options::Options;

/// What a script says.
pub(super) struct Script<'a> {
    /// The run's folder, and its name.
    pub run: &'a Path,
    pub name: &'a str,
    pub bench: &'a Path,
    /// The folder of what tasks write.
    pub log: &'a Path,
    pub work: Work<'a>,
    /// GPUs that each task needs.
    pub gpus: u32,
    pub options: &'a Options,
}

/// What a script's tasks do.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    /// An array: each task measures the block of its index.
    Blocks(&'a [u32]),
    /// One task that grades the run, which is sealed.
    Grade {
        /// The workload file.
        file: &'a Path,
    },
}

impl Script<'_> {
    /// Its text.
    pub(super) fn text(&self) -> String {
        let most = self.options.max_parallel.map(|n| format!("%{n}")).unwrap_or_default();
        // Slurm replaces %A and %a: the array and the index.
        let log = self.log.display().to_string().replace('%', "%%");
        let (array, output, command) = match self.work {
            Work::Blocks(blocks) => (
                Some(format!("--array={}{most}", ranges(blocks))),
                "%a-%A",
                format!("exec {} --index \"$SLURM_ARRAY_TASK_ID\"", quoted(self.run)),
            ),
            Work::Grade { file } => {
                (None, "grade-%j", format!("grade {} --workload {}", quoted(self.run), quoted(file)))
            }
        };
        let own = [
            format!("--output={log}/{output}.txt"),
            "--open-mode=append".to_owned(),
            // A task that is started again by whoever submitted is an attempt of its own.
            "--no-requeue".to_owned(),
            "--nodes=1".to_owned(),
            "--ntasks=1".to_owned(),
        ];
        let directives: String = std::iter::once(format!("--job-name={}", self.name))
            .chain(array)
            .chain(own)
            .chain(self.options.directives(self.gpus))
            .map(|option| format!("#SBATCH {}\n", directive(&option)))
            .collect();
        format!(
            "#!/bin/sh\n{directives}# In place of the shell, so that it is told when the task has to end.\nexec {} {command}\n",
            quoted(self.bench)
        )
    }
}

/// `1-3,7`.
fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
        [one] => one.to_string(),
        _ => format!("{}-{}", run[0], run[run.len() - 1]),
    });
    runs.collect::<Vec<_>>().join(",")
}

/// An option as Slurm reads it from a script.
fn directive(option: &str) -> String {
    if option.chars().any(|c| c.is_whitespace() || "\"'\\#".contains(c)) {
        format!("\"{}\"", option.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        option.to_owned()
    }
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_written_as_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3,7,9-10");
        assert_eq!(ranges(&[4]), "4");
    }

    #[test]
    fn a_script_says_all_that_is_asked_for() {
        let options = Options { max_parallel: Some(8), partition: Some("gpu".into()), ..Options::default() };
        let script = Script {
            run: Path::new("/data/it's here/x-slurm-1"),
            name: "x-slurm-1",
            bench: Path::new("/opt/bench"),
            log: Path::new("/data/100% it's/x-slurm-1.tasks/log"),
            work: Work::Blocks(&[1, 2, 3]),
            gpus: 1,
            options: &options,
        };
        assert_eq!(
            script.text(),
            r##"#!/bin/sh
#SBATCH --job-name=x-slurm-1
#SBATCH --array=1-3%8
#SBATCH "--output=/data/100%% it's/x-slurm-1.tasks/log/%a-%A.txt"
#SBATCH --open-mode=append
#SBATCH --no-requeue
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --partition=gpu
#SBATCH --gres=gpu:1
#SBATCH --exclusive
# In place of the shell, so that it is told when the task has to end.
exec '/opt/bench' exec '/data/it'\''s here/x-slurm-1' --index "$SLURM_ARRAY_TASK_ID"
"##
        );
    }
}
