//! `/livez` and `/readyz`, asked of the real node.

use serde_json::json;

use crate::endings::hold;
use crate::rig::{BASE, Rig, TWIST};
use crate::support::wait_for;

const BOOL: &str = "std_msgs/msg/Bool";
/// One with a heartbeat, and one without, which nobody publishes.
const INPUTS: &str = "    kill_inputs:
      button: {type: std_msgs/msg/Bool, topic: button, field: data, asserted_when: true, timeout_s: 0.5}
      wired: {type: std_msgs/msg/Bool, topic: wired, field: data, asserted_when: true, allow_no_heartbeat: true}
";

/// Waits for `/readyz` to say this, and these words first of all.
fn wait_ready(rig: &mut Rig, code: u16, reasons: &[&str]) {
    let mut last = (0, Vec::new());
    for _ in 0..2_000 {
        last = rig.probe("/readyz");
        let fits = last.1.iter().zip(reasons).all(|(found, begin)| found.starts_with(begin));
        if last.0 == code && last.1.len() == reasons.len() && fits {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("waited for {code} {reasons:?}; it is {last:?}");
}

#[test]
fn when_what_arming_needs_comes_and_goes_expect_readyz_to_say_so_and_an_arm_to_agree() {
    let mut rig = Rig::new(&format!("{BASE}{INPUTS}"));
    let unread = "nobody reads lane base";
    wait_ready(&mut rig, 503, &[unread, "kill input button not heard yet"]);
    rig.peer.subscribe("/cmd_vel", TWIST);
    wait_ready(&mut rig, 503, &["kill input button not heard yet"]);
    rig.peer.publisher("/button", BOOL);
    let alive = json!({"topic": "/button", "msg": {"data": false}, "hz": 50.0});
    rig.peer.ask("stream", alive.clone());
    wait_ready(&mut rig, 200, &[]);
    rig.arm();
    assert_eq!(rig.trigger("disarm")["success"], true);
    rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    // Silent: nothing latches while nothing can move, and nobody can arm.
    rig.peer.ask("stop", json!({"topic": "/button"}));
    wait_ready(&mut rig, 503, &["kill input button silent for "]);
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    assert_eq!(rig.verb("arm", seq)["success"], false);
    rig.peer.ask("stream", alive);
    wait_ready(&mut rig, 200, &[]);
    rig.peer.ask("unsubscribe", json!({"topic": "/cmd_vel"}));
    wait_ready(&mut rig, 503, &[unread]);
    assert_eq!(rig.probe("/livez"), (200, Vec::new()));
}

#[test]
fn when_the_gate_thread_stands_still_expect_livez_to_say_so() {
    let mut rig = Rig::new(BASE);
    wait_for("a life that is told", || rig.probe("/livez") == (200, Vec::new()));
    // First the thread that would end the process for it.
    let Some(_watchdog) = hold(&rig, "watchdog") else { return };
    let Some(_gate) = hold(&rig, "gate") else { return };
    wait_for("livez to be 503", || rig.probe("/livez").0 == 503);
    let (_, reasons) = rig.probe("/livez");
    assert!(reasons.len() == 1 && reasons[0].starts_with("the gate thread ticked "), "{reasons:?}");
    assert!(rig.node.lives());
}
