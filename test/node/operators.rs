//! The control socket and `interlockctl` against the real node.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::Output;

use serde_json::{Value, json};

use crate::monitor::wait_series;
use crate::rig::{BASE, Node, Rig, TWIST};
use crate::support::{Scratch, wait_for};

/// Closed over ROS, as shipped.
fn closed() -> String {
    BASE.replace("release_over_ros: true", "release_over_ros: false")
}

/// Runs the tool for the rig's node, and for no other that this machine has: a kill without a place
/// reaches all of them.
pub(crate) fn ctl(rig: &Rig, arguments: &[&str]) -> Output {
    let mut command = rig.lease.command(env!("CARGO_BIN_EXE_interlockctl"));
    command.arg("--socket").arg(rig.lease.socket());
    command.args(arguments).stdin(std::process::Stdio::null());
    command.output().expect("run interlockctl")
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// Runs it, and it must end well.
fn done(rig: &Rig, arguments: &[&str]) -> String {
    let output = ctl(rig, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    said(&output)
}

fn arm(rig: &Rig) {
    let mut last = String::new();
    for _ in 0..100 {
        let output = ctl(rig, &["arm", "--yes"]);
        if output.status.success() {
            return;
        }
        last = said(&output);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("no arm over the socket: {last}");
}

fn flowing(params: &str) -> Rig {
    let mut rig = Rig::new(params);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    arm(&rig);
    rig.flows("/agent", 0.25);
    rig
}

/// One line to the socket, one back.
fn ask(stream: &UnixStream, request: &Value) -> Value {
    let mut writer = stream;
    writeln!(writer, "{request}").expect("send");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

#[test]
fn hazard_49_agent_releases_itself_and_an_operator_does() {
    let mut rig = flowing(&closed());
    // The agent can stop the robot over ROS, and cannot let it go again.
    assert_eq!(rig.trigger("kill")["success"], true);
    let killed = rig.wait_state("killed", |state| state["label"] == "killed");
    let refused = rig.verb("reset", killed["seq"].as_u64().expect("a seq"));
    assert_eq!(refused["success"], false);
    let text = refused["message"].as_str().expect("a text");
    assert!(text.contains("interlockctl reset"), "the way out: {text}");
    assert_eq!(rig.state()["label"], "killed");
    // The operator can, and is named.
    let text = done(&rig, &["reset", "--yes", "--reason", "area clear", "--operator", "maria"]);
    assert!(text.contains("nothing moves until arm"), "{text}");
    rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    arm(&rig);
    rig.flows("/agent", 0.375);
    // A disarm is open to it as well: it stops, and the agent cannot take it back.
    assert_eq!(rig.trigger("disarm")["success"], true);
    let disarmed = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    let refused = rig.verb("arm", disarmed["seq"].as_u64().expect("a seq"));
    assert_eq!(refused["success"], false);
    assert_eq!(rig.state()["label"], "disarmed");
    let history = done(&rig, &["history"]);
    assert!(history.contains("(interlockctl) as maria: \"area clear\""), "{history}");
    wait_for("the reset in the log", || rig.node.log().contains("as maria"));
}

#[test]
fn a_kill_over_the_socket_works_from_any_state_and_names_who_and_why() {
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    // Disarmed.
    let text = done(&rig, &["kill", "--reason", "arm near table"]);
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    let seq = state["seq"].as_u64().expect("a seq");
    assert!(text.starts_with(&format!("killed, seq {seq}")), "{text}");
    assert_eq!(state["first_trip"]["cause"], "kill_socket");
    let state = rig.wait_state("the operator", |state| {
        let name = state["first_trip"]["operator_name"].as_str().expect("a name");
        name.starts_with("uid ") && name.ends_with("(interlockctl)")
    });
    assert!(state["first_trip"]["detail"].as_str().expect("one").contains("arm near table"));
    let status = ctl(&rig, &["status"]);
    assert_eq!(status.status.code(), Some(1), "killed");
    assert!(
        said(&status).starts_with(&format!("KILLED  seq {seq}   by uid ")),
        "{}",
        said(&status)
    );
    // Killed: the same cause again.
    done(&rig, &["kill"]);
    // Active.
    done(&rig, &["reset", "--yes"]);
    arm(&rig);
    rig.flows("/agent", 0.25);
    let from = rig.peer.count("/cmd_vel");
    done(&rig, &["kill"]);
    rig.wait_state("killed", |state| state["label"] == "killed");
    rig.wait_message("/cmd_vel", from, "zero", |one| one.message == twist_of_zeros());
}

fn twist_of_zeros() -> Value {
    let zero = json!({"x": 0.0, "y": 0.0, "z": 0.0});
    json!({"linear": zero, "angular": zero})
}

#[test]
fn a_kill_is_served_when_as_many_clients_are_connected_as_may_be() {
    let mut rig = flowing(BASE);
    let connect = || UnixStream::connect(rig.lease.socket()).expect("connect");
    let held: Vec<UnixStream> = (0..16).map(|_| connect()).collect();
    for stream in &held {
        assert_eq!(ask(stream, &json!({"v": 1, "verb": "status"}))["ok"], true);
    }
    let refused = ask(&connect(), &json!({"v": 1, "verb": "status"}));
    assert_eq!(refused["error"], "too_many_clients");
    done(&rig, &["kill"]);
    rig.wait_state("killed", |state| state["label"] == "killed");
    drop(held);
    wait_for("a free place", || ctl(&rig, &["reset", "--yes"]).status.success());
}

#[test]
fn hazard_42_stale_arm_accepted_over_the_real_socket() {
    let mut rig = Rig::new(BASE);
    // Somebody reads the output, so that an arm is possible at all.
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    let stream = UnixStream::connect(rig.lease.socket()).expect("connect");
    done(&rig, &["kill"]);
    done(&rig, &["reset", "--yes"]);
    rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    // What was meant for the state before the kill is refused, and says which seq is in force.
    let answer = ask(&stream, &json!({"v": 1, "verb": "arm", "seq": seq}));
    assert_eq!((&answer["ok"], &answer["error"]), (&json!(false), &json!("refused")));
    let text = answer["message"].as_str().expect("a text");
    assert!(text.contains(&format!("seq is {} now", seq + 2)), "{text}");
    assert_eq!(answer["seq"], seq + 2);
    assert_eq!(rig.state()["label"], "disarmed");
    let answer = ask(&stream, &json!({"v": 1, "verb": "reset", "seq": seq + 1}));
    assert_eq!(answer["ok"], false, "nothing is killed: {answer}");
    arm(&rig);
    let answer = ask(&stream, &json!({"v": 1, "verb": "arm", "seq": seq + 2}));
    assert_eq!(answer["ok"], false, "{answer}");
}

#[test]
fn an_operator_chooses_a_source_waits_and_disarms() {
    let mut rig = flowing(&closed());
    done(&rig, &["wait", "--state", "active", "--timeout", "60"]);
    assert_eq!(done(&rig, &["select-source", "base", "agent"]), "agent is in charge\n");
    assert_eq!(done(&rig, &["select-source", "base"]), "by priority again\n");
    let refused = ctl(&rig, &["select-source", "base", "nobody"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("there are: agent"), "{}", said(&refused));
    let refused = ctl(&rig, &["arm", "--yes"]);
    assert!(said(&refused).contains("already active"), "{}", said(&refused));
    done(&rig, &["disarm", "--reason", "lunch"]);
    rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    let late = ctl(&rig, &["wait", "--state", "killed", "--timeout", "0.2"]);
    assert_eq!(late.status.code(), Some(1), "{}", said(&late));
    // What the doctor finds is this machine's; what it asks the node is the node's.
    let text = said(&ctl(&rig, &["doctor"]));
    for part in ["ok           socket", "ok           rights", "ok           controllers"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    // Without HTTP and ROS it is the same; after the node's end it says so.
    let other = ended(&rig);
    drop(std::mem::replace(&mut rig.node, other));
    let gone = ctl(&rig, &["history"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(said(&gone).contains("it is not running"), "{}", said(&gone));
    let gone = ctl(&rig, &["doctor"]);
    assert_ne!(gone.status.code(), Some(0));
    assert!(said(&gone).contains("  state_dir  "), "{}", said(&gone));
}

/// A node that has ended at once: its params file is not there.
fn ended(rig: &Rig) -> Node {
    Node::start(&rig.lease, &rig.scratch, &["--ros-args", "--params-file", "/none.yaml"])
}

#[test]
fn a_second_node_on_one_socket_does_not_start_and_harms_nobody() {
    let mut rig = Rig::new(BASE);
    let file = rig.scratch.path().join("params.yaml");
    let args = ["--ros-args", "--params-file", file.to_str().expect("a plain path")];
    let scratch = Scratch::new();
    let mut second = Node::start(&rig.lease, &scratch, &args);
    assert_eq!(second.ended().code(), Some(70));
    assert!(second.log().contains("another node has"), "{}", second.log());
    assert!(second.log().contains("control_socket.path"), "{}", second.log());
    done(&rig, &["kill"]);
    rig.wait_state("killed", |state| state["label"] == "killed");
}

#[test]
fn when_who_asked_has_gone_expect_it_told_and_a_name_with_a_nul_to_harm_nobody() {
    let mut rig = Rig::new(BASE);
    let ask = br#"{"v":1,"verb":"reset","seq":1,"operator":"eve\u0000\nnobody"}"#;
    wait_for("a wish withdrawn", || {
        let mut client = UnixStream::connect(rig.lease.socket()).expect("connect");
        client.write_all(&[&ask[..], b"\n"].concat()).expect("send");
        drop(client);
        rig.node.log().contains("as eve??nobody refused: withdrawn")
    });
    assert!(!rig.node.log().contains("\nnobody"), "one line: {}", rig.node.log());
    // It is told on /rosout, too, by a thread that lives.
    assert_eq!(rig.trigger("kill")["success"], true);
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert!(rig.verb("reset", state["seq"].as_u64().expect("a seq"))["success"] == true);
    assert!(rig.node.lives(), "{}", rig.node.log());
    let refused = "interlock_reset_refusals_total{reason=\"withdrawn\"}";
    wait_series(&mut rig, refused, |count| count >= 1.0);
}
