//! Two runs against each other, for a terminal: words first, numbers second.

use lab::text::shown;

use super::{escape, input::Cell, number, terminal::wrapped, words};
use crate::{
    compare::{Arms, Comparison, Contrast, Ratio, SideRef},
    judgement::{Sameness, Verdict},
};

/// What is said of a comparison, at most `width` characters wide (if that is at least 60). Ends
/// in a newline.
pub fn compared(comparison: &Comparison, width: usize) -> String {
    let mut out = String::new();
    let mut say = |text: String, indent: usize| {
        for line in wrapped(&text, width.clamp(40, 100) - indent) {
            out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
        }
    };
    say(format!("A is {}, B is {}.", side(&comparison.a), side(&comparison.b)), 0);
    say(how(comparison).into(), 0);
    for arms in &comparison.arms {
        say(sentence(comparison, arms), 0);
    }
    for difference in &comparison.differences {
        let (a, b) = (shown(&difference.a, 80), shown(&difference.b, 80));
        say(format!("note: {} is {a} in A, {b} in B", difference.field), 0);
    }
    for arms in &comparison.arms {
        for cell in &arms.cells {
            let place = Cell { model: cell.model.clone(), gpus: cell.gpus, load: cell.load.clone() };
            out.push_str(&format!("\n{} · {place}\n", who(arms)));
            let rows: Vec<[String; 5]> = cell.over_baseline.iter().chain(&cell.metrics).map(row).collect();
            table(&mut out, &rows);
        }
    }
    out
}

fn side(side: &SideRef) -> String {
    let arm = side.arm.as_ref().map(|arm| format!(":{}", escape::name(arm))).unwrap_or_default();
    format!("{}{arm}", escape::name(&side.folder))
}

fn how(comparison: &Comparison) -> &'static str {
    if comparison.paired {
        "Both are of one run: rounds are compared one by one."
    } else {
        "The runs are independent: Welch's intervals on the logs of rounds."
    }
}

fn who(arms: &Arms) -> String {
    let (a, b) = (escape::name(&arms.a), escape::name(&arms.b));
    if a == b { a } else { format!("{a} (A) against {b} (B)") }
}

/// What comes out for two arms. Baselines have no speed-up over themselves; what they took is in
/// their cells.
fn sentence(comparison: &Comparison, arms: &Arms) -> String {
    let altered = [(arms.verdicts.0, "A"), (arms.verdicts.1, "B")];
    let altered: Vec<&str> = altered.iter().filter(|(v, _)| *v == Some(Verdict::Altered)).map(|(_, s)| *s).collect();
    let caution = match altered.as_slice() {
        [] => String::new(),
        sides => format!(" Outputs are altered in {}: that speed does not count.", sides.join(" and in ")),
    };
    let found = match (&arms.overall, &arms.note) {
        (_, Some(note)) => format!("no comparison of speed-ups: {}", escape::detail(note)),
        (Some(overall), None) => format!("over its own baseline, {}", outcome(comparison, overall)),
        (None, None) => {
            let of_cell = |cell: &crate::compare::CellContrast| {
                let e2el = cell.metrics.iter().find(|m| m.metric == "e2el")?;
                Some(format!("E2EL under {}: {}", escape::name(&cell.load), outcome(comparison, e2el)))
            };
            arms.cells.iter().filter_map(of_cell).collect::<Vec<_>>().join("; ")
        }
    };
    format!("{}: {found}.{caution}", who(arms))
}

fn outcome(comparison: &Comparison, contrast: &Contrast) -> String {
    let within = number::declared_percent(comparison.same_within);
    let Some(ratio) = &contrast.ratio else {
        let why = if contrast.identical { "the same in every round, to the bit" } else { "no interval" };
        return why.into();
    };
    let interval = interval(ratio);
    if !ratio.powered {
        let (a, b) = contrast.rounds;
        let rounds = if a == b { words::counted(a, "round") } else { format!("{a} and {b} rounds") };
        return format!("not powered ({rounds}); the estimate is {interval}");
    }
    let percent = number::percent_of((ratio.ratio - 1.0).abs());
    let shown = if ratio.low > 1.0 {
        format!("A is {} % faster ({interval})", percent.digits())
    } else if ratio.high < 1.0 {
        format!("A is {} % slower ({interval})", percent.digits())
    } else {
        format!("no difference is shown ({interval})")
    };
    let same = match ratio.same {
        Sameness::Same => format!(", the same within {} %", within.digits()),
        Sameness::Different => format!(", different by more than {} %", within.digits()),
        Sameness::Inconclusive => format!(", neither the same nor different by {} %", within.digits()),
    };
    shown + &same
}

fn interval(ratio: &Ratio) -> String {
    let digits = |value: f64| number::fine_ratio(value).digits().to_owned();
    format!(
        "{}× [{}, {}] at {} %",
        digits(ratio.ratio),
        digits(ratio.low),
        digits(ratio.high),
        number::declared_percent(ratio.confidence).digits()
    )
}

fn row(contrast: &Contrast) -> [String; 5] {
    let value = |value: Option<f64>| match (value, contrast.unit) {
        (None, _) => "–".to_owned(),
        (Some(value), "ns") => format!("{} ms", number::millis(value).digits()),
        (Some(value), "") => format!("{}×", number::fine_ratio(value).digits()),
        (Some(value), unit) => format!("{} {unit}", number::scaled(value).digits()),
    };
    let ratio = match &contrast.ratio {
        Some(ratio) => interval(ratio),
        None if contrast.identical => "identical".into(),
        None => "no interval".into(),
    };
    let p = contrast.ratio.and_then(|r| r.adjusted_p).map(|p| format!("p {}", number::small(p).digits()));
    let name = if contrast.unit.is_empty() { contrast.metric } else { words::metric(contrast.metric) };
    [name.to_owned(), value(contrast.a), value(contrast.b), ratio, p.unwrap_or_default()]
}

/// Padded columns: the metric, A, B, the ratio of speeds, its adjusted p.
fn table(out: &mut String, rows: &[[String; 5]]) {
    const HEADINGS: [&str; 5] = ["metric", "A", "B", "speed of A over B", ""];
    let head = HEADINGS.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let widths: Vec<usize> = (0..5).map(|i| all().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
    for row in all() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let padding = " ".repeat(width - cell.chars().count());
            format!("{cell}{padding}")
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        out.push_str(&format!("  {}\n", line.trim_end()));
    }
}
