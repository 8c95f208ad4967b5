//! The self test: real trips, nothing on an output, and any real stop wins.

use std::time::Duration;

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::fault::Level;
use crate::gate::lane::LaneGraph;
use crate::gate::lane_state::LaneState;
use crate::gate::machine::{Report, Subject};
use crate::gate::publisher::Receipt;
use crate::gate::rules::{CauseRules, GateRules, KillAction, KillInputRules, LaneRules};
use crate::gate::safe::SafeCommand;
use crate::gate::self_test::{Flaw, Reach, SelfTestRefusal, TESTER};
use crate::gate::state::{Refused, State};
use crate::gate::test_rules::{position_lane, velocity_lane};

/// A button, a dead-man and a bare heartbeat beside a base and an arm.
fn all() -> GateRules {
    let input = |action| KillInputRules {
        timeout: Some(Duration::from_millis(300)),
        kill_after: Duration::from_secs(3600),
        action,
    };
    let mut rules = rules(vec![velocity_lane(1), position_lane(1)]);
    rules.kill_inputs =
        vec![input(KillAction::Kill), input(KillAction::Disarm), input(KillAction::Kill)];
    rules
}

impl Bench {
    /// One asserting message of the test.
    fn test(&mut self, input: usize) -> Result<Reach, Flaw> {
        let receipt = Receipt {
            publisher: Some(TESTER),
            sequence: None,
            source_timestamp: None,
            ..self.receipt()
        };
        self.gate.test_kill_input(input, Some(true), &receipt)
    }

    /// A message of somebody's.
    fn press(&mut self, input: usize, asserted: bool) {
        let receipt = Receipt { publisher: Some([9; 16]), ..self.receipt() };
        self.gate.kill_input(input, Some(asserted), &receipt);
    }

    /// The test's own reset, with time to write in between.
    fn take_back(&mut self, seq: u64) -> Result<(), Refused> {
        self.gate.begin_test_reset(seq, self.now())?;
        self.run(50);
        self.gate.conclude_release(self.now())
    }

    fn seq(&self) -> u64 {
        self.gate.machine().seq()
    }
}

/// Lets time pass; nothing may be due on any output.
fn silent(bench: &mut Bench, ms: u64) {
    for _ in 0..ms / 10 {
        bench.run(10);
        assert_eq!(bench.gate.next_safe(), None);
        assert_eq!([0, 1].map(|lane| bench.lane_state(lane)), [LaneState::Released; 2]);
    }
}

#[test]
fn when_each_input_is_tested_expect_its_trip_reset_and_the_rest_as_it_was() {
    let mut bench = Bench::new(all());
    bench.press(0, false);
    bench.press(2, false);
    let (seq, asserted) = (bench.seq(), bench.gate.causes_present(bench.now().steady));
    assert_eq!(bench.gate.begin_self_test(), Ok(()));
    assert_eq!(bench.test(0), Ok(Reach::Trip));
    assert_eq!((bench.state(), bench.seq()), (State::Killed, seq + 1));
    let trip = *bench.gate.machine().first_trip().unwrap();
    assert_eq!((trip.cause, trip.subject), (Cause::SelfTest, Subject::KillInput(0)));
    // The button itself does not assert: nothing is in the way of its reset.
    assert_eq!(bench.gate.causes_present(bench.now().steady), asserted);
    assert_eq!(bench.take_back(seq + 1), Ok(()));
    assert_eq!((bench.state(), bench.seq()), (State::Disarmed, seq + 2));
    // A dead-man trips nothing while disarmed: its level is what can be tested.
    assert_eq!(bench.test(1), Ok(Reach::Level));
    assert_eq!((bench.state(), bench.seq()), (State::Disarmed, seq + 2));
    assert_eq!(bench.gate.test_heartbeat(2, bench.now().steady), Ok(Reach::Heartbeat));
    // The way of the verbs.
    assert_eq!(bench.gate.test_trip(Subject::Node, bench.now()), Ok(seq + 3));
    assert_eq!(bench.take_back(seq + 3), Ok(()));
    bench.gate.end_self_test();
    // One of its trips is kept; and a real press counts as ever.
    let causes = bench.gate.machine().trips().iter().map(|trip| trip.cause).collect::<Vec<_>>();
    assert_eq!(causes, [Cause::SelfTest]);
    bench.press(0, true);
    assert_eq!(
        (bench.state(), bench.last_cause()),
        (State::Killed, Some(Cause::KillInputAsserted))
    );
}

#[test]
fn when_a_message_or_a_heartbeat_is_not_what_it_should_be_expect_a_flaw_and_no_trip() {
    let mut bench = Bench::new(all());
    assert_eq!(bench.gate.begin_self_test(), Ok(()));
    let receipt = Receipt { publisher: Some(TESTER), ..bench.receipt() };
    for read in [None, Some(false)] {
        assert_eq!(bench.gate.test_kill_input(0, read, &receipt), Err(Flaw::NotRead));
    }
    // Under another name it is nobody's test.
    let other = Receipt { publisher: Some([9; 16]), ..receipt };
    assert_eq!(bench.gate.test_kill_input(0, Some(true), &other), Err(Flaw::NoLevel));
    assert_eq!(bench.gate.test_kill_input(7, Some(true), &receipt), Err(Flaw::NoLevel));
    let now = bench.now().steady;
    assert_eq!(bench.gate.test_heartbeat(2, now), Err(Flaw::NotHeard), "never");
    bench.press(2, false);
    bench.run(310);
    assert_eq!(bench.gate.test_heartbeat(2, bench.now().steady), Err(Flaw::NotHeard), "silent");
    let mut mute = all();
    mute.kill_inputs[2].timeout = None;
    let mute = Bench::new(mute);
    assert_eq!(mute.gate.test_heartbeat(2, mute.now().steady), Err(Flaw::NeverMissed));
    assert_eq!((bench.state(), bench.seq()), (State::Disarmed, 1));
}

#[test]
fn hazard_38_start_drops_robot_by_a_self_test() {
    // Released before anything was armed, and released after it was: the same silence.
    for was_armed in [false, true] {
        let mut bench = Bench::new(all());
        bench.pose = vec![0.25];
        if was_armed {
            for input in [0, 1, 2] {
                bench.press(input, false);
            }
            bench.run(150);
            let seq = bench.seq();
            assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{:?}", bench.unmet());
            assert_eq!(bench.gate.begin_self_test(), Err(SelfTestRefusal::Active));
            assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
            assert_eq!(bench.gate.begin_self_test(), Err(SelfTestRefusal::NotReleased));
            bench.run(1_100);
        }
        silent(&mut bench, 100);
        assert_eq!(bench.gate.begin_self_test(), Ok(()));
        let seq = bench.seq();
        assert_eq!(bench.test(0), Ok(Reach::Trip));
        // Longer than any deadline: killed, and still not a byte, nor anybody asked to cut.
        bench.velocity = vec![0.5];
        silent(&mut bench, 3_000);
        assert_eq!(bench.state(), State::Killed);
        assert!(!bench.gate.moves_after_stop());
        let mut sent = Vec::new();
        for lane in [0, 1] {
            let now = bench.now().steady;
            let took =
                &mut |safe: crate::gate::lane::SafeOutput<'_>| sent.push(safe.values.to_vec());
            assert_eq!(bench.gate.rehearse_stop(lane, now, took), Ok(true));
        }
        assert_eq!(sent, [[0.0], [0.25]], "what a kill would send");
        silent(&mut bench, 100);
        assert_eq!(bench.take_back(seq + 1), Ok(()));
        bench.gate.end_self_test();
        silent(&mut bench, 100);
    }
}

#[test]
fn when_a_lane_has_no_safe_command_expect_it_told_and_silence_by_choice_not() {
    let mut rules = all();
    let mute = |lane| LaneRules { safe: SafeCommand::Silent, ..lane };
    rules.lanes.push(mute(velocity_lane(1)));
    let mut bench = Bench::new(rules);
    bench.feedback = false;
    let now = bench.now().steady;
    let never = &mut |_: crate::gate::lane::SafeOutput<'_>| panic!("there is nothing to send");
    assert_eq!(bench.gate.rehearse_stop(1, now, never), Err(Flaw::NoSafeCommand { lane: 1 }));
    assert_eq!(bench.gate.rehearse_stop(2, now, never), Ok(false));
    assert_eq!(bench.gate.rehearse_stop(9, now, never), Ok(false));
    bench.feedback = true;
    bench.run(20);
    assert_eq!(bench.gate.rehearse_stop(1, bench.now().steady, &mut |_| {}), Ok(true));
}

/// What somebody does in the middle of a test.
type Stop = fn(&mut Bench);

#[test]
fn when_a_real_stop_comes_during_a_self_test_expect_it_to_win_at_every_moment() {
    let stops: [(&str, Stop); 3] = [
        ("verb", |bench| bench.gate.kill(SERVICE, bench.now())),
        // The very input that is being tested, pressed and released at once.
        ("press", |bench| {
            bench.press(0, true);
            bench.press(0, false);
        }),
        ("other", |bench| {
            let report = Report::plain(Cause::KillSignal, Subject::Node);
            bench.gate.kill(report, bench.now());
        }),
    ];
    for (name, stop) in stops {
        for moment in 0..4 {
            let mut bench = Bench::new(all());
            bench.press(0, false);
            assert_eq!(bench.gate.begin_self_test(), Ok(()));
            let seq = bench.seq();
            let step = |at: usize, bench: &mut Bench| {
                if at == moment {
                    stop(bench);
                    assert!(!bench.gate.is_testing(), "it has nothing to take back any more");
                }
            };
            step(0, &mut bench);
            let tested = bench.test(0);
            assert_eq!(tested.is_ok(), moment > 0, "{name} {moment}");
            step(1, &mut bench);
            let begun = bench.gate.begin_test_reset(seq + 1, bench.now());
            assert_eq!(begun.is_ok(), moment > 1, "{name} {moment}");
            step(2, &mut bench);
            bench.run(20);
            let done = bench.gate.conclude_release(bench.now());
            assert_eq!(done.is_ok(), moment > 2, "{name} {moment}");
            step(3, &mut bench);
            bench.gate.end_self_test();
            bench.run(100);
            assert_eq!(bench.state(), State::Killed, "{name} {moment}");
            let first = bench.gate.machine().first_trip().map(|trip| trip.cause);
            assert_ne!(first, Some(Cause::SelfTest), "the real one is the one to look for");
            // And it is a kill like any other: the outputs are taken.
            assert_eq!([0, 1].map(|lane| bench.lane_state(lane)), [LaneState::Safe; 2]);
            let seq = bench.seq();
            assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()), "{name} {moment}");
        }
    }
}

#[test]
fn when_a_self_test_runs_expect_no_verb_and_no_automatic_cause_to_mix_with_it() {
    let mut rules = all();
    rules.causes[Cause::ForeignPublisher.index()] =
        CauseRules { action: Some(Action::Kill), ..CauseRules::default() };
    let mut bench = Bench::new(rules);
    assert!(!bench.gate.is_testing());
    assert_eq!(bench.gate.begin_self_test(), Ok(()));
    assert!(bench.gate.is_testing());
    assert_eq!(bench.gate.begin_self_test(), Err(SelfTestRefusal::Running));
    let seq = bench.seq();
    assert_eq!(bench.gate.begin_arm(seq, 0, bench.now()), Err(Refused::Busy));
    assert_eq!(bench.test(0), Ok(Reach::Trip));
    assert_eq!(bench.gate.begin_self_test(), Err(SelfTestRefusal::Running));
    assert_eq!(bench.gate.begin_reset(seq + 1, bench.now()), Err(Refused::Busy));
    assert_eq!(bench.gate.begin_arm(seq + 1, 0, bench.now()), Err(Refused::Busy));
    // While disarmed it would be an arm condition and latch nothing; so it does here.
    bench.gate.graph(0, LaneGraph { foreign_publishers: 1, ..READ });
    let level = Level::plain(true);
    bench.gate.level(Cause::ForeignPublisher, Subject::Lane(0), level, bench.now());
    bench.run(100);
    assert_eq!(bench.take_back(seq + 1), Ok(()));
    bench.gate.end_self_test();
    assert!(!bench.gate.is_testing());
    bench.run(100);
    assert_eq!((bench.state(), bench.seq()), (State::Disarmed, seq + 2));
    assert_eq!(bench.last_cause(), Some(Cause::SelfTest));
}

#[test]
fn when_it_is_killed_already_expect_a_second_trip_of_the_test_to_prove_nothing() {
    let mut bench = Bench::new(all());
    assert_eq!(bench.gate.begin_self_test(), Ok(()));
    let seq = bench.seq();
    assert_eq!(bench.gate.test_trip(Subject::Node, bench.now()), Ok(seq + 1));
    assert_eq!(bench.gate.test_trip(Subject::Node, bench.now()), Err(Flaw::NotKilled));
}

#[test]
fn when_nothing_may_be_tested_expect_each_refusal() {
    let mut bench = Bench::new(all());
    bench.gate.set_latch_writable(false);
    assert_eq!(bench.gate.begin_self_test(), Err(SelfTestRefusal::LatchNotWritable));
    bench.gate.set_latch_writable(true);
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(bench.gate.begin_self_test(), Err(SelfTestRefusal::Killed));
    assert!(!bench.gate.is_testing());
    // A trip without a test is a kill, and so is one after its end.
    let mut bench = Bench::new(all());
    assert_eq!(bench.gate.test_trip(Subject::Node, bench.now()), Err(Flaw::Interrupted));
    assert_eq!((bench.state(), bench.last_cause()), (State::Killed, Some(Cause::SelfTest)));
    let seq = bench.seq();
    assert_eq!(bench.gate.begin_test_reset(seq, bench.now()), Err(Refused::SeqMoved));
    bench.run(100);
    assert_eq!(bench.lane_state(0), LaneState::Safe);
    // An arm on its way to disk.
    let mut bench = Bench::new(all());
    for input in [0, 1, 2] {
        bench.press(input, false);
    }
    bench.run(200);
    let seq = bench.seq();
    assert_eq!(bench.gate.begin_arm(seq, 0, bench.now()), Ok(()));
    assert_eq!(bench.gate.begin_self_test(), Err(SelfTestRefusal::Busy));
}
