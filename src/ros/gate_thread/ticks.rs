//! The tick: watchdogs, permit, snapshots, and safe commands when they are due.

use super::commands::safe_waits;
use super::{Drain, GateThread};
use crate::clock;
use crate::codec::safe::SafeMessage;
use crate::gate::core::Gate;
use crate::gate::machine::Subject;
use crate::gate::safe::SafeCommand;
use crate::gate::state::State;
use crate::gate::units::{Moment, SteadyTime};
use crate::telemetry::events::Call;
use crate::telemetry::slots::StopTrigger;
use crate::watchdog::STALLED_AFTER;

impl GateThread {
    pub(super) fn tick(&mut self, now: Moment) {
        if self.stood_still(now) {
            self.drain_commands(Drain::Fenced);
            self.watched.audits.stood_still(now.steady);
            self.watched.monitor.stood_still(now.steady);
        }
        self.slots.node.ticked(now.steady);
        let was_active = self.gate.machine().state() == State::Active;
        self.watch_clocks((self.clocks)(), now);
        self.take_limits();
        self.look_at_safe();
        self.read_graph(now);
        self.read_sensors(now);
        self.watch_latch(now.steady);
        self.gate.tick(now);
        if was_active {
            self.note_stop(now);
        }
        self.request_cut(now);
        let permitted = self.is_permitted();
        self.publish_permit(permitted, now);
        self.publish_snapshots(now);
        self.record_state(permitted, now.steady);
        self.leave_burst(now);
        let period = self.config.tick;
        self.next_tick = self.next_tick.after(period);
        while self.next_tick <= now.steady {
            // Too late for one or more: no catching up, each is counted.
            self.next_tick = self.next_tick.after(period);
            self.slots.node.ticks_missed.increment();
        }
    }

    /// A cause may have stopped what was in motion: it is timed as a kill is.
    pub(super) fn note_stop(&mut self, now: Moment) {
        let machine = self.gate.machine();
        let trigger = match machine.state() {
            State::Active => return,
            State::Disarmed => StopTrigger::Automatic,
            State::Killed => {
                let last = machine.last_trip();
                last.map_or(StopTrigger::Automatic, |trip| StopTrigger::of(trip.cause))
            }
        };
        self.stopping.get_or_insert((trigger, now.steady));
    }

    fn is_permitted(&self) -> bool {
        self.gate.is_permitted() && !self.switch.is_fenced()
    }

    fn publish_permit(&mut self, permitted: bool, now: Moment) {
        self.permit_told = permitted;
        let seq = self.gate.machine().seq();
        let permit = self.permit.next(permitted, seq, now.wall);
        if let Err(error) = self.permit_publisher.publish_serialized(permit) {
            self.failed(Call::Publish, Subject::Node, error.code);
        }
    }

    /// Whether each gated lane has something to build its safe message on.
    fn look_at_safe(&mut self) {
        for (index, lane) in self.lanes.iter().enumerate() {
            if lane.publisher.is_some() {
                self.gate.safe_waits(index, safe_waits(&lane.safe));
            }
        }
    }

    /// Limits of a robot description, while nothing can move: once a tick, and before an arm, which
    /// must not run on the ones before.
    pub(super) fn take_limits(&mut self) {
        if self.gate.machine().state() == State::Active {
            return;
        }
        while let Ok(limits) = self.new_limits.try_recv() {
            let taken = self.gate.set_limits(limits);
            self.gate.await_description(!taken);
            for (index, lane) in self.lanes.iter_mut().enumerate() {
                lane.safe.set_limits(self.gate.limits(index));
            }
        }
    }

    /// Publishes every safe command that is due; then, where what the last permit said is no longer
    /// so, one that says no: the next tick may be 50 ms away.
    pub(super) fn publish_safe(&mut self, now: Moment) {
        let (mut published, mut due) = (false, false);
        for index in 0..self.lanes.len() {
            let Some(safe) = self.gate.take_safe(index, now.steady) else { continue };
            due = true;
            let Some(lane) = self.lanes.get_mut(index) else { continue };
            if self.switch.is_fenced() {
                continue;
            }
            let Some(bytes) = lane.safe.render(safe.command, safe.values, safe.targets, now.wall)
            else {
                self.failed(Call::Publish, Subject::Lane(index), 0);
                continue;
            };
            let Some(publisher) = &lane.publisher else { continue };
            // A pose that is chosen is what a burst sends, too, if this publish is the one that hangs. A
            // ramp is not: the tick has left its end.
            if !matches!(safe.command, SafeCommand::ZeroVelocity { .. }) {
                self.prepared.later(index, &[]);
                self.prepared.leave(index, bytes, now.steady);
            }
            let result = publisher.publish_serialized(bytes);
            let last = lane.last_output.replace(now.steady);
            self.record_safe(index, now.steady, last);
            match result {
                Ok(()) => published = true,
                Err(error) => self.failed(Call::Publish, Subject::Lane(index), error.code),
            }
        }
        // Where nothing is due there is nothing to time: the next stop must not begin with this one.
        if (published || !due)
            && let Some((trigger, since)) = self.stopping.take()
            && published
        {
            let took = clock::steady().since(since);
            self.slots.node.stop.at(trigger).observe(took);
        }
        if self.permit_told && !self.is_permitted() {
            self.publish_permit(false, now);
            // The burst's own permit is numbered after the last.
            self.prepared.leave(self.lanes.len(), self.permit.withdrawal(), now.steady);
        }
    }

    /// Leaves the bytes of a stop for the burst, and behind them a permit that says no.
    fn leave_burst(&mut self, now: Moment) {
        for index in 0..self.lanes.len() {
            self.leave_stop(index, now);
        }
        self.prepared.leave(self.lanes.len(), self.permit.withdrawal(), now.steady);
    }

    /// Leaves the bytes of one lane's stop.
    fn leave_stop(&mut self, index: usize, now: Moment) {
        let Some(lane) = self.lanes.get_mut(index) else { return };
        self.scratch.resize(lane.command.dimensions, 0.0);
        if self.gate.follows_plan(index) {
            let at = (now, now.steady.after(STALLED_AFTER));
            let bytes = stop_bytes(&self.gate, index, &mut self.scratch, at, &mut lane.safe);
            self.prepared.later(index, bytes);
        } else {
            self.prepared.later(index, &[]);
        }
        let at = (now, now.steady);
        let bytes = stop_bytes(&self.gate, index, &mut self.scratch, at, &mut lane.safe);
        self.prepared.leave(index, bytes, now.steady);
    }

    /// After a plan has been forwarded: a burst before the next tick is about this plan. The stop that
    /// the tick has left would lead the controller back to where the plan began.
    pub(super) fn leave_plan(&mut self, index: usize, now: Moment) {
        if self.gate.follows_plan(index) {
            self.leave_stop(index, now);
        }
    }
}

/// What a stop of a lane would send; empty: nothing may be sent.
fn stop_bytes<'a>(
    gate: &Gate,
    lane: usize,
    scratch: &mut [f64],
    (now, then): (Moment, SteadyTime),
    safe: &'a mut SafeMessage,
) -> &'a [u8] {
    let Some(stop) = gate.would_send(lane, scratch, (now.steady, then)) else { return &[] };
    safe.render(stop.command, stop.values, stop.targets, now.wall).unwrap_or_default()
}
