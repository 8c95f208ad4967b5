//! Limits of a suggested lane: the robot description's, else what was seen and a fifth more.

use super::write::{AXES, Joints, Lines, number, quoted};
use super::{CommandTopic, DescribedJoint, FeedbackTopic, Observed, Range};
use crate::config::model::CommandType;

/// What was seen, and this much more.
const ROOM: f64 = 1.2;
/// Least velocity that is suggested: what stood still may have to move.
const LEAST_VELOCITY: f64 = 0.1;
/// Least half of a span of positions that is suggested.
const LEAST_SPAN: f64 = 0.05;
/// Speeding up to the largest velocity takes a quarter of a second.
const PER_VELOCITY: f64 = 4.0;
/// Values within this of zero did not move.
const STILL: f64 = 1e-6;

fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

fn largest(range: Range) -> f64 {
    larger(range.min.abs(), range.max.abs())
}

/// Axes that moved; the others stay locked.
pub(super) fn axis_limits(out: &mut Lines, command: &CommandTopic) {
    let moved: Vec<(&str, f64)> = AXES
        .into_iter()
        .zip(&command.velocity)
        .map(|(axis, range)| (axis, range.map_or(0.0, largest)))
        .filter(|(_, speed)| *speed > STILL)
        .collect();
    let (axes, how) = if moved.is_empty() {
        (
            vec![("linear.x", LEAST_VELOCITY), ("angular.z", LEAST_VELOCITY)],
            "guessed: nothing moved",
        )
    } else {
        let axes = moved.into_iter().map(|(axis, speed)| (axis, speed * ROOM));
        (axes.collect(), "seen, and a fifth more; max_acceleration guessed")
    };
    out.line(4, &format!("limits:  # {how}; axes that are not named stay locked at zero"));
    for kind in ["linear", "angular"] {
        let below = axes.iter().filter_map(|(axis, speed)| {
            let (one, letter) = axis.split_once('.')?;
            (one == kind).then(|| {
                let (speed, rate) = (number(up(*speed)), number(up(speed * PER_VELOCITY)));
                format!("{letter}: {{max_velocity: {speed}, max_acceleration: {rate}}}")
            })
        });
        let below: Vec<String> = below.collect();
        if !below.is_empty() {
            out.line(5, &format!("{kind}: {{{}}}", below.join(", ")));
        }
    }
}

/// One line for each joint.
pub(super) fn joint_limits(
    out: &mut Lines,
    observed: &Observed,
    command: &CommandTopic,
    joints: &Joints,
    (interface, measured): (&str, Option<&FeedbackTopic>),
) {
    let carries_effort = interface == "effort"
        || matches!(command.kind, CommandType::JointState | CommandType::JointTrajectory);
    out.line(4, "joint_limits:");
    for (index, name) in joints.names.iter().enumerate() {
        let described = observed
            .description
            .as_ref()
            .and_then(|(_, joints)| joints.iter().find(|joint| joint.name == *name));
        let place = measured.and_then(|feedback| feedback.joints.iter().position(|n| n == name));
        let measured = |ranges: fn(&FeedbackTopic) -> &Vec<Option<Range>>| {
            let place = place?;
            measured.and_then(|feedback| ranges(feedback).get(place)).copied().flatten()
        };
        let commanded = |ranges: &[Option<Range>]| ranges.get(index).copied().flatten();
        // What an array holds, only its topic's name says.
        let (position, velocity) = match (command.kind, interface) {
            (CommandType::Float64MultiArray, "velocity") => (None, commanded(&command.position)),
            (_, "position") => (commanded(&command.position), commanded(&command.velocity)),
            (_, _) => (None, commanded(&command.velocity)),
        };
        let seen = Seen {
            position,
            velocity,
            measured_position: measured(|feedback| &feedback.position),
            measured_velocity: measured(|feedback| &feedback.velocity),
        };
        let (text, how) = one_joint(interface, carries_effort, described, &seen);
        out.line(5, &format!("{}: {{{text}}}  # {how}", quoted(name)));
    }
}

/// What went over the wire about one joint.
struct Seen {
    position: Option<Range>,
    velocity: Option<Range>,
    measured_position: Option<Range>,
    measured_velocity: Option<Range>,
}

fn one_joint(
    interface: &str,
    carries_effort: bool,
    described: Option<&DescribedJoint>,
    seen: &Seen,
) -> (String, &'static str) {
    let mut keys = Vec::new();
    let mut how = "from the robot description; max_acceleration guessed";
    let guessed = "seen, and a fifth more; max_acceleration guessed";
    if interface == "position" {
        let range = described.and_then(|joint| joint.position).map(inside).unwrap_or_else(|| {
            how = guessed;
            around(seen.position, seen.measured_position)
        });
        keys.push(format!("min_position: {}", number(range.min)));
        keys.push(format!("max_position: {}", number(range.max)));
    }
    if interface != "effort" {
        let stated = described.map(|joint| joint.velocity).filter(|velocity| *velocity > 0.0);
        let velocity = stated.unwrap_or_else(|| {
            how = guessed;
            let seen = [seen.velocity, seen.measured_velocity].into_iter().flatten().map(largest);
            seen.fold(LEAST_VELOCITY, |most, one| larger(most, one * ROOM))
        });
        keys.push(format!("max_velocity: {}", number(down(velocity))));
        keys.push(format!("max_acceleration: {}", number(up(velocity * PER_VELOCITY))));
    }
    let effort = described.map(|joint| joint.effort).filter(|effort| *effort > 0.0);
    if carries_effort {
        match effort {
            Some(effort) => keys.push(format!("max_effort: {}", number(down(effort)))),
            None => {
                how = "guessed: no robot description; effort is as good as zero";
                keys.push("max_effort: 0.001".to_owned());
            }
        }
    }
    (keys.join(", "), how)
}

/// Everything seen, and a fifth of its span more.
fn around(commanded: Option<Range>, measured: Option<Range>) -> Range {
    let all: Vec<Range> = [commanded, measured].into_iter().flatten().collect();
    let Some(first) = all.first().copied() else {
        return Range { min: -LEAST_SPAN, max: LEAST_SPAN };
    };
    let range = all.iter().fold(first, |range, one| Range {
        min: if one.min < range.min { one.min } else { range.min },
        max: larger(range.max, one.max),
    });
    let middle = f64::midpoint(range.min, range.max);
    let half = larger((range.max - range.min) / 2.0 * ROOM, LEAST_SPAN);
    Range { min: -up(half - middle), max: up(middle + half) }
}

/// Rounded so that no bound is wider than what was stated: that would be refused beside the description.
fn inside(stated: Range) -> Range {
    Range { min: up(stated.min), max: (stated.max * 1e4).floor() / 1e4 }
}

/// Rounded away from a tighter limit, to what is written.
fn up(value: f64) -> f64 {
    (value * 1e4).ceil() / 1e4
}

/// Rounded so that it is not wider than what was stated.
fn down(value: f64) -> f64 {
    larger((value * 1e4).floor() / 1e4, 1e-4)
}
