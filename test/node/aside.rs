//! What is judged and never sent: lanes that only watch, and sources in shadow.

use serde_json::json;

use crate::peer::Peer;
use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::{wait_for, wait_for_some};

/// A watched lane beside the base, on the topic that its controller reads today.
const WATCHED: &str = "      today:
        type: geometry_msgs/msg/Twist
        output: gated_vel
        mode: watch
        feedback: none
        because: a test has no robot
        limits: {linear: {x: {max_velocity: 0.5, max_acceleration: 1000000.0}}}
        safe: {command: zero_velocity}
        sources: {nav: {topic: today_vel, priority: 10, timeout_s: 60.0, max_rate_hz: 1000.0, burst: 100}}
";

#[test]
fn a_watched_lane_publishes_nothing_and_counts_what_limits_would_do() {
    let mut rig = Rig::new(&format!("{BASE}{WATCHED}"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.subscribe("/gated_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.publisher("/today_vel", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    // Judged without an arm, and no part of it: three inside, one outside, one not a number.
    let speeds = [json!(0.125), json!(-0.25), json!(0.375), json!(0.875), json!("$nan")];
    let verdicts = [("passed", 1), ("passed", 2), ("passed", 3), ("limited", 1), ("rejected", 1)];
    for (x, (verdict, count)) in speeds.into_iter().zip(verdicts) {
        rig.peer.publish("/today_vel", json!({"linear": {"x": x}}));
        rig.wait_count(1, 0, verdict, count);
    }
    rig.wait_count(1, 0, "rejected", 1);
    let source = rig.wait_count(1, 0, "limited", 1);
    assert_eq!((&source["passed"], &source["withheld"]), (&json!(3), &json!(0)), "{source}");
    let seen = &rig.status()["lanes"][1]["seen"][0];
    assert_eq!((&seen["name"], &seen["max_velocity"]), (&json!("linear.x"), &json!(0.875)));
    assert_eq!((&seen["limited"], &seen["judged"]), (&json!(1), &json!(4)), "{seen}");
    assert_eq!(rig.status()["lanes"][1]["mode"], "watch");
    rig.arm();
    rig.flows("/agent", 0.25);
    rig.trigger("kill");
    rig.wait_lane(0, "safe");
    rig.peer.publish("/today_vel", twist(0.25));
    rig.wait_count(1, 0, "passed", 4);
    let graph = rig.peer.ask("graph", json!({}));
    assert_eq!(graph["topics"]["/gated_vel"]["publishers"], json!([]), "not even a publisher");
    assert_eq!(rig.peer.count("/gated_vel"), 0);
    let service = rig.own("select_source");
    let refused = rig.peer.call(
        &service,
        "interlock/srv/SelectSource",
        json!({"lane": "today", "source": "nav"}),
    );
    assert_eq!(refused["message"], "refused: the lane is only watched (mode: watch)");
}

#[test]
fn where_no_lane_is_gated_a_kill_says_that_nothing_was_stopped() {
    let head = "    release_over_ros: true\n    lanes:\n";
    let mut rig = Rig::new(&format!("{head}{WATCHED}"));
    let loud = "every lane only watches (today): no command passes here, and a kill stops nothing";
    wait_for("a warning at the start", || rig.node.log().contains(loud));
    let answer = rig.trigger("kill");
    assert_eq!(answer["success"], false, "{answer}");
    let text = answer["message"].as_str().expect("a text");
    assert!(text.contains("NOTHING WAS STOPPED: every lane only watches (today)"), "{text}");
    // It is latched all the same, and a reset does not say that nothing moves.
    let text = rig.reset()["message"].as_str().expect("a text").to_owned();
    assert!(
        text.ends_with("nothing that passes here moves until arm; today only watches"),
        "{text}"
    );
}

/// A live policy and its successor, which the params file puts above it and in shadow.
fn with_shadow() -> String {
    let shadow = "          next: {topic: next, priority: 50, timeout_s: 60.0, max_rate_hz: 1000.0, burst: 100, mode: shadow, revision: checkpoint-2}\n";
    format!("{BASE}{shadow}")
}

#[test]
fn a_shadow_is_judged_against_its_own_reference_and_never_selected() {
    let mut rig = Rig::new(&with_shadow());
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.publisher("/next", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    let decisions = rig.own("decisions");
    rig.peer.subscribe(&decisions, "interlock/msg/Decision");
    rig.peer.wait_for_writer(&decisions);
    // A shadow that streams motion is no reason not to arm.
    rig.peer.ask("stream", json!({"topic": "/next", "msg": twist(0.75), "hz": 50.0}));
    rig.arm();
    rig.flows("/agent", 0.25);
    let source = rig.wait_count(0, 0, "limited", 10);
    assert_eq!((&source["name"], &source["mode"]), (&json!("next"), &json!("shadow")));
    assert_eq!((&source["passed"], &source["not_selected"]), (&json!(0), &json!(0)), "{source}");
    let state = rig.state();
    assert_eq!(state["lanes"][0]["owner"], "agent");
    let told = rig.wait_message(&decisions, 0, "a decision about the shadow", |one| {
        one.message["shadow"] == true && one.message["verdict"] == 2
    });
    assert_eq!(told.message["revision"], "checkpoint-2");
    // Its counts are its own: in no other count of commands.
    let metric = |rig: &mut Rig, series: &str| -> Option<f64> {
        let metrics = rig.http("/metrics");
        metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    };
    let own = "interlock_shadow_commands_total{lane=\"base\",source=\"next\",verdict=\"limited\"}";
    wait_for("the shadow's own count", || metric(&mut rig, own) >= Some(10.0));
    let other = "interlock_commands_total{lane=\"base\",source=\"next\",verdict=\"limited\"}";
    assert_eq!(metric(&mut rig, other), None);
    let service = rig.own("select_source");
    let kind = "interlock/srv/SelectSource";
    let refused = rig.peer.call(&service, kind, json!({"lane": "base", "source": "next"}));
    assert_eq!(refused["message"], "refused: the source is only judged (mode: shadow)");
    // The live one falls silent, a hold or not: the shadow is no way out.
    rig.trigger("kill");
    let received = rig.peer.received("/cmd_vel", 0);
    let leaked = received.iter().find(|one| goes(one, 0.75) || goes(one, 0.5));
    assert_eq!(leaked, None, "a shadow's command on the output");
}

#[test]
fn a_tap_of_the_robots_present_topic_disturbs_nobody() {
    // The sources of a watched lane may be the very topic that it is to gate later.
    let params = format!(
        "    release_over_ros: true\n    lanes:\n{}",
        WATCHED.replace("gated_vel", "today_vel")
    );
    let mut rig = Rig::new(&params);
    let mut robot = Peer::start_as(&rig.lease, &rig.scratch, "robot", "robot");
    robot.subscribe("/today_vel", TWIST);
    // The robot and the tap.
    rig.peer.publisher_for("/today_vel", TWIST, 2);
    robot.wait_for_writer("/today_vel");
    for x in [0.25, 0.875] {
        rig.peer.publish("/today_vel", twist(x));
        wait_for_some("the robot's own command", || {
            robot.received("/today_vel", 0).into_iter().find(|one| goes(one, x))
        });
    }
    rig.wait_count(0, 0, "limited", 1);
    assert_eq!(robot.count("/today_vel"), 2, "nothing of ours on it");
}
