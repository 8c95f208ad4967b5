//! Joints whose target stands still because nothing came for them.
//!
//! What was sent last stays on the wire while its source pauses, and where a message names only some
//! joints, for the others. After a few usual intervals that is a standstill: going on from the old
//! velocity would give a joint that is told to stay a motion that nobody asked for, and one that is told
//! to move on a start without acceleration.

use crate::gate::limit::Reference;
use crate::gate::units::SteadyTime;

/// A target that is this many usual intervals old stands still. Fewer, and a stream that loses two
/// messages in a row would start anew.
const INTERVALS: u64 = 4;

/// The newest interval counts for one part in this many.
const SMOOTHING: u64 = 8;

/// When each joint was last given a value, and how often it usually is.
#[derive(Clone, Debug)]
pub(super) struct Pauses {
    joints: Vec<Pace>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    at: SteadyTime,
    /// Usual interval in nanoseconds; 0 before the second value.
    usual: u64,
}

impl Pace {
    fn since(self, now: SteadyTime) -> u64 {
        now.as_nanos().saturating_sub(self.at.as_nanos())
    }
}

impl Pauses {
    pub(super) fn new(dimensions: usize) -> Self {
        Self { joints: vec![Pace::default(); dimensions] }
    }

    /// Brings to rest what has paused. `period` is the nominal one, in nanoseconds.
    pub(super) fn rest(&self, sent: &mut [Reference], now: SteadyTime, period: u64) {
        for (sent, pace) in sent.iter_mut().zip(&self.joints) {
            if pace.since(now) > INTERVALS.saturating_mul(pace.usual.max(period)) {
                sent.rate = 0.0;
            }
        }
    }

    /// A command that gave these was sent.
    pub(super) fn note(&mut self, given: &[bool], now: SteadyTime, period: u64) {
        for (pace, given) in self.joints.iter_mut().zip(given) {
            if !given {
                continue;
            }
            let usual = pace.usual.max(period);
            // A pause says little about the pace.
            let interval = pace.since(now).min(INTERVALS.saturating_mul(usual));
            let smoothed =
                usual.saturating_sub(usual / SMOOTHING).saturating_add(interval / SMOOTHING);
            *pace = Pace { at: now, usual: smoothed };
        }
    }
}
