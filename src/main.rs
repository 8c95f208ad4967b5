//! `interlock`: arguments, configuration, log, run, exit code.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use interlock::app;
use interlock::config::args::Arguments;
use interlock::config::check::{EXIT_CONFIG, check};
use interlock::config::load::load_arguments;
use interlock::ros::suggest::{self, Options, SuggestError, WATCH_FOR};
use interlock::telemetry::logging::{self, LogOptions};

/// The gate between the programs that decide and the controller that moves a robot.
///
/// Not an emergency stop: it cannot cut power.
#[derive(Parser)]
#[command(
    name = "interlock",
    version,
    after_help = "ROS arguments follow --ros-args, for example:\n  \
                  interlock --ros-args --params-file mobile_base.yaml\n\n\
                  Exit codes: 0 stopped as asked, 64 bad usage, 69 nothing to suggest, 70 could not \
                  start or go on, 78 configuration"
)]
struct Cli {
    /// Say what is wrong with these params files (or with those after --ros-args), or what would
    /// run, and start nothing
    #[arg(long)]
    check_config: bool,
    /// Print a params file for what is on the graph now: for these command topics, or for every one
    /// that has a reader and a type with a built-in map. Publishes nothing
    #[arg(long, conflicts_with = "check_config")]
    suggest: bool,
    /// How long --suggest looks, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = WATCH_FOR.as_secs_f64(), requires = "suggest")]
    watch_for: f64,
    /// Params files to check, or topics to suggest a params file for
    #[arg(value_name = "FILE|TOPIC")]
    names: Vec<String>,
}

/// EX_USAGE of sysexits.h.
const EXIT_USAGE: u8 = 64;
/// EX_UNAVAILABLE of sysexits.h.
const EXIT_UNAVAILABLE: u8 = 69;
/// EX_SOFTWARE of sysexits.h.
const EXIT_FAILED: u8 = 70;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arguments = match Arguments::parse(&args) {
        Ok(arguments) => arguments,
        Err(problems) => return refuse(EXIT_CONFIG, &problems),
    };
    // clap never sees ROS's own arguments.
    let plain = std::iter::once("interlock".to_owned()).chain(arguments.plain.iter().cloned());
    let cli = match Cli::try_parse_from(plain) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no error.
            let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
            error.print().ok();
            return ExitCode::from(code);
        }
    };
    if cli.check_config {
        let (code, text) =
            check(&cli.names.iter().chain(&arguments.ros).cloned().collect::<Vec<_>>());
        return say(code, &text);
    }
    if cli.suggest {
        return suggest(&cli, &arguments);
    }
    if !cli.names.is_empty() {
        return refuse(EXIT_USAGE, &"interlock: names only follow --check-config or --suggest");
    }
    let (config, map) = match load_arguments(&arguments) {
        Ok(loaded) => loaded,
        Err(problems) => return refuse(EXIT_CONFIG, &problems),
    };
    let logs = LogOptions::from_process(&log_levels(&arguments.ros), no_rosout(&arguments.ros))
        .and_then(|options| logging::init(&options, interlock::clock::wall));
    let logging = match logs {
        Ok(logging) => logging,
        Err(error) => return refuse(EXIT_USAGE, &error),
    };
    let writer = logging.writer.clone();
    let ended = app::run(config, map, &arguments, logging);
    writer.flush();
    match ended {
        Ok(code) => code,
        Err(app::AppError::Config(problems)) => refuse(EXIT_CONFIG, &problems),
        Err(error) => {
            let code = if error.is_configuration() { EXIT_CONFIG } else { EXIT_FAILED };
            refuse(code, &format!("interlock: not started\n{error}"))
        }
    }
}

/// Looks at the live graph and prints what it saw.
fn suggest(cli: &Cli, arguments: &Arguments) -> ExitCode {
    let Some(watch_for) = Duration::try_from_secs_f64(cli.watch_for).ok().filter(|d| !d.is_zero())
    else {
        return refuse(EXIT_USAGE, &"interlock: --for needs a number of seconds over 0");
    };
    let options = Options { topics: cli.names.clone(), watch_for, ros_args: arguments.ros.clone() };
    match suggest::suggest(&options) {
        Ok(text) => say(0, &text),
        Err(error @ SuggestError::Nothing(_)) => refuse(EXIT_UNAVAILABLE, &error),
        Err(error @ SuggestError::Rcl(_)) => refuse(EXIT_FAILED, &error),
    }
}

/// Every value of `--log-level`.
fn log_levels(ros: &[String]) -> Vec<String> {
    let follows = ros.iter().zip(ros.iter().skip(1));
    follows.filter(|(flag, _)| *flag == "--log-level").map(|(_, level)| level.clone()).collect()
}

/// ROS's switch for `/rosout`; the last one counts, as in rcl.
fn no_rosout(ros: &[String]) -> bool {
    let switches = ros.iter().rev();
    let mut said = switches.filter_map(|word| match word.as_str() {
        "--disable-rosout-logs" => Some(true),
        "--enable-rosout-logs" => Some(false),
        _ => None,
    });
    said.next().unwrap_or(false)
}

#[expect(clippy::print_stderr, reason = "the log is not set up, or this is the last word")]
fn refuse(code: u8, why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(code)
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the output of --check-config")]
fn say(code: u8, text: &str) -> ExitCode {
    if code == 0 {
        print!("{text}");
    } else {
        eprintln!("{text}");
    }
    ExitCode::from(code)
}
