//! Makes the socket file: one node a path, nobody's socket taken away, readable and writable by the
//! node's user and the operators' group.
//!
//! The lock file beside it is held as long as the node lives and goes with it, however it dies. So a
//! socket that is left over is replaced only by who holds the lock, and only when nobody answers.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::place::{NAME, Surroundings};
use super::rights::Accounts;
use crate::config::model::ControlSocket;

/// The node's user and the group.
const MODE: u32 = 0o660;
/// Of a folder that we make: others may pass through it, only we may change it.
const FOLDER_MODE: u32 = 0o755;
/// Bits of a mode by which others may change a folder.
const OTHERS_WRITE: u32 = 0o022;

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The name does not fit.
    #[error(
        "control socket: {path} has {bytes} bytes, the system takes {}\n  to fix:  set \
         control_socket.path to a shorter one",
        ControlSocket::PATH_BYTES
    )]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// The folder is not there and cannot be made.
    #[error(
        "control socket: its folder {folder} cannot be used: {source}\n  to fix:  set \
         control_socket.path to a folder that this user can write"
    )]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Somebody else could put a socket of their own there.
    #[error(
        "control socket: {folder} is another user's or can be changed by others\n  to fix:  remove \
         it, or set control_socket.path"
    )]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// A second node.
    #[error(
        "control socket: another node has {path}\n  to fix:  end it (interlockctl status), or give \
         this one its own control_socket.path"
    )]
    Held {
        /// The path.
        path: PathBuf,
    },
    /// Something that is not a left-over socket.
    #[error(
        "control socket: {path} is there and is not a socket\n  to fix:  move it away, or set \
         control_socket.path"
    )]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The rest.
    #[error(
        "control socket {path}: {source}\n  to fix:  set control_socket.path to a folder that this user can write"
    )]
    Bind {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The system gives no thread, timer or event queue.
    #[error("cannot start thread `socket`: {0}")]
    Start(#[source] io::Error),
}

/// The socket, and what goes with it.
#[derive(Debug)]
pub struct Bound {
    /// Listens, does not block.
    pub listener: UnixListener,
    /// Where.
    pub path: PathBuf,
    /// Why the group has no access; `None`: it has.
    pub without_group: Option<String>,
    /// The lock goes with the file.
    _lock: File,
}

impl Drop for Bound {
    fn drop(&mut self) {
        // While the lock is held nobody else has put a socket there. A file that has gone is fine.
        fs::remove_file(&self.path).ok();
    }
}

/// Makes the socket.
///
/// # Errors
/// [`SocketError`]; a socket that somebody listens on is left alone.
pub fn bind(
    config: &ControlSocket,
    surroundings: &Surroundings,
    accounts: &Accounts,
) -> Result<Bound, SocketError> {
    let path = match &config.path {
        Some(path) => PathBuf::from(path),
        None => surroundings.folder().join(NAME),
    };
    let bytes = path.as_os_str().len();
    if bytes > ControlSocket::PATH_BYTES {
        return Err(SocketError::TooLong { path, bytes });
    }
    if config.path.is_none() {
        make_folder(&surroundings.folder(), surroundings)?;
    }
    let failed = |source| SocketError::Bind { path: path.clone(), source };
    let lock = lock(&path)?;
    clear(&path)?;
    let listener = UnixListener::bind(&path).map_err(failed)?;
    fs::set_permissions(&path, Permissions::from_mode(MODE)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let without_group = give_to(&config.group, &path, accounts).err();
    Ok(Bound { listener, path, without_group, _lock: lock })
}

fn make_folder(folder: &Path, surroundings: &Surroundings) -> Result<(), SocketError> {
    let failed = |source| SocketError::Folder { folder: folder.to_owned(), source };
    let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
    made.map_err(failed)?;
    // Not through a link: in /tmp anybody could have put one there before us.
    let found = fs::symlink_metadata(folder).map_err(failed)?;
    // systemd's folder is as its unit says.
    let is_given = surroundings.runtime_directory.is_some();
    let is_ours =
        found.is_dir() && found.uid() == surroundings.uid && found.mode() & OTHERS_WRITE == 0;
    if is_given || is_ours {
        Ok(())
    } else {
        Err(SocketError::NotOurs { folder: folder.to_owned() })
    }
}

fn lock(path: &Path) -> Result<File, SocketError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |source| SocketError::Bind { path: path.to_owned(), source };
    let file = File::options().create(true).append(true).open(name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(SocketError::Held { path: path.to_owned() }),
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Removes a socket that nobody listens on.
fn clear(path: &Path) -> Result<(), SocketError> {
    let failed = |source| SocketError::Bind { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(SocketError::NotASocket { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(SocketError::Held { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Without the group the socket works for the node's own user and root; an `Err` says so.
fn give_to(group: &str, path: &Path, accounts: &Accounts) -> Result<(), String> {
    let Some(gid) = accounts.gid(group) else {
        return Err(format!(
            "there is no group {group}: only root and the node's own user reset and arm through \
             the socket (groupadd {group}, then add the operators)"
        ));
    };
    chown(path, None, Some(gid)).map_err(|error| {
        format!("the socket cannot be given to group {group} ({error}): add the node's user to it")
    })
}

#[cfg(test)]
mod tests;
