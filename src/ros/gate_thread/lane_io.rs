//! The wires of one lane: its sources' subscriptions, its codec, its output, its safe message.

use std::sync::Arc;

use crate::codec::CodecError;
use crate::codec::command::CommandCodec;
use crate::codec::safe::SafeMessage;
use crate::config::model::{LaneConfig, LaneMode, Reliability};
use crate::gate::command::Command;
use crate::gate::publisher::Gid;
use crate::gate::units::SteadyTime;
use crate::ros::graph::AllowedOutput;
use crate::ros::rcl::{self, Durability, Node, Publisher, Qos, RclError, Subscription, Waker};
use crate::ros::typesupport::LoadedMessage;

/// One command topic.
pub(super) struct SourceIo {
    pub(super) subscription: Subscription,
    pub(super) bit: Waker,
    pub(super) last_received: Option<SteadyTime>,
    /// The publishers of `allowed_nodes`; none where any may publish.
    pub(super) allowed: Option<AllowedOutput>,
}

impl SourceIo {
    /// Whether the publisher is one that may command here.
    pub(super) fn allows(&mut self, publisher: Option<Gid>) -> bool {
        self.allowed.as_mut().is_none_or(|allowed| allowed.read().contains(publisher))
    }
}

/// One lane.
pub(super) struct LaneIo {
    /// None for a lane that is only watched: it never publishes.
    pub(super) publisher: Option<Arc<Publisher>>,
    /// `~/self_test/<lane>`: what a kill would send, while the output itself stays silent.
    pub(super) echo: Option<Publisher>,
    pub(super) codec: CommandCodec,
    pub(super) command: Command,
    pub(super) safe: SafeMessage,
    pub(super) sources: Vec<SourceIo>,
    pub(super) last_output: Option<SteadyTime>,
}

/// What goes wrong when wires are made.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// rcl's own text.
    #[error(transparent)]
    Rcl(#[from] RclError),
    /// The message type does not fit its map.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// The topic's reliability in rcl's terms.
pub(super) const fn reliability(reliability: Reliability) -> rcl::Reliability {
    match reliability {
        Reliability::Reliable => rcl::Reliability::Reliable,
        Reliability::BestEffort => rcl::Reliability::BestEffort,
    }
}

/// Newest only, nothing from before: commands and feedback.
pub(super) const fn newest(reliability_: Reliability) -> Qos {
    Qos { reliability: reliability(reliability_), durability: Durability::Volatile, depth: 1 }
}

/// Every kill of a self test can be read, whatever the reader asks for.
const ECHO: Qos =
    Qos { reliability: rcl::Reliability::Reliable, durability: Durability::Volatile, depth: 64 };

impl LaneIo {
    /// Makes the lane's endpoints. `topics` are the sources' absolute names in the lane's order, `echo`
    /// the self test's; none for a lane that is only watched.
    pub(super) fn new(
        node: &Arc<Node>,
        lane: &LaneConfig,
        message: &LoadedMessage,
        (output, echo): (&str, Option<&str>),
        topics: &[String],
        bits: &[Waker],
        max_message_bytes: usize,
    ) -> Result<Self, WireError> {
        let support = message.support();
        let codec = CommandCodec::new(lane, message.message(), max_message_bytes)?;
        let safe = SafeMessage::new(lane, message.message(), codec.clone(), max_message_bytes)?;
        let publisher = match lane.mode {
            LaneMode::Gate => {
                let qos = newest(lane.reliability);
                Some(Arc::new(Publisher::new(node, support, output, qos)?))
            }
            LaneMode::Watch => None,
        };
        let echo = echo.map(|topic| Publisher::new(node, support, topic, ECHO)).transpose()?;
        let mut sources = Vec::with_capacity(lane.sources.len());
        for ((source, topic), bit) in lane.sources.iter().zip(topics).zip(bits) {
            let mut subscription =
                Subscription::new(node, support, topic, newest(source.reliability))?;
            subscription.on_new_message(bit.clone())?;
            sources.push(SourceIo {
                subscription,
                bit: bit.clone(),
                last_received: None,
                allowed: None,
            });
        }
        let command = codec.new_command();
        Ok(Self { publisher, echo, codec, command, safe, sources, last_output: None })
    }
}
