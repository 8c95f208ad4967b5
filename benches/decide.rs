//! One command from bytes to bytes, without ROS: decode, judge, encode, conclude.
//!
//! Position, velocity and acceleration limits, fence, publisher, rate, state: everything the gate
//! thread does between take and publish.
//!
//! Instructions of one command, which no load of the machine changes: under callgrind with `--count
//! <verdict> <joints> <commands>` (benches/decide.py), it judges exactly that many and nothing else.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::as_conversions,
    reason = "criterion's macros; set-up that cannot fail"
)]

use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group};
use interlock::cdr::{Arity, Endian, Field, Kind, MessageType, Path, Primitive, Value, encode};
use interlock::codec::command::CommandCodec;
use interlock::config::load;
use interlock::gate::command::Command;
use interlock::gate::core::Gate;
use interlock::gate::publisher::Receipt;
use interlock::gate::state::BootRecord;
use interlock::gate::units::{Moment, SteadyTime};

/// A mobile arm, a humanoid, one with hands, and more than anybody has: cost must be linear.
const JOINTS: [usize; 4] = [6, 29, 64, 256];

/// `std_msgs/msg/Float64MultiArray`, as ROS defines it.
fn multi_array() -> Arc<MessageType> {
    let field = |name: &str, kind: Kind, arity: Arity| Field {
        name: name.to_owned(),
        kind,
        arity,
        default: None,
    };
    let message =
        |name: &str, fields: Vec<Field>| Arc::new(MessageType { name: name.to_owned(), fields });
    let u32_ = Kind::Primitive(Primitive::U32);
    let many = Arity::Sequence { bound: None };
    let dimension = message(
        "std_msgs/msg/MultiArrayDimension",
        vec![
            field("label", Kind::String { bound: None }, Arity::One),
            field("size", u32_.clone(), Arity::One),
            field("stride", u32_.clone(), Arity::One),
        ],
    );
    let layout = message(
        "std_msgs/msg/MultiArrayLayout",
        vec![field("dim", Kind::Message(dimension), many), field("data_offset", u32_, Arity::One)],
    );
    let data = field("data", Kind::Primitive(Primitive::F64), many);
    let layout = field("layout", Kind::Message(layout), Arity::One);
    message("std_msgs/msg/Float64MultiArray", vec![layout, data])
}

/// An armed gate with one lane, and a command that the limits change.
struct Bench {
    gate: Gate,
    codec: CommandCodec,
    command: Command,
    bytes: Vec<u8>,
    /// Where the joints' values begin in `bytes`.
    values: usize,
    wave: Wave,
    step: u64,
    now: u64,
}

impl Bench {
    fn new(joints: usize, wave: Wave) -> Self {
        let names: Vec<String> = (0..joints).map(|joint| format!("joint_{joint}")).collect();
        let params = format!(
            "interlock: {{ros__parameters: {{schema: 1, lanes: {{arms: {{\
             type: std_msgs/msg/Float64MultiArray, output: out, interface: position, \
             feedback: joints, joints: [{}], required: false, start_ramp_s: 0.0, \
             limits: {{min_position: -1.0, max_position: 1.0, max_velocity: 2.0, \
             max_acceleration: 20.0}}, safe: {{command: freeze, tolerance: 0.1}}, \
             sources: {{vla: {{topic: in, priority: 10, timeout_s: 0.5, max_rate_hz: 500.0}}}}}}}}, \
             feedback: {{joints: {{type: sensor_msgs/msg/JointState, topic: js, timeout_s: 0.5}}}}}}}}\n",
            names.join(", ")
        );
        let folder = std::env::temp_dir().join(format!("interlock-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{joints}.yaml"));
        std::fs::write(&file, params).unwrap();
        let args = ["--ros-args", "--params-file", file.to_str().unwrap()].map(str::to_owned);
        let (config, _) = load(&args).map_err(|problems| problems.to_string()).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();

        let message = multi_array();
        let codec = CommandCodec::new(&config.lanes[0], &message, 65_536).unwrap();
        let command = codec.new_command();
        let mut value = Value::default_of(&message);
        let data = Value::List(vec![Value::F64(0.0); joints]);
        value.set(&message, &Path::parse("data").unwrap(), &data).unwrap();
        let original = encode(&message, &value, Endian::Little).unwrap();
        let values = original.len() - 8 * joints;
        let mut gate = Gate::new(config.gate_rules(), BootRecord::Clean, 1, Moment::default());
        let mut now = 0;
        let pose = vec![0.0; joints];
        for _ in 0..100 {
            now += 10_000_000;
            let at = Moment { steady: SteadyTime::from_nanos(now), ..Moment::default() };
            assert!(gate.feedback(0, &pose, &pose, at.steady));
            gate.tick(at);
        }
        let at = Moment { steady: SteadyTime::from_nanos(now), ..Moment::default() };
        gate.arm(1, 0, at).expect("every condition holds");
        Self { gate, codec, command, bytes: original, values, wave, step: 0, now }
    }

    /// One command, 2 ms after the last.
    fn one(&mut self) -> bool {
        self.now += Duration::from_millis(2).as_nanos() as u64;
        self.step += 1;
        let target = (self.wave)(self.step).to_le_bytes();
        for value in self.bytes[self.values..].chunks_exact_mut(8) {
            value.copy_from_slice(&target);
        }
        self.judge()
    }

    /// From bytes to bytes: what the instruction count counts.
    #[inline(never)]
    fn judge(&mut self) -> bool {
        let at = Moment { steady: SteadyTime::from_nanos(self.now), ..Moment::default() };
        let receipt = Receipt {
            at,
            source_timestamp: Some(self.now as i64),
            sequence: Some(self.now / 2_000_000),
            replayed: false,
            publisher: Some([7; 16]),
        };
        let decoded = self.codec.decode(&self.bytes, &mut self.command);
        let decoded = decoded.map(|()| &mut self.command);
        let decision = self.gate.judge(0, 0, decoded, &receipt).unwrap();
        let written =
            decision.limits.is_empty() || self.codec.encode(&mut self.bytes, &self.command);
        self.gate.conclude(0, 0, &decision, at.steady);
        for notice in self.gate.notices().drain() {
            std::hint::black_box(notice);
        }
        written && decision.forwards()
    }
}

/// What the commands ask for, in their order of time: every joint the same.
type Wave = fn(u64) -> f64;

/// `still`: the same pose again. `moving`: a swing that needs no limit. `held`: a target beyond the
/// position limit, which is held. `limited`: steps that meet the velocity, acceleration and braking
/// limits in turn, in every command.
fn verdicts() -> [(&'static str, Wave); 4] {
    [
        ("still", |_| 0.0),
        ("moving", |step| 0.15 - 0.15 * (step as f64 * 0.002 * 5.0).cos()),
        ("held", |_| 2.0),
        ("limited", |step| if step / 400 % 2 == 0 { 2.0 } else { -2.0 }),
    ]
}

fn decide(criterion: &mut Criterion) {
    for (verdict, target) in verdicts() {
        let mut group = criterion.benchmark_group(verdict);
        for joints in JOINTS {
            let mut bench = Bench::new(joints, target);
            group.bench_function(BenchmarkId::from_parameter(joints), |bencher| {
                bencher.iter(|| assert!(bench.one()));
            });
        }
    }
}

/// Runs as many commands as the arguments ask for, for a count of instructions.
fn count(mut args: impl Iterator<Item = String>) -> Option<()> {
    let verdict = args.next()?;
    let (_, wave) = verdicts().into_iter().find(|(name, _)| *name == verdict)?;
    let mut bench = Bench::new(args.next()?.parse().ok()?, wave);
    for _ in 0..args.next()?.parse().ok()? {
        assert!(bench.one());
    }
    Some(())
}

criterion_group!(benches, decide);

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--count") {
        count(args).expect("--count <verdict> <joints> <commands>");
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
