//! `limits`, `joint_limits`, `unlimited`, `on_limit` of a lane to one limit set a dimension.
//!
//! A joint's own kind (position, velocity, acceleration, effort) replaces the lane's whole kind, so
//! a bound of one never meets a bound of the other. **Invariant:** a kind that the lane carries has
//! bounds, or is listed under `unlimited`, or the axis is locked: nothing is free by omission.

use super::keys::Keys;
use super::limit_group::{Carries, Group, Kind, group};
use super::model::{OnLimit, OnLimits};
use super::schema;
use crate::gate::limits::DimensionLimits;

/// One limit set for each dimension, in order.
pub(super) fn limits(
    keys: &mut Keys<'_>,
    at: &str,
    dimensions: &[String],
    carries: Carries,
) -> Option<Vec<DimensionLimits>> {
    let unlimited = unlimited(keys, at, carries);
    let places = refuse_places(keys, at, dimensions, carries);
    let all = if carries.is_twist {
        // Misplaced limits are told already; the axes are not missing as well.
        places.and_then(|()| twist(keys, at, dimensions, carries, unlimited.as_deref()))
    } else {
        joints(keys, at, dimensions, carries, unlimited.as_deref())
    };
    unlimited?;
    places?;
    all
}

fn twist(
    keys: &mut Keys<'_>,
    at: &str,
    axes: &[String],
    carries: Carries,
    unlimited: Option<&[Kind]>,
) -> Option<Vec<DimensionLimits>> {
    let mut is_good = true;
    let mut all = Vec::new();
    for axis in axes {
        let place = format!("{at}.limits.{axis}");
        if keys.map.under(&place).next().is_none() {
            all.push(DimensionLimits { locked: true, ..DimensionLimits::default() });
            continue;
        }
        let Some(group) = group(keys, &place, carries) else {
            is_good = false;
            continue;
        };
        let needed = [Kind::Velocity, Kind::Acceleration];
        is_good &= is_complete(keys, &place, &group, &needed, unlimited);
        all.push(finish(group, unlimited));
    }
    if all.iter().all(|one| one.locked) && is_good {
        keys.missing(
            &format!("{at}.limits"),
            "at least one axis, for example linear.x",
            "an axis that is not named is locked at zero, and here all are",
        );
        return None;
    }
    is_good.then_some(all)
}

fn joints(
    keys: &mut Keys<'_>,
    at: &str,
    joints: &[String],
    carries: Carries,
    unlimited: Option<&[Kind]>,
) -> Option<Vec<DimensionLimits>> {
    let lane = group(keys, &format!("{at}.limits"), carries);
    let mut needed = vec![Kind::Velocity, Kind::Acceleration];
    if carries.position {
        needed.insert(0, Kind::Position);
    }
    let mut is_good = lane.is_some();
    let mut all = Vec::new();
    for joint in joints {
        let place = format!("{at}.joint_limits.{joint}");
        let own = group(keys, &place, carries);
        let (Some(own), Some(lane)) = (own, lane) else {
            is_good = false;
            continue;
        };
        let merged = over(own, lane);
        is_good &= is_complete(keys, &place, &merged, &needed, unlimited);
        all.push(finish(merged, unlimited));
    }
    is_good.then_some(all)
}

/// A joint's own kinds in place of the lane's.
fn over(own: Group, lane: Group) -> Group {
    Group {
        position: own.position.or(lane.position),
        velocity: own.velocity.or(lane.velocity),
        acceleration: own.acceleration.or(lane.acceleration),
        // A joint's own acceleration also says how it brakes, unless it says so itself.
        deceleration: own.deceleration.or(own.acceleration).or(lane.deceleration),
        effort: own.effort.or(lane.effort),
    }
}

fn finish(group: Group, unlimited: Option<&[Kind]>) -> DimensionLimits {
    let effort_is_free = unlimited.is_some_and(|kinds| kinds.contains(&Kind::Effort));
    DimensionLimits {
        locked: false,
        position: group.position,
        velocity: group.velocity,
        acceleration: group.acceleration,
        deceleration: group.deceleration.or(group.acceleration),
        jerk: None,
        effort: group.effort,
        kp: None,
        kd: None,
        total_effort: None,
        gains_unlimited: false,
        effort_unlimited: effort_is_free && group.effort.is_none(),
    }
}

fn is_complete(
    keys: &mut Keys<'_>,
    place: &str,
    group: &Group,
    needed: &[Kind],
    unlimited: Option<&[Kind]>,
) -> bool {
    // Unreadable `unlimited` has its own problem; do not report what it may list.
    let Some(unlimited) = unlimited else {
        return false;
    };
    let mut missing = Vec::new();
    for kind in needed {
        let is_there = match kind {
            Kind::Position => group.position.is_some(),
            Kind::Velocity => group.velocity.is_some(),
            Kind::Acceleration => group.acceleration.is_some(),
            Kind::Effort => group.effort.is_some(),
        };
        if !is_there && !unlimited.contains(kind) {
            missing.push(*kind);
        }
    }
    if !missing.is_empty() {
        let kinds = missing.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ");
        let to_write = missing.iter().map(|kind| kind.keys()).collect::<Vec<_>>().join(", ");
        keys.refuse(
            place,
            format!("no limit of {kinds}"),
            format!("{to_write}; or the kind under `unlimited`"),
            "a missing limit is never taken for none",
            format!("add {to_write} here or under `limits`"),
        );
    }
    missing.is_empty()
}

/// Limits that stand where this lane has no use for them.
fn refuse_places(
    keys: &mut Keys<'_>,
    at: &str,
    dimensions: &[String],
    carries: Carries,
) -> Option<()> {
    let wrong: Vec<String> = if carries.is_twist {
        let lane_wide = keys.map.names_under(&format!("{at}.limits")).into_iter();
        lane_wide
            .filter(|name| name.starts_with("min_") || name.starts_with("max_"))
            .map(|name| format!("{at}.limits.{name}"))
            .chain(
                keys.map
                    .names_under(&format!("{at}.joint_limits"))
                    .into_iter()
                    .map(|name| format!("{at}.joint_limits.{name}")),
            )
            .collect()
    } else {
        ["linear", "angular"]
            .iter()
            .map(|part| format!("{at}.limits.{part}"))
            .filter(|key| keys.map.under(key).next().is_some())
            .collect()
    };
    let mut is_good = wrong.is_empty().then_some(());
    for key in wrong {
        keys.refuse(
            &key,
            "is not allowed for this type",
            "a twist: limits.linear.{x,y,z} and limits.angular.{x,y,z}; joints: limits and \
             joint_limits.<joint>",
            "the axes of a twist have different units, joints have no axes",
            "move the limits",
        );
    }
    if !carries.is_twist {
        for joint in keys.map.names_under(&format!("{at}.joint_limits")) {
            if dimensions.contains(&joint) {
                continue;
            }
            let words: Vec<&str> = dimensions.iter().map(String::as_str).collect();
            let fix = schema::nearest_word(&joint, &words).map_or_else(
                || "remove it, or add the joint to `joints`".to_owned(),
                |near| format!("did you mean {near:?}?"),
            );
            keys.refuse(
                &format!("{at}.joint_limits.{joint}"),
                "is not a joint of this lane",
                "the names in `joints`",
                "a limit of a mistyped joint would protect nothing",
                fix,
            );
            is_good = None;
        }
    }
    is_good
}

fn unlimited(keys: &mut Keys<'_>, at: &str, carries: Carries) -> Option<Vec<Kind>> {
    let key = format!("{at}.unlimited");
    let Some(words) = keys.strings(&key).optional()? else {
        return Some(Vec::new());
    };
    let mut carried = vec![Kind::Velocity, Kind::Acceleration];
    if carries.position {
        carried.insert(0, Kind::Position);
    }
    if carries.effort {
        carried.push(Kind::Effort);
    }
    let mut kinds = Vec::new();
    let mut is_good = true;
    for word in words {
        match carried.iter().find(|kind| kind.word() == word) {
            Some(kind) => kinds.push(*kind),
            None => {
                let allowed = carried.iter().map(|kind| kind.word()).collect::<Vec<_>>();
                keys.refuse(
                    &key,
                    format!("{word:?} is not allowed"),
                    allowed.join(", "),
                    "only what the lane's commands carry can be left free",
                    "correct the word, or remove it",
                );
                is_good = false;
            }
        }
    }
    is_good.then_some(kinds)
}

/// `on_limit.<kind>`.
pub(super) fn on_limit(keys: &mut Keys<'_>, at: &str) -> Option<OnLimits> {
    let mut read = |kind: &str| {
        keys.word(
            &format!("{at}.on_limit.{kind}"),
            &[("limit", Some(OnLimit::Limit)), ("reject", Some(OnLimit::Reject))],
        )
        .or(OnLimit::Limit)
    };
    let (position, velocity) = (read("position"), read("velocity"));
    let (acceleration, effort) = (read("acceleration"), read("effort"));
    Some(OnLimits {
        position: position?,
        velocity: velocity?,
        acceleration: acceleration?,
        effort: effort?,
        ..OnLimits::default()
    })
}
