//! Engage rules: what a source that already streams must look like for an arm (hazard 3).
//!
//! A held joystick or a policy that never stopped must not move the robot at the moment of arming:
//! a velocity source has to send zero, a position source has to be near the pose, or is led to its
//! target by the start ramp. A source that sends nothing is not asked: it cannot move anything.

use std::time::Duration;

use super::lane::Lane;
use super::limit::LOCKED_TOLERANCE;
use super::rules::{Engage, SourceMode};
use super::units::{SteadyTime, is_within};

/// A source without a timeout counts as streaming for this long: one command from long ago must not
/// prevent arming for ever.
const STREAMING: Duration = Duration::from_secs(1);

/// A value that its source's rule does not allow yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NotReady {
    pub(super) source: usize,
    pub(super) dimension: usize,
    /// How far from zero, or from the pose.
    pub(super) found: f64,
    pub(super) needed: f64,
}

impl Lane {
    /// The first value of a live source that streams and is not as its rule wants.
    pub(super) fn not_ready(&self, now: SteadyTime) -> impl Iterator<Item = NotReady> + '_ {
        let sources = self.sources.iter().enumerate();
        sources.filter_map(move |(index, source)| {
            let timeout = source.rules.timeout.unwrap_or(STREAMING);
            let streams = source.last_valid().is_some_and(|at| now.since(at) <= timeout);
            if source.rules.mode == SourceMode::Shadow || !streams {
                return None;
            }
            let (tolerance, from_pose) = match source.rules.engage {
                Engage::Blend => return None,
                Engage::Neutral => (LOCKED_TOLERANCE, false),
                Engage::Window(window) => (window, true),
            };
            let pose = self.measured.position();
            let mut values = source.newest().iter().zip(self.sent()).enumerate();
            values.find_map(|(dimension, (value, sent))| {
                let origin = match (from_pose, pose.and_then(|pose| pose.get(dimension))) {
                    (false, _) => 0.0,
                    (true, Some(there)) => *there,
                    (true, None) => sent.value,
                };
                let found = value - origin;
                // A joint that the newest command does not name carries NaN and is not asked.
                let ready = value.is_nan() || is_within(found, -tolerance, tolerance);
                (!ready).then_some(NotReady { source: index, dimension, found, needed: tolerance })
            })
        })
    }
}
