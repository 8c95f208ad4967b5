//! Latency truth of monitored topics: header age and transport each move with their own cause alone, and
//! a command's residence with neither. Of commands: [`crate::command_latency`].
//!
//! The delays are injected: stamps that are off by a known time, and a peer whose wall clock is. What is
//! compared is the bucket of the median, which a slow machine moves by far less than the injected.

use serde_json::json;

use crate::monitor::{monitored, of, series, wait_series};
use crate::peer::Peer;
use crate::rig::Rig;
use crate::skewed::skewed;
use crate::support::wait_for;

const STAMPED: &str = "geometry_msgs/msg/PointStamped";
/// Bucket set T, s.
const T: [&str; 14] = [
    "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25", "0.5", "1", "2.5",
];

/// Streams stamped points until the monitor has counted some, then stops.
fn stream(rig: &mut Rig, mut other: Option<&mut Peer>, topic: &str, stamp_offset_s: f64) {
    let count = of("messages_total", topic);
    let begin = json!({"topic": topic, "type": STAMPED});
    let run = json!({"topic": topic, "msg": {}, "hz": 100.0, "stamp_offset_s": stamp_offset_s});
    let peer = other.as_deref_mut().unwrap_or(&mut rig.peer);
    peer.ask("publisher", begin);
    peer.ask("stream", run);
    wait_series(rig, &count, |n| n >= 60.0);
    other.unwrap_or(&mut rig.peer).ask("stop", json!({"topic": topic}));
}

/// The place in T of the bucket that holds the median; 14 is above all.
fn median(rig: &mut Rig, family: &str, topic: &str) -> usize {
    let text = rig.http("/metrics");
    let read = |name: String| {
        let line = text.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is absent")).parse::<f64>().expect("a number")
    };
    let all = read(format!("interlock_topic_{family}_seconds_count{{topic=\"{topic}\"}}"));
    assert!(all >= 30.0, "{family} of {topic} has {all} values");
    let bucket = |le: &str| {
        format!("interlock_topic_{family}_seconds_bucket{{topic=\"{topic}\",le=\"{le}\"}}")
    };
    T.iter().position(|le| read(bucket(le)) * 2.0 >= all).unwrap_or(T.len())
}

/// The place in T where a time belongs.
fn place(seconds: f64) -> usize {
    T.iter().position(|le| seconds <= le.parse().expect("a number")).unwrap_or(T.len())
}

pub(crate) fn is_at(found: usize, injected_s: f64, what: &str) {
    let wanted = place(injected_s);
    assert!(
        found.abs_diff(wanted) <= 1,
        "{what}: bucket {found}, injected {injected_s} s is {wanted}"
    );
}

/// Nothing was injected: well below what was elsewhere.
pub(crate) fn is_small(found: usize, what: &str) {
    assert!(found < place(0.2), "{what}: bucket {found} without a cause");
}

const ALL: &str = "{topics: {old: {topic: old, histograms: [interval, transport, age]}, \
                   slow: {topic: slow, histograms: [interval, transport, age]}, \
                   ahead: {topic: ahead, histograms: [interval, transport, age]}}}";

#[test]
fn when_stamps_are_old_expect_header_age_alone_to_move() {
    let mut rig = Rig::new(&monitored(ALL));
    for (topic, offset) in [("/old", -0.4), ("/slow", -1.7)] {
        stream(&mut rig, None, topic, offset);
        is_at(median(&mut rig, "age", topic), -offset, "age");
        is_small(median(&mut rig, "transport", topic), "transport");
    }
    assert_eq!(
        series(&mut rig, "interlock_command_residence_seconds_count{lane=\"base\"}"),
        Some(0.0),
        "no command, no residence"
    );
    // Residence moves with commands, and only that.
    let before = series(&mut rig, &of("transport_seconds_count", "/old"));
    rig.peer.publisher("/agent", crate::rig::TWIST);
    rig.peer.subscribe("/cmd_vel", crate::rig::TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.arm();
    rig.flows("/agent", 0.25);
    let residence = "interlock_command_residence_seconds_count{lane=\"base\"}";
    wait_series(&mut rig, residence, |n| n >= 1.0);
    assert_eq!(series(&mut rig, &of("transport_seconds_count", "/old")), before);
    assert_eq!(
        series(&mut rig, &of("messages_total", "/agent")),
        None,
        "gated topics are not read"
    );
}

#[test]
fn when_the_publishers_clock_is_behind_expect_transport_alone_to_move() {
    let mut rig = Rig::new(&monitored(ALL));
    let mut late = skewed(&rig, "late", -0.4);
    // Its stamps are put right, so that only the middleware's own are wrong.
    stream(&mut rig, Some(&mut late), "/slow", 0.4);
    is_at(median(&mut rig, "transport", "/slow"), 0.4, "transport");
    is_small(median(&mut rig, "age", "/slow"), "age");
    assert_eq!(anomalies(&mut rig, "/slow", "negative_transport"), 0.0);
}

fn anomalies(rig: &mut Rig, topic: &str, kind: &str) -> f64 {
    let name =
        format!("interlock_topic_stamp_anomalies_total{{topic=\"{topic}\",kind=\"{kind}\"}}");
    series(rig, &name).expect("there from the start")
}

#[test]
fn when_stamps_cannot_be_right_expect_them_counted_and_in_no_histogram() {
    let mut rig = Rig::new(&monitored(ALL));
    let mut early = skewed(&rig, "early", 3.0);
    stream(&mut rig, Some(&mut early), "/ahead", -3.0 - 0.4);
    let count = series(&mut rig, &of("messages_total", "/ahead")).expect("counted");
    let negative = anomalies(&mut rig, "/ahead", "negative_transport");
    assert!(negative >= 60.0 && negative <= count + 20.0, "{negative} of {count}");
    assert_eq!(series(&mut rig, &of("transport_seconds_count", "/ahead")), Some(0.0));
    is_at(median(&mut rig, "age", "/ahead"), 0.4, "age");

    stream(&mut rig, None, "/old", 2.0);
    assert!(anomalies(&mut rig, "/old", "future") >= 60.0);
    assert_eq!(series(&mut rig, &of("age_seconds_count", "/old")), Some(0.0));
    // Two more, one back in time, one without a stamp.
    for stamp in [json!({"sec": 7}), json!({"sec": 0})] {
        rig.peer.publish("/old", json!({"header": {"stamp": stamp}}));
    }
    wait_for("a step back and a zero", || {
        anomalies(&mut rig, "/old", "backwards") == 1.0
            && anomalies(&mut rig, "/old", "zero") == 1.0
    });
}
