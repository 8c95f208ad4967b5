//! A share over the last stretch of time: how many of the commands were refused, limited, too many.
//!
//! The window moves in [`STEPS`] steps, so it is up to one step shorter than asked. Nothing is kept
//! of single commands, so a flood costs no more than a trickle.

use std::time::Duration;

use super::units::{SteadyTime, duration_nanos};

/// Steps of a window: the finest that a person would tell apart.
const STEPS: usize = 10;

/// Fewer commands than this in a window say nothing: a transient of three is not "sustained".
pub(super) const FEW: u64 = 5;

/// Counts over a moving window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    steps: [(u64, u64); STEPS],
    step_nanos: u64,
    /// The step that is being filled, counted from the clock's start.
    current: u64,
}

impl Share {
    pub(super) fn new(window: Duration) -> Self {
        let steps = u64::try_from(STEPS).unwrap_or(u64::MAX);
        Self {
            steps: [(0, 0); STEPS],
            step_nanos: duration_nanos(window).checked_div(steps).unwrap_or(0).max(1),
            current: 0,
        }
    }

    /// Counts `all`, of which `hits` are of the kind that is looked for.
    pub(super) fn note(&mut self, hits: u64, all: u64, now: SteadyTime) {
        let step = now.as_nanos().checked_div(self.step_nanos).unwrap_or(0);
        if step > self.current {
            // Steps in which nothing came are emptied; after a whole window, all of them.
            let passed = usize::try_from(step - self.current).unwrap_or(STEPS).min(STEPS);
            for ago in 0..passed {
                if let Some(slot) = self.slot(step.saturating_sub(u64::try_from(ago).unwrap_or(0)))
                {
                    *slot = (0, 0);
                }
            }
            self.current = step;
        }
        let current = self.current;
        if let Some((hit_count, count)) = self.slot(current) {
            *hit_count = hit_count.saturating_add(hits);
            *count = count.saturating_add(all);
        }
    }

    fn slot(&mut self, step: u64) -> Option<&mut (u64, u64)> {
        let steps = u64::try_from(STEPS).unwrap_or(u64::MAX);
        let index = usize::try_from(step.checked_rem(steps).unwrap_or(0)).unwrap_or(0);
        self.steps.get_mut(index)
    }

    /// Hits and all of them within the window.
    pub(super) fn counts(&mut self, now: SteadyTime) -> (u64, u64) {
        self.note(0, 0, now);
        let add = |sum: (u64, u64), step: &(u64, u64)| {
            (sum.0.saturating_add(step.0), sum.1.saturating_add(step.1))
        };
        self.steps.iter().fold((0, 0), add)
    }

    /// The share within the window, where there were more than a few.
    #[expect(clippy::as_conversions, reason = "counts far below 2^53")]
    pub(super) fn ratio(&mut self, now: SteadyTime) -> Option<f64> {
        let (hits, all) = self.counts(now);
        (all >= FEW).then(|| hits as f64 / all as f64)
    }

    /// Starts anew.
    pub(super) fn clear(&mut self) {
        self.steps = [(0, 0); STEPS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn when_half_of_the_commands_hit_expect_half_and_nothing_of_a_few() {
        let mut share = Share::new(Duration::from_secs(1));
        for step in 0..4 {
            share.note(step % 2, 1, at(step * 20));
        }
        assert_eq!(share.ratio(at(80)), None);
        share.note(0, 1, at(80));
        share.note(1, 1, at(100));
        assert_eq!(share.ratio(at(100)), Some(0.5));
    }

    #[test]
    fn when_time_passes_expect_the_old_forgotten() {
        let mut share = Share::new(Duration::from_secs(1));
        for step in 0..100 {
            share.note(1, 1, at(step * 10));
        }
        assert_eq!(share.counts(at(999)), (100, 100));
        assert_eq!(share.counts(at(1_500)).1, 40);
        assert_eq!(share.counts(at(60_000)), (0, 0));
    }

    #[test]
    fn when_time_stands_still_or_goes_back_expect_it_counted_all_the_same() {
        let mut share = Share::new(Duration::from_secs(1));
        share.note(1, 1, at(5_000));
        share.note(1, 1, at(10));
        assert_eq!(share.counts(at(5_000)), (2, 2));
    }
}
