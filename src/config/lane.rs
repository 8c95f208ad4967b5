//! `lanes.<lane>`: one gated output.
//!
//! Reads what a lane is (type, output, joints) and hands the rest to its neighbours: mapping,
//! feedback, limits, motion, safe command, sources. **Invariant:** a lane returned here has at least
//! one source, one [`crate::gate::limits::DimensionLimits`] for each dimension, and a safe command
//! that its type can carry.

use std::time::Duration;

use super::carries::Carries;
use super::globals::Globals;
use super::keys::Keys;
use super::model::{CommandType, FeedbackConfig, LaneConfig, LaneMode, Reliability, ReturnTo};
use super::motion::Altered;
use super::range::Range;
use super::shape::{Shape, shape};
use super::{balance, lane_feedback, limits, motion, names, paths, safe, source};

/// Mean measured velocity that counts as still, where nothing is written.
const DEFAULT_STANDSTILL: f64 = 0.05;
/// Safe command after disarm, where nothing is written.
const DEFAULT_RELEASE: Duration = Duration::from_secs(1);
/// More writers of one output than this are no vendor's firmware.
const MOST_OTHER_PUBLISHERS: i64 = 100;

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

/// Keys of one value each.
struct Plain {
    mode: LaneMode,
    reliability: Reliability,
    controller: Option<String>,
    required: bool,
    standstill: f64,
    independent: bool,
    return_to: ReturnTo,
    release: Duration,
    other_publishers: u32,
}

fn plain(keys: &mut Keys<'_>, at: &str) -> Option<Plain> {
    let mode = keys
        .word(
            &format!("{at}.mode"),
            &[("gate", Some(LaneMode::Gate)), ("watch", Some(LaneMode::Watch))],
        )
        .or(LaneMode::Gate);
    let reliability =
        keys.word(&format!("{at}.reliability"), RELIABILITY).or(Reliability::Reliable);
    let controller = controller(keys, at);
    let required = keys.boolean(&format!("{at}.required")).or(true);
    let standstill = keys
        .double(
            &format!("{at}.standstill"),
            Range::above(0.0, "", "measured velocities are never exactly zero"),
        )
        .or(DEFAULT_STANDSTILL);
    let independent = keys.boolean(&format!("{at}.independent")).or(false);
    let return_to = keys
        .word(
            &format!("{at}.return_to"),
            &[("manual", Some(ReturnTo::Manual)), ("auto", Some(ReturnTo::Auto))],
        )
        .or(ReturnTo::Manual);
    let release = keys
        .seconds(
            &format!("{at}.release_s"),
            Range::from(0.0, " s", "after disarm the output must fall silent").to(60.0),
        )
        .or(DEFAULT_RELEASE);
    let other_publishers = keys
        .integer(
            &format!("{at}.other_publishers"),
            0,
            MOST_OTHER_PUBLISHERS,
            "writers of the output that belong there, counted",
        )
        .and_then(|value| u32::try_from(value).ok())
        .or(0);
    Some(Plain {
        mode: mode?,
        reliability: reliability?,
        controller: controller?,
        required: required?,
        standstill: standstill?,
        independent: independent?,
        return_to: return_to?,
        release: release?,
        other_publishers: other_publishers?,
    })
}

fn lane(
    keys: &mut Keys<'_>,
    globals: &Globals,
    feedback: &[FeedbackConfig],
    name: String,
) -> Option<LaneConfig> {
    let at = format!("lanes.{name}");
    let shape = shape(keys, &at, feedback);
    let output = names::topic(keys, &format!("{at}.output"));
    let plain = plain(keys, &at);
    let partial = partial(keys, &at, shape.as_ref());
    let balance = balance::balance(keys, &at, shape.as_ref());
    let is_balance = balance.unwrap_or_default();
    let feedback_index = lane_feedback::feedback_of(keys, &at, shape.as_ref(), feedback);
    // Without the answer nobody knows what must be limited; it has its own problem.
    let carries = shape.as_ref().zip(balance).map(|(shape, is)| Carries::of(shape, is));
    let limited = shape.as_ref().zip(carries.as_ref()).and_then(|(shape, carries)| {
        limits::limits(keys, &at, &shape.dimensions, carries, globals)
    });
    let on_limit = limits::on_limit(keys, &at, carries.as_ref());
    let dimensions = shape.as_ref().map(|shape| shape.dimensions.as_slice());
    let is_plan =
        shape.as_ref().is_some_and(|shape| shape.command_type == CommandType::JointTrajectory);
    let altered = if is_balance {
        Altered::Never
    } else if is_plan {
        Altered::Plans
    } else if on_limit.as_ref().is_some_and(motion::rejects_speed) {
        Altered::Rejected
    } else {
        Altered::Freely
    };
    let motion = motion::motion(keys, &at, dimensions, altered);
    let silence = motion::silence(keys, &at, is_balance);
    let safe = shape.as_ref().and_then(|shape| {
        let lane = safe::Lane {
            shape,
            is_balance,
            has_feedback: feedback_index.map(|index| index.is_some()),
            limits: limited.as_ref().map(|limited| limited.limits.as_slice()),
        };
        safe::safe(keys, &at, globals, &lane)
    });
    let sources = source::sources(keys, &at, globals, shape.as_ref(), is_balance);

    if feedback_index == Some(None) {
        let limits = limited.as_ref().map(|limited| limited.limits.as_slice());
        lane_feedback::refuse_unmeasured(keys, &at, limits, sources.as_deref())?;
    }
    let (shape, plain, limited, motion) = (shape?, plain?, limited?, motion?);
    let safe = safe?;
    Some(LaneConfig {
        name,
        mode: plain.mode,
        type_name: shape.type_name,
        fields: shape.mapping.fields,
        keep: shape.mapping.keep,
        fixed: shape.mapping.fixed,
        allow_non_finite: shape.mapping.allow_non_finite,
        checksum: shape.mapping.checksum,
        unused_elements: shape.mapping.unused_elements,
        balance: balance?,
        groups: motion.groups,
        start_ramp: motion.start_ramp,
        handover: motion.handover,
        other_publishers: plain.other_publishers,
        safe_targets: safe.targets,
        command_type: shape.command_type,
        output: output?,
        reliability: plain.reliability,
        interface: shape.interface,
        dimensions: shape.dimensions,
        joint_index: shape.joint_index,
        partial: partial?,
        feedback: feedback_index?,
        controller: plain.controller,
        required: plain.required,
        limits: limited.limits,
        origins: limited.origins,
        on_limit: on_limit?,
        standstill: plain.standstill,
        silence: silence?,
        independent: plain.independent,
        return_to: plain.return_to,
        safe: safe.command,
        safe_period: safe.period,
        release: plain.release,
        sources: sources?,
    })
}

fn partial(keys: &mut Keys<'_>, at: &str, shape: Option<&Shape>) -> Option<bool> {
    let key = format!("{at}.partial");
    let partial = keys.boolean(&key).or(false)?;
    if partial && shape.is_some_and(|shape| !shape.names_joints()) {
        keys.refuse(
            &key,
            "true is not allowed for this type",
            "only for sensor_msgs/msg/JointState, trajectory_msgs/msg/JointTrajectory, or with \
             fields.names",
            "without names in the message nobody knows which joints are meant",
            "remove it",
        );
        return None;
    }
    Some(partial)
}

fn controller(keys: &mut Keys<'_>, at: &str) -> Option<Option<String>> {
    let key = format!("{at}.controller");
    let name = keys.string(&key).optional()?;
    if name.is_some_and(|name| !paths::is_node(name)) {
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
