//! A trial's evidence, read once from its raw bytes, exchange by exchange: memory grows with the
//! answers, not with the bytes in which servers wrap them.

use std::collections::BTreeMap;

use lab::{
    Digest, Problem, Result,
    bundle::{Bundle, MOST_EVIDENCE, TRIALS, WIRE},
    records::{Exchange, LARGEST_READ, RequestRow, WARMUP},
    tokenizer::Tokenizer,
    wire::Derived,
};

use super::{Contract, Response};

/// The timed responses of a trial.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    /// By request.
    pub(crate) of: BTreeMap<u32, Response>,
    /// A request that was answered twice.
    pub(crate) twice: Option<u32>,
}

/// What was read of bundles while they were verified: by bundle, trial's folder and tokenizer.
pub(crate) type Heard = BTreeMap<(Digest, String, Digest), Responses>;

/// Reads a trial; `see` looks at each exchange, and at what follows from it. Without a tokenizer
/// there are no responses.
///
/// # Errors
/// `Broken` where there are no such bytes or other ones than were sealed.
pub(crate) fn hear(
    bundle: &Bundle,
    contract: &Contract,
    folder: &str,
    tokenizer: Option<&Tokenizer>,
    mut see: impl FnMut(&Exchange, &Derived, &RequestRow),
) -> Result<Responses> {
    let mut responses = Responses::default();
    let (mut all, most) = (0u64, contract.workload.limits.response.0.saturating_add(LARGEST_READ as u64));
    for exchange in bundle.exchanges(folder)? {
        let exchange = exchange?;
        let bytes = exchange.reads.iter().map(|read| read.len as u64).sum::<u64>();
        all += bytes;
        let too_much = |what: String| Err(Problem::broken(what).at(format!("{TRIALS}/{folder}/{WIRE}")));
        if bytes > most {
            return too_much(format!(
                "request {} got {bytes} bytes, and its workload lets nobody send so many",
                exchange.request
            ));
        }
        // A client stops soon after the evidence of its threads is so much.
        if all > 2 * MOST_EVIDENCE {
            return too_much(format!("its answers are of more than {} bytes in all", 2 * MOST_EVIDENCE));
        }
        let derived = exchange.derive();
        let row = exchange.row(&derived);
        see(&exchange, &derived, &row);
        let Some(tokenizer) = tokenizer.filter(|_| row.phase != WARMUP) else { continue };
        let most = contract.most_tokens(row.request);
        let response = Response::read(&exchange, &row, &derived.chunks, tokenizer, most);
        if responses.of.insert(row.request, response).is_some() {
            responses.twice.get_or_insert(row.request);
        }
    }
    Ok(responses)
}
