//! The limits of a lane in the summary: a line for each group of joints or axes with the same ones.

use std::fmt::Write as _;

use super::line;
use crate::config::model::{LaneConfig, OnLimit};
use crate::gate::limits::{Bounds, DimensionLimits};

/// More names than these are counted.
const NAMES: usize = 4;

pub(super) fn summary(text: &mut String, lane: &LaneConfig) {
    let mut groups: Vec<(&DimensionLimits, Vec<&str>)> = Vec::new();
    let all = lane.limits.iter().zip(&lane.dimensions).filter(|(limits, _)| !limits.locked);
    for (limits, name) in all {
        match groups.iter_mut().find(|(other, _)| *other == limits) {
            Some((_, names)) => names.push(name),
            None => groups.push((limits, vec![name])),
        }
    }
    for (limits, names) in &groups {
        line(text, &format!("  limits of {}: {}", told(names), of_one(limits)));
    }
    on_limit(text, lane);
}

fn told(names: &[&str]) -> String {
    let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Each kind that has one, in the units of the params file.
fn of_one(limits: &DimensionLimits) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let comma = if out.is_empty() { "" } else { ", " };
            // Writing to a String cannot fail.
            write!(out, "{comma}{name} {value}").ok();
        }
    };
    add("position", limits.position.map(span));
    add("velocity", limits.velocity.map(span));
    let numbers = [
        ("acceleration", limits.acceleration),
        ("deceleration", limits.deceleration),
        ("jerk", limits.jerk),
        ("effort", limits.effort),
        ("kp", limits.kp),
        ("kd", limits.kd),
        ("total effort", limits.total_effort),
    ];
    for (name, value) in numbers {
        add(name, value.map(|value| value.to_string()));
    }
    if out.is_empty() { "none of the params file".to_owned() } else { out }
}

/// One number where both ends are as far from zero.
fn span(bounds: Bounds) -> String {
    let Bounds { min, max } = bounds;
    if (-min).total_cmp(&max).is_eq() { format!("±{max}") } else { format!("{min}..{max}") }
}

/// What refuses instead of limiting; below a balance loop everything does, which is told there.
fn on_limit(text: &mut String, lane: &LaneConfig) {
    let on = &lane.on_limit;
    let all = [
        ("position", on.position),
        ("velocity", on.velocity),
        ("acceleration", on.acceleration),
        ("jerk", on.jerk),
        ("effort", on.effort),
        ("kp", on.kp),
        ("kd", on.kd),
        ("total_effort", on.total_effort),
    ];
    let refusing = all.iter().filter(|(_, on)| *on == OnLimit::Reject);
    let refusing: Vec<&str> = refusing.map(|(name, _)| *name).collect();
    if !lane.balance && !refusing.is_empty() {
        line(text, &format!("  over a limit the command is refused: {}", refusing.join(", ")));
    }
}
