//! Random events, played against a [`Rig`] with the habits of real callers: publishers with clocks
//! and sequence numbers of their own, bursts, jitter, stalls, people who reset and arm.
//!
//! An event is a few bytes, drawn cheaply and shrunk easily; what they mean is decided here.

use std::collections::HashMap;

use interlock::gate::command::Command;
use interlock::gate::state::State;
use interlock::gate::verdict::Verdict;
use proptest::prelude::*;

use super::draw::Draw;
use super::plain::target;
use super::rig::{Rig, Sent, nanos};

const MILLISECOND: u64 = 1_000_000;

/// One event, not yet interpreted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gene {
    kind: u8,
    who: u8,
    seed: u16,
    pace: u8,
}

pub(crate) fn genes(most: usize) -> impl Strategy<Value = Vec<Gene>> {
    let gene = any::<(u8, u8, u16, u8)>().prop_map(|(kind, who, seed, pace)| Gene {
        kind,
        who,
        seed,
        pace,
    });
    proptest::collection::vec(gene, 0..most)
}

/// Plays events.
pub(crate) struct Script {
    pub(crate) rig: Rig,
    /// How many messages each publisher has sent to each source.
    sequences: HashMap<(usize, usize, u8), u64>,
    pub(crate) heartbeats: bool,
    pub(crate) feedback: bool,
    /// Whether the middleware gives stamps and sequence numbers.
    pub(crate) informed: bool,
    ticks: u64,
    /// Where each lane's smooth commands are.
    pub(super) aim: Vec<Vec<f64>>,
    /// Old commands that may arrive again, late.
    tails: Vec<Sent>,
}

const HOUR: i64 = 3_600_000_000_000;

/// Each publisher's clock has an origin of its own.
const OFFSETS: [i64; 3] = [0, HOUR, -HOUR];

impl Script {
    pub(crate) fn new(rig: Rig) -> Self {
        let aim = rig.pose.clone();
        let (heartbeats, feedback, informed, ticks) = (true, true, true, 0);
        let (sequences, tails) = (HashMap::new(), Vec::new());
        Self { rig, sequences, heartbeats, feedback, informed, ticks, aim, tails }
    }

    /// Plays one event.
    pub(crate) fn play(&mut self, gene: Gene) {
        let mut draw = Draw::new(u64::from(gene.seed) << 16 | u64::from(gene.who));
        match gene.kind {
            0..=127 => self.stream(gene, &mut draw),
            128..=159 => self.ready(gene),
            160..=183 => self.wait(u64::from(gene.pace) * 2 * MILLISECOND),
            184..=191 => self.rig.kill(),
            192..=199 => self.press(gene, &mut draw),
            200..=204 => _ = self.rig.disarm(),
            205..=209 => _ = self.rig.reset(self.any_seq(gene)),
            // One profile more than there is.
            210..=214 => _ = self.rig.arm(self.any_seq(gene), draw.below(3)),
            215..=222 => self.select(&mut draw),
            223..=228 => self.late_tick(gene),
            229..=232 => self.heartbeats = !self.heartbeats,
            233..=236 => self.feedback = !self.feedback,
            237..=242 => self.odd_feedback(&mut draw),
            243..=247 => self.replay(gene),
            248..=250 => self.derate(gene),
            251..=252 => self.informed = !self.informed,
            253..=255 => self.rig.wall_offset = i64::from(gene.who) * HOUR - 128 * HOUR,
        }
    }

    /// Time passes in ticks, with everything that repeats.
    pub(crate) fn wait(&mut self, span: u64) {
        let until = self.rig.now + span;
        while self.rig.next_tick() <= until {
            let step = self.rig.next_tick() - self.rig.now;
            self.rig.sleep(step);
            self.repeats();
            self.rig.tick();
        }
        self.rig.sleep(until - self.rig.now);
    }

    /// Heartbeats and feedback, every other tick.
    fn repeats(&mut self) {
        self.ticks += 1;
        if self.ticks.is_multiple_of(2) {
            return;
        }
        if self.heartbeats {
            for input in 0..self.rig.rules.kill_inputs.len() {
                self.rig.kill_input(input, 0, Some(false));
            }
        }
        if self.feedback {
            for lane in 0..self.rig.rules.lanes.len() {
                if self.rig.rules.lanes[lane].feedback.is_some() {
                    let still = vec![0.0; self.rig.pose[lane].len()];
                    self.rig.feedback(lane, &self.rig.pose[lane].clone(), &still);
                }
            }
        }
    }

    /// A person gets the robot going: everything released and alive, reset if need be, arm.
    pub(crate) fn make_ready(&mut self) {
        self.try_ready();
        assert_eq!(self.rig.view().state, State::Active);
    }

    /// The same, where the rules or the robot may not permit it.
    pub(crate) fn try_ready(&mut self) {
        self.ready(Gene { kind: 0, who: 0, seed: 0, pace: 0 });
    }

    fn ready(&mut self, gene: Gene) {
        self.heartbeats = true;
        self.feedback = true;
        for input in 0..self.rig.rules.kill_inputs.len() {
            for publisher in 0..3 {
                self.rig.kill_input(input, publisher, Some(false));
            }
        }
        self.wait(20 * MILLISECOND);
        if self.rig.view().state == State::Killed {
            let seq = self.rig.view().seq;
            self.rig.reset(seq);
        }
        let settle = nanos(self.rig.rules.arm_settle);
        self.wait(settle + 20 * MILLISECOND + u64::from(gene.pace % 8) * 20 * MILLISECOND);
        let seq = self.rig.view().seq;
        self.rig.arm(seq, usize::from(gene.who % 2));
    }

    fn any_seq(&self, gene: Gene) -> u64 {
        let seq = self.rig.view().seq;
        match gene.who % 4 {
            0 | 1 => seq,
            2 => seq.wrapping_sub(u64::from(gene.pace)),
            _ => seq + u64::from(gene.pace),
        }
    }

    fn press(&mut self, gene: Gene, draw: &mut Draw) {
        let inputs = self.rig.rules.kill_inputs.len();
        if inputs == 0 {
            return;
        }
        let asserted = [Some(true), Some(false), Some(false), None][usize::from(gene.pace % 4)];
        self.rig.kill_input(draw.below(inputs), gene.who % 3, asserted);
    }

    fn select(&mut self, draw: &mut Draw) {
        let lane = draw.below(self.rig.rules.lanes.len());
        let sources = self.rig.rules.lanes[lane].sources.len();
        // One more than there are: nobody in particular; two more: nobody there.
        let source = draw.below(sources + 2);
        self.rig.select(lane, if source == sources { None } else { Some(source) });
    }

    fn late_tick(&mut self, gene: Gene) {
        self.rig.sleep(u64::from(gene.pace) * MILLISECOND);
        self.rig.tick();
    }

    fn odd_feedback(&mut self, draw: &mut Draw) {
        let lane = draw.below(self.rig.rules.lanes.len());
        let mut position = self.rig.pose[lane].clone();
        let mut velocity = vec![0.0; position.len()];
        match draw.below(6) {
            0 => position[0] = draw.odd_value(),
            1 => velocity[0] = draw.odd_value(),
            2 => position.push(0.0),
            3 => drop(velocity.pop()),
            4 => position = Vec::new(),
            // Somebody pushes the robot.
            _ => position.iter_mut().for_each(|value| *value += 0.3 * draw.signed()),
        }
        if position.iter().all(|value| value.is_finite())
            && position.len() == self.rig.pose[lane].len()
        {
            self.rig.pose[lane].clone_from(&position);
        }
        if self.rig.rules.lanes[lane].feedback.is_some() {
            self.rig.feedback(lane, &position, &velocity);
        }
    }

    fn derate(&mut self, gene: Gene) {
        let factor = if gene.who == 255 { f64::NAN } else { f64::from(gene.who) / 200.0 };
        self.rig.derate(factor);
    }

    // ---- commands ------------------------------------------------------------------------------

    /// Some commands of one source, in one of many rhythms.
    fn stream(&mut self, gene: Gene, draw: &mut Draw) {
        let lane = usize::from(gene.who) % self.rig.rules.lanes.len();
        let sources = self.rig.rules.lanes[lane].sources.len();
        let source = usize::from(gene.who / 4) % sources;
        // The second and third publisher of a source are rare.
        let publisher = [0, 0, 0, 0, 0, 0, 1, 2][usize::from(gene.who / 32)];
        let period = 1e9 / self.rig.rules.lanes[lane].sources[source].max_rate_hz;
        let count = 1 + draw.below(12);
        let kind = draw.below(8);
        for _ in 0..count {
            let pace = match gene.pace % 8 {
                0 | 1 => 1.0,
                2 => 0.5 + draw.unit(),
                3 => 0.01,
                4 => 2.0,
                5 => 0.0,
                6 => 1.5,
                _ => 4.0 * draw.unit(),
            };
            #[expect(clippy::cast_possible_truncation, reason = "a few periods in nanoseconds")]
            #[expect(clippy::cast_sign_loss, reason = "a product of non-negative numbers")]
            self.wait((period * pace) as u64);
            let command = self.random_command(lane, kind, draw);
            let sent = self.publish(lane, source, publisher, command);
            self.rig.queue(sent);
            // Now and then one is left for later, and overwritten by the next.
            if draw.below(12) > 0 {
                self.rig.take(lane, source);
            }
        }
    }

    /// Targets of a source by its own publisher arrive and are taken. Returns the verdict; `None`:
    /// left in the queue.
    pub(crate) fn send(&mut self, lane: usize, source: usize, values: &[f64]) -> Option<Verdict> {
        let interface = self.rig.rules.lanes[lane].interface;
        self.send_from(lane, source, 0, target(interface, values))
    }

    pub(crate) fn send_from(
        &mut self,
        lane: usize,
        source: usize,
        publisher: u8,
        command: Command,
    ) -> Option<Verdict> {
        let sent = self.publish(lane, source, publisher, command);
        self.rig.queue(sent);
        self.rig.take(lane, source)
    }

    pub(crate) fn publish(
        &mut self,
        lane: usize,
        source: usize,
        publisher: u8,
        command: Command,
    ) -> Sent {
        let sequence = self.sequences.entry((lane, source, publisher)).or_default();
        *sequence += 1;
        let stamp = i64::try_from(self.rig.now).unwrap() + OFFSETS[usize::from(publisher)];
        let sent = Sent {
            lane,
            source,
            publisher: self.informed.then_some(publisher),
            stamp: self.informed.then_some(stamp),
            sequence: self.informed.then_some(*sequence),
            command,
        };
        if self.tails.len() < 32 {
            self.tails.push(sent.clone());
        }
        sent
    }

    /// A message from long ago arrives (again). Some middlewares give no sequence numbers.
    fn replay(&mut self, gene: Gene) {
        let Some(tail) = self.tails.get(usize::from(gene.who) % self.tails.len().max(1)) else {
            return;
        };
        let mut tail = tail.clone();
        if gene.pace.is_multiple_of(2) {
            tail.sequence = None;
        }
        let (lane, source) = (tail.lane, tail.source);
        self.rig.queue(tail);
        self.rig.take(lane, source);
    }
}
