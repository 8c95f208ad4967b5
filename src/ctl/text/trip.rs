//! One stop, as people say it.

use crate::gate::cause::Cause;
use crate::telemetry::people::{span, time};
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

/// Seconds of nanoseconds.
#[expect(clippy::as_conversions, reason = "a time for people")]
pub(in crate::ctl) fn seconds(unix_ns: i64) -> f64 {
    unix_ns as f64 * 1e-9
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
}
