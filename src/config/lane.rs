//! `lanes.<lane>`: one gated output.
//!
//! Reads what a lane is (type, output, joints, feedback) and hands the rest to its neighbours:
//! limits, safe command, sources. **Invariant:** a lane returned here has at least one source,
//! one [`crate::gate::limits::DimensionLimits`] for each dimension, and a safe command that its
//! type can carry.

use std::time::Duration;

use super::globals::Globals;
use super::keys::Keys;
use super::limit_group::Carries;
use super::model::{
    CommandType, FeedbackConfig, FeedbackType, FieldMap, Handover, LaneConfig, LaneMode,
    Reliability, ReturnTo, SilenceThen, UnusedElements,
};
use super::range::{Range, Read};
use super::shape::{has_names, shape};
use super::{limits, names, safe, source};

/// Mean measured velocity that counts as still, where nothing is written.
const DEFAULT_STANDSTILL: f64 = 0.05;
/// Seconds until a silence in motion escalates, where nothing is written.
const DEFAULT_SILENCE: Duration = Duration::from_secs(5);
/// Safe command after disarm, where nothing is written.
const DEFAULT_RELEASE: Duration = Duration::from_secs(1);

pub(super) const RELIABILITY: &[(&str, Option<Reliability>)] =
    &[("reliable", Some(Reliability::Reliable)), ("best_effort", Some(Reliability::BestEffort))];

/// All lanes, sorted by name; `None` for each with a problem.
pub(super) fn lanes(
    keys: &mut Keys<'_>,
    globals: &Globals,
    feedback: &[FeedbackConfig],
) -> Vec<LaneConfig> {
    let all = names::names(keys, "lanes");
    all.into_iter().filter_map(|name| lane(keys, globals, feedback, name)).collect()
}

fn lane(
    keys: &mut Keys<'_>,
    globals: &Globals,
    feedback: &[FeedbackConfig],
    name: String,
) -> Option<LaneConfig> {
    let at = format!("lanes.{name}");
    let shape = shape(keys, &at);
    let output = names::topic(keys, &format!("{at}.output"));
    mode(keys, &at);
    let reliability =
        keys.word(&format!("{at}.reliability"), RELIABILITY).or(Reliability::Reliable);
    let command_type = shape.as_ref().map(|shape| shape.command_type);
    let partial = partial(keys, &at, command_type);
    let feedback_index = feedback_of(keys, &at, command_type, feedback);
    let controller = controller(keys, &at);
    let required = keys.boolean(&format!("{at}.required")).or(true);
    let is_balance_answered = balance(keys, &at, command_type);
    let limits = shape.as_ref().and_then(|shape| {
        let carries = Carries::of(shape.command_type, shape.interface);
        limits::limits(keys, &at, &shape.dimensions, carries)
    });
    let on_limit = limits::on_limit(keys, &at);
    let standstill = keys
        .double(
            &format!("{at}.standstill"),
            Range::above(0.0, "", "measured velocities are never exactly zero"),
        )
        .or(DEFAULT_STANDSTILL);
    let silence = silence(keys, &at);
    let independent = keys.boolean(&format!("{at}.independent")).or(false);
    let return_to = keys
        .word(
            &format!("{at}.return_to"),
            &[("manual", Some(ReturnTo::Manual)), ("auto", Some(ReturnTo::Auto))],
        )
        .or(ReturnTo::Manual);
    let feedback_type = feedback_index
        .map(|index| index.and_then(|index| feedback.get(index)).map(|one| one.feedback_type));
    let safe = shape.as_ref().and_then(|shape| {
        let lane = safe::Lane {
            command_type: shape.command_type,
            interface: shape.interface,
            feedback: feedback_type,
        };
        safe::safe(keys, &at, globals, &lane)
    });
    let release = keys
        .seconds(
            &format!("{at}.release_s"),
            Range::from(0.0, " s", "after disarm the output must fall silent").to(60.0),
        )
        .or(DEFAULT_RELEASE);
    let sources = source::sources(keys, &at, globals);

    is_balance_answered?;
    let shape = shape?;
    let (safe, safe_period) = safe?;
    Some(LaneConfig {
        name,
        mode: LaneMode::Gate,
        type_name: shape.command_type.ros_name().to_owned(),
        fields: FieldMap::default(),
        keep: Vec::new(),
        fixed: Vec::new(),
        allow_non_finite: Vec::new(),
        checksum: None,
        unused_elements: UnusedElements::Zero,
        balance: false,
        groups: Vec::new(),
        start_ramp: Duration::ZERO,
        handover: Handover::NONE,
        other_publishers: 0,
        safe_targets: Vec::new(),
        command_type: shape.command_type,
        output: output?,
        reliability: reliability?,
        interface: shape.interface,
        dimensions: shape.dimensions,
        joint_index: shape.joint_index,
        partial: partial?,
        feedback: feedback_index?,
        controller: controller?,
        required: required?,
        limits: limits?,
        on_limit: on_limit?,
        standstill: standstill?,
        silence: silence?,
        independent: independent?,
        return_to: return_to?,
        safe,
        safe_period,
        release: release?,
        sources: sources?,
    })
}

fn mode(keys: &mut Keys<'_>, at: &str) {
    // Only one mode exists: reading it is enough to refuse the others.
    let _is_gate: Read<()> =
        keys.word(&format!("{at}.mode"), &[("gate", Some(())), ("watch", None)]);
}

fn partial(keys: &mut Keys<'_>, at: &str, command_type: Option<CommandType>) -> Option<bool> {
    let key = format!("{at}.partial");
    let partial = keys.boolean(&key).or(false)?;
    if partial && command_type.is_some_and(|one| !has_names(one)) {
        keys.refuse(
            &key,
            "true is not allowed for this type",
            "only for sensor_msgs/msg/JointState and trajectory_msgs/msg/JointTrajectory",
            "without names in the message nobody knows which joints are meant",
            "remove it",
        );
        return None;
    }
    Some(partial)
}

/// The index of the feedback; `Some(None)`: none, on purpose.
fn feedback_of(
    keys: &mut Keys<'_>,
    at: &str,
    command_type: Option<CommandType>,
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
    let feedback_type = feedback.get(index).map(|one| one.feedback_type);
    let wanted = match command_type? {
        CommandType::Twist | CommandType::TwistStamped => FeedbackType::Odometry,
        CommandType::Float64MultiArray
        | CommandType::JointState
        | CommandType::JointTrajectory
        | CommandType::Mapped => FeedbackType::JointState,
    };
    if feedback_type != Some(wanted) {
        let (allowed, because) = match wanted {
            FeedbackType::Odometry => {
                ("a feedback of type nav_msgs/msg/Odometry", "a twist is measured by odometry")
            }
            FeedbackType::JointState | FeedbackType::Imu | FeedbackType::Mapped => {
                ("a feedback of type sensor_msgs/msg/JointState", "joints are measured by name")
            }
        };
        keys.refuse(
            &key,
            format!("{name:?} is of another type"),
            allowed,
            because,
            "name another feedback",
        );
        return None;
    }
    Some(Some(index))
}

fn controller(keys: &mut Keys<'_>, at: &str) -> Option<Option<String>> {
    let key = format!("{at}.controller");
    let name = keys.string(&key).optional()?;
    let is_good = name.is_none_or(|name| {
        let names = name.strip_prefix('/').unwrap_or(name);
        names.split('/').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    });
    if !is_good {
        keys.refuse(
            &key,
            format!("{:?} is not a node's name", name.unwrap_or_default()),
            "name or /ns/name, of letters, digits and _",
            "at arm the reader of the output must be this node",
            "correct the name",
        );
        return None;
    }
    Some(name.map(str::to_owned))
}

fn balance(keys: &mut Keys<'_>, at: &str, command_type: Option<CommandType>) -> Option<()> {
    let key = format!("{at}.balance");
    let read = keys.boolean(&key);
    if read == Read::Got(true) {
        keys.refuse(
            &key,
            "true is not available yet",
            "false",
            "this version alters and holds commands, which below a balance loop is a fall",
            "gate above the balance controller, and write false",
        );
        return None;
    }
    let carries_effort = command_type.is_some_and(has_names);
    if carries_effort && read.is_absent() {
        keys.missing(
            &key,
            "false",
            "the type carries effort: below a balance loop every stop is a fall, so somebody must \
             have thought about it",
        );
        return None;
    }
    match read {
        Read::Bad => None,
        Read::Absent | Read::Got(_) => Some(()),
    }
}

fn silence(keys: &mut Keys<'_>, at: &str) -> Option<SilenceThen> {
    #[derive(Clone, Copy, PartialEq)]
    enum Then {
        Hold,
        Disarm,
        Kill,
    }
    let then = keys
        .word(
            &format!("{at}.silence.then"),
            &[
                ("hold", Some(Then::Hold)),
                ("disarm", Some(Then::Disarm)),
                ("kill", Some(Then::Kill)),
            ],
        )
        .or(Then::Hold);
    let key = format!("{at}.silence.after_s");
    let after = keys.seconds(&key, Range::above(0.0, " s", "the lane holds first"));
    if then == Some(Then::Hold) && !after.is_absent() {
        keys.refuse(
            &key,
            "has no effect here",
            "only beside `then: disarm` or `then: kill`",
            "a silence that stays a hold never becomes anything else",
            "remove it, or say what the silence becomes",
        );
        return None;
    }
    let after = after.or(DEFAULT_SILENCE)?;
    Some(match then? {
        Then::Hold => SilenceThen::Hold,
        Then::Disarm => SilenceThen::Disarm(after),
        Then::Kill => SilenceThen::Kill(after),
    })
}
