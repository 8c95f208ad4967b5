//! Why a codec cannot be built: start-up errors for the person who wrote the params file.

use crate::cdr::{ChecksumProblem, LayoutError};

/// A codec that cannot be built for a type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CodecError {
    /// The type lacks a field that a path names, or cannot be walked.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A path of a built-in map is not a path.
    #[error("`{0}` is not a path")]
    Path(&'static str),
    /// The safe message cannot be encoded.
    #[error("the safe message cannot be made: {0}")]
    Safe(String),
    /// A key that has no meaning for a type whose every field has its own already.
    #[error(
        "{key} cannot be used with the built-in map of {type_name}, which covers every field; map \
         the type with `fields` instead"
    )]
    BuiltInMap {
        /// The key.
        key: &'static str,
        /// The type.
        type_name: String,
    },
    /// The quantity that the lane commands is mapped to no field.
    #[error("fields.{interface} is missing: the lane commands it; {message} has {has}")]
    NoQuantity {
        /// The lane's interface.
        interface: &'static str,
        /// The message type.
        message: String,
        /// Its fields.
        has: String,
    },
    /// A path that ends at the wrong kind of field.
    #[error("{key}: `{path}` is {found}, and {needed} is needed; {of}")]
    WrongKind {
        /// The key.
        key: String,
        /// The path.
        path: String,
        /// What is there.
        found: String,
        /// What must be there.
        needed: &'static str,
        /// The message type and its fields.
        of: String,
    },
    /// Numbers could be in a text or in bytes, where nobody can check them.
    #[error(
        "`{field}` of {message} is {type_name}, an opaque payload: numbers inside it cannot be \
         checked, so this type cannot be gated; {message} has {has}"
    )]
    Opaque {
        /// Path of the field.
        field: String,
        /// Its type.
        type_name: String,
        /// The message type.
        message: String,
        /// Its fields.
        has: String,
    },
    /// Command fields that no key covers.
    #[error(
        "nothing is said of {fields}; name each under `fields`, `keep` or `fixed`; {message} has {has}"
    )]
    Uncovered {
        /// Their paths.
        fields: String,
        /// The message type.
        message: String,
        /// Its fields.
        has: String,
    },
    /// A field named like a checksum, without `checksum`.
    #[error(
        "`{field}` ({type_name}) is named like a checksum and `checksum.field` does not declare it: \
         a changed frame would be dropped by the receiver; {message} has {has}"
    )]
    UndeclaredChecksum {
        /// Path of the field.
        field: String,
        /// Its type.
        type_name: String,
        /// The message type.
        message: String,
        /// Its fields.
        has: String,
    },
    /// A checksum that cannot be computed for the type.
    #[error("checksum.field: `{field}` of {message}: {problem}; it has {has}")]
    Checksum {
        /// The path.
        field: String,
        /// The message type.
        message: String,
        /// What is wrong.
        problem: Box<ChecksumProblem>,
        /// The type's fields.
        has: String,
    },
    /// More than one array on the way, or none where names need one.
    #[error(
        "{key}: `{path}` must go through exactly one array whose elements are the joints; give the \
         other arrays an index"
    )]
    Arrays {
        /// The key.
        key: String,
        /// The path.
        path: String,
    },
    /// With names in the message the arrays are in the names' order and as long.
    #[error(
        "{key}: `{path}` must take the whole array, because fields.names tells whose values it has"
    )]
    PartOfNamed {
        /// The key.
        key: String,
        /// The path.
        path: String,
    },
    /// A joint's place beyond the elements.
    #[error("joint_index {place} is not an element of fields.{key}: `{path}` takes {elements}")]
    JointIndex {
        /// The quantity.
        key: &'static str,
        /// The path.
        path: String,
        /// The place.
        place: usize,
        /// How many elements there are.
        elements: usize,
    },
    /// One field under two keys.
    #[error("`{field}` is named by both {one} and {other}")]
    Overlap {
        /// The path.
        field: String,
        /// A key.
        one: String,
        /// Another key.
        other: String,
    },
    /// A value that the field cannot have.
    #[error("fixed.{name}: {value} does not fit {type_name}")]
    FixedValue {
        /// Name in the params file.
        name: String,
        /// The value.
        value: i64,
        /// The field's type.
        type_name: String,
    },
    /// Nothing says what a safe command has in a fixed field.
    #[error(
        "fixed.{name}.safe is missing: what the safe command made at start-up has in `{field}` is \
         told neither by it, nor by `mirror`, nor by a single allowed value"
    )]
    NoSafeValue {
        /// Name in the params file.
        name: String,
        /// The field's path.
        field: String,
    },
    /// A value that the field of a kill input cannot have.
    #[error("asserted_when: `{path}` can never be {value}, so the input would never assert; {of}")]
    NeverAsserts {
        /// The field's path.
        path: String,
        /// The value.
        value: String,
        /// The message type and its fields.
        of: String,
    },
    /// A joint of a lane that its feedback does not have.
    #[error("feedback.{feedback}.joints does not have `{joint}`, which the lane that uses it has")]
    NoFeedback {
        /// Name of the feedback.
        feedback: String,
        /// Name of the joint.
        joint: String,
    },
    /// A safe command that the type has no field for.
    #[error("safe.command: {command} needs {needs}, and the lane does not map it")]
    NoPlace {
        /// The safe command.
        command: &'static str,
        /// What it needs.
        needs: &'static str,
    },
}
