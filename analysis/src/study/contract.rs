//! What a measure bundle promised before its first trial: workload, plan, request set,
//! schedule and the commitment to an audit seed, which must all name each other.

use lab::{
    Digest, Problem, Result,
    bundle::{Bundle, PLAN, REQUESTS, SCHEDULE, WORKLOAD},
    plan::Plan,
    records::Run,
    requests::Request,
    schedule::{self, Due},
    workload::Workload,
};

/// The checked promise.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) workload: Workload,
    pub(crate) plan: Plan,
    pub(crate) run: Run,
    pub(crate) requests: Vec<Request>,
    /// When each request is due that does not simply follow when its client is free.
    pub(crate) schedule: Vec<Due>,
}

impl Contract {
    /// Most output tokens that a request asks for.
    pub(crate) fn most_tokens(&self, request: u32) -> u32 {
        let own = self.requests.get(request as usize).and_then(|r| r.max_tokens);
        own.unwrap_or(self.workload.sampling.max_tokens)
    }
}

/// Reads it; `Broken` where two parts do not belong together.
pub(crate) fn read(bundle: &Bundle) -> Result<Contract> {
    let at = |file: &str| bundle.path.join(file).display().to_string();
    let broken = |file: &str, what: String| Problem::broken(what).at(at(file)).next("run bench verify");
    let workload = bundle.workload().map_err(|p| broken(WORKLOAD, p.to_string()))?;
    let plan = bundle.plan()?;
    let plan_digest = Digest::of(bundle.file(PLAN)?);
    let run = bundle.run()?;
    let requests_bytes = bundle.file(REQUESTS)?;
    let requests = bundle.requests().map_err(|p| broken(REQUESTS, p.what))?;
    let same = |file, what: &str, is: Digest, said: Digest| {
        if is == said { Ok(()) } else { Err(broken(file, format!("{what} is {is}, not {said} as was promised"))) }
    };
    same(PLAN, "the plan's digest", plan_digest, run.plan)?;
    same(WORKLOAD, "the workload's digest", workload.digest, plan.workload)?;
    same(REQUESTS, "the request set's digest", Digest::of(&requests_bytes), plan.requests)?;
    size(&workload, &plan).map_err(|what| broken(PLAN, what))?;
    if requests.len() != workload.requests_in_all() as usize {
        let (have, need) = (requests.len(), workload.requests_in_all());
        return Err(broken(REQUESTS, format!("it holds {have} requests, the plan takes {need}")));
    }
    let schedule = scheduled(bundle, &workload, &requests)?;
    let digest = schedule::digest(schedule.as_ref());
    if plan.format < SCHEDULES && digest.is_some() {
        return Err(broken(PLAN, format!("format {} knows no schedule, and its workload needs one", plan.format)));
    }
    // A plan is compared with what its own format says; older ones lack fields, not trials.
    let expected = Plan { format: plan.format, ..lab::plan::expand(&workload, plan.requests, digest) };
    if plan.schedule != expected.schedule {
        return Err(broken(PLAN, "it names another schedule than its workload and request set make".into()));
    }
    if plan != expected {
        return Err(broken(PLAN, "it is not the plan of this workload and request set".into()));
    }
    Ok(Contract { workload, plan, run, requests, schedule: schedule.unwrap_or_default() })
}

/// The first format of a plan that names a schedule.
const SCHEDULES: u32 = 2;

/// The schedule, made again from workload, request set and traces; the stored one must be
/// the same, byte for byte.
fn scheduled(bundle: &Bundle, workload: &Workload, requests: &[Request]) -> Result<Option<Vec<Due>>> {
    let traces = bundle.traces(workload)?;
    let schedule = schedule::of(workload, requests, &traces);
    let broken = |what: &str| Problem::broken(what).at(bundle.path.join(SCHEDULE).display().to_string());
    let stored = bundle.has(SCHEDULE);
    match &schedule {
        None if stored => Err(broken("it is there, and no request of this workload is scheduled")),
        Some(_) if !stored => Err(broken("missing: this workload schedules requests")),
        Some(rows) if bundle.file(SCHEDULE)? != schedule::to_csv(rows) => {
            Err(broken("it is not the schedule of this workload and request set").next("run bench verify"))
        }
        _ => Ok(schedule),
    }
}

/// Refuses a workload whose plan cannot be the one that is there, before it is expanded: a
/// stranger's numbers may make it very large.
fn size(workload: &Workload, plan: &Plan) -> std::result::Result<(), String> {
    // Without a candidate a round is one baseline.
    let of_group = |candidates: usize| (candidates as u64 + 2 * candidates.div_ceil(lab::plan::BLOCK) as u64).max(1);
    let per_round: u64 = workload.groups.iter().map(|g| of_group(g.candidates.len())).sum();
    let (have, need) = (plan.trials.len() as u64, u64::from(workload.rounds).saturating_mul(per_round));
    if have != need {
        return Err(format!("it holds {have} trials, its workload makes {need}"));
    }
    let phases: u64 = plan.trials.iter().map(|trial| trial.phases.len() as u64).sum();
    let loads = workload.groups.first().map_or(0, |group| group.loads.len()) as u64;
    if phases == need.saturating_mul(loads) {
        return Ok(());
    }
    Err(format!("it holds {phases} phases, its workload makes {loads} of each trial"))
}
