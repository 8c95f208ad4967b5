//! A decision in one sentence: the joint, the value and the bound.

use super::Record;
use crate::gate::check::Refusal;
use crate::gate::envelope::Change;
use crate::gate::verdict::{Reason, Verdict};

/// The sentence of a decision. `names` are the lane's joints or axes.
#[must_use]
pub fn sentence(record: &Record, names: &[String]) -> String {
    match record.verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Withheld => "the state does not permit motion".to_owned(),
        Verdict::NotSelected => "another source is in charge of the lane".to_owned(),
        Verdict::Rejected => record.refusal.map_or_else(String::new, |why| refused(&why, names)),
        Verdict::Limited => limited(&record.changes, names),
    }
}

/// One change: `left_elbow: position 3.1, sent 2.09, limit 2.09`.
#[must_use]
pub fn change_words(change: &Change, names: &[String]) -> String {
    let name = name(names, Some(change.place.dimension)).unwrap_or("?");
    let Change { requested, sent, bound, .. } = change;
    let quantity = change.quantity.label();
    let unit = unit(name, quantity);
    let limit = change.limit.label();
    let bound = if bound.is_nan() {
        String::new()
    } else if limit == quantity {
        format!(", limit {}", short(*bound))
    } else {
        format!(", {limit} limit {}", short(*bound))
    };
    format!("{name}: {quantity} {}{unit}, sent {}{bound}", short(*requested), short(*sent))
}

fn limited(changes: &[Change], names: &[String]) -> String {
    let Some(first) = changes.first() else { return "limited".to_owned() };
    let more = match changes.len() {
        0 | 1 => String::new(),
        2 => "; and one more".to_owned(),
        all => format!("; and {} more", all.saturating_sub(1)),
    };
    format!("{}{more}", change_words(first, names))
}

fn refused(why: &Refusal, names: &[String]) -> String {
    let Some(name) = name(names, why.dimension) else {
        return format!("{}{}", whole(why.reason), numbers(why));
    };
    let at = if why.point > 0 { format!(" at point {}", why.point) } else { String::new() };
    let unit = unit(name, why.reason.label());
    match why.reason {
        Reason::NotFinite => format!("{name}{at}: {} is not a finite number", short(why.found)),
        Reason::LockedAxis => {
            format!(
                "{name}{at}: {} where only zero is allowed: no limit is given",
                short(why.found)
            )
        }
        Reason::Position
        | Reason::Velocity
        | Reason::Acceleration
        | Reason::Jerk
        | Reason::Effort
        | Reason::Gain
        | Reason::TotalEffort
        | Reason::Discontinuity => {
            let bound = known(why.bound).map_or(String::new(), |bound| format!(", limit {bound}"));
            let found = known(why.found).map_or(String::new(), |found| format!(" {found}{unit}"));
            format!("{name}{at}: {}{found}{bound}", why.reason.label().replace('_', " "))
        }
        Reason::Malformed
        | Reason::TooLarge
        | Reason::WrongCount
        | Reason::UnknownJoint
        | Reason::DuplicateJoint
        | Reason::FixedValue
        | Reason::Checksum
        | Reason::Fenced
        | Reason::RateExceeded
        | Reason::StaleStamp
        | Reason::FutureStamp
        | Reason::OutOfOrder
        | Reason::OtherPublisher
        | Reason::PublisherNotAllowed
        | Reason::Horizon
        | Reason::TimesNotIncreasing => {
            format!("{name}{at}: {}{}", whole(why.reason), numbers(why))
        }
    }
}

/// Why a whole command was refused.
const fn whole(reason: Reason) -> &'static str {
    match reason {
        Reason::Malformed => "the bytes are not a message of the lane's type",
        Reason::TooLarge => "the message is larger than max_message_bytes",
        Reason::NotFinite => "a number is NaN or infinite",
        Reason::WrongCount => "not as many values as the lane has joints",
        Reason::UnknownJoint => "a joint that the lane does not have",
        Reason::DuplicateJoint => "a joint is named twice",
        Reason::FixedValue => "a fixed field has a value that is not allowed",
        Reason::Checksum => "the checksum does not fit the message",
        Reason::Fenced => "sent or received before the arm",
        Reason::RateExceeded => "more commands than max_rate_hz",
        Reason::StaleStamp => "the header stamp is older than max_age_s",
        Reason::FutureStamp => "the header stamp is in the future",
        Reason::OutOfOrder => "older than a command already taken from this publisher",
        Reason::OtherPublisher => "another publisher is in charge of this source",
        Reason::PublisherNotAllowed => "the publisher is not one of allowed_nodes",
        Reason::LockedAxis => "an axis without a limit is not zero",
        Reason::Position => "outside the position limits",
        Reason::Velocity => "over the velocity limit",
        Reason::Acceleration => "over the acceleration limit",
        Reason::Jerk => "over the jerk limit",
        Reason::Effort => "over the effort limit",
        Reason::Gain => "over a gain limit",
        Reason::TotalEffort => "over the limit of total effort",
        Reason::Discontinuity => "the first point does not continue what was last sent",
        Reason::Horizon => "the plan reaches further ahead than allowed",
        Reason::TimesNotIncreasing => "the times of the points do not increase",
    }
}

fn numbers(why: &Refusal) -> String {
    match (known(why.found), known(why.bound)) {
        (Some(found), Some(bound)) => format!(": {found}, limit {bound}"),
        (Some(found), None) => format!(": {found}"),
        (None, _) => String::new(),
    }
}

fn name(names: &[String], dimension: Option<usize>) -> Option<&str> {
    dimension.and_then(|at| names.get(at)).map(String::as_str)
}

/// The unit, where the name tells it: axes of a base. Joints turn or slide, which no command says.
fn unit(name: &str, quantity: &str) -> &'static str {
    match (name.split_once('.').map(|(kind, _)| kind), quantity) {
        (Some("linear"), "velocity") => " m/s",
        (Some("angular"), "velocity") => " rad/s",
        (Some("linear"), "acceleration") => " m/s²",
        (Some("angular"), "acceleration") => " rad/s²",
        (Some("linear"), "jerk") => " m/s³",
        (Some("angular"), "jerk") => " rad/s³",
        (Some(_) | None, _) => "",
    }
}

fn known(number: f64) -> Option<String> {
    (!number.is_nan()).then(|| short(number))
}

/// At most four digits behind the point, without trailing zeros.
fn short(number: f64) -> String {
    if !number.is_finite() {
        return number.to_string().to_lowercase();
    }
    let text = format!("{number:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" || (text == "0" && number.abs() > 0.0) {
        return format!("{number:e}");
    }
    text.to_owned()
}
