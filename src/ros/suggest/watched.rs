//! One topic under observation: what goes over it, summed up message by message.

use std::collections::{BTreeMap, BTreeSet};

use super::{Range, SuggestError};
use crate::cdr::{Path, Value};
use crate::clock;
use crate::config::model::CommandType;
use crate::gate::publisher::Gid;
use crate::gate::units::SteadyTime;
use crate::ros::rcl::{SerializedBuffer, Subscription};
use crate::ros::typesupport::LoadedMessage;

/// Most joints of a topic that are looked at.
const MOST_JOINTS: usize = 1024;

/// Most sets of joints that come in one message, of a topic.
const MOST_SETS: usize = 16;

/// What a topic is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Command(CommandType),
    JointState,
    Odometry,
    Description,
}

/// One topic under observation.
pub(super) struct Watched {
    pub(super) topic: String,
    pub(super) usage: Use,
    loaded: LoadedMessage,
    subscription: Subscription,
    pub(super) seen: Seen,
}

/// First and last message, and how many.
#[derive(Clone, Copy)]
pub(super) struct Flow {
    count: u32,
    first: SteadyTime,
    last: SteadyTime,
}

impl Flow {
    pub(super) fn rate_hz(self) -> Option<f64> {
        let span = self.last.since(self.first).as_secs_f64();
        (self.count > 1 && span > 0.0).then(|| f64::from(self.count.saturating_sub(1)) / span)
    }
}

/// What came, summed up.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) all: Option<Flow>,
    pub(super) writers: BTreeMap<Gid, Flow>,
    pub(super) names: Vec<String>,
    /// The joints that came in one message, by their places in `names`.
    pub(super) together: BTreeSet<Vec<usize>>,
    pub(super) count: usize,
    pub(super) position: Vec<Option<Range>>,
    pub(super) velocity: Vec<Option<Range>>,
    pub(super) has_effort: bool,
    pub(super) text: Option<String>,
}

impl Watched {
    pub(super) fn new(
        topic: String,
        usage: Use,
        loaded: LoadedMessage,
        subscription: Subscription,
    ) -> Self {
        Self { topic, usage, loaded, subscription, seen: Seen::default() }
    }

    /// Takes what is in the queue.
    pub(super) fn look(&mut self, buffer: &mut SerializedBuffer) -> Result<(), SuggestError> {
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
                let places = self.seen.places(self.texts(value, "name"));
                let (position, velocity) =
                    (self.numbers(value, "position"), self.numbers(value, "velocity"));
                widen(&mut self.seen.position, &at_places(&position, &places));
                widen(&mut self.seen.velocity, &at_places(&velocity, &places));
                self.seen.has_effort |= !self.numbers(value, "effort").is_empty();
            }
            Use::Command(CommandType::JointTrajectory) => {
                let places = self.seen.places(self.texts(value, "joint_names"));
                for (path, velocity) in
                    [("points[].positions", false), ("points[].velocities", true)]
                {
                    let all = self.numbers(value, path);
                    for point in all.chunks(places.len().max(1)) {
                        let seen = &mut self.seen;
                        let ranges = if velocity { &mut seen.velocity } else { &mut seen.position };
                        widen(ranges, &at_places(point, &places));
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

impl Seen {
    /// The place of each of these joints: several publishers may tell of a few each, in any order.
    fn places(&mut self, names: Vec<String>) -> Vec<usize> {
        let mut places = Vec::with_capacity(names.len());
        for name in names.into_iter().take(MOST_JOINTS) {
            let place = self.names.iter().position(|known| *known == name);
            let is_new = place.is_none() && self.names.len() < MOST_JOINTS;
            places.push(place.unwrap_or(self.names.len()));
            if is_new {
                self.names.push(name);
            }
        }
        self.count = self.names.len();
        if self.together.len() < MOST_SETS {
            let mut set = places.clone();
            set.sort_unstable();
            self.together.insert(set);
        }
        places
    }
}

impl Seen {
    /// The names of each set of joints that came in one message.
    pub(super) fn sets(&self) -> Vec<Vec<String>> {
        let name = |place: &usize| self.names.get(*place).cloned();
        self.together.iter().map(|places| places.iter().filter_map(name).collect()).collect()
    }
}

/// Each value at its place, no number elsewhere; without places as they came.
fn at_places(values: &[f64], places: &[usize]) -> Vec<f64> {
    if places.is_empty() {
        return values.to_vec();
    }
    let mut all = vec![f64::NAN; places.iter().max().map_or(0, |most| most.saturating_add(1))];
    for (value, place) in values.iter().zip(places) {
        if let Some(at) = all.get_mut(*place) {
            *at = *value;
        }
    }
    all
}

/// Makes room for values; what is not a number is left out, and keeps its place.
fn widen(ranges: &mut Vec<Option<Range>>, values: &[f64]) {
    if ranges.len() < values.len() {
        ranges.resize(values.len(), None);
    }
    for (range, value) in ranges.iter_mut().zip(values).filter(|(_, value)| value.is_finite()) {
        let seen = range.get_or_insert(Range { min: *value, max: *value });
        if *value < seen.min {
            seen.min = *value;
        }
        if *value > seen.max {
            seen.max = *value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_two_publishers_tell_of_different_joints_expect_each_range_at_its_joint() {
        let mut seen = Seen::default();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (joints, values) in
            [(vec!["left", "right"], [80.0, 90.0]), (vec!["elbow", "left"], [0.5, 70.0])]
        {
            let places = seen.places(names(&joints));
            widen(&mut seen.position, &at_places(&values, &places));
        }
        assert_eq!((seen.names, seen.count), (names(&["left", "right", "elbow"]), 3));
        let range = |min, max| Some(Range { min, max });
        assert_eq!(seen.position, [range(70.0, 80.0), range(90.0, 90.0), range(0.5, 0.5)]);
        assert_eq!(at_places(&[1.0], &[]), [1.0]);
    }

    #[test]
    fn when_a_value_is_no_number_expect_the_others_at_their_places() {
        let mut ranges = Vec::new();
        widen(&mut ranges, &[f64::NAN, 0.5]);
        widen(&mut ranges, &[f64::NAN, -0.5, 2.0]);
        let range = |min, max| Some(Range { min, max });
        assert_eq!(ranges, [None, range(-0.5, 0.5), range(2.0, 2.0)]);
    }
}
