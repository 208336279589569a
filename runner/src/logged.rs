//! What becomes of runs goes into the log of their folder of results, as it happens.

use std::path::{Path, PathBuf};

use lab::{
    Digest, Kind, Problem, Result,
    bundle::{Bundle, Store, TRIALS},
    log::{Chain, Counts, Event, Head, Log, missing},
    plan::Plan,
};

use crate::clock;

/// The exit code of a program that was told to end.
const INTERRUPTED: u8 = 130;

/// A run that the log knows as begun. Dropped without an end, it was interrupted.
pub(crate) struct Logged {
    /// None outside of a folder of results, which has a log.
    place: Option<(Log, String)>,
    /// Where others measure, the run does not end with this program.
    elsewhere: bool,
}

impl Logged {
    /// Enters that a run begins, or goes on.
    pub(crate) fn begin(run: &Path, plan: &Plan, name: &str, resumed: bool) -> Result<Self> {
        // What was measured where the log did not see it has no beginning in it.
        let measured = run.join(TRIALS).read_dir().is_ok_and(|mut trials| trials.next().is_some());
        let logged = Logged { place: Log::around(run), elsewhere: false };
        let Some((log, run)) = &logged.place else { return Ok(logged) };
        let (run, name, digest, workload) = (run.clone(), name.to_owned(), plan.digest(), plan.workload);
        let mut held = log.hold()?;
        // Who died before the line was written left a run that has no beginning yet. What is wrong
        // with earlier lines is for a check to say, and keeps nobody from measuring.
        let goes_on = resumed && (held.read().map_or(true, |chain| knows(&chain, &run)) || measured);
        let event = match &plan.stage {
            _ if goes_on => Event::Resumed { run },
            None => Event::Begun { run, plan: digest, workload, name },
            Some(stage) => {
                Event::Stage { run, plan: digest, workload, name, number: stage.number, parent: stage.parent }
            }
        };
        held.append(&clock::utc_now(), event)?;
        Ok(logged)
    }

    /// The run goes on where others measure it, whatever becomes of this program.
    pub(crate) fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// Nothing has come of it yet, and it goes on.
    pub(crate) fn leave(mut self) {
        self.place = None;
    }

    /// Enters its end: the bundle, or what kept it from being sealed.
    pub(crate) fn end(mut self, sealed: Result<(PathBuf, Digest)>) -> Result<PathBuf> {
        let place = self.place.take();
        match sealed {
            Ok((path, id)) => enter_sealed(place, &path, id).map(|()| path),
            Err(problem) => {
                // It is the first problem that a person has to know.
                let _ = enter(place, |run| Ok(ended(run, word(problem.kind), problem.kind.exit_code())));
                Err(problem)
            }
        }
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        if !self.elsewhere && !std::thread::panicking() {
            // A run that has no end in the log is open, which a check says.
            let _ = enter(self.place.take(), |run| Ok(ended(run, "interrupted", INTERRUPTED)));
        }
    }
}

/// Enters that a run was sealed as it stood.
pub(crate) fn sealed(run: &Path, id: Digest) -> Result<()> {
    enter_sealed(Log::around(run), run, id)
}

/// Enters that the tasks of a run were taken back.
pub(crate) fn cancelled(run: &Path) -> Result<()> {
    enter(Log::around(run), |run| Ok(ended(run, "interrupted", INTERRUPTED)))
}

/// Enters a sealed grade.
pub(crate) fn graded(grade: &Path, id: Digest, parents: Vec<Digest>) -> Result<()> {
    enter(Log::around(grade), |run| Ok(Event::Graded { run, id, parents }))
}

/// Enters the bundles of a folder of results that its log does not know; what each was called, and
/// the head then.
pub fn adopt(results: &Path) -> Result<(Vec<(String, Digest)>, Head)> {
    let store = Store::below(results);
    if let Some((path, problem)) = store.unreadable().first() {
        let next = "a bundle that nobody can read is not entered: put it right, or move it away";
        return Err(Problem::broken(problem.what.clone()).at(path.display().to_string()).next(next));
    }
    let log = Log::of(results);
    // Large bundles are read before anybody else is kept waiting.
    let mut found = Vec::new();
    for bundle in missing(&log.read()?, &store) {
        let run = bundle.path.strip_prefix(results).unwrap_or(&bundle.path).display().to_string();
        found.push((run.clone(), bundle.id, adopted(bundle, run)?));
    }
    let mut held = log.hold()?;
    let chain = held.read()?;
    let (mut entered, mut head) = (Vec::<(String, Digest)>::new(), chain.head());
    for (run, id, event) in found {
        let known = chain.entries.iter().any(|entry| entry.event.bundle() == Some(id));
        if !known && !entered.iter().any(|(_, one)| *one == id) {
            head = held.append(&clock::utc_now(), event)?;
            entered.push((run, id));
        }
    }
    Ok((entered, head))
}

fn adopted(bundle: &Bundle, run: String) -> Result<Event> {
    let (kind, parents) = (bundle.manifest.kind, bundle.manifest.parents.clone());
    let trials = if bundle.is_measure() { Some(Counts::of(bundle)?) } else { None };
    Ok(Event::Adopted { run, id: bundle.id, kind, parents, trials })
}

/// Whether a log has a run's beginning.
fn knows(chain: &Chain, run: &str) -> bool {
    let begun = |event: &Event| matches!(event, Event::Begun { .. } | Event::Stage { .. });
    chain.entries.iter().any(|entry| begun(&entry.event) && entry.event.run() == Some(run))
}

/// Enters a bundle: as sealed where the log saw it begin, else as adopted.
fn enter_sealed(place: Option<(Log, String)>, path: &Path, id: Digest) -> Result<()> {
    let Some((log, run)) = place else { return Ok(()) };
    let bundle = Bundle::open(path)?;
    let trials = Counts::of(&bundle)?;
    let enter = || {
        let mut held = log.hold()?;
        // What is wrong with earlier lines is for a check to say.
        let event = match held.read().map_or(true, |chain| knows(&chain, &run)) {
            true => Event::Sealed { run: run.clone(), id, trials },
            false => adopted(&bundle, run.clone())?,
        };
        held.append(&clock::utc_now(), event)
    };
    enter().map(drop).map_err(|problem| Problem {
        next: Some(format!(
            "the bundle {} is sealed and not in the log: when this is put right, bench log --adopt enters it, and bench grade grades it",
            path.display()
        )),
        ..problem
    })
}

fn ended(run: String, class: &str, exit: u8) -> Event {
    Event::Ended { run, class: class.to_owned(), exit }
}

fn enter(place: Option<(Log, String)>, event: impl FnOnce(String) -> Result<Event>) -> Result<()> {
    match place {
        Some((log, run)) => log.append(&clock::utc_now(), event(run)?).map(drop),
        None => Ok(()),
    }
}

/// Whose failure it was.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Input => "input",
        Kind::Machine => "machine",
        Kind::Image => "image",
        Kind::NothingMeasured => "nothing-measured",
        Kind::Broken => "broken",
        Kind::NotComparable => "not-comparable",
    }
}
