//! `Layout::find` never allocates: not on success, not on any error.
//!
//! An allocator that counts for the thread that asked for it. Every kind of message, whole,
//! truncated at every byte and with every byte changed, goes through one `find`.

#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;
use std::sync::Arc;

use interlock::cdr::{
    Arity, Endian, Field, FiniteRule, Kind, Layout, MessageType, Path, Primitive, Selection, Value,
    encode,
};

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
