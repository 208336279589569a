//! Durations as a person writes them: `20ms`, `1.5s`, `200us`, `2m`.

use std::time::Duration;

/// Reads a duration with its unit; a bare `0` needs none.
///
/// # Errors
/// Says what was wrong when the number or the unit cannot be read.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic() || c == 'µ').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.trim().parse().map_err(|_| format!("`{text}` does not begin with a number"))?;
    let scale = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "" if number == 0.0 => 1.0,
        "" => return Err(format!("`{text}` needs a unit: ns, us, ms, s, m or h")),
        other => return Err(format!("unknown unit `{other}`: use ns, us, ms, s, m or h")),
    };
    Duration::try_from_secs_f64(number * scale).map_err(|_| format!("`{text}` is not a duration from now on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_as_written() {
        assert_eq!(parse("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("200us"), Ok(Duration::from_micros(200)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn a_duration_without_a_unit_is_refused_with_the_units_named() {
        assert!(parse("20").unwrap_err().contains("ms"));
        assert!(parse("-1ms").is_err());
        assert!(parse("3 parsecs").unwrap_err().contains("parsecs"));
    }
}
