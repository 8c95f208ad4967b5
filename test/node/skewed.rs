//! Peers with a wrong wall clock.

use std::process::Command;

use crate::peer::Peer;
use crate::rig::Rig;

/// A peer whose wall clock is off by this.
pub(crate) fn skewed(rig: &Rig, name: &str, skew_s: f64) -> Peer {
    start(rig, name, skew_s, &[])
}

/// A peer of which only the threads of this name have such a clock.
pub(crate) fn skewed_threads(rig: &Rig, name: &str, threads: &str, skew_s: f64) -> Peer {
    start(rig, name, skew_s, &[("SKEW_THREAD", threads)])
}

fn start(rig: &Rig, name: &str, skew_s: f64, more: &[(&str, &str)]) -> Peer {
    let library = clock(rig);
    let skew = format!("{:.0}", skew_s * 1e9);
    let clock = [("LD_PRELOAD", library.as_str()), ("SKEW_NS", skew.as_str())];
    Peer::start_with(&rig.lease, &rig.scratch, name, name, &[&clock, more].concat())
}

/// Builds the preloaded clock.
fn clock(rig: &Rig) -> String {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/test/node/skewed_clock.c");
    let library = rig.scratch.path().join("skewed_clock.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).args([source, "-ldl"]);
    let built = cc.status().expect("a C compiler");
    assert!(built.success(), "{source} does not compile");
    library.to_str().expect("a plain path").to_owned()
}
