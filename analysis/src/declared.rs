//! What a workload declares, in words that do not change with the program: the names and values of
//! its file. They are kept and hashed, see `history::Entry`.

use lab::{
    requests::{Length, Prefix, Sharegpt, Text, Turns},
    workload::{Client, Container, GpuAccess, Requests, Sampling, Think, Warmup},
};

/// `a = 1, b = 2` of those that have a value.
fn table<const N: usize>(fields: [(&str, Option<String>); N]) -> String {
    let fields = fields.into_iter().filter_map(|(name, value)| Some(format!("{name} = {}", value?)));
    fields.collect::<Vec<_>>().join(", ")
}

/// `["a", "b"]`.
pub(crate) fn list<T: serde::Serialize>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| text(&value)).collect();
    format!("[{}]", values.join(", "))
}

/// A string in quotes, a number or a list as JSON has it.
pub(crate) fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain values serialise")
}

pub(crate) fn sampling(sampling: &Sampling) -> String {
    let Sampling {
        max_tokens,
        min_tokens,
        temperature,
        top_p,
        top_k,
        seed,
        stop,
        ignore_eos,
        token_ids,
        logprobs,
        extra,
    } = sampling;
    table([
        ("max_tokens", Some(max_tokens.to_string())),
        ("min_tokens", min_tokens.map(|n| n.to_string())),
        ("temperature", Some(temperature.to_string())),
        ("top_p", top_p.map(|p| p.to_string())),
        ("top_k", top_k.map(|k| k.to_string())),
        ("seed", seed.map(|seed| seed.to_string())),
        ("stop", (!stop.is_empty()).then(|| list(stop))),
        ("ignore_eos", Some(ignore_eos.to_string())),
        ("token_ids", Some(token_ids.to_string())),
        ("logprobs", logprobs.map(|n| n.to_string())),
        ("extra", (!extra.is_empty()).then(|| text(extra))),
    ])
}

pub(crate) fn warmup(warmup: Warmup) -> String {
    match warmup {
        Warmup::Requests(requests) => format!("requests = {requests}"),
        Warmup::Replay => "replay = true".into(),
    }
}

pub(crate) fn client(client: &Client) -> String {
    let Client { keep, connections, stagger, threads, cores } = client;
    table([
        ("keep", Some(keep.to_string())),
        ("connections", Some(connections.to_string())),
        ("stagger", Some(format!("{} ns", stagger.0))),
        ("threads", Some(threads.to_string())),
        ("cores", (!cores.is_empty()).then(|| list(cores))),
    ])
}

pub(crate) fn think(think: Think) -> String {
    match think {
        Think::Constant(pause) => format!("{} ns", pause.0),
        Think::Exponential(mean) => format!("exponential of mean {} ns", mean.0),
    }
}

/// What confines containers.
pub(crate) fn container(container: &Container) -> String {
    let Container { profile, port: _, memory, pids, shm, scratch, cores: _, gpu, binds: _, cold: _ } = container;
    let gpu = match gpu {
        GpuAccess::Toolkit => "toolkit",
        GpuAccess::Cdi => "cdi",
        GpuAccess::Devices => "devices",
    };
    table([
        ("profile", Some(profile.name().to_owned())),
        ("memory", memory.map(|bytes| format!("{} bytes", bytes.0))),
        ("pids", Some(pids.to_string())),
        ("shm", Some(format!("{} bytes", shm.0))),
        ("scratch", Some(format!("{} bytes", scratch.0))),
        ("gpu", Some(gpu.to_owned())),
    ])
}

/// How a request set was made, without what is drawn anew. A file has no other recipe than itself.
pub(crate) fn recipe(requests: &Requests) -> String {
    match requests {
        Requests::File(file) => format!("file {}, nonce = {}", file.digest, file.nonce),
        Requests::Prose { seed: _, words } => format!("prose of {words} words"),
        Requests::Text(Text { model, seed: _, input, output, prefix, turns }) => {
            let fields = table([
                ("input", Some(length(input))),
                ("output", output.as_ref().map(length)),
                ("prefix", prefix.map(|Prefix { groups, tokens }| format!("{groups} groups of {tokens} tokens"))),
                ("turns", Some(turns.to_string())),
            ]);
            format!("text counted by {model}: {fields}")
        }
        Requests::Sharegpt(Sharegpt { path: _, digest, model, seed: _, turns, max_input, max_total, nonce }) => {
            let turns = match turns {
                Turns::One => "one",
                Turns::All => "all",
            };
            format!(
                "conversations {digest} counted by {model}: turns = {turns}, max_input = {max_input}, max_total = {max_total}, nonce = {nonce}"
            )
        }
        Requests::V1(v1) => format!("V1 of {}, {} tokens counted by {}", v1.digest, v1.input, v1.model),
    }
}

fn length(of: &Length) -> String {
    match of {
        Length::Fixed(tokens) => tokens.to_string(),
        Length::Uniform { min, max } => format!("uniform from {min} to {max}"),
        Length::Normal { mean, sd, min, max } => format!("normal of mean {mean} and sd {sd} from {min} to {max}"),
        Length::Lognormal { median, sigma, min, max } => {
            format!("lognormal of median {median} and sigma {sigma} from {min} to {max}")
        }
        Length::Mix(parts) => {
            let parts: Vec<String> =
                parts.iter().map(|part| format!("{} × ({})", part.weight, length(&part.of))).collect();
            format!("mix of {}", parts.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(more: &str) -> lab::workload::Workload {
        let source = format!(
            "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{{port}}\"]\n[requests.prose]\nseed = 1\nwords = 9\n{more}\n[[load]]\nname = \"l\"\nrequests = 2\nclosed = {{ concurrency = 1 }}\n"
        );
        lab::workload::parse(&source, "x.toml".as_ref()).unwrap()
    }

    #[test]
    fn settings_are_told_as_the_file_writes_them() {
        let plain = workload("[sampling]\nmax_tokens = 4");
        assert_eq!(sampling(&plain.sampling), "max_tokens = 4, temperature = 0, ignore_eos = false, token_ids = true");
        assert_eq!(client(&plain.client), "keep = false, connections = 0, stagger = 200000 ns, threads = 1");
        assert_eq!(
            container(&plain.container),
            "profile = strict, pids = 4096, shm = 8589934592 bytes, scratch = 8589934592 bytes, gpu = toolkit"
        );
        let all = workload(
            "[sampling]\nmax_tokens = 4\ntemperature = 0.7\nstop = [\"\\n\"]\nlogprobs = 5\nextra = { a = [1] }\n[warmup]\nreplay = true",
        );
        assert_eq!(
            sampling(&all.sampling),
            r#"max_tokens = 4, temperature = 0.7, stop = ["\n"], ignore_eos = false, token_ids = true, logprobs = 5, extra = {"a":[1]}"#
        );
        assert_eq!((warmup(all.warmup), warmup(Warmup::Requests(4))), ("replay = true".into(), "requests = 4".into()));
    }

    #[test]
    fn a_recipe_is_how_requests_are_made_and_not_what_is_drawn() {
        let prose = |seed, words| recipe(&Requests::Prose { seed, words });
        assert_eq!(prose(1, 120), prose(2, 120));
        assert_ne!(prose(1, 120), prose(1, 121));
        let v1 = |corpus: &str, beacon: &str, input| {
            let (corpus, beacon) = (corpus.into(), beacon.into());
            let digest = lab::Digest::of("text");
            recipe(&Requests::V1(lab::requests::V1 { corpus, digest, beacon, model: "m".into(), input }))
        };
        assert_eq!(v1("/srv/corpus", "block 1", 6144), v1("/home/corpus", "block 2", 6144));
        assert_ne!(v1("/srv/corpus", "block 1", 6144), v1("/srv/corpus", "block 1", 4096));
        let file = |digest: &str| {
            let digest = lab::Digest::of(digest);
            recipe(&Requests::File(lab::requests::File { path: "set".into(), digest, nonce: false }))
        };
        assert_ne!(file("a"), file("b"));
        let text = Text {
            model: "m".into(),
            seed: 1,
            input: Length::Lognormal { median: 300.0, sigma: 0.8, min: 16, max: 4096 },
            output: Some(Length::Fixed(128)),
            prefix: Some(Prefix { groups: 4, tokens: 512 }),
            turns: 1,
        };
        let told = "text counted by m: input = lognormal of median 300 and sigma 0.8 from 16 to 4096, output = 128, prefix = 4 groups of 512 tokens, turns = 1";
        assert_eq!(recipe(&Requests::Text(text)), told);
    }
}
