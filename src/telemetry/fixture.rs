//! A configuration for the tests of this folder: a mobile base and a humanoid's joints.

use std::sync::Arc;
use std::time::Duration;

use super::slots::{BuildInfo, Slots};
use crate::config::model::{
    BatteryConfig, BatteryFields, CauseRules, CommandType, Config, ControlSocket, FeedbackConfig,
    FeedbackType, FieldMap, Histograms, Interface, KillAction, KillInputConfig, LaneConfig,
    MonitorConfig, MonitoredTopic, ProfileConfig, ProfileRules, Reliability, SourceConfig,
    SourceMode, StopConfig, TemperatureConfig, test_lane, test_source,
};
use crate::gate::cause::{Action, Cause};
use crate::gate::limits::DimensionLimits;
use crate::gate::safe::SafeCommand;
use crate::gate::sensor::Thresholds;

const AXES: [&str; 6] = ["linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z"];

/// Lane `base` (Twist, no stamp; sources `teleop`, `agent`), lane `arms` (JointState, stamped, two
/// joints; sources `teleop`, `vla`, and `vla_next` in shadow), one feedback, one kill input, one ignored cause.
pub(crate) fn config() -> Config {
    let axes = AXES.iter().map(|a| String::from(*a)).collect();
    let joints = vec![String::from("left_elbow"), String::from("right_elbow")];
    let mut causes = [CauseRules::default(); Cause::ALL.len()];
    causes[Cause::Divergence.index()].action = Some(Action::Ignore);
    causes[Cause::ClockStep.index()].action = Some(Action::Warn);
    Config {
        hardware_id: String::from("g1-0042"),
        tick: Duration::from_millis(10),
        profile: String::from("careful"),
        allow_sim_time: false,
        use_sim_time: false,
        release_over_ros: false,
        shutdown_stop: Duration::from_millis(500),
        arm_settle: Duration::from_millis(500),
        permit_valid_for: Duration::from_millis(100),
        stop: StopConfig { deadline: Duration::from_secs(1), cut_topic: None },
        max_message_bytes: 65_536,
        http: None,
        control_socket: ControlSocket { path: None, group: String::from("interlock") },
        realtime: None,
        lanes: vec![
            lane("base", CommandType::Twist, axes, &["teleop", "agent"]),
            with_shadow(lane("arms", CommandType::JointState, joints, &["teleop", "vla"])),
        ],
        feedback: vec![FeedbackConfig {
            name: String::from("joints"),
            feedback_type: FeedbackType::JointState,
            type_name: FeedbackType::JointState.ros_name().to_owned(),
            fields: FieldMap::default(),
            joints: Vec::new(),
            joint_index: Vec::new(),
            checksum: None,
            max_tilt: None,
            max_angular_velocity: None,
            topic: String::from("joint_states"),
            timeout: Duration::from_millis(300),
            reliability: Reliability::BestEffort,
        }],
        kill_inputs: vec![KillInputConfig {
            name: String::from("pendant"),
            type_name: String::from("std_msgs/msg/Bool"),
            topic: String::from("hardware/e_stop"),
            asserts: None,
            timeout: Some(Duration::from_secs(1)),
            kill_after: Duration::from_secs(5),
            action: KillAction::Kill,
        }],
        profiles: ["full", "careful"].map(profile).into(),
        causes,
        decisions_max_rate_hz: 50.0,
        decisions_passed_one_in: 100,
        other_paths: Vec::new(),
        latch_persist: true,
        state_dir: None,
        temperatures: vec![
            temperature("motors", &["left_elbow", "right_elbow"]),
            TemperatureConfig { thresholds: Thresholds::default(), ..temperature("cpu", &["cpu"]) },
        ],
        batteries: vec![battery()],
        monitor: monitor(),
        urdf: None,
        description: None,
        sha256: "ab".repeat(32),
    }
}

fn temperature(name: &str, components: &[&str]) -> TemperatureConfig {
    TemperatureConfig {
        name: name.to_owned(),
        type_name: String::from("std_msgs/msg/Float64MultiArray"),
        topic: format!("{name}/temperature"),
        field: "data[]".parse().unwrap(),
        timeout: Duration::from_secs(2),
        valid: (-40.0, 150.0),
        components: components.iter().map(|component| (*component).to_owned()).collect(),
        places: (0..components.len()).collect(),
        thresholds: Thresholds {
            warn: Some(70.0),
            derate: Some(80.0),
            trip: Some(95.0),
            hysteresis: 5.0,
        },
    }
}

fn battery() -> BatteryConfig {
    BatteryConfig {
        name: String::from("main"),
        type_name: String::from("sensor_msgs/msg/BatteryState"),
        topic: String::from("battery_state"),
        timeout: Duration::from_secs(10),
        fields: BatteryFields::default(),
        thresholds: Thresholds {
            warn: Some(0.3),
            derate: Some(0.2),
            trip: Some(0.1),
            hysteresis: 0.02,
        },
    }
}

/// One topic with every histogram, one with the usual ones, and room for one more.
fn monitor() -> MonitorConfig {
    let topic = |name: &str, age| MonitoredTopic {
        name: String::from(name),
        topic: format!("/{name}"),
        rate_hz: None,
        max_gap: Some(Duration::from_secs(1)),
        histograms: Histograms { age, ..Histograms::DEFAULT },
    };
    MonitorConfig {
        topics: vec![topic("scan", true), topic("odom", false)],
        patterns: vec![String::from("/camera/**")],
        max_topics: 3,
        max_series: 10_000,
    }
}

fn profile(name: &str) -> ProfileConfig {
    ProfileConfig { name: name.to_owned(), rules: ProfileRules::default() }
}

fn with_shadow(mut lane: LaneConfig) -> LaneConfig {
    let source = test_source("vla_next", "arms/vla_next", 5);
    lane.sources.push(SourceConfig { mode: SourceMode::Shadow, ..source });
    lane
}

/// One lane of 29 joints and three sources.
pub(crate) fn humanoid() -> Config {
    let joints = (0..29).map(|i| format!("joint_{i:02}")).collect();
    let mut config = config();
    config.lanes =
        vec![lane("body", CommandType::JointState, joints, &["teleop", "planner", "vla"])];
    config
}

fn lane(
    name: &str,
    command_type: CommandType,
    dimensions: Vec<String>,
    sources: &[&str],
) -> LaneConfig {
    let count = dimensions.len();
    let limits = DimensionLimits { velocity: None, ..DimensionLimits::default() };
    let test_sources = sources.iter().zip([100_u8, 50, 10]);
    let test_sources = test_sources
        .map(|(source, priority)| test_source(source, &format!("{name}/{source}"), priority));
    LaneConfig {
        name: String::from(name),
        output: format!("{name}/command"),
        interface: Interface::Velocity,
        joint_index: (0..count).collect(),
        dimensions,
        feedback: Some(0),
        limits: vec![limits; count],
        safe: SafeCommand::ZeroVelocity { deceleration: None },
        sources: test_sources.collect(),
        ..test_lane(command_type, &[])
    }
}

/// The slots of [`config`].
pub(crate) fn slots() -> Arc<Slots> {
    Slots::new(&config(), build(), Arc::default())
}

/// A program.
pub(crate) fn build() -> BuildInfo {
    BuildInfo {
        version: String::from("0.1.0"),
        commit: String::from("0123abc"),
        rustc: String::from("1.95.0"),
        ros_distro: String::from("jazzy"),
        rmw: String::from("rmw_fastrtps_cpp"),
    }
}
