//! The world of `latch`, explored; and its sabotaged twins.

use interlock::gate::state::State;
use stateright::{Checker, HasDiscoveries, Model, StateRecorder};

use super::explore;
use super::latch::{Node, Sabotage, Step, World};

#[test]
fn every_order_of_verbs_trips_writes_and_crashes_keeps_every_property() {
    explore("latch", Node { sabotage: Sabotage::None }, 100_000);
}

#[test]
fn when_something_is_left_out_expect_the_property_found_broken() {
    let cases = [
        (Sabotage::ArmBeforeMark, "active is on disk before it is true"),
        (Sabotage::ArmBeforeMark, "after a crash while active it boots killed"),
        (Sabotage::NoSecondLook, "a kill wins over a reset in progress"),
        (Sabotage::NoSecondLook, "an arm needs every condition"),
        (Sabotage::NoBootStep, "a kill wins over a reset in progress"),
        (Sabotage::TripNotWritten, "while nothing is being written the disk is true"),
        (Sabotage::NoSecondLook, "a disarm wins over an arm in progress"),
        (Sabotage::FailedIsWritten, "what cannot be written takes no effect"),
        (Sabotage::FailedIsWritten, "active is on disk before it is true"),
        (Sabotage::ActiveIsClean, "after a crash while active it boots killed"),
    ];
    for (sabotage, property) in cases {
        let found = HasDiscoveries::AnyOf([property].into_iter().collect());
        let checker = Node { sabotage }.checker().finish_when(found).spawn_bfs().join();
        assert!(checker.discovery(property).is_some(), "{sabotage:?} does not break: {property}");
    }
}

/// From any world at all: start, let go of everything, reset, arm.
fn recover(node: &Node, world: &World) -> Vec<State> {
    let mut world = world.clone();
    let mut seen = Vec::new();
    let mut go = |world: &mut World, step: Step| {
        if let Some(next) = node.next_state(world, step) {
            *world = next;
        }
        seen.extend(world.state());
    };
    if world.latch.is_none() {
        go(&mut world, Step::Start);
    }
    let settle = [Step::Release, Step::Clear, Step::Write, Step::Arm, Step::Reset, Step::Write];
    settle.into_iter().for_each(|step| go(&mut world, step));
    // Requests from before are answered, one way or the other.
    for step in [Step::BeginArm, Step::Write, Step::Arm, Step::Write] {
        go(&mut world, step);
    }
    for step in [Step::BeginReset, Step::Write, Step::Reset, Step::Write] {
        go(&mut world, step);
    }
    if world.state() == Some(State::Active) {
        go(&mut world, Step::Disarm);
        go(&mut world, Step::Write);
    }
    for step in [Step::AskReset, Step::BeginReset, Step::Write, Step::Reset, Step::Write] {
        go(&mut world, step);
    }
    for step in [Step::AskArm, Step::BeginArm, Step::Write, Step::Arm] {
        go(&mut world, step);
    }
    seen
}

#[test]
fn hazard_05_reset_can_never_succeed() {
    let node = Node { sabotage: Sabotage::None };
    let (recorder, states) = StateRecorder::new_with_accessor();
    Node { sabotage: Sabotage::None }.checker().visitor(recorder).spawn_bfs().join();
    let worlds = states();
    assert!(worlds.len() >= 100_000, "{} worlds", worlds.len());
    for world in &worlds {
        let seen = recover(&node, world);
        let last = seen.len().saturating_sub(1);
        assert!(seen.contains(&State::Disarmed), "no way to disarmed from {world:?}");
        assert_eq!(seen.get(last), Some(&State::Active), "no way to active from {world:?}");
    }
    println!(
        "from each of {} worlds: reset and arm succeed once the causes are gone",
        worlds.len()
    );
}
