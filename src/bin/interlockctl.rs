//! The command line tool; see [`interlock::ctl`].

use std::io::IsTerminal;
use std::process::ExitCode;

use interlock::ctl::{Console, run};
use interlock::socket::place::Surroundings;
use rustix::process::geteuid;
use rustix::termios::tcgetwinsize;

fn main() -> ExitCode {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let is_terminal = stdout.is_terminal();
    let size = || tcgetwinsize(&stdout).ok().filter(|size| size.ws_row > 0 && size.ws_col > 0);
    // A terminal that does not tell its size is taken for the smallest that people have.
    let screen =
        || size().map_or((24, 80), |size| (usize::from(size.ws_row), usize::from(size.ws_col)));
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let surroundings = Surroundings::read(|name| std::env::var(name).ok(), geteuid().as_raw());
    let surroundings = surroundings.with_sessions(|folder| {
        // A folder that is not there or not open has nothing for us.
        let all = std::fs::read_dir(folder).into_iter().flatten();
        all.filter_map(|entry| Some(entry.ok()?.path())).collect()
    });
    let code = run(
        std::env::args_os(),
        &mut Console {
            can_ask: stdin.is_terminal(),
            input: &mut stdin.lock(),
            out: &mut stdout.lock(),
            err: &mut std::io::stderr().lock(),
            screen: if is_terminal { Some(&screen) } else { None },
            colour: is_terminal && !no_color,
            surroundings,
            state_directory: interlock::latch::directory(None, &|name| std::env::var_os(name)),
        },
    );
    ExitCode::from(code)
}
