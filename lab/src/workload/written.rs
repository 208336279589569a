//! The workload file as a person writes it. Plain structs that refuse unknown keys, so
//! that a typing mistake is named at its line.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use crate::{Digest, image::Image};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workload {
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub models: BTreeMap<String, Model>,
    pub baseline: Arm,
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
    pub limits: super::Limits,
    pub equivalence: Option<Equivalence>,
    pub cost: Option<super::Cost>,
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
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Load {
    pub name: String,
    pub requests: u32,
    pub closed: Option<Closed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closed {
    pub concurrency: u32,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rounds {
    pub count: u32,
    pub seed: u64,
}

impl Default for Rounds {
    fn default() -> Self {
        Rounds { count: 10, seed: 0 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Warmup {
    pub requests: u32,
}

impl Default for Warmup {
    fn default() -> Self {
        Warmup { requests: 4 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Equivalence {
    pub reference: Option<Arm>,
    pub sample: u32,
    pub tolerance: Option<super::Tolerance>,
}
