//! What a silence does, for the summary: by the causes' actions, and not by its own keys alone.

use std::time::Duration;

use crate::config::model::actions::{of_lane as action_of_lane, written};
use crate::config::model::{Config, KillAction, KillInputConfig, LaneConfig, SilenceThen};
use crate::config::never;
use crate::gate::cause::{Action, Cause};

/// Of a kill input, without a profile.
pub(super) fn of_kill_input(config: &Config, input: &KillInputConfig) -> String {
    let Some(timeout) = input.timeout else { return "no heartbeat".to_owned() };
    let cause = Cause::KillInputSilent;
    let then = match input.action {
        KillAction::Kill => "kill",
        KillAction::Disarm => "disarm",
    };
    match config.action_of_node(cause) {
        Action::Ignore => "silent: ignored".to_owned(),
        Action::Warn => format!("silent: warn after {timeout:?}, no stop"),
        Action::Hold => {
            format!("silent: hold after {timeout:?}, {then} {:?} later", input.kill_after)
        }
        Action::Disarm => format!("silent: disarm after {timeout:?}"),
        Action::Kill => format!("silent: kill after {timeout:?}"),
    }
}

/// Of the source in charge of a lane, in motion, without a profile.
pub(super) fn of_lane(config: &Config, lane: &LaneConfig) -> String {
    if !never::has_timeout(lane) {
        // A shadow may have one, and is never in charge.
        let any = lane.sources.iter().any(|source| source.timeout.is_some());
        return format!("never: no {}source has a timeout", if any { "live " } else { "" });
    }
    let cause = Cause::SourceSilent;
    match action_of_lane(cause, written(cause, &config.causes, None), lane.balance) {
        Action::Ignore => "ignored, the lane waits in its safe command".to_owned(),
        Action::Warn => "warn, the lane waits in its safe command".to_owned(),
        Action::Hold => match lane.silence {
            SilenceThen::Hold => "hold".to_owned(),
            SilenceThen::Disarm(after) => format!("hold, disarm after {after:?}"),
            SilenceThen::Kill(Duration::ZERO) => "kill".to_owned(),
            SilenceThen::Kill(after) => format!("hold, kill after {after:?}"),
        },
        Action::Disarm => "disarm".to_owned(),
        Action::Kill => "kill".to_owned(),
    }
}
