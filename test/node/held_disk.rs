//! A disk that takes nothing for as long as it is held (`held_disk.c`, preloaded into the node).

use std::path::PathBuf;
use std::process::Command;

use crate::rig::Rig;
use crate::support::{DomainLease, Scratch};

pub(crate) struct HeldDisk(Scratch);

impl HeldDisk {
    pub(crate) fn new() -> Self {
        let folder = Scratch::new();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/test/node/held_disk.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(folder.path().join("held_disk.so"));
        let made = cc.arg(source).status().expect("a C compiler");
        assert!(made.success(), "{source} does not compile");
        Self(folder)
    }

    /// A node whose latch is on this disk.
    pub(crate) fn rig(&self, params: &str) -> Rig {
        let preload = format!("LD_PRELOAD={}", self.0.path().join("held_disk.so").display());
        let held = format!("HOLD_DISK={}", self.file().display());
        let words = |_: &DomainLease| {
            ["env", &preload, &held, env!("CARGO_BIN_EXE_interlock")].map(str::to_owned).into()
        };
        Rig::persisted_through(params, &words)
    }

    pub(crate) fn hold(&self) {
        std::fs::write(self.file(), "").expect("hold the disk");
    }

    pub(crate) fn let_go(&self) {
        std::fs::remove_file(self.file()).expect("let the disk go");
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("hold")
    }
}
