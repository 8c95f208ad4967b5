//! The clocks: the only place that reads one.
//!
//! Everything else gets time as an argument, so a test can put it anywhere. The steady clock
//! (`CLOCK_MONOTONIC`) decides; the wall clock is only written into messages and records.
//!
//! **Invariant:** no decision depends on the wall clock.

mod causes;
mod watch;

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

pub use causes::{ClockCauses, ClockNews};
pub use watch::{ClockEvent, ClockWatch, Readings, STEP};

use crate::gate::units::{Moment, SteadyTime, WallTime};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Now on the steady clock. Never goes back; stands still while the machine is suspended.
#[must_use]
pub fn steady() -> SteadyTime {
    let nanos = nanos(clock_gettime(ClockId::Monotonic));
    // CLOCK_MONOTONIC starts near boot and cannot be set, so it is not negative.
    SteadyTime::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

/// Now on the wall clock, which can be stepped.
#[must_use]
pub fn wall() -> WallTime {
    WallTime::from_nanos(nanos(clock_gettime(ClockId::Realtime)))
}

/// Now on both, the steady clock first.
#[must_use]
pub fn now() -> Moment {
    Moment { steady: steady(), wall: wall() }
}

/// What the kernel knows about its wall clock; read by `realtime`, which may make that call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    /// A time service keeps it: its error is known to be bounded.
    pub synchronized: bool,
    /// The largest error it can have by the time service's own word; grows while nobody corrects it.
    pub max_error: Duration,
}

/// All three clocks, for [`ClockWatch`].
#[must_use]
pub fn readings() -> Readings {
    Readings {
        steady: nanos(clock_gettime(ClockId::Monotonic)),
        boot: nanos(clock_gettime(ClockId::Boottime)),
        wall: nanos(clock_gettime(ClockId::Realtime)),
    }
}

/// Saturates in the year 2262.
const fn nanos(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(NANOS_PER_SECOND).saturating_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_steady_clock_is_read_twice_expect_it_not_to_go_back() {
        let first = steady();
        let second = steady();
        assert!(second >= first);
        assert!(first.as_nanos() > 0);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "compares with the standard library's reading")]
    fn when_the_wall_clock_is_read_expect_the_same_as_the_standard_library() {
        let unix = || {
            i64::try_from(
                std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap()
                    .as_nanos(),
            )
            .unwrap()
        };
        let before = unix();
        let ours = now().wall.as_nanos();
        let after = unix();
        // A step of the clock between the three readings is the only way to fail.
        assert!(before <= ours && ours <= after, "{before} {ours} {after}");
    }

    #[test]
    fn when_time_is_before_1970_expect_a_negative_number() {
        let time = Timespec { tv_sec: -1, tv_nsec: 999_999_999 };
        assert_eq!(nanos(time), -1);
    }
}
