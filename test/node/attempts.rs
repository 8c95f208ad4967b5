//! Whoever tries and tries what lets motion begin, over ROS.

use serde_json::{Value, json};

use crate::rig::{BASE, Rig, TWIST};
use crate::support::wait_for;

/// A counter of the scrape; absent: 0.
fn count(rig: &mut Rig, series: &str) -> f64 {
    let metrics = rig.http("/metrics");
    let found = metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
    found.unwrap_or(0.0)
}

/// A reset without the patience that the rig has.
fn reset(rig: &mut Rig, seq: u64) -> Value {
    let request = json!({"seq": seq, "operator_name": "agent", "reason": "again"});
    let service = rig.own("reset");
    rig.peer.call(&service, "interlock/srv/Reset", request)
}

fn is_too_many(answer: &Value) -> bool {
    let text = answer["message"].as_str().expect("a text");
    text.starts_with("refused: too many attempts over ROS")
}

#[test]
fn when_an_agent_asks_and_asks_over_ros_expect_a_bound_and_stops_all_the_same() {
    let mut rig = Rig::new(&BASE.replace("release_over_ros: true", "release_over_ros: false"));
    let (mut asked, mut refused) = (0.0, 0.0);
    wait_for("fifty that are too many", || {
        let answer = reset(&mut rig, 1);
        assert_eq!(answer["success"], false);
        asked += 1.0;
        if is_too_many(&answer) {
            refused += 1.0;
            let text = answer["message"].as_str().expect("a text");
            assert!(text.contains("interlockctl reset"), "the way out: {text}");
        }
        refused >= 50.0
    });
    // What stops is never too much.
    for _ in 0..20 {
        assert_eq!(rig.trigger("kill")["success"], true);
        let text = rig.trigger("disarm")["message"].as_str().expect("a text").to_owned();
        assert!(!text.contains("too many"), "{text}");
    }
    // Each is counted. Told is each that was let through, and the first of those that were not.
    let series = |reason| format!("interlock_reset_refusals_total{{reason=\"{reason}\"}}");
    assert_eq!(count(&mut rig, &series("rate_limited")), refused);
    assert_eq!(count(&mut rig, &series("not_open")), asked - refused);
    let told = count(&mut rig, "interlock_events_total{kind=\"request_refused\"}");
    assert!(told >= 1.0 && told <= asked - refused, "{told} of {refused}");
    wait_for("it in the log", || rig.node.log().contains("rate_limited"));
}

#[test]
fn when_resets_and_arms_take_effect_expect_no_limit_on_them() {
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    for _ in 0..20 {
        rig.trigger("kill");
        let state = rig.wait_state("killed", |state| state["label"] == "killed");
        let answer = reset(&mut rig, state["seq"].as_u64().expect("a seq"));
        assert_eq!(answer["success"], true, "{answer}");
        rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    }
}
