//! The reference while it grades: a trusted server, however it is had.

use std::fs::File;

use lab::{
    Kind, Problem, Result,
    workload::{Limits, Url},
};
use nix::sched::{CloneFlags, setns};

use crate::{
    clock::Clock,
    control::Control,
    docker, process,
    server::{self, Ended, Foreign, Launch, Life, NotReady},
    target::{Secret, Target},
};

/// The reference, ready to grade.
pub(super) struct Reference {
    pub(super) control: Control,
    clock: Clock,
    running: Running,
}

enum Running {
    Process(Box<process::Server>),
    Endpoint(Url),
    Container(Box<docker::Server>, Option<Inside>),
}

impl Reference {
    /// Starts it and waits until it is ready.
    pub(super) async fn start(launch: &Launch, model: &str, limits: &Limits, key: Option<Secret>) -> Result<Self> {
        let clock = Clock::start();
        let (mut running, target) = match launch {
            Launch::Process(launch) => {
                let server = launch.start(limits)?;
                let target = Target::local(clock, server.port, limits.response, key);
                (Running::Process(Box::new(server)), target)
            }
            Launch::Endpoint(url) => {
                (Running::Endpoint(url.clone()), Target::remote(clock, url, limits.response, key).await?)
            }
            Launch::Container(launch) => {
                let name = format!("reference-{model}");
                let mut server = launch.start(clock, &name, limits).await?.map_err(|(not, _)| failed(&not, None))?;
                if let Some(how) = server.ended_at_once().await {
                    return Err(failed(&server::ended_early(&how), Some(server.last_words())));
                }
                let inside = server.namespace().map(Inside::enter).transpose()?;
                let target = Target::at(clock, server.address(), limits.response, key);
                (Running::Container(Box::new(server), inside), target)
            }
            Launch::Unavailable(not) => return Err(failed(not, None)),
        };
        let control = Control::new(&target, limits.request)?;
        let ready = match &mut running {
            Running::Process(server) => server::ready(&mut **server, clock, &control, limits).await,
            Running::Container(server, _) => server::ready(&mut **server, clock, &control, limits).await,
            Running::Endpoint(_) => server::ready(&mut Foreign, clock, &control, limits).await,
        };
        let reference = Reference { control, clock, running };
        match ready {
            Ok(()) => Ok(reference),
            Err(not) => Err(failed(&not, reference.last_words())),
        }
    }

    /// Ends it; a reference that ended by itself has not graded.
    pub(super) async fn stop(mut self, limits: &Limits) -> Result<Ended> {
        let exited = match &mut self.running {
            Running::Process(server) => server.exited(),
            Running::Container(server, _) => server.exited(),
            Running::Endpoint(_) => None,
        };
        if let Some(how) = exited {
            let words = self.last_words().unwrap_or_default();
            return Err(Problem::machine(format!("the reference ended while it graded ({how}):\n{words}"))
                .next("run bench grade again"));
        }
        match self.running {
            Running::Process(server) => Ok(server.stop(limits).await),
            Running::Endpoint(url) => Ok(Ended::of_endpoint(&url)),
            Running::Container(server, inside) => {
                drop(inside);
                server.stop(self.clock, limits).await
            }
        }
    }

    fn last_words(&self) -> Option<String> {
        match &self.running {
            Running::Process(server) => Some(server.last_words()),
            Running::Container(server, _) => Some(server.last_words()),
            Running::Endpoint(_) => None,
        }
    }
}

fn failed(not: &NotReady, words: Option<String>) -> Problem {
    let words = words.map(|words| format!("; its last words:\n{words}")).unwrap_or_default();
    Problem::new(Kind::Image, format!("the reference: {}{words}", not.detail))
        .next("correct the reference in the workload file, then run bench grade")
}

/// This thread in the network of a container, until it is dropped. The reference is trusted,
/// so nothing is given up for it; grading has one thread, and no other work goes on there.
struct Inside {
    outside: File,
}

impl Inside {
    fn enter(namespace: &File) -> Result<Self> {
        let failed = |e: &dyn std::fmt::Display| {
            Problem::machine(format!("the network of the reference's container cannot be entered: {e}"))
                .next("run bench as root, or use the profile docker-in-docker")
        };
        let outside = File::open("/proc/thread-self/ns/net").map_err(|e| failed(&e))?;
        setns(namespace, CloneFlags::CLONE_NEWNET).map_err(|e| failed(&e))?;
        Ok(Inside { outside })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        setns(&self.outside, CloneFlags::CLONE_NEWNET).expect("the way out is as open as the way in");
    }
}
