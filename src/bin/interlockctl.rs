//! The command line tool; see [`interlock::ctl`].

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = interlock::ctl::run(
        std::env::args_os(),
        &mut std::io::stdout().lock(),
        &mut std::io::stderr().lock(),
    );
    ExitCode::from(code)
}
