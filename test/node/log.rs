//! The log and `/rosout`: one structured event for everything that matters, each message counted.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::{DomainLease, wait_for, wait_for_some};

const LOG: &str = "rcl_interfaces/msg/Log";

/// The node with its log as JSON.
fn with_json_log(params: &str) -> Rig {
    let words = |_: &DomainLease| {
        let node = env!("CARGO_BIN_EXE_interlock");
        ["env", "INTERLOCK_LOG_FORMAT=json", node].map(str::to_owned).into()
    };
    Rig::persisted_through(params, &words)
}

/// The log's lines as objects.
fn lines(rig: &Rig) -> Vec<Value> {
    let log = rig.node.log();
    // A line that is being written has no end yet.
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    let line =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    whole.lines().map(line).collect()
}

fn of_kind(rig: &Rig, kind: &str) -> Vec<Value> {
    lines(rig).into_iter().filter(|line| line["kind"] == kind).collect()
}

/// Waits until there are so many lines of a kind, and returns them.
fn wait_kind(rig: &Rig, kind: &str, count: usize) -> Vec<Value> {
    wait_for_some(&format!("{count} lines of kind {kind}"), || {
        Some(of_kind(rig, kind)).filter(|lines| lines.len() >= count)
    })
}

const TWO_SOURCES: &str =
    "          teleop: {topic: teleop, priority: 100, timeout_s: 30.0, max_rate_hz: 1000.0}\n";

#[test]
fn when_the_node_is_used_expect_one_structured_event_for_each_step() {
    let mut rig = with_json_log(&format!("{BASE}{TWO_SOURCES}"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.publisher("/teleop", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    let started = wait_kind(&rig, "configured", 1);
    assert_eq!(started.len(), 1);
    let status = rig.status();
    assert_eq!(started[0]["config_sha256"], status["config_sha256"]);
    assert_eq!((&started[0]["lanes"], &started[0]["level"]), (&json!(1), &json!("INFO")));

    rig.reset();
    let reset = wait_kind(&rig, "reset", 1);
    assert_eq!((&reset[0]["from"], &reset[0]["to"]), (&json!("killed"), &json!("disarmed")));
    rig.arm();
    let armed = wait_kind(&rig, "armed", 1);
    let seq = rig.state()["seq"].clone();
    assert_eq!(armed[0]["seq"], seq);
    // A hand-over from nobody to the agent, and one from it to the person.
    rig.flows("/agent", 0.25);
    let owner = wait_kind(&rig, "owner_changed", 1);
    assert_eq!((&owner[0]["from"], &owner[0]["to"]), (&json!("none"), &json!("agent")));
    let from = rig.peer.count("/cmd_vel");
    rig.peer.publish("/teleop", twist(0.125));
    rig.wait_message("/cmd_vel", from, "the person's command", |one| goes(one, 0.125));
    let owner = wait_kind(&rig, "owner_changed", 2);
    assert_eq!((&owner[1]["from"], &owner[1]["to"]), (&json!("agent"), &json!("teleop")));
    assert_eq!(owner[1]["lane"], "base");

    rig.trigger("kill");
    // The first is that of a first run.
    let trip = wait_kind(&rig, "tripped", 2);
    assert_eq!((&trip[1]["cause"], &trip[1]["level"]), (&json!("kill_service"), &json!("ERROR")));
    assert_eq!(wait_kind(&rig, "killed", 1).len(), 1);
    rig.reset();
    rig.arm();
    rig.trigger("disarm");
    assert_eq!(wait_kind(&rig, "disarmed", 1).len(), 1);
    // Who asked for what is a line each, beside what came of it.
    let asked: Vec<Value> =
        wait_kind(&rig, "requested", 5).into_iter().map(|line| line["verb"].clone()).collect();
    assert!(asked.iter().filter(|verb| **verb == "reset").count() == 2, "{asked:?}");
    assert!(asked.contains(&json!("arm")) && asked.contains(&json!("disarm")), "{asked:?}");
    for (kind, count) in [("reset", 2), ("armed", 2), ("tripped", 2), ("killed", 1)] {
        assert_eq!(wait_kind(&rig, kind, count).len(), count, "{kind}");
    }
    // Each line is counted by its level.
    wait_for("as many counted as written", || {
        let metrics = rig.http("/metrics");
        let written = lines(&rig);
        ["error", "warn", "info"].iter().all(|level| {
            let of_level = |line: &&Value| line["level"] == level.to_uppercase();
            let written = written.iter().filter(of_level).count();
            metrics.contains(&format!(
                "\ninterlock_log_messages_total{{level=\"{level}\"}} {written}\n"
            ))
        })
    });
    let metrics = rig.http("/metrics");
    for lost in [
        "interlock_log_messages_lost_total{sink=\"stderr\"} 0",
        "interlock_log_messages_lost_total{sink=\"rosout\"} 0",
        "interlock_events_dropped_total 0",
    ] {
        assert!(metrics.contains(lost), "{lost}");
    }
    // The last lines of a run are in it.
    rig.node.signal(Signal::TERM);
    assert!(rig.node.ended().success());
    assert_eq!(of_kind(&rig, "stopping").len(), 1);
}

#[test]
fn when_commands_are_refused_in_a_row_expect_a_line_for_each_reason_with_its_count() {
    let mut rig = with_json_log(BASE);
    rig.peer.publisher("/agent", TWIST);
    let (nan, axis) = (json!({"linear": {"x": "$nan"}}), json!({"angular": {"z": 1.0}}));
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": nan, "hz": 200.0}));
    let rejected = |rig: &Rig, reason: &str| -> (usize, u64) {
        let all = of_kind(rig, "rejected").into_iter();
        let lines: Vec<Value> = all.filter(|line| line["reason"] == reason).collect();
        (lines.len(), lines.iter().filter_map(|line| line["count"].as_u64()).sum())
    };
    wait_for("three lines about NaN", || rejected(&rig, "not_finite").0 >= 3);
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.peer.publish("/agent", axis);
    wait_for("a line about the axis", || rejected(&rig, "locked_axis") == (1, 1));
    let count = rig.wait_count(0, 0, "rejected", 2)["rejected"].as_u64().expect("a count");
    wait_for("every refused command in a line", || rejected(&rig, "not_finite").1 == count - 1);
    let (lines, commands) = rejected(&rig, "not_finite");
    assert!(commands > 4 * u64::try_from(lines).expect("few"), "{commands} in {lines} lines");
    // The page and the status have the same.
    let status = rig.status();
    assert_eq!(status["rejections"][0]["reason"], "locked_axis");
    assert_eq!(status["rejections"][1]["count"], count - 1);
    let page = rig.http("/");
    assert!(page.contains("Latest rejections") && page.contains("locked_axis"), "{page}");
}

#[test]
fn when_rosout_is_read_late_expect_the_logs_messages_with_their_levels() {
    let mut rig = with_json_log(BASE);
    rig.trigger("kill");
    wait_kind(&rig, "tripped", 1);
    // As rosbag2 and rqt_console read it; the messages are older than this reader.
    rig.peer.ask(
        "subscribe",
        json!({"topic": "/rosout", "type": LOG, "durability": "TRANSIENT_LOCAL", "depth": 1000}),
    );
    let ours = |rig: &mut Rig, part: &str| {
        wait_for_some(part, || {
            let all = rig.peer.received("/rosout", 0).into_iter().map(|one| one.message);
            all.filter(|line| line["name"] == "interlock")
                .find(|line| line["msg"].as_str().is_some_and(|text| text.contains(part)))
        })
    };
    let trip = ours(&mut rig, "tripped: kill_service");
    assert_eq!(trip["level"], 40);
    assert!(trip["stamp"]["sec"].as_i64() > Some(1_600_000_000), "{trip}");
    assert!(trip["file"].as_str().is_some_and(|file| file.ends_with("events/line.rs")), "{trip}");
    assert!(trip["line"].as_u64() > Some(0), "{trip}");
    let configured = ours(&mut rig, "configured: robot");
    assert_eq!(configured["level"], 20);
    // And what is logged from now on.
    rig.peer.publisher("/agent", TWIST);
    rig.peer.publish("/agent", json!({"linear": {"x": "$nan"}}));
    assert_eq!(ours(&mut rig, "rejected: not_finite")["level"], 30);
}

#[test]
fn when_ros_disables_rosout_expect_no_publisher_of_ours() {
    let mut rig = Rig::with(BASE, &["--disable-rosout-logs"], "/interlock");
    rig.trigger("kill");
    let graph = rig.peer.ask("graph", json!({}));
    let nodes = graph["topics"]["/rosout"]["publishers"].clone();
    let nodes: Vec<Value> = nodes.as_array().cloned().unwrap_or_default();
    assert!(!nodes.contains(&json!("/interlock")), "{nodes:?}");
    // The log itself goes on.
    wait_for("the trip in the log", || rig.node.log().contains("tripped: kill_service"));
}
