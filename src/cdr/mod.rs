//! Message bytes: what a type looks like in CDR, where its fields are, and how to read and write them.
//!
//! Nothing about a vendor's messages is compiled in. A [`MessageType`] comes from introspection at
//! start-up; a [`Layout`] is compiled from it once, for the fields that the configuration names by
//! [`Path`]; from then on [`Layout::find`] walks each received message and says where those fields
//! are, so that they are read and overwritten in the received buffer and everything else goes
//! through bit for bit. [`encode()`] and [`decode()`] make and take apart whole messages; they allocate
//! and belong to start-up and tests.
//!
//! **Invariant:** no read or write outside the bytes given, whatever the bytes are.
//! **Invariant:** [`Layout::find`] never allocates, on success or on error.
//! **Invariant:** this module knows no ROS, no clock, no thread and no file.
//!
//! The bytes are classic CDR (XCDR1 plain) as Fast DDS writes it: a four-byte encapsulation header,
//! then the fields, each aligned to its own size counted from byte 4. Big and little endian.

mod access;
mod checksum;
mod cursor;
mod decode;
mod encode;
mod fit;
mod layout;
mod path;
mod schema;
mod value;

pub use access::{
    Rounding, Stamp, read_f64, read_floats, read_i64, read_stamp, read_u64, write_f64,
    write_floats, write_i64, write_rounded, write_stamp, write_u64,
};
pub use checksum::{ChecksumProblem, StructChecksum};
pub use cursor::{Endian, Malformed};
pub use decode::decode;
pub use encode::{EncodeError, encode};
pub use layout::{
    FiniteRule, Found, Hit, Layout, LayoutError, LayoutProblem, Leaf, Selection, SlotKind,
};
pub use path::{Index, InvalidPath, Path, PathProblem, Step};
pub use schema::{Arity, DUMMY_MEMBER, Field, Kind, MessageType, Primitive};
pub use value::{SetError, SetProblem, Value};

#[cfg(test)]
mod tests;
