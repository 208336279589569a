//! Many runs, sorted: which of them measured the same cells, and how each measure went on.

use std::collections::{BTreeMap, BTreeSet};

use lab::Digest;

use super::{Board, Entry, Lead, Measured, Point, Rival, Segment, Series, changes, leads};
use crate::{
    judgement::{Effect, Verdict},
    study::Cell,
};

/// Everything that is computed for a page.
pub(crate) struct Past<'a> {
    /// In the order in which they began; of a run that was told again with a further stage the last.
    pub(crate) runs: Vec<&'a Entry>,
    /// By when they were first measured.
    pub(crate) cells: Vec<Ground<'a>>,
    /// Runs over the same cells, by when the first began.
    pub(crate) contests: Vec<Contest<'a>>,
    /// Every series, with what was found in it.
    pub(crate) tracks: Vec<Track>,
    /// Where values on two sides are not of one thing, by run.
    pub(crate) breaks: Vec<Break>,
    /// The place in [`Past::cells`] of each cell of each run.
    places: Vec<Vec<usize>>,
    /// Of each run, whether another one was on its GPU while it was.
    beside: Vec<bool>,
}

/// A cell and the runs that measured it.
pub(crate) struct Ground<'a> {
    /// What is the same in all of them.
    pub(crate) id: Digest,
    /// As the first run has it.
    pub(crate) first: &'a Measured,
    /// The runs, as places in [`Past::runs`].
    pub(crate) runs: Vec<usize>,
}

/// The same cells, measured again and again: candidates of different runs can be held side by side.
pub(crate) struct Contest<'a> {
    /// Its cells, as places in [`Past::cells`].
    pub(crate) cells: BTreeSet<usize>,
    /// The runs, as places in [`Past::runs`].
    pub(crate) runs: Vec<usize>,
    /// Names of all candidates, the one first that was seen first.
    pub(crate) names: Vec<&'a str>,
    /// The changes of the lead, by run.
    pub(crate) leads: Vec<Lead<usize>>,
}

/// What a series is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The baseline in a cell.
    Baseline { cell: usize, metric: Metric },
    /// A candidate, by its place among the names, over all cells of a contest, or in one.
    Candidate { contest: usize, name: usize, cell: Option<usize> },
}

/// A measure of the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    /// Time to first token.
    Ttft,
    /// Time per output token.
    Tpot,
    /// Output throughput.
    Throughput,
}

/// A run, its value, and the limits of that where it has an interval.
type Value = (usize, f64, Option<(f64, f64)>);

/// A series with what was found in it.
pub(crate) struct Track {
    /// What it is of.
    pub(crate) of: Of,
    /// Its values.
    pub(crate) series: Series,
    /// The run of each of its points.
    pub(crate) runs: Vec<usize>,
    /// Its parts.
    pub(crate) segments: Vec<Segment>,
}

/// Where another baseline, or another method, begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Break {
    /// The first run after it.
    pub(crate) at: usize,
    /// The last run before it.
    pub(crate) last: usize,
    /// In which cells.
    pub(crate) cells: BTreeSet<usize>,
}

impl Metric {
    /// All of them.
    pub(crate) const ALL: [Metric; 3] = [Metric::Ttft, Metric::Tpot, Metric::Throughput];

    /// As judgements call it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Metric::Ttft => "ttft",
            Metric::Tpot => "tpot",
            Metric::Throughput => "output-throughput",
        }
    }

    fn value(self, of: &Measured) -> Option<f64> {
        match self {
            Metric::Ttft => of.ttft_ns,
            Metric::Tpot => of.tpot_ns,
            Metric::Throughput => of.tokens_per_s,
        }
    }
}

impl Rival {
    /// Its speed-up over all cells, or in one.
    pub(crate) fn effect(&self, cell: Option<&Cell>) -> Option<Effect> {
        match cell {
            None => self.overall,
            Some(cell) => self.cells.iter().find(|(own, _)| own == cell).map(|(_, effect)| *effect),
        }
    }
}

/// Why a speed is shown and is no part of any series.
const BESIDE: &str = "beside another run on its GPU";

fn claims_nothing(verdict: Verdict, effect: &Effect) -> Option<&'static str> {
    match verdict {
        Verdict::Altered => Some("altered outputs"),
        Verdict::Undecided => Some("undecided"),
        Verdict::Equivalent if !effect.powered => Some("not powered"),
        Verdict::Equivalent => None,
    }
}

impl<'a> Past<'a> {
    /// Of these runs, in any order.
    pub(crate) fn of(entries: &'a [Entry]) -> Self {
        let mut runs = last_of_each(entries);
        // The order of a series' points.
        runs.sort_by(|a, b| (&a.started, &a.bundles).cmp(&(&b.started, &b.bundles)));
        let beside: Vec<bool> = runs.iter().map(|run| entries.iter().any(|other| run.shares_gpu_with(other))).collect();
        let (cells, places) = grounds(&runs);
        let contests = contests(&runs, &places, &beside);
        let breaks = breaks(&runs, &cells, &beside);
        let mut past = Past { breaks, runs, cells, contests, places, beside, tracks: Vec::new() };
        let unasked = past.all_series();
        let series: Vec<Series> = unasked.iter().map(|(_, series, _)| series.clone()).collect();
        past.tracks = unasked
            .into_iter()
            .zip(changes(&series))
            .map(|((of, series, runs), segments)| Track { of, series, runs, segments })
            .collect();
        past
    }

    /// Why a run's speeds are no part of any series; none where they are.
    pub(crate) fn tells_nothing(&self, run: usize) -> Option<&'static str> {
        self.beside[run].then_some(BESIDE)
    }

    /// Why a candidate's speed-up is shown and claims nothing; none where it counts.
    pub(crate) fn claims_nothing(&self, run: usize, verdict: Verdict, effect: &Effect) -> Option<&'static str> {
        claims_nothing(verdict, effect).or(self.tells_nothing(run))
    }

    /// Whether a run's leaderboard settles who leads.
    pub(crate) fn settles(&self, run: usize) -> bool {
        settles(self.runs[run], self.beside[run])
    }

    /// In how many weeks these runs were.
    pub(crate) fn weeks_of(&self, runs: impl IntoIterator<Item = usize>) -> usize {
        runs.into_iter().map(|run| self.runs[run].week).collect::<BTreeSet<_>>().len()
    }

    /// Whether a cell was measured in several weeks.
    pub(crate) fn goes_on(&self, cell: usize) -> bool {
        self.weeks_of(self.cells[cell].runs.iter().copied().filter(|run| !self.beside[*run])) > 1
    }

    /// A run's facts of a cell.
    pub(crate) fn measured(&self, run: usize, cell: usize) -> Option<&'a Measured> {
        let at = self.places[run].iter().position(|place| *place == cell)?;
        Some(&self.runs[run].cells[at])
    }

    /// What a run says of its baseline in a cell, in the unit of the measure's series.
    pub(crate) fn baseline(&self, run: usize, cell: usize, metric: Metric) -> Option<f64> {
        let value = metric.value(self.measured(run, cell)?)?;
        Some(if metric == Metric::Throughput { value } else { value * 1e-6 })
    }

    /// A candidate of a run of a contest.
    pub(crate) fn rival(&self, contest: usize, run: usize, name: usize) -> Option<&'a Rival> {
        let name = self.contests[contest].names[name];
        self.runs[run].candidates.iter().find(|rival| rival.name == name)
    }

    fn all_series(&self) -> Vec<(Of, Series, Vec<usize>)> {
        let baseline = (0..self.cells.len())
            .flat_map(|cell| Metric::ALL.map(|metric| Of::Baseline { cell, metric }))
            .map(|of| (of, self.drift(of)));
        let mut all: Vec<_> = baseline.filter_map(|(of, made)| made.map(|(series, runs)| (of, series, runs))).collect();
        for (i, contest) in self.contests.iter().enumerate() {
            // In one cell the overall speed-up is that cell's.
            let several = contest.cells.iter().copied().filter(|_| contest.cells.len() > 1).map(Some);
            for cell in std::iter::once(None).chain(several) {
                for name in 0..contest.names.len() {
                    all.extend(self.speed_ups(i, name, cell));
                }
            }
        }
        all
    }

    /// A series of these values, with its runs; none of no value.
    fn made(&self, name: String, unit: &str, values: Vec<Value>) -> Option<(Series, Vec<usize>)> {
        let point = |(run, value, interval): Value| {
            let entry = self.runs[run];
            if self.tells_nothing(run).is_some() {
                return None;
            }
            let (started, bundles, method) = (entry.started.clone(), entry.bundles.clone(), entry.method.clone());
            Some((run, Point { started, bundles, value, interval, baseline: entry.baseline?, method }))
        };
        let (runs, points): (Vec<usize>, Vec<Point>) = values.into_iter().filter_map(point).unzip();
        (!runs.is_empty()).then(|| (Series::new(name, unit, points), runs))
    }

    fn drift(&self, of: Of) -> Option<(Series, Vec<usize>)> {
        let Of::Baseline { cell, metric } = of else { return None };
        let ground = &self.cells[cell];
        let unit = if metric == Metric::Throughput { "tokens/s" } else { "ms" };
        let values = ground.runs.iter().filter_map(|run| Some((*run, self.baseline(*run, cell, metric)?, None)));
        self.made(format!("{} of the baseline in {}", metric.code(), ground.id), unit, values.collect())
    }

    /// One series for each server that had this name.
    fn speed_ups(&self, contest: usize, name: usize, cell: Option<usize>) -> Vec<(Of, Series, Vec<usize>)> {
        let place = cell.map(|cell| &self.cells[cell].first.cell);
        let mut servers: BTreeMap<Digest, Vec<Value>> = BTreeMap::new();
        for run in &self.contests[contest].runs {
            let Some(rival) = self.rival(contest, *run, name) else { continue };
            let (Some(effect), Some(server)) = (rival.effect(place), rival.server) else { continue };
            if self.claims_nothing(*run, rival.verdict, &effect).is_none() {
                let value = (*run, effect.speedup, Some((effect.low, effect.high)));
                servers.entry(server).or_default().push(value);
            }
        }
        let ids: Vec<String> = match cell {
            Some(cell) => vec![self.cells[cell].id.to_string()],
            None => self.contests[contest].cells.iter().map(|cell| self.cells[*cell].id.to_string()).collect(),
        };
        let made = servers.into_iter().filter_map(|(server, values)| {
            let what = format!("speed-up of {} {server} in {}", self.contests[contest].names[name], ids.join(" "));
            let (series, runs) = self.made(what, "×", values)?;
            Some((Of::Candidate { contest, name, cell }, series, runs))
        });
        made.collect()
    }
}

/// Each run once: its entry of the latest week. Entries of one run share the bundle of its first stage.
fn last_of_each(entries: &[Entry]) -> Vec<&Entry> {
    let mut last: BTreeMap<Option<Digest>, &Entry> = BTreeMap::new();
    for entry in entries {
        let known = last.entry(entry.bundles.first().copied()).or_insert(entry);
        if (known.week, &known.bundles) < (entry.week, &entry.bundles) {
            *known = entry;
        }
    }
    last.into_values().collect()
}

/// The cells, and the place among them of each cell of each run.
fn grounds<'a>(runs: &[&'a Entry]) -> (Vec<Ground<'a>>, Vec<Vec<usize>>) {
    let mut all: Vec<Ground> = Vec::new();
    let mut places = Vec::new();
    for (run, entry) in runs.iter().enumerate() {
        let place = |measured: &'a Measured| {
            let id = measured.identity();
            let at = all.iter().position(|ground| ground.id == id).unwrap_or_else(|| {
                all.push(Ground { id, first: measured, runs: Vec::new() });
                all.len() - 1
            });
            all[at].runs.push(run);
            at
        };
        places.push(entry.cells.iter().map(place).collect());
    }
    (all, places)
}

/// Whether it says who leads, by speeds that are its servers' own.
fn settles(run: &Entry, beside: bool) -> bool {
    !beside && matches!(run.board, Board::Led(_))
}

fn contests<'a>(runs: &[&'a Entry], places: &[Vec<usize>], beside: &[bool]) -> Vec<Contest<'a>> {
    let mut all: Vec<Contest> = Vec::new();
    for (run, entry) in runs.iter().enumerate().filter(|(_, entry)| !entry.candidates.is_empty()) {
        let own: BTreeSet<usize> = places[run].iter().copied().collect();
        if own.is_empty() {
            continue;
        }
        let at = all.iter().position(|contest| contest.cells == own).unwrap_or_else(|| {
            all.push(Contest { cells: own, runs: Vec::new(), names: Vec::new(), leads: Vec::new() });
            all.len() - 1
        });
        all[at].runs.push(run);
        for rival in &entry.candidates {
            if !all[at].names.contains(&rival.name.as_str()) {
                all[at].names.push(&rival.name);
            }
        }
    }
    for contest in &mut all {
        let led = |run: &usize| match &runs[*run].board {
            Board::Led(names) if settles(runs[*run], beside[*run]) => Some((*run, names.clone())),
            Board::Led(_) | Board::None | Board::Void(_) | Board::Empty => None,
        };
        contest.leads = leads(&contest.runs.iter().filter_map(led).collect::<Vec<_>>());
    }
    all
}

/// Between two runs of a cell that follow each other, of those whose values are part of a series.
fn breaks(runs: &[&Entry], cells: &[Ground], beside: &[bool]) -> Vec<Break> {
    let mut all: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
    for (cell, ground) in cells.iter().enumerate() {
        let counts = |run: &usize| runs[*run].baseline.is_some() && !beside[*run];
        let known: Vec<usize> = ground.runs.iter().copied().filter(counts).collect();
        for two in known.windows(2) {
            let (before, after) = (runs[two[0]], runs[two[1]]);
            if before.baseline != after.baseline || before.method != after.method {
                all.entry((two[1], two[0])).or_default().insert(cell);
            }
        }
    }
    all.into_iter().map(|((at, last), cells)| Break { at, last, cells }).collect()
}
