//! `lanes.<lane>.sources.<source>`: the command topics of a lane.
//!
//! **Invariant:** sources come out by descending priority, and no two share one.

use super::globals::Globals;
use super::keys::Keys;
use super::lane::RELIABILITY;
use super::model::{Interface, Reliability, SourceConfig, SourceMode};
use super::range::{Range, Read};
use super::shape::Shape;
use super::{balance, engage, names, paths};

/// Token bucket size where nothing is written.
const DEFAULT_BURST: u32 = 5;

/// Longest time that a source, a feedback or a kill input may be silent unnoticed, s: 500 was meant
/// in ms.
pub(super) const LONGEST_TIMEOUT_S: f64 = 60.0;

/// What a source must know of its lane.
pub(super) struct Lane<'l> {
    pub(super) globals: &'l Globals,
    /// `None`: unreadable, with a problem.
    pub(super) shape: Option<&'l Shape>,
    pub(super) is_balance: bool,
}

impl Lane<'_> {
    pub(super) fn interface(&self) -> Option<Interface> {
        self.shape.map(|shape| shape.interface)
    }
}

/// All sources of a lane.
pub(super) fn sources(
    keys: &mut Keys<'_>,
    lane: &str,
    globals: &Globals,
    shape: Option<&Shape>,
    is_balance: bool,
) -> Option<Vec<SourceConfig>> {
    let group = format!("{lane}.sources");
    let written = keys.map.names_under(&group);
    if written.is_empty() {
        keys.missing(&group, "at least one source", "a lane without sources can never move");
        return None;
    }
    let all = names::names(keys, &group);
    let around = Lane { globals, shape, is_balance };
    let mut sources: Vec<SourceConfig> = all
        .into_iter()
        .filter_map(|name| source(keys, &format!("{group}.{name}"), name, &around))
        .collect();
    let is_complete = sources.len() == written.len();
    sources.sort_by_key(|one| std::cmp::Reverse(one.priority));
    let mut is_unique = true;
    for pair in sources.windows(2) {
        if let [first, second] = pair
            && first.priority == second.priority
        {
            keys.refuse(
                &format!("{group}.{}.priority", second.name),
                format!("{} is also the priority of {}", second.priority, first.name),
                "each priority once in a lane",
                "of two equal ones nobody could say which wins",
                "give one of them another priority",
            );
            is_unique = false;
        }
    }
    if is_complete && sources.iter().all(|one| one.mode == SourceMode::Shadow) {
        keys.refuse(
            &group,
            "only shadow sources",
            "at least one with `mode: live`",
            "a shadow is judged and never selected, so the lane could never move",
            "add a live source, or make one of them live",
        );
        is_unique = false;
    }
    (is_complete && is_unique).then_some(sources)
}

fn source(keys: &mut Keys<'_>, at: &str, name: String, lane: &Lane<'_>) -> Option<SourceConfig> {
    let topic = names::topic(keys, &format!("{at}.topic"));
    let priority_key = format!("{at}.priority");
    let priority = keys.integer(&priority_key, 1, 255, "the highest wins; 0 is not a priority");
    let priority = keys
        .needed(&priority_key, priority, "1 to 255", "the order of sources is never guessed")
        .and_then(|value| u8::try_from(value).ok());
    let timeout = timeout(keys, at, "allow_no_timeout", lane.globals);
    let rate_key = format!("{at}.max_rate_hz");
    let rate = keys.double(
        &rate_key,
        Range::above(0.0, " Hz", "it fills the source's token bucket").to(10_000.0),
    );
    let max_rate_hz = keys.needed(
        &rate_key,
        rate,
        "0 < v <= 10000 Hz",
        "without it a source could flood the controller",
    );
    let burst = keys
        .integer(&format!("{at}.burst"), 1, 1000, "the bucket must hold at least one command")
        .and_then(|value| u32::try_from(value).ok())
        .or(DEFAULT_BURST);
    let limit_scale = limit_scale(keys, at, lane);
    let mode = keys
        .word(
            &format!("{at}.mode"),
            &[("live", Some(SourceMode::Live)), ("shadow", Some(SourceMode::Shadow))],
        )
        .or(SourceMode::Live);
    let engage = engage::engage(keys, at, lane, mode);
    let max_age = max_age(keys, at, lane);
    let allowed_nodes = allowed_nodes(keys, at);
    let revision = keys.string(&format!("{at}.revision")).or("");
    let reliability =
        keys.word(&format!("{at}.reliability"), RELIABILITY).or(Reliability::Reliable);
    Some(SourceConfig {
        name,
        mode: mode?,
        engage: engage?,
        max_age: max_age?,
        allowed_nodes: allowed_nodes?,
        topic: topic?,
        priority: priority?,
        timeout: timeout?,
        max_rate_hz: max_rate_hz?,
        burst: burst?,
        limit_scale: limit_scale?,
        revision: revision?.to_owned(),
        reliability: reliability?,
    })
}

fn limit_scale(keys: &mut Keys<'_>, at: &str, lane: &Lane<'_>) -> Option<f64> {
    let key = format!("{at}.limit_scale");
    let scale = keys
        .double(
            &key,
            Range::above(0.0, "", "a source's envelope can only be smaller than the lane's")
                .to(1.0),
        )
        .or(1.0)?;
    if lane.is_balance && scale < 1.0 {
        balance::refuse_altering(keys, &key, "1.0, or leave it out");
        return None;
    }
    Some(scale)
}

/// `max_age_s`; the message must say when it was made.
fn max_age(keys: &mut Keys<'_>, at: &str, lane: &Lane<'_>) -> Option<Option<std::time::Duration>> {
    let key = format!("{at}.max_age_s");
    let max_age =
        keys.seconds(&key, Range::above(0.0, " s", "an older command is refused")).optional()?;
    if max_age.is_some() && lane.shape.is_some_and(|shape| !shape.has_stamp()) {
        keys.refuse(
            &key,
            "has no effect here",
            "only for geometry_msgs/msg/TwistStamped, sensor_msgs/msg/JointState, or with \
             fields.stamp",
            "the messages do not say when they were made; a trajectory's stamp is its start",
            "remove it",
        );
        return None;
    }
    Some(max_age)
}

fn allowed_nodes(keys: &mut Keys<'_>, at: &str) -> Option<Vec<String>> {
    let key = format!("{at}.allowed_nodes");
    let nodes = keys.strings(&key).optional()?.unwrap_or_default();
    if let Some(wrong) = nodes.iter().find(|name| !paths::is_node(name)) {
        keys.refuse(
            &key,
            format!("{wrong:?} is not a node's name"),
            "name or /ns/name, of letters, digits and _",
            "only these nodes may publish on the topic",
            "correct the name",
        );
        return None;
    }
    Some(nodes.to_vec())
}

/// `timeout_s`, or the word that says there is none.
pub(super) fn timeout(
    keys: &mut Keys<'_>,
    at: &str,
    word: &str,
    globals: &Globals,
) -> Option<Option<std::time::Duration>> {
    let key = format!("{at}.timeout_s");
    let word_key = format!("{at}.{word}");
    let tick_s = 1.0 / globals.tick_hz;
    let range = Range::from(
        tick_s,
        " s",
        "silence is looked at on the tick; there is no value \
        that means \"no timeout\"",
    )
    .to(LONGEST_TIMEOUT_S);
    let timeout = keys.seconds(&key, range);
    let none = keys.boolean(&word_key);
    match (timeout, none) {
        (Read::Bad, _) | (_, Read::Bad) => None,
        (Read::Got(timeout), Read::Absent | Read::Got(false)) => Some(Some(timeout)),
        (Read::Absent, Read::Got(true)) => Some(None),
        (Read::Got(_), Read::Got(true)) => {
            keys.refuse(
                &word_key,
                "true contradicts timeout_s",
                format!("timeout_s, or {word}: true"),
                "one says how long a silence may be, the other that it may be for ever",
                "remove one",
            );
            None
        }
        (Read::Absent, Read::Absent | Read::Got(false)) => {
            keys.missing(
                &key,
                &format!("a time in s, or {word}: true"),
                "a silence that nobody notices must be somebody's decision",
            );
            None
        }
    }
}
