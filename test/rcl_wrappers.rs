//! The rcl wrappers on a real rcl and a real middleware.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use interlock::ros::rcl::{
    Context, Durability, MessageInfo, MessageTypeSupport, NameKind, Node, NodeOptions, Publisher,
    Qos, RclError, RclValue, Reliability, Reported, SerializedBuffer, Subscription, WakeSet,
    count_publishers, parameter_overrides, parse_param_value, parse_params_file, publishers_info,
    resolve_names, subscriptions_info,
};
use r2r::WrappedTypesupport;
use r2r::std_msgs::msg::{Bool, String as Text};
use support::{Scratch, isolated, wait_for, wait_for_some};

#[path = "support/mod.rs"]
mod support;

/// Bytes that most messages here fit into.
const CAPACITY: usize = 1024;

fn context(ros_args: &[&str]) -> Result<Arc<Context>, RclError> {
    let mut args = vec!["program".to_owned()];
    if !ros_args.is_empty() {
        args.push("--ros-args".to_owned());
    }
    args.extend(ros_args.iter().map(|arg| (*arg).to_owned()));
    Context::new(&args)
}

fn node(context: &Arc<Context>, name: &str) -> Arc<Node> {
    let options = NodeOptions {
        use_global_arguments: false,
        enable_rosout: false,
    };
    Node::new(context, name, "/", options).expect("a node")
}

fn publisher<T: WrappedTypesupport>(node: &Arc<Node>, topic: &str) -> Publisher {
    Publisher::new(node, MessageTypeSupport::of::<T>(), topic, Qos::OUTPUT).expect("a publisher")
}

fn subscription<T: WrappedTypesupport>(node: &Arc<Node>, topic: &str) -> Subscription {
    let qos = Qos {
        depth: 10,
        ..Qos::OUTPUT
    };
    Subscription::new(node, MessageTypeSupport::of::<T>(), topic, qos).expect("a subscription")
}

fn buffer() -> SerializedBuffer {
    SerializedBuffer::with_capacity(CAPACITY).expect("a buffer")
}

fn matched(publisher: &Publisher, subscription: &Subscription) {
    wait_for("publisher and subscription to match", || {
        publisher.subscription_count() == Ok(1) && subscription.publisher_count() == Ok(1)
    });
}

fn take_soon(subscription: &mut Subscription, buffer: &mut SerializedBuffer) -> MessageInfo {
    wait_for_some("a message", || {
        subscription.take(buffer).expect("a working take")
    })
}

/// A `std_msgs/msg/String`: header, count with the NUL, letters, NUL. Not made
/// by r2r, whose cache of serialized bytes outlives its thread as a leak.
fn text(text: &str) -> Vec<u8> {
    let count = u32::try_from(text.len() + 1)
        .expect("a small message")
        .to_le_bytes();
    [&[0, 1, 0, 0], &count[..], text.as_bytes(), &[0]].concat()
}

/// A text message of exactly this length.
fn text_of_bytes(length: usize) -> Vec<u8> {
    text(&"x".repeat(length - text("").len()))
}

#[test]
fn bytes_and_message_info_arrive() {
    isolated("bytes_and_message_info_arrive", || {
        let context = context(&[]).expect("a context");
        let node = node(&context, "a");
        let publisher = publisher::<Text>(&node, "/t");
        let mut subscription = subscription::<Text>(&node, "/t");
        let mut buffer = buffer();
        matched(&publisher, &subscription);
        // Every length modulo the 4 to which the middleware may pad.
        for (sent, length) in (1_u64..).zip(60..68) {
            let bytes = text_of_bytes(length);
            publisher.publish_serialized(&bytes).expect("a publish");
            let info = take_soon(&mut subscription, &mut buffer);
            assert_eq!(buffer.bytes(), bytes, "length {length}");
            assert_eq!(info.publisher_gid, publisher.gid());
            assert_ne!(publisher.gid(), [0; 16]);
            let source = info
                .source_timestamp_ns
                .expect("every rmw gives a source timestamp");
            if context.rmw_implementation() == "rmw_fastrtps_cpp" {
                assert_eq!(info.publication_sequence_number, Some(sent));
                assert!(info.received_timestamp_ns.expect("given") >= source);
                assert_eq!(info.reception_sequence_number, None, "not supported there");
            }
        }
        assert_eq!(subscription.take(&mut buffer), Ok(None));
        assert_eq!(buffer.bytes(), [0_u8; 0], "nothing taken, nothing shown");
    });
}

#[test]
fn taken_bytes_can_be_changed_and_published() {
    isolated("taken_bytes_can_be_changed_and_published", || {
        let context = context(&[]).expect("a context");
        let node = node(&context, "a");
        let (first, second) = (
            publisher::<Bool>(&node, "/in"),
            publisher::<Bool>(&node, "/out"),
        );
        let mut input = subscription::<Bool>(&node, "/in");
        let mut output = subscription::<Bool>(&node, "/out");
        let mut buffer = buffer();
        matched(&first, &input);
        matched(&second, &output);
        first
            .publish_serialized(&[0, 1, 0, 0, 1])
            .expect("a publish");
        take_soon(&mut input, &mut buffer);
        buffer.bytes_mut()[4] = 0;
        second
            .publish_serialized(buffer.bytes())
            .expect("a publish");
        take_soon(&mut output, &mut buffer);
        let read = Bool::from_serialized_bytes(buffer.bytes()).expect("a message");
        assert_eq!(read, Bool { data: false });
    });
}

#[test]
fn a_larger_message_grows_the_buffer_and_shrink_gives_it_back() {
    isolated(
        "a_larger_message_grows_the_buffer_and_shrink_gives_it_back",
        || {
            let context = context(&[]).expect("a context");
            let node = node(&context, "a");
            let publisher = publisher::<Text>(&node, "/t");
            let mut subscription = subscription::<Text>(&node, "/t");
            let mut buffer = buffer();
            matched(&publisher, &subscription);
            let address = buffer.bytes().as_ptr();
            for bytes in [
                text_of_bytes(CAPACITY),
                text("short"),
                text_of_bytes(CAPACITY),
            ] {
                publisher.publish_serialized(&bytes).expect("a publish");
                take_soon(&mut subscription, &mut buffer);
                assert_eq!(buffer.bytes().as_ptr(), address, "the storage is reused");
                assert!(!buffer.has_grown());
            }
            let large = text_of_bytes(300_000);
            publisher.publish_serialized(&large).expect("a publish");
            take_soon(&mut subscription, &mut buffer);
            assert_eq!(
                buffer.bytes(),
                large,
                "taken whole, for the caller to refuse"
            );
            assert!(buffer.has_grown());
            buffer.shrink().expect("shrink");
            assert_eq!((buffer.capacity(), buffer.bytes().len()), (CAPACITY, 0));
            publisher
                .publish_serialized(&text("after"))
                .expect("a publish");
            take_soon(&mut subscription, &mut buffer);
            assert_eq!(buffer.bytes(), text("after"));
            assert!(!buffer.has_grown());
        },
    );
}

#[test]
fn a_message_wakes_a_parked_thread() {
    isolated("a_message_wakes_a_parked_thread", || {
        let context = context(&[]).expect("a context");
        let node = node(&context, "a");
        let publisher = publisher::<Text>(&node, "/t");
        let mut subscription = subscription::<Text>(&node, "/t");
        matched(&publisher, &subscription);
        let set = WakeSet::new(70);
        let waker = set.waker(69).expect("bit 69 exists");
        let parking = Arc::new(AtomicBool::new(false));
        let about_to_park = parking.clone();
        let sleeper = thread::spawn(move || {
            set.bind(thread::current()).expect("the first thread");
            subscription.on_new_message(waker).expect("a callback");
            assert_eq!(set.take_bits(1), 1 << 5, "set once at registration");
            let mut buffer = buffer();
            assert_eq!(subscription.take(&mut buffer), Ok(None));
            about_to_park.store(true, Ordering::Release);
            while set.take_bits(1) != 1 << 5 {
                thread::park();
            }
            assert_eq!(set.take_bits(0), 0, "no other bit");
            subscription
                .take(&mut buffer)
                .expect("a take")
                .expect("the message is there");
            buffer.bytes().to_vec()
        });
        wait_for("the thread to park", || parking.load(Ordering::Acquire));
        publisher
            .publish_serialized(&text("wake up"))
            .expect("a publish");
        wait_for("the thread to wake", || sleeper.is_finished());
        assert_eq!(sleeper.join().expect("no panic"), text("wake up"));
    });
}

#[test]
fn a_message_from_before_the_registration_is_looked_at() {
    isolated(
        "a_message_from_before_the_registration_is_looked_at",
        || {
            let context = context(&[]).expect("a context");
            let node = node(&context, "a");
            let publisher = publisher::<Text>(&node, "/t");
            let mut early = subscription::<Text>(&node, "/t");
            matched(&publisher, &early);
            publisher
                .publish_serialized(&text("first"))
                .expect("a publish");
            let set = WakeSet::new(1);
            early
                .on_new_message(set.waker(0).expect("a bit"))
                .expect("a callback");
            // Delivered before or after the registration: the bit is set either way
            // when the message is there, and a thread bound later finds it.
            let mut buffer = buffer();
            wait_for("a bit and its message", || {
                set.take_bits(0) == 1 && early.take(&mut buffer).expect("a take").is_some()
            });
            assert_eq!(buffer.bytes(), text("first"));
            let again = early.on_new_message(set.waker(0).expect("a bit"));
            assert!(again.is_err(), "one waker a subscription");
        },
    );
}

#[test]
fn a_late_reader_gets_nothing_old() {
    isolated("a_late_reader_gets_nothing_old", || {
        let context = context(&[]).expect("a context");
        let node = node(&context, "a");
        let publisher = publisher::<Text>(&node, "/t");
        publisher
            .publish_serialized(&text("old"))
            .expect("a publish");
        let mut late = subscription::<Text>(&node, "/t");
        matched(&publisher, &late);
        publisher
            .publish_serialized(&text("new"))
            .expect("a publish");
        let mut buffer = buffer();
        let info = take_soon(&mut late, &mut buffer);
        // Delivery is in order, so the first one taken is the oldest delivered.
        assert_eq!(buffer.bytes(), text("new"));
        if let Some(number) = info.publication_sequence_number {
            assert_eq!(number, 2);
        }
    });
}

#[test]
fn names_follow_every_rule_meant_for_the_node() {
    isolated("names_follow_every_rule_meant_for_the_node", || {
        let names = [
            (NameKind::Service, "~/kill"),
            (NameKind::Topic, "topic"),
            (NameKind::Topic, "/absolute"),
            (NameKind::Topic, "~/state"),
        ];
        let plain = ["/interlock/kill", "/topic", "/absolute", "/interlock/state"];
        let cases: [(&[&str], &str, [&str; 4]); 9] = [
            (&[], "/interlock", plain),
            (
                &["-r", "__ns:=/robot"],
                "/robot/interlock",
                [
                    "/robot/interlock/kill",
                    "/robot/topic",
                    "/absolute",
                    "/robot/interlock/state",
                ],
            ),
            (
                &["-r", "__node:=gate"],
                "/gate",
                ["/gate/kill", "/topic", "/absolute", "/gate/state"],
            ),
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
                &[
                    "-r",
                    "rosservice://~/kill:=/stop",
                    "-r",
                    "rostopic://~/kill:=/never",
                ],
                "/interlock",
                ["/stop", "/topic", "/absolute", "/interlock/state"],
            ),
            (
                &[
                    "-r",
                    "__ns:=/robot",
                    "-r",
                    "__node:=gate",
                    "-r",
                    "topic:=~/private",
                ],
                "/robot/gate",
                [
                    "/robot/gate/kill",
                    "/robot/gate/private",
                    "/absolute",
                    "/robot/gate/state",
                ],
            ),
        ];
        for (args, full_name, expected) in cases {
            let context = context(args).expect("a context");
            let resolved = resolve_names(&context, "interlock", &names).expect("names");
            assert_eq!(resolved.fully_qualified_name, full_name, "{args:?}");
            assert_eq!(resolved.names, expected, "{args:?}");
            // The gate's node in the same context keeps the name it is given.
            let options = NodeOptions {
                use_global_arguments: false,
                enable_rosout: false,
            };
            let name = format!("{}_gate", resolved.node_name);
            let gate = Node::new(&context, &name, &resolved.namespace, options).expect("a node");
            assert_eq!(
                gate.fully_qualified_name(),
                format!("{full_name}_gate"),
                "{args:?}"
            );
            let topic = &resolved.names[1];
            assert_eq!(
                &gate.resolve_topic(topic).expect("a name"),
                topic,
                "not remapped twice"
            );
            let service = &resolved.names[0];
            assert_eq!(&gate.resolve_service(service).expect("a name"), service);
        }
    });
}

#[test]
fn parameter_overrides_come_from_matching_sections_and_the_last_wins() {
    isolated(
        "parameter_overrides_come_from_matching_sections_and_the_last_wins",
        || {
            let scratch = Scratch::new();
            let first = scratch.write(
                "first.yaml",
                "/**:\n  ros__parameters:\n    a: 1\n    deep: {er: [1.5, 2.0]}\n\
             /robot/interlock:\n  ros__parameters:\n    a: 2\n    b: true\n\
             /other/interlock:\n  ros__parameters:\n    b: false\n    c: wrong\n",
            );
            let second = scratch.write(
                "second.yaml",
                "/*/interlock:\n  ros__parameters:\n    b: [u, v]\n    d: 1.0e3\n",
            );
            let [one, two] = [&first, &second].map(|path| path.to_str().expect("UTF-8").to_owned());
            let files = [
                "-r",
                "__ns:=/robot",
                "--params-file",
                &one,
                "--params-file",
                &two,
            ];
            let args = [&files[..], &["-p", "e:=text", "-p", "d:=7"]].concat();
            let context = context(&args).expect("a context");
            let values = parameter_overrides(&context, "/robot/interlock").expect("values");
            let texts = ["u", "v"].map(str::to_owned).to_vec();
            let expected = [
                ("a", RclValue::Int(2)),
                ("b", RclValue::StringArray(texts)),
                ("d", RclValue::Double(1000.0)),
                ("deep.er", RclValue::DoubleArray(vec![1.5, 2.0])),
                ("e", RclValue::String("text".to_owned())),
            ];
            // `-p d:=7` joins the section `/**`, which was seen first: rclcpp reads
            // the sections in that order, so the file's later section wins.
            assert_eq!(values, expected.map(|(key, value)| (key.to_owned(), value)));
            assert_eq!(
                parameter_overrides(&context, "/x").expect("values").len(),
                4
            );
            assert_eq!(parse_params_file(&first).expect("a file").nodes.len(), 3);
        },
    );
}

#[test]
fn no_parameters_are_no_overrides() {
    isolated("no_parameters_are_no_overrides", || {
        let context = context(&[]).expect("a context");
        assert_eq!(parameter_overrides(&context, "/interlock"), Ok(Vec::new()));
    });
}

#[test]
fn parameter_texts_are_read_by_rcl() {
    isolated("parameter_texts_are_read_by_rcl", || {
        let cases = [
            ("true", RclValue::Bool(true)),
            ("7", RclValue::Int(7)),
            ("0x10", RclValue::Int(16)),
            ("7.0", RclValue::Double(7.0)),
            ("'7'", RclValue::String("7".to_owned())),
            ("[true, false]", RclValue::BoolArray(vec![true, false])),
            ("[1, 2]", RclValue::IntArray(vec![1, 2])),
            (
                "[a, b]",
                RclValue::StringArray(vec!["a".to_owned(), "b".to_owned()]),
            ),
        ];
        for (text, value) in cases {
            assert_eq!(parse_param_value(text), Ok(value), "{text}");
        }
        for text in ["[1, two]", "[1", "a\0b", "{a: 1}"] {
            let error = parse_param_value(text).expect_err(text);
            assert!(!error.text.is_empty(), "{text:?}: {error}");
        }
        let scratch = Scratch::new();
        let missing = parse_params_file(&scratch.path().join("missing.yaml")).expect_err("no file");
        assert!(
            missing.text.contains("Error opening YAML file"),
            "{missing}"
        );
        let broken = scratch.write("broken.yaml", "/**:\n  ros__parameters:\n    a: [1, two]\n");
        let broken = parse_params_file(&broken).expect_err("a mixed list");
        assert!(
            broken.text.contains("Sequence should be of same type"),
            "{broken}"
        );
    });
}

#[test]
fn bad_arguments_are_errors_with_rcls_text() {
    isolated("bad_arguments_are_errors_with_rcls_text", || {
        let text = |args: &[&str]| context(args).expect_err("a refusal").text;
        assert!(
            text(&["-r", "not a rule"]).contains("not a rule"),
            "{}",
            text(&["-r", "x"])
        );
        assert!(text(&["--params-file", "/no/such.yaml"]).contains("/no/such.yaml"));
        assert!(
            text(&["-p", "a"]).contains("-p a"),
            "{}",
            text(&["-p", "a"])
        );
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
    isolated("bad_names_are_errors_with_rcls_text", || {
        let context = context(&[]).expect("a context");
        let options = NodeOptions {
            use_global_arguments: false,
            enable_rosout: false,
        };
        let error = Node::new(&context, "two words", "/", options).expect_err("a bad name");
        assert!(error.text.contains("node name must not contain"), "{error}");
        assert_eq!((error.call, error.code), ("rcl_node_init", 201));
        let node = node(&context, "a");
        let of = MessageTypeSupport::of::<Bool>();
        let error = Publisher::new(&node, of, "/a b", Qos::OUTPUT).expect_err("a bad name");
        assert!(
            error
                .text
                .contains("topic name must not contain characters"),
            "{error}"
        );
        let error = Subscription::new(&node, of, "/1x", Qos::OUTPUT).expect_err("a bad name");
        assert!(
            error
                .text
                .contains("topic name token must not start with a number"),
            "{error}"
        );
        let publisher = publisher::<Bool>(&node, "/t");
        assert!(
            publisher.publish_serialized(&[]).is_err(),
            "a message has a header"
        );
        assert!(node.resolve_topic("{unknown}").is_err());
    });
}

#[test]
fn endpoints_are_listed_with_their_node_type_gid_and_qos() {
    isolated(
        "endpoints_are_listed_with_their_node_type_gid_and_qos",
        || {
            let context = context(&[]).expect("a context");
            let (first, second) = (node(&context, "first"), node(&context, "second"));
            let publisher = publisher::<Bool>(&first, "/t");
            let qos = Qos {
                reliability: Reliability::BestEffort,
                durability: Durability::Volatile,
                depth: 5,
            };
            let of = MessageTypeSupport::of::<Bool>();
            let subscription = Subscription::new(&second, of, "/t", qos).expect("a subscription");
            matched(&publisher, &subscription);
            let found = wait_for_some("the publisher in the graph", || {
                publishers_info(&second, "/t").expect("a list").pop()
            });
            assert_eq!(found.gid, publisher.gid());
            assert_eq!((&*found.node_namespace, &*found.node_name), ("/", "first"));
            assert_eq!(found.topic_type, "std_msgs/msg/Bool");
            assert_eq!(
                found.qos.reliability,
                Reported::Known(Reliability::Reliable)
            );
            assert_eq!(found.qos.durability, Reported::Known(Durability::Volatile));
            assert_eq!(found.qos.deadline, None);
            let found = wait_for_some("the subscription in the graph", || {
                subscriptions_info(&first, "/t").expect("a list").pop()
            });
            assert_eq!(found.node_name, "second");
            assert_eq!(
                found.qos.reliability,
                Reported::Known(Reliability::BestEffort)
            );
            assert_eq!(count_publishers(&second, "/t"), Ok(1));
            assert_eq!(count_publishers(&second, "/nobody"), Ok(0));
            assert_eq!(publishers_info(&second, "/nobody"), Ok(Vec::new()));
            assert!(publishers_info(&second, "not absolute").is_err());
        },
    );
}
