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
