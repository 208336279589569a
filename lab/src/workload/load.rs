//! Loads as written to load phases as meant; a ladder becomes a phase for each step.

use std::{collections::BTreeSet, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{check::Check, written};
use crate::{Digest, Nanos, Result};

/// One load phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Unique in the workload.
    pub name: String,
    /// Requests of the phase.
    pub requests: u32,
    /// When requests are sent.
    pub shape: Shape,
    /// Nothing is sent after so much time of the phase.
    pub time: Option<Nanos>,
    /// The pause before each further turn of a session.
    pub think: Option<Think>,
    /// The ladder that it is a step of.
    pub rung: Option<Rung>,
    /// The trace's file.
    pub trace: Option<TraceFile>,
}

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// A fixed number of clients, each sending its next request when the last has ended.
    Closed {
        /// The number of clients.
        concurrency: u32,
        /// The clients begin evenly over this time.
        #[serde(default, skip_serializing_if = "Nanos::is_zero")]
        ramp_ns: Nanos,
    },
    /// Requests, or the first turns of sessions, arrive whether or not others have ended.
    Open {
        /// The mean time between arrivals.
        gap_ns: Nanos,
        /// How arrivals are spread.
        arrivals: Arrivals,
    },
    /// Arrivals as they were recorded.
    Trace {
        /// Of the trace's file.
        digest: Digest,
        /// Recorded time over replayed time, in thousandths.
        speed_thousandths: u32,
    },
}

/// How open arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Arrivals {
    /// Every gap is the mean gap.
    Constant,
    /// Exponential gaps.
    Poisson,
    /// Gamma gaps: the shape is the burstiness; below 1 arrivals cluster, 1 is Poisson.
    Gamma {
        /// In thousandths.
        burstiness_thousandths: u32,
    },
}

/// The pause before each further turn of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Think {
    /// Always the same.
    Constant(Nanos),
    /// Exponential with this mean.
    Exponential(Nanos),
}

/// A step of a ladder: a declared geometric series of rates or concurrencies.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// The ladder's name.
    pub ladder: String,
    /// From 1.
    pub step: u32,
    /// What the series is of.
    pub of: Axis,
    /// Requests per second, or the number of clients.
    pub value: f64,
}

/// What a ladder is a series of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Requests per second of an open load.
    Rate,
    /// Clients of a closed load.
    Concurrency,
}

/// The file of a recorded trace, see [`crate::trace`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFile {
    /// Relative paths are resolved from the workload file's folder.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub digest: Digest,
}

const ADVICE: &str = "add closed = { concurrency = 4 }, open = { rate = 2.0 }, trace = { … } or ladder = { … }";

impl Check<'_> {
    pub(super) fn loads(&self, written: Vec<written::Load>) -> Result<Vec<Load>> {
        if written.is_empty() {
            return Err(self.wrong(
                "load",
                "there is no load",
                "add [[load]] with a name, requests and closed = { concurrency = 4 }",
            ));
        }
        let mut loads = Vec::new();
        for load in written {
            self.name("load.name", &load.name)?;
            self.in_range("load.requests", load.requests, 1..=1 << 24)?;
            if load.time.is_some_and(|t| t.is_zero()) {
                return Err(self.wrong("load.time", "no time is left to send anything", "write a time like \"60s\""));
            }
            loads.extend(self.load(load)?);
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = loads.iter().find(|l| !names.insert(l.name.as_str())) {
            let what = format!("two loads are named `{}`", twice.name);
            return Err(self.wrong("load.name", &what, "give each load its own name"));
        }
        Ok(loads)
    }

    fn load(&self, w: written::Load) -> Result<Vec<Load>> {
        let field = |part: &str| format!("load.{part}");
        let plain = |shape| Load {
            name: w.name.clone(),
            requests: w.requests,
            shape,
            time: w.time,
            think: w.think,
            rung: None,
            trace: None,
        };
        match (w.closed, w.open, w.trace, w.ladder) {
            (Some(closed), None, None, None) => {
                let shape = self.closed(&field("closed.concurrency"), f64::from(closed.concurrency), closed.ramp)?;
                Ok(vec![plain(shape)])
            }
            (None, Some(open), None, None) => {
                let arrivals = self.arrivals(&field("open"), open.arrivals, open.burstiness)?;
                let shape = self.open(&field("open.rate"), open.rate, arrivals)?;
                Ok(vec![plain(shape)])
            }
            (None, None, Some(trace), None) => {
                if !(0.001..=1_000.0).contains(&trace.speed) {
                    let what = format!("{} is not between 0.001 and 1000", trace.speed);
                    return Err(self.wrong("load.trace.speed", &what, "write 1 for the recorded speed"));
                }
                let speed_thousandths = libm::round(trace.speed * 1_000.0) as u32;
                let shape = Shape::Trace { digest: trace.digest, speed_thousandths };
                let file = TraceFile { path: self.folder.join(trace.path), digest: trace.digest };
                Ok(vec![Load { trace: Some(file), ..plain(shape) }])
            }
            (None, None, None, Some(ladder)) => self.ladder(&plain, ladder),
            (None, None, None, None) => Err(self.wrong("load", &format!("load `{}` has no shape", w.name), ADVICE)),
            _ => Err(self.wrong("load", &format!("load `{}` has more than one shape", w.name), "keep one of them")),
        }
    }

    fn ladder(&self, plain: &dyn Fn(Shape) -> Load, ladder: written::Ladder) -> Result<Vec<Load>> {
        let (of, series) = match (ladder.rate, ladder.concurrency) {
            (Some(series), None) => (Axis::Rate, series),
            (None, Some(series)) => (Axis::Concurrency, series),
            _ => {
                return Err(self.wrong(
                    "load.ladder",
                    "a ladder is a series of rates or of concurrencies",
                    "write ladder = { rate = { from = 1.0, factor = 1.5, steps = 6 } }, or concurrency = { … }",
                ));
            }
        };
        self.in_range("load.ladder.steps", series.steps, 2..=64)?;
        if !(1.01..=100.0).contains(&series.factor) {
            let what = format!("{} is not between 1.01 and 100", series.factor);
            return Err(self.wrong("load.ladder.factor", &what, "write the ratio of two neighbouring steps, like 1.5"));
        }
        let arrivals = match of {
            Axis::Rate => self.arrivals("load.ladder", ladder.arrivals, ladder.burstiness)?,
            Axis::Concurrency if ladder.arrivals.is_some() || ladder.burstiness.is_some() => {
                let what = "clients of a closed load arrive when their last request has ended";
                return Err(self.wrong("load.ladder.arrivals", what, "remove arrivals and burstiness"));
            }
            Axis::Concurrency => Arrivals::Constant,
        };
        let mut steps = Vec::new();
        let mut value = series.from;
        for step in 1..=series.steps {
            let (shape, value_shown) = match of {
                Axis::Rate => (self.open("load.ladder.rate", value, arrivals)?, value),
                Axis::Concurrency => {
                    let clients = libm::round(value);
                    (self.closed("load.ladder.concurrency", clients, Nanos(0))?, clients)
                }
            };
            let load = plain(shape);
            let rung = Rung { ladder: load.name.clone(), step, of, value: value_shown };
            if steps.last().is_some_and(|l: &Load| l.rung.as_ref().is_some_and(|r| r.value >= rung.value)) {
                let what = format!("steps {} and {step} have the same number of clients", step - 1);
                return Err(self.wrong("load.ladder.factor", &what, "write a larger factor"));
            }
            steps.push(Load { name: format!("{}-{step}", load.name), rung: Some(rung), ..load });
            value *= series.factor;
        }
        Ok(steps)
    }

    fn closed(&self, field: &str, clients: f64, ramp_ns: Nanos) -> Result<Shape> {
        if !(1.0..=100_000.0).contains(&clients) {
            return Err(self.wrong(
                field,
                &format!("{clients} is not between 1 and 100000"),
                "write a number in that range",
            ));
        }
        Ok(Shape::Closed { concurrency: clients as u32, ramp_ns })
    }

    fn open(&self, field: &str, rate: f64, arrivals: Arrivals) -> Result<Shape> {
        if !(0.001..=1_000_000.0).contains(&rate) {
            return Err(self.wrong(
                field,
                &format!("{rate} is not between 0.001 and 1000000"),
                "write requests per second",
            ));
        }
        Ok(Shape::Open { gap_ns: Nanos(libm::round(1e9 / rate) as u64), arrivals })
    }

    fn arrivals(&self, field: &str, kind: Option<written::Arrivals>, burstiness: Option<f64>) -> Result<Arrivals> {
        match (kind.unwrap_or(written::Arrivals::Poisson), burstiness) {
            (written::Arrivals::Constant, None) => Ok(Arrivals::Constant),
            (written::Arrivals::Poisson, None) => Ok(Arrivals::Poisson),
            (written::Arrivals::Gamma, Some(b)) if (0.001..=1_000.0).contains(&b) => {
                Ok(Arrivals::Gamma { burstiness_thousandths: libm::round(b * 1_000.0) as u32 })
            }
            (written::Arrivals::Gamma, _) => Err(self.wrong(
                &format!("{field}.burstiness"),
                "gamma arrivals need a burstiness between 0.001 and 1000",
                "write burstiness = 0.5 for arrivals in bursts, 1 is Poisson",
            )),
            (_, Some(_)) => Err(self.wrong(
                &format!("{field}.burstiness"),
                "only gamma arrivals have a burstiness",
                "write arrivals = \"gamma\", or remove burstiness",
            )),
        }
    }
}

/// `"2s"`, or `{ exponential = "2s" }`.
impl<'de> Deserialize<'de> for Think {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Constant(Nanos),
            Table(Table),
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        enum Table {
            Constant(Nanos),
            Exponential(Nanos),
        }
        Ok(match Written::deserialize(d)? {
            Written::Constant(time) | Written::Table(Table::Constant(time)) => Think::Constant(time),
            Written::Table(Table::Exponential(mean)) => Think::Exponential(mean),
        })
    }
}
