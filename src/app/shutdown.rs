//! What the end of this process means for the robot, where that is not harmless.
//!
//! A lane below a balance loop has no safe way to end while somebody commands it; a ramp to zero may
//! take longer than it is given. Whoever ends the node (a service manager, a reboot, Ctrl-C) must
//! know before, so it is said at every start.

use crate::config::model::{Config, LaneConfig};
use crate::gate::limits::DimensionLimits;
use crate::gate::rules::LaneMode;
use crate::gate::safe::SafeCommand;
use crate::gate::stop::LONGEST_RAMP;
use crate::gate::units::at_least;

/// What the signals that end the process do to lanes that are active then. One sentence for each danger.
pub(super) fn told(config: &Config) -> Vec<String> {
    let lanes = config.lanes.iter().filter(|lane| lane.mode == LaneMode::Gate);
    lanes.flat_map(|lane| [falls(config, lane), moves_on(config, lane)]).flatten().collect()
}

/// Below a balance loop every stop is a fall.
fn falls(config: &Config, lane: &LaneConfig) -> Option<String> {
    if !lane.balance {
        return None;
    }
    let sends = match lane.safe {
        SafeCommand::Silent => "its commands end at once and nothing replaces them".to_owned(),
        SafeCommand::ZeroVelocity { .. }
        | SafeCommand::Freeze { .. }
        | SafeCommand::HoldPoint { .. }
        | SafeCommand::Damping
        | SafeCommand::Values => format!(
            "it sends {} for {} s (shutdown_stop_s), then nothing",
            lane.safe.label(),
            config.shutdown_stop.as_secs_f64()
        ),
    };
    Some(format!(
        "lane '{}' is below a balance loop, where a stop is a fall: when this node is ended \
         (SIGTERM, SIGINT, SIGQUIT, SIGHUP) while active, {sends}. Hold the robot before you end or restart it",
        lane.name
    ))
}

/// A ramp to zero that is not over when the process ends.
fn moves_on(config: &Config, lane: &LaneConfig) -> Option<String> {
    let SafeCommand::ZeroVelocity { deceleration: Some(deceleration) } = lane.safe else {
        return None;
    };
    let all = lane.limits.iter().filter_map(DimensionLimits::largest_velocity);
    let fastest = all.fold(0.0, at_least);
    let needed = fastest / deceleration;
    let given = config.shutdown_stop.saturating_add(LONGEST_RAMP).as_secs_f64();
    (needed > given).then(|| {
        format!(
            "lane '{}' needs up to {needed:.1} s to stop ({fastest} at safe.deceleration \
             {deceleration}) and is given {given} s when this node is ended: it may be let go while \
             it still moves",
            lane.name
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::gate::limits::Bounds;
    use crate::telemetry::fixture;

    fn below_balance(safe: SafeCommand) -> Config {
        let mut config = fixture::config();
        let lane = config.lanes.first_mut().expect("a lane");
        (lane.balance, lane.safe) = (true, safe);
        "legs".clone_into(&mut lane.name);
        config.shutdown_stop = Duration::from_millis(1500);
        config
    }

    #[test]
    fn when_a_lane_is_below_a_balance_loop_expect_what_its_end_means() {
        let told = told(&below_balance(SafeCommand::Damping));
        assert_eq!(told.len(), 1, "{told:?}");
        for part in ["'legs'", "a stop is a fall", "SIGTERM", "damping for 1.5 s", "Hold the robot"]
        {
            assert!(told[0].contains(part), "{part} in {told:?}");
        }
    }

    #[test]
    fn when_it_has_no_safe_command_expect_that_its_commands_end_at_once() {
        let told = told(&below_balance(SafeCommand::Silent));
        assert!(told[0].contains("at once") && !told[0].contains("1.5 s"), "{told:?}");
    }

    #[test]
    fn when_a_ramp_takes_longer_than_it_is_given_expect_it_said() {
        let mut config = fixture::config();
        let lane = config.lanes.first_mut().expect("a lane");
        lane.safe = SafeCommand::ZeroVelocity { deceleration: Some(0.2) };
        for limits in &mut lane.limits {
            limits.velocity = Some(Bounds { min: -2.0, max: 1.0 });
        }
        config.shutdown_stop = Duration::from_secs(3);
        let said = told(&config);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("up to 10.0 s") && said[0].contains("given 8 s"), "{said:?}");
        config.lanes[0].safe = SafeCommand::ZeroVelocity { deceleration: Some(0.25) };
        assert_eq!(told(&config), Vec::<String>::new());
    }

    #[test]
    fn when_no_lane_can_fall_by_it_expect_nothing_said() {
        assert_eq!(told(&fixture::config()), Vec::<String>::new());
        let mut watched = below_balance(SafeCommand::Damping);
        watched.lanes[0].mode = LaneMode::Watch;
        assert_eq!(told(&watched), Vec::<String>::new());
    }
}
