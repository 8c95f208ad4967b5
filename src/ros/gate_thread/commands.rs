//! The command path.

use super::lane_io::LaneIo;
use super::{Drain, GateThread};
use crate::clock;
use crate::codec::safe::{Missing, SafeMessage};
use crate::gate::awaits::SafeWaits;
use crate::gate::check::Refusal;
use crate::gate::core::Gate;
use crate::gate::lane_state::LaneState;
use crate::gate::machine::Subject;
use crate::gate::publisher::Receipt;
use crate::gate::units::Moment;
use crate::gate::verdict::{Reason, Verdict};
use crate::ros::rcl::MessageInfo;
use crate::telemetry::decisions::Totals;
use crate::telemetry::events::Call;

/// Longer than any of our queues: a drain ends also where a flood refills them as fast as it takes.
const LONGEST_QUEUE: u32 = 1_000;

/// What a lane's safe message waits for, in the gate's words.
pub(super) fn safe_waits(safe: &SafeMessage) -> Option<SafeWaits> {
    safe.missing().map(|missing| match missing {
        Missing::Command => SafeWaits::Command,
        Missing::Mirror(_) => SafeWaits::Mirror,
        Missing::Kept => SafeWaits::Kept,
    })
}

/// How often each verdict was given to a source.
pub(super) fn totals(gate: &Gate, lane: usize, source: usize) -> Totals {
    let mut totals = Totals::default();
    for (total, verdict) in totals.iter_mut().zip(Verdict::ALL) {
        *total = gate.count(lane, source, *verdict);
    }
    totals
}

/// What the gate needs to know of a message besides its bytes.
pub(super) fn receipt(info: &MessageInfo, at: Moment) -> Receipt {
    Receipt {
        at,
        source_timestamp: info.source_timestamp_ns,
        sequence: info.publication_sequence_number,
        publisher: (info.publisher_gid != [0; 16]).then_some(info.publisher_gid),
        replayed: false,
    }
}

impl GateThread {
    /// At most one command of each source. Returns whether any was taken.
    pub(super) fn take_commands(&mut self) -> bool {
        let mut taken = false;
        for lane in 0..self.lanes.len() {
            let sources = self.lanes.get(lane).map_or(0, |io| io.sources.len());
            for source in 0..sources {
                taken |= self.take_command(lane, source, None);
            }
        }
        taken
    }

    /// Empties every command queue, as it stood: what comes meanwhile is new.
    pub(super) fn drain_commands(&mut self, how: Drain) {
        for lane in 0..self.lanes.len() {
            let sources = self.lanes.get(lane).map_or(0, |io| io.sources.len());
            for source in 0..sources {
                for _ in 0..LONGEST_QUEUE {
                    if !self.take_command(lane, source, Some(how)) {
                        break;
                    }
                }
            }
        }
    }

    /// Takes and serves one command. Returns false when there is none, or no token for it.
    fn take_command(&mut self, index: usize, source: usize, drain: Option<Drain>) -> bool {
        let Some(lane) = self.lanes.get_mut(index) else { return false };
        let Some(wire) = lane.sources.get_mut(source) else { return false };
        if drain.is_none() {
            if !self.pending.is_set(&wire.bit) {
                return false;
            }
            if !self.gate.may_take(index, source, clock::steady()) {
                return false;
            }
        }
        let info = match wire.subscription.take(&mut self.buffer) {
            Ok(Some(info)) => info,
            Ok(None) => {
                self.pending.clear(&wire.bit);
                return false;
            }
            Err(error) => {
                self.pending.clear(&wire.bit);
                self.failed(Call::Take, Subject::Source { lane: index, source }, error.code);
                return false;
            }
        };
        let at = clock::now();
        // Stopped within this turn: what was taken is as old as what is drained before the next tick.
        let late = self.gate.is_stalled(at.steady).then_some(Drain::Fenced);
        let drain = drain.or(late);
        let before = wire.last_received.replace(at.steady);
        let receipt = receipt(&info, at);
        let allowed = wire.allows(receipt.publisher);
        self.record_arrival(index, source, &info, at, before);
        self.serve(index, source, &receipt, (drain, allowed));
        true
    }

    /// Decode, judge, encode, publish, conclude.
    fn serve(
        &mut self,
        index: usize,
        source: usize,
        receipt: &Receipt,
        (drain, allowed): (Option<Drain>, bool),
    ) {
        let Some(lane) = self.lanes.get_mut(index) else { return };
        let LaneIo { codec, command, .. } = lane;
        let too_large = self.buffer.bytes().len() > self.config.max_message_bytes;
        let refused = if drain == Some(Drain::Fenced) {
            Some(Reason::Fenced)
        } else if !allowed {
            Some(Reason::PublisherNotAllowed)
        } else {
            too_large.then_some(Reason::TooLarge)
        };
        let decoded = match refused {
            Some(reason) => {
                // What the last message left there is not this one's.
                command.clear();
                Err(Refusal::whole(reason))
            }
            None => codec.decode(self.buffer.bytes(), command),
        };
        self.decisions.before(command, totals(&self.gate, index, source), receipt.at.steady);
        let decoded = decoded.map(|()| &mut *command);
        let Some(mut decision) = self.gate.judge(index, source, decoded, receipt) else { return };
        let mut residence = None;
        if decision.forwards() {
            let limited = !decision.limits.is_empty();
            let written = !limited || codec.encode(self.buffer.bytes_mut(), command);
            // A kill that arrived meanwhile wins over the command in hand.
            let stopped = self.switch.is_raised_since(self.kills_seen) || self.switch.is_fenced();
            if let Some(publisher) = lane.publisher.as_ref().filter(|_| written && !stopped) {
                let called = clock::steady();
                let published = publisher.publish_serialized(self.buffer.bytes());
                let done = clock::steady();
                residence = Some(called.since(receipt.at.steady));
                lane.safe.remember(self.buffer.bytes(), lane.codec.is_complete());
                let last = lane.last_output.replace(called);
                self.record_output(index, receipt.at.steady, called, done, last);
                if let Err(error) = published {
                    self.failed(Call::Publish, Subject::Lane(index), error.code);
                }
            } else {
                decision = decision.withheld();
            }
        }
        // Where a stop goes out, nothing of a command that was kept back may change it.
        let is_silent =
            self.gate.lane(index).is_some_and(|lane| lane.state() == LaneState::Released);
        if let Some(lane) = self.lanes.get_mut(index).filter(|_| is_silent) {
            let unsent = matches!(decision.verdict, Verdict::Withheld | Verdict::NotSelected);
            if unsent && !decision.shadow {
                lane.safe.remember_unsent(self.buffer.bytes(), lane.codec.is_complete());
            }
        }
        let stamp = self.lanes.get(index).and_then(|lane| lane.command.stamp);
        self.gate.conclude(index, source, &decision, receipt.at.steady);
        if decision.forwards() {
            self.leave_plan(index, receipt.at);
        }
        self.record_decision(index, source, &decision, receipt, stamp);
        self.tell_decision(index, source, &decision, receipt, residence);
        if too_large && self.buffer.has_grown() {
            // Off the path of anything that is forwarded.
            if let Err(error) = self.buffer.shrink() {
                self.failed(Call::Take, Subject::Source { lane: index, source }, error.code);
            }
        }
    }
}
