//! R0: what follows from the bundles alone, computed again and compared byte for byte.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use lab::{
    Digest, Problem, Result,
    bundle::{Bundle, PLAN, REQUESTS, SCHEDULE},
    materialise::{self, Sources},
    plan::{self, Plan},
    requests, schedule,
    text::shown,
    tokenizer::Tokenizer,
    trace::Arrival,
    workload::{Requests, Workload},
};
use serde::{Deserialize, Serialize};

use crate::{
    METHOD, gather,
    judgement::{self, Judgement},
    study::Study,
};

/// The published judgement.
const VERDICTS: &str = "verdicts.json";

/// One part of a run, computed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `requests`, `plan`, `schedule`, each of a stage; `verdict`; `report`.
    pub part: String,
    /// Whether it is the same.
    pub is: Recomputed,
    /// How much was compared, the first difference, or why it cannot be computed again.
    pub note: String,
}

/// What comes out where a part is computed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recomputed {
    /// Byte for byte the same.
    Same,
    /// Not the same.
    Differs,
    /// It takes more than the bundles.
    NotRecomputed,
}

/// The folder of a report, as it was published.
pub struct Published<'a> {
    /// Its files, by their paths in it.
    pub files: &'a BTreeMap<String, Vec<u8>>,
    /// What people wrote into its pages, by page.
    pub notes: &'a BTreeMap<String, String>,
}

/// What of a published judgement tells whether it can be compared at all.
#[derive(Deserialize)]
struct Head {
    format: u32,
    method: String,
    bundles: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: Digest,
}

impl Published<'_> {
    fn head(&self) -> Option<Head> {
        serde_json::from_slice(self.files.get(VERDICTS)?).ok()
    }

    /// Why this program cannot say the same: it was judged by another method.
    pub(super) fn other_method(&self) -> Option<String> {
        let head = self.head()?;
        let (method, format) = (shown(&head.method, 40), head.format);
        let other = method != METHOD || format != judgement::FORMAT;
        other.then(|| {
            let own = judgement::FORMAT;
            format!("the report was made by method {method} in format {format}, this program has {METHOD} in format {own}: use the version of bench that made it")
        })
    }
}

/// Every part, in the order in which a run makes them.
pub(super) fn parts(study: &Study, judgement: &Judgement, published: Option<&Published<'_>>) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for (stage, n) in study.stages.iter().zip(1..) {
        let name = |part: &str| if n == 1 { part.to_owned() } else { format!("{part} of stage {n}") };
        let add = |(part, (is, note)): (&str, Found)| Part { part: name(part), is, note };
        parts.extend(of_stage(&stage.measure)?.into_iter().map(add));
    }
    let part = |part: &str, (is, note): Found| Part { part: part.to_owned(), is, note };
    let Some(published) = published else {
        let why = "computed again; name the folder of a published report to compare it";
        parts.push(part("verdict", (Recomputed::NotRecomputed, why.to_owned())));
        return Ok(parts);
    };
    let files: BTreeMap<String, Vec<u8>> = gather::report_of(study, judgement, published.notes)?.into_iter().collect();
    parts.push(part("verdict", verdict(judgement, published, &files)));
    parts.push(part("report", report(published, &files)));
    Ok(parts)
}

type Found = (Recomputed, String);

fn of_stage(bundle: &Bundle) -> Result<Vec<(&'static str, Found)>> {
    let workload = bundle.workload()?;
    let stored = bundle.file(REQUESTS)?;
    let set = bundle.requests()?;
    let schedule = schedule::of(&workload, &set, &bundle.traces(&workload)?);
    let found = bundle.plan()?;
    let made = plan::expand(&workload, Digest::of(&stored), schedule::digest(schedule.as_ref()));
    let made = Plan { format: found.format, ..made }.to_json();
    let trials = format!("{} trials", found.trials.len());
    let mut parts = vec![
        ("requests", drawn(bundle, &workload, &stored)?),
        ("plan", held(&bundle.file(PLAN)?, made.as_bytes(), &trials)),
    ];
    if let Some(rows) = &schedule {
        let due = format!("{} due times", rows.len());
        parts.push(("schedule", held(&bundle.file(SCHEDULE)?, &schedule::to_csv(rows), &due)));
    }
    Ok(parts)
}

/// The request set, drawn again from the workload and its seed.
fn drawn(bundle: &Bundle, workload: &Workload, stored: &[u8]) -> Result<Found> {
    let arrivals = bundle.traces(workload)?;
    // Nothing is drawn that is many times what is there: a stranger's numbers may be very large.
    if least(workload, &arrivals) > 4 * stored.len() as u64 {
        return Ok((Recomputed::Differs, "its workload makes a set many times as long".into()));
    }
    Ok(match materialise::requests(workload, &arrivals, &Within(bundle)) {
        Ok(set) => {
            let made = requests::to_jsonl(&set);
            held(stored, made.as_bytes(), &format!("{} requests", set.len()))
        }
        Err(problem) => (Recomputed::NotRecomputed, problem.what),
    })
}

/// Words or tokens of the request set that a workload makes, none of them without a byte; 0 where
/// it is not drawn from bundles.
fn least(workload: &Workload, arrivals: &BTreeMap<String, Vec<Arrival>>) -> u64 {
    match &workload.requests {
        Requests::Prose { words, .. } => u64::from(*words) * u64::from(workload.requests_in_all()),
        Requests::Text(spec) => requests::text_tokens(spec, &materialise::slots(workload, arrivals)),
        Requests::File(_) | Requests::Sharegpt(_) | Requests::V1(_) => 0,
    }
}

/// What a bundle holds of what requests are drawn from.
struct Within<'a>(&'a Bundle);

impl Sources for Within<'_> {
    fn tokenizer(&self, model: &str) -> Result<Tokenizer> {
        self.0.tokenizer(model)
    }

    fn bytes(&self, _: &Path, what: &str) -> Result<Vec<u8>> {
        Err(Problem::input(format!("it is drawn from a {what} that no bundle holds")))
    }

    fn corpus(&self, _: &Path) -> Result<Vec<(String, String)>> {
        Err(Problem::input("it is drawn from a corpus that no bundle holds"))
    }
}

/// The judgement's bytes; where they differ, whether other bundles were judged.
fn verdict(judgement: &Judgement, published: &Published<'_>, files: &BTreeMap<String, Vec<u8>>) -> Found {
    let Some(stored) = published.files.get(VERDICTS) else {
        return (Recomputed::Differs, format!("the published report has no {VERDICTS}"));
    };
    let own: BTreeSet<Digest> = judgement.bundles.iter().map(|bundle| bundle.id).collect();
    let theirs: BTreeSet<Digest> = published.head().iter().flat_map(|head| &head.bundles).map(|b| b.id).collect();
    let other = [(own.difference(&theirs), "without"), (theirs.difference(&own), "with")];
    let other: Vec<String> =
        other.into_iter().flat_map(|(ids, how)| ids.map(move |id| format!("{how} {id}"))).collect();
    match other.as_slice() {
        [] => held(stored, &files[VERDICTS], VERDICTS),
        [first, ..] => (Recomputed::Differs, format!("it rests on other bundles: {first}")),
    }
}

/// Every file of the report.
fn report(published: &Published<'_>, files: &BTreeMap<String, Vec<u8>>) -> Found {
    let names: BTreeSet<&String> = files.keys().chain(published.files.keys()).collect();
    let differs = |name: &&String| match (published.files.get(*name), files.get(*name)) {
        (Some(stored), Some(made)) => (stored != made).then(|| held(stored, made, "").1),
        (None, _) => Some("missing".to_owned()),
        (_, None) => Some("no part of this report".to_owned()),
    };
    let all: Vec<String> =
        names.iter().filter_map(|name| Some(format!("{}: {}", shown(name, 120), differs(name)?))).collect();
    match all.as_slice() {
        [] => (Recomputed::Same, format!("{} files", files.len())),
        [first] => (Recomputed::Differs, first.clone()),
        [first, ..] => (Recomputed::Differs, format!("{} files, the first is {first}", all.len())),
    }
}

/// What is stored against what was made; `what` it is.
fn held(stored: &[u8], made: &[u8], what: &str) -> Found {
    if stored == made {
        return (Recomputed::Same, what.to_owned());
    }
    let lines =
        |bytes: &[u8]| -> Vec<String> { String::from_utf8_lossy(bytes).split('\n').map(str::to_owned).collect() };
    let (stored, made) = (lines(stored), lines(made));
    let line = (0..stored.len().max(made.len())).find(|i| stored.get(*i) != made.get(*i)).unwrap_or(0);
    let (a, b) = (stored.get(line).map_or("", String::as_str), made.get(line).map_or("", String::as_str));
    // From a little before the first character that is another.
    let alike = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count().saturating_sub(16);
    let at = |line: &str| shown(line.chars().skip(alike).collect::<String>().trim(), 48);
    let (a, b) = (at(a), at(b));
    (Recomputed::Differs, format!("first at line {}: `{a}`, computed again `{b}`", line + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing of such a set is drawn where its bundle holds a few bytes.
    #[test]
    fn a_workload_that_would_take_for_ever_to_draw_is_known_by_its_numbers() {
        let source = |requests: &str| {
            format!(
                "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{{port}}\"]\n{requests}\n[sampling]\nmax_tokens = 4\n[warmup]\nrequests = 0\n[[load]]\nname = \"l\"\nrequests = 100000\nclosed = {{ concurrency = 1 }}\n[rounds]\ncount = 1\n"
            )
        };
        let of = |requests: &str| {
            least(&lab::workload::parse(&source(requests), "x.toml".as_ref()).unwrap(), &BTreeMap::new())
        };
        assert_eq!(of("[requests.prose]\nseed = 1\nwords = 65536"), 65_536 * 100_000);
        assert_eq!(of("[requests.text]\nmodel = \"m\"\nseed = 1\ninput = 1048576"), 1_048_576 * 100_000);
        let prefix =
            "[requests.text]\nmodel = \"m\"\nseed = 1\ninput = 1\nprefix = { groups = 1048576, tokens = 1048576 }";
        assert_eq!(of(prefix), 1_048_577 * 100_000);
    }
}
