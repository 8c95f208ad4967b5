//! Kills, requests of other threads, and feedback: everything that is looked at before commands.

use futures::channel::oneshot;

use super::commands::receipt;
use super::requests::{Answer, Denied, Request, Verb};
use super::{Drain, FeedbackUse, GateThread};
use crate::clock;
use crate::codec::feedback::Reading;
use crate::gate::cause::Cause;
use crate::gate::core::Gate;
use crate::gate::machine::{Report, Subject};
use crate::gate::publisher::Receipt;
use crate::gate::state::Refused;
use crate::gate::units::Moment;
use crate::ros::replies::Reply;
use crate::telemetry::events::Call;
use crate::telemetry::slots::{StopTrigger, Unusable};

/// Readers of each kill input.
const READERS: usize = 3;
/// Which of them also gets what was published before it was there.
const REPLAYED: usize = 0;
/// How much is taken at a time from one reader or service. What is left is next, after the tick: a
/// flood of kills must not keep the permit and the safe commands from going out in time.
const AT_A_TIME: usize = 32;

/// What a look at one reader of a kill input found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Sample,
    Nothing,
    Failed,
}

impl GateThread {
    /// Kills from other threads, kill inputs, the kill service, since the thread woke at `now`. Returns
    /// whether anything was there.
    pub(super) fn take_kills(&mut self, now: Moment) -> bool {
        let mut any = false;
        if self.switch.is_raised_since(self.kills_seen) {
            let gate = &mut self.gate;
            let stopping = &mut self.stopping;
            self.kills_seen = self.switch.take(&mut |cause| {
                if cause == Cause::SelfTest && gate.is_testing() {
                    // What came of it is looked at by the test.
                    gate.test_trip(Subject::Node, now).ok();
                    return;
                }
                stopping.get_or_insert((StopTrigger::of(cause), now.steady));
                gate.kill(Report::plain(cause, Subject::Node), now);
            });
            any = true;
        }
        any |= self.take_kill_inputs(now);
        any | self.take_kill_requests(now)
    }

    fn take_kill_inputs(&mut self, woken: Moment) -> bool {
        let mut any = false;
        for index in 0..self.kill_inputs.len() {
            let Some(bit) = self.kill_inputs.get(index).map(|input| &input.bit) else { continue };
            if !self.pending.is_set(bit) {
                continue;
            }
            let before = self.gate.machine().seq();
            let (mut left, mut failed) = (false, false);
            for reader in 0..READERS {
                let mut last = Taken::Sample;
                let taken = (0..AT_A_TIME).take_while(|_| {
                    last = self.take_kill_sample(index, reader);
                    last == Taken::Sample
                });
                let taken = taken.count();
                any |= taken > 0;
                left |= taken == AT_A_TIME;
                failed |= last == Taken::Failed;
            }
            any |= self.note_unread(index, failed);
            if self.gate.machine().seq() != before {
                self.stopping.get_or_insert((StopTrigger::KillInput, woken.steady));
            }
            // What comes after this look sets the bit anew; what could not be read does not, and is
            // looked at again at the next wake, a tick away at most.
            if !left
                && !failed
                && let Some(input) = self.kill_inputs.get(index)
            {
                self.pending.clear(&input.bit);
            }
        }
        any
    }

    /// A kill input that cannot be read acts as one that asserts, for as long as that is so. Returns
    /// whether that is news.
    fn note_unread(&mut self, index: usize, failed: bool) -> bool {
        let Some(input) = self.kill_inputs.get_mut(index) else { return false };
        let rising = failed && !input.is_unread;
        input.is_unread = failed;
        let before = self.gate.machine().seq();
        if failed {
            self.gate.kill_input_unread(index, rising, clock::now());
        }
        rising || self.gate.machine().seq() != before
    }

    /// Takes one sample from one reader of a kill input.
    fn take_kill_sample(&mut self, index: usize, reader: usize) -> Taken {
        let Some(input) = self.kill_inputs.get_mut(index) else { return Taken::Nothing };
        let is_known = input.is_unread;
        let Some(subscription) = input.readers.get_mut(reader) else { return Taken::Nothing };
        let info = match subscription.take(&mut self.buffer) {
            Ok(Some(info)) => info,
            Ok(None) => return Taken::Nothing,
            Err(error) => {
                // Told once, however often it is tried.
                if !is_known {
                    self.failed(Call::Take, Subject::KillInput(index), error.code);
                }
                return Taken::Failed;
            }
        };
        let at = clock::now();
        let asserted = input.codec.read(self.buffer.bytes());
        let receipt = Receipt { replayed: reader == REPLAYED, ..receipt(&info, at) };
        if !receipt.replayed
            && let Some(slots) = self.slots.kill_inputs.get(index)
        {
            slots.last_received.set(at.wall);
        }
        self.gate.kill_input(index, asserted, &receipt);
        if self.buffer.has_grown()
            && let Err(error) = self.buffer.shrink()
        {
            self.failed(Call::Take, Subject::KillInput(index), error.code);
        }
        Taken::Sample
    }

    /// Waiting requests; each is a kill of its own and puts the safe commands out again.
    fn take_kill_requests(&mut self, woken: Moment) -> bool {
        let (mut any, mut since) = (false, woken.steady);
        let mut has_failed = false;
        for _ in 0..AT_A_TIME {
            if !self.pending.is_set(&self.kill_bit) {
                break;
            }
            let taken = self.kill_service.take();
            has_failed = taken.is_err();
            match taken {
                Ok(Some(id)) => {
                    let at = clock::now();
                    self.stopping.get_or_insert((StopTrigger::KillService, since));
                    self.gate.kill(Report::plain(Cause::KillService, Subject::Node), at);
                    any = true;
                    // The stop goes out before anything else is done about this request.
                    self.publish_safe(at);
                    let (seq, number) = (self.gate.machine().seq(), self.persist(at.steady));
                    if !self.replies.send(Reply { id, seq, number, at: at.steady }) {
                        self.failed(Call::Reply, Subject::Node, 0);
                    }
                    // The next one's stop does not wait for this one's.
                    since = clock::steady();
                }
                Ok(None) => self.pending.clear(&self.kill_bit),
                Err(error) => {
                    // A request that cannot be read is still somebody who wants it to stop, and others may
                    // wait behind it.
                    self.gate.kill(Report::plain(Cause::KillService, Subject::Node), clock::now());
                    self.failed(Call::Take, Subject::Node, error.code);
                    any = true;
                }
            }
        }
        if has_failed {
            // Nothing but that: the service itself is broken, and would be asked for ever.
            self.pending.clear(&self.kill_bit);
        }
        any
    }

    /// Requests of other threads. Returns whether there were any.
    pub(super) fn take_requests(&mut self, now: Moment) -> bool {
        if self.switch.is_shutting_down() {
            self.begin_shutdown(now);
        }
        let mut any = self.conclude_release();
        while let Ok(Request { verb, answer }) = self.requests.try_recv() {
            any = true;
            self.serve_verb(verb, answer);
        }
        any |= self.advance_self_test();
        if any {
            self.publish_snapshots(clock::now());
        }
        any
    }

    fn serve_verb(&mut self, verb: Verb, answer: oneshot::Sender<Answer>) {
        if matches!(verb, Verb::Arm { .. }) {
            // What waits in the queues was sent before the arm.
            self.drain_commands(Drain::Judged);
            self.take_limits();
            self.read_graph(clock::now());
        }
        let now = clock::now();
        let before = self.gate.machine().seq();
        let result = match verb {
            // Who asked has gone: what lets motion begin is for somebody who looks.
            Verb::Reset { .. } | Verb::Arm { .. } | Verb::SelectSource { .. }
                if answer.is_canceled() =>
            {
                Err(Denied::State(Refused::Withdrawn))
            }
            Verb::Reset { .. } | Verb::Arm { .. } if self.ends_at.is_some() => {
                Err(Denied::State(Refused::Withdrawn))
            }
            Verb::Arm { .. } if self.switch.is_raised_since(self.kills_seen) => {
                Err(Denied::State(Refused::SeqMoved))
            }
            Verb::Reset { .. } | Verb::Arm { .. } => {
                self.begin_release(verb, answer);
                return;
            }
            Verb::SelfTest => {
                self.begin_self_test(answer);
                return;
            }
            Verb::Disarm => self.gate.disarm(now).map_err(Denied::State),
            Verb::SelectSource { lane, source } => {
                self.gate.select_source(lane, source, now.steady).map_err(Denied::Select)
            }
        };
        let moved = self.gate.machine().seq() != before;
        self.answer(verb, result, moved, answer, now);
    }

    /// Newest sample of each feedback topic.
    pub(super) fn take_feedback(&mut self, now: Moment) {
        for index in 0..self.feedback.len() {
            let Some(feedback) = self.feedback.get_mut(index) else { continue };
            if !self.pending.is_set(&feedback.bit) {
                continue;
            }
            match feedback.subscription.take(&mut self.buffer) {
                Ok(Some(_)) => {
                    let (mut is_used, mut unusable) = (false, None);
                    let guards = feedback.guards;
                    // Decoding takes as long as the message is.
                    let length = self.buffer.bytes().len();
                    let too_large = length > self.config.max_message_bytes;
                    if too_large {
                        let lane = feedback.uses.first().and_then(|one| one.lane);
                        let too_large = Some(length);
                        unusable = Some(Unusable { lane, too_large, ..Unusable::default() });
                    }
                    for one in feedback.uses.iter_mut().filter(|_| !too_large) {
                        let bytes = self.buffer.bytes();
                        if read(one, bytes, &mut self.gate, (index, guards), now) {
                            is_used = true;
                        } else {
                            unusable.get_or_insert(Unusable {
                                lane: one.lane,
                                missing: one.codec.missing(),
                                not_finite: one.codec.not_finite(),
                                too_large: None,
                            });
                        }
                        let lane = one.lane.and_then(|lane| self.lanes.get_mut(lane));
                        let Some(lane) = lane else { continue };
                        for (place, number) in one.mirrors.iter().enumerate() {
                            if let Some(value) = one.codec.mirrored(place) {
                                lane.codec.set_mirror(*number, value);
                                lane.safe.set_mirror(*number, value);
                            }
                        }
                    }
                    self.record_feedback(index, is_used, unusable, now);
                    if too_large
                        && self.buffer.has_grown()
                        && let Err(error) = self.buffer.shrink()
                    {
                        self.failed(Call::Take, Subject::Feedback(index), error.code);
                    }
                }
                Ok(None) => self.pending.clear(&feedback.bit),
                Err(error) => {
                    self.pending.clear(&feedback.bit);
                    self.failed(Call::Take, Subject::Feedback(index), error.code);
                }
            }
        }
    }

    /// The first look after a signal that ends the process: stop as a disarm does, and name the end.
    fn begin_shutdown(&mut self, now: Moment) {
        if self.ends_at.is_some() {
            return;
        }
        self.gate.shut_down(now);
        // Nothing to hold, nothing to wait for.
        let silent = self.gate.next_safe().is_none();
        let stop = if silent { std::time::Duration::ZERO } else { self.config.shutdown_stop };
        self.ends_at = Some(now.steady.after(stop));
    }
}

/// One sample for one use. Returns whether it was usable.
fn read(
    one: &mut FeedbackUse,
    bytes: &[u8],
    gate: &mut Gate,
    (index, guards): (usize, (bool, bool)),
    now: Moment,
) -> bool {
    match (one.codec.read(bytes), one.lane) {
        (Some(Reading::Joints(sample)), Some(lane)) => {
            gate.feedback(lane, sample.position, sample.velocity, now.steady)
        }
        (Some(Reading::Body(body)), None) => {
            // What is guarded and not told is no sample; what is not guarded need not be told.
            let told = |value: Option<f64>, is_guarded: bool| {
                value.unwrap_or(if is_guarded { f64::NAN } else { 0.0 })
            };
            let (tilt, turning) = guards;
            let tilt = told(body.tilt, tilt);
            gate.imu(index, tilt, told(body.angular_velocity, turning), now)
        }
        (Some(Reading::Body(_) | Reading::Joints(_) | Reading::Mirrors), _) => true,
        (None, _) => false,
    }
}
