mod again;
mod place;
mod published;
mod trust;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use analysis::{
    Study,
    reproduction::{self, Reproduction, Word},
};
use lab::{
    Kind, Problem, Result,
    bundle::{Bundle, Store, Stores},
};

use crate::screen;

/// Arguments of `bench reproduce`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A sealed run: with one of its bundles all its stages and grades beside it are meant
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Run nothing: compute again what follows from the bundles alone
    #[arg(long)]
    offline: bool,
    /// The folder of the published report, whose every byte is compared
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// Run the commands that the bundle names, as this user and unconfined; read them first
    #[arg(long, conflicts_with = "offline")]
    trust_commands: bool,
    /// The folder of a model's weights, whose digest has to be the one that the run had
    #[arg(long = "model", value_name = "NAME=PATH", value_parser = place::named, conflicts_with = "offline")]
    models: Vec<(String, PathBuf)>,
    /// The workload file that the run was made from, beside which models lie; else the one in
    /// workloads/ with the same bytes
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    workload: Option<PathBuf>,
    /// Folder of dated results that the new run goes to
    #[arg(long, default_value = "results", conflicts_with = "offline")]
    out: PathBuf,
    /// Print what comes out as JSON
    #[arg(long)]
    json: bool,
}

/// 0 verified or reproduced, 40 contradicted, 41 not comparable, 42 neither is shown.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match reproduced(args) {
        Ok(Some(found)) => {
            show(args, &found);
            Ok(ExitCode::from(found.word.exit_code()))
        }
        Ok(None) => Ok(ExitCode::from(130)),
        Err(problem) if problem.kind == Kind::NotComparable => {
            eprintln!("{}", screen::problem(&problem));
            Ok(ExitCode::from(Word::NotComparable.exit_code()))
        }
        Err(problem) => Err(problem),
    }
}

fn show(args: &Args, found: &Reproduction) {
    if args.json {
        println!("{}", super::json(found));
    } else {
        print!("{}", analysis::report::reproduced(found, screen::width()));
    }
}

/// None where Ctrl-C came before the end.
fn reproduced(args: &Args) -> Result<Option<Reproduction>> {
    let mut stores = Stores::default();
    let bundles = match args.bundles.as_slice() {
        [one] => whole_run(&mut stores, one)?,
        several => several.to_vec(),
    };
    let study = super::open_verified_of(&mut stores, &bundles)?;
    if !args.offline {
        trust::check(&study.workload, &study.stages[0].measure, args.trust_commands)?;
    }
    let published = args.against.as_deref().map(|folder| published::read(folder, &study)).transpose()?;
    let verified = reproduction::verify(&study, published.as_ref().map(published::Files::of).as_ref())?;
    if args.offline || verified.word != Word::Verified {
        return Ok(Some(verified));
    }
    online(args, &study, verified)
}

/// Looks at this host, runs the plan once more, and compares.
fn online(args: &Args, study: &Study, verified: Reproduction) -> Result<Option<Reproduction>> {
    let place = place::of(&study.stages[0].measure, args.workload.as_deref(), &args.models)?;
    let Some((here, lack)) = place::look(study, &place)? else { return Ok(None) };
    let held = reproduction::host(verified, study, &here)?;
    if held.word == Word::NotComparable {
        return Ok(Some(held));
    }
    if let Some(lack) = lack {
        show(args, &held);
        return Err(lack);
    }
    if !args.json {
        eprint!("{}", analysis::report::reproduced(&held, screen::width()));
    }
    let Some(mut rerun) = again::run(study, &place, &args.out)? else { return Ok(None) };
    // What calibrates the one calibrates the other, wherever the new run lies.
    let calibration = study.calibration.iter().flat_map(|run| &run.stages);
    let calibration = calibration.flat_map(|stage| std::iter::once(&stage.measure).chain(&stage.grades));
    rerun.extend(calibration.map(|bundle| bundle.path.clone()));
    let rerun = super::open_verified(&rerun)?;
    if rerun.stages.iter().any(|new| study.stages.iter().any(|old| old.measure.id == new.measure.id)) {
        return Err(Problem::machine("the run that was to be made is the one that it was to be compared with"));
    }
    reproduction::compare(held, study, &rerun).map(Some)
}

/// All stages and grades of the run that a bundle belongs to, as far as they lie in the same folder
/// of results; where two stages continue the same one, up to that.
fn whole_run(stores: &mut Stores, path: &Path) -> Result<Vec<PathBuf>> {
    let bundle = Bundle::open(path)?;
    let store: &Store = stores.around(path);
    let mut last = match (bundle.is_measure(), bundle.manifest.parents.first()) {
        (false, Some(graded)) => *graded,
        _ => bundle.id,
    };
    loop {
        let mut next = store.bundles().iter().filter(|b| b.is_measure() && b.manifest.parents.contains(&last));
        match (next.next(), next.next()) {
            (Some(only), None) => last = only.id,
            _ => break,
        }
    }
    let found = store.stages(last);
    if !found.is_empty() {
        return Ok(found);
    }
    let beside = PathBuf::from(format!("{}-grade", path.display()));
    let grade = beside.join(lab::bundle::MANIFEST).exists().then_some(beside);
    Ok(std::iter::once(path.to_owned()).chain(grade).collect())
}
