//! The robot's own description: joints and their limits out of a URDF, and what they mean for a
//! [`Config`].
//!
//! The text comes from elsewhere (a file at start, a topic at run time); nothing here reads either.
//! The gate may be tighter than the robot, never looser: limits for all joints are tightened
//! silently, one written for a joint and looser is a problem, and what the params file leaves out is
//! taken from here. **Invariant:** a limit that looks unset is told and never used, so it can
//! neither lock a joint nor free it.

mod merge;

use std::fmt;

use sha2::{Digest, Sha256};

use super::model::{Config, Urdf, UrdfFrom};
use super::problem::{Place, Problem, Problems};
use super::stop;

/// How a joint moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JointKind {
    /// About an axis, between bounds; rad.
    Revolute,
    /// About an axis, without bounds; rad.
    Continuous,
    /// Along an axis, between bounds; m.
    Prismatic,
    /// Not at all.
    Fixed,
    /// In more than one direction: no single number moves it.
    Other,
}

impl JointKind {
    /// Unit of positions.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Prismatic => "m",
            Self::Revolute | Self::Continuous | Self::Fixed | Self::Other => "rad",
        }
    }

    /// Unit of efforts.
    #[must_use]
    pub const fn effort_unit(self) -> &'static str {
        match self {
            Self::Prismatic => "N",
            Self::Revolute | Self::Continuous | Self::Fixed | Self::Other => "N m",
        }
    }
}

/// A joint with its limits as written; a `<limit>` that is not there reads as zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    /// Its name.
    pub name: String,
    /// How it moves.
    pub kind: JointKind,
    /// Lowest position.
    pub lower: f64,
    /// Highest position.
    pub upper: f64,
    /// Largest velocity, to both sides.
    pub velocity: f64,
    /// Largest effort, to both sides.
    pub effort: f64,
}

impl Joint {
    /// Position bounds; `None` where it has none or they look unset.
    #[must_use]
    pub fn position_bounds(&self) -> Option<(f64, f64)> {
        let is_bounded = matches!(self.kind, JointKind::Revolute | JointKind::Prismatic);
        let is_set = self.lower.is_finite() && self.upper.is_finite() && self.lower < self.upper;
        (is_bounded && is_set).then_some((self.lower, self.upper))
    }

    /// Velocity, if it is set.
    #[must_use]
    pub fn set_velocity(&self) -> Option<f64> {
        is_set(self.velocity).then_some(self.velocity)
    }

    /// Effort, if it is set.
    #[must_use]
    pub fn set_effort(&self) -> Option<f64> {
        is_set(self.effort).then_some(self.effort)
    }
}

fn is_set(limit: f64) -> bool {
    limit.is_finite() && limit > 0.0
}

/// The joints of a robot, in the order of its description.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Robot {
    /// Its name.
    pub name: String,
    /// All joints, those that do not move too.
    pub joints: Vec<Joint>,
}

impl Robot {
    /// Reads a URDF.
    ///
    /// # Errors
    /// What the text is not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let robot =
            urdf_rs::read_from_string(text).map_err(|error| one_line(&error.to_string()))?;
        let joints = robot.joints.into_iter().map(|joint| Joint {
            kind: match joint.joint_type {
                urdf_rs::JointType::Revolute => JointKind::Revolute,
                urdf_rs::JointType::Continuous => JointKind::Continuous,
                urdf_rs::JointType::Prismatic => JointKind::Prismatic,
                urdf_rs::JointType::Fixed => JointKind::Fixed,
                urdf_rs::JointType::Floating
                | urdf_rs::JointType::Planar
                | urdf_rs::JointType::Spherical => JointKind::Other,
            },
            name: joint.name,
            lower: joint.limit.lower,
            upper: joint.limit.upper,
            velocity: joint.limit.velocity,
            effort: joint.limit.effort,
        });
        Ok(Self { name: robot.name, joints: joints.collect() })
    }

    /// The joint of that name.
    #[must_use]
    pub fn joint(&self, name: &str) -> Option<&Joint> {
        self.joints.iter().find(|joint| joint.name == name)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A description that a configuration holds already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// SHA-256 of its text, lower-case hex: whether another one differs.
    pub sha256: String,
    /// What was noticed.
    pub notes: Vec<Note>,
}

/// Something a person should know of a description, which is no problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which lane and joint: `lanes.<lane>, <joint>`.
    pub at: String,
    /// What was noticed.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.text)
    }
}

/// SHA-256 of a description's text, as in [`Description::sha256`].
#[must_use]
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Config {
    /// This configuration with the limits of a robot's description.
    ///
    /// Call it on the configuration as the params file made it, for every new description anew: the
    /// result has tighter limits already, and applied to that, another description could only
    /// tighten further. Without `urdf` in the params file nothing changes.
    ///
    /// # Errors
    /// A text that is no URDF, joints that it does not have or that do not move, explicit limits
    /// that are looser than the robot's, and limits that neither gives: every problem, at once.
    pub fn with_urdf(&self, text: &str) -> Result<(Self, Vec<Note>), Problems> {
        let Some(urdf) = &self.urdf else {
            return Ok((self.clone(), Vec::new()));
        };
        let robot = Robot::parse(text).map_err(|error| not_a_description(urdf, &error))?;
        let mut config = self.clone();
        let mut found = merge::Found::default();
        for lane in &mut config.lanes {
            merge::merge(lane, urdf, &robot, &mut found);
            if let Some((too_slow, allowed)) = stop::slow_ramp(lane, self.stop.deadline) {
                found.problems.push(Problem {
                    key: format!("lanes.{}.safe.deceleration", lane.name),
                    found: too_slow,
                    allowed,
                    because: stop::SLOW_RAMP.0.to_owned(),
                    fix: stop::SLOW_RAMP.1.to_owned(),
                    place: urdf.place(),
                });
            }
        }
        if !found.problems.is_empty() {
            return Err(found.problems);
        }
        config.description = Some(Description { sha256: digest(text), notes: found.notes.clone() });
        Ok((config, found.notes))
    }
}

impl Urdf {
    /// The key that names the description.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self.from {
            UrdfFrom::Topic(_) => "urdf.topic",
            UrdfFrom::File(_) => "urdf.file",
        }
    }

    /// The topic or file, as written.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.from {
            UrdfFrom::Topic(name) | UrdfFrom::File(name) => name,
        }
    }

    /// For problems that stand in no line of the params file.
    fn place(&self) -> Place {
        Place { label: self.name().to_owned(), ..Place::default() }
    }
}

fn not_a_description(urdf: &Urdf, error: &str) -> Problems {
    Problems::from(vec![Problem {
        key: urdf.key().to_owned(),
        found: format!("{} is not a robot description: {error}", urdf.name()),
        allowed: "a URDF: XML with a <robot>".to_owned(),
        because: "limits are taken from it".to_owned(),
        fix: "correct it (check_urdf shows more); a xacro file must be expanded first".to_owned(),
        place: urdf.place(),
    }])
}

#[cfg(test)]
mod tests;
