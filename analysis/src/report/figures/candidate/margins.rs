//! How far a candidate's outputs are from the reference, beside what the tolerance rests on.

use super::found;
use crate::{
    chart::{Colour, Picture, rows},
    judgement::{ControlFacts, Equivalence, Judgement, Tolerance},
    report::{
        escape,
        figures::{Figure, against, margin, told, verdict_colour},
        number,
        table::word,
    },
};

/// Altered controls that are shown: those that are the hardest to find.
const ALTERED: usize = 3;

/// A candidate's margins with those of each launch, the baseline's own, and the controls; none
/// without a tolerance or a graded answer.
pub(crate) fn margins(judgement: &Judgement, name: &str) -> Option<Figure> {
    let (candidate, slug) = found(judgement, name)?;
    let (_, tolerance, _) = judgement.tolerance.limits()?;
    let graded = candidate.equivalence.as_ref()?;
    let mut rows = vec![arm(&candidate.name, word(candidate.verdict), verdict_colour(candidate.verdict), graded)];
    rows.extend(judgement.baseline.equivalence.iter().map(|e| arm("baseline", "itself", Colour::Ink, e)));
    if let Tolerance::Calibrated(calibration) = &judgement.tolerance {
        rows.extend(honest(&calibration.positive));
        let mut altered: Vec<&ControlFacts> = calibration.negative.iter().collect();
        altered.sort_by(|a, b| a.mean_x.total_cmp(&b.mean_x).then_with(|| a.name.cmp(&b.name)));
        rows.extend(altered.into_iter().take(ALTERED).map(control));
    }
    let (rows, launches): (Vec<rows::Row>, Vec<Vec<f64>>) = rows.into_iter().unzip();
    let controls = if rows.len() > 2 { " Controls: from the smallest to the largest launch." } else { "" };
    let alt = told(tolerance, &rows);
    let rows = against(tolerance, rows);
    Some(Figure {
        name: format!("{slug}-margins"),
        title: "Distance from the reference".into(),
        caption: format!(
            "Mean x with its upper 95 % bound; a stroke beneath is the mean of one launch. Wholly left of the line: within the tolerance.{controls} A value of 0 lies on the left edge."
        ),
        alt,
        data: "csv/launch-margins.csv".into(),
        picture: Picture::of(|layout| rows.draw_over(layout, &launches)),
    })
}

type Row = (rows::Row, Vec<f64>);

fn arm(name: &str, note: &str, colour: Colour, e: &Equivalence) -> Row {
    (margin(name, note, colour, e), e.launch_means.clone())
}

/// All honest configurations as one row: the largest of their means, and the range of launches.
fn honest(controls: &[ControlFacts]) -> Option<Row> {
    let largest = controls.iter().map(|c| c.mean_x).reduce(f64::max)?;
    let (low, high) = controls.iter().map(|c| c.launch_means).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let row = rows::Row {
        name: "honest controls".into(),
        note: format!("{} configurations", controls.len()),
        point: Some(largest),
        interval: Some((low, high)),
        hollow: true,
        colour: Colour::Muted,
        text: range((low, high)),
    };
    Some((row, Vec::new()))
}

fn control(facts: &ControlFacts) -> Row {
    let row = rows::Row {
        name: escape::name(&facts.name),
        note: "altered control".into(),
        point: Some(facts.mean_x),
        interval: Some(facts.launch_means),
        hollow: true,
        colour: Colour::Muted,
        text: range(facts.launch_means),
    };
    (row, Vec::new())
}

fn range((low, high): (f64, f64)) -> String {
    format!("{} to {}", number::small(low).digits(), number::small(high).digits())
}
