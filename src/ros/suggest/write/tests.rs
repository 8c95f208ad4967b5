use super::super::{DescribedJoint, Range};
use super::*;

fn range(min: f64, max: f64) -> Range {
    Range { min, max }
}

fn base() -> CommandTopic {
    let still = range(0.0, 0.0);
    CommandTopic {
        topic: "/cmd_vel".to_owned(),
        kind: CommandType::Twist,
        writers: vec![Writer {
            node: "/Nav2 server".to_owned(),
            rate_hz: Some(20.0),
            is_reliable: false,
        }],
        readers: vec!["/base_controller".to_owned()],
        readers_are_reliable: true,
        joints: Vec::new(),
        count: 0,
        position: Vec::new(),
        velocity: [range(-0.1, 0.5), still, still, still, still, range(-1.0, 0.5)]
            .map(Some)
            .to_vec(),
        has_effort: false,
    }
}

fn states() -> FeedbackTopic {
    FeedbackTopic {
        topic: "/joint_states".to_owned(),
        is_odometry: false,
        joints: vec!["hip".to_owned(), "on".to_owned()],
        together: vec![vec!["on".to_owned(), "hip".to_owned()]],
        position: [range(-0.5, 0.5), range(1.0, 1.0)].map(Some).to_vec(),
        velocity: Vec::new(),
        rate_hz: Some(500.0),
    }
}

fn arm() -> CommandTopic {
    CommandTopic {
        topic: "/forward_position_controller/commands".to_owned(),
        kind: CommandType::Float64MultiArray,
        count: 2,
        velocity: Vec::new(),
        position: [range(-0.5, 0.5), range(1.0, 1.0)].map(Some).to_vec(),
        writers: Vec::new(),
        ..base()
    }
}

#[test]
fn when_a_base_was_seen_expect_its_axes_its_publisher_and_watch() {
    let observed = Observed { seconds: 5.0, commands: vec![base()], ..Observed::default() };
    let text = params_file(&observed);
    for line in [
        "      cmd_vel:",
        "          linear: {x: {max_velocity: 0.6, max_acceleration: 2.4}}",
        "          angular: {z: {max_velocity: 1.2, max_acceleration: 4.8}}",
        "          nav2_server:",
        "            timeout_s: 0.25",
        "            max_rate_hz: 30.0  # seen: 20.0 Hz",
        "            reliability: best_effort",
        "        mode: watch",
        "        controller: /base_controller",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
}

#[test]
fn when_the_robot_is_described_expect_its_limits_and_never_wider() {
    let described = |name: &str| DescribedJoint {
        name: name.to_owned(),
        position: Some(range(-std::f64::consts::FRAC_PI_2, 2.094_395_1)),
        velocity: 3.24159,
        effort: 40.0,
    };
    let observed = Observed {
        commands: vec![arm()],
        feedback: vec![states()],
        description: Some(("/robot_description".to_owned(), vec![described("hip")])),
        ..Observed::default()
    };
    let text = params_file(&observed);
    let hip = text.lines().find(|line| line.trim_start().starts_with("hip: {")).unwrap();
    let bounds = "min_position: -1.5707, max_position: 2.0943, max_velocity: 3.2415,";
    assert!(hip.contains(bounds), "{hip}");
    // Not described: what was seen. A word of YAML is quoted.
    let other = text.lines().find(|line| line.trim_start().starts_with("'on': {")).unwrap();
    assert!(other.contains("min_position: 0.95, max_position: 1.05"), "{other}");
    assert!(other.contains("seen, and a fifth more"), "{other}");
    assert!(text.contains("joints: [hip, 'on']  # guessed: names and order of /joint_states"));
    assert!(text.contains("      forward_position_controller:\n"), "{text}");
    assert!(text.contains("feedback: joint_states\n"), "{text}");
}

/// A lane whose joints never come in one message would never be measured.
#[test]
fn when_joints_come_in_several_messages_expect_no_feedback_and_why() {
    let joints = vec!["hip".to_owned(), "on".to_owned()];
    let command = CommandTopic { kind: CommandType::JointState, joints: joints.clone(), ..arm() };
    let apart = joints.into_iter().map(|joint| vec![joint]).collect();
    let feedback = vec![FeedbackTopic { together: apart, ..states() }];
    let observed = Observed { commands: vec![command], feedback, ..Observed::default() };
    let text = params_file(&observed);
    assert!(text.contains("feedback: none\n"), "{text}");
    assert!(text.contains("/joint_states has these joints in several messages"), "{text}");
    assert!(crate::config::tests::config(&text).lanes[0].feedback.is_none());
}

/// Whatever was seen, what is suggested can be checked and watched as it is.
#[test]
fn when_any_type_was_seen_expect_a_file_that_is_accepted() {
    use crate::config::model::Interface;
    for kind in [
        CommandType::Twist,
        CommandType::TwistStamped,
        CommandType::Float64MultiArray,
        CommandType::JointState,
        CommandType::JointTrajectory,
    ] {
        let command = if matches!(kind, CommandType::Twist | CommandType::TwistStamped) {
            CommandTopic { kind, ..base() }
        } else {
            let joints = vec!["hip".to_owned(), "on".to_owned()];
            CommandTopic { kind, joints, ..arm() }
        };
        for feedback in [Vec::new(), vec![states()]] {
            let commands = vec![command.clone()];
            let text = params_file(&Observed { commands, feedback, ..Observed::default() });
            let config = crate::config::tests::config(&text);
            assert_eq!(config.lanes[0].command_type, kind, "{text}");
        }
    }
    let velocities = CommandTopic {
        kind: CommandType::JointState,
        joints: vec!["hip".to_owned(), "on".to_owned()],
        velocity: arm().position,
        position: Vec::new(),
        ..arm()
    };
    let text = params_file(&Observed { commands: vec![velocities], ..Observed::default() });
    assert_eq!(crate::config::tests::config(&text).lanes[0].interface, Interface::Velocity);
}

/// An array of velocities is commanded in the one array that it has.
#[test]
fn when_an_array_of_velocities_was_seen_expect_its_limits_from_it() {
    let velocities = CommandTopic {
        topic: "/velocity_controller/commands".to_owned(),
        position: [Some(range(-0.5, 1.0)), None].to_vec(),
        ..arm()
    };
    let observed =
        Observed { commands: vec![velocities], feedback: vec![states()], ..Observed::default() };
    let text = params_file(&observed);
    let limits = |joint: &str| text.lines().find(|line| line.trim_start().starts_with(joint));
    assert!(limits("hip: {").unwrap().contains("max_velocity: 1.2,"), "{text}");
    assert!(limits("'on': {").unwrap().contains("max_velocity: 0.1,"), "{text}");
}

/// A planner sends one plan and is silent while it is followed; a slow policy is no planner.
#[test]
fn when_plans_come_one_at_a_time_expect_no_timeout() {
    let source = |kind, rate_hz| {
        let writers = vec![Writer { rate_hz, ..base().writers[0].clone() }];
        let command = CommandTopic { kind, writers, ..arm() };
        params_file(&Observed { commands: vec![command], ..Observed::default() })
    };
    for (kind, rate_hz, line) in [
        (
            CommandType::JointTrajectory,
            None,
            "            allow_no_timeout: true  # plans that are sent once",
        ),
        (
            CommandType::JointTrajectory,
            Some(0.2),
            "            allow_no_timeout: true  # plans that are sent once",
        ),
        (CommandType::JointTrajectory, Some(10.0), "            timeout_s: 0.5"),
        (CommandType::Float64MultiArray, Some(0.05), "            timeout_s: 60.0"),
    ] {
        let text = source(kind, rate_hz);
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
}

#[test]
fn when_names_clash_or_are_odd_expect_names_that_the_file_allows() {
    let mut taken = Vec::new();
    assert_eq!(unique("agent", &mut taken), "agent");
    assert_eq!(unique("agent", &mut taken), "agent_2");
    assert_eq!(sanitized("9lives"), "n_9lives");
    assert_eq!(sanitized("None"), "none_");
    assert_eq!(sanitized(&"x".repeat(50)).len(), 32);
    assert_eq!(lane_name("/left/arm_controller/joint_trajectory"), "arm_controller");
}

#[test]
fn when_a_number_is_written_expect_a_double() {
    assert_eq!(number(2.0), "2.0");
    assert_eq!(number(0.125), "0.125");
    assert_eq!(number(-3.0), "-3.0");
}
