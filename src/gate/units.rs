//! Time and numbers of the gate: newtypes and the only place where floats are compared to bounds.
//!
//! `f64::max`, `min` and `clamp` are banned elsewhere: the first two drop NaN silently, the last
//! lets it through and panics on an empty interval. The functions here are written so that NaN
//! fails closed.

use std::time::Duration;

/// A point on the steady clock, in nanoseconds since an arbitrary start.
///
/// Timeouts, rates and limits use only this clock, so a step of the wall clock or of `/clock`
/// changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SteadyTime(u64);

impl SteadyTime {
    /// Wraps nanoseconds of the steady clock.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The point `span` later; saturates.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(duration_nanos(span)))
    }
}

/// Nanoseconds of a duration, saturated at 584 years.
#[must_use]
pub fn duration_nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Wall-clock time as ROS writes it: nanoseconds since the Unix epoch. For stamps only, never for
/// a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(i64);

impl WallTime {
    /// Wraps nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The two numbers of `builtin_interfaces/Time`: seconds and nanoseconds, the second in
    /// `0..1_000_000_000` also before 1970.
    #[must_use]
    pub fn to_sec_nanosec(self) -> (i32, u32) {
        let sec = self.0.div_euclid(1_000_000_000);
        let nanosec = self.0.rem_euclid(1_000_000_000);
        (
            i32::try_from(sec).unwrap_or(if sec < 0 { i32::MIN } else { i32::MAX }),
            u32::try_from(nanosec).unwrap_or(0),
        )
    }
}

/// One reading of both clocks, made by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Decides everything.
    pub steady: SteadyTime,
    /// Only written into messages and records.
    pub wall: WallTime,
}

/// The smaller of two numbers; `bound` when `value` is NaN, and where they are equal. In this form
/// it is one instruction of the processor.
#[must_use]
#[inline]
pub fn at_most(value: f64, bound: f64) -> f64 {
    if value < bound { value } else { bound }
}

/// The larger of two numbers; `bound` when `value` is NaN, and where they are equal. In this form
/// it is one instruction of the processor.
#[must_use]
#[inline]
pub fn at_least(value: f64, bound: f64) -> f64 {
    if value > bound { value } else { bound }
}

/// Whether `low <= value <= high`. False for NaN, in any place.
#[must_use]
#[inline]
pub fn is_within(value: f64, low: f64, high: f64) -> bool {
    low <= value && value <= high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_bound_meets_nan_expect_the_bound() {
        assert_eq!(at_most(f64::NAN, 1.0), 1.0);
        assert_eq!(at_least(f64::NAN, -1.0), -1.0);
        // And where they are equal, to the bit.
        for (value, bound) in [(0.0, -0.0), (-0.0, 0.0_f64)] {
            assert_eq!(at_most(value, bound).to_bits(), bound.to_bits());
            assert_eq!(at_least(value, bound).to_bits(), bound.to_bits());
        }
        assert!(!is_within(f64::NAN, -1.0, 1.0));
        assert!(!is_within(0.0, f64::NAN, 1.0));
        assert!(!is_within(0.0, -1.0, f64::NAN));
    }

    #[test]
    fn when_time_goes_back_expect_zero_span() {
        let early = SteadyTime::from_nanos(5);
        let late = SteadyTime::from_nanos(9);
        assert_eq!(late.since(early), Duration::from_nanos(4));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.after(Duration::MAX).as_nanos(), u64::MAX);
    }

    #[test]
    fn when_wall_time_is_split_expect_nanoseconds_never_negative() {
        assert_eq!(WallTime::from_nanos(1_500_000_000).to_sec_nanosec(), (1, 500_000_000));
        assert_eq!(WallTime::from_nanos(-1).to_sec_nanosec(), (-1, 999_999_999));
        // What 32 bits cannot hold is the end of them on its side.
        assert_eq!(WallTime::from_nanos(i64::MAX).to_sec_nanosec().0, i32::MAX);
        assert_eq!(WallTime::from_nanos(i64::MIN).to_sec_nanosec().0, i32::MIN);
    }
}
