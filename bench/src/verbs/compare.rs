use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use analysis::compare::{Side, compare};
use lab::{
    Digest, Problem, Result,
    bundle::{Bundle, Stores},
    workload::Workload,
};

use crate::screen;

/// Arguments of `bench compare`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A measurement, or one of its arms as BUNDLE:ARM
    a: String,
    /// Another one, or another arm of the same
    b: String,
    /// A grade bundle of either, where it does not lie beside it
    #[arg(long = "grade", value_name = "BUNDLE")]
    grades: Vec<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

/// Refuses runs of different contracts with exit code 21.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let (a, b) = (Named::of(&args.a), Named::of(&args.b));
    let mut stores = Stores::default();
    let mut open = |path: &Path| {
        let bundles = bundles(&mut stores, path, &args.grades)?;
        super::open_verified_of(&mut stores, &bundles)
    };
    let own = open(a.path)?;
    let theirs = Bundle::open(b.path)?.id;
    if a.path != b.path && own.stages.iter().any(|stage| stage.measure.id == theirs) {
        return Err(Problem::input("these are stages of one run, which is judged as one")
            .at(b.path.display().to_string())
            .next("name another run, or two arms of this one as RUN:ARM"));
    }
    let other = if a.path == b.path { None } else { Some(open(b.path)?) };
    let sides = (Side { study: &own, arm: a.arm }, Side { study: other.as_ref().unwrap_or(&own), arm: b.arm });
    let comparison = compare(sides.0, sides.1)?;
    if args.json {
        println!("{}", super::json(&comparison));
    } else {
        print!("{}", analysis::report::compared(&comparison, screen::width()));
    }
    Ok(ExitCode::SUCCESS)
}

/// `BUNDLE` or `BUNDLE:ARM`. A folder that is there is never taken apart.
struct Named<'a> {
    path: &'a Path,
    arm: Option<&'a str>,
}

impl<'a> Named<'a> {
    fn of(written: &'a str) -> Self {
        match written.rsplit_once(':') {
            Some((path, arm)) if !Path::new(written).exists() => Named { path: Path::new(path), arm: Some(arm) },
            _ => Named { path: Path::new(written), arm: None },
        }
    }
}

/// A run's stages up to this one with their grades, as far as they lie in the same folder of
/// results or are named; a named grade may also be one of what calibrates it.
fn bundles(stores: &mut Stores, path: &Path, named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let bundle = Bundle::open(path)?;
    let store = stores.around(path);
    let mut found = store.stages(bundle.id);
    if found.is_empty() {
        found.push(path.to_owned());
        let beside = PathBuf::from(format!("{}-grade", path.display()));
        found.extend(beside.join(lab::bundle::MANIFEST).exists().then_some(beside));
    }
    let known = found.iter().map(|path| Bundle::open(path).map(|b| b.id)).collect::<Result<Vec<_>>>()?;
    let workload = bundle.workload().ok();
    let calibration = workload.as_ref().map_or(&[][..], Workload::calibration);
    let here = |id: &Digest| known.contains(id) || (calibration.contains(id) && store.find(*id).is_some());
    for path in named {
        let grade = Bundle::open(path)?;
        let of_these = grade.manifest.parents.iter().any(here);
        found.extend((of_these && !known.contains(&grade.id)).then(|| path.clone()));
    }
    Ok(found)
}
