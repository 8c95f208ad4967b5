//! The state machine explored exhaustively: every order of verbs, trips, writes, crashes, restarts.
//!
//! The transitions are the crate's own [`Machine`]; around it stand what the machine alone cannot
//! show: callers whose requests arrive late, a record on disk whose newest write may be lost, a
//! process that dies at any moment. `latch` is that world without time, `flapping` the machine in
//! time. For what can be left out by mistake there are sabotaged twins of the world, in which the
//! property must be found broken.
//!
//! `cargo test --test model -- --nocapture` prints the number of states and the properties by name.

mod flapping;
mod latch;
mod latch_properties;
mod latch_tests;

use std::hash::{Hash, Hasher};

use interlock::gate::machine::Machine;
use interlock::gate::state::State;
use stateright::{Checker, Model};

/// A machine that can be compared: by everything in it that decides. What it tells of past trips
/// decides nothing.
#[derive(Clone, Debug)]
struct Latch {
    machine: Machine,
    key: (State, u64, String),
}

impl Latch {
    fn new(machine: Machine) -> Self {
        let mut latch = Self { key: (machine.state(), machine.seq(), String::new()), machine };
        latch.change(|_| ());
        latch
    }

    /// Lets something happen to it.
    fn change<R>(&mut self, happens: impl FnOnce(&mut Machine) -> R) -> R {
        let result = happens(&mut self.machine);
        let text = format!("{:?}", self.machine);
        let (_, decides) = text.split_once("told: ").expect("the list of causes told");
        self.key = (self.machine.state(), self.machine.seq(), decides.replace("None, ", ""));
        result
    }
}

impl PartialEq for Latch {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Latch {}

impl Hash for Latch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

/// Explores all of it, prints what it was, and asserts every property. `least` is a number of states
/// near the true one: a model that lost most of its steps keeps every property, too.
fn explore<M>(name: &str, model: M, least: usize)
where
    M: Model + Send + Sync + 'static,
    M::State: std::fmt::Debug + Hash + Send + Sync + PartialEq + Clone,
    M::Action: std::fmt::Debug + Send + Sync + PartialEq + Clone,
{
    let properties: Vec<&str> = model.properties().iter().map(|property| property.name).collect();
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {} states, {} transitions, depth {}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    properties.iter().for_each(|property| println!("  {property}"));
    checker.assert_properties();
    let states = checker.unique_state_count();
    assert!(states >= least, "{name}: {states} states are fewer than {least}");
}
