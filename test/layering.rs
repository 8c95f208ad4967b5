//! Who may use what: the modules depend on each other one way, and the pure ones on nothing that
//! has a clock, a thread, a file or ROS.
//!
//! Reads the sources. Code under `#[cfg(test)]` may use more and is not looked at: files named
//! `tests.rs`, `fixture.rs`, `test_*.rs` and in folders `tests`, and what follows the line
//! `#[cfg(test)]` at the end of a file.

use std::fs;
use std::path::{Path, PathBuf};

/// A top module, and the other top modules it may name.
const ALLOWED: &[(&str, &[&str])] = &[
    ("gate", &[]),
    ("cdr", &[]),
    ("codec", &["cdr", "gate", "config::model"]),
    ("config", &["gate", "cdr"]),
    ("clock", &["gate"]),
    ("attribution", &[]),
    ("kill_switch", &["gate"]),
    ("sync", &[]),
    ("wake", &[]),
    ("watchdog", &["clock", "gate", "kill_switch"]),
    ("systemd", &["kill_switch", "watchdog"]),
    ("shared_memory", &[]),
    ("latch", &["attribution", "gate", "telemetry"]),
    ("realtime", &["clock", "config"]),
    ("telemetry", &["gate", "config", "attribution"]),
    ("http", &["telemetry", "gate"]),
    ("verbs", &["gate", "telemetry"]),
    ("socket", &["attribution", "config::model", "gate", "telemetry", "verbs"]),
    (
        "ctl",
        &[
            "telemetry",
            "gate",
            "clock",
            "config::model",
            "latch",
            "shared_memory",
            "socket",
            "verbs",
        ],
    ),
    (
        "ros",
        &[
            "gate",
            "cdr",
            "codec",
            "config",
            "telemetry",
            "clock",
            "kill_switch",
            "attribution",
            "latch",
            "shared_memory",
            "verbs",
            "wake",
            "watchdog",
        ],
    ),
    (
        "app",
        &[
            "attribution",
            "clock",
            "config",
            "gate",
            "http",
            "kill_switch",
            "latch",
            "realtime",
            "ros",
            "socket",
            "telemetry",
            "verbs",
            "systemd",
            "watchdog",
        ],
    ),
];

/// Words that only some modules may have in their code.
const WORDS: &[(&str, &[&str])] = &[
    ("r2r::", &["ros"]),
    ("r2r_rcl", &["ros"]),
    ("libloading", &["ros"]),
    ("tokio", &["http", "socket"]),
    ("axum", &["http"]),
    ("prometheus", &["telemetry", "http", "app"]),
    (
        "std::fs",
        &[
            "config",
            "telemetry",
            "app",
            "latch",
            "realtime",
            "ros",
            "shared_memory",
            "socket",
            "ctl",
        ],
    ),
    ("std::env", &["config", "telemetry", "app", "ctl", "ros", "systemd"]),
    (
        "std::thread",
        &[
            "ros",
            "telemetry",
            "http",
            "latch",
            "app",
            "socket",
            "ctl",
            "shared_memory",
            "sync",
            "systemd",
            "watchdog",
        ],
    ),
    ("std::net", &["config", "http", "ctl"]),
    ("std::process", &["app", "ctl", "socket", "watchdog"]),
    ("Instant", &[]),
    ("SystemTime", &[]),
    ("Mutex", &["attribution", "ros", "telemetry", "http", "app", "socket"]),
    ("parking_lot", &["attribution", "ros", "telemetry", "http", "app", "socket"]),
    ("crossbeam", &["ros", "telemetry", "verbs"]),
    ("tracing", &["ros", "telemetry", "http", "app", "socket", "systemd", "watchdog"]),
    ("sd_notify", &["systemd"]),
    ("clock_gettime", &["clock"]),
    ("rustix", &["clock", "realtime", "ros", "telemetry", "ctl", "app"]),
    ("libc::", &["realtime", "ros"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn is_test(path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let (name, folders) = parts.split_last().expect("a name");
    name.starts_with("test") || *name == "fixture.rs" || folders.contains(&"tests")
}

/// The code of a file: no comments, and nothing from `#[cfg(test)]` + module on.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a text");
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<&str>>().join("\n")
}

/// The top module that a file belongs to; `None` for `lib.rs` and the programs.
fn top(path: &Path) -> Option<String> {
    let inner = path.strip_prefix(source()).expect("below src");
    let first = inner.iter().next()?.to_str()?.trim_end_matches(".rs").to_owned();
    (!["lib", "main", "bin"].contains(&&*first)).then_some(first)
}

/// Every path that begins with `crate::` in a piece of code, with groups `{…}` taken apart as far
/// as their first names.
fn crate_paths(code: &str) -> Vec<String> {
    let plain: String = code.split_whitespace().collect::<Vec<&str>>().join(" ");
    let mut found = Vec::new();
    for (at, _) in plain.match_indices("crate::") {
        let rest = &plain[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let end = group.find(|letter| {
                depth += i32::from(letter == '{') - i32::from(letter == '}');
                depth < 0
            });
            let group = &group[..end.expect("a closed group")];
            found.extend(group.split(',').map(|one| one.trim().to_owned()));
        } else {
            let end = rest
                .find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':');
            found.push(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    found
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    let found = found.into_iter().filter(|path| !is_test(path.strip_prefix(source()).unwrap()));
    found.filter_map(|path| Some((top(&path)?, path.clone(), code(&path)))).collect()
}

#[test]
fn modules_use_each_other_one_way() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (module, path, code) in sources() {
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == module) else {
            wrong.push(format!("{module} is not in the table"));
            continue;
        };
        for used in crate_paths(&code) {
            seen += 1;
            let begins = |with: &str| {
                used.strip_prefix(with)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            };
            // A macro at the top of the crate has no module.
            let own = begins(&module);
            if !own && !allowed.iter().any(|allowed| begins(allowed)) {
                wrong.push(format!("{} uses crate::{used}", path.display()));
            }
        }
    }
    assert!(seen > 100, "only {seen} uses were found: the test does not see");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_their_modules_have_ros_clocks_threads_files_and_locks() {
    let mut wrong = Vec::new();
    let mut used = vec![false; WORDS.len()];
    for (module, path, code) in sources() {
        for ((word, allowed), used) in WORDS.iter().zip(&mut used) {
            let has = code.match_indices(word).any(|(at, _)| {
                // A word of its own, not the end of another.
                !code[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
            });
            *used |= has && allowed.contains(&&*module);
            if has && !allowed.contains(&&*module) {
                wrong.push(format!("{} has {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for ((word, allowed), used) in WORDS.iter().zip(used) {
        assert!(used || allowed.is_empty(), "nobody has {word} any more: remove it from the table");
    }
}

#[test]
fn the_gate_thread_formats_writes_and_locks_nothing() {
    let words = [
        "format!",
        "to_string",
        "String::",
        "tracing",
        "Mutex",
        "lock()",
        "std::fs",
        "println",
        "Box",
    ];
    let (mut wrong, mut files) = (Vec::new(), 0);
    for (_, path, code) in sources() {
        let inner = path.strip_prefix(source()).expect("below src");
        let is_its = inner.starts_with("ros/gate_thread") || inner.starts_with("gate");
        // Built before the thread runs; and what others ask of it is made by others.
        let is_before = inner.with_extension("").starts_with("ros/gate_thread/build");
        if !is_its || is_before {
            continue;
        }
        files += 1;
        let found = words.iter().filter(|word| code.contains(**word));
        wrong.extend(found.map(|word| format!("{} has {word}", inner.display())));
    }
    assert!(files > 20, "{files} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_test_sees_what_it_should() {
    let text =
        "use crate::gate::{a, b};\nuse crate::{clock, http::{x, y}};\nlet a = crate::ros::b();";
    let found = crate_paths(text);
    assert!(
        found.contains(&"clock".to_owned()) && found.contains(&"http::{x".to_owned()),
        "{found:?}"
    );
    assert!(found.contains(&"ros::b".to_owned()), "{found:?}");
}
