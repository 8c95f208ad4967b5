//! Between bytes and numbers: which field of which message carries what.
//!
//! A codec is compiled once from a type's [`crate::cdr`] layout and a lane's configuration. On the
//! path it reads a received buffer into a [`crate::gate::command::Command`] and writes changed
//! numbers back into the same buffer; everything else in the buffer stays bit for bit.
//!
//! **Invariant:** PURE: knows no ROS, clock, thread or file; no allocation after construction.
//! The names here are those of the five built-in types; a map from the params file takes their place
//! later.

pub mod command;
pub mod feedback;
pub mod flag;
mod joints;
pub mod permit;
pub mod safe;

#[cfg(test)]
mod test_types;

use crate::cdr::{FiniteRule, LayoutError, Path, Selection};

/// A codec that cannot be built for a type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CodecError {
    /// The type lacks a field that its built-in map names, or cannot be walked.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A path of a built-in map is not a path.
    #[error("`{0}` is not a path")]
    Path(&'static str),
    /// The safe message cannot be encoded.
    #[error("the safe message cannot be made: {0}")]
    Safe(String),
}

/// Selects one field; its number in the list is its slot.
fn select(path: &'static str, max_hits: usize) -> Result<Selection, CodecError> {
    Ok(Selection {
        path: Path::parse(path).map_err(|_| CodecError::Path(path))?,
        max_hits,
        // Every selected number goes through the gate, which checks it and can name the joint.
        finite: FiniteRule::Leave,
    })
}
