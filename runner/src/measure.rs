//! The measured part of a trial: wait until the server is ready, warm up, run the load
//! phases. It runs in this process, or in the driver inside of a container's network.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use lab::{
    Nanos, Result,
    plan::{self, Span},
    records::{Class, PhaseStage, Stages, TrialOutcome, WARMUP},
    requests::Request,
    schedule::{self, Due},
    wire::End,
    workload::{self, Limits, Sampling, Shape},
};

use crate::{
    client::{self, Job, Shard},
    control::Control,
    evidence::{self, PhaseSeen, Summary},
    host,
    live::Tally,
    load::{self, Flow, Phase, Unit},
    progress::{Event, Observer},
    server::{self, Life},
    target::{Secret, Target},
};

/// What a measurement needs to know.
pub struct Setting<'a> {
    /// The trial.
    pub trial: &'a plan::Trial,
    /// The folder of the workload, requests, schedule and plan that it is of.
    pub run: &'a Path,
    /// The model's name in requests.
    pub served_name: &'a str,
    /// All keys of the workload: none is stored, whoever says it.
    pub keys: &'a [Secret],
    /// The request set.
    pub requests: &'a [Request],
    /// When each scheduled request is due, by its id.
    pub due: &'a [Option<&'a Due>],
    /// What is asked of the model.
    pub sampling: &'a Sampling,
    /// How requests are sent.
    pub client: &'a workload::Client,
    /// Deadlines and bounds.
    pub limits: &'a Limits,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

/// Rows of the schedule at the places of their requests.
pub fn due_by_request(schedule: Option<&Vec<Due>>, requests: usize) -> Vec<Option<&Due>> {
    let mut due = vec![None; requests];
    for row in schedule.into_iter().flatten() {
        due[row.request as usize] = Some(row);
    }
    due
}

/// What was measured; its evidence is in journals until it is written.
pub struct Measured {
    /// What became of it; of a server that failed, without its last words.
    pub outcome: TrialOutcome,
    /// When it was ready, warm, and done with each phase.
    pub stages: Stages,
    phases: Vec<PhaseSeen>,
    shards: Vec<Arc<Mutex<Shard>>>,
}

/// Measures a server; an error is this machine's and ends the run.
pub async fn measure(setting: &Setting<'_>, target: Target, life: &mut impl Life, folder: &Path) -> Result<Measured> {
    let shards = evidence::begin(folder, setting.client.threads)?;
    let mut measured =
        Measured { outcome: TrialOutcome::Completed, stages: Stages::default(), phases: Vec::new(), shards };
    measured.outcome = measured.run(setting, Arc::new(target), life).await?;
    Ok(measured)
}

impl Measured {
    /// Writes the tables of a trial.
    pub fn write(&self, setting: &Setting<'_>, folder: &Path) -> Result<Summary> {
        evidence::write(folder, &self.phases, &self.shards, setting.keys)
    }

    async fn run(&mut self, setting: &Setting<'_>, target: Arc<Target>, life: &mut impl Life) -> Result<TrialOutcome> {
        let clock = target.clock;
        let control = Control::new(&target, setting.limits.request)?;
        if let Err(not) = server::ready(life, clock, &control, setting.limits).await {
            return Ok(failed(not.class, not.detail));
        }
        self.stages.ready_ns = Some(clock.now());
        setting.observer.see(&Event::Ready { after: clock.now() });
        let drive = Drive { setting, target: &target };
        for phase in warmups(setting.trial) {
            drive.phase(&phase, self).await?;
        }
        self.stages.warm_ns = Some(clock.now());
        for phase in &setting.trial.phases {
            let before = host::taken();
            let start_ns = drive.phase(phase, self).await?;
            let (end_ns, after) = (clock.now(), host::taken());
            let out_of_order = self.phases.last().and_then(|p| p.out_of_order);
            self.stages.phases.push(PhaseStage {
                load: phase.load.clone(),
                start_ns,
                end_ns,
                client_cpu_ns: before.zip(after).map(|(before, after)| Nanos(after.0.0 - before.0.0)),
                out_of_order,
                client_peak_bytes: after.map(|(_, bytes)| bytes),
            });
        }
        let late = || self.phases.iter().flat_map(|p| &p.seen).flatten().any(|s| s.end == End::NotSent);
        Ok(match server::ended(life, &control, setting.limits).await {
            Some(how) => failed(Class::Protocol, format!("the server ended during the run ({how})")),
            None if late() => {
                failed(Class::Deadline, format!("a load phase passed its deadline of {}", setting.limits.phase))
            }
            None => TrialOutcome::Completed,
        })
    }
}

/// A trial that failed.
pub fn failed(class: Class, detail: String) -> TrialOutcome {
    TrialOutcome::Failed { class, detail }
}

/// What is sent before the first phase: each phase's replay, or a few requests, as many at
/// once as the widest closed load has.
fn warmups(trial: &plan::Trial) -> Vec<plan::Phase> {
    let warmup =
        |shape, requests, time_ns| plan::Phase { load: WARMUP.to_owned(), shape, requests, time_ns, replay: None };
    let replays = trial.phases.iter().filter_map(|p| Some(warmup(p.shape, p.replay?, p.time_ns)));
    let replays: Vec<plan::Phase> = replays.collect();
    if !replays.is_empty() {
        return replays;
    }
    let widest = trial.phases.iter().map(|p| match p.shape {
        Shape::Closed { concurrency, .. } => concurrency,
        Shape::Open { .. } | Shape::Trace { .. } => 1,
    });
    let shape = Shape::Closed { concurrency: widest.max().unwrap_or(1), ramp_ns: Nanos(0) };
    vec![warmup(shape, trial.warmup, None)]
}

struct Drive<'a> {
    setting: &'a Setting<'a>,
    target: &'a Arc<Target>,
}

impl Drive<'_> {
    /// Runs a phase; returns when its clock started.
    async fn phase(&self, phase: &plan::Phase, measured: &mut Measured) -> Result<Nanos> {
        let setting = self.setting;
        let ready = Phase {
            flow: match phase.shape {
                Shape::Closed { concurrency, ramp_ns } => Flow::Closed { concurrency, ramp: ramp_ns },
                Shape::Open { .. } | Shape::Trace { .. } => Flow::Open,
            },
            units: self.units(phase),
            request_limit: setting.limits.request,
            phase_limit: setting.limits.phase,
            time: phase.time_ns,
            client: setting.client.clone(),
        };
        let of = phase.requests.count;
        let began = self.target.clock.now();
        let watch = |tally: &Tally| {
            let time = Nanos(self.target.clock.now().0 - began.0);
            setting.observer.see(&Event::Load { phase: &phase.load, of, time, seen: tally.glimpse() });
        };
        let before = host::out_of_order();
        let driven = load::drive(self.target, ready, &measured.shards, watch).await?;
        let out_of_order = before.zip(host::out_of_order()).map(|(before, after)| after - before);
        measured.phases.push(PhaseSeen { name: phase.load.clone(), out_of_order, seen: driven.seen });
        Ok(driven.start)
    }

    /// The sessions and single requests of a phase. A replay has the schedule of what it
    /// replays.
    fn units(&self, phase: &plan::Phase) -> Vec<Unit> {
        let Span { first, count } = phase.requests;
        let requests = &self.setting.requests[first as usize..(first + count) as usize];
        let imitated = self.setting.trial.phases.iter().find(|p| p.replay == Some(phase.requests));
        let scheduled = imitated.map_or(first, |p| p.requests.first);
        let mut units: Vec<Unit> = Vec::new();
        for ((request, turn), at) in requests.iter().zip(schedule::turns(requests)).zip(scheduled..) {
            let due = self.setting.due.get(at as usize).copied().flatten();
            let job = Job {
                request: request.id,
                think: due.map_or(Nanos(0), |d| d.think_ns),
                message: self.message(request),
            };
            match units.last_mut() {
                Some(unit) if turn > 0 => unit.turns.push(job),
                _ => units.push(Unit { due: due.and_then(|d| d.due_ns).unwrap_or_default(), turns: vec![job] }),
            }
        }
        units
    }

    fn message(&self, request: &Request) -> Arc<[u8]> {
        let setting = self.setting;
        client::message(self.target, setting.client.keep, setting.served_name, request, setting.sampling)
    }
}
