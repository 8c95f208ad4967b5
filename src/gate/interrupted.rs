//! A motion that a hold for something else interrupted.
//!
//! Its source asked for motion and has not said that it is over: when the hold ends it must be heard
//! again, as any source in motion must, or its lane holds. A policy that sends for each measurement sends
//! nothing while none comes, so its timeout counts from the end of the hold.

use std::time::Duration;

use super::units::SteadyTime;

/// Nothing interrupted, unless [`Self::begin`] said so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Interrupted {
    /// Until when the motion would have gone on.
    until: Option<SteadyTime>,
    /// Since when nothing holds the lane any more.
    free_since: Option<SteadyTime>,
}

impl Interrupted {
    /// A hold begins in a motion that would have gone on until then.
    pub(super) const fn begin(until: SteadyTime) -> Self {
        Self { until: Some(until), free_since: None }
    }

    /// It is over, was said to be, or is somebody else's now.
    pub(super) const fn end(&mut self) {
        *self = Self { until: None, free_since: None };
    }

    /// Whether its source should have been heard again. `held`: by something else, still.
    pub(super) fn is_owed(
        &mut self,
        held: bool,
        timeout: Option<Duration>,
        now: SteadyTime,
    ) -> bool {
        if held || self.until.is_none_or(|until| until <= now) {
            self.free_since = None;
            return false;
        }
        let since = *self.free_since.get_or_insert(now);
        timeout.is_some_and(|timeout| now.since(since) > timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn when_a_hold_ends_expect_a_timeout_more_and_none_after_the_motions_end() {
        let timeout = Some(Duration::from_millis(200));
        let mut motion = Interrupted::begin(at(10_000));
        assert!(!motion.is_owed(true, timeout, at(5_000)));
        for (ms, owed) in [(5_010, false), (5_210, false), (5_211, true), (9_999, true)] {
            assert_eq!(motion.is_owed(false, timeout, at(ms)), owed, "{ms}");
        }
        assert!(!motion.is_owed(true, timeout, at(9_000)), "held again");
        assert!(!motion.is_owed(false, timeout, at(9_100)));
        assert!(motion.is_owed(false, timeout, at(9_301)));
        assert!(!motion.is_owed(false, None, at(9_900)), "one without a timeout is never silent");
        assert!(!motion.is_owed(false, timeout, at(10_000)), "a plan that would be over");
        motion.end();
        assert!(!motion.is_owed(false, timeout, at(9_500)));
        assert!(!Interrupted::default().is_owed(false, timeout, at(9_500)));
    }
}
