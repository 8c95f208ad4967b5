//! Looking at the live graph: which topics there are, who is on them, and what goes over them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{CommandTopic, DescribedJoint, FeedbackTopic, Observed, Range, SuggestError, Writer};
use crate::cdr::{Path, Value};
use crate::clock;
use crate::config::model::CommandType;
use crate::gate::publisher::Gid;
use crate::gate::units::SteadyTime;
use crate::ros::rcl::{
    Context, Durability, EndpointInfo, Node, NodeOptions, Qos, Reliability, Reported,
    SerializedBuffer, Subscription, publishers_info, subscriptions_info, topics,
};
use crate::ros::typesupport::{LoadedMessage, load_message};

/// Discovery has come to an end when no topic came or went for this long.
const SETTLED: Duration = Duration::from_secs(2);
/// Longest wait for it.
const DISCOVERY: Duration = Duration::from_secs(10);
/// Between two looks at the queues; a queue holds many times what comes in it.
const LOOK: Duration = Duration::from_millis(2);
const DEPTH: usize = 200;
const BUFFER: usize = 65_536;
const DESCRIPTION: &str = "/robot_description";
const STRING: &str = "std_msgs/msg/String";
const JOINT_STATE: &str = "sensor_msgs/msg/JointState";
const ODOMETRY: &str = "nav_msgs/msg/Odometry";
const NODE_NAME: &str = "interlock_suggest";
/// The node that a running gate publishes from.
const GATE_SUFFIX: &str = "_gate";

/// A node that only reads.
pub(super) struct Observer {
    node: Arc<Node>,
}

/// What a topic is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Command(CommandType),
    JointState,
    Odometry,
    Description,
}

/// One topic under observation.
struct Watched {
    topic: String,
    usage: Use,
    loaded: LoadedMessage,
    subscription: Subscription,
    seen: Seen,
}

/// First and last message, and how many.
#[derive(Clone, Copy)]
struct Flow {
    count: u32,
    first: SteadyTime,
    last: SteadyTime,
}

impl Flow {
    fn rate_hz(self) -> Option<f64> {
        let span = self.last.since(self.first).as_secs_f64();
        (self.count > 1 && span > 0.0).then(|| f64::from(self.count.saturating_sub(1)) / span)
    }
}

#[derive(Default)]
struct Seen {
    all: Option<Flow>,
    writers: BTreeMap<Gid, Flow>,
    names: Vec<String>,
    count: usize,
    position: Vec<Range>,
    velocity: Vec<Range>,
    has_effort: bool,
    text: Option<String>,
}

impl Observer {
    pub(super) fn new(ros_args: &[String]) -> Result<Self, SuggestError> {
        let mut args = vec!["interlock".to_owned()];
        args.extend(ros_args.iter().cloned());
        let context = Context::new(&args)?;
        let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
        Ok(Self { node: Node::new(&context, NODE_NAME, "/", options)? })
    }

    /// Chooses the topics, watches them, and sums up.
    pub(super) fn observe(
        &self,
        wanted: &[String],
        watch_for: Duration,
    ) -> Result<Observed, SuggestError> {
        let wanted: Vec<String> = wanted.iter().map(|topic| absolute(topic)).collect();
        let chosen = self.choose(&wanted)?;
        let mut watched = Vec::new();
        for (topic, type_name, usage) in chosen {
            let loaded = load_message(&type_name)
                .map_err(|error| SuggestError::Nothing(format!("{topic}: {error}")))?;
            let latched = usage == Use::Description;
            let qos = Qos {
                reliability: if latched { Reliability::Reliable } else { Reliability::BestEffort },
                durability: if latched { Durability::TransientLocal } else { Durability::Volatile },
                depth: if latched { 1 } else { DEPTH },
            };
            let subscription = Subscription::new(&self.node, loaded.support(), &topic, qos)?;
            watched.push(Watched { topic, usage, loaded, subscription, seen: Seen::default() });
        }
        let mut buffer = SerializedBuffer::with_capacity(BUFFER)?;
        let started = clock::steady();
        while clock::steady().since(started) < watch_for {
            for one in &mut watched {
                one.look(&mut buffer)?;
            }
            std::thread::sleep(LOOK);
        }
        self.sum_up(watched, watch_for)
    }

    /// Every topic, once nothing new has come for a while.
    fn discover(&self) -> Result<Vec<(String, Vec<String>)>, SuggestError> {
        let started = clock::steady();
        let (mut found, mut changed) = (Vec::new(), started);
        loop {
            let now = clock::steady();
            let fresh = topics(&self.node)?;
            if fresh != found {
                (found, changed) = (fresh, now);
            }
            let settled = !found.is_empty() && now.since(changed) >= SETTLED;
            if settled || now.since(started) >= DISCOVERY {
                return Ok(found);
            }
            std::thread::sleep(LOOK * 10);
        }
    }

    /// Waits for discovery, then takes the wanted topics and all feedback.
    fn choose(&self, wanted: &[String]) -> Result<Vec<(String, String, Use)>, SuggestError> {
        let found = self.discover()?;
        let mut chosen = Vec::new();
        let mut usable = Vec::new();
        for (topic, types) in &found {
            let Some(type_name) = types.first() else { continue };
            let command = CommandType::ALL.into_iter().find(|kind| kind.ros_name() == type_name);
            if let Some(kind) = command {
                usable.push(topic.clone());
                let is_wanted = if wanted.is_empty() {
                    // JointState is feedback nearly everywhere: as commands only where asked for.
                    kind != CommandType::JointState && self.is_driven(topic)?
                } else {
                    wanted.contains(topic)
                };
                if is_wanted {
                    chosen.push((topic.clone(), type_name.clone(), Use::Command(kind)));
                    continue;
                }
            }
            let usage = match type_name.as_str() {
                JOINT_STATE => Use::JointState,
                ODOMETRY => Use::Odometry,
                STRING if topic == DESCRIPTION => Use::Description,
                _ => continue,
            };
            chosen.push((topic.clone(), type_name.clone(), usage));
        }
        let is_command = |usage: &Use| matches!(usage, Use::Command(_));
        let missing: Vec<&str> = wanted
            .iter()
            .filter(|topic| !chosen.iter().any(|(name, _, u)| name == *topic && is_command(u)))
            .map(String::as_str)
            .collect();
        let list = if usable.is_empty() { "none".to_owned() } else { usable.join(", ") };
        let have = format!("topics of types with a built-in map: {list}");
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let text = format!("no command topic {missing} of a type with a built-in map; {have}");
            return Err(SuggestError::Nothing(text));
        }
        if !chosen.iter().any(|(_, _, usage)| is_command(usage)) {
            let text = format!("no command topic has a reader; name one if it is to come; {have}");
            return Err(SuggestError::Nothing(text));
        }
        Ok(chosen)
    }

    /// Whether somebody reads it, and not only a gate writes it.
    fn is_driven(&self, topic: &str) -> Result<bool, SuggestError> {
        let readers = subscriptions_info(&self.node, topic)?;
        let writers = publishers_info(&self.node, topic)?;
        let is_gate = |info: &EndpointInfo| info.node_name.ends_with(GATE_SUFFIX);
        let others = readers.iter().any(|reader| !is_gate(reader));
        Ok(others && (writers.is_empty() || !writers.iter().all(is_gate)))
    }

    fn sum_up(&self, watched: Vec<Watched>, watch_for: Duration) -> Result<Observed, SuggestError> {
        let mut observed = Observed { seconds: watch_for.as_secs_f64(), ..Observed::default() };
        for one in watched {
            let rate_hz = one.seen.all.and_then(Flow::rate_hz);
            match one.usage {
                Use::Command(kind) => observed.commands.push(self.command(one, kind)?),
                Use::JointState | Use::Odometry => observed.feedback.push(FeedbackTopic {
                    is_odometry: one.usage == Use::Odometry,
                    topic: one.topic,
                    joints: one.seen.names,
                    position: one.seen.position,
                    velocity: one.seen.velocity,
                    rate_hz,
                }),
                Use::Description => {
                    let joints = one.seen.text.as_deref().and_then(described);
                    observed.description = joints.map(|joints| (one.topic, joints));
                }
            }
        }
        Ok(observed)
    }

    fn command(&self, one: Watched, kind: CommandType) -> Result<CommandTopic, SuggestError> {
        let reliable = Reported::Known(Reliability::Reliable);
        let writers = publishers_info(&self.node, &one.topic)?;
        let own = |info: &EndpointInfo| info.node_name == NODE_NAME;
        let writers = writers.iter().map(|info| Writer {
            node: full_name(info),
            rate_hz: one.seen.writers.get(&info.gid).copied().and_then(Flow::rate_hz),
            is_reliable: info.qos.reliability == reliable,
        });
        let readers = subscriptions_info(&self.node, &one.topic)?;
        let readers: Vec<&EndpointInfo> = readers.iter().filter(|info| !own(info)).collect();
        Ok(CommandTopic {
            kind,
            writers: writers.collect(),
            readers_are_reliable: readers.iter().any(|info| info.qos.reliability == reliable),
            readers: readers.into_iter().map(full_name).collect(),
            topic: one.topic,
            joints: one.seen.names,
            count: one.seen.count,
            position: one.seen.position,
            velocity: one.seen.velocity,
            has_effort: one.seen.has_effort,
        })
    }
}

fn full_name(info: &EndpointInfo) -> String {
    format!("{}/{}", info.node_namespace.trim_end_matches('/'), info.node_name)
}

fn absolute(topic: &str) -> String {
    if topic.starts_with('/') { topic.to_owned() } else { format!("/{topic}") }
}

/// The joints that move, with their limits; `None` where the text is no robot description.
fn described(text: &str) -> Option<Vec<DescribedJoint>> {
    use urdf_rs::JointType;
    let robot = urdf_rs::read_from_string(text).ok()?;
    let joints = robot.joints.into_iter().filter_map(|joint| {
        let has_bounds = match joint.joint_type {
            JointType::Revolute | JointType::Prismatic => true,
            JointType::Continuous => false,
            JointType::Fixed | JointType::Floating | JointType::Planar | JointType::Spherical => {
                return None;
            }
        };
        let range = Range { min: joint.limit.lower, max: joint.limit.upper };
        Some(DescribedJoint {
            name: joint.name,
            position: (has_bounds && range.min < range.max).then_some(range),
            velocity: joint.limit.velocity,
            effort: joint.limit.effort,
        })
    });
    Some(joints.collect())
}

impl Watched {
    /// Takes what is in the queue.
    fn look(&mut self, buffer: &mut SerializedBuffer) -> Result<(), SuggestError> {
        while let Some(info) = self.subscription.take(buffer)? {
            let now = clock::steady();
            let flow = Flow { count: 0, first: now, last: now };
            for flow in [
                self.seen.all.get_or_insert(flow),
                self.seen.writers.entry(info.publisher_gid).or_insert(flow),
            ] {
                flow.count = flow.count.saturating_add(1);
                flow.last = now;
            }
            if let Ok(value) = self.loaded.deserialize(buffer.bytes()) {
                self.note(&value);
            }
        }
        Ok(())
    }

    fn note(&mut self, value: &Value) {
        match self.usage {
            Use::Description => {
                self.seen.text = self.texts(value, "data").into_iter().next();
            }
            Use::Odometry => {
                let twist = self.axes(value, "twist.twist");
                widen(&mut self.seen.velocity, &twist);
            }
            Use::Command(CommandType::Twist) => {
                let twist = self.axes(value, "");
                widen(&mut self.seen.velocity, &twist);
            }
            Use::Command(CommandType::TwistStamped) => {
                let twist = self.axes(value, "twist");
                widen(&mut self.seen.velocity, &twist);
            }
            Use::Command(CommandType::Float64MultiArray) => {
                let data = self.numbers(value, "data");
                self.seen.count = data.len();
                widen(&mut self.seen.position, &data);
            }
            Use::JointState | Use::Command(CommandType::JointState) => {
                self.seen.names = self.texts(value, "name");
                self.seen.count = self.seen.names.len();
                let (position, velocity) =
                    (self.numbers(value, "position"), self.numbers(value, "velocity"));
                widen(&mut self.seen.position, &position);
                widen(&mut self.seen.velocity, &velocity);
                self.seen.has_effort |= !self.numbers(value, "effort").is_empty();
            }
            Use::Command(CommandType::JointTrajectory) => {
                self.seen.names = self.texts(value, "joint_names");
                self.seen.count = self.seen.names.len();
                for (path, velocity) in
                    [("points[].positions", false), ("points[].velocities", true)]
                {
                    let all = self.numbers(value, path);
                    for point in all.chunks(self.seen.count.max(1)) {
                        let seen = &mut self.seen;
                        let ranges = if velocity { &mut seen.velocity } else { &mut seen.position };
                        widen(ranges, point);
                    }
                }
                self.seen.has_effort |= !self.numbers(value, "points[].effort").is_empty();
            }
            Use::Command(CommandType::Mapped) => {}
        }
    }

    fn get<'a>(&self, value: &'a Value, path: &str) -> Vec<&'a Value> {
        let path = Path::parse(path).ok();
        path.and_then(|path| value.get(self.loaded.message(), &path).ok()).unwrap_or_default()
    }

    fn numbers(&self, value: &Value, path: &str) -> Vec<f64> {
        let number = |value: &&Value| match value {
            Value::F64(number) => Some(*number),
            Value::F32(number) => Some(f64::from(*number)),
            Value::Bool(_)
            | Value::Unsigned(_)
            | Value::Signed(_)
            | Value::Text(_)
            | Value::WideText(_)
            | Value::Message(_)
            | Value::List(_) => None,
        };
        self.get(value, path).iter().filter_map(number).collect()
    }

    fn texts(&self, value: &Value, path: &str) -> Vec<String> {
        let text = |value: &&Value| match value {
            Value::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Value::Bool(_)
            | Value::Unsigned(_)
            | Value::Signed(_)
            | Value::F32(_)
            | Value::F64(_)
            | Value::WideText(_)
            | Value::Message(_)
            | Value::List(_) => None,
        };
        self.get(value, path).iter().filter_map(text).collect()
    }

    fn axes(&self, value: &Value, below: &str) -> Vec<f64> {
        let dot = if below.is_empty() { "" } else { "." };
        let axis = |axis: &str| self.numbers(value, &format!("{below}{dot}{axis}"));
        super::write::AXES.into_iter().flat_map(axis).collect()
    }
}

/// Makes room for values; what is not a number is left out.
fn widen(ranges: &mut Vec<Range>, values: &[f64]) {
    for (index, value) in values.iter().enumerate() {
        if !value.is_finite() {
            continue;
        }
        match ranges.get_mut(index) {
            Some(range) => {
                if *value < range.min {
                    range.min = *value;
                }
                if *value > range.max {
                    range.max = *value;
                }
            }
            None => ranges.push(Range { min: *value, max: *value }),
        }
    }
}
