//! Which bundles of a set are what: the stages of one run, in order, and the runs that
//! calibrate it.

use std::collections::BTreeSet;

use lab::{Digest, Kind, Problem, Result, bundle::Bundle};

/// A measure bundle and the grade bundles of it, sorted by id.
pub(super) struct Member {
    pub(super) measure: Bundle,
    pub(super) grades: Vec<Bundle>,
}

/// A set, sorted out.
pub(super) struct Set {
    /// The stages of the run that is judged, the first one first.
    pub(super) stages: Vec<Member>,
    /// The runs that its workload names as its calibration, as it names them.
    pub(super) calibration: Vec<Member>,
    /// Why the calibration is not whole, where it is not.
    pub(super) lacks: Option<Problem>,
}

/// Sorts bundles that belong together, given in any order.
///
/// # Errors
/// `NotComparable` where they are not the stages of one run with their grades and the
/// calibration that its workload names.
pub(super) fn sort(bundles: Vec<Bundle>) -> Result<Set> {
    let mut ids = BTreeSet::new();
    if let Some(twice) = bundles.iter().find(|b| !ids.insert(b.id)) {
        return Err(refused("this bundle is named twice", "name it once").at(place(twice)));
    }
    let (measures, mut grades): (Vec<_>, Vec<_>) = bundles.into_iter().partition(Bundle::is_measure);
    let mut members = Vec::new();
    for measure in measures {
        let (mut own, others) = grades.into_iter().partition(|g: &Bundle| g.manifest.parents.contains(&measure.id));
        grades = others;
        own.sort_by_key(|b| b.id);
        members.push(Member { measure, grades: own });
    }
    let none = members.is_empty();
    if let Some(stray) = grades.first().filter(|_| !none) {
        let next = "name the grade bundles of this measurement";
        return Err(refused("this bundle does not grade any measurement that is named", next).at(place(stray)));
    }
    let named: Vec<Vec<Digest>> = members.iter().map(|m| calibration_of(&m.measure)).collect::<Result<_>>()?;
    let calibrating = |id: Digest| named.iter().any(|ids| ids.contains(&id));
    let (mut calibration, stages): (Vec<_>, Vec<_>) = members.into_iter().partition(|m| calibrating(m.measure.id));
    let stages = in_order(stages)?;
    let wanted = calibration_of(&stages[0].measure)?;
    let (mut found, mut lacks) = (Vec::new(), None);
    for id in wanted {
        match calibration.iter().position(|m| m.measure.id == id) {
            Some(i) if calibration[i].grades.is_empty() => {
                let what = format!("the workload is calibrated by {id}, whose grade is not here");
                lacks = Some(refused(&what, "name its grade too, or keep it in the same folder of results"));
            }
            Some(i) => found.push(calibration.swap_remove(i)),
            None => {
                let next = "name that bundle and its grade too, or keep them in the same folder of results";
                let what = format!("the workload is calibrated by {id}, which is not here");
                lacks = Some(refused(&what, next).at(place(&stages[0].measure)));
            }
        }
    }
    Ok(Set { stages, calibration: found, lacks })
}

/// The ids of the measure bundles that a bundle's workload names as its calibration.
fn calibration_of(bundle: &Bundle) -> Result<Vec<Digest>> {
    Ok(bundle.workload()?.calibration().to_vec())
}

/// The stages of one run, the first one first.
fn in_order(mut members: Vec<Member>) -> Result<Vec<Member>> {
    let of = |member: &Member| member.measure.plan().map(|plan| plan.stage);
    let mut ordered: Vec<Member> = Vec::new();
    let firsts = members.iter().map(|m| of(m).map(|stage| stage.is_none())).collect::<Result<Vec<_>>>()?;
    match firsts.iter().filter(|first| **first).count() {
        1 => ordered.extend(firsts.iter().position(|first| *first).map(|i| members.swap_remove(i))),
        0 if members.is_empty() => {
            return Err(refused(
                "none of these bundles is a measurement",
                "name a measure bundle, and the grade bundles of it",
            ));
        }
        0 => {
            let next = "name the bundles of all stages";
            return Err(refused("this is a further stage of a run whose first is not named", next)
                .at(place(&members[0].measure)));
        }
        n => {
            let next = "name one run: its measure bundle, further stages of it, and the grade bundles of each";
            return Err(refused(&format!("{n} of these bundles are measurements of their own, not one"), next));
        }
    }
    while !members.is_empty() {
        let last = ordered[ordered.len() - 1].measure.id;
        let mut follows = None;
        for (i, member) in members.iter().enumerate() {
            if of(member)?.is_some_and(|stage| stage.parent == last) {
                follows = Some(i);
            }
        }
        let Some(i) = follows else {
            let next = "name the bundles of one run's stages, without a gap";
            return Err(
                refused("this bundle is no stage that follows one of the others", next).at(place(&members[0].measure))
            );
        };
        ordered.push(members.swap_remove(i));
    }
    Ok(ordered)
}

fn refused(what: &str, next: &str) -> Problem {
    Problem::new(Kind::NotComparable, what).next(next)
}

fn place(bundle: &Bundle) -> String {
    bundle.path.display().to_string()
}
