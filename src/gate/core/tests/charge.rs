//! What counts for and against a source: whose command it is, when it was sent, and since when it is in
//! charge.

use std::time::Duration;

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::lane_state::LaneState;
use crate::gate::notice::Notice;
use crate::gate::publisher::Receipt;
use crate::gate::rules::{CauseRules, Handover, LaneRules};
use crate::gate::state::State;
use crate::gate::test_rules::velocity_lane;
use crate::gate::units::WallTime;
use crate::gate::verdict::{Limit, Reason, Verdict};

#[test]
fn when_a_stranger_sends_on_the_topic_expect_its_refusals_held_against_nobody() {
    let mut rules = rules(vec![velocity_lane(1)]);
    let sustained = &mut rules.causes[Cause::RefusalsSustained.index()];
    (sustained.action, sustained.above) = (Some(Action::Hold), Some(0.2));
    let mut bench = Bench::new(rules).armed();
    for _ in 0..250 {
        assert!(bench.send(0, 0, &[0.01]).0.forwards());
        let receipt = Receipt { publisher: Some([9; 16]), sequence: None, ..bench.receipt() };
        let (decision, _) = bench.send_with(0, 0, &[0.9], receipt);
        let reason = decision.refusal.map(|refusal| refusal.reason);
        assert_eq!(reason, Some(Reason::OtherPublisher));
        bench.run(50);
        assert_eq!(bench.lane_state(0), LaneState::Flowing);
    }
    // Its own do count, however few.
    for _ in 0..250 {
        bench.send(0, 0, &[0.01]);
        bench.refuse(0, 0, Reason::NotFinite);
        bench.run(50);
    }
    assert_eq!(bench.lane_state(0), LaneState::Holding);
}

#[test]
fn when_a_source_is_put_in_charge_expect_what_it_did_before_forgotten() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    for step in 0..20 {
        bench.send(0, 0, &[if step % 2 == 0 { 0.9 } else { -0.9 }]);
        bench.run(20);
    }
    let counted = |bench: &mut Bench| {
        let now = bench.now().steady;
        let shares = &mut bench.gate.lanes[0].sources[0].shares;
        [&mut shares.limited, &mut shares.refused, &mut shares.sent].map(|all| all.counts(now).1)
    };
    assert!(counted(&mut bench).iter().all(|all| *all >= 20));
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    bench.run(2_000);
    let mut bench = bench.armed();
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
    // The one that took over, which counts as the first, or is not counted yet.
    assert!(counted(&mut bench).iter().all(|all| *all <= 1), "{:?}", counted(&mut bench));
}

#[test]
fn when_a_message_of_the_last_activity_comes_after_an_arm_expect_it_fenced() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let sent = Receipt { sequence: None, ..bench.receipt() };
    assert!(bench.send_with(0, 0, &[0.01], sent).0.forwards());
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    bench.run(2_000);
    let mut bench = bench.armed();
    let late = Receipt { at: bench.now(), ..sent };
    let (decision, _) = bench.send_with(0, 0, &[0.01], late);
    assert_eq!(decision.refusal.map(|refusal| refusal.reason), Some(Reason::Fenced));
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
}

#[test]
fn when_a_stamp_is_asked_for_expect_its_age_judged_to_the_nanosecond_and_told() {
    let mut lane = velocity_lane(1);
    lane.sources[0].max_age = Some(Duration::from_millis(200));
    let mut bench = Bench::new(rules(vec![lane])).armed();
    const MS: i64 = 1_000_000;
    for (age, refusal) in [
        (0, None),
        (200 * MS, None),
        (200 * MS + 1, Some((Reason::StaleStamp, 0.2, 0.2))),
        (500 * MS, Some((Reason::StaleStamp, 0.5, 0.2))),
        (-100 * MS, None),
        (-100 * MS - 1, Some((Reason::FutureStamp, 0.1, 0.1))),
        (-3000 * MS, Some((Reason::FutureStamp, 3.0, 0.1))),
    ] {
        bench.run(20);
        let stamp = WallTime::from_nanos(bench.now().wall.as_nanos() - age);
        let decision = bench.send_stamped(0, 0, &[0.01], Some(stamp));
        let found = decision.refusal.map(|refusal| (refusal.reason, refusal.found, refusal.bound));
        match (found, refusal) {
            (None, None) => {}
            (Some((reason, found, bound)), Some(expected)) => {
                assert_eq!((reason, bound), (expected.0, expected.2), "{age}");
                assert!((found - expected.1).abs() < 1e-6, "{age}: {found}");
            }
            other => panic!("{age}: {other:?}"),
        }
    }
    for none in [None, Some(WallTime::from_nanos(0))] {
        bench.run(20);
        let refusal = bench.send_stamped(0, 0, &[0.01], none).refusal.unwrap();
        assert_eq!((refusal.reason, refusal.bound), (Reason::StaleStamp, 0.2));
        assert!(refusal.found.is_nan());
    }
}

#[test]
fn when_a_lane_begins_to_flow_expect_it_told_once() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.notices();
    bench.stream(0, 0, &[0.01], 200);
    let told = bench.notices();
    let flows = |notice: &&Notice| matches!(notice, Notice::Lane { to: LaneState::Flowing, .. });
    assert_eq!(told.iter().filter(flows).count(), 1, "{told:?}");
    assert_eq!(bench.gate.lanes().len(), 1);
    assert!(bench.gate.next_safe().is_none());
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(bench.gate.next_safe(), Some(bench.now().steady));
}

#[test]
fn when_what_surrounds_the_gate_took_a_while_to_build_expect_no_tick_missed() {
    for resumes in [true, false] {
        let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
        bench.now_ms += 5_000;
        if resumes {
            bench.gate.resume(bench.now().steady);
        }
        bench.now_ms += 10;
        assert_eq!(bench.gate.is_stalled(bench.now().steady), !resumes);
        assert_eq!(bench.state(), State::Disarmed);
    }
}

#[test]
fn a_source_that_was_selected_while_disarmed_is_the_one_of_the_next_arm() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    bench.stream(0, 1, &[0.0], 200);
    let now = bench.now().steady;
    assert_eq!(bench.gate.lane(0).unwrap().selected(), None);
    assert!(bench.gate.select_source(0, Some(1), now).is_ok());
    assert_eq!(bench.gate.lane(0).unwrap().selected(), Some(1));
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{:?}", bench.unmet());
    assert_eq!(bench.gate.lane(0).unwrap().owner(), Some(1));
}

#[test]
fn when_a_source_is_not_in_charge_or_nothing_may_pass_expect_nothing_counted_for_a_cause() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let counted = |bench: &mut Bench, source: usize| {
        let now = bench.now().steady;
        bench.gate.lanes[0].sources[source].shares.sent.counts(now).1
    };
    bench.stream(0, 0, &[0.01], 100);
    for _ in 0..5 {
        bench.send(0, 0, &[0.01]);
        assert_eq!(bench.verdict(1, &[0.01]), Verdict::NotSelected);
        bench.run(20);
    }
    assert_eq!((counted(&mut bench, 0), counted(&mut bench, 1)), (10, 0));
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    bench.stream(0, 0, &[0.01], 100);
    assert_eq!((counted(&mut bench, 0), counted(&mut bench, 1)), (10, 0));
}

/// More than `above` times what its rate makes in the window, and a burst on top.
#[test]
fn when_a_source_floods_expect_it_told_from_the_first_message_too_many() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.causes[Cause::RateExceeded.index()] = CauseRules {
        action: Some(Action::Disarm),
        above: Some(1.5),
        window: Some(Duration::from_secs(2)),
        debounce: Some(Duration::ZERO),
    };
    let mut bench = Bench::new(rules).armed();
    // 50 Hz for 2 s, one and a half times, and 5.
    for _ in 0..155 {
        bench.send(0, 0, &[0.01]);
    }
    bench.run(10);
    assert_eq!(bench.state(), State::Active);
    bench.send(0, 0, &[0.01]);
    bench.run(10);
    assert_eq!(bench.state(), State::Disarmed);
    let trip = bench.gate.machine().last_trip().unwrap();
    assert_eq!((trip.cause, trip.found, trip.bound), (Cause::RateExceeded, 1.56, 1.55));
}

/// What a source did in charge is not held against the lane once another drives it, nor after it.
#[test]
fn when_a_source_that_floods_is_replaced_or_disarmed_expect_the_cause_gone_with_it() {
    for replaced in [true, false] {
        let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
        bench.stream(0, 1, &[0.01], 100);
        for _ in 0..100 {
            bench.send(0, 1, &[0.01]);
        }
        bench.run(10);
        let floods = |bench: &Bench| {
            bench.gate.causes_present(bench.now().steady).contains(Cause::RateExceeded)
        };
        assert!(floods(&bench));
        if replaced {
            assert!(bench.send(0, 0, &[0.01]).0.forwards());
        } else {
            assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
        }
        bench.run(10);
        assert!(!floods(&bench), "{replaced}");
    }
}

#[test]
fn when_a_stranger_is_refused_expect_the_sources_rate_kept_and_when_it_errs_itself_used() {
    for (reason, refusal) in
        [(Reason::PublisherNotAllowed, None), (Reason::Malformed, Some(Reason::RateExceeded))]
    {
        let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
        bench.run(200);
        for _ in 0..50 {
            bench.refuse(0, 0, reason);
        }
        let decision = bench.send(0, 0, &[0.01]).0;
        assert_eq!(decision.refusal.map(|refusal| refusal.reason), refusal);
    }
}

#[test]
fn when_a_source_is_selected_in_motion_expect_it_led_in() {
    let handover = Handover { duration: Duration::from_secs(1), limit_scale: 0.25 };
    let lane = LaneRules { handover, ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    for _ in 0..100 {
        bench.send(0, 0, &[0.9]);
        bench.send(0, 1, &[0.9]);
        bench.run(20);
    }
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.9);
    assert!(bench.gate.select_source(0, Some(1), bench.now().steady).is_ok());
    let led_in = bench.send(0, 1, &[0.9]).0;
    assert!(led_in.limits.contains(Limit::Handover), "{led_in:?}");
    bench.run(20);
    bench.stream(0, 1, &[0.9], 2_000);
    assert_eq!(bench.verdict(1, &[0.9]), Verdict::Passed);
}
