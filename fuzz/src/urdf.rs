//! Any text as a robot description, for a lane whose params file has some limits and for one that
//! takes all from it.
//!
//! - It is a description or it is refused.
//! - It never loosens a limit, and what it gives is finite and has room.
//! - Given twice it says the same.

use std::sync::OnceLock;

use interlock::config::model::Config;
use interlock::gate::limits::DimensionLimits;

use super::params::config;

const PARAMS: &str = "\
interlock:
  ros__parameters:
    schema: 1
    urdf: {topic: /robot_description}
    lanes:
      limited:
        type: std_msgs/msg/Float64MultiArray
        interface: position
        output: limited/commands
        joints: [a, b]
        feedback: joints
        limits: {min_position: -1.0, max_position: 1.0, max_velocity: 1.0, max_acceleration: 5.0}
        joint_limits: {b: {max_velocity: 0.5}}
        safe: {command: freeze, tolerance: 0.1}
        sources: {vla: {topic: vla, priority: 10, timeout_s: 0.2, max_rate_hz: 60.0}}
      open:
        type: sensor_msgs/msg/JointState
        interface: position
        output: open/commands
        balance: false
        joints: [a, c]
        feedback: joints
        limits: {max_acceleration: 5.0}
        safe: {command: freeze, tolerance: 0.1}
        sources: {vla: {topic: open, priority: 10, timeout_s: 0.2, max_rate_hz: 60.0}}
    feedback: {joints: {type: sensor_msgs/msg/JointState, topic: joint_states, timeout_s: 0.1}}
";

/// One input.
pub fn run(data: &[u8]) {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    let before =
        CONFIG.get_or_init(|| config(PARAMS).unwrap_or_else(|problems| panic!("{problems}")));
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok((after, notes)) = before.with_urdf(text) else { return };
    for (old, new) in before.lanes.iter().zip(&after.lanes) {
        assert_eq!(old.limits.len(), new.limits.len());
        for (old, new) in old.limits.iter().zip(&new.limits) {
            not_looser(old, new);
        }
        // What the params file left to the description is there now, and nothing is locked for want of it.
        let complete = new.limits.iter().all(|limits| limits.velocity.is_some() && !limits.locked);
        assert!(complete, "accepted, and a limit is still missing");
    }
    let again = after.with_urdf(text).expect("accepted before");
    let limits = |config: &Config| -> Vec<Vec<DimensionLimits>> {
        config.lanes.iter().map(|lane| lane.limits.clone()).collect()
    };
    assert_eq!(limits(&after), limits(&again.0));
    assert_eq!(before.with_urdf(text).expect("accepted before"), (after, notes));
}

fn not_looser(old: &DimensionLimits, new: &DimensionLimits) {
    let bounds = [(old.position, new.position), (old.velocity, new.velocity)];
    for (old, new) in bounds {
        if let Some(new) = new {
            assert!(new.min.is_finite() && new.max.is_finite() && new.min <= new.max, "{new:?}");
            if let Some(old) = old {
                assert!(new.min >= old.min && new.max <= old.max, "{old:?} {new:?}");
            }
        } else {
            assert!(old.is_none(), "a limit is gone: {old:?}");
        }
    }
    let single = [
        (old.acceleration, new.acceleration),
        (old.deceleration, new.deceleration),
        (old.effort, new.effort),
    ];
    for (old, new) in single {
        match (old, new) {
            (Some(old), Some(new)) => assert!(new.is_finite() && new <= old, "{old} {new}"),
            (Some(old), None) => panic!("a limit is gone: {old}"),
            (None, Some(new)) => assert!(new.is_finite() && new > 0.0, "{new}"),
            (None, None) => {}
        }
    }
}
