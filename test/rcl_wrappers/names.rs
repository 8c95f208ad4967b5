//! Names as the control node sees them, and refusals in rcl's words.

use interlock::ros::rcl::{
    Context, MessageTypeSupport, NameKind, Node, NodeOptions, Publisher, Qos, Subscription,
    resolve_names,
};
use r2r::std_msgs::msg::Bool;

use crate::support::isolated;
use crate::{context, node, publisher};

/// The names without any rule.
const PLAIN: [&str; 4] = ["/interlock/kill", "/topic", "/absolute", "/interlock/state"];

/// Arguments; the node's full name; what the names become.
const CASES: [(&[&str], &str, [&str; 4]); 9] = [
    (&[], "/interlock", PLAIN),
    (
        &["-r", "__ns:=/robot"],
        "/robot/interlock",
        ["/robot/interlock/kill", "/robot/topic", "/absolute", "/robot/interlock/state"],
    ),
    (&["-r", "__node:=gate"], "/gate", ["/gate/kill", "/topic", "/absolute", "/gate/state"]),
    (
        &["-r", "interlock:__node:=gate", "-r", "other:__ns:=/x"],
        "/gate",
        ["/gate/kill", "/topic", "/absolute", "/gate/state"],
    ),
    (
        &["-r", "~/kill:=/stop_all"],
        "/interlock",
        ["/stop_all", "/topic", "/absolute", "/interlock/state"],
    ),
    (
        &["-r", "interlock:topic:=other", "-r", "someone:topic:=wrong"],
        "/interlock",
        ["/interlock/kill", "/other", "/absolute", "/interlock/state"],
    ),
    (
        &["-r", "/absolute:=moved"],
        "/interlock",
        ["/interlock/kill", "/topic", "/moved", "/interlock/state"],
    ),
    (
        &["-r", "rosservice://~/kill:=/stop", "-r", "rostopic://~/kill:=/never"],
        "/interlock",
        ["/stop", "/topic", "/absolute", "/interlock/state"],
    ),
    (
        &["-r", "__ns:=/robot", "-r", "__node:=gate", "-r", "topic:=~/private"],
        "/robot/gate",
        ["/robot/gate/kill", "/robot/gate/private", "/absolute", "/robot/gate/state"],
    ),
];

#[test]
fn names_follow_every_rule_meant_for_the_node() {
    isolated("names::names_follow_every_rule_meant_for_the_node", || {
        let names = [
            (NameKind::Service, "~/kill"),
            (NameKind::Topic, "topic"),
            (NameKind::Topic, "/absolute"),
            (NameKind::Topic, "~/state"),
        ];
        for (args, full_name, expected) in CASES {
            let context = context(args).expect("a context");
            let resolved = resolve_names(&context, "interlock", &names).expect("names");
            assert_eq!(resolved.fully_qualified_name, full_name, "{args:?}");
            assert_eq!(resolved.names, expected, "{args:?}");
            // The gate's node in the same context keeps the name it is given.
            let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
            let name = format!("{}_gate", resolved.node_name);
            let gate = Node::new(&context, &name, &resolved.namespace, options).expect("a node");
            assert_eq!(gate.fully_qualified_name(), format!("{full_name}_gate"), "{args:?}");
            let topic = &resolved.names[1];
            assert_eq!(&gate.resolve_topic(topic).expect("a name"), topic, "not remapped twice");
            let service = &resolved.names[0];
            assert_eq!(&gate.resolve_service(service).expect("a name"), service);
        }
    });
}

#[test]
fn bad_arguments_are_errors_with_rcls_text() {
    isolated("names::bad_arguments_are_errors_with_rcls_text", || {
        let text = |args: &[&str]| context(args).expect_err("a refusal").text;
        assert!(text(&["-r", "not a rule"]).contains("not a rule"), "{}", text(&["-r", "x"]));
        assert!(text(&["--params-file", "/no/such.yaml"]).contains("/no/such.yaml"));
        assert!(text(&["-p", "a"]).contains("-p a"), "{}", text(&["-p", "a"]));
        let unknown = text(&["--parms-file", "x.yaml"]);
        assert_eq!(unknown, "unknown ROS arguments: --parms-file x.yaml");
        assert!(text(&["-r", "a:=b\0c"]).contains("NUL"));
        // A refusal leaves nothing behind that would break the next context.
        let context = context(&["-r", "a:=b"]).expect("a context");
        let id = std::env::var("ROS_DOMAIN_ID").expect("set for this test");
        assert_eq!(context.domain_id().expect("a domain").to_string(), id);
        assert!(Context::new(&[]).is_ok(), "no arguments at all");
    });
}

#[test]
fn bad_names_are_errors_with_rcls_text() {
    isolated("names::bad_names_are_errors_with_rcls_text", || {
        let context = context(&[]).expect("a context");
        let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
        let error = Node::new(&context, "two words", "/", options).expect_err("a bad name");
        assert!(error.text.contains("node name must not contain"), "{error}");
        assert_eq!((error.call, error.code), ("rcl_node_init", 201));
        let node = node(&context, "a");
        let of = MessageTypeSupport::of::<Bool>();
        let error = Publisher::new(&node, of, "/a b", Qos::OUTPUT).expect_err("a bad name");
        assert!(error.text.contains("topic name must not contain characters"), "{error}");
        let error = Subscription::new(&node, of, "/1x", Qos::OUTPUT).expect_err("a bad name");
        assert!(error.text.contains("topic name token must not start with a number"), "{error}");
        let publisher = publisher::<Bool>(&node, "/t");
        assert!(publisher.publish_serialized(&[]).is_err(), "a message has a header");
        assert!(node.resolve_topic("{unknown}").is_err());
    });
}
