//! Rules that the gate's own tests share.

use std::time::Duration;

use super::limits::{Bounds, DimensionLimits};
use super::rules::{
    Engage, Handover, Interface, LaneMode, LaneRules, OnLimits, ReturnTo, Shape, SilenceThen,
    SourceMode, SourceRules,
};
use super::safe::SafeCommand;

pub(crate) const TICK: Duration = Duration::from_millis(10);

pub(crate) fn source(priority: u8) -> SourceRules {
    SourceRules {
        mode: SourceMode::Live,
        engage: Engage::Blend,
        max_age: None,
        priority,
        timeout: Some(Duration::from_millis(200)),
        max_rate_hz: 50.0,
        burst: 5,
        limit_scale: 1.0,
    }
}

/// Position within ±1, 2 per s; no acceleration limit.
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
        safe_period: TICK,
        groups: Vec::new(),
        start_ramp: Duration::ZERO,
        handover: Handover::NONE,
        release: Duration::from_secs(1),
        sources: vec![source(100), source(10)],
    }
}

/// Velocity within ±1, speeding up 2 and slowing down 4 per s².
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
