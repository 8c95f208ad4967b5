//! The watchdogs: what time alone changes at each tick.
//!
//! Silence of kill inputs, feedback and sources becomes a hold, a disarm or a kill; a release ends;
//! arm conditions settle. Every decision is about the moment handed in.

use super::cause::{Action, Cause};
use super::core::{Gate, STALL};
use super::kill_input::Silence;
use super::lane::Permission;
use super::lane_state::LaneState;
use super::machine::{Report, Subject};
use super::notice::Notice;
use super::rules::SilenceThen;
use super::state::State;
use super::units::{Moment, SteadyTime};

impl Gate {
    /// Whether this tick is so late that the caller must drain every command queue before it.
    #[must_use]
    pub fn is_stalled(&self, now: SteadyTime) -> bool {
        now.since(self.last_tick) > self.rules.tick.saturating_add(STALL)
    }

    /// One tick: watchdogs, holds, releases, arm conditions.
    pub fn tick(&mut self, now: Moment) {
        if self.is_stalled(now.steady) {
            let late = now.steady.since(self.last_tick);
            self.notices.push(Notice::Stalled { late });
            let report = Report {
                found: late.as_secs_f64(),
                bound: self.rules.tick.saturating_add(STALL).as_secs_f64(),
                ..Report::plain(Cause::GateStalled, Subject::Node)
            };
            self.report(report, now);
        }
        self.last_tick = now.steady;
        self.watch_inputs(now);
        for index in 0..self.lanes.len() {
            self.watch_lane(index, now);
        }
        self.settle(now.steady);
    }

    /// Silence of kill inputs and of feedback: what holds, and what a longer silence becomes.
    fn watch_inputs(&mut self, now: Moment) {
        let mut held = false;
        for index in 0..self.kill_inputs.len() {
            let (Some(input), Some(rules)) =
                (self.kill_inputs.get(index), self.rules.kill_inputs.get(index))
            else {
                continue;
            };
            let Silence::Lost(silent) = input.silence(now.steady, rules) else {
                continue;
            };
            let kill_after = rules.timeout.unwrap_or_default().saturating_add(rules.kill_after);
            let report = Report {
                found: silent.as_secs_f64(),
                bound: rules.timeout.unwrap_or_default().as_secs_f64(),
                ..Report::plain(Cause::KillInputSilent, Subject::KillInput(index))
            };
            let action = self.rules.action(Cause::KillInputSilent);
            if action >= Action::Hold {
                held = true;
            }
            // Hold first, whatever else follows: an action of `kill` written in the params file
            // acts at once.
            if action > Action::Hold {
                self.act(report, action, now);
            } else if action == Action::Hold && silent > kill_after {
                self.act(report, Action::Kill, now);
            }
        }
        for index in 0..self.lanes.len() {
            held |= self.watch_feedback(index, now);
        }
        self.held = held && self.machine.state() == State::Active;
    }

    /// Stale feedback of one lane. Returns whether it holds.
    fn watch_feedback(&mut self, index: usize, now: Moment) -> bool {
        let feedback = self.lanes.get(index).and_then(|lane| lane.rules.feedback);
        let Some(feedback) = feedback else {
            return false;
        };
        if self.is_fresh(index, now.steady) {
            return false;
        }
        let action = self.rules.action(Cause::FeedbackStale);
        if action > Action::Hold && self.machine.state() == State::Active {
            let subject = Subject::Feedback(feedback);
            self.act(Report::plain(Cause::FeedbackStale, subject), action, now);
        }
        action >= Action::Hold
    }

    fn watch_lane(&mut self, index: usize, now: Moment) {
        let steady = now.steady;
        let fresh = self.is_fresh(index, steady);
        match self.machine.state() {
            State::Active => self.watch_active(index, fresh, now),
            State::Disarmed => {
                let Some(lane) = self.lanes.get_mut(index) else {
                    return;
                };
                if lane.release_at.is_some_and(|at| at <= steady) {
                    let from = lane.state;
                    lane.let_go();
                    let to = LaneState::Released;
                    self.notices.push(Notice::Lane { lane: index, from, to });
                }
            }
            State::Killed => {
                // Killed since boot: zero moves nothing, a pose would. Killed in this run without
                // anything to hold: there may be now.
                let Some(lane) = self.lanes.get(index) else {
                    return;
                };
                let moves_nothing = lane.rules.safe.tolerance().is_none();
                if lane.state == LaneState::Released && (moves_nothing || (self.taken && fresh)) {
                    self.stop_lane(index, LaneState::Safe, fresh, steady);
                }
            }
        }
    }

    fn watch_active(&mut self, index: usize, fresh: bool, now: Moment) {
        let steady = now.steady;
        let held = self.permission(index) == Permission::Held;
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        if let Some(in_motion) = lane.silence(steady) {
            if in_motion {
                lane.silent_since = Some(steady);
            } else {
                self.stop_lane(index, LaneState::Waiting, fresh, steady);
            }
        }
        let Some(lane) = self.lanes.get(index) else {
            return;
        };
        let holding = held || lane.silent_since.is_some();
        match (lane.state, holding) {
            (LaneState::Flowing | LaneState::Waiting, true) => {
                self.stop_lane(index, LaneState::Holding, fresh, steady);
            }
            (LaneState::Holding, false) => {
                // The pose held stays; commands may flow again.
                self.stop_lane(index, LaneState::Waiting, fresh, steady);
            }
            (_, true | false) => {}
        }
        self.escalate_silence(index, now);
    }

    fn escalate_silence(&mut self, index: usize, now: Moment) {
        let Some(lane) = self.lanes.get(index) else {
            return;
        };
        let Some(since) = lane.silent_since else {
            return;
        };
        let silent = now.steady.since(since);
        let (after, action) = match lane.rules.silence {
            SilenceThen::Hold => return,
            SilenceThen::Disarm(after) => (after, Action::Disarm),
            SilenceThen::Kill(after) => (after, Action::Kill),
        };
        if silent >= after {
            let subject = lane
                .owner
                .map_or(Subject::Lane(index), |source| Subject::Source { lane: index, source });
            let report = Report {
                found: silent.as_secs_f64(),
                bound: after.as_secs_f64(),
                ..Report::plain(Cause::SourceSilent, subject)
            };
            self.act(report, action, now);
        }
    }

    fn settle(&mut self, now: SteadyTime) {
        if self.machine.state() == State::Disarmed && self.conditions_hold(now) {
            self.ready_since = self.ready_since.or(Some(now));
        } else {
            self.ready_since = None;
        }
    }
}
