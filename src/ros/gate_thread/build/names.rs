//! The absolute names of every topic and service of the gate, with remaps followed.

use std::sync::Arc;

use super::NODE_NAME;
use crate::config::model::{Config, LaneMode};
use crate::ros::rcl::{Context, NameKind, RclError, ResolvedNames, resolve_names};

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

/// Every name that the gate uses, in the order in which [`Names`] are taken.
pub(super) fn resolve(context: &Arc<Context>, config: &Config) -> Result<ResolvedNames, RclError> {
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
    resolve_names(context, NODE_NAME, &names)
}

/// Two uses of one topic that remapping has brought together, the topic last: commands that come back
/// from an output, two lanes on one controller, or one source on two lanes. Without remapping the
/// configuration itself would have been refused.
pub(super) fn brought_together(
    config: &Config,
    resolved: &ResolvedNames,
) -> Option<(String, String, String)> {
    // The service and the permit come first.
    let mut names = resolved.names.iter().skip(2);
    let mut outputs: Vec<(String, &String)> = Vec::new();
    let mut commands: Vec<(String, &String)> = Vec::new();
    let mut inputs: Vec<(String, &String)> = Vec::new();
    for input in &config.kill_inputs {
        inputs.push((format!("kill_inputs.{}.topic", input.name), names.next()?));
    }
    for input in &config.feedback {
        inputs.push((format!("feedback.{}.topic", input.name), names.next()?));
    }
    for lane in &config.lanes {
        let output = names.next()?;
        let gated = lane.mode == LaneMode::Gate;
        if gated {
            outputs.push((format!("lanes.{}.output", lane.name), output));
            let _echo = names.next()?;
        }
        for source in &lane.sources {
            let topic = names.next()?;
            if gated {
                let key = format!("lanes.{}.sources.{}.topic", lane.name, source.name);
                commands.push((key, topic));
            }
        }
    }
    let pair = |one: &[(String, &String)], other: &[(String, &String)]| {
        one.iter().find_map(|(first, topic)| {
            let same = other.iter().find(|(second, name)| name == topic && second != first);
            same.map(|(second, _)| (first.clone(), second.clone(), (*topic).clone()))
        })
    };
    pair(&outputs, &outputs)
        .or_else(|| pair(&outputs, &commands))
        .or_else(|| pair(&outputs, &inputs))
        .or_else(|| pair(&commands, &commands))
        .or_else(|| pair(&commands, &inputs))
}
