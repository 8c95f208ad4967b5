//! Whether the robot stands after a kill: what was measured, and never a guess.

use crate::telemetry::people::span;
use crate::telemetry::status::{LaneStatus, Status};

/// The lanes that are not known to stand although their time to stop is over.
pub(super) fn not_still(status: &Status) -> impl Iterator<Item = String> + '_ {
    let moving = status.lanes.iter().filter(|lane| !lane.motion.is_empty());
    moving.map(|lane| format!("{}: {}", lane.name, lane.motion))
}

/// Of one lane, to go on with its line; empty where there was no kill, or where it is told by
/// [`not_still`].
pub(super) fn still(lane: &LaneStatus, status: &Status) -> String {
    let is_told = status.state != "killed" || lane.mode == "watch" || !lane.motion.is_empty();
    match lane.still_for_s {
        _ if is_told => String::new(),
        Some(still) => format!(", still for {}", span(still)),
        // No feedback, or its time to stop is not over.
        None => String::from(", motion unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{head, status, what_counts};
    use super::*;
    use crate::ctl::tests::killed;

    const MOVES: &str = "linear.x moves: 0.187, still is below 0.05";

    fn moving() -> Status {
        let mut status = killed();
        status.lanes[0].still_for_s = None;
        status.lanes[0].motion = MOVES.to_owned();
        status
    }

    #[test]
    fn hazard_27_stop_latched_but_robot_moves_is_said_wherever_an_operator_looks() {
        let loud = format!("  NOT STILL   base: {MOVES}\n");
        for text in [status(&moving()), head(&moving())] {
            let second = text.lines().nth(1).map(|line| format!("{line}\n"));
            assert_eq!(second.as_deref(), Some(loud.as_str()), "right below the headline: {text}");
            assert!(!text.contains("still for") && !text.contains("unknown"), "{text}");
        }
        // The way on does not say that nothing moves.
        let way = "  to go on    see why it is not still, interlockctl reset, interlockctl arm\n";
        assert!(status(&moving()).ends_with(way), "{}", status(&moving()));
        // A watch that writes a log has a new line when it begins and when it ends, not for each value.
        let mut faster = moving();
        faster.lanes[0].motion = MOVES.replace("0.187", "0.2");
        assert_eq!(what_counts(&moving()), what_counts(&faster));
        assert_ne!(what_counts(&moving()), what_counts(&killed()));
    }

    #[test]
    fn when_it_stands_expect_for_how_long_and_when_nobody_measures_expect_no_guess() {
        let mut standing = killed();
        standing.lanes[0].still_for_s = Some(119.4);
        let text = status(&standing);
        assert!(text.contains("zero_velocity at 50 Hz, still for 119 s, 1 reader\n"), "{text}");
        standing.lanes[0].still_for_s = None;
        let text = status(&standing);
        assert!(text.contains("zero_velocity at 50 Hz, motion unknown, 1 reader\n"), "{text}");
        // Neither is said of a lane that nothing stopped.
        standing.lanes[0].mode = String::from("watch");
        assert!(!status(&standing).contains("unknown"));
        standing.lanes[0].mode = String::from("gate");
        standing.state = String::from("disarmed");
        assert!(!status(&standing).contains("unknown"));
    }
}
