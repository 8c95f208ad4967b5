//! A feedback that comes and cannot be used: by which lane, and which of its joints it lacks.
//!
//! The gate only knows that there is no sample; a driver that leaves out one joint is no dead driver,
//! and who looks for it needs the joint's name.

use super::slots::{FeedbackSlots, Level, Slots};
use crate::config::model::{Config, FeedbackConfig};
use crate::gate::units::SteadyTime;

/// What each feedback lacks; empty: nothing, or it is silent.
#[must_use]
pub fn lacks(config: &Config, slots: &Slots, now: SteadyTime) -> Vec<String> {
    let all = config.feedback.iter().zip(&slots.feedback);
    all.map(|(feedback, slots)| lack(config, feedback, slots, now).unwrap_or_default()).collect()
}

/// `None`: no unusable message within the timeout.
fn lack(
    config: &Config,
    feedback: &FeedbackConfig,
    slots: &FeedbackSlots,
    now: SteadyTime,
) -> Option<String> {
    let at = SteadyTime::from_nanos(slots.unusable_at.get()?);
    if now.since(at) > feedback.timeout {
        return None;
    }
    if let Some(bytes) = slots.too_large.get() {
        let most = config.max_message_bytes;
        return Some(format!("has {bytes} bytes, over max_message_bytes ({most})"));
    }
    let index = |of: Option<u64>| of.and_then(|of| usize::try_from(of).ok());
    let lane = index(slots.unusable_lane.get()).and_then(|lane| config.lanes.get(lane));
    let Some(lane) = lane else { return Some("no message of it can be read".to_owned()) };
    let joint = |of: &Level| index(of.get()).and_then(|joint| lane.dimensions.get(joint));
    Some(match (joint(&slots.missing_joint), joint(&slots.not_finite_joint)) {
        (Some(joint), _) => format!("joint '{joint}' of lane '{}' is missing", lane.name),
        (None, Some(joint)) => {
            format!("a value of joint '{joint}' of lane '{}' is NaN or infinite", lane.name)
        }
        (None, None) => format!("lane '{}' can use none of its messages", lane.name),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::fixture;
    use crate::telemetry::slots::Unusable;

    #[test]
    fn when_a_message_lacks_a_joint_expect_its_name_for_as_long_as_it_would_be_fresh() {
        let (config, slots) = (fixture::config(), fixture::slots());
        let at = SteadyTime::from_nanos(1_000_000_000);
        assert_eq!(lacks(&config, &slots, at), [""]);
        let feedback = &slots.feedback[0];
        let elbow = Unusable { lane: Some(1), missing: Some(1), ..Unusable::default() };
        feedback.unusable(at, elbow);
        let missing = "joint 'right_elbow' of lane 'arms' is missing";
        let timeout = config.feedback[0].timeout;
        assert_eq!(lacks(&config, &slots, at.after(timeout)), [missing]);
        let later = at.after(timeout).after(Duration::from_nanos(1));
        assert_eq!(lacks(&config, &slots, later), [""], "silent, and that is told");
        feedback.unusable(at, Unusable { missing: None, not_finite: Some(1), ..elbow });
        let nan = "a value of joint 'right_elbow' of lane 'arms' is NaN or infinite";
        assert_eq!(lacks(&config, &slots, at), [nan]);
        feedback.unusable(at, Unusable { lane: Some(1), ..Unusable::default() });
        assert_eq!(lacks(&config, &slots, at), ["lane 'arms' can use none of its messages"]);
        let most = config.max_message_bytes;
        feedback.unusable(at, Unusable { too_large: Some(70_000), ..elbow });
        let large = format!("has 70000 bytes, over max_message_bytes ({most})");
        assert_eq!(lacks(&config, &slots, at), [large]);
        feedback.unusable(at, Unusable::default());
        assert_eq!(lacks(&config, &slots, at), ["no message of it can be read"]);
    }
}
