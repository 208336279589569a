//! Splitmix64: the one source of every "random" number here, so that a run is a
//! function of its seeds on every machine and version.

/// The increment of splitmix64 (2⁶⁴ / φ).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64: a bijection that scatters neighbouring numbers.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A number that depends on both, in this order.
pub(crate) fn join(left: u64, right: u64) -> u64 {
    mix(left.rotate_left(17) ^ mix(right.wrapping_add(GOLDEN)))
}

/// A number that depends on a text.
pub(crate) fn text(text: &str) -> u64 {
    text.bytes().fold(mix(text.len() as u64), |state, byte| join(state, u64::from(byte)))
}

/// A uniform number in [0, 1).
pub(crate) fn unit(value: u64) -> f64 {
    (value >> 11) as f64 / (1_u64 << 53) as f64
}

/// A nearly normal number (Irwin–Hall of four 16-bit lanes) of variance 1.
pub(crate) fn normal(value: u64) -> f64 {
    let sum: u64 = (0..4).map(|lane| (value >> (16 * lane)) & 0xffff).sum();
    (sum as f64 / 65536.0 - 2.0) * 3.0_f64.sqrt()
}

/// A stream of numbers from one seed.
#[derive(Debug, Clone)]
pub(crate) struct Stream(u64);

impl Stream {
    /// The stream of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// The next uniform number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// The next index below `count`, which must not be 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// The next exponentially distributed number of this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -(1.0 - self.unit()).ln() * mean
    }
}
