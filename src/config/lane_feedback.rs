//! Which feedback a lane is measured by, and whether it measures what the lane needs.
//!
//! **Invariant:** a lane without feedback says why.

use super::keys::Keys;
use super::model::{Engage, FeedbackConfig, FeedbackType, Interface, LaneConfig, SourceConfig};
use super::places;
use super::shape::{Shape, has_gains, is_twist};
use crate::cdr::Path;
use crate::gate::limits::DimensionLimits;

/// The index of the feedback; `Some(None)`: none, on purpose.
pub(super) fn feedback_of(
    keys: &mut Keys<'_>,
    at: &str,
    shape: Option<&Shape>,
    feedback: &[FeedbackConfig],
) -> Option<Option<usize>> {
    let key = format!("{at}.feedback");
    let read = keys.string(&key);
    let name = keys.needed(
        &key,
        read,
        "a name under `feedback`, or none with `because`",
        "arming asks whether the lane stands still, and the safe command needs the measured pose",
    );
    let reason_key = format!("{at}.because");
    let reason = keys.string(&reason_key);
    let name = name?;
    if name == "none" {
        let reason = keys.needed(
            &reason_key,
            reason,
            "one sentence",
            "a lane without feedback cannot tell whether the robot stands still",
        )?;
        if reason.trim().is_empty() {
            keys.refuse(
                &reason_key,
                "is empty",
                "one sentence",
                "a lane without feedback cannot tell whether the robot stands still",
                "say why there is none",
            );
            return None;
        }
        return Some(None);
    }
    if !reason.is_absent() {
        keys.refuse(
            &reason_key,
            "has no effect here",
            "only beside `feedback: none`",
            "it justifies that there is no feedback",
            "remove it",
        );
    }
    let Some(index) = feedback.iter().position(|one| one.name == name) else {
        let is_written = keys.map.under(&format!("feedback.{name}")).next().is_some();
        // A written one that could not be read has its own problem.
        if !is_written {
            let known = keys.map.names_under("feedback").join(", ");
            let allowed = if known.is_empty() { "none".to_owned() } else { known };
            keys.refuse(
                &key,
                format!("{name:?} is not a feedback"),
                allowed,
                "it must be described under `feedback`",
                format!("add feedback.{name}, or correct the name"),
            );
        }
        return None;
    };
    let one = feedback.get(index)?;
    fits(keys, at, shape?, one).map(|()| Some(index))
}

/// Whether a feedback measures what a lane commands.
fn fits(keys: &mut Keys<'_>, at: &str, shape: &Shape, feedback: &FeedbackConfig) -> Option<()> {
    let key = format!("{at}.feedback");
    let name = &feedback.name;
    let needs_odometry = is_twist(shape.command_type);
    let is_right = match feedback.feedback_type {
        FeedbackType::Odometry => needs_odometry,
        FeedbackType::JointState | FeedbackType::Mapped => !needs_odometry,
        FeedbackType::Imu => false,
    };
    if !is_right {
        let (allowed, because) = if needs_odometry {
            ("a feedback of type nav_msgs/msg/Odometry", "a twist is measured by odometry")
        } else {
            (
                "a feedback of type sensor_msgs/msg/JointState, or with `fields`",
                "joints are measured by name, or by their place",
            )
        };
        let found = format!("{name:?} is of another type");
        keys.refuse(&key, found, allowed, because, "name another feedback");
        return None;
    }
    if feedback.feedback_type != FeedbackType::Mapped {
        return Some(());
    }
    let fields = &feedback.fields;
    let needs_pose = shape.interface == Interface::Position || has_gains(&shape.mapping.fields);
    if needs_pose && fields.position.is_none()
        || fields.position.is_none() && fields.velocity.is_none()
    {
        keys.refuse(
            &key,
            format!("{name:?} does not measure what this lane needs"),
            format!("a feedback with feedback.{name}.fields.position"),
            "the pose to hold, standstill and the total effort are judged by it",
            "add the path, for example fields.position: motor_state[].q",
        );
        return None;
    }
    if fields.names.is_some() {
        return Some(());
    }
    if feedback.joints.is_empty() && shape.dimensions.len() == 1 {
        places::refuse_apart(keys, &format!("feedback.{name}"), fields, true)?;
    }
    if feedback.joints.is_empty() && feedback.joint_index.is_empty() {
        same_places(keys, shape, feedback)?;
    }
    let missing = shape.dimensions.iter().find(|joint| !feedback.joints.contains(joint));
    match missing {
        Some(joint) if !feedback.joints.is_empty() => {
            keys.refuse(
                &key,
                format!("{name:?} does not measure the joint {joint:?}"),
                "every joint of the lane",
                "a joint that is not measured cannot be judged",
                format!("add it to feedback.{name}.joints"),
            );
            None
        }
        Some(_)
            if !feedback.joint_index.is_empty()
                && feedback.joint_index.len() != shape.dimensions.len() =>
        {
            keys.refuse(
                &format!("feedback.{name}.joint_index"),
                format!(
                    "{} places for {} joints",
                    feedback.joint_index.len(),
                    shape.dimensions.len()
                ),
                "one for each joint of the lane, or `joints` beside it",
                "without `joints` the places are those of the lane's joints",
                "correct the list, or add `joints`",
            );
            None
        }
        Some(_) | None => Some(()),
    }
}

/// A feedback that says nothing of its places is read from the lane's: these must be the same elements.
fn same_places(keys: &mut Keys<'_>, shape: &Shape, feedback: &FeedbackConfig) -> Option<()> {
    let (name, key) = (&feedback.name, format!("feedback.{}.joint_index", feedback.name));
    let allowed = "one place for each joint of the lane, or `joints`";
    if shape.names_joints() {
        keys.refuse(
            &key,
            "is not there, and the lane knows its joints by name only",
            allowed,
            "the order of the lane's `joints` is not that of the feedback's arrays",
            format!("list the joints in the order of its arrays in feedback.{name}.joints"),
        );
        return None;
    }
    let commanded = shape.mapping.fields.of(shape.interface);
    let plain: Vec<usize> = (0..shape.joint_index.len()).collect();
    let sent = places::places(commanded, &shape.joint_index);
    let (fields, commands) = (&feedback.fields, &shape.mapping.fields);
    let pairs = [(&fields.position, &commands.position), (&fields.velocity, &commands.velocity)];
    let measured =
        || pairs.iter().filter_map(|(theirs, ours)| Some((theirs.as_ref()?, ours.as_ref())));
    let is_same = |(path, ours): (&Path, Option<&Path>)| {
        // Where each quantity has an element of its own, one that is not commanded has another.
        let (ours, theirs) = (places::around(ours), places::around(Some(path)));
        let is_apart = !ours.is_empty() && !theirs.is_empty() && ours != theirs;
        !is_apart && places::places(Some(path), &plain) == sent
    };
    let is_chosen = measured().all(|(path, _)| places::is_chosen(Some(path)));
    // A stretch that is written is meant, beside a command that has its joints alone.
    let has_joints_alone = sent == plain && places::around(commanded).is_empty();
    if measured().all(is_same) || has_joints_alone && is_chosen {
        return Some(());
    }
    let fix = if is_chosen {
        "take the command's elements, or say whose they are".to_owned()
    } else {
        format!("write {sent:?} if the feedback's arrays are ordered as the command's")
    };
    keys.refuse(
        &key,
        "is not there, and the lane's joints have places of their own",
        allowed,
        "without either the feedback would tell of other joints",
        fix,
    );
    None
}

/// Arrays without names tell by place, and without `joints` the places are those of one lane's
/// joints: a second lane with other joints would be measured by the first one's elements.
pub(super) fn refuse_shared_places(
    keys: &mut Keys<'_>,
    lanes: &[LaneConfig],
    feedback: &[FeedbackConfig],
) {
    for (index, one) in feedback.iter().enumerate() {
        let is_by_place = one.feedback_type == FeedbackType::Mapped
            && one.fields.names.is_none()
            && one.joints.is_empty();
        if !is_by_place {
            continue;
        }
        let mut readers = lanes.iter().filter(|lane| lane.feedback == Some(index));
        let Some(first) = readers.next() else { continue };
        for lane in readers.filter(|lane| lane.dimensions != first.dimensions) {
            keys.refuse(
                &format!("lanes.{}.feedback", lane.name),
                format!("{:?} is also read by the lane {:?}, with other joints", one.name, first.name),
                "a feedback that says which joints its arrays hold",
                "without names in the message or `joints` both lanes would be measured by the same elements",
                format!("list the joints of its arrays in feedback.{}.joints", one.name),
            );
        }
    }
}

/// What only a measured state can judge, on a lane without one.
pub(super) fn refuse_unmeasured(
    keys: &mut Keys<'_>,
    at: &str,
    limits: Option<&[DimensionLimits]>,
    sources: Option<&[SourceConfig]>,
) -> Option<()> {
    let mut is_good = Some(());
    let mut refuse = |key: &str, fix: &str| {
        let allowed = "only with the lane's feedback";
        let because = "it compares with the measured state, and nothing measures it";
        keys.refuse(key, "cannot be judged", allowed, because, fix);
        is_good = None;
    };
    if limits.is_some_and(|limits| limits.iter().any(|one| one.total_effort.is_some())) {
        let fix = "name a feedback, or list total_effort under `unlimited`";
        refuse(&format!("{at}.limits.max_total_effort"), fix);
    }
    for source in sources.unwrap_or_default() {
        if matches!(source.engage, Engage::Window(_)) {
            let key = format!("{at}.sources.{}.engage", source.name);
            refuse(&key, "name a feedback, or another rule");
        }
    }
    is_good
}
