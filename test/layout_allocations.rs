//! `Layout::find` never allocates: not on success, not on any error. Nor does a codec over it, from
//! decode to encode, checksum and safe message included.
//!
//! An allocator that counts for the thread that asked for it. Every kind of message, whole,
//! truncated at every byte and with every byte changed, goes through one `find`.

#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use interlock::cdr::{
    Arity, Endian, Field, FiniteRule, Kind, Layout, MessageType, Path, Primitive, Selection,
    StructChecksum, Value, encode,
};
use interlock::codec::command::CommandCodec;
use interlock::codec::safe::SafeMessage;
use interlock::config::model::{
    ChecksumConfig, ChecksumKind, CommandType, FieldMap, FixedField, Handover, Interface,
    LaneConfig, LaneMode, OnLimits, Origins, Reliability, ReturnTo, SilenceThen, UnusedElements,
};
use interlock::gate::limits::DimensionLimits;
use interlock::gate::safe::SafeCommand;
use interlock::gate::units::WallTime;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: hands everything on to the system's allocator; counting touches no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, memory: Memory) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, memory) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn field(name: &str, kind: Kind, arity: Arity) -> Field {
    Field { name: name.to_owned(), kind, arity, default: None }
}

/// A type with every sort of step in its program.
fn message() -> Arc<MessageType> {
    let number = |name, primitive, arity| field(name, Kind::Primitive(primitive), arity);
    let inner = Arc::new(MessageType {
        name: "t/msg/Motor".to_owned(),
        fields: vec![
            number("mode", Primitive::U8, Arity::One),
            number("q", Primitive::F32, Arity::One),
            number("spare", Primitive::F64, Arity::Array(2)),
        ],
    });
    Arc::new(MessageType {
        name: "t/msg/Command".to_owned(),
        fields: vec![
            field("name", Kind::String { bound: Some(8) }, Arity::One),
            number("on", Primitive::Bool, Arity::Sequence { bound: Some(4) }),
            field("motors", Kind::Message(Arc::clone(&inner)), Arity::Array(3)),
            field("more", Kind::Message(inner), Arity::Sequence { bound: Some(4) }),
            field("labels", Kind::String { bound: None }, Arity::Sequence { bound: None }),
            field("wide", Kind::WString { bound: None }, Arity::One),
            number("data", Primitive::F64, Arity::Sequence { bound: None }),
        ],
    })
}

#[test]
fn find_allocates_nothing_whatever_the_bytes_are() {
    let message = message();
    let mut value = Value::default_of(&message);
    let mut set = |path: &str, to: Value| {
        value.set(&message, &Path::parse(path).unwrap(), &to).unwrap();
    };
    set("name", "left".into());
    set("on[0..3]", Value::Bool(true));
    set("more[0..2].q", Value::F32(1.0));
    set("labels[0..2]", "ab".into());
    set("wide", Value::WideText(vec![1, 2]));
    set("data[0..5]", Value::F64(1.0));
    let select = |path: &str| Selection {
        path: Path::parse(path).unwrap(),
        max_hits: 3,
        finite: FiniteRule::Check,
    };
    let selections = ["motors[].q", "more[].mode", "labels", "wide", "data[1..3]"].map(select);
    let layout = Layout::compile(&message, &selections, &[]).unwrap();
    let mut found = layout.new_found();
    let (mut walks, mut refusals) = (0_u64, 0_u64);
    let mut walk = |bytes: &[u8]| {
        let before = ALLOCATIONS.get();
        let result = layout.find(bytes, &mut found);
        let allocations = ALLOCATIONS.get() - before;
        assert_eq!(allocations, 0, "{result:?}");
        walks += 1;
        refusals += u64::from(result.is_err());
    };
    let counted = ALLOCATIONS.get();
    drop(Box::new(1));
    assert!(ALLOCATIONS.get() > counted, "the allocator does not count");
    for endian in [Endian::Little, Endian::Big] {
        let bytes = encode(&message, &value, endian).unwrap();
        for length in 0..=bytes.len() {
            walk(&bytes[..length]);
        }
        for place in 0..bytes.len() {
            for byte in [0, 1, 2, 0x7F, 0xFF] {
                let mut changed = bytes.clone();
                changed[place] = byte;
                walk(&changed);
            }
        }
    }
    assert!(refusals > 100 && walks > refusals + 100, "{walks} walks, {refusals} refused");
}

/// A frame of eight motors as a vendor sends it.
fn frame() -> Arc<MessageType> {
    let number = |name, primitive, arity| field(name, Kind::Primitive(primitive), arity);
    let mut fields = vec![number("mode", Primitive::U8, Arity::One)];
    fields.extend(["q", "kp", "kd"].map(|name| number(name, Primitive::F32, Arity::One)));
    let motor = Arc::new(MessageType { name: "t/msg/Motor".to_owned(), fields });
    Arc::new(MessageType {
        name: "t/msg/Frame".to_owned(),
        fields: vec![
            number("machine", Primitive::U8, Arity::One),
            field("motors", Kind::Message(motor), Arity::Array(8)),
            number("grip", Primitive::F64, Arity::One),
            number("pad", Primitive::U32, Arity::One),
            number("crc", Primitive::U32, Arity::One),
        ],
    })
}

fn lane() -> LaneConfig {
    let path = |text: &str| Path::parse(text).unwrap();
    let fixed = |name: &str, field: &str| FixedField {
        name: name.to_owned(),
        field: path(field),
        allowed: vec![0, 1],
        safe: Some(1),
        mirror: None,
    };
    LaneConfig {
        name: "body".to_owned(),
        mode: LaneMode::Gate,
        type_name: "t/msg/Frame".to_owned(),
        fields: FieldMap {
            position: Some(path("motors[].q")),
            kp: Some(path("motors[].kp")),
            kd: Some(path("motors[].kd")),
            ..FieldMap::default()
        },
        keep: vec![path("grip"), path("pad")],
        fixed: vec![fixed("machine", "machine"), fixed("mode", "motors[].mode")],
        allow_non_finite: Vec::new(),
        checksum: Some(ChecksumConfig { field: path("crc"), kind: ChecksumKind::UnitreeCrc32 }),
        unused_elements: UnusedElements::Zero,
        balance: false,
        groups: Vec::new(),
        start_ramp: Duration::ZERO,
        handover: Handover::NONE,
        other_publishers: 0,
        safe_targets: vec![2.0; 6],
        origins: vec![Origins::default(); 6],
        command_type: CommandType::Mapped,
        output: "out".to_owned(),
        reliability: Reliability::Reliable,
        interface: Interface::Position,
        dimensions: (0..6).map(|joint| format!("joint_{joint}")).collect(),
        joint_index: (0..6).collect(),
        partial: false,
        feedback: None,
        controller: None,
        required: true,
        limits: vec![DimensionLimits::default(); 6],
        on_limit: OnLimits::default(),
        standstill: 0.05,
        silence: SilenceThen::Hold,
        independent: false,
        return_to: ReturnTo::Manual,
        safe: SafeCommand::Damping,
        safe_period: Duration::from_millis(10),
        release: Duration::from_secs(1),
        sources: Vec::new(),
    }
}

#[test]
fn a_codec_allocates_nothing_whatever_the_frame_is() {
    let message = frame();
    let mut codec = CommandCodec::new(&lane(), &message, 4096).unwrap();
    let mut safe = SafeMessage::new(&lane(), &message, codec.clone(), 4096).unwrap();
    let mut command = codec.new_command();
    let mut value = Value::default_of(&message);
    let mut set = |path: &str, to: Value| {
        value.set(&message, &Path::parse(path).unwrap(), &to).unwrap();
    };
    set("motors[0..6].q", Value::F32(0.25));
    set("motors[0..6].kp", Value::F32(40.0));
    set("grip", Value::F64(0.5));
    let mut checksum = StructChecksum::unitree_crc32(&message, &Path::parse("crc").unwrap());
    let seal = checksum.as_mut().unwrap();
    let (mut frames, mut refusals) = (0_u64, 0_u64);
    for endian in [Endian::Little, Endian::Big] {
        let bytes = encode(&message, &value, endian).unwrap();
        for place in 0..bytes.len() {
            for (byte, sealed) in [(0, true), (1, true), (0x7F, true), (0xFF, true), (9, false)] {
                let mut frame = bytes.clone();
                frame[place] = byte;
                if sealed && place >= 4 {
                    seal.write(&mut frame, endian).unwrap();
                }
                let before = ALLOCATIONS.get();
                let result = codec.decode(&frame, &mut command);
                if result.is_ok() {
                    command.position.fill(0.125);
                    assert!(codec.encode(&mut frame, &command));
                    safe.remember(&frame, codec.is_complete());
                    for kind in [SafeCommand::Damping, SafeCommand::Freeze { tolerance: 0.1 }] {
                        let out = safe.render(kind, &command.position, &[], WallTime::default());
                        assert!(out.is_some());
                    }
                }
                assert_eq!(ALLOCATIONS.get(), before, "byte {place} is {byte}: {result:?}");
                frames += 1;
                refusals += u64::from(result.is_err());
            }
        }
    }
    assert!(refusals > 100 && frames > refusals + 100, "{frames} frames, {refusals} refused");
}
