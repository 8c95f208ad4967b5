//! `/readyz`: whether everything the node needs to do its work is there. Whether it is armed is
//! another question.

use super::status::{LaneStatus, Readiness, Status};
use crate::gate::state::State;

/// Ready: the gate runs and has its limits, every controller is matched, every input is heard.
#[must_use]
pub fn readiness(status: &Status) -> Readiness {
    let mut reasons = Vec::new();
    if State::from_label(&status.state).is_none() {
        reasons.push(String::from("the gate has not told its state yet"));
    }
    if status.awaits_description {
        let said = because(&status.description);
        reasons.push(format!("no robot description yet: start robot_state_publisher{said}"));
    }
    reasons.extend(status.lanes.iter().filter(|lane| lane.mode == "gate").filter_map(lane));
    for input in status.kill_inputs.iter().filter(|input| !input.seen) {
        reasons.push(format!("kill input {} not heard yet{}", input.name, because(&input.note)));
    }
    for feedback in status.feedback.iter().filter(|feedback| !feedback.fresh) {
        let since = feedback.silent_for_s.map_or_else(
            || String::from("not heard yet"),
            |silent| format!("silent for {silent:.1} s"),
        );
        reasons.push(format!("feedback {} {since}{}", feedback.name, because(&feedback.note)));
    }
    Readiness { ready: reasons.is_empty(), reasons }
}

/// Whether somebody reads the lane's output, and is who is meant.
fn lane(lane: &LaneStatus) -> Option<String> {
    if lane.subscribers.unwrap_or(0) == 0 {
        return Some(format!("nobody reads lane {}{}", lane.name, because(&lane.notes.join("; "))));
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
    use crate::telemetry::status::{FeedbackStatus, KillInputStatus};

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
            assert_eq!(readiness(&status), Readiness { ready: true, reasons: Vec::new() });
        }
    }

    #[test]
    fn when_one_thing_is_missing_expect_it_named_alone() {
        type Change = fn(&mut Status);
        let cases: [(Change, &str); 9] = [
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
            (|s| s.lanes[0].subscribers = None, "nobody reads lane base"),
            (
                |s| s.lanes[0].controller = String::from("it has no joint left_elbow"),
                "lane base: its controller does not fit: it has no joint left_elbow",
            ),
            (|s| s.kill_inputs[0].seen = false, "kill input base not heard yet"),
            (|s| s.feedback[0].fresh = false, "feedback base not heard yet"),
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
            let readiness = readiness(&status);
            assert!(!readiness.ready);
            assert_eq!(readiness.reasons, [reason]);
        }
    }
}
