//! The verbs: kill, disarm, select; and what a stop does to every lane. Reset and arm, which take two
//! steps, stand in [`super::release`].

use super::cause::{Action, Cause};
use super::core::{Gate, SelectRefused};
use super::lane_state::LaneState;
use super::machine::{Outcome, Report, Subject};
use super::notice::Notice;
use super::state::{Refused, State};
use super::units::{Moment, SteadyTime};

impl Gate {
    /// The kill verb. Works in every state and puts every safe command out again.
    pub fn kill(&mut self, report: Report, now: Moment) {
        self.taken = true;
        // A real stop is not the self test's to take back.
        self.testing = false;
        let outcome = self.machine.kill(report, now);
        self.tell(outcome);
        self.stop_all(outcome, now.steady);
    }

    /// The process ends: a stop as after a disarm, whatever the params file says of causes.
    pub fn shut_down(&mut self, now: Moment) {
        self.machine.withdraw();
        self.act(Report::plain(Cause::Shutdown, Subject::Node), Action::Disarm, now);
        // What has a safe command keeps it until the process has ended: letting go before that would
        // leave a robot that is still slowing down to whatever was sent last.
        for lane in &mut self.lanes {
            lane.release_at = None;
        }
    }

    /// The disarm verb.
    ///
    /// # Errors
    /// [`Refused`] as in the state table.
    pub fn disarm(&mut self, now: Moment) -> Result<(), Refused> {
        let outcome = self.machine.disarm(now).inspect_err(|refused| {
            self.notices.push(Notice::DisarmRefused(*refused));
        })?;
        self.tell(outcome);
        self.stop_all(outcome, now.steady);
        Ok(())
    }

    /// Puts one source in charge, or none in particular (`None`: by priority again). While not active
    /// the choice is remembered for the next arm, which puts that source in charge; a disarm or a
    /// kill from active forgets it.
    ///
    /// # Errors
    /// When there is no such lane or source, the source is silent, or it is judged only.
    pub fn select_source(
        &mut self,
        index: usize,
        source: Option<usize>,
        now: SteadyTime,
    ) -> Result<(), SelectRefused> {
        let active = self.machine.state() == State::Active;
        let lane = self.lanes.get_mut(index).ok_or(SelectRefused::UnknownLane)?;
        if let Some(from) = lane.select(source, active, now)? {
            self.notices.push(Notice::Owner { lane: index, from, to: source });
        }
        Ok(())
    }

    /// Does what an automatic cause's action says, now.
    pub(super) fn act(&mut self, report: Report, action: Action, now: Moment) {
        // Nothing can move during a self test: as while disarmed, nothing latches.
        if self.testing {
            return;
        }
        let outcome = self.machine.automatic(report, action, now);
        self.tell(outcome);
        if outcome.moved {
            self.stop_all(outcome, now.steady);
        }
    }

    pub(super) fn tell(&mut self, outcome: Outcome) {
        self.evaluated_at = None;
        if !outcome.moved {
            return;
        }
        if outcome.from != outcome.to {
            let seq = self.machine.seq();
            self.notices.push(Notice::State { from: outcome.from, to: outcome.to, seq });
        }
        let trip = self.machine.last_trip().filter(|trip| trip.seq == self.machine.seq());
        if let Some(trip) = trip {
            self.notices.push(Notice::Trip(*trip));
        }
    }

    /// Brings every lane to what the state wants, and has every safe command put out at once.
    pub(super) fn stop_all(&mut self, outcome: Outcome, now: SteadyTime) {
        if outcome.to == State::Active {
            return;
        }
        self.profile = None;
        self.ready_since = None;
        for index in 0..self.lanes.len() {
            let fresh = self.is_fresh(index, now);
            let Some(lane) = self.lanes.get_mut(index).filter(|lane| lane.is_gated()) else {
                continue;
            };
            lane.silent_since = None;
            lane.cause_holds = false;
            if outcome.from == State::Active {
                lane.selected = None;
            }
            if lane.state == LaneState::Released && (outcome.to == State::Disarmed || !self.taken) {
                continue;
            }
            if outcome.to == State::Disarmed && lane.release_at.is_none() {
                lane.release_at = Some(now.after(lane.rules.release));
            }
            if outcome.to == State::Killed {
                lane.release_at = None;
            }
            self.stop_lane(index, LaneState::Safe, fresh, now);
        }
    }

    pub(super) fn stop_lane(&mut self, index: usize, to: LaneState, fresh: bool, now: SteadyTime) {
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        let from = lane.state;
        if from == to {
            lane.stop_again(now);
            return;
        }
        if lane.enter_stop(to, fresh, now) {
            self.notices.push(Notice::Lane { lane: index, from, to });
        } else {
            self.notices.push(Notice::NoSafeCommand { lane: index });
        }
    }
}
