//! A kill input: a level for each publisher, and the silence of all of them.

use std::time::Duration;

use super::publisher::{Gid, Receipt};
use super::rules::KillInputRules;
use super::units::SteadyTime;

/// How many publishers of one input are told apart. One more takes the place of one that does not
/// assert; if all assert, the input asserts anyway.
const TOLD_APART: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Level {
    publisher: Option<Gid>,
    asserted: bool,
    at: SteadyTime,
}

/// How long an input has been silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Heard within its timeout, or it has no heartbeat.
    Heard,
    /// Never heard.
    Unseen,
    /// Silent for longer than its timeout, by this much in all.
    Lost(Duration),
}

/// The state of one kill input.
#[derive(Clone, Debug)]
pub struct KillInput {
    levels: [Option<Level>; TOLD_APART],
    last_seen: Option<SteadyTime>,
    was_asserted: bool,
}

impl Default for KillInput {
    fn default() -> Self {
        Self { levels: [None; TOLD_APART], last_seen: None, was_asserted: false }
    }
}

impl KillInput {
    /// Notes one sample. Returns whether the input asserts now, and whether it did not before.
    pub fn sample(
        &mut self,
        asserted: bool,
        receipt: &Receipt,
        rules: &KillInputRules,
    ) -> (bool, bool) {
        let now = receipt.at.steady;
        self.last_seen = Some(now);
        let rank = |slot: &Option<Level>| match slot {
            Some(level) if level.publisher == receipt.publisher => (0, SteadyTime::default()),
            None => (1, SteadyTime::default()),
            Some(level) if !level.asserted => (2, level.at),
            Some(level) => (3, level.at),
        };
        if let Some(slot) = self.levels.iter_mut().min_by_key(|slot| rank(slot)) {
            let keep = matches!(slot, Some(level) if level.asserted
                && level.publisher != receipt.publisher);
            if !keep {
                *slot = Some(Level { publisher: receipt.publisher, asserted, at: now });
            }
        }
        let level = self.is_asserted(now, rules);
        let rising = level && !self.was_asserted;
        self.was_asserted = level;
        (level, rising)
    }

    /// Whether any live publisher asserts.
    #[must_use]
    pub fn is_asserted(&self, now: SteadyTime, rules: &KillInputRules) -> bool {
        self.levels.iter().flatten().any(|level| {
            level.asserted && rules.timeout.is_none_or(|timeout| now.since(level.at) <= timeout)
        })
    }

    /// How long it has been silent.
    #[must_use]
    pub fn silence(&self, now: SteadyTime, rules: &KillInputRules) -> Silence {
        match (rules.timeout, self.last_seen) {
            (None, _) => Silence::Heard,
            (Some(_), None) => Silence::Unseen,
            (Some(timeout), Some(seen)) if now.since(seen) > timeout => {
                Silence::Lost(now.since(seen))
            }
            (Some(_), Some(_)) => Silence::Heard,
        }
    }

    /// When the newest sample came.
    #[must_use]
    pub const fn last_seen(&self) -> Option<SteadyTime> {
        self.last_seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::units::Moment;

    const RULES: KillInputRules = KillInputRules {
        timeout: Some(Duration::from_millis(500)),
        kill_after: Duration::from_secs(5),
    };

    fn from(publisher: u8, ms: u64) -> Receipt {
        let steady = SteadyTime::from_nanos(ms * 1_000_000);
        Receipt {
            at: Moment { steady, ..Moment::default() },
            publisher: Some([publisher; 16]),
            ..Receipt::default()
        }
    }

    #[test]
    fn when_one_of_two_publishers_asserts_expect_asserted_until_that_one_releases() {
        let mut input = KillInput::default();
        assert_eq!(input.sample(true, &from(1, 0), &RULES), (true, true));
        assert_eq!(input.sample(false, &from(2, 1), &RULES), (true, false));
        assert_eq!(input.sample(false, &from(1, 2), &RULES), (false, false));
        assert_eq!(input.sample(true, &from(2, 3), &RULES), (true, true));
    }

    #[test]
    fn when_an_asserting_publisher_dies_expect_only_live_ones_to_count() {
        let mut input = KillInput::default();
        input.sample(true, &from(1, 0), &RULES);
        assert!(input.is_asserted(SteadyTime::from_nanos(500_000_000), &RULES));
        assert!(!input.is_asserted(SteadyTime::from_nanos(500_000_001), &RULES));
        let wired = KillInputRules { timeout: None, ..RULES };
        assert!(input.is_asserted(SteadyTime::from_nanos(u64::MAX), &wired));
    }

    #[test]
    fn when_silent_expect_unseen_then_heard_then_lost() {
        let mut input = KillInput::default();
        let at = |ms: u64| SteadyTime::from_nanos(ms * 1_000_000);
        assert_eq!(input.silence(at(9_000), &RULES), Silence::Unseen);
        input.sample(false, &from(1, 9_000), &RULES);
        assert_eq!(input.silence(at(9_500), &RULES), Silence::Heard);
        let lost = Silence::Lost(Duration::from_millis(501));
        assert_eq!(input.silence(at(9_501), &RULES), lost);
    }

    #[test]
    fn when_more_publishers_come_than_are_told_apart_expect_no_assertion_forgotten() {
        let mut input = KillInput::default();
        input.sample(true, &from(1, 0), &RULES);
        for publisher in 2..60 {
            assert!(input.sample(false, &from(publisher, u64::from(publisher)), &RULES).0);
        }
        let mut all = KillInput::default();
        for publisher in 0..20 {
            assert!(all.sample(true, &from(publisher, 1), &RULES).0);
        }
        // A ninth publisher's release does not hide the eight that assert.
        assert!(all.sample(false, &from(50, 2), &RULES).0);
    }
}
