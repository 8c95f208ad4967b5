//! Which topics are watched for telemetry.

use std::time::Duration;

/// `monitor`: topics of others that are counted and timed, never acted on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonitorConfig {
    /// Topics by name. Invariant: no more than `max_topics`, and their series fit into `max_series`.
    pub topics: Vec<MonitoredTopic>,
    /// Patterns of absolute names: `*` is any text without `/`, `**` any text.
    pub patterns: Vec<String>,
    /// Most topics, named and found.
    pub max_topics: usize,
    /// Most series of all topics together.
    pub max_series: usize,
}

/// A topic that the params file names.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitoredTopic {
    /// As `/diagnostics` calls it.
    pub name: String,
    /// As written.
    pub topic: String,
    /// How often a message is expected; `None`: by the deadline that its publishers offer, if any.
    pub rate_hz: Option<f64>,
    /// The longest silence that is no fault; `None`: any.
    pub max_gap: Option<Duration>,
    /// Which times are kept as histograms.
    pub histograms: Histograms,
}

/// Which times of a topic are kept as histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histograms {
    /// Between two messages.
    pub interval: bool,
    /// Receipt minus the middleware's source timestamp.
    pub transport: bool,
    /// Receipt minus the header stamp.
    pub age: bool,
}

/// Series of a topic beside its histograms.
const PLAIN_SERIES: usize = 13;
/// Series of one histogram: 14 buckets, `+Inf`, sum and count.
const HISTOGRAM_SERIES: usize = 17;

impl Histograms {
    /// Where nothing is written, and of topics found by a pattern.
    pub const DEFAULT: Self = Self { interval: true, transport: true, age: false };

    /// How many series a topic with these has.
    #[must_use]
    pub fn series(self) -> usize {
        let kept = [self.interval, self.transport, self.age].into_iter().filter(|kept| *kept);
        PLAIN_SERIES.saturating_add(kept.count().saturating_mul(HISTOGRAM_SERIES))
    }
}

impl MonitorConfig {
    /// Whether there is anything to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.patterns.is_empty()
    }

    /// How many topics can be told about: those named, and room for those found.
    #[must_use]
    pub fn capacity(&self) -> usize {
        if self.patterns.is_empty() {
            return self.topics.len();
        }
        let named: usize = self.topics.iter().map(|topic| topic.histograms.series()).sum();
        let left = self.max_series.saturating_sub(named) / Histograms::DEFAULT.series();
        self.topics.len().saturating_add(left).min(self.max_topics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_series_run_out_before_topics_expect_fewer_topics() {
        let mut config = MonitorConfig {
            patterns: vec!["/**".to_owned()],
            max_topics: 64,
            max_series: 10_000,
            ..MonitorConfig::default()
        };
        assert_eq!(config.capacity(), 64);
        config.max_series = 100;
        assert_eq!(config.capacity(), 2);
        config.patterns.clear();
        assert_eq!(config.capacity(), 0, "only what is named");
    }
}
