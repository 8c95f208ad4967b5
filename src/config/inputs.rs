//! `kill_inputs.<name>`: topics that can kill.

use std::time::Duration;

use super::globals::Globals;
use super::keys::Keys;
use super::model::{FeedbackConfig, KillInputConfig};
use super::range::{Range, Read};
use super::{names, source};

/// From silent to kill, where nothing is written.
const DEFAULT_KILL_AFTER: Duration = Duration::from_secs(5);

/// All kill inputs that can be read, sorted by name.
pub(super) fn kill_inputs(keys: &mut Keys<'_>, globals: &Globals) -> Vec<KillInputConfig> {
    let all = names::names(keys, "kill_inputs");
    all.into_iter().filter_map(|name| one_kill_input(keys, name, globals)).collect()
}

fn one_kill_input(keys: &mut Keys<'_>, name: String, globals: &Globals) -> Option<KillInputConfig> {
    let at = format!("kill_inputs.{name}");
    let is_bool = names::type_among(
        keys,
        &format!("{at}.type"),
        &[("std_msgs/msg/Bool", ())],
        (
            "is not available yet",
            "this version reads no other type of a kill input",
            "use one of the allowed types",
        ),
    );
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

/// One name for two inputs would give two series of a metric the same labels, and nobody could
/// tell them apart in `~/state`.
pub(super) fn refuse_names_twice(
    keys: &mut Keys<'_>,
    feedback: &[FeedbackConfig],
    kill_inputs: &[KillInputConfig],
) {
    for input in kill_inputs {
        if feedback.iter().any(|one| one.name == input.name) {
            keys.refuse(
                &format!("kill_inputs.{}", input.name),
                format!("{:?} is also the name of a feedback", input.name),
                "each name once among all inputs",
                "metrics and states name inputs by it, and could not tell the two apart",
                "rename one of them",
            );
        }
    }
}
