//! One output as the graph lists it: who reads it, and who else writes it.

use std::sync::Arc;

use super::AuditedLane;
use super::controller::Reader;
use super::facts::LaneFacts;
use super::matching::{Offer, full_name, has_name, is_node, obstacle};
use super::namesakes::Namesakes;
use crate::ros::rcl::{
    EndpointInfo, Node, Publisher, RclError, publishers_info, subscriptions_info,
};

/// What was found about one output.
#[derive(Default)]
pub(super) struct Output {
    pub(super) facts: LaneFacts,
    /// Readers whose node has the controller's name.
    pub(super) controllers: Vec<Reader>,
    /// Readers whose node has no name yet: one may be the controller's.
    pub(super) nameless: usize,
    /// Who else writes it, in words; empty: as many as are expected.
    pub(super) foreign: String,
    /// Who reads it but gets nothing, and why.
    pub(super) readers: String,
    /// Who reads it and is not the controller.
    pub(super) others: String,
}

/// Looks at every endpoint of one output.
pub(super) fn look_at_output(
    node: &Arc<Node>,
    (own_name, namesakes): (&str, &mut Namesakes),
    lane: &AuditedLane,
    publisher: &Publisher,
) -> Result<Output, RclError> {
    let matched = publisher.subscription_count()?;
    let writers = publishers_info(node, publisher.topic())?;
    let readers = subscriptions_info(node, publisher.topic())?;
    let ours = Offer::ours(&lane.type_name, lane.reliability);
    let own = publisher.gid();
    let others: Vec<&EndpointInfo> = writers.iter().filter(|writer| writer.gid != own).collect();
    let foreign = u32::try_from(others.len()).unwrap_or(u32::MAX);
    let foreign = foreign.saturating_sub(lane.other_publishers);
    let mut unreadable = Vec::new();
    let mut controllers = Vec::new();
    let mut strangers = Vec::new();
    for reader in &readers {
        let obstacle = obstacle(ours, Offer::of(reader));
        let is_controller = lane.controller.as_deref().is_some_and(|name| is_node(name, reader));
        match obstacle {
            Some(why) => unreadable.push(format!("{} ({why})", full_name(reader))),
            None if is_controller => {
                controllers.push(Reader { node: full_name(reader), gid: reader.gid });
            }
            None => strangers.push(full_name(reader)),
        }
    }
    let nameless = if lane.controller.is_some() {
        readers.iter().filter(|reader| !has_name(reader)).count()
    } else {
        0
    };
    let same = others.iter().filter(|writer| full_name(writer) == own_name);
    namesakes.look(same.map(|writer| writer.gid));
    let name = |writer: &&EndpointInfo| {
        let name = full_name(writer);
        if name == own_name { format!("{name} ({})", namesakes.describe(writer.gid)) } else { name }
    };
    let names: Vec<String> = others.iter().map(name).collect();
    Ok(Output {
        facts: LaneFacts {
            subscribers: u32::try_from(matched).unwrap_or(u32::MAX),
            foreign_publishers: foreign,
            incompatible: u32::try_from(unreadable.len()).unwrap_or(u32::MAX),
            controller_reads: false,
            controller: 0,
            audit: 0,
        },
        controllers,
        nameless,
        foreign: if foreign > 0 { names.join(", ") } else { String::new() },
        readers: unreadable.join(", "),
        others: strangers.join(", "),
    })
}
