//! Builds the gate thread and everything that talks with it.

mod audit;
mod error;
mod names;
mod wires;

use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use r2r::std_srvs::srv::Trigger;

pub use self::error::BuildError;
use self::names::{Names, resolve};
use self::wires::{Bits, PERMIT_TYPE, Wires, codec_error, load_types};
use super::burst::{Burst, burst};
use super::lane_io::newest;
use super::latch::LatchIo;
use super::requests::Requests;
use super::self_test::SelfTestIo;
use super::watched::Watched;
use super::{GateThread, NewLimits, Pending};
use crate::clock::{self, Readings};
use crate::codec::permit::PermitCodec;
use crate::config::model::{Config, Reliability, UrdfFrom};
use crate::gate::cause::Cause;
use crate::gate::core::Gate;
use crate::gate::history::Start;
use crate::gate::machine::Subject;
use crate::gate::snapshot::Snapshot;
use crate::gate::units::Moment;
use crate::kill_switch::{KillCount, KillSwitch};
use crate::latch::Post;
use crate::ros::graph::{Audited, GraphAudit, GraphFacts};
use crate::ros::rcl::{
    Context, Node, NodeOptions, Publisher, ResolvedNames, SerializedBuffer, WakeSet, Waker, serve,
};
use crate::ros::replies::Replies;
use crate::ros::sensor_facts::SensorFacts;
use crate::telemetry::decisions::{DecisionFeed, Thinning, decisions};
use crate::telemetry::events::{Call, Event, EventSender, What};
use crate::telemetry::notes::Notes;
use crate::telemetry::slots::Slots;
use crate::telemetry::watched::WatchedLanes;
use crate::watchdog::Progress;

/// The node's name unless a remap says otherwise.
pub(crate) const NODE_NAME: &str = "interlock";

/// Copies of the state: one for each of `control`, `http` and `socket`.
const SNAPSHOT_READERS: usize = 3;

/// Descriptions that may wait for a disarm; only the newest counts, and it comes last.
const NEW_LIMITS: usize = 4;

/// What the process gives the gate thread.
pub struct Endpoints {
    /// The configuration.
    pub config: Arc<Config>,
    /// The gate's own context.
    pub context: Arc<Context>,
    /// Kills and shutdown from other threads.
    pub switch: Arc<KillSwitch>,
    /// Telemetry.
    pub slots: Arc<Slots>,
    /// The log.
    pub events: EventSender,
    /// What the last run left, and when it was read.
    pub start: (Start, Moment),
    /// The way to the latch file; `None`: nothing is kept on disk.
    pub latch: Option<Post>,
    /// What thread `latch` says, for texts.
    pub notes: Arc<Notes>,
    /// Reads the three clocks, once a tick: [`clock::readings`], but for a test that steps them.
    pub clocks: fn() -> Readings,
}

/// The gate thread and what others hold of it.
pub struct Built {
    /// To be run on its own thread.
    pub thread: GateThread,
    /// Verbs.
    pub requests: Requests,
    /// Wakes the gate thread after a flag was set.
    pub waker: Waker,
    /// The stop burst.
    pub burst: Burst,
    /// How far the thread has come.
    pub progress: Arc<Progress>,
    /// Copies of the state.
    pub snapshots: Vec<triple_buffer::Output<Snapshot>>,
    /// Decisions to be told.
    pub decisions: DecisionFeed,
    /// What thread `monitor` finds of heat and charge.
    pub sensors: Arc<SensorFacts>,
    /// Limits of a robot description.
    pub limits: Sender<NewLimits>,
    /// The audit of our outputs.
    pub audit: GraphAudit,
    /// Wakes thread `replies`.
    pub replies_waker: Waker,
    /// Thread `replies`; to be dropped after the gate thread has ended.
    pub replies: Replies,
    /// The names that remaps made.
    pub names: ResolvedNames,
}

impl Endpoints {
    /// Makes every wire. Nothing is published yet.
    ///
    /// # Errors
    /// [`BuildError`], in words for the person who starts the node.
    pub fn build(self) -> Result<Built, BuildError> {
        let Self { config, context, switch, slots, events, start, latch, notes, clocks } = self;
        let resolved = resolve(&context, &config)?;
        let mut names = Names::new(&resolved);
        let gate_name = format!("{}_gate", resolved.node_name);
        let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
        let node = Node::new(&context, &gate_name, &resolved.namespace, options)?;
        let sources: usize = config.lanes.iter().map(|lane| lane.sources.len()).sum();
        let bits = config.kill_inputs.len() + config.feedback.len() + sources + 2;
        let set = WakeSet::new(bits);
        let mut bits = Bits::new(set.clone());
        let (shared_bit, kill_bit) = (bits.next()?, bits.next()?);
        let types = load_types(&config)?;

        let (mut kill_service, responder) = serve::<Trigger::Service>(&node, &names.next())?;
        kill_service.on_new_request(kill_bit.clone())?;
        let permit_topic = names.next();
        let mut wires = Wires { config: &config, node: node.clone(), types, names, bits };
        let (kill_inputs, lists) = wires.kill_inputs()?;
        let feedback = wires.feedback()?;
        let (lanes, audited_lanes) = wires.lanes()?;
        let permit_type = wires.loaded(PERMIT_TYPE)?;
        let permit = PermitCodec::new(permit_type.message(), config.permit_valid_for)
            .map_err(codec_error(|| "permit".to_owned()))?;
        let permit_publisher = {
            let qos = newest(Reliability::BestEffort);
            Arc::new(Publisher::new(&node, permit_type.support(), &permit_topic, qos)?)
        };

        let reply_events = events.clone();
        let failed = move |code| {
            let what = What::MiddlewareFailed { call: Call::Reply, subject: Subject::Node, code };
            reply_events.post(Event { at: clock::now(), what });
        };
        let progress = latch.as_ref().map(|post| post.progress().clone());
        let watched = WatchedLanes::of_config(&config);
        let (reply_sender, replies) =
            Replies::start(responder, watched, progress, notes.clone(), slots.clone(), failed)?;
        let (requests, request_queue) = Requests::new(shared_bit.clone());
        let facts = GraphFacts::new(config.lanes.len());
        let audited = Audited {
            lanes: audited_lanes,
            kill_inputs: audit::kill_inputs(&config, &kill_inputs, lists),
            identifiers: audit::identifiers(&context.rmw_implementation()),
            feedback: audit::feedback(&config, &feedback),
            other_paths: config.other_paths.iter().map(|_| wires.names.next()).collect(),
        };
        let cut = config.stop.cut_topic.as_ref().map(|_| wires.cut()).transpose()?;
        let own_name = format!("{}/{gate_name}", resolved.namespace.trim_end_matches('/'));
        let audit = GraphAudit::new(node, own_name, audited, facts.clone(), notes);

        let now = clock::now();
        let (start, started) = start;
        let mut gate = Gate::at_boot(config.gate_rules(), start, started);
        let points = config.temperature_points().count();
        let sensors = SensorFacts::new(points, config.batteries.len());
        for point in 0..points {
            gate.expect(Cause::TemperatureTrip, Subject::Temperature(point), now.steady);
        }
        for battery in 0..config.batteries.len() {
            gate.expect(Cause::BatteryTrip, Subject::Battery(battery), now.steady);
        }
        let described = config.urdf.as_ref().map(|urdf| &urdf.from);
        gate.await_description(matches!(described, Some(UrdfFrom::Topic(_))));
        let (give_limits, take_limits) = bounded(NEW_LIMITS);
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for _ in 0..SNAPSHOT_READERS {
            let buffer = triple_buffer::TripleBuffer::new(&Snapshot::new(&gate, now));
            let (input, output) = buffer.split();
            inputs.push(input);
            outputs.push(output);
        }
        // The permit comes last, as in `leave_burst`.
        let publishers = lanes.iter().map(|lane| lane.publisher.clone());
        let publishers = publishers.chain([Some(permit_publisher.clone())]);
        let (prepared, burst) = burst(publishers, switch.clone(), config.max_message_bytes);
        let dimensions = lanes.iter().map(|lane| lane.command.dimensions).max().unwrap_or(0);
        let capacity = lanes.iter().map(|lane| lane.codec.capacity()).max().unwrap_or(0);
        let thinning = Thinning {
            max_rate_hz: config.decisions_max_rate_hz,
            one_in: config.decisions_passed_one_in,
            dimensions,
            capacity,
        };
        let (tap, feed) = decisions(thinning, now.steady);
        let progress = Arc::new(Progress::default());
        let watched = Watched::new(&config);
        gate.sensors_unread(watched.sensors.guards());
        let thread = GateThread {
            gate,
            lanes,
            kill_inputs,
            feedback,
            kill_service,
            kill_bit,
            replies: reply_sender,
            permit,
            permit_publisher,
            permit_told: false,
            buffer: SerializedBuffer::with_capacity(config.max_message_bytes)?,
            pending: Pending { words: vec![0; set.words()], set },
            switch,
            progress: progress.clone(),
            kills_seen: KillCount::default(),
            requests: request_queue,
            latch: LatchIo::new(latch),
            facts,
            sensors: sensors.clone(),
            snapshots: inputs,
            slots,
            events,
            prepared,
            decisions: tap,
            new_limits: take_limits,
            cut,
            watched,
            clocks,
            self_test: SelfTestIo::default(),
            scratch: Vec::with_capacity(dimensions),
            stopping: None,
            next_tick: now.steady,
            ends_at: None,
            config,
        };
        Ok(Built {
            thread,
            requests,
            waker: shared_bit,
            burst,
            progress,
            snapshots: outputs,
            decisions: feed,
            sensors,
            limits: give_limits,
            audit,
            replies_waker: replies.waker(),
            replies,
            names: resolved,
        })
    }
}
