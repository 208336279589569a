//! Randomness with a name: every stream is ChaCha8 keyed by SHA-256 of what it is for,
//! so that adding a new use never moves an old one.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

use crate::Digest;

/// One stream of random numbers.
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream for `purpose` under `seed`.
    pub fn new(seed: &[u8], purpose: &str) -> Self {
        let mut key = Vec::from(seed);
        key.push(0);
        key.extend_from_slice(purpose.as_bytes());
        Stream(ChaCha8Rng::from_seed(Digest::of(key).bytes()))
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, without bias (Lemire 2019, rejection of the short interval).
    pub fn below(&mut self, bound: u64) -> u64 {
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(bound);
            if wide as u64 >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Puts `items` into a random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }

    /// A number between 0 and 1, neither of them: the middles of 2⁵² equal intervals.
    pub fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// Exponential with mean 1 (inversion).
    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.unit())
    }

    /// Normal with mean 0 and variance 1 (Marsaglia and Bray 1964, the polar method; the
    /// second of each pair is dropped, so that a stream has no hidden state).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                return x * libm::sqrt(-2.0 * libm::log(square) / square);
            }
        }
    }

    /// Gamma with this shape and scale 1: mean and variance are the shape (Marsaglia and
    /// Tsang 2000; below 1 by their section 6, a power of a uniform number times the
    /// gamma of one more).
    ///
    /// # Panics
    /// If the shape is not above 0.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        assert!(shape > 0.0, "a gamma distribution's shape is above 0, not {shape}");
        if shape < 1.0 {
            let smaller = libm::pow(self.unit(), 1.0 / shape);
            return self.gamma(shape + 1.0) * smaller;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            if libm::log(self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_give_the_same_order() {
        let order = |purpose: &str| {
            let mut items: Vec<u32> = (0..50).collect();
            Stream::new(b"7", purpose).shuffle(&mut items);
            items
        };
        assert_eq!(order("trials"), order("trials"));
        assert_ne!(order("trials"), order("phases"));
    }

    #[test]
    fn numbers_below_three_are_even_handed() {
        let mut stream = Stream::new(b"", "test");
        let mut counts = [0u32; 3];
        (0..30_000).for_each(|_| counts[stream.below(3) as usize] += 1);
        assert!(counts.iter().all(|n| (9_600..10_400).contains(n)), "{counts:?}");
    }

    /// Mean and variance of 100,000 draws, each within five standard errors of what it should
    /// be; `kurtosis` is the fourth central moment over the squared variance.
    fn has_moments(name: &str, mean: f64, variance: f64, kurtosis: f64, mut draw: impl FnMut(&mut Stream) -> f64) {
        let (mut stream, n) = (Stream::new(b"", name), 100_000.0);
        let draws: Vec<f64> = (0..100_000).map(|_| draw(&mut stream)).collect();
        let found = draws.iter().sum::<f64>() / n;
        assert!((found - mean).abs() < 5.0 * (variance / n).sqrt(), "{name}: mean {found}, not {mean}");
        let spread = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let error = variance * ((kurtosis - 1.0) / n).sqrt();
        assert!((spread - variance).abs() < 5.0 * error, "{name}: variance {spread}, not {variance}");
    }

    #[test]
    fn distributions_have_the_moments_of_the_textbook() {
        has_moments("unit", 0.5, 1.0 / 12.0, 1.8, Stream::unit);
        has_moments("exponential", 1.0, 1.0, 9.0, Stream::exponential);
        has_moments("normal", 0.0, 1.0, 3.0, Stream::normal);
        for shape in [0.25, 0.5, 1.0, 2.5, 40.0] {
            has_moments(&format!("gamma {shape}"), shape, shape, 3.0 + 6.0 / shape, |s| s.gamma(shape));
        }
    }

    #[test]
    fn tails_are_as_heavy_as_the_textbook_says() {
        let share = |name: &str, beyond: &mut dyn FnMut(&mut Stream) -> bool| {
            let mut stream = Stream::new(b"", name);
            (0..200_000).filter(|_| beyond(&mut stream)).count() as f64 / 200_000.0
        };
        // P(|Z| > 1.96) = 0.05; P(E > 3) = e⁻³; a gamma of shape 2 lies above 3 with (1 + 3) e⁻³.
        for (name, expected, found) in [
            ("normal", 0.049_996, share("a", &mut |s| s.normal().abs() > 1.96)),
            ("exponential", 0.049_787, share("b", &mut |s| s.exponential() > 3.0)),
            ("gamma", 0.199_148, share("c", &mut |s| s.gamma(2.0) > 3.0)),
        ] {
            assert!((found - expected).abs() < 0.005, "{name}: {found}, not {expected}");
        }
    }

    #[test]
    fn a_stream_gives_these_numbers_on_every_machine() {
        let mut s = Stream::new(b"7", "pinned");
        let drawn = [s.unit(), s.exponential(), s.normal(), s.gamma(0.5), s.gamma(3.0)].map(f64::to_bits);
        let pinned = [
            0x3fae_3b3d_2d63_54d0,
            0x3fcd_b4e1_1b69_5d55,
            0x3fef_4883_3725_58f5,
            0x3fdb_bb0b_a760_be65,
            0x400d_f4a9_e1d2_d0a9,
        ];
        assert_eq!(drawn, pinned, "{drawn:#x?}");
    }
}
