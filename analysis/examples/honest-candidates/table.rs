//! The page, in Markdown.

use std::fmt::Write;

use stats::{eprocess, proportion, stages::CROSSING_LN_E};

use crate::{
    draw::{ALTERED, Count, HONEST, LAUNCHES, REQUESTS, Row, Trials},
    pool::Arguments,
};

/// The whole page.
pub(crate) fn page(arguments: &Arguments, trials: &Trials) -> String {
    let mut page = String::from("# False accusations and power\n");
    let runs: Vec<String> = arguments.runs.iter().map(|run| format!("`{}`", run.display())).collect();
    let _ = writeln!(
        page,
        "Graded outputs of real launches, resampled: first launches, then requests within a launch, both with replacement; the \
         seed is a digest of the bundles. A candidate serves {LAUNCHES} launches of {REQUESTS} graded requests, and as many again \
         in a second stage unless the first shows it equivalent. The test is the one of the verdicts (`stats::equivalence`, \
         `stats::stages`), structure and controls aside. Made by `scripts/false-positives` from {}.\n",
        runs.join(", ")
    );
    accusations(&mut page, trials);
    configurations(&mut page, trials);
    power(&mut page, trials);
    page
}

fn accusations(page: &mut String, trials: &Trials) {
    let _ = writeln!(page, "## {HONEST} honest candidates");
    page.push_str(if trials.calibrated {
        "An *unseen* candidate is of a configuration that its tolerance was calibrated without, a *seen* one of a calibrated \
         configuration. "
    } else {
        "Too few honest configurations are here to leave one out of a calibration: the tolerance is the one that the workload \
         declares, and no candidate is of a configuration that it never saw. "
    });
    page.push_str("A *tie* has one configuration's outputs to the token, in both stages.\n\n");
    page.push_str(
        "| candidates | of | altered | at most (95 %) | suspect | equivalent | undecided | largest E of a first stage |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (what, rows) in [("unseen", &trials.unseen), ("seen", &trials.seen), ("tie", &trials.ties)] {
        let count = together(rows);
        let n = count.candidates();
        if n == 0 {
            continue;
        }
        let bound = proportion::upper_bound(count.altered, n, 0.95).map_or_else(|why| why.to_string(), percent);
        let _ = writeln!(
            page,
            "| {what} | {n} | {} | {bound} | {} | {} | {} | {} |",
            count.altered,
            count.suspect,
            count.equivalent,
            count.undecided,
            wealth(count.highest_ln)
        );
    }
    let c = trials.configurations as u64;
    let further = proportion::upper_bound(0, c, 0.95).map_or_else(|why| why.to_string(), percent);
    let _ = writeln!(
        page,
        "\nThe bounds are exact (Clopper and Pearson) for further candidates drawn from these launches. They say less of \
         configurations that nobody measured: {c} are here, and with none of {c} accused the bound is {further}.\n"
    );
}

fn configurations(page: &mut String, trials: &Trials) {
    let rows = if trials.calibrated { &trials.unseen } else { &trials.seen };
    let _ = writeln!(
        page,
        "## Each honest configuration{}\n\n| configuration | launches | requests | mean x | c, nats | δ | δ_h | candidates | altered | \
         suspect | equivalent | undecided | largest E of a first stage |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        if trials.calibrated { ", under the tolerance of the others" } else { "" }
    );
    for row in rows {
        let (t, count) = (row.tolerance, &row.count);
        let _ = writeln!(
            page,
            "| {} | {} | {} | {:.5} | {:.3} | {:.5} | {:.4} | {} | {} | {} | {} | {} | {} |",
            row.name,
            row.launches,
            row.requests,
            row.mean_x,
            t.cap_nats,
            t.mean,
            t.far,
            count.candidates(),
            count.altered,
            count.suspect,
            count.equivalent,
            count.undecided,
            wealth(count.highest_ln)
        );
    }
    page.push('\n');
}

fn power(page: &mut String, trials: &Trials) {
    let _ = writeln!(
        page,
        "## Power\n{ALTERED} candidates of each altered server, under the tolerance of all honest configurations. *Fewest possible* \
         is how soon a constant mean of this size would make a suspect; far requests can be quicker. Medians are of those who \
         came so far, in graded requests of the first and of the second stage.\n\n\
         | altered | requests | mean x | δ | altered | suspect | undecided | equivalent | fewest possible | median to suspect | \
         median to confirm |\n|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for row in &trials.altered {
        let count = &row.count;
        let fewest = eprocess::fewest_needed(row.mean_x, row.tolerance.mean, eprocess::GRID, CROSSING_LN_E);
        let _ = writeln!(
            page,
            "| {} | {} | {:.5} | {:.5} | {} | {} | {} | {} | {} | {} | {} |",
            row.name,
            row.requests,
            row.mean_x,
            row.tolerance.mean,
            percent(count.altered as f64 / count.candidates() as f64),
            count.suspect,
            count.undecided,
            count.equivalent,
            fewest.map_or_else(|_| "never".to_owned(), |n| n.to_string()),
            median(&count.to_suspect),
            median(&count.to_confirm)
        );
    }
}

impl Count {
    fn candidates(&self) -> u64 {
        self.altered + self.suspect + self.undecided + self.equivalent
    }
}

fn together(rows: &[Row]) -> Count {
    let mut sum = Count::default();
    for Row { count, .. } in rows {
        sum.altered += count.altered;
        sum.suspect += count.suspect;
        sum.undecided += count.undecided;
        sum.equivalent += count.equivalent;
        sum.highest_ln = sum.highest_ln.max(count.highest_ln);
    }
    sum
}

/// The smallest of the middle values, so that it is one that was seen.
fn median(values: &[u64]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).map_or_else(|| "—".to_owned(), u64::to_string)
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn wealth(ln: f64) -> String {
    if ln > 20.0 { format!("e^{ln:.0}") } else { format!("{:.1}", libm::exp(ln)) }
}
