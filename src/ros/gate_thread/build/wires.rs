//! Makes the wires: every reader and writer of the gate with its type, codec and wake bit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BuildError;
use super::audit;
use super::names::Names;
use crate::cdr::Path;
use crate::codec::CodecError;
use crate::codec::command::mirrors_of;
use crate::codec::feedback::{FeedbackCodec, Reads};
use crate::codec::flag::FlagCodec;
use crate::config::model::{Config, FeedbackConfig, FeedbackType, LaneMode};
use crate::ros::gate_thread::cut::Cut;
use crate::ros::gate_thread::lane_io::{LaneIo, newest};
use crate::ros::gate_thread::{FeedbackIo, FeedbackUse, KillInputIo};
use crate::ros::graph::{AuditedLane, ListedInput, listed_table};
use crate::ros::rcl::{
    self, Durability, Node, Publisher, Qos, RclError, Subscription, WakeSet, Waker,
};
use crate::ros::typesupport::{LoadedMessage, load_message};

/// Every message type that the configuration names, loaded once.
pub(super) fn load_types(config: &Config) -> Result<BTreeMap<String, LoadedMessage>, BuildError> {
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
pub(super) const PERMIT_TYPE: &str = "interlock/msg/Permit";
const CUT_TYPE: &str = "std_msgs/msg/Bool";

/// Hands out wake bits one after the other.
pub(super) struct Bits {
    set: Arc<WakeSet>,
    next: usize,
}

impl Bits {
    pub(super) const fn new(set: Arc<WakeSet>) -> Self {
        Self { set, next: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Waker, BuildError> {
        let bit = self.set.waker(self.next).ok_or(BuildError::NoBit)?;
        self.next = self.next.saturating_add(1);
        Ok(bit)
    }
}

/// Everything that is shared while the wires are made.
pub(super) struct Wires<'a> {
    pub(super) config: &'a Config,
    pub(super) node: Arc<Node>,
    pub(super) types: BTreeMap<String, LoadedMessage>,
    pub(super) names: Names,
    pub(super) bits: Bits,
}

impl Wires<'_> {
    pub(super) fn loaded(&self, name: &str) -> Result<&LoadedMessage, BuildError> {
        self.types.get(name).ok_or(BuildError::NoBit)
    }

    pub(super) fn kill_inputs(
        &mut self,
    ) -> Result<(Vec<KillInputIo>, Vec<ListedInput>), BuildError> {
        let (mut inputs, mut lists) = (Vec::new(), Vec::new());
        for input in &self.config.kill_inputs {
            let topic = self.names.next();
            let bit = self.bits.next()?;
            let loaded = self.loaded(&input.type_name)?;
            let subject = || format!("kill input {}", input.name);
            let reader = |reliability, durability| {
                let qos = Qos { reliability, durability, depth: KILL_INPUT_DEPTH };
                let made = Subscription::new(&self.node, loaded.support(), &topic, qos);
                let mut reader = made.map_err(wire_error(subject))?;
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
            let codec = codec.map_err(codec_error(subject))?;
            let (list, listed) = listed_table();
            inputs.push(KillInputIo { readers, bit, codec, listed, is_unread: false });
            lists.push(list);
        }
        Ok((inputs, lists))
    }

    /// The last of the names.
    pub(super) fn cut(&mut self) -> Result<Cut, BuildError> {
        let topic = self.names.next();
        let durability = Durability::TransientLocal;
        let qos = Qos { reliability: rcl::Reliability::Reliable, durability, depth: 1 };
        let support = self.loaded(CUT_TYPE)?.support();
        Ok(Cut::new(Publisher::new(&self.node, support, &topic, qos)?))
    }

    pub(super) fn feedback(&mut self) -> Result<Vec<FeedbackIo>, BuildError> {
        let mut all = Vec::new();
        for (index, feedback) in self.config.feedback.iter().enumerate() {
            let topic = self.names.next();
            let bit = self.bits.next()?;
            let loaded = self.loaded(&feedback.type_name)?;
            let subject = || format!("feedback {}", feedback.name);
            let qos = newest(feedback.reliability);
            let mut subscription = Subscription::new(&self.node, loaded.support(), &topic, qos)
                .map_err(wire_error(subject))?;
            subscription.on_new_message(bit.clone())?;
            let uses = feedback_uses(self.config, index, feedback, loaded);
            let uses = uses.map_err(codec_error(subject))?;
            let guards = (feedback.max_tilt.is_some(), feedback.max_angular_velocity.is_some());
            all.push(FeedbackIo { subscription, bit, uses, guards });
        }
        Ok(all)
    }

    pub(super) fn lanes(&mut self) -> Result<(Vec<LaneIo>, Vec<AuditedLane>), BuildError> {
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
            audited.push(audit::lane(lane, &mut wires, topics));
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

fn wire_error(subject: impl Fn() -> String) -> impl Fn(RclError) -> BuildError {
    move |error| BuildError::Wire { subject: subject(), error: Box::new(error.into()) }
}

pub(super) fn codec_error(subject: impl Fn() -> String) -> impl Fn(CodecError) -> BuildError {
    move |error| BuildError::Wire { subject: subject(), error: Box::new(error.into()) }
}
