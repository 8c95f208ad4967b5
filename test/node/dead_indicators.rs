//! Every metric is moved by the real node at least once, by what it is about.
//!
//! The collector's own tests show that what is in a slot is in the scrape. These show that what happens
//! gets into the slot. The list is the catalogue: a row that nothing here moves, and that is not among
//! [`ELSEWHERE`], fails.

use std::collections::{BTreeMap, BTreeSet};

use interlock::gate::verdict::Verdict;
use interlock::telemetry::catalogue::{ALL, Kind, Row};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::monitor::{series, wait_series};
use crate::peer::hex;
use crate::rig::{BASE, Rig};
use crate::support::interfaces::with_interfaces;
use crate::support::wait_for;

const STAMPED: &str = "geometry_msgs/msg/TwistStamped";
const POINT: &str = "geometry_msgs/msg/PointStamped";
const BOOL: &str = "std_msgs/msg/Bool";
const ARRAY: &str = "std_msgs/msg/Float64MultiArray";
const BATTERY: &str = "sensor_msgs/msg/BatteryState";

/// What shows a row that this life does not move.
enum Instead {
    /// A test, by its file and name.
    Test(&'static str, &'static str),
    /// It says what was configured or built; that it is there is all there is to see.
    Constant,
}
use Instead::{Constant, Test};

const ELSEWHERE: [(&str, Instead); 15] = [
    ("interlock_source_info", Constant),
    ("interlock_cause_ignored", Constant),
    ("interlock_temperature_limit_celsius", Constant),
    ("interlock_clock_simulated", Constant),
    ("interlock_config_info", Constant),
    ("interlock_build_info", Constant),
    ("interlock_robot_info", Constant),
    // Only the machine's own time service sets it.
    (
        "interlock_clock_synchronized",
        Test(
            "src/telemetry/collector/tests/mod.rs",
            "when_the_clock_is_kept_or_simulated_expect_it_in_the_scrape",
        ),
    ),
    // Nobody may set the machine's clock: the real gate thread with clocks of the test's own.
    (
        "interlock_clock_steps_total",
        Test(
            "test/hot_path/clocks.rs",
            "when_the_wall_clock_is_set_expect_it_counted_and_told_and_motion_to_go_on",
        ),
    ),
    (
        "interlock_topic_incompatible_publishers",
        Test("test/node/monitor.rs", "hazard_35_wrong_type_on_topic_monitored"),
    ),
    (
        "interlock_log_messages_lost_total",
        Test("test/node/telemetry.rs", "hazard_30_telemetry_disturbs_gate_a_journal_that_hangs"),
    ),
    // The base of this life has no feedback.
    (
        "interlock_lane_moves_after_stop",
        Test(
            "test/node/kill_inputs.rs",
            "a_cut_is_requested_while_it_moves_after_a_stop_and_withdrawn_by_the_reset",
        ),
    ),
    // A disk and a thread of this life go on.
    (
        "interlock_latch_writable",
        Test("test/node/disk.rs", "when_the_disk_hangs_expect_it_in_the_scrape_in_every_state"),
    ),
    (
        "interlock_monitor_running",
        Test(
            "test/node/sensors.rs",
            "when_nobody_looks_at_heat_any_more_expect_the_least_speed_until_somebody_does",
        ),
    ),
    // Two thousand events in 20 ms: not to be had from a peer with certainty.
    (
        "interlock_events_dropped_total",
        Test(
            "src/telemetry/events/tests.rs",
            "hazard_30_telemetry_disturbs_gate_a_full_queue_drops_and_counts",
        ),
    ),
];

/// What a scrape has, by series.
fn scrape(rig: &mut Rig) -> BTreeMap<String, f64> {
    let text = rig.http("/metrics");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    pairs.map(|(series, value)| (series.to_owned(), value.parse().expect("a number"))).collect()
}

/// Which series have moved since the first scrape.
struct Moved {
    first: BTreeMap<String, f64>,
    /// Another value than the first, or than 0 where it was absent.
    changed: BTreeSet<String>,
    appeared: BTreeSet<String>,
}

impl Moved {
    fn since(rig: &mut Rig) -> Self {
        Self { first: scrape(rig), changed: BTreeSet::new(), appeared: BTreeSet::new() }
    }

    fn look(&mut self, rig: &mut Rig) {
        for (series, value) in scrape(rig) {
            let first = self.first.get(&series);
            if first.is_none() {
                self.appeared.insert(series.clone());
            }
            if value != first.copied().unwrap_or(0.0) {
                self.changed.insert(series);
            }
        }
    }

    /// Whether any series of a row has. A counter that appears at 0 has not.
    fn has(&self, row: &Row) -> bool {
        let is_of = |series: &&String| {
            let name = series.split('{').next().unwrap_or_default();
            let name = match row.kind {
                Kind::Histogram(_) => name.strip_suffix("_count").unwrap_or_default(),
                Kind::Counter | Kind::Gauge => name,
            };
            name == row.name
        };
        let appeared = row.kind == Kind::Gauge && self.appeared.iter().any(|one| is_of(&one));
        appeared || self.changed.iter().any(|one| is_of(&one))
    }
}

fn params() -> String {
    let source = "allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100";
    format!(
        "    release_over_ros: true
    lanes:
      base:
        type: {STAMPED}
        output: cmd_vel
        feedback: none
        because: a test has no robot
        limits: {{linear: {{x: {{max_velocity: 0.5, max_acceleration: 1000000.0}}}}}}
        safe: {{command: zero_velocity}}
        start_ramp_s: 0.0
        handover: {{duration_s: 0.0}}
        release_s: 0.3
        sources:
          next: {{topic: next, priority: 50, {source}, mode: shadow}}
          agent: {{topic: agent, priority: 10, {source}}}
          spare: {{topic: spare, priority: 5, {source}}}
    kill_inputs:
      button: {{type: {BOOL}, topic: button, field: data, asserted_when: true, timeout_s: 3.0, kill_after_s: 60.0}}
    temperatures:
      motors: {{type: {ARRAY}, topic: heat, field: 'data[0..2]', timeout_s: 60.0, valid: [-20.0, 130.0],
               warn_celsius: 60.0, derate_celsius: 70.0, trip_celsius: 90.0, hysteresis_celsius: 5.0}}
    batteries:
      main: {{type: {BATTERY}, topic: battery, timeout_s: 60.0}}
    monitor:
      topics: {{point: {{topic: point, histograms: [interval, transport, age]}}}}
      patterns: [/found/*]
      max_topics: 2
"
    )
}

fn moving(x: Value) -> Value {
    json!({"twist": {"linear": {"x": x}}})
}

/// Publishes a command until it has got this verdict.
fn judge(rig: &mut Rig, source: &str, x: Value, verdict: &str) {
    let count = |rig: &mut Rig| {
        let status = rig.status();
        let sources = status["lanes"][0]["sources"].as_array().cloned().unwrap_or_default();
        sources.iter().find(|one| one["name"] == source)?[verdict].as_u64()
    };
    let before = count(rig);
    assert!(before.is_some(), "{source} {verdict}");
    wait_for(&format!("{verdict} of {source}"), || {
        if source == "spare" {
            // After a moment of silence, of a machine that is busy, it would have the lane to itself.
            rig.peer.publish("/agent", moving(x.clone()));
        }
        rig.peer.publish(&format!("/{source}"), moving(x.clone()));
        count(rig) > before
    });
}

/// Streams until a series has a value that fits.
fn stream(rig: &mut Rig, topic: &str, message: Value, name: &str, is: impl Fn(f64) -> bool) {
    let run = json!({"topic": topic, "msg": message, "hz": 50.0});
    rig.peer.ask("stream", run);
    wait_series(rig, name, is);
    rig.peer.ask("stop", json!({"topic": topic}));
}

/// What is refused while killed, and on the way out of it; a self test; an arm.
fn verbs(rig: &mut Rig, moved: &mut Moved) {
    let seq = rig.wait_state("killed", |state| state["label"] == "killed")["seq"].as_u64();
    let seq = seq.expect("a seq");
    assert_eq!(rig.verb("arm", seq)["success"], false, "killed");
    assert_eq!(rig.verb("reset", seq + 7)["success"], false, "another seq");
    rig.reset();
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    assert_eq!(rig.verb("reset", seq)["success"], false, "not killed");
    let service = rig.own("arm");
    let nobody = json!({"seq": seq, "profile": "nobody"});
    let refused = rig.peer.call(&service, "interlock/srv/Arm", nobody);
    assert_eq!(refused["success"], false, "no such profile");
    wait_for("a self test that passes", || rig.trigger("self_test")["success"] == true);
    let condition = "interlock_condition_met{condition=\"feedback_stale\"}";
    wait_series(rig, condition, |met| met == 1.0);
    moved.look(rig);
    rig.arm();
    // Nobody looks at it now, and what was is not what is.
    wait_for("the conditions gone", || series(rig, condition).is_none());
    moved.look(rig);
}

/// One command of each verdict, and one that is only judged.
fn commands(rig: &mut Rig, moved: &mut Moved) {
    let run = json!({"topic": "/agent", "msg": moving(json!(0.25)), "hz": 50.0,
                     "stamp_offset_s": -0.01});
    rig.peer.ask("stream", run);
    let of_agent = |family: &str| format!("interlock_{family}{{lane=\"base\",source=\"agent\"}}");
    wait_series(rig, &of_agent("command_age_seconds_count"), |n| n >= 2.0);
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    judge(rig, "agent", json!(0.25), "passed");
    judge(rig, "spare", json!(0.25), "not_selected");
    judge(rig, "next", json!(0.25), "passed");
    judge(rig, "agent", json!(2.0), "limited");
    judge(rig, "agent", json!("$nan"), "rejected");
    moved.look(rig);
    assert_eq!(rig.trigger("kill")["success"], true);
    judge(rig, "agent", json!(0.25), "withheld");
    moved.look(rig);
    wait_for("a point that is heard", || {
        rig.peer.publish("/point", json!({"point": {"x": 0.5}}));
        series(rig, "interlock_topic_messages_total{topic=\"/point\"}") >= Some(1.0)
    });
    // The process stands still, and more comes than anybody keeps.
    let command = rig.peer.serialize(STAMPED, moving(json!(0.25)));
    let point = rig.peer.serialize(POINT, json!({"point": {"x": 1.0}}));
    rig.node.signal(Signal::STOP);
    for (topic, bytes, count) in [("/agent", command, 200), ("/point", point, 2_000)] {
        let all = vec![hex(&bytes); count];
        rig.peer.ask("publish_all", json!({"topic": topic, "hex": all, "pause_s": 0.0}));
    }
    rig.node.signal(Signal::CONT);
    wait_series(rig, &of_agent("commands_lost_total"), |n| n > 0.0);
    let point = "interlock_topic_messages_lost_total{topic=\"/point\"}";
    wait_series(rig, point, |n| n > 0.0);
    wait_series(rig, "interlock_ticks_missed_total", |n| n > 0.0);
    moved.look(rig);
}

/// Heat, charge, and a topic of others.
fn telemetry(rig: &mut Rig, moved: &mut Moved) {
    let heat = |celsius: Value| json!({"data": [30.0, celsius]});
    let invalid = "interlock_temperature_invalid_total{input=\"motors\",reason=\"nan\"}";
    stream(rig, "/heat", heat(json!("$nan")), invalid, |n| n > 0.0);
    stream(rig, "/heat", heat(json!(80.0)), "interlock_derating_ratio", |ratio| ratio < 1.0);
    let trip = "interlock_cause_present{cause=\"temperature_trip\"}";
    stream(rig, "/heat", heat(json!(95.0)), trip, |one| one == 1.0);
    let of_battery = |family: &str| format!("interlock_battery_{family}{{input=\"main\"}}");
    let charge = |percentage: f64, current: f64, status: u8| {
        json!({"percentage": percentage, "voltage": 48.0, "current": current,
               "power_supply_status": status, "power_supply_health": 1})
    };
    let (gives, takes) =
        (of_battery("discharged_joules_total"), of_battery("charged_joules_total"));
    stream(rig, "/battery", charge(0.75, -5.0, 2), &gives, |joules| joules > 0.0);
    stream(rig, "/battery", charge(0.75, 5.0, 1), &takes, |joules| joules > 0.0);
    let rule =
        "interlock_battery_semantics_violations_total{input=\"main\",rule=\"percent_scale\"}";
    stream(rig, "/battery", charge(87.0, 5.0, 1), rule, |n| n > 0.0);
    moved.look(rig);
    // Without a stamp, and with one.
    let zero = "interlock_topic_stamp_anomalies_total{topic=\"/point\",kind=\"zero\"}";
    wait_series(rig, zero, |n| n > 0.0);
    rig.peer
        .ask("stream", json!({"topic": "/point", "msg": {}, "hz": 50.0, "stamp_offset_s": -0.01}));
    wait_series(rig, "interlock_topic_age_seconds_count{topic=\"/point\"}", |n| n > 0.0);
    rig.peer.ask("stop", json!({"topic": "/point"}));
    for topic in ["/found/one", "/found/two"] {
        rig.peer.ask("publisher", json!({"topic": topic, "type": BOOL}));
    }
    wait_series(rig, "interlock_topics_suppressed_total{reason=\"cap\"}", |n| n > 0.0);
    moved.look(rig);
}

#[test]
fn hazard_29_dead_indicators_every_metric_is_moved_by_the_real_node() {
    let mut rig = Rig::persisted(&params());
    let mut moved = Moved::since(&mut rig);
    rig.peer.subscribe("/cmd_vel", STAMPED);
    for topic in ["/next", "/agent", "/spare"] {
        rig.peer.publisher(topic, STAMPED);
    }
    for (topic, kind) in [("/button", BOOL), ("/heat", ARRAY), ("/battery", BATTERY)] {
        rig.peer.publisher(topic, kind);
    }
    rig.peer.ask("publisher", json!({"topic": "/point", "type": POINT, "deadline_s": 60.0}));
    rig.peer.ask("stream", json!({"topic": "/button", "msg": {"data": false}, "hz": 50.0}));
    rig.peer.wait_for_writer("/cmd_vel");

    verbs(&mut rig, &mut moved);
    commands(&mut rig, &mut moved);
    telemetry(&mut rig, &mut moved);
    rig.peer.ask("publisher", json!({"topic": "/cmd_vel", "type": STAMPED}));
    let foreign = "interlock_output_foreign_publishers{lane=\"base\"}";
    wait_series(&mut rig, foreign, |others| others == 1.0);
    rig.peer.ask("stop", json!({"topic": "/button"}));
    wait_series(&mut rig, "interlock_kill_input_lost{input=\"button\"}", |lost| lost == 1.0);
    moved.look(&mut rig);

    let still = ALL.iter().filter(|row| !moved.has(row)).map(|row| row.name);
    let still: Vec<&str> =
        still.filter(|name| !ELSEWHERE.iter().any(|(known, _)| known == name)).collect();
    assert!(still.is_empty(), "nothing moved {still:?}");
    // Cells that their family's others would hide.
    let mut cells: Vec<String> = Vec::new();
    for (verdict, source) in Verdict::ALL.iter().zip(["agent", "agent", "agent", "agent", "spare"])
    {
        cells.push(format!(
            "interlock_commands_total{{lane=\"base\",source=\"{source}\",verdict=\"{verdict}\"}}"
        ));
    }
    for (family, label, words) in [
        ("trips", "cause", &["kill_service"][..]),
        ("reset_refusals", "reason", &["seq_moved", "not_killed"]),
        ("arm_refusals", "reason", &["killed", "unknown_profile"]),
    ] {
        cells.extend(
            words.iter().map(|word| format!("interlock_{family}_total{{{label}=\"{word}\"}}")),
        );
    }
    cells.push(
        "interlock_joint_limits_applied_total{lane=\"base\",joint=\"linear.x\",limit=\"velocity\"}"
            .to_owned(),
    );
    let still: Vec<&String> = cells.iter().filter(|cell| !moved.changed.contains(*cell)).collect();
    assert!(still.is_empty(), "nothing moved {still:#?}");
}

#[test]
fn hazard_29_dead_indicators_what_is_moved_elsewhere_has_its_test() {
    let mut rig = Rig::new(&params());
    let now = scrape(&mut rig);
    for (name, instead) in &ELSEWHERE {
        assert!(ALL.iter().any(|row| row.name == *name), "{name} is no metric");
        match instead {
            Constant => {
                let is_there = now.keys().any(|series| series.split('{').next() == Some(name));
                assert!(is_there, "{name} is absent");
            }
            Test(file, test) => {
                let file = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
                let text = std::fs::read_to_string(&file).expect("the test's file");
                assert!(text.contains(&format!("fn {test}(")), "{name}: no {test} in {file}");
            }
        }
    }
}

#[test]
fn hazard_29_dead_indicators_a_release_over_ros_that_is_closed() {
    let mut rig = Rig::new(&BASE.replace("    release_over_ros: true\n", ""));
    for verb in ["reset", "arm"] {
        let count = format!("interlock_{verb}_refusals_total{{reason=\"not_open\"}}");
        assert_eq!(series(&mut rig, &count), Some(0.0));
        assert_eq!(rig.verb(verb, 1)["success"], false);
        wait_series(&mut rig, &count, |n| n == 1.0);
    }
}

/// The peer knows the type and the node does not.
#[test]
fn hazard_29_dead_indicators_a_topic_of_a_type_that_is_not_installed() {
    let name = "dead_indicators::hazard_29_dead_indicators_a_topic_of_a_type_that_is_not_installed";
    with_interfaces("vendor_msgs", name, || {
        // What this process was given before the rest is the package's own prefix.
        let without = |variable: &str| {
            let all = std::env::var_os(variable).expect("set for this process");
            let rest = std::env::join_paths(std::env::split_paths(&all).skip(1));
            let rest = rest.expect("it was a path").into_string().expect("a plain path");
            format!("{variable}={rest}")
        };
        let mut words = vec!["env".to_owned()];
        words.extend(["AMENT_PREFIX_PATH", "LD_LIBRARY_PATH"].map(without));
        words.push(env!("CARGO_BIN_EXE_interlock").to_owned());
        let params = format!("{BASE}    monitor: {{patterns: [/vendor/*]}}\n");
        let mut rig = Rig::persisted_through(&params, &|_| words.clone());
        let count = "interlock_topics_suppressed_total{reason=\"unknown_type\"}";
        assert_eq!(series(&mut rig, count), Some(0.0));
        let kind = "interlock_test_vendor_msgs/msg/LowState";
        rig.peer.ask("publisher", json!({"topic": "/vendor/state", "type": kind}));
        rig.peer.ask("publisher", json!({"topic": "/vendor/button", "type": BOOL}));
        wait_series(&mut rig, count, |n| n == 1.0);
        wait_series(&mut rig, "interlock_topics_monitored", |n| n == 1.0);
    });
}
