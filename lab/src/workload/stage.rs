//! A further stage of a run: more rounds of the same comparison, with prompts that nobody
//! could know before the stage before it was graded.
//!
//! **Commit and reveal.** A run publishes the SHA-256 of a secret seed before its first
//! trial, and its grade reveals the seed. Everything that is drawn for the next stage
//! (prompts, orders, arrivals) is drawn from that seed and the id of the sealed bundle:
//! whoever made an image before the reveal could not know it, and whoever runs the lab
//! cannot choose it afterwards.

use serde::{Deserialize, Serialize};

use super::{MOST_REQUESTS, Requests, Workload};
use crate::{Digest, Kind, Problem, Result, audit};

/// What a plan says of the stage that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// From 2: the first has no such record.
    pub number: u32,
    /// Id of the measure bundle of the stage before.
    pub parent: Digest,
    /// The audit seed that the stage before had committed to, 64 hexadecimal digits.
    pub revealed: String,
    /// The public value that completed it, where the stage before awaited one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Rounds, trials and blocks of all stages before; numbers go on from there.
    pub after: After,
    /// Rounds of this stage.
    pub rounds: u32,
    /// Candidates that it measures, sorted.
    pub candidates: Vec<String>,
}

/// How far the stages before came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// The last round.
    pub rounds: u32,
    /// The last trial.
    pub trials: u32,
    /// The last block.
    pub blocks: u32,
}

impl Stage {
    /// 64 bits that are this stage's own, for a purpose.
    fn draw(&self, seed: &[u8; 32], purpose: &str, declared: u64) -> u64 {
        let said = [seed.as_slice(), &self.parent.bytes(), &declared.to_be_bytes(), purpose.as_bytes()].concat();
        Digest::of(said).first_u64()
    }
}

impl Workload {
    /// This workload as a further stage runs it.
    ///
    /// # Errors
    /// `Input` for a seed that is none, a number of rounds out of range, or a candidate that
    /// the workload does not have.
    pub fn staged(mut self, stage: Stage) -> Result<Workload> {
        let wrong = |what: String, next: &str| Err(Problem::new(Kind::Input, what).at("stage").next(next));
        let Some(seed) = audit::seed_from_hex(&stage.revealed) else {
            return wrong("the revealed seed is not 64 hexadecimal digits".into(), "take it from the grade bundle");
        };
        if stage.value.as_deref().is_some_and(|value| !audit::is_value(value)) {
            return wrong("the revealed value is not in hexadecimal digits".into(), "take it from the grade bundle");
        }
        let seed = audit::completed(&seed, stage.value.as_deref());
        let After { rounds, trials, blocks } = stage.after;
        let numbers = rounds <= 100_000 && trials.max(blocks) <= MOST_REQUESTS;
        if stage.number < 2 || !(1..=1_000).contains(&stage.rounds) || !numbers {
            return wrong(format!("a stage of {} rounds cannot be", stage.rounds), "ask for 1 to 1000 rounds");
        }
        let planned = |name: &String| self.groups.iter().any(|g| g.candidates.contains(name));
        if let Some(stranger) = stage.candidates.iter().find(|name| !planned(name)) {
            let known: std::collections::BTreeSet<&str> =
                self.groups.iter().flat_map(|g| &g.candidates).map(String::as_str).collect();
            let known: Vec<&str> = known.into_iter().collect();
            let what = format!("no candidate of the matrix is named `{}`", crate::text::shown(stranger, 80));
            return wrong(what, &format!("write one of {}", known.join(", ")));
        }
        self.groups.iter_mut().for_each(|g| g.candidates.retain(|name| stage.candidates.contains(name)));
        self.groups.retain(|g| !g.candidates.is_empty());
        if self.groups.is_empty() {
            return wrong("it measures no candidate".into(), "name one");
        }
        let in_all = u64::from(self.requests_per_round()) * u64::from(stage.rounds);
        if in_all > u64::from(MOST_REQUESTS) {
            return wrong(format!("{in_all} requests in all are more than {MOST_REQUESTS}"), "ask for fewer rounds");
        }
        let draw = |purpose: &str, declared: u64| stage.draw(&seed, purpose, declared);
        match &mut self.requests {
            // What was recorded has an order of its own: the stage goes on in it.
            Requests::File(_) | Requests::Sharegpt(_) => {}
            Requests::Prose { seed, .. } => *seed = draw("requests", *seed),
            Requests::Text(text) => text.seed = draw("requests", text.seed),
            Requests::V1(v1) => v1.beacon = format!("{}, then {:016x}", v1.beacon, draw("requests", 0)),
        }
        self.seed = draw("order", self.seed);
        self.rounds = stage.rounds;
        self.stage = Some(stage);
        Ok(self)
    }

    /// This workload as it is run where a public value that does not exist yet completes the audit
    /// seed.
    ///
    /// # Errors
    /// `Input` for a text that nobody can read.
    pub fn awaiting(mut self, value: String) -> Result<Workload> {
        if !audit::is_readable(&value) {
            let next = format!("write 1 to {} bytes in one line, such as: the hash of block 870000", audit::LONGEST);
            let what = "what names the awaited value is not a line of text";
            return Err(Problem::new(Kind::Input, what).at("awaits").next(next));
        }
        self.awaits = Some(value);
        Ok(self)
    }

    /// Requests that stages before took from a recorded set, which this one leaves out.
    pub fn requests_before(&self) -> u32 {
        match (&self.stage, &self.requests) {
            (Some(stage), Requests::File(_) | Requests::Sharegpt(_)) => {
                stage.after.rounds.saturating_mul(self.requests_per_round())
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::workload::parse;

    fn workload() -> Workload {
        let source = "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{port}\"]\n[candidates.a]\ncommand = [\"s\", \"{port}\"]\n[candidates.b]\ncommand = [\"s\", \"{port}\"]\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n[rounds]\ncount = 3\n[[load]]\nname = \"l\"\nrequests = 2\nclosed = { concurrency = 1 }\n";
        parse(source, Path::new("x.toml")).unwrap()
    }

    fn stage() -> Stage {
        Stage {
            number: 2,
            parent: Digest::of("bundle"),
            revealed: "ab".repeat(32),
            value: None,
            after: After { rounds: 3, trials: 12, blocks: 3 },
            rounds: 2,
            candidates: vec!["b".into()],
        }
    }

    fn seed_of(w: &Workload) -> u64 {
        let Requests::Prose { seed, .. } = w.requests else { panic!("prose") };
        seed
    }

    #[test]
    fn a_stage_has_prompts_and_orders_that_the_reveal_and_the_parent_decide() {
        let one = workload().staged(stage()).unwrap();
        assert_eq!(seed_of(&one), seed_of(&workload().staged(stage()).unwrap()));
        let revealed = Stage { revealed: "ac".repeat(32), ..stage() };
        let parent = Stage { parent: Digest::of("another"), ..stage() };
        let value = Stage { value: Some("00ff00ff00ff00ff".into()), ..stage() };
        let other = Stage { value: Some("00ff00ff00ff00fe".into()), ..stage() };
        let staged = [revealed, parent, value, other].map(|stage| workload().staged(stage).unwrap());
        let seeds = staged.into_iter().chain([workload(), one]);
        let drawn: std::collections::BTreeSet<(u64, u64)> = seeds.map(|w| (seed_of(&w), w.seed)).collect();
        assert_eq!(drawn.len(), 6);
    }

    #[test]
    fn a_stage_measures_only_the_candidates_that_it_names() {
        let staged = workload().staged(stage()).unwrap();
        assert_eq!((staged.groups[0].candidates.as_slice(), staged.rounds), (["b".to_owned()].as_slice(), 2));
        let stranger = workload().staged(Stage { candidates: vec!["c".into()], ..stage() }).unwrap_err();
        assert!(stranger.to_string().contains("`c`") && stranger.to_string().contains("a, b"), "{stranger}");
        assert!(workload().staged(Stage { candidates: vec![], ..stage() }).is_err());
        assert!(workload().staged(Stage { revealed: "x".into(), ..stage() }).is_err());
        assert!(workload().staged(Stage { number: 1, ..stage() }).is_err());
        assert!(workload().staged(Stage { rounds: 0, ..stage() }).is_err());
        // A stranger's numbers are refused before anybody counts with them.
        let after = |trials, blocks| Stage { after: After { rounds: 1, trials, blocks }, ..stage() };
        assert!(workload().staged(after(u32::MAX, 1)).is_err() && workload().staged(after(1, u32::MAX)).is_err());
        let mut large = workload();
        large.loads[0].requests = MOST_REQUESTS / 2;
        let many = large.staged(Stage { rounds: 1_000, ..stage() }).unwrap_err();
        assert!(many.what.contains("requests in all are more than"), "{many}");
        assert!(workload().staged(Stage { value: Some("\n".into()), ..stage() }).is_err());
        assert!(workload().awaiting("block\u{7}".into()).is_err());
    }
}
