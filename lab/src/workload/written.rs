//! The workload file as a person writes it. Plain structs that refuse unknown keys, so
//! that a typing mistake is named at its line.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use crate::{Digest, Nanos, image::Image};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workload {
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub models: BTreeMap<String, Model>,
    pub baseline: Arm,
    #[serde(default)]
    pub candidates: BTreeMap<String, Arm>,
    pub requests: super::Requests,
    pub sampling: super::Sampling,
    pub load: Vec<Load>,
    #[serde(default)]
    pub matrix: Matrix,
    #[serde(default)]
    pub rounds: Rounds,
    #[serde(default)]
    pub warmup: Warmup,
    #[serde(default)]
    pub client: super::Client,
    #[serde(default)]
    pub limits: super::Limits,
    pub slo: Option<super::Slo>,
    pub equivalence: Option<Equivalence>,
    pub cost: Option<super::Cost>,
    #[serde(default)]
    pub score: super::Score,
    #[serde(default)]
    pub container: super::Container,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    pub path: PathBuf,
    pub served_name: Option<String>,
    pub digest: Option<Digest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arm {
    #[serde(default)]
    pub description: String,
    pub command: Option<Vec<String>>,
    pub image: Option<Image>,
    pub archive: Option<Archive>,
    pub endpoint: Option<String>,
    pub api_key_env: Option<String>,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default)]
    pub binds: super::Binds,
    pub control: Option<super::Control>,
    pub configuration: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Archive {
    pub path: PathBuf,
    pub digest: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Load {
    pub name: String,
    pub requests: u32,
    pub time: Option<Nanos>,
    pub think: Option<super::Think>,
    pub closed: Option<Closed>,
    pub open: Option<Open>,
    pub trace: Option<Trace>,
    pub ladder: Option<Ladder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closed {
    pub concurrency: u32,
    #[serde(default)]
    pub ramp: Nanos,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    pub rate: f64,
    pub arrivals: Option<Arrivals>,
    pub burstiness: Option<f64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Arrivals {
    Constant,
    Poisson,
    Gamma,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trace {
    pub path: PathBuf,
    pub digest: Digest,
    #[serde(default = "one")]
    pub speed: f64,
}

fn one() -> f64 {
    1.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ladder {
    pub rate: Option<Series>,
    pub concurrency: Option<Series>,
    pub arrivals: Option<Arrivals>,
    pub burstiness: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Series {
    pub from: f64,
    pub factor: f64,
    pub steps: u32,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Matrix {
    pub candidates: Option<Vec<String>>,
    pub models: Option<Vec<String>>,
    pub loads: Option<Vec<String>>,
    pub gpus: Option<Vec<u32>>,
    #[serde(default)]
    pub exclude: Vec<Exclude>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exclude {
    pub candidate: Option<String>,
    pub model: Option<String>,
    pub gpus: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rounds {
    pub count: Option<u32>,
    pub seed: u64,
    pub looks: Vec<super::Look>,
    pub blind_control: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Warmup {
    pub requests: Option<u32>,
    pub replay: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Equivalence {
    pub reference: Option<Arm>,
    pub sample: u32,
    pub tolerance: Option<super::Tolerance>,
    #[serde(default)]
    pub calibration: Vec<Digest>,
    pub confirm: Option<u32>,
}
