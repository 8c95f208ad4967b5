//! What the gate waits for before it can be armed: a robot description, something to build a safe
//! message on, and somebody who reads the sensors. All are found out by others.
//!
//! **Invariant:** limits never change while active.

use super::core::Gate;
use super::limits::DimensionLimits;
use super::state::State;

/// What a lane's safe message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafeWaits {
    /// A valid command: its gains or kept numbers have no default.
    Command,
    /// The feedback that it mirrors a field of.
    Mirror,
    /// A valid command, for an arm alone: whole numbers that are kept as last sent are their type's
    /// default so far, and a stop with those is better than none.
    Kept,
}

impl SafeWaits {
    /// Whether nothing can be sent meanwhile, a stop neither.
    pub(super) const fn is_mute(self) -> bool {
        match self {
            Self::Command | Self::Mirror => true,
            Self::Kept => false,
        }
    }
}

impl Gate {
    /// Whether limits are still to come with a robot description: no arm before.
    pub const fn await_description(&mut self, awaits: bool) {
        self.awaits_description = awaits;
        self.evaluated_at = None;
    }

    /// Whether nobody looks at heat and charge, where they may derate or trip: no arm meanwhile.
    pub const fn sensors_unread(&mut self, unread: bool) {
        if self.sensors_unread != unread {
            self.sensors_unread = unread;
            self.evaluated_at = None;
        }
    }

    /// New limits for every lane, one for each joint or axis. Returns false, and takes none of them,
    /// while active or where a count is not the lane's.
    #[must_use]
    pub fn set_limits(&mut self, limits: Vec<Vec<DimensionLimits>>) -> bool {
        let fits = limits.len() == self.lanes.len()
            && limits
                .iter()
                .zip(&self.lanes)
                .all(|(new, lane)| new.len() == lane.rules.limits.len());
        if self.machine.state() == State::Active || !fits {
            return false;
        }
        for (lane, new) in self.lanes.iter_mut().zip(limits) {
            lane.rules.limits = new;
        }
        self.evaluated_at = None;
        true
    }

    /// A lane's limits, one for each joint or axis, before its profile and derating.
    #[must_use]
    pub fn limits(&self, lane: usize) -> &[DimensionLimits] {
        self.lanes.get(lane).map_or(&[], |lane| &lane.rules.limits)
    }

    /// What the lane's safe message waits for; `None`: it can be made.
    pub fn safe_waits(&mut self, lane: usize, waits: Option<SafeWaits>) {
        if let Some(lane) = self.lanes.get_mut(lane)
            && lane.safe_waits != waits
        {
            lane.safe_waits = waits;
            self.evaluated_at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::condition::ConditionCode;
    use super::super::core::tests::bench::rules;
    use super::super::state::BootRecord;
    use super::super::test_rules;
    use super::super::units::{Moment, SteadyTime};
    use super::*;

    fn unmet(gate: &Gate) -> Vec<ConditionCode> {
        let mut codes = Vec::new();
        gate.unmet(SteadyTime::default(), &mut |condition| codes.push(condition.code));
        codes
    }

    fn gate() -> Gate {
        let rules = rules(vec![test_rules::velocity_lane(2)]);
        Gate::new(rules, BootRecord::Clean, 1, Moment::default())
    }

    #[test]
    fn when_a_description_a_safe_message_or_a_reader_of_sensors_is_missing_expect_the_condition() {
        let mut gate = gate();
        gate.await_description(true);
        gate.safe_waits(0, Some(SafeWaits::Command));
        gate.sensors_unread(true);
        let codes = unmet(&gate);
        assert!(codes.contains(&ConditionCode::RobotDescriptionMissing), "{codes:?}");
        assert!(codes.contains(&ConditionCode::NoSafeCommand), "{codes:?}");
        assert!(codes.contains(&ConditionCode::SensorsUnread), "{codes:?}");
        gate.await_description(false);
        gate.safe_waits(0, None);
        gate.sensors_unread(false);
        let codes = unmet(&gate);
        assert!(!codes.contains(&ConditionCode::RobotDescriptionMissing), "{codes:?}");
        assert!(!codes.contains(&ConditionCode::NoSafeCommand), "{codes:?}");
        assert!(!codes.contains(&ConditionCode::SensorsUnread), "{codes:?}");
    }

    #[test]
    fn when_limits_do_not_fit_expect_none_taken() {
        let mut gate = gate();
        assert!(gate.set_limits(vec![vec![DimensionLimits::default(); 2]]));
        assert_eq!(gate.limits(0), [DimensionLimits::default(); 2]);
        assert!(gate.limits(1).is_empty());
        assert!(!gate.set_limits(vec![vec![DimensionLimits::default(); 3]]));
        assert!(!gate.set_limits(Vec::new()));
    }
}
