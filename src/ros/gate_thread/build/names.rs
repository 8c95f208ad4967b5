//! The absolute names of every topic and service of the gate, with remaps followed.

use std::sync::Arc;

use super::{BuildError, NODE_NAME};
use crate::config::model::{Config, LaneMode};
use crate::config::remap::brought_together;
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
