//! `interlock --suggest [TOPIC…]`: a params file from what is on the graph now.
//!
//! Looks for some seconds at command topics and feedback, then writes what it saw: lanes, joints,
//! present publishers as sources, rates, limits from the robot description where there is one. Every
//! lane is `mode: watch`, so starting the result moves nothing; what was guessed says so.
//!
//! **Invariant:** it publishes nothing and arms nothing.

mod limits;
mod observe;
mod watched;
mod write;

use std::time::Duration;

use self::observe::Observer;
use super::rcl::RclError;
use crate::config::model::CommandType;

/// Time to watch unless told otherwise.
pub const WATCH_FOR: Duration = Duration::from_secs(5);

/// What to look at.
#[derive(Clone, Debug)]
pub struct Options {
    /// Command topics; none: every one that has a reader and a type with a built-in map.
    pub topics: Vec<String>,
    /// How long to look.
    pub watch_for: Duration,
    /// ROS's own arguments.
    pub ros_args: Vec<String>,
}

/// Why there is nothing to suggest.
#[derive(Debug, thiserror::Error)]
pub enum SuggestError {
    /// rcl's own text.
    #[error(transparent)]
    Rcl(#[from] RclError),
    /// There are no such topics.
    #[error("nothing to suggest: {0}")]
    Nothing(String),
}

/// Looks, and gives the text of a params file.
///
/// # Errors
/// [`SuggestError`].
pub fn suggest(options: &Options) -> Result<String, SuggestError> {
    let observer = Observer::new(&options.ros_args)?;
    let observed = observer.observe(&options.topics, options.watch_for)?;
    Ok(write::params_file(&observed))
}

/// The smallest and largest of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range {
    min: f64,
    max: f64,
}

/// One publisher of a command topic.
#[derive(Clone, Debug, PartialEq)]
struct Writer {
    node: String,
    /// Commands a second; none where it sent fewer than two.
    rate_hz: Option<f64>,
    is_reliable: bool,
}

/// One command topic.
#[derive(Clone, Debug, PartialEq)]
struct CommandTopic {
    topic: String,
    kind: CommandType,
    writers: Vec<Writer>,
    readers: Vec<String>,
    readers_are_reliable: bool,
    joints: Vec<String>,
    /// Values in an array.
    count: usize,
    /// Absent where no number was seen.
    position: Vec<Option<Range>>,
    velocity: Vec<Option<Range>>,
    has_effort: bool,
}

/// One feedback topic.
#[derive(Clone, Debug, PartialEq)]
struct FeedbackTopic {
    topic: String,
    is_odometry: bool,
    joints: Vec<String>,
    /// Those that came in one message, for each such set.
    together: Vec<Vec<String>>,
    /// Absent where no number was seen.
    position: Vec<Option<Range>>,
    velocity: Vec<Option<Range>>,
    rate_hz: Option<f64>,
}

/// A joint as the robot description has it.
#[derive(Clone, Debug, PartialEq)]
struct DescribedJoint {
    name: String,
    position: Option<Range>,
    velocity: f64,
    effort: f64,
}

/// Everything seen.
#[derive(Clone, Debug, Default, PartialEq)]
struct Observed {
    seconds: f64,
    commands: Vec<CommandTopic>,
    feedback: Vec<FeedbackTopic>,
    description: Option<(String, Vec<DescribedJoint>)>,
}
