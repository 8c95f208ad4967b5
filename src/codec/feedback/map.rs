//! Where a feedback type has what a lane needs: the built-in maps and the one of the params file.

use crate::cdr::{FiniteRule, Layout, MessageType, Path, Primitive, Selection};
use crate::codec::mapped::{check_names, describe, many_steps, primitive, wrong_kind};
use crate::codec::{CodecError, select};
use crate::config::model::{FeedbackConfig, FeedbackType, FieldMap};

use super::Reads;

/// Most joints a feedback message may name.
const MAX_JOINTS: usize = 1024;

/// One quantity's array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array {
    pub(super) slot: usize,
    /// Each element is in a message of its own.
    pub(super) in_messages: bool,
}

/// Joints.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Names of the lane's joints.
    pub(super) lane: Vec<Box<[u8]>>,
    /// How many joints the feedback has by the params file.
    pub(super) feedback: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Map {
    /// Arrays of joints; the lane's joints may be a part of them.
    Joints {
        names: Option<usize>,
        position: Option<Array>,
        velocity: Option<Array>,
        /// Element of each of the lane's joints.
        places: Vec<usize>,
        known: Known,
        /// Their places where a message has no names, from the params file.
        unnamed: Option<Vec<usize>>,
    },
    /// Six axes of an Odometry's twist, slots 0 to 5.
    Axes,
    /// An Imu; see [`super::body`].
    Body,
    /// Only mirrored fields.
    Nothing,
}

impl Map {
    pub(super) const fn dimensions(&self) -> usize {
        match self {
            Self::Joints { places, .. } => places.len(),
            Self::Axes => 6,
            Self::Body | Self::Nothing => 0,
        }
    }
}

/// A map and the selections that it numbers.
pub(super) struct Parts {
    pub(super) selections: Vec<Selection>,
    pub(super) map: Map,
}

pub(super) fn parts(
    feedback: &FeedbackConfig,
    message: &std::sync::Arc<MessageType>,
    reads: Reads<'_>,
) -> Result<Parts, CodecError> {
    let Reads::Dimensions(dimensions) = reads else {
        return Ok(Parts { selections: Vec::new(), map: Map::Nothing });
    };
    let listed = |paths: &[&'static str], map| {
        let selections: Result<_, CodecError> = paths.iter().map(|path| select(path, 1)).collect();
        Ok(Parts { selections: selections?, map })
    };
    match feedback.feedback_type {
        FeedbackType::JointState => joint_state(feedback, dimensions),
        FeedbackType::Odometry => listed(&ODOMETRY, Map::Axes),
        FeedbackType::Imu => listed(&super::body::PATHS, Map::Body),
        FeedbackType::Mapped => mapped(feedback, message, dimensions),
    }
}

const ODOMETRY: [&str; 6] = [
    "twist.twist.linear.x",
    "twist.twist.linear.y",
    "twist.twist.linear.z",
    "twist.twist.angular.x",
    "twist.twist.angular.y",
    "twist.twist.angular.z",
];

fn joint_state(feedback: &FeedbackConfig, dimensions: &[String]) -> Result<Parts, CodecError> {
    let selections =
        vec![select("name", MAX_JOINTS)?, select("position", 1)?, select("velocity", 1)?];
    let unnamed =
        if feedback.joints.is_empty() { None } else { Some(places(feedback, dimensions)?) };
    let map = Map::Joints {
        names: Some(0),
        position: Some(Array { slot: 1, in_messages: false }),
        velocity: Some(Array { slot: 2, in_messages: false }),
        places: vec![0; dimensions.len()],
        known: known(feedback, dimensions),
        unnamed,
    };
    Ok(Parts { selections, map })
}

fn known(feedback: &FeedbackConfig, dimensions: &[String]) -> Known {
    let lane = dimensions.iter().map(|name| name.as_bytes().into()).collect();
    Known { lane, feedback: feedback.joints.len() }
}

/// The element of each of the lane's joints, by the params file.
fn places(feedback: &FeedbackConfig, dimensions: &[String]) -> Result<Vec<usize>, CodecError> {
    let index = |number: usize| match feedback.joint_index.get(number) {
        Some(place) => *place,
        None => number,
    };
    if feedback.joints.is_empty() {
        return Ok((0..dimensions.len()).map(index).collect());
    }
    let place = |name: &String| {
        let number = feedback.joints.iter().position(|joint| joint == name);
        number.map(index).ok_or_else(|| CodecError::NoFeedback {
            feedback: feedback.name.clone(),
            joint: name.clone(),
        })
    };
    dimensions.iter().map(place).collect()
}

fn mapped(
    feedback: &FeedbackConfig,
    message: &std::sync::Arc<MessageType>,
    dimensions: &[String],
) -> Result<Parts, CodecError> {
    let FieldMap { position, velocity, names, .. } = &feedback.fields;
    let mut selections: Vec<Selection> = Vec::new();
    let mut add = |path: &Path, max_hits: usize| {
        selections.push(Selection { path: path.clone(), max_hits, finite: FiniteRule::Leave });
        selections.len().saturating_sub(1)
    };
    let names_slot = names.as_ref().map(|path| add(path, MAX_JOINTS));
    let mut array = |path: &Option<Path>| {
        path.as_ref().map(|path| {
            let last = path.steps().len().saturating_sub(1);
            let in_messages = many_steps(message, path).iter().any(|step| *step != last);
            Array { slot: add(path, MAX_JOINTS), in_messages }
        })
    };
    let (position_array, velocity_array) = (array(position), array(velocity));
    Layout::compile(message, &selections, &[])?;
    for (key, path) in [("position", position), ("velocity", velocity)] {
        let Some(path) = path else { continue };
        let key = format!("fields.{key}");
        if !primitive(message, path).is_some_and(Primitive::is_float) {
            return Err(wrong_kind(message, key, path, "a float32 or float64"));
        }
        if many_steps(message, path).len() > 1 {
            return Err(CodecError::Arrays { key, path: path.to_string() });
        }
    }
    if let Some(path) = names {
        check_names(message, path)?;
    }
    if position.is_none() && velocity.is_none() {
        return Err(CodecError::NoQuantity {
            interface: "position or fields.velocity",
            message: message.name.clone(),
            has: describe(message),
        });
    }
    let map = Map::Joints {
        names: names_slot,
        position: position_array,
        velocity: velocity_array,
        places: if names.is_some() {
            vec![0; dimensions.len()]
        } else {
            places(feedback, dimensions)?
        },
        known: known(feedback, dimensions),
        unnamed: None,
    };
    Ok(Parts { selections, map })
}
