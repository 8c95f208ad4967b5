//! The configuration after validation: everything resolved, nothing optional that has a default.
//!
//! Built only by the reader in this folder, so every invariant written here holds wherever a
//! [`Config`] is seen.

use std::net::SocketAddr;
use std::time::Duration;

pub use super::origin::{Origin, Origins};
pub use super::urdf::{Description, Note};
use crate::cdr::Path;
use crate::gate::cause::{Action, Cause};
use crate::gate::limits::DimensionLimits;
pub use crate::gate::rules::{
    CauseRules, Engage, Handover, Interface, LaneMode, OnLimit, OnLimits, ProfileRules, ReturnTo,
    SilenceThen, SourceMode,
};
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
    /// Invariant: the first is `full`; then those of the params file, sorted by name.
    pub profiles: Vec<ProfileConfig>,
    /// What the params file says of causes, by [`Cause::index`].
    pub causes: [CauseRules; Cause::ALL.len()],
    /// Rejections and limitations a second on `~/decisions`.
    pub decisions_max_rate_hz: f64,
    /// One in this many of the passed commands on `~/decisions`.
    pub decisions_passed_one_in: u32,
    /// Topics, actions and services that also move the robot, as written.
    pub other_paths: Vec<String>,
    /// Where the robot is described; `None`: nowhere.
    pub urdf: Option<Urdf>,
    /// The robot's description that the limits hold already; `None`: none yet.
    pub description: Option<Description>,
    /// SHA-256 of the effective configuration, lower-case hex.
    pub sha256: String,
}

impl Config {
    /// The actions that the params file gives to causes and that differ from a default. Below a
    /// balance loop the defaults are others, so there every written one counts.
    pub fn written_actions(&self) -> impl Iterator<Item = (Cause, Action)> + '_ {
        let has_balance = self.lanes.iter().any(|lane| lane.balance);
        let all = Cause::ALL.iter().zip(&self.causes);
        all.filter_map(|(cause, rules)| rules.action.map(|action| (*cause, action)))
            .filter(move |(cause, action)| has_balance || *action != cause.default_action())
    }

    /// Whether a description of the robot is configured and has not come yet: until then no lane of
    /// joints may arm.
    #[must_use]
    pub const fn awaits_urdf(&self) -> bool {
        self.urdf.is_some() && self.description.is_none()
    }
}

/// A profile with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileConfig {
    /// As `arm` names it.
    pub name: String,
    /// What it does.
    pub rules: ProfileRules,
}

/// Where the robot is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urdf {
    /// Topic or file.
    pub from: UrdfFrom,
    /// Take position bounds from it.
    pub use_position: bool,
    /// Take velocity bounds from it.
    pub use_velocity: bool,
    /// Take effort bounds from it.
    pub use_effort: bool,
}

/// A topic or a file with a robot description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrdfFrom {
    /// Transient local `std_msgs/msg/String`, as written.
    Topic(String),
    /// Path of a file.
    File(String),
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
    /// Any type, by a [`FieldMap`] from the params file.
    Mapped,
}

impl CommandType {
    /// Every type with a built-in map.
    pub const ALL: [Self; 5] = [
        Self::Twist,
        Self::TwistStamped,
        Self::Float64MultiArray,
        Self::JointState,
        Self::JointTrajectory,
    ];

    /// The ROS name, as in the params file; empty for [`Self::Mapped`], whose lane has it.
    #[must_use]
    pub const fn ros_name(self) -> &'static str {
        match self {
            Self::Mapped => "",
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

/// Which fields carry what, by path (`fields.<quantity>`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldMap {
    /// Positions.
    pub position: Option<Path>,
    /// Velocities.
    pub velocity: Option<Path>,
    /// Accelerations.
    pub acceleration: Option<Path>,
    /// Efforts.
    pub effort: Option<Path>,
    /// Stiffness gains.
    pub kp: Option<Path>,
    /// Damping gains.
    pub kd: Option<Path>,
    /// A `builtin_interfaces/msg/Time`.
    pub stamp: Option<Path>,
    /// Joint names, an array of texts.
    pub names: Option<Path>,
}

/// A command field that is neither a quantity nor kept: `fixed.<name>`.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedField {
    /// Name in the params file.
    pub name: String,
    /// Which field; with `[]` every element.
    pub field: Path,
    /// Values that a command may have there; empty: any, where `mirror` does not say more.
    pub allowed: Vec<i64>,
    /// Value in the safe command made at start-up.
    pub safe: Option<i64>,
    /// The field must equal, and the safe command takes, this value of the newest feedback.
    pub mirror: Option<Mirror>,
}

/// A field of a feedback message.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirror {
    /// Index into [`Config::feedback`].
    pub feedback: usize,
    /// An integer field of it.
    pub field: Path,
}

/// A checksum field.
#[derive(Clone, Debug, PartialEq)]
pub struct ChecksumConfig {
    /// Which field.
    pub field: Path,
    /// How it is computed.
    pub kind: ChecksumKind,
}

/// How a checksum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumKind {
    /// CRC-32 (polynomial 0x04c11db7, initial value 0xffffffff, not reflected, no final xor) over the
    /// little-endian 32-bit words of the vendor's C struct without the checksum itself.
    UnitreeCrc32,
}

/// What elements of a mapped array that belong to no joint may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnusedElements {
    /// Zero, within 1e-6.
    #[default]
    Zero,
    /// Anything finite; they pass bit for bit.
    Keep,
}

/// One gated output.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneConfig {
    /// Matches `[a-z][a-z0-9_]{0,31}`.
    pub name: String,
    /// Gate or watch.
    pub mode: LaneMode,
    /// Name of the message type.
    pub type_name: String,
    /// For [`CommandType::Mapped`]; empty otherwise.
    pub fields: FieldMap,
    /// Elements never limited, which a safe command leaves as last sent.
    pub keep: Vec<Path>,
    /// Other command fields of a mapped type.
    pub fixed: Vec<FixedField>,
    /// Unnamed fields in which NaN means "not set".
    pub allow_non_finite: Vec<Path>,
    /// Verified in, written anew on every frame altered or made.
    pub checksum: Option<ChecksumConfig>,
    /// Elements of a mapped array that belong to no joint.
    pub unused_elements: UnusedElements,
    /// Verify only.
    pub balance: bool,
    /// Joints scaled together, by index.
    pub groups: Vec<Vec<usize>>,
    /// After an arm.
    pub start_ramp: Duration,
    /// After a change of hands.
    pub handover: Handover,
    /// Writers of the output that belong there.
    pub other_publishers: u32,
    /// See [`crate::gate::rules::LaneRules::safe_targets`].
    pub safe_targets: Vec<f64>,
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
    /// One for each dimension. Locked while a limit that the URDF must give is missing.
    pub limits: Vec<DimensionLimits>,
    /// Where they come from, one for each dimension.
    pub origins: Vec<Origins>,
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
    /// Live or shadow.
    pub mode: SourceMode,
    /// What it must look like at arm.
    pub engage: Engage,
    /// Oldest header stamp; `None`: stamps are not looked at.
    pub max_age: Option<Duration>,
    /// Nodes that may publish on the topic; empty: any.
    pub allowed_nodes: Vec<String>,
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
    /// `sensor_msgs/msg/Imu`
    Imu,
    /// Any type, by a [`FieldMap`].
    Mapped,
}

impl FeedbackType {
    /// The ROS name; empty for [`Self::Mapped`], whose feedback has it.
    #[must_use]
    pub const fn ros_name(self) -> &'static str {
        match self {
            Self::JointState => "sensor_msgs/msg/JointState",
            Self::Odometry => "nav_msgs/msg/Odometry",
            Self::Imu => "sensor_msgs/msg/Imu",
            Self::Mapped => "",
        }
    }
}

/// One feedback topic.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackConfig {
    /// Name in the params file.
    pub name: String,
    /// Message type.
    pub feedback_type: FeedbackType,
    /// Name of the message type.
    pub type_name: String,
    /// For [`FeedbackType::Mapped`].
    pub fields: FieldMap,
    /// Joint names in the order of the mapped arrays; empty: those of the lane that uses it.
    pub joints: Vec<String>,
    /// Place of each of `joints` in the mapped arrays; empty: in order.
    pub joint_index: Vec<usize>,
    /// Verified where declared.
    pub checksum: Option<ChecksumConfig>,
    /// Imu: rad.
    pub max_tilt: Option<f64>,
    /// Imu: rad/s.
    pub max_angular_velocity: Option<f64>,
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

/// A source for tests.
#[cfg(test)]
pub(crate) fn test_source(name: &str, topic: &str, priority: u8) -> SourceConfig {
    SourceConfig {
        name: name.to_owned(),
        mode: SourceMode::Live,
        engage: Engage::Blend,
        max_age: None,
        allowed_nodes: Vec::new(),
        topic: topic.to_owned(),
        priority,
        timeout: Some(Duration::from_millis(500)),
        max_rate_hz: 60.0,
        burst: 5,
        limit_scale: 1.0,
        revision: format!("{name}-r1"),
        reliability: Reliability::Reliable,
    }
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
        mode: LaneMode::Gate,
        type_name: kind.ros_name().to_owned(),
        fields: FieldMap::default(),
        keep: Vec::new(),
        fixed: Vec::new(),
        allow_non_finite: Vec::new(),
        checksum: None,
        unused_elements: UnusedElements::Zero,
        balance: false,
        groups: Vec::new(),
        start_ramp: Duration::ZERO,
        handover: Handover::NONE,
        other_publishers: 0,
        safe_targets: Vec::new(),
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
        origins: vec![Origins::default(); names.len()],
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
