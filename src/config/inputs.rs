//! `feedback.<name>` and `kill_inputs.<name>`: what the node listens to besides commands.

use std::time::Duration;

use super::globals::Globals;
use super::keys::Keys;
use super::lane::RELIABILITY;
use super::model::{FeedbackConfig, FeedbackType, FieldMap, KillInputConfig, Reliability};
use super::range::{Range, Read};
use super::{names, source};

/// From silent to kill, where nothing is written.
const DEFAULT_KILL_AFTER: Duration = Duration::from_secs(5);

/// All feedback topics that can be read, sorted by name.
pub(super) fn feedback(keys: &mut Keys<'_>, globals: &Globals) -> Vec<FeedbackConfig> {
    let all = names::names(keys, "feedback");
    all.into_iter().filter_map(|name| one_feedback(keys, name, globals)).collect()
}

fn one_feedback(keys: &mut Keys<'_>, name: String, globals: &Globals) -> Option<FeedbackConfig> {
    let at = format!("feedback.{name}");
    let feedback_type = names::message_type(
        keys,
        &format!("{at}.type"),
        &[
            ("sensor_msgs/msg/JointState", FeedbackType::JointState),
            ("nav_msgs/msg/Odometry", FeedbackType::Odometry),
        ],
    );
    let topic = names::topic(keys, &format!("{at}.topic"));
    let key = format!("{at}.timeout_s");
    let timeout = keys.seconds(
        &key,
        Range::from(1.0 / globals.tick_hz, " s", "silence is looked at on the tick"),
    );
    let timeout = keys.needed(&key, timeout, "a time in s", "stale feedback must be noticed");
    let reliability =
        keys.word(&format!("{at}.reliability"), RELIABILITY).or(Reliability::BestEffort);
    Some(FeedbackConfig {
        name,
        type_name: feedback_type?.ros_name().to_owned(),
        fields: FieldMap::default(),
        joints: Vec::new(),
        joint_index: Vec::new(),
        checksum: None,
        max_tilt: None,
        max_angular_velocity: None,
        feedback_type: feedback_type?,
        topic: topic?,
        timeout: timeout?,
        reliability: reliability?,
    })
}

/// All kill inputs that can be read, sorted by name.
pub(super) fn kill_inputs(keys: &mut Keys<'_>, globals: &Globals) -> Vec<KillInputConfig> {
    let all = names::names(keys, "kill_inputs");
    all.into_iter().filter_map(|name| one_kill_input(keys, name, globals)).collect()
}

fn one_kill_input(keys: &mut Keys<'_>, name: String, globals: &Globals) -> Option<KillInputConfig> {
    let at = format!("kill_inputs.{name}");
    let is_bool = names::message_type(keys, &format!("{at}.type"), &[("std_msgs/msg/Bool", ())]);
    let topic = names::topic(keys, &format!("{at}.topic"));
    let asserted_when = asserted_when(keys, &at);
    let timeout = source::timeout(keys, &at, "allow_no_heartbeat", globals);
    let kill_key = format!("{at}.kill_after_s");
    let kill_after = keys.seconds(&kill_key, Range::from(0.0, " s", "0 kills at once").to(3600.0));
    if timeout == Some(None) && !kill_after.is_absent() {
        keys.refuse(
            &kill_key,
            "has no effect here",
            "only with timeout_s",
            "an input without a heartbeat is never silent",
            "remove it",
        );
        return None;
    }
    let action: Read<()> =
        keys.word(&format!("{at}.action"), &[("kill", Some(())), ("disarm", None)]);
    is_bool?;
    action.or(())?;
    Some(KillInputConfig {
        name,
        topic: topic?,
        asserted_when: asserted_when?,
        timeout: timeout?,
        kill_after: kill_after.or(DEFAULT_KILL_AFTER)?,
    })
}

fn asserted_when(keys: &mut Keys<'_>, at: &str) -> Option<bool> {
    let field_key = format!("{at}.field");
    let when_key = format!("{at}.asserted_when");
    let field = keys.string(&field_key);
    let when = keys.boolean(&when_key);
    if field.is_absent() && when.is_absent() {
        keys.refuse(
            at,
            "a bare heartbeat is not available yet",
            "field: data and asserted_when: true or false",
            "without them the input could never assert",
            "add both",
        );
        return None;
    }
    let field = keys.needed(&field_key, field, "data", "it says which value asserts");
    let when = keys.needed(
        &when_key,
        when,
        "true or false",
        "whether pressed reads true or false differs between buttons",
    );
    if field? != "data" {
        keys.refuse(
            &field_key,
            "is not a field of std_msgs/msg/Bool",
            "data",
            "the type has no other",
            "write data",
        );
        return None;
    }
    when
}
