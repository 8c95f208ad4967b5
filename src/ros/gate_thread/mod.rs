//! Thread `gate`: everything between a command arriving and the verdict leaving.
//!
//! ```text
//! rcl take → decode in place → fence → source → rate → check → limit → state → encode → rcl publish
//! ```
//!
//! It parks until the next deadline; rcl's callbacks and other threads set a bit and unpark it. At
//! each wake it looks at kills from other threads, kill inputs and the kill service, then at most at
//! one command of each source, then again from the start until nothing is left.
//!
//! **Invariants:** no rcl wait set; no lock and no allocation of ours from take to publish; nothing
//! is formatted or written here; kills are looked at before any command and once more directly
//! before each publish; a reply never waits here.

mod build;
mod burst;
mod commands;
mod cut;
mod kills;
mod lane_io;
mod latch;
mod looks;
mod monitor_age;
mod record;
mod requests;
mod self_test;
mod ticks;
mod watched;

use std::sync::Arc;

use crossbeam_channel::Receiver;
use r2r::std_srvs::srv::Trigger;

pub(crate) use self::build::NODE_NAME;
pub use self::build::{BuildError, Built, Endpoints};
pub use self::burst::Burst;
use self::burst::Prepared;
use self::cut::Cut;
use self::lane_io::LaneIo;
pub use self::lane_io::WireError;
use self::latch::LatchIo;
pub use self::requests::{Answer, Denied, NotAsked, Request, Requests, Verb};
use self::self_test::SelfTestIo;
use self::watched::Watched;
use crate::clock::{self, Readings};
use crate::codec::feedback::FeedbackCodec;
use crate::codec::flag::FlagCodec;
use crate::codec::permit::PermitCodec;
use crate::config::model::Config;
use crate::gate::core::Gate;
use crate::gate::limits::DimensionLimits;
use crate::gate::snapshot::Snapshot;
use crate::gate::state::State;
use crate::gate::stop::LONGEST_RAMP;
use crate::gate::units::{Moment, SteadyTime};
use crate::kill_switch::{KillCount, KillSwitch};
use crate::ros::graph::{GraphFacts, ListedOutput};
use crate::ros::rcl::{self, Publisher, SerializedBuffer, Subscription, WakeSet, Waker};
use crate::ros::replies::ReplySender;
use crate::ros::sensor_facts::SensorFacts;
use crate::telemetry::decisions::DecisionTap;
use crate::telemetry::events::EventSender;
use crate::telemetry::slots::{Slots, StopTrigger, ThreadName};
use crate::watchdog::Progress;

/// One kill input's wires.
struct KillInputIo {
    /// The first also gets what was published before it was there.
    readers: [Subscription; 3],
    bit: Waker,
    codec: FlagCodec,
    /// Who is on its topic, from the audit.
    listed: ListedOutput,
    /// The last look at a reader failed.
    is_unread: bool,
}

/// One feedback topic's wires, with a codec for each use of it.
struct FeedbackIo {
    subscription: Subscription,
    bit: Waker,
    uses: Vec<FeedbackUse>,
    /// The body's angle and turning are guarded, so that both must be told.
    guards: (bool, bool),
}

/// One use of a feedback topic.
struct FeedbackUse {
    codec: FeedbackCodec,
    /// The lane; none where only the body is read.
    lane: Option<usize>,
    /// The lane's mirrors that this topic feeds, by number, in the codec's order.
    mirrors: Vec<usize>,
}

/// Bits that have been set and not yet served.
struct Pending {
    set: Arc<WakeSet>,
    words: Vec<u64>,
}

impl Pending {
    fn collect(&mut self) {
        for (index, word) in self.words.iter_mut().enumerate() {
            *word |= self.set.take_bits(index);
        }
    }

    fn is_set(&self, bit: &Waker) -> bool {
        self.words.get(bit.word()).is_some_and(|word| word & bit.mask() != 0)
    }

    fn clear(&mut self, bit: &Waker) {
        if let Some(word) = self.words.get_mut(bit.word()) {
            *word &= !bit.mask();
        }
    }
}

/// The thread's whole state.
pub struct GateThread {
    config: Arc<Config>,
    gate: Gate,
    lanes: Vec<LaneIo>,
    kill_inputs: Vec<KillInputIo>,
    feedback: Vec<FeedbackIo>,
    kill_service: rcl::Requests<Trigger::Service>,
    kill_bit: Waker,
    replies: ReplySender,
    permit: PermitCodec,
    permit_publisher: Arc<Publisher>,
    /// What the last permit said.
    permit_told: bool,
    buffer: SerializedBuffer,
    pending: Pending,
    switch: Arc<KillSwitch>,
    progress: Arc<Progress>,
    kills_seen: KillCount,
    requests: Receiver<Request>,
    latch: LatchIo,
    facts: Arc<GraphFacts>,
    sensors: Arc<SensorFacts>,
    snapshots: Vec<triple_buffer::Input<Snapshot>>,
    slots: Arc<Slots>,
    events: EventSender,
    prepared: Prepared,
    decisions: DecisionTap,
    watched: Watched,
    clocks: fn() -> Readings,
    self_test: SelfTestIo,
    /// `None`: nobody is asked to cut power.
    cut: Option<Cut>,
    new_limits: Receiver<NewLimits>,
    scratch: Vec<f64>,
    /// A stop that no safe command has answered yet.
    stopping: Option<(StopTrigger, SteadyTime)>,
    next_tick: SteadyTime,
    ends_at: Option<SteadyTime>,
}

impl GateThread {
    /// Runs until shutdown. Returns when the stop has been published for `shutdown_stop_s`, and every
    /// ramp to zero is over.
    pub fn run(mut self) {
        // Bits set before the bind stay set; the first turn looks at all of them.
        if self.pending.set.bind(std::thread::current()).is_err() {
            return;
        }
        self.slots.threads.at(ThreadName::Gate).enter();
        let now = clock::now();
        // Building the endpoints took a while; no tick was missed in it.
        self.gate.resume(now.steady);
        self.next_tick = now.steady;
        loop {
            self.progress.step();
            let worked = self.turn();
            if self.has_ended() {
                self.progress.end();
                return;
            }
            if !worked {
                self.park();
            }
        }
    }

    /// One look at everything. Returns whether there may be more to do at once.
    fn turn(&mut self) -> bool {
        self.pending.collect();
        let now = clock::now();
        let mut worked = self.take_kills(now);
        if self.stood_still(now) {
            self.tick(now);
        }
        if worked {
            self.publish_safe(clock::now());
        }
        worked |= self.take_requests(now);
        let was_active = self.gate.machine().state() == State::Active;
        self.take_feedback(now);
        if was_active {
            self.note_stop(now);
        }
        worked |= self.take_commands();
        let now = clock::now();
        if now.steady >= self.next_tick {
            self.tick(now);
        }
        self.publish_safe(now);
        self.persist(now.steady);
        self.tell(now);
        worked
    }

    fn park(&self) {
        let now = clock::steady();
        let mut until = self.next_tick;
        let deadlines = self.gate.next_safe().into_iter().chain(self.next_tokens());
        for deadline in deadlines {
            if deadline < until {
                until = deadline;
            }
        }
        let wait = until.since(now);
        if !wait.is_zero() {
            std::thread::park_timeout(wait);
        }
    }

    /// When sources that were left in their queues may be looked at again.
    fn next_tokens(&self) -> impl Iterator<Item = SteadyTime> + '_ {
        self.lanes.iter().enumerate().flat_map(move |(lane, io)| {
            let waiting = io.sources.iter().enumerate();
            waiting
                .filter(|(_, source)| self.pending.is_set(&source.bit))
                .filter_map(move |(source, _)| self.gate.next_take(lane, source))
        })
    }

    fn has_ended(&self) -> bool {
        let now = clock::steady();
        self.ends_at.is_some_and(|ends| {
            now >= ends && (!self.gate.is_slowing() || now >= ends.after(LONGEST_RAMP))
        })
    }

    /// Copies the state for other threads.
    fn publish_snapshots(&mut self, now: Moment) {
        for snapshot in &mut self.snapshots {
            self.gate.fill(snapshot.input_buffer_mut(), now);
            snapshot.publish();
        }
    }
}

/// Limits of every lane, from a robot description.
pub type NewLimits = Vec<Vec<DimensionLimits>>;

/// What a drained command counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drain {
    /// As any command: before an arm, it is withheld and moves the fence.
    Judged,
    /// Refused: it waited while the gate stood still.
    Fenced,
}
