//! A request to cut power, where the params file asks for one: `true` on `stop.cut_topic`.
//!
//! Published while a lane is measured moving although its time to stop is over, again and again, for
//! whoever cuts may start late; `false` after the reset, which a person does, so that nobody who comes
//! later reads the old one. Nothing is published before the first request.

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

/// The topic, and when it was used last.
pub(super) struct Cut {
    publisher: Publisher,
    /// `None`: nothing is requested.
    requested: Option<SteadyTime>,
}

impl Cut {
    pub(super) const fn new(publisher: Publisher) -> Self {
        Self { publisher, requested: None }
    }
}

impl GateThread {
    /// Requests, repeats or withdraws, once a tick.
    pub(super) fn request_cut(&mut self, now: Moment) {
        let Some(cut) = &mut self.cut else { return };
        let killed = self.gate.machine().state() == State::Killed;
        let rested = cut.requested.is_none_or(|at| now.steady.since(at) >= AGAIN);
        let bytes = if killed && self.gate.moves_after_stop() && rested {
            cut.requested = Some(now.steady);
            REQUEST
        } else if !killed && cut.requested.is_some() {
            cut.requested = None;
            WITHDRAWN
        } else {
            return;
        };
        if let Err(error) = cut.publisher.publish_serialized(bytes) {
            self.failed(Call::Publish, Subject::Node, error.code);
        }
    }
}
