//! `monitor`: topics watched for telemetry, by name and by pattern.

use super::keys::Keys;
use super::model::{Histograms, LaneConfig, MonitorConfig, MonitoredTopic};
use super::names;
use super::range::Range;
use super::reader::Context;

/// Topics where nothing is written: a robot has a few dozen that matter.
const DEFAULT_MAX_TOPICS: usize = 64;
/// Series where nothing is written.
const DEFAULT_MAX_SERIES: usize = 10_000;
/// What one process can still tell about.
const MOST_TOPICS: i64 = 4096;
const MOST_SERIES: i64 = 1_000_000;

/// Words of `histograms`; `none` stands for an empty list, which ROS reads as "not set".
const WORDS: [&str; 4] = ["interval", "transport", "age", "none"];

/// The whole group; `None` after a problem.
pub(super) fn monitor(keys: &mut Keys<'_>) -> Option<MonitorConfig> {
    let all = names::names(keys, "monitor.topics");
    let wanted = keys.map.names_under("monitor.topics").len();
    let topics: Vec<MonitoredTopic> = all.into_iter().filter_map(|name| one(keys, name)).collect();
    let patterns = patterns(keys);
    let max_topics = count(keys, "monitor.max_topics", MOST_TOPICS, DEFAULT_MAX_TOPICS);
    let max_series = count(keys, "monitor.max_series", MOST_SERIES, DEFAULT_MAX_SERIES);
    if wanted == 0 && patterns.as_ref().is_some_and(Vec::is_empty) {
        let because = "there is no topic that it could bound";
        for key in ["monitor.max_topics", "monitor.max_series"] {
            keys.refuse_effectless(key, "only with `topics` or `patterns`", because)?;
        }
    }
    let config = MonitorConfig {
        topics,
        patterns: patterns?,
        max_topics: max_topics?,
        max_series: max_series?,
    };
    refuse_twice(keys, &config.topics)?;
    refuse_too_many(keys, &config)?;
    (config.topics.len() == wanted).then_some(config)
}

fn count(keys: &mut Keys<'_>, key: &str, most: i64, default: usize) -> Option<usize> {
    let because = "more than a scrape can carry is no telemetry";
    keys.integer(key, 1, most, because).and_then(|value| usize::try_from(value).ok()).or(default)
}

fn one(keys: &mut Keys<'_>, name: String) -> Option<MonitoredTopic> {
    let at = format!("monitor.topics.{name}");
    let topic = names::topic(keys, &format!("{at}.topic"));
    let rate = Range::above(0.0, " Hz", "a topic that is expected never is no telemetry");
    let rate_hz = keys.double(&format!("{at}.rate_hz"), rate.to(100_000.0)).optional();
    let gap = Range::above(0.0, " s", "every topic pauses between two messages").to(86_400.0);
    let max_gap = keys.seconds(&format!("{at}.max_gap_s"), gap).optional();
    let histograms = histograms(keys, &format!("{at}.histograms"));
    let (rate_hz, max_gap) = (rate_hz?, max_gap?);
    if let (Some(rate), Some(gap)) = (rate_hz, max_gap)
        && rate * gap.as_secs_f64() < 1.0
    {
        keys.refuse(
            &format!("{at}.max_gap_s"),
            format!("{} s is shorter than the time between two messages", gap.as_secs_f64()),
            format!("v >= {:?} s", 1.0 / rate),
            "at rate_hz every pause would be a fault",
            "raise it to several times 1 / rate_hz",
        );
        return None;
    }
    Some(MonitoredTopic { name, topic: topic?, rate_hz, max_gap, histograms: histograms? })
}

fn histograms(keys: &mut Keys<'_>, key: &str) -> Option<Histograms> {
    let Some(words) = keys.strings(key).optional()? else { return Some(Histograms::DEFAULT) };
    let mut wrong = words.iter().filter(|word| !WORDS.contains(&word.as_str()));
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let problem = match wrong.next() {
        Some(word) => format!("{word:?} is not allowed"),
        None if has("none") && words.len() > 1 => "\"none\" is not alone".to_owned(),
        None => {
            let (interval, transport, age) = (has("interval"), has("transport"), has("age"));
            return Some(Histograms { interval, transport, age });
        }
    };
    let because = "these are the times that a topic has";
    keys.refuse(key, problem, "interval, transport, age; or none alone", because, "correct it");
    None
}

fn patterns(keys: &mut Keys<'_>) -> Option<Vec<String>> {
    let key = "monitor.patterns";
    let patterns = keys.strings(key).optional()?.unwrap_or_default().to_vec();
    let bad = patterns.iter().find(|pattern| !is_pattern(pattern));
    if let Some(bad) = bad {
        keys.refuse(
            key,
            format!("{bad:?} is not allowed"),
            "absolute names of letters, digits, _ and /, with * for any text without / and ** for any",
            "a mistyped pattern would watch nothing",
            "write it from the root, for example /camera/*/image or /**",
        );
        return None;
    }
    Some(patterns)
}

fn is_pattern(pattern: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '*');
    pattern.len() > 1
        && pattern.len() <= 200
        && pattern.starts_with('/')
        && !pattern.ends_with('/')
        && pattern.chars().all(is_letter)
        && !pattern.contains("//")
        && !pattern.contains("***")
}

fn refuse_twice(keys: &mut Keys<'_>, topics: &[MonitoredTopic]) -> Option<()> {
    let mut is_good = true;
    for (at, topic) in topics.iter().enumerate() {
        let mut before = topics.iter().take(at);
        if let Some(other) = before.find(|other| other.topic == topic.topic) {
            keys.refuse(
                &format!("monitor.topics.{}.topic", topic.name),
                format!("{} is also monitor.topics.{}", topic.topic, other.name),
                "each topic once",
                "metrics name a topic by its topic, and could not tell the two apart",
                "remove one of them",
            );
            is_good = false;
        }
    }
    is_good.then_some(())
}

fn refuse_too_many(keys: &mut Keys<'_>, config: &MonitorConfig) -> Option<()> {
    let named = config.topics.len();
    let series: usize = config.topics.iter().map(|topic| topic.histograms.series()).sum();
    let bounds = [
        ("monitor.max_topics", named, config.max_topics, "topics are named"),
        ("monitor.max_series", series, config.max_series, "series belong to the topics named"),
    ];
    for (key, found, most, what) in bounds {
        if found > most {
            keys.refuse(
                key,
                format!("{most} is too few: {found} {what}"),
                format!("v >= {found}"),
                "a topic that is named is watched, or nothing starts",
                "raise it, or name fewer topics",
            );
            return None;
        }
    }
    Some(())
}

/// Refuses to watch what the gate writes or takes itself. `read` are the keys of inputs beside their
/// topics.
pub(super) fn refuse_own_topics<'t>(
    keys: &mut Keys<'_>,
    context: &Context,
    lanes: &[LaneConfig],
    read: impl Iterator<Item = (String, &'t String)>,
) {
    let absolute = |topic: &str| names::absolute(topic, &context.namespace, &context.node_name);
    let own = absolute("~/");
    for (key, topic) in read {
        let topic = absolute(topic);
        let used = lanes.iter().find_map(|lane| {
            let source = lane.sources.iter().find(|source| absolute(&source.topic) == topic);
            source
                .map(|source| format!("lanes.{}.sources.{}.topic", lane.name, source.name))
                .or_else(|| {
                    (absolute(&lane.output) == topic).then(|| format!("lanes.{}.output", lane.name))
                })
        });
        let used = used.or_else(|| {
            let is_own = topic.starts_with(&own) || topic == "/diagnostics";
            is_own.then(|| "our own".to_owned())
        });
        if let Some(used) = used {
            keys.refuse(
                &format!("{key}.topic"),
                format!("{topic} is also {used}"),
                "a topic that the gate neither writes nor takes commands from",
                "commands have metrics of their own (interlock_command_*), and a second reader of \
                 what we write would slow the gate down",
                "remove it",
            );
        }
    }
}
