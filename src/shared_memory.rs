//! What a killed process leaves in shared memory, in the way of everybody who starts after it.
//!
//! Fast DDS keeps its ports as files in `/dev/shm`, and none of them has an owner that the system would
//! clean up after. The node looks before it starts, takes away what no living process can still need, and
//! keeps off what one may still use; whatever is in doubt stays.

mod abandoned;
mod half_made;
mod living;
mod reserved;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use abandoned::abandoned_mutexes;
pub use half_made::half_made_ports;
pub use living::{FileId, Locks};
pub use reserved::{Reserved, reserve};

/// Where Fast DDS keeps its files.
pub const FOLDER: &str = "/dev/shm";

/// Takes each of these away, with the mutex beside it if it is a port; with the system's word on each.
#[must_use]
pub fn remove(files: Vec<PathBuf>) -> Vec<(PathBuf, io::Result<()>)> {
    let removed = files.into_iter().map(|file| {
        let removed = fs::remove_file(&file);
        if let (Ok(()), Some(name)) = (&removed, file.file_name().and_then(|name| name.to_str())) {
            // Who does not find it makes another; who finds it held waits two seconds for its dead owner.
            let _unused = fs::remove_file(file.with_file_name(format!("sem.{name}_mutex")));
        }
        (file, removed)
    });
    removed.collect()
}

/// The files in `folder` that have such a name, each as itself, because another file of the same name is
/// another one; with its first number, `None` where it is shorter. What cannot be read is left out.
fn first_numbers(folder: &Path, is_meant: fn(&str) -> bool) -> Vec<(PathBuf, FileId, Option<u32>)> {
    files(folder, is_meant).filter_map(first_number).collect()
}

/// The files in `folder` that have such a name; none if it cannot be read.
fn files(folder: &Path, is_meant: fn(&str) -> bool) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let meant = entries.filter(move |entry| entry.file_name().to_str().is_some_and(is_meant));
    meant.map(|entry| entry.path())
}

fn first_number(path: PathBuf) -> Option<(PathBuf, FileId, Option<u32>)> {
    let mut file = File::open(&path).ok()?;
    let id = FileId::from(&file.metadata().ok()?);
    let mut number = [0; 4];
    match file.read_exact(&mut number) {
        Ok(()) => Some((path, id, Some(u32::from_ne_bytes(number)))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some((path, id, None)),
        Err(_) => None,
    }
}

/// A port's number, in the name of its file.
fn is_port(name: &str) -> bool {
    // `_el` and `_sl` behind the number are its locks.
    name.strip_prefix("fastrtps_port").is_some_and(|number| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod fixture;
