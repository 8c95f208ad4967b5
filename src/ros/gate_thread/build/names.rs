//! The absolute names of every topic and service of the gate, with remaps followed.

use std::sync::Arc;

use super::{BuildError, NODE_NAME};
use crate::config::model::{Config, LaneMode};
use crate::ros::rcl::{Context, NameKind, ResolvedNames, resolve_names};

/// Absolute names, taken in the order they were asked for.
pub(super) struct Names(std::vec::IntoIter<String>);

impl Names {
    pub(super) fn new(resolved: &ResolvedNames) -> Self {
        Self(resolved.names.clone().into_iter())
    }

    pub(super) fn next(&mut self) -> String {
        self.0.next().unwrap_or_default()
    }
}

/// Every name that the gate uses, in the order in which [`Names`] are taken; no topic has two uses.
pub(super) fn resolve(
    context: &Arc<Context>,
    config: &Config,
) -> Result<ResolvedNames, BuildError> {
    let echoes = config.lanes.iter().map(|lane| format!("~/self_test/{}", lane.name));
    let echoes: Vec<String> = echoes.collect();
    let mut names = vec![(NameKind::Service, "~/kill"), (NameKind::Topic, "~/permit")];
    names.extend(config.kill_inputs.iter().map(|input| (NameKind::Topic, input.topic.as_str())));
    names.extend(config.feedback.iter().map(|input| (NameKind::Topic, input.topic.as_str())));
    for (lane, echo) in config.lanes.iter().zip(&echoes) {
        names.push((NameKind::Topic, lane.output.as_str()));
        if lane.mode == LaneMode::Gate {
            names.push((NameKind::Topic, echo.as_str()));
        }
        let topics = lane.sources.iter().map(|source| (NameKind::Topic, source.topic.as_str()));
        names.extend(topics);
    }
    names.extend(config.other_paths.iter().map(|path| (NameKind::Topic, path.as_str())));
    names.extend(config.stop.cut_topic.iter().map(|topic| (NameKind::Topic, topic.as_str())));
    let resolved = resolve_names(context, NODE_NAME, &names)?;
    let absolute = |topic: &str| {
        let mut all = names.iter().zip(&resolved.names);
        all.find(|((_, name), _)| *name == topic).map_or_else(String::new, |(_, full)| full.clone())
    };
    match brought_together(config, absolute) {
        Some((one, other, topic)) => Err(BuildError::Remapped { one, other, topic }),
        None => Ok(resolved),
    }
}

/// Two uses of one topic that remapping has brought together, the topic last: commands that come back
/// from an output, two lanes on one controller, or one source on two lanes. Without remapping the
/// configuration itself would have been refused. `resolved` gives the absolute name of a written one.
fn brought_together(
    config: &Config,
    resolved: impl Fn(&str) -> String,
) -> Option<(String, String, String)> {
    let gated = || config.lanes.iter().filter(|lane| lane.mode == LaneMode::Gate);
    let outputs = gated().map(|lane| (format!("lanes.{}.output", lane.name), &lane.output));
    let commands = gated().flat_map(|lane| {
        let key = |source: &str| format!("lanes.{}.sources.{source}.topic", lane.name);
        lane.sources.iter().map(move |source| (key(&source.name), &source.topic))
    });
    let kills = config.kill_inputs.iter();
    let kills = kills.map(|input| (format!("kill_inputs.{}.topic", input.name), &input.topic));
    let feedback = config.feedback.iter();
    let feedback = feedback.map(|input| (format!("feedback.{}.topic", input.name), &input.topic));
    let inputs = kills.chain(feedback);
    let named = |(key, topic): (String, &String)| (key, resolved(topic));
    let outputs: Vec<(String, String)> = outputs.map(named).collect();
    let commands: Vec<(String, String)> = commands.map(named).collect();
    let inputs: Vec<(String, String)> = inputs.map(named).collect();
    let pair = |one: &[(String, String)], other: &[(String, String)]| {
        one.iter().find_map(|(first, topic)| {
            let same = other.iter().find(|(second, name)| name == topic && second != first);
            same.map(|(second, _)| (first.clone(), second.clone(), topic.clone()))
        })
    };
    pair(&outputs, &outputs)
        .or_else(|| pair(&outputs, &commands))
        .or_else(|| pair(&outputs, &inputs))
        .or_else(|| pair(&commands, &commands))
        .or_else(|| pair(&commands, &inputs))
}
