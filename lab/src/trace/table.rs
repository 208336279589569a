//! Which columns of a trace are the three that are wanted.

use crate::{Problem, Result};

/// A row as written.
pub(super) struct Row {
    pub line: u64,
    pub time: String,
    pub unit: Unit,
    pub input: String,
    pub output: String,
}

/// What a plain number means as a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
    /// The name does not say.
    Unknown,
}

const TIMES: [(&str, Unit); 6] = [
    ("timestamp_ms", Unit::Milliseconds),
    ("timestamp_s", Unit::Seconds),
    ("seconds", Unit::Seconds),
    ("arrived_at", Unit::Seconds),
    ("timestamp", Unit::Unknown),
    ("time", Unit::Unknown),
];
const INPUTS: [(&str, ()); 5] = [
    ("input_length", ()),
    ("input_tokens", ()),
    ("contexttokens", ()),
    ("num_prefill_tokens", ()),
    ("request tokens", ()),
];
const OUTPUTS: [(&str, ()); 5] = [
    ("output_length", ()),
    ("output_tokens", ()),
    ("generatedtokens", ()),
    ("num_decode_tokens", ()),
    ("response tokens", ()),
];

/// The rows of a trace in either form; the error has the line it is about.
pub(super) fn rows(text: &str) -> std::result::Result<Vec<Row>, (u64, Problem)> {
    if text.trim_start().starts_with('{') { json(text) } else { csv(text) }
}

/// The places of time, input and output among the names.
struct Columns {
    time: usize,
    unit: Unit,
    input: usize,
    output: usize,
}

impl Columns {
    fn of(names: &[&str]) -> Result<Self> {
        let (time, unit) = column(names, "times", &TIMES)?;
        let (input, ()) = column(names, "input tokens", &INPUTS)?;
        let (output, ()) = column(names, "output tokens", &OUTPUTS)?;
        Ok(Columns { time, unit, input, output })
    }

    fn row<'a>(&self, line: u64, cell: impl Fn(usize) -> &'a str) -> Row {
        let own = |i| cell(i).trim().to_owned();
        Row { line, time: own(self.time), unit: self.unit, input: own(self.input), output: own(self.output) }
    }
}

fn column<T: Copy>(names: &[&str], what: &str, known: &[(&str, T)]) -> Result<(usize, T)> {
    let meant = |name: &str| known.iter().find(|(k, _)| k.eq_ignore_ascii_case(name.trim())).map(|(_, t)| *t);
    let mut found = names.iter().enumerate().filter_map(|(i, name)| Some((i, meant(name)?)));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => {
            let all: Vec<_> = known.iter().map(|(k, _)| *k).collect();
            Err(Problem::input(format!("no column of {what}")).next(format!("name one of them {}", all.join(", "))))
        }
        (Some((a, _)), Some((b, _))) => {
            Err(Problem::input(format!("`{}` and `{}` are both columns of {what}", names[a].trim(), names[b].trim()))
                .next("remove or rename one of the two"))
        }
    }
}

fn csv(text: &str) -> std::result::Result<Vec<Row>, (u64, Problem)> {
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(text.as_bytes());
    let wrong = |e: csv::Error| {
        let line = e.position().map_or(1, csv::Position::line);
        (line, Problem::input(format!("not a row: {e}")).next("give every row as many cells as the header"))
    };
    let header = reader.headers().map_err(wrong)?.clone();
    if header.is_empty() {
        return Ok(Vec::new());
    }
    let columns = Columns::of(&header.iter().collect::<Vec<_>>()).map_err(|p| (1, p))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let line = record.position().map_or(1, csv::Position::line);
        rows.push(columns.row(line, |i| record.get(i).unwrap_or_default()));
    }
    Ok(rows)
}

fn json(text: &str) -> std::result::Result<Vec<Row>, (u64, Problem)> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(|e| {
            let next = "write {\"timestamp\": 27482, \"input_length\": 6955, \"output_length\": 52}";
            (line, Problem::input(format!("not a JSON object: {e}")).next(next))
        })?;
        let names: Vec<&str> = object.keys().map(String::as_str).collect();
        let mut columns = Columns::of(&names).map_err(|p| (line, p))?;
        if columns.unit == Unit::Unknown {
            columns.unit = Unit::Milliseconds;
        }
        let cells: Vec<String> = object.values().map(plain).collect();
        rows.push(columns.row(line, |i| &cells[i]));
    }
    Ok(rows)
}

/// Strings without their quotes; all else as JSON.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
