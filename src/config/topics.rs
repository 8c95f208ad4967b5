//! Topics that must not be the same: checked over all lanes and inputs, after namespaces.
//!
//! A lane that watches publishes nothing: it may tap the very topic that it is to gate later, and a
//! source of another lane.
//!
//! Remapping can still bring two together; the node checks the resolved names again.

use std::collections::BTreeMap;

use super::keys::Keys;
use super::model::{FeedbackConfig, KillInputConfig, LaneConfig, LaneMode};
use super::names;
use super::reader::Context;

/// Refuses a topic that would feed a gate its own output, or one command to two places.
pub(super) fn refuse_collisions(
    keys: &mut Keys<'_>,
    context: &Context,
    lanes: &[LaneConfig],
    feedback: &[FeedbackConfig],
    kill_inputs: &[KillInputConfig],
) {
    let absolute = |topic: &str| names::absolute(topic, &context.namespace, &context.node_name);
    let mut outputs: BTreeMap<String, String> = BTreeMap::new();
    let gated = || lanes.iter().filter(|lane| lane.mode == LaneMode::Gate);
    for lane in gated() {
        let key = format!("lanes.{}.output", lane.name);
        let topic = absolute(&lane.output);
        if let Some(other) = outputs.get(&topic) {
            keys.refuse(
                &key,
                format!("{topic} is also {other}"),
                "one lane for each output",
                "two lanes would send two commands to one controller",
                "give them different outputs, or make one lane of them",
            );
        }
        outputs.insert(topic, key);
    }
    let mut inputs: BTreeMap<String, Vec<Use<'_>>> = BTreeMap::new();
    let sources = gated().flat_map(|lane| {
        lane.sources.iter().map(|source| Use {
            key: format!("lanes.{}.sources.{}.topic", lane.name, source.name),
            topic: source.topic.as_str(),
            kill_input: None,
        })
    });
    let feedback = feedback.iter().map(|one| Use {
        key: format!("feedback.{}.topic", one.name),
        topic: one.topic.as_str(),
        kill_input: None,
    });
    let kill_inputs = kill_inputs.iter().map(|one| Use {
        key: format!("kill_inputs.{}.topic", one.name),
        topic: one.topic.as_str(),
        kill_input: Some(one),
    });
    for one in sources.chain(feedback).chain(kill_inputs) {
        let topic = absolute(one.topic);
        if let Some(output) = outputs.get(&topic) {
            keys.refuse(
                &one.key,
                format!("{topic} is also {output}"),
                "a topic that no lane publishes",
                "the gate would take its own output for somebody's command",
                "move the producers to another topic, for example with SetRemap",
            );
        }
        let before = inputs.entry(topic.clone()).or_default();
        if let Some(other) = before.iter().find(|other| !one.may_share(other)) {
            keys.refuse(
                &one.key,
                format!("{topic} is also {}", other.key),
                if one.kill_input.and(other.kill_input).is_some() {
                    "one use for each topic, or kill inputs of one type with different fields"
                } else {
                    "one use for each topic"
                },
                "one message would count twice",
                "give them different topics",
            );
        }
        before.push(one);
    }
}

/// One reader of a topic.
struct Use<'c> {
    key: String,
    topic: &'c str,
    kill_input: Option<&'c KillInputConfig>,
}

impl Use<'_> {
    /// Two buttons of one console: each kill input has readers of its own, and what one asserts says
    /// nothing of the other. Of one type, because a topic has only one.
    fn may_share(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (self.kill_input, other.kill_input) else { return false };
        let (Some(asserts), Some(others)) = (&one.asserts, &other.asserts) else { return false };
        one.type_name == other.type_name && asserts.field != others.field
    }
}

/// Refuses a path that the lanes use themselves: it would be found in use for ever.
pub(super) fn refuse_other_paths(
    keys: &mut Keys<'_>,
    context: &Context,
    lanes: &[LaneConfig],
    paths: &[String],
) {
    let absolute = |topic: &str| names::absolute(topic, &context.namespace, &context.node_name);
    for path in paths {
        let used = lanes.iter().find_map(|lane| {
            let source = lane.sources.iter().find(|one| absolute(&one.topic) == absolute(path));
            let is_output = absolute(&lane.output) == absolute(path);
            source
                .map(|source| format!("lanes.{}.sources.{}.topic", lane.name, source.name))
                .or_else(|| is_output.then(|| format!("lanes.{}.output", lane.name)))
        });
        if let Some(used) = used {
            keys.refuse(
                "other_paths",
                format!("{path:?} is also {used}"),
                "a path past the gate",
                "a topic of the gate itself always has a publisher",
                "remove it: the gate audits its own topics anyway",
            );
        }
    }
}
