//! The stop burst: what goes out when the gate thread itself no longer can.
//!
//! Every tick leaves each lane's safe bytes ready in a triple buffer. Whoever finds the gate stalled
//! or panicking raises the fence, so that the gate publishes nothing more, and sends them: and with
//! them a permit that says no, so that a guard need not wait until the last one is stale.

use std::sync::Arc;

use crate::kill_switch::KillSwitch;
use crate::ros::rcl::Publisher;

/// The gate thread's side: one buffer a lane, and one for the permit.
pub(super) struct Prepared {
    lanes: Vec<triple_buffer::Input<Vec<u8>>>,
}

/// A writer, none for a lane that is only watched, and its bytes.
type Ready = (Option<Arc<Publisher>>, triple_buffer::Output<Vec<u8>>);

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
        let (mut input, mut output) = triple_buffer::TripleBuffer::new(&vec![0; capacity]).split();
        for _ in 0..3 {
            input.input_buffer_mut().clear();
            input.publish();
            output.update();
        }
        prepared.lanes.push(input);
        lanes.push((publisher, output));
    }
    (prepared, Burst { lanes, switch })
}

impl Prepared {
    /// Leaves the bytes that a stop of `lane` would send; empty: nothing may be sent.
    pub(super) fn leave(&mut self, lane: usize, bytes: &[u8]) {
        if let Some(input) = self.lanes.get_mut(lane) {
            let buffer = input.input_buffer_mut();
            buffer.clear();
            buffer.extend_from_slice(bytes);
            input.publish();
        }
    }
}

impl Burst {
    /// Raises the fence, then sends every lane's safe bytes once; [`crate::watchdog::LastStop`]
    /// repeats it. Send errors have nobody left to handle them; the next frame is the retry.
    pub fn frame(&mut self) {
        self.switch.fence();
        for (publisher, bytes) in &mut self.lanes {
            let bytes = bytes.read();
            if !bytes.is_empty()
                && let Some(publisher) = publisher
            {
                publisher.publish_serialized(bytes).ok();
            }
        }
    }
}
