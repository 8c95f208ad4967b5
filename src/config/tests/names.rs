//! Names, types and places at their edge.

use super::{ARM, BASE, config, read, refused, with, with_top};
use crate::config::problem::{Place, Problem, Problems};

#[test]
fn when_a_lane_has_a_name_expect_letters_digits_and_underscores_after_a_letter() {
    let long = "a".repeat(32);
    for (name, fits) in [
        ("a", true),
        ("a_2", true),
        (long.as_str(), true),
        (&format!("{long}a"), false),
        ("2a", false),
        ("_a", false),
        ("aB", false),
        ("none", false),
        ("all", false),
        ("self", false),
    ] {
        let text = with(BASE, "      base:\n", &format!("      {name}:\n"));
        assert_eq!(read(&text).is_ok(), fits, "{name}");
    }
}

#[test]
fn when_a_topic_or_a_node_is_named_expect_what_ros_takes() {
    let output = |name: &str| read(&with(BASE, "output: cmd_vel", &format!("output: {name}")));
    let node = |name: &str| {
        let allowed = format!("max_rate_hz: 30.0, allowed_nodes: ['{name}']");
        read(&with(BASE, "max_rate_hz: 30.0", &allowed))
    };
    for (name, topic, is_node) in [
        ("out", true, true),
        ("/left/out", true, true),
        ("_out", true, true),
        ("/_left/_out", true, true),
        ("9out", false, false),
        ("/left/9out", false, false),
        ("o-ut", false, false),
        ("/left//out", false, false),
        ("/left/", false, false),
        ("~/out", true, false),
    ] {
        assert_eq!(output(name).is_ok(), topic, "topic {name}");
        assert_eq!(node(name).is_ok(), is_node, "node {name}");
    }
    assert!(output("a__b").is_err());
}

#[test]
fn when_a_type_is_named_expect_package_msg_and_a_capital() {
    let kill = |name: &str| {
        let input = format!(
            "kill_inputs: {{stop: {{type: {name}, topic: stop, field: data, asserted_when: true, \
             timeout_s: 1.0}}}}"
        );
        read(&with_top(BASE, &input))
    };
    for (name, fits) in [
        ("std_msgs/msg/Bool", true),
        ("p2/msg/B00l", true),
        ("std_msgs/srv/Bool", false),
        ("std_msgs/Bool", false),
        ("Std_msgs/msg/Bool", false),
        ("2std/msg/Bool", false),
        ("std-msgs/msg/Bool", false),
        ("stD_msgs/msg/Bool", false),
        ("std_msgs/msg/bool", false),
        ("std_msgs/msg/2Bool", false),
        ("std_msgs/msg/Bo_ol", false),
    ] {
        assert_eq!(kill(name).is_ok(), fits, "{name}");
    }
}

#[test]
fn when_topics_are_watched_expect_bounds_that_just_fit() {
    let topics = |more: &str| {
        with_top(BASE, &format!("monitor: {{topics: {{scan: {{topic: /scan, {more}}}}}}}"))
    };
    // Ten a second: a tenth of a second between two.
    assert!(read(&topics("rate_hz: 10.0, max_gap_s: 0.1")).is_ok());
    assert_eq!(
        refused(&topics("rate_hz: 10.0, max_gap_s: 0.09")),
        ["monitor.topics.scan.max_gap_s"]
    );
    assert!(read(&topics("histograms: [none]")).is_ok());
    assert!(read(&topics("histograms: [none, age]")).is_err());
    let one = |most: u32| {
        let text = topics("rate_hz: 10.0");
        read(&with(&text, "monitor: {", &format!("monitor: {{max_topics: {most}, ")))
    };
    assert!(one(1).is_ok());
    let patterns = |pattern: &str| {
        read(&with_top(BASE, &format!("monitor: {{patterns: ['{pattern}']}}"))).is_ok()
    };
    for (pattern, fits) in [
        ("/**", true),
        ("/a/*/b", true),
        ("/a", true),
        ("/", false),
        ("a", false),
        ("/a/", false),
        ("/a//b", false),
        ("/***", false),
        ("/a-b", false),
    ] {
        assert_eq!(patterns(pattern), fits, "{pattern}");
    }
}

#[test]
fn when_problems_are_told_expect_their_number_and_where_they_stand() {
    let place = |line: usize| Place { rank: 0, line, label: "a.yaml".to_owned() };
    assert_eq!((place(7).text().as_str(), place(0).text().as_str()), ("a.yaml:7", "a.yaml"));
    let problem = |line: usize| Problem {
        key: format!("line {line}"),
        found: String::new(),
        allowed: String::new(),
        because: String::new(),
        fix: String::new(),
        place: place(line),
    };
    let mut problems = Problems::default();
    assert_eq!((problems.len(), problems.is_empty()), (0, true));
    for line in [9, 4] {
        problems.push(problem(line));
    }
    problems.append(Problems::from(vec![problem(5)]));
    assert_eq!((problems.len(), problems.is_empty()), (3, false));
    let lines: Vec<usize> = problems.sorted().iter().map(|one| one.place.line).collect();
    assert_eq!(lines, [4, 5, 9]);
}

#[test]
fn when_a_number_is_written_in_any_form_expect_what_rcl_reads() {
    let velocity = |written: &str| {
        let text = with(ARM, "max_velocity: 1.0", &format!("max_velocity: {written}"));
        read(&text).ok().and_then(|config| config.lanes[0].limits[0].velocity).map(|v| v.max)
    };
    for (written, value) in [
        ("1", Some(1.0)),
        ("1.", Some(1.0)),
        (".5", Some(0.5)),
        ("5e-1", Some(0.5)),
        ("5E-1", Some(0.5)),
        ("+0.5", Some(0.5)),
        ("0x1", Some(1.0)),
        (".", None),
        ("1e", None),
        ("e1", None),
        ("1.0.0", None),
        ("1_0", None),
        ("--1", None),
        ("1.0x", None),
        ("inf", None),
        (".nan", None),
        ("1e400", None),
    ] {
        assert_eq!(velocity(written), value, "{written}");
    }
    assert_eq!(config(ARM).lanes.len(), 1);
}
