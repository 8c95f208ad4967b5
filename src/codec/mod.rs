//! Between bytes and numbers: which field of which message carries what.
//!
//! A codec is compiled once from a type's [`crate::cdr`] layout and a lane's configuration. On the
//! path it reads a received buffer into a [`crate::gate::command::Command`] and writes changed
//! numbers back into the same buffer; everything else in the buffer stays bit for bit.
//!
//! **Invariant:** PURE: knows no ROS, clock, thread or file; no allocation after construction.
//! Five types have their map built in; any other message type has one from the params file.

pub mod command;
mod error;
pub mod feedback;
pub mod flag;
mod joints;
mod mapped;
mod numbers;
pub mod permit;
pub mod safe;
pub mod sensor;

#[cfg(test)]
mod test_types;

use crate::cdr::{FiniteRule, Path, Selection};
pub use error::CodecError;

/// Selects one field; its number in the list is its slot.
fn select(path: &'static str, max_hits: usize) -> Result<Selection, CodecError> {
    Ok(Selection {
        path: Path::parse(path).map_err(|_| CodecError::Path(path))?,
        max_hits,
        // Every selected number goes through the gate, which checks it and can name the joint.
        finite: FiniteRule::Leave,
    })
}
