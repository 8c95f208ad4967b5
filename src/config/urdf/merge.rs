//! One lane's limits and those of the robot: which apply, and what cannot be.
//!
//! | the params file says | and the URDF is | result |
//! |---|---|---|
//! | nothing, or `unlimited` | set | the URDF's |
//! | nothing | unset | a problem (a continuous joint has no position bounds, and that is told) |
//! | `limits` | set | both: the tighter end of each |
//! | `joint_limits.<joint>` | set and tighter | a problem |
//! | `joint_limits.<joint>` | set and wider | the params file's |
//! | anything | unset | the params file's |

use super::super::model::{LaneConfig, Origin, Urdf};
use super::super::problem::{Place, Problem, Problems};
use super::super::schema;
use super::super::shape::is_twist;
use super::{Joint, JointKind, Note, Robot};
use crate::gate::limits::Bounds;
use crate::gate::safe::SafeCommand;
use crate::gate::units::is_within;

/// What came out besides limits.
#[derive(Default)]
pub(super) struct Found {
    pub(super) problems: Problems,
    pub(super) notes: Vec<Note>,
}

/// One kind of limit of one joint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Position,
    Velocity,
    Effort,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Velocity => "velocity",
            Self::Effort => "effort",
        }
    }

    const fn to_write(self) -> &'static str {
        match self {
            Self::Position => "min_position and max_position",
            Self::Velocity => "max_velocity",
            Self::Effort => "max_effort",
        }
    }

    fn unit(self, joint: &Joint) -> String {
        match self {
            Self::Position => joint.kind.unit().to_owned(),
            Self::Velocity => format!("{}/s", joint.kind.unit()),
            Self::Effort => joint.kind.effort_unit().to_owned(),
        }
    }
}

/// A joint of a lane.
struct At<'a> {
    lane: &'a str,
    joint: &'a Joint,
    urdf: &'a Urdf,
}

/// Puts the robot's limits into a lane's.
pub(super) fn merge(lane: &mut LaneConfig, urdf: &Urdf, robot: &Robot, found: &mut Found) {
    if is_twist(lane.command_type) {
        return;
    }
    let joints = lane.dimensions.iter().zip(&mut lane.limits).zip(&lane.origins);
    for ((name, limits), origins) in joints {
        let Some(joint) = robot.joint(name) else {
            found.problems.push(unknown(&lane.name, name, urdf, robot));
            continue;
        };
        if matches!(joint.kind, JointKind::Fixed | JointKind::Other) {
            found.problems.push(unmoved(&lane.name, joint, urdf));
            continue;
        }
        let at = At { lane: &lane.name, joint, urdf };
        let robot_position = joint.position_bounds().filter(|_| urdf.use_position);
        let robot_velocity = joint.set_velocity().filter(|_| urdf.use_velocity);
        let robot_effort = joint.set_effort().filter(|_| urdf.use_effort);
        note_unset(&at, origins, found);
        let bounds = |limit: f64| Bounds { min: -limit, max: limit };
        let position = robot_position.map(|(lower, upper)| Bounds { min: lower, max: upper });
        limits.position =
            kind(&at, Kind::Position, &origins.position, limits.position, position, found);
        let velocity = robot_velocity.map(bounds);
        limits.velocity =
            kind(&at, Kind::Velocity, &origins.velocity, limits.velocity, velocity, found);
        let effort = robot_effort.map(bounds);
        let own = limits.effort.map(bounds);
        let effort = kind(&at, Kind::Effort, &origins.effort, own, effort, found);
        limits.effort = effort.map(|bounds| bounds.max);
        limits.effort_unlimited &= limits.effort.is_none();
        limits.locked = false;
    }
    safe_inside(lane, urdf, found);
}

/// The limit that applies to one kind; unchanged after a problem.
fn kind(
    at: &At<'_>,
    kind: Kind,
    origin: &Origin,
    own: Option<Bounds>,
    robot: Option<Bounds>,
    found: &mut Found,
) -> Option<Bounds> {
    let Some(robot) = robot else {
        let is_endless = kind == Kind::Position && at.joint.kind == JointKind::Continuous;
        if *origin == Origin::Urdf && !(is_endless && at.urdf.use_position) {
            found.problems.push(missing(at, kind));
        }
        return own;
    };
    match (origin, own) {
        (Origin::NotCarried, own) => own,
        (Origin::Open | Origin::Urdf, _) | (Origin::Lane | Origin::Joint(_), None) => Some(robot),
        (Origin::Lane, Some(own)) => {
            let both = Bounds {
                min: if own.min < robot.min { robot.min } else { own.min },
                max: if own.max > robot.max { robot.max } else { own.max },
            };
            if both.min > both.max {
                found.problems.push(apart(at, kind, own, robot));
            }
            Some(both)
        }
        (Origin::Joint(place), Some(own)) => {
            refuse_looser(at, kind, place, own, robot, found);
            Some(own)
        }
    }
}

fn refuse_looser(
    at: &At<'_>,
    kind: Kind,
    place: &Place,
    own: Bounds,
    robot: Bounds,
    found: &mut Found,
) {
    let unit = kind.unit(at.joint);
    let name = kind.word();
    let is_symmetric = (own.min + own.max).abs() <= f64::EPSILON * own.max.abs();
    let mut refuse = |end: &str, value: f64, allowed: String, verb: &str| {
        found.problems.push(Problem {
            key: format!("lanes.{}.joint_limits.{}.{end}_{name}", at.lane, at.joint.name),
            found: format!("{value:?} {unit} is not allowed"),
            allowed,
            because: "the gate may not be looser than the robot".to_owned(),
            fix: format!("{verb} the value, or leave it out to use the URDF's"),
            place: place.clone(),
        });
    };
    let low = if kind == Kind::Position { format!("{:?}", robot.min) } else { "0".to_owned() };
    let low_sign = if kind == Kind::Position { "<=" } else { "<" };
    if own.max > robot.max {
        let allowed = format!("{low} {low_sign} v <= {:?} {unit} (URDF)", robot.max);
        refuse("max", own.max, allowed, "lower");
    }
    // A velocity's other end is the same number unless it was written.
    let is_second = kind != Kind::Position && is_symmetric;
    if own.min < robot.min && !is_second {
        let high = if kind == Kind::Position { format!("{:?}", robot.max) } else { "0".to_owned() };
        let allowed = format!("{:?} <= v <= {high} {unit} (URDF)", robot.min);
        refuse("min", own.min, allowed, "raise");
    }
}

fn missing(at: &At<'_>, kind: Kind) -> Problem {
    let to_write = kind.to_write();
    Problem {
        key: format!("lanes.{}.joint_limits.{}", at.lane, at.joint.name),
        found: format!("no limit of {}", kind.word()),
        allowed: format!("{to_write}; or the kind under `unlimited`"),
        because: format!("the URDF's own looks unset: {}", written(at.joint, kind)),
        fix: format!("add {to_write} here or under `limits`, or correct the URDF"),
        place: at.urdf.place(),
    }
}

fn written(joint: &Joint, kind: Kind) -> String {
    match kind {
        Kind::Position => format!("lower {:?}, upper {:?}", joint.lower, joint.upper),
        Kind::Velocity => format!("velocity {:?}", joint.velocity),
        Kind::Effort => format!("effort {:?}", joint.effort),
    }
}

fn apart(at: &At<'_>, kind: Kind, own: Bounds, robot: Bounds) -> Problem {
    let unit = kind.unit(at.joint);
    Problem {
        key: format!("lanes.{}.limits.max_{}", at.lane, kind.word()),
        found: format!(
            "{:?} to {:?} {unit} leaves nothing for {}",
            own.min, own.max, at.joint.name
        ),
        allowed: format!("a part of {:?} to {:?} {unit} (URDF)", robot.min, robot.max),
        because: "no value would be inside both".to_owned(),
        fix: format!("write this joint's own under joint_limits.{}", at.joint.name),
        place: at.urdf.place(),
    }
}

fn unknown(lane: &str, name: &str, urdf: &Urdf, robot: &Robot) -> Problem {
    let words: Vec<&str> = robot.joints.iter().map(|joint| joint.name.as_str()).collect();
    let near = schema::nearest_word(name, &words);
    Problem {
        key: format!("lanes.{lane}.joints"),
        found: format!("{name:?} is not a joint of the robot {:?}", robot.name),
        allowed: format!("one of the {} joints of {}", words.len(), urdf.name()),
        because: "a joint that the robot does not have has no limits".to_owned(),
        fix: near.map_or_else(
            || "correct the name, or the robot's description".to_owned(),
            |near| format!("did you mean {near:?}?"),
        ),
        place: urdf.place(),
    }
}

fn unmoved(lane: &str, joint: &Joint, urdf: &Urdf) -> Problem {
    let is_fixed = joint.kind == JointKind::Fixed;
    let how = if is_fixed { "fixed" } else { "floating, planar or spherical" };
    Problem {
        key: format!("lanes.{lane}.joints"),
        found: format!("{:?} is {how} in {}", joint.name, urdf.name()),
        allowed: "joints of the types revolute, continuous, prismatic".to_owned(),
        because: "one number cannot move it".to_owned(),
        fix: "remove it, or correct the robot's description".to_owned(),
        place: urdf.place(),
    }
}

/// Tells what looks unset, of the kinds that this lane would use.
fn note_unset(at: &At<'_>, origins: &super::super::model::Origins, found: &mut Found) {
    let is_endless = at.joint.kind == JointKind::Continuous;
    let has_bounds = at.joint.position_bounds().is_some();
    let all = [
        (at.urdf.use_position, &origins.position, has_bounds, Kind::Position),
        (
            at.urdf.use_velocity,
            &origins.velocity,
            at.joint.set_velocity().is_some(),
            Kind::Velocity,
        ),
        (at.urdf.use_effort, &origins.effort, at.joint.set_effort().is_some(), Kind::Effort),
    ];
    for (is_used, origin, is_set, kind) in all {
        if !is_used || *origin == Origin::NotCarried || is_set {
            continue;
        }
        let text = if is_endless && kind == Kind::Position {
            if *origin != Origin::Urdf {
                continue;
            }
            "is continuous: no position bounds".to_owned()
        } else {
            format!("{} looks unset, and is not used", written(at.joint, kind))
        };
        let place = format!("lanes.{}, {}", at.lane, at.joint.name);
        found.notes.push(Note { at: place, text });
    }
}

/// A safe command of fixed values must be inside the robot's limits too.
fn safe_inside(lane: &LaneConfig, urdf: &Urdf, found: &mut Found) {
    if lane.safe != SafeCommand::Values {
        return;
    }
    let joints = lane.dimensions.iter().zip(&lane.limits).zip(&lane.safe_targets);
    for ((joint, limits), value) in joints {
        let Some(most) = limits.effort.filter(|most| !is_within(*value, -most, *most)) else {
            continue;
        };
        found.problems.push(Problem {
            key: format!("lanes.{}.safe.values", lane.name),
            found: format!("{value:?} for {joint} is not allowed"),
            allowed: format!("{:?} <= v <= {most:?} (URDF)", -most),
            because: "the gate must not send what it would refuse".to_owned(),
            fix: "correct the value".to_owned(),
            place: urdf.place(),
        });
    }
}
