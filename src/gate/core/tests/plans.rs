//! Plans through the whole gate: their stamp is their start.

use super::bench::*;
use crate::gate::command::Command;
use crate::gate::rules::{LaneRules, Shape};
use crate::gate::safe::SafeCommand;
use crate::gate::test_rules::position_lane;
use crate::gate::units::WallTime;
use crate::gate::verdict::Reason;

const SECOND: i64 = 1_000_000_000;

fn plan(stamp: Option<i64>) -> Command {
    let mut plan = Command::with_capacity(1, 4);
    plan.times.extend([SECOND, 2 * SECOND]);
    plan.position.extend([0.5, 0.6]);
    plan.points = 2;
    plan.stamp = stamp.map(WallTime::from_nanos);
    plan
}

fn judged(simulated: bool, stamp: impl Fn(i64) -> Option<i64>) -> Option<Reason> {
    let safe = SafeCommand::HoldPoint { tolerance: 0.05 };
    let lane = LaneRules { shape: Shape::Trajectory, safe, ..position_lane(1) };
    let mut rules = rules(vec![lane]);
    rules.simulated_stamps = simulated;
    let mut bench = Bench::new(rules);
    bench.wall_ms = Some(1_700_000_000_000);
    let mut bench = bench.armed();
    bench.run(20);
    let now = bench.now().wall.as_nanos();
    let decision = bench.send_command(0, 0, &mut plan(stamp(now)));
    decision.refusal.map(|refusal| refusal.reason)
}

#[test]
fn when_a_plan_is_stamped_expect_its_times_counted_from_there() {
    assert_eq!(judged(false, |_| None), None);
    assert_eq!(judged(false, |_| Some(0)), None, "zero is how ROS says now");
    assert_eq!(judged(false, Some), None);
    // A controller would be at its first point at once.
    assert_eq!(judged(false, |now| Some(now - SECOND)), Some(Reason::Discontinuity));
    assert_eq!(judged(false, |now| Some(now - SECOND * 9 / 10)), Some(Reason::Velocity));
    assert_eq!(judged(false, |now| Some(now + SECOND)), None);
    assert_eq!(judged(false, |now| Some(now + 60 * SECOND)), Some(Reason::Horizon));
    assert_eq!(judged(false, |_| Some(i64::MIN)), Some(Reason::Discontinuity));
    // Stamps of a simulated clock say nothing about ours.
    assert_eq!(judged(true, |_| Some(5)), None);
}

/// It is in motion until its last point, counted from its start.
#[test]
fn when_a_plan_begins_later_expect_its_motion_to_end_later() {
    let safe = SafeCommand::HoldPoint { tolerance: 0.05 };
    let lane = LaneRules { shape: Shape::Trajectory, safe, ..position_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.run(20);
    for (later, until) in [(0, 2_000), (500, 2_500), (-10, 1_990)] {
        let stamp = bench.now().wall.as_nanos() + later * 1_000_000;
        assert!(bench.send_command(0, 0, &mut plan(Some(stamp))).forwards());
        let lane = &bench.gate.lanes[0];
        let left = lane.moves_until.unwrap().since(bench.now().steady).as_millis();
        assert_eq!(left, until);
        bench.run(50);
    }
}
