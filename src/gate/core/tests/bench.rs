//! A gate with its clock, driven as the gate thread drives it.

use std::time::Duration;

use crate::gate::cause::Cause;
use crate::gate::command::Command;
use crate::gate::condition::ConditionCode;
use crate::gate::conditions::Condition;
use crate::gate::core::Gate;
use crate::gate::lane::{Decision, LaneGraph};
use crate::gate::lane_state::LaneState;
use crate::gate::machine::{Report, Subject};
use crate::gate::notice::Notice;
use crate::gate::publisher::Receipt;
use crate::gate::rules::{
    CauseRules, FeedbackRules, GateRules, Interface, LaneRules, ProfileRules,
};
use crate::gate::state::{BootRecord, State};
use crate::gate::test_rules::TICK;
use crate::gate::units::{Moment, SteadyTime, WallTime};
use crate::gate::verdict::{Reason, Verdict};

/// A gate with its clock, driven as the gate thread drives it.
pub(crate) struct Bench {
    pub(crate) gate: Gate,
    pub(crate) now_ms: u64,
    /// Offset of the wall clock from the steady one; `None`: it stands still.
    pub(crate) wall_ms: Option<i64>,
    pub(crate) feedback: bool,
    pub(crate) pose: Vec<f64>,
    pub(crate) velocity: Vec<f64>,
    pub(crate) stamp: i64,
    pub(crate) sequence: u64,
}

pub(crate) const SERVICE: Report = Report::plain(Cause::KillService, Subject::Node);

pub(crate) fn rules(lanes: Vec<LaneRules>) -> GateRules {
    GateRules {
        tick: TICK,
        arm_settle: Duration::from_millis(100),
        stop_deadline: Duration::from_secs(1),
        simulated_time: false,
        simulated_stamps: false,
        plan_numbers: 64,
        lanes,
        feedback: vec![FeedbackRules { timeout: Duration::from_millis(100), ..Default::default() }],
        profiles: vec![ProfileRules::default()],
        kill_inputs: Vec::new(),
        causes: [CauseRules::default(); Cause::ALL.len()],
    }
}

impl Bench {
    pub(crate) fn new(rules: GateRules) -> Self {
        Self::booted(rules, BootRecord::Clean)
    }

    pub(crate) fn booted(rules: GateRules, record: BootRecord) -> Self {
        let lanes = rules.lanes.len();
        let pose = vec![0.0; rules.lanes.first().map_or(0, |lane| lane.limits.len())];
        let mut gate = Gate::new(rules, record, 1, Moment::default());
        for lane in 0..lanes {
            gate.graph(lane, READ);
        }
        Self {
            gate,
            now_ms: 0,
            wall_ms: Some(0),
            feedback: true,
            pose,
            velocity: Vec::new(),
            stamp: 0,
            sequence: 0,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let nanos = self.now_ms * 1_000_000;
        let wall = self.wall_ms.map_or(0, |offset| i64::try_from(self.now_ms).unwrap() + offset);
        let wall = WallTime::from_nanos(wall * 1_000_000);
        Moment { steady: SteadyTime::from_nanos(nanos), wall }
    }

    /// Lets time pass in ticks; returns the safe commands of lane 0.
    pub(crate) fn run(&mut self, ms: u64) -> Vec<Vec<f64>> {
        let mut out = Vec::new();
        for _ in 0..ms / 10 {
            self.now_ms += 10;
            let now = self.now();
            if self.feedback {
                for lane in 0..self.gate.lanes.len() {
                    if self.gate.lanes[lane].rules.feedback.is_some() {
                        let (pose, velocity) = (self.pose.clone(), self.velocity.clone());
                        let usable = self.gate.feedback(lane, &pose, &velocity, now.steady);
                        assert!(usable || pose.is_empty());
                    }
                }
            }
            self.gate.tick(now);
            if let Some(safe) = self.gate.take_safe(0, now.steady) {
                out.push(safe.values.to_vec());
            }
            for lane in 1..self.gate.lanes.len() {
                let _unused = self.gate.take_safe(lane, now.steady);
            }
        }
        out
    }

    pub(crate) fn armed(mut self) -> Self {
        self.run(200);
        let seq = self.gate.machine().seq();
        assert_eq!(self.gate.arm(seq, 0, self.now()), Ok(()), "{:?}", self.unmet());
        self
    }

    pub(crate) fn unmet(&self) -> Vec<ConditionCode> {
        let codes = |gate: &Gate| {
            let mut codes = Vec::new();
            gate.unmet(self.now().steady, &mut |condition| codes.push(condition.code));
            codes
        };
        // What the tick left says the same as another look.
        let mut again = self.gate.clone();
        again.evaluated_at = None;
        assert_eq!(codes(&self.gate), codes(&again));
        codes(&self.gate)
    }

    pub(crate) fn receipt(&mut self) -> Receipt {
        self.stamp += 1_000_000;
        self.sequence += 1;
        Receipt {
            at: self.now(),
            source_timestamp: Some(self.stamp),
            sequence: Some(self.sequence),
            publisher: Some([1; 16]),
            replayed: false,
        }
    }

    pub(crate) fn send(
        &mut self,
        lane: usize,
        source: usize,
        values: &[f64],
    ) -> (Decision, Vec<f64>) {
        let receipt = Receipt {
            publisher: Some([u8::try_from(source).unwrap() + 1; 16]),
            sequence: None,
            ..self.receipt()
        };
        self.send_with(lane, source, values, receipt)
    }

    pub(crate) fn send_with(
        &mut self,
        lane: usize,
        source: usize,
        values: &[f64],
        receipt: Receipt,
    ) -> (Decision, Vec<f64>) {
        let mut command = Command::with_capacity(values.len(), 64);
        command.points = 1;
        let position = self.gate.lanes[lane].rules.interface == Interface::Position;
        let quantity = if position { &mut command.position } else { &mut command.velocity };
        quantity.extend_from_slice(values);
        let decision = self.gate.judge(lane, source, Ok(&mut command), &receipt).unwrap();
        self.gate.conclude(lane, source, &decision, receipt.at.steady);
        let sent = if position { command.position } else { command.velocity };
        (decision, sent)
    }

    /// A command with a header stamp.
    pub(crate) fn send_stamped(
        &mut self,
        lane: usize,
        source: usize,
        values: &[f64],
        stamp: Option<WallTime>,
    ) -> Decision {
        let mut command = self.command(lane, values);
        command.stamp = stamp;
        self.send_command(lane, source, &mut command)
    }

    /// A command that names only some joints.
    pub(crate) fn send_partial(
        &mut self,
        lane: usize,
        source: usize,
        values: &[f64],
        given: &[bool],
    ) -> Decision {
        let mut command = self.command(lane, values);
        command.given.copy_from_slice(given);
        self.send_command(lane, source, &mut command)
    }

    pub(crate) fn send_command(
        &mut self,
        lane: usize,
        source: usize,
        command: &mut Command,
    ) -> Decision {
        let publisher = Some([u8::try_from(source).unwrap() + 1; 16]);
        let receipt = Receipt { publisher, sequence: None, ..self.receipt() };
        let decision = self.gate.judge(lane, source, Ok(command), &receipt).unwrap();
        self.gate.conclude(lane, source, &decision, receipt.at.steady);
        decision
    }

    fn command(&self, lane: usize, values: &[f64]) -> Command {
        let mut command = Command::with_capacity(values.len(), 64);
        command.points = 1;
        match self.gate.lanes[lane].rules.interface {
            Interface::Position => command.position.extend_from_slice(values),
            Interface::Velocity => command.velocity.extend_from_slice(values),
            Interface::Effort => command.effort.extend_from_slice(values),
        }
        command
    }

    pub(crate) fn verdict(&mut self, source: usize, values: &[f64]) -> Verdict {
        self.send(0, source, values).0.verdict
    }

    pub(crate) fn lane_state(&self, lane: usize) -> LaneState {
        self.gate.lane(lane).unwrap().state
    }

    pub(crate) fn conditions(&self) -> Vec<Condition> {
        let mut list = Vec::new();
        self.gate.unmet(self.now().steady, &mut |condition| list.push(condition));
        list
    }

    /// A command that is not one: refused for this reason.
    pub(crate) fn refuse(&mut self, lane: usize, source: usize, reason: Reason) {
        let publisher = Some([u8::try_from(source).unwrap() + 1; 16]);
        let receipt = Receipt { publisher, sequence: None, ..self.receipt() };
        let refusal = crate::gate::check::Refusal::whole(reason);
        let decision = self.gate.judge(lane, source, Err(refusal), &receipt).unwrap();
        assert_eq!(decision.refusal.map(|refusal| refusal.reason), Some(reason));
        self.gate.conclude(lane, source, &decision, receipt.at.steady);
    }

    /// Sends the same and lets time pass at 50 Hz.
    pub(crate) fn stream(&mut self, lane: usize, source: usize, values: &[f64], ms: u64) {
        for _ in 0..ms / 20 {
            self.send(lane, source, values);
            self.run(20);
        }
    }

    pub(crate) fn state(&self) -> State {
        self.gate.machine().state()
    }

    pub(crate) fn last_cause(&self) -> Option<Cause> {
        self.gate.machine().last_trip().map(|trip| trip.cause)
    }

    pub(crate) fn notices(&mut self) -> Vec<Notice> {
        self.gate.notices().drain().collect()
    }
}

/// Somebody reads it, the named controller too.
pub(crate) const READ: LaneGraph = LaneGraph {
    subscribers: 1,
    controller_reads: true,
    incompatible: 0,
    foreign_publishers: 0,
    is_unseen: false,
};
