//! The node, its callers, its record on disk, and everything that can go wrong between them.
//!
//! Both steps of reset and arm, what belongs on disk after each, and what a record means at a start are
//! the crate's own ([`Machine::begin`], [`Machine::conclude`], [`Machine::record`], [`start`]). The
//! model adds the disk: one mailbox holds the newest record that is not written yet, a write may come
//! at any time later, fail, or be lost with the process.

use interlock::gate::cause::{Action as CauseAction, Cause};
use interlock::gate::machine::{Machine, Report, Subject};
use interlock::gate::release::{Latched, Release};
use interlock::gate::state::{BootRecord, State};
use interlock::gate::units::Moment;
use interlock::latch::boot::{UNCLEAN_STEP, start};
use interlock::latch::record::{Contents, Found, VERSION};
use stateright::{Model, Property};

use super::Latch;

/// The world ends here: trips, lives of the process, and changes of state in one life.
const MOST_TRIPS: u8 = 2;
const MOST_LIVES: u8 = 2;
const MOST_CHANGES: u64 = 4;

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
    /// A trip is not posted.
    TripNotWritten,
    /// A record that says "active" counts as a clean end.
    ActiveIsClean,
    /// A write that failed counts as one that is there.
    FailedIsWritten,
}

/// A reset or arm on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ask {
    seq: u64,
    /// Trips that its caller knew of; the truth, which no number can hide.
    pub(crate) trips: u8,
    /// Received and found in order; the record is being written.
    pub(crate) begun: bool,
    /// It, or a newer one, is on disk.
    written: bool,
    /// A disarm came since it was begun.
    withdrawn: bool,
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
    pub(crate) disk: Latched,
    pub(crate) mail: Option<Latched>,
    /// What was handed to the writer last.
    posted: Latched,
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
    /// The record that an arm or a reset waits for cannot be written, or not in time.
    GiveUp,
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

    pub(crate) fn record(&self) -> Option<Latched> {
        self.latch.as_ref().map(|latch| latch.machine.record())
    }

    /// As the gate thread does at the end of each turn.
    fn post(&mut self) {
        if let Some(record) = self.record().filter(|record| *record != self.posted) {
            self.mail = Some(record);
            self.posted = record;
        }
    }

    fn ask(&mut self, arms: bool) -> &mut Option<Ask> {
        if arms { &mut self.arm } else { &mut self.reset }
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
        // Somebody who stops while a reset is being written means it, whatever the number does.
        let races = !automatic && world.reset.is_some_and(|ask| ask.begun);
        world.trips += u8::from(outcome.moved || races);
        if outcome.moved && self.skips(Sabotage::TripNotWritten) {
            world.posted = world.record().unwrap_or(world.posted);
        }
    }

    /// The first step.
    fn begin(&self, world: &mut World, step: Step) -> Option<()> {
        let arms = step == Step::BeginArm;
        let unmet = if arms { world.unmet() } else { world.pressed };
        let ask = world.ask(arms).filter(|ask| !ask.begun)?;
        let release = if arms { Release::Arm { profile: 0 } } else { Release::Reset };
        let begun = world.latch.as_mut()?.change(|machine| machine.begin(release, ask.seq, unmet));
        *world.ask(arms) = begun.is_ok().then_some(Ask { begun: true, ..ask });
        Some(())
    }

    /// The second step: `written` as far as it is known. Returns how many stops it overlooked.
    fn conclude(&self, world: &mut World, arms: bool, written: bool) -> Option<u8> {
        let ask = world.ask(arms).filter(|ask| ask.begun)?;
        let early = arms && self.skips(Sabotage::ArmBeforeMark);
        if written && !ask.written && !early {
            return None;
        }
        *world.ask(arms) = None;
        let unmet = if arms { world.unmet() } else { world.pressed };
        let unmet = unmet || !written && !self.skips(Sabotage::FailedIsWritten);
        let blind = self.skips(Sabotage::NoSecondLook);
        let now = Moment::default();
        let latch = world.latch.as_mut()?;
        let done = latch.change(|machine| {
            let done = machine.conclude(unmet, now);
            match done {
                Err(_) if blind && arms => machine.arm(machine.seq(), false, now),
                Err(_) if blind => machine.reset(machine.seq(), false, now),
                done => done,
            }
        });
        let missed = world.trips - ask.trips + u8::from(ask.withdrawn);
        Some(if done.is_ok() { missed } else { 0 })
    }

    fn write(world: &mut World) -> Option<()> {
        let mail = world.mail.take()?;
        world.disk = mail;
        world.told_durable = mail.state == State::Killed;
        for ask in [&mut world.arm, &mut world.reset].into_iter().flatten() {
            ask.written |= ask.begun;
        }
        Some(())
    }

    fn start(&self, world: &mut World) {
        let contents = Contents {
            version: VERSION,
            counter: 1,
            state: world.disk.state,
            clean: false,
            boot_id: [1; 16],
            seq: world.disk.seq,
            first: 0,
            trips: Vec::new(),
        };
        let mut begins = start(&Found::Valid(contents), [1; 16], &|_| None);
        if self.skips(Sabotage::NoBootStep) {
            begins.seq = world.disk.seq;
        }
        if self.skips(Sabotage::ActiveIsClean) && world.disk.state == State::Active {
            begins.record = BootRecord::Clean;
        }
        let machine = Machine::at_boot(begins, Moment::default());
        let record = machine.record();
        world.latch = Some(Latch::new(machine));
        world.lives += 1;
        // Before anybody can read the number it is on disk: else the next life would use it again.
        (world.disk, world.posted) = (record, record);
        world.told_durable = record.state == State::Killed;
    }
}

impl Model for Node {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let disk = Latched { state: State::Disarmed, seq: 1 };
        let mut world = World {
            latch: None,
            disk,
            mail: None,
            posted: disk,
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
        let waits = |ask: Option<Ask>| ask.is_some_and(|ask| ask.begun && !ask.written);
        steps.extend((waits(world.arm) || waits(world.reset)).then_some(Step::GiveUp));
        match world.arm {
            None => steps.push(Step::AskArm),
            Some(ask) if ask.begun => steps.push(Step::Arm),
            Some(_) => steps.push(Step::BeginArm),
        }
        match world.reset {
            None => steps.push(Step::AskReset),
            Some(ask) if ask.begun => steps.push(Step::Reset),
            Some(_) => steps.push(Step::BeginReset),
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
                world.arm = world.arm.map(|ask| Ask { withdrawn: ask.begun, ..ask });
            }
            Step::AskArm | Step::AskReset => {
                let seq = world.latch.as_ref()?.machine.seq();
                let trips = world.trips;
                let ask = Ask { seq, trips, begun: false, written: false, withdrawn: false };
                *world.ask(step == Step::AskArm) = Some(ask);
            }
            Step::BeginArm | Step::BeginReset => self.begin(&mut world, step)?,
            Step::Write => Self::write(&mut world)?,
            Step::GiveUp => {
                let arms = world.arm.is_some_and(|ask| ask.begun && !ask.written);
                missed = self.conclude(&mut world, arms, false)?;
            }
            Step::Arm | Step::Reset => {
                missed = self.conclude(&mut world, step == Step::Arm, true)?
            }
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
        world.post();
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
        world.trips <= MOST_TRIPS && seq % UNCLEAN_STEP <= MOST_CHANGES
    }

    fn properties(&self) -> Vec<Property<Self>> {
        super::latch_properties::properties()
    }
}
