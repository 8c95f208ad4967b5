//! The header stamp of a message of any type, found through its layout.
//!
//! Only the type's beginning is compiled, up to the stamp: the walk ends there, so a point cloud
//! costs as little as a twist, and a NaN in it is nobody's business here.

use std::sync::Arc;

use crate::cdr::{
    Field, FiniteRule, Found, Kind, Layout, MessageType, Path, Selection, SlotKind, read_stamp,
};

const HEADER: &str = "std_msgs/msg/Header";
const TIME: &str = "builtin_interfaces/msg/Time";

/// Finds the stamp of one type.
#[derive(Debug)]
pub(super) struct StampReader {
    layout: Layout,
    found: Found,
}

impl StampReader {
    /// `None`: the type has neither `header` nor `stamp`.
    pub(super) fn new(message: &MessageType) -> Option<Self> {
        let (place, field) =
            message.fields.iter().enumerate().find(|(_, field)| is_stamped(field))?;
        let mut fields: Vec<Field> = message.fields.get(..place)?.to_vec();
        let (path, last) = match &field.kind {
            Kind::Message(header) if header.name == HEADER => {
                let stamp = header.field("stamp")?.clone();
                let short = MessageType { name: HEADER.to_owned(), fields: vec![stamp] };
                let short = Field { kind: Kind::Message(Arc::new(short)), ..field.clone() };
                (format!("{}.stamp", field.name), short)
            }
            Kind::Message(_) | Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. } => {
                (field.name.clone(), field.clone())
            }
        };
        // What stands before the stamp may hold floats that mean "not set".
        let before = fields.iter().filter_map(|field| field.name.parse::<Path>().ok());
        let before: Vec<Path> = before.collect();
        fields.push(last);
        let short = Arc::new(MessageType { name: message.name.clone(), fields });
        let path: Path = path.parse().ok()?;
        let selections = [Selection { path, max_hits: 1, finite: FiniteRule::Leave }];
        let layout = Layout::compile(&short, &selections, &before)
            .or_else(|_| Layout::compile(&short, &selections, &[]))
            .ok()?;
        let is_stamp = layout.kind(0) == Some(SlotKind::Stamp);
        is_stamp.then(|| Self { found: layout.new_found(), layout })
    }

    /// Nanoseconds since the epoch; `None`: the bytes are not of this type.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<i64> {
        self.layout.find(bytes, &mut self.found).ok()?;
        let hit = self.found.hits(0).first()?;
        let stamp = read_stamp(bytes, self.found.endian(), hit.offset)?;
        i64::from(stamp.sec).checked_mul(1_000_000_000)?.checked_add(i64::from(stamp.nanosec))
    }
}

fn is_stamped(field: &Field) -> bool {
    let is = |kind: &Kind, name: &str| match kind {
        Kind::Message(message) => message.name == name,
        Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. } => false,
    };
    let is_one = field.arity == crate::cdr::Arity::One;
    is_one && (is(&field.kind, HEADER) || (field.name == "stamp" && is(&field.kind, TIME)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdr::{Arity, Endian, Primitive, Value, encode};

    fn one(name: &str, kind: Kind) -> Field {
        Field { name: name.to_owned(), kind, arity: Arity::One, default: None }
    }

    fn message(name: &str, fields: Vec<Field>) -> Arc<MessageType> {
        Arc::new(MessageType { name: name.to_owned(), fields })
    }

    fn header() -> Kind {
        let sec = one("sec", Kind::Primitive(Primitive::I32));
        let nanosec = one("nanosec", Kind::Primitive(Primitive::U32));
        let stamp = one("stamp", Kind::Message(message(TIME, vec![sec, nanosec])));
        Kind::Message(message(HEADER, vec![stamp, one("frame_id", Kind::String { bound: None })]))
    }

    fn stamped(sec: i64, nanosec: u64) -> Value {
        let stamp = Value::Message(vec![Value::Signed(sec), Value::Unsigned(nanosec)]);
        Value::Message(vec![stamp, Value::Text(b"base".to_vec())])
    }

    #[test]
    fn when_a_header_comes_first_or_late_expect_its_stamp_and_no_look_at_the_rest() {
        let float = || one("value", Kind::Primitive(Primitive::F64));
        let first = message("a/msg/First", vec![one("header", header()), float()]);
        let mut reader = StampReader::new(&first).unwrap();
        let value = Value::Message(vec![stamped(7, 5), Value::F64(f64::NAN)]);
        let bytes = encode(&first, &value, Endian::Little).unwrap();
        assert_eq!(reader.read(&bytes), Some(7_000_000_005));
        assert_eq!(reader.read(&bytes[..12]), Some(7_000_000_005), "the rest is not looked at");
        assert_eq!(reader.read(&bytes[..11]), None);

        let late = message("a/msg/Late", vec![float(), one("header", header())]);
        let mut reader = StampReader::new(&late).unwrap();
        let value = Value::Message(vec![Value::F64(f64::NAN), stamped(-1, 1)]);
        assert_eq!(
            reader.read(&encode(&late, &value, Endian::Little).unwrap()),
            Some(-999_999_999)
        );
    }

    #[test]
    fn when_a_type_has_no_header_expect_no_reader() {
        let bare = message("a/msg/Bare", vec![one("data", Kind::Primitive(Primitive::Bool))]);
        assert!(StampReader::new(&bare).is_none());
    }
}
