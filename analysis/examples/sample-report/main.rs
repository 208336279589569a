//! Writes a report on made-up numbers, to look at: `cargo run -p analysis --example
//! sample-report -- OUTDIR [plain|controls]`.

use std::path::Path;

mod sample;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: sample-report OUTDIR [plain|controls]");
        std::process::exit(2);
    };
    // A second argument asks for a run without candidates, or for one of controls.
    let sample = match std::env::args().nth(2).as_deref() {
        None => sample::Sample::new(),
        Some("controls") => sample::Sample::controls(),
        Some(_) => sample::Sample::plain(),
    };
    for (name, bytes) in analysis::report::render(&sample.input()) {
        let path = Path::new(&folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(path, bytes)?;
    }
    print!("{}", analysis::report::table(&sample.judgement, 80, false));
    Ok(())
}
