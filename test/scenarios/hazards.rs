//! Hazards as scenes told by hand, judged by the oracle besides what each asserts.

use interlock::gate::cause::{Action, Cause};
use interlock::gate::command::Command;
use interlock::gate::lane_state::LaneState;
use interlock::gate::rules::LaneRules;
use interlock::gate::safe::SafeCommand;
use interlock::gate::state::{BootRecord, State};
use interlock::gate::verdict::Verdict;

use super::oracle::Oracle;
use super::plain::{armed, gate, plan_lane, position_lane, scene, source, target, velocity_lane};
use super::rig::{Rig, Sent};
use super::script::Script;
use super::trace::{From, What};

const MILLISECOND: u64 = 1_000_000;

fn judge(script: &Script) {
    Oracle::judge(&script.rig.rules, script.rig.boot, &script.rig.trace).unwrap();
}

fn state(script: &Script) -> State {
    script.rig.view().state
}

/// How many commands went out in the steps from `from` on.
fn forwarded(script: &Script, from: usize) -> usize {
    let steps = script.rig.trace[from..].iter();
    let outputs = steps.flat_map(|step| &step.outputs);
    outputs.filter(|output| matches!(output.from, From::Source(_))).count()
}

#[test]
fn hazard_02_stale_command_after_reset() {
    for informed in [true, false] {
        let mut script = armed(gate(vec![velocity_lane(1)]));
        script.informed = informed;
        script.wait(20 * MILLISECOND);
        assert!(script.send(0, 0, &[0.02]).is_some());
        script.rig.kill();
        let killed = script.rig.trace.len();
        let speak = |script: &mut Script| {
            for _ in 0..10 {
                script.wait(20 * MILLISECOND);
                script.send(0, 0, &[0.02]);
            }
        };
        // It publishes all through killed, reset and the wait for the arm; the last stays queued.
        speak(&mut script);
        let seq = script.rig.view().seq;
        assert!(script.rig.reset(seq));
        speak(&mut script);
        let command = target(script.rig.rules.lanes[0].interface, &[0.02]);
        let left = script.publish(0, 0, 0, command);
        script.rig.queue(left.clone());
        let seq = script.rig.view().seq;
        assert!(script.rig.arm(seq, 0));
        assert_eq!(script.rig.take(0, 0), None, "drained");
        assert_eq!(forwarded(&script, killed), 0);
        // Delivered twice, the second time after the arm: fenced where there is message info.
        if informed {
            script.rig.queue(Sent { sequence: None, ..left });
            assert_eq!(script.rig.take(0, 0), Some(Verdict::Rejected));
        }
        assert_eq!(forwarded(&script, killed), 0);
        script.wait(20 * MILLISECOND);
        assert_eq!(script.send(0, 0, &[0.02]), Some(Verdict::Passed));
        judge(&script);
    }
}

#[test]
fn hazard_42_stale_arm_accepted() {
    let mut script = scene(gate(vec![position_lane(2)]));
    script.wait(200 * MILLISECOND);
    // Somebody sees `seq` and sends an arm, which is delayed on its way.
    let seen = script.rig.view().seq;
    script.rig.kill();
    let killed = script.rig.view().seq;
    script.wait(100 * MILLISECOND);
    assert!(!script.rig.arm(seen, 0), "killed");
    assert!(script.rig.reset(killed));
    script.wait(200 * MILLISECOND);
    for stale in [seen, killed, 0, u64::MAX] {
        assert!(!script.rig.arm(stale, 0), "{stale}");
        assert_eq!(state(&script), State::Disarmed);
    }
    let now = script.rig.view().seq;
    assert!(script.rig.arm(now, 0));
    // The same of a reset.
    script.rig.kill();
    assert!(!script.rig.reset(now) && !script.rig.reset(killed));
    assert_eq!(state(&script), State::Killed);
    judge(&script);
}

#[test]
fn hazard_44_faster_is_freer_on_every_output() {
    for times_nominal in [1_u64, 3, 10, 100] {
        let mut lane = position_lane(1);
        let mut fast = source(100);
        // The bucket is wide open: what is asked is whether the limits are.
        (fast.max_rate_hz, fast.burst) = (50.0, 100_000);
        lane.sources = vec![fast];
        let mut script = armed(gate(vec![lane]));
        let start = script.rig.now;
        let mut step = 0;
        while script.rig.now - start < 400 * MILLISECOND {
            step += 1;
            script.wait(20 * MILLISECOND / times_nominal);
            let there = if step % 2 == 0 { 1.0 } else { 0.99 };
            assert_eq!(script.send(0, 0, &[there]), Some(Verdict::Limited));
        }
        let commands = script.rig.trace.iter().filter(|s| matches!(s.what, What::Command(_)));
        assert!(commands.count() >= 20);
        // 2 per s for 0.4 s, and the time saved before; the oracle looks at every window.
        let reached = script.rig.pose[0][0];
        assert!(reached <= 2.0 * (0.4 + 0.02 + 0.03) && reached > 0.5, "{reached}");
        judge(&script);
    }
}

// ---- found by the suites: each stands for a case that once failed ---------------------------------

#[test]
fn when_nobody_in_particular_is_selected_expect_the_lane_not_left_alone() {
    let mut script = armed(gate(vec![velocity_lane(1)]));
    script.wait(20 * MILLISECOND);
    assert!(script.send(0, 0, &[0.02]).is_some());
    assert!(script.rig.select(0, None));
    // Nobody speaks any more. The controller must not keep the last command for ever.
    let before = script.rig.trace.len();
    script.wait(500 * MILLISECOND);
    let outputs = script.rig.trace[before..].iter().map(|step| step.outputs.len());
    assert!(outputs.sum::<usize>() > 20, "the lane is {}", script.rig.view().lanes[0].state);
}

#[test]
fn when_a_command_from_the_last_run_comes_again_without_a_number_expect_it_fenced() {
    let mut script = armed(gate(vec![velocity_lane(1)]));
    script.wait(20 * MILLISECOND);
    let command = target(script.rig.rules.lanes[0].interface, &[0.02]);
    let sent = script.publish(0, 0, 0, command);
    // A middleware that gives stamps and no sequence numbers.
    let sent = Sent { sequence: None, ..sent };
    script.rig.queue(sent.clone());
    assert_eq!(script.rig.take(0, 0), Some(Verdict::Passed));
    script.rig.kill();
    script.make_ready();
    script.wait(20 * MILLISECOND);
    script.rig.queue(sent);
    assert_eq!(script.rig.take(0, 0), Some(Verdict::Rejected), "it is older than the arm");
}

#[test]
fn when_a_command_names_no_moving_axis_expect_it_not_to_take_over() {
    let mut script = armed(gate(vec![velocity_lane(2)]));
    script.wait(20 * MILLISECOND);
    assert_eq!(script.send(0, 1, &[0.02, 0.0]), Some(Verdict::Passed));
    let mut command = Command::with_capacity(2, 2);
    command.points = 1;
    // `partial`: only the second axis is named, and it is to stand still.
    command.given[0] = false;
    command.velocity.extend([f64::NAN, 0.0]);
    assert_eq!(script.send_from(0, 0, 0, command), Some(Verdict::NotSelected));
}

#[test]
fn when_feedback_has_just_gone_stale_after_a_limp_stop_expect_no_jump() {
    for safe in [SafeCommand::Damping, SafeCommand::Silent] {
        let lane = LaneRules { safe, safe_targets: vec![1.0], ..position_lane(1) };
        let mut script = armed(gate(vec![lane]));
        // The joints are left to themselves, and for 100 ms and a little nothing is heard of them;
        // the next tick, which would hold the lane, is still to come.
        script.feedback = false;
        while script.send(0, 0, &[f64::NAN]) == Some(Verdict::Rejected) {
            script.wait(5 * MILLISECOND);
            let steps = script.rig.trace.iter().rev();
            let mut heard = steps.filter(|s| matches!(s.what, What::Feedback { .. }));
            let silent = script.rig.now - heard.next().unwrap().at;
            if silent > 100 * MILLISECOND {
                break;
            }
        }
        let before = script.rig.pose[0][0];
        script.send(0, 0, &[0.9]);
        let after = script.rig.pose[0][0];
        assert!((after - before).abs() <= 0.06 + 1e-9, "{safe:?}: from {before} to {after}");
    }
}

#[test]
fn when_a_stopped_plan_falls_silent_beside_a_moving_one_expect_only_the_latter_to_hold() {
    let mut script = armed(gate(vec![plan_lane(1), plan_lane(1)]));
    script.wait(20 * MILLISECOND);
    let stop = || Command::with_capacity(1, 1);
    let mut plan = Command::with_capacity(1, 1);
    plan.points = 1;
    plan.position.push(0.01);
    plan.times.push(400_000_000);
    assert_eq!(script.send_from(1, 0, 0, plan), Some(Verdict::Passed));
    assert_eq!(script.send_from(0, 0, 0, stop()), Some(Verdict::Passed));
    script.wait(120 * MILLISECOND);
    let states = |script: &Script| script.rig.view().lanes.iter().map(|lane| lane.state).collect();
    let held: Vec<LaneState> = states(&script);
    assert_eq!(held, [LaneState::Holding; 2]);
    // The moving one is heard again: nothing else holds either of them.
    assert_eq!(script.send_from(1, 0, 0, stop()), Some(Verdict::Passed));
    script.wait(20 * MILLISECOND);
    let after: Vec<LaneState> = states(&script);
    assert_eq!(after, [LaneState::Waiting, LaneState::Flowing]);
    judge(&script);
}

#[test]
fn hazard_38_start_drops_robot_by_a_cause_while_killed_since_boot() {
    let limp = LaneRules {
        balance: true,
        safe: SafeCommand::Damping,
        safe_targets: vec![1.0],
        ..position_lane(1)
    };
    for lane in [limp, position_lane(1)] {
        let mut rules = gate(vec![lane]);
        rules.causes[Cause::GateStalled.index()].action = Some(Action::Kill);
        let rig = Rig::new(rules, BootRecord::Killed, 7, vec![vec![0.3]]);
        let mut script = Script::new(rig);
        script.wait(100 * MILLISECOND);
        // A late tick is a cause that kills. Nobody armed or killed in this run: somebody else may
        // hold the output, and killed it is already.
        script.rig.sleep(100 * MILLISECOND);
        script.rig.tick();
        script.wait(100 * MILLISECOND);
        assert_eq!(state(&script), State::Killed);
        let outputs: usize = script.rig.trace.iter().map(|step| step.outputs.len()).sum();
        assert_eq!(outputs, 0);
    }
}
