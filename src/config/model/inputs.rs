//! What the node listens to besides commands, after validation.

use std::fmt;
use std::time::Duration;

use super::{ChecksumConfig, FieldMap, Reliability};
use crate::cdr::Path;
use crate::gate::rules::KillAction;

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
    /// Name of the message type.
    pub type_name: String,
    /// Topic as written.
    pub topic: String,
    /// What asserts; `None`: a bare heartbeat, which only its silence can.
    pub asserts: Option<Asserts>,
    /// `None`: `allow_no_heartbeat: true`. Invariant: not both `None`.
    pub timeout: Option<Duration>,
    /// From silent to the action.
    pub kill_after: Duration,
    /// What it does.
    pub action: KillAction,
}

impl KillInputConfig {
    /// Whether it asserts while nobody holds it, and then disarms.
    #[must_use]
    pub fn is_dead_man(&self) -> bool {
        let when = self.asserts.as_ref().map(|asserts| asserts.when);
        let is_let_go = matches!(when, Some(FlagValue::Bool(false) | FlagValue::Int(0)));
        self.action == KillAction::Disarm && is_let_go
    }
}

/// Which value of which field asserts.
#[derive(Clone, Debug, PartialEq)]
pub struct Asserts {
    /// The field.
    pub field: Path,
    /// The value.
    pub when: FlagValue,
}

/// A bool or a whole number of the params file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagValue {
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
}

impl fmt::Display for FlagValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(out),
            Self::Int(value) => value.fmt(out),
        }
    }
}
