//! The self test's wires: a message that asserts through each kill input's codec, safe commands on
//! `~/self_test/<lane>`, the record on disk, the reset.
//!
//! One step a turn, after kills have been looked at, and nothing waits: a real stop comes as it always
//! does, and ends the test.
//!
//! **Invariant:** nothing goes to an output. The trip is timed by this thread's own clock, from before
//! the message is read; copies that keep the lanes as they are count as part of it.

use std::time::Duration;

use futures::channel::oneshot;

use super::GateThread;
use super::requests::{Answer, Denied, Verb};
use crate::clock;
use crate::gate::cause::Cause;
use crate::gate::machine::Subject;
use crate::gate::publisher::Receipt;
use crate::gate::rules::KillAction;
use crate::gate::self_test::{Flaw, Part, PartResult, Reach, SelfTestRefusal, TESTER};
use crate::gate::state::{Refused, State};
use crate::gate::units::{Moment, SteadyTime};
use crate::telemetry::events::{Call, Event, What};

/// Between the begin of two tests: each moves `seq`, and an operator must find the time to arm.
const REST: Duration = Duration::from_secs(10);
/// No part begins later than this after the test: with a disk that hangs, whoever waits for the
/// answer still gets it.
const BEGIN_WITHIN: Duration = Duration::from_secs(2);
/// A record of a trip that takes longer is a flaw.
const DISK_LIMIT: Duration = Duration::from_secs(1);

/// The thread's side of the self test.
#[derive(Default)]
pub(super) struct SelfTestIo {
    last_begun: Option<SteadyTime>,
    running: Option<Running>,
}

/// A test that runs.
struct Running {
    answer: oneshot::Sender<Answer>,
    begun: SteadyTime,
    results: Vec<PartResult>,
    phase: Phase,
}

/// Where it is.
#[derive(Clone, Copy)]
enum Phase {
    /// The next part begins.
    Next,
    /// A trip waits for its record.
    Writing { tripped: Tripped, number: u64 },
    /// Its reset waits for its record.
    Resetting(Tripped),
    /// What became of the reset.
    Reset(Tripped, Result<(), Refused>),
}

/// A trip.
#[derive(Clone, Copy)]
struct Tripped {
    at: SteadyTime,
    seq: u64,
    result: PartResult,
}

impl SelfTestIo {
    /// The second step of the reset has been made, or refused.
    pub(super) const fn reset_done(&mut self, done: Result<(), Refused>) {
        if let Some(running) = &mut self.running
            && let Phase::Resetting(tripped) = running.phase
        {
            running.phase = Phase::Reset(tripped, done);
        }
    }
}

impl Running {
    /// The part after those that have a result.
    fn part(&self, inputs: usize) -> Option<Part> {
        match self.results.len().checked_sub(1) {
            None => Some(Part::Verbs),
            Some(input) => (input < inputs).then_some(Part::Input(input)),
        }
    }
}

impl GateThread {
    /// Begins a test, or refuses it at once.
    pub(super) fn begin_self_test(&mut self, answer: oneshot::Sender<Answer>) {
        let now = clock::now();
        self.watch_latch(now.steady);
        let rested = self.self_test.last_begun.is_none_or(|at| now.steady.since(at) >= REST);
        let refusal = if self.ends_at.is_some() {
            Some(SelfTestRefusal::ShuttingDown)
        } else if self.self_test.running.is_some() {
            Some(SelfTestRefusal::Running)
        } else {
            let refusal = self.gate.self_test_refusal();
            refusal.or((!rested).then_some(SelfTestRefusal::TooSoon))
        };
        let begun = refusal.map_or_else(|| self.gate.begin_self_test(), Err);
        if let Err(refusal) = begun {
            self.events.post(Event { at: now, what: What::SelfTestRefused(refusal) });
            self.answer(Verb::SelfTest, Err(Denied::SelfTest(refusal)), false, answer, now);
            return;
        }
        self.self_test.last_begun = Some(now.steady);
        let results = Vec::with_capacity(self.kill_inputs.len().saturating_add(1));
        let (begun, phase) = (now.steady, Phase::Next);
        self.self_test.running = Some(Running { answer, begun, results, phase });
    }

    /// One step of the test that runs. Returns whether there was one to make.
    pub(super) fn advance_self_test(&mut self) -> bool {
        let Some(mut running) = self.self_test.running.take() else { return false };
        let now = clock::now();
        if !self.gate.is_testing() || self.ends_at.is_some() {
            self.end_self_test(running, Flaw::Interrupted, now);
            return true;
        }
        let worked = match running.phase {
            Phase::Next => {
                let Some(part) = running.part(self.kill_inputs.len()) else {
                    self.end_self_test(running, Flaw::NotBegun, now);
                    return true;
                };
                if now.steady.since(running.begun) > BEGIN_WITHIN {
                    self.end_self_test(running, Flaw::NotBegun, now);
                    return true;
                }
                self.begin_part(&mut running, part);
                true
            }
            Phase::Writing { tripped, number } => {
                let took = now.steady.since(tripped.at);
                match self.latch.outcome(number, now.steady) {
                    None if took < DISK_LIMIT => false,
                    outcome => {
                        self.begin_part_reset(&mut running, tripped, outcome == Some(true), took);
                        true
                    }
                }
            }
            Phase::Resetting(_) => false,
            Phase::Reset(tripped, done) => {
                running.phase = Phase::Next;
                let mut result = tripped.result;
                if let Err(refused) = done {
                    result.flaw = Some(Flaw::NotReset(refused));
                }
                self.finish_part(&mut running, result, now);
                if done.is_err() {
                    self.end_self_test(running, Flaw::NotBegun, now);
                    return true;
                }
                true
            }
        };
        self.self_test.running = Some(running);
        worked
    }

    /// The trip of a part, its safe commands, and its record on the way.
    fn begin_part(&mut self, running: &mut Running, part: Part) {
        let mut result = self.nothing_yet(part);
        let (at, reached) = match part {
            Part::Verbs => self.test_verbs(),
            Part::Input(input) => self.test_input(input),
        };
        match reached {
            Ok(Reach::Trip) => {}
            Ok(reach) => {
                result.reach = reach;
                self.finish_part(running, result, at);
                return;
            }
            Err(flaw) => {
                result.flaw = Some(flaw);
                self.finish_part(running, result, at);
                return;
            }
        }
        let (published, flaw) = self.publish_echoes(at);
        let now = clock::steady();
        result.flaw = flaw;
        result.to_safe = published.then(|| now.since(at.steady));
        let number = self.persist(now);
        let tripped = Tripped { at: at.steady, seq: self.gate.machine().seq(), result };
        running.phase = Phase::Writing { tripped, number };
    }

    /// A part of which nothing is known yet but how far it goes.
    fn nothing_yet(&self, part: Part) -> PartResult {
        let input = match part {
            Part::Verbs => None,
            Part::Input(input) => {
                self.kill_inputs.get(input).zip(self.config.kill_inputs.get(input))
            }
        };
        let reach = match input {
            Some((io, _)) if io.codec.asserting().is_none() => Reach::Heartbeat,
            Some((_, rules)) if rules.action == KillAction::Disarm => Reach::Level,
            Some(_) | None => Reach::Trip,
        };
        PartResult { part, reach, flaw: None, to_safe: None, to_disk: None }
    }

    /// A kill by the way that the control socket and the signal take.
    fn test_verbs(&mut self) -> (Moment, Result<Reach, Flaw>) {
        let at = clock::now();
        self.switch.raise(Cause::SelfTest);
        self.take_kills(at);
        if !self.gate.is_testing() {
            return (at, Err(Flaw::Interrupted));
        }
        let machine = self.gate.machine();
        let ours = machine.last_trip().is_some_and(|trip| trip.cause == Cause::SelfTest);
        let is_killed = machine.state() == State::Killed && ours;
        (at, if is_killed { Ok(Reach::Trip) } else { Err(Flaw::NotKilled) })
    }

    /// A message that asserts, as the input's publishers would send it.
    fn test_input(&mut self, index: usize) -> (Moment, Result<Reach, Flaw>) {
        let codec = self.kill_inputs.get_mut(index).map(|input| &mut input.codec);
        let bytes = codec.as_ref().and_then(|codec| codec.asserting()).map(<[u8]>::to_vec);
        let at = clock::now();
        let (Some(codec), Some(bytes)) = (codec, bytes) else {
            return (at, self.gate.test_heartbeat(index, at.steady));
        };
        let asserted = codec.read(&bytes);
        let receipt = Receipt { at, publisher: Some(TESTER), ..Receipt::default() };
        (at, self.gate.test_kill_input(index, asserted, &receipt))
    }

    /// What a kill would send on each lane, on the lane's echo. Returns whether anything went out, and
    /// the first flaw.
    fn publish_echoes(&mut self, now: Moment) -> (bool, Option<Flaw>) {
        let (mut published, mut flaw) = (false, None);
        for index in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get(index) else { continue };
            let Some(echo) = &lane.echo else { continue };
            // The lane's own message stays what it was.
            let mut message = lane.safe.clone();
            let mut failed = None;
            let mut sent = false;
            let stopped = self.gate.rehearse_stop(index, now.steady, &mut |safe| {
                let bytes = message.render(safe.command, safe.values, safe.targets, now.wall);
                match bytes.map(|bytes| echo.publish_serialized(bytes)) {
                    Some(Ok(())) => sent = true,
                    Some(Err(error)) => failed = Some((Flaw::NotPublished { lane: index }, error)),
                    None => {}
                }
            });
            published |= sent;
            let lost = stopped == Ok(true) && !sent && failed.is_none();
            if let Some((found, error)) = failed {
                self.failed(Call::Publish, Subject::Lane(index), error.code);
                flaw = flaw.or(Some(found));
            }
            // What the message itself lacks is a safe command that is missing, too.
            let missing = lost.then_some(Flaw::NoSafeCommand { lane: index });
            flaw = flaw.or(stopped.err()).or(missing);
        }
        (published, flaw)
    }

    /// The trip is on disk, or will not be: its reset begins.
    fn begin_part_reset(
        &mut self,
        running: &mut Running,
        tripped: Tripped,
        is_written: bool,
        took: Duration,
    ) {
        let mut tripped = tripped;
        if is_written && self.latch.persists() {
            tripped.result.to_disk = Some(took);
        } else if !is_written {
            tripped.result.flaw = tripped.result.flaw.or(Some(Flaw::NotOnDisk));
        }
        running.phase = match self.begin_test_reset(tripped.seq) {
            Ok(()) => Phase::Resetting(tripped),
            Err(refused) => Phase::Reset(tripped, Err(refused)),
        };
    }

    /// Tells what came of a part, and keeps when it passed.
    fn finish_part(&self, running: &mut Running, result: PartResult, at: Moment) {
        self.events.post(Event { at, what: What::SelfTested(result) });
        running.results.push(result);
        if result.flaw.is_some() {
            return;
        }
        match result.part {
            Part::Verbs => self.slots.node.self_test.set(at.wall),
            Part::Input(input) => {
                if let Some(slots) = self.slots.kill_inputs.get(input) {
                    slots.self_test.set(at.wall);
                }
            }
        }
    }

    /// Ends the test, and answers. `flaw` is that of the part under way, or of the next one; those after
    /// it did not begin.
    fn end_self_test(&mut self, mut running: Running, flaw: Flaw, now: Moment) {
        self.gate.end_self_test();
        let mut flaw = flaw;
        let mut of_part = match running.phase {
            Phase::Writing { tripped, .. }
            | Phase::Resetting(tripped)
            | Phase::Reset(tripped, _) => Some(tripped.result),
            Phase::Next => None,
        };
        while let Some(part) = running.part(self.kill_inputs.len()) {
            let result = of_part.take().unwrap_or_else(|| self.nothing_yet(part));
            self.finish_part(&mut running, PartResult { flaw: Some(flaw), ..result }, now);
            flaw = Flaw::NotBegun;
        }
        let machine = self.gate.machine();
        let told = Answer {
            result: Ok(()),
            state: machine.state(),
            seq: machine.seq(),
            // By its trips and its resets.
            moved: true,
            unmet: Vec::new(),
            owner: None,
            self_test: running.results,
        };
        // A caller that has gone does not need the answer.
        running.answer.send(told).ok();
    }
}
