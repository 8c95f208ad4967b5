//! Whether the field of a kill input can say what asserts, where its type is one that everybody has.
//!
//! Every other type is compared when the node starts, with the type itself: see [`crate::codec`].

use super::keys::Keys;
use super::model::{Asserts, FlagValue};

/// What one field of a well-known type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Bool,
    /// Whole numbers in this range.
    Whole(i64, i64),
    Float,
}

/// The types of `std_msgs` whose only field is `data`.
#[rustfmt::skip]
const OF_DATA: [(&str, Holds); 13] = [
    ("std_msgs/msg/Bool", Holds::Bool),
    ("std_msgs/msg/Byte", Holds::Whole(0, 255)),
    ("std_msgs/msg/Char", Holds::Whole(0, 255)),
    ("std_msgs/msg/Int8", Holds::Whole(-128, 127)),
    ("std_msgs/msg/UInt8", Holds::Whole(0, 255)),
    ("std_msgs/msg/Int16", Holds::Whole(-32_768, 32_767)),
    ("std_msgs/msg/UInt16", Holds::Whole(0, 65_535)),
    ("std_msgs/msg/Int32", Holds::Whole(-2_147_483_648, 2_147_483_647)),
    ("std_msgs/msg/UInt32", Holds::Whole(0, 4_294_967_295)),
    ("std_msgs/msg/Int64", Holds::Whole(i64::MIN, i64::MAX)),
    // The params file has no larger numbers.
    ("std_msgs/msg/UInt64", Holds::Whole(0, i64::MAX)),
    ("std_msgs/msg/Float32", Holds::Float),
    ("std_msgs/msg/Float64", Holds::Float),
];

fn holds(type_name: &str) -> Option<Holds> {
    OF_DATA.iter().find(|(name, _)| *name == type_name).map(|(_, holds)| *holds)
}

/// Whether the type is compared here, and not only when the node starts.
pub(super) fn is_known(type_name: &str) -> bool {
    holds(type_name).is_some()
}

/// Whether a message of this type is a button's, so that one without `field` is a mistake.
pub(super) fn is_button(type_name: &str) -> bool {
    holds(type_name) == Some(Holds::Bool)
}

/// Refuses a field and a value that no message of the type has; `None` if it did.
pub(super) fn check(
    keys: &mut Keys<'_>,
    at: &str,
    type_name: &str,
    asserts: &Asserts,
) -> Option<()> {
    let Some(holds) = holds(type_name) else { return Some(()) };
    let field = asserts.field.to_string();
    if field != "data" {
        keys.refuse(
            &format!("{at}.field"),
            format!("{type_name} has no field {field:?}"),
            "data",
            "an input whose field is never there asserts for ever",
            "write field: data",
        );
        return None;
    }
    let when = format!("{at}.asserted_when");
    let (allowed, because, fix) = match (holds, asserts.when) {
        (Holds::Bool, FlagValue::Bool(_)) => return Some(()),
        (Holds::Whole(low, high), FlagValue::Int(value)) if (low..=high).contains(&value) => {
            return Some(());
        }
        (Holds::Bool, FlagValue::Int(_)) => (
            "true or false".to_owned(),
            "the field is a bool, and no number is taken for one",
            "write true where pressed reads true, else false",
        ),
        (Holds::Whole(low, high), FlagValue::Bool(_) | FlagValue::Int(_)) => (
            format!("a whole number, {low} to {high}"),
            "the field never has another value, so the input would never assert",
            "write the number that the field has when pressed",
        ),
        (Holds::Float, FlagValue::Bool(_) | FlagValue::Int(_)) => {
            keys.refuse(
                &format!("{at}.type"),
                format!("{type_name} holds a float"),
                "a type with a bool or a whole number",
                "only one exact value would assert: a stick at -0.999 is not at -1",
                "let the node that reads the device publish a bool",
            );
            return None;
        }
    };
    keys.refuse(&when, format!("{} is never in {type_name}", asserts.when), allowed, because, fix);
    None
}
