//! Messages, their info, waking, and the graph.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use interlock::ros::rcl::{
    Durability, MessageTypeSupport, Qos, Reliability, Reported, Subscription, WakeSet,
    count_publishers, publishers_info, subscriptions_info,
};
use r2r::WrappedTypesupport;
use r2r::std_msgs::msg::{Bool, String as Text};

use crate::support::{isolated, wait_for, wait_for_some};
use crate::{CAPACITY, buffer, context, matched, node, publisher, subscription, take_soon};

/// A `std_msgs/msg/String`: header, count with the NUL, letters, NUL. Not made
/// by r2r, whose cache of serialized bytes outlives its thread as a leak.
fn text(text: &str) -> Vec<u8> {
    let count = u32::try_from(text.len() + 1).expect("a small message").to_le_bytes();
    [&[0, 1, 0, 0], &count[..], text.as_bytes(), &[0]].concat()
}

/// A text message of exactly this length.
fn text_of_bytes(length: usize) -> Vec<u8> {
    text(&"x".repeat(length - text("").len()))
}

#[test]
fn bytes_and_message_info_arrive() {
    isolated("messages::bytes_and_message_info_arrive", || {
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
            let source = info.source_timestamp_ns.expect("every rmw gives a source timestamp");
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
    isolated("messages::taken_bytes_can_be_changed_and_published", || {
        let context = context(&[]).expect("a context");
        let node = node(&context, "a");
        let (first, second) = (publisher::<Bool>(&node, "/in"), publisher::<Bool>(&node, "/out"));
        let mut input = subscription::<Bool>(&node, "/in");
        let mut output = subscription::<Bool>(&node, "/out");
        let mut buffer = buffer();
        matched(&first, &input);
        matched(&second, &output);
        first.publish_serialized(&[0, 1, 0, 0, 1]).expect("a publish");
        take_soon(&mut input, &mut buffer);
        buffer.bytes_mut()[4] = 0;
        second.publish_serialized(buffer.bytes()).expect("a publish");
        take_soon(&mut output, &mut buffer);
        let read = Bool::from_serialized_bytes(buffer.bytes()).expect("a message");
        assert_eq!(read, Bool { data: false });
    });
}

#[test]
fn a_larger_message_grows_the_buffer_and_shrink_gives_it_back() {
    isolated("messages::a_larger_message_grows_the_buffer_and_shrink_gives_it_back", || {
        let context = context(&[]).expect("a context");
        let node = node(&context, "a");
        let publisher = publisher::<Text>(&node, "/t");
        let mut subscription = subscription::<Text>(&node, "/t");
        let mut buffer = buffer();
        matched(&publisher, &subscription);
        let address = buffer.bytes().as_ptr();
        for bytes in [text_of_bytes(CAPACITY), text("short"), text_of_bytes(CAPACITY)] {
            publisher.publish_serialized(&bytes).expect("a publish");
            take_soon(&mut subscription, &mut buffer);
            assert_eq!(buffer.bytes().as_ptr(), address, "the storage is reused");
            assert!(!buffer.has_grown());
        }
        let large = text_of_bytes(300_000);
        publisher.publish_serialized(&large).expect("a publish");
        take_soon(&mut subscription, &mut buffer);
        assert_eq!(buffer.bytes(), large, "taken whole, for the caller to refuse");
        assert!(buffer.has_grown());
        buffer.shrink().expect("shrink");
        assert_eq!((buffer.capacity(), buffer.bytes().len()), (CAPACITY, 0));
        publisher.publish_serialized(&text("after")).expect("a publish");
        take_soon(&mut subscription, &mut buffer);
        assert_eq!(buffer.bytes(), text("after"));
        assert!(!buffer.has_grown());
    });
}

#[test]
fn a_message_wakes_a_parked_thread() {
    isolated("messages::a_message_wakes_a_parked_thread", || {
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
            subscription.take(&mut buffer).expect("a take").expect("the message is there");
            buffer.bytes().to_vec()
        });
        wait_for("the thread to park", || parking.load(Ordering::Acquire));
        publisher.publish_serialized(&text("wake up")).expect("a publish");
        wait_for("the thread to wake", || sleeper.is_finished());
        assert_eq!(sleeper.join().expect("no panic"), text("wake up"));
    });
}

#[test]
fn a_message_from_before_the_registration_is_looked_at() {
    isolated("messages::a_message_from_before_the_registration_is_looked_at", || {
        let context = context(&[]).expect("a context");
        let node = node(&context, "a");
        let publisher = publisher::<Text>(&node, "/t");
        let mut early = subscription::<Text>(&node, "/t");
        matched(&publisher, &early);
        publisher.publish_serialized(&text("first")).expect("a publish");
        let set = WakeSet::new(1);
        early.on_new_message(set.waker(0).expect("a bit")).expect("a callback");
        // Delivered before or after the registration: the bit is set either way
        // when the message is there, and a thread bound later finds it.
        let mut buffer = buffer();
        wait_for("a bit and its message", || {
            set.take_bits(0) == 1 && early.take(&mut buffer).expect("a take").is_some()
        });
        assert_eq!(buffer.bytes(), text("first"));
        let again = early.on_new_message(set.waker(0).expect("a bit"));
        assert!(again.is_err(), "one waker a subscription");
    });
}

#[test]
fn a_late_reader_gets_nothing_old() {
    isolated("messages::a_late_reader_gets_nothing_old", || {
        let context = context(&[]).expect("a context");
        let node = node(&context, "a");
        let publisher = publisher::<Text>(&node, "/t");
        publisher.publish_serialized(&text("old")).expect("a publish");
        let mut late = subscription::<Text>(&node, "/t");
        matched(&publisher, &late);
        publisher.publish_serialized(&text("new")).expect("a publish");
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
fn endpoints_are_listed_with_their_node_type_gid_and_qos() {
    isolated("messages::endpoints_are_listed_with_their_node_type_gid_and_qos", || {
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
        assert_eq!(found.qos.reliability, Reported::Known(Reliability::Reliable));
        assert_eq!(found.qos.durability, Reported::Known(Durability::Volatile));
        assert_eq!(found.qos.deadline, None);
        let found = wait_for_some("the subscription in the graph", || {
            subscriptions_info(&first, "/t").expect("a list").pop()
        });
        assert_eq!(found.node_name, "second");
        assert_eq!(found.qos.reliability, Reported::Known(Reliability::BestEffort));
        assert_eq!(count_publishers(&second, "/t"), Ok(1));
        assert_eq!(count_publishers(&second, "/nobody"), Ok(0));
        assert_eq!(publishers_info(&second, "/nobody"), Ok(Vec::new()));
        assert!(publishers_info(&second, "not absolute").is_err());
    });
}
