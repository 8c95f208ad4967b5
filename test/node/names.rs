//! Names, namespaces and remaps: two rcl nodes, and integrators see one.

use serde_json::{Value, json};

use crate::peer::Received;
use crate::rig::{BASE, Rig, TWIST, goes, twist};

const TRIGGER: &str = "std_srvs/srv/Trigger";

/// What one case of remapping makes of the names.
struct Case {
    args: &'static [&'static str],
    /// The node's full name, with which its own names begin.
    node: &'static str,
    kill: &'static str,
    source: &'static str,
    output: &'static str,
}

/// The kill service, the source, the output and the control plane are where the case says.
fn is_reached(case: &Case) {
    let mut rig = Rig::with(BASE, case.args, case.node);
    rig.peer.subscribe(case.output, TWIST);
    rig.peer.publisher(case.source, TWIST);
    rig.peer.wait_for_writer(case.output);
    // Control plane: state (read by now), arm, parameters, permit.
    rig.arm();
    let got: Value = rig.peer.call(
        &format!("{}/get_parameters", case.node),
        "rcl_interfaces/srv/GetParameters",
        json!({"names": ["schema"]}),
    );
    assert_eq!(got["values"][0]["integer_value"], 1);
    let permit = rig.own("permit");
    rig.peer.ask(
        "subscribe",
        json!({"topic": permit, "type": "interlock/msg/Permit", "reliability": "BEST_EFFORT"}),
    );
    rig.wait_message(&permit, 0, "a permit", |one| one.message["permitted"] == true);
    // Source and output.
    rig.peer.publish(case.source, twist(0.25));
    rig.wait_message(case.output, 0, "the command", |one: &Received| goes(one, 0.25));
    // The kill service.
    let from = rig.peer.count(case.output);
    let answer = rig.peer.call(case.kill, TRIGGER, json!({}));
    assert_eq!(answer["success"], true);
    rig.wait_message(case.output, from, "the safe command", |one| goes(one, 0.0));
    let state = rig.wait_lane(0, "safe");
    assert_eq!(state["first_trip"]["cause"], "kill_service");
    // Nothing of it is also where it would be without the rule.
    let graph = rig.peer.ask("graph", json!({}));
    let services = graph["services"].as_array().expect("a list");
    let has = |name: &str| services.iter().any(|one| one == name);
    assert!(has(case.kill));
    assert!(case.kill == "/interlock/kill" || !has("/interlock/kill"), "{services:?}");
    let writers = |topic: &str| graph["topics"][topic]["publishers"].as_array().map_or(0, Vec::len);
    assert_eq!(writers(case.output), 1);
    assert!(case.output == "/cmd_vel" || writers("/cmd_vel") == 0);
    // The texts name the node as it is called here.
    let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
    let text = refused["message"].as_str().expect("a text");
    assert!(text.contains(&format!(" or {}/reset)", case.node)), "{text}");
}

const PLAIN: Case = Case {
    args: &[],
    node: "/interlock",
    kill: "/interlock/kill",
    source: "/agent",
    output: "/cmd_vel",
};

#[test]
fn hazard_59_remap_misses_gate_node_namespace() {
    is_reached(&Case {
        args: &["-r", "__ns:=/left/arm"],
        node: "/left/arm/interlock",
        kill: "/left/arm/interlock/kill",
        source: "/left/arm/agent",
        output: "/left/arm/cmd_vel",
    });
}

#[test]
fn hazard_59_remap_misses_gate_node_node_name() {
    is_reached(&Case {
        args: &["-r", "__node:=guard"],
        node: "/guard",
        kill: "/guard/kill",
        ..PLAIN
    });
}

#[test]
fn hazard_59_remap_misses_gate_node_private_name() {
    is_reached(&Case { args: &["-r", "~/kill:=/all/kill"], kill: "/all/kill", ..PLAIN });
}

#[test]
fn hazard_59_remap_misses_gate_node_rule_for_the_node() {
    is_reached(&Case {
        args: &["-r", "interlock:cmd_vel:=safe/cmd_vel", "-r", "interlock:agent:=policy"],
        source: "/policy",
        output: "/safe/cmd_vel",
        ..PLAIN
    });
}

#[test]
fn hazard_59_remap_misses_gate_node_absolute_name() {
    is_reached(&Case {
        args: &["-r", "/cmd_vel:=/base/cmd_vel", "-r", "/interlock/kill:=/stop"],
        output: "/base/cmd_vel",
        kill: "/stop",
        ..PLAIN
    });
}

#[test]
fn hazard_59_remap_misses_gate_node_global_rule() {
    is_reached(&Case {
        args: &["-r", "agent:=vla", "-r", "cmd_vel:=out", "-r", "__ns:=/r2"],
        node: "/r2/interlock",
        kill: "/r2/interlock/kill",
        source: "/r2/vla",
        output: "/r2/out",
    });
}
