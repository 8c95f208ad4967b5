//! Whether a lane's controller is the one that is meant: a ros2_control controller tells its joints
//! and interface as parameters, and they must be the lane's.
//!
//! Each time a named controller's reader appears it is asked anew. A node without a parameter
//! service, or without these parameters, is no ros2_control controller: it passes, by its name alone.
//!
//! **Invariant:** fails closed: until the answer is there, and when it does not come, it is a
//! mismatch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, join_all};
use r2r::rcl_interfaces::msg::ParameterValue;
use r2r::rcl_interfaces::srv::GetParameters;
use r2r::{Client, Node, QosProfile};

use crate::cdr::{Index, Path};
use crate::config::model::{CommandType, Config, Interface, LaneConfig};
use crate::gate::publisher::Gid;
use crate::gate::units::SteadyTime;
use crate::ros::graph::{FoundController, GraphAudit};

/// Longest wait for a parameter service to appear, and for its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts at a controller that does not answer; then twice that, and so on.
const AGAIN: Duration = Duration::from_secs(5);
/// So often.
const MOST_DOUBLED: u32 = 4;

/// The parameters that ros2_control's controllers use for these.
const NAMES: [&str; 5] =
    ["joints", "command_joints", "interface_name", "interface_names", "command_interfaces"];

type Answers = Vec<Option<ParameterValue>>;

/// One question, under way.
struct Asking {
    available: Option<BoxFuture<'static, bool>>,
    answers: Option<BoxFuture<'static, Answers>>,
    since: SteadyTime,
    /// How often it was asked before and did not answer.
    vain: u32,
}

/// What is known of one lane's controller.
enum Known {
    Asking(Asking),
    /// Empty: it fits.
    Told(String),
    /// Did not answer since then, so often; asked again later.
    Silent(SteadyTime, u32),
}

/// The controllers of all lanes.
pub(super) struct Controllers {
    clients: BTreeMap<String, Client<GetParameters::Service>>,
    lanes: BTreeMap<usize, (String, Gid, Known)>,
    config: Arc<Config>,
}

impl Controllers {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { clients: BTreeMap::new(), lanes: BTreeMap::new(), config }
    }

    /// One step: asks new controllers, takes answers, and tells the audit what fits.
    pub(super) fn turn(&mut self, node: &mut Node, audit: &mut GraphAudit, now: SteadyTime) {
        let found: Vec<FoundController> = audit.controllers().to_vec();
        self.lanes.retain(|lane, _| found.iter().any(|one| one.lane == *lane));
        for one in &found {
            let vain = match self.lanes.get(&one.lane) {
                Some((name, reader, known)) if *name == one.node && *reader == one.reader => {
                    match known {
                        Known::Silent(at, vain) if now.since(*at) >= again(*vain) => Some(*vain),
                        Known::Silent(..) | Known::Asking(_) | Known::Told(_) => None,
                    }
                }
                Some(_) | None => Some(0),
            };
            if let Some(vain) = vain {
                let known = self.ask(node, &one.node, vain, now);
                self.lanes.insert(one.lane, (one.node.clone(), one.reader, known));
            }
            let Some((name, _, known)) = self.lanes.get_mut(&one.lane) else { continue };
            let Some(lane) = self.config.lanes.get(one.lane) else { continue };
            if let Known::Asking(asking) = known
                && let Some(next) = step(asking, self.clients.get(name), lane, now)
            {
                *known = next;
            }
            let text = match known {
                Known::Asking(_) => format!("{name} is being asked for its parameters"),
                Known::Silent(..) => format!("{name} does not answer its parameter service"),
                Known::Told(text) => text.clone(),
            };
            audit.controller_fits(one, text.is_empty());
            audit.notes().write(|all| {
                if let Some(notes) = all.lanes.get_mut(one.lane) {
                    notes.controller = text;
                }
            });
        }
    }

    fn ask(&mut self, node: &mut Node, name: &str, vain: u32, now: SteadyTime) -> Known {
        if !self.clients.contains_key(name) {
            let service = format!("{name}/get_parameters");
            match node.create_client(&service, QosProfile::services_default()) {
                Ok(client) => {
                    self.clients.insert(name.to_owned(), client);
                }
                Err(error) => {
                    tracing::warn!(%error, service, "a controller cannot be asked");
                    return Known::Silent(now, vain.saturating_add(1));
                }
            }
        }
        let client = self.clients.get(name);
        let available = client.and_then(|client| Node::is_available(client).ok());
        let available = available.map(|wait| wait.map(|told| told.is_ok()).boxed());
        Known::Asking(Asking { available, answers: None, since: now, vain })
    }
}

/// How long after that many questions in vain the next is asked. The client keeps a place for each answer
/// that never comes.
fn again(vain: u32) -> Duration {
    AGAIN.saturating_mul(1 << vain.saturating_sub(1).min(MOST_DOUBLED))
}

/// Moves a question on; `Some` when it has come to an end.
fn step(
    asking: &mut Asking,
    client: Option<&Client<GetParameters::Service>>,
    lane: &LaneConfig,
    now: SteadyTime,
) -> Option<Known> {
    let silent = Known::Silent(now, asking.vain.saturating_add(1));
    if let Some(available) = &mut asking.available {
        match available.now_or_never() {
            Some(_) => {
                asking.available = None;
                asking.since = now;
                asking.answers = client.and_then(request);
                if asking.answers.is_none() {
                    return Some(silent);
                }
            }
            None if now.since(asking.since) >= PATIENCE => {
                // No parameter service: not a ros2_control controller.
                return Some(Known::Told(String::new()));
            }
            None => {}
        }
        return None;
    }
    match asking.answers.as_mut().and_then(FutureExt::now_or_never) {
        Some(answers) => Some(Known::Told(differs(&Told::of(&answers), lane))),
        None => (now.since(asking.since) >= PATIENCE).then_some(silent),
    }
}

/// One request for each name: a service of rclcpp answers nothing at all when one is unknown to it.
fn request(client: &Client<GetParameters::Service>) -> Option<BoxFuture<'static, Answers>> {
    let mut asked = Vec::with_capacity(NAMES.len());
    for name in NAMES {
        let request = GetParameters::Request { names: vec![name.to_owned()] };
        let answer = client.request(&request).ok()?;
        asked.push(answer.map(|answer| answer.ok().and_then(|a| a.values.into_iter().next())));
    }
    Some(join_all(asked).boxed())
}

/// What a controller says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    joints: Vec<String>,
    interfaces: Vec<String>,
}

impl Told {
    fn of(answers: &[Option<ParameterValue>]) -> Self {
        let texts = |name: &str| {
            let at = NAMES.iter().position(|one| *one == name);
            let value = at.and_then(|at| answers.get(at)).and_then(Option::as_ref);
            value.map(texts).unwrap_or_default()
        };
        let commanded = texts("command_joints");
        let joints = if commanded.is_empty() { texts("joints") } else { commanded };
        let mut interfaces = texts("interface_name");
        interfaces.extend(texts("interface_names"));
        interfaces.extend(texts("command_interfaces"));
        interfaces.retain(|name| !name.is_empty());
        Self { joints, interfaces }
    }
}

/// `rcl_interfaces/msg/ParameterType`.
const STRING: u8 = 4;
const STRING_ARRAY: u8 = 9;

fn texts(value: &ParameterValue) -> Vec<String> {
    match value.type_ {
        STRING => vec![value.string_value.clone()],
        STRING_ARRAY => value.string_array_value.clone(),
        _ => Vec::new(),
    }
}

/// The first difference between a controller and its lane; empty: none.
fn differs(told: &Told, lane: &LaneConfig) -> String {
    let order = if has_names(lane) { named_difference(told, lane) } else { placed(told, lane) };
    order.or_else(|| interface(told, lane)).unwrap_or_default()
}

/// Whether commands carry joint names, so that the order does not matter.
const fn has_names(lane: &LaneConfig) -> bool {
    match lane.command_type {
        CommandType::JointState | CommandType::JointTrajectory => true,
        CommandType::Twist | CommandType::TwistStamped | CommandType::Float64MultiArray => false,
        CommandType::Mapped => lane.fields.names.is_some(),
    }
}

fn named_difference(told: &Told, lane: &LaneConfig) -> Option<String> {
    if told.joints.is_empty() {
        return None;
    }
    let missing = lane.dimensions.iter().find(|name| !told.joints.contains(name));
    if let Some(name) = missing {
        return Some(format!("the lane has joint {name}, the controller has not"));
    }
    let more = told.joints.iter().find(|name| !lane.dimensions.contains(name));
    more.map(|name| format!("the controller has joint {name}, the lane has not"))
}

/// Joint by joint in the order of the message's array. What a mapped array has beside the lane's joints,
/// a gripper that is kept, the controller may have, too.
fn placed(told: &Told, lane: &LaneConfig) -> Option<String> {
    if told.joints.is_empty() {
        return None;
    }
    let places = lane.places();
    let (theirs, last) = (told.joints.len(), places.iter().max().map_or(0, |last| last + 1));
    let covered = covered(lane).filter(|_| lane.type_name == ARRAY);
    let (ours, is_open) = (covered.unwrap_or(last), covered.is_none() && may_have_more(lane));
    if theirs != ours && !is_open {
        return Some(format!("the controller has {theirs} joints, the lane {ours}"));
    }
    let mut pairs = lane.dimensions.iter().zip(places);
    pairs.find_map(|(ours, place)| {
        let theirs = told.joints.get(place).map_or("nothing", String::as_str);
        (theirs != ours).then(|| {
            format!("place {place} is joint {theirs} for the controller, {ours} for the lane")
        })
    })
}

/// An array that is exactly as long as what its map names.
const ARRAY: &str = "std_msgs/msg/Float64MultiArray";

/// The length of the commands' array, as far as the map says its end: with a gripper that is kept behind
/// the lane's joints. Not of one that has several quantities, of which the controller's joints are one.
fn covered(lane: &LaneConfig) -> Option<usize> {
    let path = lane.fields.of(lane.interface)?;
    let fixed = lane.fixed.iter().map(|fixed| &fixed.field);
    let names = |path: &Path| -> Vec<String> {
        path.steps().iter().map(|step| step.name.clone()).collect()
    };
    let is_shared =
        lane.fields.quantities().filter(|(_, other)| names(other) == names(path)).count() > 1;
    if is_shared {
        return None;
    }
    let end = |other: &Path| {
        other.steps().iter().find_map(|step| match step.index {
            Index::Range(_, to) => usize::try_from(to).ok(),
            Index::One(at) => usize::try_from(at).ok().map(|at| at.saturating_add(1)),
            Index::All | Index::None => None,
        })
    };
    let beside = lane.keep.iter().chain(fixed).filter(|other| names(other) == names(path));
    let same = std::iter::once(path).chain(beside);
    let ends: Option<Vec<usize>> = same.map(end).collect();
    ends?.into_iter().max()
}

/// Whether the array of another type may be longer than what is known of it.
fn may_have_more(lane: &LaneConfig) -> bool {
    let path = lane.fields.of(lane.interface);
    path.is_some_and(Path::has_range) || !lane.keep.is_empty()
}

fn interface(told: &Told, lane: &LaneConfig) -> Option<String> {
    let ours = match lane.interface {
        Interface::Position => "position",
        Interface::Velocity => "velocity",
        Interface::Effort => "effort",
    };
    if told.interfaces.is_empty() || told.interfaces.iter().any(|name| name == ours) {
        return None;
    }
    let theirs = told.interfaces.join(", ");
    Some(format!("the controller commands {theirs}, the lane {ours}"))
}

#[cfg(test)]
mod tests;
