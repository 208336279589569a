//! From values to positions, and where the ticks are. Logarithms are `libm`'s, so that a
//! picture's bytes are the same on every machine.

/// A continuous axis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    log: bool,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// The smallest and the largest of values that are not negative; infinity and 0 where there is none.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(low, high), value| (low.min(value), high.max(value)))
}

/// Where a tick is and what stands there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// The value.
    pub(crate) value: f64,
    /// Its label.
    pub(crate) label: String,
}

impl Scale {
    /// Values `low..high` over positions `from..to`. A range without width is widened; a
    /// logarithmic one that reaches zero is made linear.
    pub(crate) fn new(log: bool, low: f64, high: f64, from: f64, to: f64) -> Self {
        let log = log && low > 0.0;
        let (low, high) = match (high > low, log) {
            (true, _) => (low, high),
            (false, true) => (low / 1.5, low * 1.5),
            (false, false) => (low - 0.5, low + 0.5),
        };
        Scale { log, low, high, from, to }
    }

    /// The position of a value; values outside lie on the edge.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = if self.log {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Whether it is logarithmic.
    pub(crate) fn is_log(&self) -> bool {
        self.log
    }

    /// Round values inside the range, at most about `most`.
    pub(crate) fn ticks(&self, most: usize) -> Vec<Tick> {
        // A logarithmic axis over less than a factor of four reads better with even steps.
        if self.log && self.high / self.low >= 4.0 { self.log_ticks(most) } else { self.even_ticks(most) }
    }

    fn even_ticks(&self, most: usize) -> Vec<Tick> {
        let (step, decimals) = even_step((self.high - self.low) / most.max(1) as f64);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last)
            .map(|i| i as f64 * step)
            .map(|value| Tick { value, label: format!("{value:.decimals$}") })
            .collect()
    }

    fn log_ticks(&self, most: usize) -> Vec<Tick> {
        let inside = |multiples: &[u32], every: i32| -> Vec<Tick> {
            let (first, last) = (exponent(self.low), exponent(self.high));
            (first..=last)
                .filter(|e| e.rem_euclid(every) == 0)
                .flat_map(|e| multiples.iter().map(move |m| (*m, e)))
                .map(|(m, e)| Tick { value: power(m, e), label: power_label(m, e) })
                .filter(|tick| tick.value >= self.low * 0.999_999 && tick.value <= self.high * 1.000_001)
                .collect()
        };
        let choices: [(&[u32], i32); 5] = [(&[1, 2, 5], 1), (&[1, 3], 1), (&[1], 1), (&[1], 2), (&[1], 3)];
        choices.iter().map(|(multiples, every)| inside(multiples, *every)).find(|t| t.len() <= most).unwrap_or_default()
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `raw`, and the decimals
/// its multiples need.
fn even_step(raw: f64) -> (f64, usize) {
    let start = exponent(raw.max(1e-12));
    let (m, e) = [(1, start), (2, start), (5, start), (1, start + 1)]
        .into_iter()
        .find(|(m, e)| power(*m, *e) >= raw * 0.999_999)
        .unwrap_or((1, start + 1));
    (power(m, e), usize::try_from(-e).unwrap_or(0))
}

/// The exponent of the largest power of ten that is at most `value`.
fn exponent(value: f64) -> i32 {
    libm::floor(libm::log10(value) + 1e-9) as i32
}

/// `m` · 10^`e`, exactly as the decimal literal says.
fn power(m: u32, e: i32) -> f64 {
    format!("{m}e{e}").parse().unwrap_or(f64::NAN)
}

/// `500`, `0.02`, `2×10⁻⁵`.
fn power_label(m: u32, e: i32) -> String {
    match e {
        0..=5 => format!("{}", power(m, e)),
        -3..0 => format!("{:.*}", e.unsigned_abs() as usize, power(m, e)),
        _ => {
            let digits: String = e.to_string().chars().map(superscript).collect();
            if m == 1 { format!("10{digits}") } else { format!("{m}×10{digits}") }
        }
    }
}

fn superscript(c: char) -> char {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    c.to_digit(10).map_or('⁻', |d| DIGITS[d as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, most: usize) -> Vec<String> {
        scale.ticks(most).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(Scale::new(false, 0.0, 100.0, 0.0, 1.0), 5), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(Scale::new(true, 0.8, 1.4, 0.0, 1.0), 6), ["0.8", "0.9", "1.0", "1.1", "1.2", "1.3", "1.4"]);
        assert_eq!(labels(Scale::new(true, 8.0, 700.0, 0.0, 1.0), 8), ["10", "20", "50", "100", "200", "500"]);
        assert_eq!(labels(Scale::new(true, 0.00001, 0.5, 0.0, 1.0), 6), ["10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1"]);
    }

    #[test]
    fn a_log_axis_gives_equal_ratios_equal_lengths() {
        let scale = Scale::new(true, 1.0, 100.0, 0.0, 10.0);
        assert!((scale.at(10.0) - 5.0).abs() < 1e-12 && scale.is_log());
    }

    #[test]
    fn a_range_without_width_still_has_an_inside() {
        let scale = Scale::new(false, 3.0, 3.0, 0.0, 10.0);
        assert!((scale.at(3.0) - 5.0).abs() < 1e-12);
        assert!(!Scale::new(true, 0.0, 3.0, 0.0, 1.0).is_log());
    }

    #[test]
    fn values_outside_lie_on_the_edge() {
        assert_eq!(Scale::new(false, 0.0, 1.0, 20.0, 30.0).at(9.0), 30.0);
    }
}
