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

    /// A number below `bound`, without bias (Lemire 2019, rejection of the short interval).
    pub fn below(&mut self, bound: u64) -> u64 {
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(bound);
            if wide as u64 >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Uniform in (0, 1).
    pub fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.unit())
    }

    /// Standard normal (Box–Muller).
    pub fn normal(&mut self) -> f64 {
        libm::sqrt(2.0 * self.exponential()) * libm::cos(2.0 * std::f64::consts::PI * self.unit())
    }

    /// Gamma with this shape and scale 1 (Marsaglia and Tsang 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * libm::pow(self.unit(), 1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = libm::pow(1.0 + c * x, 3.0);
            if v > 0.0 && libm::log(self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// Puts `items` into a random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
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
}
