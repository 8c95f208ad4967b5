//! What comes in besides commands: kill inputs, feedback, the graph, and causes that others find.

use super::cause::{Action, Cause};
use super::core::Gate;
use super::easing::derating;
use super::fault::Level;
use super::kill_input::Listed;
use super::lane::LaneGraph;
use super::machine::{Report, Subject};
use super::publisher::Receipt;
use super::rules::KillAction;
use super::state::State;
use super::units::{Moment, SteadyTime};

impl Gate {
    /// One sample of a kill input. `None`: the message cannot be read, which asserts.
    pub fn kill_input(&mut self, input: usize, asserted: Option<bool>, receipt: &Receipt) {
        self.evaluated_at = None;
        let (Some(state), Some(rules)) =
            (self.kill_inputs.get_mut(input), self.rules.kill_inputs.get(input))
        else {
            return;
        };
        state.note_read(asserted.is_some());
        let (level, rising) = state.sample(asserted.unwrap_or(true), receipt, rules);
        let subject = Subject::KillInput(input);
        let report = Report { rising, ..Report::plain(Cause::KillInputAsserted, subject) };
        match self.follows(input, level, rising) {
            Some(KillAction::Kill) => self.kill(report, receipt.at),
            Some(KillAction::Disarm) => self.act(report, Action::Disarm, receipt.at),
            None => {}
        }
    }

    /// Who is on a kill input's topic, by one look at the graph: what a publisher that has gone said is
    /// forgotten where there is no heartbeat. Releases nothing: a reset is no longer refused for it.
    pub fn kill_input_listed(&mut self, input: usize, listed: &Listed) {
        self.evaluated_at = None;
        if let (Some(state), Some(rules)) =
            (self.kill_inputs.get_mut(input), self.rules.kill_inputs.get(input))
        {
            state.look(listed, rules);
        }
    }

    /// A kill input's samples cannot be had: any of them may be a press, so it acts as one, and what
    /// its publishers said stays as it is. `rising`: it could be read before. It also defeats a reset
    /// that waits for its record.
    pub fn kill_input_unread(&mut self, input: usize, rising: bool, at: Moment) {
        if let Some(state) = self.kill_inputs.get_mut(input) {
            state.note_read(false);
        }
        let subject = Subject::KillInput(input);
        let report = Report { rising, ..Report::plain(Cause::KillInputAsserted, subject) };
        match self.follows(input, true, rising || self.machine.is_releasing()) {
            Some(KillAction::Kill) => self.kill(report, at),
            Some(KillAction::Disarm) => self.act(report, Action::Disarm, at),
            None => {}
        }
    }

    /// What a sample of a kill input does, by the level after it.
    pub(super) fn follows(&self, input: usize, level: bool, rising: bool) -> Option<KillAction> {
        let action = self.rules.kill_inputs.get(input)?.action;
        match action {
            // While it stays asserted in `killed` nothing new is told; the latch holds anyway.
            KillAction::Kill if level && (rising || self.machine.state() != State::Killed) => {
                Some(KillAction::Kill)
            }
            KillAction::Disarm if level => Some(KillAction::Disarm),
            KillAction::Kill | KillAction::Disarm => None,
        }
    }

    /// One feedback sample for one lane. Empty slices: the feedback does not carry that quantity.
    /// Returns whether it was usable.
    pub fn feedback(
        &mut self,
        lane: usize,
        position: &[f64],
        velocity: &[f64],
        now: SteadyTime,
    ) -> bool {
        self.evaluated_at = None;
        let Some(lane) = self.lanes.get_mut(lane) else {
            return false;
        };
        let usable = lane.sample(position, velocity, now);
        if usable
            && let Some(at) = lane.rules.feedback.and_then(|index| self.feedback_at.get_mut(index))
        {
            *at = Some(now);
        }
        usable
    }

    /// One sample of the body: the angle between its vertical and the world's in rad, and the
    /// magnitude of its angular velocity in rad/s. Returns whether it was usable: a sample that is
    /// not finite is refused and is no sign of life.
    pub fn imu(
        &mut self,
        feedback: usize,
        tilt_rad: f64,
        angular_velocity: f64,
        now: Moment,
    ) -> bool {
        let Some(rules) = self.rules.feedback.get(feedback).copied() else { return false };
        if !tilt_rad.is_finite() || !angular_velocity.is_finite() {
            return false;
        }
        if let Some(at) = self.feedback_at.get_mut(feedback) {
            *at = Some(now.steady);
        }
        let subject = Subject::Feedback(feedback);
        let found = [
            (Cause::Tilt, tilt_rad, rules.max_tilt),
            (Cause::AngularVelocity, angular_velocity, rules.max_angular_velocity),
        ];
        for (cause, found, bound) in found {
            if let Some(bound) = bound.or(self.rules.above(cause)) {
                self.level(cause, subject, Level::over(found.abs(), bound), now);
            }
        }
        self.evaluated_at = None;
        true
    }

    /// What the graph says of a lane's output.
    pub fn graph(&mut self, lane: usize, graph: LaneGraph) {
        self.evaluated_at = None;
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.graph = graph;
        }
    }

    /// A cause that somebody outside the gate looks for: foreign publishers, other paths, another
    /// controller, heat, charge, a suspended machine, a stepped clock. The level stays until it is
    /// set again; debounce and action are the gate's.
    pub fn level(&mut self, cause: Cause, subject: Subject, level: Level, now: Moment) {
        self.evaluated_at = None;
        let wait = self.rules.debounce(cause);
        let place = self.faults.set(cause, subject, level, wait, now.steady);
        self.act_on(place, now);
    }

    /// How much of velocity and speeding up heat and charge leave: no less than a fifth, 1 for all.
    /// What is not a number counts as the least. Slowing down is never derated.
    pub fn set_derating(&mut self, ratio: f64, _now: Moment) {
        self.derating = derating(ratio);
    }

    /// Whether the latch file can be written; true until somebody says otherwise.
    pub fn set_latch_writable(&mut self, writable: bool) {
        if self.latch_writable != writable {
            self.latch_writable = writable;
            self.evaluated_at = None;
        }
    }

    /// Whether the lane's feedback is fresh. A lane without feedback has nothing fresh.
    pub(super) fn is_fresh(&self, lane: usize, now: SteadyTime) -> bool {
        self.is_measured_within(lane, 1, now)
    }

    /// Whether a lane's feedback is within two of its timeouts.
    pub(super) fn is_recent(&self, lane: usize, now: SteadyTime) -> bool {
        self.is_measured_within(lane, 2, now)
    }

    fn is_measured_within(&self, lane: usize, timeouts: u32, now: SteadyTime) -> bool {
        let Some(lane) = self.lanes.get(lane) else { return false };
        let feedback = lane.rules.feedback.and_then(|index| self.rules.feedback.get(index));
        feedback.is_some_and(|feedback| {
            lane.measured.is_fresh(now, feedback.timeout.saturating_mul(timeouts))
        })
    }

    /// Whether a feedback tells what is asked of it: to every gated lane that uses it, and where it
    /// guards the body (tilt, angular velocity) at all. What only watch lanes use is not asked.
    pub(super) fn feedback_is_fresh(&self, index: usize, now: SteadyTime) -> bool {
        let mut lanes = self.lanes.iter().enumerate();
        let stale = lanes.any(|(lane, state)| {
            state.is_gated() && state.rules.feedback == Some(index) && !self.is_fresh(lane, now)
        });
        if stale {
            return false;
        }
        let Some(rules) = self.rules.feedback.get(index) else { return true };
        let guards = rules.max_tilt.is_some() || rules.max_angular_velocity.is_some();
        let heard = self.feedback_at.get(index).copied().flatten();
        let heard = heard.is_some_and(|at| now.since(at) <= rules.timeout);
        !guards || heard
    }

    pub(super) fn any_kill_input_asserts(&self, now: SteadyTime) -> bool {
        let mut inputs = self.kill_inputs.iter().zip(&self.rules.kill_inputs);
        inputs.any(|(input, rules)| input.is_asserted(now, rules))
    }

    /// Whether an input that kills asserts. A dead-man has latched nothing, so that letting go of it
    /// is not in the way of a reset, which moves nothing.
    pub(super) fn any_killer_asserts(&self, now: SteadyTime) -> bool {
        let mut inputs = self.kill_inputs.iter().zip(&self.rules.kill_inputs);
        inputs
            .any(|(input, rules)| rules.action == KillAction::Kill && input.is_asserted(now, rules))
    }
}
