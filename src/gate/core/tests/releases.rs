//! Reset and arm in two steps, and everything that may come between them.

use super::bench::{Bench, SERVICE, rules};
use crate::gate::condition::ConditionCode;
use crate::gate::lane::LaneGraph;
use crate::gate::machine::Report;
use crate::gate::release::Latched;
use crate::gate::state::{BootRecord, Refused, State};
use crate::gate::test_rules;

fn disarmed() -> Bench {
    let mut bench = Bench::new(rules(vec![test_rules::velocity_lane(2)]));
    bench.run(200);
    bench
}

fn killed() -> Bench {
    let mut bench = disarmed();
    bench.gate.kill(SERVICE, bench.now());
    bench.run(50);
    bench
}

fn record(bench: &Bench) -> (State, u64) {
    let Latched { state, seq } = bench.gate.machine().record();
    (state, seq)
}

fn state(bench: &Bench) -> (State, u64) {
    (bench.gate.machine().state(), bench.gate.machine().seq())
}

#[test]
fn when_an_arm_is_begun_expect_its_mark_to_be_written_and_nothing_else_changed() {
    let mut bench = disarmed();
    assert_eq!(bench.gate.begin_arm(1, 0, bench.now()), Ok(()));
    assert_eq!(record(&bench), (State::Active, 2));
    assert_eq!(state(&bench), (State::Disarmed, 1));
    assert!(!bench.gate.is_permitted());
    assert_eq!(bench.gate.begin_arm(1, 0, bench.now()), Err(Refused::Busy));
    assert_eq!(bench.gate.begin_reset(1, bench.now()), Err(Refused::Busy));
    bench.run(30);
    assert_eq!(bench.gate.conclude_release(bench.now()), Ok(()));
    assert_eq!((state(&bench), record(&bench)), ((State::Active, 2), (State::Active, 2)));
}

#[test]
fn when_a_kill_comes_between_expect_it_to_win_and_to_be_what_is_written() {
    let mut bench = disarmed();
    bench.gate.begin_arm(1, 0, bench.now()).unwrap();
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(record(&bench), (State::Killed, 2));
    assert_eq!(bench.gate.conclude_release(bench.now()), Err(Refused::ResetFirst));

    // Over a reset even the same cause once more is news: what is on disk may say disarmed already.
    bench.gate.begin_reset(2, bench.now()).unwrap();
    assert_eq!(record(&bench), (State::Disarmed, 3));
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(record(&bench), (State::Killed, 3));
    // A flood of them moves the number once.
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(bench.gate.conclude_release(bench.now()), Err(Refused::SeqMoved));
    assert_eq!(state(&bench), (State::Killed, 3));
    let (seq, now) = (3, bench.now());
    assert_eq!(bench.gate.reset(seq, now), Ok(()));
}

#[test]
fn when_a_disarm_or_the_end_comes_between_expect_the_arm_withdrawn() {
    for shut_down in [false, true] {
        let mut bench = disarmed();
        bench.gate.begin_arm(1, 0, bench.now()).unwrap();
        if shut_down {
            bench.gate.shut_down(bench.now());
        } else {
            assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
        }
        assert_eq!(record(&bench), (State::Disarmed, 1), "the mark is taken back");
        assert_eq!(bench.gate.conclude_release(bench.now()), Err(Refused::Withdrawn));
        assert_eq!(state(&bench), (State::Disarmed, 1));
        assert_eq!(
            bench.gate.conclude_release(bench.now()),
            Err(Refused::Withdrawn),
            "nothing begun"
        );
    }
}

#[test]
fn when_nobody_waits_for_it_any_more_expect_an_arm_and_a_reset_withdrawn() {
    let mut bench = disarmed();
    bench.gate.begin_arm(1, 0, bench.now()).unwrap();
    bench.gate.abandon_release();
    assert_eq!(record(&bench), (State::Disarmed, 1), "the mark is taken back");
    assert_eq!(bench.gate.conclude_release(bench.now()), Err(Refused::Withdrawn));
    assert_eq!(state(&bench), (State::Disarmed, 1));
    bench.gate.kill(SERVICE, bench.now());
    bench.gate.begin_reset(2, bench.now()).unwrap();
    bench.gate.abandon_release();
    assert_eq!(record(&bench), (State::Killed, 2));
    assert_eq!(bench.gate.conclude_release(bench.now()), Err(Refused::Withdrawn));
    assert_eq!(state(&bench), (State::Killed, 2));
    // Nothing is in the way of the next one.
    assert_eq!(bench.gate.reset(2, bench.now()), Ok(()));
}

#[test]
fn when_a_condition_fails_between_expect_the_arm_refused() {
    let mut bench = disarmed();
    bench.gate.begin_arm(1, 0, bench.now()).unwrap();
    bench.gate.graph(0, LaneGraph::default());
    bench.run(10);
    assert_eq!(bench.gate.conclude_release(bench.now()), Err(Refused::Unmet));
    assert_eq!(record(&bench), (State::Disarmed, 1));
}

#[test]
fn when_the_record_cannot_be_written_expect_reset_and_arm_refused_and_a_stop_served() {
    let mut bench = killed();
    let seq = bench.gate.machine().seq();
    bench.gate.begin_reset(seq, bench.now()).unwrap();
    bench.gate.set_latch_writable(false);
    assert_eq!(bench.gate.conclude_release(bench.now()), Err(Refused::Unmet));
    assert_eq!(bench.unmet(), [ConditionCode::LatchNotWritable]);
    assert_eq!(bench.gate.begin_reset(seq, bench.now()), Err(Refused::Unmet), "not even begun");
    bench.gate.kill(Report { rising: true, ..SERVICE }, bench.now());
    assert_eq!(bench.gate.machine().state(), State::Killed);
    bench.gate.set_latch_writable(true);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
}

#[test]
fn when_the_boot_was_another_expect_nothing_held_for_what_was_sent_in_it() {
    for (record, held) in [(BootRecord::EndedActive, true), (BootRecord::EndedActiveEarlier, false)]
    {
        let mut lane = test_rules::position_lane(1);
        lane.release = std::time::Duration::from_secs(1);
        let mut bench = Bench::booted(rules(vec![lane]), record);
        bench.pose = vec![0.25];
        let sent = bench.run(100);
        assert_eq!(bench.gate.machine().state(), State::Killed);
        assert_eq!(!sent.is_empty(), held, "{record:?}: {sent:?}");
    }
}
