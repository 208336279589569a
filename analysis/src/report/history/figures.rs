//! The pictures of a page on many runs: which values go into them, and what they say in words.

use std::collections::BTreeSet;

use lab::{Week, week::weeks_until};

use super::{
    Names, names,
    tables::{signed, unit, value},
};
use crate::{
    chart::{
        Colour, Picture,
        history::{History, Panel, Part, Point},
    },
    history::{Board, Metric, Of, Past, Track},
    judgement::Verdict,
    report::{escape, figures::Figure, words},
};

/// Candidates of a picture, which has as many colours.
const LINES: usize = 7;
/// Cells whose baseline is drawn, those first that were measured most often.
pub(super) const CELLS: usize = 4;
/// Cells of a contest, if each has a picture beside that over all of them.
const EACH: usize = 2;

/// When a run began, in weeks.
fn time(past: &Past, run: usize) -> f64 {
    weeks_until(&past.runs[run].started).unwrap_or_else(|| past.runs[run].week.ordinal() as f64)
}

/// `W47`, and with its year.
fn week(ordinal: i64) -> (String, String) {
    let whole = Week::of_ordinal(ordinal).map(|week| week.to_string()).unwrap_or_default();
    let short = whole.split_once('-').map(|(_, short)| short.to_owned());
    (short.unwrap_or_default(), whole)
}

/// A part for each segment of a track.
fn parts(past: &Past, track: &Track) -> Vec<Part> {
    let at = |i: usize| time(past, track.runs[i]);
    let part = |segment: &crate::history::Segment| {
        let points = segment.runs.clone().map(|i| {
            let point = &track.series.points()[i];
            Point { at: at(i), value: point.value, interval: point.interval }
        });
        let found = segment.changes.as_ref().map_or(&[][..], |changes| &changes.points);
        let begins = std::iter::once(segment.runs.start).chain(found.iter().map(|c| c.at));
        let ends = found.iter().map(|c| c.at).chain([segment.runs.end]);
        let means = found.first().map(|c| c.before).into_iter().chain(found.iter().map(|c| c.after));
        Part {
            points: points.collect(),
            changes: found.iter().map(|change| ((at(change.at - 1), at(change.at)), signed(change))).collect(),
            levels: begins.zip(ends).zip(means).map(|((from, to), mean)| (at(from), at(to - 1), mean)).collect(),
        }
    };
    track.segments.iter().map(part).collect()
}

/// Cuts in some of these cells, between the run before and the run after.
fn marks(past: &Past, cells: &BTreeSet<usize>) -> Vec<(f64, String)> {
    let own = past.breaks.iter().filter(|cut| cut.cells.iter().any(|cell| cells.contains(cell)));
    let mut marks: Vec<(f64, String)> = own
        .map(|cut| {
            let (before, after) = (past.runs[cut.last], past.runs[cut.at]);
            let rebased = before.baseline != after.baseline;
            let method = format!("method {}", escape::name(&after.method));
            let label = match (rebased, before.method != after.method) {
                (true, true) => format!("rebase, {method}"),
                (true, false) => "rebase".to_owned(),
                _ => method,
            };
            ((time(past, cut.last) + time(past, cut.at)) / 2.0, label)
        })
        .collect();
    marks.dedup_by(|a, b| a == b);
    marks
}

/// The newest of values, in words.
fn newest(value: &str, unit: &str, past: &Past, run: usize) -> String {
    let gap = if unit == "×" { "" } else { " " };
    format!("{value}{gap}{unit} in {}", past.runs[run].week)
}

/// The baseline's measures, a picture for each of some cells that were measured in several weeks.
pub(super) fn baselines(past: &Past, names: &Names) -> Vec<Figure> {
    let mut cells: Vec<usize> = (0..past.cells.len()).filter(|cell| past.goes_on(*cell)).collect();
    cells.sort_by_key(|cell| std::cmp::Reverse(past.cells[*cell].runs.len()));
    cells.truncate(CELLS);
    cells.sort_unstable();
    cells.into_iter().enumerate().filter_map(|(i, cell)| baseline(past, names, i + 1, cell)).collect()
}

fn baseline(past: &Past, names: &Names, n: usize, cell: usize) -> Option<Figure> {
    let tracks: Vec<&Track> =
        past.tracks.iter().filter(|track| matches!(track.of, Of::Baseline { cell: own, .. } if own == cell)).collect();
    let panel = |track: &&Track| {
        let last = track.series.points().last()?;
        let unit = unit(track.of);
        let Of::Baseline { metric, .. } = track.of else { return None };
        let title = match metric {
            Metric::Throughput => format!("{}, {unit}", capital(names::metric_name(metric))),
            Metric::Ttft | Metric::Tpot => format!("{}, {unit}", names::metric_name(metric)),
        };
        Some(Panel {
            title,
            text: newest(&value(last.value, unit).typeset(), unit, past, *track.runs.last()?),
            colour: Colour::Ink,
            parts: parts(past, track),
            loose: Vec::new(),
            shaded: Vec::new(),
        })
    };
    let panels: Vec<Panel> = tracks.iter().filter_map(panel).collect();
    if panels.is_empty() {
        return None;
    }
    let list: Vec<String> = panels.iter().map(said).collect();
    let place = &names.cells[cell];
    let picture = History {
        axis: "opening and closing baselines of each run, log scale".into(),
        line: None,
        together: false,
        marks: marks(past, &[cell].into()),
        panels,
        week,
    };
    Some(Figure {
        name: format!("history-baseline-{n}"),
        title: format!("The baseline, {place}"),
        caption: format!("One point a run. {LEGEND}"),
        alt: format!("The baseline run after run, {place}. {}.", list.join("; ")),
        data: "csv/history.csv".into(),
        picture: Picture::of(|layout| picture.draw(layout)),
    })
}

const LEGEND: &str = "A line joins runs that can be compared, and ends where the baseline is another server (rebase) or the method another version. At a change point stands by how much the mean changes; thick lines are the means on both sides.";

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A panel in words.
fn said(panel: &Panel) -> String {
    let changes: Vec<&str> =
        panel.parts.iter().flat_map(|part| &part.changes).map(|(_, label)| label.as_str()).collect();
    let changes = if changes.is_empty() { String::new() } else { format!(", changes of {}", changes.join(", ")) };
    format!("{}: {}{changes}", panel.title, panel.text)
}

/// The candidates' speed-ups, a picture for each contest of several weeks, and one for each of its
/// cells where these are few.
pub(super) fn speeds(past: &Past, names: &Names) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (i, contest) in past.contests.iter().enumerate() {
        let few = 2..=EACH;
        let each = contest.cells.iter().copied().filter(|_| few.contains(&contest.cells.len())).map(Some);
        for cell in std::iter::once(None).chain(each) {
            figures.extend(speed(past, names, figures.len() + 1, (i, cell)));
        }
    }
    figures
}

fn speed(past: &Past, names: &Names, n: usize, (contest, cell): (usize, Option<usize>)) -> Option<Figure> {
    let of = &past.contests[contest];
    let panels: Vec<Panel> = drawn(past, contest)
        .into_iter()
        .filter_map(|(name, place)| rival(past, (contest, cell), name, place))
        .collect();
    if panels.is_empty() {
        return None;
    }
    let left = of.names.len() - panels.len();
    let more = if left > 0 {
        format!(" {} only in the data.", words::counted(left as u64, "other candidate"))
    } else {
        String::new()
    };
    let place = cell.map_or(&names.contests[contest], |cell| &names.cells[cell]);
    let list: Vec<String> = panels.iter().map(said).collect();
    let picture = History {
        axis: "speed-up at equal work, log scale".into(),
        line: Some(1.0),
        together: true,
        marks: marks(past, &of.cells),
        panels,
        week,
    };
    Some(Figure {
        name: format!("history-speed-{n}"),
        title: format!("Speed-up over the baseline, {place}"),
        caption: format!(
            "One point a run, with its interval; the line at 1 is the baseline. {LEGEND} A ring claims nothing: outputs altered (orange) or undecided (grey), or too few rounds. Shaded: it leads.{more}"
        ),
        alt: format!("Speed-up over the baseline run after run, {place}. {}.", list.join("; ")),
        data: "csv/history.csv".into(),
        picture: Picture::of(|layout| picture.draw(layout)),
    })
}

/// The candidates that are drawn, each with its place among them, in the order in which they came:
/// who leads now, then those of most weeks, the newest first. None where nobody came in two.
fn drawn(past: &Past, contest: usize) -> Vec<(usize, usize)> {
    let of = &past.contests[contest];
    let came = |name: usize| of.runs.iter().copied().filter(move |run| past.rival(contest, *run, name).is_some());
    let count = |name: usize| past.weeks_of(came(name));
    let leads = |name: usize| of.leads.last().is_some_and(|lead| lead.leaders.contains(of.names[name]));
    let all = (0..of.names.len()).map(|name| (leads(name), count(name), name));
    let mut most: Vec<(bool, usize, usize)> = all.filter(|(leads, count, _)| *leads || *count > 1).collect();
    if most.iter().all(|(_, count, _)| *count < 2) {
        return Vec::new();
    }
    most.sort_by(|a, b| b.cmp(a));
    let mut drawn: Vec<usize> = most.into_iter().take(LINES).map(|(_, _, name)| name).collect();
    drawn.sort_unstable();
    (1..).zip(drawn).map(|(place, name)| (name, place)).collect()
}

fn rival(past: &Past, (contest, cell): (usize, Option<usize>), name: usize, place: usize) -> Option<Panel> {
    let of = Of::Candidate { contest, name, cell };
    let cell = cell.map(|cell| &past.cells[cell].first.cell);
    let colour = Colour::Arm(place);
    let tracks: Vec<&Track> = past.tracks.iter().filter(|track| track.of == of).collect();
    let (mut loose, mut text) = (Vec::new(), String::new());
    for run in &past.contests[contest].runs {
        let Some(rival) = past.rival(contest, *run, name).filter(|r| r.server.is_some()) else { continue };
        let Some(effect) = rival.effect(cell).filter(|_| past.runs[*run].baseline.is_some()) else { continue };
        let why = past.claims_nothing(*run, rival.verdict, &effect);
        text = match why {
            None => newest(value(effect.speedup, "×").digits(), "×", past, *run),
            Some(why) => format!("{why} in {}", past.runs[*run].week),
        };
        if why.is_some() {
            let interval = effect.powered.then_some((effect.low, effect.high));
            let colour = match rival.verdict {
                Verdict::Altered => Colour::Altered,
                Verdict::Undecided => Colour::Undecided,
                Verdict::Equivalent => colour,
            };
            loose.push((Point { at: time(past, *run), value: effect.speedup, interval }, colour));
        }
    }
    if text.is_empty() {
        return None;
    }
    Some(Panel {
        title: escape::name(past.contests[contest].names[name]),
        text,
        colour,
        parts: tracks.iter().flat_map(|track| parts(past, track)).collect(),
        loose,
        shaded: shaded(past, contest, name),
    })
}

/// When a candidate leads: from half way to the run before to half way to the run after.
fn shaded(past: &Past, contest: usize, name: usize) -> Vec<(f64, f64)> {
    let of = &past.contests[contest];
    let leads = |run: usize| {
        past.settles(run) && matches!(&past.runs[run].board, Board::Led(names) if names.contains(of.names[name]))
    };
    let times: Vec<f64> = of.runs.iter().map(|run| time(past, *run)).collect();
    let between = |i: usize| (times[i] + times[i + 1]) / 2.0;
    let mut shaded: Vec<(f64, f64)> = Vec::new();
    for i in (0..times.len()).filter(|i| leads(of.runs[*i])) {
        let from = if i == 0 { times[0] - 0.5 } else { between(i - 1) };
        let to = if i + 1 == times.len() { times[i] + 0.5 } else { between(i) };
        match shaded.last_mut() {
            Some(last) if last.1 >= from => last.1 = to,
            _ => shaded.push((from, to)),
        }
    }
    shaded
}
