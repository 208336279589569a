//! What a page on many weeks keeps of one judged run: plain values, a few kilobytes, no evidence.

use std::collections::{BTreeMap, BTreeSet};

use lab::{
    Digest, Result, Week,
    environment::Environment,
    workload::{BASELINE, Control},
};
use serde::{Deserialize, Serialize};

use crate::{
    compare::{contract, environments, folder, telling},
    identity,
    judgement::{CellSpeed, Effect, Judgement, Leaderboard, Verdict},
    study::{Cell, Study},
};

/// One judged run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When its first stage began, as it is sealed: `2026-11-22T17:02:51Z`.
    pub started: String,
    /// The week in which it did, or that of the stage up to which it is told here.
    pub week: Week,
    /// Its name: the folder of its first stage.
    pub run: String,
    /// The folder of its report as seen from the page, with a slash at its end:
    /// `W47/chat-lab1-7f3a/`.
    pub report: String,
    /// Ids of all bundles that were judged.
    pub bundles: Vec<Digest>,
    /// The version of the method that it was judged by.
    pub method: String,
    /// The workload's name.
    pub workload: String,
    /// What else a reader should know when something changes: host, kernel and the like.
    pub context: Vec<(String, String)>,
    /// What the baseline's server is; none where nobody here can say, as of an endpoint.
    pub baseline: Option<Digest>,
    /// The cells in which it compares speeds, without the steps of ladders.
    pub cells: Vec<Measured>,
    /// The candidates, in the order of the judgement; none where it is a run of controls.
    pub candidates: Vec<Rival>,
    /// Who leads.
    pub board: Board,
    /// The GPUs that it was on, and when.
    pub stays: Vec<Stay>,
}

/// A time on a GPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// The GPU's UUID.
    pub gpu: String,
    /// When the stage began, as it is sealed: `2026-11-22T17:02:51Z`.
    pub from: String,
    /// When it was sealed.
    pub to: String,
}

impl Stay {
    /// Whether both were on one GPU at one time.
    fn meets(&self, other: &Stay) -> bool {
        self.gpu == other.gpu && self.from < other.to && other.from < self.to
    }
}

/// A cell with what the baseline showed in it: geometric means of its opening and its closing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Model, GPUs and load by their names.
    pub cell: Cell,
    /// What else has to be equal for another run to have measured the same cell.
    pub contract: Vec<(String, String)>,
    /// Time to first token.
    pub ttft_ns: Option<f64>,
    /// Time per output token.
    pub tpot_ns: Option<f64>,
    /// Output throughput.
    pub tokens_per_s: Option<f64>,
}

/// A candidate as it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// Its name.
    pub name: String,
    /// What its server is; none where nobody here can say.
    pub server: Option<Digest>,
    /// The verdict on its outputs.
    pub verdict: Verdict,
    /// Whether the verdict rests on a tolerance that nobody calibrated.
    pub provisional: bool,
    /// The speed-up over all cells.
    pub overall: Option<Effect>,
    /// The speed-up in each cell.
    pub cells: Vec<(Cell, Effect)>,
}

/// What a leaderboard says of the first place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Board {
    /// There is none: no candidate is judged.
    None,
    /// It settles nothing; why.
    Void(String),
    /// Nobody is ranked.
    Empty,
    /// Those of the first place; several are not shown to differ.
    Led(BTreeSet<String>),
}

impl Entry {
    /// Of a judged run whose report lies in this folder.
    ///
    /// # Errors
    /// Where a bundle's environment or its run's facts cannot be read, or say no time in UTC.
    pub fn of(study: &Study, judgement: &Judgement, report: impl Into<String>) -> Result<Self> {
        let hosts = environments(study)?;
        let started = study.stages[0].measure.run()?.started;
        let judged = judgement.candidates.iter().filter(|c| c.control.is_none());
        Ok(Entry {
            week: Week::begun(&started)?,
            started,
            run: folder(study),
            report: report.into(),
            bundles: judgement.bundles.iter().map(|b| b.id).collect(),
            method: judgement.method.to_owned(),
            workload: judgement.workload.clone(),
            context: context(study, &hosts),
            baseline: server(study, BASELINE, &hosts),
            cells: cells(judgement, &contract(study, &hosts)),
            candidates: judged
                .map(|candidate| Rival {
                    name: candidate.name.clone(),
                    server: server(study, &candidate.name, &hosts),
                    verdict: candidate.verdict,
                    provisional: candidate.provisional,
                    overall: candidate.overall,
                    cells: counted(&candidate.speed).filter_map(|s| Some((s.into(), s.primary.effect?))).collect(),
                })
                .collect(),
            board: board(judgement.leaderboard.as_ref(), judgement.candidates.iter().find_map(|c| c.control)),
            stays: stays(study)?,
        })
    }

    /// Whether another run was on one of its GPUs while it was: then its speeds are not its servers' own.
    pub(crate) fn shares_gpu_with(&self, other: &Entry) -> bool {
        self.bundles.first() != other.bundles.first()
            && self.stays.iter().any(|stay| other.stays.iter().any(|its| stay.meets(its)))
    }
}

/// Without what is another in each week, or a candidate's.
fn context(study: &Study, hosts: &[Environment]) -> Vec<(String, String)> {
    let mut fields = telling(study, hosts);
    fields.retain(|(name, _)| !["workload file", "rounds"].contains(&name.as_str()) && !name.starts_with("server "));
    fields
}

/// Of each stage the GPUs that its servers had, or, where they were handed none, all of its hosts'.
fn stays(study: &Study) -> Result<Vec<Stay>> {
    let mut stays = Vec::new();
    for (i, stage) in study.stages.iter().enumerate() {
        let (from, to) = (stage.measure.run()?.started, stage.measure.manifest.sealed.clone());
        let trials = study.trials.iter().filter(|trial| trial.stage == i);
        let mut gpus: BTreeSet<String> = trials.flat_map(|trial| trial.record.server.gpus.iter().cloned()).collect();
        if gpus.is_empty() {
            let hosts = stage.measure.environments()?;
            gpus = hosts.into_iter().flat_map(|host| host.gpus).map(|gpu| gpu.uuid).collect();
        }
        stays.extend(gpus.into_iter().map(|gpu| Stay { gpu, from: from.clone(), to: to.clone() }));
    }
    Ok(stays)
}

/// What an arm's server was in all trials that completed; none where that is not one and the same.
fn server(study: &Study, arm: &str, hosts: &[Environment]) -> Option<Digest> {
    let all: BTreeSet<Option<Digest>> =
        study.completed(arm).map(|t| identity::server(&study.workload, arm, &t.record.server, hosts)).collect();
    if all.len() == 1 { all.into_iter().next().flatten() } else { None }
}

/// Those that are part of overall speed-ups.
fn counted(speeds: &[CellSpeed]) -> impl Iterator<Item = &CellSpeed> {
    speeds.iter().filter(|speed| speed.counts)
}

fn cells(judgement: &Judgement, contract: &[(String, String)]) -> Vec<Measured> {
    let measured = |speed: &CellSpeed| {
        let cell = Cell::from(speed);
        let own = format!("model {}", cell.model);
        let others = |name: &String| name.starts_with("model ") && *name != own;
        let value = |name: &str| {
            let metric = speed.beside.iter().find(|metric| metric.metric == name)?;
            let mean = libm::sqrt(metric.baseline) * libm::sqrt(metric.candidate);
            (mean > 0.0).then_some(mean)
        };
        Measured {
            contract: contract.iter().filter(|(name, _)| !others(name)).cloned().collect(),
            ttft_ns: value("ttft"),
            tpot_ns: value("tpot"),
            tokens_per_s: value("output-throughput"),
            cell,
        }
    };
    counted(&judgement.baseline.opening_closing).map(measured).collect()
}

fn board(board: Option<&Leaderboard>, control: Option<Control>) -> Board {
    let Some(board) = board.filter(|_| control.is_none()) else { return Board::None };
    if let Some(why) = &board.void {
        return Board::Void(why.text.clone());
    }
    let first: BTreeSet<String> = board.entries.iter().filter(|e| e.place == 1).map(|e| e.name.clone()).collect();
    if first.is_empty() { Board::Empty } else { Board::Led(first) }
}

impl Measured {
    /// What is the same in every run that measured this cell, as one digest.
    pub(crate) fn identity(&self) -> Digest {
        let Cell { model, gpus, load } = &self.cell;
        let fields: BTreeMap<&str, &str> =
            self.contract.iter().map(|(name, is)| (name.as_str(), is.as_str())).collect();
        Digest::of(serde_json::to_vec(&(model, gpus, load, fields)).expect("strings serialise"))
    }
}

#[cfg(test)]
mod tests;
