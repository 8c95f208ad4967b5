//! What stands in the way of the next step: reset while killed, arm while disarmed.
//!
//! Each condition is about a lane, a source, an input or the node, with the value found and the value
//! needed, so that an operator has nothing to look up. A tick evaluates them once; everybody who asks
//! about that same moment gets what it found.

use super::awaits::SafeWaits;
use super::cause::{Action, Cause};
use super::condition::ConditionCode;
use super::core::Gate;
use super::fault::Fault;
use super::kill_input::Silence;
use super::lane::{Lane, LaneGraph};
use super::machine::Subject;
use super::publisher::Gid;
use super::rules::{Interface, KillAction};
use super::safe::SafeCommand;
use super::state::State;
use super::units::SteadyTime;

/// `found` of [`ConditionCode::NoSafeCommand`] where a valid command is awaited; NaN: a pose.
pub const AWAITS_COMMAND: f64 = 1.0;
/// The same where the feedback of a mirrored field is awaited.
pub const AWAITS_MIRROR: f64 = 2.0;

/// One unmet condition, with the numbers an operator needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Which.
    pub code: ConditionCode,
    /// What it is about.
    pub subject: Subject,
    /// With [`ConditionCode::CausePresent`], which cause.
    pub cause: Option<Cause>,
    /// Joint or axis, where one is at fault.
    pub dimension: Option<usize>,
    /// With [`ConditionCode::KillInputAsserted`] a publisher that asserts, where the middleware names it.
    pub publisher: Option<Gid>,
    /// The value found; NaN where there is none.
    pub found: f64,
    /// The value needed; NaN where there is none.
    pub needed: f64,
}

impl Condition {
    const fn plain(code: ConditionCode, subject: Subject) -> Self {
        let (found, needed) = (f64::NAN, f64::NAN);
        Self { code, subject, cause: None, dimension: None, publisher: None, found, needed }
    }
}

impl Gate {
    /// Calls `tell` for each unmet condition of the next step.
    pub fn unmet(&self, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
        if self.evaluated_at == Some(now) {
            self.conditions.iter().copied().for_each(tell);
            return;
        }
        let mut any = false;
        self.look(now, &mut |condition| {
            any = true;
            tell(condition);
        });
        if !any && self.machine.state() == State::Disarmed && !self.has_settled(now) {
            tell(self.settling(now));
        }
    }

    /// Evaluates the conditions of this tick, and how long all have held.
    pub(super) fn evaluate(&mut self, now: SteadyTime) {
        let mut list = std::mem::take(&mut self.conditions);
        list.clear();
        self.look(now, &mut |condition| list.push(condition));
        if self.machine.state() == State::Disarmed && list.is_empty() {
            self.ready_since = self.ready_since.or(Some(now));
            if !self.has_settled(now) {
                list.push(self.settling(now));
            }
        } else {
            self.ready_since = None;
        }
        self.conditions = list;
        self.evaluated_at = Some(now);
    }

    /// Whether an arm is refused for a condition.
    pub(super) fn arm_blocked(&self, now: SteadyTime) -> bool {
        let mut blocked = !self.has_settled(now);
        if self.machine.state() == State::Disarmed {
            self.look(now, &mut |_| blocked = true);
        }
        blocked
    }

    /// Whether a reset is refused for a condition.
    pub(super) fn reset_blocked(&self, now: SteadyTime) -> bool {
        self.any_killer_asserts(now) || !self.latch_writable
    }

    fn latch_not_writable(&self, tell: &mut dyn FnMut(Condition)) {
        if !self.latch_writable {
            tell(Condition::plain(ConditionCode::LatchNotWritable, Subject::Node));
        }
    }

    fn has_settled(&self, now: SteadyTime) -> bool {
        self.ready_since.is_some_and(|at| now.since(at) >= self.rules.arm_settle)
    }

    fn settling(&self, now: SteadyTime) -> Condition {
        let settled = self.ready_since.map_or(0.0, |at| now.since(at).as_secs_f64());
        Condition {
            found: settled,
            needed: self.rules.arm_settle.as_secs_f64(),
            ..Condition::plain(ConditionCode::Settling, Subject::Node)
        }
    }

    /// Every condition of the next step, but settling.
    fn look(&self, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
        match self.machine.state() {
            State::Active => {}
            State::Killed => {
                self.kill_inputs_asserted(now, tell);
                self.latch_not_writable(tell);
            }
            State::Disarmed => {
                self.kill_inputs_asserted(now, tell);
                self.kill_inputs_silent(now, tell);
                if self.rules.simulated_time {
                    tell(Condition::plain(ConditionCode::SimulatedTime, Subject::Node));
                }
                self.latch_not_writable(tell);
                if self.awaits_description {
                    tell(Condition::plain(ConditionCode::RobotDescriptionMissing, Subject::Node));
                }
                if self.sensors_unread {
                    tell(Condition::plain(ConditionCode::SensorsUnread, Subject::Node));
                }
                self.feedback_stale(now, tell);
                for (index, lane) in self.lanes.iter().enumerate() {
                    if lane.is_gated() {
                        self.lane_conditions(index, lane, now, tell);
                    }
                }
                for fault in self.faults.iter() {
                    self.cause_present(fault, tell);
                }
            }
        }
    }

    fn kill_inputs_asserted(&self, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
        for (index, (input, rules)) in
            self.kill_inputs.iter().zip(&self.rules.kill_inputs).enumerate()
        {
            let counts =
                rules.action == KillAction::Kill || self.machine.state() == State::Disarmed;
            if counts && input.is_asserted(now, rules) {
                let subject = Subject::KillInput(index);
                let publisher = input.asserted_by(now, rules);
                let plain = Condition::plain(ConditionCode::KillInputAsserted, subject);
                tell(Condition { publisher, ..plain });
            }
        }
    }

    fn kill_inputs_silent(&self, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
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
    }

    fn feedback_stale(&self, now: SteadyTime, tell: &mut dyn FnMut(Condition)) {
        for (index, rules) in self.rules.feedback.iter().enumerate() {
            if !self.feedback_is_fresh(index, now) {
                let seen = self.feedback_at.get(index).copied().flatten();
                tell(Condition {
                    found: seen.map_or(f64::NAN, |at| now.since(at).as_secs_f64()),
                    needed: rules.timeout.as_secs_f64(),
                    ..Condition::plain(ConditionCode::FeedbackStale, Subject::Feedback(index))
                });
            }
        }
    }

    fn lane_conditions(
        &self,
        index: usize,
        lane: &Lane,
        now: SteadyTime,
        tell: &mut dyn FnMut(Condition),
    ) {
        let subject = Subject::Lane(index);
        // What balances always moves.
        if !lane.rules.balance
            && self.is_fresh(index, now)
            && let Some((dimension, velocity)) = lane.measured.moving(lane.rules.standstill)
        {
            tell(Condition {
                dimension: Some(dimension),
                found: velocity,
                needed: lane.rules.standstill,
                ..Condition::plain(ConditionCode::NotStandingStill, subject)
            });
        }
        if needs_pose(lane) && lane.measured.position().is_none() {
            tell(Condition::plain(ConditionCode::NoSafeCommand, subject));
        } else if let Some(waits) = lane.safe_waits {
            let found = match waits {
                SafeWaits::Command | SafeWaits::Kept => AWAITS_COMMAND,
                SafeWaits::Mirror => AWAITS_MIRROR,
            };
            tell(Condition { found, ..Condition::plain(ConditionCode::NoSafeCommand, subject) });
        }
        controller(lane, subject, tell);
        if lane.graph.foreign_publishers > 0 {
            tell(Condition {
                found: f64::from(lane.graph.foreign_publishers),
                needed: 0.0,
                ..Condition::plain(ConditionCode::ForeignPublisher, subject)
            });
        }
        for not_ready in lane.not_ready(now) {
            tell(Condition {
                dimension: Some(not_ready.dimension),
                found: not_ready.found,
                needed: not_ready.needed,
                ..Condition::plain(
                    ConditionCode::SourceNotReady,
                    Subject::Source { lane: index, source: not_ready.source },
                )
            });
        }
    }

    /// A cause that would stop an active gate must be gone before the arm.
    fn cause_present(&self, fault: &Fault, tell: &mut dyn FnMut(Condition)) {
        let told = fault.cause.has_own_condition()
            || fault.cause == Cause::ForeignPublisher && self.is_foreign(fault.subject);
        if fault.level.present && !told && self.action(fault.cause, fault.subject) >= Action::Disarm
        {
            tell(Condition {
                cause: Some(fault.cause),
                found: fault.level.found,
                needed: fault.level.bound,
                ..Condition::plain(ConditionCode::CausePresent, fault.subject)
            });
        }
    }

    /// Whether the graph says the same.
    fn is_foreign(&self, subject: Subject) -> bool {
        self.lanes.iter().enumerate().any(|(index, lane)| {
            subject == Subject::Lane(index) && lane.graph.foreign_publishers > 0
        })
    }
}

/// Whether the lane's safe command, or its first command after an arm, builds on the measured pose.
fn needs_pose(lane: &Lane) -> bool {
    match lane.rules.safe {
        SafeCommand::Freeze { .. } | SafeCommand::HoldPoint { .. } => true,
        SafeCommand::Damping | SafeCommand::Silent => {
            // Without feedback, which somebody has justified, the first command is where it starts.
            let limited = lane.rules.interface == Interface::Position && !lane.rules.balance;
            limited && lane.rules.feedback.is_some()
        }
        SafeCommand::ZeroVelocity { .. } | SafeCommand::Values => false,
    }
}

/// The named controller reads each required lane, with a type and a QoS that match.
fn controller(lane: &Lane, subject: Subject, tell: &mut dyn FnMut(Condition)) {
    if !lane.rules.required || lane.is_read() {
        return;
    }
    let LaneGraph { subscribers, incompatible, is_unseen, .. } = lane.graph;
    let nobody = subscribers == 0;
    if is_unseen {
        // As many as there may be: nobody knows.
        let found = f64::INFINITY;
        tell(Condition { found, ..Condition::plain(ConditionCode::NoController, subject) });
    } else if nobody && incompatible == 0 {
        tell(Condition::plain(ConditionCode::NoController, subject));
    } else {
        let incompatible = if nobody { f64::from(incompatible) } else { f64::NAN };
        tell(Condition {
            found: incompatible,
            ..Condition::plain(ConditionCode::ControllerMismatch, subject)
        });
    }
}
