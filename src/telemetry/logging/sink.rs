//! The way to stderr: the priority before each line for the journal, and a count of lines that could
//! not be written.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use super::level_of;
use crate::telemetry::slots::{LogCounts, LogLevel, LogSink};

/// Writes whole lines, and never fails: a full disk or a pipe that nobody reads any more must not end
/// the thread that logs. What is not written is counted.
#[derive(Clone)]
pub(super) struct Counted<W> {
    pub(super) inner: W,
    pub(super) counts: Arc<LogCounts>,
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Counted<W> {
    type Writer = Counted<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Counted { inner: self.inner.make_writer(), counts: Arc::clone(&self.counts) }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.inner.write_all(line).is_err() {
            self.counts.lost.at(LogSink::Stderr).increment();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Lines that were lost have been counted.
        self.inner.flush().or(Ok(()))
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
