//! What stands in the way of the next step: reset while killed, arm while disarmed.

use super::condition::ConditionCode;
use super::core::Gate;
use super::kill_input::Silence;
use super::machine::Subject;
use super::safe::SafeCommand;
use super::state::State;
use super::units::SteadyTime;

/// One unmet condition, with the numbers an operator needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Which.
    pub code: ConditionCode,
    /// What it is about.
    pub subject: Subject,
    /// Joint or axis, where one is at fault.
    pub dimension: Option<usize>,
    /// The value found; NaN where there is none.
    pub found: f64,
    /// The value needed; NaN where there is none.
    pub needed: f64,
}

impl Condition {
    const fn plain(code: ConditionCode, subject: Subject) -> Self {
        Self { code, subject, dimension: None, found: f64::NAN, needed: f64::NAN }
    }
}

impl Gate {
    /// Calls `tell` for each unmet condition of the next step.
    pub fn unmet(&self, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
        match self.machine.state() {
            State::Active => {}
            State::Killed => self.kill_inputs_asserted(now, tell),
            State::Disarmed => {
                self.arm_conditions(now, tell);
                if self.conditions_hold(now) && !self.has_settled(now) {
                    let settled = self.ready_since.map_or(0.0, |at| now.since(at).as_secs_f64());
                    tell(Condition {
                        found: settled,
                        needed: self.rules.arm_settle.as_secs_f64(),
                        ..Condition::plain(ConditionCode::Settling, Subject::Node)
                    });
                }
            }
        }
    }

    /// Whether an arm is refused for a condition.
    pub(super) fn arm_blocked(&self, now: SteadyTime) -> bool {
        !self.conditions_hold(now) || !self.has_settled(now)
    }

    /// Whether every condition but settling holds now.
    pub(super) fn conditions_hold(&self, now: SteadyTime) -> bool {
        let mut holds = true;
        self.arm_conditions(now, &mut |_| holds = false);
        holds
    }

    fn has_settled(&self, now: SteadyTime) -> bool {
        self.ready_since.is_some_and(|at| now.since(at) >= self.rules.arm_settle)
    }

    fn arm_conditions(&self, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
        self.kill_inputs_asserted(now, tell);
        for (index, (input, rules)) in
            self.kill_inputs.iter().zip(&self.rules.kill_inputs).enumerate()
        {
            let subject = Subject::KillInput(index);
            match input.silence(now, rules) {
                Silence::Heard => {}
                Silence::Unseen => {
                    tell(Condition::plain(ConditionCode::KillInputUnseen, subject));
                }
                Silence::Lost(silent) => tell(Condition {
                    found: silent.as_secs_f64(),
                    needed: rules.timeout.unwrap_or_default().as_secs_f64(),
                    ..Condition::plain(ConditionCode::KillInputSilent, subject)
                }),
            }
        }
        if self.rules.simulated_time {
            tell(Condition::plain(ConditionCode::SimulatedTime, Subject::Node));
        }
        for index in 0..self.lanes.len() {
            self.lane_conditions(index, now, tell);
        }
    }

    fn lane_conditions(&self, index: usize, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
        let Some(lane) = self.lanes.get(index) else {
            return;
        };
        let subject = Subject::Lane(index);
        let fresh = self.is_fresh(index, now);
        if let Some(feedback) = lane.rules.feedback {
            if fresh {
                if let Some((dimension, velocity)) = lane.measured.moving(lane.rules.standstill) {
                    tell(Condition {
                        dimension: Some(dimension),
                        found: velocity,
                        needed: lane.rules.standstill,
                        ..Condition::plain(ConditionCode::NotStandingStill, subject)
                    });
                }
            } else {
                let subject = Subject::Feedback(feedback);
                tell(Condition::plain(ConditionCode::FeedbackStale, subject));
            }
        }
        let holds_a_pose = match lane.rules.safe {
            SafeCommand::ZeroVelocity { .. }
            | SafeCommand::Damping
            | SafeCommand::Values
            | SafeCommand::Silent => false,
            SafeCommand::Freeze { .. } | SafeCommand::HoldPoint { .. } => true,
        };
        if holds_a_pose && lane.measured.position().is_none() {
            tell(Condition::plain(ConditionCode::NoSafeCommand, subject));
        }
        if lane.rules.required {
            if lane.subscribers == 0 {
                tell(Condition::plain(ConditionCode::NoController, subject));
            } else if lane.rules.names_controller && !lane.controller_reads {
                tell(Condition::plain(ConditionCode::ControllerMismatch, subject));
            }
        }
    }

    fn kill_inputs_asserted(&self, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
        for (index, (input, rules)) in
            self.kill_inputs.iter().zip(&self.rules.kill_inputs).enumerate()
        {
            if input.is_asserted(now, rules) {
                let subject = Subject::KillInput(index);
                tell(Condition::plain(ConditionCode::KillInputAsserted, subject));
            }
        }
    }
}
