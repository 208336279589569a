//! One arm, one server lifetime: start, measure, stop. Whatever happens becomes part of its
//! record.

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use lab::{
    Kind, Nanos, Problem, Result,
    bundle::{LOG, RunFolder, TELEMETRY, TRIAL, TrialFolder},
    records::{self, Attempt, Class, FORMAT, GpuFault, Stages, TrialOutcome},
};

use crate::{
    clock::{self, Clock},
    driver,
    evidence::Summary,
    gpu,
    gpu::{Telemetry, telemetry},
    measure::{self, Setting, failed},
    progress::Event,
    server::{self, Ended, Foreign, Launch},
    target::{Secret, Target},
};

/// What the servers of a trial are made from.
pub struct Servers<'a> {
    /// How one is had.
    pub launch: &'a Launch,
    /// The API key that requests carry.
    pub key: Option<Secret>,
    /// The GPUs of the run.
    pub gpus: &'a gpu::Held,
    /// Cores of what does not measure.
    pub rest: &'a [u32],
}

/// Runs one trial and publishes its folder. An attempt that this host ended is made once
/// more, with everything anew.
pub async fn run(setting: &Setting<'_>, servers: &Servers<'_>, host: &str, run: &RunFolder) -> Result<()> {
    // Before it counts as begun: what is left of another trial's server is not this one's.
    servers.gpus.ready().await?;
    let mut attempts = broken_off(run, setting)?;
    let earlier = attempts.len();
    loop {
        let own = run.begin_trial(&setting.trial.folder())?;
        let (started, clock) = (clock::utc_now(), Clock::start());
        let telemetry = servers.watch(setting, clock, &own);
        let attempted = attempt(setting, servers, clock, &own).await;
        let telemetry = telemetry.map(Telemetry::finish);
        let Attempted { outcome, ended, stages, summary } = attempted?;
        let broke = telemetry.as_ref().and_then(|facts| facts.faults.iter().find(|fault| fault.is_of_hardware()));
        // Hardware that broke is no better at once, and its record is not to be lost.
        let again = broke.is_none() && attempts.len() == earlier;
        let outcome = excused(outcome, broke);
        let host_failed = matches!(outcome, TrialOutcome::Failed { class: Class::Host, .. });
        // What is left of an attempt that this host ended is no evidence.
        let own = if host_failed { run.begin_trial(&setting.trial.folder())? } else { own };
        if let (TrialOutcome::Failed { class: Class::Host, detail }, Launch::Container(launch), true) =
            (&outcome, servers.launch, again)
        {
            setting.observer.see(&Event::Again { why: detail });
            attempts.push(Attempt { started, lasted_ns: clock.now(), detail: detail.clone() });
            launch.recover().await?;
            continue;
        }
        let record = records::Trial {
            format: FORMAT,
            trial: setting.trial.clone(),
            host: host.to_owned(),
            started,
            outcome,
            server: ended.facts,
            stages,
            limits: *setting.limits,
            attempts,
            telemetry,
        };
        own.adopt(TELEMETRY)?;
        publish(setting, run, own, &record, ended.log)?;
        announce(setting, &record, summary);
        return Ok(());
    }
}

/// Attempts at a trial during which the run ended, whoever ended it: a server that can end a
/// run is not spared the trace of it. They are kept beside the run's folder until it is sealed.
fn broken_off(run: &RunFolder, setting: &Setting<'_>) -> Result<Vec<Attempt>> {
    let path = begun_path(run.path());
    let folder = setting.trial.folder();
    let failed = |e: &std::io::Error| Problem::io(Kind::Machine, "write down what was begun in", &path, e);
    let mut file = File::options().read(true).append(true).create(true).open(&path).map_err(|e| failed(&e))?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|e| failed(&e))?;
    let line = format!("{folder} {}\n", clock::utc_now());
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| failed(&e))?;
    let begun = text.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| *name == folder);
    let attempt = |(_, started): (&str, &str)| Attempt {
        started: started.to_owned(),
        lasted_ns: Nanos(0),
        detail: "the run ended during it and was resumed".to_owned(),
    };
    Ok(begun.map(attempt).collect())
}

/// Where it is written which trials were begun.
pub fn begun_path(run: &Path) -> PathBuf {
    run.with_added_extension("begun")
}

/// What an attempt at a trial came to.
struct Attempted {
    outcome: TrialOutcome,
    ended: Ended,
    stages: Stages,
    summary: Summary,
}

async fn attempt(setting: &Setting<'_>, servers: &Servers<'_>, clock: Clock, own: &TrialFolder) -> Result<Attempted> {
    let (limits, key) = (setting.limits, servers.key.clone());
    let (measured, ended, words) = match servers.launch {
        Launch::Process(launch) => {
            let mut server = launch.start(limits)?;
            let target = Target::local(clock, server.port, limits.response, key);
            let measured = measure::measure(setting, target, &mut server, own.path()).await;
            // Its last lines may still be in the pipe.
            tokio::task::yield_now().await;
            let words = server.last_words();
            let mut ended = server.stop(limits).await;
            ended.stages.stopped_ns = Some(clock.now());
            (measured?, ended, words)
        }
        Launch::Endpoint(url) => {
            let target = Target::remote(clock, url, limits.response, key).await?;
            let measured = measure::measure(setting, target, &mut Foreign, own.path()).await?;
            (measured, Ended::of_endpoint(url), "unknown: nobody here started it".to_owned())
        }
        Launch::Container(launch) => return in_container(setting, launch, clock, own).await,
        Launch::Unavailable(not) => return Ok(Attempted::never(not.class, not.detail.clone(), Ended::default())),
    };
    setting.observer.see(&Event::Writing);
    let summary = measured.write(setting, own.path())?;
    let mut stages = measured.stages;
    stages.stopped_ns = ended.stages.stopped_ns;
    Ok(Attempted { outcome: with_words(measured.outcome, &words), ended, stages, summary })
}

/// The driver measures inside of the container's network; the server is stopped while it
/// writes the evidence.
async fn in_container(
    setting: &Setting<'_>,
    launch: &crate::docker::Launch,
    clock: Clock,
    own: &TrialFolder,
) -> Result<Attempted> {
    let mut server = match launch.start(clock, &setting.trial.folder(), setting.limits).await? {
        Ok(server) => server,
        Err((not, ended)) => return Ok(Attempted::never(not.class, not.detail, ended)),
    };
    if let Some(how) = server.ended_at_once().await {
        let words = server.last_words();
        let ended = server.stop(clock, setting.limits).await?;
        let not = server::ended_early(&how);
        let outcome = with_words(failed(not.class, not.detail), &words);
        return Ok(Attempted { outcome, stages: ended.stages.clone(), ended, summary: Summary::default() });
    }
    let order = driver::Order::new(clock, &server, launch.cores(), setting.run, setting.trial)?;
    let mut driver = driver::Driver::start(launch.bench(), &order, own.path()).await?;
    let driven = driver.measure(&mut server, setting).await;
    let words = server.last_words();
    let ended = server.stop(clock, setting.limits).await?;
    let (outcome, stages) = match (driven?, ended.lost.clone()) {
        (Some(driven), None) => driven,
        (_, why) => {
            let why = why.unwrap_or_else(|| "the container engine lost the server".to_owned());
            return Ok(Attempted::never(Class::Host, why, ended));
        }
    };
    setting.observer.see(&Event::Writing);
    let summary = driver.finish(own.path()).await?;
    let Stages { ready_ns, warm_ns, phases, .. } = stages;
    let stages = Stages { ready_ns, warm_ns, phases, ..ended.stages.clone() };
    // Between its last answer and its stop it can end too.
    let outcome = match (&outcome, &ended.facts.exit) {
        (TrialOutcome::Completed, Some(how)) => {
            failed(Class::Protocol, format!("the server ended before it was stopped ({how})"))
        }
        _ => outcome,
    };
    Ok(Attempted { outcome: with_words(outcome, &words), ended, stages, summary })
}

impl Servers<'_> {
    /// Watches the GPUs of a trial. Its table lies beside the trial's folder, where nobody
    /// without privileges can write, until the trial is over.
    fn watch(&self, setting: &Setting<'_>, clock: Clock, own: &TrialFolder) -> Option<Telemetry> {
        let uuids: Vec<String> = self.gpus.leased().iter().map(|gpu| gpu.uuid.clone()).collect();
        let uuids = uuids.get(..setting.trial.gpus as usize).filter(|uuids| !uuids.is_empty())?;
        let file = own.beside(TELEMETRY);
        Some(Telemetry::start(&self.gpus.library, uuids.to_vec(), clock, telemetry::INTERVAL, &file, self.rest))
    }
}

impl Attempted {
    /// Nothing was measured.
    fn never(class: Class, detail: String, ended: Ended) -> Self {
        let stages = ended.stages.clone();
        Attempted { outcome: failed(class, detail), ended, stages, summary: Summary::default() }
    }
}

/// No server answers for hardware that broke under it, and nothing measured then counts.
fn excused(outcome: TrialOutcome, broke: Option<&GpuFault>) -> TrialOutcome {
    match (outcome, broke) {
        (TrialOutcome::Completed, Some(broke)) => failed(Class::Host, broke.to_string()),
        (TrialOutcome::Failed { detail, .. }, Some(broke)) => {
            failed(Class::Host, format!("{broke}; the server then: {detail}"))
        }
        (outcome, None) => outcome,
    }
}

/// What a server that failed said last belongs to its failure.
fn with_words(outcome: TrialOutcome, words: &str) -> TrialOutcome {
    match outcome {
        TrialOutcome::Failed { class: class @ (Class::Start | Class::LoadTimeout | Class::Protocol), detail } => {
            failed(class, format!("{detail}; its last words:\n{words}"))
        }
        other => other,
    }
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
