//! What watched lanes saw beside their limits, joint by joint: where an envelope is too tight for what
//! is commanded, or wider than anybody needs.

use std::fmt::Write as _;

use super::client::Client;
use super::{Console, GOOD, REFUSED, text};
use crate::telemetry::status::{LaneStatus, SeenStatus};

/// Below this share of a limit nobody needs so much.
const LITTLE: f64 = 0.3;

pub(super) fn suggest(client: &Client, lane: Option<&str>, console: &mut Console<'_>) -> u8 {
    let status = match client.status() {
        Ok(status) => status,
        Err(error) => return console.unreachable(&error),
    };
    let is_meant = |one: &&LaneStatus| lane.is_none_or(|lane| lane == one.name);
    let lanes: Vec<&LaneStatus> =
        status.lanes.iter().filter(is_meant).filter(|one| !one.seen.is_empty()).collect();
    if lanes.is_empty() {
        console.complain(
            "no lane is watched: write mode: watch in the lane, let the robot work for a while, and \
             look again\n",
        );
        return REFUSED;
    }
    for lane in lanes {
        console.say(&table(lane));
    }
    GOOD
}

/// One lane.
fn table(lane: &LaneStatus) -> String {
    let judged = lane.seen.iter().map(|seen| seen.judged).max().unwrap_or(0);
    let mut out = format!("lane {} (watched): {judged} commands\n", text::plain(&lane.name));
    let width = lane.seen.iter().map(|seen| seen.name.chars().count()).max().unwrap_or(0);
    for seen in &lane.seen {
        // Writing to a String cannot fail.
        write!(out, "  {:<width$}", text::plain(&seen.name)).ok();
        for part in parts(seen) {
            write!(out, "  {part}").ok();
        }
        out.push('\n');
        let advice = advice(seen);
        if !advice.is_empty() {
            writeln!(out, "  {:<width$}  -> {}", "", advice.join("; ")).ok();
        }
    }
    out
}

/// Seen and allowed, for each quantity of which something was seen.
fn parts(seen: &SeenStatus) -> Vec<String> {
    let mut parts = Vec::new();
    if let (Some(min), Some(max)) = (seen.min_position, seen.max_position) {
        let allowed = match (seen.limits.min_position, seen.limits.max_position) {
            (Some(low), Some(high)) => format!(" of {low}..{high}"),
            _ => String::new(),
        };
        parts.push(format!("pos {min:.3}..{max:.3}{allowed}"));
    }
    for (name, found, limit) in [
        ("vel", seen.max_velocity, seen.limits.max_velocity),
        ("acc", seen.max_acceleration, seen.limits.max_acceleration),
    ] {
        if let Some(found) = found {
            let allowed = limit.map_or(String::new(), |limit| format!(" of {limit}"));
            parts.push(format!("{name} {found:.3}{allowed}"));
        }
    }
    if parts.is_empty() {
        parts.push("nothing seen yet".to_owned());
    }
    parts
}

/// What to think about, in words of the params file.
fn advice(seen: &SeenStatus) -> Vec<String> {
    let mut advice = Vec::new();
    let over = |found: Option<f64>, limit: Option<f64>| {
        found.zip(limit).is_some_and(|(found, limit)| found > limit)
    };
    let below = |found: Option<f64>, limit: Option<f64>| {
        found.zip(limit).is_some_and(|(found, limit)| found < LITTLE * limit)
    };
    let (limits, found) = (&seen.limits, seen);
    if over(found.max_position, limits.max_position)
        || over(limits.min_position, found.min_position)
    {
        advice.push("POSITION goes outside".to_owned());
    }
    for (key, found, limit) in [
        ("max_velocity", found.max_velocity, limits.max_velocity),
        ("max_acceleration", found.max_acceleration, limits.max_acceleration),
    ] {
        let Some(value) = found else { continue };
        if over(Some(value), limit) {
            advice.push(format!("OVER {key}: would be limited"));
        } else if below(Some(value), limit) {
            advice.push(format!("{key}: {value:.3} would do"));
        }
    }
    if seen.limited > 0 {
        advice.push(format!("{} of {} would have been changed", seen.limited, seen.judged));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::status::SeenLimits;

    #[test]
    fn when_lanes_were_watched_expect_seen_beside_allowed_and_what_to_think_about() {
        let elbow = SeenStatus {
            name: "left_elbow".to_owned(),
            min_position: Some(-0.5),
            max_position: Some(1.25),
            max_velocity: Some(0.5),
            max_acceleration: Some(12.0),
            limits: SeenLimits {
                min_position: Some(-1.0),
                max_position: Some(1.0),
                max_velocity: Some(5.0),
                max_acceleration: Some(10.0),
            },
            limited: 3,
            judged: 40,
        };
        let still = SeenStatus { name: "wrist".to_owned(), ..SeenStatus::default() };
        let lane = LaneStatus {
            name: "arms".to_owned(),
            seen: vec![elbow, still],
            ..LaneStatus::default()
        };
        let expected = "\
lane arms (watched): 40 commands
  left_elbow  pos -0.500..1.250 of -1..1  vel 0.500 of 5  acc 12.000 of 10
              -> POSITION goes outside; max_velocity: 0.500 would do; OVER max_acceleration: would be limited; 3 of 40 would have been changed
  wrist       nothing seen yet
";
        assert_eq!(table(&lane), expected);
    }
}
