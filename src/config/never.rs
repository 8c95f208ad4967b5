//! Keys that say what a silence becomes and that can never come true, by what the causes, the profiles
//! and the sources say: each would look like a protection.

use super::keys::Keys;
use super::model::actions::{of_lane, of_node, written};
use super::model::{
    CauseRules, KillInputConfig, LaneConfig, ProfileConfig, SilenceThen, SourceMode,
};
use crate::gate::cause::{Action, Cause};

/// Refuses them. Only where everything else could be read.
pub(super) fn refuse(
    keys: &mut Keys<'_>,
    lanes: &[LaneConfig],
    kill_inputs: &[KillInputConfig],
    (causes, profiles): (&[CauseRules], &[ProfileConfig]),
) {
    kill_after(keys, lanes, kill_inputs, (causes, profiles));
    for lane in lanes {
        silence_then(keys, lane, (causes, profiles));
    }
}

/// `kill_after_s` runs while a silent kill input holds.
fn kill_after(
    keys: &mut Keys<'_>,
    lanes: &[LaneConfig],
    kill_inputs: &[KillInputConfig],
    (causes, profiles): (&[CauseRules], &[ProfileConfig]),
) {
    let cause = Cause::KillInputSilent;
    let action = |profile| of_node(cause, written(cause, causes, profile), lanes);
    if profiles.iter().any(|profile| action(Some(profile)) == Action::Hold) {
        return;
    }
    for input in kill_inputs {
        let key = format!("kill_inputs.{}.kill_after_s", input.name);
        if keys.map.get(&key).is_none() {
            continue;
        }
        keys.refuse(
            &key,
            format!("has no effect here: a silence is {}, by {}", action(None), because(causes)),
            "only where kill_input_silent is hold, in causes or in a profile",
            "it is the time from a hold to the kill, and nothing holds",
            "remove it",
        );
    }
}

/// Where the action of a silent kill input comes from.
fn because(causes: &[CauseRules]) -> &'static str {
    match written(Cause::KillInputSilent, causes, None) {
        Some(_) => "causes.kill_input_silent",
        None => "the default of balance lanes",
    }
}

/// `silence.then` follows a silence in motion that holds.
fn silence_then(
    keys: &mut Keys<'_>,
    lane: &LaneConfig,
    (causes, profiles): (&[CauseRules], &[ProfileConfig]),
) {
    let key = format!("lanes.{}.silence.then", lane.name);
    if keys.map.get(&key).is_none() {
        return;
    }
    let then = match lane.silence {
        SilenceThen::Hold => return,
        SilenceThen::Disarm(_) => Action::Disarm,
        SilenceThen::Kill(_) => Action::Kill,
    };
    if !has_timeout(lane) {
        keys.refuse(
            &key,
            format!("{then} can never happen: no source that may be in charge has a timeout"),
            "only with a source that has timeout_s",
            "with allow_no_timeout no silence is ever noticed",
            "remove it, or give a source its timeout_s",
        );
        return;
    }
    let cause = Cause::SourceSilent;
    let action = |profile| of_lane(cause, written(cause, causes, profile), lane.balance);
    if profiles.iter().all(|profile| action(Some(profile)) < Action::Hold) {
        keys.refuse(
            &key,
            format!("{then} can never happen: causes.source_silent is {}", action(None)),
            "only where source_silent is hold or more, in causes or in a profile",
            "a silence that does not hold never becomes anything else",
            "remove it, or causes.source_silent.action",
        );
    }
}

/// Whether the silence of a source can be noticed: a shadow is never in charge.
pub(super) fn has_timeout(lane: &LaneConfig) -> bool {
    let live = lane.sources.iter().filter(|source| source.mode == SourceMode::Live);
    live.into_iter().any(|source| source.timeout.is_some())
}

#[cfg(test)]
mod tests;
