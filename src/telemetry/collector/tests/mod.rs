//! The contract: what a scrape shows is the catalogue, and each slot moves its own series only.

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
    node.permitted.set(false);
    node.seq.set(41);
    Cause::ALL.iter().for_each(|c| node.trips.at(*c).increment());
    node.trip_cause.set(Some(Cause::KillService));
    for code in ConditionCode::ALL {
        node.conditions.at(*code).set(true);
    }
    node.last_trip.set(at);
    node.self_test.set(at);
    node.profile.set(Some(1));
    node.clock_synchronized.set(true);
    node.ticked(SteadyTime::from_nanos(1));
    for thread in ThreadName::ALL {
        slots.threads.at(*thread).enter();
    }
    for lane in &slots.lanes {
        lane.output_subscribers.set(1);
        lane.output_foreign_publishers.set(0);
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
        "interlock_seq",
        "interlock_last_trip_timestamp_seconds",
        "interlock_self_test_last_success_timestamp_seconds",
        "interlock_command_last_received_timestamp_seconds",
        "interlock_input_last_received_timestamp_seconds",
        "interlock_kill_input_asserted",
        "interlock_output_subscribers",
        "interlock_output_foreign_publishers",
        "interlock_condition_met",
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

/// Every cell of every table moves the series of its own name, and no other.
#[test]
fn hazard_29_dead_indicators_each_cell_moves_its_own_series() {
    let slots = fixture::slots();
    drive(&slots);
    let source = &slots.lanes[1].sources[1];
    let of_source = |family: &str, label: &str, word: &str| {
        format!("{family}{{lane=\"arms\",source=\"vla\",{label}=\"{word}\"}}")
    };
    let mut steps: Vec<(String, Box<dyn Fn()>)> = Vec::new();
    for v in Verdict::ALL {
        let series = of_source("interlock_commands_total", "verdict", v.word());
        steps.push((series, Box::new(|| source.verdicts.at(*v).increment())));
    }
    for r in Reason::ALL {
        let series = of_source("interlock_commands_rejected_total", "reason", r.word());
        steps.push((series, Box::new(|| source.reasons.at(*r).increment())));
    }
    for l in Limit::ALL {
        let series = of_source("interlock_limits_applied_total", "limit", l.word());
        steps.push((series, Box::new(|| source.limits.at(*l).increment())));
        let joint = &slots.lanes[1].joint_limits[1];
        let series = format!(
            "interlock_joint_limits_applied_total{{lane=\"arms\",joint=\"right_elbow\",limit=\"{l}\"}}"
        );
        steps.push((series, Box::new(move || joint.limits.at(*l).increment())));
    }
    let node = &slots.node;
    for c in Cause::ALL {
        let series = format!("interlock_trips_total{{cause=\"{c}\"}}");
        steps.push((series, Box::new(|| node.trips.at(*c).increment())));
        let series = format!("interlock_cause_present{{cause=\"{c}\"}}");
        steps.push((series, Box::new(|| node.cause_present.at(*c).set(true))));
    }
    for (r, cell) in node.reset_refusals.iter() {
        let series = format!("interlock_reset_refusals_total{{reason=\"{r}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    for (r, cell) in node.arm_refusals.iter() {
        let series = format!("interlock_arm_refusals_total{{reason=\"{r}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    for (k, cell) in slots.events.iter() {
        let series = format!("interlock_events_total{{kind=\"{k}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    for (l, cell) in slots.log.messages.iter() {
        let series = format!("interlock_log_messages_total{{level=\"{l}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    for (s, cell) in slots.log.lost.iter() {
        let series = format!("interlock_log_messages_lost_total{{sink=\"{s}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    steps.push(("interlock_clock_steps_total".into(), Box::new(|| node.clock_steps.increment())));
    steps.push(("interlock_resets_total".into(), Box::new(|| node.resets.increment())));
    steps.push(("interlock_arms_total".into(), Box::new(|| node.arms.increment())));
    steps.push(("interlock_ticks_missed_total".into(), Box::new(|| node.ticks_missed.increment())));
    steps.push((
        "interlock_events_dropped_total".into(),
        Box::new(|| slots.events_dropped.increment()),
    ));
    steps.push((
        "interlock_commands_lost_total{lane=\"arms\",source=\"vla\"}".into(),
        Box::new(|| source.lost.add(1)),
    ));
    let topic = slots.topics.at(0).unwrap();
    for (a, cell) in topic.anomalies.iter() {
        let family = "interlock_topic_stamp_anomalies_total";
        let series = format!("{family}{{topic=\"/scan\",kind=\"{a}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    for (r, cell) in slots.topics.suppressed.iter() {
        let series = format!("interlock_topics_suppressed_total{{reason=\"{r}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    for (family, cell) in [("messages", &topic.messages), ("bytes", &topic.bytes)] {
        let series = format!("interlock_topic_{family}_total{{topic=\"/scan\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    for (r, cell) in slots.temperatures[0].invalid.iter() {
        let family = "interlock_temperature_invalid_total";
        let series = format!("{family}{{input=\"motors\",reason=\"{r}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    let battery = &slots.batteries[0];
    for (r, cell) in battery.violations.iter() {
        let family = "interlock_battery_semantics_violations_total";
        let series = format!("{family}{{input=\"main\",rule=\"{r}\"}}");
        steps.push((series, Box::new(|| cell.increment())));
    }
    let more = |gauge: &Gauge| gauge.set(gauge.get().unwrap_or_default() + 1.0);
    for (family, gauge) in [
        ("charge_ratio", &battery.charge),
        ("voltage_volts", &battery.voltage),
        ("current_amperes", &battery.current),
        ("discharged_joules_total", &battery.discharged),
        ("charged_joules_total", &battery.charged),
    ] {
        let series = format!("interlock_battery_{family}{{input=\"main\"}}");
        steps.push((series, Box::new(move || more(gauge))));
    }
    for (input, component) in [(0, 1), (1, 0)] {
        let (input, gauge) =
            (&slots.temperatures[input], &slots.temperatures[input].components[component]);
        let (name, part) = (&input.name, &gauge.name);
        let series =
            format!("interlock_temperature_celsius{{input=\"{name}\",component=\"{part}\"}}");
        steps.push((series, Box::new(move || more(&gauge.celsius))));
    }
    steps.push((
        "interlock_topic_messages_lost_total{topic=\"/scan\"}".into(),
        Box::new(|| topic.lost.add(1)),
    ));
    for (series, step) in steps {
        let before = Scrape::of(&slots);
        step();
        let after = Scrape::of(&slots);
        assert_eq!(after.value(&series), before.value(&series) + 1.0, "{series}");
        let moved: Vec<_> = after
            .samples
            .iter()
            .filter(|(s, _)| s.starts_with("interlock_") && !s.contains("thread_cpu"))
            .filter(|(s, v)| before.samples[*s] != **v)
            .map(|(s, _)| s.clone())
            .collect();
        assert_eq!(moved, [series]);
    }
}

/// Every status and health of a battery has its series, and exactly one of each is 1; thresholds are
/// there from the start, where they are configured.
#[test]
fn hazard_29_dead_indicators_each_battery_status_and_temperature_limit_shows() {
    let slots = fixture::slots();
    let battery = &slots.batteries[0];
    let ones = |scrape: &Scrape, family: &str| -> Vec<String> {
        let all = scrape.family(family).filter(|(_, value)| *value == 1.0);
        all.map(|(series, _)| series.to_owned()).collect()
    };
    for status in PowerStatus::ALL {
        battery.status.set(Some(*status));
        let series = format!("interlock_battery_status{{input=\"main\",status=\"{status}\"}}");
        assert_eq!(ones(&Scrape::of(&slots), "interlock_battery_status"), [series]);
    }
    for health in PowerHealth::ALL {
        battery.health.set(Some(*health));
        let series = format!("interlock_battery_health{{input=\"main\",health=\"{health}\"}}");
        assert_eq!(ones(&Scrape::of(&slots), "interlock_battery_health"), [series]);
    }
    let scrape = Scrape::of(&slots);
    for (level, celsius) in [("warn", 70.0), ("derate", 80.0), ("trip", 95.0)] {
        let series = format!(
            "interlock_temperature_limit_celsius{{input=\"motors\",component=\"left_elbow\",level=\"{level}\"}}"
        );
        assert_eq!(scrape.value(&series), celsius);
    }
    let all = scrape.family("interlock_temperature_limit_celsius").count();
    assert_eq!(all, 6, "of two joints; the other input has none");
}

#[test]
fn hazard_29_dead_indicators_each_condition_and_ignored_cause_shows() {
    let slots = fixture::slots();
    for code in ConditionCode::ALL {
        let series = format!("interlock_condition_met{{condition=\"{code}\"}}");
        slots.node.conditions.at(*code).set(true);
        assert_eq!(Scrape::of(&slots).value(&series), 1.0);
        slots.node.conditions.at(*code).set(false);
        assert_eq!(Scrape::of(&slots).value(&series), 0.0);
    }
    let scrape = Scrape::of(&slots);
    for (cause, ignored) in slots.node.cause_ignored.iter() {
        let series = format!("interlock_cause_ignored{{cause=\"{cause}\"}}");
        assert_eq!(*ignored, cause == Cause::Divergence);
        assert_eq!(scrape.value(&series), if *ignored { 1.0 } else { 0.0 });
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

mod values;
