//! A script becomes bundles: what its servers say is measured, graded and sealed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use lab::{
    Digest, Nanos, audit,
    bundle::{self, Kind, RunFolder, write_exchanges, write_table},
    environment::{Environment, Gpu, ModelFacts, Program},
    plan::{self, Plan},
    records::{self, *},
    requests, schedule,
    wire::End,
    workload::{Requests, Workload},
};

use super::{
    Ask, PROMPT, SEED, Script, honest,
    stream::{Timetable, exchange, free_again},
    words::{END, tokenizer_json, word},
};

const STARTED: &str = "2026-01-01T00:00:00Z";

impl Script {
    /// Runs, grades and seals a workload: the measure bundle, and its grade.
    pub(super) fn seal_into(&self, folder: &Path, workload: Workload) -> Vec<PathBuf> {
        let named = |name: &str| match &workload.stage {
            None => folder.join(name),
            Some(stage) => folder.join(format!("{name}-stage{}", stage.number)),
        };
        let Requests::Prose { seed, words } = workload.requests else { panic!("prose") };
        let mut set = requests::prose(seed, words, workload.requests_in_all());
        for i in 0..set.len() {
            let id = set[i].id;
            (set[i].session, set[i].max_tokens) = ((self.session)(id), (self.most)(id));
            // A turn repeats what was said before it.
            if i > 0 && set[i].session.is_some() && set[i - 1].session == set[i].session {
                let said = std::mem::take(&mut set[i].messages);
                let before = set[i - 1].messages.clone();
                set[i].messages = before.into_iter().chain(said).collect();
            }
        }
        let schedule = schedule::of(&workload, &set, &BTreeMap::new());
        let turns = schedule::turns(&set);
        let set = requests::to_jsonl(&set);
        let mut plan = plan::expand(&workload, Digest::of(&set), schedule::digest(schedule.as_ref()));
        plan.format = if self.old { 1 } else { plan::FORMAT };
        let run = RunFolder::create(&named("measure")).unwrap();
        run.put(bundle::WORKLOAD, workload.source.as_bytes()).unwrap();
        run.put(bundle::PLAN, plan.to_json().as_bytes()).unwrap();
        run.put(bundle::REQUESTS, set.as_bytes()).unwrap();
        if let Some(rows) = &schedule {
            run.put(bundle::SCHEDULE, &schedule::to_csv(rows)).unwrap();
        }
        let due = schedule.unwrap_or_default().into_iter().map(|d| (d.request, d)).collect();
        let timetable = Timetable { due, turns };
        let commitment = audit::commitment(&SEED);
        let facts = Run {
            format: if self.old { 1 } else { records::FORMAT },
            run: "test".into(),
            started: STARTED.into(),
            plan: plan.digest(),
            audit_commitment: commitment,
        };
        run.put(bundle::RUN, &serde_json::to_vec_pretty(&facts).unwrap()).unwrap();
        run.put("environments/here.json", environment(self.gpu).to_json().as_bytes()).unwrap();
        run.put_compressed("tokenizers/toy.json.zst", tokenizer_json().as_bytes()).unwrap();
        for trial in &plan.trials {
            self.trial(&run, trial, &timetable);
        }
        let parents = workload.stage.iter().map(|stage| stage.parent).collect();
        let (measure, id) = run.seal(Kind::Measure, parents, STARTED).unwrap();
        let grade = self.grade.then(|| self.graded(named("grade"), &plan, id));
        std::iter::once(measure).chain(grade).collect()
    }

    fn ask(&self, trial: &plan::Trial, request: u32) -> Ask {
        let phase = trial.phases.iter().find(|p| p.requests.ids().contains(&request));
        let max_tokens = (self.most)(request).unwrap_or(self.max_tokens);
        let load = phase.map(|p| p.load.clone()).unwrap_or_default();
        Ask { round: trial.round, role: trial.role, gpus: trial.gpus, request, max_tokens, load }
    }

    fn trial(&self, run: &RunFolder, trial: &plan::Trial, timetable: &Timetable) {
        let failure = self.failed.iter().find(|(arm, round, _)| *arm == trial.arm && *round == trial.round);
        let mut clock = 1_000_000;
        let mut exchanges = Vec::new();
        let mut phases = Vec::new();
        for id in trial.warmup.ids() {
            let said = honest(1_000)(&self.ask(trial, id));
            exchanges.push(exchange(id, WARMUP, &said, Nanos(clock)));
            clock = free_again(&exchanges);
        }
        for phase in trial.phases.iter().filter(|_| failure.is_none()) {
            let start_ns = Nanos(clock);
            let said = |id| self.arms[&trial.arm].0(&self.ask(trial, id));
            let own = timetable.run(phase, start_ns, &said);
            let end_ns = own.iter().filter(|e| e.end != End::TimeUp).map(|e| e.end_ns).max().unwrap_or(start_ns);
            phases.push(PhaseStage {
                load: phase.load.clone(),
                start_ns,
                end_ns: Nanos(end_ns.0 + 1_000),
                client_cpu_ns: None,
                out_of_order: None,
                client_peak_bytes: None,
            });
            clock = end_ns.0 + 2_000;
            let never = own.iter().filter(|e| e.end == End::TimeUp).map(|e| (trial.n, e.request));
            self.never.borrow_mut().extend(never);
            exchanges.extend(own);
        }
        if self.old {
            exchanges.iter_mut().for_each(|e| e.started_ns = None);
        }
        let rows: Vec<_> = exchanges.iter().map(|e| e.rows(&e.derive())).collect();
        let requests: Vec<_> = rows.iter().map(|(request, _)| request.clone()).collect();
        let chunks: Vec<_> = rows.into_iter().flat_map(|(_, chunks)| chunks).collect();
        let outcome = failure.map_or(TrialOutcome::Completed, |(_, _, class)| TrialOutcome::Failed {
            class: *class,
            detail: "scripted".into(),
        });
        let record = records::Trial {
            format: if self.old { 1 } else { records::FORMAT },
            trial: trial.clone(),
            host: (self.host)(trial.round).into(),
            started: STARTED.into(),
            outcome,
            server: ServerFacts {
                program: (!self.program.is_empty()).then(|| Digest::of(self.program)),
                ..ServerFacts::default()
            },
            stages: Stages { phases, ..Stages::default() },
            attempts: Vec::new(),
            telemetry: None,
            limits: lab::workload::Limits::default(),
        };
        let files = [
            (bundle::TRIAL, serde_json::to_vec_pretty(&record).unwrap()),
            (bundle::REQUEST_TABLE, if self.old { old_table(&requests) } else { table(&requests) }),
            (bundle::WIRE, write_exchanges(&exchanges)),
        ];
        let chunks = (bundle::CHUNK_TABLE, write_table(&chunks, ChunkRow::HEADER, bundle::CHUNK_TABLE));
        let folder = run.begin_trial(&trial.folder()).unwrap();
        for (name, bytes) in files.into_iter().chain(self.old.then_some(chunks)) {
            folder.put(name, &bytes).unwrap();
        }
        run.publish_trial(folder).unwrap();
    }

    fn graded(&self, path: PathBuf, plan: &Plan, parent: Digest) -> PathBuf {
        let tokenizer = lab::tokenizer::Tokenizer::from_bytes(tokenizer_json().as_bytes()).unwrap();
        let run = RunFolder::create(&path).unwrap();
        let grade = Grade {
            format: 1,
            audit_seed: self.reveal.iter().map(|b| format!("{b:02x}")).collect(),
            value: self.value.map(str::to_owned),
            sample: self.sample,
            references: BTreeMap::from([("toy".to_owned(), ServerFacts::default())]),
            host: "here".into(),
            started: STARTED.into(),
        };
        run.put(bundle::GRADE, &serde_json::to_vec_pretty(&grade).unwrap()).unwrap();
        run.put("environments/here.json", environment(self.gpu).to_json().as_bytes()).unwrap();
        let all = plan.trials.iter().flat_map(|t| t.phases.iter().flat_map(|p| p.requests.ids()));
        let prompts: Vec<PromptRow> = all
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|request| PromptRow { model: "toy".into(), request, ids: List((0..PROMPT as u32).collect()) })
            .collect();
        run.put(bundle::PROMPTS, &write_table(&prompts, PromptRow::HEADER, bundle::PROMPTS)).unwrap();
        let mut graded = Vec::new();
        let seed = audit::completed(&self.reveal, self.drawn.or(self.value));
        for trial in &plan.trials {
            if self.failed.iter().any(|(arm, round, _)| *arm == trial.arm && *round == trial.round) {
                continue;
            }
            let mut reference = Vec::new();
            for request in audit::sample(&seed, parent, trial, self.sample) {
                let ask = self.ask(trial, request);
                let (say, margin) = &self.arms[&trial.arm];
                let mut said = say(&ask);
                if self.never.borrow().contains(&(trial.n, request)) {
                    said.parts.clear();
                }
                let mut received: Vec<u32> = said.parts.iter().flat_map(|p| p.ids.clone()).collect();
                received.truncate((ask.max_tokens + records::MOST_SPARE_IDS) as usize);
                let text: String = said.parts.iter().map(|p| p.text.as_str()).collect();
                let (source, ids) = match (said.status, received.is_empty()) {
                    (200, false) => (Source::Ids, received),
                    (200, true) => (Source::Text, tokenizer.encode(&text)),
                    _ => (Source::None, Vec::new()),
                };
                let ids = if ids.iter().any(|id| (self.refuses)(*id)) { Vec::new() } else { ids };
                let source = if ids.is_empty() { Source::None } else { source };
                let failure = if ids.is_empty() { "nothing to grade" } else { "" };
                let (trial, tokens) = (trial.folder(), ids.len() as u32);
                graded.push(GradedRow { trial, request, source, tokens, failure: failure.into() });
                reference.extend(ids.iter().enumerate().map(|(position, id)| {
                    let m = margin(&ask, position);
                    let other = if *id == END { word(0) } else { END };
                    let best_id = if m > 0.0 { other } else { *id };
                    let rank = 1 + u32::from(m > 0.0);
                    let position = position as u32;
                    ReferenceRow { request, position, id: *id, logprob: -0.1 - m, rank, best_id, best_logprob: -0.1 }
                }));
            }
            let name = format!("{}/{}.csv.zst", bundle::REFERENCE, trial.folder());
            run.put(&name, &write_table(&reference, ReferenceRow::HEADER, &name)).unwrap();
        }
        run.put(bundle::GRADED, &write_table(&graded, GradedRow::HEADER, bundle::GRADED)).unwrap();
        run.seal(Kind::Grade, vec![parent], STARTED).unwrap().0
    }
}

fn table(rows: &[RequestRow]) -> Vec<u8> {
    write_table(rows, RequestRow::HEADER, bundle::REQUEST_TABLE)
}

/// `requests.csv` as version 1 wrote it: without what is new since.
fn old_table(rows: &[RequestRow]) -> Vec<u8> {
    let text = String::from_utf8(table(rows)).unwrap();
    let new = ["started_ns", "behind_ns"].map(|name| RequestRow::HEADER.iter().position(|c| *c == name).unwrap());
    let kept = |line: &str| {
        let fields = line.split(',').enumerate().filter(|(i, _)| !new.contains(i)).map(|(_, f)| f);
        fields.collect::<Vec<_>>().join(",") + "\n"
    };
    text.lines().map(kept).collect::<String>().into_bytes()
}

fn environment(gpu: &str) -> Environment {
    let gpus = if gpu.is_empty() { vec![] } else { vec![Gpu { name: gpu.into(), ..Gpu::default() }] };
    let tokenizer = Digest::of(tokenizer_json());
    let model = ModelFacts { digest: Digest::of("model"), bytes: 1, tokenizer };
    Environment {
        format: lab::environment::FORMAT,
        host: "here".into(),
        cores: 2,
        gpus,
        program: Program { version: "0".into(), digest: None, ..Program::default() },
        models: BTreeMap::from([("toy".into(), model)]),
        ..Environment::default()
    }
}
