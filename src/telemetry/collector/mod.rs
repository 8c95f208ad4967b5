//! The collector: from slots to the text of a scrape, on the thread that scrapes.
//!
//! It reads atomics, and for the CPU time of threads a few files under `/proc`. It takes no lock
//! that a writer could wait for, and it holds nothing between two scrapes.
//!
//! **Invariant:** what it puts out is the catalogue, no more and no less: every counter and every
//! histogram is there from the start, at 0; a gauge that is not known is absent.

mod family;
mod sensors;
mod text;
mod threads;
mod topics;

use std::sync::Arc;

use prometheus::TextEncoder;
use prometheus::process_collector::ProcessCollector;

use self::family::{Family, Sink};
use self::text::Text;
use super::catalogue::{self as names, Row};
use super::self_test::VERBS;
use super::slots::{Counter, Flag, LaneSlots, Slots, SourceSlots, SourceUse};

/// The source label of a lane that nobody is in charge of. Reserved: no source has this name.
const NOBODY: &str = "none";

/// Everything that this program exports: ours, and the process's from the client library.
#[derive(Debug)]
pub struct Registry {
    slots: Arc<Slots>,
    process: prometheus::Registry,
}

/// A registry with everything this program exports.
///
/// # Errors
/// The client library's own, when it cannot look at the process.
pub fn registry(slots: Arc<Slots>) -> prometheus::Result<Registry> {
    let process = prometheus::Registry::new();
    process.register(Box::new(ProcessCollector::for_self()))?;
    Ok(Registry { slots, process })
}

/// A scrape in text format 0.0.4.
///
/// # Errors
/// The client library's own, when a family of the process is malformed.
pub fn scrape(registry: &Registry) -> prometheus::Result<String> {
    let mut text = Text::new();
    collect(&registry.slots, &mut text);
    let mut text = text.finish();
    // `process_` comes after all of ours.
    TextEncoder::new().encode_utf8(&registry.process.gather(), &mut text)?;
    Ok(text)
}

fn collect(slots: &Slots, out: &mut dyn Sink) {
    commands(slots, out);
    outputs(slots, out);
    state(slots, out);
    stops(slots, out);
    inputs(slots, out);
    topics::collect(slots, out);
    sensors::collect(slots, out);
    process(slots, out);
    identity(slots, out);
}

fn family(row: &'static Row, out: &mut dyn Sink, fill: impl FnOnce(&mut Family<'_>)) {
    fill(&mut Family::new(row, out));
}

fn lanes(
    row: &'static Row,
    slots: &Slots,
    out: &mut dyn Sink,
    fill: impl Fn(&mut Family<'_>, &LaneSlots),
) {
    family(row, out, |f| slots.lanes.iter().for_each(|l| fill(f, l)));
}

fn sources(
    row: &'static Row,
    slots: &Slots,
    out: &mut dyn Sink,
    fill: impl Fn(&mut Family<'_>, &[&str], &SourceSlots),
) {
    lanes(row, slots, out, |f, lane| {
        for source in &lane.sources {
            fill(f, &[&lane.name, &source.name], source);
        }
    });
}

fn put_counter(f: &mut Family<'_>, labels: &[&str], counter: &Counter) {
    f.counter(labels, counter.get());
}

fn put_flag(f: &mut Family<'_>, labels: &[&str], flag: &Flag) {
    f.flag(labels, flag.get());
}

/// Sources whose commands are meant for the output, or those that are only judged.
fn judged(
    (row, mode): (&'static Row, impl Fn(SourceUse) -> bool),
    slots: &Slots,
    out: &mut dyn Sink,
    fill: impl Fn(&mut Family<'_>, &[&str], &SourceSlots),
) {
    sources(row, slots, out, |f, labels, source| {
        if mode(source.mode) {
            fill(f, labels, source);
        }
    });
}

fn commands(slots: &Slots, out: &mut dyn Sink) {
    let live = |mode| mode == SourceUse::Live;
    judged((&names::COMMANDS, live), slots, out, |f, labels, s| {
        f.each(labels, &s.verdicts, put_counter);
    });
    judged((&names::COMMANDS_REJECTED, live), slots, out, |f, labels, s| {
        f.each(labels, &s.reasons, put_counter);
    });
    judged((&names::LIMITS_APPLIED, live), slots, out, |f, labels, s| {
        f.each(labels, &s.limits, put_counter);
    });
    judged((&names::SHADOW_COMMANDS, |mode| !live(mode)), slots, out, |f, labels, s| {
        f.each(labels, &s.verdicts, put_counter);
    });
    lanes(&names::JOINT_LIMITS_APPLIED, slots, out, |f, lane| {
        for joint in &lane.joint_limits {
            f.each(&[&lane.name, &joint.name], &joint.limits, put_counter);
        }
    });
    sources(&names::COMMANDS_LOST, slots, out, |f, labels, s| {
        if let Some(lost) = s.lost.get() {
            f.counter(labels, lost);
        }
    });
    sources(&names::AGE, slots, out, |f, labels, s| {
        if let Some(age) = &s.age {
            f.histogram(labels, age);
        }
    });
    sources(&names::TRANSPORT_TIME, slots, out, |f, labels, s| {
        f.histogram(labels, &s.transport);
    });
    sources(&names::INTERVAL, slots, out, |f, labels, s| {
        f.histogram(labels, &s.interval);
    });
    sources(&names::LAST_RECEIVED, slots, out, |f, labels, s| {
        f.timestamp(labels, s.last_received.get());
    });
    lanes(&names::SOURCE, slots, out, |f, lane| {
        for s in &lane.sources {
            f.gauge(&[&lane.name, &s.name, &s.revision, s.mode.label()], 1.0);
        }
    });
}

fn outputs(slots: &Slots, out: &mut dyn Sink) {
    lanes(&names::RESIDENCE, slots, out, |f, lane| {
        f.histogram(&[&lane.name], &lane.residence);
    });
    lanes(&names::PUBLISH, slots, out, |f, lane| {
        f.histogram(&[&lane.name], &lane.publish);
    });
    lanes(&names::OUTPUT_INTERVAL, slots, out, |f, lane| {
        f.histogram(&[&lane.name], &lane.output_interval);
    });
    lanes(&names::OUTPUT_SUBSCRIBERS, slots, out, |f, lane| {
        f.level(&[&lane.name], lane.output_subscribers.get());
    });
    lanes(&names::OUTPUT_FOREIGN_PUBLISHERS, slots, out, |f, lane| {
        f.level(&[&lane.name], lane.output_foreign_publishers.get());
    });
    lanes(&names::LANE_OWNER, slots, out, |f, lane| {
        // One load decides all series of the lane, so exactly one of them is 1.
        let owner = lane.owner.get().filter(|i| *i < lane.sources.len());
        for (i, source) in lane.sources.iter().enumerate() {
            f.flag(&[&lane.name, &source.name], owner == Some(i));
        }
        f.flag(&[&lane.name, NOBODY], owner.is_none());
    });
    lanes(&names::LANE_STATE, slots, out, |f, lane| {
        f.one_of(&[&lane.name], &lane.state);
    });
    lanes(&names::LANE_MOVES_AFTER_STOP, slots, out, |f, lane| {
        f.flag(&[&lane.name], lane.moves_after_stop.get());
    });
}

fn state(slots: &Slots, out: &mut dyn Sink) {
    use crate::gate::state::State;
    let node = &slots.node;
    // One load for both families, so they agree.
    let now = node.state.get();
    family(&names::STATE, out, |f| {
        for member in State::ALL {
            f.flag(&[member.label()], now.map(|state| state == *member));
        }
    });
    family(&names::LATCHED, out, |f| {
        f.flag(&[], now.map(|state| state == State::Killed));
    });
    family(&names::LATCHED_FROM_ACTIVE, out, |f| f.flag(&[], node.latched_from_active.get()));
    family(&names::PERMITTED, out, |f| f.flag(&[], node.permitted.get()));
    family(&names::SEQ, out, |f| f.level(&[], node.seq.get()));
    family(&names::CONDITION_MET, out, |f| {
        f.each(&[], &node.conditions, put_flag);
    });
    family(&names::PROFILE, out, |f| {
        let profile = node.profile.get();
        for (i, name) in slots.identity.profiles.iter().enumerate() {
            f.flag(&[name], profile == Some(i));
        }
    });
    family(&names::DERATING, out, |f| f.gauge(&[], node.derating.get()));
    family(&names::RESETS, out, |f| f.counter(&[], node.resets.get()));
    family(&names::RESET_REFUSALS, out, |f| {
        f.each(&[], &node.reset_refusals, |f, labels, n| f.counter(labels, n.get()));
    });
    family(&names::ARMS, out, |f| f.counter(&[], node.arms.get()));
    family(&names::ARM_REFUSALS, out, |f| {
        f.each(&[], &node.arm_refusals, |f, labels, n| f.counter(labels, n.get()));
    });
}

fn stops(slots: &Slots, out: &mut dyn Sink) {
    let node = &slots.node;
    family(&names::TRIPS, out, |f| f.each(&[], &node.trips, put_counter));
    family(&names::TRIP_CAUSE, out, |f| f.one_of(&[], &node.trip_cause));
    family(&names::CAUSE_PRESENT, out, |f| {
        f.each(&[], &node.cause_present, put_flag);
    });
    family(&names::CAUSE_IGNORED, out, |f| {
        f.each(&[], &node.cause_ignored, put_flag);
    });
    family(&names::LAST_AUDIT, out, |f| {
        f.timestamp(&[], node.last_audit.get());
    });
    family(&names::LAST_TRIP, out, |f| {
        f.timestamp(&[], node.last_trip.get());
    });
    family(&names::STOP_TIME, out, |f| {
        f.each(&[], &node.stop, |f, labels, h| f.histogram(labels, h));
    });
    family(&names::LATCH_WRITE, out, |f| f.histogram(&[], &node.latch_write));
    family(&names::LATCH_WRITABLE, out, |f| f.flag(&[], node.latch_writable.get()));
}

fn inputs(slots: &Slots, out: &mut dyn Sink) {
    family(&names::KILL_INPUT_ASSERTED, out, |f| {
        for input in &slots.kill_inputs {
            f.flag(&[&input.name, input.action.label()], input.asserted.get());
        }
    });
    family(&names::KILL_INPUT_LOST, out, |f| {
        for input in &slots.kill_inputs {
            f.flag(&[&input.name], input.lost.get());
        }
    });
    family(&names::SELF_TEST, out, |f| {
        f.timestamp(&[VERBS], slots.node.self_test.get());
        for input in &slots.kill_inputs {
            f.timestamp(&[&input.name], input.self_test.get());
        }
    });
    family(&names::INPUT_LAST_RECEIVED, out, |f| {
        for input in &slots.kill_inputs {
            f.timestamp(&[&input.name], input.last_received.get());
        }
        for feedback in &slots.feedback {
            f.timestamp(&[&feedback.name], feedback.last_received.get());
        }
        for input in &slots.temperatures {
            f.timestamp(&[&input.name], input.sensor.last_received.get());
        }
        for input in &slots.batteries {
            f.timestamp(&[&input.name], input.sensor.last_received.get());
        }
    });
}

fn process(slots: &Slots, out: &mut dyn Sink) {
    family(&names::TICK_INTERVAL, out, |f| {
        f.histogram(&[], &slots.node.tick_interval);
    });
    family(&names::MONITOR_RUNNING, out, |f| {
        f.flag(&[], slots.node.monitor_running.get());
    });
    family(&names::CLOCK_SYNCHRONIZED, out, |f| {
        f.flag(&[], slots.node.clock_synchronized.get());
    });
    family(&names::CLOCK_STEPS, out, |f| f.counter(&[], slots.node.clock_steps.get()));
    family(&names::CLOCK_SIMULATED, out, |f| {
        f.flag(&[], Some(slots.node.clock_simulated));
    });
    family(&names::TICKS_MISSED, out, |f| {
        f.counter(&[], slots.node.ticks_missed.get());
    });
    family(&names::THREAD_CPU, out, |f| {
        f.each(&[], &slots.threads, |f, labels, thread| {
            if let Some(seconds) = thread.id().and_then(threads::cpu_seconds) {
                f.counter_f64(labels, seconds);
            }
        });
    });
    family(&names::EVENTS, out, |f| {
        f.each(&[], &slots.events, |f, labels, n| f.counter(labels, n.get()));
    });
    family(&names::EVENTS_DROPPED, out, |f| {
        f.counter(&[], slots.events_dropped.get());
    });
    family(&names::LOG_MESSAGES, out, |f| {
        f.each(&[], &slots.log.messages, |f, labels, n| f.counter(labels, n.get()));
    });
    family(&names::LOG_LOST, out, |f| {
        f.each(&[], &slots.log.lost, |f, labels, n| f.counter(labels, n.get()));
    });
}

fn identity(slots: &Slots, out: &mut dyn Sink) {
    let identity = &slots.identity;
    let build = &identity.build;
    family(&names::CONFIG, out, |f| f.gauge(&[&identity.config_sha256], 1.0));
    family(&names::BUILD, out, |f| {
        let labels =
            [build.version.as_str(), &build.commit, &build.rustc, &build.ros_distro, &build.rmw];
        f.gauge(&labels, 1.0);
    });
    family(&names::ROBOT, out, |f| f.gauge(&[&identity.hardware_id], 1.0));
}

#[cfg(test)]
mod tests;
