//! Any bytes as commands, from the take to the publish: decode, judge, limit in place, encode.
//!
//! Input: one byte chooses the lane; then steps of a head (what, time in ms, two bytes of length) and a
//! message. The gate is armed. A lane of each built-in type, and two of a vendor's low-level type with
//! a checksum, below a balance loop and above one; a frame's checksum is set right where its head asks,
//! so that what lies behind it is reached.
//!
//! - What is forwarded is a command of the lane, inside its limits, as long as what came, with nothing
//!   else changed; it moves no faster than its velocity limit.
//! - What cannot be decoded is not forwarded. A `balance` lane's bytes are never altered.
//! - The safe command is a command of the lane inside its limits, whatever was sent before.

use std::sync::OnceLock;
use std::time::Duration;

use interlock::cdr::{Endian, MessageType, StructChecksum, Value, decode};
use interlock::codec::command::CommandCodec;
use interlock::codec::safe::SafeMessage;
use interlock::config::model::{Interface, LaneConfig};
use interlock::gate::command::Command;
use interlock::gate::core::Gate;
use interlock::gate::lane::LaneGraph;
use interlock::gate::limits::{Bounds, DimensionLimits};
use interlock::gate::publisher::Receipt;
use interlock::gate::state::{BootRecord, State};
use interlock::gate::units::{Moment, SteadyTime, WallTime, at_most};

use super::params::config;
use super::types::named;

const PARAMS: &str = include_str!("command.yaml");
const MAX_STEPS: usize = 24;
const LOCKED: f64 = 1.0e-6;
/// Of a `float32`, and of sums of doubles.
const ROUNDING: f64 = 1.0e-6;

#[derive(Clone)]
struct Lane {
    index: usize,
    config: LaneConfig,
    message: std::sync::Arc<MessageType>,
    codec: CommandCodec,
    safe: SafeMessage,
    command: Command,
    checksum: Option<StructChecksum>,
}

#[derive(Clone)]
struct World {
    gate: Gate,
    lanes: Vec<Lane>,
    now: Moment,
}

impl World {
    fn new() -> Self {
        let config = config(PARAMS).unwrap_or_else(|problems| panic!("{problems}"));
        let now = Moment { steady: SteadyTime::from_nanos(1_000_000_000), ..Moment::default() };
        let gate = Gate::new(config.gate_rules(), BootRecord::Clean, 1, now);
        let lanes = config.lanes.iter().enumerate().map(|(index, lane)| {
            let message = named(&lane.type_name);
            let codec = CommandCodec::new(lane, &message, config.max_message_bytes).expect("it");
            let safe = SafeMessage::new(lane, &message, codec.clone(), config.max_message_bytes);
            let checksum = lane.checksum.as_ref().map(|checksum| {
                StructChecksum::unitree_crc32(&message, &checksum.field).expect("a checksum")
            });
            let command = codec.new_command();
            let safe = safe.expect("a safe message");
            Lane { index, config: lane.clone(), message, codec, safe, command, checksum }
        });
        let lanes = lanes.collect();
        let mut world = Self { gate, lanes, now };
        world.arm();
        world
    }

    fn arm(&mut self) {
        for lane in &self.lanes {
            let graph = LaneGraph { subscribers: 1, controller_reads: true, ..Default::default() };
            self.gate.graph(lane.index, graph);
            // What it waits for, a frame of the joints' pose gives.
            self.gate.safe_waits(lane.index, None);
        }
        for _ in 0..200 {
            self.later(10);
            for lane in &self.lanes {
                if lane.config.feedback.is_some() {
                    let zeros = vec![0.0; lane.config.dimensions.len()];
                    assert!(self.gate.feedback(lane.index, &zeros, &zeros, self.now.steady));
                }
            }
            self.gate.tick(self.now);
        }
        let seq = self.gate.machine().seq();
        self.gate.arm(seq, 0, self.now).unwrap_or_else(|refused| panic!("{refused:?}"));
        assert_eq!(self.gate.machine().state(), State::Active);
    }

    fn later(&mut self, ms: u64) {
        let steady = self.now.steady.after(Duration::from_millis(ms));
        let wall = i64::try_from(steady.as_nanos()).expect("a short time");
        self.now = Moment { steady, wall: WallTime::from_nanos(wall) };
    }
}

/// One input.
pub fn run(data: &[u8]) {
    static WORLD: OnceLock<World> = OnceLock::new();
    let Some((which, mut rest)) = data.split_first() else { return };
    let mut world = WORLD.get_or_init(World::new).clone();
    let which = usize::from(*which) % world.lanes.len();
    // What was last sent, and when.
    let mut sent: Option<Vec<f64>> = None;
    for _ in 0..MAX_STEPS {
        let Some(([what, ms, low, high], more)) = rest.split_first_chunk::<4>() else { return };
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(more.len());
        let (message, more) = more.split_at(length);
        rest = more;
        world.later(u64::from(*ms));
        if what & 0x80 != 0 {
            stop(&mut world, which);
            sent = None;
        }
        let mut bytes = message.to_vec();
        step(&mut world, which, &mut bytes, *what, &mut sent);
    }
}

/// One message from the take to the publish.
fn step(world: &mut World, which: usize, bytes: &mut [u8], what: u8, sent: &mut Option<Vec<f64>>) {
    let now = world.now;
    let lane = &mut world.lanes[which];
    if let (Some(checksum), true, [0, order @ (0 | 1), ..]) =
        (&mut lane.checksum, what & 1 != 0, &*bytes)
    {
        let endian = if *order == 0 { Endian::Big } else { Endian::Little };
        // Where the bytes are too short for one, they stay as they are.
        let _written = checksum.write(bytes, endian);
    }
    let came = bytes.to_vec();
    let source = usize::from(what >> 1) % lane.config.sources.len();
    let receipt = Receipt {
        at: now,
        source_timestamp: Some(now.wall.as_nanos()),
        sequence: None,
        replayed: false,
        publisher: Some([u8::try_from(source).expect("few"); 16]),
    };
    let decoded = lane.codec.decode(bytes, &mut lane.command);
    let is_command = decoded.is_ok();
    let decoded = decoded.map(|()| &mut lane.command);
    let decision = world.gate.judge(lane.index, source, decoded, &receipt).expect("a lane");
    assert!(is_command || !decision.forwards());
    if decision.forwards() {
        if decision.limits.is_empty() {
            assert_eq!(bytes, came, "nobody wrote");
        } else {
            assert!(!lane.config.balance, "a balance lane was altered");
            assert!(lane.codec.encode(bytes, &lane.command), "every number has its place");
            same_but_for_floats(lane, &came, bytes);
        }
        let mut command = lane.codec.new_command();
        lane.codec.clone().decode(bytes, &mut command).expect("what goes out is a command");
        inside(&lane.config, &command);
        moved(&lane.config, &command, sent);
        lane.safe.remember(bytes, lane.codec.is_complete());
    }
    world.gate.conclude(lane.index, source, &decision, now.steady);
    assert!(world.gate.notices().drain().count() < 1_000);
}

/// A tick, and the safe commands that would go out now or, by a burst, later: rendered and judged.
fn stop(world: &mut World, which: usize) {
    world.gate.tick(world.now);
    let lane = &mut world.lanes[which];
    let now = world.now.steady;
    for ahead in [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(60)] {
        let mut values = vec![0.0; lane.config.dimensions.len()];
        let at = (now, now.after(ahead));
        let Some(safe) = world.gate.would_send(lane.index, &mut values, at) else { return };
        let bytes = lane.safe.render(safe.command, safe.values, safe.targets, world.now.wall);
        let Some(bytes) = bytes else { return };
        let mut command = lane.codec.new_command();
        // Its mirrored fields have no feedback here; every other field is a command's.
        lane.codec.clone().decode(bytes, &mut command).expect("a safe command is a command");
        inside(&lane.config, &command);
    }
}

/// The message but for its floats and its last field, where that is the checksum.
fn same_but_for_floats(lane: &Lane, came: &[u8], bytes: &[u8]) {
    assert_eq!(came.len(), bytes.len());
    let tree = |bytes: &[u8]| {
        let mut tree = decode(&lane.message, bytes).expect("it was a message");
        if let (Some(_), Value::Message(fields)) = (&lane.checksum, &mut tree) {
            fields.pop();
        }
        without_floats(&mut tree);
        tree
    };
    assert_eq!(tree(came), tree(bytes));
}

fn without_floats(value: &mut Value) {
    match value {
        Value::F32(number) => *number = 0.0,
        Value::F64(number) => *number = 0.0,
        Value::Message(values) | Value::List(values) => values.iter_mut().for_each(without_floats),
        Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Signed(_)
        | Value::Text(_)
        | Value::WideText(_) => {}
    }
}

/// Every number of a command is one, and inside the lane's limits.
fn inside(lane: &LaneConfig, command: &Command) {
    let count = lane.dimensions.len();
    let bounded = |values: &[f64], bounds: fn(&DimensionLimits) -> Option<Bounds>| {
        for (number, value) in values.iter().enumerate() {
            let dimension = number % count;
            if !command.given[dimension] {
                continue;
            }
            assert!(value.is_finite(), "{value}");
            let limits = &lane.limits[dimension];
            match bounds(limits) {
                _ if limits.locked => assert!(value.abs() <= LOCKED, "{value} of a locked axis"),
                Some(Bounds { min, max }) => assert!(
                    min - ROUNDING <= *value && *value <= max + ROUNDING,
                    "{value} is not in {min}..{max} ({})",
                    lane.dimensions[dimension]
                ),
                None => {}
            }
        }
    };
    bounded(&command.position, |limits| limits.position);
    bounded(&command.velocity, |limits| limits.velocity);
    bounded(&command.effort, |limits| limits.effort.map(|most| Bounds { min: -most, max: most }));
    bounded(&command.kp, |limits| limits.kp.map(|most| Bounds { min: 0.0, max: most }));
    bounded(&command.kd, |limits| limits.kd.map(|most| Bounds { min: 0.0, max: most }));
}

/// From one command to the next a position lane moves at most its velocity for one and a half periods.
fn moved(lane: &LaneConfig, command: &Command, sent: &mut Option<Vec<f64>>) {
    let target = command.points == 1 && command.times.is_empty();
    if lane.interface != Interface::Position || !target || lane.balance || lane.partial {
        return;
    }
    let slowest = lane.sources.iter().map(|source| source.max_rate_hz).fold(f64::INFINITY, at_most);
    if let Some(sent) = sent {
        for ((before, now), limits) in sent.iter().zip(&command.position).zip(&lane.limits) {
            let Some(Bounds { max, .. }) = limits.velocity else { continue };
            let step = (now - before).abs();
            assert!(
                step <= max * 1.5 / slowest + ROUNDING,
                "moved {step} with {max}/s at {slowest} Hz"
            );
        }
    }
    *sent = Some(command.position.clone());
}
