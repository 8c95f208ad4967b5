//! Whether the robot does what it is sent: the newest sent against the newest measured.
//!
//! Positions are compared as they are; velocities as means over the same half second on both sides, so
//! that neither the lag of the average nor sway counts. A plan is ahead of the robot and an effort is
//! not measured: neither is compared.

use super::fault::Level;
use super::lane::Lane;
use super::lane_state::LaneState;
use super::rules::{Engage, Interface, Shape};
use super::source::Source;
use super::units::SteadyTime;

impl Lane {
    /// A feedback sample. The mean of what was sent follows with the same weight as the mean of what
    /// was measured, so that a lag of the average is no divergence.
    pub(super) fn sample(&mut self, position: &[f64], velocity: &[f64], now: SteadyTime) -> bool {
        if position.is_empty() && self.judges_by_pose() {
            return false;
        }
        let Some(weight) = self.measured.weigh(position, velocity, now) else { return false };
        if self.rules.interface == Interface::Velocity {
            for (mean, sent) in self.mean_sent.iter_mut().zip(self.envelope.sent()) {
                *mean += (sent.value - *mean) * weight;
            }
        }
        true
    }

    /// Whether a rule compares with the measured pose, so that feedback without one says nothing.
    fn judges_by_pose(&self) -> bool {
        let totals = self.rules.limits.iter().any(|limits| limits.total_effort.is_some());
        let window = |source: &Source| matches!(source.rules.engage, Engage::Window(_));
        totals || self.sources.iter().any(window)
    }

    /// How far sent and measured are apart, at the joint or axis where it is the largest part of what
    /// it may be: `above`, where that is written. `None` where they cannot be compared: a plan is ahead
    /// of the robot, an effort is not measured.
    pub(super) fn divergence(&self, above: Option<f64>) -> Option<Level> {
        if !self.has_sent || self.rules.shape == Shape::Trajectory {
            return None;
        }
        // Left to themselves, joints go where they like, and no command can end a hold for that.
        if self.stop_is_limp() && self.state != LaneState::Flowing {
            return None;
        }
        let interface = self.rules.interface;
        let mut limits = self.rules.limits.iter();
        let mut most: Option<Level> = None;
        let mut note = |sent: f64, measured: f64| {
            let Some(limits) = limits.next() else { return };
            let bound = above.unwrap_or_else(|| limits.may_diverge(interface));
            let level = Level::over((sent - measured).abs(), bound);
            if most.is_none_or(|most| level.found * most.bound > most.found * bound) {
                most = Some(level);
            }
        };
        match interface {
            Interface::Effort => {}
            Interface::Position => {
                let measured = self.measured.position()?;
                for (sent, measured) in self.envelope.sent().iter().zip(measured) {
                    note(sent.value, *measured);
                }
            }
            Interface::Velocity => {
                let measured = self.measured.mean_velocity()?;
                for (sent, measured) in self.mean_sent.iter().zip(measured) {
                    note(*sent, *measured);
                }
            }
        }
        most
    }
}
