//! Temperatures and batteries in `/diagnostics`: one status an input.

use r2r::diagnostic_msgs::msg::{DiagnosticStatus, KeyValue};

use super::diagnostics::{ERROR, OK, WARN, part};
use crate::gate::sensor::Grade;
use crate::telemetry::status::{BatteryStatus, TemperatureStatus};

/// A topic's components are one status, led by the worst of them.
pub(super) fn temperatures(all: &[TemperatureStatus]) -> Vec<DiagnosticStatus> {
    let inputs = all.chunk_by(|one, other| one.name == other.name);
    inputs.filter_map(temperature).collect()
}

fn temperature(parts: &[TemperatureStatus]) -> Option<DiagnosticStatus> {
    let first = parts.first()?;
    let worst = parts.iter().max_by(|one, other| {
        let by_level = level(one).cmp(&level(other));
        let (one, other) = (one.celsius.unwrap_or(f64::NEG_INFINITY), other.celsius);
        by_level.then(one.total_cmp(&other.unwrap_or(f64::NEG_INFINITY)))
    })?;
    let message = if worst.component == worst.name {
        worst.text.clone()
    } else {
        format!("{}: {}", worst.component, worst.text)
    };
    let limit = |limit: Option<f64>| limit.map_or("none".to_owned(), |limit| limit.to_string());
    let values = vec![
        ("level", worst.level.clone()),
        ("warn (°C)", limit(first.warn_celsius)),
        ("derate (°C)", limit(first.derate_celsius)),
        ("trip (°C)", limit(first.trip_celsius)),
    ];
    let mut status = part(format!("temperature {}", first.name), level(worst), message, values);
    status.values.extend(parts.iter().map(|part| KeyValue {
        key: format!("{} (°C)", part.component),
        value: part.celsius.map_or("not measured".to_owned(), |celsius| format!("{celsius:.1}")),
    }));
    Some(status)
}

fn level(status: &TemperatureStatus) -> u8 {
    graded(&status.level, status.celsius.is_some())
}

/// What is not measured is a warning, whatever it was.
fn graded(level: &str, is_measured: bool) -> u8 {
    match Grade::from_label(level) {
        Some(Grade::Trip) => ERROR,
        Some(Grade::Warn | Grade::Derate) => WARN,
        Some(Grade::Ok) if is_measured => OK,
        Some(Grade::Ok) | None => WARN,
    }
}

pub(super) fn battery(battery: &BatteryStatus) -> DiagnosticStatus {
    let has_charge = battery.charge_ratio.is_some();
    // A battery of which only the voltage is known has no level, and is no fault for that.
    let tells = has_charge || battery.voltage_volts.is_some() || battery.current_amperes.is_some();
    let level = match graded(&battery.level, has_charge) {
        WARN if tells && battery.level == "unknown" && battery.silent_for_s.is_none() => OK,
        level => level,
    };
    let level = if level == OK && !battery.violations.is_empty() { WARN } else { level };
    let number = |number: Option<f64>| {
        number.map_or("not measured".to_owned(), |number| format!("{number:.3}"))
    };
    let limit = |limit: Option<f64>| limit.map_or("none".to_owned(), |limit| limit.to_string());
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "not told".to_owned());
    let silent = battery.silent_for_s.map_or("never heard".to_owned(), |s| format!("{s:.3}"));
    let values = vec![
        ("level", battery.level.clone()),
        ("charge (ratio)", number(battery.charge_ratio)),
        ("voltage (V)", number(battery.voltage_volts)),
        ("current (A)", number(battery.current_amperes)),
        ("status", word(&battery.status)),
        ("health", word(&battery.health)),
        ("warn (ratio)", limit(battery.warn_ratio)),
        ("derate (ratio)", limit(battery.derate_ratio)),
        ("trip (ratio)", limit(battery.trip_ratio)),
        ("silent_for (s)", silent),
        ("broken rules", battery.violations.join(", ")),
    ];
    part(format!("battery {}", battery.name), level, battery.text.clone(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joint(component: &str, celsius: Option<f64>, level: &str) -> TemperatureStatus {
        TemperatureStatus {
            name: "motors".to_owned(),
            component: component.to_owned(),
            celsius,
            level: level.to_owned(),
            trip_celsius: Some(90.0),
            text: format!("{celsius:?}"),
            ..TemperatureStatus::default()
        }
    }

    #[test]
    fn when_joints_differ_expect_one_status_led_by_the_worst() {
        let all = [
            joint("hip", Some(40.0), "ok"),
            joint("knee", Some(91.0), "trip"),
            joint("ankle", None, "ok"),
            TemperatureStatus { name: "cpu".to_owned(), ..joint("cpu", Some(50.0), "ok") },
        ];
        let told = temperatures(&all);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].name, "interlock: temperature motors");
        assert_eq!((told[0].level, told[0].message.as_str()), (ERROR, "knee: Some(91.0)"));
        let value = |key: &str| {
            let found = told[0].values.iter().find(|one| one.key == key);
            found.map(|one| one.value.as_str())
        };
        assert_eq!(value("knee (°C)"), Some("91.0"));
        assert_eq!(value("ankle (°C)"), Some("not measured"));
        assert_eq!(value("trip (°C)"), Some("90"));
        assert_eq!((told[1].level, told[1].message.as_str()), (OK, "Some(50.0)"));
        assert_eq!(temperatures(&all[2..3])[0].level, WARN, "not measured");
    }

    #[test]
    fn when_a_battery_is_well_low_wrong_or_silent_expect_its_level() {
        let well = BatteryStatus {
            name: "main".to_owned(),
            charge_ratio: Some(0.8),
            level: "ok".to_owned(),
            silent_for_s: Some(0.1),
            ..BatteryStatus::default()
        };
        assert_eq!(battery(&well).level, OK);
        assert_eq!(battery(&well).name, "interlock: battery main");
        let wrong = BatteryStatus { violations: vec!["sign".to_owned()], ..well.clone() };
        assert_eq!(battery(&wrong).level, WARN);
        let low = BatteryStatus { level: "trip".to_owned(), ..well.clone() };
        assert_eq!(battery(&low).level, ERROR);
        let silent = BatteryStatus { charge_ratio: None, ..well };
        assert_eq!(battery(&silent).level, WARN);
        let plain = BatteryStatus { level: "unknown".to_owned(), ..BatteryStatus::default() };
        assert_eq!(battery(&plain).level, WARN, "nothing heard");
        let volts = BatteryStatus { voltage_volts: Some(48.0), ..plain };
        assert_eq!(battery(&volts).level, OK);
    }
}
