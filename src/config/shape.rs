//! The shape of a lane's commands: message type, interface, joints and their places.
//!
//! Everything else about a lane is judged against this.

use super::keys::Keys;
use super::mapping::{self, Mapping};
use super::model::{CommandType, FeedbackConfig, FieldMap, Interface};
use super::names;
use super::range::Read;

/// The axes of a twist.
const AXES: [&str; 6] = ["linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z"];
/// Longest list of joints; bounds what a message may make us hold.
const MAX_JOINTS: usize = 1024;

/// What the type and the interface say, needed by everything else.
pub(super) struct Shape {
    pub(super) command_type: CommandType,
    pub(super) type_name: String,
    pub(super) interface: Interface,
    pub(super) dimensions: Vec<String>,
    pub(super) joint_index: Vec<usize>,
    pub(super) mapping: Mapping,
}

impl Shape {
    /// Whether commands carry effort or gains: then somebody must have thought about balance.
    pub(super) fn carries_effort(&self) -> bool {
        let fields = &self.mapping.fields;
        has_names(self.command_type)
            || self.interface == Interface::Effort
            || fields.effort.is_some()
            || has_gains(fields)
    }

    /// Whether messages name their joints.
    pub(super) const fn names_joints(&self) -> bool {
        has_names(self.command_type) || self.mapping.fields.names.is_some()
    }

    /// Whether messages have a stamp that says how old they are. That of a trajectory says when it
    /// starts.
    pub(super) const fn has_stamp(&self) -> bool {
        matches!(self.command_type, CommandType::TwistStamped | CommandType::JointState)
            || self.mapping.fields.stamp.is_some()
    }
}

/// Whether gains are mapped.
pub(super) const fn has_gains(fields: &FieldMap) -> bool {
    fields.kp.is_some() || fields.kd.is_some()
}

/// What can be read of it; `None` after a problem.
pub(super) fn shape(keys: &mut Keys<'_>, at: &str, feedback: &[FeedbackConfig]) -> Option<Shape> {
    let is_mapped = mapping::is_written(keys, at);
    let command_type = command_type(keys, at, is_mapped);
    let mapping = if is_mapped {
        mapping::mapping(keys, at, feedback)
    } else {
        mapping::refuse_without_fields(keys, at).map(|()| Mapping::default())
    };
    let mapping = mapping.filter(|mapping| {
        let type_name = command_type.as_ref().map(|(_, name)| name.as_str());
        let type_name = type_name.filter(|_| is_mapped);
        mapping::reads_names(keys, at, type_name, &mapping.fields).is_some()
    });
    let fields = mapping.as_ref().map(|mapping| &mapping.fields);
    let interface = command_type.as_ref().and_then(|(command_type, _)| match command_type {
        CommandType::Mapped => mapped_interface(keys, at, fields?),
        CommandType::Twist
        | CommandType::TwistStamped
        | CommandType::Float64MultiArray
        | CommandType::JointState
        | CommandType::JointTrajectory => interface(keys, at, *command_type),
    });
    let kind = command_type.as_ref().map(|(kind, _)| *kind);
    let dimensions = dimensions(keys, at, kind);
    let joint_index = dimensions.as_ref().and_then(|dimensions| {
        if kind == Some(CommandType::Mapped) {
            subset_index(keys, at, dimensions.len(), fields?.names.is_some())
        } else {
            joint_index(keys, at, kind, dimensions.len())
        }
    });
    let (command_type, type_name) = command_type?;
    Some(Shape {
        command_type,
        type_name,
        interface: interface?,
        dimensions: dimensions?,
        joint_index: joint_index?,
        mapping: mapping?,
    })
}

/// The type: one with a built-in map, or any other with `fields`.
fn command_type(keys: &mut Keys<'_>, at: &str, is_mapped: bool) -> Option<(CommandType, String)> {
    let key = format!("{at}.type");
    if !is_mapped {
        let known: Vec<(&str, CommandType)> =
            CommandType::ALL.iter().map(|one| (one.ros_name(), *one)).collect();
        let command_type = names::message_type(keys, &key, &known)?;
        return Some((command_type, command_type.ros_name().to_owned()));
    }
    let name = names::any_message_type(keys, &key)?;
    let fixed_shape = [CommandType::Twist, CommandType::TwistStamped, CommandType::JointTrajectory];
    if fixed_shape.iter().any(|one| one.ros_name() == name) {
        keys.refuse(
            &format!("{at}.fields"),
            format!("is not allowed for {name}"),
            "only for messages that carry one number a joint",
            "the built-in map locks axes that have no limit, and checks every point of a plan",
            "remove it",
        );
        return None;
    }
    Some((CommandType::Mapped, name.to_owned()))
}

/// The interface of a mapped type: one of the quantities that it maps.
fn mapped_interface(keys: &mut Keys<'_>, at: &str, fields: &FieldMap) -> Option<Interface> {
    let key = format!("{at}.interface");
    let all = [
        ("position", Interface::Position, fields.position.is_some()),
        ("velocity", Interface::Velocity, fields.velocity.is_some()),
        ("effort", Interface::Effort, fields.effort.is_some()),
    ];
    let mapped: Vec<(&str, Interface)> = all
        .into_iter()
        .filter(|(_, _, is_mapped)| *is_mapped)
        .map(|(word, interface, _)| (word, interface))
        .collect();
    if mapped.is_empty() {
        keys.refuse(
            &format!("{at}.fields"),
            "maps nothing that moves a joint",
            "position, velocity or effort",
            "a gate that finds no quantity limits nothing",
            "add the path, for example fields.position: motor_cmd[].q",
        );
        return None;
    }
    let words: Vec<(&str, Option<Interface>)> =
        mapped.iter().map(|(word, interface)| (*word, Some(*interface))).collect();
    let read = keys.word(&key, &words);
    if let [(_, only)] = mapped.as_slice() {
        return read.or(*only);
    }
    let list = mapped.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    keys.needed(&key, read, &list, "of several quantities one is the target, and none is guessed")
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
            ("effort", Some(Interface::Effort)),
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
                "position, velocity, effort",
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

fn read_index(keys: &mut Keys<'_>, at: &str) -> Read<Vec<usize>> {
    keys.integers(&format!("{at}.joint_index"), 0, 100_000).and_then(|values| {
        values.iter().map(|value| usize::try_from(*value).ok()).collect::<Option<Vec<usize>>>()
    })
}

/// Places in the arrays of a mapped type: some of them may belong to no joint.
pub(super) fn subset_index(
    keys: &mut Keys<'_>,
    at: &str,
    count: usize,
    has_names: bool,
) -> Option<Vec<usize>> {
    let key = format!("{at}.joint_index");
    let Some(index) = read_index(keys, at).optional()? else {
        return Some((0..count).collect());
    };
    if has_names {
        keys.refuse(
            &key,
            "is not allowed beside fields.names",
            "one of the two",
            "the names in the message decide",
            "remove one",
        );
        return None;
    }
    let mut sorted = index.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if index.len() != count || sorted.len() != count {
        keys.refuse(
            &key,
            format!("{index:?} does not give each of {count} joints a place of its own"),
            format!("{count} different places, in the order of `joints`"),
            "every joint must belong to exactly one number of the array",
            "correct the list, or leave it out for the order of `joints`",
        );
        return None;
    }
    Some(index)
}

fn joint_index(
    keys: &mut Keys<'_>,
    at: &str,
    command_type: Option<CommandType>,
    count: usize,
) -> Option<Vec<usize>> {
    let key = format!("{at}.joint_index");
    let default: Vec<usize> = (0..count).collect();
    let Some(index) = read_index(keys, at).optional()? else {
        return Some(default);
    };
    if command_type != Some(CommandType::Float64MultiArray) {
        keys.refuse(
            &key,
            "is not allowed for this type",
            "joint_index only for std_msgs/msg/Float64MultiArray, or with `fields`",
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
