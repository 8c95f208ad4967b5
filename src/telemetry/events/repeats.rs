//! Repeated rejections: the first at once, then at most one line a second for each lane, source and
//! reason, with the number since the last line. A policy that sends NaN at 500 Hz is one fact.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::gate::check::Refusal;
use crate::gate::units::SteadyTime;
use crate::gate::verdict::Reason;

/// Time between two lines about the same.
pub(super) const LINE_EVERY: Duration = Duration::from_secs(1);

/// What one line tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rejections {
    pub(super) lane: usize,
    pub(super) source: usize,
    /// The newest.
    pub(super) refusal: Refusal,
    /// How many since the last line.
    pub(super) count: u64,
}

struct Held {
    line_at: SteadyTime,
    count: u64,
    newest: Refusal,
}

/// What was not told yet.
///
/// **Invariant:** bounded by lanes × sources × reasons, all of them from the configuration and a
/// closed list.
#[derive(Default)]
pub(super) struct Repeats {
    held: BTreeMap<(usize, usize, Reason), Held>,
}

impl Repeats {
    /// Adds one. Returns a line for the first, and for one after a quiet second.
    pub(super) fn add(
        &mut self,
        lane: usize,
        source: usize,
        refusal: Refusal,
        at: SteadyTime,
    ) -> Option<Rejections> {
        let key = (lane, source, refusal.reason);
        if let Some(held) = self.held.get_mut(&key)
            && (held.count > 0 || at.since(held.line_at) < LINE_EVERY)
        {
            held.count = held.count.saturating_add(1);
            held.newest = refusal;
            return None;
        }
        self.held.insert(key, Held { line_at: at, count: 0, newest: refusal });
        Some(Rejections { lane, source, refusal, count: 1 })
    }

    /// Tells what has been held for a second.
    pub(super) fn due(&mut self, now: SteadyTime, mut tell: impl FnMut(Rejections)) {
        for (&(lane, source, _), held) in &mut self.held {
            if held.count > 0 && now.since(held.line_at) >= LINE_EVERY {
                tell(Rejections { lane, source, refusal: held.newest, count: held.count });
                held.count = 0;
                held.line_at = now;
            }
        }
    }

    /// Tells everything, at the end.
    pub(super) fn all(&mut self, mut tell: impl FnMut(Rejections)) {
        for ((lane, source, _), held) in std::mem::take(&mut self.held) {
            if held.count > 0 {
                tell(Rejections { lane, source, refusal: held.newest, count: held.count });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SteadyTime {
        SteadyTime::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn when_rejections_repeat_expect_one_line_a_second_and_none_uncounted() {
        let mut repeats = Repeats::default();
        let refusal = Refusal::whole(Reason::NotFinite);
        let mut lines = Vec::new();
        for millis in (0..10_000).step_by(2) {
            lines.extend(repeats.add(0, 1, refusal, at(millis)));
            repeats.due(at(millis), |line| lines.push(line));
        }
        assert_eq!(lines.len(), 10);
        repeats.all(|line| lines.push(line));
        assert_eq!(lines.iter().map(|l| l.count).sum::<u64>(), 5_000);
        assert_eq!(lines[0].count, 1);
    }

    #[test]
    fn when_reasons_sources_or_lanes_differ_expect_a_line_for_each() {
        let mut repeats = Repeats::default();
        for (lane, source, reason) in [
            (0, 0, Reason::NotFinite),
            (0, 0, Reason::Velocity),
            (0, 1, Reason::NotFinite),
            (1, 0, Reason::NotFinite),
        ] {
            let refusal = Refusal::whole(reason);
            assert!(repeats.add(lane, source, refusal, at(0)).is_some());
            assert!(repeats.add(lane, source, refusal, at(1)).is_none());
        }
    }

    #[test]
    fn when_a_rejection_comes_after_a_quiet_second_expect_it_at_once() {
        let mut repeats = Repeats::default();
        let refusal = Refusal::whole(Reason::Fenced);
        assert!(repeats.add(0, 0, refusal, at(0)).is_some());
        repeats.due(at(5_000), |line| panic!("{line:?}"));
        let line = repeats.add(0, 0, refusal, at(5_000)).unwrap();
        assert_eq!(line.count, 1);
    }
}
