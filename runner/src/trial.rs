//! One arm, one server lifetime: start, wait until ready, warm up, run the load phases,
//! stop. Whatever happens becomes part of its record.

use std::sync::Arc;

use lab::{
    Nanos, Result,
    bundle::{CHUNK_TABLE, LOG, REQUEST_TABLE, RunFolder, TRIAL, WIRE, write_exchanges, write_table},
    plan,
    records::{self, ChunkRow, Class, Exchange, FORMAT, Outcome, PhaseStage, RequestRow, Stages, TrialOutcome, WARMUP},
    requests::Request,
    workload::{Limits, Sampling, Shape},
};

use crate::{
    client,
    clock::{self, Clock},
    control::Control,
    load::{self, Phase, Target},
    process::{Launch, Server},
    progress::{Event, Observer, Unanswered},
};

/// Everything that a trial needs.
pub struct Setting<'a> {
    /// The trial.
    pub trial: &'a plan::Trial,
    /// Its server.
    pub launch: Launch,
    /// The request set.
    pub requests: &'a [Request],
    /// What is asked of the model.
    pub sampling: &'a Sampling,
    /// Deadlines and bounds.
    pub limits: &'a Limits,
    /// This host's name.
    pub host: &'a str,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

/// Runs one trial and publishes its folder.
pub async fn run(setting: &Setting<'_>, folder: &RunFolder) -> Result<()> {
    let started = clock::utc_now();
    let clock = Clock::start();
    let mut server = setting.launch.start(setting.limits)?;
    let mut seen = Seen::default();
    let outcome = measure(setting, clock, &mut server, &mut seen).await;
    let ended = server.stop(setting.limits).await;
    seen.stages.stopped_ns = Some(clock.now());
    let (requests, chunks) = rows(&seen.exchanges);
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
    let files = [
        (TRIAL, serde_json::to_vec_pretty(&record).expect("integers and strings serialise")),
        (REQUEST_TABLE, write_table(&requests, RequestRow::HEADER, REQUEST_TABLE)),
        (CHUNK_TABLE, write_table(&chunks, ChunkRow::HEADER, CHUNK_TABLE)),
        (WIRE, write_exchanges(&seen.exchanges)),
        (LOG, ended.log),
    ];
    folder.publish_trial(&setting.trial.folder(), &files)?;
    announce(setting, &record, &requests);
    Ok(())
}

/// What a trial has seen so far.
#[derive(Default)]
struct Seen {
    stages: Stages,
    exchanges: Vec<Exchange>,
}

async fn measure(setting: &Setting<'_>, clock: Clock, server: &mut Server, seen: &mut Seen) -> TrialOutcome {
    if let Err(failure) = wait_until_ready(setting, clock, server).await {
        return failure;
    }
    seen.stages.ready_ns = Some(clock.now());
    setting.observer.see(&Event::Ready { after: clock.now() });
    let target = Target { clock, port: server.port, limit: setting.limits.response };
    let widest = setting
        .trial
        .phases
        .iter()
        .map(|p| match p.shape {
            Shape::Closed { concurrency } => concurrency,
        })
        .max()
        .unwrap_or(1);
    let warmup = plan::Phase {
        load: WARMUP.to_owned(),
        shape: Shape::Closed { concurrency: widest },
        requests: setting.trial.warmup,
    };
    seen.exchanges.extend(drive(setting, target, &warmup).await);
    seen.stages.warm_ns = Some(clock.now());
    for phase in &setting.trial.phases {
        let start_ns = clock.now();
        seen.exchanges.extend(drive(setting, target, phase).await);
        seen.stages.phases.push(PhaseStage { load: phase.load.clone(), start_ns, end_ns: clock.now() });
    }
    match ended(setting, server).await {
        Some(how) => failed(
            Class::Protocol,
            format!("the server ended during the run ({how}); its last words:\n{}", server.last_words()),
        ),
        None if seen.exchanges.iter().any(|e| e.end == lab::wire::End::NotSent) => {
            failed(Class::Deadline, format!("a load phase passed its deadline of {}", setting.limits.phase))
        }
        None => TrialOutcome::Completed,
    }
}

async fn wait_until_ready(
    setting: &Setting<'_>,
    clock: Clock,
    server: &mut Server,
) -> std::result::Result<(), TrialOutcome> {
    let control = Control::new(server.port, setting.limits.request);
    let mut pause = Nanos::from_millis(5);
    loop {
        if let Some(how) = server.exited() {
            // Its last lines may still be in the pipe.
            tokio::task::yield_now().await;
            return Err(failed(
                Class::Start,
                format!("the server ended before it was ready ({how}); its last words:\n{}", server.last_words()),
            ));
        }
        if control.is_healthy().await {
            return Ok(());
        }
        if clock.now() >= setting.limits.ready {
            let limit = setting.limits.ready;
            return Err(failed(
                Class::LoadTimeout,
                format!("the server was not ready after {limit}; its last words:\n{}", server.last_words()),
            ));
        }
        tokio::time::sleep(pause.into()).await;
        pause = Nanos(pause.0 * 3 / 2).min(Nanos::from_millis(250));
    }
}

/// How the server ended during the run, if it did. One that hung up on us may take a
/// moment to be gone; one that still answers is there.
async fn ended(setting: &Setting<'_>, server: &mut Server) -> Option<String> {
    if server.exited().is_none() && Control::new(server.port, setting.limits.request).is_healthy().await {
        return None;
    }
    server.exited_within(setting.limits.stop).await
}

async fn drive(setting: &Setting<'_>, target: Target, phase: &plan::Phase) -> Vec<Exchange> {
    let name = &setting.launch.served_name;
    let message =
        |id: u32| Arc::from(client::message(target.port, name, &setting.requests[id as usize], setting.sampling));
    let ready = Phase {
        name: phase.load.clone(),
        shape: phase.shape,
        messages: phase.requests.ids().map(|id| (id, message(id))).collect(),
        request_limit: setting.limits.request,
        phase_limit: setting.limits.phase,
    };
    let show = |done| setting.observer.see(&Event::Requests { phase: &phase.load, done, of: phase.requests.count });
    load::drive(target, ready, show).await
}

fn failed(class: Class, detail: String) -> TrialOutcome {
    TrialOutcome::Failed { class, detail }
}

fn rows(exchanges: &[Exchange]) -> (Vec<RequestRow>, Vec<ChunkRow>) {
    let (mut requests, mut chunks) = (Vec::new(), Vec::new());
    for exchange in exchanges {
        let (request, of_it) = exchange.rows(&exchange.derive());
        requests.push(request);
        chunks.extend(of_it);
    }
    (requests, chunks)
}

fn announce(setting: &Setting<'_>, record: &records::Trial, requests: &[RequestRow]) {
    let timed = requests.iter().filter(|r| r.phase != WARMUP);
    let tokens = timed.map(|r| u64::from(if r.ids > 0 { r.ids } else { r.chunks })).sum();
    let busy = record.stages.phases.iter().map(|p| p.end_ns.0 - p.start_ns.0).sum();
    let failure = match &record.outcome {
        TrialOutcome::Completed => None,
        TrialOutcome::Failed { detail, .. } => Some(detail.as_str()),
    };
    let unanswered = unanswered(requests);
    setting.observer.see(&Event::TrialEnded { trial: setting.trial, tokens, busy: Nanos(busy), unanswered, failure });
}

fn unanswered(requests: &[RequestRow]) -> Unanswered {
    let timed: Vec<&RequestRow> = requests.iter().filter(|r| r.phase != WARMUP).collect();
    let failed = || timed.iter().filter(|r| r.outcome != Outcome::Complete);
    let first = failed().next().map(|r| {
        let status = r.status.filter(|s| *s != 200).map(|s| format!(" {s}")).unwrap_or_default();
        let outcome =
            serde_json::to_value(r.outcome).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        format!("{outcome}{status} {}", r.detail)
    });
    Unanswered { count: failed().count(), of: timed.len(), first: first.unwrap_or_default() }
}
