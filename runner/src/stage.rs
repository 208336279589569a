//! A further stage of a run that is sealed: which one comes next, and which was begun.

use std::{collections::BTreeSet, fs, path::Path};

use lab::{
    Problem, Result, audit,
    bundle::{Bundle, PLAN, Store},
    plan::Plan,
    workload::{BLIND_CONTROL, Stage, Workload},
};

use crate::run::{newest_unfinished, secret_path};

/// What a further stage asks for.
pub struct More<'a> {
    /// The folder of dated results.
    pub out: &'a Path,
    /// Rounds.
    pub rounds: u32,
    /// Candidates; all of the matrix where none is named.
    pub only: &'a [String],
    /// The public value that the last stage awaited; its grade says it too.
    pub value: Option<&'a str>,
}

/// The stage after the newest sealed one of this workload.
///
/// # Errors
/// Where no run of this workload is sealed, or the last one is not graded: only its grade
/// reveals the seed from which fresh prompts are drawn.
pub fn next(workload: &Workload, more: &More<'_>) -> Result<Stage> {
    let store = Store::below(more.out);
    let Some(last) = store.runs_of(workload.digest).pop() else {
        return Err(Problem::input("no sealed run of this workload, so there is nothing to add to")
            .at(more.out.display().to_string())
            .next("run it without --more first; a changed workload file is another run"));
    };
    after(last, workload, &store, more)
}

/// The stage after a sealed one of this workload.
///
/// # Errors
/// Where it is not graded.
pub fn after(last: &Bundle, workload: &Workload, store: &Store, more: &More<'_>) -> Result<Stage> {
    let plan = last.plan()?;
    let (revealed, value) = revealed(last, &plan, workload, (store, more.value))?;
    let all = workload.groups.iter().flat_map(|g| &g.candidates);
    let chosen = |name: &&String| more.only.is_empty() || more.only.contains(name) || *name == BLIND_CONTROL;
    let candidates: BTreeSet<&String> = all.filter(chosen).chain(more.only).collect();
    Ok(Stage {
        number: plan.stage.as_ref().map_or(1, |stage| stage.number) + 1,
        parent: last.id,
        revealed,
        value,
        after: plan.after(),
        rounds: more.rounds,
        candidates: candidates.into_iter().cloned().collect(),
    })
}

/// The plan of the newest run of this workload that was begun and is not sealed, or not
/// graded; none where there is none.
pub fn unfinished(workload: &Workload, out: &Path) -> Option<Plan> {
    let own = |run: &Path| plan_of(run).is_some_and(|plan| plan.workload == workload.digest);
    plan_of(&newest_unfinished(out, own)?)
}

/// The seed that a sealed bundle's run had committed to, and the value that it awaited.
fn revealed(
    bundle: &Bundle,
    plan: &Plan,
    workload: &Workload,
    (store, given): (&Store, Option<&str>),
) -> Result<(String, Option<String>)> {
    let run = bundle.run()?;
    let problem = |what: &str, next: &str| Problem::input(what).at(bundle.path.display().to_string()).next(next);
    let given = given.map(str::to_owned);
    let (seed, value) = match (&workload.equivalence, store.grade(bundle.id)) {
        (Some(_), None) => (None, given),
        (Some(_), Some(graded)) => {
            let grade = graded.grade()?;
            if given.is_some() && given != grade.value {
                return Err(problem(
                    "its grade was not drawn with this value",
                    "leave --reveal out: the grade says which value it was",
                ));
            }
            (Some(grade.audit_seed), grade.value)
        }
        // Nothing will ever be graded: the seed can be revealed as it is.
        (None, _) => {
            let seed = fs::read_to_string(secret_path(&bundle.path)).ok().map(|seed| seed.trim().to_owned());
            (seed, given)
        }
    };
    let kept = |hex: &String| audit::seed_from_hex(hex).is_some_and(|s| audit::commitment(&s) == run.audit_commitment);
    let seed = seed.filter(kept).ok_or_else(|| {
        problem(
            "the seed that this run committed to is not revealed, and prompts of a further stage come from it",
            "grade it first: bench grade",
        )
    })?;
    match audit::mismatch(plan.awaits.as_deref(), value.as_deref()) {
        Some(what) => Err(problem(&what, revealing(plan))),
        None => Ok((seed, value)),
    }
}

/// What to do where a value is missing, or is one too many.
pub(crate) fn revealing(plan: &Plan) -> &'static str {
    match plan.awaits {
        Some(_) => "wait until it is known, then say it: --reveal VALUE",
        None => "leave --reveal out",
    }
}

fn plan_of(run: &Path) -> Option<Plan> {
    Plan::from_json(&fs::read_to_string(run.join(PLAN)).ok()?).ok()
}
