//! Shadow sources and watch lanes: judged, never forwarded, and nothing depends on them.

use proptest::prelude::*;

use super::bench::*;
use crate::gate::condition::ConditionCode;
use crate::gate::core::SelectRefused;
use crate::gate::lane_state::LaneState;
use crate::gate::rules::{LaneMode, LaneRules, OnLimit, SourceMode};
use crate::gate::snapshot::Snapshot;
use crate::gate::state::State;
use crate::gate::test_rules::{position_lane, source, velocity_lane};
use crate::gate::verdict::{Limit, Reason, Verdict};

/// A live source, and a shadow above it.
fn shadowed() -> LaneRules {
    let mut lane = position_lane(1);
    lane.sources = vec![source(200), source(10)];
    lane.sources[0].mode = SourceMode::Shadow;
    lane
}

fn watched() -> LaneRules {
    LaneRules { mode: LaneMode::Watch, ..position_lane(1) }
}

#[test]
fn when_a_shadow_sends_expect_it_judged_against_its_own_reference_and_never_forwarded() {
    let mut bench = Bench::new(rules(vec![shadowed()]));
    bench.pose = vec![0.5];
    bench.run(100);
    // Judged although nothing is permitted: from the measured pose, 2 rad/s.
    let mut sent = 0.0;
    for step in 0..20 {
        let (decision, would) = bench.send(0, 0, &[0.9]);
        assert!(decision.shadow && !decision.forwards());
        assert_eq!(decision.sequence, step + 1);
        assert_eq!(decision.verdict, if sent < 0.85 { Verdict::Limited } else { Verdict::Passed });
        assert!(would[0] - 0.5 <= 0.04 * 20.0);
        sent = would[0];
        bench.run(20);
    }
    assert_eq!(sent, 0.9);
    let mut bench = bench.armed();
    bench.run(20);
    // The live one goes its own way.
    assert!(bench.send(0, 1, &[0.51]).0.forwards());
    assert!(!bench.send(0, 0, &[0.9]).0.forwards());
    assert_eq!(bench.gate.lane(0).unwrap().owner(), Some(1));
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.51);
    let refused = bench.send(0, 0, &[f64::NAN]).0;
    assert_eq!((refused.verdict, refused.shadow), (Verdict::Rejected, true));
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(0), now), Err(SelectRefused::Shadow));
}

#[test]
fn when_the_first_command_is_within_the_limits_expect_it_to_pass() {
    // 2 per s² in one and a half periods of 20 ms: what a live source may do after a gap.
    for (first, verdict) in [(0.055, Verdict::Passed), (0.065, Verdict::Limited)] {
        let mut bench =
            Bench::new(rules(vec![LaneRules { mode: LaneMode::Watch, ..velocity_lane(1) }]));
        for _ in 0..2 {
            bench.run(1_000);
            assert_eq!(bench.send(0, 0, &[first]).0.verdict, verdict);
        }
    }
}

#[test]
fn when_a_shadow_is_limited_expect_the_limit_told_and_what_it_would_have_changed() {
    let mut bench = Bench::new(rules(vec![shadowed()]));
    bench.run(100);
    let (decision, would) = bench.send(0, 0, &[0.9]);
    assert!(decision.limits.contains(Limit::Velocity), "{decision:?}");
    let lane = bench.gate.lane(0).unwrap();
    assert_eq!(lane.applied(), [decision.limits]);
    let [change] = lane.changes() else { panic!("{:?}", lane.changes()) };
    assert_eq!((change.requested, change.sent), (0.9, would[0]));
}

#[test]
fn when_a_joint_was_never_commanded_nor_measured_expect_its_first_command_judged_from_zero() {
    let lane = LaneRules { mode: LaneMode::Watch, ..position_lane(2) };
    let mut bench = Bench::new(rules(vec![lane]));
    bench.feedback = false;
    let first = bench.send_partial(0, 0, &[0.0, f64::NAN], &[true, false]);
    assert_eq!(first.verdict, Verdict::Passed);
    bench.run(20);
    assert_eq!(bench.send_partial(0, 0, &[0.0, 0.01], &[true, true]).verdict, Verdict::Passed);
    assert_eq!(bench.gate.lane(0).unwrap().seen()[1].judged, 1);
}

#[test]
fn when_a_watched_command_is_refused_for_one_joint_expect_it_counted_as_limited_there() {
    let mut lane = LaneRules { mode: LaneMode::Watch, ..position_lane(2) };
    lane.on_limit.velocity = OnLimit::Reject;
    lane.sources[1].mode = SourceMode::Shadow;
    let mut bench = Bench::new(rules(vec![lane]));
    bench.run(20);
    let (decision, _) = bench.send(0, 0, &[0.0, 0.9]);
    assert_eq!(decision.refusal.map(|refusal| refusal.reason), Some(Reason::Velocity));
    let counts = |bench: &Bench| {
        let seen = bench.gate.lane(0).unwrap().seen();
        [0, 1].map(|joint| (seen[joint].judged, seen[joint].limited))
    };
    assert_eq!(counts(&bench), [(1, 0), (1, 1)]);
    // What a shadow would do is not what the lane saw.
    bench.run(20);
    bench.send(0, 1, &[0.9, 0.9]);
    assert_eq!(counts(&bench), [(1, 0), (1, 1)]);
    assert_eq!(bench.gate.lane(0).unwrap().seen()[0].max_position, 0.0);
}

#[test]
fn when_a_gap_is_as_long_as_it_may_be_expect_the_stream_unbroken() {
    for (gap, rate) in [(200, Some(0.5)), (210, None)] {
        let mut bench = Bench::new(rules(vec![watched()]));
        bench.run(20);
        bench.send(0, 0, &[0.0]);
        bench.run(gap);
        bench.send(0, 0, &[0.1]);
        let seen = bench.gate.lane(0).unwrap().seen()[0].max_velocity;
        assert!(rate.map_or(seen.is_nan(), |rate: f64| (seen - rate).abs() < 1e-9), "{seen}");
    }
}

proptest! {
    /// With a shadow that sends anything at any time, everything else is what it is without.
    #[test]
    fn a_shadow_changes_nothing(
        script in prop::collection::vec((any::<bool>(), -2.0..2.0_f64, -2.0..2.0_f64), 1..60),
    ) {
        let run = |with_shadow: bool| {
            let mut bench = Bench::new(rules(vec![shadowed()])).armed();
            let mut out = Vec::new();
            for (live_sends, live, shadow) in &script {
                if with_shadow {
                    bench.send(0, 0, &[*shadow]);
                }
                if *live_sends {
                    let (decision, sent) = bench.send(0, 1, &[*live]);
                    out.push((Some(decision.verdict), sent));
                }
                out.extend(bench.run(30).into_iter().map(|values| (None, values)));
                out.push((None, vec![f64::from(u8::from(bench.gate.is_permitted()))]));
            }
            (out, bench.state(), bench.lane_state(0))
        };
        prop_assert_eq!(run(true), run(false));
    }
}

#[test]
fn when_a_lane_is_watched_expect_it_judged_always_and_part_of_nothing() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1), watched()]));
    bench.gate.graph(1, crate::gate::lane::LaneGraph::default());
    // No pose, no reader: neither is asked of a watch lane.
    bench.feedback = false;
    let mut bench = bench.armed();
    for _ in 0..10 {
        let (decision, _) = bench.send(1, 0, &[0.1]);
        assert!(decision.shadow && decision.verdict == Verdict::Passed);
        assert_eq!(bench.send(1, 1, &[0.1]).0.verdict, Verdict::NotSelected);
        bench.run(20);
    }
    // The first in priority that is alive is in charge.
    bench.run(400);
    assert_eq!(bench.send(1, 1, &[0.1]).0.verdict, Verdict::Passed);
    assert_eq!(bench.lane_state(1), LaneState::Released);
    let now = bench.now().steady;
    assert!(bench.gate.would_send(1, &mut [0.0], (now, now)).is_none());
    assert_eq!(bench.gate.select_source(1, Some(1), now), Err(SelectRefused::Watched));
    // Neither its silence nor its refusals stop anything.
    for _ in 0..50 {
        bench.refuse(1, 0, Reason::NotFinite);
        bench.send(0, 0, &[0.01]);
        bench.run(20);
    }
    bench.gate.kill(SERVICE, bench.now());
    let now = bench.now().steady;
    assert!(bench.gate.take_safe(1, now).is_none());
    assert_eq!((bench.state(), bench.lane_state(1)), (State::Killed, LaneState::Released));
}

#[test]
fn when_a_lane_is_watched_expect_what_it_saw() {
    let mut bench = Bench::new(rules(vec![watched()]));
    bench.feedback = false;
    for value in [0.0, 0.01, 0.03, 0.03, 0.5] {
        bench.send(0, 0, &[value]);
        bench.run(20);
    }
    let seen = bench.gate.lane(0).unwrap().seen()[0];
    assert_eq!((seen.min_position, seen.max_position), (0.0, 0.5));
    assert!((seen.max_velocity - 23.5).abs() < 1e-6, "{seen:?}");
    assert!((seen.max_acceleration - 1_175.0).abs() < 1e-3, "{seen:?}");
    assert_eq!((seen.judged, seen.limited), (5, 1));
    let snapshot = Snapshot::new(&bench.gate, bench.now());
    assert_eq!(snapshot.lanes[0].seen[0].judged, 5);
    // A stream that broke off starts anew.
    bench.run(1_000);
    bench.send(0, 0, &[-1.0]);
    let seen = bench.gate.lane(0).unwrap().seen()[0];
    assert!((seen.max_velocity - 23.5).abs() < 1e-6, "{seen:?}");
    // Watched alone, there is nothing to wait for, and nothing that an arm would move.
    assert!(!bench.unmet().contains(&ConditionCode::NoController));
}
