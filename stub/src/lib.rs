//! A deterministic OpenAI-compatible test server with a scripted language model,
//! known latencies, and every cheat and fault on demand.
//!
//! The modules in downward order; each uses only those listed before it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

/// Waking on time.
mod alarm;
/// Answering one request.
mod answer;
/// Requests for text as meant.
mod ask;
/// Where a mode can step in.
mod behaviour;
/// Answers composed once.
mod canned;
/// One answer in the making.
mod choice;
/// Answers as JSON.
mod compose;
/// One connection.
mod connection;
/// Sending a reply.
mod deliver;
/// Ways in which honest servers differ.
mod dialect;
/// The fields of a request body.
mod fields;
/// Numbers that look random and are not.
mod hash;
/// HTTP as bytes.
mod http;
/// The names of the cheats and faults.
mod mode;
/// The scripted language model.
mod model;
/// What each mode does.
mod modes;
/// The options as typed.
mod options;
/// When each token is due.
mod pace;
/// What can be reached from here.
mod probe;
/// Replies that say no.
mod refusal;
/// What was sent when.
mod send_log;
/// Start and end.
mod serve;
/// Routes and connections.
mod server;
/// Durations as typed.
mod span;
/// Tokens one after another.
mod speech;
/// Text that may be shown.
mod text;
/// Text to token ids and back.
pub mod tokens;
/// The JSON of replies.
mod wire_json;

pub use dialect::Dialect;
pub use mode::Mode;
pub use model::Weights;
pub use options::Options;
pub use serve::{Error, Handle, run, serve, start};
