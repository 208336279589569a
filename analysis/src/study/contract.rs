//! What a measure bundle promised before its first trial: workload, plan, request set
//! and the commitment to an audit seed, which must all name each other.

use lab::{
    Digest, Problem, Result,
    bundle::{Bundle, PLAN, REQUESTS, RUN, WORKLOAD},
    plan::Plan,
    records::{self, Run},
    requests::Request,
    workload::Workload,
};

/// The checked promise.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) workload: Workload,
    pub(crate) plan: Plan,
    pub(crate) run: Run,
    pub(crate) requests: Vec<Request>,
}

/// Reads it; `Broken` where two parts do not belong together.
pub(crate) fn read(bundle: &Bundle) -> Result<Contract> {
    let at = |file: &str| bundle.path.join(file).display().to_string();
    let broken = |file: &str, what: String| Problem::broken(what).at(at(file)).next("run bench verify");
    let workload = bundle.workload().map_err(|p| broken(WORKLOAD, p.to_string()))?;
    let plan = bundle.plan()?;
    let plan_digest = Digest::of(bundle.file(PLAN)?);
    let run: Run = lab::bundle::versioned(&text(bundle, RUN)?, records::FORMAT, RUN)?;
    let requests_bytes = bundle.file(REQUESTS)?;
    let requests = bundle.requests().map_err(|p| broken(REQUESTS, p.what))?;
    let same = |file, what: &str, is: Digest, said: Digest| {
        if is == said { Ok(()) } else { Err(broken(file, format!("{what} is {is}, not {said} as was promised"))) }
    };
    same(PLAN, "the plan's digest", plan_digest, run.plan)?;
    same(WORKLOAD, "the workload's digest", workload.digest, plan.workload)?;
    same(REQUESTS, "the request set's digest", Digest::of(&requests_bytes), plan.requests)?;
    size(&workload, &plan).map_err(|what| broken(PLAN, what))?;
    if plan != lab::plan::expand(&workload, plan.requests, plan.schedule) {
        return Err(broken(PLAN, "it is not the plan of this workload and request set".into()));
    }
    if requests.len() != workload.requests_in_all() as usize {
        let (have, need) = (requests.len(), workload.requests_in_all());
        return Err(broken(REQUESTS, format!("it holds {have} requests, the plan takes {need}")));
    }
    Ok(Contract { workload, plan, run, requests })
}

/// Refuses a workload whose plan cannot be the one that is there, before it is expanded: a
/// stranger's numbers may make it very large.
fn size(workload: &Workload, plan: &Plan) -> std::result::Result<(), String> {
    let of_group = |candidates: usize| candidates as u64 + 2 * candidates.div_ceil(lab::plan::BLOCK) as u64;
    let per_round: u64 = workload.groups.iter().map(|g| of_group(g.candidates.len())).sum();
    let (have, need) = (plan.trials.len() as u64, u64::from(workload.rounds).saturating_mul(per_round));
    if have == need { Ok(()) } else { Err(format!("it holds {have} trials, its workload makes {need}")) }
}

/// A file of the bundle as text.
pub(crate) fn text(bundle: &Bundle, name: &str) -> Result<String> {
    String::from_utf8(bundle.file(name)?)
        .map_err(|_| Problem::broken("not UTF-8").at(bundle.path.join(name).display().to_string()))
}
