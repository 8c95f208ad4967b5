//! What the end of this process means where a stop is a fall.
//!
//! A lane below a balance loop has no safe way to end while somebody commands it. Whoever ends the
//! node (a service manager, a reboot, Ctrl-C) must know that before, so it is said at every start.

use crate::config::model::Config;
use crate::gate::rules::LaneMode;
use crate::gate::safe::SafeCommand;

/// One sentence for each lane below a balance loop: what SIGTERM and SIGINT do to it while active.
pub(super) fn told(config: &Config) -> Vec<String> {
    let lanes = config.lanes.iter().filter(|lane| lane.balance && lane.mode == LaneMode::Gate);
    let told = lanes.map(|lane| {
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
        format!(
            "lane '{}' is below a balance loop, where a stop is a fall: when this node is ended \
             (SIGTERM, SIGINT) while active, {sends}. Hold the robot before you end or restart it",
            lane.name
        )
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
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
    fn when_no_lane_can_fall_by_it_expect_nothing_said() {
        assert_eq!(told(&fixture::config()), Vec::<String>::new());
        let mut watched = below_balance(SafeCommand::Damping);
        watched.lanes[0].mode = LaneMode::Watch;
        assert_eq!(told(&watched), Vec::<String>::new());
    }
}
