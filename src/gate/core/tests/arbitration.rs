//! Who is in charge of a lane.

use super::bench::*;
use crate::gate::core::SelectRefused;
use crate::gate::rules::{LaneRules, ReturnTo};
use crate::gate::test_rules::velocity_lane;
use crate::gate::verdict::Verdict;

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
