//! Trajectories: every point inside the bounds, every segment within the velocity limit.

use super::{Judged, Scene, hold};
use crate::trace::From;

/// Whole nanoseconds and a point moved to a bound: a part in 10⁶ more.
const SLACK: f64 = 1e-6;

pub(super) fn observe(scene: &Scene<'_>, lane: usize, measured: Option<&[f64]>) -> Judged {
    let rules = &scene.rules.lanes[lane];
    for output in scene.step.outputs.iter().filter(|output| output.lane == lane) {
        if !matches!(output.from, From::Source(_)) {
            continue;
        }
        let command = &output.command;
        let joints = command.dimensions;
        let mut before: Option<(&[f64], i64)> = measured.map(|pose| (pose, 0));
        for (point, (values, time)) in
            command.position.chunks_exact(joints).zip(&command.times).enumerate()
        {
            for (joint, value) in values.iter().enumerate() {
                let limits = &rules.limits[joint];
                if !command.given[joint] {
                    continue;
                }
                if let Some(bounds) = limits.position {
                    // What starts outside may stay or come in.
                    let start = measured.map_or(bounds.min, |pose| pose[joint]);
                    let low = if start < bounds.min { start } else { bounds.min };
                    let high = if start > bounds.max { start } else { bounds.max };
                    hold!(
                        low <= *value && *value <= high,
                        "plan_stays_in_bounds",
                        "lane {lane} joint {joint} point {point}: {value}"
                    );
                }
                let (Some((from, start)), Some(bounds)) = (before, limits.velocity) else {
                    continue;
                };
                #[expect(clippy::cast_precision_loss, reason = "nanoseconds far below 2^53")]
                let span = (time - start) as f64 * 1e-9;
                let step = value - from[joint];
                let reach = if span > 0.0 { span * (1.0 + SLACK) } else { continue };
                // Where the robot is, is known only so well.
                let tolerance = rules.safe.tolerance().filter(|_| point == 0).unwrap_or(1e-9);
                hold!(
                    step <= bounds.max * reach + tolerance
                        && step >= bounds.min * reach - tolerance,
                    "plan_keeps_velocity",
                    "lane {lane} joint {joint} point {point}: {step} in {span} s"
                );
            }
            hold!(
                point == 0 || before.is_none_or(|(_, start)| *time > start),
                "plan_keeps_velocity",
                "lane {lane} point {point}: time does not increase"
            );
            before = Some((values, *time));
        }
    }
    Ok(())
}
