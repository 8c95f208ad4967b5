//! Families of temperatures and batteries.

use prometheus::proto::MetricFamily;

use super::family::Family;
use super::{family, put_counter};
use crate::gate::sensor::Grade;
use crate::telemetry::catalogue::{self as names, Row};
use crate::telemetry::slots::{BatterySlots, Gauge, Slots};

fn batteries(
    row: &'static Row,
    slots: &Slots,
    out: &mut Vec<MetricFamily>,
    fill: impl Fn(&mut Family, &[&str], &BatterySlots),
) {
    family(row, out, |f| {
        for battery in &slots.batteries {
            fill(f, &[&battery.name], battery);
        }
    });
}

/// A sum that only grows and is there from the start.
fn put_energy(f: &mut Family, labels: &[&str], joules: &Gauge) {
    f.counter_f64(labels, joules.get().unwrap_or(0.0));
}

pub(super) fn collect(slots: &Slots, out: &mut Vec<MetricFamily>) {
    family(&names::TEMPERATURE, out, |f| {
        for input in &slots.temperatures {
            for component in &input.components {
                f.gauge(&[&input.name, &component.name], component.celsius.get());
            }
        }
    });
    family(&names::TEMPERATURE_LIMIT, out, |f| {
        for input in &slots.temperatures {
            for component in &input.components {
                for grade in [Grade::Warn, Grade::Derate, Grade::Trip] {
                    let labels = [input.name.as_str(), &component.name, grade.label()];
                    f.gauge(&labels, input.thresholds.of(grade));
                }
            }
        }
    });
    family(&names::TEMPERATURE_INVALID, out, |f| {
        for input in &slots.temperatures {
            f.each(&[&input.name], &input.invalid, put_counter);
        }
    });
    batteries(&names::BATTERY_CHARGE, slots, out, |f, name, b| f.gauge(name, b.charge.get()));
    batteries(&names::BATTERY_VOLTAGE, slots, out, |f, name, b| f.gauge(name, b.voltage.get()));
    batteries(&names::BATTERY_CURRENT, slots, out, |f, name, b| f.gauge(name, b.current.get()));
    batteries(&names::BATTERY_DISCHARGED, slots, out, |f, name, b| {
        put_energy(f, name, &b.discharged);
    });
    batteries(&names::BATTERY_CHARGED, slots, out, |f, name, b| put_energy(f, name, &b.charged));
    batteries(&names::BATTERY_STATUS, slots, out, |f, name, b| {
        if b.status.get().is_some() {
            f.one_of(name, &b.status);
        }
    });
    batteries(&names::BATTERY_HEALTH, slots, out, |f, name, b| {
        if b.health.get().is_some() {
            f.one_of(name, &b.health);
        }
    });
    batteries(&names::BATTERY_SEMANTICS, slots, out, |f, name, b| {
        f.each(name, &b.violations, put_counter);
    });
}
