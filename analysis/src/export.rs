use lab::{Problem, Result};
use polars::prelude::*;

use crate::{report::escape, study::Study};

/// One row per timed request, per chunk with output, and per graded token, as CSV. Rows
/// are joined with what holds for their trial, latencies are in nanoseconds, and text that
/// a server sent cannot act as a spreadsheet's formula.
///
/// # Errors
/// When polars cannot build or write a table, which would be a bug.
pub fn export(study: &Study) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let bug = |e: PolarsError| Problem::broken(format!("polars: {e}"));
    let mut requests = study.requests_frame().map_err(bug)?;
    requests
        .apply("finish", |finish| {
            finish
                .str()
                .map(|s| s.apply_values(|f| escape::formula_free(f).into()).into_column())
                .unwrap_or(finish.clone())
        })
        .map_err(bug)?;
    let frames = [
        ("requests.csv", requests),
        ("chunks.csv", study.tokens_frame().map_err(bug)?),
        ("reference.csv", study.reference_frame().map_err(bug)?),
    ];
    frames.into_iter().map(|(name, mut frame)| Ok((name, csv(&mut frame).map_err(bug)?))).collect()
}

fn csv(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).finish(frame)?;
    Ok(bytes)
}
