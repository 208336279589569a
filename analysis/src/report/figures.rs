//! The pictures of a report: which numbers go into them, and what they say in words.

use lab::plan::Role;

use super::{
    controls, escape,
    input::{Cell, Drift, DriftPoint, Input, Series},
    number, shown,
    table::word,
    tables::{decimals, steps},
    words,
};
use crate::{
    chart::{self, Colour, Picture, drift, ecdf, rows},
    judgement::{Candidate, Climb, Effect, Equivalence, Judgement, Ladder, Overall, Verdict},
};

pub(crate) mod candidate;

/// A picture with its words.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// Its file is `plots/<name>.svg`.
    pub(crate) name: String,
    /// What it shows.
    pub(crate) title: String,
    /// What to see in it.
    pub(crate) caption: String,
    /// The same for those who do not see it.
    pub(crate) alt: String,
    /// The table with its numbers.
    pub(crate) data: String,
    /// Drawn for a desk and for a phone.
    pub(crate) picture: Picture,
}

impl Figure {
    /// The file's name in the report's folder.
    pub(crate) fn file(&self) -> String {
        format!("plots/{}.svg", self.name)
    }
}

fn verdict_colour(verdict: Verdict) -> Colour {
    match verdict {
        Verdict::Equivalent => Colour::Equivalent,
        Verdict::Undecided => Colour::Undecided,
        Verdict::Altered => Colour::Altered,
    }
}

/// An arm's colour, the same in every picture: candidates by their place in the judgement.
fn arm_colour(judgement: &Judgement, arm: &str) -> Colour {
    let place = judgement.candidates.iter().position(|c| c.name == arm);
    Colour::Arm(place.map_or_else(|| if arm == "baseline" { 0 } else { judgement.candidates.len() + 1 }, |i| i + 1))
}

/// The cells in which a candidate was measured, without the steps of ladders.
pub(crate) fn cells(judgement: &Judgement) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let speeds = judgement.candidates.iter().flat_map(|c| &c.speed);
    for speed in speeds.filter(|s| !words::is_step(judgement, &s.load)) {
        let cell = Cell::from(speed);
        if !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    cells
}

/// Over all cells, then, where there are several, in each.
pub(crate) fn speed(judgement: &Judgement) -> Vec<Figure> {
    let cells = cells(judgement);
    let mut figures: Vec<Figure> = Vec::new();
    let all = shown::rows(judgement);
    figures.extend(forest("speed", "Speed-up over the baseline".into(), judgement, all, |c| c.overall));
    if cells.len() > 1 {
        for (i, cell) in cells.iter().enumerate() {
            let effect =
                |c: &Candidate| c.speed.iter().find(|s| Cell::from(*s) == *cell).and_then(|s| s.primary.effect);
            let (name, title) = (format!("speed-{}", i + 1), format!("Speed-up, {cell}"));
            figures.extend(forest(&name, title, judgement, shown::lines(judgement), effect));
        }
    }
    figures
}

/// Over all cells, as one of several pictures of a page.
pub(crate) fn overall(name: &str, judgement: &Judgement) -> Option<Figure> {
    let title = format!("Speed-up over the baseline, {}", escape::name(&judgement.workload));
    let figure = forest(name, title, judgement, shown::rows(judgement), |c| c.overall)?;
    Some(Figure { data: "csv/verdicts.csv".into(), ..figure })
}

fn forest(
    name: &str,
    title: String,
    judgement: &Judgement,
    candidates: &[Candidate],
    effect: impl Fn(&Candidate) -> Option<Effect>,
) -> Option<Figure> {
    let row = |candidate: &Candidate| {
        let effect = effect(candidate);
        let powered = effect.is_some_and(|e| e.powered);
        rows::Row {
            name: escape::name(&candidate.name),
            note: controls::unjudged(judgement, candidate).map_or(word(candidate.verdict), controls::kind).to_owned(),
            point: effect.map(|e| e.speedup),
            interval: effect.filter(|_| powered).map(|e| (e.low, e.high)),
            hollow: !powered,
            colour: verdict_colour(candidate.verdict),
            text: words::speedup(effect.as_ref()),
        }
    };
    let rows: Vec<rows::Row> = candidates.iter().map(row).collect();
    if rows.iter().all(|row| row.point.is_none()) {
        return None;
    }
    let list: Vec<String> = rows.iter().map(|r| format!("{} ({}): {}", r.name, r.note, r.text)).collect();
    let hollow = if rows.iter().any(|r| r.hollow && r.point.is_some()) {
        " A ring is an estimate from too few rounds: no claim."
    } else {
        ""
    };
    let rows = rows::Rows {
        axis: "speed-up at equal work, candidate over baseline (log scale)".into(),
        mark: 1.0,
        mark_label: "1 = as fast as the baseline".into(),
        least: (0.9, 1.1),
        rows,
    };
    Some(Figure {
        name: name.into(),
        caption: format!(
            "Right of the line is faster. Dots are geometric means over rounds, bars their 95 % intervals; a bar that touches the line shows no difference. The speed of altered outputs does not count.{hollow}"
        ),
        alt: format!("{title}, with 95 % intervals. {}.", list.join("; ")),
        title,
        data: "csv/speed.csv".into(),
        picture: Picture::of(|layout| rows.draw(layout)),
    })
}

/// The distributions, one for each cell and metric, with the series that they show.
pub(crate) fn distributions<'a>(input: &Input<'a>) -> Vec<(Figure, Vec<&'a Series>)> {
    let mut groups: Vec<(&Cell, &'static str, Vec<&'a Series>)> = Vec::new();
    for series in input.series.iter().filter(|s| shown::has_line(input.judgement, &s.arm)) {
        match groups.iter_mut().find(|(cell, metric, _)| **cell == series.cell && *metric == series.metric) {
            Some((_, _, members)) => members.push(series),
            None => groups.push((&series.cell, series.metric, vec![series])),
        }
    }
    // A ladder is shown as a ladder; service times stand in tables.
    groups.retain(|(cell, metric, _)| !words::is_step(input.judgement, &cell.load) && !metric.ends_with("-service"));
    let one_cell = groups.iter().all(|(cell, _, _)| *cell == groups[0].0);
    let figure = |(i, (cell, metric, members)): (usize, (&Cell, &'static str, Vec<&'a Series>))| {
        let title =
            if one_cell { words::metric(metric).to_owned() } else { format!("{}, {cell}", words::metric(metric)) };
        (distribution(i + 1, title, metric, &members, input), members)
    };
    groups.into_iter().enumerate().map(figure).collect()
}

fn distribution(n: usize, title: String, metric: &'static str, members: &[&Series], input: &Input) -> Figure {
    let (judgement, of) = (input.judgement, input.series.len());
    let largest = members.iter().filter_map(|s| s.values.sorted_ns().last()).max().copied().unwrap_or(0);
    let (unit, ns) = if largest >= 20_000_000_000 { ("seconds", 1e9) } else { ("milliseconds", 1e6) };
    let decimals = decimals(members.iter().copied());
    let curve = |series: &&Series| {
        let median = series.values.quantile_ns(stats::quantile::Level::P50) as f64;
        ecdf::Curve {
            name: escape::name(&series.arm),
            colour: arm_colour(judgement, &series.arm),
            steps: steps(&series.values, of).into_iter().map(|(value, share)| (value / ns, share)).collect(),
            median: median / ns,
            text: format!("{} ms", number::fixed(median / 1e6, decimals).digits()),
        }
    };
    let curves: Vec<ecdf::Curve> = members.iter().map(curve).collect();
    let list: Vec<String> = curves.iter().map(|c| format!("{} {}", c.name, c.text)).collect();
    let counted = if metric == "itl" { "gaps" } else { "requests" };
    let picture = ecdf::Ecdf { axis: format!("{}, {unit}", words::metric(metric)), counted, curves };
    Figure {
        name: format!("latency-{n}-{metric}"),
        caption: explained(metric).into(),
        alt: format!("Distribution of {title} for each arm. Medians: {}.", list.join("; ")),
        title,
        data: "csv/latency-distributions.csv".into(),
        picture: Picture::of(|layout| picture.draw(layout)),
    }
}

/// What a metric is, in a few words.
fn explained(metric: &str) -> &'static str {
    match metric {
        "ttft" => "Time to first token: how long a user waits until an answer begins.",
        "tpot" => "Time per output token after the first: how fast an answer is written.",
        "itl" => "Gaps between content chunks: how evenly an answer is written.",
        "e2el" => "End-to-end latency: how long a whole answer takes.",
        "e2el-equal-work" => "End-to-end latency to the same token of the same answer.",
        _ => "Over the timed requests of all rounds.",
    }
}

/// A metric trial by trial, one for each cell.
pub(crate) fn drift(input: &Input) -> Vec<Figure> {
    let whole = |d: &&Drift| !d.points.is_empty() && !words::is_step(input.judgement, &d.cell.load);
    let several = input.drift.iter().filter(whole).count() > 1;
    let shown = input.drift.iter().filter(whole).enumerate();
    shown.map(|(i, d)| trials(i + 1, d, several, input.judgement)).collect()
}

fn trials(n: usize, data: &Drift, several: bool, judgement: &Judgement) -> Figure {
    let (unit, factor) = if data.unit == "ns" { ("milliseconds", 1e-6) } else { (data.unit, 1.0) };
    let mut rounds: Vec<(u32, u32, u32)> = Vec::new();
    let mut lines: Vec<drift::Line> = Vec::new();
    let few = shown::few_cells(judgement);
    let is_shown = |p: &&DriftPoint| shown::has_line(judgement, &p.arm) && (few || p.role != Role::Candidate);
    for point in data.points.iter().filter(is_shown) {
        match rounds.last_mut() {
            Some((round, _, last)) if *round == point.round => *last = point.trial,
            _ => rounds.push((point.round, point.trial, point.trial)),
        }
        let colour = arm_colour(judgement, &point.arm);
        let name = escape::name(&point.arm);
        let at = lines.iter().position(|line| line.name == name).unwrap_or_else(|| {
            lines.push(drift::Line { name, colour, points: Vec::new() });
            lines.len() - 1
        });
        lines[at].points.push(drift::Point {
            trial: point.trial,
            value: point.value * factor,
            hollow: point.role == Role::Closing,
        });
    }
    let title = if several { format!("Trial by trial, {}", data.cell) } else { "Trial by trial".to_owned() };
    let picture = drift::Drift { axis: format!("{}, {unit}", words::metric(data.metric)), rounds, lines };
    Figure {
        name: format!("drift-{n}"),
        caption: "Each point is one server launch. A baseline (filled: opening, ring: closing) that moves is the machine's doing: each candidate is compared with the baselines around it.".into(),
        alt: format!(
            "{title}: {} of each of {} trials of {} arms over {} rounds.",
            words::metric(data.metric),
            picture.lines.iter().map(|line| line.points.len()).sum::<usize>(),
            picture.lines.len(),
            picture.rounds.len()
        ),
        title,
        data: "csv/trials.csv".into(),
        picture: Picture::of(|layout| picture.draw(layout)),
    }
}

/// Service against load, one for each ladder.
pub(crate) fn ladders(judgement: &Judgement) -> Vec<(Figure, &Ladder)> {
    let several = judgement.ladders.len() > 1;
    judgement.ladders.iter().enumerate().map(|(i, l)| (ladder(i + 1, l, several, judgement), l)).collect()
}

fn ladder(n: usize, data: &Ladder, several: bool, judgement: &Judgement) -> Figure {
    let line = |climb: &Climb| chart::ladder::Line {
        name: escape::name(&climb.arm),
        colour: arm_colour(judgement, &climb.arm),
        points: climb.steps.iter().filter_map(|s| Some((s.value, s.attainment?))).collect(),
        limit: match climb.capacity {
            Some(Overall::Between { mean, .. }) => Some(mean),
            _ => None,
        },
        text: match climb.capacity {
            Some(Overall::Between { mean, .. }) => number::scaled(mean).digits().to_owned(),
            Some(Overall::Beyond { highest, above, rounds, .. }) if above > 0 => {
                format!("> {} ({above}/{rounds})", words::step(highest).digits())
            }
            Some(Overall::Beyond { lowest, below, rounds, .. }) => {
                format!("< {} ({below}/{rounds})", words::step(lowest).digits())
            }
            None => String::new(),
        },
    };
    let drawn = |climb: &&Climb| shown::has_line(judgement, &climb.arm);
    let lines: Vec<chart::ladder::Line> = data.arms.iter().filter(drawn).map(line).collect();
    let said = |a: &Climb| format!("{} {}", escape::name(&a.arm), words::capacity(a.capacity.as_ref(), data.unit));
    let list: Vec<String> = data.arms.iter().filter(drawn).map(said).collect();
    let share = number::declared(data.share * 100.0).digits().to_owned();
    let title = if several { format!("Largest load, {}", words::ladder(data)) } else { "Largest load".to_owned() };
    let picture = chart::ladder::Ladder {
        axis: match data.unit {
            "clients" => "clients".to_owned(),
            unit => format!("offered load, {unit}"),
        },
        share: data.share,
        title: format!("share that meets the service levels; line: {share} %"),
        lines,
    };
    Figure {
        name: format!("capacity-{n}"),
        caption: "Dots are the steps, over all rounds. A ring is the geometric mean over rounds of the load at which an arm falls below the line; the mean of rounds need not lie on the line through the dots. Where > or < stands, so many rounds lie beyond the ladder.".into(),
        alt: format!("{title}: {}. Asked for are {share} % of the requests.", list.join("; ")),
        title,
        data: "csv/ladder-steps.csv".into(),
        picture: Picture::of(|layout| picture.draw(layout)),
    }
}

/// The margins against the tolerance.
pub(crate) fn margins(judgement: &Judgement) -> Option<Figure> {
    let (_, tolerance, _) = judgement.tolerance.limits()?;
    let graded = shown::rows(judgement).iter().filter_map(|c| Some((c, c.equivalence.as_ref()?)));
    let candidates = graded.map(|(c, e)| margin(&c.name, word(c.verdict), verdict_colour(c.verdict), e));
    let baseline = judgement.baseline.equivalence.iter().map(|e| margin("baseline", "itself", Colour::Ink, e));
    let rows: Vec<rows::Row> = candidates.chain(baseline).collect();
    if rows.is_empty() {
        return None;
    }
    let alt = told(tolerance, &rows);
    let rows = against(tolerance, rows);
    Some(Figure {
        name: "margins".into(),
        title: "Distance from the reference".into(),
        caption: "Mean x with its upper 95 % bound. Wholly left of the line: within the tolerance. The baseline's own distance is the noise floor. A value of 0 lies on the left edge.".into(),
        alt,
        data: "csv/equivalence.csv".into(),
        picture: Picture::of(|layout| rows.draw(layout)),
    })
}

/// The margins of an arm.
fn margin(name: &str, note: &str, colour: Colour, e: &Equivalence) -> rows::Row {
    let mean = number::small(e.mean_x);
    rows::Row {
        name: escape::name(name),
        note: note.to_owned(),
        point: Some(e.mean_x),
        interval: e.upper_x.map(|upper| (e.mean_x, upper)),
        hollow: e.upper_x.is_none(),
        colour,
        text: match e.upper_x {
            Some(upper) => format!("{}, at most {}", mean.digits(), number::small(upper).digits()),
            None => format!("{}, one launch", mean.digits()),
        },
    }
}

/// Rows of margins with the tolerance drawn in.
fn against(tolerance: f64, rows: Vec<rows::Row>) -> rows::Rows {
    rows::Rows {
        axis: "mean margin x, a share of the cap (log scale)".into(),
        mark: tolerance,
        mark_label: format!("tolerance δ = {}", number::small(tolerance).digits()),
        least: (tolerance / 20.0, tolerance * 3.0),
        rows,
    }
}

/// The same in words.
fn told(tolerance: f64, rows: &[rows::Row]) -> String {
    let list: Vec<String> = rows.iter().map(|r| format!("{} ({}): {}", r.name, r.note, r.text)).collect();
    format!("Mean margin x against the tolerance {}. {}.", number::small(tolerance).digits(), list.join("; "))
}

/// The colours of pages: light and dark variables.
pub(crate) fn variables() -> (String, String) {
    chart::colour::variables()
}
