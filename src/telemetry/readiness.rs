//! `/readyz`: whether everything that arming needs of others is there. Whether it is armed, and what
//! else stands in the way of an arm, are other questions.
//!
//! A lane that is not `required`, a kill input without a heartbeat, temperatures and batteries are not
//! asked for: an arm does not wait for them either.

use super::status::{KillInputStatus, LaneStatus, Readiness, Status};
use crate::config::model::Config;
use crate::gate::state::State;

/// Ready: the gate runs and has its limits, every required controller is matched, every kill input with
/// a heartbeat and every feedback is heard and not silent.
#[must_use]
pub fn readiness(config: &Config, status: &Status) -> Readiness {
    let mut reasons = Vec::new();
    if State::from_label(&status.state).is_none() {
        reasons.push(String::from("the gate has not told its state yet"));
    }
    if status.awaits_description {
        let said = because(&status.description);
        reasons.push(format!("no robot description yet: start robot_state_publisher{said}"));
    }
    let lanes = status.lanes.iter().zip(&config.lanes).filter(|(_, config)| config.required);
    let gated = lanes.map(|(lane, _)| lane).filter(|lane| lane.mode == "gate");
    reasons.extend(gated.filter_map(lane));
    let inputs = status.kill_inputs.iter().zip(&config.kill_inputs);
    let inputs = inputs.filter(|(_, config)| config.timeout.is_some());
    for (KillInputStatus { name, note, silent_for_s, .. }, _) in
        inputs.filter(|(input, _)| !input.seen || input.lost)
    {
        reasons.push(format!("kill input {name} {}{}", since(*silent_for_s), because(note)));
    }
    for feedback in status.feedback.iter().filter(|feedback| !feedback.fresh) {
        let since = match feedback.partial {
            true => feedback.partial_text(),
            false => since(feedback.silent_for_s),
        };
        reasons.push(format!("feedback {} {since}{}", feedback.name, because(&feedback.note)));
    }
    Readiness { ready: reasons.is_empty(), reasons }
}

fn since(silent_for_s: Option<f64>) -> String {
    silent_for_s
        .map_or_else(|| String::from("not heard yet"), |silent| format!("silent for {silent:.1} s"))
}

/// Whether somebody reads the lane's output, and is who is meant.
fn lane(lane: &LaneStatus) -> Option<String> {
    let (name, notes) = (&lane.name, because(&lane.notes.join("; ")));
    match lane.subscribers {
        None => return Some(format!("who reads lane {name} is not known{notes}")),
        Some(0) => return Some(format!("nobody reads lane {name}{notes}")),
        Some(_) => {}
    }
    let controller = &lane.controller;
    (!controller.is_empty())
        .then(|| format!("lane {}: its controller does not fit: {controller}", lane.name))
}

/// What else is known, in brackets.
fn because(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" ({note})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fixture;
    use crate::telemetry::status::FeedbackStatus;

    fn ready() -> Status {
        let name = String::from("base");
        Status {
            state: String::from("killed"),
            lanes: vec![
                LaneStatus {
                    name: name.clone(),
                    mode: String::from("gate"),
                    subscribers: Some(1),
                    ..LaneStatus::default()
                },
                // A watched lane publishes nothing: nobody has to read it.
                LaneStatus { mode: String::from("watch"), ..LaneStatus::default() },
            ],
            kill_inputs: vec![KillInputStatus {
                name: name.clone(),
                seen: true,
                ..KillInputStatus::default()
            }],
            feedback: vec![FeedbackStatus { name, fresh: true, ..FeedbackStatus::default() }],
            ..Status::default()
        }
    }

    #[test]
    fn when_all_is_there_expect_ready_killed_or_not() {
        for state in State::ALL {
            let status = Status { state: state.label().to_owned(), ..ready() };
            let readiness = readiness(&fixture::config(), &status);
            assert_eq!(readiness, Readiness { ready: true, reasons: Vec::new() });
        }
    }

    #[test]
    fn when_an_arm_does_not_wait_for_it_expect_it_not_asked_for() {
        let mut config = fixture::config();
        let mut status = ready();
        status.lanes[0].subscribers = Some(0);
        status.kill_inputs[0].seen = false;
        assert_eq!(readiness(&config, &status).reasons.len(), 2);
        config.lanes[0].required = false;
        config.kill_inputs[0].timeout = None;
        assert!(readiness(&config, &status).ready);
    }

    #[test]
    fn when_one_thing_is_missing_expect_it_named_alone() {
        type Change = fn(&mut Status);
        let cases: [(Change, &str); 12] = [
            (|s| s.state = String::from("unknown"), "the gate has not told its state yet"),
            (
                |s| s.awaits_description = true,
                "no robot description yet: start robot_state_publisher",
            ),
            (
                |s| {
                    s.awaits_description = true;
                    s.description = String::from("it is no URDF");
                },
                "no robot description yet: start robot_state_publisher (it is no URDF)",
            ),
            (|s| s.lanes[0].subscribers = Some(0), "nobody reads lane base"),
            (|s| s.lanes[0].subscribers = None, "who reads lane base is not known"),
            (
                |s| s.lanes[0].controller = String::from("it has no joint left_elbow"),
                "lane base: its controller does not fit: it has no joint left_elbow",
            ),
            (|s| s.kill_inputs[0].seen = false, "kill input base not heard yet"),
            (
                |s| {
                    s.kill_inputs[0].lost = true;
                    s.kill_inputs[0].silent_for_s = Some(2.5);
                },
                "kill input base silent for 2.5 s",
            ),
            (
                |s| {
                    s.kill_inputs[0].seen = false;
                    s.kill_inputs[0].note = String::from("/other offers another type");
                },
                "kill input base not heard yet (/other offers another type)",
            ),
            (|s| s.feedback[0].fresh = false, "feedback base not heard yet"),
            (
                |s| {
                    s.feedback[0].fresh = false;
                    s.feedback[0].partial = true;
                    s.feedback[0].silent_for_s = Some(0.01);
                },
                "feedback base comes, but without what every lane needs",
            ),
            (
                |s| {
                    s.feedback[0] = FeedbackStatus {
                        silent_for_s: Some(1.25),
                        fresh: false,
                        note: String::from("/other offers another type"),
                        ..s.feedback[0].clone()
                    };
                },
                "feedback base silent for 1.2 s (/other offers another type)",
            ),
        ];
        for (change, reason) in cases {
            let mut status = ready();
            change(&mut status);
            let readiness = readiness(&fixture::config(), &status);
            assert!(!readiness.ready);
            assert_eq!(readiness.reasons, [reason]);
        }
    }
}
