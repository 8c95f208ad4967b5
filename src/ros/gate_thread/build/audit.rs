//! What the audit of the graph is told of the wires: topics, types, who may publish.

use crate::config::model::{Config, LaneConfig};
use crate::gate::kill_input::Identifiers;
use crate::ros::gate_thread::lane_io::{LaneIo, reliability};
use crate::ros::gate_thread::{FeedbackIo, KillInputIo};
use crate::ros::graph::{AuditedInput, AuditedLane, ListedInput, ReadTopic, allowed_table};
use crate::ros::rcl;

/// A lane as the audit sees it, and the tables between the two.
pub(super) fn lane(config: &LaneConfig, wires: &mut LaneIo, topics: Vec<String>) -> AuditedLane {
    let sources = config.sources.iter().zip(&mut wires.sources).zip(topics);
    let sources = sources.map(|((source, io), topic)| {
        let mut allowed = None;
        if !source.allowed_nodes.is_empty() {
            let (input, output) = allowed_table();
            io.allowed = Some(output);
            allowed = Some(input);
        }
        ReadTopic {
            topic,
            type_name: config.type_name.clone(),
            reliability: reliability(source.reliability),
            allowed_nodes: source.allowed_nodes.clone(),
            allowed,
        }
    });
    AuditedLane {
        type_name: config.type_name.clone(),
        reliability: reliability(config.reliability),
        controller: config.controller.clone(),
        other_publishers: config.other_publishers,
        sources: sources.collect(),
        publisher: wires.publisher.clone(),
    }
}

/// The kill inputs, with the tables of who is on the graph.
pub(super) fn kill_inputs(
    config: &Config,
    wires: &[KillInputIo],
    lists: Vec<ListedInput>,
) -> Vec<AuditedInput> {
    let inputs = wires.iter().zip(&config.kill_inputs).zip(lists);
    let audited = inputs.map(|((io, input), listed)| {
        let [reader, ..] = &io.readers;
        // One of the three readers matches whatever quality is offered.
        let any = rcl::Reliability::BestEffort;
        AuditedInput { topic: read_topic(reader.topic(), &input.type_name, any), listed }
    });
    audited.collect()
}

/// The feedback topics.
pub(super) fn feedback(config: &Config, wires: &[FeedbackIo]) -> Vec<ReadTopic> {
    let feedback = wires.iter().zip(&config.feedback);
    let audited = feedback.map(|(io, feedback)| {
        let reliability = reliability(feedback.reliability);
        read_topic(io.subscription.topic(), &feedback.type_name, reliability)
    });
    audited.collect()
}

/// A topic that anybody may publish on.
fn read_topic(topic: &str, type_name: &str, reliability: rcl::Reliability) -> ReadTopic {
    ReadTopic {
        topic: topic.to_owned(),
        type_name: type_name.to_owned(),
        reliability,
        allowed_nodes: Vec::new(),
        allowed: None,
    }
}

/// Of Fast DDS it is known that a publisher has the same identifier with its messages and on the graph.
pub(super) fn identifiers(rmw: &str) -> Identifiers {
    if rmw.starts_with("rmw_fastrtps") { Identifiers::Same } else { Identifiers::Unknown }
}
