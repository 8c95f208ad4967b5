//! A folder that stands in for `/dev/shm`.

use std::fs::{self, File};
use std::path::PathBuf;

pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("interlock-shm-{name}-{}", std::process::id()));
        let _unused = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The file of this name, empty, and its lock held as by a participant of this process.
    pub(super) fn held(&self, name: &str) -> File {
        let lock = File::open(self.write(name, &[])).unwrap();
        lock.try_lock().unwrap();
        lock
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _unused = fs::remove_dir_all(&self.0);
    }
}
