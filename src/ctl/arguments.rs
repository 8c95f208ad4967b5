//! The command line: one definition for parsing, help, completions and the man page.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// What `--help` and the man page say about exit codes.
const EXIT_CODES: &str = "\
Exit codes:
  0   done, or the node is disarmed or active; doctor: all good
  1   refused, not confirmed, or the node is killed (status);
      the time is over (wait); something is bad (doctor, self-test)
  2   no node, or several, could be reached; doctor: something could not be checked
  64  the command line is wrong";

/// Stops, looks at, resets and arms a running Interlock node.
#[derive(Debug, Parser)]
#[command(name = "interlockctl", version, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) verb: Verb,
    /// The node's control socket, where it is not in its usual place or several nodes run
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
}

/// Who and why, for the log.
#[derive(Args, Debug, Default)]
pub(super) struct Because {
    /// Why, for the log and for whoever looks later
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Your name, where several people share this user
    #[arg(long, value_name = "NAME")]
    pub(super) operator: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Stops the robot, from any state: every node that is there. Asks nothing
    Kill {
        #[command(flatten)]
        because: Because,
    },
    /// Shows state, lanes, sources and what stands in the way
    Status {
        /// The node's own JSON, as it is
        #[arg(long)]
        json: bool,
        /// Goes on, once a second; on a terminal as a screen, else a line for each change
        #[arg(long, conflicts_with = "json")]
        watch: bool,
        /// Look over HTTP (http.listen) instead of the control socket
        #[arg(long)]
        url: Option<String>,
    },
    /// Lets go after a kill: killed to disarmed. Nothing moves
    Reset {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        because: Because,
    },
    /// Lets commands through: disarmed to active. The robot can move
    Arm {
        /// A limit profile of the params file, instead of its default
        #[arg(long)]
        profile: Option<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        because: Because,
    },
    /// Lets go: active to disarmed, by the safe command
    Disarm {
        #[command(flatten)]
        because: Because,
    },
    /// Puts a source in charge of a lane; without a source by priority again
    SelectSource {
        /// The lane
        lane: String,
        /// The source
        source: Option<String>,
        #[command(flatten)]
        because: Because,
    },
    /// Trips every kill input while disarmed, times it, and resets. Nothing moves
    SelfTest {
        /// The node's own JSON, as it is
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        because: Because,
    },
    /// Shows the last stops, verbs and refusals of this run
    History {
        /// The node's own JSON, as it is
        #[arg(long)]
        json: bool,
    },
    /// Waits until the node is in a state, for scripts and launch files
    Wait {
        /// disarmed, active, killed, or ready (disarmed and nothing in the way of arm)
        #[arg(long, value_parser = ["disarmed", "active", "killed", "ready"])]
        state: String,
        /// Seconds
        #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
        timeout: f64,
    },
    /// Compares what watched lanes saw with their limits, joint by joint
    Suggest {
        /// Only this lane
        lane: Option<String>,
    },
    /// Checks the robot around the node, and says how to correct what is wrong
    Doctor,
    /// Prints completions for a shell
    Completions {
        /// Which
        shell: Shell,
    },
    /// Prints the man page, for `man -l -`
    Man,
}
