//! `causes.<cause>` and `profiles.<name>`: what causes do, when they count, and smaller envelopes.
//!
//! **Invariant:** what a person's stop, a restart and a shutdown do is no setting, in no profile
//! either; a threshold that a cause does not have is a problem.

use super::keys::Keys;
use super::model::{CauseRules, ProfileConfig, ProfileRules};
use super::names;
use super::range::{Range, Read};
use crate::gate::cause::{Action, Cause};

/// The profile that is always there.
const FULL: &str = "full";
/// Longest debounce and window, s: what is noticed after an hour is not noticed.
const LONGEST_S: f64 = 3600.0;

/// Whether the params file may say something about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Openness {
    /// No setting.
    Fixed,
    /// Only the action: it is a moment, over when it is seen, so it cannot have lasted.
    Moment,
    /// Action and debounce, and these thresholds.
    Open { above: Above, has_window: bool },
}

/// What a threshold is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Above {
    /// It has none.
    None,
    /// A share of commands.
    Ratio,
    /// rad or m, of velocities per s.
    Distance,
}

const fn openness(cause: Cause) -> Openness {
    const PLAIN: Openness = Openness::Open { above: Above::None, has_window: false };
    match cause {
        Cause::KillService
        | Cause::KillSocket
        | Cause::KillSignal
        | Cause::KillInputAsserted
        | Cause::Persisted
        | Cause::LatchFile
        | Cause::FirstRun
        | Cause::UncleanRestart
        | Cause::Shutdown
        | Cause::SelfTest => Openness::Fixed,
        Cause::RefusalsSustained | Cause::LimitedRatio => {
            Openness::Open { above: Above::Ratio, has_window: true }
        }
        Cause::RateExceeded => Openness::Open { above: Above::None, has_window: true },
        Cause::Divergence => Openness::Open { above: Above::Distance, has_window: false },
        Cause::KillInputSilent
        | Cause::SourceSilent
        | Cause::FeedbackStale
        | Cause::ForeignPublisher
        | Cause::OtherPath
        | Cause::Tilt
        | Cause::AngularVelocity
        | Cause::ControllerGone
        | Cause::ControllerChanged
        | Cause::TemperatureTrip
        | Cause::BatteryTrip => PLAIN,
        Cause::GateStalled | Cause::Suspended | Cause::ClockStep => Openness::Moment,
    }
}

fn named(keys: &mut Keys<'_>, at: &str, name: &str) -> Option<Cause> {
    let cause = Cause::ALL.iter().copied().find(|cause| cause.label() == name);
    if cause.is_none() {
        let labels: Vec<&str> = Cause::ALL.iter().map(|cause| cause.label()).collect();
        keys.refuse_word(at, "is not a cause", &labels, "the list is closed");
    }
    cause
}

/// The action at a key, if the cause may be given one.
fn action(keys: &mut Keys<'_>, key: &str, cause: Cause) -> Option<Option<Action>> {
    let words: Vec<(&str, Option<Action>)> =
        Action::ALL.iter().map(|action| (action.label(), Some(*action))).collect();
    let action = keys.word(key, &words).optional()?;
    match action {
        Some(written)
            if openness(cause) == Openness::Fixed && written != cause.default_action() =>
        {
            keys.refuse(
                key,
                format!("{:?} is not allowed", written.label()),
                cause.default_action().label(),
                "what a person's stop, a restart and a shutdown do is not a setting",
                "remove it",
            );
            None
        }
        // The fixed action itself says nothing.
        Some(_) if openness(cause) == Openness::Fixed => Some(None),
        action => Some(action),
    }
}

/// `causes.<cause>`.
pub(super) fn causes(keys: &mut Keys<'_>) -> Option<[CauseRules; Cause::ALL.len()]> {
    let mut causes = [CauseRules::default(); Cause::ALL.len()];
    let mut is_good = true;
    for name in keys.map.names_under("causes") {
        let at = format!("causes.{name}");
        let read =
            named(keys, &at, &name).and_then(|cause| Some((cause, rules(keys, &at, cause)?)));
        match read {
            Some((cause, rules)) => {
                if let Some(place) = causes.get_mut(cause.index()) {
                    *place = rules;
                }
            }
            None => is_good = false,
        }
    }
    is_good.then_some(causes)
}

fn rules(keys: &mut Keys<'_>, at: &str, cause: Cause) -> Option<CauseRules> {
    let (debounce_key, above_key) = (format!("{at}.debounce_s"), format!("{at}.above"));
    let window_key = format!("{at}.window_s");
    let action = action(keys, &format!("{at}.action"), cause);
    let (above, has_window) = match openness(cause) {
        Openness::Open { above, has_window } => (above, has_window),
        Openness::Fixed => {
            let because = "this cause has no threshold: it acts at once";
            let debounce = keys.refuse_effectless(&debounce_key, "only for open causes", because);
            debounce?;
            (Above::None, false)
        }
        Openness::Moment => {
            let because =
                "this cause is a moment, over when it is seen: it would never have lasted";
            keys.refuse_effectless(&debounce_key, "only for causes that last", because)?;
            (Above::None, false)
        }
    };
    let debounce = keys
        .seconds(
            &debounce_key,
            Range::from(0.0, " s", "how long it must be present; it refills slowly").to(LONGEST_S),
        )
        .optional();
    let because = "this cause is present or not";
    let threshold = match above {
        Above::None => {
            let only = "only for refusals_sustained, limited_ratio, divergence";
            keys.refuse_effectless(&above_key, only, because).map(|()| None)
        }
        Above::Ratio => keys
            .double(
                &above_key,
                Range::above(0.0, "", "a share of the commands, and never above 1").below(1.0),
            )
            .optional(),
        Above::Distance => keys
            .double(
                &above_key,
                Range::above(0.0, "", "between sent and measured, rad or m; of velocities per s"),
            )
            .optional(),
    };
    let window = if has_window {
        keys.seconds(
            &window_key,
            Range::above(0.0, " s", "the time over which commands are counted").to(LONGEST_S),
        )
        .optional()
    } else {
        let only = "only for refusals_sustained, limited_ratio, rate_exceeded";
        keys.refuse_effectless(&window_key, only, because).map(|()| None)
    };
    Some(CauseRules { action: action?, debounce: debounce?, above: threshold?, window: window? })
}

/// Every profile, `full` first, and the name of the default one.
pub(super) fn profiles(keys: &mut Keys<'_>) -> Option<(Vec<ProfileConfig>, String)> {
    let mut all = vec![ProfileConfig { name: FULL.to_owned(), rules: ProfileRules::default() }];
    let written = keys.map.names_under("profiles").len();
    for name in names::names(keys, "profiles") {
        let at = format!("profiles.{name}");
        if name == FULL {
            keys.refuse(
                &at,
                "cannot be written",
                "another name",
                "full is the envelope without a factor, and always there",
                "rename it",
            );
        } else if let Some(rules) = profile(keys, &at) {
            all.push(ProfileConfig { name, rules });
        }
    }
    let is_complete = all.len() == written + 1;
    let default = match keys.string("profile") {
        Read::Absent => FULL.to_owned(),
        Read::Bad => return None,
        Read::Got(name) => {
            let is_known = all.iter().any(|one| one.name == name);
            let is_broken = keys.map.under(&format!("profiles.{name}")).next().is_some();
            if !is_known && !is_broken {
                let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
                keys.refuse(
                    "profile",
                    format!("{name:?} is not a profile"),
                    names.join(", "),
                    "the envelope of an arm is never guessed",
                    format!("add profiles.{name}, or correct the name"),
                );
            }
            if !is_known {
                return None;
            }
            name.to_owned()
        }
    };
    is_complete.then_some((all, default))
}

fn profile(keys: &mut Keys<'_>, at: &str) -> Option<ProfileRules> {
    let mut factor = |name: &str| {
        let range =
            Range::above(0.0, "", "a profile is a smaller envelope, never a larger").to(1.0);
        keys.double(&format!("{at}.{name}"), range).or(1.0)
    };
    let (velocity, acceleration, effort) =
        (factor("velocity"), factor("acceleration"), factor("effort"));
    let mut actions = Vec::new();
    let mut is_good = true;
    for name in keys.map.names_under(&format!("{at}.causes")) {
        let key = format!("{at}.causes.{name}");
        let read =
            named(keys, &key, &name).and_then(|cause| Some((cause, action(keys, &key, cause)?)));
        match read {
            Some((cause, Some(action))) => actions.push((cause, action)),
            Some((_, None)) => {}
            None => is_good = false,
        }
    }
    if !is_good {
        return None;
    }
    Some(ProfileRules {
        velocity: velocity?,
        acceleration: acceleration?,
        effort: effort?,
        actions,
    })
}
