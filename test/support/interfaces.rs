//! Packages of messages that only tests need: built here, found by a second process.
//!
//! Such a package is built with CMake against the ROS 2 that the tests run in, as an integrator's
//! workspace would build it: nothing has to be installed or staged before `cargo test`. The loader
//! reads its path only when a process starts, so a test that needs the package runs again in one
//! that finds it ([`with_interfaces`]).
//!
//! **Invariant:** a package that cannot be built, or a second process that did not run its test, is a
//! failure. Nothing is skipped.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the second process: the test that runs there.
const SECOND_PROCESS: &str = "INTERLOCK_TEST_WITH_INTERFACES";
/// What a build depends on besides the package's own files, which CMake watches.
const ENVIRONMENT: [&str; 5] =
    ["AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "ROS_DISTRO", "VIRTUAL_ENV", "PATH"];

/// Runs `body` in a process that finds the messages of `test/<package>`. `name` is the test's full
/// name, as `cargo test` prints it.
///
/// # Panics
/// With the other process's output, when the body fails there or does not run.
pub(crate) fn with_interfaces(package: &str, name: &str, body: impl FnOnce()) {
    if std::env::var_os(SECOND_PROCESS).is_some_and(|test| test == name) {
        return body();
    }
    let prefix = built(package);
    let output = Command::new(std::env::current_exe().expect("know our own program"))
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(SECOND_PROCESS, name)
        .env("AMENT_PREFIX_PATH", in_front("AMENT_PREFIX_PATH", prefix.clone()))
        .env("LD_LIBRARY_PATH", in_front("LD_LIBRARY_PATH", prefix.join("lib")))
        .env("PYTHONPATH", in_front("PYTHONPATH", prefix.join("python")))
        .output()
        .expect("start this program again");
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn in_front(variable: &str, first: PathBuf) -> OsString {
    let rest = std::env::var_os(variable).unwrap_or_default();
    let rest = std::env::split_paths(&rest).filter(|path| !path.as_os_str().is_empty());
    std::env::join_paths([first].into_iter().chain(rest)).expect("paths without a colon")
}

/// Builds and installs `test/<package>`, and gives its prefix.
fn built(package: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("test").join(package);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    fs::create_dir_all(&folder).expect("create the package's folder");
    // Two tests may need it at once. The lock goes with the file.
    let lock = File::create(folder.join("lock")).expect("create the lock");
    lock.lock().expect("wait for the lock");
    let (build, prefix) = (folder.join("build"), folder.join("install"));
    // CMake remembers what it found in another environment, and would go on with that.
    let environment: String =
        ENVIRONMENT.iter().map(|name| format!("{name}={:?}\n", std::env::var_os(name))).collect();
    let environment = format!("{environment}{}\n", source.display());
    let made_in = folder.join("made-in");
    if fs::read_to_string(&made_in).ok().as_ref() != Some(&environment) {
        for stale in [&build, &prefix] {
            if stale.exists() {
                fs::remove_dir_all(stale).expect("remove what another environment left");
            }
        }
        fs::write(&made_in, environment).expect("write down the environment");
    }
    let install = format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display());
    let steps: [&[&OsStr]; 3] = [
        &[
            "-S".as_ref(),
            source.as_os_str(),
            "-B".as_ref(),
            build.as_os_str(),
            install.as_ref(),
            // The same folder on every system.
            "-DPYTHON_INSTALL_DIR=python".as_ref(),
        ],
        &["--build".as_ref(), build.as_os_str(), "--parallel".as_ref(), "2".as_ref()],
        &["--install".as_ref(), build.as_os_str()],
    ];
    for arguments in steps {
        let output = Command::new("cmake").args(arguments).output().expect("cmake must be there");
        let text = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "cmake {arguments:?}\n{text}");
    }
    prefix
}
