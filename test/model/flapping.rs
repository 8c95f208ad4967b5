//! Kill inputs that flap, in time: `seq` may not outrun a person who reads it and types a reset.

use interlock::gate::cause::Cause;
use interlock::gate::machine::{Machine, Report, Subject};
use interlock::gate::state::State;
use interlock::gate::units::{Moment, SteadyTime};
use stateright::{Model, Property};

use super::{Latch, explore};

/// One step of the model: inputs change at up to 5 Hz.
const STEP_NANOS: u64 = 200_000_000;
const STEPS_A_SECOND: u64 = 5;
const STEPS: u64 = 12;
const INPUTS: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    latch: Latch,
    step: u64,
    pressed: [bool; INPUTS],
    told: [bool; INPUTS],
    /// When an edge last moved `seq`, and whether two moved it too soon after each other.
    moved_at: Option<u64>,
    too_soon: bool,
    moves: u64,
}

struct Inputs;

impl Model for Inputs {
    type State = World;
    /// The level of each input in the next step.
    type Action = [bool; INPUTS];

    fn init_states(&self) -> Vec<World> {
        let machine = Machine::new(State::Active, 1, Moment::default());
        vec![World {
            latch: Latch::new(machine),
            step: 0,
            pressed: [false; INPUTS],
            told: [false; INPUTS],
            moved_at: None,
            too_soon: false,
            moves: 0,
        }]
    }

    fn actions(&self, world: &World, levels: &mut Vec<[bool; INPUTS]>) {
        if world.step < STEPS {
            levels.extend([[false, false], [false, true], [true, false], [true, true]]);
        }
    }

    fn next_state(&self, before: &World, levels: [bool; INPUTS]) -> Option<World> {
        let mut world = before.clone();
        world.step += 1;
        let steady = SteadyTime::from_nanos(world.step * STEP_NANOS);
        let now = Moment { steady, ..Moment::default() };
        for (input, level) in levels.into_iter().enumerate() {
            let rising = level && !world.pressed[input];
            world.pressed[input] = level;
            let killed = world.latch.machine.state() == State::Killed;
            if !level || (killed && !rising) {
                continue;
            }
            let cause = Report::plain(Cause::KillInputAsserted, Subject::KillInput(input));
            let outcome =
                world.latch.change(|machine| machine.kill(Report { rising, ..cause }, now));
            let known = std::mem::replace(&mut world.told[input], true);
            if !outcome.moved {
                continue;
            }
            world.moves += 1;
            if known {
                let soon = |at: u64| world.step - at < STEPS_A_SECOND;
                world.too_soon |= world.moved_at.is_some_and(soon);
            }
            world.moved_at = Some(world.step);
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("an edge moves seq at most once a second", |_, world| {
                !world.too_soon
            }),
            Property::<Self>::always(
                "seq grows by causes and seconds, not by edges",
                |_, world| {
                    let causes = u64::try_from(INPUTS).unwrap_or(u64::MAX);
                    world.moves <= causes + world.step / STEPS_A_SECOND
                },
            ),
            Property::<Self>::always("flapping never lets go", |_, world| {
                let ever = world.told.contains(&true);
                !ever || world.latch.machine.state() == State::Killed
            }),
            Property::<Self>::always(
                "released, a reset with the number read succeeds",
                |_, world| {
                    let mut machine = world.latch.machine.clone();
                    let (seq, any) = (machine.seq(), world.pressed.contains(&true));
                    let killed = machine.state() == State::Killed;
                    !killed || machine.reset(seq, any, Moment::default()).is_ok() != any
                },
            ),
            Property::<Self>::sometimes("a later edge is told", |_, world| world.moves > 3),
        ]
    }
}

#[test]
fn flapping_inputs_never_outrun_a_person() {
    explore("flapping", Inputs, 1_000);
}
