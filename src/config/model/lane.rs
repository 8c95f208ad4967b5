//! One gated output after validation: its message type, joints, limits, safe command and sources.

use std::time::Duration;

#[cfg(doc)]
use super::Config;
use super::{
    Engage, Handover, Interface, LaneMode, OnLimits, Origins, ReturnTo, SilenceThen, SourceMode,
};
use crate::cdr::Path;
use crate::config::places::places;
use crate::gate::limits::DimensionLimits;
use crate::gate::safe::SafeCommand;

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

impl FieldMap {
    /// The mapped quantities of a joint, by their keys.
    pub fn quantities(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let all = [
            ("position", &self.position),
            ("velocity", &self.velocity),
            ("acceleration", &self.acceleration),
            ("effort", &self.effort),
            ("kp", &self.kp),
            ("kd", &self.kd),
        ];
        all.into_iter().filter_map(|(name, path)| path.as_ref().map(|path| (name, path)))
    }

    /// Everything that is mapped, by its key.
    pub fn mapped(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let others = [("stamp", &self.stamp), ("names", &self.names)];
        let others = others.into_iter();
        self.quantities()
            .chain(others.filter_map(|(name, path)| path.as_ref().map(|path| (name, path))))
    }

    /// The path of the quantity that a lane commands.
    #[must_use]
    pub const fn of(&self, interface: Interface) -> Option<&Path> {
        match interface {
            Interface::Position => self.position.as_ref(),
            Interface::Velocity => self.velocity.as_ref(),
            Interface::Effort => self.effort.as_ref(),
        }
    }
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

impl LaneConfig {
    /// The element of each joint, counted from the first of the array that it is commanded in.
    #[must_use]
    pub fn places(&self) -> Vec<usize> {
        places(self.fields.of(self.interface), &self.joint_index)
    }
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
