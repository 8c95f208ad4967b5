//! What the gate is built from: the part of the configuration that decides, by index.

use std::time::Duration;

use super::cause::{Action, Cause};
use super::command::Command;
use super::limit::LOCKED_TOLERANCE;
use super::limits::DimensionLimits;
use super::safe::SafeCommand;
use super::units::is_within;

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
    /// Jerk (velocity lanes).
    pub jerk: OnLimit,
    /// Effort.
    pub effort: OnLimit,
    /// Stiffness gains.
    pub kp: OnLimit,
    /// Damping gains.
    pub kd: OnLimit,
    /// Effort that the gains and the measured state add up to.
    pub total_effort: OnLimit,
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

/// What a lane does with commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LaneMode {
    /// Gates them.
    #[default]
    Gate,
    /// Taps and judges them, publishes nothing, is no part of arming.
    Watch,
}

/// What a source's commands are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceMode {
    /// To be forwarded.
    #[default]
    Live,
    /// Judged against its own reference, never selected.
    Shadow,
}

/// What a source that already streams must look like for an arm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engage {
    /// Its newest command must be zero (velocity lanes).
    Neutral,
    /// Anything: the start ramp leads from the pose held to it (position lanes).
    Blend,
    /// Its newest command must be this near the measured pose, joint by joint; rad or m.
    Window(f64),
}

/// The limits after a change of hands, or after a hold of more than a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Handover {
    /// How long they are in force.
    pub duration: Duration,
    /// Factor on velocity and speeding up, 0–1.
    pub limit_scale: f64,
}

impl LaneRules {
    /// Whether a command says nothing but that the whole lane is to stand still.
    #[must_use]
    pub fn says_stop(&self, command: &Command) -> bool {
        let still = |value: f64| is_within(value, -LOCKED_TOLERANCE, LOCKED_TOLERANCE);
        self.interface == Interface::Velocity
            && self.shape == Shape::Target
            && command.velocity.len() == self.limits.len()
            && command
                .velocity
                .iter()
                .zip(&command.given)
                .all(|(value, given)| *given && still(*value))
    }
}

impl Handover {
    /// No tighter limits.
    pub const NONE: Self = Self { duration: Duration::ZERO, limit_scale: 1.0 };
}

/// The rules of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRules {
    /// Live or shadow.
    pub mode: SourceMode,
    /// For an arm.
    pub engage: Engage,
    /// Oldest header stamp that counts; `None`: stamps are not looked at.
    pub max_age: Option<Duration>,
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
    /// Gate or watch.
    pub mode: LaneMode,
    /// Verify only: a bad command is refused whole, none is ever altered, and no limit depends on
    /// what was sent before.
    pub balance: bool,
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
    /// With [`SafeCommand::Values`] the values, with [`SafeCommand::Damping`] the damping gains: one
    /// for each joint. Empty otherwise.
    pub safe_targets: Vec<f64>,
    /// Time between two safe commands.
    pub safe_period: Duration,
    /// Joints that are scaled together, by index, so that limiting keeps their direction.
    pub groups: Vec<Vec<usize>>,
    /// After an arm the limits grow from nothing to themselves in this time.
    pub start_ramp: Duration,
    /// After a change of hands.
    pub handover: Handover,
    /// Safe command after disarm, then silence.
    pub release: Duration,
    /// By descending priority.
    pub sources: Vec<SourceRules>,
}

/// What a kill input does when it asserts, or stays silent for too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KillAction {
    /// Latches, in every state.
    #[default]
    Kill,
    /// Lets go: a dead-man. Prevents arming, latches nothing, and prevents no reset.
    Disarm,
}

impl KillAction {
    /// The name that the params file uses.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Disarm => "disarm",
        }
    }
}

/// The rules of one kill input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KillInputRules {
    /// Silence after which it is lost; `None`: it has no heartbeat.
    pub timeout: Option<Duration>,
    /// From lost to the action.
    pub kill_after: Duration,
    /// What it does.
    pub action: KillAction,
}

/// The rules of one feedback topic.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FeedbackRules {
    /// Silence after which it is stale.
    pub timeout: Duration,
    /// Largest angle between the body's and the world's vertical, rad (Imu).
    pub max_tilt: Option<f64>,
    /// Largest angular velocity of the body, rad/s (Imu).
    pub max_angular_velocity: Option<f64>,
}

/// A smaller envelope, chosen at arm. Factors, 0–1.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileRules {
    /// On velocity.
    pub velocity: f64,
    /// On speeding up, never on slowing down.
    pub acceleration: f64,
    /// On effort.
    pub effort: f64,
    /// Actions while this profile is in force.
    pub actions: Vec<(Cause, Action)>,
}

impl Default for ProfileRules {
    fn default() -> Self {
        Self { velocity: 1.0, acceleration: 1.0, effort: 1.0, actions: Vec::new() }
    }
}

/// How a cause is noticed, where the params file says more than its defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CauseRules {
    /// What it does, to every kind of lane; `None`: the default of [`Cause`].
    pub action: Option<Action>,
    /// How long it must be present; `None`: the default of [`Cause`].
    pub debounce: Option<Duration>,
    /// Threshold, in the cause's own unit; `None`: the default of [`Cause`].
    pub above: Option<f64>,
    /// Time over which a ratio is taken; `None`: the default of [`Cause`].
    pub window: Option<Duration>,
}

/// Everything the gate decides by.
#[derive(Clone, Debug, PartialEq)]
pub struct GateRules {
    /// Time between two ticks.
    pub tick: Duration,
    /// How long all arm conditions must have held.
    pub arm_settle: Duration,
    /// Measured motion ends within this after a trip.
    pub stop_deadline: Duration,
    /// The node runs on simulated time and that is not allowed.
    pub simulated_time: bool,
    /// Stamps are of a clock that is not ours, so a plan's stamp says nothing of when it begins.
    pub simulated_stamps: bool,
    /// The most numbers of one quantity that a plan can carry: room for them is made at the start.
    pub plan_numbers: usize,
    /// The lanes.
    pub lanes: Vec<LaneRules>,
    /// The feedback topics.
    pub feedback: Vec<FeedbackRules>,
    /// The profiles; the first is `full`.
    pub profiles: Vec<ProfileRules>,
    /// The kill inputs.
    pub kill_inputs: Vec<KillInputRules>,
    /// What the params file says of causes, by [`Cause::index`].
    pub causes: [CauseRules; Cause::ALL.len()],
}

impl GateRules {
    /// What `cause` does here to lanes of targets.
    #[must_use]
    pub fn action(&self, cause: Cause) -> Action {
        let configured = self.causes.get(cause.index()).and_then(|rules| rules.action);
        configured.unwrap_or(cause.default_action())
    }
    /// How long `cause` must be present here before it acts.
    #[must_use]
    pub fn debounce(&self, cause: Cause) -> Duration {
        let configured = self.causes.get(cause.index()).and_then(|rules| rules.debounce);
        configured.unwrap_or(cause.default_debounce())
    }

    /// Over which value `cause` is present here; `None`: it has no such threshold.
    #[must_use]
    pub fn above(&self, cause: Cause) -> Option<f64> {
        self.written_above(cause).or(cause.default_above())
    }

    /// The same, only where the params file says it.
    #[must_use]
    pub fn written_above(&self, cause: Cause) -> Option<f64> {
        self.causes.get(cause.index()).and_then(|rules| rules.above)
    }

    /// The time over which `cause` is a share here; zero where it is none.
    #[must_use]
    pub fn window(&self, cause: Cause) -> Duration {
        let configured = self.causes.get(cause.index()).and_then(|rules| rules.window);
        configured.or(cause.default_window()).unwrap_or_default()
    }
}
