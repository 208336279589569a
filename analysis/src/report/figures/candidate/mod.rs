//! The pictures of one candidate's page: the candidate beside the baseline, and nobody else.

mod distributions;
mod loads;
mod margins;
mod rounds;

pub(crate) use distributions::distributions;
pub(crate) use loads::{latency_against_load, throughput_against_latency};
pub(crate) use margins::margins;
pub(crate) use rounds::rounds;

use crate::{
    judgement::{Candidate, Judgement},
    report::{input::Cell, words},
};

/// A candidate with the first part of its pictures' names: the name of its page.
fn found<'a>(judgement: &'a Judgement, name: &str) -> Option<(&'a Candidate, String)> {
    let place = judgement.candidates.iter().position(|c| c.name == name)?;
    let page = words::page_of(judgement, place);
    Some((&judgement.candidates[place], page.rsplit('/').next().unwrap_or_default().to_owned()))
}

/// What tells each cell from the others; nothing where there is one.
fn titles(cells: &[Cell]) -> Vec<String> {
    let parts: Vec<Vec<String>> =
        cells.iter().map(|cell| cell.to_string().split(" · ").map(str::to_owned).collect()).collect();
    let differs = |part: usize| parts.windows(2).any(|pair| pair[0].get(part) != pair[1].get(part));
    let of = |own: &Vec<String>| {
        let told = own.iter().enumerate().filter(|(part, _)| differs(*part));
        told.map(|(_, words)| words.as_str()).collect::<Vec<_>>().join(" · ")
    };
    parts.iter().map(of).collect()
}

#[cfg(test)]
mod tests;
