//! Why the gate thread cannot be built.

use crate::ros::gate_thread::lane_io::WireError;
use crate::ros::rcl::RclError;
use crate::ros::replies::StartError;
use crate::ros::typesupport::TypeSupportError;

/// Why the node cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// rcl's own text.
    #[error(transparent)]
    Rcl(#[from] RclError),
    /// A message type is not installed or not usable.
    #[error("{subject}: {error}")]
    Type {
        /// Lane, feedback, or the node itself.
        subject: String,
        /// What is wrong.
        error: Box<TypeSupportError>,
    },
    /// A message type does not fit its map.
    #[error("{subject}: {error}")]
    Wire {
        /// Lane, kill input or feedback.
        subject: String,
        /// What is wrong.
        error: Box<WireError>,
    },
    /// Remapping gave one topic two uses.
    #[error(
        "{one} and {other} are both {topic} after remapping: one message would count twice, or an \
         output would come back as a command; correct the remap rules"
    )]
    Remapped {
        /// Key of the one.
        one: String,
        /// Key of the other.
        other: String,
        /// The absolute name.
        topic: String,
    },
    /// Thread `replies` cannot be started.
    #[error(transparent)]
    Replies(#[from] StartError),
    /// A programming error: fewer wake bits than wires.
    #[error("there are more wires than wake bits")]
    NoBit,
}

impl BuildError {
    /// Whether the params file asks for what cannot be, so that a second start would not help.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Type { .. } | Self::Remapped { .. } => true,
            Self::Wire { error, .. } => matches!(**error, WireError::Codec(_)),
            Self::Rcl(_) | Self::Replies(_) | Self::NoBit => false,
        }
    }
}
