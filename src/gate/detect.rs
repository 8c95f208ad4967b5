//! What the gate itself can see: the level of each cause at each tick.
//!
//! Nothing is decided here but whether a cause is there; how long it must be there and what it does
//! stands in [`super::fault`] and [`super::actions`].

use super::cause::{Action, Cause};
use super::core::Gate;
use super::fault::Level;
use super::kill_input::Silence;
use super::machine::{Report, Subject};
use super::rules::{KillAction, SourceMode};
use super::state::State;
use super::units::{Moment, SteadyTime};

/// Causes that each live source of a gated lane can bring, while it is in charge.
pub(super) const OF_A_SOURCE: [Cause; 4] =
    [Cause::SourceSilent, Cause::RefusalsSustained, Cause::RateExceeded, Cause::LimitedRatio];

impl Gate {
    /// Sets the level of everything that the gate looks at itself.
    pub(super) fn detect(&mut self, now: Moment) {
        for index in 0..self.kill_inputs.len() {
            self.detect_kill_input(index, now);
        }
        for index in 0..self.rules.feedback.len() {
            let stale = !self.feedback_is_fresh(index, now.steady);
            let bound =
                self.rules.feedback.get(index).map_or(f64::NAN, |f| f.timeout.as_secs_f64());
            let seen = self.feedback_at.get(index).copied().flatten();
            let found = seen.map_or(f64::NAN, |at| now.steady.since(at).as_secs_f64());
            let level = Level { present: stale, found, bound };
            self.note(Cause::FeedbackStale, Subject::Feedback(index), level, now.steady);
        }
        for index in 0..self.lanes.len() {
            if self.lanes.get(index).is_some_and(super::lane::Lane::is_gated) {
                self.detect_lane(index, now.steady);
                self.detect_sources(index, now.steady);
            }
        }
    }

    pub(super) fn note(&mut self, cause: Cause, subject: Subject, level: Level, now: SteadyTime) {
        let wait = self.rules.debounce(cause);
        self.faults.set(cause, subject, level, wait, now);
    }

    /// Silence of a kill input, and what a longer silence becomes where the shorter one holds.
    fn detect_kill_input(&mut self, index: usize, now: Moment) {
        let (Some(input), Some(rules)) =
            (self.kill_inputs.get(index), self.rules.kill_inputs.get(index))
        else {
            return;
        };
        let subject = Subject::KillInput(index);
        let bound = rules.timeout.unwrap_or_default();
        let kill_after = bound.saturating_add(rules.kill_after);
        let then = match rules.action {
            KillAction::Kill => Action::Kill,
            KillAction::Disarm => Action::Disarm,
        };
        let silent = match input.silence(now.steady, rules) {
            Silence::Heard | Silence::Unseen => None,
            Silence::Lost(silent) => Some(silent),
        };
        let found = silent.map_or(f64::NAN, |silent| silent.as_secs_f64());
        let bound = bound.as_secs_f64();
        let level = Level { present: silent.is_some(), found, bound };
        self.note(Cause::KillInputSilent, subject, level, now.steady);
        let holds = self.action(Cause::KillInputSilent, subject) == Action::Hold;
        if holds && silent.is_some_and(|silent| silent > kill_after) {
            let report = Report { found, bound, ..Report::plain(Cause::KillInputSilent, subject) };
            self.act(report, then, now);
        }
    }

    fn detect_lane(&mut self, index: usize, now: SteadyTime) {
        let active = self.machine.state() == State::Active;
        let fresh = self.is_fresh(index, now);
        let Some(lane) = self.lanes.get(index) else { return };
        let subject = Subject::Lane(index);
        let gone = active && lane.rules.required && !lane.is_read();
        let above = self.rules.written_above(Cause::Divergence);
        let divergence = if active && fresh { lane.divergence(above) } else { None };
        let divergence = divergence.unwrap_or(Level::plain(false));
        self.note(Cause::ControllerGone, subject, Level::plain(gone), now);
        self.note(Cause::Divergence, subject, divergence, now);
    }

    /// What the source in charge does; of the others nothing is asked.
    fn detect_sources(&mut self, index: usize, now: SteadyTime) {
        let active = self.machine.state() == State::Active;
        let above = |cause| self.rules.above(cause).unwrap_or(f64::INFINITY);
        let (refused, limited) = (above(Cause::RefusalsSustained), above(Cause::LimitedRatio));
        let rate = above(Cause::RateExceeded);
        let window_s = self.rules.window(Cause::RateExceeded).as_secs_f64();
        let Some(lane) = self.lanes.get_mut(index) else { return };
        let (owner, silent_since) = (lane.owner, lane.silent_since);
        for source in 0..lane.sources.len() {
            let Some(lane) = self.lanes.get_mut(index) else { return };
            let Some(state) = lane.sources.get_mut(source) else { continue };
            if state.rules.mode != SourceMode::Live {
                continue;
            }
            let mut levels = [Level::plain(false); 4];
            if active && owner == Some(source) {
                let share = |ratio: Option<f64>, above: f64| {
                    ratio.map_or(Level::plain(false), |ratio| Level::over(ratio, above))
                };
                let silent_s = silent_since.map(|at| now.since(at).as_secs_f64());
                levels = [
                    Level { present: silent_s.is_some(), ..Level::plain(false) },
                    share(state.shares.refused.ratio(now), refused),
                    flood(state, rate, window_s, now),
                    share(state.shares.limited.ratio(now), limited),
                ];
            }
            let subject = Subject::Source { lane: index, source };
            for (cause, level) in OF_A_SOURCE.into_iter().zip(levels) {
                self.note(cause, subject, level, now);
            }
            let refusals = Cause::RefusalsSustained;
            let [_, refused, ..] = levels;
            let holds = refused.present
                && self.faults.is_due(refusals, subject)
                && self.action(refusals, subject) == Action::Hold;
            let lane = self.lanes.get_mut(index);
            if let Some(state) = lane.and_then(|lane| lane.sources.get_mut(source)) {
                state.shares.refusing = holds;
            }
        }
    }
}

/// What was sent in the window, in multiples of the source's rate; a burst more is allowed.
#[expect(clippy::as_conversions, reason = "a count far below 2^53")]
fn flood(source: &mut super::source::Source, above: f64, window_s: f64, now: SteadyTime) -> Level {
    let (_, sent) = source.shares.sent.counts(now);
    let allowed = source.rules.max_rate_hz * window_s;
    Level::over(sent as f64 / allowed, above + f64::from(source.rules.burst) / allowed)
}
