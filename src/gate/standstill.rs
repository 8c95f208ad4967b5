//! Whether the robot stands still after a stop: measured motion, looked at from the deadline on.
//!
//! A stop that was sent is not a robot that stands: below the gate an accepted trajectory can go on,
//! or a brake fail. So from `stop.deadline_s` after the state became killed, each gated lane with
//! feedback must be measured standing still; one that moves, or tells nothing, is told.
//!
//! **Invariant:** nothing here changes what a lane publishes. A balancing robot always moves: a stop is
//! never raised to damping for it.

use std::time::Duration;

use super::core::Gate;
use super::lane::Lane;
use super::lane_state::LaneState;
use super::notice::Notice;
use super::state::State;
use super::units::{Moment, SteadyTime, is_within};

/// Time constant of the velocity that is looked at: a sensor's noise averages out, and a robot that
/// stopped is seen to have within a third of a second.
const AVERAGE_OVER_S: f64 = 0.1;
/// Still for this long ends it. A swaying robot stands still twice a second.
const STILL_FOR: Duration = Duration::from_secs(1);

/// What was found of a lane that does not stand still in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// Joint or axis.
    pub dimension: usize,
    /// Its measured velocity, rad/s or m/s; NaN: feedback is silent, so that nobody knows.
    pub velocity: f64,
    /// What counts as still.
    pub standstill: f64,
    /// This node has stopped the lane; else it sends nothing there, and somebody else may move it.
    pub is_ours: bool,
}

/// The measured motion of one lane after a stop.
#[derive(Clone, Debug)]
pub(super) struct Standstill {
    mean: Vec<f64>,
    before: Vec<f64>,
    at: Option<SteadyTime>,
    still_since: Option<SteadyTime>,
    found: Option<Motion>,
    /// Since when the stop is one of ours. Killed since the start, a lane that sends nothing was not
    /// stopped by this run, and whoever holds its output may move it; unless a run that ended in motion
    /// left it so.
    ours_since: Option<SteadyTime>,
    /// Killed at the look before.
    was_killed: bool,
}

impl Standstill {
    pub(super) fn new(dimensions: usize) -> Self {
        Self {
            mean: vec![0.0; dimensions],
            before: vec![0.0; dimensions],
            at: None,
            still_since: None,
            found: None,
            ours_since: None,
            was_killed: false,
        }
    }

    /// What is wrong, if anything is.
    pub(super) const fn found(&self) -> Option<Motion> {
        self.found
    }

    /// Since when it is measured standing still, counted from the deadline on; `None`: it is not, or
    /// was not stopped.
    pub(super) const fn still_since(&self) -> Option<SteadyTime> {
        if self.found.is_some() { None } else { self.still_since }
    }

    /// Notes whether the stop is one of ours. What was found before says nothing of it: from here on the
    /// lane has its time.
    fn note_stop(&mut self, is_ours: bool, killed_at: SteadyTime, now: SteadyTime) {
        if !is_ours {
            self.ours_since = None;
        } else if self.ours_since.is_none() {
            self.ours_since = Some(if self.was_killed { now } else { killed_at });
            (self.found, self.still_since) = (None, None);
        }
    }

    fn clear(&mut self) {
        (self.at, self.still_since, self.found) = (None, None, None);
    }

    /// Averages the newest sample over a short time. `false`: only now is there anything to compare.
    fn average(&mut self, lane: &Lane, now: SteadyTime) -> bool {
        let elapsed = self.at.replace(now).map(|at| now.since(at).as_secs_f64());
        let position = lane.measured.position().unwrap_or_default();
        let velocity = lane.measured.velocity();
        for (index, mean) in self.mean.iter_mut().enumerate() {
            let there = position.get(index).copied().unwrap_or_default();
            let before = self.before.get(index).copied().unwrap_or_default();
            let rate = match (velocity.and_then(|all| all.get(index)), elapsed) {
                (Some(velocity), _) => *velocity,
                (None, Some(elapsed)) if elapsed > 0.0 => (there - before) / elapsed,
                (None, Some(_) | None) => 0.0,
            };
            match elapsed {
                Some(elapsed) => *mean += (rate - *mean) * elapsed / (AVERAGE_OVER_S + elapsed),
                None => *mean = rate,
            }
            if let Some(place) = self.before.get_mut(index) {
                *place = there;
            }
        }
        elapsed.is_some()
    }

    /// The first joint or axis that moves.
    fn moving(&self, standstill: f64) -> Option<Motion> {
        let mut all = self.mean.iter().enumerate();
        let (dimension, velocity) =
            all.find(|(_, mean)| !is_within(**mean, -standstill, standstill))?;
        let is_ours = self.ours_since.is_some();
        Some(Motion { dimension, velocity: *velocity, standstill, is_ours })
    }

    /// Takes what a look found; it goes when the lane has stood still for a while.
    fn judge(&mut self, motion: Option<Motion>, now: SteadyTime) {
        if motion.is_some() {
            self.still_since = None;
            self.found = motion;
            return;
        }
        let since = *self.still_since.get_or_insert(now);
        if now.since(since) >= STILL_FOR {
            self.found = None;
        }
    }
}

impl Gate {
    /// Looks at every gated lane with feedback, once a tick.
    pub(super) fn watch_standstill(&mut self, now: Moment) {
        // A self test has stopped nothing: whoever holds the outputs may move the robot.
        let killed = self.machine.state() == State::Killed && !self.testing;
        let killed_at = self.machine.since().steady;
        for index in 0..self.lanes.len() {
            let fresh = self.is_fresh(index, now.steady);
            let Some(lane) = self.lanes.get(index) else { continue };
            let is_watched = is_watched(lane);
            let is_ours =
                killed && (self.taken || self.unclean || lane.state != LaneState::Released);
            let Some(watch) = self.standstill.get_mut(index).filter(|_| is_watched) else {
                continue;
            };
            watch.note_stop(is_ours, killed_at, now.steady);
            watch.was_killed = self.machine.state() == State::Killed;
            let before = watch.found.is_some();
            let since = now.steady.since(watch.ours_since.unwrap_or(killed_at));
            if !killed {
                watch.clear();
            } else if fresh {
                let compared = watch.average(lane, now.steady);
                if since >= self.rules.stop_deadline && compared {
                    watch.judge(watch.moving(lane.rules.standstill), now.steady);
                }
            } else if since >= self.rules.stop_deadline {
                let (dimension, standstill) = (0, lane.rules.standstill);
                let is_ours = watch.ours_since.is_some();
                let unknown = Motion { dimension, velocity: f64::NAN, standstill, is_ours };
                watch.at = None;
                watch.judge(Some(unknown), now.steady);
            }
            let found = watch.found;
            if before != found.is_some() {
                self.notices.push(Notice::Motion { lane: index, found });
            }
        }
    }

    /// Whether a lane that this node has stopped is measured moving although its time to stop is over;
    /// `None`: nobody knows.
    #[must_use]
    pub fn lane_moves_after_stop(&self, lane: usize) -> Option<bool> {
        self.lanes.get(lane).filter(|lane| is_watched(lane))?;
        let watch = self.standstill.get(lane)?;
        match watch.found() {
            Some(motion) => motion.velocity.is_finite().then_some(motion.is_ours),
            None => Some(false),
        }
    }

    /// A lane that is measured moving although its time to stop is over, and this node has stopped it:
    /// what a request to cut is for. Silent feedback is none: nobody knows.
    #[must_use]
    pub fn moves_after_stop(&self) -> bool {
        (0..self.lanes.len()).any(|lane| self.lane_moves_after_stop(lane) == Some(true))
    }
}

/// Whether anything would say that a lane moves.
fn is_watched(lane: &Lane) -> bool {
    lane.is_gated() && lane.rules.feedback.is_some()
}
