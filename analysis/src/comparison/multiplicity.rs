//! Many questions at once: p-values adjusted for the others of their family.

use stats::multiple;

use crate::judgement::{Candidate, Effect, Ladder};

/// Writes the adjusted p beside each raw one. The overall speed-ups of all candidates are one
/// family (Holm: no false claim at all); everything else that is shown of them is the other
/// (Benjamini–Hochberg: few among those that look real). Both hold every p there is, also of
/// candidates that do not count: the family is not chosen by what came out.
pub fn adjust(candidates: &mut [Candidate], ladders: &mut [Ladder]) {
    write(candidates.iter_mut().filter_map(|c| c.overall.as_mut()).collect(), multiple::holm);
    let names: Vec<String> = candidates.iter().map(|c| c.name.clone()).collect();
    let climbs = ladders.iter_mut().flat_map(|l| &mut l.arms).filter(|climb| names.contains(&climb.arm));
    let cells = candidates.iter_mut().flat_map(|c| &mut c.speed);
    let metrics = cells.flat_map(|c| std::iter::once(&mut c.primary).chain(&mut c.beside));
    let beside = metrics.filter_map(|m| m.effect.as_mut()).chain(climbs.filter_map(|c| c.ratio.as_mut()));
    write(beside.collect(), multiple::benjamini_hochberg);
}

fn write(family: Vec<&mut Effect>, adjusted: fn(&[f64]) -> Result<Vec<f64>, stats::NoAnswer>) {
    let raw: Vec<f64> = family.iter().map(|e| e.p).collect();
    for (effect, p) in family.into_iter().zip(adjusted(&raw).unwrap_or_default()) {
        effect.adjusted_p = Some(p);
    }
}
