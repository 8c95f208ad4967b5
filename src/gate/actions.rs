//! What a cause does: whose column counts, and the doing of it.
//!
//! An action that the params file writes, or the profile in force, holds for every lane. Otherwise
//! each lane has the column of its kind. A cause about a lane asks that lane; a cause about the node
//! asks all: the most severe of disarm and kill counts for all, a hold only for the lanes whose column
//! says so.

use super::cause::{Action, Cause, CauseSet};
use super::core::Gate;
use super::lane::Lane;
use super::machine::Subject;
use super::notice::Notice;
use super::state::State;
use super::units::{Moment, SteadyTime};

impl Gate {
    /// The action that somebody wrote for `cause`, the profile in force first.
    fn written(&self, cause: Cause) -> Option<Action> {
        let profile = self.profile.and_then(|index| self.rules.profiles.get(index));
        let of_profile = profile.and_then(|profile| {
            profile.actions.iter().find(|(of, _)| *of == cause).map(|(_, action)| *action)
        });
        let of_file = self.rules.causes.get(cause.index()).and_then(|rules| rules.action);
        of_profile.or(of_file)
    }

    fn lane_action(&self, cause: Cause, lane: &Lane) -> Action {
        self.written(cause).unwrap_or(cause.default_action_of(lane.rules.balance))
    }

    /// Whether a cause about `subject` concerns a lane.
    fn concerns(&self, subject: Subject, index: usize, lane: &Lane) -> bool {
        lane.is_gated()
            && match subject {
                Subject::Lane(of) | Subject::Source { lane: of, .. } => of == index,
                Subject::Feedback(feedback) => {
                    let uses = |lane: &Lane| lane.rules.feedback == Some(feedback);
                    uses(lane) || !self.lanes.iter().any(uses)
                }
                Subject::Node
                | Subject::KillInput(_)
                | Subject::Temperature(_)
                | Subject::Battery(_)
                | Subject::Path(_) => true,
            }
    }

    /// What `cause` about `subject` does here and now: the most severe of the lanes it concerns.
    #[must_use]
    pub fn action(&self, cause: Cause, subject: Subject) -> Action {
        let lanes = self.lanes.iter().enumerate();
        let concerned = lanes.filter(|(index, lane)| self.concerns(subject, *index, lane));
        let most_severe = concerned.map(|(_, lane)| self.lane_action(cause, lane)).max();
        most_severe.or(self.written(cause)).unwrap_or(cause.default_action())
    }

    /// Does what the cause in `place` says, where it is due.
    pub(super) fn act_on(&mut self, place: usize, now: Moment) {
        let Some(fault) = self.faults.get_mut(place) else { return };
        fault.advance(now.steady);
        let fault = *fault;
        let active = self.machine.state() == State::Active;
        let due = fault.is_due();
        if !due && (fault.level.present || !fault.told) {
            return;
        }
        let action = self.action(fault.cause, fault.subject);
        match (action, due) {
            (Action::Hold, true) => self.hold(fault.cause, fault.subject, now.steady),
            (Action::Disarm | Action::Kill, true) => self.act(fault.report(), action, now),
            (Action::Ignore | Action::Warn, true) | (_, false) => {}
        }
        // While nothing moves, a hold holds nothing, and what is an arm condition is told as one.
        let tells = match action {
            Action::Warn => active || !fault.cause.has_own_condition(),
            Action::Hold => active,
            Action::Ignore | Action::Disarm | Action::Kill => false,
        };
        if (due && tells && !fault.told) || (!due && fault.told) {
            self.notices.push(Notice::Cause {
                cause: fault.cause,
                subject: fault.subject,
                action,
                present: due,
                found: fault.level.found,
                bound: fault.level.bound,
            });
            if let Some(fault) = self.faults.get_mut(place) {
                fault.told = due;
            }
        }
    }

    /// Holds the lanes whose column says so, until the next tick looks again.
    fn hold(&mut self, cause: Cause, subject: Subject, now: SteadyTime) {
        // A silence is the lane's own: it ends with the next command, not with the next tick.
        if self.machine.state() != State::Active || cause == Cause::SourceSilent {
            return;
        }
        for index in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get(index) else { continue };
            let holds = self.concerns(subject, index, lane)
                && self.lane_action(cause, lane) == Action::Hold
                // Another lane may get what it needs from the same topic.
                && !(cause == Cause::FeedbackStale
                    && lane.rules.feedback.is_some_and(|of| subject == Subject::Feedback(of))
                    && self.is_fresh(index, now));
            if let Some(lane) = self.lanes.get_mut(index) {
                lane.cause_holds |= holds;
            }
        }
    }

    /// Lets every cause count until now, and does what those that are due say.
    pub(super) fn act_on_all(&mut self, now: Moment) {
        for lane in &mut self.lanes {
            lane.cause_holds = false;
        }
        for place in 0..self.faults.len() {
            self.act_on(place, now);
        }
    }

    /// The causes that are there now, whatever they do. Those that are a moment and not a condition
    /// (a kill by service) are never among them.
    #[must_use]
    pub fn causes_present(&self, now: SteadyTime) -> CauseSet {
        let asserted = self.any_kill_input_asserts(now);
        let set = CauseSet::default().with(Cause::KillInputAsserted, asserted);
        self.faults.iter().fold(set, |set, fault| set.with(fault.cause, fault.level.present))
    }
}
