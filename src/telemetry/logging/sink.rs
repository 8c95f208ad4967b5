//! The way to stderr: a bounded queue and a thread of its own, so that nobody who logs waits for who
//! reads. The priority before each line is for the journal.
//!
//! A journal that hangs must not keep a SIGTERM from stopping the robot, nor `~/state` from being
//! told. What finds no place in the queue, or cannot be written, is counted.
//!
//! **Invariant:** logging never fails, and waits for at most [`ERROR_WAIT`].

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use super::level_of;
use crate::telemetry::slots::{LogCounts, LogLevel, LogSink};

/// Places in the queue: more than a start, a stop and a bad second have.
pub(super) const CAPACITY: usize = 2048;
/// An error may be the last word of a process that is about to abort, so its line is waited for; not
/// longer than half of what the watchdog leaves a dying process.
const ERROR_WAIT: Duration = Duration::from_millis(50);
/// The same for the end of a process that ends as asked.
const END_WAIT: Duration = Duration::from_secs(1);

/// What goes through the queue.
enum Post {
    Line(Vec<u8>),
    /// Answered when everything before it is written.
    Flush(Sender<()>),
}

/// The way to thread `log`, which writes. Cheap to clone; the thread lives as long as the process.
#[derive(Clone)]
pub struct LogWriter {
    posts: Sender<Post>,
    counts: Arc<LogCounts>,
    /// Somebody has waited in vain: nobody does again before a line is written.
    is_stuck: Arc<AtomicBool>,
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter").finish_non_exhaustive()
    }
}

impl LogWriter {
    /// Starts thread `log`, which writes to `out`.
    ///
    /// # Errors
    /// The system's, when it gives no thread.
    pub(super) fn start(
        out: impl Write + Send + 'static,
        counts: Arc<LogCounts>,
    ) -> io::Result<Self> {
        let (posts, receiver) = bounded(CAPACITY);
        let is_stuck = Arc::new(AtomicBool::new(false));
        let writer = Self { posts, counts: counts.clone(), is_stuck: is_stuck.clone() };
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&receiver, out, &counts, &is_stuck))?;
        Ok(writer)
    }

    /// Waits until everything that was logged is written, for a second at most: at the end.
    pub fn flush(&self) {
        self.wait(END_WAIT);
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> &LogCounts {
        &self.counts
    }

    fn wait(&self, limit: Duration) {
        let (answer, answered) = bounded(1);
        let is_written = self.posts.send_timeout(Post::Flush(answer), limit).is_ok()
            && answered.recv_timeout(limit).is_ok();
        // Relaxed: only a hint, and each side's next line corrects it.
        self.is_stuck.store(!is_written, Ordering::Relaxed);
    }
}

fn write_all(
    posts: &Receiver<Post>,
    mut out: impl Write,
    counts: &LogCounts,
    is_stuck: &AtomicBool,
) {
    for post in posts {
        match post {
            Post::Line(line) => {
                if out.write_all(&line).is_err() {
                    counts.lost.at(LogSink::Stderr).increment();
                }
                is_stuck.store(false, Ordering::Relaxed);
            }
            // Who asked may have gone on.
            Post::Flush(answer) => drop(answer.try_send(())),
        }
    }
}

impl<'w> MakeWriter<'w> for LogWriter {
    type Writer = LineWriter<'w>;

    fn make_writer(&'w self) -> LineWriter<'w> {
        LineWriter { writer: self, is_error: false }
    }

    fn make_writer_for(&'w self, metadata: &Metadata<'_>) -> LineWriter<'w> {
        LineWriter { writer: self, is_error: *metadata.level() == Level::ERROR }
    }
}

/// Takes one line.
#[derive(Debug)]
pub struct LineWriter<'w> {
    writer: &'w LogWriter,
    is_error: bool,
}

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.writer.posts.try_send(Post::Line(line.to_vec())).is_err() {
            self.writer.counts.lost.at(LogSink::Stderr).increment();
        } else if self.is_error && !self.writer.is_stuck.load(Ordering::Relaxed) {
            self.writer.wait(ERROR_WAIT);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Puts the priority before a line, as the journal reads it (`<3>`, sd-daemon(3)): it takes the
/// prefix off, and `journalctl -p err` finds the line.
pub(super) struct Prioritised<F> {
    pub(super) inner: F,
    /// Only where the journal reads: elsewhere it would stand in the line.
    pub(super) is_on: bool,
}

impl<S, N, F> FormatEvent<S, N> for Prioritised<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.is_on {
            write!(writer, "<{}>", priority(level_of(*event.metadata().level())))?;
        }
        self.inner.format_event(context, writer, event)
    }
}

/// syslog's number.
const fn priority(level: LogLevel) -> u8 {
    match level {
        LogLevel::Error => 3,
        LogLevel::Warn => 4,
        LogLevel::Info => 6,
        LogLevel::Debug | LogLevel::Trace => 7,
    }
}
