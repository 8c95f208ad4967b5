//! Commands that go through, as sent or limited.

use serde_json::{Value, json};

use crate::monitor::series;
use crate::rig::{BASE, BODY, Rig};
use crate::support::wait_for;

const SOURCE: &str = "priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100";
const STATES: &str = "sensor_msgs/msg/JointState";

/// All five types, wide enough for every command of the test.
fn wide() -> String {
    let joints = "joints: [hip, knee, foot]\n        feedback: states\n        independent: true\n        \
         start_ramp_s: 0.0\n        limits: {min_position: -3.0, max_position: 3.0, max_velocity: 1000000.0, \
         max_acceleration: 1000000000.0}";
    let axes = "feedback: none\n        because: a test has no robot\n        independent: true\n        \
         start_ramp_s: 0.0\n        safe: {command: zero_velocity}\n        limits:\n          \
         linear: {x: {max_velocity: 9.0, max_acceleration: 1000000.0}}\n          \
         angular: {z: {max_velocity: 9.0, max_acceleration: 1000000.0}}";
    format!(
        "    release_over_ros: true
    feedback: {{states: {{type: {STATES}, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    lanes:
      array:
        type: std_msgs/msg/Float64MultiArray
        interface: position
        output: array_out
        safe: {{command: freeze, tolerance: 5.0}}
        {joints}
        sources: {{agent: {{topic: array_in, {SOURCE}}}}}
      joints:
        type: {STATES}
        interface: position
        output: joints_out
        balance: false
        safe: {{command: freeze, tolerance: 5.0}}
        {joints}
        sources: {{agent: {{topic: joints_in, {SOURCE}}}}}
      plan:
        type: trajectory_msgs/msg/JointTrajectory
        output: plan_out
        balance: false
        safe: {{command: hold_point, tolerance: 5.0}}
        {joints}
        sources: {{agent: {{topic: plan_in, {SOURCE}}}}}
      stamped:
        type: geometry_msgs/msg/TwistStamped
        output: stamped_out
        {axes}
        sources: {{agent: {{topic: stamped_in, {SOURCE}}}}}
      twist:
        type: geometry_msgs/msg/Twist
        output: twist_out
        {axes}
        sources: {{agent: {{topic: twist_in, {SOURCE}}}}}
"
    )
}

/// Lane, type, and a command that every limit allows.
fn commands() -> [(&'static str, &'static str, Value); 5] {
    let names = json!(["hip", "knee", "foot"]);
    let header = json!({"stamp": {"sec": 12, "nanosec": 34}, "frame_id": "ab"});
    let velocity = json!({"linear": {"x": 0.1}, "angular": {"z": -0.3}});
    let point = |at: i32, positions: [f64; 3]| {
        json!({"positions": positions, "velocities": [0.1, 0.2, 0.3],
               "time_from_start": {"sec": at}})
    };
    [
        (
            "array",
            "std_msgs/msg/Float64MultiArray",
            json!({"layout": {"dim": [{"label": "j", "size": 3, "stride": 3}]},
                   "data": [0.1, -0.2, 1e-300]}),
        ),
        (
            "joints",
            STATES,
            json!({"header": header, "name": names, "position": [0.1, -0.2, 0.3],
                   "velocity": [0.5, 0.0, 2.0]}),
        ),
        (
            "plan",
            "trajectory_msgs/msg/JointTrajectory",
            json!({"header": header, "joint_names": names,
                   "points": [point(1, [0.1, 0.2, 0.3]), point(2, [0.2, 0.3, 0.4])]}),
        ),
        ("stamped", "geometry_msgs/msg/TwistStamped", json!({"header": header, "twist": velocity})),
        ("twist", "geometry_msgs/msg/Twist", velocity.clone()),
    ]
}

/// A robot that stands still at zero: one sample, fresh for the whole test.
pub(crate) fn stands(rig: &mut Rig, joints: &[&str]) {
    let zeros = vec![0.0; joints.len()];
    rig.peer.publisher("/states", STATES);
    let state = json!({"name": joints, "position": zeros, "velocity": zeros});
    // Feedback is best effort: the first samples may be lost while the endpoints still match.
    wait_for("the pose to be measured", || {
        rig.peer.publish("/states", state.clone());
        let unmet = rig.state()["unmet"].to_string();
        !unmet.contains("feedback_stale") && !unmet.contains("no_safe_command")
    });
}

#[test]
fn a_feedback_without_one_joint_comes_and_the_joint_is_named() {
    let mut rig = Rig::new(&format!("{BASE}{BODY}{}", crate::params::STATES));
    rig.peer.publisher("/states", STATES);
    wait_for("what is missing", || {
        // The driver of a part of the robot: alive, and of no use to a lane of two joints.
        rig.peer.publish("/states", json!({"name": ["hip"], "position": [0.25]}));
        rig.status()["feedback"][0]["partial"] == true
    });
    let missing = "joint 'knee' of lane 'body' is missing";
    let status = rig.status();
    assert_eq!(status["feedback"][0]["lacks"], missing, "{status}");
    let unmet = status["unmet"].as_array().expect("a list").iter();
    let mut texts = unmet.filter_map(|one| one["text"].as_str());
    assert!(texts.any(|text| text.contains(&format!("comes, but {missing}"))), "{status}");
    wait_for("a line in the log", || rig.node.log().contains(missing));
}

#[test]
fn when_two_broadcasters_share_a_feedback_expect_it_received_though_neither_has_all_joints() {
    let hand = BODY.replace("body", "hand").replace("[hip, knee]", "[wrist, thumb]");
    let mut rig = Rig::new(&format!("{BASE}{BODY}{hand}{}", crate::params::STATES));
    rig.peer.publisher("/states", STATES);
    let received = "interlock_input_last_received_timestamp_seconds{input=\"states\"}";
    assert_eq!(series(&mut rig, received), None);
    let sample = json!({"name": ["hip", "knee"], "position": [0.25, 0.5]});
    wait_for("a sample that one lane can use", || {
        rig.peer.publish("/states", sample.clone());
        series(&mut rig, received).is_some()
    });
    // What the other lane lacks is told as before.
    let missing = "joint 'wrist' of lane 'hand' is missing";
    wait_for("what the other lacks", || {
        rig.peer.publish("/states", sample.clone());
        rig.status()["feedback"][0]["lacks"] == missing
    });
}

#[test]
fn all_five_types_go_through_byte_for_byte() {
    let mut rig = Rig::new(&wide());
    for (lane, kind, _) in commands() {
        rig.peer.subscribe(&format!("/{lane}_out"), kind);
        rig.peer.publisher(&format!("/{lane}_in"), kind);
        rig.peer.wait_for_writer(&format!("/{lane}_out"));
    }
    stands(&mut rig, &["hip", "knee", "foot"]);
    rig.arm();
    let mut paddings = 0;
    for (index, (lane, kind, command)) in commands().into_iter().enumerate() {
        let (sent, padding) = rig.peer.serialize_with_garbage(kind, command);
        paddings += padding;
        rig.peer.publish_bytes(&format!("/{lane}_in"), &sent);
        let what = format!("the {lane} command byte for byte");
        rig.wait_message(&format!("/{lane}_out"), 0, &what, |one| one.bytes == sent);
        let counts = rig.wait_count(index, 0, "passed", 1);
        assert_eq!((&counts["limited"], &counts["rejected"]), (&json!(0), &json!(0)), "{lane}");
    }
    assert!(paddings > 0, "no message had padding: the test shows less than it says");
}

/// Limits that some commands meet, with nothing in the way of reaching the bound at once.
fn tight() -> String {
    format!(
        "    release_over_ros: true
    feedback: {{states: {{type: {STATES}, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    lanes:
      pose:
        type: {STATES}
        interface: position
        output: pose_out
        balance: false
        joints: [hip, knee, foot]
        feedback: states
        independent: true
        start_ramp_s: 0.0
        limits: {{min_position: -3.0, max_position: 3.0, max_velocity: 1000000.0}}
        joint_limits: {{knee: {{min_position: -0.125, max_position: 2.5}}}}
        unlimited: [acceleration]
        safe: {{command: freeze, tolerance: 50.0}}
        sources: {{agent: {{topic: pose_in, {SOURCE}}}}}
      stamped:
        type: geometry_msgs/msg/TwistStamped
        output: stamped_out
        feedback: none
        because: a test has no robot
        independent: true
        start_ramp_s: 0.0
        limits:
          linear: {{x: {{min_velocity: -0.2, max_velocity: 0.5, max_acceleration: 1000000.0}}}}
          angular: {{z: {{max_velocity: 1.5, max_acceleration: 1000000.0}}}}
        safe: {{command: zero_velocity}}
        sources: {{agent: {{topic: stamped_in, {SOURCE}}}}}
      twist:
        type: geometry_msgs/msg/Twist
        output: twist_out
        feedback: none
        because: a test has no robot
        independent: true
        start_ramp_s: 0.0
        limits:
          linear: {{x: {{max_velocity: 0.375, max_acceleration: 1000000.0}}}}
          angular: {{z: {{min_velocity: -0.625, max_velocity: 1.5, max_acceleration: 1000000.0}}}}
        safe: {{command: zero_velocity}}
        sources: {{agent: {{topic: twist_in, {SOURCE}}}}}
      wheels:
        type: std_msgs/msg/Float64MultiArray
        interface: velocity
        output: wheels_out
        joints: [hip, knee, foot]
        joint_index: [2, 0, 1]
        feedback: none
        because: a test has no robot
        independent: true
        start_ramp_s: 0.0
        limits: {{max_velocity: 2.0, max_acceleration: 1000000.0}}
        joint_limits: {{hip: {{min_velocity: -0.75, max_velocity: 1.25}}}}
        safe: {{command: zero_velocity}}
        sources: {{agent: {{topic: wheels_in, {SOURCE}}}}}
"
    )
}

/// Lane, type, a command, and which of its numbers become which.
type Case = (&'static str, &'static str, Value, &'static [(f64, f64)]);

/// `bytes` with each number replaced by another where it stands.
fn with_numbers(bytes: &[u8], changes: &[(f64, f64)]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for (from, to) in changes {
        let from = from.to_le_bytes();
        let at: Vec<usize> = (0..bytes.len() - 7).filter(|at| bytes[*at..at + 8] == from).collect();
        assert_eq!(at.len(), 1, "the number stands once in the message");
        changed[at[0]..at[0] + 8].copy_from_slice(&to.to_le_bytes());
    }
    changed
}

#[test]
fn limited_values_are_exact_and_everything_else_stays_as_it_was() {
    let cases: [Case; 4] = [
        (
            "pose",
            STATES,
            // Names in another order than the lane's.
            json!({"header": {"frame_id": "ab"}, "name": ["foot", "hip", "knee"],
                   "position": [9.0, -8.0, -7.0], "velocity": [0.5, 0.25, 0.0]}),
            &[(9.0, 3.0), (-8.0, -3.0), (-7.0, -0.125)],
        ),
        (
            "stamped",
            "geometry_msgs/msg/TwistStamped",
            json!({"header": {"stamp": {"sec": 5}, "frame_id": "ab"},
                   "twist": {"linear": {"x": -2.0}, "angular": {"z": 4.0}}}),
            &[(-2.0, -0.2), (4.0, 1.5)],
        ),
        (
            "twist",
            "geometry_msgs/msg/Twist",
            json!({"linear": {"x": 3.0}, "angular": {"z": -5.0}}),
            &[(3.0, 0.375), (-5.0, -0.625)],
        ),
        (
            "wheels",
            "std_msgs/msg/Float64MultiArray",
            // Places 0, 1, 2 are knee, foot, hip.
            json!({"data": [7.0, 0.5, 6.0]}),
            &[(7.0, 2.0), (6.0, 1.25)],
        ),
    ];
    let mut rig = Rig::new(&tight());
    for (lane, kind, ..) in &cases {
        rig.peer.subscribe(&format!("/{lane}_out"), kind);
        rig.peer.publisher(&format!("/{lane}_in"), kind);
        rig.peer.wait_for_writer(&format!("/{lane}_out"));
    }
    stands(&mut rig, &["hip", "knee", "foot"]);
    rig.arm();
    for (index, (lane, kind, command, changes)) in cases.into_iter().enumerate() {
        let (sent, _) = rig.peer.serialize_with_garbage(kind, command);
        let limited = with_numbers(&sent, changes);
        rig.peer.publish_bytes(&format!("/{lane}_in"), &sent);
        let what = format!("the {lane} command at its limits");
        rig.wait_message(&format!("/{lane}_out"), 0, &what, |one| one.bytes == limited);
        let counts = rig.wait_count(index, 0, "limited", 1);
        assert_eq!((&counts["passed"], &counts["rejected"]), (&json!(0), &json!(0)), "{lane}");
    }
}

#[test]
fn a_trajectory_is_held_to_its_position_bounds_in_every_point() {
    let kind = "trajectory_msgs/msg/JointTrajectory";
    let mut rig = Rig::new(&wide());
    rig.peer.subscribe("/plan_out", kind);
    rig.peer.publisher("/plan_in", kind);
    // Every lane is required: somebody must read it.
    for (lane, kind, _) in commands().iter().filter(|(lane, ..)| *lane != "plan") {
        rig.peer.subscribe(&format!("/{lane}_out"), kind);
    }
    rig.peer.wait_for_writer("/plan_out");
    stands(&mut rig, &["hip", "knee", "foot"]);
    rig.arm();
    let plan = json!({"joint_names": ["knee", "hip", "foot"], "points": [
        {"positions": [1.0, -7.5, 2.0], "time_from_start": {"sec": 1}},
        {"positions": [8.5, 0.5, 0.25], "time_from_start": {"sec": 3}},
    ]});
    let sent = rig.peer.serialize(kind, plan);
    let limited = with_numbers(&sent, &[(-7.5, -3.0), (8.5, 3.0)]);
    rig.peer.publish_bytes("/plan_in", &sent);
    rig.wait_message("/plan_out", 0, "the plan at its limits", |one| one.bytes == limited);
}
