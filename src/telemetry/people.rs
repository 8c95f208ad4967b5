//! Words for people that several readers of the status share: spans, times, the next command.

use super::status::Status;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

/// A span as people say it. Each unit is kept up to twice the next one, so "119 s" is exact.
#[must_use]
pub fn span(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 2.0 * MINUTE {
        format!("{seconds:.0} s")
    } else if seconds < 2.0 * HOUR {
        format!("{:.0} min", (seconds / MINUTE).floor())
    } else if seconds < 2.0 * DAY {
        format!("{:.0} h", (seconds / HOUR).floor())
    } else {
        format!("{:.0} d", (seconds / DAY).floor())
    }
}

/// The time of day, UTC: the robot and the person may sit in different zones.
#[must_use]
pub fn time(unix_s: f64) -> String {
    let of_day = unix_s.rem_euclid(DAY);
    let hours = (of_day / HOUR).floor();
    let minutes = (of_day % HOUR / MINUTE).floor();
    let seconds = (of_day % MINUTE).floor();
    format!("{hours:02.0}:{minutes:02.0}:{seconds:02.0} UTC")
}

/// Where somebody should be heard, and how many publish there where that is known.
#[must_use]
pub fn heard_on(topic: &str, publishers: Option<u64>) -> String {
    match publishers {
        None => format!("topic {topic}"),
        Some(1) => format!("topic {topic}, 1 publisher"),
        Some(count) => format!("topic {topic}, {count} publishers"),
    }
}

/// The next steps, to be typed; `None` while nothing has to be done.
#[must_use]
pub fn way_on(status: &Status) -> Option<&'static str> {
    let is_moving = status.lanes.iter().any(|lane| !lane.motion.is_empty());
    match (status.state.as_str(), status.unmet.is_empty()) {
        ("killed", true) if is_moving => {
            Some("see why it is not still, interlockctl reset, interlockctl arm")
        }
        ("killed", true) => Some("1. interlockctl reset (nothing moves)   2. interlockctl arm"),
        ("killed", false) => Some("clear what is in the way, interlockctl reset, interlockctl arm"),
        ("disarmed", true) => Some("interlockctl arm"),
        ("disarmed", false) => Some("clear what is in the way, then interlockctl arm"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_span_is_told_expect_the_unit_people_use() {
        for (seconds, text) in [
            (0.0, "0.0 s"),
            (9.96, "10.0 s"),
            (59.4, "59 s"),
            (119.0, "119 s"),
            (179.0, "2 min"),
            (7_199.0, "119 min"),
            (7_200.0, "2 h"),
            (172_800.0, "2 d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn when_a_time_is_told_expect_the_time_of_day() {
        assert_eq!(time(1_700_000_000.9), "22:13:20 UTC");
        assert_eq!(time(0.0), "00:00:00 UTC");
        assert_eq!(time(86_399.999), "23:59:59 UTC");
        assert_eq!(time(-1.0), "23:59:59 UTC");
    }
}
