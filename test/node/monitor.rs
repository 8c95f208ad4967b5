//! The topic monitor: what it reads, how, and what it keeps when a topic goes.

use serde_json::{Value, json};

use crate::peer::Peer;
use crate::rig::{BASE, Rig, TWIST};
use crate::support::{wait_for, wait_for_some};

const BOOL: &str = "std_msgs/msg/Bool";
const STAMPED: &str = "geometry_msgs/msg/PointStamped";

/// The base with this under `monitor:`.
pub(crate) fn monitored(monitor: &str) -> String {
    format!("{BASE}    monitor: {monitor}\n")
}

/// A series of the metrics; `None`: absent.
pub(crate) fn series(rig: &mut Rig, series: &str) -> Option<f64> {
    let text = rig.http("/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|value| value.parse().expect("a number"))
}

/// A series of one topic.
pub(crate) fn of(family: &str, topic: &str) -> String {
    format!("interlock_topic_{family}{{topic=\"{topic}\"}}")
}

/// Waits until a series has a value.
pub(crate) fn wait_series(rig: &mut Rig, name: &str, is: impl Fn(f64) -> bool) -> f64 {
    wait_for_some(name, || series(rig, name).filter(|value| is(*value)))
}

/// One topic in `/status`, once it is as wanted.
fn wait_topic(rig: &mut Rig, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..2_000 {
        let status = rig.status();
        let topics = status["topics"].as_array().cloned().unwrap_or_default();
        if let Some(topic) = topics.into_iter().find(|topic| topic["name"] == name) {
            if is(&topic) {
                return topic;
            }
            last = topic;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("waited for topic {name} {what}; it is {last:#}");
}

#[test]
fn when_a_topic_disappears_and_returns_expect_its_counters_to_go_on() {
    let mut rig =
        Rig::new(&monitored("{topics: {button: {topic: button, rate_hz: 20.0, max_gap_s: 60.0}}}"));
    wait_topic(&mut rig, "button", "without a publisher", |t| t["publishers"] == 0);
    let count = of("messages_total", "/button");
    assert_eq!(series(&mut rig, &count), Some(0.0), "there from the start");
    rig.peer.publisher("/button", BOOL);
    for _ in 0..5 {
        rig.peer.publish("/button", json!({"data": true}));
    }
    wait_series(&mut rig, &count, |n| n == 5.0);
    // CDR: an encapsulation of four bytes, a bool, and padding to four.
    assert_eq!(series(&mut rig, &of("bytes_total", "/button")), Some(5.0 * 8.0));
    assert_eq!(series(&mut rig, &of("messages_lost_total", "/button")), Some(0.0));
    assert_eq!(series(&mut rig, &of("expected_interval_seconds", "/button")), Some(0.05));
    let info = format!(
        "interlock_topic_info{{topic=\"/button\",msg_type=\"{BOOL}\",reliability=\"reliable\",durability=\"volatile\"}}"
    );
    assert_eq!(series(&mut rig, &info), Some(1.0));
    assert_eq!(series(&mut rig, &of("interval_seconds_count", "/button")), Some(4.0));

    rig.peer.ask("remove", json!({"topic": "/button"}));
    let gone = wait_topic(&mut rig, "button", "gone", |t| t["publishers"] == 0);
    assert_eq!((&gone["messages"], &gone["level"]), (&json!(5), &json!("error")));
    assert!(gone["text"].as_str().is_some_and(|text| text.starts_with("its publisher is gone")));
    assert_eq!(series(&mut rig, &of("publishers", "/button")), Some(0.0));
    // Back with less: the same topic, read anew, counted on.
    rig.peer
        .ask("publisher", json!({"topic": "/button", "type": BOOL, "reliability": "BEST_EFFORT"}));
    let less = info.replace("\"reliable\"", "\"best_effort\"");
    wait_series(&mut rig, &less, |one| one == 1.0);
    wait_for("the reader", || {
        rig.peer.ask("readers", json!({"topic": "/button"})).as_u64() == Some(1)
    });
    wait_for("its next message", || {
        rig.peer.publish("/button", json!({"data": false}));
        series(&mut rig, &count) >= Some(6.0)
    });
    let back = wait_topic(&mut rig, "button", "back", |t| t["level"] == "ok");
    assert_eq!((&back["publishers"], &back["incompatible"]), (&json!(1), &json!(0)));
}

/// Silence is told by the expectation: one that went with the publisher would end the alert that a crash
/// began, and never begin one after a clean exit.
#[test]
fn when_publishers_with_a_deadline_go_expect_what_they_promised_and_the_open_gap_to_stay() {
    let mut rig =
        Rig::new(&monitored("{topics: {scan: {topic: scan}}, patterns: [/found/**, /plain]}"));
    let topics = ["/scan", "/found/scan"];
    for topic in topics {
        rig.peer.ask("publisher", json!({"topic": topic, "type": BOOL, "deadline_s": 0.5}));
    }
    // Without a promise: nothing is expected, and when it is gone it is gone.
    rig.peer.ask("publisher", json!({"topic": "/plain", "type": BOOL}));
    for topic in topics.into_iter().chain(["/plain"]) {
        wait_series(&mut rig, &of("publishers", topic), |n| n == 1.0);
        wait_for("a message", || {
            rig.peer.publish(topic, json!({"data": true}));
            series(&mut rig, &of("messages_total", topic)) >= Some(1.0)
        });
    }
    for topic in topics {
        assert_eq!(series(&mut rig, &of("expected_interval_seconds", topic)), Some(0.5), "{topic}");
    }
    assert_eq!(series(&mut rig, &of("expected_interval_seconds", "/plain")), None);
    for topic in topics.into_iter().chain(["/plain"]) {
        rig.peer.ask("remove", json!({"topic": topic}));
        wait_series(&mut rig, &of("publishers", topic), |n| n == 0.0);
    }
    let gap = "interval_window_max_seconds";
    for topic in topics {
        assert_eq!(series(&mut rig, &of("expected_interval_seconds", topic)), Some(0.5), "{topic}");
        let open = series(&mut rig, &of(gap, topic)).expect("the gap is open");
        wait_series(&mut rig, &of(gap, topic), |now| now > open + 0.5);
    }
    wait_for("no gap of what is gone", || series(&mut rig, &of(gap, "/plain")).is_none());
    // Who is there says what is expected, also that nothing is.
    rig.peer.ask("publisher", json!({"topic": "/scan", "type": BOOL}));
    wait_for("nothing to be expected", || {
        series(&mut rig, &of("expected_interval_seconds", "/scan")).is_none()
    });
}

#[test]
fn when_a_transient_local_topic_is_found_expect_its_message_counted_once_and_not_timed() {
    let mut rig = Rig::new(&monitored("{patterns: [/map**]}"));
    let latched = json!({"topic": "/map", "type": BOOL, "durability": "TRANSIENT_LOCAL"});
    rig.peer.ask("publisher", latched);
    rig.peer.publish("/map", json!({"data": true}));
    wait_series(&mut rig, &of("messages_total", "/map"), |n| n == 1.0);
    // A volatile neighbour makes the reader volatile: what was read is not read again.
    let other = json!({"topic": "/map", "key": "other", "type": BOOL});
    rig.peer.ask("publisher", other);
    let info = format!(
        "interlock_topic_info{{topic=\"/map\",msg_type=\"{BOOL}\",reliability=\"reliable\",durability=\"volatile\"}}"
    );
    wait_series(&mut rig, &info, |one| one == 1.0);
    wait_for("both to be heard", || {
        rig.peer.ask("readers", json!({"topic": "other"})).as_u64() == Some(1)
    });
    rig.peer.publish("other", json!({"data": true}));
    wait_series(&mut rig, &of("messages_total", "/map"), |n| n == 2.0);
    assert_eq!(series(&mut rig, &of("messages_lost_total", "/map")), Some(0.0));
}

/// A publisher of another type is told apart from silence, and never taken.
#[test]
fn hazard_35_wrong_type_on_topic_monitored() {
    let monitor = "{topics: {point: {topic: point, max_gap_s: 600.0}}}";
    let mut rig = Rig::new(&monitored(monitor));
    rig.peer.publisher("/point", STAMPED);
    rig.peer.publish("/point", json!({"point": {"x": 1.0}}));
    wait_series(&mut rig, &of("messages_total", "/point"), |n| n == 1.0);
    let silent = wait_topic(&mut rig, "point", "heard", |t| t["level"] == "ok");
    assert_eq!(silent["incompatible"], 0, "a publisher that is silent is not incompatible");
    let topic = "/diagnostics";
    rig.peer.subscribe(topic, "diagnostic_msgs/msg/DiagnosticArray");
    let mut other = Peer::start_as(&rig.lease, &rig.scratch, "other", "stranger");
    other.ask("publisher", json!({"topic": "/point", "type": TWIST}));
    let told = "an incompatible publisher: /stranger (writes geometry_msgs/msg/Twist, read as \
                geometry_msgs/msg/PointStamped)";
    rig.wait_message(topic, 0, "an incompatible publisher", |one| {
        let parts = one.message["status"].as_array().expect("a list");
        parts.iter().any(|part| {
            part["name"] == "interlock: topic point"
                && part["level"] == json!([1])
                && part["message"] == told
        })
    });
    assert_eq!(series(&mut rig, &of("incompatible_publishers", "/point")), Some(1.0));
    other.ask("publish", json!({"topic": "/point", "msg": {}}));
    rig.peer.publish("/point", json!({"point": {"x": 2.0}}));
    wait_series(&mut rig, &of("messages_total", "/point"), |n| n >= 2.0);
    assert_eq!(
        series(&mut rig, &of("messages_total", "/point")),
        Some(2.0),
        "one of ours, none of theirs"
    );
}

#[test]
fn when_a_pattern_finds_too_many_or_our_own_expect_them_suppressed_and_counted() {
    let mut rig = Rig::new(&monitored("{patterns: [/**], max_topics: 2}"));
    let suppressed =
        |reason: &str| format!("interlock_topics_suppressed_total{{reason=\"{reason}\"}}");
    for topic in ["/one", "/two", "/three"] {
        rig.peer.ask("publisher", json!({"topic": topic, "type": BOOL}));
    }
    wait_series(&mut rig, &suppressed("cap"), |n| n >= 1.0);
    wait_series(&mut rig, "interlock_topics_monitored", |n| n == 2.0);
    // /cmd_vel, /agent, ~/state, ~/permit, ~/decisions, /diagnostics, /rosout, /parameter_events.
    wait_series(&mut rig, &suppressed("excluded"), |n| n >= 8.0);
    let graph = rig.peer.ask("graph", json!({}));
    for (topic, ends) in graph["topics"].as_object().expect("topics") {
        let readers = ends["subscriptions"].as_array().expect("a list");
        let is_read = readers.iter().any(|node| node == "/interlock_monitor");
        let is_own = topic.starts_with("/interlock/") || topic == "/cmd_vel" || topic == "/agent";
        assert!(!(is_read && is_own), "{topic} is read by the monitor");
    }
}
