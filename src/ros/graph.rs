//! What the graph says of our outputs, handed from the control thread to the gate thread.
//!
//! Listing endpoints allocates and takes the middleware's locks, so the control thread does it and
//! leaves two numbers a lane; the gate thread reads them at its tick.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::rcl::{Node, Publisher, RclError, subscriptions_info};

/// The facts of one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneFacts {
    /// Matched readers of the output.
    pub subscribers: u32,
    /// The named controller is among the readers; true where none is named and somebody reads.
    pub controller_reads: bool,
}

/// The facts of every lane.
#[derive(Debug, Default)]
pub struct GraphFacts {
    lanes: Box<[AtomicU64]>,
}

const CONTROLLER: u64 = 1 << 32;
const LOOKED: u64 = 1 << 33;

impl GraphFacts {
    /// Nobody reads anything yet.
    #[must_use]
    pub fn new(lanes: usize) -> Arc<Self> {
        Arc::new(Self { lanes: (0..lanes).map(|_| AtomicU64::new(0)).collect() })
    }

    /// The lanes' facts in order; `None` before the first look.
    ///
    /// # Ordering
    /// Relaxed, like the store: one word a lane, nothing else depends on it.
    pub fn lanes(&self) -> impl Iterator<Item = Option<LaneFacts>> + '_ {
        self.lanes.iter().map(|word| {
            let word = word.load(Ordering::Relaxed);
            let facts = LaneFacts {
                subscribers: u32::try_from(word & u64::from(u32::MAX)).unwrap_or(u32::MAX),
                controller_reads: word & CONTROLLER != 0,
            };
            (word & LOOKED != 0).then_some(facts)
        })
    }

    fn set(&self, lane: usize, facts: LaneFacts) {
        if let Some(word) = self.lanes.get(lane) {
            let reads = if facts.controller_reads { CONTROLLER } else { 0 };
            word.store(u64::from(facts.subscribers) | reads | LOOKED, Ordering::Relaxed);
        }
    }
}

/// Looks at every output.
pub struct GraphAudit {
    node: Arc<Node>,
    outputs: Vec<(Arc<Publisher>, Option<String>)>,
    facts: Arc<GraphFacts>,
}

impl GraphAudit {
    /// `outputs` are the lanes' publishers and their controllers' node names.
    #[must_use]
    pub fn new(
        node: Arc<Node>,
        outputs: Vec<(Arc<Publisher>, Option<String>)>,
        facts: Arc<GraphFacts>,
    ) -> Self {
        Self { node, outputs, facts }
    }

    /// One look. A lane whose graph cannot be read has no reader.
    ///
    /// # Errors
    /// The first of rcl's, after every lane was looked at.
    pub fn look(&self) -> Result<(), RclError> {
        let mut first = Ok(());
        for (lane, (publisher, controller)) in self.outputs.iter().enumerate() {
            let facts = self.facts_of(publisher, controller.as_deref());
            self.facts.set(lane, *facts.as_ref().unwrap_or(&LaneFacts::default()));
            if let (Ok(()), Err(error)) = (&first, facts) {
                first = Err(error);
            }
        }
        first
    }

    fn facts_of(
        &self,
        publisher: &Publisher,
        controller: Option<&str>,
    ) -> Result<LaneFacts, RclError> {
        let subscribers = u32::try_from(publisher.subscription_count()?).unwrap_or(u32::MAX);
        let controller_reads = match controller {
            None => subscribers > 0,
            Some(name) => subscriptions_info(&self.node, publisher.topic())?
                .iter()
                .any(|reader| is_node(name, &reader.node_namespace, &reader.node_name)),
        };
        Ok(LaneFacts { subscribers, controller_reads })
    }
}

/// Whether a node is the one that is meant: by its name, or by namespace and name.
fn is_node(wanted: &str, namespace: &str, name: &str) -> bool {
    if wanted.starts_with('/') {
        let full = format!("{}/{name}", namespace.trim_end_matches('/'));
        wanted == full
    } else {
        wanted == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_controller_is_named_expect_its_full_or_short_name_to_match() {
        assert!(is_node("arms", "/", "arms"));
        assert!(is_node("arms", "/left", "arms"));
        assert!(is_node("/left/arms", "/left", "arms"));
        assert!(is_node("/arms", "/", "arms"));
        assert!(!is_node("/arms", "/left", "arms"));
        assert!(!is_node("arms", "/", "arms_recorder"));
    }

    #[test]
    fn when_facts_are_set_expect_them_read_back() {
        let facts = GraphFacts::new(2);
        let some = LaneFacts { subscribers: 3, controller_reads: true };
        facts.set(1, some);
        facts.set(9, some);
        assert_eq!(facts.lanes().collect::<Vec<_>>(), [None, Some(some)]);
    }
}
