//! Who is in charge of a lane.
//!
//! Up by itself: the first command of a higher source that asks for motion takes the lane. Down only
//! on purpose: by `select_source`, by an arm, or where `return_to: auto` is written. Letting go of
//! the joystick never re-engages the policy that the operator pulled away from (hazard 41), and an
//! idle joystick does not keep a policy from a lane that it never moved.

use std::time::Duration;

use super::command::Command;
use super::credit::CREDIT_PERIODS;
use super::lane::Lane;
use super::lane_state::LaneState;
use super::limit::LOCKED_TOLERANCE;
use super::rules::{Interface, LaneMode, ReturnTo, Shape, SourceMode};
use super::safe::SafeCommand;
use super::source::Source;
use super::units::{SteadyTime, is_within};

/// How long a source that an operator put in charge may be quiet while what another sent last goes on:
/// what a stream at 10 Hz needs, twice.
const AWAITED: Duration = Duration::from_millis(200);

/// Why a source was not put in charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectRefused {
    /// No lane of that name.
    UnknownLane,
    /// No source of that name in the lane.
    UnknownSource,
    /// The source sends nothing.
    Silent,
    /// The source is judged only (`mode: shadow`).
    Shadow,
    /// The lane is judged only (`mode: watch`).
    Watched,
}

impl Lane {
    /// Whether `index` is in charge, or may take charge with this command: up by itself when it asks
    /// for motion; from a source that never moved the lane; down only where `return_to` says so.
    pub(super) fn may_own(&self, index: usize, moves: bool, now: SteadyTime) -> bool {
        let Some(owner) = self.owner else { return true };
        if owner == index {
            return true;
        }
        let priority = |index: usize| self.sources.get(index).map(|s| s.rules.priority);
        let Some(in_charge) = self.sources.get(owner) else {
            return true;
        };
        let pinned = self.selected == Some(owner);
        let up = priority(index) > priority(owner) && moves;
        let idle = !in_charge.engaged && moves && !pinned;
        let back = self.rules.return_to == ReturnTo::Auto && !in_charge.is_alive(now) && !pinned;
        up || idle || back
    }

    /// Whether a command asks for more than staying where the last one left the lane.
    pub(super) fn asks_for_motion(&self, command: &Command, period_s: f64) -> bool {
        if self.rules.shape == Shape::Trajectory {
            return command.points > 0;
        }
        // A joint that the command does not name carries no number.
        let asks = |(value, given): (&f64, &bool)| {
            *given && !is_within(*value, -LOCKED_TOLERANCE, LOCKED_TOLERANCE)
        };
        match self.rules.interface {
            Interface::Position => {
                let step = self.rules.standstill * period_s;
                let values = command.position.iter().zip(&command.given).zip(self.sent());
                values
                    .filter(|((_, given), _)| **given)
                    .any(|((value, _), sent)| !is_within(value - sent.value, -step, step))
            }
            Interface::Velocity => command.velocity.iter().zip(&command.given).any(asks),
            Interface::Effort => command.effort.iter().zip(&command.given).any(asks),
        }
    }

    /// Whether the source in charge has fallen silent, and in motion.
    pub(super) fn silence(&self, now: SteadyTime) -> Option<bool> {
        if self.state != LaneState::Flowing {
            return None;
        }
        let owner = self.owner.and_then(|owner| self.sources.get(owner));
        if owner.is_some_and(|owner| owner.is_alive(now) && !self.is_awaited(owner, now)) {
            return self.is_left_slowing(owner, now).then_some(false);
        }
        Some(self.in_motion_until(now).is_some())
    }

    /// Until when what was sent last moves it; `None`: it does not any more. A loop that balances is
    /// always in motion, however still its commands are.
    pub(super) fn in_motion_until(&self, now: SteadyTime) -> Option<SteadyTime> {
        if self.rules.balance {
            return Some(SteadyTime::from_nanos(u64::MAX));
        }
        self.moves_until.filter(|until| *until > now)
    }

    /// Whether a hold for something else interrupted a motion whose source has died since. `held`: by
    /// something else, still.
    pub(super) fn was_left_in_motion(&mut self, held: bool, now: SteadyTime) -> bool {
        let owner = self.owner.and_then(|owner| self.sources.get(owner));
        let Some(owner) = owner else { return false };
        matches!(self.state, LaneState::Holding | LaneState::Waiting)
            && self.interrupted.is_owed(held, owner.rules.timeout, now)
            && !owner.is_alive(now)
    }

    /// Whether a source that an operator put in charge has sent nothing since, for too long. One
    /// without a timeout is never silent, and what its forerunner sent last would stand for ever.
    fn is_awaited(&self, owner: &Source, now: SteadyTime) -> bool {
        let since = self.owner_since;
        owner.last_valid().is_none_or(|heard| heard < since) && now.since(since) > AWAITED
    }

    /// Whether a velocity was slowed down by one step, to a zero that its source said once: joysticks
    /// and planners do when they end, and nothing would finish it.
    fn is_left_slowing(&self, owner: Option<&Source>, now: SteadyTime) -> bool {
        let wait_s = owner.map_or(0.0, Source::period_s) * CREDIT_PERIODS;
        self.unfinished.is_some_and(|since| now.since(since).as_secs_f64() > wait_s)
    }

    /// Whether what was just sent still moves, on an axis that was told to stop.
    pub(super) fn stops_unfinished(&self) -> bool {
        let told = self.envelope.sent().iter().zip(self.envelope.given());
        // Another safe command goes limp or says nothing, which is no end of a motion.
        matches!(self.rules.safe, SafeCommand::ZeroVelocity { .. })
            && self.rules.interface == Interface::Velocity
            && self.rules.shape == Shape::Target
            && told.clone().any(|(sent, _)| sent.value != 0.0)
            && told.into_iter().all(|(sent, given)| *given || sent.value == 0.0)
    }

    /// Puts a source in charge, or by priority again. While not `active` it is remembered for the
    /// next arm. Returns the source in charge before, where that changed.
    pub(super) fn select(
        &mut self,
        wanted: Option<usize>,
        active: bool,
        now: SteadyTime,
    ) -> Result<Option<Option<usize>>, SelectRefused> {
        if self.rules.mode == LaneMode::Watch {
            return Err(SelectRefused::Watched);
        }
        if let Some(wanted) = wanted {
            let source = self.sources.get(wanted).ok_or(SelectRefused::UnknownSource)?;
            if source.rules.mode == SourceMode::Shadow {
                return Err(SelectRefused::Shadow);
            }
            if !source.is_alive(now) {
                return Err(SelectRefused::Silent);
            }
        }
        self.selected = wanted;
        if !active || self.owner == wanted {
            return Ok(None);
        }
        if wanted.is_none() && self.state == LaneState::Flowing {
            // Whoever moves it goes on, until a higher one asks for motion.
            return Ok(None);
        }
        let before = self.owner;
        self.hand_to(wanted);
        self.owner_since = now;
        // Whoever was silent is no longer in charge: its deadlines end with it (hazard 26).
        if wanted.is_some() {
            self.silent_since = None;
            self.interrupted.end();
        }
        self.easing.owe();
        Ok(Some(before))
    }

    /// Another source is in charge from now on, and has not moved the lane yet.
    pub(super) fn hand_to(&mut self, index: Option<usize>) {
        self.owner = index;
        if let Some(source) = index.and_then(|index| self.sources.get_mut(index)) {
            source.engaged = false;
            source.forget_shares();
        }
    }
}
