//! Which timed outputs are graded: drawn by a seed that nobody could know while the
//! servers ran. The run stores the seed's digest; the grade bundle reveals the seed. Where the plan
//! awaits a public value that does not exist yet, seed and value draw together: neither whoever
//! holds the seed nor whoever makes the value could choose.

use crate::{
    Digest,
    plan::Trial,
    seed::Stream,
    text::{is_unprintable, shown},
};

/// The digest that a run publishes before its first trial.
pub fn commitment(seed: &[u8; 32]) -> Digest {
    Digest::of(seed)
}

/// The longest value that can be revealed, and the longest text that names one.
pub const LONGEST: usize = 1_000;

/// What a completed seed is a hash of comes after these bytes, and nothing else does.
const COMPLETED: &[u8] = b"bench audit seed, completed by a public value, v1\0";

/// The seed that draws: the one that the run had committed to, completed by the public value that
/// its plan awaited, where it awaited one.
pub fn completed(seed: &[u8; 32], value: Option<&str>) -> [u8; 32] {
    match value {
        None => *seed,
        Some(value) => Digest::of([COMPLETED, seed, value.as_bytes()].concat()).bytes(),
    }
}

/// A value in the only form that completes a seed: hexadecimal digits in lower case, 16 at least and
/// without `0x`, so that nobody chooses a draw by the spelling. None where a text is no such value.
pub fn canonical(text: &str) -> Option<String> {
    let digits = text.trim().to_ascii_lowercase();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    let good = (16..=LONGEST).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| digits.to_owned())
}

/// Whether a text is a value in that form.
pub fn is_value(text: &str) -> bool {
    canonical(text).as_deref() == Some(text)
}

/// Whether a text can name a value: people read it to each other.
pub fn is_readable(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.trim() == text && !text.chars().any(is_unprintable)
}

/// Why a value cannot complete the seed of a plan that awaits one or none; none where it can.
pub fn mismatch(awaits: Option<&str>, value: Option<&str>) -> Option<String> {
    match (awaits, value) {
        (Some(awaits), None) => {
            Some(format!("the plan awaits a public value, and none is revealed: {}", shown(awaits, 300)))
        }
        (None, Some(_)) => Some("a value is revealed, and the plan awaits none".into()),
        (Some(_), Some(value)) if !is_value(value) => {
            Some(format!("a revealed value is 16 to {LONGEST} hexadecimal digits in lower case, without 0x"))
        }
        _ => None,
    }
}

/// The ids to grade of a trial, sorted: `sample` of each round's timed requests, the
/// same for all arms of the round. The draw depends on the seed and on the sealed bundle's
/// id, so that a seed that leaks while the servers run tells them nothing.
pub fn sample(seed: &[u8; 32], bundle: Digest, trial: &Trial, sample: u32) -> Vec<u32> {
    let key = [seed.as_slice(), &bundle.bytes()].concat();
    let mut stream = Stream::new(&key, &format!("audit {} {} {}", trial.round, trial.model, trial.gpus));
    let mut ids: Vec<u32> = trial.phases.iter().flat_map(|phase| phase.requests.ids()).collect();
    ids.sort_unstable();
    stream.shuffle(&mut ids);
    ids.truncate(sample as usize);
    ids.sort_unstable();
    ids
}

/// Reads the 64 hexadecimal digits of a revealed seed.
pub fn seed_from_hex(hex: &str) -> Option<[u8; 32]> {
    format!("sha256:{hex}").parse::<Digest>().ok().map(|d| d.bytes())
}

/// Writes them.
pub fn seed_to_hex(seed: &[u8; 32]) -> String {
    seed.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected bytes are of Python's hashlib:
    /// `sha256(b"bench audit seed, completed by a public value, v1\0" + bytes(range(32)) + b"block 870000: 00ff").hexdigest()`.
    #[test]
    fn a_completed_seed_is_a_hash_of_seed_and_value_and_of_nothing_else() {
        let seed: [u8; 32] = std::array::from_fn(|i| i as u8);
        let completed = |value| seed_to_hex(&super::completed(&seed, value));
        assert_eq!(
            completed(Some("block 870000: 00ff")),
            "ec183e598c5c036ce5909fc0e66dc45353f320d9d202b66d4b7c9a3d3c67cd13"
        );
        assert_eq!(completed(None), seed_to_hex(&seed));
        assert_ne!(completed(Some("")), completed(None));
        assert_ne!(completed(Some("block 870000: 00fe")), completed(Some("block 870000: 00ff")));
    }

    #[test]
    fn however_a_value_is_spelt_it_draws_the_same() {
        let one = Some("00ff00ff00ff00ab".to_owned());
        for spelt in ["00ff00ff00ff00ab", "0x00ff00ff00ff00ab", "00FF00FF00FF00AB", " 0X00ff00ff00ff00ab\n"] {
            assert_eq!(canonical(spelt), one, "{spelt:?}");
        }
        for none in ["00ff", "block 870000", "0x", "00ff00ff 00ff00ab", "00ff00ff00ff00ag"] {
            assert_eq!(canonical(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_value_completes_the_seed_of_a_plan_that_awaits_one_and_of_no_other() {
        assert_eq!(mismatch(None, None), None);
        assert_eq!(mismatch(Some("block 9"), Some("00ff00ff00ff00ff")), None);
        assert!(
            mismatch(Some("block 9"), None).unwrap().contains("awaits a public value, and none is revealed: block 9")
        );
        assert!(mismatch(None, Some("00ff")).unwrap().contains("awaits none"));
        let odd = ["", "00ff", " 00ff00ff00ff00ff", "00ff00ff00ff00ff\n", "0x00ff00ff00ff00ff", "00FF00ff00ff00ff"];
        for odd in odd.into_iter().chain([&*"0".repeat(LONGEST + 1)]) {
            assert!(mismatch(Some("block 9"), Some(odd)).unwrap().contains("a revealed value is"), "{odd:?}");
        }
    }
}
