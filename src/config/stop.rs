//! `stop.*`: how long motion may take to end after a trip, and what then.

use std::time::Duration;

use super::keys::Keys;
use super::model::{FeedbackConfig, KillInputConfig, LaneConfig, LaneMode, StopConfig};
use super::names;
use super::range::Range;
use super::reader::Context;
use crate::gate::safe::SafeCommand;

/// Where nothing is written.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escalation {
    Report,
    CutRequest,
}

/// The three keys.
pub(super) fn stop(keys: &mut Keys<'_>) -> Option<StopConfig> {
    let range = Range::from(0.1, " s", "motion takes time to end, and to be measured").to(60.0);
    let deadline = keys.seconds("stop.deadline_s", range).or(DEFAULT_DEADLINE);
    let words =
        [("report", Some(Escalation::Report)), ("cut_request", Some(Escalation::CutRequest))];
    let escalation = keys.word("stop.escalation", &words).or(Escalation::Report);
    let cut_topic = match escalation? {
        Escalation::Report => {
            keys.refuse_effectless(
                "stop.cut_topic",
                "only with escalation: cut_request",
                "a topic that nothing is published on would look like a protection",
            )?;
            None
        }
        Escalation::CutRequest => Some(names::topic(keys, "stop.cut_topic")?),
    };
    Some(StopConfig { deadline: deadline?, cut_topic })
}

/// A ramp to zero that takes longer than a stop may: motion would be reported, or cut, that only does
/// what it is told. What is found, and what is allowed.
pub(super) fn slow_ramp(lane: &LaneConfig, deadline: Duration) -> Option<(String, String)> {
    let SafeCommand::ZeroVelocity { deceleration: Some(deceleration) } = lane.safe else {
        return None;
    };
    let free = lane.limits.iter().zip(&lane.dimensions).filter(|(limits, _)| !limits.locked);
    let speeds =
        free.filter_map(|(limits, name)| limits.largest_velocity().map(|fastest| (fastest, name)));
    let (speed, name) = speeds.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    let (takes_s, deadline_s) = (speed / deceleration, deadline.as_secs_f64());
    // A quotient that should be the deadline itself may be off by its last digits.
    (takes_s > deadline_s * (1.0 + 1e-9)).then(|| {
        let found = format!(
            "{deceleration} takes {takes_s:.3} s from {speed} of {name} to zero, and \
             stop.deadline_s is {deadline_s}"
        );
        (found, format!("at least {}, or a longer stop.deadline_s", speed / deadline_s))
    })
}

/// Why, and what to do.
pub(super) const SLOW_RAMP: (&str, &str) = (
    "a stop that still ramps down at the deadline counts as one that failed",
    "raise it, or leave it out to go to zero at once",
);

/// Refuses it where the params file has the limits; the rest is looked at with the description.
pub(super) fn refuse_slow_ramps(
    keys: &mut Keys<'_>,
    stop: Option<&StopConfig>,
    lanes: &[LaneConfig],
) {
    let Some(stop) = stop else { return };
    for lane in lanes {
        if let Some((found, allowed)) = slow_ramp(lane, stop.deadline) {
            let key = format!("lanes.{}.safe.deceleration", lane.name);
            let (because, fix) = SLOW_RAMP;
            keys.refuse(&key, found, allowed, because, fix);
        }
    }
}

/// Refuses a request to cut where it would fell a robot, could never come, or would reach a topic
/// that is somebody else's.
pub(super) fn refuse_cut(
    keys: &mut Keys<'_>,
    context: &Context,
    stop: Option<&StopConfig>,
    (lanes, feedback, kill_inputs): (&[LaneConfig], &[FeedbackConfig], &[KillInputConfig]),
) {
    let Some(topic) = stop.and_then(|stop| stop.cut_topic.as_deref()) else { return };
    if let Some(lane) = lanes.iter().find(|lane| lane.balance) {
        keys.refuse(
            "stop.escalation",
            format!("cut_request with the balance lane {:?}", lane.name),
            "report",
            "what balances always moves, and falls when its power is cut",
            "use report",
        );
    }
    let is_measured = |lane: &LaneConfig| lane.mode == LaneMode::Gate && lane.feedback.is_some();
    if !lanes.is_empty() && !lanes.iter().any(is_measured) {
        keys.refuse(
            "stop.escalation",
            "cut_request, and no gated lane has feedback",
            "report, or feedback of at least one lane",
            "without measured motion nothing could ever be requested",
            "add feedback, or use report",
        );
    }
    let absolute = |topic: &str| names::absolute(topic, &context.namespace, &context.node_name);
    let outputs =
        lanes.iter().map(|lane| (format!("lanes.{}.output", lane.name), lane.output.as_str()));
    let sources = lanes.iter().flat_map(|lane| {
        lane.sources.iter().map(|source| {
            (format!("lanes.{}.sources.{}.topic", lane.name, source.name), source.topic.as_str())
        })
    });
    let inputs = feedback
        .iter()
        .map(|one| (format!("feedback.{}.topic", one.name), one.topic.as_str()))
        .chain(
            kill_inputs
                .iter()
                .map(|one| (format!("kill_inputs.{}.topic", one.name), one.topic.as_str())),
        );
    let used = outputs.chain(sources).chain(inputs).find(|(_, of)| absolute(of) == absolute(topic));
    if let Some((used, _)) = used {
        keys.refuse(
            "stop.cut_topic",
            format!("{} is also {used}", absolute(topic)),
            "a topic of its own",
            "a request to cut must mean nothing else",
            "choose another topic",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{BASE, config, refused, with, with_top};

    #[test]
    fn when_nothing_is_written_expect_one_second_and_a_report() {
        let stop = config(BASE).stop;
        assert_eq!(stop, StopConfig { deadline: DEFAULT_DEADLINE, cut_topic: None });
    }

    #[test]
    fn when_a_cut_is_requested_expect_its_topic() {
        let keys = "stop: {deadline_s: 2, escalation: cut_request, cut_topic: cut}";
        let stop = config(&with_top(BASE, keys)).stop;
        assert_eq!(stop.deadline, Duration::from_secs(2));
        assert_eq!(stop.cut_topic.as_deref(), Some("cut"));
    }

    #[test]
    fn when_a_ramp_takes_longer_than_a_stop_may_expect_it_refused() {
        let ramp = |deceleration: &str| {
            let safe = format!("{{command: zero_velocity, deceleration: {deceleration}}}");
            with(BASE, "{command: zero_velocity}", &safe)
        };
        // From 0.5 to zero in a second.
        assert_eq!(config(&ramp("0.5")).lanes.len(), 1);
        assert_eq!(refused(&ramp("0.49")), ["lanes.base.safe.deceleration"]);
        let longer = with_top(&ramp("0.25"), "stop: {deadline_s: 2.0}");
        assert_eq!(config(&longer).lanes.len(), 1);
        // Backwards counts, too; what is locked does not move.
        let back =
            with(&ramp("0.5"), "{max_velocity: 0.5", "{min_velocity: -0.8, max_velocity: 0.5");
        assert_eq!(refused(&back), ["lanes.base.safe.deceleration"]);
    }
}
