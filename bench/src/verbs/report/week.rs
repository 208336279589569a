//! The report on a week: one on each of its comparisons, the page on all of its runs, and the page
//! on all weeks that are there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use analysis::{
    Study,
    history::Entry,
    report::{History, render_history, render_week},
    week::{Input, Published, Run, Unjudged},
};
use lab::{
    Digest, Kind, Problem, Result, Week,
    bundle::{Bundle, Shown, Store, Stores, Weekly},
    text::shown,
};

use super::folder;

/// Of a week's file so much is read.
const MOST_BYTES: u64 = 64 << 20;

/// What a week is known by to others.
const VERDICTS: &str = "verdicts.json";

pub(super) fn run(results: &Path, week: Week, out: &Path) -> Result<ExitCode> {
    let (results, out) = (results.to_owned(), out.to_owned());
    let Some(lacks) = crate::verbs::work_until_interrupted(move || write(&results, week, &out))? else {
        eprintln!("stopped; the runs before this one are written, the week is not");
        return Ok(ExitCode::from(130));
    };
    for lack in &lacks {
        eprintln!("{}", shown(lack, 600));
    }
    Ok(ExitCode::from(if lacks.is_empty() { 0 } else { Kind::Broken.exit_code() }))
}

/// Writes everything; what could not be judged, and which weeks could not be read, comes back in words.
fn write(results: &Path, week: Week, out: &Path) -> Result<Vec<String>> {
    crate::verbs::outside_of_bundles(out)?;
    let mut stores = Stores::default();
    let store = stores.below(results);
    let weekly = store.week(week);
    if weekly.runs.is_empty() {
        return Err(nothing(results, week, &store));
    }
    let (before, folder) = (before(out, week)?, out.join(week.in_year()));
    crate::verbs::no_link_to(out, &folder)?;
    let published = read(&folder.join(VERDICTS)).ok();
    let (runs, mut unjudged) = judged(results, week, (&store, &mut stores), &weekly, &folder)?;
    unjudged.extend(published.iter().flat_map(|before| gone(before, &runs)));
    let notes = folder::notes(&folder)?;
    let input = Input { week, runs: &runs, unjudged: &unjudged, before: &before, notes: &notes };
    println!("{}", folder::write(&folder, &notes, render_week(&input))?.display());
    let (page, unread) = write_history(out)?;
    println!("{}", page.display());
    let unjudged = unjudged.iter().map(|of| format!("not judged: {}: {}", of.place, of.problem));
    let unread = unread.iter().map(|problem| format!("not in the history: {problem}"));
    let left = left(&folder, &runs)?.into_iter().map(|left| format!("no part of {week} any more: {left}"));
    let elsewhere = weekly.runs.iter().flatten().filter_map(|stage| elsewhere(stage.measure));
    Ok(unjudged.chain(unread).chain(left).chain(elsewhere).collect())
}

/// Runs that this week was published with and that are not judged any more.
fn gone(before: &Published, runs: &[Run]) -> Vec<Unjudged> {
    let judged: BTreeSet<Digest> = runs.iter().flat_map(|run| run.entry.bundles.iter().copied()).collect();
    let gone = before.runs.iter().filter(|run| !run.bundles.iter().all(|id| judged.contains(id)));
    let problem = || "this week was published with it, and it is no longer judged from the same bundles".to_owned();
    gone.map(|run| Unjudged { place: run.run.clone(), problem: problem() }).collect()
}

/// Reports of runs that lie in the week's folder and are not its own, as of a run that had another name.
fn left(folder: &Path, runs: &[Run]) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let own = |path: &PathBuf| runs.iter().any(|run| path.file_name() == Some(run.entry.run.as_ref()));
    let mut found: Vec<PathBuf> = entries.filter(|path| path.join("report.md").is_file() && !own(path)).collect();
    found.sort();
    let said = |path: PathBuf| {
        let noted = folder::notes(&path)?.values().any(|note| !note.is_empty());
        let next = if noted { "it has a note by hand: move that, then remove the folder" } else { "remove the folder" };
        Ok(format!("{}: {next}", path.display()))
    };
    found.into_iter().map(said).collect()
}

/// What to say of a stage that lies in the folder of another day than that on which it began.
fn elsewhere(stage: &Bundle) -> Option<String> {
    let (started, day) = (stage.run().ok()?.started, stage.path.parent()?.file_name()?.to_string_lossy());
    let place = stage.path.display();
    (!started.starts_with(&*day)).then(|| format!("in the folder of another day: {place}: it began at {started}"))
}

/// Judges the runs, one after the other, and writes the report on each comparison.
fn judged(
    results: &Path,
    week: Week,
    (store, stores): (&Store, &mut Stores),
    weekly: &Weekly<'_>,
    folder: &Path,
) -> Result<(Vec<Run>, Vec<Unjudged>)> {
    let below = |path: &Path| path.strip_prefix(results).unwrap_or(path).display().to_string();
    let failed = |path: &Path, problem: &Problem| Unjudged { place: below(path), problem: problem.what.clone() };
    let unsealed = |path: &&Path| Unjudged { place: below(path), problem: "not sealed, not judged".to_owned() };
    let unknown = store.unreadable().iter().chain(&weekly.passed_over);
    let mut unjudged: Vec<Unjudged> = unknown.map(|(path, problem)| failed(path, problem)).collect();
    unjudged.extend(weekly.unsealed.iter().map(unsealed));
    let (mut runs, mut names) = (Vec::new(), Names::default());
    for (stages, n) in weekly.runs.iter().zip(1..) {
        let Some(last) = stages.last() else { continue };
        eprintln!("{n} of {}: {}", weekly.runs.len(), shown(&below(&last.measure.path), 200));
        let name = names.of(stages);
        match open(stores, stages) {
            Ok(study) => runs.push(report(&study, week, &name, folder)?),
            Err(problem) if problem.kind == Kind::Machine => return Err(problem),
            Err(problem) => unjudged.push(failed(&last.measure.path, &problem)),
        }
    }
    runs.sort_by(|a, b| (&a.entry.started, &a.entry.run).cmp(&(&b.entry.started, &b.entry.run)));
    Ok((runs, unjudged))
}

/// What runs of a week are called: as their first stage was named when it began, whatever its folder
/// is called now; plain and each once, and as nothing else that lies in the week's folder.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn of(&mut self, stages: &[Shown<'_>]) -> String {
        let (first, last) = (stages[0].measure, stages[stages.len() - 1].measure);
        let folder = || first.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = first.name().unwrap_or_else(|_| folder());
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name: String = folder.chars().take(100).map(plain).collect();
        let ours = ["candidates", "csv", "plots"].contains(&name.as_str()) || name.ends_with(".json");
        let odd = name != folder || name.starts_with('.') || ours || name.ends_with(".html") || name.ends_with(".md");
        let full = format!("run-{}-{name}", last.id.short());
        let name = if odd || self.0.contains(&name) { full } else { name };
        self.0.insert(name.clone());
        name
    }
}

fn open(stores: &mut Stores, stages: &[Shown<'_>]) -> Result<Study> {
    let bundles = stages.iter().flat_map(|stage| std::iter::once(stage.measure).chain(stage.grade));
    let paths: Vec<PathBuf> = bundles.map(|bundle| bundle.path.clone()).collect();
    crate::verbs::open_verified_of(stores, &paths)
}

/// Judges a run and, if it is a comparison, writes its report.
fn report(study: &Study, week: Week, name: &str, folder: &Path) -> Result<Run> {
    let judgement = analysis::judge(study);
    let entry = Entry::of(study, &judgement, format!("{}/{name}/", week.in_year()))?;
    let description = study.workload.description.clone();
    let run = Run { entry: Entry { week, run: name.to_owned(), ..entry }, judgement, description };
    if run.is_reported() {
        crate::verbs::no_link_to(folder, &folder.join(name))?;
        super::write(study, &run.judgement, &folder.join(name))?;
    }
    Ok(run)
}

/// The published weeks before this one, oldest first. Its own folder may hold anything but another
/// year's week: it is about to be made again.
fn before(out: &Path, week: Week) -> Result<Vec<Published>> {
    let mut found = published(out);
    if let Some(other) = found.values().flatten().find(|other| other.week.year() != week.year()) {
        let what = format!("it holds {}", other.week);
        return Err(Problem::input(what).at(out.display().to_string()).next("name the folder of another year"));
    }
    let own = out.join(week.in_year()).join(VERDICTS);
    found.remove(&own);
    found.into_iter().filter(|(path, _)| *path < own).map(|(_, week)| week).collect()
}

/// The weeks that are published in a folder, or why one cannot be read, by their files and so in
/// their order.
fn published(out: &Path) -> BTreeMap<PathBuf, Result<Published>> {
    let folders = fs::read_dir(out).into_iter().flatten().flatten();
    let weeks =
        folders.filter(|folder| matches!(folder.file_name().as_encoded_bytes(), [b'W', b'0'..=b'9', b'0'..=b'9']));
    let files = weeks.map(|folder| folder.path().join(VERDICTS)).filter(|path| path.is_file());
    let read = |path: PathBuf| (path.clone(), crate::verbs::no_link_to(out, &path).and_then(|()| read(&path)));
    files.map(read).collect()
}

fn read(path: &Path) -> Result<Published> {
    let file = fs::File::open(path).map_err(|e| Problem::io(Kind::Machine, "read", path, &e))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|e| Problem::io(Kind::Machine, "read", path, &e))?;
    let again = |what: String| {
        Problem::input(what).at(path.display().to_string()).next("make that week again, or name another folder")
    };
    let week: Published = serde_json::from_slice(&bytes).map_err(|e| again(format!("it is no week: {e}")))?;
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    match week.mistake(&folder) {
        None => Ok(week),
        Some(what) => Err(again(what)),
    }
}

/// Writes the page on all weeks that are there and can be read; the others are told.
fn write_history(out: &Path) -> Result<(PathBuf, Vec<Problem>)> {
    let (mut published, mut unread) = (Vec::new(), Vec::new());
    for found in self::published(out).into_values() {
        found.map_or_else(|problem| unread.push(problem), |week| published.push(week));
    }
    let entries: Vec<Entry> = published.iter().flat_map(|week| week.runs.clone()).collect();
    let weeks: BTreeSet<Week> = published.iter().map(|week| week.week).collect();
    let notes: BTreeMap<String, String> = folder::notes(out)?;
    let note = notes.get("").map_or("", String::as_str);
    let commands: Vec<String> = weeks.iter().map(|week| analysis::week::command(*week)).collect();
    let title = weeks.first().map(|week| format!("Year {}", week.year())).unwrap_or_default();
    let history =
        History { title: &title, description: "", entries: &entries, weeks: &weeks, commands: &commands, note };
    Ok((folder::write(out, &notes, render_history(&history))?, unread))
}

fn nothing(results: &Path, week: Week, store: &Store) -> Problem {
    let weeks: Vec<String> = store.weeks().iter().map(Week::to_string).collect();
    let next = if weeks.is_empty() {
        "name the folder that holds DATE/RUN, as bench run writes it with --out".to_owned()
    } else {
        format!("its weeks are {}", weeks.join(", "))
    };
    Problem::input(format!("no run of {week} is sealed here")).at(results.display().to_string()).next(next)
}
