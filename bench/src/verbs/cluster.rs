//! `bench run --executor slurm`: the plan goes to a cluster.

use std::path::Path;

use clap::ValueEnum;
use lab::{Result, workload::Workload};
use runner::slurm::{self, How, Submitted};

use super::run::Measured;

/// Who runs servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Executor {
    /// This host.
    Local,
    /// Nodes of a cluster, by tasks of Slurm.
    Slurm,
}

/// Options of a run on a cluster.
#[derive(clap::Args)]
#[command(next_help_heading = "On a cluster")]
pub(super) struct Cluster {
    /// Who runs servers; a cluster's nodes have to share the folders of the workload and of results
    #[arg(long, value_enum, default_value = "local")]
    pub(super) executor: Executor,
    /// Print the scripts that would be submitted, and submit nothing
    #[arg(long, requires = "executor")]
    dry_run: bool,
    /// Leave once the tasks are submitted; --resume collects them later
    #[arg(long, requires = "executor")]
    detach: bool,
    /// Partitions
    #[arg(long, requires = "executor", value_name = "NAMES")]
    partition: Option<String>,
    /// Who is charged
    #[arg(long, requires = "executor", value_name = "NAME")]
    account: Option<String>,
    /// Quality of service
    #[arg(long, requires = "executor", value_name = "NAME")]
    qos: Option<String>,
    /// Features that nodes have to have
    #[arg(long, requires = "executor", value_name = "FEATURES")]
    constraint: Option<String>,
    /// Name and type of GPUs, like gpu:h100; the workload says how many
    #[arg(long, requires = "executor", value_name = "NAME:TYPE")]
    gres: Option<String>,
    /// The longest that a task may take, like 2:00:00
    #[arg(long, requires = "executor", value_name = "TIME")]
    time: Option<String>,
    /// Let tasks share nodes with others, which spoils timing
    #[arg(long, requires = "executor")]
    shared: bool,
    /// Tasks at once, at most
    #[arg(long, requires = "executor", value_name = "COUNT")]
    max_parallel: Option<u32>,
    /// A further option of sbatch, as it is; may be given several times
    #[arg(long, requires = "executor", value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

impl Cluster {
    /// Measures and grades on nodes.
    pub(super) async fn measure(
        &self,
        file: &Path,
        workload: &Workload,
        graded: bool,
        options: &runner::run::Options<'_>,
    ) -> Result<Measured> {
        let slurm = self.options();
        let how = match (self.dry_run, self.detach) {
            (true, _) => How::DryRun,
            (_, true) => How::Detach,
            _ => How::Watch,
        };
        if how != How::DryRun {
            eprintln!("{}", super::plan::at_most(workload));
        }
        let measured = match slurm::run(workload, file, &slurm, how, options).await? {
            Submitted::Scripts(scripts) => {
                print!("{}", scripts.join("\n"));
                return Ok(Measured::Elsewhere);
            }
            Submitted::Detached(run, what) => {
                println!("{what}; how it stands: bench status {}", run.display());
                println!("the same command with --resume in place of --detach collects, judges and reports");
                return Ok(Measured::Elsewhere);
            }
            Submitted::Sealed(measured, overhead) => {
                overhead.iter().for_each(|overhead| eprintln!("{overhead}"));
                measured
            }
        };
        if graded {
            slurm::grade(&measured, workload, file, &slurm, options).await?;
        }
        Ok(Measured::Sealed(measured))
    }

    /// What was given, as it is given again by whoever continues; nothing on this host.
    pub(super) fn given(&self) -> String {
        if self.executor == Executor::Local {
            return String::new();
        }
        let named = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("qos", &self.qos),
            ("constraint", &self.constraint),
            ("gres", &self.gres),
            ("time", &self.time),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        let most = self.max_parallel.map(|most| ("max-parallel", most.to_string()));
        let more = self.sbatch.iter().map(|option| ("sbatch", option.clone()));
        let shared = if self.shared { " --shared" } else { "" };
        let all = named.chain(most).chain(more).map(|(name, value)| format!(" --{name}={}", quoted(&value)));
        format!(" --executor slurm{shared}{}", all.collect::<String>())
    }

    fn options(&self) -> slurm::Options {
        slurm::Options {
            partition: self.partition.clone(),
            account: self.account.clone(),
            qos: self.qos.clone(),
            constraint: self.constraint.clone(),
            gres: self.gres.clone(),
            time: self.time.clone(),
            shared: self.shared,
            max_parallel: self.max_parallel,
            more: self.sbatch.clone(),
        }
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=:,./%@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        cluster: Cluster,
    }

    fn given(line: &[&str]) -> String {
        Line::parse_from(["run"].iter().chain(line)).cluster.given()
    }

    #[test]
    fn whoever_continues_is_told_all_that_the_cluster_was_asked_for() {
        assert_eq!(given(&[]), "");
        let line = ["--executor", "slurm", "--shared", "--gres", "gpu:h100", "--max-parallel", "4"];
        let more = ["--sbatch=--mem=0", "--sbatch", "--comment=it's mine"];
        assert_eq!(
            given(&[&line[..], &more].concat()),
            r" --executor slurm --shared --gres=gpu:h100 --max-parallel=4 --sbatch=--mem=0 --sbatch='--comment=it'\''s mine'"
        );
    }
}
