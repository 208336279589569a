//! The options as typed.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};

use crate::dialect::Dialect;
use crate::mode::Mode;
use crate::model::Weights;
use crate::span;

/// How the test server is to behave.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Address to listen on.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// Name under which the model is served.
    #[arg(long, value_name = "NAME", default_value = "stub")]
    pub model_name: String,
    /// Longest prompt and answer together, in tokens.
    #[arg(long, value_name = "TOKENS", default_value_t = 32_768)]
    pub max_model_len: usize,
    /// Most alternatives per token that a request may ask for.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub max_logprobs: usize,
    /// Before listening, try to connect to these, IP:PORT or a socket's path, and log each outcome.
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',')]
    pub probe: Vec<String>,

    /// Seed of the language model.
    #[arg(long, default_value_t = 1, help_heading = "Model")]
    pub seed: u64,
    /// What the weights are like.
    #[arg(long, value_enum, default_value_t, help_heading = "Model")]
    pub weights: Weights,
    /// Standard deviation of the rounding noise on each logit, in nats.
    #[arg(long, value_name = "SIGMA", default_value_t = 0.0, help_heading = "Model")]
    pub noise: f64,
    /// Seed of the noise of this launch; random by default.
    #[arg(long, value_name = "SEED", help_heading = "Model")]
    pub launch_seed: Option<u64>,
    /// Mean length of an answer that is not cut, in tokens.
    #[arg(long, value_name = "TOKENS", default_value_t = 600.0, help_heading = "Model")]
    pub mean_tokens: f64,

    /// Time from the whole request to the first token.
    #[arg(long, value_parser = span::parse, default_value = "20ms", help_heading = "Latency")]
    pub ttft: Duration,
    /// Time between tokens.
    #[arg(long, value_parser = span::parse, default_value = "2ms", help_heading = "Latency")]
    pub itl: Duration,
    /// Time added to the first token for each token of the prompt.
    #[arg(long, value_parser = span::parse, default_value = "0us", help_heading = "Latency")]
    pub prefill_per_token: Duration,
    /// Relative standard deviation of every latency.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, help_heading = "Latency")]
    pub jitter: f64,
    /// Slow-down of the time between tokens by each further stream.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, help_heading = "Latency")]
    pub batch_effect: f64,
    /// Time until the server listens.
    #[arg(long, value_parser = span::parse, default_value = "0ms", help_heading = "Latency")]
    pub startup: Duration,
    /// Tokens in each chunk after the first.
    #[arg(long, value_name = "COUNT", default_value_t = 1, help_heading = "Latency")]
    pub tokens_per_chunk: usize,
    /// Ways in which honest servers write the same answer differently.
    #[arg(long, value_enum, value_name = "WAY,…", value_delimiter = ',', help_heading = "Latency")]
    pub dialect: Vec<Dialect>,
    /// Compose one honest answer for all streamed requests that differ in the prompt only, and
    /// replay it.
    #[arg(long, help_heading = "Latency")]
    pub canned: bool,
    /// Write a row for each chunk sent, with its time.
    #[arg(long, value_name = "FILE", help_heading = "Latency")]
    pub send_log: Option<PathBuf>,

    /// The cheat or fault to commit.
    #[arg(long, value_enum, default_value_t, help_heading = "Mode")]
    pub mode: Mode,
    /// Be honest for the first so many requests for text.
    #[arg(long, value_name = "COUNT", default_value_t = 0, help_heading = "Mode")]
    pub mode_after: u64,
    /// Chunks before a fault in mid-stream.
    #[arg(long, value_name = "COUNT", default_value_t = 5, help_heading = "Mode")]
    pub fault_after: usize,
    /// Share of requests that `mixture` serves from an unrelated model, and `stale` with an old answer.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, help_heading = "Mode")]
    pub mixture: f64,
    /// Time between bytes in `drip` and `slow-headers`.
    #[arg(long, value_parser = span::parse, default_value = "1s", help_heading = "Mode")]
    pub drip: Duration,
    /// Time until `slow-ready` is ready.
    #[arg(long, value_parser = span::parse, default_value = "30s", help_heading = "Mode")]
    pub slow_ready: Duration,
    /// Size of the giant line or header, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30, help_heading = "Mode")]
    pub giant: u64,
    /// Memory that `hog-memory` takes, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30, help_heading = "Mode")]
    pub hog: u64,
    /// Lines a second that `log-flood` writes.
    #[arg(long, value_name = "LINES", default_value_t = 10_000, help_heading = "Mode")]
    pub flood: u32,
}

#[derive(Debug, Parser)]
#[command(name = "stub")]
struct Alone {
    #[command(flatten)]
    options: Options,
}

impl Options {
    /// The options written as on a command line, without the program's name.
    ///
    /// # Errors
    /// The message of the command line when it cannot be read.
    pub fn from_args<T: Into<OsString> + Clone>(args: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let args = args.into_iter().map(Into::into);
        let all = std::iter::once(OsString::from("stub")).chain(args);
        Alone::try_parse_from(all).map(|alone| alone.options)
    }
}

impl Default for Options {
    #[expect(clippy::expect_used, reason = "every option has a default, which a test checks")]
    fn default() -> Self {
        Self::from_args(Vec::<OsString>::new()).expect("every option has a default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_default() {
        assert_eq!(Options::default().mode, Mode::Honest);
    }

    #[test]
    fn every_mode_can_be_named() {
        for mode in Mode::all() {
            let options = Options::from_args(["--mode", &mode.name()]).unwrap();
            assert_eq!(options.mode, *mode);
        }
    }
}
