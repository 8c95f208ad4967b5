//! Tells the program what it was built from, for `interlock_build_info` and `--version`.

use std::process::Command;

fn first_line(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().ok();
    let output = output.filter(|output| output.status.success());
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
    let line = text.as_deref().and_then(|text| text.lines().next()).map(str::trim);
    line.filter(|line| !line.is_empty()).unwrap_or("unknown").to_owned()
}

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    println!("cargo:rustc-env=INTERLOCK_RUSTC={}", first_line(&rustc, &["--version"]));
    let commit = first_line("git", &["rev-parse", "--short=12", "HEAD"]);
    println!("cargo:rustc-env=INTERLOCK_COMMIT={commit}");
    println!("cargo:rerun-if-changed=build.rs");
    // A commit moves this log; nothing else has to be built anew for it than what names it.
    let log = first_line("git", &["rev-parse", "--git-path", "logs/HEAD"]);
    if std::path::Path::new(&log).exists() {
        println!("cargo:rerun-if-changed={log}");
    }
}
