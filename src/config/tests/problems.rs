//! How problems look, and that each is told once, in the order of the files.

use super::{BASE, Context, FlatMap, context, flat, read, refused, with, with_top};
use crate::config::check::check;
use crate::config::keys::Keys;
use crate::config::problem::{Place, Problem, Problems};
use crate::config::schema::{self, Known, Status};
use crate::config::{batteries, causes, feedback, globals, inputs, lane, monitor, temperatures};

#[test]
fn a_problem_looks_as_designed() {
    let problem = |key: &str, rank, line| Problem {
        key: key.to_owned(),
        found: "25.0 rad/s is not allowed".to_owned(),
        allowed: "0 < v <= 20.0 rad/s (URDF)".to_owned(),
        because: "the gate may not be looser than the robot".to_owned(),
        fix: "lower the value, or leave it out to use the URDF's".to_owned(),
        place: Place { rank, line, label: format!("file{rank}.yaml") },
    };
    let one = Problems::from(vec![problem("lanes.legs.max_velocity", 0, 7)]);
    assert_eq!(
        one.to_string(),
        "file0.yaml: 1 problem, not started
lanes.legs.max_velocity: 25.0 rad/s is not allowed
  allowed: 0 < v <= 20.0 rad/s (URDF)
  because: the gate may not be looser than the robot
  to fix:  lower the value, or leave it out to use the URDF's
"
    );
    let list = vec![problem("c", 1, 1), problem("b", 0, 9), problem("a", 0, 2)];
    let text = Problems::from(list).to_string();
    let heads: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(
        heads,
        [
            "file0.yaml: 2 problems, not started",
            "a: 25.0 rad/s is not allowed",
            "b: 25.0 rad/s is not allowed",
            "file1.yaml: 1 problem, not started",
            "c: 25.0 rad/s is not allowed",
        ]
    );
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_file() {
    let text = with_top(BASE, "tick_hz: 5\n    colour: red");
    let text = with(&text, "zero_velocity", "freeze, tolerance: -1.0");
    let text = with(&text, "timeout_s: 0.3", "timeout_s: none");
    assert_eq!(
        refused(&text),
        [
            "tick_hz",
            "colour",
            "lanes.base.safe.command",
            "lanes.base.safe.tolerance",
            "feedback.odom.timeout_s"
        ]
    );
}

#[test]
fn ros_own_parameters_are_known() {
    let text = with_top(
        BASE,
        "use_sim_time: true\n    start_type_description_service: false\n    \
         enable_logger_service: true\n    qos_overrides: {/odom: {subscription: {depth: 1}}}",
    );
    assert!(read(&text).unwrap().use_sim_time);
}

#[test]
fn foreign_parameters_are_left_alone_and_listed() {
    let line =
        "foreign_parameters: [robot_name, planner]\n    robot_name: 010\n    planner: {a: ~}";
    let config = read(&with_top(BASE, line)).unwrap();
    assert_eq!(config.sha256, read(BASE).unwrap().sha256, "they are not part of the digest");
    assert_eq!(refused(&with_top(BASE, "robot_name: x")), ["robot_name"]);
}

#[test]
fn a_missing_argument_file_is_a_problem_and_no_panic() {
    let (code, text) = check(&["/nonexistent/interlock.yaml".to_owned()]);
    assert_eq!(code, 78);
    assert!(text.starts_with("/nonexistent/interlock.yaml: 1 problem, not started\n"), "{text}");
}

#[test]
fn the_readers_and_the_list_of_keys_agree() {
    let joints = with(super::ARM, "std_msgs/msg/Float64MultiArray", "sensor_msgs/msg/JointState");
    let joints = with(
        &joints,
        "joints: [",
        "balance: false\n        groups: {both: [shoulder, elbow]}\n        joints: [",
    );
    let kill = "kill_inputs: {button: {type: std_msgs/msg/Bool, topic: stop, field: data, \
                asserted_when: true, timeout_s: 1.0}}\n    \
                stop: {escalation: cut_request, cut_topic: cut}\n    \
                causes: {refusals_sustained: {action: warn}}\n    \
                urdf: {topic: /robot_description}\n    \
                monitor: {topics: {scan: {topic: scan}}}\n    \
                temperatures: {motors: {type: std_msgs/msg/Float64MultiArray, topic: heat, \
                field: 'data[0..2]', timeout_s: 1.0, valid: [-10, 120], trip_celsius: 90.0}}\n    \
                batteries: {main: {type: t/msg/Bms, topic: bms, timeout_s: 1.0, fields: \
                {percentage: soc}}}\n    \
                profiles: {slow: {velocity: 0.5, causes: {divergence: kill}}}";
    let patterns = schema::patterns();
    let mut asked: Vec<String> = vec!["foreign_parameters".to_owned()];
    let axis = "{max_velocity: 0.5, max_acceleration: 1.0}";
    let axes = format!("{{x: {axis}, y: {axis}, z: {axis}}}");
    let base = with(
        BASE,
        &format!("{{linear: {{x: {axis}}}}}"),
        &format!("{{linear: {axes}, angular: {axes}}}"),
    );
    for text in [with_top(&base, kill), joints, super::MOTORS.to_owned()] {
        let map: FlatMap = flat(&text).unwrap();
        let mut keys = Keys::new(&map);
        let globals = globals::globals(&mut keys);
        globals::top(&mut keys, &globals);
        causes::causes(&mut keys);
        causes::profiles(&mut keys);
        let feedback = feedback::feedback(&mut keys, &globals);
        lane::lanes(&mut keys, &globals, &feedback);
        inputs::kill_inputs(&mut keys, &globals);
        temperatures::temperatures(&mut keys, &globals, &[]);
        batteries::batteries(&mut keys, &globals);
        monitor::monitor(&mut keys);
        assert!(keys.problems.is_empty(), "{}", keys.problems);
        asked.extend(keys.asked);
    }
    for key in &asked {
        assert!(
            matches!(schema::look_up(key, &patterns), Known::Key(Status::Now | Status::Ros)),
            "{key} is read, but not in the list"
        );
    }
    for (pattern, status) in patterns.iter().filter(|(_, status)| *status == Status::Now) {
        let only = [(pattern.clone(), *status)];
        let is_read = |key: &String| schema::look_up(key, &only) == Known::Key(*status);
        assert!(asked.iter().any(is_read), "{pattern} is in the list, but nothing reads it");
    }
}

#[test]
fn a_configuration_that_is_not_there_says_which_sections_are() {
    let context = Context { sections: vec!["gate".to_owned(), "/**/arm".to_owned()], ..context() };
    let problems = super::reader::read(&FlatMap::default(), &context).unwrap_err();
    assert!(problems.to_string().contains("the sections are gate, /**/arm"), "{problems}");
}
