use super::*;
use crate::gate::rules::KillAction;
use crate::gate::units::Moment;

const RULES: KillInputRules = KillInputRules {
    timeout: Some(Duration::from_millis(500)),
    kill_after: Duration::from_secs(5),
    action: KillAction::Kill,
};

fn from(publisher: u8, ms: u64) -> Receipt {
    let steady = SteadyTime::from_nanos(ms * 1_000_000);
    Receipt {
        at: Moment { steady, ..Moment::default() },
        publisher: Some([publisher; 16]),
        ..Receipt::default()
    }
}

#[test]
fn when_one_of_two_publishers_asserts_expect_asserted_until_that_one_releases() {
    let mut input = KillInput::default();
    assert_eq!(input.sample(true, &from(1, 0), &RULES), (true, true));
    assert_eq!(input.sample(false, &from(2, 1), &RULES), (true, false));
    assert_eq!(input.sample(false, &from(1, 2), &RULES), (false, false));
    assert_eq!(input.sample(true, &from(2, 3), &RULES), (true, true));
}

#[test]
fn when_an_asserting_publisher_dies_expect_only_live_ones_to_count() {
    let mut input = KillInput::default();
    input.sample(true, &from(1, 0), &RULES);
    assert!(input.is_asserted(SteadyTime::from_nanos(500_000_000), &RULES));
    assert!(!input.is_asserted(SteadyTime::from_nanos(500_000_001), &RULES));
    let wired = KillInputRules { timeout: None, ..RULES };
    assert!(input.is_asserted(SteadyTime::from_nanos(u64::MAX), &wired));
}

#[test]
fn when_silent_expect_unseen_then_heard_then_lost() {
    let mut input = KillInput::default();
    let at = |ms: u64| SteadyTime::from_nanos(ms * 1_000_000);
    assert_eq!(input.silence(at(9_000), &RULES), Silence::Unseen);
    input.sample(false, &from(1, 9_000), &RULES);
    assert_eq!(input.silence(at(9_500), &RULES), Silence::Heard);
    let lost = Silence::Lost(Duration::from_millis(501));
    assert_eq!(input.silence(at(9_501), &RULES), lost);
}

#[test]
fn when_more_publishers_come_than_are_told_apart_expect_no_assertion_forgotten() {
    let mut input = KillInput::default();
    input.sample(true, &from(1, 0), &RULES);
    for publisher in 2..60 {
        assert!(input.sample(false, &from(publisher, u64::from(publisher)), &RULES).0);
    }
    let mut all = KillInput::default();
    for publisher in 0..20 {
        assert!(all.sample(true, &from(publisher, 1), &RULES).0);
    }
    // A ninth publisher's release does not hide the eight that assert.
    assert!(all.sample(false, &from(50, 2), &RULES).0);
}

/// Sample `sequence` of publisher 1, as a reader that also gets old ones brings it or not.
fn numbered(sequence: u64, replayed: bool, ms: u64) -> Receipt {
    Receipt { sequence: Some(sequence), replayed, ..from(1, ms) }
}

#[test]
fn when_each_reader_brings_each_sample_expect_it_to_count_once() {
    let mut input = KillInput::default();
    assert_eq!(input.sample(true, &numbered(5, true, 0), &RULES), (true, true));
    for _ in 0..3 {
        assert_eq!(input.sample(true, &numbered(5, false, 0), &RULES), (true, false));
    }
    assert_eq!(input.sample(false, &numbered(6, false, 1), &RULES), (false, false));
    // Copies of the press after the release: it is over.
    for replayed in [true, false] {
        assert_eq!(input.sample(true, &numbered(5, replayed, 2), &RULES), (false, false));
    }
    // Nor is a copy a sign of life.
    input.sample(false, &numbered(6, false, 900), &RULES);
    assert_eq!(input.last_seen(), Some(SteadyTime::from_nanos(1_000_000)));
}

#[test]
fn when_a_press_comes_after_its_release_expect_a_press_once() {
    let mut input = KillInput::default();
    input.sample(false, &numbered(4, false, 0), &RULES);
    input.sample(false, &numbered(6, false, 1), &RULES);
    assert_eq!(input.sample(true, &numbered(5, false, 2), &RULES), (true, true));
    assert!(!input.is_asserted(SteadyTime::from_nanos(2_000_000), &RULES), "it was released");
    assert_eq!(input.sample(true, &numbered(5, false, 2), &RULES), (false, false), "a copy");
}

#[test]
fn when_an_old_sample_is_replayed_expect_a_press_and_neither_life_nor_release() {
    let wired = KillInputRules { timeout: None, ..RULES };
    let mut input = KillInput::default();
    assert_eq!(input.sample(false, &numbered(1, true, 0), &RULES), (false, false));
    assert_eq!(input.silence(SteadyTime::from_nanos(0), &RULES), Silence::Unseen);
    assert_eq!(input.sample(true, &numbered(2, true, 1), &wired), (true, true));
    assert_eq!(input.last_seen(), None);
    // An older or the same one takes nothing back, a newer one of the same history does.
    assert!(input.sample(false, &numbered(1, true, 2), &wired).0);
    assert!(input.sample(false, &numbered(2, true, 2), &wired).0);
    assert!(!input.sample(false, &numbered(3, true, 3), &wired).0);
    // What was pressed while we listened, no replay releases.
    assert_eq!(input.sample(true, &numbered(4, false, 4), &wired), (true, true));
    assert!(input.sample(false, &numbered(5, true, 5), &wired).0);
    assert!(!input.sample(false, &numbered(5, false, 6), &wired).0);
    // And what is newer counts, by whichever reader it comes first.
    assert!(!input.sample(true, &numbered(3, true, 7), &wired).0, "older than what we heard");
    assert!(input.sample(true, &numbered(6, true, 8), &wired).0);
}
