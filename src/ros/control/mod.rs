//! Thread `control`: r2r's own node, for everything that may take its time.
//!
//! The verbs that may be refused, the parameters, `~/state`, `/diagnostics`, and the look at the
//! graph. Kill is not here: the gate thread serves it.
//!
//! **Invariant:** nothing in this thread can hold up a stop; the gate does not wait for it.

mod decisions;
mod diagnostics;
mod parameters;
mod state_msg;
mod verbs;

use std::sync::Arc;
use std::time::Duration;

use futures::executor::LocalPool;
use futures::future::BoxFuture;
use futures::task::LocalSpawnExt;
pub use r2r::Error as ControlError;
use r2r::{Publisher, QosProfile, interlock::msg::State as StateMsg};

use super::gate_thread::{NODE_NAME, Requests};
use super::graph::GraphAudit;
use crate::clock;
use crate::config::model::Config;
use crate::config::value::FlatMap;
use crate::gate::snapshot::Snapshot;
use crate::gate::units::SteadyTime;
use crate::kill_switch::KillSwitch;
use crate::telemetry::decisions::DecisionFeed;
use crate::telemetry::events::EventSender;
use crate::telemetry::report;
use crate::telemetry::slots::{Slots, ThreadName};
use crate::telemetry::status::Status;
use crate::telemetry::texts::Texts;

/// Longest wait for a request in one spin: the delay of `~/state` after a change.
const SPIN: Duration = Duration::from_millis(5);
/// `~/state` and `/diagnostics` at least this often.
const REFRESH: Duration = Duration::from_secs(1);
/// Between two looks at the graph.
const GRAPH: Duration = Duration::from_millis(100);

/// The services' tasks, made on the main thread and run on this one.
type Tasks = Vec<BoxFuture<'static, ()>>;

/// What the thread needs.
pub struct Control {
    /// The configuration.
    pub config: Arc<Config>,
    /// The parameters as they were given.
    pub parameters: FlatMap,
    /// The node's full name.
    pub node_name: String,
    /// Verbs to the gate.
    pub requests: Requests,
    /// The gate's state.
    pub snapshot: triple_buffer::Output<Snapshot>,
    /// Decisions to be told.
    pub decisions: DecisionFeed,
    /// The look at our outputs.
    pub audit: GraphAudit,
    /// Telemetry.
    pub slots: Arc<Slots>,
    /// The log.
    pub events: EventSender,
    /// Whether the process is to end.
    pub switch: Arc<KillSwitch>,
}

/// The node with its endpoints, made on the main thread before any other runs.
pub struct ControlNode {
    control: Control,
    node: r2r::Node,
    tasks: Tasks,
    state: Publisher<StateMsg>,
    decisions: decisions::Decisions,
    diagnostics: diagnostics::Diagnostics,
}

/// What services and status need to name things.
pub(super) struct Shared {
    pub(super) config: Arc<Config>,
    pub(super) node_name: String,
    pub(super) requests: Requests,
    pub(super) slots: Arc<Slots>,
    pub(super) events: EventSender,
}

impl Shared {
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts { config: &self.config, node: &self.node_name }
    }
}

impl ControlNode {
    /// Makes r2r's node on a context of its own, with its publishers and services.
    ///
    /// # Errors
    /// r2r's, which carry rcl's return code.
    pub fn new(control: Control) -> Result<Self, ControlError> {
        let mut node = r2r::Node::create(r2r::Context::create()?, NODE_NAME, "")?;
        let mut tasks = Tasks::new();
        let shared = Arc::new(Shared {
            config: control.config.clone(),
            node_name: control.node_name.clone(),
            requests: control.requests.clone(),
            slots: control.slots.clone(),
            events: control.events.clone(),
        });
        verbs::serve(&mut node, &mut tasks, &shared)?;
        parameters::serve(&mut node, &mut tasks, &control.parameters)?;
        let latched = QosProfile::default().reliable().transient_local().keep_last(1);
        let state = node.create_publisher("~/state", latched)?;
        let diagnostics = diagnostics::Diagnostics::new(&mut node, &control.config)?;
        let decisions = decisions::Decisions::new(&mut node)?;
        Ok(Self { control, node, tasks, state, decisions, diagnostics })
    }

    /// Runs until shutdown, and then once more to tell the last state.
    pub fn run(mut self) {
        self.control.slots.threads.at(ThreadName::Control).enter();
        let mut pool = LocalPool::new();
        for task in self.tasks.drain(..) {
            // Refused only by a pool that is gone.
            pool.spawner().spawn_local(task).ok();
        }
        let mut told: Option<(Told, SteadyTime)> = None;
        let mut looked: Option<SteadyTime> = None;
        loop {
            let ends = self.control.switch.is_shutting_down();
            self.node.spin_once(SPIN);
            pool.run_until_stalled();
            self.decisions.publish(&self.control.decisions, &self.control.config);
            let now = clock::now();
            if looked.is_none_or(|at| now.steady.since(at) >= GRAPH) {
                looked = Some(now.steady);
                if let Err(error) = self.control.audit.look() {
                    tracing::warn!(%error, "the graph cannot be read");
                }
            }
            let snapshot = self.control.snapshot.read();
            let news = Told::of(snapshot);
            let due = told
                .as_ref()
                .is_none_or(|(before, at)| *before != news || now.steady.since(*at) >= REFRESH);
            if due || ends {
                let texts = Texts { config: &self.control.config, node: &self.control.node_name };
                let status = report::status(snapshot, texts, &self.control.slots, now);
                self.tell(&status, now.wall);
                told = Some((news, now.steady));
            }
            if ends {
                return;
            }
        }
    }

    fn tell(&mut self, status: &Status, wall: crate::gate::units::WallTime) {
        if let Err(error) = self.state.publish(&state_msg::state(status, wall)) {
            tracing::warn!(%error, "~/state cannot be published");
        }
        if let Err(error) = self.diagnostics.publish(status, wall) {
            tracing::warn!(%error, "/diagnostics cannot be published");
        }
    }
}

/// What counts as a change: counters do not, or a flood of commands would be one of messages.
#[derive(Debug, PartialEq)]
struct Told {
    seq: u64,
    permitted: bool,
    unmet: Vec<(crate::gate::condition::ConditionCode, crate::gate::machine::Subject)>,
    lanes: Vec<(crate::gate::lane_state::LaneState, Option<usize>, Option<usize>, u32)>,
    kill_inputs: Vec<(bool, bool, bool)>,
}

impl Told {
    fn of(snapshot: &Snapshot) -> Self {
        let unmet = snapshot.unmet.iter().map(|condition| (condition.code, condition.subject));
        let lanes = snapshot.lanes.iter();
        let inputs = snapshot.kill_inputs.iter();
        Self {
            seq: snapshot.seq,
            permitted: snapshot.permitted,
            unmet: unmet.collect(),
            lanes: lanes.map(|l| (l.state, l.owner, l.selected, l.subscribers)).collect(),
            kill_inputs: inputs.map(|i| (i.asserted, i.lost, i.seen)).collect(),
        }
    }
}
