//! Which timed outputs are graded: drawn by a seed that nobody could know while the
//! servers ran. The run stores the seed's digest; the grade bundle reveals the seed.

use crate::{Digest, plan::Trial, seed::Stream};

/// The digest that a run publishes before its first trial.
pub fn commitment(seed: &[u8; 32]) -> Digest {
    Digest::of(seed)
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
