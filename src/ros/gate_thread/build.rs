//! Builds the gate thread and everything that talks with it: names, types, endpoints, codecs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use r2r::std_srvs::srv::Trigger;

use super::burst::{Burst, burst};
use super::cut::Cut;
use super::lane_io::{LaneIo, WireError, newest, reliability};
use super::latch::LatchIo;
use super::requests::Requests;
use super::self_test::SelfTestIo;
use super::watched::Watched;
use super::{FeedbackIo, FeedbackUse, GateThread, KillInputIo, NewLimits, Pending};
use crate::cdr::Path;
use crate::clock::{self, Readings};
use crate::codec::CodecError;
use crate::codec::command::mirrors_of;
use crate::codec::feedback::{FeedbackCodec, Reads};
use crate::codec::flag::FlagCodec;
use crate::codec::permit::PermitCodec;
use crate::config::model::{
    Config, FeedbackConfig, FeedbackType, LaneConfig, LaneMode, Reliability, UrdfFrom,
};
use crate::gate::cause::Cause;
use crate::gate::core::Gate;
use crate::gate::history::Start;
use crate::gate::kill_input::Identifiers;
use crate::gate::machine::Subject;
use crate::gate::snapshot::Snapshot;
use crate::gate::units::Moment;
use crate::kill_switch::{KillCount, KillSwitch};
use crate::latch::Post;
use crate::ros::graph::{
    Audited, AuditedInput, AuditedLane, GraphAudit, GraphFacts, ListedInput, ReadTopic,
    allowed_table, listed_table,
};
use crate::ros::rcl::{
    self, Context, Durability, NameKind, Node, NodeOptions, Publisher, Qos, RclError,
    ResolvedNames, SerializedBuffer, Subscription, WakeSet, Waker, resolve_names, serve,
};
use crate::ros::replies::{Replies, StartError};
use crate::ros::sensor_facts::SensorFacts;
use crate::ros::typesupport::{LoadedMessage, TypeSupportError, load_message};
use crate::telemetry::decisions::{DecisionFeed, Thinning, decisions};
use crate::telemetry::events::{Call, Event, EventSender, What};
use crate::telemetry::notes::Notes;
use crate::telemetry::slots::Slots;
use crate::watchdog::Progress;

/// The node's name unless a remap says otherwise.
pub(crate) const NODE_NAME: &str = "interlock";

/// Copies of the state: one for each of `control`, `http` and `socket`.
const SNAPSHOT_READERS: usize = 3;

/// Descriptions that may wait for a disarm; only the newest counts, and it comes last.
const NEW_LIMITS: usize = 4;

/// Why the node cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// rcl's own text.
    #[error(transparent)]
    Rcl(#[from] RclError),
    /// A message type is not installed or not usable.
    #[error("{subject}: {error}")]
    Type {
        /// Lane, feedback, or the node itself.
        subject: String,
        /// What is wrong.
        error: Box<TypeSupportError>,
    },
    /// A message type does not fit its map.
    #[error("{subject}: {error}")]
    Wire {
        /// Lane, kill input or feedback.
        subject: String,
        /// What is wrong.
        error: Box<WireError>,
    },
    /// Thread `replies` cannot be started.
    #[error(transparent)]
    Replies(#[from] StartError),
    /// A programming error: fewer wake bits than wires.
    #[error("there are more wires than wake bits")]
    NoBit,
}

impl BuildError {
    /// Whether the params file asks for what cannot be, so that a second start would not help.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Type { .. } => true,
            Self::Wire { error, .. } => matches!(**error, WireError::Codec(_)),
            Self::Rcl(_) | Self::Replies(_) | Self::NoBit => false,
        }
    }
}

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

/// Absolute names, taken in the order they were asked for.
struct Names(std::vec::IntoIter<String>);

impl Names {
    fn next(&mut self) -> String {
        self.0.next().unwrap_or_default()
    }
}

fn resolve(context: &Arc<Context>, config: &Config) -> Result<ResolvedNames, RclError> {
    let echoes = config.lanes.iter().map(|lane| format!("~/self_test/{}", lane.name));
    let echoes: Vec<String> = echoes.collect();
    let mut names = vec![(NameKind::Service, "~/kill"), (NameKind::Topic, "~/permit")];
    names.extend(config.kill_inputs.iter().map(|input| (NameKind::Topic, input.topic.as_str())));
    names.extend(config.feedback.iter().map(|input| (NameKind::Topic, input.topic.as_str())));
    for (lane, echo) in config.lanes.iter().zip(&echoes) {
        names.push((NameKind::Topic, lane.output.as_str()));
        if lane.mode == LaneMode::Gate {
            names.push((NameKind::Topic, echo.as_str()));
        }
        let topics = lane.sources.iter().map(|source| (NameKind::Topic, source.topic.as_str()));
        names.extend(topics);
    }
    names.extend(config.other_paths.iter().map(|path| (NameKind::Topic, path.as_str())));
    names.extend(config.stop.cut_topic.iter().map(|topic| (NameKind::Topic, topic.as_str())));
    resolve_names(context, NODE_NAME, &names)
}

/// Every message type that the configuration names, loaded once.
fn load_types(config: &Config) -> Result<BTreeMap<String, LoadedMessage>, BuildError> {
    let lanes = config.lanes.iter();
    let lanes = lanes.map(|lane| (format!("lane {}", lane.name), lane.type_name.as_str()));
    let feedback = config.feedback.iter();
    let feedback = feedback.map(|one| (format!("feedback {}", one.name), one.type_name.as_str()));
    let inputs = config.kill_inputs.iter();
    let inputs = inputs.map(|one| (format!("kill input {}", one.name), one.type_name.as_str()));
    let always = [PERMIT_TYPE, CUT_TYPE].map(|name| ("interlock".to_owned(), name));
    let load = |(subject, name): (String, &str)| match load_message(name) {
        Ok(loaded) => Ok((name.to_owned(), loaded)),
        Err(error) => Err(BuildError::Type { subject, error: Box::new(error) }),
    };
    lanes.chain(feedback).chain(inputs).chain(always).map(load).collect()
}

/// Samples that one reader of a kill input keeps for all its publishers: more than come between two
/// wakes, or one publisher's flood would hide another's press. Within what copies are told apart by.
const KILL_INPUT_DEPTH: usize = 32;
const PERMIT_TYPE: &str = "interlock/msg/Permit";
const CUT_TYPE: &str = "std_msgs/msg/Bool";

/// Hands out wake bits one after the other.
struct Bits {
    set: Arc<WakeSet>,
    next: usize,
}

impl Bits {
    fn next(&mut self) -> Result<Waker, BuildError> {
        let bit = self.set.waker(self.next).ok_or(BuildError::NoBit)?;
        self.next = self.next.saturating_add(1);
        Ok(bit)
    }
}

/// Everything that is shared while the wires are made.
struct Builder<'a> {
    config: &'a Config,
    node: Arc<Node>,
    types: BTreeMap<String, LoadedMessage>,
    names: Names,
    bits: Bits,
}

impl Builder<'_> {
    fn loaded(&self, name: &str) -> Result<&LoadedMessage, BuildError> {
        self.types.get(name).ok_or(BuildError::NoBit)
    }

    fn kill_inputs(&mut self) -> Result<(Vec<KillInputIo>, Vec<ListedInput>), BuildError> {
        let (mut inputs, mut lists) = (Vec::new(), Vec::new());
        for input in &self.config.kill_inputs {
            let topic = self.names.next();
            let bit = self.bits.next()?;
            let loaded = self.loaded(&input.type_name)?;
            let subject = || format!("kill input {}", input.name);
            let reader = |reliability, durability| {
                let qos = Qos { reliability, durability, depth: KILL_INPUT_DEPTH };
                let made = Subscription::new(&self.node, loaded.support(), &topic, qos);
                let mut reader = made.map_err(wire(subject))?;
                reader.on_new_message(bit.clone())?;
                Ok::<Subscription, BuildError>(reader)
            };
            // The one that gets old samples first: a copy that it brings must not come late.
            let readers = [
                reader(rcl::Reliability::Reliable, Durability::TransientLocal)?,
                reader(rcl::Reliability::Reliable, Durability::Volatile)?,
                reader(rcl::Reliability::BestEffort, Durability::Volatile)?,
            ];
            let codec = FlagCodec::new(loaded.message(), input.asserts.as_ref());
            let codec = codec.map_err(self::codec(subject))?;
            let (list, listed) = listed_table();
            inputs.push(KillInputIo { readers, bit, codec, listed, is_unread: false });
            lists.push(list);
        }
        Ok((inputs, lists))
    }

    /// The last of the names.
    fn cut(&mut self) -> Result<Cut, BuildError> {
        let topic = self.names.next();
        let durability = Durability::TransientLocal;
        let qos = Qos { reliability: rcl::Reliability::Reliable, durability, depth: 1 };
        let support = self.loaded(CUT_TYPE)?.support();
        Ok(Cut::new(Publisher::new(&self.node, support, &topic, qos)?))
    }

    fn feedback(&mut self) -> Result<Vec<FeedbackIo>, BuildError> {
        let mut all = Vec::new();
        for (index, feedback) in self.config.feedback.iter().enumerate() {
            let topic = self.names.next();
            let bit = self.bits.next()?;
            let loaded = self.loaded(&feedback.type_name)?;
            let subject = || format!("feedback {}", feedback.name);
            let qos = newest(feedback.reliability);
            let mut subscription = Subscription::new(&self.node, loaded.support(), &topic, qos)
                .map_err(wire(subject))?;
            subscription.on_new_message(bit.clone())?;
            let uses = feedback_uses(self.config, index, feedback, loaded);
            let uses = uses.map_err(codec(subject))?;
            let guards = (feedback.max_tilt.is_some(), feedback.max_angular_velocity.is_some());
            all.push(FeedbackIo { subscription, bit, uses, guards });
        }
        Ok(all)
    }

    fn lanes(&mut self) -> Result<(Vec<LaneIo>, Vec<AuditedLane>), BuildError> {
        let (mut lanes, mut audited) = (Vec::new(), Vec::new());
        for lane in &self.config.lanes {
            let output = self.names.next();
            let echo = (lane.mode == LaneMode::Gate).then(|| self.names.next());
            let outputs = (output.as_str(), echo.as_deref());
            let topics: Vec<String> = lane.sources.iter().map(|_| self.names.next()).collect();
            let bits: Result<Vec<Waker>, _> =
                lane.sources.iter().map(|_| self.bits.next()).collect();
            let loaded = self.loaded(&lane.type_name)?;
            let max = self.config.max_message_bytes;
            let wires = LaneIo::new(&self.node, lane, loaded, outputs, &topics, &bits?, max);
            let mut wires = wires.map_err(|error| BuildError::Wire {
                subject: format!("lane {}", lane.name),
                error: Box::new(error),
            })?;
            audited.push(audited_lane(lane, &mut wires, topics));
            lanes.push(wires);
        }
        Ok((lanes, audited))
    }
}

/// What a feedback topic is read for: the joints or axes of lanes, fields that lanes mirror, the body.
fn feedback_uses(
    config: &Config,
    index: usize,
    feedback: &FeedbackConfig,
    loaded: &LoadedMessage,
) -> Result<Vec<FeedbackUse>, CodecError> {
    let mut uses = Vec::new();
    for (lane, lane_config) in config.lanes.iter().enumerate() {
        let of_this = mirrors_of(lane_config).enumerate();
        let of_this = of_this.filter(|(_, mirror)| mirror.feedback == index);
        let (mirrors, paths): (Vec<usize>, Vec<Path>) =
            of_this.map(|(number, mirror)| (number, mirror.field.clone())).unzip();
        let reads = if lane_config.feedback == Some(index) {
            Reads::Dimensions(&lane_config.dimensions)
        } else if mirrors.is_empty() {
            continue;
        } else {
            Reads::Mirrors
        };
        let codec = FeedbackCodec::new(feedback, loaded.message(), reads, &paths)?;
        uses.push(FeedbackUse { codec, lane: Some(lane), mirrors });
    }
    if feedback.feedback_type == FeedbackType::Imu {
        let codec = FeedbackCodec::new(feedback, loaded.message(), Reads::Dimensions(&[]), &[])?;
        uses.push(FeedbackUse { codec, lane: None, mirrors: Vec::new() });
    }
    Ok(uses)
}

/// A lane as the audit sees it, and the tables between the two.
fn audited_lane(lane: &LaneConfig, wires: &mut LaneIo, topics: Vec<String>) -> AuditedLane {
    let sources = lane.sources.iter().zip(&mut wires.sources).zip(topics);
    let sources = sources.map(|((source, io), topic)| {
        let mut allowed = None;
        if !source.allowed_nodes.is_empty() {
            let (input, output) = allowed_table();
            io.allowed = Some(output);
            allowed = Some(input);
        }
        ReadTopic {
            topic,
            type_name: lane.type_name.clone(),
            reliability: reliability(source.reliability),
            allowed_nodes: source.allowed_nodes.clone(),
            allowed,
        }
    });
    AuditedLane {
        type_name: lane.type_name.clone(),
        reliability: reliability(lane.reliability),
        controller: lane.controller.clone(),
        other_publishers: lane.other_publishers,
        sources: sources.collect(),
        publisher: wires.publisher.clone(),
    }
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
fn identifiers(rmw: &str) -> Identifiers {
    if rmw.starts_with("rmw_fastrtps") { Identifiers::Same } else { Identifiers::Unknown }
}

fn wire(subject: impl Fn() -> String) -> impl Fn(RclError) -> BuildError {
    move |error| BuildError::Wire { subject: subject(), error: Box::new(error.into()) }
}

fn codec(subject: impl Fn() -> String) -> impl Fn(CodecError) -> BuildError {
    move |error| BuildError::Wire { subject: subject(), error: Box::new(error.into()) }
}

impl Endpoints {
    /// Makes every wire. Nothing is published yet.
    ///
    /// # Errors
    /// [`BuildError`], in words for the person who starts the node.
    pub fn build(self) -> Result<Built, BuildError> {
        let Self { config, context, switch, slots, events, start, latch, notes, clocks } = self;
        let resolved = resolve(&context, &config)?;
        let mut names = Names(resolved.names.clone().into_iter());
        let gate_name = format!("{}_gate", resolved.node_name);
        let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
        let node = Node::new(&context, &gate_name, &resolved.namespace, options)?;
        let sources: usize = config.lanes.iter().map(|lane| lane.sources.len()).sum();
        let bits = config.kill_inputs.len() + config.feedback.len() + sources + 2;
        let set = WakeSet::new(bits);
        let mut bits = Bits { set: set.clone(), next: 0 };
        let (shared_bit, kill_bit) = (bits.next()?, bits.next()?);
        let types = load_types(&config)?;

        let (mut kill_service, responder) = serve::<Trigger::Service>(&node, &names.next())?;
        kill_service.on_new_request(kill_bit.clone())?;
        let permit_topic = names.next();
        let mut builder = Builder { config: &config, node: node.clone(), types, names, bits };
        let (kill_inputs, lists) = builder.kill_inputs()?;
        let feedback = builder.feedback()?;
        let (lanes, audited_lanes) = builder.lanes()?;
        let permit_type = builder.loaded(PERMIT_TYPE)?;
        let permit = PermitCodec::new(permit_type.message(), config.permit_valid_for)
            .map_err(codec(|| "permit".to_owned()))?;
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
        let (reply_sender, replies) =
            Replies::start(responder, progress, notes.clone(), slots.clone(), failed)?;
        let (requests, request_queue) = Requests::new(shared_bit.clone());
        let facts = GraphFacts::new(config.lanes.len());
        let audited = Audited {
            lanes: audited_lanes,
            kill_inputs: kill_inputs
                .iter()
                .zip(&config.kill_inputs)
                .zip(lists)
                .map(|((io, input), listed)| {
                    let [reader, ..] = &io.readers;
                    // One of the three readers matches whatever quality is offered.
                    let any = rcl::Reliability::BestEffort;
                    let topic = read_topic(reader.topic(), &input.type_name, any);
                    AuditedInput { topic, listed }
                })
                .collect(),
            identifiers: identifiers(&context.rmw_implementation()),
            feedback: feedback
                .iter()
                .zip(&config.feedback)
                .map(|(io, feedback)| {
                    let reliability = reliability(feedback.reliability);
                    read_topic(io.subscription.topic(), &feedback.type_name, reliability)
                })
                .collect(),
            other_paths: config.other_paths.iter().map(|_| builder.names.next()).collect(),
        };
        let cut = config.stop.cut_topic.as_ref().map(|_| builder.cut()).transpose()?;
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
            watched: Watched::new(&config),
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
