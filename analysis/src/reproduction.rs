//! Whether a run is what it says it was, and whether it comes out again. Rules: `METHOD.md`, section
//! *Reproduction*.

mod exact;
mod host;
mod outputs;
mod speeds;

use lab::Result;
use serde::Serialize;

pub use exact::{Part, Published, Recomputed};
pub use host::{Here, host};
pub use outputs::SameOutputs;

use crate::{
    METHOD,
    compare::Contrast,
    judgement::{BundleRef, Judgement, Verdict},
    stack::{Difference, StackContrast},
    study::Study,
    verdict::judge,
};

/// Version of the JSON that `bench reproduce --json` prints. 1: first.
pub const FORMAT: u32 = 1;

/// What comes out for a run, or for one of its candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// What can be computed again from the bundles alone is the same, byte for byte.
    Verified,
    /// An independent run has the same verdict, and a speed-up shown to be the same within the
    /// declared margin.
    Reproduced,
    /// The same verdict; speeds are neither shown to be the same nor to differ, and their interval
    /// holds that they are equal.
    Consistent,
    /// Nothing is shown: a side has no verdict or no speed-up.
    Inconclusive,
    /// Something that has to be the same is not.
    Contradicted,
    /// What has to be equal before anything can be compared is not.
    NotComparable,
}

impl Word {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Word::Verified => "verified",
            Word::Reproduced => "reproduced",
            Word::Consistent => "consistent",
            Word::Inconclusive => "inconclusive",
            Word::Contradicted => "contradicted",
            Word::NotComparable => "not comparable",
        }
    }

    /// The exit code of `bench reproduce`.
    pub fn exit_code(self) -> u8 {
        match self {
            Word::Verified | Word::Reproduced => 0,
            Word::Contradicted => 40,
            Word::NotComparable => 41,
            Word::Consistent | Word::Inconclusive => 42,
        }
    }
}

/// What `bench reproduce` says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reproduction {
    /// [`FORMAT`].
    pub format: u32,
    /// The method's version, see `METHOD.md`.
    pub method: &'static str,
    /// What comes out in all.
    pub word: Word,
    /// Why, in a sentence.
    pub why: String,
    /// The bundles of the run that is reproduced.
    pub bundles: Vec<BundleRef>,
    /// The bundles of the run that was made for it; empty where none was.
    pub rerun: Vec<BundleRef>,
    /// What is computed again from the bundles alone (R0).
    pub parts: Vec<Part>,
    /// What the run was made with (A) against this host (B); none where nobody looked.
    pub host: Option<StackContrast>,
    /// What of it has to be equal and is not.
    pub unequal: Vec<Difference>,
    /// The baseline's answers in both runs (R1); none where nothing was run.
    pub baseline_outputs: Option<SameOutputs>,
    /// Speed-ups that differ by less are the same; none where nothing was run.
    pub same_within: Option<f64>,
    /// Each candidate in both runs (R2), by name; empty where nothing was run.
    pub candidates: Vec<Candidate>,
}

/// One candidate in both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// What comes out for it.
    pub word: Word,
    /// Why, in a sentence.
    pub why: String,
    /// The verdicts on its outputs: of the run that is reproduced, and of the new one.
    pub verdicts: (Option<Verdict>, Option<Verdict>),
    /// Its overall speed-ups: `a` of the run that is reproduced, `b` of the new one; `ratio` is that
    /// of the first to the second. None where a run has none.
    pub speed_up: Option<Contrast>,
}

/// Computes again what follows from the bundles alone, and compares a published report where one is
/// given.
///
/// # Errors
/// What keeps a bundle that verifies from being read, which is nothing but the machine.
pub fn verify(study: &Study, published: Option<&Published<'_>>) -> Result<Reproduction> {
    let judgement = judge(study);
    let mut found = begun(&judgement);
    if let Some(why) = published.and_then(Published::other_method) {
        return Ok(Reproduction { word: Word::NotComparable, why, ..found });
    }
    found.parts = exact::parts(study, &judgement, published)?;
    let differ: Vec<&str> =
        found.parts.iter().filter(|p| p.is == Recomputed::Differs).map(|p| p.part.as_str()).collect();
    let same = found.parts.iter().filter(|p| p.is == Recomputed::Same).count();
    (found.word, found.why) = match differ.as_slice() {
        [] => (Word::Verified, format!("all {same} parts that can be computed again are the same, byte for byte")),
        parts => (Word::Contradicted, format!("computed again, {} differ: {}", parts.len(), parts.join(", "))),
    };
    Ok(found)
}

/// Adds to what was verified what a new run of the same plan says.
///
/// # Errors
/// When a bundle's environment cannot be read.
pub fn compare(verified: Reproduction, original: &Study, rerun: &Study) -> Result<Reproduction> {
    let again = judge(rerun);
    let mut found = Reproduction { rerun: again.bundles.clone(), ..verified };
    found.baseline_outputs = Some(outputs::of_baselines(original, rerun));
    match speeds::candidates(original, rerun) {
        Ok((within, candidates)) => {
            (found.word, found.why) = speeds::in_all(&candidates);
            (found.same_within, found.candidates) = (Some(within), candidates);
        }
        Err(problem) if problem.kind == lab::Kind::NotComparable => {
            (found.word, found.why) = (Word::NotComparable, problem.what);
        }
        Err(problem) => return Err(problem),
    }
    Ok(found)
}

fn begun(judgement: &Judgement) -> Reproduction {
    Reproduction {
        format: FORMAT,
        method: METHOD,
        word: Word::Inconclusive,
        why: String::new(),
        bundles: judgement.bundles.clone(),
        rerun: Vec::new(),
        parts: Vec::new(),
        host: None,
        unequal: Vec::new(),
        baseline_outputs: None,
        same_within: None,
        candidates: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
