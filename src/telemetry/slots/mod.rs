//! The slots: every number that is exported, as an atomic that one thread writes.
//!
//! Built once from the configuration, so every index is resolved before the first command: the
//! writer says `slots.lanes[l].sources[s].verdicts.at(Verdict::Passed).increment()` and nothing is
//! hashed, looked up, locked or allocated. The collector reads the same slots at a scrape.
//!
//! **Invariant:** each slot has one writing thread, named at its struct; what several threads write
//! is a [`SharedCounter`]. Names in here come from the configuration and from closed lists, never
//! from a message.

mod cells;
mod histogram;
mod lanes;
mod lists;
mod node;
mod sensors;
mod table;
mod thread;
mod topics;

use std::sync::Arc;

pub use cells::{Counter, Flag, Gauge, Level, MaybeCounter, OneOf, SharedCounter, TimestampGauge};
pub use histogram::{BucketSet, GATE, Histogram, PERIOD, Reading, STOP, TRANSPORT};
pub use lanes::{JointSlots, LaneSlots, SourceSlots};
pub use lists::{
    ArmRefusal, EventKind, LogLevel, LogSink, OfferedDurability, OfferedReliability, ResetRefusal,
    SourceUse, StampAnomaly, StopTrigger, Suppressed, ThreadName,
};
pub use node::NodeSlots;
pub use sensors::{BatterySlots, ComponentSlots, SensorSlots, TemperatureSlots};
pub use table::{Labelled, Place, Table};
pub use thread::ThreadSlot;
pub use topics::{TopicPool, TopicSlots, TopicWords};

use crate::config::model::{Config, KillAction};
use crate::gate::units::SteadyTime;

/// Log messages, counted by whoever logs.
#[derive(Debug, Default)]
pub struct LogCounts {
    /// By level, those that were lost on the way included.
    pub messages: Table<LogLevel, SharedCounter>,
    /// Those that did not arrive, by where they were to go.
    pub lost: Table<LogSink, SharedCounter>,
}

/// What this program is: `interlock_build_info`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// Of the crate.
    pub version: String,
    /// Of the source tree, `unknown` outside one.
    pub commit: String,
    /// Of the compiler.
    pub rustc: String,
    /// For example `jazzy`, `none` without ROS.
    pub ros_distro: String,
    /// The middleware in use, `none` without ROS.
    pub rmw: String,
}

/// Every slot of the node.
#[derive(Debug)]
pub struct Slots {
    /// State, stops, ticks.
    pub node: NodeSlots,
    /// In the order of [`Config::lanes`].
    pub lanes: Box<[LaneSlots]>,
    /// In the order of [`Config::kill_inputs`].
    pub kill_inputs: Box<[KillInputSlots]>,
    /// In the order of [`Config::feedback`].
    pub feedback: Box<[FeedbackSlots]>,
    /// In the order of [`Config::temperatures`].
    pub temperatures: Box<[TemperatureSlots]>,
    /// In the order of [`Config::batteries`].
    pub batteries: Box<[BatterySlots]>,
    /// Topics watched for telemetry.
    pub topics: TopicPool,
    /// Events, those that were dropped included. Any thread.
    pub events: Table<EventKind, SharedCounter>,
    /// Events that did not fit into the queue and so never reached the log. Any thread.
    pub events_dropped: SharedCounter,
    /// Any thread.
    pub log: Arc<LogCounts>,
    /// Each thread for itself, at its start.
    pub threads: Table<ThreadName, ThreadSlot>,
    /// Constant.
    pub identity: Identity,
}

/// Constant names and digests.
#[derive(Debug)]
pub struct Identity {
    /// `hardware_id`.
    pub hardware_id: String,
    /// Of the effective configuration.
    pub config_sha256: String,
    /// Of this program.
    pub build: BuildInfo,
    /// Names of the limit profiles; [`NodeSlots::profile`] is an index of it.
    pub profiles: Box<[String]>,
}

/// Slots of one kill input. Written by the gate thread.
#[derive(Debug)]
pub struct KillInputSlots {
    /// Of the kill input.
    pub name: String,
    /// What it does when it asserts.
    pub action: KillAction,
    /// Absent until first heard.
    pub asserted: Flag,
    /// Silent for longer than allowed; starts as no.
    pub lost: Flag,
    /// Newest sample.
    pub last_received: TimestampGauge,
    /// Newest self test that passed.
    pub self_test: TimestampGauge,
}

/// Slots of one feedback topic. Written by the gate thread.
#[derive(Debug)]
pub struct FeedbackSlots {
    /// Of the feedback.
    pub name: String,
    /// Newest sample.
    pub last_received: TimestampGauge,
    /// Newest message that a lane could not use: steady time, ns.
    pub unusable_at: Level,
    /// The first lane that could not; absent: none reads joints of it.
    pub unusable_lane: Level,
    /// The first of its joints that was missing; absent: none was.
    pub missing_joint: Level,
    /// The first of its joints with a value that was no finite number; absent: none had one.
    pub not_finite_joint: Level,
    /// It was longer than a message may be: bytes.
    pub too_large: Level,
}

/// What a message lacks that a lane could not use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unusable {
    /// Absent: no lane reads joints of it.
    pub lane: Option<usize>,
    /// The first of the lane's joints that is missing.
    pub missing: Option<usize>,
    /// The first of the lane's joints with a value that is no finite number.
    pub not_finite: Option<usize>,
    /// Its length, where it is longer than a message may be.
    pub too_large: Option<usize>,
}

impl FeedbackSlots {
    /// A message that could not be used.
    pub fn unusable(&self, at: SteadyTime, lacks: Unusable) {
        let index = |level: &Level, of: Option<usize>| match of.map(u64::try_from) {
            Some(Ok(of)) => level.set(of),
            Some(Err(_)) | None => level.forget(),
        };
        index(&self.unusable_lane, lacks.lane);
        index(&self.missing_joint, lacks.missing);
        index(&self.not_finite_joint, lacks.not_finite);
        index(&self.too_large, lacks.too_large);
        self.unusable_at.set(at.as_nanos());
    }
}

impl Slots {
    /// Makes every slot of this configuration.
    #[must_use]
    pub fn new(config: &Config, build: BuildInfo, log: Arc<LogCounts>) -> Arc<Self> {
        let kill_inputs = config.kill_inputs.iter().map(|input| KillInputSlots {
            name: input.name.clone(),
            action: input.action,
            asserted: Flag::default(),
            lost: Flag::known(false),
            last_received: TimestampGauge::default(),
            self_test: TimestampGauge::default(),
        });
        let feedback = config.feedback.iter().map(|feedback| FeedbackSlots {
            name: feedback.name.clone(),
            last_received: TimestampGauge::default(),
            unusable_at: Level::default(),
            unusable_lane: Level::default(),
            missing_joint: Level::default(),
            not_finite_joint: Level::default(),
            too_large: Level::default(),
        });
        Arc::new(Self {
            node: NodeSlots::new(config),
            lanes: config.lanes.iter().map(LaneSlots::new).collect(),
            kill_inputs: kill_inputs.collect(),
            feedback: feedback.collect(),
            temperatures: config.temperatures.iter().map(TemperatureSlots::new).collect(),
            batteries: config.batteries.iter().map(BatterySlots::new).collect(),
            topics: TopicPool::new(&config.monitor),
            events: Table::default(),
            events_dropped: SharedCounter::default(),
            log,
            threads: Table::default(),
            identity: Identity {
                hardware_id: config.hardware_id.clone(),
                config_sha256: config.sha256.clone(),
                build,
                profiles: profiles(config),
            },
        })
    }
}

/// The profiles' names, `full` first.
fn profiles(config: &Config) -> Box<[String]> {
    config.profiles.iter().map(|profile| profile.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fixture;

    #[test]
    fn when_a_thread_enters_expect_its_own_number() {
        let slots = fixture::slots();
        assert_eq!(slots.threads.at(ThreadName::Events).id(), None);
        slots.threads.at(ThreadName::Events).enter();
        let id = slots.threads.at(ThreadName::Events).id().unwrap();
        assert!(std::path::Path::new(&format!("/proc/self/task/{id}")).exists());
    }
}
