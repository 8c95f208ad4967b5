//! What causes do by the configuration: the gate's rule ([`crate::gate::core::Gate::action`]), ahead of
//! the gate.

use super::{CauseRules, Config, LaneConfig, LaneMode, ProfileConfig};
use crate::gate::cause::{Action, Cause};

/// The action that is written for `cause`, the profile's first.
pub(in crate::config) fn written(
    cause: Cause,
    causes: &[CauseRules],
    profile: Option<&ProfileConfig>,
) -> Option<Action> {
    let actions = profile.map_or(&[][..], |profile| &profile.rules.actions);
    let of_profile = actions.iter().find(|(of, _)| *of == cause).map(|(_, action)| *action);
    of_profile.or(causes.get(cause.index()).and_then(|rules| rules.action))
}

/// What `cause` about one lane does to it.
pub(in crate::config) fn of_lane(cause: Cause, written: Option<Action>, balance: bool) -> Action {
    written.unwrap_or(cause.default_action_of(balance))
}

/// What `cause` about the whole node does: the most severe of the gated lanes.
pub(in crate::config) fn of_node(
    cause: Cause,
    written: Option<Action>,
    lanes: &[LaneConfig],
) -> Action {
    let gated = lanes.iter().filter(|lane| lane.mode == LaneMode::Gate);
    let most_severe = gated.map(|lane| of_lane(cause, written, lane.balance)).max();
    most_severe.or(written).unwrap_or(cause.default_action())
}

impl Config {
    /// What `cause` about the whole node does, without a profile.
    #[must_use]
    pub(in crate::config) fn action_of_node(&self, cause: Cause) -> Action {
        of_node(cause, written(cause, &self.causes, None), &self.lanes)
    }

    /// The actions that the params file gives to causes and that differ from a default. Below a
    /// balance loop the defaults are others, so there every written one counts.
    pub fn written_actions(&self) -> impl Iterator<Item = (Cause, Action)> + '_ {
        let has_balance = self.lanes.iter().any(|lane| lane.balance);
        let all = Cause::ALL.iter().zip(&self.causes);
        all.filter_map(|(cause, rules)| rules.action.map(|action| (*cause, action)))
            .filter(move |(cause, action)| has_balance || *action != cause.default_action())
    }

    /// The causes that do nothing while `profile` is in force: the file says ignore, and the profile
    /// nothing else, or the profile says it. Without one, of the profile that a plain arm takes.
    pub fn ignored(&self, profile: Option<usize>) -> impl Iterator<Item = Cause> + '_ {
        let usual = || self.profiles.iter().position(|one| one.name == self.profile);
        let profile = profile.or_else(usual).and_then(|index| self.profiles.get(index));
        let is_ignored =
            move |cause: &Cause| written(*cause, &self.causes, profile) == Some(Action::Ignore);
        Cause::ALL.iter().copied().filter(is_ignored)
    }
}
