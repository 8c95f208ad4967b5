//! Publishers of kill inputs that come and go, seen by the whole gate.

use std::time::Duration;

use super::bench::*;
use crate::gate::cause::Cause;
use crate::gate::condition::ConditionCode;
use crate::gate::kill_input::{Identifiers, Listed};
use crate::gate::publisher::Receipt;
use crate::gate::rules::{KillAction, KillInputRules};
use crate::gate::state::{Refused, State};
use crate::gate::test_rules::{heartbeat, velocity_lane};

/// A gate with one kill input without a heartbeat.
fn wired(action: KillAction) -> Bench {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.kill_inputs = vec![KillInputRules { timeout: None, action, ..KillInputRules::default() }];
    Bench::new(rules)
}

fn says(bench: &mut Bench, publisher: u8, asserted: bool) {
    let receipt = Receipt { publisher: Some([publisher; 16]), ..bench.receipt() };
    bench.gate.kill_input(0, Some(asserted), &receipt);
}

/// Looks at the graph, a second apart, that list these.
fn looks(bench: &mut Bench, count: u32, publishers: &[u8]) {
    for _ in 0..count {
        let listed = publishers.iter().map(|gid| [*gid; 16]);
        bench.gate.kill_input_listed(0, &Listed::of(listed, Identifiers::Unknown));
        bench.run(1_000);
    }
}

#[test]
fn hazard_05_reset_can_never_succeed_after_a_publisher_that_died() {
    let mut bench = wired(KillAction::Kill).armed();
    says(&mut bench, 1, true);
    looks(&mut bench, 5, &[1]);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Err(Refused::Unmet));
    // Its driver is started anew, and says that the button is released; the old one is a ghost.
    says(&mut bench, 2, false);
    looks(&mut bench, 20, &[1, 2]);
    assert_eq!(bench.gate.reset(seq, bench.now()), Err(Refused::Unmet));
    looks(&mut bench, 1, &[2]);
    assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted]);
    looks(&mut bench, 1, &[2]);
    // Nothing is released by that: it is killed as before, for the same reason.
    assert_eq!(bench.unmet(), []);
    assert_eq!((bench.gate.machine().state(), bench.gate.machine().seq()), (State::Killed, seq));
    assert!(!bench.gate.is_permitted());
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    // The next press, of whomever, is one.
    let mut bench = bench.armed();
    says(&mut bench, 2, true);
    assert_eq!(bench.gate.machine().state(), State::Killed);
}

#[test]
fn when_the_next_press_comes_after_one_was_forgotten_expect_it_to_be_news() {
    let mut bench = wired(KillAction::Kill).armed();
    says(&mut bench, 1, true);
    looks(&mut bench, 1, &[1]);
    looks(&mut bench, 3, &[]);
    let seq = bench.gate.machine().seq();
    says(&mut bench, 2, true);
    // A reset that was meant for the first one is stale.
    assert_eq!(bench.gate.machine().seq(), seq + 1);
    says(&mut bench, 2, false);
    assert_eq!(bench.gate.reset(seq, bench.now()), Err(Refused::SeqMoved));
}

#[test]
fn when_a_dead_man_s_publisher_dies_let_go_of_expect_no_arm_until_another_is_held() {
    let mut bench = wired(KillAction::Disarm);
    says(&mut bench, 1, true);
    looks(&mut bench, 1, &[1]);
    looks(&mut bench, 20, &[]);
    assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted]);
    says(&mut bench, 2, false);
    looks(&mut bench, 2, &[2]);
    assert_eq!(bench.unmet(), []);
}

/// As many as are remembered assert: one more cannot push a press out of memory.
#[test]
fn when_all_that_are_remembered_assert_expect_none_forgotten_for_a_newcomer() {
    let mut bench = wired(KillAction::Kill);
    for publisher in 1..=8 {
        says(&mut bench, publisher, true);
    }
    says(&mut bench, 9, false);
    for publisher in 2..=8 {
        says(&mut bench, publisher, false);
    }
    let pressed = |bench: &Bench| {
        bench.gate.causes_present(bench.now().steady).contains(Cause::KillInputAsserted)
    };
    assert!(pressed(&bench));
    assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted]);
    says(&mut bench, 1, false);
    assert!(!pressed(&bench));
    assert_eq!(bench.unmet(), []);
}

/// A newcomer takes the record of one that does not assert, however long ago the others pressed.
#[test]
fn when_one_of_those_that_are_remembered_does_not_assert_expect_a_newcomer_s_press_kept_too() {
    for released in 1..=8 {
        let mut bench = wired(KillAction::Kill);
        for publisher in 1..=8 {
            says(&mut bench, publisher, publisher != released);
            bench.run(10);
        }
        says(&mut bench, 9, true);
        for publisher in 1..=8 {
            says(&mut bench, publisher, false);
        }
        assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted], "{released}");
        says(&mut bench, 9, false);
        assert_eq!(bench.unmet(), [], "{released}");
    }
}

/// What cannot be read may be a press, so it acts as one; once, and again when it begins anew.
#[test]
fn when_an_input_cannot_be_read_expect_what_a_press_does() {
    let mut bench = wired(KillAction::Kill).armed();
    bench.gate.kill_input_unread(0, true, bench.now());
    assert_eq!(bench.state(), State::Killed);
    assert_eq!(bench.last_cause(), Some(Cause::KillInputAsserted));
    let seq = bench.gate.machine().seq();
    bench.gate.kill_input_unread(0, false, bench.now());
    assert_eq!(bench.gate.machine().seq(), seq, "it goes on");
    bench.run(2_000);
    bench.gate.kill_input_unread(0, true, bench.now());
    assert_eq!(bench.gate.machine().seq(), seq + 1, "it begins anew");
    // While it is not killed, going on is enough.
    let mut bench = wired(KillAction::Kill).armed();
    bench.gate.kill_input_unread(0, false, bench.now());
    assert_eq!(bench.state(), State::Killed);
    let mut bench = wired(KillAction::Disarm).armed();
    says(&mut bench, 1, false);
    assert_eq!(bench.state(), State::Active);
    bench.gate.kill_input_unread(0, false, bench.now());
    assert_eq!(bench.state(), State::Disarmed);
}

/// A sample without a number, stamped by its publisher.
fn says_at(bench: &mut Bench, stamp: i64, asserted: bool) {
    let receipt = Receipt {
        publisher: Some([1; 16]),
        sequence: None,
        source_timestamp: Some(stamp),
        ..bench.receipt()
    };
    bench.gate.kill_input(0, Some(asserted), &receipt);
}

/// Where the middleware numbers nothing, only the publisher's own stamps say what is newer.
#[test]
fn hazard_04_reset_with_cause_present_after_the_publishers_clock_was_set_back() {
    let mut bench = wired(KillAction::Kill).armed();
    says_at(&mut bench, 5_000, false);
    assert_eq!(bench.state(), State::Active);
    says_at(&mut bench, 1_000, true);
    assert_eq!(bench.state(), State::Killed);
    assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted], "it is still pressed");
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Err(Refused::Unmet));
    // Older than the press by its own clock: nothing.
    says_at(&mut bench, 900, false);
    assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted]);
    says_at(&mut bench, 1_100, false);
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
}

/// A heartbeat is heard, whatever its clock says.
#[test]
fn when_a_heartbeats_clock_is_set_back_expect_no_silence() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.kill_inputs = vec![heartbeat(Duration::from_secs(5))];
    let mut bench = Bench::new(rules);
    for step in 0..200 {
        let stamp = if step < 100 { 1_000_000 + step } else { step };
        says_at(&mut bench, stamp, false);
        bench.run(10);
        assert!(!bench.unmet().contains(&ConditionCode::KillInputSilent), "{step}");
    }
}
