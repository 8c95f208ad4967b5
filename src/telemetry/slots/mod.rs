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
mod lists;
mod sensors;
mod table;
mod thread;
mod topics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use cells::{Counter, Flag, Gauge, Level, MaybeCounter, OneOf, SharedCounter, TimestampGauge};
pub use histogram::{BucketSet, GATE, Histogram, PERIOD, Reading, STOP, TRANSPORT};
pub use lists::{
    ArmRefusal, EventKind, LogLevel, LogSink, OfferedDurability, OfferedReliability, ResetRefusal,
    SourceUse, StampAnomaly, StopTrigger, Suppressed, ThreadName,
};
pub use sensors::{BatterySlots, ComponentSlots, SensorSlots, TemperatureSlots};
pub use table::{Labelled, Place, Table};
pub use thread::ThreadSlot;
pub use topics::{TopicPool, TopicSlots, TopicWords};

use crate::config::model::{CommandType, Config, LaneConfig, SourceConfig};
use crate::gate::cause::{Action, Cause};
use crate::gate::condition::ConditionCode;
use crate::gate::lane_state::LaneState;
use crate::gate::state::State;
use crate::gate::units::SteadyTime;
use crate::gate::verdict::{Limit, Reason, Verdict};

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

/// Slots of the node as a whole. Written by the gate thread, refusals by any.
#[derive(Debug)]
pub struct NodeSlots {
    /// Absent until first set; `interlock_latched` is derived from it, so the two cannot disagree.
    pub state: OneOf<State>,
    /// The bit of `~/permit`.
    pub permitted: Flag,
    /// The persisted number.
    pub seq: Level,
    /// Trips by cause.
    pub trips: Table<Cause, Counter>,
    /// The first cause while killed, else none.
    pub trip_cause: OneOf<Cause>,
    /// Causes that are there now.
    pub cause_present: Table<Cause, Flag>,
    /// Causes whose action is `ignore`. Constant.
    pub cause_ignored: Table<Cause, bool>,
    /// Conditions that hold; absent until first evaluated.
    pub conditions: Table<ConditionCode, Flag>,
    /// Resets that took effect.
    pub resets: Counter,
    /// Resets that did not. Any thread.
    pub reset_refusals: Table<ResetRefusal, SharedCounter>,
    /// Arms that took effect.
    pub arms: Counter,
    /// Arms that did not. Any thread.
    pub arm_refusals: Table<ArmRefusal, SharedCounter>,
    /// Of the newest trip of this run.
    pub last_trip: TimestampGauge,
    /// Newest self test of the way of the verbs that passed.
    pub self_test: TimestampGauge,
    /// Trip observed to first safe command handed to the middleware.
    pub stop: Table<StopTrigger, Histogram>,
    /// Record to disk. Written by thread `latch`.
    pub latch_write: Histogram,
    /// Index of [`Identity::profiles`]; none while not armed.
    pub profile: OneOf<usize>,
    /// Factor on velocity limits, 1: none.
    pub derating: Gauge,
    /// Between two ticks.
    pub tick_interval: Histogram,
    /// Steps of the wall clock.
    pub clock_steps: Counter,
    /// Suspends of the machine.
    pub suspends: Counter,
    /// A time service keeps the wall clock; absent where the kernel does not tell. Written by thread
    /// `control`.
    pub clock_synchronized: Flag,
    /// The largest error the wall clock can have, s. Written by thread `control`.
    pub clock_error: Gauge,
    /// `use_sim_time` is on. Constant.
    pub clock_simulated: bool,
    /// Ticks that did not take place in time.
    pub ticks_missed: Counter,
    /// Steady time of the last tick in nanoseconds, 0 before the first. See [`Self::ticked`].
    last_tick: AtomicU64,
}

/// Slots of one lane. Written by the gate thread; the two of its output by whoever audits the
/// graph.
#[derive(Debug)]
pub struct LaneSlots {
    /// Of the lane.
    pub name: String,
    /// In the order of [`LaneConfig::sources`].
    pub sources: Box<[SourceSlots]>,
    /// In the order of [`LaneConfig::dimensions`].
    pub joint_limits: Box<[JointSlots]>,
    /// Take returned to publish called.
    pub residence: Histogram,
    /// Inside publish.
    pub publish: Histogram,
    /// Between two messages toward the controller.
    pub output_interval: Histogram,
    /// Matched readers, absent until measured.
    pub output_subscribers: Level,
    /// Other writers, absent until measured.
    pub output_foreign_publishers: Level,
    /// Index of the source in charge.
    pub owner: OneOf<usize>,
    /// Starts as `released`.
    pub state: OneOf<LaneState>,
}

/// Which limits changed one joint or axis.
#[derive(Debug)]
pub struct JointSlots {
    /// Of the joint or axis.
    pub name: String,
    /// Commands in which the limit changed this joint.
    pub limits: Table<Limit, Counter>,
}

/// Slots of one source. Written by the gate thread.
#[derive(Debug)]
pub struct SourceSlots {
    /// Of the source.
    pub name: String,
    /// For example a checkpoint's name.
    pub revision: String,
    /// What becomes of its commands.
    pub mode: SourceUse,
    /// Commands by verdict: the five add up to what was received.
    pub verdicts: Table<Verdict, Counter>,
    /// Rejections by reason.
    pub reasons: Table<Reason, Counter>,
    /// Limits by kind; one command can count under several.
    pub limits: Table<Limit, Counter>,
    /// Gaps in the publisher's sequence; absent until `lost.add(0)` says that the middleware
    /// numbers messages.
    pub lost: MaybeCounter,
    /// Receipt − header stamp. `None`: the lane's type has no stamp.
    pub age: Option<Histogram>,
    /// Receipt − source timestamp.
    pub transport: Histogram,
    /// Between two commands.
    pub interval: Histogram,
    /// Newest command.
    pub last_received: TimestampGauge,
}

/// Slots of one kill input. Written by the gate thread.
#[derive(Debug)]
pub struct KillInputSlots {
    /// Of the kill input.
    pub name: String,
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
}

impl Slots {
    /// Makes every slot of this configuration.
    #[must_use]
    pub fn new(config: &Config, build: BuildInfo, log: Arc<LogCounts>) -> Arc<Self> {
        let kill_inputs = config.kill_inputs.iter().map(|input| KillInputSlots {
            name: input.name.clone(),
            asserted: Flag::default(),
            lost: Flag::known(false),
            last_received: TimestampGauge::default(),
            self_test: TimestampGauge::default(),
        });
        let feedback = config.feedback.iter().map(|feedback| FeedbackSlots {
            name: feedback.name.clone(),
            last_received: TimestampGauge::default(),
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

impl NodeSlots {
    fn new(config: &Config) -> Self {
        let ignored = |cause: Cause| {
            config.written_actions().any(|written| written == (cause, Action::Ignore))
        };
        let derating = Gauge::default();
        derating.set(1.0);
        Self {
            state: OneOf::default(),
            permitted: Flag::known(false),
            seq: Level::default(),
            trips: Table::default(),
            trip_cause: OneOf::default(),
            cause_present: Table::from_fn(|_| Flag::known(false)),
            cause_ignored: Table::from_fn(ignored),
            conditions: Table::default(),
            resets: Counter::default(),
            reset_refusals: Table::default(),
            arms: Counter::default(),
            arm_refusals: Table::default(),
            last_trip: TimestampGauge::default(),
            self_test: TimestampGauge::default(),
            stop: Table::from_fn(|_| Histogram::new(&STOP)),
            latch_write: Histogram::new(&TRANSPORT),
            profile: OneOf::default(),
            derating,
            tick_interval: Histogram::new(&PERIOD),
            clock_steps: Counter::default(),
            suspends: Counter::default(),
            clock_synchronized: Flag::default(),
            clock_error: Gauge::default(),
            clock_simulated: config.use_sim_time,
            ticks_missed: Counter::default(),
            last_tick: AtomicU64::new(0),
        }
    }

    /// Tells that a tick takes place at `now`: the sign of life that `/livez` looks at, and the
    /// interval since the last one.
    pub fn ticked(&self, now: SteadyTime) {
        // Relaxed: this thread's own last store.
        let before = self.last_tick.load(Ordering::Relaxed);
        if before != 0 {
            self.tick_interval.observe(now.since(SteadyTime::from_nanos(before)));
        }
        // Release: pairs with the Acquire in `last_tick`. Not needed for the number itself; a
        // reader that sees this tick also sees what earlier ticks wrote, so `/livez` never says
        // "alive" beside slots older than that tick.
        self.last_tick.store(now.as_nanos(), Ordering::Release);
    }

    /// When the newest tick took place, `None` before the first.
    #[must_use]
    pub fn last_tick(&self) -> Option<SteadyTime> {
        // Acquire: pairs with the Release in `ticked`.
        let nanos = self.last_tick.load(Ordering::Acquire);
        (nanos != 0).then(|| SteadyTime::from_nanos(nanos))
    }

    /// How long ago the newest tick took place, `None` before the first.
    #[must_use]
    pub fn since_tick(&self, now: SteadyTime) -> Option<Duration> {
        self.last_tick().map(|at| now.since(at))
    }
}

impl LaneSlots {
    fn new(lane: &LaneConfig) -> Self {
        let has_stamp = has_stamp(lane);
        let source = |source: &SourceConfig| SourceSlots::new(lane, source, has_stamp);
        let joint = |name: &String| JointSlots { name: name.clone(), limits: Table::default() };
        let state = OneOf::default();
        state.set(Some(LaneState::Released));
        Self {
            name: lane.name.clone(),
            sources: lane.sources.iter().map(source).collect(),
            joint_limits: lane.dimensions.iter().map(joint).collect(),
            residence: Histogram::new(&GATE),
            publish: Histogram::new(&GATE),
            output_interval: Histogram::new(&PERIOD),
            output_subscribers: Level::default(),
            output_foreign_publishers: Level::default(),
            owner: OneOf::default(),
            state,
        }
    }
}

/// Whether a command of this type carries a header stamp.
fn has_stamp(lane: &LaneConfig) -> bool {
    match lane.command_type {
        CommandType::TwistStamped | CommandType::JointState | CommandType::JointTrajectory => true,
        CommandType::Twist | CommandType::Float64MultiArray => false,
        CommandType::Mapped => lane.fields.stamp.is_some(),
    }
}

impl SourceSlots {
    fn new(lane: &LaneConfig, source: &SourceConfig, has_stamp: bool) -> Self {
        Self {
            name: source.name.clone(),
            revision: source.revision.clone(),
            mode: SourceUse::of(lane.mode, source.mode),
            verdicts: Table::default(),
            reasons: Table::default(),
            limits: Table::default(),
            lost: MaybeCounter::default(),
            age: has_stamp.then(|| Histogram::new(&TRANSPORT)),
            transport: Histogram::new(&TRANSPORT),
            interval: Histogram::new(&PERIOD),
            last_received: TimestampGauge::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fixture;

    #[test]
    fn when_ticks_are_told_expect_interval_and_sign_of_life() {
        let slots = fixture::slots();
        let at = SteadyTime::from_nanos;
        assert_eq!(slots.node.since_tick(at(7)), None);
        slots.node.ticked(at(1_000_000));
        assert_eq!(slots.node.tick_interval.read().count, 0);
        slots.node.ticked(at(11_000_000));
        let reading = slots.node.tick_interval.read();
        assert_eq!((reading.count, reading.sum_nanos), (1, 10_000_000));
        assert_eq!(slots.node.since_tick(at(12_000_000)), Some(Duration::from_millis(1)));
    }

    #[test]
    fn when_a_thread_enters_expect_its_own_number() {
        let slots = fixture::slots();
        assert_eq!(slots.threads.at(ThreadName::Events).id(), None);
        slots.threads.at(ThreadName::Events).enter();
        let id = slots.threads.at(ThreadName::Events).id().unwrap();
        assert!(std::path::Path::new(&format!("/proc/self/task/{id}")).exists());
    }

    #[test]
    fn when_the_type_has_no_stamp_expect_no_age() {
        let slots = fixture::slots();
        assert!(slots.lanes[0].sources.iter().all(|s| s.age.is_none()));
        assert!(slots.lanes[1].sources.iter().all(|s| s.age.is_some()));
    }
}
