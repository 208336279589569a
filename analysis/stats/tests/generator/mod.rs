//! Orders by chance that tests in and outside of the crate share.

/// Knuth's linear congruential generator, as `oracles/make_history.py` has it.
pub(crate) struct Generator(pub(crate) u64);

impl Generator {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    pub(crate) fn shuffle(&mut self, values: &mut [f64]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}
