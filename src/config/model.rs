//! The configuration after validation: everything resolved, nothing optional that has a default.
//!
//! Built only by the reader in this folder, so every invariant written here holds wherever a
//! [`Config`] is seen.

use std::net::SocketAddr;
use std::time::Duration;

use crate::gate::cause::{Action, Cause};
use crate::gate::limits::DimensionLimits;
pub use crate::gate::rules::{Interface, OnLimit, OnLimits, ReturnTo, SilenceThen};
use crate::gate::safe::SafeCommand;

/// The whole configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Shown in `/diagnostics`, `~/state` and `interlock_robot_info`.
    pub hardware_id: String,
    /// Time between two ticks of the gate.
    pub tick: Duration,
    /// Default profile of `arm`.
    pub profile: String,
    /// Whether arm is possible under `use_sim_time`.
    pub allow_sim_time: bool,
    /// ROS's own `use_sim_time`.
    pub use_sim_time: bool,
    /// Whether `reset`, `arm` and `select_source` are open as ROS services.
    pub release_over_ros: bool,
    /// How long the safe command goes out at shutdown.
    pub shutdown_stop: Duration,
    /// How long all arm conditions must have held.
    pub arm_settle: Duration,
    /// `Permit.valid_for`.
    pub permit_valid_for: Duration,
    /// Larger commands are refused.
    pub max_message_bytes: usize,
    /// Where HTTP listens; `None`: off.
    pub http: Option<SocketAddr>,
    /// Real-time set-up of the gate thread; `None`: off.
    pub realtime: Option<Realtime>,
    /// Invariant: not empty; order of the params file's keys (sorted by name).
    pub lanes: Vec<LaneConfig>,
    /// Feedback topics.
    pub feedback: Vec<FeedbackConfig>,
    /// Topics that can kill.
    pub kill_inputs: Vec<KillInputConfig>,
    /// Actions that differ from [`Cause::default_action`].
    pub cause_actions: Vec<(Cause, Action)>,
    /// SHA-256 of the effective configuration, lower-case hex.
    pub sha256: String,
}

/// Real-time set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realtime {
    /// SCHED_FIFO priority, 1–99.
    pub priority: u8,
    /// CPUs the gate thread may run on; empty: any.
    pub cpus: Vec<u32>,
}

/// Message types with a built-in map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandType {
    /// `geometry_msgs/msg/Twist`
    Twist,
    /// `geometry_msgs/msg/TwistStamped`
    TwistStamped,
    /// `std_msgs/msg/Float64MultiArray`
    Float64MultiArray,
    /// `sensor_msgs/msg/JointState`
    JointState,
    /// `trajectory_msgs/msg/JointTrajectory`
    JointTrajectory,
}

impl CommandType {
    /// Every built-in type.
    pub const ALL: [Self; 5] = [
        Self::Twist,
        Self::TwistStamped,
        Self::Float64MultiArray,
        Self::JointState,
        Self::JointTrajectory,
    ];

    /// The ROS name, as in the params file.
    #[must_use]
    pub const fn ros_name(self) -> &'static str {
        match self {
            Self::Twist => "geometry_msgs/msg/Twist",
            Self::TwistStamped => "geometry_msgs/msg/TwistStamped",
            Self::Float64MultiArray => "std_msgs/msg/Float64MultiArray",
            Self::JointState => "sensor_msgs/msg/JointState",
            Self::JointTrajectory => "trajectory_msgs/msg/JointTrajectory",
        }
    }
}

/// Reliability of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reliability {
    /// Retransmitted.
    Reliable,
    /// Not retransmitted.
    BestEffort,
}

/// One gated output.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneConfig {
    /// Matches `[a-z][a-z0-9_]{0,31}`.
    pub name: String,
    /// Message type of sources and output.
    pub command_type: CommandType,
    /// Topic toward the controller, as written (may be relative).
    pub output: String,
    /// Of the output.
    pub reliability: Reliability,
    /// What is commanded.
    pub interface: Interface,
    /// Joint names in order, or the six axes `linear.x` … `angular.z`.
    pub dimensions: Vec<String>,
    /// Place of each dimension in the message's array (types without names).
    pub joint_index: Vec<usize>,
    /// With names in the message, a subset of the joints is a complete command.
    pub partial: bool,
    /// Index into [`Config::feedback`]; `None` was justified with `because`.
    pub feedback: Option<usize>,
    /// Node name of the controller.
    pub controller: Option<String>,
    /// Whether a missing controller prevents arming.
    pub required: bool,
    /// One for each dimension.
    pub limits: Vec<DimensionLimits>,
    /// Change or refuse.
    pub on_limit: OnLimits,
    /// Mean measured velocity that counts as still.
    pub standstill: f64,
    /// Escalation of a silence in motion.
    pub silence: SilenceThen,
    /// This lane's hold does not hold the others.
    pub independent: bool,
    /// See [`ReturnTo`].
    pub return_to: ReturnTo,
    /// The safe command.
    pub safe: SafeCommand,
    /// Time between two safe commands.
    pub safe_period: Duration,
    /// Safe command after disarm, then silence.
    pub release: Duration,
    /// By descending priority. Invariant: not empty.
    pub sources: Vec<SourceConfig>,
}

/// One command topic.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceConfig {
    /// Matches `[a-z][a-z0-9_]{0,31}`.
    pub name: String,
    /// Topic as written.
    pub topic: String,
    /// 1–255, unique in the lane.
    pub priority: u8,
    /// `None`: `allow_no_timeout: true`.
    pub timeout: Option<Duration>,
    /// Commands a second.
    pub max_rate_hz: f64,
    /// Token bucket size, commands.
    pub burst: u32,
    /// This source's smaller envelope, 0–1.
    pub limit_scale: f64,
    /// For example a checkpoint's name.
    pub revision: String,
    /// Of the subscription.
    pub reliability: Reliability,
}

/// Message types of feedback with a built-in map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeedbackType {
    /// `sensor_msgs/msg/JointState`
    JointState,
    /// `nav_msgs/msg/Odometry`
    Odometry,
}

/// One feedback topic.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackConfig {
    /// Name in the params file.
    pub name: String,
    /// Message type.
    pub feedback_type: FeedbackType,
    /// Topic as written.
    pub topic: String,
    /// Silence after which it is stale.
    pub timeout: Duration,
    /// Of the subscription.
    pub reliability: Reliability,
}

/// One topic that can kill.
#[derive(Clone, Debug, PartialEq)]
pub struct KillInputConfig {
    /// Name in the params file.
    pub name: String,
    /// Topic as written; the type is `std_msgs/msg/Bool`.
    pub topic: String,
    /// The value of `data` that asserts.
    pub asserted_when: bool,
    /// `None`: `allow_no_heartbeat: true`.
    pub timeout: Option<Duration>,
    /// From silent to kill.
    pub kill_after: Duration,
}

/// A lane of `kind` for tests: positions where the type allows, six axes for twists.
#[cfg(test)]
pub(crate) fn test_lane(kind: CommandType, joints: &[&str]) -> LaneConfig {
    use crate::gate::limits::Bounds;
    let twist = matches!(kind, CommandType::Twist | CommandType::TwistStamped);
    let axes = ["linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z"];
    let names: &[&str] = if twist { &axes } else { joints };
    let bounds = Some(Bounds { min: -1.0, max: 1.0 });
    let limits = DimensionLimits { position: bounds, velocity: bounds, ..Default::default() };
    let safe = if twist {
        SafeCommand::ZeroVelocity { deceleration: None }
    } else if kind == CommandType::JointTrajectory {
        SafeCommand::HoldPoint { tolerance: 0.1 }
    } else {
        SafeCommand::Freeze { tolerance: 0.1 }
    };
    LaneConfig {
        name: "lane".to_owned(),
        command_type: kind,
        output: "out".to_owned(),
        reliability: Reliability::Reliable,
        interface: if twist { Interface::Velocity } else { Interface::Position },
        dimensions: names.iter().map(|name| (*name).to_owned()).collect(),
        joint_index: (0..names.len()).collect(),
        partial: false,
        feedback: None,
        controller: None,
        required: true,
        limits: vec![limits; names.len()],
        on_limit: OnLimits::default(),
        standstill: 0.05,
        silence: SilenceThen::Hold,
        independent: false,
        return_to: ReturnTo::Manual,
        safe,
        safe_period: Duration::from_millis(10),
        release: Duration::from_secs(1),
        sources: Vec::new(),
    }
}
