//! The state, its number, and who may move them.

use std::time::Duration;

use interlock::gate::rules::{GateRules, LaneMode};
use interlock::gate::state::{Refused, State};

use super::{Judged, Scene, hold};
use crate::rig::nanos;
use crate::trace::{From, What};

const SECOND: u64 = 1_000_000_000;

/// One publisher's word on a kill input.
#[derive(Clone, Copy)]
struct Word {
    publisher: u8,
    asserted: bool,
    at: u64,
}

#[derive(Clone, Default)]
struct Input {
    words: Vec<Word>,
    heard_at: Option<u64>,
}

impl Input {
    fn asserts(&self, now: u64, timeout: Option<Duration>) -> bool {
        self.words.iter().any(|word| {
            word.asserted && timeout.is_none_or(|timeout| now - word.at <= nanos(timeout))
        })
    }
}

/// Who moved `seq` while killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mover {
    Service,
    Input(usize),
}

pub(super) struct StateWatch {
    inputs: Vec<Input>,
    feedback_at: Vec<Option<u64>>,
    told: Vec<Mover>,
    moved_at: Option<u64>,
    /// Lanes that gate, held as of the last tick.
    held: Vec<bool>,
}

impl StateWatch {
    pub(super) fn new(rules: &GateRules) -> Self {
        Self {
            inputs: vec![Input::default(); rules.kill_inputs.len()],
            feedback_at: vec![None; rules.lanes.len()],
            told: Vec::new(),
            moved_at: None,
            held: Vec::new(),
        }
    }

    pub(super) fn observe(&mut self, scene: &Scene<'_>) -> Judged {
        self.note(scene);
        self.transition(scene)?;
        self.verbs(scene)?;
        self.seq(scene)?;
        self.permit(scene)
    }

    fn note(&mut self, scene: &Scene<'_>) {
        let now = scene.step.at;
        match &scene.step.what {
            What::KillInput { input, publisher, asserted } => {
                let asserted = asserted.unwrap_or(true);
                let input = &mut self.inputs[*input];
                input.heard_at = Some(now);
                input.words.retain(|word| word.publisher != *publisher);
                input.words.push(Word { publisher: *publisher, asserted, at: now });
            }
            What::Feedback { lane, usable: true, .. } => self.feedback_at[*lane] = Some(now),
            What::Boot
            | What::Tick
            | What::Command(_)
            | What::Kill
            | What::Disarm(_)
            | What::Reset { .. }
            | What::Arm { .. }
            | What::Select { .. }
            | What::Feedback { .. }
            | What::Derate(_) => {}
        }
    }

    fn asserting(&self, scene: &Scene<'_>) -> bool {
        let inputs = self.inputs.iter().zip(&scene.rules.kill_inputs);
        inputs.into_iter().any(|(input, rules)| input.asserts(scene.step.at, rules.timeout))
    }

    /// Which pairs of states an event may join.
    fn transition(&self, scene: &Scene<'_>) -> Judged {
        let (from, to) = (scene.before.state, scene.step.after.state);
        let what = &scene.step.what;
        if from == State::Killed && to != State::Killed {
            let reset = matches!(what, What::Reset { result: Ok(()), .. });
            hold!(
                reset && to == State::Disarmed,
                "killed_stays_killed_until_reset",
                "{what:?} led from killed to {to}"
            );
            return Ok(());
        }
        if matches!(what, What::Kill) {
            hold!(to == State::Killed, "state_follows_the_table", "a kill led to {to}");
        }
        if let What::KillInput { input, .. } = what {
            let timeout = scene.rules.kill_inputs[*input].timeout;
            let asserts = self.inputs[*input].asserts(scene.step.at, timeout);
            hold!(
                !asserts || to == State::Killed,
                "an_asserted_input_kills_and_blocks_reset",
                "input {input} asserts and the state is {to}"
            );
        }
        let may = match (from, to) {
            (State::Disarmed, State::Disarmed)
            | (State::Active, State::Active)
            | (State::Killed, State::Killed | State::Disarmed) => true,
            (State::Disarmed, State::Active) => matches!(what, What::Arm { result: Ok(()), .. }),
            // Nothing latches while nothing can move, except a kill that somebody asked for.
            (State::Disarmed, State::Killed) => {
                matches!(what, What::Kill | What::KillInput { .. })
            }
            (State::Active, State::Disarmed) => {
                matches!(what, What::Disarm(Ok(())) | What::Tick | What::Feedback { .. })
            }
            (State::Active, State::Killed) => matches!(
                what,
                What::Kill | What::KillInput { .. } | What::Tick | What::Feedback { .. }
            ),
            (State::Killed, State::Active) => false,
        };
        hold!(may, "state_follows_the_table", "{what:?} led from {from} to {to}");
        Ok(())
    }

    /// Arm and reset name the number their caller saw; a refusal changes nothing.
    fn verbs(&self, scene: &Scene<'_>) -> Judged {
        let (before, after) = (scene.before, &scene.step.after);
        let (seq, result, from) = match &scene.step.what {
            What::Reset { seq, result } => (Some(*seq), result, State::Killed),
            What::Arm { seq, result, .. } => (Some(*seq), result, State::Disarmed),
            What::Disarm(result) => (None, result, State::Active),
            What::Boot
            | What::Tick
            | What::Command(_)
            | What::Kill
            | What::KillInput { .. }
            | What::Select { .. }
            | What::Feedback { .. }
            | What::Derate(_) => return Ok(()),
        };
        if result.is_ok() {
            hold!(
                before.state == from,
                "state_follows_the_table",
                "{:?} worked while {}",
                scene.step.what,
                before.state
            );
            hold!(
                seq.is_none_or(|seq| seq == before.seq),
                "a_stale_seq_is_refused",
                "{:?} worked at seq {}",
                scene.step.what,
                before.seq
            );
            hold!(
                from == State::Active || !self.asserting(scene),
                "an_asserted_input_kills_and_blocks_reset",
                "{:?} worked while an input asserts",
                scene.step.what
            );
            return Ok(());
        }
        hold!(
            after.state == before.state && after.seq == before.seq,
            "a_refusal_changes_nothing",
            "{:?} was refused and moved to {} seq {}",
            scene.step.what,
            after.state,
            after.seq
        );
        if let (true, Some(seq)) = (before.state == from, seq) {
            let stale = seq != before.seq;
            let unknown = *result == Err(Refused::UnknownProfile);
            hold!(
                unknown || stale == (*result == Err(Refused::SeqMoved)),
                "a_stale_seq_is_refused",
                "{:?} at seq {}",
                scene.step.what,
                before.seq
            );
        }
        Ok(())
    }

    fn seq(&mut self, scene: &Scene<'_>) -> Judged {
        let (before, after) = (scene.before, &scene.step.after);
        let now = scene.step.at;
        if matches!(scene.step.what, What::Boot) {
            return Ok(());
        }
        let changed = before.state != after.state;
        // One step for a verb or a sample; a tick may find several causes at once, each of its own.
        let found = match scene.step.what {
            What::Tick => subjects(scene.rules),
            What::Boot
            | What::Command(_)
            | What::Kill
            | What::KillInput { .. }
            | What::Disarm(_)
            | What::Reset { .. }
            | What::Arm { .. }
            | What::Select { .. }
            | What::Feedback { .. }
            | What::Derate(_) => 1,
        };
        let most = before.seq + found as u64;
        hold!(
            after.seq >= before.seq && after.seq <= most,
            "seq_moves_with_the_state",
            "from {} to {}",
            before.seq,
            after.seq
        );
        hold!(
            !changed || after.seq > before.seq,
            "seq_moves_with_the_state",
            "{} to {} at seq {}",
            before.state,
            after.state,
            after.seq
        );
        if after.seq == before.seq {
            return Ok(());
        }
        let mover = match &scene.step.what {
            What::Kill => Some(Mover::Service),
            What::KillInput { input, .. } => Some(Mover::Input(*input)),
            What::Boot
            | What::Tick
            | What::Command(_)
            | What::Disarm(_)
            | What::Reset { .. }
            | What::Arm { .. }
            | What::Select { .. }
            | What::Feedback { .. }
            | What::Derate(_) => None,
        };
        if !changed {
            hold!(
                after.state == State::Killed
                    && (mover.is_some() || matches!(scene.step.what, What::Tick)),
                "seq_moves_with_the_state",
                "seq moved while {} at {:?}",
                after.state,
                scene.step.what
            );
            let again = mover.is_some_and(|mover| self.told.contains(&mover));
            let rested = self.moved_at.is_none_or(|moved| now - moved >= SECOND);
            hold!(
                !again || rested,
                "a_flapping_input_moves_seq_once_a_second",
                "{mover:?} moved seq again after {:?} ns",
                self.moved_at.map(|moved| now - moved)
            );
        } else if after.state == State::Killed {
            self.told.clear();
        }
        self.told.extend(mover);
        self.moved_at = Some(now);
        Ok(())
    }

    /// The permit is for active and unheld only; what holds is known at the latest after a tick.
    fn permit(&mut self, scene: &Scene<'_>) -> Judged {
        let after = &scene.step.after;
        let gated = scene.rules.lanes.iter().enumerate();
        let gated: Vec<usize> =
            gated.filter(|(_, lane)| lane.mode == LaneMode::Gate).map(|(lane, _)| lane).collect();
        for output in scene.step.outputs.iter().filter(|o| matches!(o.from, From::Source(_))) {
            let held = gated.iter().position(|lane| *lane == output.lane);
            let held = held.and_then(|place| self.held.get(place)).copied().unwrap_or(false);
            hold!(
                !held,
                "a_held_lane_forwards_nothing",
                "lane {} was held at the last tick and a command went out",
                output.lane
            );
        }
        if matches!(scene.step.what, What::Tick) {
            self.held = self.held_lanes(scene);
        } else if scene.before.state != after.state {
            self.held.clear();
        }
        if !after.permitted {
            return Ok(());
        }
        hold!(
            after.state == State::Active,
            "permit_means_active_and_not_held",
            "permitted while {}",
            after.state
        );
        hold!(
            self.held.is_empty() || self.held.iter().any(|held| !held),
            "permit_means_active_and_not_held",
            "permitted although a silent input or stale feedback holds every lane"
        );
        Ok(())
    }

    /// Which lanes a silent kill input or stale feedback holds, as it is known after this tick.
    fn held_lanes(&self, scene: &Scene<'_>) -> Vec<bool> {
        let now = scene.step.at;
        let silent = self.inputs.iter().zip(&scene.rules.kill_inputs).any(|(input, rules)| {
            matches!((rules.timeout, input.heard_at),
                (Some(timeout), Some(heard)) if now - heard > nanos(timeout))
        });
        let stale = |lane: usize| {
            let feedback = scene.rules.lanes[lane].feedback;
            let timeout = feedback.map(|index| nanos(scene.rules.feedback[index].timeout));
            timeout
                .is_some_and(|timeout| self.feedback_at[lane].is_none_or(|at| now - at > timeout))
        };
        let lanes = &scene.rules.lanes;
        let gated = |lane: usize| lanes[lane].mode == LaneMode::Gate && !lanes[lane].balance;
        let own = |lane: usize| gated(lane) && (silent || stale(lane));
        let spreads = (0..lanes.len()).any(|lane| own(lane) && !lanes[lane].independent);
        let held = |lane| own(lane) || (spreads && gated(lane));
        (0..lanes.len()).filter(|lane| lanes[*lane].mode == LaneMode::Gate).map(held).collect()
    }
}

/// How many causes a tick can find at once: of each input and feedback one, of each lane and each
/// source a few, and a late tick.
fn subjects(rules: &GateRules) -> usize {
    let sources: usize = rules.lanes.iter().map(|lane| lane.sources.len()).sum();
    rules.kill_inputs.len() + rules.feedback.len() + 3 * rules.lanes.len() + 4 * sources + 1
}
