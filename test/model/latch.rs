//! The node, its callers, its record on disk, and everything that can go wrong between them.
//!
//! The record follows design §5 and §7: "active" is on disk before an arm takes effect and the
//! conditions are checked again after that write; a reset is written before the release; a trip is
//! written after the stop, and that write may be lost with the process. One mailbox holds the newest
//! record that is not written yet.

use interlock::gate::cause::{Action as CauseAction, Cause};
use interlock::gate::history::Start;
use interlock::gate::machine::{Machine, Report, Subject};
use interlock::gate::state::{BootRecord, State};
use interlock::gate::units::Moment;
use stateright::{Model, Property};

use super::Latch;

/// The world ends here: trips, lives of the process, and changes of state in one life.
const MOST_TRIPS: u8 = 2;
const MOST_LIVES: u8 = 2;
const MOST_CHANGES: u64 = 4;

/// How far `seq` jumps at a start. A trip whose write was lost has used numbers that the record does
/// not know; a request that names one of them must still be stale. More than a life can use.
const BOOT_STEP: u64 = 32;

/// One thing left out, to see that a property notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    None,
    /// An arm takes effect before "active" is on disk.
    ArmBeforeMark,
    /// After the write an arm or a reset looks at nothing again.
    NoSecondLook,
    /// `seq` goes on from the record as if nothing could be missing there.
    NoBootStep,
    /// A reset is released before it is written, and lost.
    TripNotWritten,
    /// A record that says "active" counts as a clean end.
    ActiveIsClean,
}

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Record {
    pub(crate) state: State,
    pub(crate) seq: u64,
}

/// A reset or arm on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ask {
    seq: u64,
    /// Trips that its caller knew of; the truth, which no number can hide.
    pub(crate) trips: u8,
    /// Received and found in order; the record is being written.
    pub(crate) begun: bool,
}

/// What happened last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Last {
    pub(crate) from: State,
    pub(crate) to: State,
    /// Trips since the caller looked; 0 for everything but a reset or arm that took effect.
    pub(crate) missed: u8,
    pub(crate) by: Step,
    pub(crate) seq_grew_by: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// `None`: the process is down.
    pub(crate) latch: Option<Latch>,
    pub(crate) disk: Record,
    pub(crate) mail: Option<Record>,
    /// A kill input asserts; an automatic cause is there.
    pub(crate) pressed: bool,
    pub(crate) fault: bool,
    pub(crate) arm: Option<Ask>,
    pub(crate) reset: Option<Ask>,
    pub(crate) trips: u8,
    pub(crate) lives: u8,
    /// Killed, somebody was told that it is on disk, and no reset was written since.
    pub(crate) told_durable: bool,
    /// The same when the process died.
    pub(crate) died_durable: bool,
    /// The state in which the process died.
    pub(crate) died: Option<State>,
    pub(crate) last: Option<Last>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Press,
    Release,
    Fault,
    Clear,
    Kill,
    Disarm,
    AskArm,
    AskReset,
    BeginArm,
    BeginReset,
    Write,
    Arm,
    Reset,
    Crash,
    Start,
}

pub(crate) struct Node {
    pub(crate) sabotage: Sabotage,
}

impl World {
    pub(crate) fn state(&self) -> Option<State> {
        self.latch.as_ref().map(|latch| latch.machine.state())
    }

    pub(crate) fn record(&self) -> Option<Record> {
        let machine = &self.latch.as_ref()?.machine;
        Some(Record { state: machine.state(), seq: machine.seq() })
    }

    pub(crate) fn unmet(&self) -> bool {
        self.pressed || self.fault
    }
}

impl Node {
    fn skips(&self, sabotage: Sabotage) -> bool {
        self.sabotage == sabotage
    }

    /// A trip: the stop is out, then the record is handed to the writer.
    fn trip(&self, world: &mut World, cause: Cause, automatic: bool) {
        let Some(latch) = &mut world.latch else { return };
        let report = Report::plain(cause, Subject::Node);
        let outcome = latch.change(|machine| match automatic {
            true => machine.automatic(report, CauseAction::Kill, Moment::default()),
            false => machine.kill(report, Moment::default()),
        });
        if outcome.moved {
            world.trips += 1;
            if !self.skips(Sabotage::TripNotWritten) {
                world.mail = world.record();
            }
        }
    }

    /// The record that an arm or a reset needs goes to the writer; its effect waits for it.
    fn begin(&self, world: &mut World, step: Step) -> Option<()> {
        let machine = &world.latch.as_ref()?.machine;
        let (slot, needs, becomes) = if step == Step::BeginArm {
            (world.arm, State::Disarmed, State::Active)
        } else {
            (world.reset, State::Killed, State::Disarmed)
        };
        let ask = slot.filter(|ask| !ask.begun)?;
        let blocked = if step == Step::BeginArm { world.unmet() } else { world.pressed };
        let in_order = machine.state() == needs && machine.seq() == ask.seq && !blocked;
        let record = Record { state: becomes, seq: ask.seq + 1 };
        let slot = if step == Step::BeginArm { &mut world.arm } else { &mut world.reset };
        *slot = in_order.then_some(Ask { begun: true, ..ask });
        if in_order {
            world.mail = Some(record);
        }
        Some(())
    }

    /// The record is on disk: everything is looked at again, and the machine decides.
    fn conclude(&self, world: &mut World, step: Step) -> Option<u8> {
        let arms = step == Step::Arm;
        let ask = if arms { world.arm.take() } else { world.reset.take() };
        let ask = ask.filter(|ask| ask.begun)?;
        let early = arms && self.skips(Sabotage::ArmBeforeMark);
        if world.mail.is_some() && !early {
            // The newest record is still on its way; its answer is waited for.
            let newest = world.mail.map(|mail| mail.seq) == Some(ask.seq + 1);
            let slot = if arms { &mut world.arm } else { &mut world.reset };
            *slot = newest.then_some(ask);
            return if newest { None } else { Some(0) };
        }
        let unmet = if arms { world.unmet() } else { world.pressed };
        let latch = world.latch.as_mut()?;
        let (seq, unmet) = if self.skips(Sabotage::NoSecondLook) {
            (latch.machine.seq(), false)
        } else {
            (ask.seq, unmet)
        };
        let now = Moment::default();
        let done = latch.change(|machine| match arms {
            true => machine.arm(seq, unmet, now),
            false => machine.reset(seq, unmet, now),
        });
        let truth = world.record();
        if done.is_err() && truth != Some(world.disk) {
            // What was written did not come true.
            world.mail = truth;
        }
        Some(if done.is_ok() { world.trips - ask.trips } else { 0 })
    }

    fn write(world: &mut World) -> Option<()> {
        let mail = world.mail.take()?;
        world.disk = mail;
        world.told_durable = mail.state == State::Killed;
        Some(())
    }

    fn start(&self, world: &mut World) {
        let record = match world.disk.state {
            State::Disarmed => BootRecord::Clean,
            State::Killed => BootRecord::Killed,
            State::Active if self.skips(Sabotage::ActiveIsClean) => BootRecord::Clean,
            State::Active => BootRecord::EndedActive,
        };
        let step = if self.skips(Sabotage::NoBootStep) { 0 } else { BOOT_STEP };
        let machine = Machine::at_boot(Start::of(record, world.disk.seq + step), Moment::default());
        let (machine_state, seq) = (machine.state(), machine.seq());
        world.latch = Some(Latch::new(machine));
        world.lives += 1;
        // Before anybody can read the number it is on disk: else the next life would use it again.
        world.disk = Record { state: machine_state, seq };
        world.told_durable = machine_state == State::Killed;
    }
}

impl Model for Node {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let disk = Record { state: State::Disarmed, seq: 1 };
        let mut world = World {
            latch: None,
            disk,
            mail: None,
            pressed: false,
            fault: false,
            arm: None,
            reset: None,
            trips: 0,
            lives: 0,
            told_durable: false,
            died_durable: false,
            died: None,
            last: None,
        };
        self.start(&mut world);
        vec![world]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        steps.push(if world.pressed { Step::Release } else { Step::Press });
        steps.push(if world.fault { Step::Clear } else { Step::Fault });
        if world.latch.is_none() {
            steps.extend((world.lives < MOST_LIVES).then_some(Step::Start));
            return;
        }
        steps.extend([Step::Kill, Step::Disarm, Step::Crash]);
        steps.extend(world.mail.map(|_| Step::Write));
        // One at a time: what one writes while the other waits would be taken for the other's.
        let begun = |ask: Option<Ask>| ask.is_some_and(|ask| ask.begun);
        let free = !begun(world.arm) && !begun(world.reset);
        match world.arm {
            None => steps.push(Step::AskArm),
            Some(ask) if ask.begun => steps.push(Step::Arm),
            Some(_) => steps.extend(free.then_some(Step::BeginArm)),
        }
        match world.reset {
            None => steps.push(Step::AskReset),
            Some(ask) if ask.begun => steps.push(Step::Reset),
            Some(_) => steps.extend(free.then_some(Step::BeginReset)),
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        let mut missed = 0;
        match step {
            Step::Press => {
                world.pressed = true;
                self.trip(&mut world, Cause::KillInputAsserted, false);
            }
            Step::Release => world.pressed = false,
            Step::Fault => {
                world.fault = true;
                self.trip(&mut world, Cause::Tilt, true);
            }
            Step::Clear => world.fault = false,
            Step::Kill => self.trip(&mut world, Cause::KillService, false),
            Step::Disarm => {
                let latch = world.latch.as_mut()?;
                latch.change(|machine| machine.disarm(Moment::default())).ok()?;
                world.mail = world.record();
            }
            Step::AskArm | Step::AskReset => {
                let seq = world.latch.as_ref()?.machine.seq();
                let ask = Some(Ask { seq, trips: world.trips, begun: false });
                *(if step == Step::AskArm { &mut world.arm } else { &mut world.reset }) = ask;
            }
            Step::BeginArm | Step::BeginReset => self.begin(&mut world, step)?,
            Step::Write => Self::write(&mut world)?,
            Step::Arm | Step::Reset => missed = self.conclude(&mut world, step)?,
            Step::Crash => {
                world.died = world.state();
                world.died_durable = world.told_durable;
                world.latch = None;
                world.mail = None;
                // What was begun is gone with the process; what is on its way is not.
                world.arm = world.arm.filter(|ask| !ask.begun);
                world.reset = world.reset.filter(|ask| !ask.begun);
            }
            Step::Start => self.start(&mut world),
        }
        let seq = |world: &World| world.latch.as_ref().map_or(0, |latch| latch.machine.seq());
        let grew = seq(&world).wrapping_sub(seq(before));
        world.last = world.state().map(|to| Last {
            from: before.state().or(before.died).unwrap_or(to),
            to,
            missed,
            by: step,
            seq_grew_by: if before.latch.is_some() { grew } else { 0 },
        });
        Some(world)
    }

    fn within_boundary(&self, world: &World) -> bool {
        let seq = world.record().map_or(world.disk.seq, |record| record.seq);
        world.trips <= MOST_TRIPS && seq % BOOT_STEP <= MOST_CHANGES
    }

    fn properties(&self) -> Vec<Property<Self>> {
        super::latch_properties::properties()
    }
}
