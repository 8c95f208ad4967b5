//! What good files become: every default and every resolved value.

use std::time::Duration;

use super::{ARM, BASE, MOTORS, config, refused, with, with_top};
use crate::config::check::summary;
use crate::config::model::{
    CommandType, FeedbackType, FlagValue, Interface, KillAction, OnLimit, Reliability, ReturnTo,
    SilenceThen,
};
use crate::gate::cause::{Action, Cause};
use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::safe::SafeCommand;

#[test]
fn defaults_are_those_of_the_specification() {
    let config = config(BASE);
    assert_eq!(config.hardware_id, "none");
    assert_eq!(config.tick, Duration::from_millis(10));
    assert_eq!(config.profile, "full");
    assert!(!config.allow_sim_time && !config.use_sim_time && !config.release_over_ros);
    assert_eq!(config.shutdown_stop, Duration::from_millis(500));
    assert_eq!(config.arm_settle, Duration::from_millis(500));
    assert_eq!(config.permit_valid_for, Duration::from_millis(100));
    assert_eq!(config.max_message_bytes, 65_536);
    assert_eq!(config.http, Some("127.0.0.1:9615".parse().unwrap()));
    assert_eq!(config.realtime, None);
    assert!(config.kill_inputs.is_empty() && config.written_actions().next().is_none());
    let lane = &config.lanes[0];
    assert_eq!(lane.command_type, CommandType::Twist);
    assert_eq!(lane.interface, Interface::Velocity);
    assert_eq!(lane.reliability, Reliability::Reliable);
    assert_eq!(lane.standstill, 0.05);
    assert_eq!(lane.silence, SilenceThen::Hold);
    assert_eq!(lane.return_to, ReturnTo::Manual);
    assert_eq!(lane.release, Duration::from_secs(1));
    assert_eq!(lane.safe, SafeCommand::ZeroVelocity { deceleration: None });
    assert_eq!(lane.safe_period, config.tick);
    assert_eq!((lane.partial, lane.independent), (false, false));
    assert!(lane.required && lane.controller.is_none());
    assert_eq!(lane.feedback, Some(0));
    let source = &lane.sources[0];
    assert_eq!((source.burst, source.limit_scale, source.revision.as_str()), (5, 1.0, ""));
    assert_eq!(source.reliability, Reliability::Reliable);
    assert_eq!(source.timeout, Some(Duration::from_millis(500)));
    assert_eq!(config.feedback[0].feedback_type, FeedbackType::Odometry);
    assert_eq!(config.feedback[0].reliability, Reliability::BestEffort);
}

#[test]
fn limits_of_a_twist_lock_what_is_not_named() {
    let lane = &config(BASE).lanes[0];
    let x = DimensionLimits {
        velocity: Some(Bounds { min: -0.5, max: 0.5 }),
        acceleration: Some(1.0),
        deceleration: Some(1.0),
        ..DimensionLimits::default()
    };
    let locked = DimensionLimits { locked: true, ..DimensionLimits::default() };
    assert_eq!(lane.limits, [x, locked, locked, locked, locked, locked]);
    assert_eq!(lane.dimensions[3], "angular.x");
}

#[test]
fn a_joint_s_own_kind_replaces_the_lane_s() {
    let text = with(
        ARM,
        "        safe:",
        "        joint_limits:
          elbow: {has_velocity_limits: true, max_velocity: 0.5, max_acceleration: 2.0}
          shoulder: {min_position: -2, max_position: 0, max_deceleration: 9.0}
        safe:",
    );
    let lane = &config(&text).lanes[0];
    let shoulder = lane.limits[0];
    assert_eq!(shoulder.position, Some(Bounds { min: -2.0, max: 0.0 }));
    assert_eq!(shoulder.velocity, Some(Bounds { min: -1.0, max: 1.0 }));
    assert_eq!((shoulder.acceleration, shoulder.deceleration), (Some(5.0), Some(9.0)));
    let elbow = lane.limits[1];
    assert_eq!(elbow.position, Some(Bounds { min: -1.0, max: 1.0 }));
    assert_eq!(elbow.velocity, Some(Bounds { min: -0.5, max: 0.5 }));
    assert_eq!((elbow.acceleration, elbow.deceleration), (Some(2.0), Some(2.0)));
}

#[test]
fn unlimited_leaves_free_what_it_names_and_nothing_else() {
    let limits = "limits: {min_position: -1.0, max_position: 1.0, max_velocity: 1.0, \
                  max_acceleration: 5.0}";
    let text = with(ARM, limits, "limits: {max_velocity: 1.0}\n        unlimited: [acceleration]");
    assert_eq!(
        refused(&text),
        ["lanes.arm.joint_limits.shoulder", "lanes.arm.joint_limits.elbow"],
        "position is still needed"
    );
    let text = with(&text, "[acceleration]", "[acceleration, position]");
    let lane = &config(&text).lanes[0];
    assert_eq!((lane.limits[0].position, lane.limits[0].acceleration), (None, None));
    assert!(!lane.limits[0].locked);
    let free = [lane.limits[0].position_unlimited, lane.limits[0].velocity_unlimited];
    assert_eq!((free, lane.limits[0].acceleration_unlimited), ([true, false], true));
}

#[test]
fn a_joint_state_lane_says_what_it_does_about_effort() {
    let text = with(ARM, "std_msgs/msg/Float64MultiArray", "sensor_msgs/msg/JointState");
    assert_eq!(refused(&text), ["lanes.arm.balance"]);
    let text = with(&text, "joints: [", "balance: false\n        partial: true\n        joints: [");
    let lane = &config(&text).lanes[0];
    assert!(lane.partial);
    assert_eq!((lane.limits[0].effort, lane.limits[0].effort_unlimited), (None, false));
    let free = with(&text, "        safe:", "        unlimited: [effort]\n        safe:");
    assert!(config(&free).lanes[0].limits[0].effort_unlimited);
    let limited = with(&text, "max_velocity: 1.0", "max_velocity: 1.0, max_effort: 30");
    assert_eq!(config(&limited).lanes[0].limits[1].effort, Some(30.0));
}

#[test]
fn a_trajectory_lane_holds_a_point_twice_a_second() {
    let text = with(
        ARM,
        "std_msgs/msg/Float64MultiArray\n        interface: position",
        "trajectory_msgs/msg/JointTrajectory\n        balance: false",
    );
    let text = with(&text, "command: freeze", "command: hold_point");
    let lane = &config(&text).lanes[0];
    assert_eq!(lane.interface, Interface::Position);
    assert_eq!(lane.safe, SafeCommand::HoldPoint { tolerance: 0.1 });
    assert_eq!(lane.safe_period, Duration::from_millis(500));
}

#[test]
fn a_velocity_array_stops_with_its_own_deceleration() {
    let text = with(ARM, "interface: position", "interface: velocity");
    let text = with(&text, "min_position: -1.0, max_position: 1.0, ", "");
    let text = with(
        &text,
        "{command: freeze, tolerance: 0.1}",
        "{command: zero_velocity, deceleration: 4, rate_hz: 50}",
    );
    let lane = &config(&text).lanes[0];
    assert_eq!(lane.safe, SafeCommand::ZeroVelocity { deceleration: Some(4.0) });
    assert_eq!(lane.safe_period, Duration::from_millis(20));
}

#[test]
fn what_is_written_is_what_comes_out() {
    let top = "hardware_id: g1\n    tick_hz: 200\n    allow_sim_time: true\n    \
        release_over_ros: yes\n    shutdown_stop_s: 1\n    arm: {settle_s: 0.2}\n    \
        permit: {valid_s: 0.05}\n    max_message_bytes: 1024\n    \
        http: {enabled: false}\n    realtime: {enabled: true, priority: 50, cpus: [2, 3]}\n    \
        causes: {feedback_stale: {action: warn}, gate_stalled: {action: disarm}}\n    \
        kill_inputs: {cord: {type: std_msgs/msg/Bool, topic: /cord, field: data, \
        asserted_when: false, allow_no_heartbeat: true}}";
    let text = with_top(ARM, top);
    let lane = "joint_index: [1, 0]\n        reliability: best_effort\n        mode: gate\n        \
        controller: /ns/arm\n        required: false\n        standstill: 0.1\n        \
        silence: {then: kill, after_s: 2}\n        independent: true\n        return_to: auto\n        \
        release_s: 0\n        on_limit: {velocity: reject}\n        joints: [";
    let text = with(&text, "joints: [", lane);
    let text = with(
        &text,
        "{topic: vla, priority: 10, timeout_s: 0.2, max_rate_hz: 60.0}",
        "{topic: vla, priority: 10, allow_no_timeout: true, max_rate_hz: 60, burst: 2, mode: live, \
         limit_scale: 0.5, revision: r2, reliability: best_effort}\n          \
         pad: {topic: ~/pad, priority: 200, timeout_s: 1, max_rate_hz: 20}",
    );
    let config = config(&text);
    assert_eq!(config.tick, Duration::from_millis(5));
    assert!(config.allow_sim_time && config.release_over_ros);
    assert_eq!(config.permit_valid_for, Duration::from_millis(50));
    assert_eq!((config.max_message_bytes, config.http), (1024, None));
    let realtime = config.realtime.clone().unwrap();
    assert_eq!((realtime.priority, realtime.cpus), (50, vec![2, 3]));
    assert_eq!(
        config.written_actions().collect::<Vec<_>>(),
        [(Cause::FeedbackStale, Action::Warn)],
        "a default is no difference"
    );
    let cord = &config.kill_inputs[0];
    let asserts = cord.asserts.as_ref().unwrap();
    assert_eq!((asserts.field.to_string(), asserts.when), ("data".into(), FlagValue::Bool(false)));
    assert_eq!((cord.timeout, cord.action), (None, KillAction::Kill));
    let lane = &config.lanes[0];
    assert_eq!(lane.joint_index, [1, 0]);
    assert_eq!(lane.reliability, Reliability::BestEffort);
    assert_eq!(lane.controller.as_deref(), Some("/ns/arm"));
    assert_eq!(lane.silence, SilenceThen::Kill(Duration::from_secs(2)));
    assert_eq!((lane.required, lane.independent), (false, true));
    assert_eq!((lane.standstill, lane.release), (0.1, Duration::ZERO));
    assert_eq!((lane.on_limit.velocity, lane.on_limit.position), (OnLimit::Reject, OnLimit::Limit));
    let names: Vec<&str> = lane.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["pad", "vla"], "by descending priority");
    let vla = &lane.sources[1];
    assert_eq!((vla.timeout, vla.burst, vla.limit_scale), (None, 2, 0.5));
    assert_eq!((vla.revision.as_str(), vla.reliability), ("r2", Reliability::BestEffort));
}

#[test]
fn hazard_25_safety_off_in_the_configuration() {
    // What a person's stop does is no setting, and no word switches a check off silently.
    for cause in [
        "kill_service",
        "kill_socket",
        "kill_signal",
        "kill_input_asserted",
        "shutdown",
        "self_test",
    ] {
        for action in ["ignore", "warn", "hold"] {
            let line = format!("causes: {{{cause}: {{action: {action}}}}}");
            assert_eq!(refused(&with_top(BASE, &line)), [format!("causes.{cause}.action")]);
        }
    }
    for (from, to, key) in [
        ("timeout_s: 0.5", "timeout_s: 0", "lanes.base.sources.nav.timeout_s"),
        ("timeout_s: 0.5", "timeout_s: -1", "lanes.base.sources.nav.timeout_s"),
        ("timeout_s: 0.5", "timeout_s: .inf", "lanes.base.sources.nav.timeout_s"),
        ("timeout_s: 0.5", "allow_no_timeout: false", "lanes.base.sources.nav.timeout_s"),
        ("max_velocity: 0.5", "max_velocity: off", "lanes.base.limits.linear.x.max_velocity"),
        ("max_velocity: 0.5", "max_velocity: .nan", "lanes.base.limits.linear.x.max_velocity"),
    ] {
        assert_eq!(refused(&with(BASE, from, to)), [key], "{to}");
    }
}

#[test]
fn when_nobody_compares_an_array_s_joints_expect_the_summary_to_say_so() {
    let nobody = "joint order is compared with nobody: name the controller";
    assert!(summary(&config(ARM)).contains(nobody), "{}", summary(&config(ARM)));
    let named = with(ARM, "output: arm", "controller: arm_controller\n        output: arm");
    assert!(!summary(&config(&named)).contains(nobody));
    // A twist has axes, and no order to be wrong in.
    assert!(!summary(&config(BASE)).contains(nobody));
}

#[test]
fn what_is_left_free_is_named_in_the_summary() {
    let free = |text: &str| {
        let summary = summary(&config(text));
        let line = summary.lines().find(|line| line.contains("left free"));
        line.map(|line| line.rsplit("`: ").next().unwrap_or_default().to_owned())
    };
    for limited in [BASE, ARM, MOTORS] {
        assert_eq!(free(limited), None);
    }
    let position = "min_position: -1.0, max_position: 1.0, ";
    for (piece, kind) in [
        (position, "position"),
        ("max_velocity: 1.0, ", "velocity"),
        (", max_acceleration: 5.0", "acceleration"),
    ] {
        let text = with(ARM, piece, "");
        let unlimited = format!("        unlimited: [{kind}]\n        safe:");
        let text = with(&text, "        safe:", &unlimited);
        assert_eq!(free(&text).as_deref(), Some("shoulder, elbow"), "{kind}");
    }
    let text = with(MOTORS, "max_kp: 200.0, ", "");
    let text = with(&text, "        safe:", "        unlimited: [kp]\n        safe:");
    assert_eq!(free(&text).as_deref(), Some("hip, knee"));
    let text = with(MOTORS, "max_effort: 60.0,", "");
    let text = with(&text, "        safe:", "        unlimited: [effort]\n        safe:");
    assert_eq!(free(&text).as_deref(), Some("hip, knee"));
}

#[test]
fn a_permit_outlives_three_ticks_by_default_or_is_asked_for() {
    let at = |tick_hz: u32| with_top(BASE, &format!("tick_hz: {tick_hz}"));
    assert_eq!(config(&at(30)).permit_valid_for, Duration::from_millis(100));
    assert_eq!(refused(&at(29)), ["permit.valid_s"]);
}

#[test]
fn when_speed_is_rejected_expect_neither_a_start_ramp_nor_a_hand_over() {
    let of = |rules: &str| {
        let text = with(ARM, "joints: [", &format!("{rules}\n        joints: ["));
        let lane = &config(&text).lanes[0];
        (lane.start_ramp, lane.handover.duration)
    };
    let led_in = (Duration::from_secs(1), Duration::from_secs(1));
    assert_eq!(of("mode: gate"), led_in);
    assert_eq!(of("on_limit: {position: reject}"), led_in);
    for kind in ["velocity", "acceleration"] {
        let rejects = format!("on_limit: {{{kind}: reject}}");
        assert_eq!(of(&rejects), (Duration::ZERO, Duration::ZERO), "{kind}");
        let zero =
            format!("{rejects}\n        start_ramp_s: 0\n        handover: {{duration_s: 0}}");
        assert_eq!(of(&zero), (Duration::ZERO, Duration::ZERO), "{kind}");
        for (key, value) in [
            ("start_ramp_s", "start_ramp_s: 0.1"),
            ("handover.duration_s", "handover: {duration_s: 0.1}"),
        ] {
            let rules = format!("{rejects}\n        {value}\n        joints: [");
            let text = with(ARM, "joints: [", &rules);
            assert_eq!(refused(&text), [format!("lanes.arm.{key}")]);
        }
    }
    let limits = "limits: {linear: {x: {max_velocity: 0.5, max_acceleration: 1.0, max_jerk: 5.0}}}";
    let jerk =
        with(BASE, "limits: {linear: {x: {max_velocity: 0.5, max_acceleration: 1.0}}}", limits);
    let jerk = with(&jerk, "limits: {linear", "on_limit: {jerk: reject}\n        limits: {linear");
    assert_eq!(config(&jerk).lanes[0].start_ramp, Duration::ZERO);
}
