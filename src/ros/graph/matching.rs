//! Whether a writer and a reader understand each other, and who is who: text and policies of peers.

use crate::ros::rcl::{Durability, EndpointInfo, Reliability, Reported};

/// One side of a connection: ours, or as a peer announces it.
#[derive(Clone, Copy, Debug)]
pub(in crate::ros) struct Offer<'a> {
    pub(in crate::ros) type_name: &'a str,
    pub(in crate::ros) reliability: Reported<Reliability>,
    pub(in crate::ros) durability: Reported<Durability>,
    pub(in crate::ros) deadline: Option<std::time::Duration>,
}

impl<'a> Offer<'a> {
    /// Of ours: volatile, without a deadline.
    pub(in crate::ros) const fn ours(type_name: &'a str, reliability: Reliability) -> Self {
        Self {
            type_name,
            reliability: Reported::Known(reliability),
            durability: Reported::Known(Durability::Volatile),
            deadline: None,
        }
    }

    pub(in crate::ros) fn of(info: &'a EndpointInfo) -> Self {
        Self {
            type_name: &info.topic_type,
            reliability: info.qos.reliability,
            durability: info.qos.durability,
            deadline: info.qos.deadline,
        }
    }
}

/// Why nothing flows from a writer to a reader; `None`: it does, as far as discovery tells.
pub(in crate::ros) fn obstacle(writer: Offer<'_>, reader: Offer<'_>) -> Option<String> {
    if writer.type_name != reader.type_name {
        return Some(format!("writes {}, read as {}", writer.type_name, reader.type_name));
    }
    let best_effort = Reported::Known(Reliability::BestEffort);
    if writer.reliability == best_effort
        && reader.reliability == Reported::Known(Reliability::Reliable)
    {
        return Some("writes best effort, read reliably".to_owned());
    }
    if writer.durability == Reported::Known(Durability::Volatile)
        && reader.durability == Reported::Known(Durability::TransientLocal)
    {
        return Some("writes volatile, read transient local".to_owned());
    }
    match (writer.deadline, reader.deadline) {
        (_, None) => None,
        (Some(offered), Some(asked)) if offered <= asked => None,
        (Some(_) | None, Some(asked)) => Some(format!("read with a deadline of {asked:?}")),
    }
}

/// What the middleware calls a node of which it knows an endpoint and not yet the name.
const UNNAMED: &str = "_NODE_NAME_UNKNOWN_";

/// Whether its node's name is known by now.
pub(super) fn has_name(info: &EndpointInfo) -> bool {
    info.node_name != UNNAMED
}

/// A node's full name, for people.
pub(in crate::ros) fn full_name(info: &EndpointInfo) -> String {
    if !has_name(info) {
        return "a node whose name is not known yet".to_owned();
    }
    format!("{}/{}", info.node_namespace.trim_end_matches('/'), info.node_name)
}

/// Whether a node is the one that is meant: by its name, or by namespace and name.
pub(super) fn is_node(wanted: &str, info: &EndpointInfo) -> bool {
    if wanted.starts_with('/') { wanted == full_name(info) } else { wanted == info.node_name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ros::rcl::ReportedQos;

    fn info(namespace: &str, name: &str) -> EndpointInfo {
        EndpointInfo {
            node_name: name.to_owned(),
            node_namespace: namespace.to_owned(),
            topic_type: "a/msg/B".to_owned(),
            gid: [0; 16],
            qos: ReportedQos {
                reliability: Reported::Known(Reliability::Reliable),
                durability: Reported::Known(Durability::Volatile),
                depth: 1,
                deadline: None,
            },
        }
    }

    #[test]
    fn when_a_node_has_no_name_yet_expect_words_and_no_node_that_is_meant() {
        let unnamed = info("_NODE_NAMESPACE_UNKNOWN_", UNNAMED);
        assert_eq!(full_name(&unnamed), "a node whose name is not known yet");
        assert!(!has_name(&unnamed) && has_name(&info("/", "controller")));
        assert!(!is_node("/controller", &unnamed) && !is_node("controller", &unnamed));
        assert_eq!(full_name(&info("/", "controller")), "/controller");
    }

    #[test]
    fn when_a_controller_is_named_expect_its_full_or_short_name_to_match() {
        assert!(is_node("arms", &info("/", "arms")));
        assert!(is_node("arms", &info("/left", "arms")));
        assert!(is_node("/left/arms", &info("/left", "arms")));
        assert!(is_node("/arms", &info("/", "arms")));
        assert!(!is_node("/arms", &info("/left", "arms")));
        assert!(!is_node("arms", &info("/", "arms_recorder")));
    }

    #[test]
    fn when_type_or_quality_do_not_fit_expect_the_reason() {
        let ours = Offer::ours("a/msg/B", Reliability::BestEffort);
        let theirs = info("/", "controller");
        assert_eq!(
            obstacle(ours, Offer::of(&theirs)).as_deref(),
            Some("writes best effort, read reliably")
        );
        let ours = Offer::ours("a/msg/B", Reliability::Reliable);
        assert_eq!(obstacle(ours, Offer::of(&theirs)), None);
        let other = Offer { type_name: "a/msg/C", ..ours };
        assert!(obstacle(other, Offer::of(&theirs)).is_some());
        let latched = Offer { durability: Reported::Known(Durability::TransientLocal), ..ours };
        assert!(obstacle(ours, latched).is_some());
        assert!(obstacle(latched, ours).is_none());
        let strict = Offer { deadline: Some(std::time::Duration::from_millis(5)), ..ours };
        assert!(obstacle(ours, strict).is_some());
        assert!(obstacle(strict, strict).is_none());
        // What we do not know is not held against anybody.
        let odd = Offer { reliability: Reported::Other(7), ..ours };
        assert!(obstacle(odd, ours).is_none());
    }
}
