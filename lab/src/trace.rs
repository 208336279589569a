//! Recorded arrivals: when requests came, and how long they were.
//!
//! Two forms are read. A **CSV file** has a header; names are matched without regard to
//! case:
//!
//! | column | names |
//! |---|---|
//! | time | `timestamp_ms` (milliseconds), `timestamp_s`, `seconds`, `arrived_at` (seconds), `timestamp`, `time` (date-times only) |
//! | input tokens | `input_length`, `input_tokens`, `ContextTokens`, `num_prefill_tokens`, `Request tokens` |
//! | output tokens | `output_length`, `output_tokens`, `GeneratedTokens`, `num_decode_tokens`, `Response tokens` |
//!
//! so that the Azure LLM inference traces and Vidur's are read as published. **JSON lines**
//! have the same names as keys; there `timestamp` and `time` are milliseconds, as in
//! Mooncake's traces. A plain number under `timestamp` in a CSV file is refused: Mooncake
//! means milliseconds by it and BurstGPT seconds, so its header has to say.
//!
//! Date-times are `2023-11-16 18:15:46.6805900` or RFC 3339. Times become whole
//! nanoseconds by integer arithmetic; what is finer is cut off. A row with 0 output tokens
//! becomes one with 1, since its arrival and its prompt were load and no server can be
//! asked for nothing; 0 input tokens are refused.

mod table;
mod time;

use crate::{Nanos, Problem, Result};
use table::Row;

/// A request of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// From the trace's first arrival.
    pub at: Nanos,
    /// Tokens in, at least 1.
    pub input: u32,
    /// Tokens out, at least 1.
    pub output: u32,
}

/// Reads a trace; `place` names it in messages. Errors name the line.
pub fn read(bytes: &[u8], place: &str) -> Result<Vec<Arrival>> {
    let at = |line: u64| format!("{place}:{line}");
    let text = str::from_utf8(bytes).map_err(|e| Problem::input(format!("not UTF-8: {e}")).at(place))?;
    let rows = table::rows(text.trim_start_matches('\u{feff}')).map_err(|(line, p)| p.at(at(line)))?;
    let mut arrivals: Vec<Arrival> = Vec::with_capacity(rows.len());
    let mut first = None;
    for row in &rows {
        let arrival = arrival(row, &mut first, arrivals.last()).map_err(|p| p.at(at(row.line)))?;
        arrivals.push(arrival);
    }
    if arrivals.is_empty() {
        return Err(Problem::input("a trace without arrivals").at(place).next("add rows below the header"));
    }
    Ok(arrivals)
}

fn arrival(row: &Row, first: &mut Option<time::Time>, before: Option<&Arrival>) -> Result<Arrival> {
    let time = time::parse(&row.time, row.unit)?;
    let first = first.get_or_insert(time);
    let unsorted = || Problem::input("it comes before the row above it").next("sort the trace by time");
    let since = time.since(first)?;
    let at = Nanos(u64::try_from(since).map_err(|_| match since < 0 {
        true => unsorted(),
        false => Problem::input("it comes more than 584 years after the first").next("correct the time"),
    })?);
    if before.is_some_and(|b| at < b.at) {
        return Err(unsorted());
    }
    let input = tokens(&row.input)?;
    if input == 0 {
        return Err(Problem::input("0 input tokens").next("remove the row: a prompt has at least 1 token"));
    }
    Ok(Arrival { at, input, output: tokens(&row.output)?.max(1) })
}

fn tokens(text: &str) -> Result<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        Problem::input(format!("`{}` is not a number of tokens", crate::text::shown(text, 40)))
            .next("write a whole number like 512")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(text: &str) -> Vec<(u64, u32, u32)> {
        read(text.as_bytes(), "t").unwrap().iter().map(|a| (a.at.0, a.input, a.output)).collect()
    }

    fn refused(text: &str) -> String {
        read(text.as_bytes(), "t").unwrap_err().to_string()
    }

    #[test]
    fn azures_trace_is_read_as_published() {
        let csv = "TIMESTAMP,ContextTokens,GeneratedTokens\n\
                   2023-11-16 18:15:46.6805900,374,44\n\
                   2023-11-16 18:15:50.9951690,396,0\r\n\
                   2023-11-17 00:00:00,879,55\n";
        // 50.9951690 − 46.6805900 s; from 18:15:46.68059 to midnight are 5:44:13.31941.
        assert_eq!(arrivals(csv), [(0, 374, 44), (4_314_579_000, 396, 1), (20_653_319_410_000, 879, 55)]);
    }

    #[test]
    fn rfc_3339_is_read_with_its_offsets_and_not_mixed_with_times_of_no_place() {
        let csv = "timestamp,input_tokens,output_tokens\n2024-02-28T23:59:59.5Z,1,2\n2024-02-29T02:00:00+02:00,3,4\n";
        assert_eq!(arrivals(csv), [(0, 1, 2), (500_000_000, 3, 4)]);
        let mixed = refused("time,input_tokens,output_tokens\n2024-02-28T23:59:59Z,1,2\n2024-02-29 02:00:00,3,4\n");
        assert!(mixed.starts_with("t:3: ") && mixed.contains("offset"), "{mixed}");
    }

    #[test]
    fn mooncakes_json_lines_are_milliseconds() {
        let lines = r#"{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}
{"timestamp": 30535, "input_length": 6472, "output_length": 26, "hash_ids": []}

{"timestamp": 30535.25, "input_length": 1, "output_length": 0}
"#;
        assert_eq!(arrivals(lines), [(0, 6955, 52), (3_053_000_000, 6472, 26), (3_053_250_000, 1, 1)]);
    }

    #[test]
    fn vidurs_seconds_are_cut_to_whole_nanoseconds() {
        let csv = "arrived_at,num_prefill_tokens,num_decode_tokens\n0.1,5,6\n1.00000000199999999,7,8\n";
        assert_eq!(arrivals(csv), [(0, 5, 6), (900_000_001, 7, 8)]);
    }

    #[test]
    fn a_plain_number_needs_a_unit_in_its_columns_name() {
        for number in ["5", "5.5"] {
            let problem = refused(&format!("Timestamp,Request tokens,Response tokens\n{number},472,18\n"));
            assert!(problem.starts_with("t:2: ") && problem.contains("timestamp_ms or timestamp_s"), "{problem}");
        }
        assert_eq!(arrivals("timestamp_ms,input_length,output_length\n5,1,1\n7.5,1,1\n")[1].0, 2_500_000);
        assert_eq!(arrivals("Seconds,Request tokens,Response tokens\n5,1,1\n7.5,1,1\n")[1].0, 2_500_000_000);
    }

    #[test]
    fn rows_out_of_order_are_named() {
        let csv = "seconds,input_length,output_length\n5,1,1\n6,1,1\n5.999999999,1,1\n";
        assert_eq!(refused(csv), "t:4: it comes before the row above it\n  next: sort the trace by time");
        assert!(refused("seconds,input_length,output_length\n5,1,1\n4,1,1\n").starts_with("t:3: it comes before"));
        assert_eq!(arrivals("seconds,input_length,output_length\n5,1,1\n5,1,1\n").len(), 2, "at once is in order");
    }

    #[test]
    fn wrong_values_are_refused_at_their_line() {
        let row = |row: &str| refused(&format!("seconds,input_length,output_length\n{row}\n"));
        assert!(row("1,0,5").starts_with("t:2: 0 input tokens"));
        assert!(row("1,2.0,5").starts_with("t:2: `2.0` is not a number of tokens"));
        assert!(row("1,-2,5").starts_with("t:2: `-2` is not a number of tokens"));
        assert!(row("1,5,99999999999").starts_with("t:2: `99999999999` is not a number of tokens"));
        assert!(row("1,5").starts_with("t:2: "), "a missing cell");
        for time in ["", "-1", "1e3", "1.", ".5", "nan", "2023-11-16", "99999999999999999999999999999999999999999"] {
            assert!(row(&format!("{time},1,1")).starts_with("t:2: "), "{time}");
        }
        assert!(refused("seconds,input_length,output_length\n0,1,1\n99999999999,1,1\n").contains("584 years"));
    }

    #[test]
    fn a_missing_or_doubled_column_and_an_empty_trace_are_refused() {
        let missing = refused("timestamp_ms,output_length\n1,2\n");
        assert!(missing.starts_with("t:1: no column of input tokens") && missing.contains("input_length"), "{missing}");
        let doubled = refused("timestamp_ms,seconds,input_length,output_length\n1,1,1,1\n");
        assert!(doubled.contains("`timestamp_ms` and `seconds`"), "{doubled}");
        assert!(refused("timestamp_ms,input_length,output_length\n").contains("without arrivals"));
        assert!(refused("").contains("without arrivals"));
        assert!(refused("{\"timestamp\": 1}\n").starts_with("t:1: no column of input tokens"));
        assert!(refused("{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1}\nx\n").starts_with("t:2: "));
        assert!(refused("{\"timestamp\": [], \"input_length\": 1, \"output_length\": 1}\n").starts_with("t:1: "));
    }
}
