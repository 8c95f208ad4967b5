//! `status` and the command line, against a real server.

use super::*;

#[test]
fn when_the_node_is_killed_expect_the_cause_the_outputs_and_the_way_on() {
    let server = serve(killed());
    let url = format!("http://{}/", server.address());
    let said = say(&["status", "--url", &url]);
    let expected = "\
KILLED  seq 41   by ali?[31mce 22:13:20 UTC, 3 min ago: \"arm near table\"
  lane        base: safe, zero_velocity at 50 Hz, still for 95 s, 1 reader
              * teleop: alive, 100 passed, 2 limited, 7 withheld
                agent: silent for 12 s, 3 rejected, last refused: not_finite
  kill input  pendant: released
  feedback    odom: fresh
  IGNORED     causes divergence
  to go on    1. interlockctl reset (nothing moves)   2. interlockctl arm
";
    assert_eq!(said.out, expected);
    assert_eq!((said.code, said.err.as_str()), (KILLED, ""));
}

#[test]
fn when_a_robot_answers_expect_which_below_what_is_loud() {
    let mut status = killed();
    status.lanes[0].motion = String::from("linear.x moves");
    let third = |status: &Status| text::status(status).lines().nth(2).map(str::to_owned);
    assert!(third(&status).is_some_and(|line| line.starts_with("  lane ")));
    status.node = String::from("/interlock");
    assert_eq!(third(&status).as_deref(), Some("  robot       node /interlock"));
    status.hardware_id = String::from("g1-7");
    assert_eq!(third(&status).as_deref(), Some("  robot       g1-7, node /interlock"));
    // Before a reset and an arm, too.
    assert!(text::head(&status).ends_with("  robot       g1-7, node /interlock\n"));
    status.node.clear();
    assert_eq!(third(&status).as_deref(), Some("  robot       g1-7"));
}

#[test]
fn when_json_is_asked_for_expect_the_nodes_own() {
    let server = serve(killed());
    let url = format!("http://{}", server.address());
    let said = say(&["status", "--json", "--url", &url]);
    assert_eq!(serde_json::from_str::<Status>(&said.out).unwrap(), killed());
    assert_eq!(said.code, KILLED);
}

#[test]
fn when_the_node_is_disarmed_expect_what_is_missing() {
    let unmet = |code: &str, text: &str| ConditionStatus {
        code: String::from(code),
        subject: String::from("pendant"),
        text: String::from(text),
    };
    let mut status = Status {
        state: String::from("disarmed"),
        seq: 42,
        since_age_s: 5.0,
        unmet: vec![
            unmet("not_standing_still", "left_elbow moves: 0.06 rad/s, needs < 0.05 for 0.5 s"),
            unmet("kill_input_unseen", ""),
        ],
        ..Status::default()
    };
    let said = text::status(&status);
    let expected = "\
NOT ARMED  seq 42   since 00:00:00 UTC, 5.0 s ago, 2 things missing
  in the way  left_elbow moves: 0.06 rad/s, needs < 0.05 for 0.5 s
  in the way  kill_input_unseen: pendant
  to go on    clear what is in the way, then interlockctl arm
";
    assert_eq!(said, expected);
    status.unmet.clear();
    let said = text::status(&status);
    assert!(said.contains("5.0 s ago, ready to arm\n  to go on    interlockctl arm\n"), "{said}");
}

#[test]
fn when_a_kill_input_asserts_expect_who_does_it() {
    let mut status = killed();
    let input = &mut status.kill_inputs[0];
    input.asserted = true;
    assert!(text::status(&status).contains("pendant: ASSERTED\n"));
    status.kill_inputs[0].asserted_by = String::from("/pen\u{1b}dant");
    status.latch = String::from("not persisted");
    let said = text::status(&status);
    assert!(said.contains("pendant: ASSERTED by /pen?dant\n"), "{said}");
    assert!(said.contains("  latch       not persisted\n"), "{said}");
}

#[test]
fn when_a_kill_input_was_never_heard_expect_where_and_how_many_could_be() {
    let mut status = killed();
    status.kill_inputs[0].seen = false;
    let said = text::status(&status);
    let expected = "pendant: not heard yet: is it switched on? (topic /pendant, 0\n                \
                    publishers)\n";
    assert!(said.contains(expected), "{said}");
    status.kill_inputs[0].publishers = None;
    let said = text::status(&status);
    assert!(said.contains("is it switched on? (topic /pendant)\n"), "{said}");
    // A node of an earlier version does not tell.
    status.kill_inputs[0].topic.clear();
    assert!(text::status(&status).contains("is it switched on?\n"));
}

#[test]
fn when_the_latch_file_is_in_trouble_expect_it_said_once_in_every_state() {
    let mut status = killed();
    status.latch = String::from("the disk is full");
    assert_eq!(text::status(&status).matches("the disk is full").count(), 1);
    status.unmet = vec![ConditionStatus {
        text: String::from("the disk is full"),
        ..ConditionStatus::default()
    }];
    let said = text::status(&status);
    assert_eq!(said.matches("the disk is full").count(), 1);
    assert!(said.contains("  in the way  the disk is full\n"), "{said}");
}

#[test]
fn when_the_node_is_active_expect_good_and_who_is_in_charge() {
    let mut status = killed();
    status.state = String::from("active");
    status.permitted = true;
    status.profile = Some(String::from("careful"));
    status.derating = 0.5;
    status.first_trip = None;
    status.lanes[0].state = String::from("flowing");
    status.lanes[0].subscribers = Some(0);
    status.lanes[0].foreign_publishers = Some(2);
    status.kill_inputs[0].lost = true;
    status.kill_inputs[0].silent_for_s = Some(3.0);
    let server = serve(status);
    let said = say(&["status", "--url", &format!("http://{}", server.address())]);
    assert_eq!(said.code, GOOD);
    for part in [
        "ACTIVE  seq 41   ",
        "profile careful, velocity\n  derated to 50 %\n",
        "base: flowing, teleop in charge, NOBODY READS IT, 2 FOREIGN\n                PUBLISHERS\n",
        "pendant: SILENT for 3.0 s (topic /pendant, 0 publishers)\n",
    ] {
        assert!(said.out.contains(part), "{part} not in {}", said.out);
    }
    assert!(!said.out.contains("to go on"));
}

#[test]
fn when_a_cause_disarmed_it_expect_which_below_the_headline() {
    let mut status = killed();
    status.state = String::from("disarmed");
    let by = TripStatus {
        seq: 42,
        cause: String::from("controller_gone"),
        subject: String::from("base"),
        age_s: 3.0,
        ..TripStatus::default()
    };
    status.first_trip = None;
    status.last_trip = Some(by);
    let second = |status: &Status| text::status(status).lines().nth(1).map(str::to_owned);
    let line = "  last stop   seq 42   by controller_gone (base) 00:00:00 UTC, 3.0 s ago";
    assert_eq!(second(&status).as_deref(), Some(line));
    // While it may move, what stopped it once is history.
    status.state = String::from("active");
    assert!(!text::status(&status).contains("last stop"));
    status.state = String::from("disarmed");
    status.last_trip = None;
    assert!(!text::status(&status).contains("last stop"));
}

#[test]
fn when_history_reaches_over_midnight_expect_dates_before_it() {
    let entry = |stamp_unix_s| crate::telemetry::history::Entry {
        stamp_unix_s,
        text: String::from("tripped"),
        ..crate::telemetry::history::Entry::default()
    };
    let now = 1_700_000_000.0;
    let said = text::history(&[entry(now - 86_400.0), entry(now - 60.0)], now);
    let expected = "2023-11-13 22:13:20 UTC           tripped\n22:12:20 UTC           tripped\n";
    assert_eq!(said, expected);
}

#[test]
fn when_a_cause_holds_every_lane_expect_held_and_why() {
    let cause = |action: &str, acts, text: &str| CauseStatus {
        action: action.to_owned(),
        acts,
        text: text.to_owned(),
        ..CauseStatus::default()
    };
    let mut status = killed();
    status.state = String::from("active");
    status.first_trip = None;
    status.causes = vec![
        cause("hold", true, "feedback 'odom' is silent"),
        cause("warn", false, "teleop is\u{1b} limited"),
    ];
    let said = text::status(&status);
    let expected = "  cause       hold: feedback 'odom' is silent\n  \
                    cause       warn soon: teleop is? limited\n  lane ";
    assert!(said.starts_with("ACTIVE, HELD  seq 41   "), "{said}");
    assert!(said.contains(expected), "{said}");
    assert!(text::painted(&said, true).starts_with("\u{1b}[1;33mACTIVE, HELD\u{1b}[0m  seq"));
    let held = text::what_counts(&status);
    status.permitted = true;
    assert!(text::status(&status).starts_with("ACTIVE  seq 41   "));
    assert_ne!(text::what_counts(&status), held, "a new line in a log");
    // What is in the way is told there.
    status.unmet = vec![ConditionStatus {
        text: String::from("feedback 'odom' is silent"),
        ..ConditionStatus::default()
    }];
    let said = text::status(&status);
    assert_eq!(said.matches("feedback 'odom' is silent").count(), 1, "{said}");
}

#[test]
fn when_a_joint_is_hot_or_a_battery_low_expect_it_named_and_else_the_hottest() {
    let joint = |component: &str, celsius, level: &str, text: &str| TemperatureStatus {
        name: String::from("motors"),
        component: component.to_owned(),
        celsius: Some(celsius),
        level: level.to_owned(),
        text: text.to_owned(),
        ..TemperatureStatus::default()
    };
    let mut status = killed();
    status.temperatures = vec![
        joint("hip", 40.0, "ok", "40.0 °C"),
        joint("knee", 82.5, "derate", "82.5 °C; derate from 80 °C on"),
    ];
    status.batteries = vec![BatteryStatus {
        name: String::from("main"),
        text: String::from("15 %; derate from 0.2 on"),
        ..BatteryStatus::default()
    }];
    let said = text::status(&status);
    for part in [
        "  heat        motors: knee, 82.5 °C; derate from 80 °C on\n",
        "  battery     main: 15 %; derate from 0.2 on\n",
    ] {
        assert!(said.contains(part), "{part} not in {said}");
    }
    status.temperatures.pop();
    let said = text::status(&status);
    assert!(said.contains("  heat        motors: hip, 40.0 °C\n"), "{said}");
}

#[test]
fn when_nobody_listens_expect_2_and_a_clear_line() {
    // Bound but not listening for HTTP, then closed: the port is free again.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let said = say(&["status", "--url", &url]);
    assert_eq!((said.code, said.out.as_str()), (UNREACHABLE, ""));
    assert!(
        said.err.starts_with(&format!("cannot reach a node at {url}/status: ")),
        "{}",
        said.err
    );
    assert!(said.err.contains("is it running?"));
}

#[test]
fn when_another_service_answers_expect_2_and_no_state() {
    let server = serve(Status::default());
    let url = format!("http://{}/elsewhere", server.address());
    let said = say(&["status", "--url", &url]);
    assert_eq!((said.code, said.out.as_str()), (UNREACHABLE, ""));
    assert!(said.err.contains("is not Interlock: it says 404"), "{}", said.err);
}

#[test]
fn when_the_command_line_is_wrong_expect_64_and_nothing_on_stdout() {
    for arguments in [&[][..], &["resume"], &["status", "--loud"], &["wait", "--state", "x"]] {
        let said = say(arguments);
        assert_eq!((said.code, said.out.as_str()), (USAGE, ""), "{arguments:?}");
        assert!(!said.err.is_empty());
    }
}

#[test]
fn when_version_or_help_is_asked_for_expect_it_on_stdout() {
    let said = say(&["--version"]);
    assert_eq!(said.out, format!("interlockctl {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!((said.code, said.err.as_str()), (GOOD, ""));
    let said = say(&["--help"]);
    assert_eq!(said.code, GOOD);
    assert!(said.out.contains("Exit codes:"), "{}", said.out);
}
