//! The plan: every trial of a workload, in order, before anything runs. The same
//! workload and request set give the same plan, byte for byte.

use serde::{Deserialize, Serialize};

use crate::{
    Digest, Nanos, Problem, Result,
    requests::Slot,
    seed::Stream,
    workload::{After, BASELINE, Shape, Stage, Warmup, Workload},
};

/// Version of `plan.json`. 1: first. 2: schedules, replayed warm-up, loads other than closed.
/// 3: stages. 4: awaited values.
pub const FORMAT: u32 = 4;

/// Candidates between two baselines, at most.
pub const BLOCK: usize = 4;

/// All trials, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: u32,
    /// The workload file's digest.
    pub workload: Digest,
    /// The request set's digest.
    pub requests: Digest,
    /// The schedule's digest; none where every request follows when its client is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Digest>,
    /// Seed of every order.
    pub seed: u64,
    /// The stage that it is; none is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The public value, in words, that does not exist yet: without it nothing can be graded, and no
    /// stage can follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<String>,
    /// In the order in which they run.
    pub trials: Vec<Trial>,
}

/// One arm, one server lifetime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Position in the plan, from 1.
    pub n: u32,
    /// Repetition, from 1.
    pub round: u32,
    /// Which baselines this trial is compared with: those of the same block.
    pub block: u32,
    /// What it is in its block.
    pub role: Role,
    /// `baseline` or a candidate's name.
    pub arm: String,
    /// The model's name.
    pub model: String,
    /// GPUs of the server.
    pub gpus: u32,
    /// Warm-up requests of the request set.
    pub warmup: Span,
    /// Load phases in the order in which they run.
    pub phases: Vec<Phase>,
}

/// What a trial is in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The baseline before the block's candidates.
    Opening,
    /// A candidate.
    Candidate,
    /// The baseline after them.
    Closing,
}

/// A run of consecutive requests of the request set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first id.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Span {
    /// The ids.
    pub fn ids(self) -> std::ops::Range<u32> {
        self.first..self.first.saturating_add(self.count)
    }
}

/// One load phase of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// The load's name.
    pub load: String,
    /// When requests are sent.
    pub shape: Shape,
    /// Which requests.
    pub requests: Span,
    /// Nothing is sent after so much time of the phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<Nanos>,
    /// The warm-up requests that replay the phase before the first one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Span>,
}

impl Trial {
    /// The name of the trial's folder.
    pub fn folder(&self) -> String {
        format!("{:04}-{}", self.n, self.arm)
    }
}

impl Plan {
    /// `plan.json`.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("integers and strings serialise") + "\n"
    }

    /// The digest of `plan.json`.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json())
    }

    /// The workload that a file declares, as this plan runs it.
    ///
    /// # Errors
    /// Where it cannot be run so.
    pub fn workload(&self, declared: Workload) -> Result<Workload> {
        let staged = match &self.stage {
            Some(stage) => declared.staged(stage.clone())?,
            None => declared,
        };
        match &self.awaits {
            Some(value) => staged.awaiting(value.clone()),
            None => Ok(staged),
        }
    }

    /// Its blocks in order, by their numbers: trials that are compared with each other, which have
    /// to be of one host and its GPUs.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, &[Trial])> {
        self.trials.chunk_by(|a, b| a.block == b.block).map(|trials| (trials[0].block, trials))
    }

    /// How far it comes: where the numbers of a stage after it go on.
    pub fn after(&self) -> After {
        let largest = |of: fn(&Trial) -> u32| self.trials.iter().map(of).max().unwrap_or(0);
        After { rounds: largest(|t| t.round), trials: largest(|t| t.n), blocks: largest(|t| t.block) }
    }

    /// Reads `plan.json`; refuses a newer format.
    pub fn from_json(text: &str) -> Result<Self> {
        let plan: Plan = crate::bundle::versioned(text, FORMAT, "plan.json")?;
        let folders: std::collections::HashSet<_> = plan.trials.iter().map(Trial::folder).collect();
        let named =
            |t: &Trial| t.arm.len() <= 64 && t.arm.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if folders.len() != plan.trials.len() || !plan.trials.iter().all(named) {
            return Err(Problem::broken("two trials share a name, or an arm's name is not one").at("plan.json"));
        }
        Ok(plan)
    }
}

/// The plan of a workload: each round runs, for each group, blocks of at most [`BLOCK`]
/// candidates in seeded order between an opening and a closing baseline; without a
/// candidate, one baseline. All arms of a round get the same requests; no round repeats
/// another's.
pub fn expand(workload: &Workload, requests: Digest, schedule: Option<Digest>) -> Plan {
    let after = workload.stage.as_ref().map_or(After::default(), |stage| stage.after);
    let mut trials = Vec::new();
    let mut block = after.blocks;
    for round in 1..=workload.rounds {
        for group in &workload.groups {
            let mut stream =
                Stream::new(&workload.seed.to_be_bytes(), &format!("round {round} {} {}", group.model, group.gpus));
            let mut candidates = group.candidates.clone();
            stream.shuffle(&mut candidates);
            let mut phases = phases(workload, round, &group.loads);
            stream.shuffle(&mut phases);
            for members in blocks(&candidates) {
                block += 1;
                for (role, arm) in members {
                    trials.push(Trial {
                        n: after.trials + trials.len() as u32 + 1,
                        round: after.rounds + round,
                        block,
                        role,
                        arm: arm.to_owned(),
                        model: group.model.clone(),
                        gpus: group.gpus,
                        warmup: Span { first: first(workload, round), count: workload.warmup_requests() },
                        phases: phases.clone(),
                    });
                }
            }
        }
    }
    let (digest, seed, stage) = (workload.digest, workload.seed, workload.stage.clone());
    let awaits = workload.awaits.clone();
    Plan { format: FORMAT, workload: digest, requests, schedule, seed, stage, awaits, trials }
}

/// What stands between two baselines, with them.
fn blocks(candidates: &[String]) -> Vec<Vec<(Role, &str)>> {
    if candidates.is_empty() {
        return vec![vec![(Role::Opening, BASELINE)]];
    }
    candidates.chunks(BLOCK).map(block).collect()
}

fn block(members: &[String]) -> Vec<(Role, &str)> {
    let inside = members.iter().map(|c| (Role::Candidate, c.as_str()));
    std::iter::once((Role::Opening, BASELINE)).chain(inside).chain([(Role::Closing, BASELINE)]).collect()
}

/// The first request of a round.
fn first(workload: &Workload, round: u32) -> u32 {
    (round - 1) * workload.requests_per_round()
}

fn phases(workload: &Workload, round: u32, chosen: &[String]) -> Vec<Phase> {
    let warmup = first(workload, round);
    let mut from = warmup + workload.warmup_requests();
    let mut phases = Vec::new();
    for load in &workload.loads {
        if chosen.contains(&load.name) {
            let replayed = Span { first: from - workload.warmup_requests(), count: load.requests };
            phases.push(Phase {
                load: load.name.clone(),
                shape: load.shape,
                requests: Span { first: from, count: load.requests },
                time_ns: load.time,
                replay: (workload.warmup == Warmup::Replay).then_some(replayed),
            });
        }
        from += load.requests;
    }
    phases
}

/// The input and output tokens of a trace load's arrivals, by the load's name.
pub type Lengths<'a> = dyn Fn(&str) -> Option<Vec<(u32, u32)>> + 'a;

/// What the workload wants to stand at each place of its request set, in order.
pub fn slots(workload: &Workload, lengths: &Lengths<'_>) -> Vec<Slot> {
    let mut timed = Vec::new();
    for load in &workload.loads {
        let of_trace = lengths(&load.name);
        let length = |i: u32| of_trace.as_ref().and_then(|all| all.get(i as usize).copied());
        timed.extend((0..load.requests).map(|i| (i == 0, length(i))));
    }
    let warm = workload.warmup_requests();
    let mut slots = Vec::new();
    for round in 1..=workload.rounds {
        let base = first(workload, round);
        for i in 0..warm {
            // A short warm-up takes its lengths evenly from all loads.
            let imitated = (u64::from(i) * timed.len() as u64 / u64::from(warm)) as usize;
            let (opens, lengths) = timed[imitated];
            let opens = opens || workload.warmup != Warmup::Replay;
            slots.push(Slot { like: base + warm + imitated as u32, opens, lengths });
        }
        let own = timed.iter().zip(base + warm..);
        slots.extend(own.map(|(&(opens, lengths), like)| Slot { like, opens, lengths }));
    }
    slots
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Path};

    use super::*;

    fn plan() -> Plan {
        let mut source = String::from(
            "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{port}\"]\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n[rounds]\ncount = 3\nseed = 5\n[warmup]\nrequests = 2\n",
        );
        for n in 0..6 {
            source += &format!("[candidates.c{n}]\ncommand = [\"s\", \"{{port}}\"]\n");
        }
        for n in 0..3 {
            source += &format!("[[load]]\nname = \"l{n}\"\nrequests = {}\nclosed = {{ concurrency = 1 }}\n", n + 3);
        }
        expand(&crate::workload::parse(&source, Path::new("x.toml")).unwrap(), Digest::of("requests"), None)
    }

    #[test]
    fn every_block_is_at_most_four_candidates_between_two_baselines() {
        let plan = plan();
        let blocks: Vec<_> = plan.trials.chunk_by(|a, b| a.block == b.block).collect();
        assert_eq!(blocks.iter().map(|b| b.len()).collect::<Vec<_>>(), [6, 4, 6, 4, 6, 4]);
        for block in blocks {
            assert_eq!((block[0].role, block[block.len() - 1].role), (Role::Opening, Role::Closing));
            assert!(block[1..block.len() - 1].iter().all(|t| t.role == Role::Candidate && t.arm != BASELINE));
        }
    }

    #[test]
    fn blocks_are_all_trials_in_order() {
        let plan = plan();
        assert_eq!(plan.blocks().map(|(number, _)| number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(plan.blocks().flat_map(|(_, trials)| trials).cloned().collect::<Vec<_>>(), plan.trials);
    }

    #[test]
    fn a_stage_goes_on_after_the_last_round_trial_and_block() {
        // Three rounds of a block of four candidates and a block of two, each between two baselines.
        assert_eq!(plan().after(), After { rounds: 3, trials: 3 * (6 + 4), blocks: 3 * 2 });
        assert_eq!(Plan { trials: Vec::new(), ..plan() }.after(), After::default());
    }

    #[test]
    fn every_candidate_runs_once_a_round_in_an_order_that_changes() {
        let plan = plan();
        let order = |round| {
            plan.trials
                .iter()
                .filter(|t| t.round == round && t.role == Role::Candidate)
                .map(|t| t.arm.as_str())
                .collect::<Vec<_>>()
        };
        assert!((1..=3).all(|round| order(round).iter().collect::<HashSet<_>>().len() == 6));
        assert!(order(1) != order(2) || order(2) != order(3));
    }

    #[test]
    fn arms_of_a_round_share_requests_and_rounds_never_do() {
        let plan = plan();
        let ids = |t: &Trial| t.phases.iter().flat_map(|p| p.requests.ids()).chain(t.warmup.ids()).collect::<Vec<_>>();
        for round in plan.trials.chunk_by(|a, b| a.round == b.round) {
            assert!(round.iter().all(|t| ids(t) == ids(&round[0])));
            assert_eq!(ids(&round[0]).iter().collect::<HashSet<_>>().len(), 2 + 3 + 4 + 5);
        }
        let all: Vec<_> =
            [1, 2, 3].iter().flat_map(|r| ids(plan.trials.iter().find(|t| t.round == *r).unwrap())).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn a_plan_reads_back_and_a_newer_one_is_refused_politely() {
        let json = plan().to_json();
        assert_eq!(Plan::from_json(&json).unwrap(), plan());
        let newer = json.replacen("\"format\": 4", "\"format\": 99, \"surprise\": 0", 1);
        let text = Plan::from_json(&newer).unwrap_err().to_string();
        assert!(text.contains("format 99") && text.contains("newer"), "{text}");
    }
}
