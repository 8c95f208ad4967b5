//! The log: where it goes, in which form, from which level on, and how many messages there were.
//!
//! Always stderr, and `/rosout` unless it is switched off. On stderr JSON, one object a line, where it
//! is the systemd journal (each line with its priority) or `INTERLOCK_LOG_FORMAT=json`; else for
//! people, in colour only on a terminal. The level is ROS's `--log-level`, else `RUST_LOG`, else
//! `info`.
//!
//! **Invariant:** the gate thread never logs; it posts events. A word that is not understood is an
//! error at start, never a default. What cannot be written is counted, and fails nobody.

mod rosout;
mod sink;

use std::io::IsTerminal as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use self::rosout::RosoutLayer;
pub use self::rosout::{ROSOUT_DEPTH, RosoutLine};
pub use self::sink::LogWriter;
use self::sink::Prioritised;
use super::slots::{LogCounts, LogLevel};
use crate::gate::units::WallTime;

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human {
        /// With colours.
        colour: bool,
    },
    /// One object a line.
    Json {
        /// With its priority in front, for the journal.
        priority: bool,
    },
}

/// How to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Form.
    pub format: LogFormat,
    /// Directives as in `RUST_LOG`.
    pub directives: String,
    /// Whether to `/rosout`, too.
    pub rosout: bool,
}

/// What the log hands to the rest of the process.
#[derive(Debug)]
pub struct Logging {
    /// How many messages there were, and how many were lost.
    pub counts: Arc<LogCounts>,
    /// Writes them.
    pub writer: LogWriter,
    /// Those for `/rosout`; `None`: it is switched off.
    pub rosout: Option<Receiver<RosoutLine>>,
}

/// What is wrong with the wishes for the log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Not a level.
    #[error(
        "--log-level {0}: not a level\n  allowed: debug, info, warn, error, fatal, or <logger>:=<level>"
    )]
    Level(String),
    /// Not a form.
    #[error("INTERLOCK_LOG_FORMAT={0}: not a form\n  allowed: json, human")]
    Format(String),
    /// Not directives.
    #[error("RUST_LOG={0}: {1}")]
    Directives(String, ParseError),
    /// Somebody else installed a subscriber.
    #[error("the log is already set up")]
    AlreadySetUp,
    /// No thread to write with.
    #[error("cannot start thread `log`: {0}")]
    Thread(#[from] std::io::Error),
}

/// What the process was started with, so that the choice is a function of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// Every value of ROS's `--log-level`, in order.
    pub log_levels: &'a [String],
    /// ROS's `--disable-rosout-logs`.
    pub no_rosout: bool,
    /// `RUST_LOG`.
    pub rust_log: Option<&'a str>,
    /// `INTERLOCK_LOG_FORMAT`.
    pub log_format: Option<&'a str>,
    /// Whether stderr is the systemd journal.
    pub is_journal: bool,
    /// Whether stderr is a terminal.
    pub is_terminal: bool,
}

impl LogOptions {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// [`LogError`], for a word that is not understood.
    pub fn from_process(log_levels: &[String], no_rosout: bool) -> Result<Self, LogError> {
        let rust_log = std::env::var("RUST_LOG").ok();
        let log_format = std::env::var("INTERLOCK_LOG_FORMAT").ok();
        let journal = std::env::var("JOURNAL_STREAM").ok();
        Self::choose(&Surroundings {
            log_levels,
            no_rosout,
            rust_log: rust_log.as_deref().filter(|text| !text.is_empty()),
            log_format: log_format.as_deref().filter(|text| !text.is_empty()),
            is_journal: journal.is_some_and(|stream| stderr_is(&stream)),
            is_terminal: std::io::stderr().is_terminal(),
        })
    }

    /// The choice.
    ///
    /// # Errors
    /// [`LogError`], for a word that is not understood.
    pub fn choose(around: &Surroundings<'_>) -> Result<Self, LogError> {
        let human = LogFormat::Human { colour: around.is_terminal };
        let json = LogFormat::Json { priority: around.is_journal };
        let format = match around.log_format {
            Some("json") => json,
            Some("human") => human,
            Some(other) => return Err(LogError::Format(String::from(other))),
            None if around.is_journal => json,
            None => human,
        };
        let mut level = None;
        for argument in around.log_levels {
            level = ros_level(argument)?.or(level);
        }
        let directives = match (level, around.rust_log) {
            (Some(level), _) => ours(level),
            (None, Some(directives)) => String::from(directives),
            (None, None) => ours(LevelFilter::INFO),
        };
        filter(&directives)?;
        Ok(Self { format, directives, rosout: !around.no_rosout })
    }
}

/// Our own messages from this level on, libraries' warnings.
fn ours(level: LevelFilter) -> String {
    format!("warn,interlock={level}")
}

/// The level that one `--log-level` gives this node: `warn`, or `interlock:=warn`. `None`: it is
/// for another logger.
fn ros_level(argument: &str) -> Result<Option<LevelFilter>, LogError> {
    let (logger, word) = match argument.rsplit_once(":=") {
        Some((logger, word)) => (Some(logger), word),
        None => (None, argument),
    };
    let level = match word.to_ascii_lowercase().as_str() {
        "debug" => LevelFilter::DEBUG,
        "info" => LevelFilter::INFO,
        "warn" => LevelFilter::WARN,
        "error" | "fatal" => LevelFilter::ERROR,
        _ => return Err(LogError::Level(String::from(argument))),
    };
    // rcl writes a namespace as `robot1.interlock`.
    let is_ours = logger.is_none_or(|name| name.rsplit('.').next() == Some("interlock"));
    Ok(is_ours.then_some(level))
}

/// Whether stderr is the stream that systemd named as `device:inode`. The variable alone says
/// nothing: a shell started by a user service inherits it.
fn stderr_is(stream: &str) -> bool {
    let Ok(file) = std::io::stderr().as_fd().try_clone_to_owned().map(std::fs::File::from) else {
        return false;
    };
    file.metadata().is_ok_and(|meta| stream == format!("{}:{}", meta.dev(), meta.ino()))
}

fn filter(directives: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder()
        .parse(directives)
        .map_err(|error| LogError::Directives(String::from(directives), error))
}

/// Sets the log up for the whole process. The counts go into [`super::slots::Slots`]; `wall` reads
/// the wall clock.
///
/// # Errors
/// [`LogError::AlreadySetUp`]; [`LogError::Thread`]; [`LogError::Directives`] if they do not parse.
pub fn init(options: &LogOptions, wall: fn() -> WallTime) -> Result<Logging, LogError> {
    let counts: Arc<LogCounts> = Arc::default();
    let (layer, rosout) = if options.rosout {
        let (layer, lines) = RosoutLayer::new(Arc::clone(&counts), wall);
        (Some(layer), Some(lines))
    } else {
        (None, None)
    };
    let writer = LogWriter::start(std::io::stderr(), Arc::clone(&counts))?;
    subscriber(options, Arc::clone(&counts), writer.clone(), layer)?
        .try_init()
        .map_err(|_| LogError::AlreadySetUp)?;
    Ok(Logging { counts, writer, rosout })
}

fn subscriber<W>(
    options: &LogOptions,
    counts: Arc<LogCounts>,
    writer: W,
    rosout: Option<RosoutLayer>,
) -> Result<impl Subscriber + Send + Sync + 'static, LogError>
where
    W: for<'w> MakeWriter<'w> + Clone + Send + Sync + 'static,
{
    let (for_machines, for_people) = match options.format {
        LogFormat::Json { priority } => {
            let layer = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .with_writer(writer)
                .map_event_format(|inner| Prioritised { inner, is_on: priority });
            (Some(layer), None)
        }
        LogFormat::Human { colour } => {
            let layer = tracing_subscriber::fmt::layer();
            (None, Some(layer.with_target(false).with_ansi(colour).with_writer(writer)))
        }
    };
    Ok(tracing_subscriber::registry()
        .with(filter(&options.directives)?)
        .with(CountLayer { counts })
        .with(for_machines)
        .with(for_people)
        .with(rosout))
}

/// Counts what passes the filter.
struct CountLayer {
    counts: Arc<LogCounts>,
}

impl<S: Subscriber> Layer<S> for CountLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.counts.messages.at(level_of(*event.metadata().level())).increment();
    }
}

fn level_of(level: Level) -> LogLevel {
    if level == Level::ERROR {
        LogLevel::Error
    } else if level == Level::WARN {
        LogLevel::Warn
    } else if level == Level::INFO {
        LogLevel::Info
    } else if level == Level::DEBUG {
        LogLevel::Debug
    } else {
        LogLevel::Trace
    }
}

/// What is logged as JSON while `run` runs on this thread.
#[cfg(test)]
pub(crate) fn capture(directives: &str, run: impl FnOnce()) -> String {
    let options = LogOptions {
        format: LogFormat::Json { priority: false },
        directives: String::from(directives),
        rosout: false,
    };
    tests::captured(&options, &Arc::default(), run)
}

#[cfg(test)]
mod tests;
