//! Parts of configurations for tests.

use std::time::Duration;

use super::{
    CommandType, Engage, FieldMap, Handover, Interface, LaneConfig, LaneMode, OnLimits, Origins,
    Reliability, ReturnTo, SilenceThen, SourceConfig, SourceMode, UnusedElements,
};
use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::safe::SafeCommand;

/// A source for tests.
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
pub(crate) fn test_lane(kind: CommandType, joints: &[&str]) -> LaneConfig {
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
