//! One group of limits: what stands under `limits`, `limits.linear.x` or `joint_limits.<joint>`.
//!
//! Reads the numbers and their signs; [`super::limits`] decides which group applies to a joint.

use super::carries::{Carries, Kind};
use super::keys::Keys;
use super::range::{Range, Read};
use crate::gate::limits::Bounds;

/// What stands under one `limits` or `joint_limits.<joint>`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub(super) position: Option<Bounds>,
    pub(super) velocity: Option<Bounds>,
    pub(super) acceleration: Option<f64>,
    pub(super) deceleration: Option<f64>,
    pub(super) jerk: Option<f64>,
    pub(super) effort: Option<f64>,
    pub(super) kp: Option<f64>,
    pub(super) kd: Option<f64>,
    pub(super) total_effort: Option<f64>,
}

impl Group {
    /// Whether a kind is limited.
    pub(super) const fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::Position => self.position.is_some(),
            Kind::Velocity => self.velocity.is_some(),
            Kind::Acceleration => self.acceleration.is_some(),
            Kind::Jerk => self.jerk.is_some(),
            Kind::Effort => self.effort.is_some(),
            Kind::Kp => self.kp.is_some(),
            Kind::Kd => self.kd.is_some(),
            Kind::TotalEffort => self.total_effort.is_some(),
        }
    }

    /// A joint's own kinds in place of the lane's.
    pub(super) fn over(self, lane: Self) -> Self {
        Self {
            position: self.position.or(lane.position),
            velocity: self.velocity.or(lane.velocity),
            acceleration: self.acceleration.or(lane.acceleration),
            // A joint's own acceleration also says how it brakes, unless it says so itself.
            deceleration: self.deceleration.or(self.acceleration).or(lane.deceleration),
            jerk: self.jerk.or(lane.jerk),
            effort: self.effort.or(lane.effort),
            kp: self.kp.or(lane.kp),
            kd: self.kd.or(lane.kd),
            total_effort: self.total_effort.or(lane.total_effort),
        }
    }
}

/// What a group says; `None` after a problem.
pub(super) fn group(keys: &mut Keys<'_>, place: &str, carries: &Carries) -> Option<Group> {
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
    let jerk = positive(keys, &format!("{place}.max_jerk"), "per s³; a robot must be able to move");
    let effort = positive(keys, &format!("{place}.max_effort"), "N m or N, to both sides");
    let gain = Range::from(0.0, "", "a gain below zero drives away from the target");
    let kp = keys.double(&format!("{place}.max_kp"), gain).optional();
    let kd = keys.double(&format!("{place}.max_kd"), gain).optional();
    let total_effort = positive(
        keys,
        &format!("{place}.max_total_effort"),
        "N m or N: what effort, gains and the measured state add up to",
    );
    let fits = refuse_uncarried(keys, place, carries);
    has?;
    fits?;
    Some(Group {
        position: position?,
        velocity: velocity?,
        acceleration: acceleration?,
        deceleration: deceleration?,
        jerk: jerk?,
        effort: effort?,
        kp: kp?,
        kd: kd?,
        total_effort: total_effort?,
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
            Range::any("", because).to(0.0),
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

/// A limit of something that the lane's commands do not carry would look enforced and not be; one
/// that alters has no place below a balance loop.
fn refuse_uncarried(keys: &mut Keys<'_>, place: &str, carries: &Carries) -> Option<()> {
    let mut is_good = Some(());
    for kind in Kind::ALL.into_iter().filter(|kind| !carries.has(*kind)) {
        for name in kind.names() {
            let key = format!("{place}.{name}");
            if keys.map.get(&key).is_none() {
                continue;
            }
            is_good = None;
            if carries.is_balance
                && matches!(kind, Kind::Velocity | Kind::Acceleration | Kind::Jerk)
            {
                super::balance::refuse_altering(keys, &key, "bounds of what a command carries");
                continue;
            }
            keys.refuse(
                &key,
                "has no effect here",
                kind.place(),
                "a limit that is not enforced must not look as if it were",
                "remove it",
            );
        }
    }
    is_good
}
