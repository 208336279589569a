//! What a driver does.

use std::{
    fs::{self, File},
    io::{BufRead, Write},
    path::Path,
    process::exit,
};

use lab::{
    Kind, Problem, Result,
    bundle::{PLAN, REQUESTS, SCHEDULE, WORKLOAD, read_table},
    plan::Plan,
    requests,
    schedule::Due,
    workload,
};
use nix::sched::{CloneFlags, setns};
use tokio::sync::watch;

use super::{Order, Said, Told, privileges};
use crate::{
    clock::Clock,
    host,
    measure::{self, Setting, due_by_request},
    progress::{Event, Observer},
    target::{Secret, Target},
};

/// Takes an order from standard input and carries it out. Returns the exit code.
pub fn work() -> u8 {
    match carry_out() {
        Ok(()) => 0,
        Err(Problem { place, what, next, .. }) => {
            say(&Said::Failed { place, what, next });
            1
        }
    }
}

fn carry_out() -> Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Problem::machine(format!("no order came: {e}")))?;
    let order: Order = serde_json::from_str(&line).map_err(|e| Problem::machine(format!("a wrong order: {e}")))?;

    let workload = workload::read(&order.run.join(WORKLOAD))?;
    let plan = Plan::from_json(&text(&order.run.join(PLAN))?)?;
    let requests = requests::from_jsonl(&text(&order.run.join(REQUESTS))?, REQUESTS)?;
    let schedule = schedule(&order.run.join(SCHEDULE))?;
    let trial = plan.trials.iter().find(|t| t.n == order.trial).ok_or_else(|| Problem::machine("no such trial"))?;
    let arm = workload.arm(&trial.arm).ok_or_else(|| Problem::machine("no such arm"))?;
    let (key, keys) = (Secret::of(arm, &trial.arm)?, Secret::all(&workload)?);

    match &order.network {
        Some(network) => enter(network)?,
        None if workload.container.profile.inside() => {
            return Err(Problem::machine(
                "the container's network is not there, and its address is one of this host's",
            ));
        }
        None => {}
    }
    // The layout has made sure of them.
    let _ = host::keep_to(&order.cores);
    privileges::drop_all(order.user)?;

    let (say_gone, gone) = watch::channel(None);
    std::thread::spawn(move || listen(&say_gone));
    let clock = Clock::of_origin(order.clock);
    let due = due_by_request(schedule.as_ref(), requests.len());
    let setting = Setting {
        run: &order.run,
        trial,
        served_name: &workload.models[&trial.model].served_name,
        keys: &keys,
        requests: &requests,
        due: &due,
        sampling: &workload.sampling,
        client: &workload.client,
        limits: &workload.limits,
        observer: &Aloud,
    };
    let shared = order.network.is_some();
    let target = Target { shared, ..Target::at(clock, order.address, workload.limits.response, key) };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Problem::machine(format!("the driver cannot start: {e}")))?;
    let here = Path::new(".");
    let measured = runtime.block_on(measure::measure(&setting, target, &mut Told(gone), here))?;
    say(&Said::Measured { outcome: measured.outcome.clone(), stages: measured.stages.clone() });
    say(&Said::Written(measured.write(&setting, here)?));
    Ok(())
}

/// From here on this thread, and those that it starts, are in the network of a container.
fn enter(network: &Path) -> Result<()> {
    let failed = |e: &std::io::Error| {
        Problem::io(Kind::Machine, "enter the network of the container", network, e)
            .next("run bench as root, as the engine's socket needs it too, or use the profile docker-in-docker")
    };
    let file = File::open(network).map_err(|e| failed(&e))?;
    setns(&file, CloneFlags::CLONE_NEWNET).map_err(|e| failed(&e.into()))
}

/// Each further line says how the server ended; the end of input, that nobody waits any more.
fn listen(gone: &watch::Sender<Option<String>>) {
    for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
        gone.send_replace(serde_json::from_str(&line).ok());
    }
    exit(1);
}

/// Nobody is there to hear it, or they do.
fn say(said: &Said) {
    let line = serde_json::to_string(said).expect("strings and numbers serialise");
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        exit(1);
    }
}

struct Aloud;

impl Observer for Aloud {
    fn see(&self, event: &Event<'_>) {
        match event {
            Event::Ready { after } => say(&Said::Ready(*after)),
            Event::Load { phase, of, time, seen } => {
                say(&Said::Load { phase: (*phase).to_owned(), of: *of, time: *time, seen: *seen });
            }
            _ => {}
        }
    }
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| Problem::io(Kind::Machine, "read", path, &e))
}

fn schedule(path: &Path) -> Result<Option<Vec<Due>>> {
    match fs::read(path) {
        Ok(bytes) => read_table(&bytes, SCHEDULE).map(Some),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Problem::io(Kind::Machine, "read", path, &e)),
    }
}
