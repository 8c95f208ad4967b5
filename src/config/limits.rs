//! `limits`, `joint_limits`, `unlimited`, `on_limit` of a lane to one limit set a dimension.
//!
//! A joint's own kind (position, velocity, acceleration, effort) replaces the lane's whole kind, so
//! a bound of one never meets a bound of the other. **Invariant:** a kind that the lane carries has
//! bounds, or is listed under `unlimited`, or the axis is locked: nothing is free by omission.

use super::carries::{Carries, Kind};
use super::globals::Globals;
use super::keys::Keys;
use super::limit_group::{Group, group};
use super::model::{OnLimit, OnLimits, Origin, Origins};
use super::schema;
use crate::gate::limits::DimensionLimits;

/// The limits of a lane's joints or axes, and where they come from.
#[derive(Default)]
pub(super) struct Limited {
    pub(super) limits: Vec<DimensionLimits>,
    pub(super) origins: Vec<Origins>,
}

/// What a group alone does not say.
struct Rules<'r> {
    carries: &'r Carries,
    /// `None`: unreadable, with a problem of its own.
    unlimited: Option<Vec<Kind>>,
    /// What a URDF may give.
    from_urdf: Vec<Kind>,
}

/// One limit set for each dimension, in order.
pub(super) fn limits(
    keys: &mut Keys<'_>,
    at: &str,
    dimensions: &[String],
    carries: &Carries,
    globals: &Globals,
) -> Option<Limited> {
    let rules =
        Rules { carries, unlimited: unlimited(keys, at, carries), from_urdf: from_urdf(globals) };
    let places = refuse_places(keys, at, dimensions, carries);
    let all = if carries.is_twist {
        // Misplaced limits are told already; the axes are not missing as well.
        places.and_then(|()| twist(keys, at, dimensions, &rules))
    } else {
        joints(keys, at, dimensions, &rules)
    };
    rules.unlimited?;
    places?;
    all
}

fn from_urdf(globals: &Globals) -> Vec<Kind> {
    let Some(urdf) = &globals.urdf else {
        return Vec::new();
    };
    let all = [
        (urdf.use_position, Kind::Position),
        (urdf.use_velocity, Kind::Velocity),
        (urdf.use_effort, Kind::Effort),
    ];
    all.into_iter().filter(|(is_used, _)| *is_used).map(|(_, kind)| kind).collect()
}

fn twist(keys: &mut Keys<'_>, at: &str, axes: &[String], rules: &Rules<'_>) -> Option<Limited> {
    // A robot's description has no limits of its base's velocity.
    let rules = &Rules {
        carries: rules.carries,
        unlimited: rules.unlimited.clone(),
        from_urdf: Vec::new(),
    };
    let mut is_good = true;
    let mut all = Limited::default();
    for axis in axes {
        let place = format!("{at}.limits.{axis}");
        all.origins.push(Origins::default());
        if keys.map.under(&place).next().is_none() {
            all.limits.push(DimensionLimits { locked: true, ..DimensionLimits::default() });
            continue;
        }
        let Some(group) = group(keys, &place, rules.carries) else {
            is_good = false;
            continue;
        };
        is_good &= is_complete(keys, &place, &group, rules);
        all.limits.push(finish(group, rules, &Origins::default()));
    }
    if all.limits.iter().all(|one| one.locked) && is_good {
        keys.missing(
            &format!("{at}.limits"),
            "at least one axis, for example linear.x",
            "an axis that is not named is locked at zero, and here all are",
        );
        return None;
    }
    is_good.then_some(all)
}

fn joints(keys: &mut Keys<'_>, at: &str, joints: &[String], rules: &Rules<'_>) -> Option<Limited> {
    let lane = group(keys, &format!("{at}.limits"), rules.carries);
    let mut is_good = lane.is_some();
    let mut all = Limited::default();
    for joint in joints {
        let place = format!("{at}.joint_limits.{joint}");
        let own = group(keys, &place, rules.carries);
        let (Some(own), Some(lane)) = (own, lane) else {
            is_good = false;
            continue;
        };
        let merged = own.over(lane);
        is_good &= is_complete(keys, &place, &merged, rules);
        let origin = |kind: Kind| origin(keys, &place, kind, (&own, &lane), rules);
        let origins = Origins {
            position: origin(Kind::Position),
            velocity: origin(Kind::Velocity),
            effort: origin(Kind::Effort),
        };
        all.limits.push(finish(merged, rules, &origins));
        all.origins.push(origins);
    }
    is_good.then_some(all)
}

/// Where the limit of one kind of one joint comes from.
fn origin(
    keys: &Keys<'_>,
    place: &str,
    kind: Kind,
    (own, lane): (&Group, &Group),
    rules: &Rules<'_>,
) -> Origin {
    let is_free = rules.unlimited.as_ref().is_some_and(|kinds| kinds.contains(&kind));
    if !rules.carries.has(kind) {
        Origin::NotCarried
    } else if own.has(kind) {
        let key = kind.names().last().map(|name| format!("{place}.{name}"));
        Origin::Joint(keys.place(key.as_deref().unwrap_or(place)))
    } else if lane.has(kind) {
        Origin::Lane
    } else if is_free || !rules.carries.needed.contains(&kind) {
        Origin::Open
    } else {
        Origin::Urdf
    }
}

fn finish(group: Group, rules: &Rules<'_>, origins: &Origins) -> DimensionLimits {
    let is_free = |kind: Kind| rules.unlimited.as_ref().is_some_and(|all| all.contains(&kind));
    let is_open = |kind: Kind| is_free(kind) && !group.has(kind);
    DimensionLimits {
        // Fails closed until the URDF gives what is missing.
        locked: origins.is_incomplete(),
        position: group.position,
        velocity: group.velocity,
        acceleration: group.acceleration,
        deceleration: group.deceleration.or(group.acceleration),
        jerk: group.jerk,
        effort: group.effort,
        kp: group.kp,
        kd: group.kd,
        total_effort: group.total_effort,
        position_unlimited: is_open(Kind::Position),
        velocity_unlimited: is_open(Kind::Velocity),
        acceleration_unlimited: is_open(Kind::Acceleration),
        effort_unlimited: is_open(Kind::Effort),
        gains_unlimited: is_open(Kind::Kp) || is_open(Kind::Kd),
    }
}

fn is_complete(keys: &mut Keys<'_>, place: &str, group: &Group, rules: &Rules<'_>) -> bool {
    // Unreadable `unlimited` has its own problem; do not report what it may list.
    let Some(unlimited) = &rules.unlimited else {
        return false;
    };
    let needed = rules.carries.needed.iter();
    let missing: Vec<Kind> = needed
        .copied()
        .filter(|kind| {
            !group.has(*kind) && !unlimited.contains(kind) && !rules.from_urdf.contains(kind)
        })
        .collect();
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
    carries: &Carries,
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

fn unlimited(keys: &mut Keys<'_>, at: &str, carries: &Carries) -> Option<Vec<Kind>> {
    let key = format!("{at}.unlimited");
    let Some(words) = keys.strings(&key).optional()? else {
        return Some(Vec::new());
    };
    let mut kinds = Vec::new();
    let mut is_good = true;
    for word in words {
        match carries.kinds.iter().find(|kind| kind.word() == word) {
            Some(kind) => kinds.push(*kind),
            None => {
                let allowed = carries.kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>();
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

/// `on_limit.<kind>`. A balance lane refuses, whatever is over.
pub(super) fn on_limit(
    keys: &mut Keys<'_>,
    at: &str,
    carries: Option<&Carries>,
) -> Option<OnLimits> {
    let is_balance = carries.is_some_and(|carries| carries.is_balance);
    let default = if is_balance { OnLimit::Reject } else { OnLimit::Limit };
    let mut read = |kind: Kind| {
        let key = format!("{at}.on_limit.{}", kind.word());
        let word =
            keys.word(&key, &[("limit", Some(OnLimit::Limit)), ("reject", Some(OnLimit::Reject))]);
        if carries.is_some_and(|carries| !carries.has(kind)) {
            keys.refuse_effectless(
                &key,
                kind.place(),
                "a rule that is never used must not look as if it were",
            )?;
        }
        let word = word.or(default)?;
        if is_balance && word == OnLimit::Limit {
            super::balance::refuse_altering(keys, &key, "reject");
            return None;
        }
        Some(word)
    };
    let [position, velocity, acceleration, jerk, effort, kp, kd, total_effort] =
        Kind::ALL.map(&mut read);
    Some(OnLimits {
        position: position?,
        velocity: velocity?,
        acceleration: acceleration?,
        jerk: jerk?,
        effort: effort?,
        kp: kp?,
        kd: kd?,
        total_effort: total_effort?,
    })
}
