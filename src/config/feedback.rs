//! `feedback.<name>`: what the robot measures of itself.
//!
//! JointState, Odometry and Imu have a built-in map; any other type is read by `fields`, or only
//! mirrored. **Invariant:** a key that the type has no use for is a problem.

use super::globals::Globals;
use super::keys::Keys;
use super::lane::RELIABILITY;
use super::model::{
    ChecksumConfig, FeedbackConfig, FeedbackType, FieldMap, LaneConfig, Reliability,
};
use super::range::Range;
use super::source::LONGEST_TIMEOUT_S;
use super::{mapping, names, places, schema, shape};

/// Largest `max_tilt`, rad: upside down is 3.14, and a limit near that is none.
const MOST_TILT: f64 = 3.0;

/// All feedback topics that can be read, sorted by name.
pub(super) fn feedback(keys: &mut Keys<'_>, globals: &Globals) -> Vec<FeedbackConfig> {
    let all = names::names(keys, "feedback");
    all.into_iter().filter_map(|name| one_feedback(keys, name, globals)).collect()
}

fn one_feedback(keys: &mut Keys<'_>, name: String, globals: &Globals) -> Option<FeedbackConfig> {
    let at = format!("feedback.{name}");
    let type_name = names::any_message_type(keys, &format!("{at}.type"));
    let feedback_type = type_name.map(|type_name| {
        let is_mapped = mapping::is_written(keys, &at);
        let all = [FeedbackType::JointState, FeedbackType::Odometry, FeedbackType::Imu];
        let known = all.into_iter().find(|one| one.ros_name() == type_name);
        known.filter(|_| !is_mapped).unwrap_or(FeedbackType::Mapped)
    });
    let topic = names::topic(keys, &format!("{at}.topic"));
    let key = format!("{at}.timeout_s");
    let timeout = keys.seconds(
        &key,
        Range::from(1.0 / globals.tick_hz, " s", "silence is looked at on the tick")
            .to(LONGEST_TIMEOUT_S),
    );
    let timeout = keys.needed(&key, timeout, "a time in s", "stale feedback must be noticed");
    let reliability =
        keys.word(&format!("{at}.reliability"), RELIABILITY).or(Reliability::BestEffort);
    let mapped = mapped(keys, &at, feedback_type).filter(|mapped| {
        let is_mapped = feedback_type == Some(FeedbackType::Mapped);
        let type_name = type_name.filter(|_| is_mapped);
        mapping::reads_names(keys, &at, type_name, &mapped.fields).is_some()
    });
    let (max_tilt, max_angular_velocity) = body(keys, &at, feedback_type)?;
    let mapped = mapped?;
    Some(FeedbackConfig {
        name,
        feedback_type: feedback_type?,
        type_name: type_name?.to_owned(),
        fields: mapped.fields,
        joints: mapped.joints,
        joint_index: mapped.joint_index,
        checksum: mapped.checksum,
        max_tilt,
        max_angular_velocity,
        topic: topic?,
        timeout: timeout?,
        reliability: reliability?,
    })
}

#[derive(Default)]
struct Mapped {
    fields: FieldMap,
    joints: Vec<String>,
    joint_index: Vec<usize>,
    checksum: Option<ChecksumConfig>,
}

fn mapped(keys: &mut Keys<'_>, at: &str, kind: Option<FeedbackType>) -> Option<Mapped> {
    if kind.is_some_and(|kind| kind != FeedbackType::Mapped) {
        let all = ["joints", "joint_index", "checksum"].map(|name| {
            keys.refuse_effectless(
                &format!("{at}.{name}"),
                "only for types without a built-in map",
                "the type says by itself what is where",
            )
        });
        return all.into_iter().collect::<Option<()>>().map(|()| Mapped::default());
    }
    let fields = mapping::measured_fields(keys, at);
    let joints_key = format!("{at}.joints");
    let joints = keys.strings(&joints_key).optional();
    let index_key = format!("{at}.joint_index");
    let has_index = keys.map.get(&index_key).is_some();
    let checksum = mapping::checksum(keys, at);
    let (fields, joints) = (fields?, joints?.unwrap_or_default().to_vec());
    let measures = fields.position.is_some() || fields.velocity.is_some();
    if !measures && (fields.names.is_some() || !joints.is_empty() || has_index) {
        keys.refuse(
            &format!("{at}.fields"),
            "measures nothing",
            "position, velocity",
            "joints without a quantity tell nothing; a type that is only mirrored needs neither",
            "add the path, for example fields.position: motor_state[].q",
        );
        return None;
    }
    if fields.names.is_none() {
        // Of a feedback that lists no joints the lane knows how many they are.
        places::refuse_apart(keys, at, &fields, joints.len() == 1)?;
    }
    if fields.names.is_some() && !joints.is_empty() {
        keys.refuse(
            &joints_key,
            "is not allowed beside fields.names",
            "one of the two",
            "the names in the message decide",
            "remove one",
        );
        return None;
    }
    let mut sorted = joints.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != joints.len() {
        keys.refuse(
            &joints_key,
            "a joint is there twice",
            "each joint once",
            "two numbers cannot measure one joint",
            "remove one",
        );
        return None;
    }
    let count = if joints.is_empty() {
        // The joints of the lane that uses it: their number is compared there.
        keys.integers(&index_key, 0, 100_000).or(&[])?.len()
    } else {
        joints.len()
    };
    let joint_index = if has_index {
        shape::subset_index(keys, at, count, fields.names.is_some())?
    } else {
        Vec::new()
    };
    Some(Mapped { fields, joints, joint_index, checksum: checksum? })
}

/// `max_tilt` and `max_angular_velocity`.
fn body(
    keys: &mut Keys<'_>,
    at: &str,
    kind: Option<FeedbackType>,
) -> Option<(Option<f64>, Option<f64>)> {
    let (tilt_key, turn_key) = (format!("{at}.max_tilt"), format!("{at}.max_angular_velocity"));
    if kind.is_some_and(|kind| kind != FeedbackType::Imu) {
        let only = "only for sensor_msgs/msg/Imu";
        let because = "only an Imu measures how the body stands and turns";
        let tilt = keys.refuse_effectless(&tilt_key, only, because);
        let turn = keys.refuse_effectless(&turn_key, only, because);
        tilt?;
        turn?;
        return Some((None, None));
    }
    let tilt = keys.double(
        &tilt_key,
        Range::above(0.0, " rad", "the angle between the body's and the world's vertical")
            .to(MOST_TILT),
    );
    let turn = keys.double(&turn_key, Range::above(0.0, " rad/s", "the body's angular velocity"));
    if kind == Some(FeedbackType::Imu) && tilt.is_absent() && turn.is_absent() {
        keys.missing(
            &tilt_key,
            "0 < v <= 3 rad, or max_angular_velocity",
            "an Imu without a limit would look like a protection against a fall",
        );
        return None;
    }
    Some((tilt.optional()?, turn.optional()?))
}

/// A type without a built-in map that nothing reads: most often a mistyped name of one that has.
pub(super) fn refuse_unread(
    keys: &mut Keys<'_>,
    lanes: &[LaneConfig],
    feedback: &[FeedbackConfig],
) {
    let built_in = [FeedbackType::JointState, FeedbackType::Odometry, FeedbackType::Imu];
    for (index, one) in feedback.iter().enumerate() {
        let mirrors =
            lanes.iter().flat_map(|lane| &lane.fixed).filter_map(|one| one.mirror.as_ref());
        let is_mirrored = mirrors.into_iter().any(|mirror| mirror.feedback == index);
        let is_read = one.fields.position.is_some() || one.fields.velocity.is_some();
        if one.feedback_type != FeedbackType::Mapped || is_mirrored || is_read {
            continue;
        }
        let words = built_in.map(FeedbackType::ros_name);
        // Another package's type is not a mistyped one of these.
        let package = one.type_name.split('/').next();
        let near: Vec<&str> =
            words.into_iter().filter(|word| word.split('/').next() == package).collect();
        let fix = schema::nearest_word(&one.type_name, &near).map_or_else(
            || "add `fields`, for example fields.position: motor_state[].q".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        keys.refuse(
            &format!("feedback.{}.type", one.name),
            format!("nothing is read of {}", one.type_name),
            format!("{}; or any type with `fields`, or one that a lane mirrors", words.join(", ")),
            "only these have a built-in map; of any other type `fields` must say what is what",
            fix,
        );
    }
}
