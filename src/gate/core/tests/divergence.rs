//! How far what is sent and what is measured are apart.

use super::bench::*;
use crate::gate::rules::LaneRules;
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::units::at_most;

#[test]
fn what_is_sent_and_what_is_measured_are_apart_by_their_difference() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.pose = vec![0.5];
    let mut bench = bench.armed();
    bench.run(20);
    bench.send(0, 0, &[0.52]);
    let apart = bench.gate.lane(0).unwrap().divergence().unwrap();
    assert!((apart - 0.02).abs() < 1e-9, "{apart}");
}

#[test]
fn how_far_apart_is_told_of_the_joint_where_it_is_most() {
    for far in [0, 1] {
        let mut bench = Bench::new(rules(vec![position_lane(2)])).armed();
        bench.run(20);
        let mut sent = [0.01, 0.01];
        sent[far] = 0.03;
        bench.send(0, 0, &sent);
        let apart = bench.gate.lane(0).unwrap().divergence().unwrap();
        assert!((apart - 0.03).abs() < 1e-9, "{apart}");
    }
    let lane = LaneRules { feedback: Some(0), ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane]));
    bench.velocity = vec![0.0];
    let mut bench = bench.armed();
    assert!(bench.gate.lane(0).unwrap().divergence().is_none_or(|apart| apart < 1e-9));
    for step in 0..200 {
        let speed = at_most(0.01 * f64::from(step), 0.5);
        bench.send(0, 0, &[speed]);
        bench.velocity = vec![speed];
        bench.run(20);
    }
    let apart = bench.gate.lane(0).unwrap().divergence().unwrap();
    assert!(apart < 0.02, "{apart}");
}
