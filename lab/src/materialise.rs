//! From a workload to its request set, whoever has what it is drawn from: a run reads the host's
//! files, whoever doubts a run reads its bundle.

use std::{collections::BTreeMap, path::Path};

use crate::{
    Result, plan,
    requests::{self, Request, Slot},
    tokenizer::Tokenizer,
    trace::Arrival,
    workload::{Requests, Workload},
};

/// What a request set is drawn from beside its workload.
pub trait Sources {
    /// The tokenizer of a model of the workload.
    fn tokenizer(&self, model: &str) -> Result<Tokenizer>;
    /// The bytes of a file that the workload names; `what` it is, in words.
    fn bytes(&self, path: &Path, what: &str) -> Result<Vec<u8>>;
    /// The texts of a corpus, by name: one file, or all of a folder.
    fn corpus(&self, path: &Path) -> Result<Vec<(String, String)>>;
}

/// What a workload wants to stand at each place of its request set, with the arrivals of its traces.
pub fn slots(workload: &Workload, arrivals: &BTreeMap<String, Vec<Arrival>>) -> Vec<Slot> {
    let lengths =
        |load: &str| arrivals.get(load).map(|of_load| of_load.iter().map(|a| (a.input, a.output)).collect::<Vec<_>>());
    plan::slots(workload, &lengths)
}

/// The request set of a workload, with the arrivals of its traces by the load's name.
///
/// # Errors
/// What the sources lack, and settings that no set can be drawn by.
pub fn requests(
    workload: &Workload,
    arrivals: &BTreeMap<String, Vec<Arrival>>,
    sources: &dyn Sources,
) -> Result<Vec<Request>> {
    let slots = slots(workload, arrivals);
    // Recorded prompts have lengths of their own, and a further stage goes on in their order.
    let before = workload.requests_before();
    let all = Workload { rounds: workload.rounds + before / workload.requests_per_round().max(1), ..workload.clone() };
    let places = || plan::slots(&all, &|_| None);
    let mut set = match &workload.requests {
        Requests::Prose { seed, words } => requests::prose(*seed, *words, workload.requests_in_all()),
        Requests::File(spec) => requests::file(spec, &sources.bytes(&spec.path, "request set")?, &places())?,
        Requests::Text(spec) => requests::text(spec, &sources.tokenizer(&spec.model)?, &slots)?,
        Requests::Sharegpt(spec) => {
            let bytes = sources.bytes(&spec.path, "conversations")?;
            requests::sharegpt(spec, &bytes, &sources.tokenizer(&spec.model)?, &places())?
        }
        Requests::V1(spec) => {
            requests::v1(spec, &sources.corpus(&spec.corpus)?, &sources.tokenizer(&spec.model)?, &slots)?
        }
    };
    set.drain(..before as usize);
    set.iter_mut().zip(0..).for_each(|(request, id)| request.id = id);
    // A source that knows no lengths still keeps to a trace's answers.
    for (request, slot) in set.iter_mut().zip(&slots) {
        request.max_tokens = request.max_tokens.or(slot.lengths.map(|(_, output)| output));
    }
    Ok(set)
}
