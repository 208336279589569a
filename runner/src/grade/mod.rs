//! A trusted reference scores a sample of the timed outputs of a sealed bundle, given
//! their own prefix (teacher forcing). Its view is a second sealed bundle.

mod reference;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use lab::{
    Kind, Problem, Result, audit,
    bundle::{
        self, Bundle, ENVIRONMENTS, GRADE, GRADED, LOG, MANIFEST, PROMPTS, REFERENCE, RunFolder, TRIAL, TRIALS,
        TrialRecord, write_table,
    },
    plan::Plan,
    records::{FORMAT, Grade, GradedRow, List, MOST_SPARE_IDS, Outcome, PromptRow, ReferenceRow, Source},
    requests::Request,
    tokenizer::Tokenizer,
    workload::{BASELINE, Equivalence, Workload},
};

use crate::{
    clock,
    control::Control,
    docker::Containers,
    gpu, host, logged,
    progress::{Event, Observer},
    ready::Had,
    run, stage,
    target::Secret,
};
use reference::Reference;

/// What a grade needs beside the bundle.
pub struct Options<'a> {
    /// This program, which guards servers.
    pub bench: &'a Path,
    /// The commit that it was built from, where it knows one.
    pub revision: Option<&'a str>,
    /// The workload file's folder, for `{here}` and relative model paths.
    pub here: &'a Path,
    /// The public value that the plan awaited.
    pub value: Option<&'a str>,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

/// Grades a sealed bundle as its workload asks and seals the result beside it. Returns
/// the folder; one that is sealed already is left as it is. `workload` is the bundle's own
/// workload, read where its paths lead somewhere.
pub async fn grade(measured: &Path, workload: &Workload, options: &Options<'_>) -> Result<PathBuf> {
    let target =
        measured.with_file_name(format!("{}-grade", measured.file_name().unwrap_or_default().to_string_lossy()));
    let bundle = Bundle::open(measured)?;
    let mut plan = bundle.plan()?;
    let problem = |what: String, next: &str| Problem::input(what).at(measured.display().to_string()).next(next);
    let graded = || -> Result<bool> {
        if !target.join(MANIFEST).exists() {
            return Ok(false);
        }
        let drawn = Bundle::open(&target)?.grade()?.value;
        match options.value {
            Some(value) if drawn.as_deref() != Some(value) => {
                Err(problem("it is graded already, and not with this value".into(), "judge it as it is: bench judge"))
            }
            _ => Ok(true),
        }
    };
    if graded()? {
        return Ok(target);
    }
    if let Some(what) = audit::mismatch(plan.awaits.as_deref(), options.value) {
        return Err(problem(what, stage::revealing(&plan)));
    }
    let _lock = run::lock(measured)?;
    // By another bench, meanwhile.
    if graded()? {
        return Ok(target);
    }
    let equivalence = workload.equivalence.as_ref().ok_or_else(|| {
        Problem::input("the workload has no [equivalence], so nothing says what to grade")
            .at(measured.display().to_string())
    })?;
    let secret = run::secret_path(measured);
    let seed = read_seed(&secret)?;
    // A run that was sealed as it stood lacks trials.
    plan.trials.retain(|t| holds(&bundle, &t.folder()));
    let requests = bundle.requests()?;
    let (mut environment, _) = host::environment(&workload.models, options.revision)?;
    let gpus = gpu::Held::take(plan.trials.iter().map(|t| t.gpus).max().unwrap_or(0))?;
    environment.gpus = gpus.facts.clone();
    let arm = workload.reference().unwrap_or(&workload.baseline);
    let containers = Containers::prepare(workload, &[(REFERENCE, arm)], options.bench, &gpus, options.observer).await?;
    if let Some(containers) = &containers {
        containers.describe(&mut environment);
    }
    let (bench, here) = (options.bench, options.here);
    let had = Had { workload, bench, here, gpus: &gpus, containers: containers.as_ref() };
    if target.exists() {
        fs::remove_dir_all(&target)
            .map_err(|e| Problem::io(Kind::Machine, "remove an unfinished grade", &target, &e))?;
    }
    let folder = RunFolder::create(&target)?;
    let started = clock::utc_now();
    let mut grader = Grader {
        bundle: &bundle,
        workload,
        equivalence,
        plan: &plan,
        had: &had,
        run: measured.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        requests: &requests,
        seed: audit::completed(&seed, options.value),
        options,
        prompts: BTreeMap::new(),
        graded: Vec::new(),
        done: 0,
    };
    let mut references = BTreeMap::new();
    let models: BTreeSet<&str> = plan.trials.iter().map(|t| t.model.as_str()).collect();
    for model in models {
        references.insert(model.to_owned(), grader.with_model(model, &folder).await?);
    }
    let grade = Grade {
        format: FORMAT,
        audit_seed: audit::seed_to_hex(&seed),
        value: options.value.map(str::to_owned),
        sample: equivalence.sample,
        references,
        host: environment.host.clone(),
        started,
    };
    folder.put(&format!("{ENVIRONMENTS}/{}.json", environment.host), environment.to_json().as_bytes())?;
    folder.put(GRADED, &write_table(&grader.graded, GradedRow::HEADER, GRADED))?;
    folder.put(PROMPTS, &write_table(&grader.prompt_rows(), PromptRow::HEADER, PROMPTS))?;
    folder.put(GRADE, &serde_json::to_vec_pretty(&grade).expect("integers and strings serialise"))?;
    let (path, id) = folder.seal(bundle::Kind::Grade, vec![bundle.id], &clock::utc_now())?;
    // Revealed in the sealed grade, the seed is no secret any more.
    let _ = fs::remove_file(secret);
    run::unlocked(measured);
    logged::graded(&path, id, vec![bundle.id])?;
    Ok(path)
}

struct Grader<'a> {
    bundle: &'a Bundle,
    workload: &'a Workload,
    equivalence: &'a Equivalence,
    plan: &'a Plan,
    had: &'a Had<'a>,
    run: String,
    requests: &'a [Request],
    seed: [u8; 32],
    options: &'a Options<'a>,
    prompts: BTreeMap<(String, u32), Vec<u32>>,
    graded: Vec<GradedRow>,
    done: usize,
}

impl Grader<'_> {
    /// Starts the reference for one model and grades all its trials.
    async fn with_model(&mut self, model: &str, folder: &RunFolder) -> Result<lab::records::ServerFacts> {
        let arm = self.workload.reference().unwrap_or(&self.workload.baseline);
        let gpus = self.plan.trials.iter().filter(|t| t.model == model).map(|t| t.gpus).max().unwrap_or(0);
        let launch = self.had.launch(REFERENCE, arm, model, gpus, &self.run)?;
        let served_name = self.workload.models[model].served_name.clone();
        let tokenizer = self.bundle.tokenizer(model)?;
        self.options.observer.see(&Event::Stage("starting the reference"));
        let limits = &self.workload.limits;
        let reference = Reference::start(&launch, model, limits, Secret::of(arm, "equivalence.reference")?).await?;
        let end = self.end_token(model, &tokenizer)?;
        for trial in self.plan.trials.iter().filter(|t| t.model == model) {
            let record = self.bundle.trial(&trial.folder())?;
            let ids = audit::sample(&self.seed, self.bundle.id, trial, self.equivalence.sample);
            let rows = self.trial(&reference.control, &served_name, &tokenizer, &record, end, &ids).await;
            if !rows.is_empty() {
                let name = format!("{REFERENCE}/{}.csv.zst", trial.folder());
                folder.put(&name, &write_table(&rows, ReferenceRow::HEADER, &name))?;
            }
        }
        let ended = reference.stop(limits).await?;
        let mut log = ended.log;
        Secret::all(self.workload)?.iter().for_each(|key| key.blank(&mut log));
        folder.put(&format!("{model}-{LOG}"), &log)?;
        Ok(ended.facts)
    }

    /// The token with which the baseline's answers stop, where it gives ids.
    fn end_token(&self, model: &str, tokenizer: &Tokenizer) -> Result<Option<u32>> {
        for trial in self.plan.trials.iter().filter(|t| t.model == model && t.arm == BASELINE) {
            let record = self.bundle.trial(&trial.folder())?;
            let stopped = record.requests.iter().filter(|r| r.outcome == Outcome::Complete && r.finish == "stop");
            let last = stopped.filter_map(|r| ids(&record, r.request).last().copied());
            if let Some(end) = last.into_iter().find(|id| tokenizer.is_special(*id)) {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    async fn trial(
        &mut self,
        control: &Control,
        served_name: &str,
        tokenizer: &Tokenizer,
        record: &TrialRecord,
        end: Option<u32>,
        sample: &[u32],
    ) -> Vec<ReferenceRow> {
        let trial = &record.trial.trial;
        let mut all = Vec::new();
        for &id in sample {
            let most = self.requests[id as usize].max_tokens.unwrap_or(self.workload.sampling.max_tokens);
            let (source, output) = output(record, tokenizer, end, id, most.saturating_add(MOST_SPARE_IDS));
            let result = match source {
                Source::None => Err("the request has no complete answer".to_owned()),
                _ => self.one(control, served_name, &trial.model, id, &output).await,
            };
            let (rows, failure) = result.map_or_else(|why| (Vec::new(), why), |rows| (rows, String::new()));
            let source = if failure.is_empty() { source } else { Source::None };
            self.graded.push(GradedRow {
                trial: trial.folder(),
                request: id,
                source,
                tokens: rows.len() as u32,
                failure,
            });
            all.extend(rows);
            self.done += 1;
            self.options.observer.see(&Event::Graded { done: self.done, of: self.plan.trials.len() * sample.len() });
        }
        all
    }

    async fn one(
        &mut self,
        control: &Control,
        served_name: &str,
        model: &str,
        id: u32,
        output: &[u32],
    ) -> std::result::Result<Vec<ReferenceRow>, String> {
        let key = (model.to_owned(), id);
        if !self.prompts.contains_key(&key) {
            let ids = control.tokenize(served_name, &self.requests[id as usize]).await?;
            self.prompts.insert(key.clone(), ids);
        }
        control.score(served_name, id, &self.prompts[&key], output).await
    }

    fn prompt_rows(&self) -> Vec<PromptRow> {
        self.prompts
            .iter()
            .map(|((model, request), ids)| PromptRow {
                model: model.clone(),
                request: *request,
                ids: List(ids.clone()),
            })
            .collect()
    }
}

/// The output tokens of a complete request: those the server sent, else our tokenizer's
/// reading of its text; and, where it says that it stopped, the end if it did not send it. Of
/// the ids that it sent no more than `most`.
fn output(record: &TrialRecord, tokenizer: &Tokenizer, end: Option<u32>, id: u32, most: u32) -> (Source, Vec<u32>) {
    let Some(request) = record.requests.iter().find(|r| r.request == id && r.outcome == Outcome::Complete) else {
        return (Source::None, Vec::new());
    };
    let mut sent = ids(record, id);
    sent.truncate(most as usize);
    let (source, mut output) = if sent.is_empty() {
        let text: String = record.chunks.iter().filter(|c| c.request == id).map(|c| c.text.as_str()).collect();
        (Source::Text, tokenizer.encode(&text))
    } else {
        (Source::Ids, sent)
    };
    let whole = request.finish == "length";
    if !whole && !output.last().is_some_and(|id| tokenizer.is_special(*id)) {
        output.extend(end);
    }
    if output.is_empty() { (Source::None, output) } else { (source, output) }
}

/// The token ids that a server sent for a request.
fn ids(record: &TrialRecord, request: u32) -> Vec<u32> {
    record.chunks.iter().filter(|c| c.request == request).flat_map(|c| c.ids.0.iter().copied()).collect()
}

fn holds(bundle: &Bundle, trial: &str) -> bool {
    let record = format!("{TRIALS}/{trial}/{TRIAL}");
    bundle.has(&record)
}

fn read_seed(path: &Path) -> Result<[u8; 32]> {
    let text = fs::read_to_string(path).map_err(|e| {
        Problem::io(Kind::Machine, "read the audit seed", path, &e)
            .next("the seed waits beside the run's folder on the host that ran it; grade there, or bring the file")
    })?;
    audit::seed_from_hex(text.trim())
        .ok_or_else(|| Problem::input("not 64 hexadecimal digits").at(path.display().to_string()))
}
