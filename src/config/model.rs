//! The configuration after validation: everything resolved, nothing optional that has a default.
//!
//! Built only by the reader in this folder, so every invariant written here holds wherever a
//! [`Config`] is seen.

pub(in crate::config) mod actions;
#[cfg(test)]
mod fixture;
mod inputs;
mod lane;
mod monitor;
mod sensors;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(test)]
pub(crate) use fixture::{test_lane, test_source};
pub use inputs::{Asserts, FeedbackConfig, FeedbackType, FlagValue, KillInputConfig};
pub use lane::{
    ChecksumConfig, ChecksumKind, CommandType, FieldMap, FixedField, LaneConfig, Mirror,
    Reliability, SourceConfig, UnusedElements,
};
pub use monitor::{Histograms, MonitorConfig, MonitoredTopic};
pub use sensors::{BatteryConfig, BatteryFields, ScaledField, TemperatureConfig};

pub use super::origin::{Origin, Origins};
pub use super::urdf::{Description, Note};
use crate::gate::cause::Cause;
pub use crate::gate::rules::{
    CauseRules, Engage, Handover, Interface, KillAction, LaneMode, OnLimit, OnLimits, ProfileRules,
    ReturnTo, SilenceThen, SourceMode,
};

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
    /// After a trip.
    pub stop: StopConfig,
    /// Larger commands are refused.
    pub max_message_bytes: usize,
    /// Where HTTP listens; `None`: off.
    pub http: Option<SocketAddr>,
    /// Where the control socket is, and whose.
    pub control_socket: ControlSocket,
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
    /// Whether the latch is kept on disk. `false` is for simulation and shows everywhere.
    pub latch_persist: bool,
    /// Where; `None`: as the environment says.
    pub state_dir: Option<PathBuf>,
    /// Topics that tell of heat.
    pub temperatures: Vec<TemperatureConfig>,
    /// Topics that tell of charge.
    pub batteries: Vec<BatteryConfig>,
    /// Topics watched for telemetry.
    pub monitor: MonitorConfig,
    /// Where the robot is described; `None`: nowhere.
    pub urdf: Option<Urdf>,
    /// The robot's description that the limits hold already; `None`: none yet.
    pub description: Option<Description>,
    /// SHA-256 of the effective configuration, lower-case hex.
    pub sha256: String,
}

impl Config {
    /// Whether a description of the robot is configured and has not come yet: until then no lane of
    /// joints may arm.
    #[must_use]
    pub const fn awaits_urdf(&self) -> bool {
        self.urdf.is_some() && self.description.is_none()
    }
}

/// What becomes of a stop that does not end in standstill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopConfig {
    /// Measured motion ends within this.
    pub deadline: Duration,
    /// Where power is asked to be cut; `None`: it is only reported. Invariant: no `balance` lane
    /// then.
    pub cut_topic: Option<String>,
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

/// The control socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlSocket {
    /// Absolute, as long as the system allows; `None`: in the runtime directory.
    pub path: Option<String>,
    /// Its members may kill, reset and arm through it.
    pub group: String,
}

impl ControlSocket {
    /// The longest name of a socket: `sun_path` has 108 bytes, one of them for the end.
    pub const PATH_BYTES: usize = 107;
}

/// Real-time set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realtime {
    /// SCHED_FIFO priority, 1–99.
    pub priority: u8,
    /// CPUs the gate thread may run on; empty: any.
    pub cpus: Vec<u32>,
}
