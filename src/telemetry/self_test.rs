//! The self test in words: for answers, the log and the history.

use serde::{Deserialize, Serialize};

use super::slots::Slots;
use super::texts::Texts;
use crate::gate::machine::Subject;
use crate::gate::self_test::{Flaw, Part, PartResult, Reach, SelfTestRefusal};

/// The label of the way of the verbs. No kill input has this name: names have no space.
pub const VERBS: &str = "kill verbs";

/// One part of a self test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SelfTestPart {
    /// The kill input, or [`VERBS`].
    pub input: String,
    /// It works.
    pub passed: bool,
    /// How far it can be tested: `trip`, `level`, `heartbeat`.
    pub tested: String,
    /// From the trip to the last safe command handed to the middleware, s; `null`: there was none.
    pub safe_command_s: Option<f64>,
    /// From the trip to its record on disk, s; `null`: there was none.
    pub disk_s: Option<f64>,
    /// What was wrong, one word; `null`: nothing.
    pub flaw: Option<String>,
    /// The same in one sentence.
    pub text: String,
}

const fn reach_label(reach: Reach) -> &'static str {
    match reach {
        Reach::Trip => "trip",
        Reach::Level => "level",
        Reach::Heartbeat => "heartbeat",
    }
}

impl Texts<'_> {
    /// One part, in words.
    #[must_use]
    pub fn self_test(&self, result: &PartResult, seq: u64) -> SelfTestPart {
        let input = match result.part {
            Part::Verbs => VERBS.to_owned(),
            Part::Input(input) => self.subject(Subject::KillInput(input)),
        };
        let lane = |lane| self.subject(Subject::Lane(lane));
        let text = if let Some(Flaw::NotReset(refused)) = result.flaw {
            format!("NOT RESET, the node stays killed: {}", self.refused(refused, seq))
        } else {
            sentence(result, &lane)
        };
        SelfTestPart {
            input,
            passed: result.flaw.is_none(),
            tested: reach_label(result.reach).to_owned(),
            safe_command_s: result.to_safe.map(|time| time.as_secs_f64()),
            disk_s: result.to_disk.map(|time| time.as_secs_f64()),
            flaw: result.flaw.map(|flaw| flaw.label().to_owned()),
            text,
        }
    }

    /// Why a self test did not begin, with what to do.
    #[must_use]
    pub fn self_test_refused(&self, refusal: SelfTestRefusal, seq: u64) -> String {
        match refusal {
            SelfTestRefusal::Active => {
                "active: the robot may move; interlockctl disarm first".to_owned()
            }
            SelfTestRefusal::Killed => format!("killed, seq {seq}: interlockctl reset first"),
            SelfTestRefusal::Busy => {
                "a reset or an arm is being written to disk: try again".to_owned()
            }
            SelfTestRefusal::NotReleased => {
                "a lane still sends its safe command after the disarm: \
                                             wait until every lane is released (release_s)"
                    .to_owned()
            }
            SelfTestRefusal::LatchNotWritable => {
                let why = self.notes.latch();
                format!("the latch file cannot be written, so nothing could be reset: {why}")
            }
            SelfTestRefusal::Running => "another self test runs".to_owned(),
            SelfTestRefusal::TooSoon => {
                "the last one began less than 10 s ago: wait, and try again".to_owned()
            }
            SelfTestRefusal::ShuttingDown => "the node is shutting down".to_owned(),
        }
    }
}

/// What came of a part, for the log, which knows names by the slots.
pub(crate) fn told(result: &PartResult, slots: &Slots) -> (String, String) {
    let about = match result.part {
        Part::Verbs => VERBS.to_owned(),
        Part::Input(input) => super::events::subject_text(slots, Subject::KillInput(input)),
    };
    let lane =
        |lane: usize| slots.lanes.get(lane).map(|lane| lane.name.clone()).unwrap_or_default();
    (about, sentence(result, &lane))
}

fn sentence(result: &PartResult, lane: &dyn Fn(usize) -> String) -> String {
    match (result.flaw, result.reach) {
        (None, Reach::Trip) => {
            let ms = |time: std::time::Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
            let safe = result.to_safe.map_or_else(
                || "no lane sends a safe command".to_owned(),
                |time| format!("safe command after {}", ms(time)),
            );
            let disk = result.to_disk.map_or_else(
                || "nothing is kept on disk".to_owned(),
                |time| format!("on disk after {}", ms(time)),
            );
            format!("{safe}, {disk}")
        }
        (None, Reach::Level) => {
            "asserts; it disarms, so while disarmed there is no trip".to_owned()
        }
        (None, Reach::Heartbeat) => {
            "heard, and its silence would be noticed; no message of this input can kill, only its \
             silence"
                .to_owned()
        }
        (Some(Flaw::NotRead), _) => "its own asserting message is not read as one".to_owned(),
        (Some(Flaw::NoLevel), _) => "a message that asserts did not make it assert".to_owned(),
        (Some(Flaw::NotKilled), _) => "it asserted and did not kill".to_owned(),
        (Some(Flaw::NotHeard), _) => "not heard: is it switched on?".to_owned(),
        (Some(Flaw::NeverMissed), _) => "its silence would not be noticed".to_owned(),
        (Some(Flaw::NoSafeCommand { lane: index }), _) => format!(
            "a kill would find no safe command for lane '{}': interlockctl status says what is missing",
            lane(index)
        ),
        (Some(Flaw::NotPublished { lane: index }), _) => {
            format!("the middleware refused the safe command of lane '{}'", lane(index))
        }
        (Some(Flaw::NotOnDisk), _) => {
            "not on disk in time: a restart might have forgotten it".to_owned()
        }
        (Some(Flaw::NotReset(refused)), _) => format!("not reset: {}", refused.label()),
        (Some(Flaw::Interrupted), _) => "ended by a real stop".to_owned(),
        (Some(Flaw::NotBegun), _) => "not tested".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::attribution::Attribution;
    use crate::gate::state::Refused;
    use crate::telemetry::fixture;
    use crate::telemetry::notes::Notes;

    fn result(flaw: Option<Flaw>) -> PartResult {
        PartResult {
            part: Part::Input(0),
            reach: Reach::Trip,
            flaw,
            to_safe: Some(Duration::from_micros(310)),
            to_disk: Some(Duration::from_micros(2400)),
        }
    }

    #[test]
    fn when_a_part_is_told_expect_its_name_its_times_and_one_sentence() {
        let (config, notes, attribution) =
            (fixture::config(), Notes::default(), Attribution::default());
        let texts =
            Texts { config: &config, node: "/interlock", notes: &notes, attribution: &attribution };
        let passed = texts.self_test(&result(None), 7);
        assert_eq!((passed.input.as_str(), passed.passed), ("pendant", true));
        assert_eq!(passed.text, "safe command after 0.31 ms, on disk after 2.40 ms");
        assert_eq!((passed.safe_command_s, passed.flaw), (Some(0.000_31), None));
        let nowhere =
            PartResult { part: Part::Verbs, to_safe: None, to_disk: None, ..result(None) };
        let nowhere = texts.self_test(&nowhere, 7);
        assert_eq!(nowhere.input, VERBS);
        assert_eq!(nowhere.text, "no lane sends a safe command, nothing is kept on disk");
        let lane = texts.self_test(&result(Some(Flaw::NoSafeCommand { lane: 1 })), 7);
        assert!(!lane.passed && lane.text.contains("lane 'arms'"), "{lane:?}");
        assert_eq!(lane.flaw.as_deref(), Some("no_safe_command"));
        let kept = texts.self_test(&result(Some(Flaw::NotReset(Refused::Unmet))), 7);
        assert!(kept.text.contains("stays killed: conditions are unmet"), "{kept:?}");
        let beat = PartResult { reach: Reach::Heartbeat, ..result(None) };
        let beat = texts.self_test(&beat, 7);
        assert_eq!(beat.tested, "heartbeat");
        assert!(
            beat.text.ends_with("no message of this input can kill, only its silence"),
            "{beat:?}"
        );
        let slots = fixture::slots();
        let (about, text) = told(&result(Some(Flaw::NotPublished { lane: 0 })), &slots);
        assert_eq!(about, "kill input pendant");
        assert!(text.ends_with("lane 'base'"), "{text}");
    }

    #[test]
    fn when_a_self_test_is_refused_expect_the_way_out() {
        let (config, notes, attribution) =
            (fixture::config(), Notes::default(), Attribution::default());
        let texts =
            Texts { config: &config, node: "/interlock", notes: &notes, attribution: &attribution };
        let mut seen = std::collections::BTreeSet::new();
        for refusal in SelfTestRefusal::ALL {
            assert!(seen.insert(texts.self_test_refused(*refusal, 7)), "{refusal}");
        }
        assert!(texts.self_test_refused(SelfTestRefusal::Killed, 7).contains("seq 7"));
    }
}
