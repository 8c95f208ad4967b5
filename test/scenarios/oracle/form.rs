//! What a message looks like: finite, complete, and each quantity inside its own bounds.

use interlock::gate::command::Command;
use interlock::gate::rules::{Interface, LaneRules, Shape};
use interlock::gate::verdict::Verdict;

use super::{Judged, hold};
use crate::trace::{Output, Received};

/// A dimension without a limit must be zero within this much (design §6).
const ZERO: f64 = 1e-6;

pub(super) fn targets(command: &Command, interface: Interface) -> &[f64] {
    match interface {
        Interface::Position => &command.position,
        Interface::Velocity => &command.velocity,
        Interface::Effort => &command.effort,
    }
}

fn quantities(command: &Command) -> [&Vec<f64>; 6] {
    [
        &command.position,
        &command.velocity,
        &command.acceleration,
        &command.effort,
        &command.kp,
        &command.kd,
    ]
}

pub(super) fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

pub(super) fn same_shape(one: &Command, other: &Command) -> bool {
    let lengths = |command| quantities(command).map(Vec::len);
    one.dimensions == other.dimensions
        && one.points == other.points
        && one.given == other.given
        && one.times == other.times
        && lengths(one) == lengths(other)
}

pub(super) fn same_bits(one: &Command, other: &Command) -> bool {
    quantities(one).iter().zip(quantities(other)).all(|(one, other)| bits(one) == bits(other))
}

/// The values of a quantity, with the joint each belongs to, of the joints that are named.
fn named<'a>(
    command: &'a Command,
    values: &'a [f64],
) -> impl Iterator<Item = (usize, f64)> + use<'a> {
    let joints = command.dimensions;
    let each = values.iter().enumerate().map(move |(index, value)| (index % joints, *value));
    each.filter(|(joint, _)| command.given[*joint])
}

/// Finite, complete, and every quantity beside the target inside its own bounds.
pub(super) fn well_formed(output: &Output, rules: &LaneRules) -> Judged {
    let command = &output.command;
    let complete = command.points * rules.limits.len();
    for values in quantities(command) {
        hold!(
            values.is_empty() || values.len() == complete,
            "published_keeps_its_shape",
            "lane {}: {} values of {complete}",
            output.lane,
            values.len()
        );
        for (joint, value) in named(command, values) {
            hold!(
                value.is_finite(),
                "published_is_finite",
                "lane {} joint {joint}: {value}",
                output.lane
            );
        }
    }
    let wanted = rules.shape == Shape::Trajectory && command.points == 0;
    hold!(
        wanted || !targets(command, rules.interface).is_empty() || rules.safe.tolerance().is_none(),
        "published_keeps_its_shape",
        "lane {}: no targets",
        output.lane
    );
    if rules.interface == Interface::Velocity {
        for (joint, value) in named(command, &command.velocity) {
            hold!(
                !rules.limits[joint].locked || value.abs() <= ZERO,
                "locked_stays_zero",
                "lane {} axis {joint}: {value}",
                output.lane
            );
        }
    } else {
        for (joint, value) in named(command, &command.velocity) {
            let bounds = rules.limits[joint].velocity;
            let (low, high) = bounds.map_or((-ZERO, ZERO), |b| (b.min, b.max));
            hold!(
                low <= value && value <= high,
                "companions_stay_in_bounds",
                "lane {} joint {joint}: velocity {value}",
                output.lane
            );
        }
    }
    for (joint, value) in named(command, &command.effort) {
        let most = rules.limits[joint].effort.unwrap_or(ZERO);
        hold!(
            value.abs() <= most,
            "companions_stay_in_bounds",
            "lane {} joint {joint}: effort {value}",
            output.lane
        );
    }
    Ok(())
}

/// A command that cannot be judged is refused, whatever the state.
pub(super) fn refused(received: &Received, rules: &LaneRules) -> Judged {
    let asked = &received.asked;
    let rejected = received.verdict == Verdict::Rejected;
    let complete = asked.points * rules.limits.len();
    let counted =
        quantities(asked).iter().all(|values| values.is_empty() || values.len() == complete)
            && (complete == 0 || !targets(asked, rules.interface).is_empty());
    hold!(rejected || counted, "wrong_count_is_refused", "{} {asked:?}", received.verdict);
    for values in quantities(asked) {
        let finite = named(asked, values).all(|(_, value)| value.is_finite());
        hold!(rejected || finite, "not_finite_is_refused", "{} {asked:?}", received.verdict);
    }
    Ok(())
}
