//! `stop.*`: how long motion may take to end after a trip, and what then.

use std::time::Duration;

use super::keys::Keys;
use super::model::{FeedbackConfig, KillInputConfig, LaneConfig, LaneMode, StopConfig};
use super::names;
use super::range::Range;
use super::reader::Context;

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
    use crate::config::tests::{BASE, config, with_top};

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
}
