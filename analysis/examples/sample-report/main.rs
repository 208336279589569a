//! Writes a report on made-up numbers, to look at: `cargo run -p analysis --example
//! sample-report -- OUTDIR [plain|controls|large|week|history|first]`.

use std::path::Path;

mod sample;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: sample-report OUTDIR [plain|controls|large|week|history|first]");
        std::process::exit(2);
    };
    // A second argument asks for a run without candidates, for one of controls, for a large one, or
    // for many runs.
    let sample = match std::env::args().nth(2).as_deref() {
        None => sample::Sample::new(),
        Some("controls") => sample::Sample::controls(),
        Some("large") => sample::Sample::large(200, 12),
        Some("week") => return written(&folder, || analysis::report::render_week(&sample::OneWeek::new().input())),
        Some("history") => return written(&folder, || analysis::report::render_history(&sample::Weeks::new().input())),
        Some("first") => return written(&folder, || analysis::report::render_history(&sample::Weeks::first().input())),
        Some(_) => sample::Sample::plain(),
    };
    written(&folder, || analysis::report::render(&sample.input()))?;
    print!("{}", analysis::report::table(&sample.judgement, 80, false));
    Ok(())
}

fn written(folder: &str, files: impl FnOnce() -> Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    let began = std::time::Instant::now();
    let files = files();
    eprintln!("{} files in {:.1} s", files.len(), began.elapsed().as_secs_f64());
    for (name, bytes) in files {
        let path = Path::new(folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(path, bytes)?;
    }
    Ok(())
}
