//! Numbers from a seed, for what need not shrink by itself.

/// A small generator (splitmix64: the increment and multipliers of its published definition).
pub(crate) struct Draw(u64);

const ODD: [f64; 20] = [
    0.0,
    -0.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    1e300,
    -1e300,
    1e-6,
    -1e-6,
    1.000_001e-6,
    1.0,
    -1.0,
    1.000_000_000_000_000_2,
    1e9,
    -0.25,
];

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// `0..count`; 0 for an empty range.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap();
        usize::try_from(self.next().checked_rem(count).unwrap_or(0)).unwrap()
    }

    /// `0.0..1.0`
    pub(crate) fn unit(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap();
        f64::from(bits) / 4_294_967_296.0
    }

    /// `-1.0..1.0`
    pub(crate) fn signed(&mut self) -> f64 {
        2.0 * self.unit() - 1.0
    }

    /// A number that breaks careless code: not finite, huge, tiny, at an edge.
    pub(crate) fn odd_value(&mut self) -> f64 {
        ODD[self.below(ODD.len())]
    }
}
