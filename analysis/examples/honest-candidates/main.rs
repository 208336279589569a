//! How often is an honest server accused, and how soon is a dishonest one? A thousand candidates
//! are drawn from the graded outputs of real launches and judged by the very test of the verdicts.
//!
//!     cargo run -p analysis --example honest-candidates -- [--honest ARM,…] [--altered ARM,…] RUN…
//!
//! RUN is a measure bundle; its grade and what calibrates it are found beside it. Arms are honest
//! or altered as their workload's `control` says, or as these options do where it says nothing.
//! Baselines are honest. Prints Markdown; the same bundles give the same bytes.

mod draw;
mod pool;
mod table;

fn main() -> std::process::ExitCode {
    let arguments = pool::Arguments::parse(std::env::args().skip(1));
    match pool::Pool::read(&arguments).and_then(|pool| draw::trials(&pool)) {
        Ok(trials) => {
            print!("{}", table::page(&arguments, &trials));
            std::process::ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            std::process::ExitCode::FAILURE
        }
    }
}
