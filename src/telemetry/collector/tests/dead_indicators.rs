//! Each slot moves its own series, and no other.

use super::*;

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
        // One that the configuration ignores already is looked at below.
        if node.cause_ignored.at(*c).get() == Some(false) {
            let series = format!("interlock_cause_ignored{{cause=\"{c}\"}}");
            steps.push((series, Box::new(|| node.cause_ignored.at(*c).set(true))));
        }
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
    for (cause, cell) in slots.node.cause_ignored.iter() {
        let series = format!("interlock_cause_ignored{{cause=\"{cause}\"}}");
        let ignored = cause == Cause::Divergence;
        assert_eq!(cell.get(), Some(ignored));
        assert_eq!(scrape.value(&series), if ignored { 1.0 } else { 0.0 });
    }
}
