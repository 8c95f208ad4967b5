//! The stop burst: what goes out when the gate thread itself no longer can.
//!
//! Every tick leaves each lane's safe bytes ready in a triple buffer. Whoever finds the gate stalled
//! or panicking raises the fence, so that the gate publishes nothing more, and sends them: and with
//! them a permit that says no, so that a guard need not wait until the last one is stale.
//!
//! A panic is found at once, a gate that stands still only [`STALLED_AFTER`] later. Where a controller
//! follows a plan by itself it has gone on by then: held where it was, it would jump back. So what a
//! stop then would send is left, too.

use std::sync::Arc;

use crate::clock;
use crate::gate::units::SteadyTime;
use crate::kill_switch::KillSwitch;
use crate::ros::rcl::Publisher;
use crate::watchdog::STALLED_AFTER;

/// The gate thread's side: one buffer a lane, and one for the permit.
pub(super) struct Prepared {
    lanes: Vec<triple_buffer::Input<Stop>>,
}

/// What one tick leaves. Empty: nothing may be sent.
#[derive(Clone, Debug, Default)]
struct Stop {
    left: SteadyTime,
    bytes: Vec<u8>,
    /// For a stop [`STALLED_AFTER`] later; empty where it is the same.
    later: Vec<u8>,
}

/// A writer, none for a lane that is only watched, and its bytes.
struct Ready {
    publisher: Option<Arc<Publisher>>,
    chosen: Chosen,
}

/// What a lane's frames send.
struct Chosen {
    stop: triple_buffer::Output<Stop>,
    /// Whether the first frame was late. What is held is chosen once: a gate that wakes meanwhile leaves
    /// what a stop half a second on from there would send.
    is_late: Option<bool>,
}

/// The other side.
pub struct Burst {
    lanes: Vec<Ready>,
    switch: Arc<KillSwitch>,
}

/// Makes both sides, with room for `capacity` bytes so that a tick never allocates.
pub(super) fn burst(
    publishers: impl Iterator<Item = Option<Arc<Publisher>>>,
    switch: Arc<KillSwitch>,
    capacity: usize,
) -> (Prepared, Burst) {
    let mut prepared = Prepared { lanes: Vec::new() };
    let mut lanes = Vec::new();
    for publisher in publishers {
        // A clone of an empty vector would have no room: made full, then emptied, each of the three.
        let room = Stop { bytes: vec![0; capacity], later: vec![0; capacity], ..Stop::default() };
        let (mut input, mut stop) = triple_buffer::TripleBuffer::new(&room).split();
        for _ in 0..3 {
            let buffer = input.input_buffer_mut();
            buffer.bytes.clear();
            buffer.later.clear();
            input.publish();
            stop.update();
        }
        prepared.lanes.push(input);
        lanes.push(Ready { publisher, chosen: Chosen { stop, is_late: None } });
    }
    (prepared, Burst { lanes, switch })
}

impl Prepared {
    /// What a stop of `lane` [`STALLED_AFTER`] after the coming [`Self::leave`] would send; empty where
    /// that is the same.
    pub(super) fn later(&mut self, lane: usize, bytes: &[u8]) {
        if let Some(input) = self.lanes.get_mut(lane) {
            let later = &mut input.input_buffer_mut().later;
            later.clear();
            later.extend_from_slice(bytes);
        }
    }

    /// Leaves the bytes that a stop of `lane` now would send; empty: nothing may be sent.
    pub(super) fn leave(&mut self, lane: usize, bytes: &[u8], now: SteadyTime) {
        if let Some(input) = self.lanes.get_mut(lane) {
            let buffer = input.input_buffer_mut();
            buffer.left = now;
            buffer.bytes.clear();
            buffer.bytes.extend_from_slice(bytes);
            input.publish();
        }
    }
}

impl Stop {
    /// Whether a stop at `now` comes closer to the later one.
    fn is_late(&self, now: SteadyTime) -> bool {
        now.since(self.left) >= STALLED_AFTER / 2
    }

    fn bytes(&self, is_late: bool) -> &[u8] {
        if is_late && !self.later.is_empty() { &self.later } else { &self.bytes }
    }
}

impl Chosen {
    /// What a frame at `now` sends: what the first of them that had something chose.
    fn bytes(&mut self, now: SteadyTime) -> &[u8] {
        let is_late = self.is_late.unwrap_or_else(|| self.stop.read().is_late(now));
        let bytes = self.stop.output_buffer().bytes(is_late);
        if !bytes.is_empty() {
            self.is_late = Some(is_late);
        }
        bytes
    }
}

impl Burst {
    /// Raises the fence, then sends every lane's safe bytes once; [`crate::watchdog::LastStop`]
    /// repeats it. Send errors have nobody left to handle them; the next frame is the retry.
    pub fn frame(&mut self) {
        self.switch.fence();
        let now = clock::steady();
        for Ready { publisher, chosen } in &mut self.lanes {
            let bytes = chosen.bytes(now);
            if !bytes.is_empty()
                && let Some(publisher) = publisher
            {
                publisher.publish_serialized(bytes).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn prepared() -> (Prepared, Burst) {
        let switch = Arc::new(KillSwitch::default());
        burst([None, None].into_iter(), switch, 8)
    }

    fn reads(burst: &mut Burst, lane: usize, is_late: bool) -> Vec<u8> {
        burst.lanes[lane].chosen.stop.read().bytes(is_late).to_vec()
    }

    #[test]
    fn when_a_later_stop_differs_expect_it_where_the_burst_is_late_and_gone_with_the_next_tick() {
        let (mut prepared, mut burst) = prepared();
        let at = |ms: u64| SteadyTime::from_nanos(ms * 1_000_000);
        assert_eq!(reads(&mut burst, 0, true), b"", "nothing is left yet");
        for tick in 0..4 {
            prepared.later(0, b"later");
            prepared.leave(0, b"now", at(tick));
            prepared.leave(1, b"no", at(tick));
        }
        assert_eq!(
            (reads(&mut burst, 0, false), reads(&mut burst, 0, true)),
            (b"now".into(), b"later".into())
        );
        assert_eq!(
            (reads(&mut burst, 1, false), reads(&mut burst, 1, true)),
            (b"no".into(), b"no".into())
        );
        for tick in 4..8 {
            prepared.later(0, b"");
            prepared.leave(0, b"held", at(tick));
            assert_eq!(reads(&mut burst, 0, true), b"held");
        }
        prepared.leave(2, b"nobody", at(9));
        prepared.later(2, b"nobody");
    }

    /// The gate wakes in the middle of a burst, and its stop half a second on is no longer due.
    #[test]
    fn when_the_gate_wakes_in_a_burst_expect_every_frame_as_the_first() {
        let (mut prepared, mut burst) = prepared();
        let at = |ms: u64| SteadyTime::from_nanos(ms * 1_000_000);
        let chosen = &mut burst.lanes[0].chosen;
        prepared.leave(0, b"", at(0));
        assert_eq!(chosen.bytes(at(500)), b"", "nothing may be sent yet");
        prepared.later(0, b"due");
        prepared.leave(0, b"old", at(0));
        assert_eq!(chosen.bytes(at(510)), b"due");
        prepared.later(0, b"ahead");
        prepared.leave(0, b"new", at(520));
        for ms in [520, 530, 2_000] {
            assert_eq!(chosen.bytes(at(ms)), b"due", "{ms}");
        }
    }

    #[test]
    fn when_it_was_left_half_a_stall_ago_expect_it_late() {
        let left = SteadyTime::from_nanos(1_000_000_000);
        let stop = Stop { left, ..Stop::default() };
        for (ms, late) in [(0, false), (249, false), (250, true), (5_000, true)] {
            assert_eq!(stop.is_late(left.after(Duration::from_millis(ms))), late, "{ms}");
        }
    }
}
