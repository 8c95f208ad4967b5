//! One field of a message: whether a kill input asserts.
//!
//! Any type and any field that holds one bool or whole number: `data` of a Bool, `buttons[4]` of a Joy.
//! No float: only one exact value would assert, and what is nearly there would not.
//!
//! **Invariant:** fails closed: bytes that are not such a message and an element that is not there are
//! `None`, which asserts elsewhere.

use std::sync::Arc;

use super::CodecError;
use super::feedback::floats;
use super::mapped::{describe, many_steps, wrong_kind};
use crate::cdr::{
    Endian, FiniteRule, Found, Layout, MessageType, Path, Primitive, Selection, SlotKind, Value,
    encode, read_i64,
};
use crate::config::model::{Asserts, FlagValue};

/// Reads one field: whether it asserts.
#[derive(Clone, Debug)]
pub struct FlagCodec {
    field: Option<Watched>,
}

/// The field that is looked at.
#[derive(Clone, Debug)]
struct Watched {
    layout: Layout,
    found: Found,
    primitive: Primitive,
    wanted: i64,
    /// A message that asserts.
    asserting: Vec<u8>,
}

impl FlagCodec {
    /// Compiles the codec. `None`: a bare heartbeat, of which no message asserts.
    ///
    /// # Errors
    /// [`CodecError`] when the type has no such field, or one that can never say that.
    pub fn new(message: &Arc<MessageType>, asserts: Option<&Asserts>) -> Result<Self, CodecError> {
        let field = asserts.map(|asserts| Watched::new(message, asserts)).transpose()?;
        Ok(Self { field })
    }

    /// Whether the message asserts; `None` where the bytes are not such a message.
    #[must_use]
    pub fn read(&mut self, bytes: &[u8]) -> Option<bool> {
        let Some(field) = &mut self.field else { return Some(false) };
        let read = field.read(bytes)?;
        Some(field.wanted == read)
    }

    /// The bytes of a message that asserts; `None` for a bare heartbeat.
    #[must_use]
    pub fn asserting(&self) -> Option<&[u8]> {
        self.field.as_ref().map(|field| field.asserting.as_slice())
    }
}

impl Watched {
    fn new(message: &Arc<MessageType>, asserts: &Asserts) -> Result<Self, CodecError> {
        let path = &asserts.field;
        let leave = FiniteRule::Leave;
        let select = Selection { path: path.clone(), max_hits: 1, finite: leave };
        // What is not looked at need not be finite.
        let layout = Layout::compile(message, &[select], &floats(message))?;
        let odd = |needed| wrong_kind(message, "field".to_owned(), path, needed);
        let Some(SlotKind::Number(primitive)) = layout.kind(0) else {
            return Err(odd("a bool or a whole number"));
        };
        if !many_steps(message, path).is_empty() {
            return Err(odd("one element; an array needs an index, for example buttons[4]"));
        }
        if primitive.is_float() {
            return Err(odd(
                "a bool or a whole number, because only one exact float would assert; let the node \
                 that reads the device publish a bool",
            ));
        }
        let value = match (asserts.when, primitive == Primitive::Bool) {
            (FlagValue::Bool(value), true) => Value::Bool(value),
            (FlagValue::Int(value), false) => Value::Signed(value),
            (FlagValue::Bool(_), false) => {
                return Err(odd("a bool, because asserted_when is true or false"));
            }
            (FlagValue::Int(_), true) => {
                return Err(odd("a whole number, because asserted_when is one"));
            }
        };
        let never = || CodecError::NeverAsserts {
            path: path.to_string(),
            value: asserts.when.to_string(),
            of: format!("{} has {}", message.name, describe(message)),
        };
        let asserting = example(message, path, &value).ok_or_else(never)?;
        let mut watched =
            Self { found: layout.new_found(), layout, primitive, wanted: 0, asserting };
        // What is wanted is what the field holds of it.
        let asserting = watched.asserting.clone();
        watched.wanted = watched.read(&asserting).ok_or_else(never)?;
        Ok(watched)
    }

    fn read(&mut self, bytes: &[u8]) -> Option<i64> {
        self.layout.find(bytes, &mut self.found).ok()?;
        let offset = self.found.hits(0).first()?.element(0, self.primitive)?;
        read_i64(bytes, self.found.endian(), self.primitive, offset)
    }
}

/// A message with that one value set; `None` where it does not fit.
fn example(message: &MessageType, path: &Path, value: &Value) -> Option<Vec<u8>> {
    let mut tree = Value::default_of(message);
    tree.set(message, path, value).ok()?;
    encode(message, &tree, Endian::Little).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::test_types::{bool_type, bytes, numbers, type_of};

    fn asserts(field: &str, when: FlagValue) -> Asserts {
        Asserts { field: Path::parse(field).unwrap(), when }
    }

    fn bool_codec(when: bool) -> FlagCodec {
        FlagCodec::new(&bool_type(), Some(&asserts("data", FlagValue::Bool(when)))).unwrap()
    }

    /// As `sensor_msgs/msg/Joy` has them.
    fn joy() -> Arc<MessageType> {
        type_of(&[("header", "header"), ("axes", "float32[]"), ("buttons", "int32[]")])
    }

    #[test]
    fn when_the_bytes_are_a_bool_expect_it_and_otherwise_none() {
        let mut codec = bool_codec(true);
        assert_eq!(codec.read(&[0, 1, 0, 0, 1]), Some(true));
        assert_eq!(codec.read(&[0, 1, 0, 0, 0, 9, 9, 9]), Some(false));
        for broken in [&[][..], &[0, 1, 0, 0], &[0, 1, 0, 0, 2], &[0, 3, 0, 0, 1]] {
            assert_eq!(codec.read(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn when_a_button_opens_its_contact_expect_false_to_assert() {
        let mut codec = bool_codec(false);
        assert_eq!(codec.read(&[0, 1, 0, 0, 0]), Some(true));
        assert_eq!(codec.read(&[0, 1, 0, 0, 1]), Some(false));
        assert_eq!(codec.read(&[0, 1, 0, 0, 2]), None, "what cannot be read asserts elsewhere");
        assert_eq!(codec.asserting(), Some([0, 1, 0, 0, 0].as_slice()));
    }

    #[test]
    fn when_it_is_a_button_of_a_joystick_expect_that_button_and_no_axis_to_matter() {
        let joy = joy();
        let mut codec =
            FlagCodec::new(&joy, Some(&asserts("buttons[4]", FlagValue::Int(1)))).unwrap();
        let pressed = |which: usize, count: usize, axis: f64| {
            let list = (0..count).map(|at| Value::Signed(i64::from(at == which))).collect();
            bytes(&joy, &[("axes", numbers(&[axis])), ("buttons", Value::List(list))])
        };
        assert_eq!(codec.read(&pressed(4, 5, 0.0)), Some(true));
        assert_eq!(codec.read(&pressed(3, 12, 0.0)), Some(false));
        assert_eq!(codec.read(&pressed(4, 12, f64::NAN)), Some(true), "an axis need not be finite");
        assert_eq!(codec.read(&pressed(0, 4, 0.0)), None, "there is no such button");
        let asserting = codec.asserting().unwrap().to_vec();
        assert_eq!(codec.read(&asserting), Some(true));
    }

    #[test]
    fn when_it_is_a_float_expect_a_start_up_error_that_says_what_to_do() {
        // An axis at -0.999 would not be pressed, one at 0.99 would count as held.
        for when in [FlagValue::Int(-1), FlagValue::Bool(true)] {
            let refused = FlagCodec::new(&joy(), Some(&asserts("axes[0]", when))).unwrap_err();
            let text = refused.to_string();
            assert!(text.contains("only one exact float would assert"), "{text}");
            assert!(text.contains("publish a bool"), "{text}");
        }
    }

    #[test]
    fn when_it_is_a_bare_heartbeat_expect_nothing_to_assert() {
        let mut codec = FlagCodec::new(&bool_type(), None).unwrap();
        assert_eq!(codec.read(&[0, 1, 0, 0, 1]), Some(false));
        assert_eq!(codec.read(&[]), Some(false));
        assert_eq!(codec.asserting(), None);
    }

    #[test]
    fn when_the_field_can_never_say_it_expect_a_start_up_error_that_says_why() {
        let message = type_of(&[
            ("on", "bool"),
            ("level", "uint8"),
            ("raw", "int32[]"),
            ("name", "string"),
            ("at", "header"),
        ]);
        let refused = |field: &str, when: FlagValue| {
            FlagCodec::new(&message, Some(&asserts(field, when))).unwrap_err().to_string()
        };
        let cases = [
            ("on", FlagValue::Int(1), "a whole number, because asserted_when is one"),
            ("level", FlagValue::Bool(true), "a bool, because asserted_when is true or false"),
            ("level", FlagValue::Int(256), "can never be 256"),
            ("level", FlagValue::Int(-1), "can never be -1"),
            ("raw", FlagValue::Int(1), "an array needs an index"),
            ("raw[]", FlagValue::Int(1), "an array needs an index"),
            ("name", FlagValue::Bool(true), "a bool or a whole number"),
            ("at", FlagValue::Bool(true), "`at`"),
            ("off", FlagValue::Bool(true), "`off`"),
        ];
        for (field, when, words) in cases {
            let text = refused(field, when);
            assert!(text.contains(words), "{field} {when}: {text}");
        }
    }
}
