//! `/rosout`: the log's messages as `rcl_interfaces/msg/Log`, with the quality of service that rcl
//! gives it.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use r2r::rcl_interfaces::msg::Log;
use r2r::{Node, Publisher, QosProfile};

use super::plain;
use super::state_msg::time;
use crate::telemetry::logging::{ROSOUT_DEPTH, RosoutLine};
use crate::telemetry::slots::{LogCounts, LogLevel, LogSink};

/// # Source
/// `rcl_qos_profile_rosout_default` of rcl.
const LIFESPAN: Duration = Duration::from_secs(10);
/// Messages in one turn: the rest waits for the next, after the services.
const AT_ONCE: usize = 64;

/// The publisher, and where the messages come from.
pub(super) struct Rosout {
    publisher: Publisher<Log>,
    lines: Receiver<RosoutLine>,
    counts: Arc<LogCounts>,
    logger: String,
}

impl Rosout {
    pub(super) fn new(
        node: &mut Node,
        lines: Receiver<RosoutLine>,
        counts: Arc<LogCounts>,
        node_name: &str,
    ) -> Result<Self, r2r::Error> {
        let qos = QosProfile::default()
            .reliable()
            .transient_local()
            .keep_last(ROSOUT_DEPTH)
            .lifespan(LIFESPAN);
        let publisher = node.create_publisher("/rosout", qos)?;
        Ok(Self { publisher, lines, counts, logger: logger(node_name) })
    }

    /// Publishes what waits. A message that cannot be published is counted and not logged, or the
    /// next turn would have one more.
    pub(super) fn publish(&self) {
        for line in self.lines.try_iter().take(AT_ONCE) {
            if plain::publish(&self.publisher, message(line, &self.logger)).is_err() {
                self.counts.lost.at(LogSink::Rosout).increment();
            }
        }
    }
}

/// rcl's name for the logger of a node: `/robot1/interlock` is `robot1.interlock`.
fn logger(node_name: &str) -> String {
    node_name.trim_start_matches('/').replace('/', ".")
}

fn message(line: RosoutLine, logger: &str) -> Log {
    Log {
        stamp: time(line.stamp),
        level: level(line.level),
        name: logger.to_owned(),
        msg: line.message,
        file: line.file.to_owned(),
        function: line.function.to_owned(),
        line: line.line,
    }
}

/// The constants of `rcl_interfaces/msg/Log`.
const fn level(level: LogLevel) -> u8 {
    match level {
        LogLevel::Error => 40,
        LogLevel::Warn => 30,
        LogLevel::Info => 20,
        LogLevel::Debug | LogLevel::Trace => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_level_is_mapped_expect_the_messages_own_constants() {
        for (ours, theirs) in [
            (LogLevel::Error, Log::ERROR as u8),
            (LogLevel::Warn, Log::WARN as u8),
            (LogLevel::Info, Log::INFO as u8),
            (LogLevel::Debug, Log::DEBUG as u8),
            (LogLevel::Trace, Log::DEBUG as u8),
        ] {
            assert_eq!(level(ours), theirs);
        }
    }

    #[test]
    fn when_a_node_has_a_namespace_expect_rcls_name_for_its_logger() {
        assert_eq!(logger("/interlock"), "interlock");
        assert_eq!(logger("/robot1/arm/interlock"), "robot1.arm.interlock");
    }
}
