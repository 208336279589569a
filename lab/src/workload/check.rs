//! From the file as written to the workload as meant.

use std::{collections::BTreeMap, path::Path};

use toml::de::{DeTable, DeValue};

use super::{
    Arm, BASELINE, BLIND_CONTROL, Client, LARGEST_RESPONSE, MOST_CANDIDATES, MOST_REQUESTS, Model, Requests, Slo,
    Warmup, Workload, written,
};
use crate::{
    Digest, Kind, Nanos, Problem, Result,
    requests::{self, Wrong},
};

/// Reads and checks a workload file.
pub fn read(path: &Path) -> Result<Workload> {
    let source =
        std::fs::read_to_string(path).map_err(|e| Problem::io(Kind::Input, "read the workload file", path, &e))?;
    let workload = parse(&source, path)?;
    Check::of(&source, path).calibration_is_named()?;
    Ok(workload)
}

/// The workload of a file with one arm, which is somebody else's running server: the file's
/// own arms are left out, and so is what belongs to them.
pub fn of_endpoint(path: &Path, url: &str, api_key_env: Option<&str>) -> Result<Workload> {
    let source =
        std::fs::read_to_string(path).map_err(|e| Problem::io(Kind::Input, "read the workload file", path, &e))?;
    let Ok(mut table) = toml::from_str::<toml::Table>(&source) else { return parse(&source, path) };
    table.remove("candidates");
    let mut arm = toml::Table::new();
    arm.insert("endpoint".into(), url.into());
    arm.insert("description".into(), "a running server, not started by this run".into());
    arm.extend(api_key_env.map(|name| ("api_key_env".to_owned(), name.into())));
    table.insert("baseline".into(), arm.into());
    if let Some(matrix) = table.get_mut("matrix").and_then(toml::Value::as_table_mut) {
        matrix.remove("candidates");
        matrix.remove("exclude");
    }
    // Nobody is graded by itself.
    if table.get("equivalence").and_then(|e| e.get("reference")).is_none() {
        table.remove("equivalence");
    }
    let source = toml::to_string(&table).map_err(|e| Problem::input(e.to_string()))?;
    parse(&source, path)
}

/// Checks a workload's text; `path` names it in messages, and its folder is where
/// relative paths begin.
pub fn parse(source: &str, path: &Path) -> Result<Workload> {
    let written: written::Workload = toml::from_str(source).map_err(|e| {
        let start = e.span().map_or(0, |span| span.start);
        let place = format!("{}:{}", path.display(), line_of(source, start));
        let problem = Problem::input(e.to_string().trim_end().to_owned()).at(place);
        if super::pin::is_tag(source, start) {
            return problem.next(format!("bench check --pin {}", path.display()));
        }
        problem
    })?;
    Check::of(source, path).workload(written)
}

pub(super) struct Check<'a> {
    pub(super) source: &'a str,
    pub(super) path: &'a Path,
    pub(super) folder: &'a Path,
}

impl<'a> Check<'a> {
    fn of(source: &'a str, path: &'a Path) -> Self {
        Check { source, path, folder: path.parent().unwrap_or(Path::new("")) }
    }

    fn workload(&self, w: written::Workload) -> Result<Workload> {
        self.name("name", &w.name)?;
        let baseline = self.arm(BASELINE, w.baseline)?;
        let mut candidates = BTreeMap::new();
        for (name, arm) in w.candidates {
            let field = format!("candidates.{name}");
            self.name(&field, &name)?;
            if name == BASELINE {
                return Err(self.wrong(&field, "a candidate cannot have the baseline's name", "rename it"));
            }
            candidates.insert(name, self.arm(&field, arm)?);
        }
        if candidates.len() > MOST_CANDIDATES {
            let what = format!(
                "{} candidates; the evidence that disqualifies is meant for {MOST_CANDIDATES}",
                candidates.len()
            );
            return Err(self.wrong("candidates", &what, "make two workloads of it"));
        }
        if candidates.contains_key(BLIND_CONTROL) {
            let what = "this name is kept for the blind control";
            return Err(self.wrong(&format!("candidates.{BLIND_CONTROL}"), what, "rename it"));
        }
        if w.rounds.blind_control {
            let description = "the baseline, served and judged as a candidate".to_owned();
            candidates.insert(BLIND_CONTROL.to_owned(), Arm { description, ..baseline.clone() });
        }
        let mut models = BTreeMap::new();
        for (name, m) in w.models {
            self.name(&format!("models.{name}"), &name)?;
            models.insert(
                name.clone(),
                Model { path: self.folder.join(m.path), served_name: m.served_name.unwrap_or(name), digest: m.digest },
            );
        }
        let loads = self.loads(w.load)?;
        let groups = self.groups(&w.matrix, &models, &candidates, &loads)?;
        let rounds = self.rounds(&w.rounds)?;
        self.score(&w.score)?;
        let warmup = self.warmup(&w.warmup)?;
        self.sampling(&w.sampling)?;
        self.client(&w.client)?;
        if let Some(slo) = &w.slo {
            self.slo(slo)?;
        }
        for (field, limit) in [
            ("ready", w.limits.ready),
            ("request", w.limits.request),
            ("phase", w.limits.phase),
            ("stop", w.limits.stop),
            ("pull", w.limits.pull),
        ] {
            if limit.0 == 0 {
                return Err(self.wrong(
                    &format!("limits.{field}"),
                    "a deadline of zero leaves no time at all",
                    "write a duration like \"30s\"",
                ));
            }
        }
        if w.limits.response > LARGEST_RESPONSE {
            return Err(self.wrong(
                "limits.response",
                &format!("{} is more than a response may have", w.limits.response),
                &format!("write {LARGEST_RESPONSE} or less"),
            ));
        }
        let requests = self.requests(w.requests, &models)?;
        let timed = loads.iter().map(|l| u64::from(l.requests)).sum::<u64>();
        let per_round = timed
            + match warmup {
                Warmup::Requests(count) => u64::from(count),
                Warmup::Replay => timed,
            };
        let in_all = per_round * u64::from(rounds);
        if in_all > u64::from(MOST_REQUESTS) {
            let what = format!("{in_all} requests in all are more than {MOST_REQUESTS}");
            return Err(self.wrong("rounds.count", &what, "ask for fewer rounds or requests"));
        }
        let equivalence = w.equivalence.map(|e| self.equivalence(e)).transpose()?;
        let container = self.container(w.container)?;
        self.one_executor(&baseline, &candidates)?;
        let arms = candidates.iter().map(|(name, arm)| (format!("candidates.{name}"), arm));
        let reference = equivalence.iter().filter_map(|e| e.reference.as_ref());
        let reference = reference.map(|arm| ("equivalence.reference".to_owned(), arm));
        for (field, arm) in arms.chain([(BASELINE.to_owned(), &baseline)]).chain(reference) {
            self.binds_of_arm(&field, arm, container.profile)?;
        }
        Ok(Workload {
            source: self.source.to_owned(),
            digest: Digest::of(self.source),
            name: w.name,
            description: w.description,
            models,
            baseline,
            candidates,
            requests,
            sampling: w.sampling,
            loads,
            groups,
            rounds,
            seed: w.rounds.seed,
            looks: w.rounds.looks,
            warmup,
            client: w.client,
            slo: w.slo,
            limits: w.limits,
            equivalence,
            cost: w.cost,
            score: w.score,
            container,
            stage: None,
            awaits: None,
        })
    }

    /// Paths begin at the workload file's folder; named models exist.
    fn requests(&self, requests: Requests, models: &BTreeMap<String, Model>) -> Result<Requests> {
        let model = |field: &str, name: &str| {
            if models.contains_key(name) {
                return Ok(());
            }
            let known: Vec<&str> = models.keys().map(String::as_str).collect();
            Err(self.wrong(
                field,
                &format!("no model is named `{name}`"),
                &format!("write one of {}", known.join(", ")),
            ))
        };
        let wrong =
            |section: &str, (field, what, next): Wrong| self.wrong(&format!("requests.{section}.{field}"), &what, next);
        match requests {
            Requests::File(file) => Ok(Requests::File(requests::File { path: self.folder.join(&file.path), ..file })),
            Requests::Prose { seed, words } => {
                self.in_range("requests.prose.words", words, 1..=1 << 16)?;
                Ok(Requests::Prose { seed, words })
            }
            Requests::Text(text) => {
                model("requests.text.model", &text.model)?;
                text.check().map_err(|w| wrong("text", w))?;
                Ok(Requests::Text(text))
            }
            Requests::Sharegpt(set) => {
                model("requests.sharegpt.model", &set.model)?;
                set.check().map_err(|w| wrong("sharegpt", w))?;
                Ok(Requests::Sharegpt(requests::Sharegpt { path: self.folder.join(&set.path), ..set }))
            }
            Requests::V1(v1) => {
                model("requests.v1.model", &v1.model)?;
                v1.check().map_err(|w| wrong("v1", w))?;
                Ok(Requests::V1(requests::V1 { corpus: self.folder.join(&v1.corpus), ..v1 }))
            }
        }
    }

    fn warmup(&self, warmup: &written::Warmup) -> Result<Warmup> {
        match (warmup.requests, warmup.replay) {
            (Some(_), true) => Err(self.wrong(
                "warmup.requests",
                "a replay sends as many requests as the loads have",
                "keep one of requests and replay",
            )),
            (None, true) => Ok(Warmup::Replay),
            (requests, false) => {
                let requests = requests.unwrap_or(4);
                self.in_range("warmup.requests", requests, 0..=100_000)?;
                Ok(Warmup::Requests(requests))
            }
        }
    }

    fn client(&self, client: &Client) -> Result<()> {
        self.in_range("client.connections", client.connections, 0..=100_000)?;
        self.in_range("client.threads", client.threads, 1..=256)?;
        if client.stagger > Nanos::from_secs(1) {
            return Err(self.wrong("client.stagger", "it is longer than a second", "write a time like \"200us\""));
        }
        Ok(())
    }

    fn slo(&self, slo: &Slo) -> Result<()> {
        if [slo.ttft, slo.tpot, slo.e2el].iter().all(Option::is_none) {
            return Err(self.wrong("slo", "it asks for nothing", "add ttft, tpot or e2el, like ttft = \"500ms\""));
        }
        if !(slo.share > 0.0 && slo.share <= 1.0) {
            return Err(self.wrong("slo.share", &format!("{} is no share", slo.share), "write one like 0.99"));
        }
        Ok(())
    }

    /// Names become parts of file names and table cells.
    pub(super) fn name(&self, field: &str, name: &str) -> Result<()> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || name.starts_with(['.', '-']) || !name.chars().all(plain) {
            let shown = crate::text::shown(name, 80);
            return Err(self.wrong(
                field,
                &format!("`{shown}` cannot be a name"),
                "use up to 64 of a–z, 0–9, `-`, `_` and `.`, beginning with a letter or digit",
            ));
        }
        Ok(())
    }

    pub(super) fn in_range(&self, field: &str, value: u32, range: std::ops::RangeInclusive<u32>) -> Result<()> {
        if range.contains(&value) {
            return Ok(());
        }
        Err(self.wrong(
            field,
            &format!("{value} is not between {} and {}", range.start(), range.end()),
            "write a number in that range",
        ))
    }

    pub(super) fn wrong(&self, field: &str, what: &str, next: &str) -> Problem {
        Problem::input(what).at(format!("{}:{}: {field}", self.path.display(), self.line(field))).next(next)
    }

    /// The line of the deepest key of `field` that the file holds.
    fn line(&self, field: &str) -> usize {
        let Ok(table) = DeTable::parse(self.source) else { return 1 };
        let (mut here, mut start) = (Some(table.get_ref()), 0);
        for key in field.split('.') {
            let Some((found, value)) = here.and_then(|t| t.iter().find(|(k, _)| k.get_ref().as_ref() == key)) else {
                break;
            };
            start = found.span().start;
            here = match value.get_ref() {
                DeValue::Table(table) => Some(table),
                _ => None,
            };
        }
        line_of(self.source, start)
    }
}

pub(super) fn line_of(source: &str, offset: usize) -> usize {
    source.get(..offset).map_or(1, |before| before.matches('\n').count() + 1)
}
