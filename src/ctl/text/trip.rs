//! One stop, and times, as people say them.

use crate::gate::cause::Cause;
use crate::telemetry::status::TripStatus;

/// Who or what stopped it, and when. A person's kill needs no other word for its cause.
pub(super) fn trip(trip: &TripStatus) -> String {
    let subject =
        if trip.subject.is_empty() { String::new() } else { format!(" ({})", trip.subject) };
    let when = format!("{}, {} ago", time(trip.stamp_unix_s), span(trip.age_s));
    if !trip.operator.is_empty() && trip.cause.starts_with("kill_s") {
        return format!("by {} {when}", trip.operator);
    }
    let who =
        if trip.operator.is_empty() { String::new() } else { format!(" of {}", trip.operator) };
    // The cause and its subject stand there already.
    let repeats = [trip.cause.clone(), format!("{} '{}'", trip.cause, trip.subject)];
    let detail = match of_boot(&trip.cause) {
        Some(text) => format!(": {text}"),
        None if trip.detail.is_empty() || repeats.contains(&trip.detail) => String::new(),
        None => format!(": {}", trip.detail),
    };
    format!("by {}{who}{subject} {when}{detail}", trip.cause)
}

/// What a node that comes up killed found.
const OF_BOOT: [(Cause, &str); 3] = [
    (Cause::FirstRun, "there was no latch file, so nothing is known of a run before"),
    (Cause::LatchFile, "the latch file cannot be read"),
    (Cause::UncleanRestart, "the last run ended while active"),
];

fn of_boot(cause: &str) -> Option<&'static str> {
    OF_BOOT.iter().find(|(known, _)| known.label() == cause).map(|(_, text)| *text)
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

/// A span as people say it. Each unit is kept up to twice the next one, so "119 s" is exact.
pub(super) fn span(seconds: f64) -> String {
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

/// The same of nanoseconds.
#[expect(clippy::as_conversions, reason = "a time for people")]
pub(in crate::ctl) fn stamp(unix_ns: i64) -> String {
    time(unix_ns as f64 * 1e-9)
}

/// The time of day, UTC: the robot and the person may sit in different zones.
pub(super) fn time(unix_s: f64) -> String {
    let of_day = unix_s.rem_euclid(DAY);
    let hours = (of_day / HOUR).floor();
    let minutes = (of_day % HOUR / MINUTE).floor();
    let seconds = (of_day % MINUTE).floor();
    format!("{hours:02.0}:{minutes:02.0}:{seconds:02.0} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cause: &str, subject: &str, detail: &str) -> String {
        trip(&TripStatus {
            cause: cause.to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_owned(),
            age_s: 3.0,
            ..TripStatus::default()
        })
    }

    #[test]
    fn when_a_stop_is_told_expect_nothing_twice_and_boots_explained() {
        let button = of("kill_input_asserted", "button", "kill_input_asserted 'button'");
        assert_eq!(button, "by kill_input_asserted (button) 00:00:00 UTC, 3.0 s ago");
        let tilt = of("tilt", "imu", "0.9 rad, limit 0.7");
        assert!(tilt.ends_with("ago: 0.9 rad, limit 0.7"), "{tilt}");
        assert!(of("unclean_restart", "", "").ends_with("ago: the last run ended while active"));
        assert!(of("a_cause_of_tomorrow", "", "").ends_with("ago"));
    }

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
