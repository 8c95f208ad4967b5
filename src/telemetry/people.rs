//! Words for people that several readers of the status share: spans, times, the next command.

use super::status::Status;
use super::watched::WatchedLanes;

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

/// The same, with the date before it where it is of another day than `now_unix_s`: what was told of
/// last week is not taken for today's.
#[must_use]
pub fn when(unix_s: f64, now_unix_s: f64) -> String {
    let day = |unix_s: f64| (unix_s / DAY).floor();
    if day(unix_s).total_cmp(&day(now_unix_s)).is_eq() {
        return time(unix_s);
    }
    format!("{} {}", date(unix_s), time(unix_s))
}

/// The day, UTC: yyyy-mm-dd.
///
/// # Source
/// `civil_from_days` of Howard Hinnant, <https://howardhinnant.github.io/date_algorithms.html>: years
/// begin in March, so that the leap day is their last.
fn date(unix_s: f64) -> String {
    // From 0000-03-01.
    let days = (unix_s / DAY).floor() + 719_468.0;
    let era = (days / 146_097.0).floor();
    let of_era = days - era * 146_097.0;
    let leaps =
        (of_era / 1_460.0).floor() - (of_era / 36_524.0).floor() + (of_era / 146_096.0).floor();
    let year_of_era = ((of_era - leaps) / 365.0).floor();
    let before = 365.0 * year_of_era + (year_of_era / 4.0).floor() - (year_of_era / 100.0).floor();
    let of_year = of_era - before;
    let from_march = ((5.0 * of_year + 2.0) / 153.0).floor();
    let day = of_year - ((153.0 * from_march + 2.0) / 5.0).floor() + 1.0;
    let month = if from_march < 10.0 { from_march + 3.0 } else { from_march - 9.0 };
    let year = year_of_era + era * 400.0 + if month > 2.0 { 0.0 } else { 1.0 };
    format!("{year:04.0}-{month:02.0}-{day:02.0}")
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
        // What moves it does not pass here.
        ("killed", true) if WatchedLanes::of_status(status).only().is_some() => {
            Some("1. interlockctl reset   2. interlockctl arm")
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
    fn when_it_was_another_day_expect_the_date_before_the_time() {
        let now = 1_700_000_000.0;
        assert_eq!(when(now - 60.0, now), "22:12:20 UTC");
        assert_eq!(when(now - DAY, now), "2023-11-13 22:13:20 UTC");
        assert_eq!(when(now + 2.0 * HOUR, now), "2023-11-15 00:13:20 UTC", "a clock that was set");
        for (days, date) in [
            (0.0, "1970-01-01"),
            (58.0, "1970-02-28"),
            (59.0, "1970-03-01"),
            (10_956.0, "1999-12-31"),
            (11_016.0, "2000-02-29"),
            (11_017.0, "2000-03-01"),
            (19_781.0, "2024-02-28"),
            (19_782.0, "2024-02-29"),
            (19_783.0, "2024-03-01"),
            (47_540.0, "2100-02-28"),
            (47_541.0, "2100-03-01"),
            (-1.0, "1969-12-31"),
        ] {
            assert_eq!(super::date(days * DAY), date);
            assert_eq!(super::date((days + 1.0) * DAY - 0.001), date);
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
