use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    ENVIRONMENTS, File, GRADE, Kind, MANIFEST, Manifest, PLAN, REFERENCE, REQUESTS, RUN, TELEMETRY, TOKENIZERS, TRACES,
    TRIAL, TRIALS, WIRE, WORKLOAD,
};
use crate::{
    Digest, Problem, Result,
    environment::Environment,
    plain,
    plan::Plan,
    records::{self, ChunkRow, ReferenceRow, RequestRow, TelemetryRow},
    requests::Request,
    tokenizer::Tokenizer,
    trace::{self, Arrival},
    workload::Workload,
};

/// A trace, a tokenizer, a file of JSON or TOML is no larger than this.
const LARGEST_FILE: u64 = 256 << 20;

/// A workload file is no larger.
const LARGEST_WORKLOAD: u64 = 16 << 20;

/// Of what is read as a whole no file is larger: a request set, a table of rows.
const LARGEST_WHOLE: u64 = 4 << 30;

/// No manifest is larger, lists more files, or a file that is larger than any; nor all of them.
const LARGEST_MANIFEST: u64 = 64 << 20;
const MOST_PARENTS: usize = 16;
pub(super) const MOST_FILES: usize = 200_000;
const LARGEST: u64 = super::tables::LARGEST;
const MOST_BYTES: u64 = 256 << 30;

/// A sealed bundle, opened. Files are read when they are asked for; each is compared with
/// its digest as it is read.
#[derive(Debug)]
pub struct Bundle {
    /// Its folder.
    pub path: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
    /// The digest of the manifest.
    pub id: Digest,
}

/// One trial of a bundle.
#[derive(Debug)]
pub struct TrialRecord {
    /// `trial.json`.
    pub trial: records::Trial,
    /// One row for each request.
    pub requests: Vec<RequestRow>,
    /// One row for each event that carries output or an end.
    pub chunks: Vec<ChunkRow>,
}

impl Bundle {
    /// Opens a sealed folder.
    pub fn open(path: &Path) -> Result<Self> {
        let manifest = manifest(path)?;
        Ok(Bundle { path: path.to_owned(), id: manifest.id(), manifest })
    }

    /// Whether it holds trials.
    pub fn is_measure(&self) -> bool {
        self.manifest.kind == Kind::Measure
    }

    /// What the manifest says of a file that is there, with that size.
    pub(super) fn entry(&self, name: &str) -> Result<&File> {
        let place = || self.path.join(name).display().to_string();
        let entry = self.listed(name).ok_or_else(|| Problem::broken("the bundle has no such file").at(place()))?;
        if !super::verify::is_inside(name) {
            return Err(Problem::broken("this path leads out of the bundle").at(place()));
        }
        if entry.is_external() && !fs::exists(self.path.join(name)).unwrap_or(true) {
            let next = "put the file with this digest there; whoever published the bundle has it";
            return Err(Problem::broken(entry.not_here()).at(place()).next(next));
        }
        let changed = |m: fs::Metadata| !m.is_file() || m.len() != entry.size;
        if self.through_a_link(name) || fs::symlink_metadata(self.path.join(name)).is_ok_and(changed) {
            return Err(Problem::broken("this is not the file that was sealed").at(place()).next("run bench verify"));
        }
        Ok(entry)
    }

    /// Whether a folder on the way to a file is no folder but leads elsewhere.
    fn through_a_link(&self, name: &str) -> bool {
        let folders = name.match_indices('/').map(|(end, _)| self.path.join(&name[..end]));
        folders.filter_map(|folder| fs::symlink_metadata(folder).ok()).any(|m| !m.is_dir())
    }

    /// The bytes of a file of the bundle, which are those that were sealed.
    pub fn file(&self, name: &str) -> Result<Vec<u8>> {
        let place = || self.path.join(name).display().to_string();
        let entry = self.entry(name)?;
        let full = self.path.join(name);
        if entry.size > LARGEST_WHOLE {
            return Err(Problem::broken("too large to be this file").at(place()));
        }
        let bytes = plain::read(&full, entry.size).map_err(|e| Problem::io(crate::Kind::Broken, "read", &full, &e))?;
        if Digest::of(&bytes) != entry.sha256 {
            return Err(Problem::broken("these are not the bytes that were sealed")
                .at(place())
                .next("run bench verify"));
        }
        Ok(bytes)
    }

    /// Whether the bundle has a file.
    pub fn has(&self, name: &str) -> bool {
        self.listed(name).is_some()
    }

    /// What the manifest says of a file. Its files are sorted by path.
    fn listed(&self, name: &str) -> Option<&File> {
        let files = &self.manifest.files;
        files.binary_search_by(|file| file.path.as_str().cmp(name)).ok().map(|place| &files[place])
    }

    /// A file of the bundle as text.
    pub fn text(&self, name: &str) -> Result<String> {
        String::from_utf8(self.file(name)?)
            .map_err(|_| Problem::broken("not UTF-8").at(self.path.join(name).display().to_string()))
    }

    /// A file of JSON or TOML as text; nothing is read of one that is too large to be any.
    fn document(&self, name: &str) -> Result<String> {
        let most = if name == WORKLOAD { LARGEST_WORKLOAD } else { LARGEST_FILE };
        if self.entry(name)?.size > most {
            return Err(Problem::broken("too large to be this file").at(self.path.join(name).display().to_string()));
        }
        self.text(name)
    }

    /// The workload, as the stage that this bundle is ran it.
    pub fn workload(&self) -> Result<Workload> {
        self.staged(self.declared()?)
    }

    /// The workload as its file says, whichever stage this bundle is.
    pub fn declared(&self) -> Result<Workload> {
        crate::workload::parse(&self.document(WORKLOAD)?, &self.path.join(WORKLOAD)).map_err(not_theirs)
    }

    /// A workload as the plan of this bundle runs it.
    pub fn staged(&self, workload: Workload) -> Result<Workload> {
        self.plan()?.workload(workload).map_err(|p| Problem::broken(p.what).at(PLAN))
    }

    /// The plan.
    pub fn plan(&self) -> Result<Plan> {
        Plan::from_json(&self.document(PLAN)?)
    }

    /// The facts of the run that it is of, in a measure bundle.
    pub fn run(&self) -> Result<records::Run> {
        super::versioned(&self.document(RUN)?, records::FORMAT, RUN)
    }

    /// The name that its run gave it, of a measure bundle: workload, host, run and, from the second
    /// on, its stage, as they are sealed; whatever its folder is called.
    pub fn name(&self) -> Result<String> {
        let (run, plan, workload) = (self.run()?.run, self.plan()?, self.declared()?.name);
        let stage = plan.stage.map_or(String::new(), |stage| format!("-stage{}", stage.number));
        let hosts = self.environments()?;
        let all: Vec<String> = hosts.iter().map(|host| format!("{workload}-{}-{run}{stage}", host.host)).collect();
        // A run that went on elsewhere has several hosts; the first one named it.
        let folder = self.path.file_name().unwrap_or_default();
        let named = all.iter().find(|name| folder == name.as_str()).or(all.first());
        Ok(named.cloned().unwrap_or_else(|| format!("{workload}-{run}{stage}")))
    }

    /// The facts of the grading, in a grade bundle.
    pub fn grade(&self) -> Result<records::Grade> {
        super::versioned(&self.document(GRADE)?, records::FORMAT, GRADE)
    }

    /// The request set.
    pub fn requests(&self) -> Result<Vec<Request>> {
        crate::requests::from_jsonl(&self.text(REQUESTS)?, REQUESTS).map_err(not_theirs)
    }

    /// The arrivals of each trace load, by the load's name: the traces whose digests the
    /// workload names, all of them and no other.
    pub fn traces(&self, workload: &Workload) -> Result<BTreeMap<String, Vec<Arrival>>> {
        let mut traces = BTreeMap::new();
        let mut files = Vec::new();
        for (load, file) in workload.loads.iter().filter_map(|l| Some((&l.name, l.trace.as_ref()?))) {
            let (name, bytes) = (format!("{TRACES}/{load}.zst"), self.trace(load)?);
            let digest = Digest::of(&bytes);
            if digest != file.digest {
                let what = format!("the trace's digest is {digest}, its workload names {}", file.digest);
                return Err(Problem::broken(what).at(name));
            }
            traces.insert(load.clone(), trace::read(&bytes, &name)?);
            files.push(name);
        }
        let below = format!("{TRACES}/");
        match self.manifest.files.iter().find(|f| f.path.starts_with(&below) && !files.contains(&f.path)) {
            None => Ok(traces),
            Some(extra) => Err(Problem::broken("no load of the workload replays this trace").at(extra.path.clone())),
        }
    }

    /// The bytes of the trace that a load replays.
    pub fn trace(&self, load: &str) -> Result<Vec<u8>> {
        let name = format!("{TRACES}/{load}.zst");
        super::tables::decompress(&self.file(&name)?, LARGEST_FILE, &name)
    }

    /// The environment of every host, by file name.
    pub fn environments(&self) -> Result<Vec<Environment>> {
        let names = self.manifest.files.iter().map(|f| f.path.as_str()).filter(|p| p.starts_with(ENVIRONMENTS));
        names.map(|name| Environment::from_json(&self.document(name)?)).collect()
    }

    /// A model's tokenizer.
    pub fn tokenizer(&self, model: &str) -> Result<Tokenizer> {
        let name = format!("{TOKENIZERS}/{model}.json.zst");
        let bytes = super::tables::decompress(&self.file(&name)?, LARGEST_FILE, &name)?;
        Tokenizer::from_bytes(&bytes).map_err(|p| Problem::broken(p.what).at(name))
    }

    /// The facts of a trial: its `trial.json`, and no evidence.
    pub fn trial_facts(&self, folder: &str) -> Result<records::Trial> {
        let name = format!("{TRIALS}/{folder}/{TRIAL}");
        super::versioned(&self.document(&name)?, records::FORMAT, &name)
    }

    /// The facts and rows of a trial, made of its raw bytes; no rows where it failed before
    /// anybody was asked.
    pub fn trial(&self, folder: &str) -> Result<TrialRecord> {
        let trial = self.trial_facts(folder)?;
        let (mut requests, mut chunks) = (Vec::new(), Vec::new());
        if trial.outcome == records::TrialOutcome::Completed || self.has(&format!("{TRIALS}/{folder}/{WIRE}")) {
            for exchange in self.exchanges(folder)? {
                let exchange = exchange?;
                let (request, own) = exchange.rows(&exchange.derive());
                requests.push(request);
                chunks.extend(own);
            }
        }
        Ok(TrialRecord { trial, requests, chunks })
    }

    /// What the GPUs of a trial did; no rows where nobody looked.
    pub fn telemetry(&self, folder: &str) -> Result<Vec<TelemetryRow>> {
        let name = format!("{TRIALS}/{folder}/{TELEMETRY}");
        if self.has(&name) { self.table(&name) } else { Ok(Vec::new()) }
    }

    /// The reference's view of a trial's graded outputs, in a grade bundle; none where
    /// the trial had nothing to grade.
    pub fn reference(&self, folder: &str) -> Result<Vec<ReferenceRow>> {
        let name = format!("{REFERENCE}/{folder}.csv.zst");
        if self.has(&name) { self.table(&name) } else { Ok(Vec::new()) }
    }

    /// Any table of the bundle.
    pub fn table<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Vec<T>> {
        super::read_table(&self.file(name)?, name)
    }
}

/// A mistake in what a bundle holds is none of whoever reads it. What it quotes may be a whole file.
fn not_theirs(problem: Problem) -> Problem {
    let what = crate::text::cut(&problem.what, LONGEST_SAID).to_owned();
    Problem { kind: crate::Kind::Broken, what, ..problem }
}

/// Bytes that are said of a mistake.
const LONGEST_SAID: usize = 1_500;

/// The manifest of a folder.
pub(super) fn manifest(path: &Path) -> Result<Manifest> {
    let file = path.join(MANIFEST);
    if !file.exists() && fs::symlink_metadata(&file).is_err() {
        return Err(super::absent::no_bundle(path));
    }
    let broken = |what: &str| Problem::broken(what).at(file.display().to_string());
    if fs::symlink_metadata(&file).is_ok_and(|m| !m.is_file() || m.len() > LARGEST_MANIFEST) {
        return Err(broken("the manifest is no plain file of a manifest's size"));
    }
    let bytes = plain::read(&file, LARGEST_MANIFEST)
        .map_err(|e| Problem::io(crate::Kind::Broken, "read the manifest", &file, &e))?;
    let text = String::from_utf8(bytes).map_err(|_| broken("the manifest is not UTF-8"))?;
    let manifest = Manifest::from_json(&text)?;
    if manifest.to_json() != text {
        return Err(broken("the manifest is not written as this program writes it, so its digest is no id"));
    }
    if manifest.parents.len() > MOST_PARENTS {
        let parents = manifest.parents.len();
        return Err(broken(&format!(
            "the manifest names {parents} parents, and no bundle has more than {MOST_PARENTS}"
        )));
    }
    sizes(&manifest.files).map_err(|what| broken(&what))?;
    Ok(manifest)
}

/// Whether what a manifest lists can be a bundle's: each file once, in order, and no more than
/// anybody has the time to read.
pub(super) fn sizes(files: &[File]) -> std::result::Result<(), String> {
    if files.len() > MOST_FILES {
        return Err(format!("the manifest lists {} files, and no bundle has more than {MOST_FILES}", files.len()));
    }
    let shown = |file: &File| crate::text::shown(&file.path, 200);
    if let Some([_, second]) = files.array_windows().find(|[first, second]| first.path >= second.path) {
        return Err(format!("the manifest lists {} twice, or not in order", shown(second)));
    }
    if let Some(large) = files.iter().find(|file| file.size > LARGEST) {
        let (size, path) = (large.size, shown(large));
        return Err(format!(
            "the manifest lists {path} with {size} bytes, and no file of a bundle has more than {LARGEST}"
        ));
    }
    let all = files.iter().fold(0u64, |sum, file| sum.saturating_add(file.size));
    if all > MOST_BYTES {
        return Err(format!("the manifest lists {all} bytes in all, and no bundle has more than {MOST_BYTES}"));
    }
    Ok(())
}
