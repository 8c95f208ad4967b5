//! Thread `monitor`: topics of others, counted and timed for telemetry, never acted on.
//!
//! Any installed type, taken serialized with its message info on subscriptions of our own. The thread
//! is woken by rcl's callbacks; after a turn with work it rests for [`REST`] before it looks again, so
//! that ten thousand messages a second cost some hundred turns. When a message came is the
//! middleware's own time of receipt, which that rest does not change. (An rmw that sets it at the
//! take, as Cyclone does, makes transport and intervals up to [`REST`] longer.)
//!
//! It has a context, and so a participant, of its own: what it reads comes in on threads of the
//! middleware that carry no command, and a point cloud does not stand before a kill. Its node is
//! called like the gate's, with `_monitor` at the end.
//!
//! It also reads temperatures and batteries ([`sensors`]), whose derating and trips the gate thread
//! looks up in [`SensorFacts`].
//!
//! **Invariant:** nothing here makes the gate thread wait: no lock, no queue, no memory in common but
//! atomics.
//! **Invariant:** types are loaded and subscriptions made and dropped on this thread alone.

mod bits;
mod offers;
mod patterns;
mod publishers;
mod sensors;
mod stamps;
mod topic;
mod topics;
mod window;

use std::sync::Arc;
use std::time::Duration;

pub use self::bits::Bits;
use self::sensors::Sensors;
use self::topics::{Excluded, Topics};
use super::rcl::{Context, NameKind, Node, NodeOptions, RclError, resolve_names};
use super::sensor_facts::SensorFacts;
use super::typesupport::TypeSupportError;
use crate::clock;
use crate::codec::CodecError;
use crate::config::model::Config;
use crate::gate::units::SteadyTime;
use crate::kill_switch::KillSwitch;
use crate::telemetry::slots::{Slots, ThreadName};

/// The base of the node's name, as everywhere.
const NODE_NAME: &str = "interlock";
/// After work, before the next look.
const REST: Duration = Duration::from_millis(2);
/// Without work: open gaps and the end of the process are looked at this often.
const PARK: Duration = Duration::from_millis(100);

/// Why the thread cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// rcl's own text.
    #[error(transparent)]
    Rcl(#[from] RclError),
    /// A message type is not installed or not usable.
    #[error("{subject}: {error}")]
    Type {
        /// Temperature or battery.
        subject: String,
        /// What is wrong.
        error: Box<TypeSupportError>,
    },
    /// A message type does not have what the params file names.
    #[error("{subject}: {error}")]
    Codec {
        /// Temperature or battery.
        subject: String,
        /// What is wrong.
        error: Box<CodecError>,
    },
}

impl MonitorError {
    fn codec(subject: &str, error: CodecError) -> Self {
        Self::Codec { subject: subject.to_owned(), error: Box::new(error) }
    }

    /// Whether the params file asks for what cannot be, so that a second start would not help.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        match self {
            Self::Type { .. } | Self::Codec { .. } => true,
            Self::Rcl(_) => false,
        }
    }
}

/// The thread's whole state.
pub struct MonitorThread {
    topics: Topics,
    sensors: Sensors,
    bits: Bits,
    slots: Arc<Slots>,
    switch: Arc<KillSwitch>,
    facts: Arc<SensorFacts>,
    refreshed: SteadyTime,
}

impl MonitorThread {
    /// Makes the node; `None` where there is nothing to watch. `args` are the process's own, for the
    /// rules that hold for our names.
    ///
    /// # Errors
    /// [`MonitorError`], in words for the person who starts the node.
    pub fn new(
        config: &Config,
        args: &[String],
        slots: Arc<Slots>,
        facts: Arc<SensorFacts>,
        switch: Arc<KillSwitch>,
    ) -> Result<Option<Self>, MonitorError> {
        let sensors = sensors::count(config);
        if config.monitor.is_empty() && sensors == 0 {
            return Ok(None);
        }
        let context = Context::new(args)?;
        let own = own_topics(config);
        let named = config.monitor.topics.iter().map(|topic| topic.topic.as_str());
        let asked = own.iter().map(String::as_str).chain(sensors::topics(config)).chain(named);
        let asked: Vec<(NameKind, &str)> = asked.map(|name| (NameKind::Topic, name)).collect();
        let mut resolved = resolve_names(&context, NODE_NAME, &asked)?;
        let mut read = resolved.names.split_off(own.len());
        let named = read.split_off(sensors);
        let below = format!("{}/", resolved.fully_qualified_name);
        let excluded = Excluded { names: resolved.names.into_iter().collect(), below };
        let name = format!("{}_monitor", resolved.node_name);
        let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
        let node = Node::new(&context, &name, &resolved.namespace, options)?;
        let now = clock::steady();
        let mut bits = Bits::new(slots.topics.capacity().saturating_add(sensors));
        let shared = (slots.clone(), facts.clone());
        let sensors = Sensors::new(node.clone(), config, read, shared, &mut bits, now)?;
        let config = config.monitor.clone();
        let topics = Topics::new(node, (config, named), excluded, slots.clone(), &mut bits, now)?;
        Ok(Some(Self { topics, sensors, bits, slots, switch, facts, refreshed: now }))
    }

    /// Runs until shutdown.
    pub fn run(mut self) {
        if !self.bits.bind() {
            return;
        }
        self.slots.threads.at(ThreadName::Monitor).enter();
        while !self.switch.is_shutting_down() {
            let works = self.bits.collect();
            let now = clock::now();
            self.sensors.turn(&mut self.bits, now);
            self.topics.turn(&mut self.bits, now);
            if now.steady.since(self.refreshed) >= PARK {
                self.refreshed = now.steady;
                self.facts.look();
                self.sensors.refresh(now.steady);
                self.topics.refresh(now.steady);
            }
            if works {
                // Asleep, not parked: a waker then costs no system call.
                std::thread::sleep(REST);
            } else {
                std::thread::park_timeout(PARK);
            }
        }
    }
}

/// What the gate writes or takes commands from, and what this process tells.
fn own_topics(config: &Config) -> Vec<String> {
    let own = ["~/state", "~/permit", "~/decisions", "/diagnostics"].map(str::to_owned);
    let lanes = config.lanes.iter();
    let of_lanes = lanes.flat_map(|lane| {
        let sources = lane.sources.iter().map(|source| source.topic.clone());
        sources.chain([lane.output.clone()])
    });
    own.into_iter().chain(of_lanes).collect()
}
