//! What goes out after a crash in motion, with the latch on disk.

use serde_json::json;

use crate::commands::stands;
use crate::peer::Peer;
use crate::rig::{BASE, BODY, Rig, STATES, TWIST, goes};
use crate::support::wait_for;

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";
const JOINTS: &str = "sensor_msgs/msg/JointState";

/// Below a balance loop.
const LEGS: &str = "      legs:
        type: std_msgs/msg/Float64MultiArray
        interface: effort
        balance: true
        output: legs_out
        joints: [ankle]
        feedback: states
        limits: {max_effort: 5.0}
        safe: {command: values, values: [0.0]}
        sources: {agent: {topic: legs_in, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}}
";

const OUTPUTS: [(&str, &str); 3] =
    [("/cmd_vel", TWIST), ("/body_out", ARRAY), ("/legs_out", ARRAY)];

fn counts(rig: &mut Rig) -> [usize; 3] {
    OUTPUTS.map(|(topic, _)| rig.peer.count(topic))
}

/// More zeros of the base: time in which the others could have spoken.
fn zeros(rig: &mut Rig) {
    let more = rig.peer.count("/cmd_vel") + 20;
    wait_for("more zeros", || rig.peer.count("/cmd_vel") >= more);
}

#[test]
fn hazard_38_start_drops_robot_killed_while_active() {
    let mut rig = Rig::persisted(&format!("{BASE}{BODY}{LEGS}{STATES}"));
    for (topic, kind) in OUTPUTS {
        rig.peer.subscribe(topic, kind);
    }
    for (topic, kind) in [("/agent", TWIST), ("/body_in", ARRAY), ("/legs_in", ARRAY)] {
        rig.peer.publisher(topic, kind);
    }
    for (topic, _) in OUTPUTS {
        rig.peer.wait_for_writer(topic);
    }
    stands(&mut rig, &["hip", "knee", "ankle"]);
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.25);
    for (topic, out, data) in
        [("/body_in", "/body_out", json!([0.5, 0.25])), ("/legs_in", "/legs_out", json!([1.5]))]
    {
        let from = rig.peer.count(out);
        wait_for(out, || {
            rig.peer.publish(topic, json!({"data": data}));
            rig.peer.received(out, from).iter().any(|one| one.message["data"] == data)
        });
    }

    // `kill -9` in motion, and the next run: killed, and it knows why.
    rig.node.process.stop();
    let from = counts(&mut rig);
    let state = rig.run_again("second");
    assert_eq!(state["label"], "killed");
    assert_eq!(state["first_trip"]["cause"], "unclean_restart");
    assert_eq!(state["permitted"], false);
    // Zero on the lane of velocities. No pose is measured, so the others are silent.
    zeros(&mut rig);
    assert_eq!(counts(&mut rig)[1..], from[1..]);
    // Restarted once more before a pose was measured, it knows that as well.
    rig.node.process.stop();
    let state = rig.run_again("third");
    assert_eq!(state["first_trip"]["cause"], "unclean_restart");
    zeros(&mut rig);
    assert_eq!(counts(&mut rig)[1..], from[1..]);
    // The pose that is measured is held: not the last target of the run before.
    let mut robot = Peer::start(&rig.lease, &rig.scratch, "robot");
    robot.publisher("/states", JOINTS);
    let pose = json!({"name": ["hip", "knee", "ankle"], "position": [0.75, -0.5, 0.1],
                      "velocity": [0.0, 0.0, 0.0]});
    wait_for("the measured pose, held", || {
        robot.publish("/states", pose.clone());
        rig.peer.count("/body_out") > from[1] + 10
    });
    let held = rig.peer.received("/body_out", from[1]);
    assert!(held.iter().all(|one| one.message["data"] == json!([0.75, -0.5])), "{held:?}");
    // Below the balance loop nothing goes out, whatever is measured or asked.
    robot.publisher("/legs_in", ARRAY);
    robot.publish("/legs_in", json!({"data": [1.5]}));
    rig.wait_count(2, 0, "withheld", 1);
    zeros(&mut rig);
    assert_eq!(rig.peer.count("/legs_out"), from[2]);
    assert_eq!(rig.state()["lanes"][2]["label"], "released");
    // And that is said, where somebody looks and where somebody reads later.
    let silent = "SILENT although the last run ended while active: the robot may still follow its last \
                  command, hold it; a kill sends values, reset and arm let commands pass";
    assert!(rig.node.log().contains(&format!("lane 'legs': {silent}")), "{}", rig.node.log());
    let status = rig.status();
    let notes = |lane: usize| status["lanes"][lane]["notes"].to_string();
    assert!(notes(2).contains(silent), "{status}");
    assert!(!notes(0).contains("SILENT") && !notes(1).contains("SILENT"), "{status}");
    let sent = rig.peer.received("/cmd_vel", from[0]);
    assert!(sent.iter().all(|one| goes(one, 0.0)));

    // A kill of this run takes it.
    let kill = rig.own("kill");
    assert_eq!(robot.call(&kill, "std_srvs/srv/Trigger", json!({}))["success"], true);
    let first = rig.wait_message("/legs_out", from[2], "its safe command", |_| true);
    assert_eq!(first.message["data"], json!([0.0]));
}
