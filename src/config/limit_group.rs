//! One group of limits: what stands under `limits`, `limits.linear.x` or `joint_limits.<joint>`.
//!
//! Reads the numbers and their signs; [`super::limits`] decides which group applies to a joint.

use super::keys::Keys;
use super::model::{CommandType, Interface};
use super::range::{Range, Read};
use crate::gate::limits::Bounds;

/// Which quantities a lane's commands carry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carries {
    /// A twist: axes under `limits.linear` and `limits.angular`, locked where not named.
    pub(super) is_twist: bool,
    pub(super) position: bool,
    pub(super) effort: bool,
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
pub(super) enum Kind {
    Position,
    Velocity,
    Acceleration,
    Effort,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Velocity => "velocity",
            Self::Acceleration => "acceleration",
            Self::Effort => "effort",
        }
    }

    /// What to write for it.
    pub(super) const fn keys(self) -> &'static str {
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
pub(super) struct Group {
    pub(super) position: Option<Bounds>,
    pub(super) velocity: Option<Bounds>,
    pub(super) acceleration: Option<f64>,
    pub(super) deceleration: Option<f64>,
    pub(super) effort: Option<f64>,
}

/// What a group says; `None` after a problem.
pub(super) fn group(keys: &mut Keys<'_>, place: &str, carries: Carries) -> Option<Group> {
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
