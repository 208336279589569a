use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use analysis::{
    Judgement, Study,
    judgement::{Candidate, Verdict},
    study::Trial,
};
use lab::{
    Kind, Problem, Result,
    bundle::{Bundle, Store, Stores, TRIALS},
    workload,
    workload::{Server, Workload},
};
use runner::stage;

use super::{
    cluster::{Cluster, Executor},
    report,
};
use crate::{progress::Lines, screen};

/// Arguments of `bench run`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The workload file
    file: PathBuf,
    /// Folder of dated results
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Folder of reports
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
    /// Continue the newest unfinished run of this workload
    #[arg(long)]
    resume: bool,
    /// Add a stage of so many rounds to the newest sealed run of this workload: prompts are
    /// drawn anew, and evidence adds up
    #[arg(long, value_name = "ROUNDS", conflicts_with = "resume")]
    more: Option<u32>,
    /// Candidates that the added stage measures; all of them where none is named
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "more")]
    only: Vec<String>,
    /// Let a public value that does not exist yet, named here, decide together with the run's own
    /// secret what is graded: nothing is graded before bench grade --reveal, and no stage follows
    #[arg(long, value_name = "TEXT", conflicts_with = "resume")]
    awaits: Option<String>,
    /// The value that the run awaited to which a stage is added, where no grade says it
    #[arg(long, value_name = "VALUE", requires = "more", value_parser = super::public_value)]
    reveal: Option<String>,
    /// Measure and seal only; grade, judge and report are verbs of their own
    #[arg(long)]
    seal_only: bool,
    /// Measure the server at this URL, which runs already, instead of the file's arms
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The environment variable that holds the endpoint's API key
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    api_key_env: Option<String>,
    #[command(flatten)]
    cluster: Cluster,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workload = match &args.endpoint {
        None => workload::read(&args.file)?,
        Some(url) => workload::of_endpoint(&args.file, url, args.api_key_env.as_deref())?,
    };
    if let (Some(url), Executor::Slurm) = (&args.endpoint, args.cluster.executor) {
        return Err(Problem::input("one server cannot be measured by many nodes at once")
            .at(format!("--endpoint {url}"))
            .next("leave --executor slurm out: it is measured from this host"));
    }
    let mut arms = workload.arms().map(|(_, arm)| arm);
    if arms.any(|arm| matches!(arm.server, Server::Command(_))) {
        eprintln!("note: commands run as this user, unconfined: only for servers that you trust");
    }
    let lines = Lines::new();
    let staged = staged(args, &workload)?;
    if args.more.is_some() && forewarn(args, &staged)?.is_none() {
        return Ok(ExitCode::from(130));
    }
    let measured = match measure_and_grade(args, &staged, args.resume, &lines)? {
        Measured::Sealed(path) => path,
        Measured::Elsewhere => return Ok(ExitCode::SUCCESS),
        Measured::Stopped => return Ok(stopped(args)),
    };
    if args.seal_only {
        println!("bundle  {}", measured.display());
        return Ok(ExitCode::SUCCESS);
    }
    if let (Some(awaited), true) = (&staged.awaits, staged.equivalence.is_some()) {
        tell_what_is_awaited(args, &measured, awaited);
        return Ok(ExitCode::SUCCESS);
    }
    let Some(mut judged) = Judged::of(&measured)? else { return Ok(sealed_already(args, &measured)) };
    something_measured(&measured, &judged.study)?;
    if let Some(confirming) = confirming(&workload, &judged.study, &judged.judgement) {
        println!("{}", confirming.why);
        let more = stage::More { out: &args.out, rounds: confirming.rounds, only: &confirming.suspects, value: None };
        let next = workload.clone().staged(stage::next(&workload, &more)?)?;
        // Whatever was resumed is sealed by now: this stage begins here.
        let Measured::Sealed(measured) = measure_and_grade(args, &next, false, &lines)? else {
            return Ok(stopped(args));
        };
        let Some(confirmed) = Judged::of(&measured)? else { return Ok(sealed_already(args, &measured)) };
        judged = confirmed;
    }
    let out = report_folder(args, &judged.bundles[0]);
    let written = super::work_until_interrupted(move || {
        let page = report::write(&judged.study, &judged.judgement, &out)?;
        Ok((page, judged))
    })?;
    let Some((page, Judged { study, judgement, .. })) = written else { return Ok(sealed_already(args, &measured)) };
    print!("{}", analysis::report::table(&judgement, screen::width(), screen::colours()));
    if let Some(overhead) = &judgement.baseline.containers {
        println!("\ncontainers: {overhead}");
    }
    println!();
    for stage in &study.stages {
        println!("bundle  {}", stage.measure.path.display());
        stage.grades.iter().for_each(|grade| println!("grade   {}", grade.path.display()));
    }
    println!("report  {}", page.display());
    Ok(ExitCode::SUCCESS)
}

/// The workload as the stage that is asked for, or that was begun and is not finished.
fn staged(args: &Args, workload: &Workload) -> Result<Workload> {
    if let Some(begun) = args.resume.then(|| stage::unfinished(workload, &args.out)).flatten() {
        return begun.workload(workload.clone());
    }
    let staged = match args.more {
        Some(rounds) => {
            let more = stage::More { out: &args.out, rounds, only: &args.only, value: args.reveal.as_deref() };
            workload.clone().staged(stage::next(workload, &more)?)?
        }
        None => workload.clone(),
    };
    match &args.awaits {
        Some(value) => staged.awaiting(value.clone()),
        None => Ok(staged),
    }
}

/// Says how to go on when the value is known.
fn tell_what_is_awaited(args: &Args, measured: &Path, awaited: &str) {
    let (bundle, file) = (measured.display(), args.file.display());
    println!("bundle  {bundle}");
    println!("awaits  {}", lab::text::shown(awaited, 300));
    println!("when it is known: bench grade {bundle} --workload {file} --reveal VALUE");
}

/// Says what a stage can change before it takes any time; none where Ctrl-C came meanwhile.
fn forewarn(args: &Args, staged: &Workload) -> Result<Option<()>> {
    let store = Store::below(&args.out);
    let Some((stage, before)) = staged.stage.as_ref().and_then(|stage| Some((stage, store.find(stage.parent)?))) else {
        return Ok(Some(()));
    };
    let Some(judged) = Judged::of(&before.path)? else { return Ok(None) };
    let found = analysis::prospects(&judged.study, &judged.judgement, stage.rounds, &stage.candidates);
    println!("what stage {} of {} can change", stage.number, count(stage.rounds));
    let say = |indent: usize, text: &str| {
        for line in screen::wrapped(&lab::text::shown(text, 600), screen::width() - indent) {
            println!("{}{line}", " ".repeat(indent));
        }
    };
    for prospect in &found {
        say(2, &prospect.candidate);
        say(4, &format!("outputs: {}", prospect.outputs));
        say(4, &format!("speed: {}", prospect.speed));
    }
    if found.iter().all(|prospect| !prospect.open) {
        say(2, "note: no verdict and no claim can change; Ctrl-C keeps the time for something else");
    }
    Ok(Some(()))
}

/// `1 round`, `3 rounds`.
fn count(rounds: u32) -> String {
    format!("{rounds} round{}", if rounds == 1 { "" } else { "s" })
}

/// A stage that a workload asks for where candidates are suspect after the first one.
struct Confirming {
    rounds: u32,
    suspects: Vec<String>,
    why: String,
}

fn confirming(workload: &Workload, study: &Study, judgement: &Judgement) -> Option<Confirming> {
    let rounds = workload.equivalence.as_ref()?.confirm.filter(|_| study.stages.len() == 1)?;
    let suspect = |c: &&Candidate| c.verdict == Verdict::Undecided && c.reasons.iter().any(|r| r.code == "suspect");
    let suspects: Vec<String> = judgement.candidates.iter().filter(suspect).map(|c| c.name.clone()).collect();
    let (rounds_of, names) = (count(rounds), suspects.join(", "));
    let why = format!("suspect: {names}; a second stage of {rounds_of} with prompts drawn anew has to confirm it");
    (!suspects.is_empty()).then_some(Confirming { rounds, suspects, why })
}

/// The run that a bundle is the last stage of, with the calibration that its workload names.
struct Judged {
    bundles: Vec<PathBuf>,
    study: Study,
    judgement: Judgement,
}

impl Judged {
    /// None where Ctrl-C came before the end.
    fn of(last: &Path) -> Result<Option<Self>> {
        let last = last.to_owned();
        super::work_until_interrupted(move || {
            let mut stores = Stores::default();
            let bundles = stores.around(&last).stages(Bundle::open(&last)?.id);
            let study = Study::open(&super::with_calibration(&mut stores, &bundles)?)?;
            let judgement = analysis::judge(&study);
            Ok(Judged { bundles, study, judgement })
        })
    }
}

fn something_measured(measured: &Path, study: &Study) -> Result<()> {
    let nothing = if !study.trials.iter().any(Trial::completed) {
        "no trial completed"
    } else if !study.trials.iter().flat_map(|t| &t.responses).any(|r| r.complete()) {
        "no request got a whole answer"
    } else {
        return Ok(());
    };
    let trials = measured.join(TRIALS);
    Err(Problem::new(Kind::NothingMeasured, nothing)
        .at(measured.display().to_string())
        .next(format!("read detail in requests.csv, outcome in trial.json and server.log in {}/*", trials.display())))
}

/// Says how to go on after Ctrl-C.
fn stopped(args: &Args) -> ExitCode {
    let folders = [("--out", &args.out, "results"), ("--reports", &args.reports, "reports")];
    let given = folders.iter().filter(|(_, path, usual)| path.as_os_str() != *usual);
    let sealing = if args.seal_only { " --seal-only" } else { "" };
    let mut given: String = given.map(|(flag, path, _)| format!(" {flag} {}", path.display())).collect();
    for (flag, value) in [("--endpoint", &args.endpoint), ("--api-key-env", &args.api_key_env)] {
        given.extend(value.iter().map(|value| format!(" {flag} {value}")));
    }
    let kept = match args.cluster.executor {
        Executor::Local => "finished trials are kept",
        Executor::Slurm => "tasks go on without this program (`bench cancel` ends them)",
    };
    let (file, cluster) = (args.file.display(), args.cluster.given());
    eprintln!("stopped; {kept}. Continue with: bench run {file}{given}{cluster}{sealing} --resume");
    ExitCode::from(130)
}

/// Says after Ctrl-C that nothing is lost: what was measured is sealed, and is judged at any time.
fn sealed_already(args: &Args, measured: &Path) -> ExitCode {
    let stages = Bundle::open(measured).map(|bundle| Store::around(measured).stages(bundle.id)).unwrap_or_default();
    let bundles: String = stages.iter().map(|path| format!(" {}", path.display())).collect();
    let first = stages.first().map_or(measured, PathBuf::as_path);
    let out = report_folder(args, first);
    eprintln!(
        "stopped; everything is measured and sealed already. Its report: bench report{bundles} --out {}",
        out.display()
    );
    ExitCode::from(130)
}

/// What came of measuring and grading.
pub(super) enum Measured {
    /// The measure bundle.
    Sealed(PathBuf),
    /// Tasks of a cluster do it, or would do it.
    Elsewhere,
    /// It was interrupted.
    Stopped,
}

/// Measures, seals, grades, seals.
fn measure_and_grade(args: &Args, workload: &Workload, resume: bool, lines: &Lines) -> Result<Measured> {
    let (bench, here) = (super::this_program()?, super::folder_of(&args.file));
    let revision = super::revision();
    let program = runner::ready::Program { bench: &bench, revision, here: &here };
    let options = runner::run::Options { out: &args.out, resume, program, observer: lines };
    let graded = workload.equivalence.is_some() && !args.seal_only && workload.awaits.is_none();
    let on_this_host = async {
        let measured = runner::run::run(workload, &options).await?;
        if graded {
            let options = runner::grade::Options { bench: &bench, revision, here: &here, value: None, observer: lines };
            runner::grade::grade(&measured, workload, &options).await?;
        }
        Ok(Measured::Sealed(measured))
    };
    let done = match args.cluster.executor {
        Executor::Local => super::until_interrupted(on_this_host),
        Executor::Slurm => super::until_interrupted(args.cluster.measure(&args.file, workload, graded, &options)),
    };
    lines.end();
    Ok(done?.unwrap_or(Measured::Stopped))
}

/// `reports/<date>/<run>`, beside `results/<date>/<run>`.
fn report_folder(args: &Args, bundle: &Path) -> PathBuf {
    let name = |path: Option<&Path>| path.and_then(Path::file_name).unwrap_or_default().to_owned();
    args.reports.join(name(bundle.parent())).join(name(Some(bundle)))
}
