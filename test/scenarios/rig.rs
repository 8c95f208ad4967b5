//! The only place that calls the gate: a gate thread without threads.
//!
//! Around the gate stand a steady clock, one queue of depth one for each source (the newest command
//! replaces the one not taken yet, and leaves a gap in the sequence numbers), and a robot that goes
//! where the outputs send it. Every call becomes one [`Step`], the safe commands that were due
//! included, because the gate thread puts those out after each wake.

use std::time::Duration;

use interlock::gate::cause::Cause;
use interlock::gate::check::Refusal;
use interlock::gate::command::Command;
use interlock::gate::core::Gate;
use interlock::gate::lane::LaneGraph;
use interlock::gate::machine::{Report, Subject};
use interlock::gate::publisher::Receipt;
use interlock::gate::rules::{GateRules, Interface};
use interlock::gate::state::BootRecord;
use interlock::gate::units::{Moment, SteadyTime, WallTime};
use interlock::gate::verdict::{Reason, Verdict};

use super::trace::{From, LaneView, Output, Received, Step, View, What};

/// The controller reads its lane, and nobody else is there.
const READ: LaneGraph = LaneGraph {
    subscribers: 1,
    controller_reads: true,
    incompatible: 0,
    foreign_publishers: 0,
    is_unseen: false,
};

const SERVICE: Report = Report::plain(Cause::KillService, Subject::Node);

/// A command on its way, as its publisher sent it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) lane: usize,
    pub(crate) source: usize,
    pub(crate) publisher: Option<u8>,
    pub(crate) stamp: Option<i64>,
    pub(crate) sequence: Option<u64>,
    pub(crate) command: Command,
}

#[derive(Clone, Debug)]
struct Queued {
    sent: Sent,
    after: usize,
}

/// What a drained command counts as.
#[derive(Clone, Copy)]
enum Drain {
    Judged,
    Fenced,
}

/// The gate and what surrounds it.
pub(crate) struct Rig {
    gate: Gate,
    pub(crate) rules: GateRules,
    pub(crate) boot: BootRecord,
    pub(crate) now: u64,
    /// The wall clock runs apart by this much; no decision may depend on it.
    pub(crate) wall_offset: i64,
    next_tick: u64,
    queues: Vec<Vec<Option<Queued>>>,
    /// Where the robot is, lane by lane.
    pub(crate) pose: Vec<Vec<f64>>,
    pub(crate) trace: Vec<Step>,
}

impl Rig {
    pub(crate) fn new(rules: GateRules, record: BootRecord, seq: u64, pose: Vec<Vec<f64>>) -> Self {
        // Not at zero, so that "long ago" exists.
        let now = 10_000_000_000;
        let queues = rules.lanes.iter().map(|lane| vec![None; lane.sources.len()]).collect();
        let moment = Moment { steady: SteadyTime::from_nanos(now), wall: WallTime::default() };
        let mut gate = Gate::new(rules.clone(), record, seq, moment);
        for lane in 0..rules.lanes.len() {
            gate.graph(lane, READ);
        }
        let next_tick = now + nanos(rules.tick);
        let (trace, wall_offset) = (Vec::new(), 0);
        let mut rig =
            Self { gate, rules, boot: record, now, wall_offset, next_tick, queues, pose, trace };
        rig.record(What::Boot, Vec::new());
        rig
    }

    pub(crate) fn moment(&self) -> Moment {
        let wall = i64::try_from(self.now).unwrap().wrapping_add(self.wall_offset);
        Moment { steady: SteadyTime::from_nanos(self.now), wall: WallTime::from_nanos(wall) }
    }

    pub(crate) fn view(&self) -> View {
        let lanes = self.gate.lanes().iter().enumerate().map(|(index, lane)| {
            let sources = self.rules.lanes[index].sources.len();
            let count = |source, verdict: &Verdict| self.gate.count(index, source, *verdict);
            LaneView {
                state: lane.state(),
                owner: lane.owner(),
                counts: (0..sources)
                    .map(|source| std::array::from_fn(|v| count(source, &Verdict::ALL[v])))
                    .collect(),
            }
        });
        let machine = self.gate.machine();
        View {
            state: machine.state(),
            seq: machine.seq(),
            permitted: self.gate.is_permitted(),
            lanes: lanes.collect(),
        }
    }

    /// Puts out what is due and writes the step down.
    fn record(&mut self, what: What, mut outputs: Vec<Output>) {
        let steady = self.moment().steady;
        for lane in 0..self.rules.lanes.len() {
            let interface = self.rules.lanes[lane].interface;
            if let Some(safe) = self.gate.take_safe(lane, steady) {
                let mut command = Command::with_capacity(safe.values.len(), safe.values.len());
                command.points = 1;
                targets_mut(&mut command, interface).extend_from_slice(safe.values);
                outputs.push(Output { lane, from: From::Safe(safe.command), command });
            }
        }
        for output in &outputs {
            self.follow(output);
        }
        let _told = self.gate.notices().drain().count();
        let after = self.view();
        self.trace.push(Step { at: self.now, what, outputs, after });
    }

    /// The robot follows at once; how it lags is the scenario's affair.
    fn follow(&mut self, output: &Output) {
        if self.rules.lanes[output.lane].interface == Interface::Position {
            let joints = self.pose[output.lane].len();
            let last = output.command.position.rchunks(joints).next().unwrap_or_default();
            for (joint, (pose, value)) in self.pose[output.lane].iter_mut().zip(last).enumerate() {
                if output.command.given[joint] {
                    *pose = *value;
                }
            }
        }
    }

    // ---- time ----------------------------------------------------------------------------------

    /// Time passes without the gate looking at it.
    pub(crate) fn sleep(&mut self, span: u64) {
        self.now += span;
    }

    /// Ticks that are due by now, the last one late if the gate slept. A stalled gate drains first.
    pub(crate) fn tick(&mut self) {
        if self.gate.is_stalled(self.moment().steady) {
            self.drain(Drain::Fenced);
        }
        self.gate.tick(self.moment());
        self.next_tick = self.now + nanos(self.rules.tick);
        self.record(What::Tick, Vec::new());
    }

    /// When the next tick is due.
    pub(crate) fn next_tick(&self) -> u64 {
        self.next_tick
    }

    // ---- commands ------------------------------------------------------------------------------

    /// A command reaches its queue and replaces what was there.
    pub(crate) fn queue(&mut self, sent: Sent) {
        let after = self.trace.len();
        let slot = &mut self.queues[sent.lane][sent.source];
        *slot = Some(Queued { sent, after });
    }

    /// Takes what waits in a queue, if the source has a token.
    pub(crate) fn take(&mut self, lane: usize, source: usize) -> Option<Verdict> {
        if !self.gate.may_take(lane, source, self.moment().steady) {
            return None;
        }
        let queued = self.queues[lane][source].take()?;
        Some(self.judge(queued, Drain::Judged))
    }

    /// Every queue is emptied, tokens or not: before an arm as any command, after a stall refused,
    /// because what waited while the gate stood still looks fresh and is not.
    fn drain(&mut self, how: Drain) {
        for lane in 0..self.queues.len() {
            for source in 0..self.queues[lane].len() {
                if let Some(queued) = self.queues[lane][source].take() {
                    self.judge(queued, how);
                }
            }
        }
    }

    fn judge(&mut self, queued: Queued, how: Drain) -> Verdict {
        let Queued { sent, after } = queued;
        let mut command = sent.command.clone();
        let receipt = self.receipt(&sent);
        let decoded = match how {
            Drain::Judged => Ok(&mut command),
            Drain::Fenced => Err(Refusal::whole(Reason::Fenced)),
        };
        let decision = self.gate.judge(sent.lane, sent.source, decoded, &receipt).unwrap();
        self.gate.conclude(sent.lane, sent.source, &decision, receipt.at.steady);
        let mut outputs = Vec::new();
        if decision.forwards() {
            outputs.push(Output { lane: sent.lane, from: From::Source(sent.source), command });
        }
        let received = Received {
            lane: sent.lane,
            source: sent.source,
            publisher: sent.publisher,
            stamp: sent.stamp,
            queued_after: after,
            asked: sent.command,
            verdict: decision.verdict,
            reason: decision.refusal.map(|refusal| refusal.reason),
        };
        self.record(What::Command(Box::new(received)), outputs);
        decision.verdict
    }

    fn receipt(&self, sent: &Sent) -> Receipt {
        Receipt {
            at: self.moment(),
            source_timestamp: sent.stamp,
            sequence: sent.sequence,
            publisher: sent.publisher.map(|publisher| [publisher; 16]),
            replayed: false,
        }
    }

    // ---- verbs and inputs ----------------------------------------------------------------------

    pub(crate) fn kill(&mut self) {
        self.gate.kill(SERVICE, self.moment());
        self.record(What::Kill, Vec::new());
    }

    pub(crate) fn kill_input(&mut self, input: usize, publisher: u8, asserted: Option<bool>) {
        let receipt =
            Receipt { at: self.moment(), publisher: Some([publisher; 16]), ..Receipt::default() };
        self.gate.kill_input(input, asserted, &receipt);
        self.record(What::KillInput { input, publisher, asserted }, Vec::new());
    }

    pub(crate) fn disarm(&mut self) -> bool {
        let result = self.gate.disarm(self.moment());
        self.record(What::Disarm(result), Vec::new());
        result.is_ok()
    }

    pub(crate) fn reset(&mut self, seq: u64) -> bool {
        let result = self.gate.reset(seq, self.moment());
        self.record(What::Reset { seq, result }, Vec::new());
        result.is_ok()
    }

    pub(crate) fn arm(&mut self, seq: u64, profile: usize) -> bool {
        self.drain(Drain::Judged);
        let result = self.gate.arm(seq, profile, self.moment());
        self.record(What::Arm { seq, profile, result }, Vec::new());
        result.is_ok()
    }

    pub(crate) fn select(&mut self, lane: usize, source: Option<usize>) -> bool {
        let accepted = self.gate.select_source(lane, source, self.moment().steady).is_ok();
        self.record(What::Select { lane, source, accepted }, Vec::new());
        accepted
    }

    pub(crate) fn feedback(&mut self, lane: usize, position: &[f64], velocity: &[f64]) {
        let usable = self.gate.feedback(lane, position, velocity, self.moment().steady);
        let (position, velocity) = (position.to_vec(), velocity.to_vec());
        self.record(What::Feedback { lane, position, velocity, usable }, Vec::new());
    }

    /// Heat or charge asks for smaller limits.
    pub(crate) fn derate(&mut self, factor: f64) {
        self.gate.set_derating(factor, self.moment());
        self.record(What::Derate(factor), Vec::new());
    }
}

/// The quantity that a lane commands.
pub(crate) fn targets_mut(command: &mut Command, interface: Interface) -> &mut Vec<f64> {
    match interface {
        Interface::Position => &mut command.position,
        Interface::Velocity => &mut command.velocity,
        Interface::Effort => &mut command.effort,
    }
}

pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap()
}
