//! What is asked of Slurm besides the tasks themselves.

/// Options of a submission. What is not given is as the cluster has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Partitions, separated by commas.
    pub partition: Option<String>,
    /// Who is charged.
    pub account: Option<String>,
    /// Quality of service.
    pub qos: Option<String>,
    /// Features that nodes have to have.
    pub constraint: Option<String>,
    /// The name and type of GPUs, as in `gpu:h100`; the number is the workload's.
    pub gres: Option<String>,
    /// The longest that a task may take, as Slurm writes times.
    pub time: Option<String>,
    /// Tasks share nodes with others, which spoils timing.
    pub shared: bool,
    /// Tasks at once, at most.
    pub max_parallel: Option<u32>,
    /// Further options of `sbatch`, as they are.
    pub more: Vec<String>,
}

impl Options {
    /// Options of `sbatch` for tasks that need so many GPUs.
    pub(super) fn directives(&self, gpus: u32) -> Vec<String> {
        let named = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("qos", &self.qos),
            ("constraint", &self.constraint),
            ("time", &self.time),
        ];
        let mut all: Vec<String> =
            named.iter().filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?))).collect();
        if gpus > 0 {
            all.push(format!("--gres={}:{gpus}", self.gres.as_deref().unwrap_or("gpu")));
        }
        if !self.shared {
            all.push("--exclusive".to_owned());
        }
        all.extend(self.more.iter().cloned());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_a_node_for_itself_unless_somebody_says_otherwise() {
        assert_eq!(Options::default().directives(0), ["--exclusive"]);
        assert!(Options { shared: true, ..Options::default() }.directives(0).is_empty());
    }

    #[test]
    fn the_workload_says_how_many_gpus_and_the_user_which() {
        let all = Options {
            partition: Some("gpu".into()),
            gres: Some("gpu:h100".into()),
            time: Some("2:00:00".into()),
            more: vec!["--mem=0".into()],
            ..Options::default()
        };
        assert_eq!(
            all.directives(4),
            ["--partition=gpu", "--time=2:00:00", "--gres=gpu:h100:4", "--exclusive", "--mem=0"]
        );
        assert_eq!(Options::default().directives(2), ["--gres=gpu:2", "--exclusive"]);
    }
}
