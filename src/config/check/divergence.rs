//! How far sent and measured may be apart on a lane, for the summary.

use crate::config::model::actions::{of_lane as action_of_lane, written};
use crate::config::model::{CommandType, Config, Interface, LaneConfig, LaneMode};
use crate::gate::cause::{Action, Cause};

/// Of a lane that is compared, without a profile; `None` where nothing is.
pub(super) fn of_lane(config: &Config, lane: &LaneConfig) -> Option<String> {
    let is_compared = lane.mode == LaneMode::Gate
        && lane.feedback.is_some()
        && lane.interface != Interface::Effort
        && lane.command_type != CommandType::JointTrajectory;
    if !is_compared {
        return None;
    }
    let cause = Cause::Divergence;
    let action = action_of_lane(cause, written(cause, &config.causes, None), lane.balance);
    if action == Action::Ignore {
        return Some("divergence: ignored".to_owned());
    }
    let rules = config.causes.get(cause.index()).copied().unwrap_or_default();
    let unit = match lane.interface {
        Interface::Position => "rad or m",
        Interface::Velocity | Interface::Effort => "rad/s or m/s",
    };
    let debounce = rules.debounce.unwrap_or(cause.default_debounce());
    let over = match rules.above {
        Some(above) => format!("{above} {unit}"),
        None => bounds(config, lane, unit),
    };
    let never = rules.above.map_or_else(String::new, |above| never(lane, above));
    Some(format!("divergence: {action} over {over} for {debounce:?}{never}"))
}

/// The bounds that nobody wrote, each joint's or axis' own where they differ.
fn bounds(config: &Config, lane: &LaneConfig, unit: &str) -> String {
    let is_twist = matches!(lane.command_type, CommandType::Twist | CommandType::TwistStamped);
    let awaits = config.urdf.is_some() && config.description.is_none() && !is_twist;
    if lane.interface == Interface::Velocity && awaits {
        return "half of the largest velocity".to_owned();
    }
    // What is locked is never commanded; of positions all have the same.
    let is_position = lane.interface == Interface::Position;
    let free = lane.dimensions.iter().zip(&lane.limits);
    let free = free.filter(|(_, limits)| is_position || !limits.locked);
    let bounds: Vec<(&String, f64)> =
        free.map(|(name, limits)| (name, limits.may_diverge(lane.interface))).collect();
    match bounds.as_slice() {
        [(_, first), rest @ ..] if rest.iter().all(|(_, one)| one.total_cmp(first).is_eq()) => {
            format!("{first} {unit}")
        }
        all => {
            let each: Vec<String> = all.iter().map(|(name, one)| format!("{name} {one}")).collect();
            format!("{} {unit}", each.join(", "))
        }
    }
}

/// Where the bound written is no less than the whole of what can be asked for.
fn never(lane: &LaneConfig, above: f64) -> String {
    if lane.interface != Interface::Velocity {
        return String::new();
    }
    let reached = lane.dimensions.iter().zip(&lane.limits).filter_map(|(name, limits)| {
        let most = limits.largest_velocity()?;
        (above >= most).then(|| format!("{name} (at most {most})"))
    });
    let reached: Vec<String> = reached.collect();
    if reached.is_empty() {
        return String::new();
    }
    format!("; NEVER where it stands still: {}", reached.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::config::check::summary;
    use crate::config::tests::{ARM, BASE, MOTORS, config, with, with_top};

    fn told(text: &str) -> Option<String> {
        let summary = summary(&config(text));
        let mut lines = summary.lines();
        lines.find_map(|line| line.strip_prefix("  divergence: ").map(str::to_owned))
    }

    #[test]
    fn when_velocities_are_compared_expect_half_of_the_largest_told() {
        let told = |text: &str| told(text).unwrap();
        assert_eq!(told(BASE), "hold over 0.25 rad/s or m/s for 500ms");
        let axes = "limits: {linear: {x: {min_velocity: -0.8, max_velocity: 0.5, max_acceleration: \
                    1.0}}, angular: {z: {max_velocity: 1.5, max_acceleration: 2.0}}}";
        let limits = "limits: {linear: {x: {max_velocity: 0.5, max_acceleration: 1.0}}}";
        let both = with(BASE, limits, axes);
        assert_eq!(told(&both), "hold over linear.x 0.4, angular.z 0.75 rad/s or m/s for 500ms");
        assert_eq!(told(ARM), "hold over 0.5 rad or m for 500ms");
        let limits = "limits: {min_position: -1.0, max_position: 1.0, max_velocity: 1.0, ";
        let awaits = with(ARM, limits, "limits: {");
        let awaits = with(&awaits, "interface: position", "interface: velocity");
        let awaits = with(&awaits, "{command: freeze, tolerance: 0.1}", "{command: zero_velocity}");
        let awaits = with_top(&awaits, "urdf: {topic: /robot_description}");
        assert_eq!(told(&awaits), "hold over half of the largest velocity for 500ms");
    }

    #[test]
    fn when_a_bound_is_written_expect_it_told_and_where_it_is_never_reached() {
        for (above, expected) in [
            ("0.49", "0.49 rad/s or m/s for 2s"),
            ("0.5", "0.5 rad/s or m/s for 2s; NEVER where it stands still: linear.x (at most 0.5)"),
        ] {
            let cause = format!("causes: {{divergence: {{above: {above}, debounce_s: 2.0}}}}");
            let told = told(&with_top(BASE, &cause)).unwrap();
            assert_eq!(told, format!("hold over {expected}"));
        }
        let cause = "causes: {divergence: {above: 5.0, action: kill}}";
        assert_eq!(told(&with_top(ARM, cause)).unwrap(), "kill over 5 rad or m for 500ms");
    }

    #[test]
    fn when_nothing_is_compared_expect_nothing_told() {
        let lane = "        feedback: odom\n";
        let odom =
            "    feedback: {odom: {type: nav_msgs/msg/Odometry, topic: odom, timeout_s: 0.3}}\n";
        let unmeasured = with(BASE, lane, "        feedback: none\n        because: a bench\n");
        assert_eq!(told(&with(&unmeasured, odom, "")), None);
        let watched = with(BASE, lane, "        feedback: odom\n        mode: watch\n");
        assert_eq!(
            told(&with(&watched, "{command: zero_velocity}", "{command: silent, because: none}")),
            None
        );
        assert_eq!(told(MOTORS).as_deref(), Some("ignored"));
    }
}
