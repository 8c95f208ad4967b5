//! `/diagnostics` as a reader of the standard message sees it, and the aggregator's tree over it.

use std::collections::BTreeSet;

use interlock::config::args::Arguments;
use interlock::config::load::flat_map;
use interlock::config::value::Value as Parameter;
use serde_json::{Value, json};

use crate::peer::Received;
use crate::rig::{BASE, Rig, TWIST, twist};
use crate::support::wait_for_some;

const ARRAY: &str = "diagnostic_msgs/msg/DiagnosticArray";
const BOOL: &str = "std_msgs/msg/Bool";

/// One component of every kind that this node has.
fn params() -> String {
    let more = "          next: {topic: next, priority: 5, mode: shadow, allow_no_timeout: true, max_rate_hz: 100.0}
    kill_inputs: {pendant: {type: std_msgs/msg/Bool, topic: pendant, field: data, asserted_when: true, timeout_s: 30.0}}
    feedback: {joints: {type: sensor_msgs/msg/JointState, topic: joint_states, timeout_s: 0.5}}
    monitor: {topics: {scan: {topic: scan, rate_hz: 10.0}}}
";
    format!("    hardware_id: g1-0042\n{BASE}{more}")
}

/// Changes of a level: one told with a regular message by chance is a tenth of them at most.
const TOGGLES: usize = 20;

/// Kinds of components that these params do not have.
const ABSENT: [&str; 2] = ["batteries", "temperatures"];

/// The statuses of a message.
fn statuses(received: &Received) -> Vec<Value> {
    received.message["status"].as_array().expect("a list").clone()
}

/// A component's status in a message.
fn of(received: &Received, name: &str) -> Option<Value> {
    statuses(received).into_iter().find(|one| one["name"] == name)
}

/// The level, which is a byte.
fn level(status: &Value) -> u64 {
    status["level"][0].as_u64().expect("a level")
}

/// Seconds of the message's own stamp.
fn stamp(received: &Received) -> f64 {
    let stamp = &received.message["header"]["stamp"];
    stamp["sec"].as_f64().expect("s") + 1e-9 * stamp["nanosec"].as_f64().expect("ns")
}

fn watch(rig: &mut Rig) {
    rig.peer.subscribe("/diagnostics", ARRAY);
}

/// Waits for a message in which a component has this level; returns it and the one before.
fn wait_level(rig: &mut Rig, from: usize, name: &str, wanted: u64) -> (Option<Received>, Received) {
    wait_for_some(&format!("{name} at level {wanted}"), || {
        let all = rig.peer.received("/diagnostics", from);
        let is = |one: &Received| of(one, name).is_some_and(|status| level(&status) == wanted);
        let at = all.iter().position(is)?;
        let before = at.checked_sub(1).map(|at| all[at].clone());
        Some((before, all[at].clone()))
    })
}

#[test]
fn when_diagnostics_are_read_expect_stable_names_levels_without_stale_and_units_in_keys() {
    let mut rig = Rig::new(&params());
    watch(&mut rig);
    let array = wait_for_some("a message", || rig.peer.newest("/diagnostics"));
    assert!(stamp(&array) > 1.6e9, "a stamp of the wall clock");
    let all = statuses(&array);
    let names: BTreeSet<&str> = all.iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names.len(), all.len(), "each once");
    let expected = [
        "interlock: clock",
        "interlock: feedback joints",
        "interlock: gate",
        "interlock: kill input pendant",
        "interlock: lane base",
        "interlock: source base/agent",
        "interlock: source base/next",
        "interlock: topic scan",
    ];
    assert_eq!(names, BTreeSet::from(expected));
    for status in &all {
        assert!(level(status) <= 2, "STALE is the aggregator's word: {status}");
        assert_eq!(status["hardware_id"], "g1-0042");
        assert!(status["message"].as_str().is_some_and(|text| !text.is_empty()), "{status}");
        for pair in status["values"].as_array().expect("a list") {
            let (key, value) = (pair["key"].as_str().expect("a key"), &pair["value"]);
            let value = value.as_str().expect("a text");
            // A number with a fraction has a unit; counts have none.
            let is_measured = value.contains('.') && value.parse::<f64>().is_ok();
            let has_unit = key.ends_with(')') && key.contains(" (");
            assert!(!is_measured || has_unit, "{key} = {value}");
        }
    }
}

#[test]
fn when_a_level_changes_expect_it_told_at_once() {
    // Killed, where a kill input that is heard and goes silent changes nothing of the state.
    let mut rig = Rig::persisted(&params().replace("timeout_s: 30.0", "timeout_s: 0.5"));
    watch(&mut rig);
    rig.peer.publisher("/pendant", BOOL);
    let name = "interlock: kill input pendant";
    rig.wait_state("killed", |state| state["label"] == "killed");
    // A second passes between two messages unless one is told at once. One of several changes may
    // come just then, and a busy machine may be late with some.
    let told_at_once = (0..TOGGLES).any(|_| {
        // From the newest message on, so that the one before the change is among them.
        let from = rig.peer.count("/diagnostics").saturating_sub(1);
        rig.peer.ask("stream", json!({"topic": "/pendant", "msg": {"data": false}, "hz": 50.0}));
        let (before, released) = wait_level(&mut rig, from, name, 0);
        rig.peer.ask("stop", json!({"topic": "/pendant"}));
        let from = rig.peer.count("/diagnostics");
        wait_level(&mut rig, from, name, 2);
        before.is_some_and(|before| stamp(&released) - stamp(&before) < 0.9)
    });
    assert!(told_at_once, "each of {TOGGLES} changes came with a regular message");
}

#[test]
fn when_components_change_expect_their_levels_and_sentences() {
    let mut rig = Rig::new(&params());
    watch(&mut rig);
    let (_, at) = wait_level(&mut rig, 0, "interlock: kill input pendant", 1);
    let pendant = of(&at, "interlock: kill input pendant").expect("it is there");
    assert_eq!(pendant["message"], "not heard yet");
    rig.peer.publisher("/pendant", BOOL);
    rig.peer.publish("/pendant", json!({"data": true}));
    let (_, at) = wait_level(&mut rig, 0, "interlock: kill input pendant", 2);
    let pendant = of(&at, "interlock: kill input pendant").expect("it is there");
    assert!(pendant["message"].as_str().is_some_and(|text| text.starts_with("asserts")));
    let (_, at) = wait_level(&mut rig, 0, "interlock: gate", 2);
    let gate = of(&at, "interlock: gate").expect("it is there");
    assert!(gate["message"].as_str().is_some_and(|text| text.starts_with("killed")), "{gate}");
    // A refused command is a warning of its source, and only for a while.
    rig.peer.publisher("/agent", TWIST);
    let from = rig.peer.count("/diagnostics");
    rig.peer.publish("/agent", json!({"linear": {"x": "$nan"}}));
    let (_, at) = wait_level(&mut rig, from, "interlock: source base/agent", 1);
    let source = of(&at, "interlock: source base/agent").expect("it is there");
    assert_eq!(source["message"], "commands are rejected, last reason: not_finite");
    let from = rig.peer.count("/diagnostics");
    wait_level(&mut rig, from, "interlock: source base/agent", 0);
    rig.peer.publish("/agent", twist(0.0));
    let from = rig.peer.count("/diagnostics");
    let (_, at) = wait_level(&mut rig, from, "interlock: topic scan", 1);
    assert!(
        of(&at, "interlock: topic scan").is_some_and(|one| one["message"] == "nobody publishes it")
    );
}

#[test]
fn when_time_is_simulated_expect_the_clock_to_say_so_everywhere() {
    let params = BASE.replace("    lanes:", "    use_sim_time: true\n    lanes:");
    let mut rig = Rig::new(&params);
    watch(&mut rig);
    let (_, at) = wait_level(&mut rig, 0, "interlock: clock", 1);
    let clock = of(&at, "interlock: clock").expect("it is there");
    assert!(clock["message"].as_str().is_some_and(|text| text.contains("use_sim_time")), "{clock}");
    let metrics = rig.http("/metrics");
    assert!(metrics.contains("\ninterlock_clock_simulated 1\n"), "{metrics}");
    let status = rig.status();
    assert_eq!(status["clock"]["simulated"], true);
    // What the kernel says is in the metrics, or absent where it does not tell.
    let kept = status["clock"]["synchronized"].as_bool();
    let series = kept.map(|kept| format!("\ninterlock_clock_synchronized {}\n", u8::from(kept)));
    match series {
        Some(series) => assert!(metrics.contains(&series), "{series}"),
        None => assert!(!metrics.contains("interlock_clock_synchronized "), "{metrics}"),
    }
}

/// One analyzer of the aggregator's file.
struct Analyzer {
    name: String,
    exactly: Vec<String>,
    starts: Vec<String>,
}

impl Analyzer {
    /// As `GenericAnalyzer::match` of diagnostic_aggregator decides.
    fn matches(&self, status: &str) -> bool {
        self.exactly.iter().any(|name| name == status)
            || self.starts.iter().any(|start| status.starts_with(start))
    }
}

/// The file as its node's parameters, read by the reader that must agree with rcl's.
fn analyzers() -> Vec<Analyzer> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/diagnostics_aggregator.yaml");
    let args = ["--ros-args", "--params-file", file, "-r", "__node:=analyzers"].map(str::to_owned);
    let arguments = Arguments::parse(&args).expect("arguments of a node");
    let (map, _) = flat_map(&arguments).expect("the file can be read");
    let texts = |key: String| match map.get(&key).map(|entry| &entry.value) {
        Some(Parameter::StringArray(texts)) => texts.clone(),
        Some(other) => panic!("{key}: {other:?}"),
        None => Vec::new(),
    };
    let names: BTreeSet<String> =
        map.iter().filter_map(|(key, _)| Some(key.split_once('.')?.0.to_owned())).collect();
    let analyzer = |name: String| {
        let found = map.get(&format!("{name}.type")).map(|entry| &entry.value);
        let generic = Parameter::String("diagnostic_aggregator/GenericAnalyzer".to_owned());
        assert_eq!(found, Some(&generic), "{name}.type");
        assert!(map.get(&format!("{name}.path")).is_some(), "{name} has a path");
        Analyzer {
            exactly: texts(format!("{name}.expected")),
            starts: texts(format!("{name}.find_and_remove_prefix")),
            name,
        }
    };
    names.into_iter().map(analyzer).collect()
}

#[test]
fn when_the_aggregator_sorts_expect_each_status_in_one_place_and_no_place_empty() {
    let analyzers = analyzers();
    assert!(analyzers.len() >= 8, "{}", analyzers.len());
    let mut rig = Rig::new(&params());
    watch(&mut rig);
    let array = wait_for_some("a message", || rig.peer.newest("/diagnostics"));
    let mut used = BTreeSet::new();
    for status in statuses(&array) {
        let name = status["name"].as_str().expect("a name");
        let places: Vec<&str> =
            analyzers.iter().filter(|one| one.matches(name)).map(|one| one.name.as_str()).collect();
        assert_eq!(places.len(), 1, "{name} is in {places:?}");
        used.insert(places[0].to_owned());
    }
    let all: BTreeSet<String> = analyzers.iter().map(|one| one.name.clone()).collect();
    let empty: Vec<&String> = all.difference(&used).collect();
    assert_eq!(empty, ABSENT, "analyzers that nothing goes to");
    // What must be there is there, under the exact name.
    let names: Vec<Value> = statuses(&array).into_iter().map(|one| one["name"].clone()).collect();
    for expected in analyzers.iter().flat_map(|one| &one.exactly) {
        assert!(names.iter().any(|name| name == expected), "{expected}");
    }
}
