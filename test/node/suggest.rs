//! `interlock --suggest` on a live graph: what it prints is a params file that checks.

use std::process::{Command, Output};

use serde_json::json;

use crate::peer::Peer;
use crate::rig::{TWIST, twist};
use crate::support::{DomainLease, Scratch, domain_lease};

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";
const TRAJECTORY: &str = "trajectory_msgs/msg/JointTrajectory";
const STATES: &str = "sensor_msgs/msg/JointState";
const URDF: &str = r#"<robot name="two"><link name="a"/><link name="b"/><link name="c"/>
<joint name="hip" type="revolute"><parent link="a"/><child link="b"/>
<limit lower="-1.5" upper="2.0" velocity="3.0" effort="40"/></joint>
<joint name="knee" type="revolute"><parent link="b"/><child link="c"/>
<limit lower="0.0" upper="2.5" velocity="4.0" effort="30"/></joint></robot>"#;

/// A domain with a peer that plays policies, controllers and drivers.
struct Robot {
    peer: Peer,
    scratch: Scratch,
    lease: DomainLease,
}

impl Robot {
    fn new() -> Self {
        let (lease, scratch) = (domain_lease(), Scratch::new());
        let peer = Peer::start(&lease, &scratch, "peer");
        Self { peer, scratch, lease }
    }

    fn streams(&mut self, topic: &str, kind: &str, message: &serde_json::Value, hz: f64) {
        self.peer.ask("publisher", json!({"topic": topic, "type": kind}));
        self.peer.ask("stream", json!({"topic": topic, "msg": message, "hz": hz}));
    }

    /// Runs `interlock` to its end.
    fn interlock(&self, args: &[&str]) -> Output {
        let mut command: Command = self.lease.command(env!("CARGO_BIN_EXE_interlock"));
        command.args(args).output().expect("run interlock")
    }

    /// What it suggests, which must check.
    fn suggested(&self, args: &[&str]) -> String {
        let all = [&["--suggest", "--for", "3"], args].concat();
        let output = self.interlock(&all);
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.success(), "{said}");
        let text = String::from_utf8(output.stdout).expect("text");
        let file = self.scratch.write("suggested.yaml", &text);
        let checked = self.interlock(&["--check-config", file.to_str().expect("a plain path")]);
        let problems = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.code(), Some(0), "{problems}\n{text}");
        text
    }
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|one| one.trim() == line), "no line `{line}` in\n{text}");
}

#[test]
fn a_whole_robot_is_suggested_from_what_is_on_the_graph() {
    let mut robot = Robot::new();
    robot.peer.ask(
        "publisher",
        json!({"topic": "/robot_description", "type": "std_msgs/msg/String",
               "durability": "TRANSIENT_LOCAL"}),
    );
    robot.peer.publish("/robot_description", json!({"data": URDF}));
    robot.streams("/cmd_vel", TWIST, &twist(0.5), 50.0);
    robot.streams("/arms/commands", ARRAY, &json!({"data": [0.5, 1.0]}), 50.0);
    let point = json!({"positions": [0.5, 1.0], "time_from_start": {"sec": 1}});
    let plan = json!({"joint_names": ["hip", "knee"], "points": [point]});
    robot.streams("/arm_controller/joint_trajectory", TRAJECTORY, &plan, 5.0);
    let states = json!({"name": ["hip", "knee"], "position": [0.5, 1.0], "velocity": [0.0, 0.0]});
    robot.streams("/joint_states", STATES, &states, 100.0);
    robot.streams("/odom", "nav_msgs/msg/Odometry", &json!({}), 50.0);
    for (topic, kind) in [
        ("/cmd_vel", TWIST),
        ("/arms/commands", ARRAY),
        ("/arm_controller/joint_trajectory", TRAJECTORY),
    ] {
        robot.peer.subscribe(topic, kind);
    }
    let text = robot.suggested(&[]);
    for line in ["cmd_vel:", "arms:", "arm_controller:", "peer:", "feedback: odom"] {
        has(&text, line);
    }
    assert_eq!(text.matches("mode: watch").count(), 3, "{text}");
    assert_eq!(text.matches("controller: /peer").count(), 3, "{text}");
    assert!(text.contains("linear: {x: {max_velocity: 0.6, "), "{text}");
    let hip =
        "hip: {min_position: -1.5, max_position: 2.0, max_velocity: 3.0, max_acceleration: 12.0";
    assert_eq!(text.matches(hip).count(), 2, "{text}");
    assert!(text.contains("joints: [hip, knee]\n"), "{text}");
    assert!(text.contains("joints: [hip, knee]  # guessed"), "{text}");
}

#[test]
fn a_named_topic_is_suggested_though_nobody_is_on_it_but_one_publisher() {
    let mut robot = Robot::new();
    robot.streams("/agent/cmd_vel", "geometry_msgs/msg/TwistStamped", &json!({}), 20.0);
    robot.streams("/other", TWIST, &twist(0.5), 20.0);
    let text = robot.suggested(&["agent/cmd_vel"]);
    has(&text, "output: /agent/cmd_vel");
    has(&text, "feedback: none");
    assert!(!text.contains("/other"), "{text}");
}

#[test]
fn two_publishers_on_one_topic_become_two_sources() {
    let mut robot = Robot::new();
    let mut second = Peer::start(&robot.lease, &robot.scratch, "second");
    robot.streams("/cmd_vel", TWIST, &twist(0.5), 20.0);
    second.ask("publisher", json!({"topic": "/cmd_vel", "type": TWIST}));
    let text = robot.suggested(&["/cmd_vel"]);
    has(&text, "peer:");
    has(&text, "peer_2:");
    assert_eq!(text.matches("allowed_nodes: [/peer]").count(), 2, "{text}");
}

#[test]
fn nothing_to_suggest_says_what_there_is() {
    let mut robot = Robot::new();
    robot.streams("/cmd_vel", TWIST, &twist(0.5), 20.0);
    for args in [&["--suggest", "--for", "1"][..], &["--suggest", "--for", "1", "/arm"]] {
        let output = robot.interlock(args);
        assert_eq!(output.status.code(), Some(69));
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(said.starts_with("nothing to suggest: "), "{said}");
        assert!(said.contains("/cmd_vel"), "{said}");
    }
    for args in [&["--suggest", "--for", "0"][..], &["stray"], &["--for", "3"]] {
        assert_eq!(robot.interlock(args).status.code(), Some(64), "{args:?}");
    }
}
