//! Lengths in tokens, and how they are drawn.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer},
};

use super::Wrong;
use crate::seed::Stream;

/// The longest text that a source makes, in tokens.
pub const MOST_TOKENS: u32 = 1 << 20;

/// A draw that misses its limits is repeated at most so often; then the nearer limit stands.
const DRAWS: u32 = 1_000;

/// A length in tokens: a whole number, or a distribution that whole numbers are drawn from.
///
/// Written `512`, `{ uniform = { min = 64, max = 512 } }`,
/// `{ normal = { mean = 512, sd = 100, min = 64, max = 1024 } }`,
/// `{ lognormal = { median = 300, sigma = 0.8, min = 16, max = 4096 } }` or
/// `{ mix = [ { weight = 3, of = 128 }, { weight = 1, of = 2048 } ] }`.
#[derive(Debug, Clone, PartialEq)]
pub enum Length {
    /// Always so many tokens.
    Fixed(u32),
    /// Every whole number from `min` to `max` equally often.
    Uniform {
        /// Least tokens.
        min: u32,
        /// Most tokens.
        max: u32,
    },
    /// A normal distribution, rounded to whole tokens and drawn again outside `min..=max`.
    Normal {
        /// Mean before the limits cut it, in tokens.
        mean: f64,
        /// Standard deviation before the limits cut it, in tokens.
        sd: f64,
        /// Least tokens.
        min: u32,
        /// Most tokens.
        max: u32,
    },
    /// A distribution whose logarithm is normal, rounded and drawn again as `Normal` is.
    Lognormal {
        /// Half of all lengths lie below it, before the limits cut it; in tokens.
        median: f64,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
        /// Least tokens.
        min: u32,
        /// Most tokens.
        max: u32,
    },
    /// One of several, each as often as its weight says.
    Mix(Vec<Part>),
}

/// A part of a mix.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// How often, relative to the other parts.
    pub weight: u32,
    /// The part's own length.
    pub of: Length,
}

impl Length {
    /// A length, in tokens. Takes as many numbers from the stream as it needs.
    pub fn draw(&self, stream: &mut Stream) -> u32 {
        match self {
            Length::Fixed(tokens) => *tokens,
            Length::Uniform { min, max } => min + stream.below(u64::from(max - min) + 1) as u32,
            Length::Normal { mean, sd, min, max } => within(*min, *max, || mean + sd * stream.normal()),
            Length::Lognormal { median, sigma, min, max } => {
                within(*min, *max, || median * libm::exp(sigma * stream.normal()))
            }
            Length::Mix(parts) => {
                let all = parts.iter().map(|p| u64::from(p.weight)).sum();
                let mut ticket = stream.below(all);
                let part = parts.iter().find(|p| match ticket.checked_sub(u64::from(p.weight)) {
                    Some(rest) => {
                        ticket = rest;
                        false
                    }
                    None => true,
                });
                part.expect("a ticket lies below the sum of all weights").of.draw(stream)
            }
        }
    }

    /// The longest length that it can draw, in tokens.
    pub fn longest(&self) -> u32 {
        match self {
            Length::Fixed(tokens) => *tokens,
            Length::Uniform { max, .. } | Length::Normal { max, .. } | Length::Lognormal { max, .. } => *max,
            Length::Mix(parts) => parts.iter().map(|p| p.of.longest()).max().unwrap_or(0),
        }
    }

    /// Whether every draw is a length from 1 to [`MOST_TOKENS`]; else what is wrong with `field`.
    pub fn check(&self, field: &'static str) -> Result<(), Wrong> {
        let limits = |min: u32, max: u32| match (min, max) {
            (0, _) => Err((field, "min is 0".into(), "a text has at least 1 token; write 1 or more")),
            (_, max) if max > MOST_TOKENS => Err(too_long(field, max)),
            (min, max) if min > max => {
                Err((field, format!("min {min} is above max {max}"), "write the smaller number as min"))
            }
            _ => Ok(()),
        };
        let inside = |what: &str, value: f64, min: u32, max: u32| {
            limits(min, max)?;
            if !(f64::from(min)..=f64::from(max)).contains(&value) {
                let what = format!("{what} {value} lies outside {min} to {max}");
                return Err((field, what, "let min and max enclose it, or most draws would miss"));
            }
            Ok(())
        };
        let spread = |what: &str, value: f64, most: f64| match value {
            v if v >= 0.0 && v <= most => Ok(()),
            v => Err((field, format!("{what} {v} is not between 0 and {most}"), "write a number in that range")),
        };
        match self {
            Length::Fixed(0) => Err((field, "a length of 0 tokens".into(), "write 1 or more")),
            Length::Fixed(tokens) if *tokens > MOST_TOKENS => Err(too_long(field, *tokens)),
            Length::Fixed(_) => Ok(()),
            Length::Uniform { min, max } => limits(*min, *max),
            Length::Normal { mean, sd, min, max } => {
                inside("mean", *mean, *min, *max)?;
                spread("sd", *sd, f64::from(MOST_TOKENS))
            }
            Length::Lognormal { median, sigma, min, max } => {
                inside("median", *median, *min, *max)?;
                spread("sigma", *sigma, 10.0)
            }
            Length::Mix(parts) if parts.is_empty() => {
                Err((field, "a mix of nothing".into(), "add { weight = 1, of = 128 }"))
            }
            Length::Mix(parts) => parts.iter().try_for_each(|p| match (p.weight, &p.of) {
                (0, _) => Err((field, "a part of the mix has weight 0".into(), "write 1 or more, or leave it out")),
                (_, Length::Mix(_)) => Err((field, "a mix inside a mix".into(), "list its parts in the outer mix")),
                (_, of) => of.check(field),
            }),
        }
    }
}

fn too_long(field: &'static str, tokens: u32) -> Wrong {
    (field, format!("{tokens} tokens are more than {MOST_TOKENS}"), "write a shorter length")
}

fn within(min: u32, max: u32, mut draw: impl FnMut() -> f64) -> u32 {
    let (low, high) = (f64::from(min), f64::from(max));
    let mut value = libm::round(draw());
    for _ in 1..DRAWS {
        if (low..=high).contains(&value) {
            break;
        }
        value = libm::round(draw());
    }
    value.clamp(low, high) as u32
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "lowercase")]
        enum Table {
            Uniform { min: u32, max: u32 },
            Normal { mean: f64, sd: f64, min: u32, max: u32 },
            Lognormal { median: f64, sigma: f64, min: u32, max: u32 },
            Mix(Vec<Part>),
        }
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = Length;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a length in tokens: a whole number like 512, or a table like { uniform = { min = 64, max = 512 } }")
            }

            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Length, E> {
                u32::try_from(n).map(Length::Fixed).map_err(|_| E::custom(format!("{n} tokens are too many")))
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Length, E> {
                match u64::try_from(n) {
                    Ok(n) => self.visit_u64(n),
                    Err(_) => Err(E::custom(format!("a length of {n} tokens; write 1 or more"))),
                }
            }

            fn visit_f64<E: de::Error>(self, x: f64) -> Result<Length, E> {
                Err(E::custom(format!("{x} is not a whole number of tokens; write it without a decimal point")))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Length, A::Error> {
                Ok(match Table::deserialize(MapAccessDeserializer::new(map))? {
                    Table::Uniform { min, max } => Length::Uniform { min, max },
                    Table::Normal { mean, sd, min, max } => Length::Normal { mean, sd, min, max },
                    Table::Lognormal { median, sigma, min, max } => Length::Lognormal { median, sigma, min, max },
                    Table::Mix(parts) => Length::Mix(parts),
                })
            }
        }
        d.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        input: Length,
    }

    fn read(toml: &str) -> Result<Length, String> {
        toml::from_str::<File>(&format!("input = {toml}")).map(|f| f.input).map_err(|e| e.to_string())
    }

    fn draws(length: &Length, count: usize) -> Vec<u32> {
        let mut stream = Stream::new(b"", "lengths");
        (0..count).map(|_| length.draw(&mut stream)).collect()
    }

    #[test]
    fn lengths_are_read_from_numbers_and_tables() {
        assert_eq!(read("512"), Ok(Length::Fixed(512)));
        assert_eq!(read("{ uniform = { min = 64, max = 512 } }"), Ok(Length::Uniform { min: 64, max: 512 }));
        assert_eq!(
            read("{ normal = { mean = 300, sd = 12.5, min = 1, max = 900 } }"),
            Ok(Length::Normal { mean: 300.0, sd: 12.5, min: 1, max: 900 })
        );
        assert_eq!(
            read("{ lognormal = { median = 300, sigma = 0.8, min = 1, max = 900 } }"),
            Ok(Length::Lognormal { median: 300.0, sigma: 0.8, min: 1, max: 900 })
        );
        let parts = vec![
            Part { weight: 3, of: Length::Fixed(128) },
            Part { weight: 1, of: Length::Uniform { min: 1, max: 2 } },
        ];
        assert_eq!(
            read("{ mix = [{ weight = 3, of = 128 }, { weight = 1, of = { uniform = { min = 1, max = 2 } } }] }"),
            Ok(Length::Mix(parts))
        );
    }

    #[test]
    fn what_is_not_a_length_is_refused_in_plain_words_at_its_line() {
        for (toml, expected) in [
            ("-5", "a length of -5 tokens; write 1 or more"),
            ("5.5", "5.5 is not a whole number of tokens"),
            ("\"5\"", "expected a length in tokens: a whole number like 512, or a table"),
            ("99999999999", "99999999999 tokens are too many"),
            ("{ zipf = 1 }", "unknown variant `zipf`, expected one of `uniform`, `normal`, `lognormal`, `mix`"),
            ("{ uniform = { min = 1 } }", "missing field `max`"),
            ("{ uniform = { min = 1, max = 2, mean = 3 } }", "unknown field `mean`"),
            ("{ mix = [{ weight = 1, of = -1 }] }", "a length of -1 tokens"),
        ] {
            let message = read(toml).unwrap_err();
            assert!(message.contains(expected) && message.contains("line 1"), "{toml}: {message}");
        }
    }

    #[test]
    fn lengths_out_of_range_say_what_to_write() {
        let normal = |mean, sd, min, max| Length::Normal { mean, sd, min, max };
        for (length, expected) in [
            (Length::Fixed(0), "a length of 0 tokens"),
            (Length::Fixed(MOST_TOKENS + 1), "1048577 tokens are more than 1048576"),
            (Length::Uniform { min: 0, max: 5 }, "min is 0"),
            (Length::Uniform { min: 6, max: 5 }, "min 6 is above max 5"),
            (normal(0.5, 1.0, 1, 9), "mean 0.5 lies outside 1 to 9"),
            (normal(f64::NAN, 1.0, 1, 9), "mean NaN lies outside 1 to 9"),
            (normal(5.0, -1.0, 1, 9), "sd -1 is not between 0 and 1048576"),
            (normal(5.0, f64::NAN, 1, 9), "sd NaN is not between 0 and 1048576"),
            (Length::Lognormal { median: 5.0, sigma: 11.0, min: 1, max: 9 }, "sigma 11 is not between 0 and 10"),
            (Length::Mix(vec![]), "a mix of nothing"),
            (Length::Mix(vec![Part { weight: 0, of: Length::Fixed(1) }]), "a part of the mix has weight 0"),
            (Length::Mix(vec![Part { weight: 1, of: Length::Mix(vec![]) }]), "a mix inside a mix"),
            (Length::Mix(vec![Part { weight: 1, of: Length::Fixed(0) }]), "a length of 0 tokens"),
        ] {
            let (field, what, _) = length.check("input").unwrap_err();
            assert_eq!((field, what.as_str()), ("input", expected), "{length:?}");
        }
        for fine in [Length::Fixed(1), Length::Uniform { min: 5, max: 5 }, normal(5.0, 0.0, 1, 9)] {
            assert_eq!(fine.check("input"), Ok(()), "{fine:?}");
            assert!(draws(&fine, 100).contains(&5) || fine == Length::Fixed(1));
        }
    }

    #[test]
    fn uniform_draws_reach_both_limits_and_are_even_handed() {
        let drawn = draws(&Length::Uniform { min: 3, max: 5 }, 30_000);
        for wanted in 3..=5 {
            let count = drawn.iter().filter(|d| **d == wanted).count();
            assert!((9_600..10_400).contains(&count), "{wanted}: {count}");
        }
    }

    #[test]
    fn normal_and_lognormal_draws_have_their_mean_median_and_spread() {
        let drawn = draws(&Length::Normal { mean: 500.0, sd: 50.0, min: 1, max: 1_000 }, 40_000);
        let mean = drawn.iter().map(|d| f64::from(*d)).sum::<f64>() / 40_000.0;
        assert!((mean - 500.0).abs() < 1.5, "{mean}");
        let within = drawn.iter().filter(|d| (450..=550).contains(*d)).count() as f64 / 40_000.0;
        assert!((within - 0.688).abs() < 0.012, "one deviation, rounded lengths: {within}");
        let mut drawn = draws(&Length::Lognormal { median: 300.0, sigma: 1.0, min: 1, max: MOST_TOKENS }, 40_001);
        drawn.sort_unstable();
        assert!((290..=310).contains(&drawn[20_000]), "median {}", drawn[20_000]);
        // One deviation of the logarithm: 300 e = 815 has 84.1 % below it.
        let below = drawn.partition_point(|d| *d < 815) as f64 / 40_001.0;
        assert!((below - 0.841).abs() < 0.01, "{below}");
    }

    #[test]
    fn draws_stay_inside_their_limits_without_heaping_up_there() {
        let drawn = draws(&Length::Normal { mean: 10.0, sd: 5.0, min: 8, max: 12 }, 10_000);
        assert!(drawn.iter().all(|d| (8..=12).contains(d)));
        let at_limit = drawn.iter().filter(|d| **d == 8).count();
        assert!(at_limit < 2_500, "drawn again, not moved to the limit: {at_limit} of 10,000");
        let hopeless = Length::Normal { mean: 5.0, sd: 1e6, min: 5, max: 5 };
        assert_eq!(draws(&hopeless, 3), [5; 3], "a draw ends");
    }

    #[test]
    fn a_mix_draws_its_parts_by_weight() {
        let parts = vec![Part { weight: 3, of: Length::Fixed(1) }, Part { weight: 1, of: Length::Fixed(9) }];
        let mix = Length::Mix(parts);
        let ones = draws(&mix, 40_000).iter().filter(|d| **d == 1).count();
        assert!((29_500..30_500).contains(&ones), "{ones}");
        assert_eq!(mix.longest(), 9);
    }
}
