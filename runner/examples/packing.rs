//! `packing`: how long 1,000 candidates in 12 cells take on 8, 64 and 512 GPUs, by the order in
//! which their blocks are submitted and by whether a block has a node for itself. Nodes have eight
//! GPUs; a block waits until a node has as many as it needs, and those behind it go first where
//! they fit, as Slurm's backfill lets them. Nothing is measured: times of trials are made up from
//! a seed.

use std::{cmp::Reverse, collections::BinaryHeap, path::Path};

use lab::{
    plan::{self, Trial},
    seed::Stream,
    workload::{self, Workload},
};

const CANDIDATES: u32 = 1_000;
const NODE: u32 = 8;
const CLUSTERS: [u32; 3] = [8, 64, 512];

/// A block: its GPUs, and its seconds.
type Block = (u32, u64);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workload = matrix()?;
    let plan = plan::expand(&workload, workload.digest, None);
    let mut stream = Stream::new(&7_u64.to_be_bytes(), "packing");
    let mut times: Vec<(u32, u64)> = Vec::new();
    for (_, trials) in plan.blocks() {
        times.push((trials[0].gpus, trials.iter().map(|trial| seconds(trial, &mut stream)).sum()));
    }
    let hours = |seconds: u64| seconds as f64 / 3_600.0;
    let work: u64 = times.iter().map(|(gpus, s)| u64::from(*gpus) * s).sum();
    println!("{} trials in {} blocks, {:.0} GPU hours\n", plan.trials.len(), times.len(), hours(work));
    println!("| GPUs | node | order | hours | over the bound | idle |\n|---|---|---|---|---|---|");
    for gpus in CLUSTERS {
        for alone in [true, false] {
            let needed = |(own, s): &Block| (if alone { NODE } else { *own }, *s);
            let asked: Vec<Block> = times.iter().map(needed).collect();
            // No schedule beats the work that it keeps busy, nor its longest block.
            let held: u64 = asked.iter().map(|(n, s)| u64::from(*n) * s).sum();
            let longest = asked.iter().map(|(_, s)| *s).max().unwrap_or(0);
            let bound = (held / u64::from(gpus)).max(longest);
            for (order, sorted) in orders(&asked) {
                let makespan = makespan(&sorted, gpus / NODE);
                println!(
                    "| {gpus} | {} | {order} | {:.0} | {:.3} | {:.1} % |",
                    if alone { "alone" } else { "shared" },
                    hours(makespan),
                    makespan as f64 / bound as f64,
                    100.0 * (1.0 - work as f64 / (makespan * u64::from(gpus)) as f64)
                );
            }
        }
    }
    Ok(())
}

/// Two models on one and on four GPUs under three loads: twelve cells.
fn matrix() -> lab::Result<Workload> {
    let mut source = String::from(
        "name = \"packing\"\n[models.small]\npath = \"m\"\n[models.large]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{port}\"]\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n[matrix]\ngpus = [1, 4]\n[rounds]\ncount = 6\nseed = 5\n",
    );
    for n in 0..CANDIDATES {
        source += &format!("[candidates.c{n}]\ncommand = [\"s\", \"{{port}}\"]\n");
    }
    for n in 0..3 {
        source += &format!("[[load]]\nname = \"l{n}\"\nrequests = 1\nclosed = {{ concurrency = 1 }}\n");
    }
    workload::parse(&source, Path::new("packing.toml"))
}

/// A minute of loading, three of a large model, and a minute for each load, up to a fifth more or
/// less; one launch in fifty hangs until its deadline of ten minutes.
fn seconds(trial: &Trial, stream: &mut Stream) -> u64 {
    let usual = if trial.model == "large" { 180 } else { 60 } + 60 * trial.phases.len() as u64;
    match stream.below(50) {
        0 => 600,
        _ => usual * (80 + stream.below(41)) / 100,
    }
}

/// As planned, and with those first that need the most GPUs, or take the longest.
fn orders(blocks: &[Block]) -> [(&'static str, Vec<Block>); 3] {
    let sorted = |by: fn(&Block) -> (u32, u64)| {
        let mut blocks = blocks.to_vec();
        blocks.sort_by_key(|block| Reverse(by(block)));
        blocks
    };
    [
        ("as planned", blocks.to_vec()),
        ("most GPUs first", sorted(|(gpus, _)| (*gpus, 0))),
        ("most GPUs first, then longest", sorted(|block| *block)),
    ]
}

/// When the last block ends, in seconds.
fn makespan(blocks: &[Block], nodes: u32) -> u64 {
    let mut free = vec![NODE; nodes as usize];
    let mut waiting: Vec<Block> = blocks.to_vec();
    let mut running: BinaryHeap<Reverse<(u64, usize, u32)>> = BinaryHeap::new();
    let mut now = 0;
    loop {
        let mut most = free.iter().copied().max().unwrap_or(0);
        waiting.retain(|&(gpus, seconds)| {
            if gpus > most {
                return true;
            }
            // The fullest node that has room.
            let node = (0..free.len()).filter(|n| free[*n] >= gpus).min_by_key(|n| free[*n]);
            let Some(node) = node else { return true };
            free[node] -= gpus;
            running.push(Reverse((now + seconds, node, gpus)));
            most = free.iter().copied().max().unwrap_or(0);
            false
        });
        let Some(Reverse((end, node, gpus))) = running.pop() else { return now };
        now = end;
        free[node] += gpus;
    }
}
