//! Clients that mean harm, or are only broken.

use serde_json::json;

use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::wait_for;

/// Requests of each kind.
const REQUESTS: u64 = 50;

/// Clients that flood the kill service, and the requests of each: one answer after the other, each
/// waiting its 100 ms, they would take minutes.
const FLOODING: u64 = 5;
const FLOOD: u64 = 400;

#[test]
fn hazard_61_hostile_service_client() {
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.arm();
    rig.flows("/agent", 0.25);

    // Sets whose answers cannot be delivered, each of which may hold up the control thread.
    let set = "rcl_interfaces/srv/SetParameters";
    let limit = "lanes.base.limits.linear.x.max_velocity";
    let wide = json!({"parameters": [
        {"name": limit, "value": {"type": 3, "double_value": 99.0}},
    ]});
    rig.peer.ask(
        "call_hostile",
        json!({"service": "/interlock/set_parameters", "type": set, "request": wide,
               "count": REQUESTS}),
    );
    // Commands flow meanwhile, one after the other, and within the file's limit.
    for step in 1..=20_u32 {
        rig.flows("/agent", f64::from(step) / 64.0);
    }
    rig.peer.publish("/agent", twist(9.0));
    let from = rig.peer.count("/cmd_vel").saturating_sub(1);
    rig.wait_message("/cmd_vel", from, "the command at its limit", |one| goes(one, 0.5));

    // Kills whose answers cannot be delivered are kills all the same.
    let mut kills = json!({"service": "/interlock/kill", "type": "std_srvs/srv/Trigger",
                           "count": 1});
    let from = rig.peer.count("/cmd_vel");
    wait_for("the first hostile kill to arrive", || {
        // A client that is not matched yet loses its requests.
        rig.peer.ask("call_hostile", kills.clone());
        rig.http("/status").contains("\"state\":\"killed\"")
    });
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    kills["count"] = json!(FLOOD);
    kills["clients"] = json!(FLOODING);
    rig.peer.ask("call_hostile", kills);
    // Who can be answered is answered, from the first of the flood on.
    assert_eq!(rig.trigger("kill")["success"], true);

    // With those answers outstanding: the verbs work, commands flow, and somebody else's kill stops
    // them and is answered.
    rig.reset();
    rig.arm();
    for step in 1..=20_u32 {
        rig.flows("/agent", f64::from(step) / 64.0);
    }
    let seq = rig.wait_lane(0, "flowing")["seq"].as_u64().expect("a seq");
    let from = rig.peer.count("/cmd_vel");
    assert_eq!(rig.trigger("kill")["success"], true);
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    assert!(rig.wait_lane(0, "safe")["seq"].as_u64() > Some(seq));

    // It was hostile: the answers did fail, on both threads, and were counted or told.
    wait_for("failed answers to kills", || {
        let metrics = rig.http("/metrics");
        let failed = metrics.lines().find_map(|line| {
            line.strip_prefix("interlock_events_total{kind=\"middleware_failed\"} ")
        });
        failed.and_then(|count| count.parse().ok()).unwrap_or(0) >= 10
    });
    assert!(rig.node.log().contains("~/set_parameters"), "{}", rig.node.log());
    // And nothing was set.
    let values = rig.peer.call(
        "/interlock/get_parameters",
        "rcl_interfaces/srv/GetParameters",
        json!({"names": [limit]}),
    );
    assert_eq!(values["values"][0]["double_value"], 0.5);
    assert!(rig.node.lives(), "{}", rig.node.log());
}
