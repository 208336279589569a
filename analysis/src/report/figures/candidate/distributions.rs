//! A candidate's latencies beside the baseline's.

use lab::workload::BASELINE;
use stats::quantile::Level;

use super::{found, titles};
use crate::{
    chart::{Picture, ecdf, ecdfs},
    judgement::Judgement,
    report::{
        escape,
        figures::{Figure, arm_colour, explained},
        input::{Cell, Input, Series},
        number,
        tables::{FEWER_PARTS, decimals},
        words,
    },
};

/// In the order in which they are shown.
const METRICS: [&str; 4] = ["ttft", "tpot", "itl", "e2el"];

/// The latency distributions of a candidate and the baseline: all metrics in one picture where
/// there is one cell, else one picture for each metric with a panel for each cell. A drawn
/// curve is less than 1/64 below the distribution and nowhere above it, and each of its steps is
/// also one of the stored ones, however many there are.
pub(crate) fn distributions(input: &Input, name: &str) -> Vec<Figure> {
    let Some((candidate, slug)) = found(input.judgement, name) else { return Vec::new() };
    let shown = |s: &&Series| METRICS.contains(&s.metric) && !words::is_step(input.judgement, &s.cell.load);
    let of = |arm: &str| -> Vec<&Series> { input.series.iter().filter(|s| s.arm == arm).filter(shown).collect() };
    let (own, baseline) = (of(&candidate.name), of(BASELINE));
    let mut cells: Vec<Cell> = own.iter().map(|s| s.cell.clone()).collect();
    cells.sort();
    cells.dedup();
    let name = escape::name(&candidate.name);
    let panels = |metrics: &[&'static str]| -> Vec<(String, Vec<&Series>)> {
        let places = metrics.iter().flat_map(|metric| cells.iter().zip(titles(&cells)).map(move |c| (metric, c)));
        places
            .filter_map(|(metric, (cell, title))| {
                let here = |s: &&Series| s.metric == *metric && s.cell == *cell;
                let own = own.iter().copied().find(here)?;
                let baseline = baseline.iter().copied().find(here);
                let title = if cells.len() > 1 { title } else { words::metric(metric).to_owned() };
                Some((title, baseline.into_iter().chain([own]).collect()))
            })
            .collect()
    };
    let figure = |end: &str, title: String, caption: &str, picture: ecdfs::Ecdfs| {
        let list: Vec<String> = picture.panels.iter().map(medians).collect();
        Figure {
            name: format!("{slug}-{end}"),
            alt: format!("{title}: {name}. Medians: {}.", list.join("; ")),
            title,
            caption: caption.into(),
            data: "csv/latency-distributions.csv".into(),
            picture: Picture::of(|layout| picture.draw(layout)),
        }
    };
    let measured: Vec<&'static str> =
        METRICS.into_iter().filter(|metric| own.iter().any(|s| s.metric == *metric)).collect();
    match (cells.len(), measured.len()) {
        (0, _) | (_, 0) => Vec::new(),
        (1, _) => {
            let panel = |(title, members): (String, Vec<&Series>)| {
                let unit = unit(&members);
                panel(input.judgement, title, &members, format!("{}, log scale", unit.0), unit.1)
            };
            let panels = panels(&measured).into_iter().map(panel).collect();
            let gaps = if measured.contains(&"itl") { " (of ITL: of gaps between chunks)" } else { "" };
            let caption = format!(
                "For each latency, the share of requests{gaps} at or below it. Further left is faster; a long tail is what few users see."
            );
            let picture = ecdfs::Ecdfs { title: "share at or below; ● median".into(), panels };
            vec![figure("latency", "Latencies beside the baseline's".into(), &caption, picture)]
        }
        _ => measured
            .into_iter()
            .map(|metric| {
                let panels = panels(&[metric]);
                let unit = unit(&panels.iter().flat_map(|(_, members)| members).copied().collect::<Vec<_>>());
                let panel = |(title, members): (String, Vec<&Series>)| {
                    panel(input.judgement, title, &members, String::new(), unit.1)
                };
                let counted = if metric == "itl" { "gaps" } else { "requests" };
                let picture = ecdfs::Ecdfs {
                    title: format!("share of {counted}; {}, log scale; ● median", unit.0),
                    panels: panels.into_iter().map(panel).collect(),
                };
                let title = format!("{} beside the baseline's", words::metric(metric));
                figure(&format!("latency-{metric}"), title, explained(metric), picture)
            })
            .collect(),
    }
}

/// The axis' unit, and its nanoseconds.
fn unit(members: &[&Series]) -> (&'static str, f64) {
    let largest = members.iter().filter_map(|s| s.values.sorted_ns().last()).max().copied().unwrap_or(0);
    if largest >= 20_000_000_000 { ("seconds", 1e9) } else { ("milliseconds", 1e6) }
}

/// One cell and metric.
fn panel(judgement: &Judgement, title: String, members: &[&Series], axis: String, ns: f64) -> ecdfs::Panel {
    let decimals = decimals(members.iter().copied());
    let curve = |series: &&Series| {
        let n = series.values.count() as f64;
        let steps = series.values.ecdf(FEWER_PARTS).unwrap_or_default();
        let median = series.values.quantile_ns(Level::P50) as f64;
        ecdf::Curve {
            name: escape::name(&series.arm),
            colour: arm_colour(judgement, &series.arm),
            steps: steps.iter().map(|s| (s.value_ns as f64 / ns, s.at_most as f64 / n)).collect(),
            median: median / ns,
            text: format!("{} ms", number::fixed(median / 1e6, decimals).digits()),
        }
    };
    ecdfs::Panel { title, axis, curves: members.iter().map(curve).collect() }
}

fn medians(panel: &ecdfs::Panel) -> String {
    let arms: Vec<String> = panel.curves.iter().map(|c| format!("{} {}", c.name, c.text)).collect();
    format!("{}: {}", panel.title, arms.join(", "))
}
