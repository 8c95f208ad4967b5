//! What the gate is built from: the part of the configuration that decides, by index.

use std::time::Duration;

use super::cause::{Action, Cause};
use super::limits::DimensionLimits;
use super::safe::SafeCommand;

/// Which quantity a lane commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interface {
    /// Targets in rad or m.
    Position,
    /// Targets in rad/s or m/s.
    Velocity,
    /// Targets in N m or N.
    Effort,
}

/// What happens to a value over a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLimit {
    /// Changed to the nearest allowed one.
    #[default]
    Limit,
    /// The whole command is refused.
    Reject,
}

/// `on_limit` of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnLimits {
    /// Position bounds.
    pub position: OnLimit,
    /// Velocity bounds.
    pub velocity: OnLimit,
    /// Acceleration and deceleration.
    pub acceleration: OnLimit,
    /// Effort.
    pub effort: OnLimit,
}

/// What becomes of a silence in motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceThen {
    /// Keep holding.
    Hold,
    /// Let go after the given time.
    Disarm(Duration),
    /// Latch after the given time.
    Kill(Duration),
}

/// What a lane does when a higher source falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnTo {
    /// Waits for `select_source` or arm.
    Manual,
    /// Goes back by itself.
    Auto,
}

/// Whether a command is one target or a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One point, sent at a rate.
    Target,
    /// Points in time.
    Trajectory,
}

/// The rules of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRules {
    /// Higher wins.
    pub priority: u8,
    /// Silence after which it no longer counts; `None`: never.
    pub timeout: Option<Duration>,
    /// Commands a second.
    pub max_rate_hz: f64,
    /// Commands at once.
    pub burst: u32,
    /// Factor on velocity and speeding up, 0–1.
    pub limit_scale: f64,
}

/// The rules of one lane.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneRules {
    /// What is commanded.
    pub interface: Interface,
    /// One target or a plan.
    pub shape: Shape,
    /// One for each joint or axis.
    pub limits: Vec<DimensionLimits>,
    /// Change or refuse.
    pub on_limit: OnLimits,
    /// Index of the feedback, where there is one.
    pub feedback: Option<usize>,
    /// Whether a missing controller prevents arming.
    pub required: bool,
    /// Whether the controller is named, so that any other reader does not count.
    pub names_controller: bool,
    /// Mean measured velocity that counts as still.
    pub standstill: f64,
    /// Escalation of a silence in motion.
    pub silence: SilenceThen,
    /// This lane's hold does not hold the others.
    pub independent: bool,
    /// After a higher source fell silent.
    pub return_to: ReturnTo,
    /// The safe command.
    pub safe: SafeCommand,
    /// Time between two safe commands.
    pub safe_period: Duration,
    /// Safe command after disarm, then silence.
    pub release: Duration,
    /// By descending priority.
    pub sources: Vec<SourceRules>,
}

/// The rules of one kill input.
#[derive(Clone, Debug, PartialEq)]
pub struct KillInputRules {
    /// Silence after which it is lost; `None`: it has no heartbeat.
    pub timeout: Option<Duration>,
    /// From lost to kill.
    pub kill_after: Duration,
}

/// Everything the gate decides by.
#[derive(Clone, Debug, PartialEq)]
pub struct GateRules {
    /// Time between two ticks.
    pub tick: Duration,
    /// How long all arm conditions must have held.
    pub arm_settle: Duration,
    /// The node runs on simulated time and that is not allowed.
    pub simulated_time: bool,
    /// The lanes.
    pub lanes: Vec<LaneRules>,
    /// Timeout of each feedback.
    pub feedback_timeouts: Vec<Duration>,
    /// The kill inputs.
    pub kill_inputs: Vec<KillInputRules>,
    /// Actions that differ from the default.
    pub cause_actions: Vec<(Cause, Action)>,
}

impl GateRules {
    /// What `cause` does here.
    #[must_use]
    pub fn action(&self, cause: Cause) -> Action {
        let configured = self.cause_actions.iter().find(|(known, _)| *known == cause);
        configured.map_or(cause.default_action(), |(_, action)| *action)
    }
}
