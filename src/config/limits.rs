//! `limits`, `joint_limits`, `unlimited`, `on_limit` of a lane to one limit set a dimension.
//!
//! A joint's own kind (position, velocity, acceleration, effort) replaces the lane's whole kind, so
//! a bound of one never meets a bound of the other. **Invariant:** a kind that the lane carries has
//! bounds, or is listed under `unlimited`, or the axis is locked: nothing is free by omission.

use super::keys::{Keys, Range, Read};
use super::model::{CommandType, Interface, OnLimit, OnLimits};
use super::schema;
use crate::gate::limits::{Bounds, DimensionLimits};

/// Which quantities a lane's commands carry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carries {
    /// A twist: axes under `limits.linear` and `limits.angular`, locked where not named.
    is_twist: bool,
    position: bool,
    effort: bool,
}

impl Carries {
    pub(super) const fn of(command_type: CommandType, interface: Interface) -> Self {
        Self {
            is_twist: matches!(command_type, CommandType::Twist | CommandType::TwistStamped),
            position: matches!(interface, Interface::Position),
            effort: matches!(command_type, CommandType::JointState | CommandType::JointTrajectory),
        }
    }
}

/// A kind that must be limited or listed under `unlimited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Position,
    Velocity,
    Acceleration,
    Effort,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Velocity => "velocity",
            Self::Acceleration => "acceleration",
            Self::Effort => "effort",
        }
    }

    /// What to write for it.
    const fn keys(self) -> &'static str {
        match self {
            Self::Position => "min_position and max_position",
            Self::Velocity => "max_velocity",
            Self::Acceleration => "max_acceleration",
            Self::Effort => "max_effort",
        }
    }
}

/// What stands under one `limits` or `joint_limits.<joint>`.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    position: Option<Bounds>,
    velocity: Option<Bounds>,
    acceleration: Option<f64>,
    deceleration: Option<f64>,
    effort: Option<f64>,
}

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
        twist(keys, at, dimensions, carries, unlimited.as_deref())
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
        effort: group.effort,
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
    let Some(unlimited) = unlimited else { return false };
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

fn group(keys: &mut Keys<'_>, place: &str, carries: Carries) -> Option<Group> {
    let has = has_limits(keys, place);
    let position = bounds(keys, place, Kind::Position);
    let velocity = bounds(keys, place, Kind::Velocity);
    let acceleration = positive(
        keys,
        &format!("{place}.max_acceleration"),
        "per s²; a robot must be able to move",
    );
    let deceleration = positive(
        keys,
        &format!("{place}.max_deceleration"),
        "per s²; a robot must be able to stop",
    );
    let effort = positive(keys, &format!("{place}.max_effort"), "N m or N, to both sides");
    let fits = refuse_uncarried(keys, place, carries);
    has?;
    fits?;
    Some(Group {
        position: position?,
        velocity: velocity?,
        acceleration: acceleration?,
        deceleration: deceleration?,
        effort: effort?,
    })
}

fn positive(keys: &mut Keys<'_>, key: &str, because: &'static str) -> Option<Option<f64>> {
    keys.double(key, Range::above(0.0, "", because)).optional()
}

fn bounds(keys: &mut Keys<'_>, place: &str, kind: Kind) -> Option<Option<Bounds>> {
    let min_key = format!("{place}.min_{}", kind.word());
    let max_key = format!("{place}.max_{}", kind.word());
    let is_velocity = kind == Kind::Velocity;
    let (low, high) = if is_velocity {
        let because = "the lane must be able to stand still";
        (
            Range { low: None, high: Some(0.0), unit: "", because },
            Range::above(
                0.0,
                "",
                "to forbid a direction, set min_velocity to 0; to lock a joint, \
                leave it out of the lane",
            ),
        )
    } else {
        (Range::any("", "a position bound"), Range::any("", "a position bound"))
    };
    let min = keys.double(&min_key, low);
    let max = keys.double(&max_key, high);
    match (min, max) {
        (Read::Bad, _) | (_, Read::Bad) => None,
        (Read::Absent, Read::Absent) => Some(None),
        (Read::Absent, Read::Got(max)) if is_velocity => Some(Some(Bounds { min: -max, max })),
        (Read::Absent, Read::Got(_)) => {
            keys.missing(&min_key, "a bound below max_position", "a range has two ends");
            None
        }
        (Read::Got(_), Read::Absent) => {
            keys.missing(&max_key, "a bound above the min", "a range has two ends");
            None
        }
        (Read::Got(min), Read::Got(max)) if min <= max => Some(Some(Bounds { min, max })),
        (Read::Got(min), Read::Got(max)) => {
            keys.refuse(
                &max_key,
                format!("{max:?} is below min_{} {min:?}", kind.word()),
                format!("v >= {min:?}"),
                "no value would be allowed",
                "exchange or correct the two",
            );
            None
        }
    }
}

/// MoveIt's and ros2_control's switches: true says nothing new, false would switch a limit off.
fn has_limits(keys: &mut Keys<'_>, place: &str) -> Option<()> {
    let mut is_good = Some(());
    for kind in ["position", "velocity", "acceleration", "deceleration", "jerk", "effort"] {
        let key = format!("{place}.has_{kind}_limits");
        match keys.boolean(&key) {
            Read::Absent | Read::Got(true) => {}
            Read::Bad => is_good = None,
            Read::Got(false) => {
                keys.refuse(
                    &key,
                    "false is not allowed",
                    "true, or leave it out",
                    "here a limit is switched off by a word that shows everywhere",
                    format!("remove it; to leave {kind} free, list it under `unlimited`"),
                );
                is_good = None;
            }
        }
    }
    is_good
}

/// A limit of something that the lane's commands do not carry would look enforced and not be.
fn refuse_uncarried(keys: &mut Keys<'_>, place: &str, carries: Carries) -> Option<()> {
    let mut is_good = Some(());
    let groups: [(bool, &[&str], &str); 2] = [
        (carries.position, &["min_position", "max_position"], "positions"),
        (carries.effort, &["max_effort"], "efforts"),
    ];
    for (is_carried, names, what) in groups {
        for name in names {
            let key = format!("{place}.{name}");
            if !is_carried && keys.map.get(&key).is_some() {
                keys.refuse(
                    &key,
                    "has no effect here",
                    format!("only where the lane's commands carry {what}"),
                    "a limit that is not enforced must not look as if it were",
                    "remove it",
                );
                is_good = None;
            }
        }
    }
    is_good
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
    let Some(words) = keys.strings(&key).optional()? else { return Some(Vec::new()) };
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
    })
}
