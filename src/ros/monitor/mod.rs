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
//! **Invariant:** nothing here reaches the gate thread: no lock, no queue, no memory in common but
//! atomics that the gate does not look at.
//! **Invariant:** types are loaded and subscriptions made and dropped on this thread alone.

mod bits;
mod offers;
mod patterns;
mod publishers;
mod stamps;
mod topic;
mod topics;
mod window;

use std::sync::Arc;
use std::time::Duration;

pub use self::bits::Bits;
use self::topics::{Excluded, Topics};
use super::rcl::{Context, NameKind, Node, NodeOptions, RclError, resolve_names};
use crate::clock;
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

/// The thread's whole state.
pub struct MonitorThread {
    topics: Topics,
    bits: Bits,
    slots: Arc<Slots>,
    switch: Arc<KillSwitch>,
    refreshed: SteadyTime,
}

impl MonitorThread {
    /// Makes the node; `None` where there is nothing to watch. `args` are the process's own, for the
    /// rules that hold for our names.
    ///
    /// # Errors
    /// rcl's text.
    pub fn new(
        config: &Config,
        args: &[String],
        slots: Arc<Slots>,
        switch: Arc<KillSwitch>,
    ) -> Result<Option<Self>, RclError> {
        if config.monitor.is_empty() {
            return Ok(None);
        }
        let context = Context::new(args)?;
        let own = own_topics(config);
        let named = config.monitor.topics.iter().map(|topic| topic.topic.as_str());
        let asked = own.iter().map(String::as_str).chain(named);
        let asked: Vec<(NameKind, &str)> = asked.map(|name| (NameKind::Topic, name)).collect();
        let mut resolved = resolve_names(&context, NODE_NAME, &asked)?;
        let named = resolved.names.split_off(own.len());
        let below = format!("{}/", resolved.fully_qualified_name);
        let excluded = Excluded { names: resolved.names.into_iter().collect(), below };
        let name = format!("{}_monitor", resolved.node_name);
        let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
        let node = Node::new(&context, &name, &resolved.namespace, options)?;
        let now = clock::steady();
        let mut bits = Bits::new(slots.topics.capacity());
        let config = config.monitor.clone();
        let topics = Topics::new(node, (config, named), excluded, slots.clone(), &mut bits, now)?;
        Ok(Some(Self { topics, bits, slots, switch, refreshed: now }))
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
            self.topics.turn(&mut self.bits, now);
            if now.steady.since(self.refreshed) >= PARK {
                self.refreshed = now.steady;
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
