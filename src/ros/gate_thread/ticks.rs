//! The tick: watchdogs, permit, snapshots, and safe commands when they are due.

use super::{Drain, GateThread};
use crate::clock::{self, ClockEvent};
use crate::gate::cause::Cause;
use crate::gate::machine::{Report, Subject};
use crate::gate::units::Moment;
use crate::telemetry::events::Call;

#[expect(clippy::as_conversions, reason = "nanoseconds to seconds for people")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

impl GateThread {
    pub(super) fn tick(&mut self, now: Moment) {
        self.slots.node.ticked(now.steady);
        self.watch_clocks(now);
        self.read_graph();
        self.gate.tick(now);
        let permitted = self.gate.is_permitted() && !self.switch.is_fenced();
        let seq = self.gate.machine().seq();
        let permit = self.permit.next(permitted, seq, now.wall);
        if let Err(error) = self.permit_publisher.publish_serialized(permit) {
            self.failed(Call::Publish, Subject::Node, error.code);
        }
        self.publish_snapshots(now);
        self.record_state(permitted);
        self.leave_burst(now);
        let period = self.config.tick;
        self.next_tick = self.next_tick.after(period);
        while self.next_tick <= now.steady {
            // Too late for one or more: no catching up, each is counted.
            self.next_tick = self.next_tick.after(period);
            self.slots.node.ticks_missed.increment();
        }
    }

    /// A suspend or a step of the wall clock since the last tick.
    fn watch_clocks(&mut self, now: Moment) {
        let report = match self.clocks.look(clock::readings()) {
            None => return,
            Some(ClockEvent::Suspended(slept)) => {
                // What waited through it looks fresh and is not.
                self.drain_commands(Drain::Fenced);
                Report {
                    found: slept.as_secs_f64(),
                    ..Report::plain(Cause::Suspended, Subject::Node)
                }
            }
            Some(ClockEvent::Stepped(by)) => {
                self.slots.node.clock_steps.increment();
                Report { found: seconds(by), ..Report::plain(Cause::ClockStep, Subject::Node) }
            }
        };
        self.gate.report(report, now);
    }

    /// What the control thread found out about the outputs.
    pub(super) fn read_graph(&mut self) {
        for (lane, facts) in self.facts.lanes().enumerate() {
            let facts = facts.unwrap_or_default();
            self.gate.graph(lane, facts.subscribers, facts.controller_reads);
        }
    }

    /// Publishes every safe command that is due.
    pub(super) fn publish_safe(&mut self, now: Moment) {
        let mut published = false;
        for index in 0..self.lanes.len() {
            let Some(safe) = self.gate.take_safe(index, now.steady) else { continue };
            let Some(lane) = self.lanes.get_mut(index) else { continue };
            if self.switch.is_fenced() {
                continue;
            }
            let Some(bytes) = lane.safe.render(safe.values, now.wall) else {
                self.failed(Call::Publish, Subject::Lane(index), 0);
                continue;
            };
            let result = lane.publisher.publish_serialized(bytes);
            let last = lane.last_output.replace(now.steady);
            self.record_safe(index, now.steady, last);
            match result {
                Ok(()) => published = true,
                Err(error) => self.failed(Call::Publish, Subject::Lane(index), error.code),
            }
        }
        if published && let Some((trigger, since)) = self.stopping.take() {
            let took = clock::steady().since(since);
            self.slots.node.stop.at(trigger).observe(took);
        }
    }

    /// Leaves the bytes of a stop for the burst.
    fn leave_burst(&mut self, now: Moment) {
        for index in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(index) else { continue };
            self.scratch.resize(lane.command.dimensions, 0.0);
            let bytes = if self.gate.would_send(index, &mut self.scratch, now.steady) {
                lane.safe.render(&self.scratch, now.wall).unwrap_or_default()
            } else {
                &[]
            };
            self.prepared.leave(index, bytes);
        }
    }
}
