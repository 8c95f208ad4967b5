//! Why a path does not fit a type, or a type cannot be walked.
//!
//! Start-up errors for people: each names the whole path, the place where it stopped fitting and
//! what the type has there.

use thiserror::Error;

/// A layout that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{path}` of {message}: {problem}")]
pub struct LayoutError {
    /// The path as configured; for a bad type, the path to the field at fault.
    pub path: String,
    /// The message type that the path starts from.
    pub message: String,
    /// What is wrong.
    pub problem: LayoutProblem,
}

/// What is wrong with a path for a type. `at` is the part of the path up to where it stopped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LayoutProblem {
    /// No such field.
    #[error("{message} has no field `{field}`; it has {available}")]
    UnknownField {
        /// The name that is not there.
        field: String,
        /// The message type at that place.
        message: String,
        /// Its fields with their types.
        available: String,
    },
    /// The path goes on below a field that has no fields.
    #[error("`{at}` is {type_name} and has no fields of its own")]
    NoFieldsBelow {
        /// Path up to that field.
        at: String,
        /// Its type.
        type_name: String,
    },
    /// An array of messages without `[]`, `[i]` or a range.
    #[error(
        "`{at}` is {type_name}, an array of messages; write `{at}[]`, `{at}[i]` or `{at}[i..j]`"
    )]
    NeedsIndex {
        /// Path up to that field.
        at: String,
        /// Its type.
        type_name: String,
    },
    /// An index on a field that is no array.
    #[error("`{at}` is {type_name}, not an array, and takes no `[…]`")]
    NotAnArray {
        /// Path up to that field, without the index.
        at: String,
        /// Its type.
        type_name: String,
    },
    /// An index that no message of this type can have.
    #[error("`{at}` reaches past the end of {type_name}")]
    PastEnd {
        /// Path up to and with the index.
        at: String,
        /// The array's type.
        type_name: String,
    },
    /// The path ends at a message.
    #[error("it ends at a message ({message}); name one of its fields: {available}")]
    EndsAtMessage {
        /// The message type there.
        message: String,
        /// Its fields with their types.
        available: String,
    },
    /// A path that allows non-finite numbers where there are none.
    #[error("there are no floating point numbers in {type_name}")]
    NoFloats {
        /// The type there.
        type_name: String,
    },
    /// A selection that could find nothing, or more than 32-bit counts hold.
    #[error("room for {0} hits was asked for; it must be 1 to 1048576")]
    BadMaxHits(usize),
    /// A message type without fields. A type from ROS has at least rosidl's dummy member.
    #[error("{0} has no fields")]
    NoFields(String),
    /// An array of fixed size with no elements, or with more than 32 bits can count.
    #[error("an array of {0} elements cannot be walked")]
    BadArray(usize),
    /// Messages within messages, deeper than any real type.
    #[error("messages are nested deeper than {0}")]
    TooDeep(usize),
}
