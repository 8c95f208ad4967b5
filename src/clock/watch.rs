//! What happened to the clocks between two looks: a suspend, or a step of the wall clock.
//!
//! Three clocks run at one rate while nothing happens. The boot-time clock goes on during a suspend
//! and the steady one does not; the wall clock can be set and the steady one cannot. So a difference
//! that moves says what happened. Slewing (at most 500 ppm) moves it too slowly to be taken for a
//! step between two looks.
//!
//! **Invariant:** no clock is read here, and `/clock` is never looked at.

use std::time::Duration;

/// The clocks at one moment, nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// `CLOCK_MONOTONIC`: stands still while suspended.
    pub steady: i64,
    /// `CLOCK_BOOTTIME`: goes on while suspended.
    pub boot: i64,
    /// `CLOCK_REALTIME`: can be set.
    pub wall: i64,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockEvent {
    /// The machine slept for this long.
    Suspended(Duration),
    /// The wall clock was set: forward where positive, nanoseconds.
    Stepped(i64),
}

/// A suspend shorter than this cannot be told from the time between two readings.
const SUSPEND: i64 = 50_000_000;
/// A wall clock that moves more than this against the steady one was set.
pub const STEP: i64 = 100_000_000;

/// Remembers the last look.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClockWatch {
    last: Option<Readings>,
    step: i64,
}

impl ClockWatch {
    /// `step` is the least move of the wall clock that counts, nanoseconds.
    #[must_use]
    pub const fn new(step: i64) -> Self {
        Self { last: None, step }
    }

    /// What happened since the last look. A suspend hides the step that the wall clock makes with it:
    /// that one is right again.
    pub fn look(&mut self, now: Readings) -> Option<ClockEvent> {
        let slept = self.slept(now);
        let last = self.last.replace(now)?;
        let passed = now.steady.saturating_sub(last.steady);
        if slept > SUSPEND {
            let nanos = u64::try_from(slept).unwrap_or(0);
            return Some(ClockEvent::Suspended(Duration::from_nanos(nanos)));
        }
        let stepped = now.wall.saturating_sub(last.wall).saturating_sub(passed);
        (stepped.saturating_abs() > self.step).then_some(ClockEvent::Stepped(stepped))
    }

    /// Whether the machine slept since the last look, which this is not.
    #[must_use]
    pub fn has_slept(&self, now: Readings) -> bool {
        self.slept(now) > SUSPEND
    }

    fn slept(&self, now: Readings) -> i64 {
        self.last.map_or(0, |last| {
            let passed = now.steady.saturating_sub(last.steady);
            now.boot.saturating_sub(last.boot).saturating_sub(passed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// Three clocks, some milliseconds after they were last looked at.
    fn at(steady: i64, boot: i64, wall: i64) -> Readings {
        Readings { steady: steady * MS, boot: boot * MS, wall: wall * MS }
    }

    #[test]
    fn when_all_clocks_run_expect_nothing() {
        let mut watch = ClockWatch::new(STEP);
        for tick in 0..1000 {
            // 500 ppm of slew, and readings that are a little apart.
            let time = tick * 10;
            let now = at(time, time, 5_000_000 + time);
            let now = Readings { wall: now.wall + tick * 5_000, boot: now.boot + 900, ..now };
            assert_eq!(watch.look(now), None);
        }
    }

    #[test]
    fn when_the_gate_stalls_expect_nothing_of_the_clocks() {
        let mut watch = ClockWatch::new(STEP);
        assert_eq!(watch.look(at(0, 0, 0)), None);
        assert_eq!(watch.look(at(90_000, 90_000, 90_000)), None);
    }

    #[test]
    fn when_the_machine_slept_expect_suspended_and_not_a_step() {
        let mut watch = ClockWatch::new(STEP);
        assert_eq!(watch.look(at(0, 100, 1000)), None);
        assert!(!watch.has_slept(at(10, 110, 1010)) && watch.has_slept(at(10, 3710, 4610)));
        let event = watch.look(at(10, 3710, 4610));
        assert!(!watch.has_slept(at(10, 3710, 4610)));
        assert_eq!(event, Some(ClockEvent::Suspended(Duration::from_millis(3600))));
        assert_eq!(watch.look(at(20, 3720, 4620)), None, "told once");
    }

    #[test]
    fn when_the_wall_clock_is_set_expect_a_step_either_way() {
        for step in [101, -101, 3_600_000, -86_400_000] {
            let mut watch = ClockWatch::new(STEP);
            assert_eq!(watch.look(at(0, 0, 1000)), None);
            assert_eq!(watch.look(at(10, 10, 1010 + step)), Some(ClockEvent::Stepped(step * MS)));
            assert_eq!(watch.look(at(20, 20, 1020 + step)), None, "told once");
        }
        let mut watch = ClockWatch::new(STEP);
        assert_eq!(watch.look(at(0, 0, 1000)), None);
        assert_eq!(watch.look(at(10, 10, 1110)), None, "exactly the bound is no step");
    }

    #[test]
    fn when_it_looks_for_the_first_time_expect_nothing() {
        assert_eq!(ClockWatch::new(STEP).look(at(5, 7_000, -3)), None);
    }

    #[test]
    fn when_readings_are_absurd_expect_no_panic() {
        let mut watch = ClockWatch::new(STEP);
        let lowest = Readings { steady: 0, boot: i64::MIN, wall: i64::MIN };
        let highest = Readings { steady: i64::MAX, boot: i64::MAX, wall: i64::MAX };
        assert_eq!(watch.look(lowest), None);
        // Saturated: nothing is sure but that it goes on.
        let _absurd = watch.look(highest);
        assert_eq!(watch.look(highest), None);
    }
}
