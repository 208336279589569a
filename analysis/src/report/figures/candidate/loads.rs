//! What a candidate does under each load, beside the baseline: latency against load, and
//! throughput against latency.

use lab::{Nanos, workload::BASELINE};

use super::found;
use crate::{
    chart::{Picture, load, pareto},
    judgement::{Judgement, Ladder, LoadFacts, Overall, Percentiles},
    report::{
        escape,
        figures::{Figure, arm_colour},
        input::Cell,
        number, words,
    },
};

/// Loads that differ in nothing but in how much they offer.
struct Series<'a> {
    /// What tells it from others; empty where there is one.
    title: String,
    unit: &'static str,
    ladder: Option<&'a Ladder>,
    /// The baseline, then the candidate: each load with what was measured, by ascending load.
    arms: Vec<(&'a str, Vec<(f64, &'a LoadFacts)>)>,
}

/// Every series of at least two loads in which both arms were measured.
fn series<'a>(judgement: &'a Judgement, candidate: &'a str) -> Vec<Series<'a>> {
    let ladder_of = |facts: &LoadFacts| {
        let here = |l: &&Ladder| l.model == facts.model && l.gpus == facts.gpus;
        let has_step = |l: &&Ladder| l.arms.iter().flat_map(|a| &a.steps).any(|s| s.load == facts.load);
        judgement.ladders.iter().filter(here).find(has_step)
    };
    type Key<'a> = (&'a str, u32, &'static str, Option<&'a str>, Option<&'a str>);
    let mut groups: Vec<(Key<'a>, Series<'a>)> = Vec::new();
    for facts in judgement.loads.iter().filter(|f| [BASELINE, candidate].contains(&f.arm.as_str())) {
        let (Some(offered), ladder) = (facts.offered, ladder_of(facts)) else { continue };
        let spread = facts.shape.split_once(", ").map(|(_, spread)| spread);
        let key = (facts.model.as_str(), facts.gpus, offered.unit, ladder.map(|l| l.ladder.as_str()), spread);
        let at = groups.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
            let named = ladder.map_or(spread.unwrap_or(offered.unit), |l| &l.ladder);
            let place = Cell { model: facts.model.clone(), gpus: facts.gpus, load: named.to_owned() };
            let arms = vec![(BASELINE, Vec::new()), (candidate, Vec::new())];
            groups.push((key, Series { title: place.to_string(), unit: offered.unit, ladder, arms }));
            groups.len() - 1
        });
        let arm = usize::from(facts.arm == candidate);
        groups[at].1.arms[arm].1.push((offered.value, facts));
    }
    let mut all: Vec<Series<'a>> = groups.into_iter().map(|(_, series)| series).collect();
    all.iter_mut().flat_map(|s| &mut s.arms).for_each(|(_, loads)| loads.sort_by(|a, b| a.0.total_cmp(&b.0)));
    all.retain(|s| s.arms.iter().all(|(_, loads)| loads.len() > 1));
    if let [only] = all.as_mut_slice() {
        only.title.clear();
    }
    all
}

impl Series<'_> {
    fn titled(&self, title: &str) -> String {
        if self.title.is_empty() { title.to_owned() } else { format!("{title}, {}", self.title) }
    }

    fn axis(&self) -> String {
        if self.unit == "clients" { "clients".into() } else { format!("offered load, {}", self.unit) }
    }
}

fn percentiles<'a>(facts: &'a LoadFacts, metric: &str) -> Option<&'a Percentiles> {
    facts.latencies.iter().find(|p| p.metric == metric)
}

/// Nanoseconds become this unit, where this is the largest value.
fn unit(largest_ns: f64) -> (&'static str, f64) {
    if largest_ns >= 20e9 { ("seconds", 1e9) } else { ("milliseconds", 1e6) }
}

/// p50 and p99 of the latencies against the load, one picture for each series of at least two
/// loads.
pub(crate) fn latency_against_load(judgement: &Judgement, name: &str) -> Vec<Figure> {
    let Some((candidate, slug)) = found(judgement, name) else { return Vec::new() };
    let all = series(judgement, &candidate.name);
    all.iter()
        .enumerate()
        .filter_map(|(i, series)| against_load(judgement, series, &format!("{slug}-load-{}", i + 1)))
        .collect()
}

fn against_load(judgement: &Judgement, series: &Series<'_>, file: &str) -> Option<Figure> {
    let slo = judgement.slo.as_ref();
    let wanted = [
        ("ttft", slo.and_then(|s| s.ttft_ns)),
        ("tpot", slo.and_then(|s| s.tpot_ns)),
        ("e2el", slo.and_then(|s| s.e2el_ns)),
    ];
    // End to end only where a level names it: it grows with the answers' length.
    let asked = wanted.into_iter().filter(|(metric, limit)| *metric != "e2el" || limit.is_some());
    let panels: Vec<load::Panel> =
        asked.filter_map(|(metric, limit)| load_panel(judgement, series, metric, limit)).collect();
    if panels.is_empty() {
        return None;
    }
    let largest = series.ladder.map_or_else(Vec::new, |ladder| largest(judgement, series, ladder));
    let share = slo.map(|s| number::declared(s.share * 100.0).digits().to_owned()).unwrap_or_default();
    let lines = panels.iter().flat_map(|p| p.lines.iter().map(move |l| said(p, l)));
    let list: Vec<String> = lines.chain(largest.iter().map(|l| format!("largest load: {}", l.text))).collect();
    let rings = if largest.iter().any(|l| l.at.is_some()) {
        format!(
            " A ring marks the largest load at which {share} % of the requests meet all service levels at once, as the ladder found it; it stands on each limit, whichever of them gave way."
        )
    } else {
        String::new()
    };
    let title = series.titled("Latency against load");
    let picture = load::Load {
        axis: format!("{}, log scale", series.axis()),
        panels,
        rings: format!("largest load that meets the service levels ({share} %)"),
        largest,
    };
    Some(Figure {
        name: file.into(),
        caption: format!(
            "Thick: the median (p50); thin: p99, drawn only where there are enough requests for it. The horizontal line is the declared limit of each request.{rings}"
        ),
        alt: format!("{title}. {}.", list.join("; ")),
        title,
        data: "csv/load-latency.csv".into(),
        picture: Picture::of(|layout| picture.draw(layout)),
    })
}

fn load_panel(
    judgement: &Judgement,
    series: &Series<'_>,
    metric: &'static str,
    limit: Option<Nanos>,
) -> Option<load::Panel> {
    type Pick = fn(&Percentiles) -> Option<u64>;
    let picks: [(&'static str, bool, Pick); 2] = [("p50", true, |p| p.p50_ns), ("p99", false, |p| p.p99_ns)];
    // The candidate first, so that it lies on top.
    let lines = series.arms.iter().rev().flat_map(|(arm, loads)| {
        picks.iter().map(move |(percentile, thick, pick)| load::Line {
            name: escape::name(arm),
            percentile,
            colour: arm_colour(judgement, arm),
            thick: *thick,
            points: loads.iter().filter_map(|(at, f)| Some((*at, pick(percentiles(f, metric)?)? as f64))).collect(),
        })
    });
    let mut lines: Vec<load::Line> = lines.filter(|l| !l.points.is_empty()).collect();
    let largest = lines.iter().flat_map(|l| &l.points).map(|p| p.1).reduce(f64::max)?;
    let (unit, ns) = unit(largest.max(limit.map_or(0.0, |l| l.0 as f64)));
    lines.iter_mut().flat_map(|l| &mut l.points).for_each(|p| p.1 /= ns);
    let short = if ns > 1e6 { "s" } else { "ms" };
    let limit = limit.map(|most| {
        let most = most.0 as f64 / ns;
        (most, format!("{} {short}", number::declared(most).digits()))
    });
    Some(load::Panel { title: format!("{}, {unit}, log scale", words::metric(metric)), limit, lines })
}

fn said(panel: &load::Panel, line: &load::Line) -> String {
    let ends = [line.points.first(), line.points.last()].into_iter().flatten();
    let ends: Vec<String> = ends
        .map(|(at, value)| format!("{} at {}", number::scaled(*value).digits(), words::step(*at).digits()))
        .collect();
    format!("{}, {} {}: {}", panel.title.trim_end_matches(", log scale"), line.name, line.percentile, ends.join(", "))
}

/// The largest load of the two arms, as the ladder has it.
fn largest(judgement: &Judgement, series: &Series<'_>, ladder: &Ladder) -> Vec<load::Largest> {
    let climbs = series.arms.iter().filter_map(|(arm, _)| ladder.arms.iter().find(|c| c.arm == *arm));
    climbs
        .map(|climb| load::Largest {
            text: format!("{} {}", escape::name(&climb.arm), words::capacity(climb.capacity.as_ref(), ladder.unit)),
            colour: arm_colour(judgement, &climb.arm),
            at: match climb.capacity {
                Some(Overall::Between { mean, .. }) => Some(mean),
                _ => None,
            },
        })
        .collect()
}

/// Output throughput against the median latency, one picture for each series of at least two
/// loads.
pub(crate) fn throughput_against_latency(judgement: &Judgement, name: &str) -> Vec<Figure> {
    let Some((candidate, slug)) = found(judgement, name) else { return Vec::new() };
    let all = series(judgement, &candidate.name);
    all.iter()
        .enumerate()
        .filter_map(|(i, series)| pareto(judgement, series, &format!("{slug}-pareto-{}", i + 1)))
        .collect()
}

fn pareto(judgement: &Judgement, series: &Series<'_>, file: &str) -> Option<Figure> {
    let panels: Vec<pareto::Panel> =
        ["tpot", "e2el"].into_iter().filter_map(|metric| pareto_panel(judgement, series, metric)).collect();
    if panels.is_empty() {
        return None;
    }
    let list: Vec<String> = panels.iter().map(best).collect();
    let title = series.titled("Throughput against latency");
    let loads = if series.unit == "clients" { "clients".to_owned() } else { series.unit.to_owned() };
    let picture = pareto::Pareto {
        axis: "output throughput, tokens/s".into(),
        key: format!("at each dot: {loads}; right and down is better"),
        panels,
    };
    Some(Figure {
        name: file.into(),
        caption: "One dot for each load. The staircase is the front: no measured point gives both more throughput and less latency than a point on it.".into(),
        alt: format!("{title}. {}.", list.join("; ")),
        title,
        data: "csv/load-latency.csv".into(),
        picture: Picture::of(|layout| picture.draw(layout)),
    })
}

fn pareto_panel(judgement: &Judgement, series: &Series<'_>, metric: &'static str) -> Option<pareto::Panel> {
    let latency = |f: &LoadFacts| percentiles(f, metric).and_then(|p| p.p50_ns).map(|ns| ns as f64);
    let all = series.arms.iter().flat_map(|(_, loads)| loads.iter().map(|(_, f)| *f));
    let (unit, ns) = unit(all.filter_map(latency).reduce(f64::max)?);
    let point = |(at, facts): &(f64, &LoadFacts)| pareto::Point {
        at: facts.tokens_per_s.zip(latency(facts)).map(|(rate, latency)| (rate, latency / ns)),
        label: words::step(*at).digits().to_owned(),
    };
    let lines: Vec<pareto::Line> = series
        .arms
        .iter()
        .map(|(arm, loads)| pareto::Line {
            name: escape::name(arm),
            colour: arm_colour(judgement, arm),
            points: loads.iter().map(point).collect(),
        })
        .collect();
    let drawn = lines.iter().flat_map(|l| &l.points).filter(|p| p.at.is_some()).count();
    (drawn > 0).then(|| pareto::Panel { title: format!("median {}, {unit}", words::metric(metric)), lines })
}

/// Who is on the front, in words.
fn best(panel: &pareto::Panel) -> String {
    let points: Vec<(&pareto::Line, &pareto::Point)> =
        panel.lines.iter().flat_map(|l| l.points.iter().map(move |p| (l, p))).collect();
    let front = pareto::front(&points.iter().map(|(_, p)| p.at).collect::<Vec<_>>());
    let list: Vec<String> =
        front.into_iter().map(|i| format!("{} at {}", points[i].0.name, points[i].1.label)).collect();
    format!("On the front of throughput and {}: {}", panel.title, list.join(", "))
}
