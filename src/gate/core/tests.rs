use super::*;
use crate::gate::condition::ConditionCode;
use crate::gate::limit::LimitSet;
use crate::gate::rules::{
    CauseRules, FeedbackRules, KillInputRules, LaneRules, ProfileRules, ReturnTo, SilenceThen,
};
use crate::gate::test_rules::{TICK, position_lane, velocity_lane};
use crate::gate::units::WallTime;
use crate::gate::verdict::{Limit, Reason};

/// A gate with its clock, driven as the gate thread drives it.
struct Bench {
    gate: Gate,
    now_ms: u64,
    feedback: bool,
    pose: Vec<f64>,
    stamp: i64,
    sequence: u64,
}

const SERVICE: Report = Report::plain(Cause::KillService, Subject::Node);

fn rules(lanes: Vec<LaneRules>) -> GateRules {
    GateRules {
        tick: TICK,
        arm_settle: Duration::from_millis(100),
        simulated_time: false,
        lanes,
        feedback: vec![FeedbackRules { timeout: Duration::from_millis(100), ..Default::default() }],
        profiles: vec![ProfileRules::default()],
        kill_inputs: Vec::new(),
        causes: [CauseRules::default(); Cause::ALL.len()],
    }
}

impl Bench {
    fn new(rules: GateRules) -> Self {
        Self::booted(rules, BootRecord::Clean)
    }

    fn booted(rules: GateRules, record: BootRecord) -> Self {
        let lanes = rules.lanes.len();
        let pose = vec![0.0; rules.lanes.first().map_or(0, |lane| lane.limits.len())];
        let mut gate = Gate::new(rules, record, 1, Moment::default());
        for lane in 0..lanes {
            gate.graph(lane, 1, true);
        }
        Self { gate, now_ms: 0, feedback: true, pose, stamp: 0, sequence: 0 }
    }

    fn now(&self) -> Moment {
        let nanos = self.now_ms * 1_000_000;
        let wall = WallTime::from_nanos(i64::try_from(nanos).unwrap());
        Moment { steady: SteadyTime::from_nanos(nanos), wall }
    }

    /// Lets time pass in ticks; returns the safe commands of lane 0.
    fn run(&mut self, ms: u64) -> Vec<Vec<f64>> {
        let mut out = Vec::new();
        for _ in 0..ms / 10 {
            self.now_ms += 10;
            let now = self.now();
            if self.feedback {
                for lane in 0..self.gate.lanes.len() {
                    if self.gate.lanes[lane].rules.feedback.is_some() {
                        let pose = self.pose.clone();
                        assert!(self.gate.feedback(lane, &pose, &[], now.steady));
                    }
                }
            }
            self.gate.tick(now);
            if let Some(safe) = self.gate.take_safe(0, now.steady) {
                out.push(safe.values.to_vec());
            }
            for lane in 1..self.gate.lanes.len() {
                let _unused = self.gate.take_safe(lane, now.steady);
            }
        }
        out
    }

    fn armed(mut self) -> Self {
        self.run(200);
        let seq = self.gate.machine().seq();
        assert_eq!(self.gate.arm(seq, self.now()), Ok(()), "{:?}", self.unmet());
        self
    }

    fn unmet(&self) -> Vec<ConditionCode> {
        let mut codes = Vec::new();
        self.gate.unmet(self.now().steady, &mut |condition| codes.push(condition.code));
        codes
    }

    fn receipt(&mut self) -> Receipt {
        self.stamp += 1_000_000;
        self.sequence += 1;
        Receipt {
            at: self.now(),
            source_timestamp: Some(self.stamp),
            sequence: Some(self.sequence),
            publisher: Some([1; 16]),
        }
    }

    fn send(&mut self, lane: usize, source: usize, values: &[f64]) -> (Decision, Vec<f64>) {
        let receipt = Receipt {
            publisher: Some([u8::try_from(source).unwrap() + 1; 16]),
            sequence: None,
            ..self.receipt()
        };
        self.send_with(lane, source, values, receipt)
    }

    fn send_with(
        &mut self,
        lane: usize,
        source: usize,
        values: &[f64],
        receipt: Receipt,
    ) -> (Decision, Vec<f64>) {
        let mut command = Command::with_capacity(values.len(), 64);
        command.points = 1;
        let position =
            self.gate.lanes[lane].rules.interface == crate::gate::rules::Interface::Position;
        let quantity = if position { &mut command.position } else { &mut command.velocity };
        quantity.extend_from_slice(values);
        let decision = self.gate.judge(lane, source, Ok(&mut command), &receipt).unwrap();
        self.gate.conclude(lane, source, &decision, receipt.at.steady);
        let sent = if position { command.position } else { command.velocity };
        (decision, sent)
    }

    fn verdict(&mut self, source: usize, values: &[f64]) -> Verdict {
        self.send(0, source, values).0.verdict
    }

    fn lane_state(&self, lane: usize) -> LaneState {
        self.gate.lane(lane).unwrap().state
    }
}

#[test]
fn the_story() {
    let mut bench = Bench::new(rules(vec![position_lane(2)]));
    bench.pose = vec![0.2, -0.1];
    // Nothing before arm.
    assert!(bench.run(200).is_empty());
    assert_eq!(bench.verdict(0, &[0.2, -0.1]), Verdict::Withheld);
    bench = bench.armed();
    // The measured pose is held until a source moves.
    assert_eq!(bench.run(10), [[0.2, -0.1]]);
    assert_eq!(bench.verdict(0, &[0.21, -0.1]), Verdict::Passed);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    assert!(bench.run(20).is_empty(), "a flowing lane publishes nothing of its own");
    let (decision, sent) = bench.send(0, 0, &[0.9, -0.1]);
    assert_eq!(decision.verdict, Verdict::Limited);
    assert!(decision.limits.contains(Limit::Velocity));
    assert!((sent[0] - 0.25).abs() < 1e-12, "2 rad/s for 20 ms after 0.21, not {}", sent[0]);
    bench.run(20);
    assert_eq!(bench.send(0, 0, &[f64::NAN, 0.0]).0.refusal.unwrap().reason, Reason::NotFinite);
    // Killed: the safe command at once, and nothing passes.
    bench.gate.kill(SERVICE, bench.now());
    let now = bench.now().steady;
    let safe = bench.gate.take_safe(0, now).unwrap().values.to_vec();
    assert_eq!(safe, [0.25, -0.1], "the last sent is within the tolerance of the measured");
    assert_eq!(bench.verdict(0, &[0.25, -0.1]), Verdict::Withheld);
    let held = bench.run(500);
    assert!(held.len() >= 49 && held.iter().all(|pose| *pose == safe), "constant to the last bit");
    // Reset moves nothing and permits nothing.
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, bench.now()), Err(Refused::ResetFirst));
    assert_eq!(bench.gate.reset(seq - 1, bench.now()), Err(Refused::SeqMoved));
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    assert_eq!(bench.verdict(0, &[0.25, -0.1]), Verdict::Withheld);
    let released = bench.run(1_500);
    assert!((99..=101).contains(&released.len()), "{} for release_s", released.len());
    assert_eq!(bench.lane_state(0), LaneState::Released);
    let mut bench = bench.armed();
    assert_eq!(bench.verdict(0, &[0.2, -0.1]), Verdict::Passed);
    let counts = *bench.gate.lane(0).unwrap().sources[0].counts();
    assert_eq!(counts.received(), 7);
}

#[test]
fn when_killed_before_any_arm_expect_the_measured_pose_and_silence_without_one() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.pose = vec![0.7];
    bench.run(50);
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(bench.run(10), [[0.7]]);

    let mut blind = Bench::new(rules(vec![position_lane(1)]));
    blind.feedback = false;
    blind.gate.kill(SERVICE, blind.now());
    assert!(blind.run(100).is_empty());
    assert!(blind.gate.notices().drain().any(|n| n == Notice::NoSafeCommand { lane: 0 }));
    // As soon as the pose is known it is held.
    blind.feedback = true;
    assert!(!blind.run(20).is_empty());
}

#[test]
fn hazard_38_start_drops_robot_boot_states() {
    for record in [BootRecord::Clean, BootRecord::Killed, BootRecord::Missing] {
        let mut bench = Bench::booted(rules(vec![position_lane(1)]), record);
        assert!(bench.run(500).is_empty(), "{record:?}: no byte before the first arm or kill");
    }
    let mut base = Bench::booted(rules(vec![velocity_lane(2)]), BootRecord::Killed);
    assert_eq!(base.run(10), [[0.0, 0.0]], "a velocity lane sends zero while killed");
    let mut base = Bench::booted(rules(vec![velocity_lane(2)]), BootRecord::Clean);
    assert!(base.run(500).is_empty());
}

#[test]
fn when_the_source_falls_silent_in_motion_expect_holding_and_after_neutral_waiting() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.run(20);
    assert_eq!(bench.verdict(0, &[0.01]), Verdict::Passed);
    bench.run(190);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    let safe = bench.run(100);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    assert!(!safe.is_empty() && safe.iter().all(|values| *values == [0.0]));
    // Heard again: flowing again.
    assert_eq!(bench.verdict(0, &[0.01]), Verdict::Passed);
    bench.run(20);
    assert_eq!(bench.verdict(0, &[0.0]), Verdict::Passed);
    bench.run(300);
    assert_eq!(bench.lane_state(0), LaneState::Waiting, "a finished goal is not a fault");
    bench.run(60_000);
    assert_eq!(bench.verdict(0, &[0.01]), Verdict::Passed, "a new goal needs no arm");
    assert_eq!(bench.gate.machine().state(), State::Active);
}

#[test]
fn when_silence_is_to_disarm_or_kill_expect_that_after_its_time() {
    for (then, state) in [
        (SilenceThen::Disarm(Duration::from_millis(300)), State::Disarmed),
        (SilenceThen::Kill(Duration::from_millis(300)), State::Killed),
        (SilenceThen::Hold, State::Active),
    ] {
        let lane = LaneRules { silence: then, ..velocity_lane(1) };
        let mut bench = Bench::new(rules(vec![lane])).armed();
        bench.verdict(0, &[0.01]);
        bench.run(400);
        assert_eq!(bench.gate.machine().state(), State::Active);
        bench.run(200);
        assert_eq!(bench.gate.machine().state(), state, "{then:?}");
        let told = bench.gate.machine().last_trip().map(|trip| trip.cause);
        assert_eq!(told.is_some(), state != State::Active);
    }
}

#[test]
fn when_one_lane_holds_expect_all_to_hold_unless_it_is_independent() {
    for independent in [false, true] {
        let first = LaneRules { independent, ..velocity_lane(1) };
        let mut bench = Bench::new(rules(vec![first, velocity_lane(1)])).armed();
        bench.send(0, 0, &[0.01]);
        for _ in 0..15 {
            bench.send(1, 0, &[0.01]);
            bench.run(20);
        }
        assert_eq!(bench.lane_state(0), LaneState::Holding);
        let other = if independent { LaneState::Flowing } else { LaneState::Holding };
        assert_eq!(bench.lane_state(1), other);
        let verdict = bench.send(1, 0, &[0.01]).0.verdict;
        assert_eq!(verdict == Verdict::Withheld, !independent);
        // The silent one speaks again: both flow again.
        assert!(bench.send(0, 0, &[0.01]).0.forwards());
        bench.run(10);
        assert!(bench.send(1, 0, &[0.01]).0.forwards());
    }
}

#[test]
fn when_two_lanes_fell_silent_expect_that_each_can_come_back() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1), velocity_lane(1)])).armed();
    bench.send(0, 0, &[0.01]);
    bench.send(1, 0, &[0.01]);
    bench.run(400);
    assert_eq!(bench.send(0, 0, &[0.01]).0.verdict, Verdict::Withheld);
    assert!(bench.send(1, 0, &[0.01]).0.forwards());
    bench.run(10);
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
}

#[test]
fn when_priorities_meet_expect_up_by_motion_and_down_only_on_purpose() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let (teleop, policy) = (0, 1);
    // An idle joystick does not keep the policy away.
    assert_eq!(bench.verdict(teleop, &[0.0]), Verdict::Passed);
    bench.run(10);
    assert!(bench.send(0, policy, &[0.01]).0.forwards());
    assert_eq!(bench.verdict(teleop, &[0.0]), Verdict::NotSelected);
    bench.run(10);
    // Moved, it takes over; let go, it keeps the lane, alive or silent.
    assert!(bench.send(0, teleop, &[-0.01]).0.forwards());
    bench.run(20);
    assert!(bench.send(0, teleop, &[0.0]).0.forwards());
    assert_eq!(bench.verdict(policy, &[0.01]), Verdict::NotSelected);
    bench.run(5_000);
    assert_eq!(bench.verdict(policy, &[0.01]), Verdict::NotSelected);
    // Back only when somebody says so.
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(policy), now), Ok(()));
    assert!(bench.send(0, policy, &[0.01]).0.forwards());
    bench.run(300);
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(teleop), now), Err(SelectRefused::Silent));
    assert_eq!(bench.gate.select_source(0, Some(7), now), Err(SelectRefused::UnknownSource));
    assert_eq!(bench.gate.select_source(7, None, now), Err(SelectRefused::UnknownLane));
}

#[test]
fn when_return_to_is_auto_expect_the_lower_source_back_after_silence() {
    let lane = LaneRules { return_to: ReturnTo::Auto, ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
    bench.run(100);
    assert_eq!(bench.verdict(1, &[0.01]), Verdict::NotSelected);
    bench.run(300);
    assert!(bench.send(0, 1, &[0.01]).0.forwards());
}

#[test]
fn when_sent_before_the_arm_expect_fenced() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    bench.run(200);
    let before = bench.receipt();
    assert_eq!(bench.send_with(0, 0, &[0.1], before).0.verdict, Verdict::Withheld);
    let mut bench = bench.armed();
    let tail = Receipt { at: bench.now(), sequence: None, ..before };
    let refusal = bench.send_with(0, 0, &[0.1], tail).0.refusal.unwrap();
    assert_eq!(refusal.reason, Reason::Fenced);
    let fresh = bench.receipt();
    assert!(bench.send_with(0, 0, &[0.01], fresh).0.forwards());
}

#[test]
fn when_over_the_rate_expect_left_in_the_queue_and_charged_for_what_was_lost() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let now = bench.now().steady;
    for _ in 0..5 {
        assert!(bench.gate.may_take(0, 0, now));
        let receipt = bench.receipt();
        assert!(bench.send_with(0, 0, &[0.0], receipt).0.forwards());
    }
    assert!(!bench.gate.may_take(0, 0, now));
    assert!(bench.gate.next_take(0, 0).unwrap() > now);
    bench.run(20);
    bench.sequence += 7;
    let receipt = bench.receipt();
    let decision = bench.send_with(0, 0, &[0.0], receipt).0;
    assert_eq!(decision.lost, 7);
    assert_eq!(decision.refusal.unwrap().reason, Reason::RateExceeded);
}

#[test]
fn hazard_44_faster_is_freer() {
    for rate in [1.0, 2.0, 10.0, 100.0] {
        let mut lane = position_lane(1);
        lane.sources[0].max_rate_hz = 5_000.0;
        lane.sources[0].burst = 5_000;
        let mut bench = Bench::new(rules(vec![lane])).armed();
        let count = (50.0 * rate) as u32;
        let start = bench.now().steady.as_nanos();
        let mut sent = 0.0;
        for step in 1..=count {
            let nanos = start + u64::from(step) * 1_000_000_000 / u64::from(count);
            let steady = SteadyTime::from_nanos(nanos);
            let at = Moment { steady, ..Moment::default() };
            let receipt = Receipt { at, sequence: None, ..bench.receipt() };
            sent = bench.send_with(0, 0, &[1.0], receipt).1[0];
        }
        // One second at 2 rad/s, never more; the bound of one rad is reached either way.
        assert!(sent <= 1.0 && sent > 0.0, "{rate}: {sent}");
    }
}

#[test]
fn when_a_kill_input_asserts_expect_killed_and_reset_refused_until_released() {
    let mut rules = rules(vec![velocity_lane(1)]);
    let input = KillInputRules {
        timeout: Some(Duration::from_millis(300)),
        kill_after: Duration::from_millis(500),
    };
    rules.kill_inputs = vec![input];
    let mut bench = Bench::new(rules);
    bench.run(200);
    assert_eq!(bench.unmet(), [ConditionCode::KillInputUnseen]);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, Some(true), &receipt);
    assert_eq!(bench.gate.machine().state(), State::Killed, "also while disarmed");
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Err(Refused::Unmet));
    assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted]);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, Some(false), &receipt);
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    // Silence prevents arm, not reset.
    bench.run(600);
    assert_eq!(bench.unmet(), [ConditionCode::KillInputSilent]);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, None, &receipt);
    assert_eq!(bench.gate.machine().state(), State::Killed, "unreadable asserts");
}

#[test]
fn when_a_kill_input_falls_silent_expect_hold_then_kill() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.kill_inputs = vec![KillInputRules {
        timeout: Some(Duration::from_millis(300)),
        kill_after: Duration::from_millis(500),
    }];
    let mut bench = Bench::new(rules);
    for _ in 0..30 {
        let receipt = bench.receipt();
        bench.gate.kill_input(0, Some(false), &receipt);
        bench.run(10);
    }
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, bench.now()), Ok(()));
    let mut states = Vec::new();
    for _ in 0..50 {
        bench.verdict(0, &[0.01]);
        bench.run(20);
        states.push((bench.gate.machine().state(), bench.lane_state(0)));
    }
    states.dedup();
    assert_eq!(
        states,
        [
            (State::Active, LaneState::Flowing),
            (State::Active, LaneState::Holding),
            (State::Killed, LaneState::Safe),
        ]
    );
    assert_eq!(bench.gate.machine().first_trip().unwrap().cause, Cause::KillInputSilent);
}

#[test]
fn when_feedback_goes_stale_expect_hold_and_back() {
    let mut bench = Bench::new(rules(vec![position_lane(1)])).armed();
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
    bench.feedback = false;
    bench.run(150);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    assert!(!bench.gate.is_permitted());
    assert_eq!(bench.verdict(0, &[0.02]), Verdict::Withheld);
    bench.feedback = true;
    bench.run(10);
    assert!(bench.send(0, 0, &[0.02]).0.forwards());
}

#[test]
fn when_conditions_are_unmet_expect_each_named() {
    let mut bench = Bench::new(rules(vec![position_lane(2)]));
    bench.feedback = false;
    bench.run(100);
    assert_eq!(bench.unmet(), [ConditionCode::FeedbackStale, ConditionCode::NoSafeCommand]);
    bench.feedback = true;
    bench.run(50);
    assert_eq!(bench.unmet(), [ConditionCode::Settling]);
    bench.gate.graph(0, 0, false);
    bench.run(10);
    assert_eq!(bench.unmet(), [ConditionCode::NoController]);
    bench.gate.graph(0, 1, true);
    for step in 0..100 {
        bench.pose = vec![0.0, f64::from(step) * 0.01];
        bench.run(10);
    }
    assert_eq!(bench.unmet(), [ConditionCode::NotStandingStill]);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, bench.now()), Err(Refused::Unmet));

    let mut named = position_lane(1);
    named.names_controller = true;
    let mut bench = Bench::new(GateRules { simulated_time: true, ..rules(vec![named]) });
    bench.gate.graph(0, 1, false);
    bench.run(200);
    assert_eq!(bench.unmet(), [ConditionCode::SimulatedTime, ConditionCode::ControllerMismatch]);
}

#[test]
fn when_the_tick_is_late_expect_disarmed_and_the_cause_told() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.send(0, 0, &[0.01]);
    bench.run(10);
    bench.now_ms += 61;
    assert!(bench.gate.is_stalled(bench.now().steady));
    bench.gate.tick(bench.now());
    assert_eq!(bench.gate.machine().state(), State::Disarmed);
    assert_eq!(bench.gate.machine().last_trip().unwrap().cause, Cause::GateStalled);
    assert_eq!(bench.lane_state(0), LaneState::Safe);
}

#[test]
fn when_zero_velocity_has_a_deceleration_expect_a_ramp_to_exactly_zero() {
    let mut lane = velocity_lane(1);
    lane.safe = crate::gate::safe::SafeCommand::ZeroVelocity { deceleration: Some(4.0) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    let mut sent = 0.0;
    for _ in 0..40 {
        bench.run(20);
        sent = bench.send(0, 0, &[1.0]).1[0];
    }
    assert!((sent - 1.0).abs() < 1e-9, "{sent}");
    bench.gate.kill(SERVICE, bench.now());
    let ramp: Vec<f64> = bench.run(400).into_iter().map(|values| values[0]).collect();
    assert!(ramp.windows(2).all(|pair| pair[1] <= pair[0] && pair[0] - pair[1] <= 0.0401));
    assert_eq!(ramp.last(), Some(&0.0));
    assert!(ramp.iter().filter(|value| **value > 0.0).count() >= 24);
}

#[test]
fn when_disarmed_expect_the_safe_command_for_release_and_then_silence() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.send(0, 0, &[0.01]);
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    assert_eq!(bench.gate.disarm(bench.now()), Err(Refused::AlreadyDisarmed));
    assert!(bench.run(1_000).iter().all(|values| *values == [0.0]));
    assert!(bench.run(2_000).is_empty());
}

#[test]
fn when_a_kill_arrives_after_the_decision_expect_it_withheld_and_the_reference_kept() {
    let mut bench = Bench::new(rules(vec![position_lane(1)])).armed();
    bench.run(20);
    let receipt = bench.receipt();
    let mut command = Command::with_capacity(1, 4);
    command.points = 1;
    command.position.push(0.01);
    let decision = bench.gate.judge(0, 0, Ok(&mut command), &receipt).unwrap();
    assert!(decision.forwards());
    let decision = decision.withheld();
    bench.gate.conclude(0, 0, &decision, receipt.at.steady);
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.0);
    assert_eq!(bench.gate.count(0, 0, Verdict::Withheld), 1);
    assert_eq!(decision.limits, LimitSet::EMPTY);
}
