//! What `/status` and `/diagnostics` say of temperatures and batteries, from their slots.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::slots::{BatterySlots, SensorSlots, Slots, TemperatureSlots};
use crate::config::model::{BatteryConfig, Config, TemperatureConfig};
use crate::gate::sensor::{Grade, Thresholds};
use crate::gate::units::SteadyTime;

/// One temperature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TemperatureStatus {
    /// Of the input, as the params file names it.
    pub name: String,
    /// What is measured; of one number alone, the input's name.
    pub component: String,
    /// Newest reading, °C; `null`: not measured.
    pub celsius: Option<f64>,
    /// `ok`, `warn`, `derate`, `trip`, of the last reading that could be believed; `unknown` before it.
    pub level: String,
    /// From here on it is told, °C; `null`: never.
    pub warn_celsius: Option<f64>,
    /// From here on limits shrink, °C; `null`: never.
    pub derate_celsius: Option<f64>,
    /// From here on motion ends, °C; `null`: never.
    pub trip_celsius: Option<f64>,
    /// Since the last reading that could be believed; `null`: none yet.
    pub silent_for_s: Option<f64>,
    /// One sentence for people.
    pub text: String,
}

/// One battery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatteryStatus {
    /// As the params file names it.
    pub name: String,
    /// 0 to 1; `null`: not measured.
    pub charge_ratio: Option<f64>,
    /// V; `null`: not measured.
    pub voltage_volts: Option<f64>,
    /// A, negative while discharging; `null`: not measured.
    pub current_amperes: Option<f64>,
    /// For example `discharging`; `null`: it does not tell.
    pub status: Option<String>,
    /// For example `good`; `null`: it does not tell.
    pub health: Option<String>,
    /// `ok`, `warn`, `derate`, `trip`, of the last charge that could be believed; `unknown` before it.
    pub level: String,
    /// From here on it is told; `null`: never.
    pub warn_ratio: Option<f64>,
    /// From here on limits shrink; `null`: never.
    pub derate_ratio: Option<f64>,
    /// From here on motion ends; `null`: never.
    pub trip_ratio: Option<f64>,
    /// Since the last charge that could be believed; `null`: none yet.
    pub silent_for_s: Option<f64>,
    /// Rules of BatteryState that its driver broke in the last ten minutes; empty: none.
    pub violations: Vec<String>,
    /// One sentence for people.
    pub text: String,
}

/// For how long a broken rule is told: one bad message is no bad driver for the rest of the run. As long
/// as the alert looks back.
const TOLD: Duration = Duration::from_secs(600);

/// [`TemperatureStatus::level`] before the first reading.
const UNKNOWN: &str = "unknown";

/// Every temperature, input after input.
pub(super) fn temperatures(
    config: &Config,
    slots: &Slots,
    now: SteadyTime,
) -> Vec<TemperatureStatus> {
    let all = config.temperatures.iter().zip(&slots.temperatures);
    all.flat_map(|(config, slots)| temperature(config, slots, now)).collect()
}

fn temperature<'a>(
    config: &'a TemperatureConfig,
    slots: &'a TemperatureSlots,
    now: SteadyTime,
) -> impl Iterator<Item = TemperatureStatus> + 'a {
    let Thresholds { warn, derate, trip, .. } = config.thresholds;
    let silence = silence(&slots.sensor, config.timeout.as_secs_f64(), now);
    let stranger = stranger(&slots.sensor, silence.is_some());
    slots.components.iter().map(move |slots| {
        let (celsius, grade) = (slots.celsius.get(), slots.grade.get());
        let read = slots.read_steady.get().map(SteadyTime::from_nanos);
        let reading = celsius.map(|celsius| format!("{celsius:.1} °C"));
        TemperatureStatus {
            name: config.name.clone(),
            component: slots.name.clone(),
            celsius,
            level: grade.map_or(UNKNOWN, Grade::label).to_owned(),
            warn_celsius: warn,
            derate_celsius: derate,
            trip_celsius: trip,
            silent_for_s: read.map(|at| now.since(at).as_secs_f64()),
            text: text(reading, grade, &config.thresholds, " °C", silence.as_deref()) + &stranger,
        }
    })
}

/// Every battery.
pub(super) fn batteries(config: &Config, slots: &Slots, now: SteadyTime) -> Vec<BatteryStatus> {
    let all = config.batteries.iter().zip(&slots.batteries);
    all.map(|(config, slots)| battery(config, slots, now)).collect()
}

fn battery(config: &BatteryConfig, slots: &BatterySlots, now: SteadyTime) -> BatteryStatus {
    let Thresholds { warn, derate, trip, .. } = config.thresholds;
    let (charge, grade) = (slots.charge.get(), slots.grade.get());
    let silence = silence(&slots.sensor, config.timeout.as_secs_f64(), now);
    let read = slots.read_steady.get().map(SteadyTime::from_nanos);
    let broken = slots.broken_within(TOLD, now);
    let violations: Vec<String> = broken.map(|rule| rule.label().to_owned()).collect();
    let reading = charge.map(|charge| format!("{:.0} %", 100.0 * charge));
    let mut text = text(reading, grade, &config.thresholds, "", silence.as_deref());
    text.push_str(&stranger(&slots.sensor, silence.is_some()));
    if !violations.is_empty() {
        text.push_str(&format!(
            "; its driver breaks rules of BatteryState: {}",
            violations.join(", ")
        ));
    }
    BatteryStatus {
        name: config.name.clone(),
        charge_ratio: charge,
        voltage_volts: slots.voltage.get(),
        current_amperes: slots.current.get(),
        status: slots.status.get().map(|status| status.label().to_owned()),
        health: slots.health.get().map(|health| health.label().to_owned()),
        level: grade.map_or(UNKNOWN, Grade::label).to_owned(),
        warn_ratio: warn,
        derate_ratio: derate,
        trip_ratio: trip,
        silent_for_s: read.map(|at| now.since(at).as_secs_f64()),
        violations,
        text,
    }
}

/// Why nothing comes on a topic; `None`: something does.
fn silence(slots: &SensorSlots, timeout_s: f64, now: SteadyTime) -> Option<String> {
    let last = slots.last_steady.get().map(SteadyTime::from_nanos);
    let silent_s = last.map(|at| now.since(at).as_secs_f64());
    if silent_s.is_some_and(|silent| silent <= timeout_s) {
        return None;
    }
    let obstacle = slots.obstacle();
    Some(match silent_s {
        _ if !obstacle.is_empty() => format!("it cannot be read: {obstacle}"),
        None => "not heard yet".to_owned(),
        Some(silent) => format!("silent for {silent:.1} s, longest allowed {timeout_s} s"),
    })
}

/// Who else offers what cannot be read, where that was not told as the silence's reason.
fn stranger(slots: &SensorSlots, is_told: bool) -> String {
    let obstacle = if is_told { String::new() } else { slots.obstacle() };
    if obstacle.is_empty() { obstacle } else { format!("; an incompatible publisher: {obstacle}") }
}

fn text(
    reading: Option<String>,
    grade: Option<Grade>,
    thresholds: &Thresholds,
    unit: &str,
    silence: Option<&str>,
) -> String {
    let measured = match (reading, silence) {
        (_, Some(silence)) => silence.to_owned(),
        (None, None) => "not measured".to_owned(),
        (Some(reading), None) => reading,
    };
    let Some(grade) = grade.filter(|grade| *grade != Grade::Ok) else { return measured };
    let from = thresholds.of(grade).map_or_else(String::new, |from| format!(" {from}{unit}"));
    format!("{measured}; {grade} from{from} on")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::sensor::BatteryRule;
    use crate::telemetry::fixture;

    const S: u64 = 1_000_000_000;

    #[test]
    fn when_a_joint_is_hot_expect_its_value_level_limits_and_age() {
        let slots = fixture::slots();
        let input = &slots.temperatures[0];
        input.sensor.last_steady.set(9 * S);
        let elbow = &input.components[1];
        elbow.celsius.set(82.5);
        elbow.grade.set(Some(Grade::Derate));
        elbow.read_steady.set(8 * S);
        let all = temperatures(&fixture::config(), &slots, SteadyTime::from_nanos(10 * S));
        let names: Vec<(&str, &str)> =
            all.iter().map(|one| (one.name.as_str(), one.component.as_str())).collect();
        let expected = [("motors", "left_elbow"), ("motors", "right_elbow"), ("cpu", "cpu")];
        assert_eq!(names, expected);
        assert_eq!((all[1].celsius, all[1].level.as_str()), (Some(82.5), "derate"));
        assert_eq!((all[1].derate_celsius, all[1].trip_celsius), (Some(80.0), Some(95.0)));
        assert_eq!(all[1].silent_for_s, Some(2.0));
        assert_eq!(all[1].text, "82.5 °C; derate from 80 °C on");
        assert_eq!((all[0].level.as_str(), all[0].text.as_str()), ("unknown", "not measured"));
        assert_eq!(all[2].text, "not heard yet");
    }

    #[test]
    fn when_a_sensor_is_silent_or_of_another_type_expect_why_and_the_level_kept() {
        let slots = fixture::slots();
        let input = &slots.temperatures[0];
        input.sensor.last_steady.set(5 * S);
        input.components[0].grade.set(Some(Grade::Trip));
        let all = temperatures(&fixture::config(), &slots, SteadyTime::from_nanos(10 * S));
        let text = "silent for 5.0 s, longest allowed 2 s; trip from 95 °C on";
        assert_eq!((all[0].text.as_str(), all[0].level.as_str()), (text, "trip"));
        input.sensor.say_obstacle("/peer (writes a, read as b)");
        let all = temperatures(&fixture::config(), &slots, SteadyTime::from_nanos(10 * S));
        assert_eq!(all[1].text, "it cannot be read: /peer (writes a, read as b)");
    }

    #[test]
    fn when_a_battery_is_low_and_its_driver_wrong_expect_both_told() {
        let slots = fixture::slots();
        let battery = &slots.batteries[0];
        battery.sensor.last_steady.set(10 * S);
        battery.charge.set(0.15);
        battery.grade.set(Some(Grade::Derate));
        battery.violated(BatteryRule::PercentScale, SteadyTime::from_nanos(10 * S));
        let all = batteries(&fixture::config(), &slots, SteadyTime::from_nanos(10 * S));
        assert_eq!(all[0].violations, ["percent_scale"]);
        assert_eq!(
            all[0].text,
            "15 %; derate from 0.2 on; its driver breaks rules of BatteryState: percent_scale"
        );
        // One bad message is over after ten minutes, and another one begins anew.
        let at = |s: u64| {
            let now = SteadyTime::from_nanos(s * S);
            batteries(&fixture::config(), &slots, now).remove(0).violations
        };
        assert_eq!(at(610), ["percent_scale"]);
        assert_eq!(at(611), [""; 0]);
        battery.violated(BatteryRule::Sign, SteadyTime::from_nanos(611 * S));
        assert_eq!(at(611), ["sign"]);
        assert_eq!(battery.violations.at(BatteryRule::PercentScale).get(), 1, "it is counted");
    }
}
