//! From the gate's snapshot to [`Status`]: indices become names, causes become sentences.

use super::notes::LaneNotes;
use super::silence::now_silent;
use super::slots::Slots;
use super::status::{
    CauseStatus, ClockStatus, ConditionStatus, FeedbackStatus, KillInputStatus, LaneStatus,
    SeenLimits, SeenStatus, SourceStatus, Status, TopicStatus, TripStatus, UNREAD, UNSEEN,
};
use super::texts::Texts;
use crate::config::model::{LaneConfig, LaneMode, SourceConfig, SourceMode};
use crate::gate::conditions::Condition;
use crate::gate::limits::DimensionLimits;
use crate::gate::machine::Trip;
use crate::gate::publisher::Gid;
use crate::gate::safe::SafeCommand;
use crate::gate::seen::Seen;
use crate::gate::snapshot::{CauseView, LaneView, Snapshot, SourceView};
use crate::gate::standstill::Motion;
use crate::gate::units::{Moment, SteadyTime, WallTime, at_least};
use crate::gate::verdict::Verdict;

/// The status as of `snapshot`, told at `now`.
#[must_use]
pub fn status(snapshot: &Snapshot, texts: Texts<'_>, slots: &Slots, now: Moment) -> Status {
    let topics = super::topics::topics(texts.config, slots, now.steady);
    with_topics(snapshot, texts, slots, now, topics)
}

/// The same without the topics that a pattern found, of which there may be hundreds: what is told
/// ten times a second names the others only.
#[must_use]
pub fn status_of_named(
    snapshot: &Snapshot,
    texts: Texts<'_>,
    slots: &Slots,
    now: Moment,
) -> Status {
    let topics = super::topics::named(texts.config, slots, now.steady);
    with_topics(snapshot, texts, slots, now, topics)
}

fn with_topics(
    snapshot: &Snapshot,
    texts: Texts<'_>,
    slots: &Slots,
    now: Moment,
    topics: Vec<TopicStatus>,
) -> Status {
    let config = texts.config;
    let trip = |trip: &Trip| trip_status(trip, texts, now);
    let profile = snapshot.profile.and_then(|profile| config.profiles.get(profile));
    let mut found = texts.notes.read();
    found.lanes.resize_with(config.lanes.len(), LaneNotes::default);
    found.kill_inputs.resize_with(config.kill_inputs.len(), String::new);
    found.writers.resize_with(config.kill_inputs.len(), || None);
    found.feedback.resize_with(config.feedback.len(), String::new);
    found.lacks.resize_with(config.feedback.len(), String::new);
    let lanes = snapshot.lanes.iter().zip(&config.lanes).zip(&slots.lanes).zip(&found.lanes);
    let inputs = snapshot.kill_inputs.iter().zip(&config.kill_inputs);
    let feedback = snapshot.feedback.iter().zip(&config.feedback);
    let ignored = config.ignored(snapshot.profile);
    let ago = |at: Option<SteadyTime>| at.map(|at| now.steady.since(at).as_secs_f64());
    Status {
        state: snapshot.state.label().to_owned(),
        permitted: snapshot.permitted,
        seq: snapshot.seq,
        stamp_unix_s: unix(snapshot.at.wall),
        since_unix_s: unix(snapshot.since.wall),
        since_age_s: now.steady.since(snapshot.since.steady).as_secs_f64(),
        first_trip: snapshot.first_trip.as_ref().map(trip),
        last_trip: snapshot.last_trip.as_ref().map(trip),
        unmet: snapshot.unmet.iter().map(|condition| condition_status(condition, texts)).collect(),
        profile: profile.map(|profile| profile.name.clone()),
        derating: snapshot.derating,
        causes: snapshot.causes.iter().map(|cause| cause_status(cause, texts)).collect(),
        description: found.description,
        awaits_description: snapshot.awaits_description,
        simulated_time: config.use_sim_time,
        realtime: found.realtime,
        control_socket: found.control_socket,
        lanes: lanes
            .map(|(((view, lane), slots), notes)| {
                let controller = controller(view, lane, notes);
                LaneStatus {
                    notes: now_silent(snapshot, view, lane)
                        .into_iter()
                        .chain(lane_notes(notes, &controller))
                        .chain(view.graph.is_unseen.then(|| UNSEEN.to_owned()))
                        .collect(),
                    controller,
                    still_for_s: ago(view.still_since),
                    foreign_publishers: slots.output_foreign_publishers.get(),
                    sources: view
                        .sources
                        .iter()
                        .zip(&lane.sources)
                        .zip(&slots.sources)
                        .zip(notes.sources.iter().map(String::as_str).chain(std::iter::repeat("")))
                        .map(|(((view, source), slots), note)| {
                            source_status(view, source, (slots.lost.get(), note), now.steady)
                        })
                        .collect(),
                    ..lane_status(view, lane)
                }
            })
            .collect(),
        kill_inputs: inputs
            .zip(found.kill_inputs)
            .zip(found.writers)
            .map(|(((view, input), note), writers)| KillInputStatus {
                note,
                asserted_by: asserted_by(view.asserted_by, writers.as_deref().unwrap_or_default()),
                topic: input.topic.clone(),
                publishers: writers.and_then(|writers| u64::try_from(writers.len()).ok()),
                name: input.name.clone(),
                asserted: view.asserted,
                dead_man: input.is_dead_man(),
                unread: view.unread,
                heartbeat_only: input.asserts.is_none(),
                lost: view.lost,
                seen: view.seen,
                silent_for_s: ago(view.last_seen),
            })
            .collect(),
        feedback: feedback
            .zip(found.feedback)
            .zip(found.lacks)
            .map(|(((view, feedback), note), lacks)| FeedbackStatus {
                note,
                name: feedback.name.clone(),
                fresh: view.fresh,
                // The gate has no sample of what no lane could use; that it comes is known here.
                partial: view.partial || !view.fresh && !lacks.is_empty(),
                lacks: if view.fresh { String::new() } else { lacks },
                silent_for_s: ago(view.last_seen),
            })
            .collect(),
        temperatures: super::sensors::temperatures(config, slots, now.steady),
        batteries: super::sensors::batteries(config, slots, now.steady),
        topics,
        clock: ClockStatus::of(slots),
        rejections: Vec::new(),
        ignored_causes: ignored.map(|cause| cause.label().to_owned()).collect(),
        latch: texts.latch_lost(snapshot.latch_writable),
        hardware_id: config.hardware_id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_sha256: config.sha256.clone(),
        node: texts.node.to_owned(),
    }
}

/// The node of a publisher; its identifier until the graph has told its name.
fn asserted_by(publisher: Option<Gid>, writers: &[(Gid, String)]) -> String {
    let Some(gid) = publisher else { return String::new() };
    let known = writers.iter().find(|(writer, _)| *writer == gid);
    known.map_or_else(
        || gid.iter().map(|byte| format!("{byte:02x}")).collect(),
        |(_, name)| name.clone(),
    )
}

/// One unmet condition with its text.
#[must_use]
pub fn condition_status(condition: &Condition, texts: Texts<'_>) -> ConditionStatus {
    ConditionStatus {
        code: condition.code.label().to_owned(),
        subject: texts.subject(condition.subject),
        text: texts.condition(condition),
    }
}

fn cause_status(view: &CauseView, texts: Texts<'_>) -> CauseStatus {
    let CauseView { cause, subject, action, due, found, bound } = view;
    CauseStatus {
        cause: cause.label().to_owned(),
        subject: texts.subject(*subject),
        action: action.label().to_owned(),
        acts: *due,
        text: texts.cause(*cause, *subject, (*found, *bound)),
    }
}

fn seen(seen: &Seen, (name, limits): (&String, &DimensionLimits)) -> SeenStatus {
    let known = |value: f64| (!value.is_nan()).then_some(value);
    SeenStatus {
        name: name.clone(),
        limits: SeenLimits {
            min_position: limits.position.map(|bounds| bounds.min),
            max_position: limits.position.map(|bounds| bounds.max),
            max_velocity: limits.velocity.map(|v| at_least(v.max, -v.min)),
            max_acceleration: limits.acceleration,
        },
        min_position: known(seen.min_position),
        max_position: known(seen.max_position),
        max_velocity: known(seen.max_velocity),
        max_acceleration: known(seen.max_acceleration),
        limited: seen.limited,
        judged: seen.judged,
    }
}

fn trip_status(trip: &Trip, texts: Texts<'_>, now: Moment) -> TripStatus {
    let who = texts.attribution.of(trip.seq).unwrap_or_default();
    TripStatus {
        seq: trip.seq,
        stamp_unix_s: unix(trip.stamp),
        age_s: unix(now.wall) - unix(trip.stamp),
        cause: trip.cause.label().to_owned(),
        subject: texts.subject(trip.subject),
        detail: texts.trip(trip),
        operator: who.operator,
        reason: who.reason,
    }
}

fn lane_status(view: &LaneView, lane: &LaneConfig) -> LaneStatus {
    let name = |index: Option<usize>| {
        index.and_then(|index| lane.sources.get(index)).map(|source| source.name.clone())
    };
    LaneStatus {
        name: lane.name.clone(),
        mode: match lane.mode {
            LaneMode::Gate => "gate",
            LaneMode::Watch => "watch",
        }
        .to_owned(),
        state: view.state.label().to_owned(),
        owner: name(view.owner),
        selected: name(view.selected),
        safe_command: lane.safe.label().to_owned(),
        safe_rate_hz: safe_rate(lane),
        subscribers: (!view.graph.is_unseen).then(|| u64::from(view.subscribers)),
        foreign_publishers: None,
        notes: Vec::new(),
        controller: String::new(),
        seen: view
            .seen
            .iter()
            .zip(lane.dimensions.iter().zip(&lane.limits))
            .map(|(saw, dimension)| seen(saw, dimension))
            .collect(),
        motion: view.motion.map(|motion| motion_text(motion, lane)).unwrap_or_default(),
        motion_after_stop: view.motion.is_some_and(|motion| motion.is_ours),
        still_for_s: None,
        sources: Vec::new(),
    }
}

/// As the params file has it: the period is kept to a nanosecond.
fn safe_rate(lane: &LaneConfig) -> Option<f64> {
    let rate = (1_000.0 / lane.safe_period.as_secs_f64()).round() / 1_000.0;
    (lane.safe != SafeCommand::Silent && rate.is_finite()).then_some(rate)
}

/// Why the lane's named controller is not the one that is meant. Others may read the output: a
/// recorder is no controller.
fn controller(view: &LaneView, lane: &LaneConfig, notes: &LaneNotes) -> String {
    match &lane.controller {
        Some(name)
            if notes.controller.is_empty()
                && view.subscribers > 0
                && !view.graph.controller_reads =>
        {
            format!("'{name}' does not read the output")
        }
        Some(_) | None => notes.controller.clone(),
    }
}

/// Of a lane that moves, and that this node did not stop.
pub(super) const NOT_OURS: &str =
    "; this node sends nothing there since its start, somebody else may hold it";

/// What moves, how fast, and what counts as still.
fn motion_text(motion: Motion, lane: &LaneConfig) -> String {
    let Motion { dimension, velocity, standstill, is_ours } = motion;
    let whose = if is_ours { "" } else { NOT_OURS };
    if velocity.is_nan() {
        return format!("its feedback is silent, so nobody knows whether it stands{whose}");
    }
    let name = lane.dimensions.get(dimension).map_or("?", String::as_str);
    format!("{name} moves: {velocity:.3}, still is below {standstill}{whose}")
}

/// What the graph says against an output, one sentence each.
fn lane_notes(notes: &LaneNotes, controller: &str) -> Vec<String> {
    let LaneNotes { foreign, readers, controller: _, others: _, sources: _ } = notes;
    let about = [
        ("also publishes on the output", foreign.as_str()),
        (UNREAD, readers),
        ("its controller does not fit", controller),
    ];
    let said = about.into_iter().filter(|(_, who)| !who.is_empty());
    said.map(|(what, who)| format!("{what}: {who}")).collect()
}

fn source_status(
    view: &SourceView,
    source: &SourceConfig,
    (lost, note): (Option<u64>, &str),
    now: SteadyTime,
) -> SourceStatus {
    let count = |verdict: Verdict| view.counts.get(verdict.index()).copied().unwrap_or(0);
    SourceStatus {
        name: source.name.clone(),
        mode: match source.mode {
            SourceMode::Live => "live",
            SourceMode::Shadow => "shadow",
        }
        .to_owned(),
        revision: source.revision.clone(),
        priority: source.priority,
        alive: view.alive,
        silent_for_s: view.last_valid.map(|at| now.since(at).as_secs_f64()),
        passed: count(Verdict::Passed),
        limited: count(Verdict::Limited),
        rejected: count(Verdict::Rejected),
        withheld: count(Verdict::Withheld),
        not_selected: count(Verdict::NotSelected),
        lost,
        note: note.to_owned(),
        last_reason: view.last_reason.map(|reason| reason.label().to_owned()),
    }
}

/// Seconds since the Unix epoch; a microsecond is the finest a double keeps.
#[expect(clippy::as_conversions, reason = "a stamp for people")]
fn unix(at: WallTime) -> f64 {
    at.as_nanos() as f64 * 1e-9
}

#[cfg(test)]
mod tests;
