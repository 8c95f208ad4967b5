//! How much of its limits a lane may use now: source, profile, start ramp, hand-over, derating.
//!
//! All of them scale velocity and speeding up, the profile effort too; none ever touches slowing
//! down, so a smaller envelope never lengthens braking. `balance` lanes know none of it, and plans
//! (trajectories) neither ramp nor hand-over: they start from the present pose by themselves and
//! cannot be slowed down without being planned anew.
//!
//! The ramp and the hand-over run from the first command that is forwarded, not from the arm: a
//! source that starts late is led in just as one that streams already. A lane that refuses what is too
//! fast would never forward one: the configuration gives it neither.

use std::time::Duration;

use super::limit::Allowance;
use super::rules::{LaneRules, ProfileRules, Shape};
use super::units::{SteadyTime, at_most};
use super::verdict::Limit;

/// A hold longer than this ends with hand-over limits (design §6).
const LONG_HOLD: Duration = Duration::from_secs(1);

/// Derating goes no lower: below a fifth a robot can no longer balance or get out of the way.
pub const DERATING_FLOOR: f64 = 0.2;

/// What holds for every lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Factors {
    velocity: f64,
    acceleration: f64,
    effort: f64,
    pub(super) derating: f64,
}

impl Factors {
    pub(super) fn of(profile: Option<&ProfileRules>, derating: f64) -> Self {
        let (velocity, acceleration, effort) =
            profile.map_or((1.0, 1.0, 1.0), |p| (p.velocity, p.acceleration, p.effort));
        Self { velocity, acceleration, effort, derating }
    }
}

/// A derating as it counts: from the floor to 1; what is not a number is the floor.
pub(super) fn derating(ratio: f64) -> f64 {
    if ratio >= DERATING_FLOOR { at_most(ratio, 1.0) } else { DERATING_FLOOR }
}

/// Where a lane is in its start ramp and its hand-over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Easing {
    /// Waits for the first command after an arm, then runs.
    ramp: Option<Option<SteadyTime>>,
    /// The next command forwarded begins a hand-over.
    owed: bool,
    handover_until: Option<SteadyTime>,
    hold_since: Option<SteadyTime>,
}

impl Easing {
    /// An arm: the ramp waits for its first command, nothing else is owed.
    pub(super) fn start(&mut self) {
        *self = Self { ramp: Some(None), ..Self::default() };
    }

    /// The lane changes hands with the next command.
    pub(super) const fn owe(&mut self) {
        self.owed = true;
    }

    /// The lane holds from now on.
    pub(super) fn hold(&mut self, now: SteadyTime) {
        self.hold_since = self.hold_since.or(Some(now));
    }

    /// The lane no longer holds.
    pub(super) fn unhold(&mut self, now: SteadyTime) {
        if let Some(since) = self.hold_since.take() {
            self.owed |= now.since(since) > LONG_HOLD;
        }
    }

    /// A command was forwarded.
    pub(super) fn forwarded(&mut self, changed_hands: bool, rules: &LaneRules, now: SteadyTime) {
        self.unhold(now);
        if let Some(ramp @ None) = &mut self.ramp {
            *ramp = Some(now);
        }
        if self.owed || changed_hands {
            self.owed = false;
            self.handover_until = Some(now.after(rules.handover.duration));
        }
    }

    fn ramp_scale(&self, rules: &LaneRules, now: SteadyTime) -> f64 {
        match self.ramp {
            None => 1.0,
            Some(since) => {
                let whole = rules.start_ramp.as_secs_f64();
                let elapsed = since.map_or(0.0, |since| now.since(since).as_secs_f64());
                if elapsed < whole { elapsed / whole } else { 1.0 }
            }
        }
    }

    fn handover_scale(&self, taking_over: bool, rules: &LaneRules, now: SteadyTime) -> f64 {
        let long_hold = self.hold_since.is_some_and(|since| now.since(since) > LONG_HOLD);
        let running = self.handover_until.is_some_and(|until| now < until);
        let applies = running
            || ((self.owed || taking_over || long_hold) && !rules.handover.duration.is_zero());
        if applies { rules.handover.limit_scale } else { 1.0 }
    }

    /// What a command of a source with `limit_scale` may use, of the lane's own limits and the time
    /// credit in `credit`.
    pub(super) fn allowance(
        &self,
        factors: Factors,
        limit_scale: f64,
        taking_over: bool,
        rules: &LaneRules,
        credit: Allowance,
        now: SteadyTime,
    ) -> Allowance {
        if rules.balance {
            return credit;
        }
        let eased = rules.shape == Shape::Target;
        let scales = [
            (if eased { self.ramp_scale(rules, now) } else { 1.0 }, Limit::Ramp),
            (
                if eased { self.handover_scale(taking_over, rules, now) } else { 1.0 },
                Limit::Handover,
            ),
            (factors.derating, Limit::Derating),
        ];
        let mut scale = 1.0;
        let mut smallest = (1.0, None);
        for (factor, limit) in scales {
            scale *= factor;
            if factor < smallest.0 {
                smallest = (factor, Some(limit));
            }
        }
        Allowance {
            velocity: factors.velocity * limit_scale * scale,
            acceleration: factors.acceleration * limit_scale * scale,
            effort: factors.effort,
            because: smallest.1,
            ..credit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::rules::Handover;
    use crate::gate::test_rules::velocity_lane;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    fn rules() -> LaneRules {
        LaneRules {
            start_ramp: Duration::from_secs(1),
            handover: Handover { duration: Duration::from_secs(1), limit_scale: 0.3 },
            ..velocity_lane(1)
        }
    }

    fn of(easing: &Easing, taking_over: bool, factors: Factors, ms: u64) -> (f64, Option<Limit>) {
        let allowance =
            easing.allowance(factors, 1.0, taking_over, &rules(), Allowance::of(0.02), at(ms));
        (allowance.velocity, allowance.because)
    }

    const PLAIN: Factors = Factors { velocity: 1.0, acceleration: 1.0, effort: 1.0, derating: 1.0 };

    #[test]
    fn when_armed_expect_a_ramp_from_the_first_command_on() {
        let mut easing = Easing::default();
        assert_eq!(of(&easing, false, PLAIN, 0), (1.0, None));
        easing.start();
        assert_eq!(of(&easing, false, PLAIN, 60_000), (0.0, Some(Limit::Ramp)));
        easing.forwarded(false, &rules(), at(60_000));
        assert_eq!(of(&easing, false, PLAIN, 60_250), (0.25, Some(Limit::Ramp)));
        easing.forwarded(false, &rules(), at(60_250));
        assert_eq!(of(&easing, false, PLAIN, 61_000), (1.0, None));
    }

    #[test]
    fn when_hands_change_expect_hand_over_limits_for_their_time() {
        let mut easing = Easing::default();
        assert_eq!(of(&easing, true, PLAIN, 0), (0.3, Some(Limit::Handover)));
        easing.forwarded(true, &rules(), at(0));
        assert_eq!(of(&easing, false, PLAIN, 999), (0.3, Some(Limit::Handover)));
        assert_eq!(of(&easing, false, PLAIN, 1_000), (1.0, None));
    }

    #[test]
    fn when_a_hold_was_longer_than_a_second_expect_hand_over_limits_after_it() {
        for (ms, scale) in [(1_000, 1.0), (1_001, 0.3)] {
            let mut easing = Easing::default();
            easing.hold(at(0));
            easing.hold(at(500));
            assert_eq!(of(&easing, false, PLAIN, ms).0, scale);
            easing.unhold(at(ms));
            assert_eq!(of(&easing, false, PLAIN, 90_000).0, scale, "whenever it comes");
        }
    }

    #[test]
    fn when_several_apply_expect_their_product_and_the_smallest_named() {
        let mut easing = Easing::default();
        easing.forwarded(true, &rules(), at(0));
        let factors = Factors { derating: 0.5, velocity: 0.5, ..PLAIN };
        let (velocity, because) = of(&easing, false, factors, 10);
        assert!((velocity - 0.075).abs() < 1e-12);
        assert_eq!(because, Some(Limit::Handover));
    }

    #[test]
    fn when_it_is_a_balance_lane_expect_none_of_it() {
        let mut easing = Easing::default();
        easing.start();
        let rules = LaneRules { balance: true, ..rules() };
        let factors = Factors { derating: 0.2, velocity: 0.5, acceleration: 0.5, effort: 0.5 };
        let allowance = easing.allowance(factors, 0.5, true, &rules, Allowance::of(0.02), at(1));
        assert_eq!(allowance, Allowance::of(0.02));
    }

    #[test]
    fn when_derating_is_out_of_range_expect_the_floor_or_none() {
        assert_eq!(derating(f64::NAN), DERATING_FLOOR);
        assert_eq!(derating(-3.0), DERATING_FLOOR);
        assert_eq!(derating(0.5), 0.5);
        assert_eq!(derating(f64::INFINITY), 1.0);
    }

    #[test]
    fn when_source_profile_and_heat_scale_expect_their_product_and_the_profiles_effort() {
        let profile =
            ProfileRules { velocity: 0.5, acceleration: 0.25, effort: 0.125, actions: Vec::new() };
        let factors = Factors::of(Some(&profile), 0.4);
        let credit = Allowance { pace_s: 0.01, ..Allowance::of(0.02) };
        let allowance = Easing::default().allowance(factors, 0.5, false, &rules(), credit, at(0));
        let near = |one: f64, other: f64| (one - other).abs() < 1e-12;
        assert!(near(allowance.velocity, 0.1) && near(allowance.acceleration, 0.05));
        assert_eq!((allowance.effort, allowance.because), (0.125, Some(Limit::Derating)));
        assert_eq!((allowance.credit_s, allowance.pace_s), (0.02, 0.01));
    }
}
