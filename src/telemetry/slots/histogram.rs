//! Histograms of durations in integer nanoseconds.
//!
//! Integers, because one NaN would make a floating-point sum NaN for ever, and because a
//! [`Duration`] can be neither NaN nor negative. `_count` is the sum of the buckets at the moment
//! of reading, so it always agrees with them.

use std::time::Duration;

use super::cells::Counter;
use crate::gate::units::duration_nanos;

/// Upper bounds of a histogram's buckets, the last (+Inf) left out.
///
/// # Units
/// Nanoseconds, ascending. A value equal to a bound belongs under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketSet {
    /// The letter in the documents.
    pub name: &'static str,
    /// Ascending.
    pub bounds: &'static [u64],
}

/// Times inside the gate: 1 µs to 10 ms.
pub const GATE: BucketSet = BucketSet {
    name: "G",
    bounds: &[
        1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_500_000, 10_000_000,
    ],
};

/// Transport and age: 100 µs to 2.5 s.
pub const TRANSPORT: BucketSet = BucketSet {
    name: "T",
    bounds: &[
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        500_000_000,
        1_000_000_000,
        2_500_000_000,
    ],
};

/// Periods: the edges lie between the common rates, so jitter does not move a count from bucket to
/// bucket.
pub const PERIOD: BucketSet = BucketSet {
    name: "P",
    bounds: &[
        700_000,
        1_500_000,
        3_000_000,
        6_000_000,
        12_000_000,
        16_000_000,
        25_000_000,
        40_000_000,
        70_000_000,
        150_000_000,
        300_000_000,
        600_000_000,
        1_500_000_000,
        5_000_000_000,
    ],
};

/// Stops: 50 µs to 0.5 s.
pub const STOP: BucketSet = BucketSet {
    name: "S",
    bounds: &[
        50_000,
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_000_000,
        5_000_000,
        10_000_000,
        20_000_000,
        50_000_000,
        100_000_000,
        500_000_000,
    ],
};

/// How often a duration fell into each bucket. One writer, as [`Counter`].
#[derive(Debug)]
pub struct Histogram {
    set: &'static BucketSet,
    /// Not cumulative. Invariant: one more than `set.bounds`, the last for what is above all.
    buckets: Box<[Counter]>,
    /// Nanoseconds; 584 years until it wraps.
    sum: Counter,
}

impl Histogram {
    /// Every bucket at zero.
    #[must_use]
    pub fn new(set: &'static BucketSet) -> Self {
        Self {
            set,
            buckets: (0..=set.bounds.len()).map(|_| Counter::default()).collect(),
            sum: Counter::default(),
        }
    }

    /// Counts one duration. Wait-free: at most 14 comparisons and two stores.
    pub fn observe(&self, value: Duration) {
        let nanos = duration_nanos(value);
        // Linear: short lists, and most values fall into the first half.
        let over = self.set.bounds.iter().take_while(|&&b| nanos > b).count();
        if let Some(bucket) = self.buckets.get(over) {
            bucket.add(1);
        }
        self.sum.add(nanos);
    }

    /// The values now.
    #[must_use]
    pub fn read(&self) -> Reading {
        let mut count = 0_u64;
        let mut cumulative = Vec::with_capacity(self.set.bounds.len());
        for (bound, bucket) in self.set.bounds.iter().zip(self.buckets.iter()) {
            count = count.wrapping_add(bucket.get());
            cumulative.push((*bound, count));
        }
        if let Some(above) = self.buckets.last() {
            count = count.wrapping_add(above.get());
        }
        Reading { cumulative, count, sum_nanos: self.sum.get() }
    }
}

/// A histogram as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Upper bound in nanoseconds, and how many values were at or under it.
    pub cumulative: Vec<(u64, u64)>,
    /// All values: the sum of the buckets.
    pub count: u64,
    /// Sum of all values. May be one observation away from `count` when read during a write.
    pub sum_nanos: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: [&BucketSet; 4] = [&GATE, &TRANSPORT, &PERIOD, &STOP];

    #[test]
    fn when_a_set_is_declared_expect_it_ascending() {
        for set in SETS {
            assert!(set.bounds.is_sorted_by(|a, b| a < b), "{}", set.name);
        }
    }

    #[test]
    fn when_a_value_is_on_an_edge_expect_it_under_that_edge() {
        for set in SETS {
            for (i, &bound) in set.bounds.iter().enumerate() {
                let histogram = Histogram::new(set);
                histogram.observe(Duration::from_nanos(bound));
                histogram.observe(Duration::from_nanos(bound + 1));
                let reading = histogram.read();
                assert_eq!(reading.cumulative[i], (bound, 1), "{} {bound}", set.name);
                assert_eq!(reading.cumulative.get(i + 1).map_or(reading.count, |b| b.1), 2);
                assert_eq!(reading.count, 2);
                assert_eq!(reading.sum_nanos, 2 * bound + 1);
            }
        }
    }

    #[test]
    fn when_values_are_extreme_expect_them_in_the_first_and_last_bucket() {
        let histogram = Histogram::new(&GATE);
        histogram.observe(Duration::ZERO);
        histogram.observe(Duration::MAX);
        let reading = histogram.read();
        assert_eq!(reading.cumulative[0].1, 1);
        assert_eq!(reading.cumulative.last().unwrap().1, 1);
        assert_eq!(reading.count, 2);
    }

    #[test]
    fn when_read_during_writes_expect_count_to_equal_the_buckets_and_never_fall() {
        let histogram = Histogram::new(&STOP);
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for i in 0..200_000_u64 {
                    histogram.observe(Duration::from_nanos(i * 4_000));
                }
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            let mut before = histogram.read();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let now = histogram.read();
                assert!(now.cumulative.is_sorted_by(|a, b| a.1 <= b.1));
                assert!(now.count >= now.cumulative.last().unwrap().1);
                for (old, new) in before.cumulative.iter().zip(&now.cumulative) {
                    assert!(new.1 >= old.1);
                }
                assert!(now.count >= before.count && now.sum_nanos >= before.sum_nanos);
                before = now;
            }
        });
        let end = histogram.read();
        assert_eq!(end.count, 200_000);
        assert_eq!(end.sum_nanos, 4_000 * (200_000 * 199_999 / 2));
    }
}
