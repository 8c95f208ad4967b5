//! What the gate thread writes for telemetry: its own slots, and fixed-size events.

use super::GateThread;
use super::commands::totals;
use super::requests::{Denied, Verb};
use crate::gate::cause::Cause;
use crate::gate::condition::ConditionCode;
use crate::gate::lane::Decision;
use crate::gate::machine::Subject;
use crate::gate::notice::Notice;
use crate::gate::publisher::Receipt;
use crate::gate::state::State;
use crate::gate::units::{Moment, SteadyTime, WallTime};
use crate::gate::verdict::Verdict;
use crate::ros::rcl::MessageInfo;
use crate::telemetry::decisions::{Concluded, Posted};
use crate::telemetry::events::{Call, Event, What};
use crate::telemetry::slots::{ArmRefusal, ResetRefusal, SourceUse, Unusable};

/// Time from one wall-clock reading to another; `None` when it runs backwards.
fn wall_since(now: WallTime, then: i64) -> Option<std::time::Duration> {
    let nanos = now.as_nanos().checked_sub(then)?;
    u64::try_from(nanos).ok().map(std::time::Duration::from_nanos)
}

impl GateThread {
    pub(super) fn record_arrival(
        &self,
        lane: usize,
        source: usize,
        info: &MessageInfo,
        at: Moment,
        before: Option<SteadyTime>,
    ) {
        let Some(slots) = self.slots.lanes.get(lane).and_then(|lane| lane.sources.get(source))
        else {
            return;
        };
        slots.last_received.set(at.wall);
        if let Some(before) = before {
            slots.interval.observe(at.steady.since(before));
        }
        let sent = info.source_timestamp_ns.and_then(|sent| wall_since(at.wall, sent));
        if let Some(transport) = sent {
            slots.transport.observe(transport);
        }
        if info.publication_sequence_number.is_some() {
            // Present from now on, at whatever it counts.
            slots.lost.add(0);
        }
    }

    pub(super) fn record_decision(
        &self,
        lane: usize,
        source: usize,
        decision: &Decision,
        receipt: &Receipt,
        stamp: Option<WallTime>,
    ) {
        let Some(lane_slots) = self.slots.lanes.get(lane) else { return };
        let Some(slots) = lane_slots.sources.get(source) else { return };
        slots.verdicts.at(decision.verdict).increment();
        if let Some(refusal) = decision.refusal {
            slots.reasons.at(refusal.reason).increment();
        }
        if decision.lost > 0 {
            slots.lost.add(decision.lost);
            let what = What::Lost { lane, source, count: decision.lost };
            self.events.post(Event { at: receipt.at, what });
        }
        if let (Some(age), Some(stamp)) = (&slots.age, stamp)
            && let Some(span) = wall_since(receipt.at.wall, stamp.as_nanos())
        {
            age.observe(span);
        }
        if decision.verdict == Verdict::Limited && slots.mode == SourceUse::Live {
            for limit in decision.limits.iter() {
                slots.limits.at(limit).increment();
            }
            let applied = self.gate.lane(lane).map(crate::gate::lane::Lane::applied);
            let joints = lane_slots.joint_limits.iter().zip(applied.unwrap_or_default());
            for (joint, applied) in joints {
                for limit in applied.iter() {
                    joint.limits.at(limit).increment();
                }
            }
        }
    }

    /// `~/decisions`, where it is this one's turn.
    pub(super) fn tell_decision(
        &mut self,
        lane: usize,
        source: usize,
        decision: &Decision,
        receipt: &Receipt,
        residence: Option<std::time::Duration>,
    ) {
        let Some(io) = self.lanes.get(lane) else { return };
        let posted = self.decisions.after(&Concluded {
            lane,
            source,
            receipt,
            verdict: decision.verdict,
            refusal: decision.refusal,
            seq: self.gate.machine().seq(),
            shadow: decision.shadow,
            command: &io.command,
            changes: self.gate.lane(lane).map_or(&[], crate::gate::lane::Lane::changes),
            residence,
            counts: totals(&self.gate, lane, source),
        });
        match posted {
            Posted::Told | Posted::Thinned => {}
            Posted::Lost => {
                let what = What::DecisionLost { lane, source };
                self.events.post(Event { at: receipt.at, what });
            }
        }
    }

    pub(super) fn record_output(
        &self,
        lane: usize,
        taken: SteadyTime,
        called: SteadyTime,
        done: SteadyTime,
        last: Option<SteadyTime>,
    ) {
        let Some(slots) = self.slots.lanes.get(lane) else { return };
        slots.residence.observe(called.since(taken));
        slots.publish.observe(done.since(called));
        if let Some(last) = last {
            slots.output_interval.observe(called.since(last));
        }
    }

    pub(super) fn record_safe(&self, lane: usize, now: SteadyTime, last: Option<SteadyTime>) {
        if let (Some(slots), Some(last)) = (self.slots.lanes.get(lane), last) {
            slots.output_interval.observe(now.since(last));
        }
    }

    /// `is_used`: by any lane; `unusable`: of the first lane that could not use it. A broadcaster of one arm
    /// is both where another lane has the other arm.
    pub(super) fn record_feedback(
        &self,
        index: usize,
        is_used: bool,
        unusable: Option<Unusable>,
        now: Moment,
    ) {
        let Some(slots) = self.slots.feedback.get(index) else { return };
        if is_used {
            slots.last_received.set(now.wall);
        }
        if let Some(unusable) = unusable {
            slots.unusable(now.steady, unusable);
        }
    }

    pub(super) fn record_verb(&self, verb: Verb, result: &Result<(), Denied>) {
        let node = &self.slots.node;
        let refused = match result {
            Err(Denied::State(refused)) => Some(*refused),
            Ok(()) | Err(Denied::Select(_) | Denied::SelfTest(_)) => None,
        };
        match (verb, refused) {
            (Verb::Reset { .. }, None) => node.resets.increment(),
            (Verb::Arm { .. }, None) => node.arms.increment(),
            (Verb::Reset { .. }, Some(refused)) => {
                if let Some(reason) = ResetRefusal::of(refused) {
                    node.reset_refusals.at(reason).increment();
                }
            }
            (Verb::Arm { .. }, Some(refused)) => {
                if let Some(reason) = ArmRefusal::of(refused) {
                    node.arm_refusals.at(reason).increment();
                }
            }
            (Verb::Disarm | Verb::SelectSource { .. } | Verb::SelfTest, _) => {}
        }
    }

    /// State gauges, once a tick.
    pub(super) fn record_state(&self, permitted: bool, now: SteadyTime) {
        let node = &self.slots.node;
        let machine = self.gate.machine();
        match machine.was_killed_active() {
            Some(active) => node.latched_from_active.set(active),
            None => node.latched_from_active.forget(),
        }
        node.state.set(Some(machine.state()));
        node.permitted.set(permitted);
        node.seq.set(machine.seq());
        node.trip_cause.set(machine.first_trip().map(|trip| trip.cause));
        node.set_profile(self.gate.profile());
        node.derating.set(self.gate.derating());
        let mut unmet = 0u32;
        self.gate.unmet(now, &mut |condition| unmet |= 1 << condition.code.index());
        // Arm conditions are evaluated while disarmed; otherwise nobody knows.
        for code in ConditionCode::ALL {
            if machine.state() == State::Disarmed {
                node.conditions.at(*code).set(unmet & (1 << code.index()) == 0);
            } else {
                node.conditions.at(*code).forget();
            }
        }
        let present = self.gate.causes_present(now);
        for cause in Cause::ALL {
            node.cause_present.at(*cause).set(present.contains(*cause));
        }
        let lanes = self.slots.lanes.iter().zip(self.gate.lanes()).zip(self.facts.lanes());
        for (index, ((slots, lane), facts)) in lanes.enumerate() {
            slots.state.set(Some(lane.state()));
            match self.gate.lane_moves_after_stop(index) {
                Some(moves) => slots.moves_after_stop.set(moves),
                None => slots.moves_after_stop.forget(),
            }
            slots.owner.set(lane.owner());
            let Some(facts) = facts else { continue };
            // What nobody looks at is not known; whom a look found there may well be there still.
            if lane.graph().is_unseen {
                slots.output_subscribers.forget();
            } else {
                slots.output_subscribers.set(u64::from(facts.subscribers));
            }
            if lane.graph().is_unseen && facts.foreign_publishers == 0 {
                slots.output_foreign_publishers.forget();
            } else {
                slots.output_foreign_publishers.set(u64::from(facts.foreign_publishers));
            }
        }
        for (slots, view) in self.slots.kill_inputs.iter().zip(self.gate.kill_input_views(now)) {
            slots.lost.set(view.lost);
            // Not heard is not "released"; a press from before the start asserts all the same.
            if view.seen || view.asserted {
                slots.asserted.set(view.asserted);
            } else {
                slots.asserted.forget();
            }
        }
    }

    /// Counts and posts an error of the middleware.
    pub(super) fn failed(&self, call: Call, subject: Subject, code: i32) {
        let at = crate::clock::now();
        self.events.post(Event { at, what: What::MiddlewareFailed { call, subject, code } });
    }

    /// Passes the gate's notices on.
    pub(super) fn tell(&mut self, at: Moment) {
        for notice in self.gate.notices().drain() {
            if let Notice::Trip(trip) = notice {
                self.slots.node.trips.at(trip.cause).increment();
                self.slots.node.last_trip.set(trip.stamp);
            }
            self.events.post(Event { at, what: What::Gate(notice) });
        }
        self.slots.events_dropped.add(self.gate.notices().take_dropped());
    }
}
