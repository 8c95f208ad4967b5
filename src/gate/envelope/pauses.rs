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
    /// Of the lane, while every command gives every joint.
    lane: Pace,
    /// Of each joint, from the first command on that leaves one out.
    joints: Vec<Pace>,
    apart: bool,
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

    /// `period` is the nominal interval: what is usual is never less.
    fn has_paused(self, now: SteadyTime, period: u64) -> bool {
        self.since(now) > INTERVALS.saturating_mul(self.usual.max(period))
    }

    fn note(&mut self, now: SteadyTime, period: u64) {
        let usual = self.usual.max(period);
        // A pause says little about the pace.
        let interval = self.since(now).min(INTERVALS.saturating_mul(usual));
        let kept = usual.saturating_sub(usual / SMOOTHING);
        *self = Self { at: now, usual: kept.saturating_add(interval / SMOOTHING) };
    }
}

impl Pauses {
    pub(super) fn new(dimensions: usize) -> Self {
        Self { lane: Pace::default(), joints: vec![Pace::default(); dimensions], apart: false }
    }

    /// Brings to rest what has paused. `period_s` is the nominal one.
    pub(super) fn rest(&self, sent: &mut [Reference], now: SteadyTime, period_s: f64) {
        let period = nanos(period_s);
        if self.apart {
            for (sent, pace) in sent.iter_mut().zip(&self.joints) {
                if pace.has_paused(now, period) {
                    sent.rate = 0.0;
                }
            }
        } else if self.lane.has_paused(now, period) {
            for sent in sent {
                sent.rate = 0.0;
            }
        }
    }

    /// A command that gave these was sent.
    pub(super) fn note(&mut self, given: &[bool], now: SteadyTime, period_s: f64) {
        let period = nanos(period_s);
        let whole = given.iter().fold(true, |whole, given| whole & given);
        if !whole && !self.apart {
            self.apart = true;
            self.joints.fill(self.lane);
        }
        if self.apart {
            for (pace, _) in self.joints.iter_mut().zip(given).filter(|(_, given)| **given) {
                pace.note(now, period);
            }
        } else {
            self.lane.note(now, period);
        }
    }
}

/// Intervals are whole nanoseconds, so that a mean of them is the same whatever the machine.
#[expect(clippy::as_conversions, reason = "saturates, as a time may")]
const fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
