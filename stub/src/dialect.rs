//! Ways in which honest servers write the same answer differently.

use clap::ValueEnum;

use crate::options::Options;

/// What an honest server may do otherwise than vLLM. Several at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// No token ids, though asked for.
    NoIds,
    /// No usage, though asked for.
    NoUsage,
    /// No chunk with the role before the first token.
    NoRole,
    /// The end token has no id and is still counted, as with llama.cpp.
    SilentEnd,
    /// A comment before each event, as proxies keep connections alive.
    Comments,
    /// Lines that end with carriage return and line feed.
    Crlf,
}

impl Options {
    /// Whether the server has this way of writing.
    pub(crate) fn speaks(&self, dialect: Dialect) -> bool {
        self.dialect.contains(&dialect)
    }

    /// An event as this server frames it.
    pub(crate) fn framed(&self, event: Vec<u8>) -> Vec<u8> {
        let mut framed = if self.speaks(Dialect::Comments) { b": keep-alive\n\n".to_vec() } else { Vec::new() };
        framed.extend(event);
        if !self.speaks(Dialect::Crlf) {
            return framed;
        }
        // JSON has no line feeds: all of them are ends of lines.
        let ends = |byte: u8| if byte == b'\n' { [b'\r', b'\n'].to_vec() } else { vec![byte] };
        framed.into_iter().flat_map(ends).collect()
    }
}
