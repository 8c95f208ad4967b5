//! What a lane publishes while motion is not permitted.
//!
//! | safe command    | values                                    | targets          |
//! |-----------------|-------------------------------------------|------------------|
//! | `zero_velocity` | zero, reached with its own deceleration   | –                |
//! | `freeze`        | the pose held                             | –                |
//! | `hold_point`    | the pose held                             | –                |
//! | `damping`       | position lanes: as last sent; else zero   | damping gains    |
//! | `values`        | what the integrator wrote, at once        | the same         |
//! | `silent`        | nothing is published                      |                  |
//!
//! **Invariants:** a pose held is chosen once, on entering a stop, and then stays constant to the
//! last bit; a stop is never scaled, limited or delayed by anything that holds for commands.

use std::time::Duration;

use super::awaits::SafeWaits;
use super::command::Command;
use super::credit::CREDIT_PERIODS;
use super::interrupted::Interrupted;
use super::lane::Lane;
use super::lane_state::LaneState;
use super::limit::Reference;
use super::rules::Interface;
use super::safe::SafeCommand;
use super::units::{SteadyTime, at_least, at_most};

/// How much longer than it is told the end of the node waits for a ramp to zero: service managers give
/// a process ten seconds to end.
pub const LONGEST_RAMP: Duration = Duration::from_secs(5);

/// Further than this from the samples around it, one sample of a limp joint is not where it is: rad or m.
const STRAY: f64 = 0.1;

/// What a stop publishes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SafeOutput<'a> {
    /// The kind.
    pub command: SafeCommand,
    /// One value for each joint or axis in the lane's interface: velocities, the pose held, or the
    /// written values.
    pub values: &'a [f64],
    /// With [`SafeCommand::Damping`] the damping gains, with [`SafeCommand::Values`] the values: one
    /// for each joint. Empty otherwise.
    pub targets: &'a [f64],
}

impl Lane {
    /// Enters a stop: chooses what to hold, once. `fresh`: feedback is within its timeout.
    /// Returns false where there is nothing to build a safe command on.
    pub(super) fn enter_stop(&mut self, state: LaneState, fresh: bool, now: SteadyTime) -> bool {
        let in_motion = self.in_motion_until(now);
        self.moves_until = None;
        self.settling = false;
        // Nothing to build the message on: nothing goes out, and nothing is said to.
        if self.safe_waits.is_some_and(SafeWaits::is_mute) {
            return false;
        }
        // Whoever hears nothing stops by itself, and zero is the way to move it again.
        if self.rules.safe == SafeCommand::Silent && self.rules.interface != Interface::Position {
            self.envelope.sent_mut().fill(Reference::default());
        }
        if let Some(tolerance) = self.rules.safe.tolerance()
            && !self.has_frozen
        {
            let mut frozen = std::mem::take(&mut self.frozen);
            self.has_frozen = self.choose_pose(tolerance, fresh, (now, now), &mut frozen);
            self.frozen = frozen;
            if !self.has_frozen {
                return false;
            }
            self.envelope.end_plan(now);
        }
        if state == LaneState::Holding {
            self.easing.hold(now);
        } else {
            self.easing.unhold(now);
        }
        match (self.state, state, in_motion) {
            (LaneState::Flowing, LaneState::Holding, Some(until)) => {
                self.interrupted = Interrupted::begin(until);
            }
            // Held again, or no longer.
            (
                LaneState::Holding | LaneState::Waiting,
                LaneState::Holding | LaneState::Waiting,
                Some(_) | None,
            ) => {}
            _ => self.interrupted.end(),
        }
        self.state = state;
        self.next_safe = now;
        true
    }

    /// What a stop at `then`, as far as it is known `now`, would send, for a burst by somebody else.
    /// `None`: nothing may be sent.
    ///
    /// # Shape
    /// `values` has one place for each joint or axis.
    pub(super) fn would_send<'a>(
        &'a self,
        fresh: bool,
        values: &'a mut [f64],
        (now, then): (SteadyTime, SteadyTime),
    ) -> Option<SafeOutput<'a>> {
        let silent = self.rules.safe == SafeCommand::Silent;
        if self.state == LaneState::Released || silent || values.len() != self.frozen.len() {
            return None;
        }
        match self.rules.safe.tolerance() {
            Some(_) if self.has_frozen => values.copy_from_slice(&self.frozen),
            Some(tolerance) => {
                if !self.choose_pose(tolerance, fresh, (now, then), values) {
                    return None;
                }
            }
            None => {
                for (dimension, (value, sent)) in
                    values.iter_mut().zip(self.envelope.sent()).enumerate()
                {
                    // A burst has no time for a ramp.
                    *value = match self.rules.safe {
                        SafeCommand::ZeroVelocity { .. } => 0.0,
                        SafeCommand::Freeze { .. }
                        | SafeCommand::HoldPoint { .. }
                        | SafeCommand::Damping
                        | SafeCommand::Values
                        | SafeCommand::Silent => self.safe_value(dimension, *sent, 0.0),
                    };
                }
            }
        }
        Some(SafeOutput { command: self.rules.safe, values, targets: self.targets() })
    }

    /// Whether its safe command is still on its way to zero.
    pub(super) fn is_slowing(&self) -> bool {
        let stops = match self.state {
            LaneState::Released | LaneState::Flowing => false,
            LaneState::Waiting | LaneState::Holding | LaneState::Safe => {
                !self.safe_waits.is_some_and(SafeWaits::is_mute)
            }
        };
        stops
            && matches!(self.rules.safe, SafeCommand::ZeroVelocity { .. })
            && self.sent().iter().any(|sent| sent.value != 0.0)
    }

    /// Puts the safe command out again at once.
    pub(super) const fn stop_again(&mut self, now: SteadyTime) {
        self.next_safe = now;
    }

    /// When the safe command is due next; `None` while a source flows, the lane is released, or its
    /// safe command is silence.
    pub(super) const fn safe_due_at(&self) -> Option<SteadyTime> {
        match (self.state, self.rules.safe) {
            (LaneState::Released | LaneState::Flowing, _) | (_, SafeCommand::Silent) => None,
            (LaneState::Waiting | LaneState::Holding | LaneState::Safe, _) => Some(self.next_safe),
        }
    }

    /// The safe command, where it is due. What it returns counts as sent.
    pub(super) fn take_safe(&mut self, now: SteadyTime) -> Option<SafeOutput<'_>> {
        if self.safe_due_at().is_none_or(|due| due > now) {
            return None;
        }
        let elapsed = now.since(self.credit.since()).as_secs_f64();
        let period = self.rules.safe_period.as_secs_f64();
        let step_s = at_most(elapsed, CREDIT_PERIODS * period);
        let mut changed = false;
        for dimension in 0..self.safe_values.len() {
            let sent = self.envelope.sent().get(dimension).copied().unwrap_or_default();
            let value = self.safe_value(dimension, sent, step_s);
            changed |= value.to_bits() != sent.value.to_bits();
            if let Some(place) = self.safe_values.get_mut(dimension) {
                *place = value;
            }
            if let Some(place) = self.envelope.sent_mut().get_mut(dimension) {
                *place = Reference { value, rate: 0.0 };
            }
        }
        // A constant safe command moves nothing, so it spends no time credit either.
        if changed {
            self.credit.forfeit(now);
        }
        // Damping says nothing of where the robot is.
        self.has_sent = self.rules.safe != SafeCommand::Damping;
        self.next_safe = now.after(self.rules.safe_period);
        let values = &self.safe_values;
        let targets = safe_targets(self.rules.safe, &self.rules.safe_targets);
        Some(SafeOutput { command: self.rules.safe, values, targets })
    }

    /// The pose to hold: joint by joint what the wire has it at, where that is within `tolerance` of
    /// the measured, else the measured. False where neither is known. Of a plan it is what is due `then`,
    /// for a joint that follows it `now`.
    fn choose_pose(
        &self,
        tolerance: f64,
        fresh: bool,
        (now, then): (SteadyTime, SteadyTime),
        pose: &mut [f64],
    ) -> bool {
        let is_measured = fresh && self.measured.position().is_some();
        if !self.has_sent && !is_measured {
            return false;
        }
        for (dimension, value) in pose.iter_mut().enumerate() {
            let wire = self.envelope.wire(dimension, now);
            let newest = self.measured.position().and_then(|pose| pose.get(dimension));
            let near = newest.is_some_and(|there| (wire - there).abs() <= tolerance);
            let there = self.measured.steady(dimension, tolerance).filter(|_| fresh);
            let due = if then == now { wire } else { self.envelope.wire(dimension, then) };
            *value = match there {
                Some(there) if !self.has_sent => there,
                Some(_) if near => due,
                // Measured beyond what the joint may be sent to, it is brought no further back than
                // to there, and by a sensor that is wrong no further out.
                Some(there) if (wire - there).abs() > tolerance => {
                    let bounds = self.rules.limits.get(dimension).and_then(|one| one.position);
                    bounds.map_or(there, |bounds| {
                        let (low, high) = (at_most(bounds.min, wire), at_least(bounds.max, wire));
                        at_least(at_most(there, high), low)
                    })
                }
                Some(_) | None => due,
            };
        }
        true
    }

    fn targets(&self) -> &[f64] {
        safe_targets(self.rules.safe, &self.rules.safe_targets)
    }

    /// The safe value of one joint or axis after `sent`, `step_s` later.
    fn safe_value(&self, dimension: usize, sent: Reference, step_s: f64) -> f64 {
        let at = |values: &[f64]| values.get(dimension).copied().unwrap_or(0.0);
        let limits = self.rules.limits.get(dimension);
        match self.rules.safe {
            SafeCommand::ZeroVelocity { deceleration } => {
                let own = limits.and_then(|limits| limits.deceleration);
                let Some(deceleration) = (if self.settling { own } else { deceleration }) else {
                    return 0.0;
                };
                let left = sent.value.abs() - deceleration * step_s;
                if left > 0.0 { left.copysign(sent.value) } else { 0.0 }
            }
            SafeCommand::Freeze { .. } | SafeCommand::HoldPoint { .. } => at(&self.frozen),
            SafeCommand::Values => at(&self.rules.safe_targets),
            SafeCommand::Damping | SafeCommand::Silent => match self.rules.interface {
                Interface::Position => sent.value,
                Interface::Velocity | Interface::Effort => 0.0,
            },
        }
    }

    /// The reference of the first command after an arm is what is on the wire: the pose held, the
    /// written values; where the stop leaves the joints to themselves, it is where they are.
    pub(super) fn refer_to_wire(&mut self, fresh: bool) {
        if self.rules.interface != Interface::Position || self.rules.balance {
            return;
        }
        for (dimension, sent) in self.envelope.sent_mut().iter_mut().enumerate() {
            let value = match self.rules.safe {
                SafeCommand::Freeze { .. } | SafeCommand::HoldPoint { .. } => {
                    self.frozen.get(dimension).copied()
                }
                SafeCommand::Values => self.rules.safe_targets.get(dimension).copied(),
                SafeCommand::Damping | SafeCommand::Silent => {
                    self.measured.steady(dimension, STRAY).filter(|_| fresh)
                }
                SafeCommand::ZeroVelocity { .. } => None,
            };
            *sent = Reference { value: value.unwrap_or(sent.value), rate: 0.0 };
        }
    }

    /// The first command after a stop that left the joints to themselves starts from where they are;
    /// without feedback (which somebody justified with `because`) from itself.
    pub(super) fn refer_to_joints(&mut self, fresh: bool, command: &Command) {
        if self.state == LaneState::Flowing || !self.stop_is_limp() {
            return;
        }
        let is_measured = fresh && self.measured.position().is_some();
        if !is_measured && (self.has_sent || self.rules.feedback.is_some()) {
            return;
        }
        for (dimension, sent) in self.envelope.sent_mut().iter_mut().enumerate() {
            let first = command.position.get(dimension).copied();
            let value = if is_measured { self.measured.steady(dimension, STRAY) } else { first };
            let value = value.filter(|value| value.is_finite()).unwrap_or(sent.value);
            let bounds = self.rules.limits.get(dimension).and_then(|limits| limits.position);
            let value = match bounds {
                // Its word is taken for where the joints are, but not for where they cannot be.
                Some(bounds) if !is_measured => at_least(at_most(value, bounds.max), bounds.min),
                Some(_) | None => value,
            };
            *sent = Reference { value, rate: 0.0 };
        }
    }

    /// Whether the stop leaves the joints to themselves, so that nothing sent says where they are.
    pub(super) const fn stop_is_limp(&self) -> bool {
        matches!(self.rules.safe, SafeCommand::Damping | SafeCommand::Silent)
            && matches!(self.rules.interface, Interface::Position)
            && !self.rules.balance
    }
}

const fn safe_targets(safe: SafeCommand, targets: &[f64]) -> &[f64] {
    match safe {
        SafeCommand::Damping | SafeCommand::Values => targets,
        SafeCommand::ZeroVelocity { .. }
        | SafeCommand::Freeze { .. }
        | SafeCommand::HoldPoint { .. }
        | SafeCommand::Silent => &[],
    }
}
