//! Codec and gate alone: every verdict of every type, and every safe command.

use std::time::Duration;

use interlock::codec::command::CommandCodec;
use interlock::codec::safe::SafeMessage;
use interlock::gate::cause::Cause;
use interlock::gate::command::Command;
use interlock::gate::core::Gate;
use interlock::gate::lane::LaneGraph;
use interlock::gate::machine::{Report, Subject};
use interlock::gate::publisher::Receipt;
use interlock::gate::state::BootRecord;
use interlock::gate::units::{Moment, SteadyTime, WallTime};
use interlock::gate::verdict::Verdict;
use interlock::ros::typesupport::load_message;

use crate::lanes::{JOINTS, LANES, command, config};
use crate::support::isolated;
use crate::{allocations, count_this_thread};

/// Sources of each lane, by descending priority.
const HIGH: usize = 0;
const LOW: usize = 1;

struct Lane {
    codec: CommandCodec,
    safe: SafeMessage,
    command: Command,
    still: Vec<u8>,
    moving: Vec<u8>,
    beyond: Vec<u8>,
    not_a_number: Vec<u8>,
}

struct Path {
    gate: Gate,
    lanes: Vec<Lane>,
    now: Moment,
    messages: u64,
}

impl Path {
    /// Takes to publish of one message, as the gate thread does it.
    fn serve(&mut self, index: usize, source: usize, bytes: &mut [u8]) -> Verdict {
        self.later();
        let receipt = Receipt {
            at: self.now,
            source_timestamp: Some(self.now.wall.as_nanos()),
            sequence: None,
            publisher: Some([u8::try_from(source).expect("two sources"); 16]),
            replayed: false,
        };
        let lane = &mut self.lanes[index];
        let decoded = lane.codec.decode(bytes, &mut lane.command);
        let decoded = decoded.map(|()| &mut lane.command);
        let decision = self.gate.judge(index, source, decoded, &receipt).expect("a lane");
        if decision.forwards() {
            if !decision.limits.is_empty() {
                assert!(lane.codec.encode(bytes, &lane.command));
            }
            lane.safe.remember(bytes, lane.codec.is_complete());
        }
        self.gate.conclude(index, source, &decision, receipt.at.steady);
        self.messages += 1;
        decision.verdict
    }

    /// One tick with every safe command that is due, and the notices told.
    fn tick(&mut self) -> usize {
        self.later();
        self.gate.tick(self.now);
        let mut rendered = 0;
        for index in 0..self.lanes.len() {
            let Some(safe) = self.gate.take_safe(index, self.now.steady) else { continue };
            let lane = &mut self.lanes[index];
            assert!(
                lane.safe.render(safe.command, safe.values, safe.targets, self.now.wall).is_some()
            );
            rendered += 1;
        }
        assert!(self.gate.notices().drain().count() < 1_000);
        rendered
    }

    fn later(&mut self) {
        let nanos = self.now.steady.as_nanos() + 10_000_000;
        self.now.steady = SteadyTime::from_nanos(nanos);
        self.now.wall = WallTime::from_nanos(i64::try_from(nanos).expect("a small time"));
    }

    /// Feedback, the graph and ticks until everything holds.
    fn settle(&mut self) {
        let zeros = [0.0; JOINTS];
        for lane in 0..self.lanes.len() {
            let graph = LaneGraph { subscribers: 1, controller_reads: true, ..Default::default() };
            self.gate.graph(lane, graph);
        }
        for _ in 0..20 {
            self.later();
            for lane in 0..3 {
                assert!(self.gate.feedback(lane, &zeros, &zeros, self.now.steady));
            }
            self.tick();
        }
    }
}

fn path() -> Path {
    let config = config();
    let now = Moment { steady: SteadyTime::from_nanos(1_000_000_000), ..Moment::default() };
    let gate = Gate::new(config.gate_rules(), BootRecord::Clean, 1, now);
    let lanes = config.lanes.iter().zip(LANES).map(|(lane, (name, kind))| {
        assert_eq!(lane.name, name);
        let loaded = load_message(kind).expect("an installed type");
        let message = loaded.message();
        let codec = CommandCodec::new(lane, message, config.max_message_bytes).expect("a codec");
        let safe = SafeMessage::new(lane, message, codec.clone(), config.max_message_bytes);
        Lane {
            command: codec.new_command(),
            codec,
            safe: safe.expect("a safe message"),
            still: command(name, message, 0.0),
            moving: command(name, message, 0.25),
            beyond: command(name, message, 5.0),
            not_a_number: command(name, message, f64::NAN),
        }
    });
    Path { lanes: lanes.collect(), gate, now, messages: 0 }
}

/// How often each lane gave each verdict.
type Seen = [[u32; 5]; 5];

/// Every verdict of one lane, without an allocation. The first lane also arms.
fn every_verdict(path: &mut Path, lane: usize, seen: &mut [u32; 5]) -> usize {
    // Buffers of the caller's, as rcl's is; cloned outside what is counted.
    let Lane { still, moving, beyond, not_a_number, .. } = &path.lanes[lane];
    let mut buffers = [moving, moving, beyond, not_a_number, still].map(Vec::clone);
    let counted = allocations();
    let [withheld, passed, limited, rejected, still] = &mut buffers;
    let mut note = |verdict: Verdict| seen[verdict.index()] += 1;
    note(path.serve(lane, HIGH, withheld));
    if lane == 0 {
        let seq = path.gate.machine().seq();
        path.gate.arm(seq, 0, path.now).expect("an arm");
    }
    // Armed by the first lane: the others' first command has passed already.
    note(path.serve(lane, HIGH, passed));
    note(path.serve(lane, HIGH, limited));
    note(path.serve(lane, HIGH, rejected));
    for bytes in [&[0_u8, 1, 0, 0][..], &[], &[0xFF; 100]] {
        let mut garbage = [0; 100];
        garbage[..bytes.len()].copy_from_slice(bytes);
        note(path.serve(lane, HIGH, &mut garbage[..bytes.len()]));
    }
    note(path.serve(lane, LOW, still));
    let safe = path.tick();
    assert_eq!(allocations(), counted, "{}", LANES[lane].0);
    safe
}

/// A stop, with every lane's safe command, and a reset, without an allocation.
fn stop(path: &mut Path, seen: &mut Seen) -> usize {
    let counted = allocations();
    path.gate.kill(Report::plain(Cause::KillService, Subject::Node), path.now);
    for (lane, seen) in seen.iter_mut().enumerate() {
        let mut buffer = [0; 4096];
        let moving = &path.lanes[lane].moving;
        let length = moving.len();
        buffer[..length].copy_from_slice(moving);
        let verdict = path.serve(lane, HIGH, &mut buffer[..length]);
        assert_eq!(verdict, Verdict::Withheld);
        seen[verdict.index()] += 1;
    }
    let safe = (0..5).map(|_| path.tick()).sum();
    let seq = path.gate.machine().seq();
    path.gate.reset(seq, path.now).expect("a reset");
    path.now.steady = path.now.steady.after(Duration::from_secs(2));
    path.tick();
    assert_eq!(allocations(), counted, "kill, reset and safe commands");
    safe
}

#[test]
fn from_take_to_publish_nothing_is_allocated_for_any_verdict_of_any_type() {
    isolated("pure::from_take_to_publish_nothing_is_allocated_for_any_verdict_of_any_type", || {
        let mut path = path();
        let mut seen = Seen::default();
        count_this_thread();
        let before = allocations();
        drop(Box::new(1));
        assert_eq!(allocations(), before + 1, "the allocator does not count");
        let mut safe = 0;
        for _ in 0..3 {
            path.settle();
            for (lane, seen) in seen.iter_mut().enumerate() {
                safe += every_verdict(&mut path, lane, seen);
            }
            safe += stop(&mut path, &mut seen);
        }
        for (counts, (name, _)) in seen.iter().zip(LANES) {
            for (verdict, count) in Verdict::ALL.iter().zip(counts) {
                assert!(*count > 0, "{name} was never {verdict:?}: {seen:?}");
            }
        }
        assert!(safe > 50, "{safe} safe commands, {} messages", path.messages);
    });
}
