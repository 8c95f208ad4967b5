//! A request to cut power, where the params file asks for one: `true` on `stop.cut_topic`.
//!
//! Published while a lane is measured moving although its time to stop is over, again and again, for
//! whoever cuts may start late; `false` after the reset, which a person does, so that nobody who comes
//! later reads the old one. The first reset of a run that began killed says it in any case: the run before
//! may have ended with its request out. Nothing else is published before the first request.

use std::time::Duration;

use super::GateThread;
use crate::gate::machine::Subject;
use crate::gate::state::State;
use crate::gate::units::{Moment, SteadyTime};
use crate::ros::rcl::Publisher;
use crate::telemetry::events::Call;

/// Between two requests.
const AGAIN: Duration = Duration::from_millis(100);
/// A `std_msgs/msg/Bool` in little-endian CDR.
const REQUEST: &[u8] = &[0, 1, 0, 0, 1];
const WITHDRAWN: &[u8] = &[0, 1, 0, 0, 0];

/// The topic, and what was said on it.
pub(super) struct Cut {
    publisher: Publisher,
    said: Said,
}

impl Cut {
    pub(super) const fn new(publisher: Publisher) -> Self {
        Self { publisher, said: Said { requested: None, is_withdrawn: false, was_killed: None } }
    }
}

/// What was said in this run.
struct Said {
    /// When it was requested last; `None`: nothing is requested.
    requested: Option<SteadyTime>,
    /// A request of the run before is withdrawn.
    is_withdrawn: bool,
    /// At the last look; `None` before the first.
    was_killed: Option<bool>,
}

impl Said {
    /// What there is to say now.
    fn next(
        &mut self,
        is_killed: bool,
        moves: impl FnOnce() -> bool,
        now: SteadyTime,
    ) -> Option<&'static [u8]> {
        let was_killed = self.was_killed.replace(is_killed);
        if was_killed.is_none() {
            // A run that ended with its request out is followed by one that begins killed.
            self.is_withdrawn = !is_killed;
        }
        let is_reset = was_killed == Some(true) && !is_killed;
        if is_reset && (self.requested.is_some() || !self.is_withdrawn) {
            (self.requested, self.is_withdrawn) = (None, true);
            return Some(WITHDRAWN);
        }
        let is_due = self.requested.is_none_or(|at| now.since(at) >= AGAIN);
        if is_killed && is_due && moves() {
            self.requested = Some(now);
            return Some(REQUEST);
        }
        None
    }
}

impl GateThread {
    /// Requests, repeats or withdraws, once a tick.
    pub(super) fn request_cut(&mut self, now: Moment) {
        let Some(cut) = &mut self.cut else { return };
        let is_killed = self.gate.machine().state() == State::Killed;
        let moves = || self.gate.moves_after_stop();
        let Some(bytes) = cut.said.next(is_killed, moves, now.steady) else { return };
        if let Err(error) = cut.publisher.publish_serialized(bytes) {
            self.failed(Call::Publish, Subject::Node, error.code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    fn said() -> Said {
        Said { requested: None, is_withdrawn: false, was_killed: None }
    }

    #[test]
    fn when_the_run_before_may_have_requested_it_expect_the_first_reset_to_withdraw() {
        let mut said = said();
        assert_eq!(said.next(true, || false, at(0)), None, "killed since the start, and still");
        assert_eq!(said.next(false, || false, at(10)), Some(WITHDRAWN));
        assert_eq!(said.next(false, || true, at(20)), None, "once, and nothing while not killed");
        assert_eq!(said.next(true, || false, at(30)), None);
        assert_eq!(said.next(false, || false, at(40)), None, "nothing was requested in this run");
    }

    /// Another node may have requested on the same topic.
    #[test]
    fn when_a_run_began_disarmed_expect_no_withdrawal_of_what_it_never_requested() {
        let mut said = said();
        for (killed, ms) in [(false, 0), (true, 10), (false, 20)] {
            assert_eq!(said.next(killed, || false, at(ms)), None);
        }
    }

    #[test]
    fn when_a_lane_moves_while_killed_expect_requests_and_a_withdrawal_after_each_reset() {
        let mut said = said();
        for begin in [0, 1_000] {
            assert_eq!(said.next(true, || true, at(begin)), Some(REQUEST));
            assert_eq!(said.next(true, || true, at(begin + 99)), None);
            assert_eq!(said.next(true, || true, at(begin + 100)), Some(REQUEST));
            assert_eq!(said.next(true, || false, at(begin + 300)), None, "it stands");
            assert_eq!(said.next(false, || false, at(begin + 310)), Some(WITHDRAWN));
            assert_eq!(said.next(false, || false, at(begin + 500)), None);
        }
    }
}
