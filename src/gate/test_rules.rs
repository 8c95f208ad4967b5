//! Rules that the gate's own tests share.

use std::time::Duration;

use super::limits::{Bounds, DimensionLimits};
use super::rules::{
    Engage, Handover, Interface, KillInputRules, LaneMode, LaneRules, OnLimits, ReturnTo, Shape,
    SilenceThen, SourceMode, SourceRules,
};
use super::safe::SafeCommand;
use super::verdict::Reason;

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

/// The same, speeding up 10 and slowing down 20 per s².
pub(crate) fn braking_lane(joints: usize) -> LaneRules {
    let mut rules = position_lane(joints);
    for limits in &mut rules.limits {
        limits.acceleration = Some(10.0);
        limits.deceleration = Some(20.0);
    }
    rules
}

/// A kill input that is lost after 300 ms, and acts `kill_after` later.
pub(crate) fn heartbeat(kill_after: Duration) -> KillInputRules {
    KillInputRules {
        timeout: Some(Duration::from_millis(300)),
        kill_after,
        ..KillInputRules::default()
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

/// Which part of the node finds out that a command is to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finder {
    /// The codec, in the bytes.
    Codec,
    /// The gate: `core/tests/walk_reasons.rs`.
    Gate,
    /// The gate thread, before the bytes are read: `test/node`, on the wire.
    Thread,
}

/// Who gives a reason. Each part's tests walk the closed list and produce theirs, so a new reason that
/// nobody produces does not compile.
pub(crate) const fn finder(reason: Reason) -> Finder {
    match reason {
        Reason::Malformed
        | Reason::UnknownJoint
        | Reason::DuplicateJoint
        | Reason::FixedValue
        | Reason::Checksum => Finder::Codec,
        Reason::TooLarge | Reason::PublisherNotAllowed => Finder::Thread,
        Reason::NotFinite
        | Reason::WrongCount
        | Reason::Fenced
        | Reason::RateExceeded
        | Reason::StaleStamp
        | Reason::FutureStamp
        | Reason::OutOfOrder
        | Reason::OtherPublisher
        | Reason::LockedAxis
        | Reason::Position
        | Reason::Velocity
        | Reason::Acceleration
        | Reason::Jerk
        | Reason::Effort
        | Reason::Gain
        | Reason::TotalEffort
        | Reason::Discontinuity
        | Reason::Horizon
        | Reason::TimesNotIncreasing => Finder::Gate,
    }
}
