//! A changed robot description right before an arm: the real thread, with what thread `control` would
//! send it.

use interlock::gate::limits::Bounds;
use interlock::gate::state::State;
use interlock::gate::verdict::Verdict;
use interlock::ros::gate_thread::Verb;

use crate::clocks::{clocks, meanwhile};
use crate::gate::Gate;
use crate::lanes::{LANES, config};
use crate::support::{isolated, wait_for, wait_for_some};

#[test]
fn when_an_arm_comes_in_one_turn_with_new_limits_expect_it_on_the_new_ones() {
    let name =
        "description::when_an_arm_comes_in_one_turn_with_new_limits_expect_it_on_the_new_ones";
    isolated(name, || {
        let mut gate = Gate::armed_by(clocks);
        let twist = LANES.len() - 1;
        drop(gate.requests.ask(Verb::Disarm).expect("a place in the queue"));
        wait_for("ready for another arm", || {
            gate.snapshot().state == State::Disarmed && gate.snapshot().unmet.is_empty()
        });
        let seq = gate.snapshot().seq;
        let mut limits: Vec<_> = config().lanes.into_iter().map(|lane| lane.limits).collect();
        limits[twist][0].velocity = Some(Bounds { min: -0.125, max: 0.125 });
        let (sender, requests) = (gate.limits.clone(), gate.requests.clone());
        let (told, answer) = std::sync::mpsc::channel();
        // The first look of a turn comes before the requests, and the tick after them.
        meanwhile(move || {
            sender.send(limits).expect("the gate takes limits");
            told.send(requests.ask(Verb::Arm { seq, profile: 0 })).expect("the test waits");
        });
        let mut answer = answer.recv().expect("asked").expect("a place in the queue");
        let answer = wait_for_some("the answer", || answer.try_recv().expect("an answer"));
        assert_eq!(answer.result, Ok(()));
        let fast = gate.wires[twist].command(0.25);
        gate.wires[twist].high.publish_serialized(&fast).expect("a publish");
        wait_for("a verdict", || {
            Verdict::ALL.iter().any(|verdict| gate.count(twist, 0, *verdict) > 0)
        });
        assert_eq!(gate.count(twist, 0, Verdict::Limited), 1, "beyond the new limit");
    });
}
