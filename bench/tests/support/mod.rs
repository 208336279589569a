//! Runs the program `bench` as a person would: arguments and files in; exit code, output
//! and bundles out.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod cluster;
pub mod engine;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use lab::bundle::{Bundle, TrialRecord};

/// A folder of its own, a workload file in it, and the program.
pub struct Lab {
    pub folder: tempfile::TempDir,
}

/// A workload file in the making.
#[derive(Clone)]
pub struct Workload {
    pub baseline: String,
    pub candidates: Vec<(String, String)>,
    pub rounds: u32,
    pub requests: u32,
    pub concurrency: u32,
    pub max_tokens: u32,
    /// Words of each prompt.
    pub words: u32,
    /// More lines of `[sampling]`.
    pub sampling: String,
    pub limits: String,
    pub equivalence: String,
    pub more: String,
    /// Arms that are images: name, image and options.
    pub images: Vec<(String, String, String)>,
    /// Lines of `[container]`.
    pub container: String,
}

/// Options of a quick honest server.
pub const QUICK: &str = "--ttft 2ms --itl 200us";

/// A small container.
const SMALL: &str = "memory = \"128MiB\"\nshm = \"16MiB\"\nscratch = \"16MiB\"\n";

impl Default for Workload {
    fn default() -> Self {
        Workload {
            baseline: QUICK.into(),
            candidates: Vec::new(),
            rounds: 1,
            requests: 4,
            concurrency: 2,
            max_tokens: 12,
            words: 16,
            sampling: String::new(),
            limits: "ready = \"10s\"\nrequest = \"5s\"\nphase = \"30s\"\nstop = \"500ms\"\nresponse = \"256KiB\"\n"
                .into(),
            equivalence: String::new(),
            more: String::new(),
            images: Vec::new(),
            container: String::new(),
        }
    }
}

impl Workload {
    /// Servers in containers; the baseline is this image with these options.
    pub fn of_images(image: &str, options: &str) -> Self {
        Workload { container: SMALL.into(), ..Workload::default() }.image("baseline", image, options)
    }

    /// Adds a candidate, or the baseline: an image of the stub with these options.
    #[must_use]
    pub fn image(mut self, name: &str, image: &str, options: &str) -> Self {
        self.images.push((name.into(), format!("image = {image:?}"), options.into()));
        self
    }

    /// Adds a candidate: an image of the stub in a file.
    #[must_use]
    pub fn archive(mut self, name: &str, path: &Path, options: &str) -> Self {
        let (digest, _) = lab::Digest::of_file(path).unwrap();
        let source = format!("archive = {{ path = {path:?}, digest = \"{digest}\" }}");
        self.images.push((name.into(), source, options.into()));
        self
    }

    /// Adds a candidate: the stub with these options.
    #[must_use]
    pub fn candidate(mut self, name: &str, options: &str) -> Self {
        let quick = if options.contains("--ttft") { "" } else { QUICK };
        self.candidates.push((name.into(), format!("{quick} {options}")));
        self
    }

    /// Grades `sample` outputs of each trial under a declared tolerance.
    #[must_use]
    pub fn graded(mut self, sample: u32) -> Self {
        self.equivalence = format!(
            "[equivalence]\nsample = {sample}\n[equivalence.tolerance]\ncap_nats = 0.5\nmean = 0.01\nfar = 0.05\n"
        );
        self
    }

    /// Grades, and measures suspects again.
    #[must_use]
    pub fn confirmed(self, sample: u32, rounds: u32) -> Self {
        let graded = self.graded(sample);
        let equivalence = graded.equivalence.replace("sample =", &format!("confirm = {rounds}\nsample ="));
        Workload { equivalence, ..graded }
    }

    fn to_toml(&self) -> String {
        let command = |options: &str| {
            let options: Vec<String> = options.split_whitespace().map(|o| format!("{o:?}")).collect();
            format!(
                "command = [\"{{bench}}\", \"stub\", \"--port\", \"{{port}}\", \"--model-name\", \"{{served_name}}\", {}]\n",
                options.join(", ")
            )
        };
        let mut toml = format!("name = \"test\"\n[models.toy]\npath = {:?}\n", model());
        if self.images.iter().all(|(name, ..)| name != "baseline") {
            toml += &format!("[baseline]\n{}", command(&self.baseline));
        }
        for (name, options) in &self.candidates {
            toml += &format!("[candidates.{name}]\n{}", command(options));
        }
        for (name, source, options) in &self.images {
            let section = if name == "baseline" { name.clone() } else { format!("candidates.{name}") };
            let own = ["--port", "{port}", "--model-name", "{served_name}"];
            let args: Vec<&str> = own.into_iter().chain(options.split_whitespace()).collect();
            toml += &format!("[{section}]\n{source}\nargs = {args:?}\n");
        }
        if !self.container.is_empty() {
            toml += &format!("[container]\n{}", self.container);
        }
        toml += &format!(
            "[requests.prose]\nseed = 3\nwords = {}\n[sampling]\nmax_tokens = {}\n{}[[load]]\nname = \"main\"\nrequests = {}\nclosed = {{ concurrency = {} }}\n[rounds]\ncount = {}\n[warmup]\nrequests = 1\n[limits]\n{}{}{}",
            self.words,
            self.max_tokens,
            self.sampling,
            self.requests,
            self.concurrency,
            self.rounds,
            self.limits,
            self.equivalence,
            self.more
        );
        toml
    }
}

/// The stub's model folder.
pub fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../stub/model").canonicalize().unwrap()
}

impl Lab {
    pub fn new() -> Self {
        Lab { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs `bench` with these arguments in the folder.
    pub fn bench(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Writes the workload as `x.toml`.
    pub fn plan(&self, workload: &Workload) -> PathBuf {
        self.write("x.toml", &workload.to_toml())
    }

    /// Writes the workload as `x.toml` and runs it.
    pub fn run(&self, workload: &Workload) -> Output {
        self.plan(workload);
        self.bench(&["run", "x.toml"])
    }

    /// Writes the workload as `x.toml` and starts running it.
    pub fn start(&self, workload: &Workload) -> Child {
        self.plan(workload);
        self.command(&["run", "x.toml"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The folders of runs, sealed or not, oldest first.
    pub fn runs(&self) -> Vec<PathBuf> {
        let list = |path: &Path| {
            fs::read_dir(path)
                .map(|d| d.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect::<Vec<_>>())
                .unwrap_or_default()
        };
        let mut runs: Vec<_> = list(&self.path("results")).iter().flat_map(|day| list(day)).collect();
        runs.sort();
        runs
    }

    /// The one bundle of trials.
    pub fn bundle(&self) -> Bundle {
        let bundles: Vec<_> =
            self.runs().iter().filter_map(|p| Bundle::open(p).ok()).filter(Bundle::is_measure).collect();
        assert_eq!(bundles.len(), 1, "exactly one sealed bundle of trials");
        bundles.into_iter().next().unwrap()
    }

    /// A verb on all sealed bundles.
    pub fn on_bundles(&self, arguments: &[&str]) -> Output {
        let bundles: Vec<String> = self.runs().iter().map(|p| p.display().to_string()).collect();
        let arguments: Vec<&str> = arguments.iter().copied().chain(bundles.iter().map(String::as_str)).collect();
        self.bench(&arguments)
    }

    /// The one trial of a candidate.
    pub fn trial(&self, arm: &str) -> TrialRecord {
        let bundle = self.bundle();
        let plan = bundle.plan().unwrap();
        let trial = plan.trials.iter().find(|t| t.arm == arm).unwrap();
        bundle.trial(&trial.folder()).unwrap()
    }
}

/// Exit code of an output; a signal is none.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Processes of the system whose command line holds `text`.
pub fn processes_with(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(line) = fs::read(entry.path().join("cmdline")) {
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(text) {
                found.push(format!("{} {line}", entry.file_name().to_string_lossy()));
            }
        }
    }
    found
}

/// Waits for a condition, with a deadline that only a hang reaches.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// Waits for a value, with a deadline that only a hang reaches.
pub fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed().as_secs() < 60, "waited too long until {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
