//! Lanes that send nothing although the run before ended in motion: loud, because the robot may still
//! follow what that run sent last.

use crate::config::model::{LaneConfig, LaneMode};
use crate::gate::cause::Cause;
use crate::gate::lane_state::LaneState;
use crate::gate::safe::SafeCommand;
use crate::gate::snapshot::{LaneView, Snapshot};
use crate::gate::state::State;

/// Why the lane sends nothing now, and what takes it; `None`: another thing is told of it.
pub(super) fn now_silent(
    snapshot: &Snapshot,
    view: &LaneView,
    lane: &LaneConfig,
) -> Option<String> {
    let is_meant = snapshot.state == State::Killed
        && view.state == LaneState::Released
        && snapshot.unclean
        && snapshot.first_trip.is_some_and(|first| first.cause == Cause::UncleanRestart);
    if is_meant { silent(lane) } else { None }
}

/// The same of a lane that nobody has taken since the start; `None` where it takes itself.
#[must_use]
pub fn silent(lane: &LaneConfig) -> Option<String> {
    let then = match lane.safe {
        _ if lane.mode == LaneMode::Watch => return None,
        SafeCommand::ZeroVelocity { .. } => return None,
        SafeCommand::Freeze { .. } | SafeCommand::HoldPoint { .. } => {
            String::from("its pose is held as soon as it is measured")
        }
        SafeCommand::Damping | SafeCommand::Values => {
            format!("a kill sends {}, reset and arm let commands pass", lane.safe.label())
        }
        SafeCommand::Silent => String::from("reset and arm let commands pass"),
    };
    Some(format!(
        "SILENT although the last run ended while active: the robot may still follow its last \
         command, hold it; {then}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::core::Gate;
    use crate::gate::state::BootRecord;
    use crate::gate::units::Moment;
    use crate::telemetry::fixture;

    #[test]
    fn when_the_computer_was_started_since_expect_no_promise_of_a_hold() {
        let mut lane = fixture::config().lanes.remove(0);
        lane.safe = SafeCommand::Freeze { tolerance: 0.1 };
        let told = |record| {
            let now = Moment::default();
            let gate = Gate::new(fixture::config().gate_rules(), record, 7, now);
            let snapshot = Snapshot::new(&gate, now);
            now_silent(&snapshot, &snapshot.lanes[0], &lane)
        };
        let here = told(BootRecord::EndedActive).expect("it is silent");
        assert!(here.ends_with("its pose is held as soon as it is measured"), "{here}");
        assert!(told(BootRecord::EndedActiveEarlier).is_none());
    }

    #[test]
    fn when_a_lane_takes_itself_or_is_watched_expect_nothing_told() {
        let mut lane = fixture::config().lanes.remove(0);
        assert_eq!(silent(&lane), None, "zero velocity");
        lane.safe = SafeCommand::Damping;
        let told = silent(&lane).expect("it is silent");
        assert!(told.ends_with("a kill sends damping, reset and arm let commands pass"), "{told}");
        lane.safe = SafeCommand::Silent;
        assert!(!silent(&lane).expect("it is silent").contains("a kill"));
        lane.mode = LaneMode::Watch;
        assert_eq!(silent(&lane), None);
    }
}
