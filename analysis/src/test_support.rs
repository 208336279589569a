//! Bundles made of scripted behaviours, sealed by lab's own writers, so that a test says
//! what a server does and asks what is judged.

pub(crate) mod recorded;
mod said;
mod sealed;
mod stream;
mod words;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use lab::{
    Digest,
    records::Class,
    workload::{BASELINE, BLIND_CONTROL, Workload},
};

pub(crate) use said::{Ask, Part, Said, answer, honest};
pub(crate) use sealed::Sealed;
pub(crate) use words::{END, text_of, tokenizer_json, word};

/// The audit seed of every test run.
pub(crate) const SEED: [u8; 32] = [7; 32];
/// Prompt tokens of every request, as the reference renders it.
const PROMPT: u64 = 5;

type Say = Box<dyn Fn(&Ask) -> Said>;
type Margin = Box<dyn Fn(&Ask, usize) -> f64>;

/// A run to be scripted.
pub(crate) struct Script {
    pub(crate) rounds: u32,
    pub(crate) requests: u32,
    pub(crate) max_tokens: u32,
    pub(crate) sample: u32,
    /// c, δ, δ_h.
    pub(crate) tolerance: Option<(f64, f64, f64)>,
    /// More lines of `[sampling]`.
    pub(crate) sampling: &'static str,
    /// A `[matrix]` section.
    pub(crate) matrix: &'static str,
    /// More lines of `[rounds]`.
    pub(crate) looks: &'static str,
    /// The load, but for its number of requests; named `c1` and closed if nothing is said.
    pub(crate) load: &'static str,
    /// An `[slo]` section, `[client]`, and the like.
    pub(crate) more: &'static str,
    /// Most output tokens of each request of the set; the workload's where there is none.
    pub(crate) most: fn(u32) -> Option<u32>,
    /// The session of each request of the set.
    pub(crate) session: fn(u32) -> Option<u32>,
    /// Whether the bundle is written as version 1 of the formats was.
    pub(crate) old: bool,
    pub(crate) grade: bool,
    /// Measure bundles that the workload names as its calibration, instead of a tolerance.
    pub(crate) calibration: Vec<Digest>,
    /// More lines of each candidate.
    pub(crate) declared: fn(&str) -> String,
    /// Whether an arm named `blind-control` is the workload's own.
    pub(crate) blind_control: bool,
    /// What the program of every server is; nobody knows where it is empty.
    pub(crate) program: &'static str,
    /// The GPU of the host; none where it is empty.
    pub(crate) gpu: &'static str,
    /// The host that measures a round.
    pub(crate) host: fn(u32) -> &'static str,
    /// Ids that the reference does not score.
    pub(crate) refuses: fn(u32) -> bool,
    pub(crate) reveal: [u8; 32],
    /// What its plan awaits, and what its grade says that it was.
    pub(crate) awaits: Option<&'static str>,
    pub(crate) value: Option<&'static str>,
    /// With what its sample is drawn; none is that value.
    pub(crate) drawn: Option<&'static str>,
    arms: BTreeMap<String, (Say, Margin)>,
    failed: Vec<(String, u32, Class)>,
    /// Trials and requests whose turn never came.
    never: std::cell::RefCell<BTreeSet<(u32, u32)>>,
}

impl Script {
    /// A run whose baseline takes `step_ns` a token and is its own reference exactly.
    pub(crate) fn new(baseline: impl Fn(&Ask) -> Said + 'static) -> Self {
        let script = Script {
            rounds: 6,
            requests: 6,
            max_tokens: 20,
            sample: 4,
            tolerance: Some((0.5, 0.02, 0.2)),
            sampling: "",
            matrix: "",
            looks: "",
            load: "name = \"c1\"\nclosed = { concurrency = 1 }",
            more: "",
            most: |_| None,
            session: |_| None,
            old: false,
            grade: true,
            calibration: Vec::new(),
            declared: |_| String::new(),
            blind_control: false,
            program: "",
            gpu: "",
            host: |_| "here",
            refuses: |_| false,
            reveal: SEED,
            awaits: None,
            value: None,
            drawn: None,
            arms: BTreeMap::new(),
            failed: Vec::new(),
            never: Default::default(),
        };
        script.arm(BASELINE, baseline)
    }

    /// Adds an arm, or replaces one.
    pub(crate) fn arm(mut self, name: &str, say: impl Fn(&Ask) -> Said + 'static) -> Self {
        self.arms.insert(name.into(), (Box::new(say), Box::new(|_, _| 0.0)));
        self
    }

    /// How far each token of an arm is from the reference's first choice, in nats.
    pub(crate) fn margins(mut self, name: &str, margin: impl Fn(&Ask, usize) -> f64 + 'static) -> Self {
        self.arms.get_mut(name).unwrap().1 = Box::new(margin);
        self
    }

    /// Lets an arm's trial fail in a round.
    pub(crate) fn fails(mut self, name: &str, round: u32, class: Class) -> Self {
        self.failed.push((name.into(), round, class));
        self
    }

    fn workload(&self) -> Workload {
        let candidates: String = self
            .arms
            .keys()
            .filter(|name| *name != BASELINE && *name != BLIND_CONTROL)
            .map(|name| {
                format!("[candidates.{name}]\ncommand = [\"s\", \"{{port}}\", \"{name}\"]\n{}\n", (self.declared)(name))
            })
            .collect();
        let tolerance = self.tolerance.filter(|_| self.calibration.is_empty());
        let tolerance = tolerance.map_or(String::new(), |(cap, mean, far)| {
            format!("tolerance = {{ cap_nats = {cap:?}, mean = {mean:?}, far = {far:?} }}\n")
        });
        let calibration: Vec<String> = self.calibration.iter().map(Digest::to_string).collect();
        let calibration =
            if calibration.is_empty() { String::new() } else { format!("calibration = {calibration:?}\n") };
        let tolerance = format!("{tolerance}{calibration}");
        let source = format!(
            "name = \"test\"\n[models.toy]\npath = \"toy\"\n[baseline]\ncommand = [\"s\", \"{{port}}\"]\n{candidates}[requests.prose]\nseed = 1\nwords = 5\n[sampling]\nmax_tokens = {}\n{}\n[[load]]\n{}\nrequests = {}\n[rounds]\ncount = {}\nseed = 3\nblind_control = {}\n{}\n[warmup]\nrequests = 1\n[equivalence]\nsample = {}\n{tolerance}{}\n{}",
            self.max_tokens,
            self.sampling,
            self.load,
            self.requests,
            self.rounds,
            self.blind_control,
            self.looks,
            self.sample,
            self.matrix,
            self.more
        );
        let workload = lab::workload::parse(&source, "test.toml".as_ref()).unwrap();
        match self.awaits {
            Some(value) => workload.awaiting(value.into()).unwrap(),
            None => workload,
        }
    }

    /// Runs, grades and seals it.
    pub(crate) fn seal(&self) -> Sealed {
        let temp = tempfile::tempdir().unwrap();
        let paths = self.seal_into(temp.path(), self.workload());
        Sealed { measure: paths[0].clone(), grade: paths.get(1).cloned(), further: Vec::new(), temp }
    }
}
