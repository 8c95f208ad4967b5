//! The fuzzer's corpus through the fuzzer's targets, without the fuzzer: every input that was worth
//! keeping, and every one that once found something, holds what must hold for any bytes.
//!
//! `./dev fuzz TARGET` looks for new ones; docs/fuzzing.md.

#![expect(unreachable_pub, reason = "the targets are a crate of their own, for the fuzzer")]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::Path;

/// Plays a target's corpus; each input a second time cut short and with a byte changed, so that a
/// corpus that is small still asks a little more.
fn play(target: &str) {
    let (_, run) = fuzz::TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut played = 0;
    for entry in fs::read_dir(&folder).expect("a corpus") {
        let path = entry.expect("a file").path();
        let input = fs::read(&path).expect("an input");
        println!("{}", path.display());
        run(&input);
        if let Some(half) = input.get(..input.len() / 2) {
            run(half);
        }
        for at in [input.len() / 3, input.len().saturating_sub(3)] {
            let mut changed = input.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 0x20;
                run(&changed);
            }
        }
        played += 1;
    }
    assert!(played >= 5, "{} has {played} inputs", folder.display());
}

#[test]
fn the_corpus_of_message_bytes_holds() {
    play("cdr");
}

#[test]
fn the_corpus_of_commands_holds() {
    play("command");
}

#[test]
fn the_corpus_of_latch_files_holds() {
    play("latch");
}

#[test]
fn the_corpus_of_params_files_holds() {
    play("params");
}

#[test]
fn the_corpus_of_socket_lines_holds() {
    play("socket");
}

#[test]
fn the_corpus_of_descriptions_holds() {
    play("urdf");
}

#[test]
fn every_target_has_its_corpus_played() {
    let text = include_str!("fuzz_corpus.rs");
    for (name, _) in fuzz::TARGETS {
        assert!(text.contains(&format!("play(\"{name}\")")), "{name}");
    }
}
