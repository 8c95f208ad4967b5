//! `kill_inputs.<name>`: topics that can kill.

use std::time::Duration;

use super::globals::Globals;
use super::keys::Keys;
use super::model::{Asserts, KillAction, KillInputConfig};
use super::range::Range;
use super::{kill_field, names, paths, source};

/// From silent to the action, where nothing is written.
const DEFAULT_KILL_AFTER: Duration = Duration::from_secs(5);

/// All kill inputs that can be read, sorted by name.
pub(super) fn kill_inputs(keys: &mut Keys<'_>, globals: &Globals) -> Vec<KillInputConfig> {
    let all = names::names(keys, "kill_inputs");
    all.into_iter().filter_map(|name| one_kill_input(keys, name, globals)).collect()
}

fn one_kill_input(keys: &mut Keys<'_>, name: String, globals: &Globals) -> Option<KillInputConfig> {
    let at = format!("kill_inputs.{name}");
    let type_name = names::any_message_type(keys, &format!("{at}.type"));
    let topic = names::topic(keys, &format!("{at}.topic"));
    let asserts = asserts(keys, &at);
    let timeout = source::timeout(keys, &at, "allow_no_heartbeat", globals);
    let kill_key = format!("{at}.kill_after_s");
    let kill_after = keys.seconds(&kill_key, Range::from(0.0, " s", "0 acts at once").to(3600.0));
    let action = keys
        .word(
            &format!("{at}.action"),
            &[("kill", Some(KillAction::Kill)), ("disarm", Some(KillAction::Disarm))],
        )
        .or(KillAction::Kill);
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
    let asserts = asserts?;
    match (&asserts, type_name) {
        (Some(asserts), Some(type_name)) => kill_field::check(keys, &at, type_name, asserts)?,
        (None, Some(type_name)) if kill_field::is_button(type_name) => {
            keys.refuse(
                &at,
                "a Bool without field and asserted_when",
                "field and asserted_when",
                "its messages would only be a sign of life, and a press would be none",
                "add field: data and asserted_when",
            );
            return None;
        }
        (Some(_) | None, _) => {}
    }
    if timeout == Some(None) && asserts.is_none() {
        keys.refuse(
            &at,
            "neither its messages nor their absence do anything",
            "timeout_s, or field and asserted_when",
            "a bare heartbeat acts by its silence, and this one may be silent for ever",
            "add one of the two",
        );
        return None;
    }
    Some(KillInputConfig {
        name,
        type_name: type_name?.to_owned(),
        topic: topic?,
        asserts,
        timeout: timeout?,
        kill_after: kill_after.or(DEFAULT_KILL_AFTER)?,
        action: action?,
    })
}

/// Which value of which field asserts; both keys or none. `Some(None)`: a bare heartbeat.
fn asserts(keys: &mut Keys<'_>, at: &str) -> Option<Option<Asserts>> {
    let field_key = format!("{at}.field");
    let when_key = format!("{at}.asserted_when");
    let field = paths::path(keys, &field_key);
    let when = keys.flag(&when_key);
    if field.is_absent() && when.is_absent() {
        return Some(None);
    }
    let field = keys.needed(&field_key, field, "a path, for example data", "it says what asserts");
    let when = keys.needed(
        &when_key,
        when,
        "true, false or a whole number",
        "whether pressed reads true or false, 0 or 1, differs between buttons",
    );
    Some(Some(Asserts { field: field?, when: when? }))
}

/// One name for two inputs would give two series of a metric the same labels, and nobody could
/// tell them apart in `~/state`. `groups` are each group's key, what one of it is, and the names.
pub(super) fn refuse_names_twice<const N: usize>(
    keys: &mut Keys<'_>,
    groups: [(&str, &str, Vec<&str>); N],
) {
    for (at, (group, _, all)) in groups.iter().enumerate() {
        for name in all {
            let mut before = groups.iter().take(at);
            if let Some((_, what, _)) = before.find(|(_, _, others)| others.contains(name)) {
                keys.refuse(
                    &format!("{group}.{name}"),
                    format!("{name:?} is also the name of {what}"),
                    "each name once among all inputs",
                    "metrics and states name inputs by it, and could not tell the two apart",
                    "rename one of them",
                );
            }
        }
    }
}
