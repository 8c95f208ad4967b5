//! Values at their edge, and combinations of which one part alone decides.

use super::{ARM, BASE, MOTORS, config, read, refused, with, with_top};
use crate::config::args::Arguments;
use crate::config::check::summary;
use crate::config::model::{CommandType, Config, Engage, FeedbackType};
use crate::gate::cause::Cause;
use std::time::Duration;

/// The whole text of the problems.
fn told(text: &str) -> String {
    read(text).expect_err("it must be refused").to_string()
}

fn name_of(rules: &[&str]) -> Result<String, String> {
    let mut args = vec!["--ros-args".to_owned()];
    for rule in rules {
        args.extend(["-r".to_owned(), (*rule).to_owned()]);
    }
    let parsed = Arguments::parse(&args).map(|arguments| arguments.full_name());
    parsed.map_err(|problems| problems.to_string())
}

#[test]
fn when_ros_args_begin_twice_expect_them_to_go_on() {
    let words = ["--ros-args", "--ros-args", "-r", "__node:=gate"].map(str::to_owned);
    assert_eq!(Arguments::parse(&words).expect("no problem").full_name(), "/gate");
}

/// rcl's rules: a name is of letters, digits and `_`, begins with no digit and has no `__`; a rule for a
/// node begins with such a name, and another one is about a topic.
#[test]
fn when_a_node_is_renamed_expect_names_of_rcl_only() {
    for (name, is_one) in
        [("gate", true), ("_gate", true), ("Gate_2", true), ("9gate", false), ("a__b", false)]
    {
        let found = name_of(&[&format!("__node:={name}")]);
        assert_eq!(found.ok(), is_one.then(|| format!("/{name}")), "{name}");
    }
    let own = name_of(&[]);
    assert_eq!(name_of(&["interlock:__node:=gate"]).ok().as_deref(), Some("/gate"));
    assert_eq!(name_of(&["/interlock:__node:=gate"]), own, "about a topic of that name");
    assert_eq!(name_of(&["other:__node:=gate"]), own, "another node");
}

#[test]
fn when_a_current_is_turned_round_expect_its_scale_taken_and_of_nothing_else() {
    let battery = |scale: &str| {
        with_top(
            BASE,
            &format!(
                "batteries: {{main: {{type: vendor_msgs/msg/Bms, topic: bms, timeout_s: 5.0, \
                 fields: {{percentage: soc, current: amps}}, scale: {{{scale}}}}}}}"
            ),
        )
    };
    for (scale, fits) in [
        ("current: -1.0", true),
        ("current: 0.001", true),
        ("current: 0.0", false),
        ("percentage: 0.01", true),
        ("percentage: -0.01", false),
        ("percentage: 0.0", false),
    ] {
        let read = read(&battery(scale));
        assert_eq!(read.is_ok(), fits, "{scale}: {:?}", read.err().map(|e| e.to_string()));
    }
}

#[test]
fn when_a_fixed_action_is_written_expect_it_to_say_nothing() {
    let config = config(&with_top(MOTORS, "causes: {kill_service: {action: kill}}"));
    assert_eq!(config.causes[Cause::KillService.index()].action, None);
    assert_eq!(config.written_actions().count(), 0);
}

#[test]
fn when_a_profile_is_chosen_expect_full_and_those_written_and_one_problem_for_a_broken_one() {
    assert_eq!(config(&with_top(BASE, "profile: full")).profile, "full");
    let slow = "profiles: {slow: {velocity: 0.5}}";
    let both = with_top(&with_top(BASE, slow), "profile: slow");
    assert_eq!(config(&both).profile, "slow");
    assert_eq!(refused(&with_top(&with_top(BASE, slow), "profile: quick")), ["profile"]);
    let broken = with_top(&with_top(BASE, "profiles: {slow: {velocity: 5.0}}"), "profile: slow");
    assert_eq!(refused(&broken), ["profiles.slow.velocity"]);
}

#[test]
fn when_a_source_engages_within_a_window_expect_it_on_lanes_of_positions_only() {
    let window = "max_rate_hz: 60.0, engage: window, engage_window: 0.1";
    let arm = with(ARM, "max_rate_hz: 60.0", window);
    assert_eq!(config(&arm).lanes[0].sources[0].engage, Engage::Window(0.1));
    let base =
        with(BASE, "max_rate_hz: 30.0", "max_rate_hz: 30.0, engage: window, engage_window: 0.1");
    assert_eq!(refused(&base), ["lanes.base.sources.nav.engage"]);
    let plans = with(&arm, "std_msgs/msg/Float64MultiArray", "trajectory_msgs/msg/JointTrajectory");
    let plans = with(&plans, "        interface: position\n", "        balance: false\n");
    let plans = with(&plans, "command: freeze", "command: hold_point");
    assert!(refused(&plans).contains(&"lanes.arm.sources.vla.engage".to_owned()));
}

/// What a mapped feedback measures is asked by the lane that reads it.
#[test]
fn when_a_feedback_measures_a_part_expect_it_where_that_is_enough() {
    let fields = "fields: {position: 'motor_state[].q', velocity: 'motor_state[].dq'}";
    let speed_only = with(MOTORS, fields, "fields: {velocity: 'motor_state[].dq'}");
    assert_eq!(refused(&speed_only), ["lanes.legs.feedback"]);
    let pose_only = with(MOTORS, fields, "fields: {position: 'motor_state[].q'}");
    assert_eq!(config(&pose_only).feedback.len(), 2);
    let arm = |interface: &str, safe: &str, fields: &str| {
        let text = with(ARM, "interface: position", &format!("interface: {interface}"));
        let text = with(&text, "command: freeze, tolerance: 0.1", safe);
        let text = if interface == "velocity" {
            with(&text, "min_position: -1.0, max_position: 1.0, ", "")
        } else {
            text
        };
        with(
            &text,
            "{type: sensor_msgs/msg/JointState, topic: joint_states, timeout_s: 0.1}",
            &format!(
                "{{type: vendor_msgs/msg/Motors, topic: motors, timeout_s: 0.1, \
                 joints: [shoulder, elbow], fields: {{{fields}}}}}"
            ),
        )
    };
    let (freeze, zero) = ("command: freeze, tolerance: 0.1", "command: zero_velocity");
    let (pose, speed) = ("position: 'm[].q'", "velocity: 'm[].dq'");
    for (text, fits) in [
        (arm("position", freeze, pose), true),
        (arm("position", freeze, speed), false),
        (arm("velocity", zero, speed), true),
        (arm("velocity", zero, pose), true),
        (arm("velocity", zero, "stamp: header.stamp"), false),
    ] {
        let read = read(&text);
        assert_eq!(read.is_ok(), fits, "{text}\n{:?}", read.err().map(|e| e.to_string()));
    }
    let nothing = refused(&arm("velocity", zero, "stamp: header.stamp"));
    assert!(nothing.contains(&"feedback.joints.fields".to_owned()), "{nothing:?}");
}

/// A feedback that is only mirrored measures nothing, and one that is read need not be mirrored.
#[test]
fn when_a_feedback_is_only_mirrored_expect_it_taken_and_when_nothing_reads_it_refused() {
    let arm = with(MOTORS, "feedback: low_state\n", "feedback: state\n");
    let joints =
        "      state: {type: sensor_msgs/msg/JointState, topic: joint_states, timeout_s: 0.1}\n";
    let arm = with(&arm, "    feedback:\n", &format!("    feedback:\n{joints}"));
    let fields = "        fields: {position: 'motor_state[].q', velocity: 'motor_state[].dq'}\n";
    let mirrored = with(
        &with(&arm, fields, ""),
        "        joint_index: [3, 0]\n        checksum: {field: crc, kind: unitree_crc32}\n      body",
        "      body",
    );
    assert_eq!(config(&mirrored).feedback.len(), 3);
    let unread = with(&mirrored, "mirror: low_state.mode_machine", "allowed: [5], safe: 5");
    assert_eq!(refused(&unread), ["feedback.low_state.type"]);
    for fields in ["position: 'motor_state[].q'", "velocity: 'motor_state[].dq'"] {
        let read = with(
            &unread,
            "topic: lowstate\n",
            &format!(
                "topic: lowstate\n        joints: [hip, knee]\n        fields: {{{fields}}}\n"
            ),
        );
        let config = config(&read);
        assert!(config.feedback.iter().any(|one| one.feedback_type == FeedbackType::Mapped));
    }
}

#[test]
fn when_a_socket_path_is_at_its_edge_expect_what_the_system_takes() {
    let at = |path: &str| read(&with_top(BASE, &format!("control_socket: {{path: '{path}'}}")));
    let long = |bytes: usize| format!("/{}", "s".repeat(bytes - 1));
    assert!(at(&long(107)).is_ok() && at(&long(108)).is_err());
    for path in ["run/control.sock", "/run/"] {
        assert!(at(path).is_err(), "{path}");
    }
    assert!(at("/run/control.sock").is_ok());
}

#[test]
fn when_messages_may_be_large_expect_at_most_16_mib() {
    let of = |bytes: usize| read(&with_top(BASE, &format!("max_message_bytes: {bytes}")));
    assert_eq!(of(16 << 20).expect("it fits").max_message_bytes, 16 << 20);
    assert!(of((16 << 20) + 1).is_err());
    assert!(of(64).is_ok() && of(63).is_err());
}

#[test]
fn when_a_word_stands_for_a_boolean_expect_quotes_advised_only_where_text_is_wanted() {
    let text = told(&with_top(BASE, "hardware_id: on"));
    assert!(text.contains("on is a boolean, not a string"), "{text}");
    let number = told(&with_top(BASE, "tick_hz: on"));
    assert!(!number.contains("quotes") && !number.contains("not a string"), "{number}");
}

/// Which limits a lane may have depends on what its type carries and what it commands.
#[test]
fn when_limits_are_given_expect_those_that_the_lane_carries() {
    let limited = |text: &str, more: &str| {
        let limits = if text.contains("max_total_effort: 90.0}") {
            "max_total_effort: 90.0}"
        } else {
            "max_acceleration: 5.0}"
        };
        let kept = limits.trim_end_matches('}');
        read(&with(text, limits, &format!("{kept}, {more}}}"))).is_ok()
    };
    let velocity = with(ARM, "interface: position", "interface: velocity");
    let velocity = with(&velocity, "min_position: -1.0, max_position: 1.0, ", "");
    let velocity = with(&velocity, "command: freeze, tolerance: 0.1", "command: zero_velocity");
    assert!(limited(&velocity, "max_jerk: 50.0") && !limited(ARM, "max_jerk: 50.0"));
    assert!(!limited(ARM, "max_effort: 5.0") && !limited(ARM, "max_kp: 5.0"));
    assert!(!limited(ARM, "max_total_effort: 5.0"));
    assert!(!limited(MOTORS, "max_acceleration: 5.0") && !limited(MOTORS, "max_jerk: 5.0"));
    // Either gain makes a total of it.
    for gain in ["kp", "kd"] {
        let one = with(
            MOTORS,
            ",\n                 kp: 'motor_cmd[].kp', kd: 'motor_cmd[].kd'",
            &format!(",\n                 {gain}: 'motor_cmd[].{gain}'"),
        );
        let other = if gain == "kp" { "kd" } else { "kp" };
        let one = with(
            &one,
            &format!("max_{other}: {}", if other == "kd" { "10.0, " } else { "200.0, " }),
            "",
        );
        let one = with(&one, "command: damping, kd: 3.0", "command: silent, because: test");
        let config = config(&one);
        assert!(config.lanes[0].limits.iter().all(|limits| limits.total_effort == Some(90.0)));
        assert_eq!(config.lanes[0].command_type, CommandType::Mapped);
    }
}

#[test]
fn when_time_is_simulated_expect_no_arm_unless_allowed_and_stamps_of_another_clock() {
    let rules = |text: &str| {
        let rules = config(text).gate_rules();
        (rules.simulated_time, rules.simulated_stamps)
    };
    let simulated = with_top(BASE, "use_sim_time: true");
    assert_eq!(rules(BASE), (false, false));
    assert_eq!(rules(&with_top(BASE, "allow_sim_time: true")), (false, false));
    assert_eq!(rules(&simulated), (true, true));
    assert_eq!(rules(&with_top(&simulated, "allow_sim_time: true")), (false, true));
}

#[test]
fn when_time_is_simulated_expect_no_age_asked_of_a_stamp_and_that_told() {
    let text = with(BASE, "geometry_msgs/msg/Twist", "geometry_msgs/msg/TwistStamped");
    let text = with(&text, "max_rate_hz: 30.0}", "max_rate_hz: 30.0, max_age_s: 0.25}");
    let age = |config: &Config| config.gate_rules().lanes[0].sources[0].max_age;
    let real = config(&text);
    assert_eq!(age(&real), Some(Duration::from_millis(250)));
    assert!(!summary(&real).contains("not judged"), "{}", summary(&real));
    let simulated = config(&with_top(&text, "use_sim_time: true"));
    assert_eq!(age(&simulated), None);
    let told = summary(&simulated);
    assert!(told.contains("not older than 250ms (not judged: use_sim_time)"), "{told}");
    assert!(told.contains("stamps are not judged; no arm"), "{told}");
    let text = with_top(&text, "use_sim_time: true\n    allow_sim_time: true");
    assert!(summary(&config(&text)).contains("stamps are not judged; arming is allowed"));
}

#[test]
fn when_a_lane_has_many_joints_expect_at_most_1024() {
    let of = |count: usize| {
        let joints: Vec<String> = (0..count).map(|number| format!("j{number}")).collect();
        read(&with(ARM, "[shoulder, elbow]", &format!("[{}]", joints.join(", ")))).is_ok()
    };
    assert!(of(1024) && !of(1025));
}

/// Gains act on the measured pose, whatever is commanded.
#[test]
fn when_a_lane_has_gains_expect_a_feedback_that_measures_the_pose() {
    let efforts = with(MOTORS, "interface: position", "interface: effort");
    assert_eq!(config(&efforts).lanes.len(), 1);
    let fields = "fields: {position: 'motor_state[].q', velocity: 'motor_state[].dq'}";
    let speed_only = with(&efforts, fields, "fields: {velocity: 'motor_state[].dq'}");
    assert_eq!(refused(&speed_only), ["lanes.legs.feedback"]);
    let stiff_only = with(&speed_only, ", kd: 'motor_cmd[].kd'", "");
    let stiff_only = with(&stiff_only, "max_kd: 10.0, ", "");
    let stiff_only =
        with(&stiff_only, "command: damping, kd: 3.0", "command: silent, because: test");
    assert_eq!(refused(&stiff_only), ["lanes.legs.feedback"]);
}

#[test]
fn when_zero_velocity_does_not_suit_expect_why() {
    let zero = |interface: &str| {
        let text = with(ARM, "command: freeze, tolerance: 0.1", "command: zero_velocity");
        told(&with(&text, "interface: position", &format!("interface: {interface}")))
    };
    assert!(zero("position").contains("zeros on a position lane are a pose"));
    assert!(zero("effort").contains("zeros on an effort lane let the robot drop"));
}

/// Two letters off, and one more for every four that the name has.
#[test]
fn when_a_key_is_mistyped_expect_the_nearest_named_where_it_is_near() {
    for (from, to, near) in [
        ("max_acceleration: 1.0", "acceleration: 1.0", Some("max_acceleration")),
        ("output:", "outpt_a:", Some("output")),
        ("output:", "outp_abc:", None),
    ] {
        let text = told(&with(BASE, from, to));
        let suggests = near.map(|near| format!("{near}?"));
        let found = text.lines().any(|line| {
            line.contains("did you mean") && suggests.as_ref().is_some_and(|s| line.ends_with(s))
        });
        assert_eq!(found, near.is_some(), "{to}: {text}");
    }
}

#[test]
fn when_a_section_is_named_expect_names_of_nodes_up_to_200_letters() {
    let section = |name: &str| {
        let text = with(BASE, "interlock:\n", &format!("{name}:\n"));
        super::flat(&text).err().map(|problems| problems.to_string())
    };
    let long = |letters: usize| "n".repeat(letters);
    assert_eq!(section(&long(200)), None);
    assert!(section(&long(201)).is_some());
    for (name, fits) in [("_gate", true), ("/left/_gate", true), ("9gate", false), ("g-ate", false)]
    {
        assert_eq!(section(name).is_none(), fits, "{name}");
    }
}

#[test]
fn when_parameters_stand_right_under_a_node_expect_it_told_once_for_each_node() {
    let problems = |text: &str| super::flat(text).err().map_or(0, |problems| problems.len());
    assert_eq!(problems("interlock:\n  tick_hz: 50.0\n  hardware_id: a\n"), 1);
    assert_eq!(problems("interlock:\n  tick_hz: 50.0\n/left/other:\n  tick_hz: 50.0\n"), 2);
    assert_eq!(problems("left:\n  a: {tick_hz: 50.0}\n  b: {tick_hz: 50.0}\n"), 1);
}

/// Gains alone make a lane one that somebody must have thought about balance for.
#[test]
fn when_commands_carry_gains_and_nothing_is_said_of_balance_expect_it_asked() {
    let gains = with(MOTORS, " effort: 'motor_cmd[].tau',", "");
    let gains = with(&gains, ", max_effort: 60.0", "");
    assert_eq!(config(&gains).lanes.len(), 1);
    assert!(
        refused(&with(&gains, "        balance: true\n", ""))
            .contains(&"lanes.legs.balance".to_owned())
    );
}

/// Below a balance loop only written velocities are looked at.
#[test]
fn when_a_balance_lane_writes_no_velocity_expect_its_limit_refused() {
    let silent = with(MOTORS, " velocity: 'motor_cmd[].dq',", "");
    assert_eq!(refused(&silent), ["lanes.legs.limits.max_velocity"]);
    assert_eq!(config(&with(&silent, " max_velocity: 20.0,", "")).lanes.len(), 1);
}
