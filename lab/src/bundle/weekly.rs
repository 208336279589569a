//! Which runs a week shows, and with which of their bundles.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{Bundle, Store};
use crate::{Digest, Problem, Result, Week};

/// The runs of a week.
#[derive(Debug, Default)]
pub struct Weekly<'s> {
    /// Each with its stages, the first stage first; runs in the order of their last stages' paths.
    pub runs: Vec<Vec<Shown<'s>>>,
    /// Measure bundles of which nobody knows when they began, and bundles of these runs that are
    /// passed over, each with the reason.
    pub passed_over: Vec<PassedOver>,
    /// Folders of this week that are not sealed: measured right now, or left half way.
    pub unsealed: Vec<&'s Path>,
}

/// A bundle that is not shown, and why.
pub type PassedOver = (PathBuf, Problem);

/// The folders that have the same manifest, at least one.
type Copies<'s> = Vec<&'s Bundle>;

/// A stage of a run, as a week shows it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'s> {
    /// Its trials.
    pub measure: &'s Bundle,
    /// The grade of it that was sealed first: one that is made later changes no week before.
    pub grade: Option<&'s Bundle>,
}

impl Store {
    /// The runs of a week: those of which a stage began in it, by the sealed `run.json`. Each is
    /// shown with its stages that began up to the end of the week, so that a later stage changes
    /// a later week and not this one. Where two stages continue the same one, they are the ends
    /// of two runs. Of several folders with the same manifest the first that is whole is shown, and
    /// no grade that is not whole, or that was sealed before what it grades: whoever can add a
    /// folder could else hide a run behind it.
    pub fn week(&self, week: Week) -> Weekly<'_> {
        let (begun, mut passed_over) = self.begun();
        let runs = runs_of(week, &begun.iter().map(|(_, begun)| *begun).collect::<Vec<_>>());
        let mut stage = |i: usize| {
            let measure = whole(&begun[i].0, &mut passed_over);
            Shown { measure, grade: self.whole_grade(measure, &mut passed_over) }
        };
        let runs = runs.into_iter().map(|run| run.into_iter().map(&mut stage).collect()).collect();
        passed_over.sort_by(|a, b| a.0.cmp(&b.0));
        passed_over.dedup_by(|a, b| a.0 == b.0);
        let unsealed = self.unsealed().iter().map(PathBuf::as_path).filter(|path| begun_in(path) == Some(week));
        Weekly { runs, passed_over, unsealed: unsealed.collect() }
    }

    /// The weeks in which a stage began.
    pub fn weeks(&self) -> BTreeSet<Week> {
        self.begun().0.into_iter().map(|(_, begun)| begun.week).collect()
    }

    /// The measure bundles, each with all folders that have its manifest, and when they began.
    fn begun(&self) -> (Vec<(Copies<'_>, Begun)>, Vec<PassedOver>) {
        let mut copies: Vec<Copies<'_>> = Vec::new();
        let mut places: BTreeMap<Digest, usize> = BTreeMap::new();
        for bundle in self.bundles().iter().filter(|bundle| bundle.is_measure()) {
            let place = *places.entry(bundle.id).or_insert(copies.len());
            if place == copies.len() {
                copies.push(Vec::new());
            }
            copies[place].push(bundle);
        }
        let (mut begun, mut unknown) = (Vec::new(), Vec::new());
        for copies in copies {
            let times: Vec<Result<Begun>> = copies.iter().map(|bundle| Begun::of(bundle)).collect();
            match times.iter().find_map(|time| time.as_ref().ok().copied()) {
                Some(of) => begun.push((copies, of)),
                None => {
                    let problems = times.into_iter().filter_map(Result::err);
                    unknown.extend(copies.iter().map(|bundle| bundle.path.clone()).zip(problems));
                }
            }
        }
        (begun, unknown)
    }

    /// The grade that was sealed first, of those that are whole and were sealed after the measurement.
    fn whole_grade(&self, measure: &Bundle, torn: &mut Vec<PassedOver>) -> Option<&Bundle> {
        let mut grades: Vec<&Bundle> = self.grades(measure.id).collect();
        grades.sort_by(|a, b| (&a.manifest.sealed, a.id).cmp(&(&b.manifest.sealed, b.id)));
        first_good(&grades, torn, |grade| {
            if grade.manifest.sealed < measure.manifest.sealed {
                return Err(Problem::broken("this grade says that it was sealed before what it grades"));
            }
            wholeness(grade)
        })
    }
}

/// The first of several folders with the same manifest that is what that says; the first where
/// none is, and where there is no choice.
fn whole<'s>(copies: &[&'s Bundle], torn: &mut Vec<PassedOver>) -> &'s Bundle {
    match copies {
        [only] => only,
        _ => first_good(copies, torn, wholeness).unwrap_or(copies[0]),
    }
}

/// The first bundle in which nothing is wrong; those before it are torn.
fn first_good<'s>(
    bundles: &[&'s Bundle],
    torn: &mut Vec<PassedOver>,
    check: impl Fn(&Bundle) -> Result<()>,
) -> Option<&'s Bundle> {
    let good = |bundle: &&&Bundle| check(bundle).map_err(|problem| torn.push((bundle.path.clone(), problem))).is_ok();
    bundles.iter().find(good).copied()
}

/// Whether every byte of a bundle is what its manifest says.
fn wholeness(bundle: &Bundle) -> Result<()> {
    let (_, findings) = super::verify(&bundle.path)?;
    match findings.first() {
        None => Ok(()),
        Some(first) => Err(Problem::broken(format!("{} findings, the first: {first}", findings.len()))),
    }
}

/// The week of a folder that is not sealed, by the day that it lies in.
fn begun_in(folder: &Path) -> Option<Week> {
    let day = folder.parent()?.file_name()?.to_str()?;
    Week::begun(&format!("{day}T00:00:00Z")).ok()
}

/// A stage, the one that it continues, and when it began.
#[derive(Debug, Clone, Copy)]
struct Begun {
    id: Digest,
    parent: Option<Digest>,
    week: Week,
}

impl Begun {
    fn of(bundle: &Bundle) -> Result<Self> {
        let started = bundle.run()?.started;
        let week = Week::begun(&started)?;
        if bundle.manifest.sealed < started {
            return Err(Problem::broken("it says that it began after it was sealed"));
        }
        Ok(Begun { id: bundle.id, parent: bundle.manifest.parents.first().copied(), week })
    }
}

/// The runs of a week, each as the places of its stages, the first stage first.
fn runs_of(week: Week, stages: &[Begun]) -> Vec<Vec<usize>> {
    let places: BTreeMap<Digest, usize> = stages.iter().zip(0..).map(|(stage, i)| (stage.id, i)).collect();
    let parent = |i: usize| stages[i].parent.and_then(|id| places.get(&id).copied());
    // With the stages before it. A digest cannot name itself, so this ends.
    let chain = |last: usize| {
        let mut chain: Vec<usize> = std::iter::successors(Some(last), |i| parent(*i)).collect();
        chain.reverse();
        chain
    };
    let shown: Vec<Vec<usize>> =
        (0..stages.len()).map(chain).filter(|chain| chain.iter().all(|i| stages[*i].week <= week)).collect();
    let continued: BTreeSet<usize> = shown.iter().filter_map(|chain| chain.iter().rev().nth(1).copied()).collect();
    let last = |chain: &[usize]| chain.last().is_some_and(|last| !continued.contains(last));
    shown.into_iter().filter(|chain| last(chain) && chain.iter().any(|i| stages[*i].week == week)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        bundle::{Kind, RUN, RunFolder},
        records,
    };

    /// `W47` of 2026, by its number.
    fn week(number: u32) -> Week {
        format!("2026-W{number}").parse().unwrap()
    }

    /// Stages by name, with the name of the one that each continues and its week, to the runs of
    /// a week.
    fn runs<'n>(of: u32, stages: &[(&'n str, &str, u32)]) -> Vec<Vec<&'n str>> {
        let begun: Vec<Begun> = stages
            .iter()
            .map(|(name, parent, number)| Begun {
                id: Digest::of(name),
                parent: (!parent.is_empty()).then(|| Digest::of(parent)),
                week: week(*number),
            })
            .collect();
        runs_of(week(of), &begun).into_iter().map(|run| run.into_iter().map(|i| stages[i].0).collect()).collect()
    }

    #[test]
    fn a_run_is_shown_in_each_week_in_which_one_of_its_stages_began_and_as_it_was_then() {
        let stages = [("b", "a", 48), ("a", "", 47), ("c", "b", 50), ("other", "", 48)];
        assert_eq!(runs(46, &stages), Vec::<Vec<&str>>::new());
        assert_eq!(runs(47, &stages), [vec!["a"]]);
        assert_eq!(runs(48, &stages), [vec!["a", "b"], vec!["other"]]);
        assert_eq!(runs(49, &stages), Vec::<Vec<&str>>::new());
        assert_eq!(runs(50, &stages), [vec!["a", "b", "c"]]);
    }

    #[test]
    fn a_stage_that_is_added_changes_no_week_before_it() {
        let before = [("a", "", 47), ("b", "a", 47)];
        let after = [("a", "", 47), ("b", "a", 47), ("c", "b", 48)];
        assert_eq!(runs(47, &before), runs(47, &after));
        assert_eq!(runs(47, &after), [vec!["a", "b"]]);
    }

    #[test]
    fn two_stages_that_continue_the_same_one_end_two_runs() {
        let stages = [("a", "", 46), ("b", "a", 47), ("c", "a", 48)];
        assert_eq!(runs(47, &stages), [vec!["a", "b"]]);
        assert_eq!(runs(48, &stages), [vec!["a", "c"]]);
    }

    #[test]
    fn a_stage_is_never_shown_without_those_before_it() {
        // The clock of one of the hosts was wrong.
        let stages = [("a", "", 48), ("b", "a", 47)];
        assert_eq!(runs(47, &stages), Vec::<Vec<&str>>::new());
        assert_eq!(runs(48, &stages), [vec!["a", "b"]]);
        // Those that are not there are nobody's to show.
        assert_eq!(runs(47, &[("b", "lost", 47)]), [vec!["b"]]);
    }

    fn seal(results: &Path, name: &str, kind: Kind, parents: &[Digest], times: [&str; 2]) -> Digest {
        let run = RunFolder::create(&results.join("2026-11-22").join(name)).unwrap();
        let facts = records::Run {
            format: records::FORMAT,
            run: name.into(),
            started: times[0].into(),
            plan: Digest::of(""),
            audit_commitment: Digest::of(""),
        };
        run.put(RUN, &serde_json::to_vec(&facts).unwrap()).unwrap();
        run.seal(kind, parents.into(), times[1]).unwrap().1
    }

    #[test]
    fn a_store_shows_each_stage_with_the_grade_that_was_sealed_first() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str, kind, parents: &[Digest], times| seal(temp.path(), name, kind, parents, times);
        let sunday = ["2026-11-22T23:00:00Z", "2026-11-23T01:00:00Z"];
        let first = at("run", Kind::Measure, &[], sunday);
        at("run-again", Kind::Grade, &[first], ["", "2026-11-25T00:00:00Z"]);
        at("run-grade", Kind::Grade, &[first], ["", "2026-11-23T02:00:00Z"]);
        at("run-stage2", Kind::Measure, &[first], ["2026-11-24T00:00:00Z"; 2]);
        at("timeless", Kind::Measure, &[], ["now", "2026-11-23T01:00:00Z"]);
        fs::create_dir(temp.path().join("2026-11-22/broken")).unwrap();
        fs::write(temp.path().join("2026-11-22/broken/manifest.json"), "{").unwrap();

        let store = Store::below(temp.path());
        let names = |number: u32| -> Vec<Vec<(String, Option<String>)>> {
            let name = |bundle: &Bundle| bundle.path.file_name().unwrap().to_string_lossy().into_owned();
            let stage = |stage: &Shown<'_>| (name(stage.measure), stage.grade.map(name));
            store.week(week(number)).runs.iter().map(|run| run.iter().map(stage).collect()).collect()
        };
        let graded = ("run".to_owned(), Some("run-grade".to_owned()));
        assert_eq!(names(47), [vec![graded.clone()]]);
        assert_eq!(names(48), [vec![graded, ("run-stage2".to_owned(), None)]]);
        assert_eq!(Vec::from_iter(store.weeks()), [week(47), week(48)]);
        let unknown = store.week(week(47)).passed_over;
        assert_eq!(unknown.len(), 1);
        assert_eq!(unknown[0].1.what, "it began at `now`, which is no time in UTC");
        fs::create_dir(temp.path().join("2026-11-22/running")).unwrap();
        fs::create_dir_all(temp.path().join("kept/elsewhere")).unwrap();
        let (store, running) = (Store::below(temp.path()), temp.path().join("2026-11-22/running"));
        assert_eq!(store.week(week(47)).unsealed, [running.as_path()]);
        assert!(store.week(week(48)).unsealed.is_empty());
        let unreadable: Vec<&PathBuf> = store.unreadable().iter().map(|(path, _)| path).collect();
        assert_eq!(unreadable, [&temp.path().join("2026-11-22/broken")]);
    }

    /// A copy of a bundle in another folder of results, with its manifest changed.
    fn copy(results: &Path, from: &str, to: &str, change: impl Fn(String) -> String) {
        let (from, to) = (results.join("2026-11-22").join(from), results.join("2026-01-01").join(to));
        fs::create_dir_all(&to).unwrap();
        for file in [crate::bundle::MANIFEST, RUN].iter().filter(|file| from.join(file).exists()) {
            fs::write(to.join(file), change(fs::read_to_string(from.join(file)).unwrap())).unwrap();
        }
    }

    #[test]
    fn what_somebody_adds_hides_nothing_that_is_whole() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str, kind, parents: &[Digest], time| seal(temp.path(), name, kind, parents, [time; 2]);
        let first = at("run", Kind::Measure, &[], "2026-11-22T01:00:00Z");
        at("run-grade", Kind::Grade, &[first], "2026-11-22T02:00:00Z");
        // The same manifest, and a file less; a grade without what it names; a grade from before.
        copy(temp.path(), "run", "copy", |text| text);
        fs::remove_file(temp.path().join("2026-01-01/copy").join(RUN)).unwrap();
        let earlier = |time: &'static str| move |text: String| text.replace("2026-11-22T02:00:00Z", time);
        copy(temp.path(), "run-grade", "empty", earlier("2026-11-22T01:30:00Z"));
        fs::remove_file(temp.path().join("2026-01-01/empty").join(RUN)).unwrap();
        copy(temp.path(), "run-grade", "early", earlier("1999-01-01T00:00:00Z"));

        let store = Store::below(temp.path());
        let weekly = store.week(week(47));
        let [run] = weekly.runs.as_slice() else { panic!("{weekly:?}") };
        let shown = (run[0].measure.path.clone(), run[0].grade.unwrap().path.clone());
        let there = |name: &str| temp.path().join("2026-11-22").join(name);
        assert_eq!(shown, (there("run"), there("run-grade")));
        let passed: Vec<String> =
            weekly.passed_over.iter().map(|(path, _)| path.file_name().unwrap().to_string_lossy().into()).collect();
        assert_eq!(passed, ["copy", "early", "empty"]);
        assert!(weekly.passed_over[1].1.what.contains("sealed before what it grades"));
    }
}
