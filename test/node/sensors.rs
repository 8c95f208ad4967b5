//! Heat and charge: what a hot joint or a low battery does to motion, and what is told of it.

use serde_json::{Value, json};

use crate::endings::hold;
use crate::monitor::{series, wait_series};
use crate::peer::Peer;
use crate::rig::{BASE, Node, Rig, TWIST, goes, twist};
use crate::support::{Scratch, domain_lease, wait_for};

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";
const BATTERY: &str = "sensor_msgs/msg/BatteryState";
const TEMPERATURE: &str = "sensor_msgs/msg/Temperature";
const DIAGNOSTICS: &str = "diagnostic_msgs/msg/DiagnosticArray";

/// Two motors that derate from 70 °C and trip at 90 °C.
fn motors(timeout_s: f64) -> String {
    format!(
        "    temperatures: {{motors: {{type: {ARRAY}, topic: heat, field: 'data[0..2]', timeout_s: {timeout_s:?}, valid: [-20.0, 130.0], warn_celsius: 60.0, derate_celsius: 70.0, trip_celsius: 90.0, hysteresis_celsius: 5.0}}}}\n{BASE}"
    )
}

fn battery() -> String {
    format!(
        "    batteries: {{main: {{type: {BATTERY}, topic: battery, timeout_s: 60.0, warn_ratio: 0.3, derate_ratio: 0.2, trip_ratio: 0.1}}}}\n{BASE}"
    )
}

fn rig(params: &str, topic: &str, kind: &str) -> Rig {
    let mut rig = Rig::new(params);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.subscribe("/diagnostics", DIAGNOSTICS);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.publisher(topic, kind);
    rig
}

/// Sends the same at 50 Hz from now on.
fn stream(rig: &mut Rig, topic: &str, message: Value, running: &mut bool) {
    if std::mem::replace(running, true) {
        rig.peer.ask("stop", json!({"topic": topic}));
    }
    rig.peer.ask("stream", json!({"topic": topic, "msg": message, "hz": 50.0}));
}

fn heat(celsius: &[f64]) -> Value {
    json!({"data": celsius})
}

fn celsius(component: &str) -> String {
    format!("interlock_temperature_celsius{{input=\"motors\",component=\"{component}\"}}")
}

fn invalid(reason: &str) -> String {
    format!("interlock_temperature_invalid_total{{input=\"motors\",reason=\"{reason}\"}}")
}

fn of_battery(family: &str) -> String {
    format!("interlock_battery_{family}{{input=\"main\"}}")
}

fn violations(rule: &str) -> String {
    format!("interlock_battery_semantics_violations_total{{input=\"main\",rule=\"{rule}\"}}")
}

/// Whether nothing that the output has carried from a message on is faster than this.
fn never_over(rig: &mut Rig, from: usize, most: f64) -> bool {
    let speeds = rig.peer.received("/cmd_vel", from).into_iter();
    let mut speeds = speeds.map(|one| one.message["linear"]["x"].as_f64().expect("a number"));
    speeds.all(|speed| speed <= most + 1e-9)
}

/// Waits for a component's status in `/diagnostics`.
fn wait_part(rig: &mut Rig, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let mut found = Value::Null;
    let from = rig.peer.count("/diagnostics").saturating_sub(1);
    rig.wait_message("/diagnostics", from, what, |one| {
        let parts = one.message["status"].as_array().expect("a list");
        let part = parts.iter().find(|part| part["name"] == name);
        found = part.cloned().unwrap_or_default();
        is(&found)
    });
    found
}

fn value(part: &Value, key: &str) -> Value {
    let values = part["values"].as_array().expect("a list");
    let found = values.iter().find(|one| one["key"] == key);
    found.unwrap_or_else(|| panic!("no {key} in {part:#}"))["value"].clone()
}

#[test]
fn a_joint_that_heats_up_slows_the_robot_then_disarms_it_and_must_cool_before_an_arm() {
    let mut rig = rig(&motors(60.0), "/heat", ARRAY);
    let mut running = false;
    stream(&mut rig, "/heat", heat(&[30.0, 40.5]), &mut running);
    wait_series(&mut rig, &celsius("1"), |found| found == 40.5);
    rig.arm();
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": twist(0.5), "hz": 50.0}));
    rig.wait_message("/cmd_vel", 0, "full speed", |one| goes(one, 0.5));
    // Half way from derate to trip: 1 - 0.8 / 2 of the limit, which is 0.5 m/s.
    stream(&mut rig, "/heat", heat(&[30.0, 80.0]), &mut running);
    rig.wait_state("the derating", |state| state["derating"] == 0.6);
    let from = rig.peer.count("/cmd_vel");
    rig.wait_message("/cmd_vel", from, "a derated speed", |one| {
        let speed = one.message["linear"]["x"].as_f64().expect("a number");
        (speed - 0.3).abs() < 1e-9
    });
    let from = rig.peer.count("/cmd_vel");
    wait_series(&mut rig, "interlock_derating_ratio", |ratio| (ratio - 0.6).abs() < 1e-12);
    assert!(never_over(&mut rig, from, 0.3));
    let applied =
        "interlock_limits_applied_total{lane=\"base\",source=\"agent\",limit=\"derating\"}";
    wait_series(&mut rig, applied, |count| count > 0.0);
    let part = wait_part(&mut rig, "interlock: temperature motors", "a warning", |part| {
        part["level"] == json!([1])
    });
    assert_eq!(part["message"], "1: 80.0 °C; derate from 70 °C on");
    assert_eq!((value(&part, "1 (°C)"), value(&part, "trip (°C)")), (json!("80.0"), json!("90")));
    // Too hot: let go, and why.
    stream(&mut rig, "/heat", heat(&[30.0, 95.5]), &mut running);
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    assert_eq!(state["last_trip"]["cause"], "temperature_trip");
    assert_eq!(state["last_trip"]["subject"], "motors/1");
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.peer.publish("/agent", twist(0.0));
    let refused = "temperature_trip 'motors/1': 95.500 °C, allowed 90.000 °C";
    rig.wait_state("the reason", |state| state["unmet"].to_string().contains(refused));
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    let answer = rig.verb("arm", seq);
    assert!(answer["success"] == false && answer.to_string().contains(refused), "{answer}");
    wait_series(&mut rig, "interlock_cause_present{cause=\"temperature_trip\"}", |one| one == 1.0);
    wait_part(&mut rig, "interlock: temperature motors", "an error", |part| {
        part["level"] == json!([2])
    });
    // Below the threshold, but not by the hysteresis.
    stream(&mut rig, "/heat", heat(&[30.0, 86.0]), &mut running);
    let still = "temperature_trip 'motors/1': 86.000 °C, allowed 85.000 °C";
    rig.wait_state("what is still needed", |state| state["unmet"].to_string().contains(still));
    stream(&mut rig, "/heat", heat(&[30.0, 84.0]), &mut running);
    rig.arm();
    // 84 °C and the hysteresis: 89 of 70 to 90.
    let state = rig.state();
    let derating = state["derating"].as_f64().expect("a number");
    assert!((derating - 0.24).abs() < 1e-9, "{derating}");
    stream(&mut rig, "/heat", heat(&[30.0, 40.0]), &mut running);
    rig.wait_state("all of it", |state| state["derating"] == 1.0);
    let status = rig.status();
    let hot = &status["temperatures"][1];
    assert_eq!((&hot["name"], &hot["component"]), (&json!("motors"), &json!("1")));
    assert_eq!((&hot["level"], &hot["trip_celsius"]), (&json!("ok"), &json!(90.0)));
}

#[test]
fn a_reading_that_cannot_be_believed_is_counted_and_makes_nothing_better() {
    let mut rig = rig(&motors(60.0), "/heat", ARRAY);
    let mut running = false;
    stream(&mut rig, "/heat", heat(&[30.0, 80.0]), &mut running);
    rig.wait_state("the derating", |state| state["derating"] == 0.6);
    for (message, reason) in [
        (json!({"data": [30.0, "$nan"]}), "nan"),
        (heat(&[30.0, 131.0]), "range"),
        (heat(&[30.0, -128.0]), "sentinel"),
        (heat(&[30.0]), "nan"),
    ] {
        let before = series(&mut rig, &invalid(reason)).expect("there from the start");
        stream(&mut rig, "/heat", message, &mut running);
        wait_series(&mut rig, &invalid(reason), |count| count >= before + 5.0);
        assert_eq!(series(&mut rig, &celsius("1")), None, "{reason}");
        assert_eq!(rig.state()["derating"], 0.6, "{reason}");
    }
    assert_eq!(series(&mut rig, &celsius("0")), Some(30.0));
    wait_part(&mut rig, "interlock: temperature motors", "that it is not measured", |part| {
        value(part, "1 (°C)") == "not measured"
    });
    // The first warms up, and the second does not move by a bit.
    stream(&mut rig, "/heat", heat(&[30.0, 80.0]), &mut running);
    wait_series(&mut rig, &celsius("1"), |found| found == 80.0);
    stream(&mut rig, "/heat", heat(&[50.0, 80.0]), &mut running);
    wait_series(&mut rig, &invalid("stuck"), |count| count > 0.0);
    assert_eq!(series(&mut rig, &celsius("1")), None);
    stream(&mut rig, "/heat", heat(&[50.0, 80.25]), &mut running);
    wait_series(&mut rig, &celsius("1"), |found| found == 80.25);
}

#[test]
fn a_sensor_that_falls_silent_is_told_and_what_it_said_stays() {
    let mut rig = rig(&motors(0.5), "/heat", ARRAY);
    let last = "interlock_input_last_received_timestamp_seconds{input=\"motors\"}";
    assert_eq!(series(&mut rig, last), None);
    wait_part(&mut rig, "interlock: temperature motors", "that it was not heard", |part| {
        part["level"] == json!([1]) && part["message"].to_string().contains("not heard yet")
    });
    let mut running = false;
    stream(&mut rig, "/heat", heat(&[30.0, 95.0]), &mut running);
    wait_series(&mut rig, &celsius("0"), |found| found == 30.0);
    rig.wait_state("the trip", |state| state["unmet"].to_string().contains("temperature_trip"));
    rig.peer.ask("stop", json!({"topic": "/heat"}));
    wait_for("the gauges to be absent", || {
        series(&mut rig, &celsius("0")).is_none() && series(&mut rig, &celsius("1")).is_none()
    });
    assert!(series(&mut rig, last).is_some(), "when it was last heard stays");
    let part = wait_part(&mut rig, "interlock: temperature motors", "the silence", |part| {
        part["message"].to_string().contains("silent for")
    });
    assert_eq!(part["level"], json!([2]), "it was too hot when last heard");
    let state = rig.state();
    assert_eq!(state["derating"], 0.2);
    assert!(state["unmet"].to_string().contains("temperature_trip"), "{state:#}");
}

#[test]
fn a_battery_that_runs_low_slows_the_robot_then_disarms_it() {
    let mut rig = rig(&battery(), "/battery", BATTERY);
    let mut running = false;
    let charge = |percentage: f64| {
        json!({"percentage": percentage, "voltage": 48.0, "current": -5.0,
               "power_supply_status": 2, "power_supply_health": 1})
    };
    stream(&mut rig, "/battery", charge(0.75), &mut running);
    wait_series(&mut rig, &of_battery("charge_ratio"), |ratio| ratio == 0.75);
    assert_eq!(series(&mut rig, &of_battery("voltage_volts")), Some(48.0));
    assert_eq!(series(&mut rig, &of_battery("current_amperes")), Some(-5.0));
    let status = "interlock_battery_status{input=\"main\",status=\"discharging\"}";
    assert_eq!(series(&mut rig, status), Some(1.0));
    let health = "interlock_battery_health{input=\"main\",health=\"good\"}";
    assert_eq!(series(&mut rig, health), Some(1.0));
    wait_series(&mut rig, &of_battery("discharged_joules_total"), |joules| joules > 1.0);
    assert_eq!(series(&mut rig, &of_battery("charged_joules_total")), Some(0.0));
    rig.arm();
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": twist(0.5), "hz": 50.0}));
    stream(&mut rig, "/battery", charge(0.25), &mut running);
    wait_part(&mut rig, "interlock: battery main", "low", |part| {
        part["level"] == json!([1]) && value(part, "level") == "warn"
    });
    assert_eq!(rig.state()["derating"], 1.0);
    stream(&mut rig, "/battery", charge(0.15), &mut running);
    rig.wait_state("the derating", |state| {
        state["derating"].as_f64().is_some_and(|ratio| (ratio - 0.6).abs() < 1e-6)
    });
    let from = rig.peer.count("/cmd_vel");
    rig.wait_message("/cmd_vel", from, "a derated speed", |one| {
        let speed = one.message["linear"]["x"].as_f64().expect("a number");
        speed > 0.0 && speed <= 0.3 + 1e-6
    });
    stream(&mut rig, "/battery", charge(0.05), &mut running);
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    assert_eq!(state["last_trip"]["cause"], "battery_trip");
    assert_eq!(state["last_trip"]["subject"], "main");
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.peer.publish("/agent", twist(0.0));
    let refused = "battery_trip 'main': 0.050, allowed 0.100";
    rig.wait_state("the reason", |state| state["unmet"].to_string().contains(refused));
    stream(&mut rig, "/battery", charge(0.5), &mut running);
    rig.arm();
    assert_eq!(rig.state()["derating"], 1.0);
    // Nothing of it was a fault of the driver's.
    for rule in ["percent_scale", "sign", "voltage_missing", "range"] {
        assert_eq!(series(&mut rig, &violations(rule)), Some(0.0), "{rule}");
    }
}

#[test]
fn what_a_battery_s_driver_gets_wrong_is_counted_and_never_makes_it_fuller() {
    let mut rig = rig(&battery(), "/battery", BATTERY);
    let mut running = false;
    stream(&mut rig, "/battery", json!({"percentage": 87.0, "voltage": 48.0}), &mut running);
    wait_series(&mut rig, &violations("percent_scale"), |count| count > 3.0);
    let ratio = series(&mut rig, &of_battery("charge_ratio")).expect("it is read");
    assert!((ratio - 0.87).abs() < 1e-9, "{ratio}");
    let part = wait_part(&mut rig, "interlock: battery main", "the mistake", |part| {
        value(part, "broken rules") == "percent_scale"
    });
    assert_eq!(part["level"], json!([1]));
    // Nearly empty, which 0 to 1 would have been nearly full.
    stream(&mut rig, "/battery", json!({"percentage": 0.75, "voltage": 48.0}), &mut running);
    wait_series(&mut rig, &of_battery("charge_ratio"), |ratio| (ratio - 0.0075).abs() < 1e-9);
    rig.wait_state("the trip", |state| state["unmet"].to_string().contains("battery_trip"));
    for (message, rule) in [
        (json!({"percentage": -1.0, "voltage": 48.0}), "range"),
        (json!({"percentage": 0.5, "voltage": "$nan"}), "voltage_missing"),
        (
            json!({"percentage": 0.5, "voltage": 48.0, "current": 5.0, "power_supply_status": 2}),
            "sign",
        ),
    ] {
        stream(&mut rig, "/battery", message, &mut running);
        wait_series(&mut rig, &violations(rule), |count| count > 3.0);
    }
    stream(&mut rig, "/battery", json!({"percentage": "$nan", "voltage": 47.0}), &mut running);
    wait_series(&mut rig, &of_battery("voltage_volts"), |volts| volts == 47.0);
    assert_eq!(series(&mut rig, &of_battery("charge_ratio")), None);
    let state = rig.state();
    assert!(state["unmet"].to_string().contains("battery_trip"), "not measured is not charged");
}

/// A reader that asks for more than is offered hears nothing: it follows the offer, also a changed one.
#[test]
fn when_a_sensor_is_published_best_effort_expect_it_heard_and_again_after_a_change() {
    let mut rig = Rig::new(&motors(60.0));
    for (reliability, found) in [("BEST_EFFORT", 41.5), ("RELIABLE", 42.5), ("BEST_EFFORT", 43.5)] {
        rig.peer
            .ask("publisher", json!({"topic": "/heat", "type": ARRAY, "reliability": reliability}));
        let mut running = false;
        stream(&mut rig, "/heat", heat(&[30.0, found]), &mut running);
        wait_series(&mut rig, &celsius("1"), |celsius| celsius == found);
        rig.peer.ask("stop", json!({"topic": "/heat"}));
        rig.peer.ask("remove", json!({"topic": "/heat"}));
    }
}

/// A publisher of another type is told, and never taken.
#[test]
fn hazard_35_wrong_type_on_topic_of_a_sensor() {
    let params = format!(
        "    temperatures: {{cpu: {{type: {TEMPERATURE}, topic: cpu, timeout_s: 60.0, trip_celsius: 90.0}}}}\n{BASE}"
    );
    let mut rig = rig(&params, "/cpu", TEMPERATURE);
    let mut other = Peer::start_as(&rig.lease, &rig.scratch, "other", "stranger");
    other.ask("publisher", json!({"topic": "/cpu", "type": TWIST}));
    let told = "it cannot be read: /stranger (writes geometry_msgs/msg/Twist, read as \
                sensor_msgs/msg/Temperature)";
    wait_part(&mut rig, "interlock: temperature cpu", "the stranger", |part| {
        part["level"] == json!([1]) && part["message"] == told
    });
    other.ask("publish", json!({"topic": "/cpu", "msg": {}}));
    rig.peer.publish("/cpu", json!({"temperature": 55.5}));
    let name = "interlock_temperature_celsius{input=\"cpu\",component=\"cpu\"}";
    wait_series(&mut rig, name, |found| found == 55.5);
    assert_eq!(
        series(&mut rig, "interlock_temperature_invalid_total{input=\"cpu\",reason=\"nan\"}"),
        Some(0.0)
    );
}

#[test]
fn when_a_profile_only_warns_of_a_trip_expect_motion_at_the_floor() {
    let params = motors(60.0).replace(
        "    temperatures:",
        "    profiles: {hot: {causes: {temperature_trip: warn}}}\n    profile: hot\n    temperatures:",
    );
    let mut rig = rig(&params, "/heat", ARRAY);
    let mut running = false;
    stream(&mut rig, "/heat", heat(&[30.0, 40.0]), &mut running);
    wait_series(&mut rig, &celsius("1"), |found| found == 40.0);
    rig.arm();
    stream(&mut rig, "/heat", heat(&[30.0, 95.0]), &mut running);
    rig.wait_state("the floor", |state| state["derating"] == 0.2);
    wait_series(&mut rig, "interlock_cause_present{cause=\"temperature_trip\"}", |one| one == 1.0);
    let told =
        rig.wait_state("the cause told", |state| state["extra"].to_string().contains("warn"));
    assert_eq!(told["label"], "active", "{told:#}");
    rig.flows("/agent", 0.0625);
}

/// A type that is not there, or a field that the type does not have, is told before anything runs.
#[test]
fn when_a_sensor_s_type_does_not_fit_expect_no_start_and_why() {
    let (lease, scratch) = (domain_lease(), Scratch::new());
    let head = "/**:\n  ros__parameters:\n    schema: 1\n    http: {enabled: false}\n    latch: {persist: false}\n";
    for (sensor, told) in [
        (
            format!("temperatures: {{cpu: {{type: {TEMPERATURE}, topic: cpu, timeout_s: 1.0, field: celsius}}}}"),
            ["temperature cpu", "celsius"],
        ),
        (
            format!("temperatures: {{cpu: {{type: {ARRAY}, topic: cpu, timeout_s: 1.0, field: data}}}}"),
            ["temperature cpu", "an array needs an index or a range"],
        ),
        (
            "batteries: {main: {type: vendor_msgs/msg/Bms, topic: bms, timeout_s: 1.0, fields: {voltage: mv}}}".to_owned(),
            ["battery main", "vendor_msgs"],
        ),
    ] {
        let file = scratch.write("params.yaml", &format!("{head}    {sensor}\n{BASE}"));
        let file = file.to_str().expect("a plain path");
        let logs = Scratch::new();
        let mut node = Node::start(&lease, &logs, &["--ros-args", "--params-file", file]);
        assert_eq!(node.ended().code(), Some(78), "{sensor}: {}", node.log());
        for part in told {
            assert!(node.log().contains(part), "{sensor}: {part} in\n{}", node.log());
        }
    }
}

#[test]
fn when_nobody_looks_at_heat_any_more_expect_the_least_speed_until_somebody_does() {
    let mut rig = rig(&motors(60.0), "/heat", ARRAY);
    let mut running = false;
    stream(&mut rig, "/heat", heat(&[30.0, 40.5]), &mut running);
    wait_series(&mut rig, &celsius("1"), |found| found == 40.5);
    rig.arm();
    let Some(monitor) = hold(&rig, "monitor") else { return };
    let says = |rig: &Rig, part: &str| rig.node.log().contains(part);
    wait_for("it in the log", || says(&rig, "nobody has looked at temperatures"));
    wait_series(&mut rig, "interlock_monitor_running", |one| one == 0.0);
    rig.wait_state("the least", |state| state["derating"] == 0.2);
    wait_for("no number that nobody measures", || series(&mut rig, &celsius("1")).is_none());
    // What moves goes on slowly; nothing begins to.
    let unread = |state: &Value| state["unmet"].to_string().contains("sensors_unread");
    assert!(!unread(&rig.state()), "nothing stands in the way of what is armed");
    rig.trigger("disarm");
    rig.wait_state("why it cannot be armed", |state| unread(state));
    drop(monitor);
    rig.wait_state("all of it", |state| state["derating"] == 1.0 && !unread(state));
    wait_for("the way back in the log", || says(&rig, "are looked at again"));
    wait_series(&mut rig, "interlock_monitor_running", |one| one == 1.0);
    wait_series(&mut rig, &celsius("1"), |found| found == 40.5);
}
