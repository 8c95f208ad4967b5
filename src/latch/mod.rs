//! The latch on disk: what the node must still know after any end of the process.
//!
//! [`record`] is the format, [`boot`] what a record means at a start, [`file`](mod@file) the one file in the
//! state directory and the lock that keeps a second gate away, [`post`] the way from the gate thread,
//! and [`writer`] thread `latch`, which alone writes.
//!
//! ```text
//!  gate thread ── newest record, numbered ──► thread latch ──► pwrite, fdatasync ──► "latch"
//!      ▲  ▲                                        │
//!      │  └──── number durable / number failed ────┤
//!      └─────── writable or not ───────────────────┘
//! ```
//!
//! **Invariant:** the gate thread neither waits for the disk nor formats anything for it.
//! **Invariant:** whatever is on disk, torn, flipped, missing or of a later version, is never read as
//! better than it was: where in doubt the node comes up killed.

pub mod boot;
pub mod file;
pub mod post;
pub mod record;
pub mod writer;

use std::path::{Path, PathBuf};

pub use self::boot::{directory, start};
pub use self::file::{Failure, OpenError, Store};
pub use self::post::{Post, Progress};
use self::record::BootId;
pub use self::record::{Contents, Found, StoredTrip};
pub use self::writer::{Latch, Parts};
use crate::gate::state::BootRecord;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No node has run with this state directory.
    #[error("there is no latch file {0}: the next start comes up killed (first_run)")]
    Missing(PathBuf),
    /// The system refuses.
    #[error("the latch file {path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Nothing in it is valid.
    #[error("the latch file {0} is damaged: the next start comes up killed (latch_file)")]
    Damaged(PathBuf),
    /// Written by a later version.
    #[error(
        "the latch file {path} has format {version}, of a later version of interlock: the next start \
         comes up killed (latch_file)"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
}

/// What the latch file in a state directory holds, and how the next start takes it, for people.
/// Reads only, takes no lock: a node may run. Needs no ROS.
///
/// # Errors
/// [`ReadError`], whose text says what a start would make of it.
pub fn read(directory: &Path) -> Result<(Contents, BootRecord), ReadError> {
    let path = file::path_in(directory);
    let found = match file::found_in(directory) {
        Ok(found) => found,
        Err(source) => return Err(ReadError::Io { path, source }),
    };
    // Which boot it was makes no difference here.
    let record = boot::how_it_ended(&found, BootId::default());
    match found {
        Found::Valid(contents) | Found::Damaged { survivor: Some(contents) } => {
            Ok((contents, record))
        }
        Found::Damaged { survivor: None } => Err(ReadError::Damaged(path)),
        Found::Newer { version } => Err(ReadError::Newer { path, version }),
        Found::Missing => Err(ReadError::Missing(path)),
    }
}
