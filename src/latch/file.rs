//! The one file in the state directory, and the lock that keeps a second gate away from it.
//!
//! The file is made whole under another name and renamed, so it is never seen half made. Afterwards it is
//! overwritten in place, slot by slot, which needs no space on the disk. The lock is one on the
//! directory itself: it goes with the process, however that ends.
//!
//! **Invariant:** a write counts only if the path still names the file that was written: on a directory
//! that was removed or covered by a mount, nothing would be found at the next start.
//! **Invariant:** a record of a later version is overwritten only by a reset.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::record::{Contents, FILE_BYTES, Found, SLOT_BYTES, encode, found, place};
use crate::gate::state::State;

const NAME: &str = "latch";
const NEW_NAME: &str = "latch.new";

/// Where the latch file of a state directory is.
#[must_use]
pub fn path_in(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

/// What the latch file of a state directory says.
///
/// # Errors
/// The system's; a file that is not there is [`Found::Missing`].
pub fn found_in(directory: &Path) -> std::io::Result<Found> {
    let file = match File::open(path_in(directory)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    Ok(found(&bytes_of(&file)?))
}

/// The whole file, and no more than a valid one has.
fn bytes_of(file: &File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(FILE_BYTES);
    let most = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Another instance has the state directory.
#[derive(Debug, thiserror::Error)]
#[error(
    "another interlock runs with the state directory {0}: two gates on one robot would fight over its \
     outputs\n  to fix:  stop the other one; for another robot on this machine give each its own \
     state_dir"
)]
pub struct OpenError(pub PathBuf);

/// Why the latch file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The system refuses.
    #[error("latch file {path}: cannot {what}: {source}; {fix}")]
    System {
        /// The file or its directory.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The system's reason.
        source: Error,
        /// The way out.
        fix: String,
    },
    /// The file was removed, renamed or covered.
    #[error(
        "latch file {path} is gone: its directory was removed or covered by a mount; make it again \
         (mkdir -m 700 -p {directory})"
    )]
    Gone {
        /// The file.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },
    /// Somebody else has the directory that is there now.
    #[error("latch file {0}: another interlock has its directory now: stop one of the two")]
    Held(PathBuf),
}

/// What is open.
#[derive(Debug)]
struct Open {
    file: File,
    counter: u64,
    slot: usize,
}

/// The file, as far as it can be had.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    /// The directory, which holds the lock.
    lock: Option<File>,
    open: Option<Open>,
    /// A later version's record is there and must stay until a reset.
    is_newer: bool,
}

impl Store {
    /// Takes the state directory, makes it where it is missing, and reads what the last run left. A
    /// directory that cannot be used is no error: the node comes up killed and says what is wrong.
    ///
    /// # Errors
    /// [`OpenError`] where another instance has it.
    pub fn open(directory: &Path) -> Result<(Self, Found), OpenError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        let directory = directory.to_path_buf();
        let lock = match made.and_then(|()| lock(&directory)) {
            Ok(Some(lock)) => Some(lock),
            Ok(None) => return Err(OpenError(directory)),
            Err(_) => None,
        };
        // What can be read counts, also where nothing can be written.
        let found = found_in(&directory).unwrap_or(Found::Damaged { survivor: None });
        let is_newer = matches!(found, Found::Newer { .. });
        let mut store = Self { directory, lock, open: None, is_newer };
        if store.lock.is_some() && found != Found::Missing {
            // A failure is found again, and told, by the first write.
            store.open = store.opened().ok();
        }
        Ok((store, found))
    }

    /// Writes a record in place and waits for the disk. Its counter is set here.
    ///
    /// # Errors
    /// [`Failure`]; the record that was there before still is.
    pub fn write(&mut self, mut contents: Contents) -> Result<(), Failure> {
        if self.open.is_none() {
            self.take_again(&contents)?;
        }
        if let Err(failure) = self.check() {
            // What is still open may take a kill, also where the path is in a bad way: it can only make
            // the next start more careful. It is told as not written all the same.
            let may_try = contents.state == State::Killed && !self.is_newer && self.open.is_some();
            if !may_try {
                return Err(failure);
            }
        }
        // A later version's record comes up killed, which is all there is to say before a reset.
        if self.is_newer && contents.state == State::Killed {
            return Ok(());
        }
        let path = self.path();
        let Some(open) = &mut self.open else { return Err(self.gone()) };
        contents.counter = open.counter.saturating_add(1);
        let at = open.slot.saturating_mul(SLOT_BYTES);
        let written = u64::try_from(at)
            .map_err(|_| Error::from(ErrorKind::InvalidInput))
            .and_then(|at| open.file.write_all_at(&encode(&contents), at))
            .and_then(|()| open.file.sync_data());
        written.map_err(|source| system(&path, "be written", source))?;
        open.counter = contents.counter;
        open.slot = 1_usize.saturating_sub(open.slot);
        self.is_newer = false;
        // Once more: it may have been removed while it was written.
        self.check()
    }

    /// Whether the next write would find its file. Writes nothing.
    ///
    /// # Errors
    /// [`Failure`] as of now.
    pub fn check(&mut self) -> Result<(), Failure> {
        let path = self.path();
        let Some(open) = &self.open else { return Err(self.gone()) };
        let ours = open.file.metadata().map_err(|error| system(&path, "be looked at", error))?;
        match path.metadata() {
            // Opened once more: the disk may have been mounted anew, as read-only.
            Ok(there) if is_same(&there, &ours) => match OpenOptions::new().write(true).open(&path)
            {
                Ok(_) => Ok(()),
                Err(error) => Err(system(&path, "be opened for writing", error)),
            },
            // Another file under the name, or none: the next write opens or makes it anew.
            Ok(_) => {
                self.open = None;
                Err(self.gone())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.open = None;
                Err(self.gone())
            }
            Err(error) => Err(system(&path, "be looked at", error)),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        path_in(&self.directory)
    }

    fn gone(&self) -> Failure {
        Failure::Gone { path: self.path(), directory: self.directory.clone() }
    }

    /// After the file was lost, or where it never was: the directory must be there.
    fn take_again(&mut self, contents: &Contents) -> Result<(), Failure> {
        let there = match self.directory.metadata() {
            Ok(there) => there,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(self.gone()),
            Err(error) => return Err(system(&self.directory, "be looked at", error)),
        };
        let ours = self.lock.as_ref().and_then(|lock| lock.metadata().ok());
        if !ours.is_some_and(|ours| is_same(&there, &ours)) {
            match lock(&self.directory) {
                Ok(Some(lock)) => self.lock = Some(lock),
                Ok(None) => return Err(Failure::Held(self.path())),
                Err(error) => return Err(system(&self.directory, "be opened", error)),
            }
        }
        if !self.path().exists() {
            self.make(contents)?;
        }
        let opened = self.opened();
        let opened = opened.map_err(|error| system(&self.path(), "be opened for writing", error));
        self.open = Some(opened?);
        Ok(())
    }

    fn opened(&self) -> std::io::Result<Open> {
        let file = OpenOptions::new().read(true).write(true).open(self.path())?;
        let (counter, slot) = place(&bytes_of(&file)?);
        Ok(Open { file, counter, slot })
    }

    /// Both slots at once, under another name: whoever finds the file finds it whole.
    fn make(&self, contents: &Contents) -> Result<(), Failure> {
        let new = self.directory.join(NEW_NAME);
        let made = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&new)?;
            for counter in 1..=2 {
                file.write_all(&encode(&Contents { counter, ..contents.clone() }))?;
            }
            file.sync_all()?;
            std::fs::rename(&new, self.path())?;
            self.lock.as_ref().map_or(Ok(()), File::sync_all)
        };
        made().map_err(|error| {
            // A part of it would only take space from the next attempt.
            std::fs::remove_file(&new).ok();
            system(&self.path(), "be made", error)
        })
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The lock on the directory; `None`: somebody has it.
fn lock(directory: &Path) -> std::io::Result<Option<File>> {
    let file = File::open(directory)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn system(path: &Path, what: &'static str, source: Error) -> Failure {
    let kind = source.kind();
    let fix = if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        "make space on that disk"
    } else if kind == ErrorKind::PermissionDenied {
        "give its directory to the user that interlock runs as, or write another state_dir"
    } else if kind == ErrorKind::ReadOnlyFilesystem {
        "mount the disk writable, or write another state_dir"
    } else if kind == ErrorKind::NotFound {
        "make its directory, or write another state_dir"
    } else {
        "see to the disk, or write another state_dir"
    };
    Failure::System { path: path.to_path_buf(), what, source, fix: fix.to_owned() }
}

#[cfg(test)]
mod tests;
