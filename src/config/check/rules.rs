//! The description, profiles and causes of the summary: what is written and not as usual.

use super::{line, write_to};
use crate::config::model::{CauseRules, Config, UrdfFrom};
use crate::gate::cause::Cause;

pub(super) fn summary(text: &mut String, config: &Config) {
    description(text, config);
    profiles(text, config);
    causes(text, config);
    if let Some(topic) = &config.stop.cut_topic {
        let deadline = config.stop.deadline;
        line(text, &format!("moving {deadline:?} after a trip: true on {topic}"));
    }
    if !config.other_paths.is_empty() {
        line(text, &format!("other paths: {}", config.other_paths.join(", ")));
    }
}

fn description(text: &mut String, config: &Config) {
    let Some(urdf) = &config.urdf else { return };
    let state = match (&config.description, &urdf.from) {
        (Some(description), _) => format!("read, sha256 {:.12}", description.sha256),
        (None, UrdfFrom::Topic(_)) => {
            "its limits are checked when it comes; until then nothing can arm".to_owned()
        }
        (None, UrdfFrom::File(_)) => "not read".to_owned(),
    };
    line(text, &format!("{} {}: {state}", urdf.key(), urdf.name()));
    let notes = config.description.iter().flat_map(|description| &description.notes);
    for note in notes {
        line(text, &format!("  {note}"));
    }
}

fn profiles(text: &mut String, config: &Config) {
    for profile in config.profiles.iter().skip(1) {
        let rules = &profile.rules;
        let mut told = format!(
            "profile {}: velocity x {}, acceleration x {}, effort x {}",
            profile.name, rules.velocity, rules.acceleration, rules.effort
        );
        for (cause, action) in &rules.actions {
            write_to(&mut told, format_args!(", {cause}: {action}"));
        }
        line(text, &told);
    }
    if config.profiles.len() > 1 {
        line(text, &format!("arm without a profile takes {}", config.profile));
    }
}

/// A line for each cause of which something is written that is not the default.
fn causes(text: &mut String, config: &Config) {
    for (cause, rules) in Cause::ALL.iter().zip(&config.causes) {
        let changed = config.written_actions().find(|(other, _)| other == cause);
        let action = changed.map(|(_, action)| {
            let usual = cause.default_action();
            format!("{action} instead of {usual}")
        });
        let told: Vec<String> = action.into_iter().chain(thresholds(rules)).collect();
        if !told.is_empty() {
            line(text, &format!("cause {cause}: {}", told.join(", ")));
        }
    }
}

/// When it counts, as far as that is written.
fn thresholds(rules: &CauseRules) -> impl Iterator<Item = String> {
    let above = rules.above.map(|above| format!("above {above}"));
    let window = rules.window.map(|window| format!("over {window:?}"));
    let debounce = rules.debounce.map(|debounce| format!("once it has lasted {debounce:?}"));
    [above, window, debounce].into_iter().flatten()
}

/// How long a cause must last, as it is in force.
pub(super) fn lasting(config: &Config, cause: Cause) -> String {
    let written = config.causes.get(cause.index()).and_then(|rules| rules.debounce);
    let debounce = written.unwrap_or(cause.default_debounce());
    if debounce.is_zero() { "at once".to_owned() } else { format!("after {debounce:?}") }
}
