//! `/diagnostics`: one status a component, stable names, units in the keys.

use std::time::Duration;

use r2r::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus, KeyValue};
use r2r::{Node, Publisher, QosProfile};

use super::state_msg::time;
use super::{plain, sensor_diagnostics};
use crate::config::model::Config;
use crate::gate::lane_state::LaneState;
use crate::gate::state::State;
use crate::gate::units::{SteadyTime, WallTime};
use crate::telemetry::status::{
    ClockStatus, FeedbackStatus, HEARTBEAT, KillInputStatus, LET_GO, LaneStatus, SourceStatus,
    Status, TopicStatus,
};

/// `diagnostic_msgs/DiagnosticStatus` levels. STALE is the aggregator's word, never ours.
pub(super) const OK: u8 = 0;
pub(super) const WARN: u8 = 1;
pub(super) const ERROR: u8 = 2;

/// How long after a command was refused its source has a warning.
const REJECTS_FOR: Duration = Duration::from_secs(3);

/// The publisher, and what it said last.
pub(super) struct Diagnostics {
    publisher: Publisher<DiagnosticArray>,
    hardware_id: String,
    rejected: Vec<Rejected>,
    /// Level of each component as it was judged last.
    levels: Vec<u8>,
}

/// Refused commands of one source.
#[derive(Clone, Copy, Default)]
struct Rejected {
    count: u64,
    /// When the count last grew.
    at: Option<SteadyTime>,
}

/// The status of every component.
pub(super) struct Diagnosis {
    parts: Vec<DiagnosticStatus>,
    /// Whether a level is not what it was at the last judgement.
    pub(super) is_news: bool,
}

impl Diagnostics {
    pub(super) fn new(node: &mut Node, config: &Config) -> Result<Self, r2r::Error> {
        let qos = QosProfile::default().keep_last(10);
        Ok(Self {
            publisher: node.create_publisher("/diagnostics", qos)?,
            hardware_id: config.hardware_id.clone(),
            rejected: Vec::new(),
            levels: Vec::new(),
        })
    }

    /// Judges every component.
    pub(super) fn judge(&mut self, status: &Status, now: SteadyTime) -> Diagnosis {
        let mut parts = vec![gate(status), clock(&status.clock)];
        let mut place = 0;
        for lane in &status.lanes {
            parts.push(self::lane(lane));
            for source in &lane.sources {
                let rejects = self.rejects(place, source.rejected, now);
                parts.push(self::source(lane, source, rejects));
                place += 1;
            }
        }
        parts.extend(status.kill_inputs.iter().map(kill_input));
        parts.extend(status.feedback.iter().map(feedback));
        parts.extend(sensor_diagnostics::temperatures(&status.temperatures));
        parts.extend(status.batteries.iter().map(sensor_diagnostics::battery));
        parts.extend(status.topics.iter().filter(|topic| topic.named).map(topic));
        let levels: Vec<u8> = parts.iter().map(|part| part.level).collect();
        let is_news = levels != self.levels;
        self.levels = levels;
        Diagnosis { parts, is_news }
    }

    /// Whether the source at this place had a command refused a moment ago.
    fn rejects(&mut self, place: usize, count: u64, now: SteadyTime) -> bool {
        if self.rejected.len() <= place {
            self.rejected.resize_with(place + 1, Rejected::default);
        }
        let Some(rejected) = self.rejected.get_mut(place) else { return false };
        if count > rejected.count {
            *rejected = Rejected { count, at: Some(now) };
        }
        rejected.at.is_some_and(|at| now.since(at) < REJECTS_FOR)
    }

    /// Publishes what was judged.
    pub(super) fn publish(&self, diagnosis: Diagnosis, wall: WallTime) -> Result<(), r2r::Error> {
        let mut parts = diagnosis.parts;
        for part in &mut parts {
            part.hardware_id.clone_from(&self.hardware_id);
        }
        let mut array = DiagnosticArray { status: parts, ..Default::default() };
        array.header.stamp = time(wall);
        plain::publish(&self.publisher, array)
    }
}

pub(super) fn part(
    name: String,
    level: u8,
    message: String,
    values: Vec<(&str, String)>,
) -> DiagnosticStatus {
    let values = values.into_iter();
    DiagnosticStatus {
        level,
        name: format!("interlock: {name}"),
        message,
        hardware_id: String::new(),
        values: values.map(|(key, value)| KeyValue { key: key.to_owned(), value }).collect(),
    }
}

fn gate(status: &Status) -> DiagnosticStatus {
    let state = State::from_label(&status.state);
    let (level, message) = match (state, &status.first_trip) {
        (Some(State::Killed), Some(trip)) => {
            (ERROR, format!("killed, seq {}: {}", status.seq, trip.detail))
        }
        (Some(State::Killed), None) => (ERROR, format!("killed, seq {}", status.seq)),
        (Some(State::Active), _) if !status.permitted => {
            (WARN, "active, but held: lanes have their safe command".to_owned())
        }
        (Some(State::Active), _) => (OK, "active".to_owned()),
        (Some(State::Disarmed), _) => match status.unmet.first() {
            Some(unmet) => (OK, format!("disarmed; not ready to arm: {}", unmet.text)),
            None => (OK, "disarmed, ready to arm".to_owned()),
        },
        (None, _) => (ERROR, "the gate has not told its state yet".to_owned()),
    };
    let (level, message) = if level == OK && !status.latch.is_empty() {
        (WARN, format!("{message}; latch: {}", status.latch))
    } else {
        (level, message)
    };
    let mut values = vec![
        ("state", status.state.clone()),
        ("seq", status.seq.to_string()),
        ("permitted", status.permitted.to_string()),
        ("in_this_state (s)", format!("{:.1}", status.since_age_s)),
        ("unmet conditions", status.unmet.len().to_string()),
        ("version", status.version.clone()),
        ("config_sha256", status.config_sha256.clone()),
    ];
    let causes = status.causes.iter().map(|cause| format!("{}: {}", cause.action, cause.text));
    values.push(("causes", causes.collect::<Vec<String>>().join("; ")));
    values.push(("ignored causes", status.ignored_causes.join(", ")));
    values.push(("profile", status.profile.clone().unwrap_or_default()));
    values.push(("derating (ratio)", format!("{:.2}", status.derating)));
    if !status.latch.is_empty() {
        values.push(("latch", status.latch.clone()));
    }
    if !status.realtime.is_empty() {
        values.push(("realtime", status.realtime.join("; ")));
    }
    if !status.description.is_empty() {
        values.push(("robot description", status.description.clone()));
    }
    if let Some(trip) = &status.last_trip {
        values.push(("last trip", format!("seq {}: {}", trip.seq, trip.detail)));
    }
    // It runs, but not as it was asked to.
    let (level, message) = match status.realtime.first() {
        Some(failed) if level == OK => (WARN, format!("{message}; real-time: {failed}")),
        Some(_) | None => (level, message),
    };
    part("gate".to_owned(), level, message, values)
}

fn clock(clock: &ClockStatus) -> DiagnosticStatus {
    let level = if clock.level == "ok" { OK } else { WARN };
    let known = |known: Option<bool>| known.map_or("unknown".to_owned(), |yes| yes.to_string());
    let error = clock.max_error_s.map_or("unknown".to_owned(), |error| format!("{error:.6}"));
    let values = vec![
        ("synchronized", known(clock.synchronized)),
        ("largest error (s)", error),
        ("steps", clock.steps.to_string()),
        ("suspends", clock.suspends.to_string()),
        ("simulated", clock.simulated.to_string()),
    ];
    part("clock".to_owned(), level, clock.text.clone(), values)
}

fn lane(lane: &LaneStatus) -> DiagnosticStatus {
    let owner = lane.owner.as_deref().unwrap_or("none");
    let (level, message) = match LaneState::from_label(&lane.state) {
        Some(LaneState::Flowing) => (OK, format!("flowing from {owner}")),
        Some(LaneState::Waiting) => (OK, format!("waiting, {} is out", lane.safe_command)),
        Some(LaneState::Released) => (OK, "released: publishes nothing".to_owned()),
        Some(LaneState::Holding) => (WARN, format!("holding, {} is out", lane.safe_command)),
        Some(LaneState::Safe) => (WARN, format!("safe, {} is out", lane.safe_command)),
        None => (ERROR, "unknown state".to_owned()),
    };
    if !lane.motion.is_empty() {
        let (level, message) = if lane.motion_after_stop {
            (ERROR, format!("not still after a stop: {}", lane.motion))
        } else {
            (WARN, format!("not still: {}", lane.motion))
        };
        return part(
            format!("lane {}", lane.name),
            level,
            message,
            vec![("state", lane.state.clone()), ("safe_command", lane.safe_command.clone())],
        );
    }
    // What the graph says against the output is worth more than a plain "flowing".
    let (level, message) = match lane.notes.first() {
        Some(note) if lane.foreign_publishers.unwrap_or(0) > 0 => (ERROR, note.clone()),
        Some(note) if level == OK => (WARN, note.clone()),
        Some(_) | None => (level, message),
    };
    let values = vec![
        ("mode", lane.mode.clone()),
        ("state", lane.state.clone()),
        ("owner", owner.to_owned()),
        ("safe_command", lane.safe_command.clone()),
        ("subscribers", counted(lane.subscribers)),
        ("foreign_publishers", counted(lane.foreign_publishers)),
        ("notes", lane.notes.join("; ")),
    ];
    part(format!("lane {}", lane.name), level, message, values)
}

fn counted(count: Option<u64>) -> String {
    count.map_or_else(|| "unknown".to_owned(), |count| count.to_string())
}

fn source(lane: &LaneStatus, source: &SourceStatus, rejects: bool) -> DiagnosticStatus {
    let reason = source.last_reason.as_deref().unwrap_or("none");
    let is_owner = lane.owner.as_deref() == Some(source.name.as_str());
    let (level, message) = if rejects {
        (WARN, format!("commands are rejected, last reason: {reason}"))
    } else if is_owner && !source.alive && lane.state == LaneState::Holding.label() {
        (WARN, "in charge and silent".to_owned())
    } else if !source.note.is_empty() {
        (WARN, format!("an incompatible publisher on its topic: {}", source.note))
    } else if source.alive {
        (OK, "alive".to_owned())
    } else {
        (OK, "silent".to_owned())
    };
    let silent = source.silent_for_s.map_or("never heard".to_owned(), |s| format!("{s:.3}"));
    let mut values = vec![
        ("silent_for (s)", silent),
        ("priority", source.priority.to_string()),
        ("passed", source.passed.to_string()),
        ("limited", source.limited.to_string()),
        ("rejected", source.rejected.to_string()),
        ("withheld", source.withheld.to_string()),
        ("not_selected", source.not_selected.to_string()),
        ("last_reason", reason.to_owned()),
        ("mode", source.mode.clone()),
        ("incompatible publishers", source.note.clone()),
    ];
    if let Some(lost) = source.lost {
        values.push(("lost", lost.to_string()));
    }
    part(format!("source {}/{}", lane.name, source.name), level, message, values)
}

fn kill_input(input: &KillInputStatus) -> DiagnosticStatus {
    let (level, message) = if input.is_let_go() {
        (OK, LET_GO.to_owned())
    } else if input.asserted {
        match input.asserted_by.as_str() {
            "" => (ERROR, "asserts".to_owned()),
            who => (ERROR, format!("asserts, by {who}")),
        }
    } else if input.lost {
        (ERROR, "silent: is it switched on?".to_owned())
    } else if !input.note.is_empty() {
        (WARN, format!("an incompatible publisher on its topic: {}", input.note))
    } else if input.seen && input.heartbeat_only {
        (OK, HEARTBEAT.to_owned())
    } else if input.seen {
        (OK, "released".to_owned())
    } else {
        (WARN, "not heard yet".to_owned())
    };
    let silent = input.silent_for_s.map_or("never heard".to_owned(), |s| format!("{s:.3}"));
    let values = vec![("silent_for (s)", silent), ("asserted", input.asserted.to_string())];
    part(format!("kill input {}", input.name), level, message, values)
}

fn feedback(feedback: &FeedbackStatus) -> DiagnosticStatus {
    let (level, message) = if !feedback.note.is_empty() {
        (WARN, format!("an incompatible publisher on its topic: {}", feedback.note))
    } else if feedback.fresh {
        (OK, "fresh".to_owned())
    } else if feedback.partial {
        (WARN, feedback.partial_text())
    } else if feedback.silent_for_s.is_some() {
        (WARN, "silent".to_owned())
    } else {
        (WARN, "not heard yet".to_owned())
    };
    let silent = feedback.silent_for_s.map_or("never heard".to_owned(), |s| format!("{s:.3}"));
    part(format!("feedback {}", feedback.name), level, message, vec![("silent_for (s)", silent)])
}

/// A topic that the params file names; those found by a pattern are in the metrics only.
fn topic(topic: &TopicStatus) -> DiagnosticStatus {
    let level = match topic.level.as_str() {
        "ok" => OK,
        "warn" => WARN,
        _ => ERROR,
    };
    let number = |number: Option<f64>, absent: &str| {
        number.map_or_else(|| absent.to_owned(), |number| format!("{number:.3}"))
    };
    let count = |count: Option<u64>| count.map_or("unknown".to_owned(), |count| count.to_string());
    let values = vec![
        ("topic", topic.topic.clone()),
        ("type", topic.type_name.clone().unwrap_or_default()),
        ("rate (Hz)", number(topic.rate_hz, "never heard")),
        ("expected rate (Hz)", number(topic.expected_hz, "any")),
        ("silent_for (s)", number(topic.silent_for_s, "never heard")),
        ("largest gap of 10 s (s)", number(topic.gap_s, "never heard")),
        ("longest gap allowed (s)", number(topic.max_gap_s, "any")),
        ("messages", topic.messages.to_string()),
        ("lost", count(topic.lost)),
        ("publishers", count(topic.publishers)),
        ("incompatible publishers", topic.incompatible.to_string()),
    ];
    part(format!("topic {}", topic.name), level, topic.text.clone(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_lane_moves_expect_an_error_only_where_this_node_has_stopped_it() {
        let mut status = LaneStatus {
            name: String::from("base"),
            state: String::from("safe"),
            motion: String::from("linear.x moves: 0.187, still is below 0.05"),
            motion_after_stop: true,
            ..LaneStatus::default()
        };
        let said = lane(&status);
        let text = "not still after a stop: linear.x moves: 0.187, still is below 0.05";
        assert_eq!((said.level, said.message.as_str()), (ERROR, text));
        // Somebody else may hold the robot, and nobody needs to run.
        status.state = String::from("released");
        status.motion_after_stop = false;
        let said = lane(&status);
        assert_eq!(
            (said.level, said.message.as_str()),
            (WARN, &*text.replace(" after a stop", ""))
        );
        status.motion.clear();
        assert_eq!(lane(&status).level, OK);
    }
}
