//! Thread `control`: r2r's own node, for everything that may take its time.
//!
//! The verbs that may be refused, the parameters, `~/state`, `/diagnostics`, and the look at the
//! graph. Kill is not here: the gate thread serves it.
//!
//! **Invariant:** nothing in this thread can hold up a stop; the gate does not wait for it.

mod controllers;
mod decisions;
mod description;
mod diagnostics;
mod lacks;
mod parameters;
mod plain;
mod rosout;
mod sensor_diagnostics;
mod state_msg;
mod verbs;

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use futures::executor::LocalPool;
use futures::future::BoxFuture;
use futures::task::LocalSpawnExt;
use parking_lot::Mutex;
pub use r2r::Error as ControlError;
use r2r::{Publisher, QosProfile, interlock::msg::State as StateMsg};

use super::gate_thread::{NODE_NAME, NewLimits, Requests};
use super::graph::GraphAudit;
use crate::attribution::Attribution;
use crate::clock::{self, WallClock};
use crate::config::model::Config;
use crate::config::value::FlatMap;
use crate::gate::sensor::Grade;
use crate::gate::snapshot::Snapshot;
use crate::gate::state::State;
use crate::gate::units::{SteadyTime, WallTime};
use crate::kill_switch::KillSwitch;
use crate::telemetry::decisions::DecisionFeed;
use crate::telemetry::events::EventSender;
use crate::telemetry::logging::RosoutLine;
use crate::telemetry::notes::Notes;
use crate::telemetry::report;
use crate::telemetry::slots::{Slots, ThreadName};
use crate::telemetry::status::Status;
use crate::telemetry::texts::Texts;
use crate::verbs::{Asked, Bucket};

/// Longest wait for a request in one spin: the delay of `~/state` after a change.
const SPIN: Duration = Duration::from_millis(5);
/// `~/state` and `/diagnostics` at least this often.
const REFRESH: Duration = Duration::from_secs(1);
/// Between two counts of the outputs' readers.
const COUNT: Duration = Duration::from_millis(100);
/// Between two looks at whether a level of `/diagnostics` has changed: what makes one is found out by
/// several threads, and nobody tells this one.
const LEVELS: Duration = Duration::from_millis(100);
/// Between two audits of every endpoint, and two looks at the kernel's clock.
pub(super) const AUDIT: Duration = Duration::from_secs(1);

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
    /// Verbs from the control socket.
    pub wishes: Receiver<Asked>,
    /// Who asked for what.
    pub attribution: Arc<Attribution>,
    /// The gate's state.
    pub snapshot: triple_buffer::Output<Snapshot>,
    /// Decisions to be told.
    pub decisions: DecisionFeed,
    /// Limits of a robot description.
    pub limits: Sender<NewLimits>,
    /// The look at our outputs.
    pub audit: GraphAudit,
    /// Telemetry.
    pub slots: Arc<Slots>,
    /// The log.
    pub events: EventSender,
    /// Whether the process is to end.
    pub switch: Arc<KillSwitch>,
    /// Log messages for `/rosout`; `None`: it is switched off.
    pub rosout: Option<Receiver<RosoutLine>>,
    /// Asks the kernel about the wall clock.
    pub wall_clock: fn() -> std::io::Result<WallClock>,
}

/// The node with its endpoints, made on the main thread before any other runs.
pub struct ControlNode {
    snapshot: triple_buffer::Output<Snapshot>,
    feed: DecisionFeed,
    wishes: Receiver<Asked>,
    switch: Arc<KillSwitch>,
    node: r2r::Node,
    tasks: Tasks,
    shared: Arc<Shared>,
    controllers: controllers::Controllers,
    description: description::Description,
    state: Publisher<StateMsg>,
    decisions: decisions::Decisions,
    diagnostics: diagnostics::Diagnostics,
    rosout: Option<rosout::Rosout>,
    wall_clock: fn() -> std::io::Result<WallClock>,
}

/// What services and status need to name things.
pub(super) struct Shared {
    pub(super) config: Arc<Config>,
    pub(super) node_name: String,
    pub(super) requests: Requests,
    pub(super) attribution: Arc<Attribution>,
    pub(super) slots: Arc<Slots>,
    pub(super) events: EventSender,
    pub(super) notes: Arc<Notes>,
    /// What is left to all callers over ROS together.
    pub(super) attempts: Mutex<Bucket>,
    /// Taken by tasks and loop of this one thread in turn.
    pub(super) audit: Mutex<GraphAudit>,
}

impl Shared {
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts {
            config: &self.config,
            node: &self.node_name,
            notes: &self.notes,
            attribution: &self.attribution,
        }
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
            config: control.config,
            node_name: control.node_name,
            requests: control.requests,
            attribution: control.attribution,
            slots: control.slots,
            events: control.events,
            notes: control.audit.notes().clone(),
            attempts: Mutex::new(Bucket::new(clock::steady())),
            audit: Mutex::new(control.audit),
        });
        verbs::serve(&mut node, &mut tasks, &shared)?;
        parameters::serve(&mut node, &mut tasks, &control.parameters)?;
        let latched = QosProfile::default().reliable().transient_local().keep_last(1);
        let state = node.create_publisher("~/state", latched)?;
        let diagnostics = diagnostics::Diagnostics::new(&mut node, &shared.config)?;
        let decisions = decisions::Decisions::new(&mut node)?;
        let counts = &shared.slots.log;
        let rosout = control
            .rosout
            .map(|lines| rosout::Rosout::new(&mut node, lines, counts.clone(), &shared.node_name));
        let rosout = rosout.transpose()?;
        let limits = control.limits;
        let description =
            description::Description::new(&mut node, &mut tasks, &shared.config, limits)?;
        let controllers = controllers::Controllers::new(shared.config.clone());
        Ok(Self {
            snapshot: control.snapshot,
            feed: control.decisions,
            wishes: control.wishes,
            switch: control.switch,
            node,
            tasks,
            shared,
            controllers,
            description,
            state,
            decisions,
            diagnostics,
            rosout,
            wall_clock: control.wall_clock,
        })
    }

    /// Runs until shutdown, and then once more to tell the last state.
    pub fn run(mut self) {
        self.shared.slots.threads.at(ThreadName::Control).enter();
        let mut pool = LocalPool::new();
        for task in self.tasks.drain(..) {
            // Refused only by a pool that is gone.
            pool.spawner().spawn_local(task).ok();
        }
        let mut told: Option<(Told, SteadyTime)> = None;
        let mut counted: Option<SteadyTime> = None;
        let mut looked: Option<SteadyTime> = None;
        let mut judged: Option<SteadyTime> = None;
        let mut lacks = lacks::Lacks::default();
        loop {
            let ends = self.switch.is_shutting_down();
            self.node.spin_once(SPIN);
            verbs::take_wishes(&self.wishes, &self.shared, &pool.spawner());
            pool.run_until_stalled();
            self.decisions.publish(&self.feed, &self.shared.config);
            if let Some(rosout) = &self.rosout {
                rosout.publish();
            }
            let now = clock::now();
            let mut audit = self.shared.audit.lock();
            if looked.is_none_or(|at| now.steady.since(at) >= AUDIT) {
                looked = Some(now.steady);
                tell_graph(audit.look());
                look_at_wall_clock(self.wall_clock, &self.shared.slots);
            }
            self.controllers.turn(&mut self.node, &mut audit, now.steady);
            if counted.is_none_or(|at| now.steady.since(at) >= COUNT) {
                counted = Some(now.steady);
                match audit.count() {
                    Ok(true) => looked = None,
                    Ok(false) => {}
                    Err(error) => tell_graph(Err(error)),
                }
            }
            drop(audit);
            let snapshot = self.snapshot.read();
            self.description.turn(&self.shared, snapshot.state == State::Active);
            let news = Told::of(snapshot, &self.shared.slots);
            let due = told
                .as_ref()
                .is_none_or(|(before, at)| *before != news || now.steady.since(*at) >= REFRESH);
            let is_time = judged.is_none_or(|at| now.steady.since(at) >= LEVELS);
            if due || is_time || ends {
                judged = Some(now.steady);
                lacks.turn(&self.shared, snapshot, now.steady);
                let texts = self.shared.texts();
                let status = report::status_of_named(snapshot, texts, &self.shared.slots, now);
                let diagnosis = self.diagnostics.judge(&status, now.steady);
                if due || ends {
                    self.tell_state(&status, now.wall);
                }
                if due || ends || diagnosis.is_news {
                    self.tell_diagnosis(diagnosis, now.wall);
                }
                if due {
                    told = Some((news, now.steady));
                }
            }
            if ends {
                if let Some(rosout) = &self.rosout {
                    rosout.publish();
                }
                return;
            }
        }
    }

    fn tell_state(&self, status: &Status, wall: WallTime) {
        if let Err(error) = plain::publish(&self.state, state_msg::state(status, wall)) {
            tracing::warn!(%error, "~/state cannot be published");
        }
    }

    fn tell_diagnosis(&self, diagnosis: diagnostics::Diagnosis, wall: WallTime) {
        if let Err(error) = self.diagnostics.publish(diagnosis, wall) {
            tracing::warn!(%error, "/diagnostics cannot be published");
        }
    }
}

fn tell_graph(looked: Result<(), crate::ros::rcl::RclError>) {
    if let Err(error) = looked {
        tracing::warn!(%error, "the graph cannot be read");
    }
}

/// Whether the wall clock is kept, into the slots. What the kernel does not tell is absent.
fn look_at_wall_clock(ask: fn() -> std::io::Result<WallClock>, slots: &Slots) {
    let node = &slots.node;
    match ask() {
        Ok(clock) => {
            node.clock_synchronized.set(clock.synchronized);
            node.clock_error.set(clock.max_error.as_secs_f64());
        }
        Err(_) => {
            node.clock_synchronized.forget();
            node.clock_error.set(f64::NAN);
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
    moving: Vec<bool>,
    kill_inputs: Vec<(bool, bool, bool)>,
    /// Of temperatures and batteries.
    grades: Vec<Option<Grade>>,
}

impl Told {
    fn of(snapshot: &Snapshot, slots: &Slots) -> Self {
        let unmet = snapshot.unmet.iter().map(|condition| (condition.code, condition.subject));
        let lanes = snapshot.lanes.iter();
        let inputs = snapshot.kill_inputs.iter();
        Self {
            seq: snapshot.seq,
            permitted: snapshot.permitted,
            unmet: unmet.collect(),
            moving: snapshot.lanes.iter().map(|lane| lane.motion.is_some()).collect(),
            lanes: lanes.map(|l| (l.state, l.owner, l.selected, l.subscribers)).collect(),
            kill_inputs: inputs.map(|i| (i.asserted, i.lost, i.seen)).collect(),
            grades: slots
                .temperatures
                .iter()
                .flat_map(|input| input.components.iter().map(|part| part.grade.get()))
                .chain(slots.batteries.iter().map(|battery| battery.grade.get()))
                .collect(),
        }
    }
}
