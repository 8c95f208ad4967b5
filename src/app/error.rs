//! Why the node did not start or could not go on.

use std::path::PathBuf;

use crate::config::problem::Problems;
use crate::http::HttpError;
use crate::ros::control::ControlError;
use crate::ros::gate_thread::BuildError;
use crate::ros::monitor::MonitorError;
use crate::ros::rcl::RclError;
use crate::socket::SocketError;

/// Why the node did not start or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration, with every problem.
    #[error("{0}")]
    Config(Problems),
    /// rcl's own text.
    #[error(transparent)]
    Rcl(#[from] RclError),
    /// The gate's wires.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Topics of telemetry, temperatures and batteries.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// The control plane's node.
    #[error("the control node cannot be made: {0}")]
    Control(#[from] ControlError),
    /// ROS's log folder.
    #[error(
        "ROS's log folder {path} cannot be made: {source}\n  to fix:  set ROS_LOG_DIR to a folder \
         that can be written"
    )]
    LogFolder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Another instance runs.
    #[error(transparent)]
    Latch(#[from] crate::latch::OpenError),
    /// Nothing says where the latch file is to be.
    #[error(
        "there is no state directory for the latch file: neither state_dir nor STATE_DIRECTORY, \
         XDG_STATE_HOME or HOME is set\n  to fix:  write state_dir in the params file"
    )]
    NoStateDirectory,
    /// `/metrics` and the rest.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The control socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// A programming error in the metric catalogue.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// No thread or signal handler to be had.
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}

impl AppError {
    /// Whether the params file is at fault, so that a second start would not help.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Config(_) | Self::NoStateDirectory => true,
            Self::Build(error) => error.is_configuration(),
            Self::Monitor(error) => error.is_configuration(),
            Self::Rcl(_)
            | Self::Control(_)
            | Self::LogFolder { .. }
            | Self::Latch(_)
            | Self::Http(_)
            | Self::Socket(_)
            | Self::Metrics(_)
            | Self::System(_) => false,
        }
    }
}
