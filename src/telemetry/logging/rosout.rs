//! Log messages on their way to `/rosout`: a bounded queue that thread `control` empties.
//!
//! **Invariant:** who logs never waits: what finds no place is counted.

use std::fmt;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::level_of;
use crate::gate::units::WallTime;
use crate::telemetry::slots::{LogCounts, LogLevel, LogSink};

/// Places in the queue: as many as `/rosout` keeps for a late reader.
pub const ROSOUT_DEPTH: usize = 1000;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosoutLine {
    /// When it was logged.
    pub stamp: WallTime,
    /// Its level.
    pub level: LogLevel,
    /// The sentence.
    pub message: String,
    /// Source file; empty: unknown.
    pub file: &'static str,
    /// Module path.
    pub function: &'static str,
    /// Line in the file; 0: unknown.
    pub line: u32,
}

/// The layer's end of the queue.
pub(super) struct RosoutLayer {
    queue: Sender<RosoutLine>,
    counts: Arc<LogCounts>,
    /// Reads the wall clock.
    wall: fn() -> WallTime,
}

impl RosoutLayer {
    /// The layer, and where its lines come out.
    pub(super) fn new(
        counts: Arc<LogCounts>,
        wall: fn() -> WallTime,
    ) -> (Self, Receiver<RosoutLine>) {
        let (queue, lines) = bounded(ROSOUT_DEPTH);
        (Self { queue, counts, wall }, lines)
    }
}

impl<S: Subscriber> Layer<S> for RosoutLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut message = Message::default();
        event.record(&mut message);
        let line = RosoutLine {
            stamp: (self.wall)(),
            level: level_of(*metadata.level()),
            message: message.0,
            file: metadata.file().unwrap_or_default(),
            function: metadata.target(),
            line: metadata.line().unwrap_or(0),
        };
        // Full, or nobody is there any more.
        if self.queue.try_send(line).is_err() {
            self.counts.lost.at(LogSink::Rosout).increment();
        }
    }
}

/// Takes the sentence out of an event; its fields are in it, or in the log.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
