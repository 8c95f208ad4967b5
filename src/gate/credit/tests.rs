use proptest::prelude::*;

use super::*;
use crate::gate::command::Command;
use crate::gate::envelope::{Envelope, Present};
use crate::gate::limit::LimitSet;
use crate::gate::rules::LaneRules;
use crate::gate::test_rules::position_lane;

/// 50 Hz.
const PERIOD_S: f64 = 0.02;

/// The velocity bound of `position_lane`.
const VELOCITY: f64 = 2.0;

/// One joint, from commands to what is sent.
struct Stream {
    rules: LaneRules,
    envelope: Envelope,
    credit: TimeCredit,
}

impl Stream {
    fn new() -> Self {
        let mut rules = position_lane(1);
        // So far away that only rates limit.
        rules.limits[0].position = Some(crate::gate::limits::Bounds { min: -1e6, max: 1e6 });
        let start = SteadyTime::from_nanos(0);
        Self { rules, envelope: Envelope::new(1), credit: TimeCredit::new(start) }
    }

    fn send(&mut self, target: f64, at_s: f64) -> LimitSet {
        let now = SteadyTime::from_nanos((at_s * 1e9).round() as u64);
        let mut command = Command::with_capacity(1, 1);
        command.points = 1;
        command.position.push(target);
        let allowance = self.credit.allowance(now, PERIOD_S);
        assert!(allowance.pace_s <= allowance.credit_s);
        let by = self.envelope.apply(&mut command, &self.rules, allowance, Present::UNKNOWN);
        self.envelope.commit();
        assert!(self.envelope.used_s() <= allowance.credit_s);
        self.credit.spend(self.envelope.used_s(), now, PERIOD_S);
        by.unwrap()
    }

    fn sent(&self) -> f64 {
        self.envelope.sent()[0].value
    }
}

proptest! {
    /// 1× to 100× the nominal rate, any jitter, any targets: between any two sent values, W apart, it
    /// moves at most `velocity · (W + one period)`; with the step that the first of them made, at most
    /// `velocity · (W + 1.5 periods)`; and its rate never comes out above the bound.
    #[test]
    fn hazard_44_faster_is_freer(
        times_nominal in 1.0..100.0f64,
        commands in prop::collection::vec((0.0..2.0f64, -1.0..1.0f64, 0..5u8), 2..300),
    ) {
        let mut stream = Stream::new();
        let mut at_s = 1.0;
        let mut sent = vec![(0.0, 0.0)];
        for (jitter, target, kind) in commands {
            // Now and then a gap far longer than a period.
            at_s += if kind == 0 { 3.0 * jitter * PERIOD_S } else { jitter * PERIOD_S / times_nominal };
            stream.send(if kind < 3 { 1e5_f64.copysign(target) } else { target }, at_s);
            prop_assert!(stream.envelope.sent()[0].rate.abs() <= VELOCITY);
            sent.push((at_s, stream.sent()));
        }
        for first in 1..sent.len() {
            let ((from_s, from), before) = (sent[first], sent[first - 1].1);
            for (to_s, to) in &sent[first..] {
                let window_s = to_s - from_s;
                let most = VELOCITY * (window_s + PERIOD_S);
                prop_assert!((to - from).abs() <= most + 1e-6, "{} in {window_s}", to - from);
                let most = VELOCITY * (window_s + CREDIT_PERIODS * PERIOD_S);
                prop_assert!((to - before).abs() <= most + 1e-6, "{} in {window_s}", to - before);
            }
        }
    }

    /// A smooth stream whose commands arrive up to 40 % of a period late, right below the bound: steps
    /// of one period, intervals of 60 to 140 % of one. However long it goes on.
    #[test]
    fn when_arrivals_jitter_expect_a_stream_within_its_velocity_never_limited(
        delays in prop::collection::vec(prop_oneof![0.0..0.4f64, Just(0.0), Just(0.4)], 2..400),
        below in 0.1..0.999f64,
    ) {
        let mut stream = Stream::new();
        for (step, delay) in delays.into_iter().enumerate() {
            let step = step as f64;
            let target = below * VELOCITY * PERIOD_S * step;
            let by = stream.send(target, 1.0 + PERIOD_S * (step + delay));
            prop_assert!(by.is_empty(), "step {step}");
        }
    }

    /// The same where the source samples a motion at the moment it sends, however it jitters.
    #[test]
    fn when_the_source_samples_a_motion_irregularly_expect_it_never_limited(
        intervals in prop::collection::vec(
            prop_oneof![0.6..1.4f64, Just(0.6), Just(1.4)], 2..400
        ),
        below in 0.1..0.999f64,
    ) {
        let mut stream = Stream::new();
        let mut at_s = 1.0;
        for interval in intervals {
            at_s += interval * PERIOD_S;
            let by = stream.send(below * VELOCITY * (at_s - 1.0), at_s);
            prop_assert!(by.is_empty());
        }
    }
}

#[test]
fn when_a_jittering_stream_begins_after_a_long_silence_expect_it_never_limited() {
    // Had the silence counted as an interval, the last of these would find too little left.
    let mut stream = Stream::new();
    for (step, delay) in [0.0, 0.4, 0.4, 0.4, 0.0].into_iter().enumerate() {
        let step = step as f64;
        let by = stream.send(0.999 * VELOCITY * PERIOD_S * step, 50.0 + PERIOD_S * (step + delay));
        assert!(by.is_empty(), "step {step}");
    }
}

#[test]
fn when_a_stream_is_regular_expect_its_true_velocity_as_reference() {
    for period_s in [0.012, 0.02, 0.025] {
        let mut stream = Stream::new();
        for step in 1..200u32 {
            let at_s = 1.0 + period_s * f64::from(step);
            stream.send(0.5 * f64::from(step) * period_s, at_s);
            let rate = stream.envelope.sent()[0].rate;
            // The reserve is full from the start, so only the learning of the rate is left.
            assert!(step < 100 || (rate - 0.5).abs() < 0.01, "{period_s} {step} {rate}");
        }
    }
}

#[test]
fn hazard_09_dt_zero_negative_huge_credit() {
    let mut stream = Stream::new();
    stream.send(100.0, 10.0);
    // An age of silence counts as 1.5 periods.
    assert!((stream.sent() - VELOCITY * CREDIT_PERIODS * PERIOD_S).abs() < 1e-12);
    let before = stream.sent();
    // The same moment, and one before it: no time, no change.
    stream.send(100.0, 10.0);
    stream.send(100.0, 9.0);
    assert_eq!(stream.sent(), before);
    assert!(stream.envelope.sent()[0].rate.is_finite());
}

#[test]
fn when_a_source_is_faster_than_nominal_expect_half_a_period_kept_back_and_no_more() {
    let at = |at_s: f64| SteadyTime::from_nanos((at_s * 1e9).round() as u64);
    let mut credit = TimeCredit::new(at(1.0));
    let mut now_s = 1.0;
    for _ in 0..200 {
        now_s += PERIOD_S / 2.0;
        credit.spend(PERIOD_S / 2.0, at(now_s), PERIOD_S);
    }
    // A gap fills the credit to its cap; all but the reserve is this command's.
    let allowance = credit.allowance(at(now_s + 1.0), PERIOD_S);
    assert!((allowance.credit_s - 1.5 * PERIOD_S).abs() < 1e-12, "{allowance:?}");
    assert!((allowance.pace_s - PERIOD_S).abs() < 1e-9, "{allowance:?}");
}

#[test]
fn when_a_gap_was_long_expect_the_pace_to_count_it_as_one_and_a_half_periods() {
    let at = |at_s: f64| SteadyTime::from_nanos((at_s * 1e9).round() as u64);
    let mut credit = TimeCredit::new(at(0.0));
    for now_s in [1.0, 1.0 + PERIOD_S, 60.0] {
        credit.spend(PERIOD_S, at(now_s), PERIOD_S);
    }
    // A tenth of half a period more than one, and the rest for the reserve.
    let mean = PERIOD_S * (1.0 + 0.1 * 0.5);
    let allowance = credit.allowance(at(60.0 + PERIOD_S), PERIOD_S);
    assert!((allowance.credit_s - 1.5 * PERIOD_S).abs() < 1e-9, "{allowance:?}");
    assert!((allowance.pace_s - mean).abs() < 1e-9, "{allowance:?}");
}
