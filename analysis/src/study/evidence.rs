//! A trial's evidence, read once from its raw bytes, exchange by exchange: memory grows with the
//! answers, not with the bytes in which servers wrap them.

use std::collections::BTreeMap;

use lab::{
    Digest, Result,
    bundle::Bundle,
    records::{Exchange, RequestRow, WARMUP},
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
    for exchange in bundle.exchanges(folder)? {
        let exchange = exchange?;
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
