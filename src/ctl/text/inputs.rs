//! Kill inputs, feedback and heat, a line each.

use super::plain;
use crate::telemetry::people::{heard_on, span};
use crate::telemetry::status::{
    FeedbackStatus, HEARTBEAT, KillInputStatus, LET_GO, TemperatureStatus, UNREADABLE,
};

/// Of one input, every component that has something to say; the hottest where none has.
pub(super) fn temperature(parts: &[TemperatureStatus]) -> String {
    let name = parts.first().map_or("", |part| &part.name);
    let point = |part: &TemperatureStatus| {
        let text = plain(&part.text);
        if part.component == part.name { text } else { format!("{}, {text}", part.component) }
    };
    let loud = parts.iter().filter(|part| part.level != "ok");
    let mut told: Vec<String> = loud.map(point).collect();
    if told.is_empty() {
        let by_heat = |one: &&TemperatureStatus, other: &&TemperatureStatus| {
            let celsius = |part: &TemperatureStatus| part.celsius.unwrap_or(f64::NEG_INFINITY);
            celsius(one).total_cmp(&celsius(other))
        };
        told.extend(parts.iter().max_by(by_heat).map(point));
    }
    format!("{name}: {}", told.join("; "))
}

/// Whether it asserts, or is silent, and where it should be heard.
pub(super) fn kill_input(input: &KillInputStatus) -> String {
    let KillInputStatus { name, asserted, lost, seen, silent_for_s, note, asserted_by, .. } = input;
    let on = match input.topic.as_str() {
        "" => String::new(),
        topic => format!(" ({})", heard_on(topic, input.publishers)),
    };
    let state = match (asserted, seen, lost) {
        (true, _, _) if input.is_let_go() => LET_GO.to_owned(),
        (true, _, _) if input.dead_man => UNREADABLE.to_owned(),
        (true, _, _) if asserted_by.is_empty() => String::from("ASSERTED"),
        (true, _, _) => format!("ASSERTED by {asserted_by}"),
        (false, false, _) => format!("not heard yet: is it switched on?{on}"),
        (false, true, true) => format!("SILENT for {}{on}", span(silent_for_s.unwrap_or(0.0))),
        (false, true, false) if input.heartbeat_only => HEARTBEAT.to_owned(),
        (false, true, false) => String::from("released"),
    };
    if note.is_empty() { format!("{name}: {state}") } else { format!("{name}: {state}; {note}") }
}

/// Whether it tells what it is asked for.
pub(super) fn feedback(feedback: &FeedbackStatus) -> String {
    let state = match (feedback.fresh, feedback.silent_for_s) {
        (true, _) => String::from("fresh"),
        (false, _) if feedback.partial => feedback.partial_text(),
        (false, Some(silent)) => format!("SILENT for {}", span(silent)),
        (false, None) => String::from("not heard yet"),
    };
    format!("{}: {state}", feedback.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_kill_input_has_no_button_expect_none_called_released() {
        let mut told = KillInputStatus {
            name: String::from("console"),
            seen: true,
            silent_for_s: Some(0.1),
            ..KillInputStatus::default()
        };
        assert_eq!(kill_input(&told), "console: released");
        told.heartbeat_only = true;
        assert_eq!(kill_input(&told), "console: heartbeat heard (no button)");
        told.lost = true;
        assert_eq!(kill_input(&told), "console: SILENT for 0.1 s");
        // Nobody presses a dead-man that asserts.
        (told.asserted, told.dead_man) = (true, true);
        assert_eq!(kill_input(&told), "console: let go of: hold it to arm");
        told.unread = true;
        assert_eq!(kill_input(&told), "console: ASSERTED: it cannot be read");
    }

    #[test]
    fn when_a_feedback_comes_without_a_lane_s_part_expect_no_silence_told() {
        let mut told = FeedbackStatus {
            name: String::from("joints"),
            silent_for_s: Some(0.004),
            partial: true,
            ..FeedbackStatus::default()
        };
        assert_eq!(feedback(&told), "joints: comes, but without what every lane needs");
        told.partial = false;
        assert_eq!(feedback(&told), "joints: SILENT for 0.0 s");
    }
}
