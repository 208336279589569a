//! What came out of many runs, one sentence a line: who leads, what changed, where series are cut.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Names, names,
    tables::{beside, listed, signed, unit, value},
};
use crate::{
    history::{Board, Change, Contest, Metric, Of, Past, Track},
    report::{
        escape,
        words::{self, Line},
    },
};

/// Contests whose leaders are named.
const LEADS: usize = 4;
/// Runs whose changes are told.
const CHANGES: usize = 5;
/// Arms of one run whose changes are told.
const ARMS: usize = 3;

/// The headline, one sentence a line.
pub(super) fn headline(past: &Past, names: &Names) -> Vec<Line> {
    let Some(first) = past.runs.first() else {
        return vec![line("·", "No run", "has been judged yet.".into())];
    };
    let contests = newest_of_each(past).into_iter();
    let leads = contests.filter_map(|contest| lead(past, &past.contests[contest], &names.contests[contest]));
    let mut lines: Vec<Line> = leads.take(LEADS).collect();
    if !(0..past.cells.len()).any(|cell| past.goes_on(cell)) {
        let rest = "no cell has been measured in two weeks yet, so there is nothing to hold side by side.";
        lines.push(line("·", "History", format!("begins with {}: {rest}", first.week)));
        return lines;
    }
    let events = events(past, names);
    let more = events.len().saturating_sub(CHANGES);
    let changed = events.values().any(|event| event.0 == CHANGE);
    lines.extend(
        events
            .into_iter()
            .rev()
            .take(CHANGES)
            .map(|(run, (glyph, said))| line(glyph, &past.runs[run].week.to_string(), said.join(" "))),
    );
    if more > 0 {
        lines.push(line("+", &more.to_string(), "earlier, under What changed.".into()));
    }
    if !changed {
        lines.push(line("·", "No change point", unchanged(past)));
    }
    lines
}

/// What stands before changes and before cuts.
const CHANGE: &str = "Δ";
const CUT: &str = "┆";

fn line(glyph: &'static str, subject: &str, rest: String) -> Line {
    Line { verdict: None, glyph, subject: subject.to_owned(), rest }
}

/// How many series were asked.
fn unchanged(past: &Past) -> String {
    let asked = past.tracks.iter().flat_map(|track| &track.segments).filter(|segment| segment.changes.is_ok()).count();
    match asked {
        0 => "can be told yet: that takes 8 runs on one baseline by one method.".into(),
        n => format!("in {} of at least 8 runs.", words::counted(n as u64, "segment")),
    }
}

/// The contests, the one first that ran last; of each workload's name only that one.
fn newest_of_each(past: &Past) -> Vec<usize> {
    let mut all: Vec<usize> = (0..past.contests.len()).collect();
    all.sort_by_key(|contest| std::cmp::Reverse(past.contests[*contest].runs.last()));
    let mut seen = BTreeSet::new();
    let workload = |contest: &usize| past.contests[*contest].runs.last().map(|run| &past.runs[*run].workload);
    all.retain(|contest| seen.insert(workload(contest)));
    all
}

/// Who leads in a contest, and since when.
fn lead(past: &Past, contest: &Contest, on: &str) -> Option<Line> {
    let now = &contest.leads.last()?.leaders;
    let boards: Vec<usize> = contest.runs.iter().copied().filter(|run| past.settles(*run)).collect();
    let newest = *boards.last()?;
    // Since when all of them are in front, whoever else was.
    let since = contest.leads.iter().rev().take_while(|lead| now.is_subset(&lead.leaders)).last()?;
    let held = boards.iter().filter(|run| **run >= since.since).count() as u64;
    let week = past.runs[since.since].week;
    let alone = &contest.leads.last()?.since;
    let held = words::counted(held, "run");
    let mut rest = match (now.len(), boards.len()) {
        (1, 1) => format!("leads {on} in {week}"),
        (1, _) if *alone == since.since => format!("has led {on} since {week} ({held})"),
        (1, _) => format!("has led {on} since {week} ({held}), alone since {}", past.runs[*alone].week),
        (_, 1) => format!("lead {on} in {week}: none is shown to be faster than the others"),
        _ => format!("have led {on} together since {week}: none is shown to be faster than the others"),
    };
    let effect = |name: &String| {
        let rival = past.runs[newest].candidates.iter().find(|rival| rival.name == *name)?;
        rival.overall.filter(|effect| past.claims_nothing(newest, rival.verdict, effect).is_none())
    };
    if let (1, Some(effect)) = (now.len(), now.iter().next().and_then(effect)) {
        let (verb, speed) = words::faster(&effect);
        let joint = if boards.len() == 1 { ": it" } else { ". In its newest run it" };
        rest.push_str(&format!("{joint} {verb} {speed}"));
    }
    rest.push('.');
    if !since.lost.is_empty() {
        rest.push_str(&format!(" Before, {} led.", listed(&since.lost)));
    }
    let last = contest.runs.last().map(|run| past.runs[*run].week)?;
    if past.runs.last().is_some_and(|newest| newest.week != last) {
        rest.push_str(&format!(" The last run of {on} was in {last}."));
    }
    if let Some(Board::Void(why)) = contest.runs.last().map(|run| &past.runs[*run].board) {
        rest.push_str(&format!(
            " The newest leaderboard settles nothing: {}.",
            escape::detail(why).trim_end_matches('.')
        ));
    }
    Some(line("★", &together(now), rest))
}

/// `a`, `a and b`, `a, b and 3 more`.
fn together(names: &BTreeSet<String>) -> String {
    let all: Vec<String> = names.iter().map(|name| escape::name(name)).collect();
    match all.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, more @ ..] => format!("{one}, {two} and {} more", more.len()),
    }
}

type Event = (&'static str, Vec<String>);

/// What is told of each run, by run.
fn events(past: &Past, names: &Names) -> BTreeMap<usize, Event> {
    let mut events: BTreeMap<usize, Event> = BTreeMap::new();
    let mut changed: BTreeMap<usize, Vec<(&Track, Change)>> = BTreeMap::new();
    for track in &past.tracks {
        for change in track.segments.iter().filter_map(|s| s.changes.as_ref().ok()).flat_map(|c| &c.points) {
            changed.entry(track.runs[change.at]).or_default().push((track, *change));
        }
    }
    for (run, all) in changed {
        let groups: Vec<&[(&Track, Change)]> = all.chunk_by(|(a, _), (b, _)| same_arm(a.of, b.of)).collect();
        let mut said: Vec<String> = groups.iter().take(ARMS).map(|group| moved(past, names, group)).collect();
        if groups.len() > ARMS {
            said.push(format!("{} more changed.", groups.len() - ARMS));
        }
        let (track, change) = all[0];
        let also = beside(past, track.runs[change.at - 1], run);
        if !also.is_empty() {
            said.push(format!("Also new there: {also}."));
        }
        events.insert(run, (CHANGE, said));
    }
    for cut in &past.breaks {
        let (before, after) = (past.runs[cut.last], past.runs[cut.at]);
        let event = events.entry(cut.at).or_insert((CUT, Vec::new()));
        if let (Some(was), Some(is)) = (before.baseline, after.baseline)
            && was != is
        {
            event.1.push(format!(
                "The baseline is another server from here on ({} → {}): values before and after are not compared.",
                was.short(),
                is.short()
            ));
        }
        if before.method != after.method {
            let (was, is) = (escape::name(&before.method), escape::name(&after.method));
            event.1.push(format!("The method is another version from here on ({was} → {is})."));
        }
    }
    for (_, said) in events.values_mut() {
        let mut seen = BTreeSet::new();
        said.retain(|sentence| seen.insert(sentence.clone()));
    }
    events
}

/// Whether two series are of one arm in one place.
fn same_arm(a: Of, b: Of) -> bool {
    match (a, b) {
        (Of::Baseline { cell: a, .. }, Of::Baseline { cell: b, .. }) => a == b,
        (a, b) => a == b,
    }
}

/// What changes of one arm in one place.
fn moved(past: &Past, names: &Names, changes: &[(&Track, Change)]) -> String {
    let (first, _) = changes[0];
    let (arm, _) = names::measure(past, first.of);
    let (who, several) = match first.of {
        Of::Baseline { .. } => ("The baseline".to_owned(), past.cells.len() > 1),
        Of::Candidate { cell, .. } => (arm, cell.is_some() || past.contests.len() > 1),
    };
    let place = if several { format!(" in {}", names.place(first.of)) } else { String::new() };
    let better = |(track, change): &(&Track, Change)| (change.after > change.before) == is_rate(track.of);
    let how = match (changes.iter().all(better), changes.iter().any(better)) {
        (true, _) => "is faster",
        (_, false) => "is slower",
        _ => "is another",
    };
    let each = changes.iter().map(|(track, change)| {
        let unit = unit(track.of);
        let (from, to) = (value(change.before, unit).typeset(), value(change.after, unit).typeset());
        let gap = if unit == "×" { "" } else { " " };
        format!("{} {} ({from} → {to}{gap}{unit})", names::measure(past, track.of).1, signed(change))
    });
    format!("{who}{place} {how} from here on: {}.", each.collect::<Vec<_>>().join(", "))
}

/// Whether more of it is better.
fn is_rate(of: Of) -> bool {
    !matches!(of, Of::Baseline { metric: Metric::Ttft | Metric::Tpot, .. })
}
