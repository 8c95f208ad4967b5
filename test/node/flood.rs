//! A kill among commands that never end.

use serde_json::json;

use crate::peer::{Peer, Received};
use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::wait_for;

/// Sources of the lane, and the topics that are flooded.
const TOPICS: [&str; 2] = ["/agent", "/second"];
/// Ten times what a source may send, and not all that a machine can do: others run beside this test.
const FLOOD_HZ: f64 = 10_000.0;
/// Commands of each flood before the kill: it is one then.
const MANY: u64 = 2_000;

/// One lane with two sources whose rate nothing bounds, a kill button, and open verbs.
fn params() -> String {
    let more = "          second: {topic: second, priority: 9, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}
    kill_inputs: {button: {type: std_msgs/msg/Bool, topic: button, field: data, asserted_when: true, timeout_s: 60.0}}
";
    let base = BASE.replace("max_acceleration: 1000000.0", "max_acceleration: 1000000000.0");
    // The flood itself must not be what stops.
    format!(
        "{base}{more}    causes: {{gate_stalled: {{action: warn}}, rate_exceeded: {{action: warn}}}}\n"
    )
}

/// A node in motion, flooded from processes of their own, so that the one that kills is not slowed down.
struct Flooded {
    rig: Rig,
    floods: Vec<Peer>,
}

impl Flooded {
    fn new() -> Self {
        let mut rig = Rig::plain(&params());
        rig.peer.subscribe("/cmd_vel", TWIST);
        rig.peer.wait_for_writer("/cmd_vel");
        rig.peer.publisher("/button", "std_msgs/msg/Bool");
        let floods = TOPICS.map(|topic| {
            let name = &topic[1..];
            let mut flood = Peer::start_as(&rig.lease, &rig.scratch, name, name);
            flood.publisher(topic, TWIST);
            flood
        });
        Self { rig, floods: floods.into() }
    }

    fn sent(&mut self) -> [u64; TOPICS.len()] {
        let mut sent = [0; TOPICS.len()];
        for ((flood, topic), sent) in self.floods.iter_mut().zip(TOPICS).zip(&mut sent) {
            *sent = flood.ask("sent", json!({"topic": topic})).as_u64().expect("a count");
        }
        sent
    }

    /// Every source at once, for as long as it takes; returns in the middle of it, with the lane in motion.
    fn begin(&mut self) {
        wait_for("the button to be heard", || {
            self.rig.peer.publish("/button", json!({"data": false}));
            self.rig.state()["kill_inputs"][0]["seen"] == true
        });
        self.rig.arm();
        let from = self.rig.peer.count("/cmd_vel");
        let moves = |one: &Received| goes(one, 0.25);
        wait_for("commands forwarded", || {
            self.floods[0].publish(TOPICS[0], twist(0.25));
            self.rig.peer.received("/cmd_vel", from).iter().any(moves)
        });
        for (flood, topic) in self.floods.iter_mut().zip(TOPICS) {
            flood.ask("stream", json!({"topic": topic, "msg": twist(0.25), "hz": FLOOD_HZ}));
        }
        wait_for("a flood", || self.sent().iter().all(|sent| *sent >= MANY));
        assert_eq!(self.rig.state()["label"], "active", "the flood alone stops nothing");
    }

    /// The kill has been served: the flood goes on, and nothing of it comes out.
    fn is_over(&mut self, cause: &str, from: usize) {
        let state = self.rig.wait_state("killed", |state| state["label"] == "killed");
        assert_eq!(state["first_trip"]["cause"], cause, "{state}");
        let zero =
            self.rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
        drop(zero);
        let before = self.sent();
        wait_for("the flood to go on", || {
            self.sent().iter().zip(before).all(|(now, before)| *now >= before + MANY)
        });
        let after = self.rig.peer.received("/cmd_vel", from);
        let stop = after.iter().position(|one| goes(one, 0.0)).expect("the safe command");
        let passed = after[stop..].iter().filter(|one| !goes(one, 0.0)).count();
        assert_eq!(passed, 0, "commands after the stop");
        for (flood, topic) in self.floods.iter_mut().zip(TOPICS) {
            flood.ask("stop", json!({"topic": topic}));
            // What was sent last lies in the node's queue: a neutral one takes its place.
            flood.publish(topic, twist(0.0));
        }
    }
}

#[test]
fn hazard_14_kill_queued_behind_commands() {
    let mut flooded = Flooded::new();
    for way in ["kill_service", "kill_signal", "kill_input_asserted"] {
        flooded.begin();
        let from = flooded.rig.peer.count("/cmd_vel");
        match way {
            "kill_service" => {
                let answer = flooded.rig.trigger("kill");
                assert_eq!(answer["success"], true, "{answer}");
            }
            "kill_signal" => flooded.rig.node.signal(rustix::process::Signal::USR1),
            _ => flooded.rig.peer.publish("/button", json!({"data": true})),
        }
        flooded.is_over(way, from);
        flooded.rig.peer.publish("/button", json!({"data": false}));
        flooded.rig.wait_state("nothing in the way of a reset", |state| {
            state["unmet"].as_array().is_some_and(Vec::is_empty)
        });
        flooded.rig.reset();
    }
    // It was more than the node takes: commands were overwritten or refused for their rate.
    let metrics = flooded.rig.http("/metrics");
    let lost: f64 = metrics
        .lines()
        .filter(|line| {
            line.starts_with("interlock_commands_lost_total{")
                || line.contains("reason=\"rate_exceeded\"")
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    assert!(lost > 0.0, "{metrics}");
}
