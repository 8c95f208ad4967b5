//! Parameters at run time, and configurations with which nothing starts.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use crate::peer::Peer;
use crate::rig::{BASE, Node, Rig, TWIST};
use crate::support::{DomainLease, Scratch, domain_lease};

/// What `rcl_interfaces/ParameterValue` calls its types.
const NOT_SET: u64 = 0;
const DOUBLE: u64 = 3;
const STRING: u64 = 4;

#[test]
fn hazard_25_safety_off_at_run_time() {
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.arm();
    let limit = "lanes.base.limits.linear.x.max_velocity";
    let service = |name: &str| (format!("/interlock/{name}"), camel(name));

    // A set of anything is refused with the reason: a limit, a new name, what is there already.
    let wide = json!({"type": DOUBLE, "double_value": 99.0});
    let same = json!({"type": DOUBLE, "double_value": 0.5});
    let parameters = json!([
        {"name": limit, "value": wide}, {"name": "lanes.base.mode", "value": {"type": STRING}},
        {"name": limit, "value": same}, {"name": "use_sim_time", "value": {"type": 1, "bool_value": true}},
    ]);
    let (name, kind) = service("set_parameters");
    let answer = rig.peer.call(&name, &kind, json!({"parameters": parameters}));
    let results = answer["results"].as_array().expect("a list").clone();
    let (name, kind) = service("set_parameters_atomically");
    let atomic = rig.peer.call(&name, &kind, json!({"parameters": parameters}));
    assert_eq!(results.len(), 4);
    for result in results.iter().chain([&atomic["result"]]) {
        assert_eq!(result["successful"], false);
        let reason = result["reason"].as_str().expect("a text");
        assert!(reason.contains("read-only") && reason.contains("params file"), "{reason}");
    }

    // They all agree with the file.
    let (name, kind) = service("list_parameters");
    let listed = rig.peer.call(&name, &kind, json!({}));
    let names = listed["result"]["names"].clone();
    let names: Vec<String> = serde_json::from_value(names).expect("names");
    for expected in [limit, "schema", "lanes.base.sources.agent.max_rate_hz", "arm.settle_s"] {
        assert!(names.iter().any(|name| name == expected), "{expected} in {names:?}");
    }
    let some = json!(["schema", limit, "lanes.base.output", "lanes.base.feedback", "nobody"]);
    let (name, kind) = service("get_parameters");
    let got = rig.peer.call(&name, &kind, json!({"names": some}));
    let values = got["values"].as_array().expect("a list");
    assert_eq!(values[0]["integer_value"], 1);
    assert_eq!(values[1]["double_value"], 0.5, "as in the file, not as somebody set it");
    assert_eq!(values[2]["string_value"], "cmd_vel");
    assert_eq!(values[3]["string_value"], "none");
    assert_eq!(values[4]["type"], NOT_SET);
    let (name, kind) = service("get_parameter_types");
    let types = rig.peer.call(&name, &kind, json!({"names": some}));
    assert_eq!(types["types"], json!([2, DOUBLE, STRING, STRING, NOT_SET]));
    let (name, kind) = service("describe_parameters");
    let described = rig.peer.call(&name, &kind, json!({"names": names}));
    let descriptors = described["descriptors"].as_array().expect("a list");
    assert_eq!(descriptors.len(), names.len());
    for (descriptor, name) in descriptors.iter().zip(&names) {
        assert_eq!(&descriptor["name"], name);
        assert_eq!(descriptor["read_only"], true, "{name}");
    }

    // And the limit is the one in the file.
    let sent = rig.peer.serialize(TWIST, crate::rig::twist(99.0));
    rig.peer.publish_bytes("/agent", &sent);
    rig.wait_message("/cmd_vel", 0, "the limited command", |one| crate::rig::goes(one, 0.5));
}

/// `get_parameters` to `rcl_interfaces/srv/GetParameters`.
fn camel(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    format!("rcl_interfaces/srv/{}", words.collect::<String>())
}

/// Runs the node to its end with these arguments; returns the exit code and what it wrote.
fn refused(lease: &DomainLease, scratch: &Scratch, args: &[&str]) -> (Option<i32>, String) {
    let mut node = Node::start(lease, scratch, args);
    let code = node.ended().code();
    (code, node.log())
}

#[test]
fn hazard_32_config_fails_open() {
    let (lease, scratch) = (domain_lease(), Scratch::new());
    // Everything the node would publish on, watched from before it starts.
    let mut peer = Peer::start(&lease, &scratch, "peer");
    peer.subscribe("/cmd_vel", TWIST);
    peer.subscribe("/interlock/permit", "interlock/msg/Permit");
    peer.subscribe("/interlock/state", "interlock/msg/State");
    let head = "interlock:\n  ros__parameters:\n    schema: 1\n    http: {enabled: false}\n";
    let good = format!("{head}{BASE}");
    let cases: [(&str, String, &[&str]); 5] = [
        ("unknown key", good.replace("safe:", "saef:"), &["lanes.base.saef", "did you mean"]),
        ("unknown word", good.replace("zero_velocity", "zero"), &["zero_velocity", "allowed:"]),
        ("no lanes", head.to_owned(), &["lanes"]),
        (
            "not yet available",
            good.replace("    lanes:", "    feedback: {arm: {type: sensor_msgs/msg/JointState, topic: joints, timeout_s: 1.0, \
             fields: {effort: 'effort[]'}}}\n    lanes:"),
            &["feedback.arm.fields.effort: is", "not available yet"],
        ),
        (
            "two at once",
            good.replace("max_velocity: 0.5", "max_velocity: -0.5")
                .replace("priority: 10", "priority: 0"),
            &["2 problems, not started", "max_velocity", "priority"],
        ),
    ];
    for (what, text, expected) in cases {
        let file = scratch.write("params.yaml", &text);
        let file = file.to_str().expect("a plain path");
        let (code, log) = refused(&lease, &scratch, &["--ros-args", "--params-file", file]);
        assert_eq!(code, Some(78), "{what}: {log}");
        for expected in expected {
            assert!(log.contains(expected), "{what}: {expected} in:\n{log}");
        }
        assert!(log.contains("not started") && log.contains("to fix:"), "{what}: {log}");
    }
    let (code, log) = refused(&lease, &scratch, &["--ros-args", "--params-file", "/nobody.yaml"]);
    assert_eq!(code, Some(78), "{log}");
    let (code, log) = refused(&lease, &scratch, &[]);
    assert_eq!(code, Some(78), "no file at all is no configuration: {log}");
    for topic in ["/cmd_vel", "/interlock/permit", "/interlock/state"] {
        assert_eq!(peer.count(topic), 0, "{topic}");
        let graph = peer.ask("graph", json!({}));
        assert_eq!(graph["topics"][topic]["publishers"], json!([]), "{topic}");
    }
}

#[test]
fn hazard_58_params_misread() {
    let (lease, scratch) = (domain_lease(), Scratch::new());
    let head = "interlock:\n  ros__parameters:\n    schema: 1\n    http: {enabled: false}\n";
    let good = format!("{head}{BASE}");
    // What rcl would read in another way than a person is refused by name; what a rule of the
    // command line says differently from any file counts, and is checked like one.
    let cases: [(&str, String, &[&str], &str); 6] = [
        ("octal", good.replace("priority: 10", "priority: 010"), &[], "priority"),
        (
            "empty list",
            good.replace("    lanes:", "    foreign_parameters: []\n    lanes:"),
            &[],
            "foreign_parameters",
        ),
        (
            "a word that is a bool",
            good.replace("output: cmd_vel", "output: on"),
            &[],
            "lanes.base.output",
        ),
        (
            "twice",
            good.replace("    lanes:", "    tick_hz: 50.0\n    tick_hz: 60.0\n    lanes:"),
            &[],
            "tick_hz",
        ),
        (
            "a key with a dot",
            good.replace("    lanes:", "    arm.more: {settle_s: 0.1}\n    lanes:"),
            &[],
            "arm.more",
        ),
        ("a rule", good.clone(), &["-p", "tick_hz:=0"], "tick_hz"),
    ];
    for (what, text, more, key) in cases {
        let file = scratch.write("params.yaml", &text);
        let mut args = vec!["--ros-args", "--params-file", file.to_str().expect("a plain path")];
        args.extend(more);
        let (code, log) = refused(&lease, &scratch, &args);
        assert_eq!(code, Some(78), "{what}: {log}");
        assert!(log.contains(key) && log.contains("not started"), "{what}: {log}");
    }
}

/// Two topics that a remap makes one: an output that would come back as a command.
#[test]
fn when_a_remap_brings_an_output_and_a_source_together_expect_no_start() {
    let (lease, scratch) = (domain_lease(), Scratch::new());
    let head = "interlock:\n  ros__parameters:\n    schema: 1\n    http: {enabled: false}\n";
    let file = scratch.write("params.yaml", &format!("{head}{BASE}"));
    let file = file.to_str().expect("a plain path");
    for (rule, topic) in [("agent:=cmd_vel", "/cmd_vel"), ("cmd_vel:=/agent", "/agent")] {
        let args = ["--ros-args", "--params-file", file, "-r", rule];
        let (code, log) = refused(&lease, &scratch, &args);
        assert_eq!(code, Some(78), "{rule}: {log}");
        let expected = format!(
            "lanes.base.output and lanes.base.sources.agent.topic are both {topic} after remapping"
        );
        assert!(log.contains(&expected), "{rule}: {log}");
        // The check says it with the same arguments, and needs no ROS for it.
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let (code, text) = interlock::config::check::check(&args);
        assert_eq!(code, 78, "{rule}: {text}");
        let both = format!("and lanes.base.sources.agent.topic are both {topic} after remapping");
        assert!(text.contains(&both), "{rule}: {text}");
    }
}

/// A file that says one thing to the first reader and another to the second, as one that is
/// rewritten while the node starts.
fn two_faced(scratch: &Scratch, first: String, second: String) -> PathBuf {
    let path = scratch.path().join("changing.yaml");
    let made = Command::new("mkfifo").arg(&path).status().expect("run mkfifo");
    assert!(made.success());
    let pipe = path.clone();
    thread::spawn(move || {
        // Opening waits for a reader; both ends of the pipe see one text.
        let write =
            |text: &str| File::options().write(true).open(&pipe)?.write_all(text.as_bytes());
        write(&first)?;
        // Without waiting it fails as soon as the first reader has gone.
        let mut look = File::options();
        look.write(true).custom_flags(libc::O_NONBLOCK);
        while look.open(&pipe).is_ok() {
            thread::yield_now();
        }
        write(&second)
    });
    path
}

#[test]
fn hazard_58_params_misread_by_rcl() {
    let (lease, scratch) = (domain_lease(), Scratch::new());
    let head = "interlock:\n  ros__parameters:\n    schema: 1\n    http: {enabled: false}\n";
    let good = format!("{head}{BASE}");
    let other = good.replace("max_velocity: 0.5", "max_velocity: 5.0");
    let file = two_faced(&scratch, good, other);
    let args = ["--ros-args", "--params-file", file.to_str().expect("a plain path")];
    let (code, log) = refused(&lease, &scratch, &args);
    assert_eq!(code, Some(78), "{log}");
    for expected in ["lanes.base.limits.linear.x.max_velocity", "0.5", "5", "rcl", "not started"] {
        assert!(log.contains(expected), "{expected} in:\n{log}");
    }
}

#[test]
fn hazard_58_the_node_starts_with_what_rcl_read() {
    // A rule of the command line over the file: rcl and the node say the same.
    let params = format!("{BASE}    tick_hz: 50.0\n");
    let mut rig =
        Rig::with(&params, &["-p", "tick_hz:=40.0", "-p", "hardware_id:=one"], "/interlock");
    assert_eq!(rig.state()["hardware_id"], "one");
    let request = json!({"names": ["tick_hz", "hardware_id"]});
    let kind = "rcl_interfaces/srv/GetParameters";
    let got: Value = rig.peer.call("/interlock/get_parameters", kind, request);
    assert_eq!(got["values"][0]["double_value"], 40.0);
    assert_eq!(got["values"][1]["string_value"], "one");
}
