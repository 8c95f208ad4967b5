//! Publishers that die while they assert.

use std::time::Duration;

use super::*;
use crate::gate::units::Moment;

const WIRED: KillInputRules =
    KillInputRules { timeout: None, kill_after: Duration::ZERO, action: KillAction::Kill };
const BEATING: KillInputRules =
    KillInputRules { timeout: Some(Duration::from_millis(500)), ..WIRED };
const DEAD_MAN: KillInputRules = KillInputRules { action: KillAction::Disarm, ..WIRED };

fn at(ms: u64) -> SteadyTime {
    SteadyTime::from_nanos(ms * 1_000_000)
}

fn from(publisher: u8, ms: u64) -> Receipt {
    let at = Moment { steady: at(ms), ..Moment::default() };
    Receipt { at, publisher: Some([publisher; 16]), ..Receipt::default() }
}

fn list(publishers: &[u8], identifiers: Identifiers) -> Listed {
    Listed::of(publishers.iter().map(|gid| [*gid; 16]), identifiers)
}

/// Looks at the graph that list these, until the input asserts no more; `None`: it always does.
fn looks_until_released(
    input: &mut KillInput,
    rules: &KillInputRules,
    listed: &Listed,
) -> Option<u8> {
    (1..100).find(|_| {
        input.look(listed, rules);
        !input.is_asserted(at(1_000_000), rules)
    })
}

#[test]
fn when_it_goes_while_it_asserts_expect_it_forgotten_after_two_looks_in_a_row() {
    let mut input = KillInput::default();
    input.sample(true, &from(1, 0), &WIRED);
    let (there, gone) = (list(&[1], Identifiers::Unknown), list(&[], Identifiers::Unknown));
    for listed in [&there, &gone, &there, &gone] {
        input.look(listed, &WIRED);
        assert!(input.is_asserted(at(0), &WIRED), "once says nothing");
    }
    assert_eq!(looks_until_released(&mut input, &WIRED, &gone), Some(1), "twice in a row does");
    // Whoever presses next presses anew.
    assert_eq!(input.sample(true, &from(2, 1), &WIRED), (true, true));
}

#[test]
fn when_another_one_goes_expect_the_press_kept() {
    let mut input = KillInput::default();
    input.sample(true, &from(1, 0), &WIRED);
    input.sample(true, &from(2, 0), &WIRED);
    let listed = list(&[2], Identifiers::Same);
    assert_eq!(looks_until_released(&mut input, &WIRED, &listed), None);
    assert_eq!(input.asserted_by(at(0), &WIRED), Some([2; 16]));
}

#[test]
fn when_it_was_never_listed_expect_it_missed_only_where_identifiers_are_the_same() {
    let pressed = || {
        let mut input = KillInput::default();
        input.sample(true, &from(1, 0), &WIRED);
        input
    };
    let unknown = list(&[], Identifiers::Unknown);
    assert_eq!(looks_until_released(&mut pressed(), &WIRED, &unknown), None);
    // The first look may have been made before the sample was sent.
    let same = list(&[], Identifiers::Same);
    assert_eq!(looks_until_released(&mut pressed(), &WIRED, &same), Some(3));
    let many: Vec<u8> = (100..120).collect();
    let not_whole = list(&many, Identifiers::Same);
    assert_eq!(looks_until_released(&mut pressed(), &WIRED, &not_whole), None);
    let mut nameless = KillInput::default();
    nameless.sample(true, &Receipt { publisher: None, ..from(1, 0) }, &WIRED);
    assert_eq!(looks_until_released(&mut nameless, &WIRED, &same), None);
}

#[test]
fn when_it_speaks_between_two_looks_expect_it_not_missed() {
    let mut input = KillInput::default();
    let gone = list(&[], Identifiers::Same);
    for ms in 0..20 {
        input.sample(true, &from(1, ms), &WIRED);
        input.look(&gone, &WIRED);
        input.look(&gone, &WIRED);
        assert!(input.is_asserted(at(ms), &WIRED));
    }
}

#[test]
fn when_there_is_a_heartbeat_expect_only_silence_to_end_a_press() {
    let mut input = KillInput::default();
    input.sample(true, &from(1, 0), &BEATING);
    for _ in 0..20 {
        input.look(&list(&[], Identifiers::Same), &BEATING);
    }
    assert!(input.is_asserted(at(500), &BEATING));
    assert!(!input.is_asserted(at(501), &BEATING));
}

#[test]
fn when_a_dead_man_goes_let_go_of_expect_it_let_go_until_another_is_held() {
    let mut input = KillInput::default();
    input.sample(true, &from(1, 0), &DEAD_MAN);
    let nobody = list(&[], Identifiers::Same);
    assert_eq!(looks_until_released(&mut input, &DEAD_MAN, &nobody), None);
    input.sample(false, &from(2, 1), &DEAD_MAN);
    let second = list(&[2], Identifiers::Same);
    assert_eq!(looks_until_released(&mut input, &DEAD_MAN, &second), Some(1));
}

#[test]
fn when_as_many_died_pressed_as_are_told_apart_expect_the_next_press_heard() {
    let mut input = KillInput::default();
    for publisher in 0..8 {
        assert_eq!(input.sample(true, &from(publisher, 0), &BEATING), (true, publisher == 0));
    }
    assert!(!input.is_asserted(at(501), &BEATING));
    assert_eq!(input.sample(true, &from(9, 600), &BEATING), (true, true));
    assert!(input.is_asserted(at(1_100), &BEATING));
    assert_eq!(input.sample(false, &from(9, 1_100), &BEATING), (false, false));
}
