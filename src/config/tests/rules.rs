//! What the top level, profiles, causes, watch lanes and sources become.

use std::time::Duration;

use super::{ARM, BASE, MOTORS, config, refused, with, with_top};
use crate::config::model::{CauseRules, Engage, Interface, LaneMode, SourceMode, UrdfFrom};
use crate::gate::cause::{Action, Cause};

#[test]
fn decisions_paths_and_descriptions_have_defaults_and_values() {
    let plain = config(BASE);
    assert_eq!((plain.decisions_max_rate_hz, plain.decisions_passed_one_in), (50.0, 100));
    assert!(plain.other_paths.is_empty() && plain.urdf.is_none() && !plain.awaits_urdf());
    let text = with_top(
        ARM,
        "decisions: {max_rate_hz: 10, passed_one_in: 1}\n    other_paths: [sport_mode, /dance]\n    \
         urdf: {topic: robot_description, use: [effort, position]}",
    );
    let config = config(&text);
    assert_eq!((config.decisions_max_rate_hz, config.decisions_passed_one_in), (10.0, 1));
    assert_eq!(config.other_paths, ["sport_mode", "/dance"]);
    let urdf = config.urdf.unwrap();
    assert_eq!(urdf.from, UrdfFrom::Topic("robot_description".to_owned()));
    assert_eq!((urdf.use_position, urdf.use_velocity, urdf.use_effort), (true, false, true));
}

#[test]
fn profiles_are_smaller_envelopes_with_actions_of_their_own() {
    let text = with_top(
        BASE,
        "profile: slow\n    profiles: {slow: {velocity: 0.3, causes: {limited_ratio: hold}}, \
         gentle: {acceleration: 0.5, effort: 0.7}}",
    );
    let config = config(&text);
    assert_eq!(config.profile, "slow");
    let names: Vec<&str> = config.profiles.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["full", "gentle", "slow"]);
    let [full, gentle, slow] = config.profiles.as_slice() else { panic!("three") };
    assert_eq!((full.rules.velocity, full.rules.acceleration, full.rules.effort), (1.0, 1.0, 1.0));
    assert_eq!((gentle.rules.acceleration, gentle.rules.effort), (0.5, 0.7));
    assert_eq!((slow.rules.velocity, slow.rules.acceleration), (0.3, 1.0));
    assert_eq!(slow.rules.actions, [(Cause::LimitedRatio, Action::Hold)]);
    assert_eq!(config.gate_rules().profiles.len(), 3);
}

#[test]
fn causes_take_what_is_written_and_keep_defaults_for_the_rest() {
    let text = with_top(
        BASE,
        "causes: {refusals_sustained: {above: 0.8, window_s: 2}, divergence: {action: warn, \
         above: 0.2, debounce_s: 0}, source_silent: {action: hold}}",
    );
    let config = config(&text);
    let of = |cause: Cause| config.causes[cause.index()];
    let two = Some(Duration::from_secs(2));
    assert_eq!(
        of(Cause::RefusalsSustained),
        CauseRules { above: Some(0.8), window: two, ..CauseRules::default() }
    );
    assert_eq!(
        of(Cause::Divergence),
        CauseRules {
            action: Some(Action::Warn),
            debounce: Some(Duration::ZERO),
            above: Some(0.2),
            window: None
        }
    );
    assert_eq!(of(Cause::SourceSilent).action, Some(Action::Hold));
    assert_eq!(of(Cause::Tilt), CauseRules::default());
    let written: Vec<Cause> = config.written_actions().map(|(cause, _)| cause).collect();
    assert_eq!(written, [Cause::Divergence], "the default itself is no difference");
}

#[test]
fn when_causes_and_profiles_say_ignore_expect_it_told_of_the_profile_in_force() {
    let text = with_top(
        BASE,
        "causes: {tilt: {action: ignore}, divergence: {action: ignore}}\n    profile: bringup\n    \
         profiles: {bringup: {causes: {other_path: ignore, tilt: kill}}}",
    );
    let config = config(&text);
    let of = |profile: Option<usize>| -> Vec<Cause> { config.ignored(profile).collect() };
    let bringup = [Cause::Divergence, Cause::OtherPath];
    assert_eq!(of(Some(0)), [Cause::Divergence, Cause::Tilt], "full has nothing of its own");
    assert_eq!(of(Some(1)), bringup);
    assert_eq!(of(None), bringup, "a plain arm takes it");
    assert_eq!(super::config(BASE).ignored(None).count(), 0);
}

#[test]
fn a_default_action_that_is_written_counts_below_a_balance_loop() {
    let config = config(&with_top(MOTORS, "causes: {source_silent: {action: hold}}"));
    let written: Vec<_> = config.written_actions().collect();
    assert_eq!(written, [(Cause::SourceSilent, Action::Hold)]);
}

#[test]
fn a_watch_lane_may_tap_what_it_is_to_gate() {
    let text = with(BASE, "topic: cmd_vel_nav", "topic: cmd_vel");
    assert_eq!(refused(&text), ["lanes.base.sources.nav.topic"]);
    let text = with(&text, "output: cmd_vel\n", "output: cmd_vel\n        mode: watch\n");
    assert_eq!(config(&text).lanes[0].mode, LaneMode::Watch);
}

#[test]
fn hazard_03_streaming_source_at_arm_in_the_configuration() {
    // What a source must look like is never left open.
    assert_eq!(config(BASE).lanes[0].sources[0].engage, Engage::Neutral);
    assert_eq!(config(ARM).lanes[0].sources[0].engage, Engage::Blend);
    let window = "max_rate_hz: 60.0, engage: window, engage_window: 0.1";
    let text = with(ARM, "max_rate_hz: 60.0", window);
    assert_eq!(config(&text).lanes[0].sources[0].engage, Engage::Window(0.1));
    let lane = &config(MOTORS).lanes[0];
    assert_eq!((lane.interface, lane.sources[0].engage), (Interface::Position, Engage::Blend));
}

#[test]
fn a_source_says_who_may_publish_and_how_old_it_may_be() {
    let text = with(BASE, "geometry_msgs/msg/Twist", "geometry_msgs/msg/TwistStamped");
    let text = with(
        &text,
        "max_rate_hz: 30.0}",
        "max_rate_hz: 30.0, max_age_s: 0.25, allowed_nodes: [nav, /ns/nav]}\n          \
         next: {topic: next, priority: 1, timeout_s: 0.5, max_rate_hz: 30.0, mode: shadow}",
    );
    let text = with(&text, "output: cmd_vel\n", "output: cmd_vel\n        other_publishers: 1\n");
    let lane = &config(&text).lanes[0];
    assert_eq!(lane.other_publishers, 1);
    let [nav, next] = lane.sources.as_slice() else { panic!("two") };
    assert_eq!(nav.max_age, Some(Duration::from_millis(250)));
    assert_eq!(nav.allowed_nodes, ["nav", "/ns/nav"]);
    assert_eq!((nav.mode, next.mode), (SourceMode::Live, SourceMode::Shadow));
}

#[test]
fn groups_are_joints_by_index() {
    let text = with(
        ARM,
        "        joints: [",
        "        groups: {both: [elbow, shoulder]}\n        joints: [",
    );
    assert_eq!(config(&text).lanes[0].groups, [vec![1, 0]]);
    let axes = with(
        BASE,
        "        limits:",
        "        groups: {plane: [linear.x, linear.y]}\n        limits:",
    );
    assert_eq!(config(&axes).lanes[0].groups, [vec![0, 1]]);
}

#[test]
fn more_other_paths_than_are_watched_are_refused() {
    let paths = |count: usize| {
        let names: Vec<String> = (0..count).map(|path| format!("path_{path}")).collect();
        with_top(ARM, &format!("other_paths: [{}]", names.join(", ")))
    };
    assert_eq!(config(&paths(64)).other_paths.len(), 64);
    assert_eq!(refused(&paths(65)), ["other_paths"]);
}

#[test]
fn a_battery_has_thresholds_where_its_charge_is_told_one_below_the_other() {
    let battery = |fields: &str, ratios: &str| {
        let one = format!("type: t/msg/Bms, topic: bms, timeout_s: 1.0, fields: {{{fields}}}");
        with_top(BASE, &format!("batteries: {{main: {{{one}, {ratios}}}}}"))
    };
    for fields in ["percentage: soc", "charge: ah, capacity: full_ah"] {
        let text = battery(fields, "warn_ratio: 0.3, derate_ratio: 0.2, trip_ratio: 0.1");
        let thresholds = config(&text).batteries[0].thresholds;
        let found = (thresholds.warn, thresholds.derate, thresholds.trip);
        assert_eq!(found, (Some(0.3), Some(0.2), Some(0.1)), "{fields}");
        for (wrong, key) in [
            ("warn_ratio: 0.2, trip_ratio: 0.2", "trip_ratio"),
            ("derate_ratio: 0.1, trip_ratio: 0.2", "trip_ratio"),
            ("warn_ratio: 0.1, derate_ratio: 0.1, trip_ratio: 0.05", "derate_ratio"),
            ("derate_ratio: 0.1", "trip_ratio"),
        ] {
            assert_eq!(refused(&battery(fields, wrong)), [format!("batteries.main.{key}")]);
        }
    }
    let text = battery("voltage: volts", "trip_ratio: 0.1");
    assert_eq!(refused(&text), ["batteries.main.trip_ratio"]);
}

#[test]
fn when_a_timeout_is_longer_than_a_minute_expect_it_refused() {
    let button = "kill_inputs: {button: {type: std_msgs/msg/Empty, topic: stop, timeout_s: 0.25}}";
    let text = with_top(BASE, button);
    for (written, key) in [
        ("timeout_s: 0.5", "lanes.base.sources.nav.timeout_s"),
        ("timeout_s: 0.3", "feedback.odom.timeout_s"),
        ("timeout_s: 0.25", "kill_inputs.button.timeout_s"),
    ] {
        assert_eq!(refused(&with(&text, written, "timeout_s: 500")), [key]);
        assert_eq!(refused(&with(&text, written, "timeout_s: 60.1")), [key]);
        assert_eq!(config(&with(&text, written, "timeout_s: 60")).lanes.len(), 1);
    }
}

#[test]
fn a_dead_man_disarms_when_it_is_let_go_of() {
    let is_dead_man = |asserts: &str, action: &str| {
        let input = format!(
            "kill_inputs: {{grip: {{type: vendor_msgs/msg/Grip, topic: grip, {asserts}\
             action: {action}, timeout_s: 0.5}}}}"
        );
        config(&with_top(BASE, &input)).kill_inputs[0].is_dead_man()
    };
    for (when, expected) in [("false", true), ("0", true), ("true", false), ("1", false)] {
        let asserts = format!("field: held, asserted_when: {when}, ");
        assert_eq!(is_dead_man(&asserts, "disarm"), expected, "{when}");
        assert!(!is_dead_man(&asserts, "kill"), "{when}: it latches");
    }
    assert!(!is_dead_man("", "disarm"), "a heartbeat asserts nothing");
}

#[test]
fn when_kill_inputs_read_different_fields_of_a_topic_expect_both_and_else_the_second_refused() {
    let pads = "kill_inputs: {left: {type: sensor_msgs/msg/Joy, topic: joy, field: 'buttons[4]', \
                asserted_when: 1, timeout_s: 0.5}, right: {type: sensor_msgs/msg/Joy, topic: /joy, \
                field: 'buttons[5]', asserted_when: 1, timeout_s: 0.5, action: disarm}}";
    let text = with_top(BASE, pads);
    assert_eq!(config(&text).kill_inputs.len(), 2);
    let second = ["kill_inputs.right.topic"];
    assert_eq!(refused(&with(&text, "buttons[5]", "buttons[4]")), second);
    let bare = with(&text, "field: 'buttons[5]', asserted_when: 1, ", "");
    assert_eq!(refused(&bare), second, "a bare heartbeat of what is heard anyway");
    let other =
        with(&text, "right: {type: sensor_msgs/msg/Joy", "right: {type: vendor_msgs/msg/Pad");
    assert_eq!(refused(&other), second, "a topic has one type");
    let taken = with(&text, "topic: /joy", "topic: odom");
    assert_eq!(refused(&taken), second);
}
