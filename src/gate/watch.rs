//! The tick: what time alone changes.
//!
//! Silence of kill inputs, feedback and sources becomes a hold, a disarm or a kill; a release ends;
//! arm conditions settle. Every decision is about the moment handed in; there are no timers, so none
//! from before a hand-over, an arm or a stop can fire (hazard 26).

use std::time::Duration;

use super::cause::{Action, Cause};
use super::core::Gate;
use super::fault::Level;
use super::lane::Permission;
use super::lane_state::LaneState;
use super::machine::{Report, Subject};
use super::notice::Notice;
use super::rules::SilenceThen;
use super::safe::SafeCommand;
use super::state::State;
use super::units::{Moment, SteadyTime};

impl Gate {
    /// How late a tick may be.
    fn stall(&self) -> Duration {
        let above = self.rules.above(Cause::GateStalled).unwrap_or_default();
        Duration::try_from_secs_f64(above).unwrap_or_default()
    }

    /// Whether this tick is so late that the caller must drain every command queue before it.
    #[must_use]
    pub fn is_stalled(&self, now: SteadyTime) -> bool {
        now.since(self.last_tick) > self.rules.tick.saturating_add(self.stall())
    }

    /// One tick: watchdogs, causes, holds, releases, arm conditions.
    pub fn tick(&mut self, now: Moment) {
        let late = now.steady.since(self.last_tick);
        let stalled = self.is_stalled(now.steady);
        if stalled {
            self.notices.push(Notice::Stalled { late });
        }
        let bound = self.rules.tick.saturating_add(self.stall()).as_secs_f64();
        let level = Level { present: stalled, found: late.as_secs_f64(), bound };
        self.note(Cause::GateStalled, Subject::Node, level, now.steady);
        self.last_tick = now.steady;
        for index in 0..self.lanes.len() {
            self.watch_silence(index, now.steady);
        }
        self.detect(now);
        self.act_on_all(now);
        for index in 0..self.lanes.len() {
            if self.lanes.get(index).is_some_and(super::lane::Lane::is_gated) {
                self.watch_lane(index, now);
            }
        }
        self.watch_standstill(now);
        self.evaluate(now.steady);
    }

    /// Whether the source in charge has fallen silent. After a neutral command the lane waits; in
    /// motion it is a fault, whose action says whether it holds the others too.
    fn watch_silence(&mut self, index: usize, now: SteadyTime) {
        if self.machine.state() != State::Active {
            return;
        }
        let held = self.permission(index) == Permission::Held;
        let Some(lane) = self.lanes.get_mut(index) else { return };
        let left = lane.was_left_in_motion(held, now);
        let Some(in_motion) = lane.silence(now).or(left.then_some(true)) else { return };
        if in_motion {
            let holds = self.action(Cause::SourceSilent, Subject::Lane(index)) >= Action::Hold;
            if let Some(lane) = self.lanes.get_mut(index) {
                lane.silent_since = lane.silent_since.or(Some(now));
                lane.silence_holds = holds;
            }
        } else {
            let fresh = self.is_fresh(index, now);
            self.stop_lane(index, LaneState::Waiting, fresh, now);
            if let Some(lane) = self.lanes.get_mut(index) {
                lane.settling = true;
            }
        }
    }

    fn watch_lane(&mut self, index: usize, now: Moment) {
        let steady = now.steady;
        let fresh = self.is_fresh(index, steady);
        match self.machine.state() {
            State::Active => {
                self.watch_active(index, fresh, steady);
                self.escalate_silence(index, now);
            }
            State::Disarmed => {
                let Some(lane) = self.lanes.get_mut(index) else {
                    return;
                };
                // Not while it still ramps down: whoever hears nothing then goes on at that speed.
                let late = self.rules.stop_deadline;
                if lane.release_at.is_some_and(|at| {
                    at <= steady && (!lane.is_slowing() || at.after(late) <= steady)
                }) {
                    let from = lane.state;
                    lane.let_go();
                    let to = LaneState::Released;
                    self.notices.push(Notice::Lane { lane: index, from, to });
                }
            }
            State::Killed => {
                if self.takes_while_killed(index, fresh) {
                    self.stop_lane(index, LaneState::Safe, fresh, steady);
                }
            }
        }
    }

    /// Whether a lane that is still released has to be taken now, while killed.
    ///
    /// Killed since boot, only zero velocity goes out: it moves and drops nothing. After an unclean
    /// restart a pose is frozen too, as soon as it is known, because what the last run sent may still
    /// be followed; a `balance` lane stays silent. Killed in this run, every lane has its safe
    /// command; one that had nothing to hold gets it when it has. A self test takes none.
    fn takes_while_killed(&self, index: usize, fresh: bool) -> bool {
        let Some(lane) = self.lanes.get(index) else { return false };
        if lane.state != LaneState::Released || self.testing {
            return false;
        }
        match lane.rules.safe {
            SafeCommand::ZeroVelocity { .. } => true,
            SafeCommand::Freeze { .. } | SafeCommand::HoldPoint { .. } => {
                fresh && (self.taken || self.unclean && !lane.rules.balance)
            }
            SafeCommand::Damping | SafeCommand::Values | SafeCommand::Silent => self.taken,
        }
    }

    fn watch_active(&mut self, index: usize, fresh: bool, now: SteadyTime) {
        let held = self.permission(index) == Permission::Held;
        let Some(lane) = self.lanes.get(index) else {
            return;
        };
        let holding = held || lane.holds();
        match (lane.state, holding) {
            (LaneState::Flowing | LaneState::Waiting, true) => {
                self.stop_lane(index, LaneState::Holding, fresh, now);
            }
            (LaneState::Holding, false) => {
                // The pose held stays; commands may flow again.
                self.stop_lane(index, LaneState::Waiting, fresh, now);
            }
            // A silence that is only told: still, nothing is left alone while active.
            (LaneState::Flowing, false) if lane.silent_since.is_some() => {
                self.stop_lane(index, LaneState::Waiting, fresh, now);
            }
            (_, true | false) => {}
        }
    }

    fn escalate_silence(&mut self, index: usize, now: Moment) {
        let Some(lane) = self.lanes.get(index) else {
            return;
        };
        let Some(since) = lane.silent_since.filter(|_| lane.silence_holds) else {
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
}
