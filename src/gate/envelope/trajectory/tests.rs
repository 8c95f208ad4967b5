//! What of a plan is asked for itself, beside what other checks of it ask.

use super::*;
use crate::gate::envelope::tests::plans::plan_lane;
use crate::gate::envelope::tests::trajectory;
use crate::gate::units::SteadyTime;

const SECOND: i64 = 1_000_000_000;
const TOLERANCE: f64 = 0.05;

fn lane() -> LaneRules {
    let mut rules = plan_lane(None);
    rules.limits[0].velocity = Some(Bounds { min: -1.0, max: 2.0 });
    rules
}

/// Half as fast as the lane's limits.
fn slow() -> Allowance {
    Allowance { velocity: 0.5, ..Allowance::of(0.02) }
}

fn plan(starts_in: i64, points: &[(i64, &[f64])], velocity: &[f64]) -> Command {
    Command { starts_in, velocity: velocity.to_vec(), ..trajectory(points) }
}

/// A plan has just led the joint from 0 by all of the tolerance.
fn led_to(place: f64, rules: &LaneRules) -> Envelope {
    let mut envelope = Envelope::new(1);
    let now = SteadyTime::from_nanos(1);
    envelope.rest(now, 0.02);
    let present = Present { position: Some(&[0.0]), velocity: Some(&[0.0]) };
    envelope
        .apply(&mut plan(0, &[(0, &[place])], &[]), rules, Allowance::of(0.02), present)
        .unwrap();
    envelope.commit_at(now, 0.02);
    envelope
}

#[test]
fn when_no_room_is_left_expect_a_beginning_as_far_as_the_speed_in_force_allows_and_no_further() {
    let rules = lane();
    let joint = (0, &rules.limits[0]);
    for (sign, fast) in [(1.0, 1.0), (-1.0, 0.5)] {
        let place = sign * TOLERANCE;
        let envelope = led_to(place, &rules);
        let leap = |far: f64| {
            let first = Some((place + sign * far, 0.1, 0));
            let result = envelope.leap(first, &rules, joint, slow(), (place, place));
            result.err().map(|refusal| (refusal.reason, refusal.bound * sign))
        };
        // Times are whole nanoseconds: a part in 10⁹.
        for (far, fits) in [(0.5, true), (1.0 + 0.8e-9, true), (1.0 + 1.3e-9, false), (1.2, false)]
        {
            let told = leap(far * fast * 0.1);
            assert_eq!(
                told,
                (!fits).then_some((Reason::Discontinuity, fast * 0.1)),
                "{sign} {far}"
            );
        }
    }
}

#[test]
fn when_a_plan_begins_too_far_expect_room_and_way_told_as_the_bound_and_the_speed_in_force_kept() {
    let rules = lane();
    let joint = (0, &rules.limits[0]);
    let envelope = Envelope::new(1);
    for (sign, fast) in [(1.0, 1.0), (-1.0, 0.5)] {
        let first = Some((sign * 0.3, 0.1, 2));
        let refusal = envelope.leap(first, &rules, joint, slow(), (0.0, 0.0)).unwrap_err();
        assert_eq!((refusal.reason, refusal.point), (Reason::Discontinuity, 2));
        assert_eq!((refusal.found, refusal.bound), (sign * 0.3, sign * (TOLERANCE + fast * 0.1)));
    }
    let (room, speed) = envelope.leap(None, &rules, joint, slow(), (0.0, 0.0)).unwrap();
    assert_eq!(room, Room::both(TOLERANCE));
    assert_eq!(speed, Room { up: 1.0, down: 0.5, all: 1.0 });
}

/// The curve is 1.2 rad/s fast in its middle and has the joint just there: a quarter of a second for at
/// least 1.1 rad/s, the tolerance taken off, where the straight line needs 0.7.
#[test]
fn when_a_joint_stands_in_the_middle_of_a_curve_expect_the_change_of_its_velocity_judged() {
    let present = Present { position: Some(&[0.4]), velocity: Some(&[0.0]) };
    for (acceleration, expected) in [(4.3, Some((Reason::Acceleration, 1))), (4.4, None)] {
        let mut rules = lane();
        rules.limits[0].acceleration = Some(acceleration);
        rules.limits[0].deceleration = Some(acceleration);
        let mut late = plan(-SECOND / 2, &[(0, &[0.0]), (SECOND, &[0.8])], &[0.0, 0.0]);
        let result = Envelope::new(1).apply(&mut late, &rules, Allowance::of(0.02), present);
        let told = result.err().map(|refusal| (refusal.reason, refusal.point));
        assert_eq!(told, expected, "{acceleration}");
    }
}

/// Without a limit of velocity nothing else asks how far its end is.
#[test]
fn when_all_of_a_plan_is_over_expect_its_end_near_where_the_joint_is() {
    let mut rules = lane();
    rules.limits[0].velocity = None;
    for (position, fits) in [(0.46, true), (0.44, false), (0.54, true), (0.56, false)] {
        let mut over = plan(-2 * SECOND, &[(0, &[0.0]), (SECOND, &[0.5])], &[]);
        let present = Present { position: Some(&[position]), velocity: Some(&[0.0]) };
        let result = Envelope::new(1).apply(&mut over, &rules, Allowance::of(0.02), present);
        let told = result.err().map(|refusal| (refusal.reason, refusal.point));
        assert_eq!(told, (!fits).then_some((Reason::Discontinuity, 1)), "{position}");
    }
}

/// What it has for the joint now counts, and not where it leads to in a second.
#[test]
fn when_no_room_is_left_and_a_plan_began_before_expect_what_is_due_now_asked() {
    let rules = lane();
    let present = Present { position: Some(&[TOLERANCE]), velocity: Some(&[0.0]) };
    let judged = |mut envelope: Envelope, due: f64| {
        let mut late = plan(-SECOND, &[(0, &[due]), (2 * SECOND, &[due])], &[]);
        let result = envelope.apply(&mut late, &rules, Allowance::of(0.02), present);
        result.err().map(|refusal| (refusal.reason, refusal.point))
    };
    let refused = Some((Reason::Discontinuity, 1));
    for (due, expected) in [(TOLERANCE, None), (0.08, refused), (TOLERANCE * 1.01, refused)] {
        assert_eq!(judged(led_to(TOLERANCE, &rules), due), expected, "{due}");
        assert_eq!(judged(Envelope::new(1), due), None, "{due}, with all its room");
    }
}

#[test]
fn when_a_curve_began_before_expect_the_velocity_of_each_of_its_ends() {
    // From rest to 0.8 rad/s: 0.1 rad in the middle, 0.1 further were it as fast from the beginning.
    let mut late = plan(-SECOND / 2, &[(0, &[0.0]), (SECOND, &[0.4])], &[0.0, 0.8]);
    for (position, fits) in [(0.1, true), (0.2, false)] {
        let present = Present { position: Some(&[position]), velocity: Some(&[0.4]) };
        let result = Envelope::new(1).apply(&mut late, &lane(), Allowance::of(0.02), present);
        assert_eq!(result.is_ok(), fits, "{position}: {result:?}");
    }
}
