//! How long the report of a large run takes, and how large it is: `cargo bench -p analysis --bench
//! report`. 200 made-up candidates in 12 cells; nothing is judged by it.

use std::{hint::black_box, time::Instant};

#[path = "../examples/sample-report/sample/mod.rs"]
#[allow(dead_code, unused_imports)]
mod sample;

const RUNS: usize = 5;

fn main() {
    let sample = sample::Sample::large(200, 12);
    let input = sample.input();
    let mut took: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            black_box(analysis::report::render(black_box(&input)));
            began.elapsed().as_secs_f64()
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!("{:.2} s, {:.2} to {:.2} in {RUNS} runs", took[RUNS / 2], took[0], took[RUNS - 1]);
    let files = analysis::report::render(&input);
    let largest = |wanted: &dyn Fn(&str) -> bool| {
        files.iter().filter(|(name, _)| wanted(name)).map(|(_, bytes)| bytes.len().div_ceil(1024)).max().unwrap_or(0)
    };
    println!("first page: {} KiB", largest(&|name| name == "index.html"));
    println!("largest page of a candidate: {} KiB", largest(&|name| name.starts_with("candidates/")));
    println!("{} files: {} MiB", files.len(), files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() >> 20);
}
