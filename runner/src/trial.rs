//! One arm, one server lifetime: start, wait until ready, warm up, run the load phases,
//! stop. Whatever happens becomes part of its record.

use std::sync::{Arc, Mutex};

use lab::{
    Nanos, Result,
    bundle::{LOG, RunFolder, TRIAL, TrialFolder},
    plan::{self, Span},
    records::{self, Class, FORMAT, PhaseStage, Stages, TrialOutcome, WARMUP},
    requests::Request,
    schedule::{self, Due},
    wire::End,
    workload::{self, Limits, Sampling, Shape},
};

use crate::{
    client::{self, Job, Shard},
    clock::{self, Clock},
    control::Control,
    evidence::{self, PhaseSeen, Summary},
    host,
    load::{self, Flow, Phase, Unit},
    progress::{Event, Observer},
    server::{Launch, Server},
    target::{Secret, Target},
};

/// Everything that a trial needs.
pub struct Setting<'a> {
    /// The trial.
    pub trial: &'a plan::Trial,
    /// Its server.
    pub launch: Launch,
    /// The model's name in requests.
    pub served_name: &'a str,
    /// The API key that requests carry.
    pub key: Option<Secret>,
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
    /// This host's name.
    pub host: &'a str,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

/// Runs one trial and publishes its folder.
pub async fn run(setting: &Setting<'_>, folder: &RunFolder) -> Result<()> {
    let own = folder.begin_trial(&setting.trial.folder())?;
    let shards = evidence::begin(&own, setting.client.threads)?;
    let started = clock::utc_now();
    let clock = Clock::start();
    let mut server = setting.launch.start(setting.limits)?;
    let mut seen = Seen::default();
    let outcome = measure(setting, clock, &mut server, &shards, &mut seen).await;
    let ended = server.stop(setting.limits).await;
    seen.stages.stopped_ns = Some(clock.now());
    let outcome = outcome?;
    setting.observer.see(&Event::Writing);
    let summary = evidence::write(&own, &seen.phases, &shards, setting.keys)?;
    let record = records::Trial {
        format: FORMAT,
        trial: setting.trial.clone(),
        host: setting.host.to_owned(),
        started,
        outcome,
        server: ended.facts,
        stages: seen.stages,
        limits: *setting.limits,
    };
    publish(setting, folder, own, &record, ended.log)?;
    announce(setting, &record, summary);
    Ok(())
}

fn publish(
    setting: &Setting<'_>,
    folder: &RunFolder,
    own: TrialFolder,
    record: &records::Trial,
    mut log: Vec<u8>,
) -> Result<()> {
    let mut facts = serde_json::to_vec_pretty(record).expect("integers and strings serialise");
    for key in setting.keys {
        key.blank(&mut log);
        key.blank(&mut facts);
    }
    own.put(TRIAL, &facts)?;
    own.put(LOG, &log)?;
    folder.publish_trial(own)
}

/// What a trial has seen so far.
#[derive(Default)]
struct Seen {
    stages: Stages,
    phases: Vec<PhaseSeen>,
}

/// The outcome; an error is this machine's and ends the run.
async fn measure(
    setting: &Setting<'_>,
    clock: Clock,
    server: &mut Server,
    shards: &[Arc<Mutex<Shard>>],
    seen: &mut Seen,
) -> Result<TrialOutcome> {
    let target = Arc::new(server.target(clock, setting.limits, setting.key.clone()).await?);
    let control = Control::new(&target, setting.limits.request)?;
    if let Err(not) = server.ready(clock, &control, setting.limits).await {
        return Ok(failed(not.class, not.detail));
    }
    seen.stages.ready_ns = Some(clock.now());
    setting.observer.see(&Event::Ready { after: clock.now() });
    let drive = Drive { setting, target: &target, shards };
    for phase in warmups(setting.trial) {
        drive.phase(&phase, seen).await?;
    }
    seen.stages.warm_ns = Some(clock.now());
    for phase in &setting.trial.phases {
        let before = host::taken();
        let start_ns = drive.phase(phase, seen).await?;
        let (end_ns, after) = (clock.now(), host::taken());
        let out_of_order = seen.phases.last().and_then(|p| p.out_of_order);
        seen.stages.phases.push(PhaseStage {
            load: phase.load.clone(),
            start_ns,
            end_ns,
            client_cpu_ns: before.zip(after).map(|(before, after)| Nanos(after.0.0 - before.0.0)),
            out_of_order,
            client_peak_bytes: after.map(|(_, bytes)| bytes),
        });
    }
    let late = |seen: &Seen| seen.phases.iter().flat_map(|p| &p.seen).flatten().any(|s| s.end == End::NotSent);
    Ok(match server.ended(&control, setting.limits).await {
        Some(how) => failed(
            Class::Protocol,
            format!("the server ended during the run ({how}); its last words:\n{}", server.last_words()),
        ),
        None if late(seen) => {
            failed(Class::Deadline, format!("a load phase passed its deadline of {}", setting.limits.phase))
        }
        None => TrialOutcome::Completed,
    })
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
    shards: &'a [Arc<Mutex<Shard>>],
}

impl Drive<'_> {
    /// Runs a phase; returns when its clock started.
    async fn phase(&self, phase: &plan::Phase, seen: &mut Seen) -> Result<Nanos> {
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
        let watch = |tally: &_| {
            let time = Nanos(self.target.clock.now().0 - began.0);
            setting.observer.see(&Event::Load { phase: &phase.load, of, time, tally });
        };
        let before = host::out_of_order();
        let driven = load::drive(self.target, ready, self.shards, watch).await?;
        let out_of_order = before.zip(host::out_of_order()).map(|(before, after)| after - before);
        seen.phases.push(PhaseSeen { name: phase.load.clone(), out_of_order, seen: driven.seen });
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

fn failed(class: Class, detail: String) -> TrialOutcome {
    TrialOutcome::Failed { class, detail }
}

fn announce(setting: &Setting<'_>, record: &records::Trial, summary: Summary) {
    let busy = record.stages.phases.iter().map(|p| p.end_ns.0 - p.start_ns.0).sum();
    let failure = match &record.outcome {
        TrialOutcome::Completed => None,
        TrialOutcome::Failed { detail, .. } => Some(blanked(detail, setting.keys)),
    };
    let failure = failure.as_deref();
    let Summary { tokens, unanswered } = summary;
    setting.observer.see(&Event::TrialEnded { trial: setting.trial, tokens, busy: Nanos(busy), unanswered, failure });
}

/// A text without keys, for a screen.
fn blanked(text: &str, keys: &[Secret]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    keys.iter().for_each(|key| key.blank(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
