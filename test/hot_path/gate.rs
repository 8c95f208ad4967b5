//! The real gate thread in this process, with peers on a node of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
use interlock::clock::{self, Readings};
use interlock::gate::history::Start;
use interlock::gate::snapshot::Snapshot;
use interlock::gate::state::BootRecord;
use interlock::kill_switch::KillSwitch;
use interlock::ros::gate_thread::{Burst, Endpoints, NewLimits, Requests, Verb};
use interlock::ros::graph::GraphAudit;
use interlock::ros::rcl::{
    Context, Node, NodeOptions, Publisher, Qos, SerializedBuffer, Subscription, Waker,
};
use interlock::ros::replies::Replies;
use interlock::ros::typesupport::{LoadedMessage, load_message};
use interlock::telemetry::events::EventLog;
use interlock::telemetry::slots::{BuildInfo, LogCounts, Slots};
use interlock::watchdog::Progress;

use crate::count_this_thread;
use crate::lanes::{LANES, command, config, standing};
use crate::support::{wait_for, wait_for_some};

/// One lane as its neighbours see it.
pub(crate) struct Wires {
    pub(crate) name: &'static str,
    pub(crate) loaded: LoadedMessage,
    pub(crate) high: Arc<Publisher>,
    pub(crate) low: Publisher,
    pub(crate) out: Subscription,
}

impl Wires {
    /// A command of this lane with one number everywhere.
    pub(crate) fn command(&self, number: f64) -> Vec<u8> {
        command(self.name, self.loaded.message(), number)
    }
}

/// The gate thread, running, and everything around it.
pub(crate) struct Gate {
    pub(crate) wires: Vec<Wires>,
    pub(crate) burst: Burst,
    pub(crate) switch: Arc<KillSwitch>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) button: Publisher,
    pub(crate) slots: Arc<Slots>,
    buffer: SerializedBuffer,
    audit: GraphAudit,
    pub(crate) requests: Requests,
    /// Where thread `control` leaves the limits of a robot description.
    pub(crate) limits: Sender<NewLimits>,
    pub(crate) snapshot: triple_buffer::Output<Snapshot>,
    pub(crate) waker: Waker,
    replies: Option<Replies>,
    log: Option<EventLog>,
    thread: Option<JoinHandle<()>>,
    _states: Publisher,
}

impl Gate {
    /// Builds and runs it; returns when it is armed.
    pub(crate) fn armed() -> Self {
        Self::armed_by(clock::readings)
    }

    /// The same with other clocks to watch.
    pub(crate) fn armed_by(clocks: fn() -> Readings) -> Self {
        let config = Arc::new(config());
        let context = Context::new(&["program".to_owned()]).expect("a context");
        let slots = Slots::new(&config, BuildInfo::default(), Arc::new(log_counts()));
        let (events, log) =
            EventLog::start(slots.clone(), Arc::default(), clock::steady).expect("a thread");
        let switch = Arc::new(KillSwitch::default());
        let endpoints = Endpoints {
            config: config.clone(),
            context: context.clone(),
            switch: switch.clone(),
            slots: slots.clone(),
            events,
            start: (Start::of(BootRecord::Clean, 1), clock::now()),
            latch: None,
            notes: Arc::default(),
            clocks,
        };
        let built = endpoints.build().expect("endpoints");
        let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
        let node = Node::new(&context, "peer", "/", options).expect("a node");
        let wires = LANES.map(|(name, kind)| {
            let loaded = load_message(kind).expect("an installed type");
            let publisher = |topic: &str| {
                let topic = format!("/{name}_{topic}");
                Publisher::new(&node, loaded.support(), &topic, Qos::OUTPUT).expect("a publisher")
            };
            let qos = Qos { depth: 100, ..Qos::OUTPUT };
            let topic = format!("/{name}_out");
            let out = Subscription::new(&node, loaded.support(), &topic, qos);
            let out = out.expect("a subscription");
            Wires { name, high: Arc::new(publisher("high")), low: publisher("low"), out, loaded }
        });
        let loaded = load_message("sensor_msgs/msg/JointState").expect("an installed type");
        let states = Publisher::new(&node, loaded.support(), "/states", Qos::OUTPUT);
        let states = states.expect("a publisher");
        let loaded_flag = load_message("std_msgs/msg/Bool").expect("an installed type");
        let button = Publisher::new(&node, loaded_flag.support(), "/button", Qos::OUTPUT);
        let button = button.expect("a publisher");
        let ready = Arc::new(AtomicBool::new(false));
        let started = ready.clone();
        let gate = built.thread;
        let thread = std::thread::spawn(move || {
            count_this_thread();
            started.store(true, Ordering::Release);
            gate.run();
        });
        wait_for("the thread", || ready.load(Ordering::Acquire));
        let mut snapshots = built.snapshots.into_iter();
        let mut gate = Self {
            wires: wires.into(),
            burst: built.burst,
            switch,
            progress: built.progress,
            button,
            slots,
            buffer: SerializedBuffer::with_capacity(65_536).expect("a buffer"),
            audit: built.audit,
            requests: built.requests,
            limits: built.limits,
            snapshot: snapshots.next().expect("a snapshot"),
            waker: built.waker,
            replies: Some(built.replies),
            log: Some(log),
            thread: Some(thread),
            _states: states,
        };
        for wires in &gate.wires {
            wait_for("every wire to match", || {
                wires.high.subscription_count() == Ok(1)
                    && wires.low.subscription_count() == Ok(1)
                    && wires.out.publisher_count() == Ok(1)
            });
        }
        // Three readers, of which every one that the publisher suits.
        wait_for("the button to match", || gate.button.subscription_count().is_ok_and(|n| n >= 2));
        wait_for("the feedback to match", || gate._states.subscription_count() == Ok(1));
        gate._states.publish_serialized(&standing(loaded.message())).expect("a publish");
        gate.arm();
        gate
    }

    /// Arms it, or waits until it can be.
    pub(crate) fn arm(&mut self) {
        wait_for("an arm that is accepted", || {
            self.audit.look().expect("a look at the graph");
            let seq = self.snapshot.read().seq;
            let mut answer =
                self.requests.ask(Verb::Arm { seq, profile: 0 }).expect("a place in the queue");
            let answer = wait_for_some("the answer", || answer.try_recv().expect("an answer"));
            answer.result.is_ok()
        });
    }

    /// Waits until the lane's output carries exactly these bytes.
    pub(crate) fn wait_out(&mut self, lane: usize, bytes: &[u8]) {
        let (out, buffer) = (&mut self.wires[lane].out, &mut self.buffer);
        wait_for("the bytes on the output", || {
            while let Some(_info) = out.take(buffer).expect("a working take") {
                if buffer.bytes() == bytes {
                    return true;
                }
            }
            false
        });
    }

    /// The next message on the lane's output, if one is there.
    pub(crate) fn take(&mut self, lane: usize) -> Option<Vec<u8>> {
        let (out, buffer) = (&mut self.wires[lane].out, &mut self.buffer);
        let taken = out.take(buffer).expect("a working take");
        taken.map(|_| buffer.bytes().to_vec())
    }

    /// The newest copy of the state.
    pub(crate) fn snapshot(&mut self) -> &Snapshot {
        self.snapshot.read()
    }

    /// A count of one source, by verdict.
    pub(crate) fn count(&mut self, lane: usize, source: usize, count: Count) -> u64 {
        let counts = &self.snapshot.read().lanes[lane].sources[source].counts;
        counts[count.index()]
    }
}

pub(crate) type Count = interlock::gate::verdict::Verdict;

fn log_counts() -> LogCounts {
    LogCounts::default()
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.switch.shut_down();
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the gate thread does not panic");
        }
        drop(self.replies.take());
        if let Some(log) = self.log.take() {
            log.stop();
        }
    }
}
