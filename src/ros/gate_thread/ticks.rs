//! The tick: watchdogs, permit, snapshots, and safe commands when they are due.

use super::GateThread;
use crate::clock;
use crate::gate::machine::Subject;
use crate::gate::units::Moment;
use crate::telemetry::events::Call;

impl GateThread {
    pub(super) fn tick(&mut self, now: Moment) {
        self.slots.node.ticked(now.steady);
        for (lane, facts) in self.facts.lanes().enumerate() {
            let facts = facts.unwrap_or_default();
            let graph = crate::gate::lane::LaneGraph {
                subscribers: facts.subscribers,
                controller_reads: facts.controller_reads,
                ..Default::default()
            };
            self.gate.graph(lane, graph);
        }
        self.gate.tick(now);
        let permitted = self.gate.is_permitted() && !self.switch.is_fenced();
        let seq = self.gate.machine().seq();
        let permit = self.permit.next(permitted, seq, now.wall);
        if let Err(error) = self.permit_publisher.publish_serialized(permit) {
            self.failed(Call::Publish, Subject::Node, error.code);
        }
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
            let bytes = match self.gate.would_send(index, &mut self.scratch, now.steady) {
                Some(safe) => lane.safe.render(safe.values, now.wall).unwrap_or_default(),
                None => &[],
            };
            self.prepared.leave(index, bytes);
        }
    }
}
