//! Tables as values: HTML, Markdown and CSV show the same cells, so no number can be in
//! one and not in the other.

use std::borrow::Cow;

use super::{escape, number::Number};
use crate::judgement::Verdict;

/// A column. A cell of several values fills several fields of the CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) title: &'static str,
    /// The names of its fields in CSV.
    pub(crate) fields: &'static [&'static str],
}

/// A column, shortly.
pub(crate) const fn column(title: &'static str, fields: &'static [&'static str]) -> Column {
    Column { title, fields }
}

/// A table. Everything in it that others wrote is escaped where it is written out.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Its file is `csv/<name>.csv`.
    pub(crate) name: &'static str,
    /// What it shows.
    pub(crate) caption: &'static str,
    /// The columns.
    pub(crate) columns: Vec<Column>,
    /// The rows, each with one cell for each column.
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Words.
    Text(String),
    /// Words, and the page on them: its file without the ending.
    Link(String, String),
    /// A week, and its folder where its own report is there.
    Week(String, Option<String>),
    /// Digests, identifiers, tokens.
    Code(String),
    /// A number with its unit (or nothing), which CSV leaves to the column's name.
    Number(Number, &'static str),
    /// A number with its unit, which CSV has in a field of its own.
    Measure(Number, &'static str),
    /// A ratio and its interval.
    Interval(Number, Number, Number),
    /// A number with its unit, and its interval where there is one.
    Limit(Number, Option<(Number, Number)>, &'static str),
    /// A verdict and whether it is provisional.
    Verdict(Verdict, bool),
    /// There is no value; why.
    Nothing(String),
    /// There is no value, and that says enough.
    Empty,
}

/// One field of a CSV file.
enum Field<'a> {
    Number(&'a str),
    Text(&'a str),
}

impl Cell {
    /// A number without a unit.
    pub(crate) fn plain(number: Number) -> Self {
        Cell::Number(number, "")
    }

    /// A number, if there is one.
    pub(crate) fn maybe(number: Option<Number>, unit: &'static str) -> Self {
        number.map_or(Cell::Empty, |n| Cell::Number(n, unit))
    }

    /// Whether it is set flush right.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Cell::Number(..) | Cell::Measure(..))
    }

    /// As people read it; not yet escaped.
    pub(crate) fn words(&self) -> String {
        self.read().into_owned()
    }

    /// The same, which is mostly there already.
    fn read(&self) -> Cow<'_, str> {
        let words = match self {
            Cell::Text(text) | Cell::Link(text, _) | Cell::Week(text, _) | Cell::Code(text) | Cell::Nothing(text) => {
                return Cow::Borrowed(text);
            }
            Cell::Number(number, unit) | Cell::Measure(number, unit) => with_unit(number, unit),
            Cell::Empty => "–".into(),
            Cell::Interval(point, low, high) => {
                format!("{}× [{}, {}]", point.typeset(), low.typeset(), high.typeset())
            }
            Cell::Limit(point, ends, unit) => {
                let interval = ends.as_ref().map(|(low, high)| format!(" [{}, {}]", low.typeset(), high.typeset()));
                format!("{}{}", with_unit(point, unit), interval.unwrap_or_default())
            }
            Cell::Verdict(verdict, provisional) => {
                format!("{}{}", word(*verdict), if *provisional { ", provisional" } else { "" })
            }
        };
        Cow::Owned(words)
    }

    /// What it is sorted by where that is not its words: the first of its numbers, and nothing where
    /// there is no value.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            Cell::Text(_) | Cell::Link(..) | Cell::Week(..) | Cell::Code(_) => None,
            Cell::Nothing(_) | Cell::Empty => Some(String::new()),
            Cell::Number(number, _)
            | Cell::Measure(number, _)
            | Cell::Interval(number, ..)
            | Cell::Limit(number, ..) => Some(number.digits().to_owned()),
            Cell::Verdict(verdict, _) => Some((*verdict as u8).to_string()),
        }
    }

    fn fields(&self) -> Vec<Field<'_>> {
        match self {
            Cell::Text(text) | Cell::Link(text, _) | Cell::Week(text, _) | Cell::Code(text) | Cell::Nothing(text) => {
                vec![Field::Text(text)]
            }
            Cell::Number(number, _) => vec![Field::Number(number.digits())],
            Cell::Empty => vec![],
            Cell::Measure(number, unit) => vec![Field::Number(number.digits()), Field::Text(unit)],
            Cell::Interval(point, low, high) => [point, low, high].map(|n| Field::Number(n.digits())).into(),
            Cell::Limit(point, ends, unit) => {
                let (low, high) = ends.as_ref().map_or(("", ""), |(low, high)| (low.digits(), high.digits()));
                vec![Field::Number(point.digits()), Field::Number(low), Field::Number(high), Field::Text(unit)]
            }
            Cell::Verdict(verdict, provisional) => {
                vec![Field::Text(word(*verdict)), Field::Text(if *provisional { "provisional" } else { "final" })]
            }
        }
    }
}

fn with_unit(number: &Number, unit: &str) -> String {
    match unit {
        "" => number.typeset(),
        "×" => format!("{}×", number.typeset()),
        unit => format!("{}\u{a0}{unit}", number.typeset()),
    }
}

/// The verdict's word.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Equivalent => "equivalent",
        Verdict::Undecided => "undecided",
        Verdict::Altered => "altered",
    }
}

impl Table {
    /// The rows whose first cell is `first`, without that cell.
    pub(crate) fn of(&self, first: &str) -> Table {
        let wanted = |row: &&Vec<Cell>| row.first().is_some_and(|cell| cell.read() == first);
        Table {
            columns: self.columns[1..].to_vec(),
            rows: self.rows.iter().filter(wanted).map(|row| row[1..].to_vec()).collect(),
            ..*self
        }
    }

    /// Only the rows whose words in this column are so.
    pub(crate) fn only(&self, title: &str, wanted: impl Fn(&str) -> bool) -> Table {
        let Some(at) = self.columns.iter().position(|c| c.title == title) else { return self.clone() };
        self.rows_where(|row| wanted(&row[at].read()))
    }

    /// Only the rows that have this word in the first or the second column.
    pub(crate) fn of_either(&self, word: &str) -> Table {
        self.rows_where(|row| row.iter().take(2).any(|cell| cell.read() == word))
    }

    fn rows_where(&self, wanted: impl Fn(&[Cell]) -> bool) -> Table {
        let rows = self.rows.iter().filter(|row| wanted(row)).cloned().collect();
        Table { columns: self.columns.clone(), rows, ..*self }
    }

    /// Only the rows whose first cell is not among these words.
    pub(crate) fn without(self, places: &[String]) -> Table {
        let listed = |row: &Vec<Cell>| matches!(row.first(), Some(Cell::Text(text)) if places.contains(text));
        Table { rows: self.rows.into_iter().filter(|row| !listed(row)).collect(), ..self }
    }

    /// Without a column whose cells are all the same.
    pub(crate) fn unless_constant(self, title: &str) -> Table {
        let Some(at) = self.columns.iter().position(|c| c.title == title) else { return self };
        if self.rows.windows(2).any(|pair| pair[0][at] != pair[1][at]) {
            return self;
        }
        self.without_column(title)
    }

    /// Without a column in which nothing stands.
    pub(crate) fn unless_empty(self, title: &str) -> Table {
        let Some(at) = self.columns.iter().position(|c| c.title == title) else { return self };
        if self.rows.iter().any(|row| row[at] != Cell::Empty) { self } else { self.without_column(title) }
    }

    /// Without a column.
    pub(crate) fn without_column(&self, title: &str) -> Table {
        let titles: Vec<&str> = self.columns.iter().map(|c| c.title).filter(|t| *t != title).collect();
        self.pick(&titles)
    }

    /// Only the columns with these headings, in this order.
    pub(crate) fn pick(&self, titles: &[&str]) -> Table {
        let at: Vec<usize> =
            titles.iter().filter_map(|title| self.columns.iter().position(|c| c.title == *title)).collect();
        Table {
            columns: at.iter().map(|i| self.columns[*i]).collect(),
            rows: self.rows.iter().map(|row| at.iter().map(|i| row[*i].clone()).collect()).collect(),
            ..*self
        }
    }

    /// The file's name in the report's folder.
    pub(crate) fn file(&self) -> String {
        format!("csv/{}.csv", self.name)
    }

    /// The file: a header, then a line for each row.
    pub(crate) fn csv(&self) -> String {
        let header: Vec<&str> = self.columns.iter().flat_map(|c| c.fields).copied().collect();
        let mut out = header.join(",") + "\n";
        for row in &self.rows {
            let mut line: Vec<String> = Vec::with_capacity(header.len());
            for (cell, column) in row.iter().zip(&self.columns) {
                let mut fields = cell.fields().into_iter();
                for _ in column.fields {
                    line.push(match fields.next() {
                        Some(Field::Number(digits)) => digits.to_owned(),
                        Some(Field::Text(text)) => escape::csv(text),
                        None => String::new(),
                    });
                }
            }
            out.push_str(&line.join(","));
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{super::number, *};

    fn table() -> Table {
        Table {
            name: "t",
            caption: "A table.",
            columns: vec![column("arm", &["arm"]), column("speed", &["speedup", "low", "high"])],
            rows: vec![
                vec![
                    Cell::Text("=a".into()),
                    Cell::Interval(number::ratio(1.0), number::ratio(0.9), number::ratio(1.1)),
                ],
                vec![Cell::Text("b".into()), Cell::Nothing("n/a (n < 6)".into())],
            ],
        }
    }

    #[test]
    fn an_interval_is_three_numbers_in_csv_and_text_is_never_a_formula() {
        assert_eq!(table().csv(), "arm,speedup,low,high\n'=a,1.00,0.90,1.10\nb,n/a (n < 6),,\n");
    }

    #[test]
    fn a_part_of_a_table_keeps_its_order() {
        assert_eq!(table().of("b").rows, [vec![Cell::Nothing("n/a (n < 6)".into())]]);
        assert_eq!(table().pick(&["speed", "arm"]).columns[1].title, "arm");
    }
}
