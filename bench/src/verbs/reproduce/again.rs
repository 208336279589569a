//! The plan of a run once more: the same requests, seeds and order, into a run of its own. Further
//! stages are as large as they were, with prompts drawn anew.

use std::path::{Path, PathBuf};

use analysis::Study;
use lab::{
    Result,
    bundle::{Bundle, Store},
    plan::Plan,
    workload::Workload,
};
use runner::{grade, prepare, ready::Program, run, stage};

use super::place::Place;
use crate::progress::Lines;

/// The bundles of the new run; none where Ctrl-C came before its end.
pub(super) fn run(study: &Study, place: &Place, out: &Path) -> Result<Option<Vec<PathBuf>>> {
    let (bench, lines) = (crate::verbs::this_program()?, Lines::new());
    let plans = study.stages.iter().map(|stage| stage.measure.plan()).collect::<Result<Vec<Plan>>>()?;
    let workload = &place.workload;
    if plans.len() > 1 {
        // What later stages are drawn from has to be here, before anything takes its time.
        prepare::prepare(workload)?;
    }
    let prepared = prepare::again(&study.stages[0].measure, workload)?;
    let revision = crate::verbs::revision();
    let program = Program { bench: &bench, revision, here: &place.here };
    let options = run::Options { out, resume: false, program, observer: &lines };
    let graded = async |measured: PathBuf, workload: &Workload| {
        if study.is_graded() {
            let options = grade::Options { bench: &bench, revision, here: &place.here, value: None, observer: &lines };
            grade::grade(&measured, workload, &options).await?;
        }
        Ok::<PathBuf, lab::Problem>(measured)
    };
    let work = async {
        let mut last = graded(run::run_prepared(workload, &prepared, &options).await?, workload).await?;
        for stage in plans.iter().filter_map(|plan| plan.stage.as_ref()) {
            let more = stage::More { out, rounds: stage.rounds, only: &stage.candidates, value: None };
            let next = stage::after(&Bundle::open(&last)?, workload, &Store::below(out), &more)?;
            let staged = workload.clone().staged(next)?;
            last = graded(run::run(&staged, &options).await?, &staged).await?;
        }
        Ok(last)
    };
    let done = crate::verbs::until_interrupted(work);
    lines.end();
    let Some(last) = done? else {
        eprintln!("stopped; trials that were finished are kept, and nothing is compared");
        return Ok(None);
    };
    Ok(Some(Store::below(out).stages(Bundle::open(&last)?.id)))
}
