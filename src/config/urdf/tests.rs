//! A robot's limits and those of a params file.

use super::{JointKind, Robot};
use crate::config::model::Config;
use crate::config::tests::{ARM, config, with, with_top};
use crate::gate::limits::Bounds;

const ROBOT: &str = r#"<?xml version="1.0"?>
<robot name="two">
  <link name="base"/><link name="upper"/><link name="lower"/><link name="tool"/>
  <joint name="shoulder" type="revolute">
    <parent link="base"/><child link="upper"/><axis xyz="0 0 1"/>
    <limit lower="-0.5" upper="0.8" velocity="20" effort="88"/>
  </joint>
  <joint name="elbow" type="prismatic">
    <parent link="upper"/><child link="lower"/><axis xyz="0 0 1"/>
    <limit lower="0" upper="0.3" velocity="0.5" effort="40"/>
  </joint>
  <joint name="flange" type="fixed"><parent link="lower"/><child link="tool"/></joint>
  <ros2_control name="x" type="system"><joint name="shoulder"/></ros2_control>
</robot>
"#;

const LIMITS: &str =
    "limits: {min_position: -1.0, max_position: 1.0, max_velocity: 1.0, max_acceleration: 5.0}";

/// The arm with a description by topic, and other limits.
fn arm(limits: &str) -> String {
    with_top(&with(ARM, LIMITS, limits), "urdf: {topic: /robot_description}")
}

fn merged(text: &str, robot: &str) -> Config {
    config(text).with_urdf(robot).unwrap_or_else(|problems| panic!("{problems}")).0
}

fn refused(text: &str, robot: &str) -> String {
    config(text).with_urdf(robot).expect_err("it must be refused").to_string()
}

fn bounds(min: f64, max: f64) -> Option<Bounds> {
    Some(Bounds { min, max })
}

#[test]
fn joints_come_with_kind_and_limits() {
    let robot = Robot::parse(ROBOT).unwrap();
    let kinds: Vec<JointKind> = robot.joints.iter().map(|joint| joint.kind).collect();
    assert_eq!(kinds, [JointKind::Revolute, JointKind::Prismatic, JointKind::Fixed]);
    let elbow = robot.joint("elbow").unwrap();
    assert_eq!(elbow.position_bounds(), Some((0.0, 0.3)));
    assert_eq!((elbow.set_velocity(), elbow.set_effort()), (Some(0.5), Some(40.0)));
    assert_eq!((elbow.kind.unit(), elbow.kind.effort_unit()), ("m", "N"));
    assert!(Robot::parse("").is_err() && Robot::parse("robot").is_err());
    assert!(Robot::parse("<robot name='x'><joint name='a' type='revolute'/></robot>").is_err());
}

#[test]
fn limits_for_all_joints_are_tightened_silently() {
    let base = config(&arm(LIMITS));
    assert!(base.awaits_urdf() && !base.lanes[0].limits[0].locked, "it has limits of its own");
    let (config, notes) = base.with_urdf(ROBOT).unwrap();
    assert!(!config.awaits_urdf() && notes.is_empty());
    assert_eq!(config.description.as_ref().unwrap().sha256.len(), 64);
    let [shoulder, elbow] = config.lanes[0].limits.as_slice() else { panic!("two") };
    assert_eq!(shoulder.position, bounds(-0.5, 0.8));
    assert_eq!(shoulder.velocity, bounds(-1.0, 1.0), "the params file is tighter");
    assert_eq!((shoulder.acceleration, shoulder.effort), (Some(5.0), None), "no effort is carried");
    assert_eq!(elbow.position, bounds(0.0, 0.3));
    assert_eq!(elbow.velocity, bounds(-0.5, 0.5));
}

#[test]
fn what_is_left_out_comes_from_the_description_and_is_locked_until_then() {
    let text = arm("limits: {max_acceleration: 5.0}");
    let base = config(&text);
    assert!(base.lanes[0].limits.iter().all(|limits| limits.locked), "fails closed");
    assert!(base.lanes[0].origins.iter().all(crate::config::model::Origins::is_incomplete));
    let config = merged(&text, ROBOT);
    let shoulder = config.lanes[0].limits[0];
    assert!(!shoulder.locked);
    assert_eq!((shoulder.position, shoulder.velocity), (bounds(-0.5, 0.8), bounds(-20.0, 20.0)));
}

#[test]
fn an_explicit_limit_may_be_tighter_and_not_looser() {
    let own = |limits: &str| {
        with(
            &arm(LIMITS),
            "        safe:",
            &format!("        joint_limits: {{shoulder: {limits}}}\n        safe:"),
        )
    };
    let config = merged(&own("{max_velocity: 19.0}"), ROBOT);
    assert_eq!(config.lanes[0].limits[0].velocity, bounds(-19.0, 19.0), "not the lane's");
    assert_eq!(
        refused(&own("{max_velocity: 25.0}"), ROBOT),
        "FILE: 1 problem, not started
lanes.arm.joint_limits.shoulder.max_velocity: 25.0 rad/s is not allowed
  allowed: 0 < v <= 20.0 rad/s (URDF)
  because: the gate may not be looser than the robot
  to fix:  lower the value, or leave it out to use the URDF's
"
    );
    // As much as the robot is not more.
    let equal = "{min_position: -0.5, max_position: 0.8, max_velocity: 20.0}";
    assert_eq!(merged(&own(equal), ROBOT).lanes[0].limits[0].position, bounds(-0.5, 0.8));
    // The other end of a velocity is told where it is another number.
    let backwards = refused(&own("{min_velocity: -21.0, max_velocity: 20.0}"), ROBOT);
    assert!(backwards.contains("shoulder.min_velocity: -21.0 rad/s is not allowed"), "{backwards}");
    assert!(backwards.starts_with("FILE: 1 problem"), "{backwards}");
    let both = refused(
        &own("{min_position: -2.0, max_position: 2.0, min_velocity: -30.0, max_velocity: 1.0}"),
        ROBOT,
    );
    for line in [
        "lanes.arm.joint_limits.shoulder.max_position: 2.0 rad is not allowed\n  allowed: -0.5 <= v <= 0.8 rad (URDF)",
        "lanes.arm.joint_limits.shoulder.min_position: -2.0 rad is not allowed\n  allowed: -0.5 <= v <= 0.8 rad (URDF)",
        "lanes.arm.joint_limits.shoulder.min_velocity: -30.0 rad/s is not allowed\n  allowed: -20.0 <= v <= 0 rad/s (URDF)",
    ] {
        assert!(both.contains(line), "{both}");
    }
}

#[test]
fn a_limit_that_looks_unset_is_told_and_not_used() {
    let robot = ROBOT.replace("velocity=\"20\" effort=\"88\"", "velocity=\"0\" effort=\"-1\"");
    let (config, notes) = config(&arm(LIMITS)).with_urdf(&robot).unwrap();
    assert_eq!(config.lanes[0].limits[0].velocity, bounds(-1.0, 1.0));
    let told: Vec<String> = notes.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["lanes.arm, shoulder: velocity 0.0 looks unset, and is not used"]);
    assert_eq!(config.description.unwrap().notes, notes);
    let missing = refused(&arm("limits: {max_acceleration: 5.0}"), &robot);
    assert!(
        missing.contains("lanes.arm.joint_limits.shoulder: no limit of velocity\n"),
        "{missing}"
    );
    assert!(missing.contains("max_velocity"), "what to write: {missing}");
    assert!(missing.contains("the URDF's own looks unset: velocity 0.0\n"), "{missing}");
    let robot = ROBOT.replace("<limit lower=\"-0.5\" upper=\"0.8\"", "<limit");
    let missing = refused(&arm("limits: {max_acceleration: 5.0}"), &robot);
    assert!(
        missing.contains("lanes.arm.joint_limits.shoulder: no limit of position\n"),
        "{missing}"
    );
}

#[test]
fn a_continuous_joint_has_no_position_bounds() {
    let robot = ROBOT.replace("\"revolute\"", "\"continuous\"");
    let (free, notes) = config(&arm("limits: {max_acceleration: 5.0}")).with_urdf(&robot).unwrap();
    assert_eq!(free.lanes[0].limits[0].position, None);
    assert_eq!(notes[0].text, "is continuous: no position bounds");
    let still = robot.replace("velocity=\"20\"", "velocity=\"0\"");
    let (_, notes) = config(&arm(LIMITS)).with_urdf(&still).unwrap();
    assert_eq!(notes[0].text, "velocity 0.0 looks unset, and is not used");
    let config = merged(&arm(LIMITS), &robot);
    assert_eq!(config.lanes[0].limits[0].position, bounds(-1.0, 1.0), "the params file's stay");
}

#[test]
fn joints_that_the_robot_does_not_have_or_move_are_named() {
    let text = with(&arm(LIMITS), "[shoulder, elbow]", "[sholder, flange]");
    let problems = refused(&text, ROBOT);
    for line in [
        "/robot_description: 2 problems, not started",
        "lanes.arm.joints: \"sholder\" is not a joint of the robot \"two\"\n",
        "to fix:  did you mean \"shoulder\"?",
        "lanes.arm.joints: \"flange\" is fixed in /robot_description\n",
    ] {
        assert!(problems.contains(line), "{problems}");
    }
}

#[test]
fn only_the_kinds_in_use_are_taken() {
    let text = with(&arm(LIMITS), "/robot_description}", "/robot_description, use: [velocity]}");
    let lane = &merged(&text, ROBOT).lanes[0];
    assert_eq!(lane.limits[0].position, bounds(-1.0, 1.0));
    assert_eq!(lane.limits[1].velocity, bounds(-0.5, 0.5));
}

#[test]
fn unlimited_leaves_free_only_what_the_robot_leaves_free() {
    let text = with(
        &arm("limits: {max_acceleration: 5.0}"),
        "        safe:",
        "        unlimited: [velocity, position]\n        safe:",
    );
    let base = config(&text);
    assert!(!base.lanes[0].limits[0].locked);
    let limits = merged(&text, ROBOT).lanes[0].limits[0];
    assert_eq!((limits.position, limits.velocity), (bounds(-0.5, 0.8), bounds(-20.0, 20.0)));
}

#[test]
fn efforts_are_limited_where_they_are_carried() {
    let text = with(
        &arm(LIMITS),
        "std_msgs/msg/Float64MultiArray",
        "sensor_msgs/msg/JointState\n        balance: false",
    );
    assert_eq!(merged(&text, ROBOT).lanes[0].limits[0].effort, Some(88.0));
    let free = with(&text, "        safe:", "        unlimited: [effort]\n        safe:");
    let limits = merged(&free, ROBOT).lanes[0].limits[0];
    assert_eq!((limits.effort, limits.effort_unlimited), (Some(88.0), false));
}

#[test]
fn limits_that_leave_nothing_are_refused() {
    let far =
        "limits: {min_position: 0.5, max_position: 1.0, max_velocity: 1.0, max_acceleration: 5.0}";
    let problems = refused(&arm(far), ROBOT);
    assert!(
        problems.contains("lanes.arm.limits.max_position: 0.5 to 1.0 m leaves nothing for elbow"),
        "{problems}"
    );
}

#[test]
fn a_safe_command_of_values_stays_inside_the_robot() {
    let text = with(
        &arm("limits: {max_effort: 50.0}"),
        "{command: freeze, tolerance: 0.1}",
        "{command: values, values: [-40.0, -40.0]}",
    );
    let text = with(&text, "interface: position", "interface: effort\n        balance: false");
    assert!(config(&text).with_urdf(ROBOT).is_ok());
    let problems = refused(&with(&text, "[-40.0, -40.0]", "[-40.0, -41.0]"), ROBOT);
    assert!(
        problems.contains(
            "lanes.arm.safe.values: -41.0 for elbow is not allowed\n  allowed: -40.0 <= v <= 40.0 (URDF)"
        ),
        "{problems}"
    );
}

#[test]
fn a_text_that_is_no_description_changes_nothing() {
    let text = refused(&arm(LIMITS), "<robot");
    assert!(text.starts_with("/robot_description: 1 problem, not started\nurdf.topic: /robot_description is not a robot description: "), "{text}");
    let plain = config(ARM);
    assert_eq!(
        plain.with_urdf("<robot").unwrap(),
        (plain.clone(), Vec::new()),
        "none is configured"
    );
}

#[test]
fn when_the_robot_s_velocity_makes_a_ramp_too_slow_expect_it_refused() {
    let text = arm("limits: {max_acceleration: 5.0}");
    let text = with(&text, "interface: position", "interface: velocity");
    let ramp = "{command: zero_velocity, deceleration: 10.0}";
    let text = with(&text, "{command: freeze, tolerance: 0.1}", ramp);
    // The shoulder may turn with 20 rad/s: two seconds to zero.
    assert!(
        refused(&text, ROBOT).contains("lanes.arm.safe.deceleration: 10 takes 2.000 s from 20")
    );
    let longer = with_top(&text, "stop: {deadline_s: 2.0}");
    assert!(!merged(&longer, ROBOT).awaits_urdf());
}
