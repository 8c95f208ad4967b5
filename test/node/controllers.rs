//! A controller that is killed and comes back under its own name, beside its own ghost.

use serde_json::json;

use crate::neighbours::{controlled, last_cause};
use crate::peer::Peer;
use crate::rig::{Rig, TWIST, goes, twist};
use crate::support::wait_for;

/// One life of the controller, which does not read yet.
fn life(rig: &Rig, name: &str) -> Peer {
    Peer::start_as(&rig.lease, &rig.scratch, name, "base_controller")
}

fn flow(rig: &mut Rig) {
    rig.arm();
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": twist(0.25), "hz": 50.0}));
    rig.wait_lane(0, "flowing");
}

/// How many readers the node's own writer of the output has.
fn readers(rig: &mut Rig) -> u64 {
    let status = rig.status();
    status["lanes"][0]["subscribers"].as_u64().expect("a count")
}

/// Kills one life in flow; the next one reads, and gets nothing of the policy before the next arm.
fn killed_and_back(rig: &mut Rig, dies: Peer, next: &mut Peer) {
    // As `kill -9` does: nobody takes its reader off the graph.
    drop(dies);
    next.subscribe("/cmd_vel", TWIST);
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    assert_eq!(last_cause(&state), "controller_changed");
    assert_eq!(state["last_trip"]["subject"], "base");
    // As the node sees it: another process may not hear of the new reader for a while after a kill -9.
    assert!(readers(rig) > 1, "it is noticed beside the ghost, not when that goes");
    rig.wait_lane(0, "released");
    let from = next.count("/cmd_vel");
    // The policy, which never stopped, goes on in vain.
    let withheld = rig.wait_count(0, 0, "withheld", 1)["withheld"].as_u64().expect("a count");
    rig.wait_count(0, 0, "withheld", withheld + 10);
    let got = next.received("/cmd_vel", 0);
    assert_eq!(got.len(), from, "a released lane is silent");
    // What came between its first look and the audit's, and then the safe command only.
    let mut rest = got.iter().skip_while(|one| goes(one, 0.25));
    assert!(rest.all(|one| goes(one, 0.0)), "{got:?}");
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.peer.publish("/agent", twist(0.0));
}

#[test]
fn hazard_54_controller_killed_and_back_under_flow() {
    let mut rig = Rig::new(&controlled());
    rig.peer.publisher("/agent", TWIST);
    // The middleware sorts what it lists by what it made of the process. One life of each side of the
    // one that dies first: its ghost is listed before the next life, and after it.
    let mut before = life(&rig, "before");
    let mut first = life(&rig, "first");
    let mut after = life(&rig, "after");
    first.subscribe("/cmd_vel", TWIST);
    flow(&mut rig);
    killed_and_back(&mut rig, first, &mut before);
    flow(&mut rig);
    killed_and_back(&mut rig, before, &mut after);
    let from = after.count("/cmd_vel");
    rig.arm();
    wait_for("the new controller's command", || {
        rig.peer.publish("/agent", twist(0.375));
        after.received("/cmd_vel", from).iter().any(|one| goes(one, 0.375))
    });
}
