//! The shape of a lane's commands: message type, interface, joints and their places.
//!
//! Everything else about a lane is judged against this.

use super::keys::Keys;
use super::model::{CommandType, Interface};
use super::names;

/// The axes of a twist.
const AXES: [&str; 6] = ["linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z"];
/// Longest list of joints; bounds what a message may make us hold.
const MAX_JOINTS: usize = 1024;

/// What the type and the interface say, needed by everything else.
pub(super) struct Shape {
    pub(super) command_type: CommandType,
    pub(super) interface: Interface,
    pub(super) dimensions: Vec<String>,
    pub(super) joint_index: Vec<usize>,
}

/// What can be read of it; `None` after a problem.
pub(super) fn shape(keys: &mut Keys<'_>, at: &str) -> Option<Shape> {
    let known: Vec<(&str, CommandType)> =
        CommandType::ALL.iter().map(|one| (one.ros_name(), *one)).collect();
    let command_type = names::message_type(keys, &format!("{at}.type"), &known);
    let interface = command_type.and_then(|command_type| interface(keys, at, command_type));
    let dimensions = dimensions(keys, at, command_type);
    let joint_index = dimensions
        .as_ref()
        .and_then(|dimensions| joint_index(keys, at, command_type, dimensions.len()));
    Some(Shape {
        command_type: command_type?,
        interface: interface?,
        dimensions: dimensions?,
        joint_index: joint_index?,
    })
}

pub(super) const fn is_twist(command_type: CommandType) -> bool {
    matches!(command_type, CommandType::Twist | CommandType::TwistStamped)
}

/// Types whose messages name their joints; they carry effort too.
pub(super) const fn has_names(command_type: CommandType) -> bool {
    matches!(command_type, CommandType::JointState | CommandType::JointTrajectory)
}

fn interface(keys: &mut Keys<'_>, at: &str, command_type: CommandType) -> Option<Interface> {
    let key = format!("{at}.interface");
    let words: &[(&str, Option<Interface>)] = match command_type {
        CommandType::Twist | CommandType::TwistStamped => {
            &[("velocity", Some(Interface::Velocity))]
        }
        CommandType::JointTrajectory => &[("position", Some(Interface::Position))],
        CommandType::Float64MultiArray | CommandType::JointState | CommandType::Mapped => &[
            ("position", Some(Interface::Position)),
            ("velocity", Some(Interface::Velocity)),
            ("effort", None),
        ],
    };
    let read = keys.word(&key, words);
    match command_type {
        CommandType::Twist | CommandType::TwistStamped => read.or(Interface::Velocity),
        CommandType::JointTrajectory => read.or(Interface::Position),
        CommandType::Float64MultiArray | CommandType::JointState | CommandType::Mapped => keys
            .needed(
                &key,
                read,
                "position, velocity",
                "the message's numbers do not say what they are",
            ),
    }
}

fn dimensions(
    keys: &mut Keys<'_>,
    at: &str,
    command_type: Option<CommandType>,
) -> Option<Vec<String>> {
    let key = format!("{at}.joints");
    let read = keys.strings(&key);
    if command_type.is_some_and(is_twist) {
        if !read.is_absent() {
            keys.refuse(
                &key,
                "is not allowed for a twist",
                "joints only for joint types",
                "a twist has the axes linear.x … angular.z and no joints",
                "remove it",
            );
            return None;
        }
        return Some(AXES.map(str::to_owned).to_vec());
    }
    command_type?;
    let joints = keys.needed(
        &key,
        read,
        "the joint names in the order of the array",
        "each number must belong to a joint",
    )?;
    let mut seen: Vec<&str> = Vec::new();
    let mut is_good = true;
    for joint in joints {
        if joint.is_empty() || joint.contains('.') || joint.len() > 200 {
            keys.refuse(
                &key,
                format!("the joint name {joint:?} is not allowed"),
                "1 to 200 characters without a dot",
                "a dot separates the names of keys such as joint_limits.<joint>.max_velocity",
                "rename the joint where the robot is described, or leave it out",
            );
            is_good = false;
        }
        if seen.contains(&joint.as_str()) {
            keys.refuse(
                &key,
                format!("the joint {joint:?} is there twice"),
                "each joint once",
                "two numbers cannot move one joint",
                "remove one",
            );
            is_good = false;
        }
        seen.push(joint);
    }
    if joints.len() > MAX_JOINTS {
        keys.refuse(
            &key,
            format!("{} joints are not allowed", joints.len()),
            format!("at most {MAX_JOINTS}"),
            "buffers are made once, at start",
            "split the lane",
        );
        is_good = false;
    }
    is_good.then(|| joints.to_vec())
}

fn joint_index(
    keys: &mut Keys<'_>,
    at: &str,
    command_type: Option<CommandType>,
    count: usize,
) -> Option<Vec<usize>> {
    let key = format!("{at}.joint_index");
    let default: Vec<usize> = (0..count).collect();
    let read = keys.integers(&key, 0, 100_000).and_then(|values| {
        values.iter().map(|value| usize::try_from(*value).ok()).collect::<Option<Vec<usize>>>()
    });
    let Some(index) = read.optional()? else {
        return Some(default);
    };
    if command_type != Some(CommandType::Float64MultiArray) {
        keys.refuse(
            &key,
            "is not allowed for this type",
            "joint_index only for std_msgs/msg/Float64MultiArray",
            "the other types have names or fixed axes, which decide",
            "remove it",
        );
        return None;
    }
    let mut sorted = index.clone();
    sorted.sort_unstable();
    if sorted != default {
        keys.refuse(
            &key,
            format!("{index:?} is not an order of {count} joints"),
            format!("each of 0 to {} once", count.saturating_sub(1)),
            "every number of the array must belong to exactly one joint",
            "correct the list, or leave it out for the order of `joints`",
        );
        return None;
    }
    Some(index)
}
