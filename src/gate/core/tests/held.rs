//! What ends a hold, and what does not: refusals that go on, a source that died meanwhile, joints that
//! were left to themselves.

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::command::Command;
use crate::gate::lane_state::LaneState;
use crate::gate::limits::Bounds;
use crate::gate::rules::{LaneRules, OnLimit, OnLimits, Shape, SilenceThen};
use crate::gate::safe::SafeCommand;
use crate::gate::state::State;
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::verdict::{Reason, Verdict};

/// Arms that refuse what is too fast, and a base.
fn arms_and_base() -> Bench {
    let mut arms = position_lane(1);
    arms.on_limit = OnLimits { position: OnLimit::Reject, ..arms.on_limit };
    arms.limits[0].position = Some(Bounds { min: -1.0, max: 1.0 });
    let base = velocity_lane(1);
    Bench::new(rules(vec![arms, base])).armed()
}

/// One command for each lane, every 20 ms.
fn both(bench: &mut Bench, arms: f64, base: f64, ms: u64) -> Vec<LaneState> {
    let mut states = Vec::new();
    for _ in 0..ms / 20 {
        bench.send(0, 0, &[arms]);
        bench.send(1, 0, &[base]);
        bench.run(20);
        bench.pose[0] = bench.gate.lane(0).unwrap().sent()[0].value;
        states.push(bench.lane_state(1));
    }
    states
}

/// The same bad commands go on while held: they are refused there, too, and do not end the hold.
#[test]
fn hazard_47_refusals_that_go_on_keep_every_lane_held() {
    let mut bench = arms_and_base();
    both(&mut bench, 0.01, 0.05, 1_000);
    assert_eq!(bench.lane_state(1), LaneState::Flowing);
    both(&mut bench, 9.0, 0.05, 1_000);
    let states = both(&mut bench, 9.0, 0.05, 5_000);
    assert!(states.iter().all(|state| *state == LaneState::Holding), "{states:?}");
    assert_eq!(bench.gate.lane(1).unwrap().sent()[0].value, 0.0);
    assert_eq!(bench.verdict(0, &[9.0]), Verdict::Withheld);
    // What would be forwarded ends it, once the share of refusals is small again.
    both(&mut bench, 0.01, 0.05, 2_000);
    assert_eq!(
        (bench.lane_state(0), bench.lane_state(1)),
        (LaneState::Flowing, LaneState::Flowing)
    );
}

/// Its policy asked for motion, was stopped for something else, and is gone when that ends.
#[test]
fn hazard_47_a_source_that_died_while_its_lane_was_held_holds_all() {
    for dies_before_the_end_ms in [500, 20] {
        let mut bench = arms_and_base();
        for step in 0..50 {
            both(&mut bench, 0.002 * f64::from(step), 0.05, 20);
        }
        bench.feedback = false;
        for step in 50..65 {
            both(&mut bench, 0.002 * f64::from(step), 0.05, 20);
        }
        assert_eq!(bench.lane_state(1), LaneState::Holding);
        bench.stream(1, 0, &[0.05], dies_before_the_end_ms);
        bench.feedback = true;
        bench.stream(1, 0, &[0.05], 2_000);
        assert_eq!(bench.lane_state(0), LaneState::Holding, "{dies_before_the_end_ms}");
        assert_eq!(bench.lane_state(1), LaneState::Holding, "{dies_before_the_end_ms}");
        both(&mut bench, 0.1, 0.05, 1_000);
        assert_eq!(bench.lane_state(1), LaneState::Flowing, "it is back");
    }
}

/// Who sends for each measurement sends nothing while none comes: it has its timeout again, and no silence
/// is counted in a hold that is not its own.
#[test]
fn when_a_source_waits_for_the_feedback_that_is_lost_expect_no_silence_of_its_own() {
    let mut arms = position_lane(1);
    arms.silence = SilenceThen::Kill(std::time::Duration::from_secs(1));
    let mut gate = rules(vec![arms, velocity_lane(1)]);
    gate.causes[Cause::SourceSilent.index()].action = Some(Action::Kill);
    let mut bench = Bench::new(gate).armed();
    for step in 0..50 {
        both(&mut bench, 0.002 * f64::from(step), 0.05, 20);
    }
    bench.feedback = false;
    bench.stream(1, 0, &[0.05], 12_000);
    assert_eq!((bench.state(), bench.lane_state(0)), (State::Active, LaneState::Holding));
    bench.feedback = true;
    bench.stream(1, 0, &[0.05], 160);
    both(&mut bench, 0.1, 0.05, 1_000);
    assert_eq!((bench.state(), bench.lane_state(0)), (State::Active, LaneState::Flowing));
}

/// What it says while it is held counts: that the motion is over, or who goes on with it.
#[test]
fn when_a_motion_is_said_to_be_over_while_held_expect_its_lane_to_wait_and_hold_nobody() {
    let feedback = || LaneRules { feedback: Some(0), ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![feedback(), position_lane(1)])).armed();
    bench.velocity = vec![0.0];
    bench.stream(0, 0, &[0.05], 400);
    bench.feedback = false;
    bench.stream(0, 0, &[0.05], 200);
    // Let go, once.
    bench.send(0, 0, &[0.0]);
    bench.run(100);
    bench.feedback = true;
    bench.stream(1, 0, &[0.001], 2_000);
    assert_eq!(
        (bench.lane_state(0), bench.lane_state(1)),
        (LaneState::Waiting, LaneState::Flowing)
    );
}

#[test]
fn when_a_plan_that_was_held_would_be_over_expect_its_planner_to_owe_nothing() {
    let plans = LaneRules {
        shape: Shape::Trajectory,
        safe: SafeCommand::HoldPoint { tolerance: 0.05 },
        ..position_lane(1)
    };
    let mut plans = plans;
    plans.sources[0].timeout = Some(std::time::Duration::from_secs(30));
    let mut bench = Bench::new(rules(vec![plans, velocity_lane(1)])).armed();
    let mut plan = Command::with_capacity(1, 64);
    plan.points = 1;
    plan.times.push(10_000_000_000);
    plan.position.push(0.5);
    assert!(bench.send_command(0, 0, &mut plan).forwards());
    bench.run(500);
    bench.feedback = false;
    bench.run(200);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    bench.feedback = true;
    bench.run(40_000);
    bench.stream(1, 0, &[0.05], 400);
    assert_eq!(
        (bench.lane_state(0), bench.lane_state(1)),
        (LaneState::Waiting, LaneState::Flowing)
    );
}

/// A policy moved two lanes and died: each is held by the other, and teleoperation takes both.
#[test]
fn when_two_lanes_are_silent_expect_a_higher_source_of_both_to_take_over() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1), velocity_lane(1)])).armed();
    for _ in 0..20 {
        bench.send(0, 1, &[0.05]);
        bench.send(1, 1, &[0.05]);
        bench.run(20);
    }
    bench.run(400);
    assert_eq!(
        (bench.lane_state(0), bench.lane_state(1)),
        (LaneState::Holding, LaneState::Holding)
    );
    for _ in 0..20 {
        bench.send(0, 0, &[0.05]);
        bench.send(1, 0, &[0.05]);
        bench.run(20);
    }
    assert_eq!(
        (bench.lane_state(0), bench.lane_state(1)),
        (LaneState::Flowing, LaneState::Flowing)
    );
}

/// A stream that goes on while its lane is frozen for another is no refusal: against where it is held
/// every command is too fast.
#[test]
fn when_a_stream_goes_on_while_held_for_another_expect_it_alive_and_no_cause_of_it() {
    let mut arms = position_lane(1);
    arms.on_limit = OnLimits { velocity: OnLimit::Reject, ..arms.on_limit };
    arms.limits[0].velocity = Some(Bounds { min: -0.5, max: 0.5 });
    arms.feedback = None;
    arms.safe = SafeCommand::Silent;
    arms.silence = SilenceThen::Kill(std::time::Duration::from_secs(1));
    let mut held = position_lane(1);
    held.safe = SafeCommand::Freeze { tolerance: 0.1 };
    let mut gate = rules(vec![held, arms]);
    gate.causes[Cause::RefusalsSustained.index()].action = Some(Action::Kill);
    let mut bench = Bench::new(gate).armed();
    bench.send(0, 0, &[0.0]);
    let step = |bench: &mut Bench, n: i32| {
        bench.send(1, 0, &[0.004 * f64::from(n)]);
        bench.run(20);
    };
    (0..50).for_each(|n| step(&mut bench, n));
    bench.feedback = false;
    (50..200).for_each(|n| step(&mut bench, n));
    assert_eq!(bench.state(), State::Active);
    assert_eq!(bench.lane_state(1), LaneState::Holding);
}

/// One that waits after a finished motion owes nothing.
#[test]
fn when_a_lane_was_at_rest_before_a_hold_expect_its_silence_to_hold_nobody() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1), position_lane(1)])).armed();
    bench.stream(0, 0, &[0.05], 400);
    bench.stream(0, 0, &[0.0], 400);
    bench.feedback = false;
    bench.run(600);
    bench.feedback = true;
    bench.pose = vec![0.0];
    bench.stream(1, 0, &[0.001], 600);
    assert_eq!(bench.lane_state(0), LaneState::Waiting);
    assert_eq!(bench.lane_state(1), LaneState::Flowing);
}

/// Nobody in charge by name any more is no silence: whoever streams goes on.
#[test]
fn when_a_lane_is_given_back_to_priority_in_motion_expect_it_to_flow_on() {
    for balance in [false, true] {
        let lane = if balance {
            LaneRules {
                balance,
                safe: SafeCommand::Silent,
                silence: SilenceThen::Kill(std::time::Duration::ZERO),
                ..velocity_lane(1)
            }
        } else {
            velocity_lane(1)
        };
        let mut bench = Bench::new(rules(vec![lane])).armed();
        bench.stream(0, 0, &[0.05], 400);
        let now = bench.now().steady;
        assert_eq!(bench.gate.select_source(0, Some(0), now), Ok(()));
        assert_eq!(bench.gate.select_source(0, None, now), Ok(()));
        bench.run(40);
        assert_eq!(bench.lane_state(0), LaneState::Flowing);
        bench.stream(0, 0, &[0.05], 400);
        assert_eq!((bench.state(), bench.lane_state(0)), (State::Active, LaneState::Flowing));
        // A lower one that streams, too, takes nothing.
        assert_eq!(bench.verdict(1, &[0.05]), Verdict::NotSelected);
        // Unless nobody does.
        bench.run(240);
        assert_ne!(bench.lane_state(0), LaneState::Flowing);
    }
}

/// What sags while nothing is sent to it does not diverge from what was sent before.
#[test]
fn when_joints_left_to_themselves_sag_expect_the_hold_to_end_with_the_next_command() {
    let lane = LaneRules { safe: SafeCommand::Silent, ..position_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    for step in 0..50 {
        bench.send(0, 0, &[0.002 * f64::from(step)]);
        bench.run(20);
        bench.pose[0] = bench.gate.lane(0).unwrap().sent()[0].value;
    }
    bench.run(300);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    bench.pose[0] -= 0.6;
    bench.run(1_000);
    let pose = bench.pose[0];
    let forwarded = (0..20).any(|_| {
        bench.run(20);
        bench.send(0, 0, &[pose]).0.forwards()
    });
    assert!(forwarded, "{:?}", bench.lane_state(0));
}

/// Total effort is not judged by a pose that was measured long ago.
#[test]
fn when_feedback_is_only_told_to_be_stale_expect_total_effort_not_judged_by_it() {
    let mut lane = position_lane(1);
    lane.balance = true;
    lane.safe = SafeCommand::Silent;
    lane.limits[0].total_effort = Some(60.0);
    lane.limits[0].kp = Some(200.0);
    lane.limits[0].kd = Some(200.0);
    lane.limits[0].effort = Some(200.0);
    lane.limits[0].velocity = None;
    let mut gate = rules(vec![lane]);
    gate.causes[Cause::FeedbackStale.index()].action = Some(Action::Warn);
    let mut bench = Bench::new(gate).armed();
    let send = |bench: &mut Bench, position: f64| {
        let mut command = Command::with_capacity(1, 64);
        command.points = 1;
        command.position.push(position);
        command.kp.push(100.0);
        command.kd.push(0.0);
        bench.send_command(0, 0, &mut command)
    };
    let refusal = send(&mut bench, 0.61).refusal.map(|refusal| refusal.reason);
    assert_eq!(refusal, Some(Reason::TotalEffort));
    bench.feedback = false;
    // A gap of one message is none.
    bench.run(180);
    let refusal = send(&mut bench, 0.61).refusal.map(|refusal| refusal.reason);
    assert_eq!(refusal, Some(Reason::TotalEffort));
    bench.run(120);
    let decision = send(&mut bench, 0.61);
    assert!(decision.forwards(), "{decision:?}");
}

/// A limp lane's commands are judged from where its joints are: good ones end a hold for refusals.
#[test]
fn when_a_limp_lane_was_held_for_refusals_expect_good_commands_to_end_it() {
    for safe in [SafeCommand::Silent, SafeCommand::Damping] {
        let lane = LaneRules { safe, safe_targets: vec![1.0], ..position_lane(1) };
        let mut bench = Bench::new(rules(vec![lane])).armed();
        bench.stream(0, 0, &[0.01], 1_000);
        for _ in 0..40 {
            bench.refuse(0, 0, Reason::NotFinite);
            bench.run(20);
        }
        assert_eq!(bench.lane_state(0), LaneState::Holding, "{safe:?}");
        bench.stream(0, 0, &[0.01], 1_500);
        assert_eq!(bench.lane_state(0), LaneState::Flowing, "{safe:?}");
    }
}

/// And what would be refused there keeps it held.
#[test]
fn when_a_limp_lane_is_held_for_refusals_expect_it_held_while_they_go_on() {
    let mut lane =
        LaneRules { safe: SafeCommand::Damping, safe_targets: vec![1.0], ..position_lane(1) };
    lane.on_limit.position = OnLimit::Reject;
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.stream(0, 0, &[0.01], 1_000);
    bench.stream(0, 0, &[9.0], 1_000);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    for _ in 0..200 {
        bench.send(0, 0, &[9.0]);
        bench.run(20);
        assert_eq!(bench.lane_state(0), LaneState::Holding);
    }
}

/// Refused commands keep no source alive, also while they hold its lane.
#[test]
fn hazard_47_refusals_in_motion_escalate_as_the_silence_they_are() {
    let mut arms = position_lane(1);
    arms.on_limit = OnLimits { position: OnLimit::Reject, ..arms.on_limit };
    arms.silence = SilenceThen::Kill(std::time::Duration::from_secs(5));
    let mut bench = Bench::new(rules(vec![arms, velocity_lane(1)])).armed();
    for step in 0..50 {
        both(&mut bench, 0.002 * f64::from(step), 0.05, 20);
    }
    both(&mut bench, 9.0, 0.05, 4_000);
    assert_eq!(bench.state(), State::Active);
    both(&mut bench, 9.0, 0.05, 3_000);
    assert_eq!((bench.state(), bench.last_cause()), (State::Killed, Some(Cause::SourceSilent)));
}

/// Whoever an operator puts in charge owes nothing for who was there before.
#[test]
fn when_another_source_is_selected_after_a_silence_expect_nothing_owed_by_it() {
    let mut lane = velocity_lane(1);
    lane.sources[0].timeout = Some(std::time::Duration::from_secs(30));
    lane.silence = SilenceThen::Kill(std::time::Duration::from_secs(1));
    let feedback = LaneRules { feedback: Some(0), ..lane };
    let mut bench = Bench::new(rules(vec![feedback, position_lane(1)]));
    bench.velocity = vec![0.0];
    let mut bench = bench.armed();
    bench.send(0, 0, &[0.0]);
    bench.stream(0, 1, &[0.05], 400);
    bench.feedback = false;
    bench.run(200);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(0), now), Ok(()));
    bench.feedback = true;
    bench.run(90_000);
    assert_eq!((bench.state(), bench.lane_state(0)), (State::Active, LaneState::Waiting));
}

/// A short burst of refusals is no cause that acts, and what another hold makes unfit does not make it one.
#[test]
fn when_refusals_have_not_lasted_expect_a_hold_for_another_not_to_make_them_last() {
    let mut arms = position_lane(1);
    arms.on_limit = OnLimits { velocity: OnLimit::Reject, ..arms.on_limit };
    arms.limits[0].velocity = Some(Bounds { min: -0.5, max: 0.5 });
    arms.feedback = None;
    arms.safe = SafeCommand::Silent;
    let mut gate = rules(vec![position_lane(1), arms]);
    let refusals = &mut gate.causes[Cause::RefusalsSustained.index()];
    refusals.action = Some(Action::Kill);
    refusals.debounce = Some(std::time::Duration::from_secs(2));
    let mut bench = Bench::new(gate).armed();
    bench.send(0, 0, &[0.0]);
    for _ in 0..6 {
        bench.refuse(1, 0, Reason::NotFinite);
        bench.run(20);
    }
    for step in 0..250 {
        bench.feedback = step < 5;
        bench.send(1, 0, &[0.004 * f64::from(step)]);
        bench.run(20);
    }
    assert_eq!(bench.state(), State::Active);
}
