//! Looking at the live graph: which topics there are, who is on them, and what goes over them.

use std::sync::Arc;
use std::time::Duration;

use super::watched::{Flow, Use, Watched};
use super::{CommandTopic, DescribedJoint, FeedbackTopic, Observed, Range, SuggestError, Writer};
use crate::clock;
use crate::config::model::CommandType;
use crate::ros::rcl::{
    Context, Durability, EndpointInfo, Node, NodeOptions, Qos, Reliability, Reported,
    SerializedBuffer, Subscription, publishers_info, subscriptions_info, topics,
};
use crate::ros::typesupport::load_message;

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
            watched.push(Watched::new(topic, usage, loaded, subscription));
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
                    together: one.seen.sets(),
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
