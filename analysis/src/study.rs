//! Sealed bundles, opened for judging: the stages of one run, the grade bundles of each, and
//! the runs that calibrate it.
//!
//! Everything a verdict rests on is read here and nowhere else, as typed rows; the same
//! rows are handed out as polars frames ([`Study::requests_frame`] and its siblings) for
//! tables, files and whoever wants to look for themselves.

mod contract;
mod evidence;
mod frames;
mod grades;
mod response;
mod set;
mod succession;
mod visible;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use lab::{
    Problem, Result,
    bundle::{Bundle, TRIAL, TRIALS, WIRE},
    environment::Environment,
    plan::{self, Role},
    records::{self, TelemetryRow, TrialOutcome},
    tokenizer::Tokenizer,
    workload::{BASELINE, Load, Workload},
};

use serde::{Deserialize, Serialize};

use crate::{parallel, stack::Ran};

pub(crate) use contract::{Contract, read as read_contract};
pub(crate) use evidence::{Heard, Responses, hear};
pub(crate) use frames::outcome_name;
pub use grades::Graded;
#[cfg(test)]
pub(crate) use response::same_text;
pub use response::{CountedFrom, Response, Step};

/// A set of bundles that is judged as one.
pub struct Study {
    /// The run's stages, the first one first.
    pub stages: Vec<Stage>,
    /// The workload, as its file says.
    pub workload: Workload,
    /// The trials that are there, in the plans' order, stage by stage.
    pub trials: Vec<Trial>,
    /// Planned trials that are not in the bundles.
    pub missing: Vec<plan::Trial>,
    /// The runs that its workload names as its calibration.
    pub calibration: Vec<Study>,
    tokenizers: BTreeMap<String, Tokenizer>,
}

/// One measure bundle, and the grade bundles of it.
pub struct Stage {
    /// The bundle of trials.
    pub measure: Bundle,
    /// Grade bundles of it, sorted by id.
    pub grades: Vec<Bundle>,
    prompts: grades::Prompts,
    /// Most output tokens of each request, by id.
    most_tokens: Vec<u32>,
}

/// One trial: one arm, one server lifetime.
#[derive(Debug)]
pub struct Trial {
    /// Its folder.
    pub folder: String,
    /// The stage that it belongs to, from 0.
    pub stage: usize,
    /// As planned.
    pub plan: plan::Trial,
    /// As it went.
    pub record: records::Trial,
    /// Its timed requests, in the plan's order. A failed trial has those that it came to.
    pub responses: Vec<Response>,
    /// The reference's view of the sampled ones, by request.
    pub graded: BTreeMap<u32, Graded>,
    /// Whether a grade bundle sampled it.
    pub sampled: bool,
    index: BTreeMap<u32, usize>,
}

/// A model on a number of GPUs under a load.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// The model's name.
    pub model: String,
    /// GPUs of the server.
    pub gpus: u32,
    /// The load's name.
    pub load: String,
}

impl Trial {
    /// Whether every phase ran.
    pub fn completed(&self) -> bool {
        self.record.outcome == TrialOutcome::Completed
    }

    /// The responses of a load.
    pub fn of_load<'a>(&'a self, load: &'a str) -> impl Iterator<Item = &'a Response> {
        self.responses.iter().filter(move |r| r.load == load)
    }

    /// The response to a request.
    pub fn response(&self, request: u32) -> Option<&Response> {
        self.index.get(&request).map(|i| &self.responses[*i])
    }
}

impl Study {
    /// Opens bundles that belong together, in any order: the stages of one run, the grade
    /// bundles of each, and the runs that calibrate it. Their bytes are compared with their
    /// manifests as they are read.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        Self::open_heard(paths, Heard::new())?
    }

    /// Opens bundles of which some trials were read before. The outer error says that they do
    /// not belong together, the inner one what is wrong with what calibrates them.
    pub(crate) fn open_heard(paths: &[PathBuf], mut heard: Heard) -> Result<Result<Self>> {
        let set = set::sort(paths.iter().map(|p| Bundle::open(p)).collect::<Result<_>>()?)?;
        let study = Self::of(set.stages, &mut heard)?;
        Ok(match set.lacks {
            Some(problem) => Err(problem),
            None => study.calibrated(set.calibration, &mut heard),
        })
    }

    fn calibrated(mut self, members: Vec<set::Member>, heard: &mut Heard) -> Result<Self> {
        for member in members {
            let run = Self::of(vec![member], heard)?;
            succession::same_kind(&run.stages[0].measure, &self.stages[0].measure)?;
            succession::same_questions(&run, &self)?;
            self.calibration.push(run);
        }
        Ok(self)
    }

    fn of(members: Vec<set::Member>, heard: &mut Heard) -> Result<Self> {
        let contracts =
            members.iter().map(|member| contract::read(&member.measure)).collect::<Result<Vec<Contract>>>()?;
        succession::check(&members, &contracts)?;
        let models: BTreeSet<&String> = contracts.iter().flat_map(|c| &c.plan.trials).map(|t| &t.model).collect();
        let first = &members[0].measure;
        let tokenizers: BTreeMap<String, Tokenizer> = models
            .into_iter()
            .map(|model| first.tokenizer(model).map(|t| (model.clone(), t)))
            .collect::<Result<_>>()?;
        let workload = contracts[0].workload.clone();
        let (mut stages, mut trials, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for (member, contract) in members.into_iter().zip(contracts) {
            let set::Member { measure, grades } = member;
            let (mut own, absent) = read_trials(&measure, stages.len(), &contract, &tokenizers, heard)?;
            let prompts = grades::read(&grades, measure.id, &contract, &mut own, &tokenizers)?;
            let usual = contract.workload.sampling.max_tokens;
            let most_tokens = contract.requests.iter().map(|r| r.max_tokens.unwrap_or(usual)).collect();
            stages.push(Stage { measure, grades, prompts, most_tokens });
            trials.extend(own);
            missing.extend(absent);
        }
        Ok(Study { stages, workload, trials, missing, calibration: Vec::new(), tokenizers })
    }

    /// Whether a reference looked at any stage.
    pub fn is_graded(&self) -> bool {
        self.stages.iter().any(|stage| !stage.grades.is_empty())
    }

    /// The baseline and the candidates of the plan, the baseline first.
    pub fn arms(&self) -> Vec<&str> {
        let planned: BTreeSet<&str> = self.planned().map(|t| t.arm.as_str()).filter(|arm| *arm != BASELINE).collect();
        std::iter::once(BASELINE).chain(planned).collect()
    }

    /// Every cell of the plan, sorted.
    pub fn cells(&self) -> Vec<Cell> {
        let all = self.planned().flat_map(cells_of);
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The cells in which an arm is planned, sorted.
    pub fn cells_of_arm(&self, arm: &str) -> Vec<Cell> {
        let all = self.planned().filter(|t| t.arm == arm).flat_map(cells_of);
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Every planned trial, whether it is there or not; those that are come first.
    pub fn planned(&self) -> impl Iterator<Item = &plan::Trial> {
        self.trials.iter().map(|t| &t.plan).chain(&self.missing)
    }

    /// The trials of an arm that completed, in the plan's order.
    pub fn completed<'a>(&'a self, arm: &'a str) -> impl Iterator<Item = &'a Trial> {
        self.trials.iter().filter(move |t| t.plan.arm == arm && t.completed())
    }

    /// The baselines beside a trial that completed: those of its block, less itself.
    pub fn baselines_beside<'a>(&'a self, trial: &'a Trial) -> impl Iterator<Item = &'a Trial> {
        self.trials.iter().filter(move |t| {
            t.plan.block == trial.plan.block
                && t.plan.role != Role::Candidate
                && t.plan.n != trial.plan.n
                && t.completed()
        })
    }

    /// What it ran with, on these hosts.
    pub(crate) fn ran<'a>(&'a self, hosts: &'a [Environment]) -> Ran<'a> {
        let servers = self.trials.iter().map(|t| (t.plan.arm.as_str(), &t.record.server)).collect();
        Ran { workload: &self.workload, planned: self.planned().collect(), servers, hosts }
    }

    /// What the GPUs of a trial did; no rows where nobody looked.
    pub fn telemetry(&self, trial: &Trial) -> Result<Vec<TelemetryRow>> {
        self.stages[trial.stage].measure.telemetry(&trial.folder)
    }

    /// The load of that name.
    pub fn load(&self, name: &str) -> Option<&Load> {
        self.workload.loads.iter().find(|l| l.name == name)
    }

    /// Most output tokens that a request of a trial asks for.
    pub fn most_tokens(&self, trial: &Trial, request: u32) -> u32 {
        self.stages[trial.stage].most_tokens.get(request as usize).copied().unwrap_or(self.workload.sampling.max_tokens)
    }

    /// The tokenizer of a model of the plan.
    pub fn tokenizer(&self, model: &str) -> Option<&Tokenizer> {
        self.tokenizers.get(model)
    }

    /// Prompt tokens of a trial's request, as the reference renders it; none without a grade.
    pub fn prompt_tokens(&self, trial: &Trial, request: u32) -> Option<u64> {
        self.stages[trial.stage].prompts.get(&(trial.plan.model.clone(), request)).copied()
    }
}

fn cells_of(trial: &plan::Trial) -> impl Iterator<Item = Cell> {
    trial.phases.iter().map(|p| Cell { model: trial.model.clone(), gpus: trial.gpus, load: p.load.clone() })
}

type Found = (Vec<Trial>, Vec<plan::Trial>);

fn read_trials(
    bundle: &Bundle,
    stage: usize,
    contract: &Contract,
    tokenizers: &BTreeMap<String, Tokenizer>,
    heard: &mut Heard,
) -> Result<Found> {
    let mut folders: BTreeSet<&str> = bundle
        .manifest
        .files
        .iter()
        .filter_map(|f| f.path.strip_prefix(TRIALS)?.strip_prefix('/')?.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    let (there, missing): (Vec<&plan::Trial>, Vec<_>) =
        contract.plan.trials.iter().partition(|planned| folders.remove(planned.folder().as_str()));
    if let Some(stranger) = folders.first() {
        let name = lab::text::shown(stranger, 80);
        return Err(Problem::broken(format!("`{name}` is no trial of the plan")).next("run bench verify"));
    }
    let heard = Mutex::new(heard);
    let read = parallel::map(&there, |planned| {
        let tokenizer = tokenizers.get(&planned.model).ok_or_else(|| Problem::broken("a model has no tokenizer"))?;
        let known = (bundle.id, planned.folder(), tokenizer.digest);
        let known = heard.lock().unwrap_or_else(PoisonError::into_inner).remove(&known);
        Ok(Trial { stage, ..read_trial(bundle, contract, planned, tokenizer, known)? })
    });
    Ok((read.into_iter().collect::<Result<_>>()?, missing.into_iter().cloned().collect()))
}

fn read_trial(
    bundle: &Bundle,
    contract: &Contract,
    planned: &plan::Trial,
    tokenizer: &Tokenizer,
    known: Option<Responses>,
) -> Result<Trial> {
    let folder = planned.folder();
    let place = format!("{TRIALS}/{folder}");
    let broken = |what: String| Problem::broken(what).at(place.clone()).next("run bench verify");
    let text = bundle.text(&format!("{place}/{TRIAL}"))?;
    let record: records::Trial = lab::bundle::versioned(&text, records::FORMAT, &place)?;
    if record.trial != *planned {
        return Err(broken("its trial.json does not tell the planned trial".into()));
    }
    let completed = record.outcome == TrialOutcome::Completed;
    let mut heard = match known {
        Some(known) => known,
        None if completed || bundle.has(&format!("{place}/{WIRE}")) => {
            hear(bundle, contract, &folder, Some(tokenizer), |_, _, _| {})?
        }
        None => Responses::default(),
    };
    if let Some(id) = heard.twice {
        return Err(broken(format!("request {id} was answered twice")));
    }
    let mut responses = Vec::new();
    for phase in &planned.phases {
        for id in phase.requests.ids() {
            match heard.of.remove(&id) {
                Some(response) if response.load == phase.load => responses.push(response),
                None if !completed => {}
                _ => return Err(broken(format!("request {id} of load {} is not there", phase.load))),
            }
        }
    }
    Ok(Trial {
        folder,
        stage: 0,
        plan: planned.clone(),
        record,
        index: responses.iter().enumerate().map(|(i, r)| (r.request, i)).collect(),
        responses,
        graded: BTreeMap::new(),
        sampled: false,
    })
}

#[cfg(test)]
mod tests;
