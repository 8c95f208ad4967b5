//! Rules for scenes told by hand: simple numbers that can be followed in the head.

use std::time::Duration;

use interlock::gate::cause::Cause;
use interlock::gate::command::Command;
use interlock::gate::limits::{Bounds, DimensionLimits};
use interlock::gate::rules::{
    CauseRules, Engage, FeedbackRules, GateRules, Handover, Interface, LaneMode, LaneRules,
    OnLimits, ProfileRules, ReturnTo, Shape, SilenceThen, SourceMode, SourceRules,
};
use interlock::gate::safe::SafeCommand;
use interlock::gate::state::BootRecord;

use super::rig::{Rig, targets_mut};
use super::script::Script;

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// 50 commands a second, silent after 100 ms.
pub(crate) fn source(priority: u8) -> SourceRules {
    SourceRules {
        mode: SourceMode::Live,
        engage: Engage::Blend,
        max_age: None,
        priority,
        timeout: Some(ms(100)),
        max_rate_hz: 50.0,
        burst: 5,
        limit_scale: 1.0,
    }
}

/// Positions within ±1, at most 2 per s; freezes.
pub(crate) fn position_lane(joints: usize) -> LaneRules {
    let limits = DimensionLimits {
        position: Some(Bounds { min: -1.0, max: 1.0 }),
        velocity: Some(Bounds { min: -2.0, max: 2.0 }),
        ..DimensionLimits::default()
    };
    LaneRules {
        mode: LaneMode::Gate,
        balance: false,
        interface: Interface::Position,
        shape: Shape::Target,
        limits: vec![limits; joints],
        on_limit: OnLimits::default(),
        feedback: Some(0),
        required: true,
        names_controller: false,
        standstill: 0.05,
        silence: SilenceThen::Hold,
        independent: false,
        return_to: ReturnTo::Manual,
        safe: SafeCommand::Freeze { tolerance: 0.1 },
        safe_targets: Vec::new(),
        safe_period: ms(10),
        groups: Vec::new(),
        start_ramp: Duration::ZERO,
        handover: Handover::NONE,
        release: ms(200),
        sources: vec![source(100), source(10)],
    }
}

/// Velocities within ±1, speeding up at 2 and slowing down at 4 per s².
pub(crate) fn velocity_lane(axes: usize) -> LaneRules {
    let limits = DimensionLimits {
        velocity: Some(Bounds { min: -1.0, max: 1.0 }),
        acceleration: Some(2.0),
        deceleration: Some(4.0),
        ..DimensionLimits::default()
    };
    LaneRules {
        interface: Interface::Velocity,
        limits: vec![limits; axes],
        feedback: None,
        safe: SafeCommand::ZeroVelocity { deceleration: None },
        ..position_lane(axes)
    }
}

/// Plans within ±1, at most 2 per s.
pub(crate) fn plan_lane(joints: usize) -> LaneRules {
    LaneRules {
        shape: Shape::Trajectory,
        safe: SafeCommand::HoldPoint { tolerance: 0.1 },
        ..position_lane(joints)
    }
}

pub(crate) fn gate(lanes: Vec<LaneRules>) -> GateRules {
    GateRules {
        tick: ms(10),
        arm_settle: ms(20),
        stop_deadline: ms(1_000),
        simulated_time: false,
        simulated_stamps: false,
        plan_numbers: 64,
        lanes,
        feedback: vec![FeedbackRules { timeout: ms(100), ..FeedbackRules::default() }],
        profiles: vec![ProfileRules::default()],
        kill_inputs: Vec::new(),
        causes: [CauseRules::default(); Cause::ALL.len()],
    }
}

/// A gate after a clean boot, with the robot at zero.
pub(crate) fn scene(rules: GateRules) -> Script {
    let pose = rules.lanes.iter().map(|lane| vec![0.0; lane.limits.len()]).collect();
    Script::new(Rig::new(rules, BootRecord::Clean, 1, pose))
}

/// The same, armed.
pub(crate) fn armed(rules: GateRules) -> Script {
    let mut script = scene(rules);
    script.make_ready();
    script
}

/// One target for each joint.
pub(crate) fn target(interface: Interface, values: &[f64]) -> Command {
    let mut command = Command::with_capacity(values.len(), values.len());
    command.points = 1;
    targets_mut(&mut command, interface).extend_from_slice(values);
    command
}
