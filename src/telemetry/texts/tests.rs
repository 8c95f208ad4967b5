//! The sentences.

use super::*;
use crate::cdr::Path;
use crate::config::model::{Asserts, FlagValue};
use crate::gate::rules::KillAction;
use crate::telemetry::fixture;

/// What texts are made of.
#[derive(Default)]
struct Parts {
    notes: Notes,
    attribution: Attribution,
}

impl Parts {
    fn texts<'a>(&'a self, config: &'a Config) -> Texts<'a> {
        Texts { config, node: "/interlock", notes: &self.notes, attribution: &self.attribution }
    }
}

fn condition(code: ConditionCode, subject: Subject) -> Condition {
    let (found, needed) = (7.5, 1.0);
    Condition { code, subject, cause: None, dimension: None, publisher: None, found, needed }
}

#[test]
fn every_condition_has_a_text_that_names_its_subject() {
    let mut config = fixture::config();
    config.lanes[0].controller = Some("arm_controller".to_owned());
    let parts = Parts::default();
    let texts = parts.texts(&config);
    for code in ConditionCode::ALL {
        let subject = match code {
            ConditionCode::KillInputAsserted
            | ConditionCode::KillInputSilent
            | ConditionCode::KillInputUnseen => Subject::KillInput(0),
            ConditionCode::FeedbackStale => Subject::Feedback(0),
            ConditionCode::SourceNotReady => Subject::Source { lane: 0, source: 0 },
            ConditionCode::NotStandingStill
            | ConditionCode::NoController
            | ConditionCode::ControllerMismatch
            | ConditionCode::ForeignPublisher
            | ConditionCode::NoSafeCommand => Subject::Lane(0),
            ConditionCode::CausePresent
            | ConditionCode::LatchNotWritable
            | ConditionCode::RobotDescriptionMissing
            | ConditionCode::SensorsUnread
            | ConditionCode::SimulatedTime
            | ConditionCode::Settling
            | ConditionCode::SeqMoved => Subject::Node,
        };
        let condition = Condition {
            code: *code,
            subject,
            cause: Some(crate::gate::cause::Cause::Tilt),
            dimension: Some(0),
            publisher: None,
            found: 0.25,
            needed: 0.5,
        };
        let text = texts.condition(&condition);
        assert!(text.contains(&texts.subject(subject)), "{text}");
        assert!(!text.contains(UNKNOWN) || text.contains("is it switched on?"), "{text}");
    }
}

#[test]
fn when_a_kill_input_asserts_expect_its_publisher_named_where_the_graph_knows_it() {
    let config = fixture::config();
    let parts = Parts::default();
    parts.notes.write(|all| all.writers = vec![Some(vec![([7; 16], "/pendant".to_owned())])]);
    let texts = parts.texts(&config);
    let plain = condition(ConditionCode::KillInputAsserted, Subject::KillInput(0));
    let text = |publisher| texts.condition(&Condition { publisher, ..plain });
    assert!(text(Some([7; 16])).contains("asserts, by /pendant: release it"));
    assert!(text(Some([8; 16])).contains("asserts, by a publisher that the graph does not name:"));
    assert!(text(None).contains("asserts: release it"));
    // It asserts because it was released.
    let mut config = fixture::config();
    config.kill_inputs[0].action = KillAction::Disarm;
    let pressed = |when| Some(Asserts { field: Path::parse("data").unwrap(), when });
    config.kill_inputs[0].asserts = pressed(FlagValue::Bool(false));
    let texts = parts.texts(&config);
    let text = texts.condition(&Condition { publisher: Some([7; 16]), ..plain });
    assert!(text.starts_with("dead-man '"), "{text}");
    assert!(text.contains("let go of, or cannot be read, by /pendant: hold it"), "{text}");
    // A button that disarms while it is pressed is none.
    config.kill_inputs[0].asserts = pressed(FlagValue::Int(1));
    assert!(parts.texts(&config).condition(&plain).contains("asserts: release it"));
}

#[test]
fn when_an_index_is_unknown_expect_a_question_mark_and_no_panic() {
    let config = fixture::config();
    let parts = Parts::default();
    let texts = parts.texts(&config);
    for subject in [
        Subject::Lane(99),
        Subject::Source { lane: 0, source: 99 },
        Subject::KillInput(99),
        Subject::Feedback(99),
    ] {
        assert!(texts.subject(subject).contains(UNKNOWN));
    }
}

#[test]
fn when_a_kill_input_is_not_heard_expect_how_many_publish_where_that_is_known() {
    let config = fixture::config();
    let parts = Parts::default();
    let texts = parts.texts(&config);
    let text = |code| texts.condition(&condition(code, Subject::KillInput(0)));
    let unseen = "kill input 'pendant' not heard yet: is it switched on?";
    assert_eq!(
        text(ConditionCode::KillInputUnseen),
        format!("{unseen} (topic hardware/e_stop)"),
        "nobody has looked"
    );
    for (writers, said) in [(0, "0 publishers"), (1, "1 publisher"), (2, "2 publishers")] {
        let writer = ([0; 16], "/somebody".to_owned());
        parts.notes.write(|all| all.writers = vec![Some(vec![writer; writers])]);
        let text = text(ConditionCode::KillInputUnseen);
        assert_eq!(text, format!("{unseen} (topic hardware/e_stop, {said})"));
    }
    let text = text(ConditionCode::KillInputSilent);
    assert!(text.ends_with("is it switched on? (topic hardware/e_stop, 2 publishers)"), "{text}");
}

#[test]
fn when_the_latch_file_cannot_be_written_expect_the_same_reason_in_every_state() {
    let config = fixture::config();
    let forgets = Config { latch_persist: false, ..fixture::config() };
    let parts = Parts::default();
    let texts = |config| parts.texts(config);
    assert_eq!(texts(&config).latch_lost(true), "");
    // The gate has waited too long, and nobody knows a reason.
    let late = texts(&config).latch_lost(false);
    assert!(late.contains("its disk is slow or hangs"), "{late}");
    parts.notes.write(|all| all.latch = "No space left: make space".to_owned());
    for writable in [true, false] {
        assert_eq!(texts(&config).latch_lost(writable), "No space left: make space");
    }
    let condition = condition(ConditionCode::LatchNotWritable, Subject::Node);
    assert_eq!(texts(&config).condition(&condition), "No space left: make space");
    assert_eq!(texts(&forgets).latch_lost(true), NOT_PERSISTED);
}

#[test]
fn when_a_feedback_comes_without_a_joint_expect_that_and_no_silence_told() {
    let config = fixture::config();
    let parts = Parts::default();
    let stale = condition(ConditionCode::FeedbackStale, Subject::Feedback(0));
    let text = parts.texts(&config).condition(&stale);
    assert!(text.starts_with("feedback 'joints' silent, needs a message"), "{text}");
    let lack = String::from("joint 'right_elbow' of lane 'arms' is missing");
    parts.notes.write(|all| all.lacks = vec![lack]);
    let text = parts.texts(&config).condition(&stale);
    let comes = "feedback 'joints' comes, but joint 'right_elbow' of lane 'arms' is missing, needs";
    assert!(text.starts_with(comes), "{text}");
}
