//! From an event to a log line: a sentence for people and fields for machines, the same words.

use super::repeats::Rejections;
use super::{Event, What};
use crate::gate::cause::Cause;
use crate::gate::check::Refusal;
use crate::gate::machine::{Subject, Trip};
use crate::gate::notice::Notice;
use crate::gate::self_test::Flaw;
use crate::telemetry::slots::{Identity, Slots};

/// Events the queue had no place for.
pub(super) fn dropped(count: u64) {
    tracing::warn!(kind = "events_dropped", count, "{count} events did not fit into the log queue");
}

/// Rejections of one lane, source and reason.
pub(super) fn rejections(rejections: &Rejections, slots: &Slots) {
    let Rejections { lane, source, refusal, count } = rejections;
    let lane_name = self::lane(slots, *lane);
    let source_name = self::source(slots, *lane, *source);
    let dimension = refusal.dimension.map(|d| joint(slots, *lane, d));
    let reason = refusal.reason.label();
    let detail = refusal_text(slots, *lane, refusal);
    let detail = if detail.is_empty() { detail } else { format!(", {detail}") };
    let times = if *count == 1 { String::new() } else { format!(", {count} commands") };
    tracing::warn!(
        kind = "rejected",
        lane = lane_name,
        source = source_name,
        reason,
        count,
        joint = dimension,
        found = known(refusal.found),
        bound = known(refusal.bound),
        "{lane_name}/{source_name} rejected: {reason}{detail}{times}"
    );
}

/// What was refused about a command: the joint or axis, the value found, the value allowed.
pub(crate) fn refusal_text(slots: &Slots, lane: usize, refusal: &Refusal) -> String {
    let name = refusal.dimension.map_or("", |dimension| joint(slots, lane, dimension));
    let text = format!("{name}{}", numbers(refusal.found, refusal.bound));
    text.trim_start_matches(", ").to_owned()
}

/// Everything else.
pub(super) fn write(event: &Event, slots: &Slots) {
    let kind = event.what.kind().label();
    match &event.what {
        What::Started => tracing::info!(kind, "started"),
        What::Configured => configured(kind, slots),
        What::Stopping => tracing::info!(kind, "stopping"),
        What::Gate(notice) => gate(kind, notice, slots),
        What::Requested { verb, seq, operator, reason } => {
            let operator = known_text(operator.as_str());
            let by = operator.map_or(String::new(), |who| format!(" by {who}"));
            let seq_named = seq.map_or(String::new(), |seq| format!(" of seq {seq}"));
            let reason = known_text(reason.as_str());
            let why = reason.map_or(String::new(), |reason| format!(": {reason:?}"));
            tracing::info!(
                kind,
                verb = verb.label(),
                seq,
                operator,
                reason,
                "{verb}{seq_named} requested{by}{why}"
            );
        }
        What::RequestRefused { verb, operator, why } => {
            let operator = known_text(operator.as_str());
            let by = operator.map_or(String::new(), |who| format!(" of {who}"));
            let why = why.label();
            tracing::warn!(kind, verb = verb.label(), operator, why, "{verb}{by} refused: {why}");
        }
        What::Lost { lane, source, count } => {
            let (lane, source) = (self::lane(slots, *lane), self::source(slots, *lane, *source));
            tracing::debug!(
                kind,
                lane,
                source,
                count,
                "{lane}/{source}: {count} commands overwritten before they were taken"
            );
        }
        What::DecisionLost { lane, source } => {
            let (lane, source) = (self::lane(slots, *lane), self::source(slots, *lane, *source));
            tracing::debug!(kind, lane, source, "{lane}/{source}: a decision was not told");
        }
        What::Description(is) => {
            let is = is.label();
            tracing::warn!(kind, is, "a robot description came: {is}");
        }
        What::Audits { stopped: true } => tracing::error!(
            kind,
            "the graph has not been looked at for 5 s: no output counts as read until it is"
        ),
        What::Audits { stopped: false } => {
            tracing::warn!(kind, "the graph is looked at again");
        }
        What::Monitor { stopped: true } => tracing::error!(
            kind,
            "nobody has looked at temperatures, batteries and monitored topics for 5 s: where they \
             can derate or trip, velocity is derated to the least and nothing is armed until somebody \
             does"
        ),
        What::Monitor { stopped: false } => {
            tracing::warn!(
                kind,
                "temperatures, batteries and monitored topics are looked at again"
            );
        }
        What::SelfTested(result) => {
            let (input, text) = crate::telemetry::self_test::told(result, slots);
            match result.flaw.map(Flaw::label) {
                None => tracing::info!(kind, input, "self test of {input} passed: {text}"),
                Some(flaw) => {
                    tracing::error!(kind, input, flaw, "self test of {input} FAILED: {text}");
                }
            }
        }
        What::SelfTestRefused(why) => {
            let reason = why.label();
            tracing::warn!(kind, reason, "self test refused: {reason}");
        }
        What::MiddlewareFailed { call, subject, code } => {
            let subject = subject_text(slots, *subject);
            tracing::error!(
                kind,
                call = call.label(),
                subject,
                code,
                "{call} failed: {subject}, return code {code}"
            );
        }
    }
}

/// What runs: which robot, which configuration, which program.
fn configured(kind: &'static str, slots: &Slots) {
    let Identity { hardware_id, config_sha256, build, profiles } = &slots.identity;
    let lanes = slots.lanes.len();
    let kill_inputs = slots.kill_inputs.len();
    tracing::info!(
        kind,
        hardware_id,
        config_sha256,
        version = build.version,
        lanes,
        kill_inputs,
        profiles = profiles.len(),
        "configured: robot {hardware_id}, {lanes} lanes, {kill_inputs} kill inputs, sha256 \
         {config_sha256}"
    );
}

fn gate(kind: &'static str, notice: &Notice, slots: &Slots) {
    match notice {
        Notice::State { from, to, seq } => {
            tracing::info!(
                kind,
                from = from.label(),
                to = to.label(),
                seq,
                "{from} -> {to}, seq {seq}"
            );
        }
        Notice::Trip(trip) => trip_line(kind, trip, slots),
        Notice::ResetRefused(why) => {
            tracing::warn!(kind, reason = why.label(), "reset refused: {}", why.label());
        }
        Notice::ArmRefused(why) => {
            tracing::warn!(kind, reason = why.label(), "arm refused: {}", why.label());
        }
        Notice::DisarmRefused(why) => {
            tracing::warn!(kind, reason = why.label(), "disarm refused: {}", why.label());
        }
        Notice::Lane { lane, from, to } => {
            let lane = self::lane(slots, *lane);
            tracing::info!(
                kind,
                lane,
                from = from.label(),
                to = to.label(),
                "lane {lane}: {from} -> {to}"
            );
        }
        Notice::Owner { lane, from, to } => {
            let name = |i: &Option<usize>| i.map_or("none", |i| source(slots, *lane, i));
            let (from, to, lane) = (name(from), name(to), self::lane(slots, *lane));
            tracing::info!(kind, lane, from, to, "lane {lane}: {from} -> {to} in charge");
        }
        // Told by `rejections`, which adds them up; here only so that the list stays closed.
        Notice::Rejected { lane, source, refusal } => {
            rejections(
                &Rejections { lane: *lane, source: *source, refusal: *refusal, count: 1 },
                slots,
            );
        }
        Notice::Stalled { late } => {
            let late_s = late.as_secs_f64();
            tracing::error!(kind, late_s, "the gate's tick was {late_s:.3} s late, queues drained");
        }
        Notice::Cause { cause, subject, action, present, found, bound } => {
            let subject = subject_text(slots, *subject);
            let (cause, action) = (cause.label(), action.label());
            let detail = numbers(*found, *bound);
            let now = if *present { action } else { "gone" };
            tracing::warn!(
                kind,
                cause,
                action,
                subject,
                present,
                "{cause}, {subject}: {now}{detail}"
            );
        }
        Notice::Motion { lane, found: Some(motion) } => {
            let joint = joint(slots, *lane, motion.dimension);
            let lane = self::lane(slots, *lane);
            let velocity = known(motion.velocity);
            let detail = velocity.map_or_else(
                || String::from("feedback is silent, nobody knows whether it stands"),
                |velocity| format!("{joint} moves: {velocity}, still is {}", motion.standstill),
            );
            if motion.is_ours {
                tracing::error!(
                    kind,
                    lane,
                    velocity,
                    "lane {lane} is not still after a stop: {detail}"
                );
            } else {
                tracing::warn!(
                    kind,
                    lane,
                    velocity,
                    "lane {lane} is not still: {detail}{}",
                    crate::telemetry::report::NOT_OURS
                );
            }
        }
        Notice::Motion { lane, found: None } => {
            let lane = self::lane(slots, *lane);
            tracing::info!(kind, lane, "lane {lane} stands still");
        }
        Notice::NoSafeCommand { lane } => {
            let lane = self::lane(slots, *lane);
            tracing::error!(
                kind,
                lane,
                "lane {lane} stays silent: nothing to build a safe command on"
            );
        }
    }
}

fn trip_line(kind: &'static str, trip: &Trip, slots: &Slots) {
    let Trip { seq, cause, subject, found, bound, stamp } = trip;
    let subject = subject_text(slots, *subject);
    let detail = numbers(*found, *bound);
    let stamp_unix_ns = stamp.as_nanos();
    let cause_label = cause.label();
    // A shutdown or a self test is what somebody wanted; every other trip is for a person to look at.
    if matches!(cause, Cause::Shutdown | Cause::SelfTest) {
        tracing::info!(
            kind,
            seq,
            cause = cause_label,
            subject,
            stamp_unix_ns,
            "stopped: {cause}, {subject}{detail}, seq {seq}"
        );
    } else {
        tracing::error!(
            kind,
            seq,
            cause = cause_label,
            subject,
            stamp_unix_ns,
            found = known(*found),
            bound = known(*bound),
            "tripped: {cause}, {subject}{detail}, seq {seq}"
        );
    }
}

/// The name of what an event is about.
pub(crate) fn subject_text(slots: &Slots, subject: Subject) -> String {
    match subject {
        Subject::Node => String::from("node"),
        Subject::Lane(i) => format!("lane {}", lane(slots, i)),
        Subject::Source { lane: l, source: s } => {
            format!("source {}/{}", lane(slots, l), source(slots, l, s))
        }
        Subject::KillInput(i) => {
            format!("kill input {}", slots.kill_inputs.get(i).map_or(UNKNOWN, |k| &k.name))
        }
        Subject::Feedback(i) => {
            format!("feedback {}", slots.feedback.get(i).map_or(UNKNOWN, |f| &f.name))
        }
        Subject::Temperature(i) => {
            let all = slots.temperatures.iter();
            let mut points =
                all.flat_map(|one| one.components.iter().map(move |part| (&one.name, &part.name)));
            match points.nth(i) {
                Some((input, part)) if input == part => format!("temperature {input}"),
                Some((input, part)) => format!("temperature {input}/{part}"),
                None => format!("temperature {UNKNOWN}"),
            }
        }
        Subject::Battery(i) => {
            format!("battery {}", slots.batteries.get(i).map_or(UNKNOWN, |b| &b.name))
        }
        Subject::Path(i) => format!("other path {i}"),
    }
}

/// Stands for an index that the configuration does not have: a fault of ours, told, not hidden.
const UNKNOWN: &str = "?";

fn lane(slots: &Slots, lane: usize) -> &str {
    slots.lanes.get(lane).map_or(UNKNOWN, |l| &l.name)
}

fn source(slots: &Slots, lane: usize, source: usize) -> &str {
    let source = slots.lanes.get(lane).and_then(|l| l.sources.get(source));
    source.map_or(UNKNOWN, |s| &s.name)
}

fn joint(slots: &Slots, lane: usize, joint: usize) -> &str {
    let joint = slots.lanes.get(lane).and_then(|l| l.joint_limits.get(joint));
    joint.map_or(UNKNOWN, |j| &j.name)
}

fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn known_text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn numbers(found: f64, bound: f64) -> String {
    match (known(found), known(bound)) {
        (Some(found), Some(bound)) => format!(", {found} (allowed {bound})"),
        (Some(found), None) => format!(", {found}"),
        (None, Some(bound)) => format!(", allowed {bound}"),
        (None, None) => String::new(),
    }
}
