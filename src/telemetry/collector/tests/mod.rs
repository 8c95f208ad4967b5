//! The contract: what a scrape shows is the catalogue, and each slot moves its own series only.

mod dead_indicators;
mod reference;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::gate::cause::Cause;
use crate::gate::condition::ConditionCode;
use crate::gate::lane_state::LaneState;
use crate::gate::sensor::{PowerHealth, PowerStatus};
use crate::gate::state::State;
use crate::gate::units::{SteadyTime, WallTime};
use crate::gate::verdict::{Limit, Reason, Verdict};
use crate::telemetry::catalogue::{ALL, Kind, PROCESS};
use crate::telemetry::fixture;
use crate::telemetry::slots::{Gauge, Labelled, OfferedDurability, OfferedReliability, ThreadName};

/// Samples of a scrape by series, and the families' types. A reader of its own, written from the
/// format's description, so the encoder is not judged by itself.
struct Scrape {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
    helps: BTreeMap<String, String>,
}

impl Scrape {
    fn of(slots: &Arc<Slots>) -> Self {
        Self::parse(&scrape(&registry(Arc::clone(slots)).unwrap()).unwrap())
    }

    fn parse(text: &str) -> Self {
        let mut out =
            Self { samples: BTreeMap::new(), types: BTreeMap::new(), helps: BTreeMap::new() };
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(out.helps.insert(name.into(), help.into()).is_none());
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(
                    out.types.insert(name.into(), kind.into()).is_none(),
                    "{name} in two places"
                );
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let value = value.parse().unwrap();
                assert!(out.samples.insert(series.into(), value).is_none(), "{series} twice");
            }
        }
        out
    }

    #[track_caller]
    fn value(&self, series: &str) -> f64 {
        *self.samples.get(series).unwrap_or_else(|| panic!("{series} is absent"))
    }

    /// The series of one family, histogram parts included.
    fn family<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.samples.iter().filter_map(move |(series, value)| {
            let base = series.split('{').next().unwrap();
            let part = base.strip_prefix(name)?;
            ["", "_bucket", "_sum", "_count"].contains(&part).then_some((series.as_str(), *value))
        })
    }
}

/// Writes every slot once, so no series is absent for want of a value.
fn drive(slots: &Slots) {
    let node = &slots.node;
    let at = WallTime::from_nanos(1_700_000_000_250_000_000);
    node.state.set(Some(State::Killed));
    node.latched_from_active.set(true);
    node.permitted.set(false);
    node.seq.set(41);
    Cause::ALL.iter().for_each(|c| node.trips.at(*c).increment());
    node.trip_cause.set(Some(Cause::KillService));
    for code in ConditionCode::ALL {
        node.conditions.at(*code).set(true);
    }
    node.last_trip.set(at);
    node.self_test.set(at);
    node.last_audit.set(at);
    node.latch_writable.set(true);
    node.monitor_running.set(true);
    node.profile.set(Some(1));
    node.clock_synchronized.set(true);
    node.ticked(SteadyTime::from_nanos(1));
    for thread in ThreadName::ALL {
        slots.threads.at(*thread).enter();
    }
    for lane in &slots.lanes {
        lane.output_subscribers.set(1);
        lane.output_foreign_publishers.set(0);
        lane.moves_after_stop.set(false);
        for source in &lane.sources {
            source.lost.add(0);
            source.last_received.set(at);
        }
    }
    for input in &slots.kill_inputs {
        input.asserted.set(true);
        input.self_test.set(at);
        input.last_received.set(at);
    }
    for feedback in &slots.feedback {
        feedback.last_received.set(at);
    }
    for input in &slots.temperatures {
        input.sensor.last_received.set(at);
        input.components.iter().for_each(|component| component.celsius.set(40.0));
    }
    for battery in &slots.batteries {
        battery.sensor.last_received.set(at);
        battery.charge.set(0.5);
        battery.voltage.set(48.0);
        battery.current.set(-2.0);
        battery.status.set(Some(PowerStatus::Discharging));
        battery.health.set(Some(PowerHealth::Good));
    }
    for (place, name) in ["/scan", "/odom", "/camera/image"].into_iter().enumerate() {
        slots.topics.give(place, name);
        let topic = slots.topics.at(place).unwrap();
        topic.lost.add(0);
        topic.gap.set(0.1);
        topic.last_message.set(at);
        topic.expected.set(0.1);
        topic.publishers.set(1);
        topic.incompatible.set(0);
        topic.reliability.set(Some(OfferedReliability::BestEffort));
        topic.durability.set(Some(OfferedDurability::Volatile));
        topic.say(|words| words.type_name = "sensor_msgs/msg/LaserScan".into());
    }
}

#[test]
fn when_every_slot_was_written_expect_the_scrape_to_be_the_catalogue() {
    let slots = fixture::slots();
    drive(&slots);
    let scrape = Scrape::of(&slots);
    let expected: BTreeMap<String, String> =
        ALL.iter().map(|row| (row.name.into(), row.kind.word().into())).collect();
    let ours: BTreeMap<String, String> = scrape
        .types
        .iter()
        .filter(|(name, _)| name.starts_with("interlock_"))
        .map(|(name, kind)| (name.clone(), kind.clone()))
        .collect();
    assert_eq!(ours, expected);
    let others: BTreeSet<&str> = scrape
        .types
        .keys()
        .map(String::as_str)
        .filter(|name| !name.starts_with("interlock_"))
        .collect();
    assert_eq!(others, PROCESS.iter().copied().collect());
    for row in ALL {
        assert_eq!(scrape.helps[row.name], row.help);
        for (series, _) in scrape.family(row.name) {
            let mut labels = label_names(series);
            labels.retain(|l| *l != "le");
            assert_eq!(labels, row.labels, "{series}");
        }
    }
}

fn label_names(series: &str) -> Vec<&str> {
    let Some((_, labels)) = series.split_once('{') else {
        return Vec::new();
    };
    labels.trim_end_matches('}').split("\",").map(|pair| pair.split_once('=').unwrap().0).collect()
}

#[test]
fn when_nothing_was_written_expect_counters_and_histograms_at_zero_and_unknown_gauges_absent() {
    let slots = fixture::slots();
    slots.topics.give(0, "/scan");
    let scrape = Scrape::of(&slots);
    for row in ALL {
        let constant = row.name.ends_with("_info");
        let series: Vec<_> = scrape.family(row.name).collect();
        match row.kind {
            Kind::Counter | Kind::Histogram(_) => {
                let depends = [
                    "interlock_commands_lost_total",
                    "interlock_topic_messages_lost_total",
                    "interlock_thread_cpu_seconds_total",
                ];
                assert_eq!(series.is_empty(), depends.contains(&row.name), "{}", row.name);
                assert!(series.iter().all(|s| s.1 == 0.0), "{}", row.name);
            }
            Kind::Gauge if constant => assert!(series.iter().all(|s| s.1 == 1.0)),
            Kind::Gauge => {}
        }
    }
    let absent = [
        "interlock_state",
        "interlock_latched",
        "interlock_latched_from_active",
        "interlock_seq",
        "interlock_last_trip_timestamp_seconds",
        "interlock_graph_audit_timestamp_seconds",
        "interlock_self_test_last_success_timestamp_seconds",
        "interlock_command_last_received_timestamp_seconds",
        "interlock_input_last_received_timestamp_seconds",
        "interlock_kill_input_asserted",
        "interlock_output_subscribers",
        "interlock_output_foreign_publishers",
        "interlock_condition_met",
        "interlock_latch_writable",
        "interlock_monitor_running",
        "interlock_clock_synchronized",
        "interlock_topic_interval_window_max_seconds",
        "interlock_topic_last_message_timestamp_seconds",
        "interlock_topic_expected_interval_seconds",
        "interlock_topic_publishers",
        "interlock_topic_incompatible_publishers",
        "interlock_topic_info",
        "interlock_temperature_celsius",
        "interlock_battery_charge_ratio",
        "interlock_battery_voltage_volts",
        "interlock_battery_current_amperes",
        "interlock_battery_status",
        "interlock_battery_health",
    ];
    for name in absent {
        assert_eq!(scrape.family(name).count(), 0, "{name}");
        assert!(!scrape.types.contains_key(name), "{name}");
    }
    assert_eq!(scrape.value("interlock_permitted"), 0.0);
    assert_eq!(scrape.value("interlock_derating_ratio"), 1.0);
    assert_eq!(scrape.value("interlock_clock_simulated"), 0.0);
}

#[test]
fn when_one_of_several_is_chosen_expect_exactly_one_1() {
    let slots = fixture::slots();
    let ones = |scrape: &Scrape, name: &str, lane: &str| -> Vec<String> {
        let found = scrape.family(name).filter(|(s, _)| s.contains(lane));
        found.filter(|s| s.1 == 1.0).map(|s| s.0.into()).collect()
    };
    let before = Scrape::of(&slots);
    assert_eq!(
        ones(&before, "interlock_lane_owner", "\"base\""),
        ["interlock_lane_owner{lane=\"base\",source=\"none\"}"]
    );
    assert_eq!(
        ones(&before, "interlock_lane_state", "\"base\""),
        ["interlock_lane_state{lane=\"base\",state=\"released\"}"]
    );
    for (i, source) in ["teleop", "agent"].into_iter().enumerate() {
        slots.lanes[0].owner.set(Some(i));
        let after = Scrape::of(&slots);
        let series = format!("interlock_lane_owner{{lane=\"base\",source=\"{source}\"}}");
        assert_eq!(ones(&after, "interlock_lane_owner", "\"base\""), [series]);
        assert_eq!(after.family("interlock_lane_owner").count(), 7);
    }
    for state in LaneState::ALL {
        slots.lanes[1].state.set(Some(*state));
        let found = ones(&Scrape::of(&slots), "interlock_lane_state", "\"arms\"");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains(state.label()));
    }
    for state in State::ALL {
        slots.node.state.set(Some(*state));
        let after = Scrape::of(&slots);
        assert_eq!(ones(&after, "interlock_state", "").len(), 1);
        let latched = after.value("interlock_latched") == 1.0;
        assert_eq!(latched, *state == State::Killed);
    }
}

#[test]
fn when_the_clock_is_kept_or_simulated_expect_it_in_the_scrape() {
    let mut config = fixture::config();
    config.use_sim_time = true;
    let slots = Slots::new(&config, fixture::build(), Arc::default());
    assert_eq!(Scrape::of(&slots).value("interlock_clock_simulated"), 1.0);
    for kept in [true, false] {
        slots.node.clock_synchronized.set(kept);
        let value = if kept { 1.0 } else { 0.0 };
        assert_eq!(Scrape::of(&slots).value("interlock_clock_synchronized"), value);
    }
    slots.node.clock_synchronized.forget();
    assert_eq!(Scrape::of(&slots).family("interlock_clock_synchronized").count(), 0);
}
