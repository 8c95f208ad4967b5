//! Whether the gate thread stands still: pure, time as an argument.

use std::time::Duration;

use super::progress::Turns;
use crate::gate::units::SteadyTime;

/// Without progress for this long, the gate thread counts as stalled. It takes a turn at least every
/// tick, so at least 20 times a second.
pub const STALLED_AFTER: Duration = Duration::from_millis(500);

/// A look this late means that the watching thread stood still, too: the process was stopped, or the
/// machine gave nobody any time.
pub const LATE: Duration = Duration::from_millis(250);

/// Judges one reading after the other.
#[derive(Debug)]
pub struct Judge {
    seen: Turns,
    /// Since when nothing has changed, as far as this thread was awake to see it.
    since: SteadyTime,
    last_look: SteadyTime,
    /// A late look has been forgiven since the last progress.
    excused: bool,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing to judge yet.
    NotBegun,
    /// A turn has begun since the last look.
    Moves,
    /// None, for less than [`STALLED_AFTER`].
    Waits,
    /// None for this long.
    Stalled(Duration),
    /// Nothing to judge any more.
    Ended,
}

impl Judge {
    /// Begins to look.
    #[must_use]
    pub fn new(now: SteadyTime) -> Self {
        Self { seen: Turns::NotBegun, since: now, last_look: now, excused: false }
    }

    /// One look. After a late one the gate has its whole time again: whoever stopped both threads
    /// (SIGSTOP, a debugger, a machine without time for us) did not stall the gate, and the gate's own
    /// `gate_stalled` says what has to be said about it. Once only until the next progress, so that a
    /// machine which is always late cannot put the judgement off for ever.
    pub fn look(&mut self, turns: Turns, now: SteadyTime) -> Finding {
        let was_late = now.since(self.last_look) >= LATE;
        self.last_look = now;
        match turns {
            Turns::NotBegun => return Finding::NotBegun,
            Turns::Ended => return Finding::Ended,
            Turns::Running(_) => {}
        }
        if turns != self.seen {
            *self = Self { seen: turns, since: now, last_look: now, excused: false };
            return Finding::Moves;
        }
        if was_late && !self.excused {
            self.excused = true;
            self.since = now;
        }
        let stood = now.since(self.since);
        if stood >= STALLED_AFTER { Finding::Stalled(stood) } else { Finding::Waits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: u64 = 50;

    fn at(millis: u64) -> SteadyTime {
        SteadyTime::from_nanos(millis * 1_000_000)
    }

    /// A judge that has seen turn 1 at 0 ms.
    fn judge() -> Judge {
        let mut judge = Judge::new(at(0));
        assert_eq!(judge.look(Turns::Running(1), at(0)), Finding::Moves);
        judge
    }

    #[test]
    fn when_the_gate_moves_at_any_pace_below_the_limit_expect_no_stall() {
        let mut judge = judge();
        for step in 1..=100_u64 {
            // A turn only every ninth look, 450 ms.
            let found = judge.look(Turns::Running(1 + step / 9), at(step * LOOK));
            assert!(matches!(found, Finding::Moves | Finding::Waits), "{step}: {found:?}");
        }
    }

    #[test]
    fn when_the_gate_stands_for_half_a_second_expect_a_stall_at_that_look() {
        let mut judge = judge();
        for step in 1..10 {
            assert_eq!(judge.look(Turns::Running(1), at(step * LOOK)), Finding::Waits);
        }
        assert_eq!(judge.look(Turns::Running(1), at(500)), Finding::Stalled(STALLED_AFTER));
    }

    #[test]
    fn when_everything_was_stopped_expect_the_gate_to_have_its_time_again() {
        let mut judge = judge();
        assert_eq!(judge.look(Turns::Running(1), at(50)), Finding::Waits);
        // SIGSTOP for 5 s; the watching thread runs first.
        assert_eq!(judge.look(Turns::Running(1), at(5_050)), Finding::Waits);
        assert_eq!(judge.look(Turns::Running(1), at(5_500)), Finding::Waits);
        assert_eq!(judge.look(Turns::Running(2), at(5_540)), Finding::Moves);
        // And again, as often as it moves in between.
        assert_eq!(judge.look(Turns::Running(2), at(15_540)), Finding::Waits);
    }

    #[test]
    fn when_it_stands_after_everything_was_stopped_expect_a_stall_half_a_second_later() {
        let mut judge = judge();
        assert_eq!(judge.look(Turns::Running(1), at(5_000)), Finding::Waits);
        for step in 1..10 {
            assert_eq!(judge.look(Turns::Running(1), at(5_000 + step * LOOK)), Finding::Waits);
        }
        assert_eq!(judge.look(Turns::Running(1), at(5_500)), Finding::Stalled(STALLED_AFTER));
    }

    #[test]
    fn when_every_look_is_late_expect_a_stall_all_the_same() {
        let mut judge = judge();
        assert_eq!(judge.look(Turns::Running(1), at(300)), Finding::Waits);
        assert_eq!(judge.look(Turns::Running(1), at(600)), Finding::Waits);
        let found = judge.look(Turns::Running(1), at(900));
        assert_eq!(found, Finding::Stalled(Duration::from_millis(600)));
    }

    #[test]
    fn when_it_has_not_begun_or_has_ended_expect_no_judgement() {
        let mut judge = Judge::new(at(0));
        assert_eq!(judge.look(Turns::NotBegun, at(60_000)), Finding::NotBegun);
        assert_eq!(judge.look(Turns::Running(7), at(60_050)), Finding::Moves);
        assert_eq!(judge.look(Turns::Ended, at(120_000)), Finding::Ended);
    }
}
