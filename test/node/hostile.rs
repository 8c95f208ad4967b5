//! Clients that mean harm, or are only broken.

use serde_json::json;

use crate::rig::{BASE, Rig, TWIST, goes};

/// Requests of each kind.
const REQUESTS: u64 = 50;

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
    rig.peer.publish("/agent", crate::rig::twist(9.0));
    let from = rig.peer.count("/cmd_vel").saturating_sub(1);
    rig.wait_message("/cmd_vel", from, "the command at its limit", |one| goes(one, 0.5));

    // Kills whose answers cannot be delivered are kills all the same.
    let kill = json!({"service": "/interlock/kill", "type": "std_srvs/srv/Trigger",
                      "count": REQUESTS});
    let from = rig.peer.count("/cmd_vel");
    crate::support::wait_for("the first hostile kill to arrive", || {
        // A client that is not matched yet loses its requests.
        rig.peer.ask("call_hostile", json!({"service": "/interlock/kill",
            "type": "std_srvs/srv/Trigger", "count": 1}));
        rig.http("/status").contains("\"state\":\"killed\"")
    });
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    rig.peer.ask("call_hostile", kill.clone());
    // Somebody else's kill is answered, and so is everything after it.
    let answer = rig.trigger("kill");
    assert_eq!(answer["success"], true);
    assert!(rig.node.lives(), "{}", rig.node.log());
    rig.reset();
    rig.arm();
    for step in 1..=20_u32 {
        rig.flows("/agent", f64::from(step) / 64.0);
    }

    // Now with answers of both kinds outstanding: an honest kill stops at once, though its answer
    // may come late. The safe command is out before the reply thread is through with the others.
    let failed = |rig: &mut Rig| -> u64 {
        let metrics = rig.http("/metrics");
        let line = metrics.lines().find(|line| {
            line.starts_with("interlock_middleware_errors_total") && line.contains("reply")
        });
        let count = line.and_then(|line| line.rsplit(' ').next()).and_then(|n| n.parse().ok());
        count.unwrap_or(0)
    };
    let before = failed(&mut rig);
    assert!(before > 0, "no answer failed: the client was not hostile");
    let values = rig.peer.call(
        "/interlock/get_parameters",
        "rcl_interfaces/srv/GetParameters",
        json!({"names": [limit]}),
    );
    assert_eq!(values["values"][0]["double_value"], 0.5);
    assert!(rig.node.lives(), "{}", rig.node.log());
}
