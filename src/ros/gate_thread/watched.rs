//! What the gate thread watches besides its topics: the clocks, and what the control thread found in
//! the graph.
//!
//! **Invariant:** a level is handed on only when it changes, so that a quiet tick costs a few loads.
//! **Invariant:** what an audit found counts for 5 s: where thread `control` hangs, nobody
//! would see a controller go.

use super::GateThread;
use super::looks::{LookNews, Looks};
use crate::clock::{self, ClockCauses, ClockEvent, Readings};
use crate::config::model::Config;
use crate::gate::cause::Cause;
use crate::gate::fault::Level;
use crate::gate::lane::LaneGraph;
use crate::gate::machine::Subject;
use crate::gate::sensor::Thresholds;
use crate::gate::state::State;
use crate::gate::units::Moment;
use crate::ros::graph::LaneFacts;
use crate::telemetry::events::{Event, What};

/// A foreign publisher is a cause when this many audits running saw one: one may be the middleware's
/// mistake.
const AUDITS: u8 = 2;

/// What was seen last, to see what changes.
pub(super) struct Watched {
    clocks: ClockCauses,
    pub(super) audits: Looks,
    pub(super) monitor: Looks,
    lanes: Vec<WatchedLane>,
    paths: u64,
    pub(super) sensors: WatchedSensors,
}

/// Heat and charge.
pub(super) struct WatchedSensors {
    /// How often something had changed at the last look.
    changes: u64,
    /// One for each temperature, then for each battery.
    trips: Vec<WatchedTrip>,
}

/// One that can trip.
struct WatchedTrip {
    cause: Cause,
    subject: Subject,
    thresholds: Thresholds,
    /// What it tripped at when last looked; NaN: it did not.
    found: f64,
}

impl WatchedSensors {
    /// Everything is handed on again at the next look.
    pub(super) const fn forget(&mut self) {
        // No count of changes comes as far.
        self.changes = u64::MAX;
    }

    /// Whether anything that is measured can derate or trip.
    pub(super) fn guards(&self) -> bool {
        let guards = |one: &Thresholds| one.derate.is_some() || one.trip.is_some();
        self.trips.iter().any(|trip| guards(&trip.thresholds))
    }

    fn new(config: &Config) -> Self {
        let hot = config.temperature_points().enumerate().map(|(point, (one, _))| {
            (Cause::TemperatureTrip, Subject::Temperature(point), one.thresholds)
        });
        let low = config.batteries.iter().enumerate();
        let low =
            low.map(|(index, one)| (Cause::BatteryTrip, Subject::Battery(index), one.thresholds));
        let trips = hot.chain(low).map(|(cause, subject, thresholds)| WatchedTrip {
            cause,
            subject,
            thresholds,
            found: f64::NAN,
        });
        Self { changes: 0, trips: trips.collect() }
    }
}

impl WatchedTrip {
    /// What must be reached for it to be gone: the threshold while it is beyond, and the hysteresis
    /// further on from there.
    fn bound(&self) -> f64 {
        let Thresholds { trip, hysteresis, .. } = self.thresholds;
        let trip = trip.unwrap_or(f64::NAN);
        let (is_beyond, gone_at) = if self.cause == Cause::BatteryTrip {
            (self.found <= trip, trip + hysteresis)
        } else {
            (self.found >= trip, trip - hysteresis)
        };
        if is_beyond { trip } else { gone_at }
    }
}

/// One lane's output.
#[derive(Clone, Copy, Default)]
struct WatchedLane {
    facts: LaneFacts,
    /// Audits running with a foreign publisher.
    foreign: u8,
    is_foreign: bool,
    /// The controller that was there before the arm.
    controller: u8,
    is_changed: bool,
}

impl WatchedLane {
    /// Takes what the control thread found. Returns the levels that have changed.
    fn look(&mut self, facts: LaneFacts, state: State) -> [Option<(Cause, Level)>; 2] {
        if self.facts.audit != facts.audit {
            let is_there = facts.foreign_publishers > 0;
            self.foreign = if is_there { self.foreign.saturating_add(1) } else { 0 };
        }
        self.facts = facts;
        if state != State::Active {
            self.controller = facts.controller;
        }
        let is_foreign = self.foreign >= AUDITS;
        let is_changed = self.controller != facts.controller;
        let foreign = (self.is_foreign != is_foreign).then(|| {
            let found = f64::from(facts.foreign_publishers);
            (Cause::ForeignPublisher, Level { present: is_foreign, found, bound: 0.0 })
        });
        let changed = (self.is_changed != is_changed)
            .then(|| (Cause::ControllerChanged, Level::plain(is_changed)));
        (self.is_foreign, self.is_changed) = (is_foreign, is_changed);
        [foreign, changed]
    }
}

impl Watched {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            clocks: ClockCauses::new(clock::STEP),
            audits: Looks::new(config.lanes.len()),
            monitor: Looks::new(1),
            lanes: vec![WatchedLane::default(); config.lanes.len()],
            paths: 0,
            sensors: WatchedSensors::new(config),
        }
    }
}

impl GateThread {
    /// Whether what waits in the queues is from before a standstill of this thread or of the machine: it
    /// looks fresh and is not.
    pub(super) fn stood_still(&self, now: Moment) -> bool {
        self.gate.is_stalled(now.steady) || self.watched.clocks.has_slept((self.clocks)())
    }

    /// A suspend or a step of the wall clock since the last tick. Either is a moment: the cause is
    /// there for one tick, and what it did stays.
    pub(super) fn watch_clocks(&mut self, readings: Readings, now: Moment) {
        let news = self.watched.clocks.look(readings);
        match news.event {
            None => {}
            Some(ClockEvent::Suspended(_)) => self.slots.node.suspends.increment(),
            Some(ClockEvent::Stepped(_)) => self.slots.node.clock_steps.increment(),
        }
        for (cause, level) in news.levels() {
            self.gate.level(cause, Subject::Node, level, now);
        }
    }

    /// Whether the control thread still looks at the graph.
    fn watch_audits(&mut self, now: Moment) {
        // Thread `control` ends before the stop of a shutdown does.
        if self.ends_at.is_some() {
            return;
        }
        let numbers = self.facts.lanes().map(|facts| facts.map(|facts| facts.audit));
        let stopped = match self.watched.audits.look(numbers, now.steady) {
            LookNews::None => return,
            LookNews::Another => None,
            LookNews::Stopped => Some(true),
            LookNews::Again => Some(false),
        };
        if stopped != Some(true) {
            self.slots.node.last_audit.set(now.wall);
        }
        if let Some(stopped) = stopped {
            self.events.post(Event { at: now, what: What::Audits { stopped } });
        }
    }

    /// What the control thread found out about the outputs and the other paths.
    pub(super) fn read_graph(&mut self, now: Moment) {
        self.watch_audits(now);
        let state = self.gate.machine().state();
        for (lane, facts) in self.facts.lanes().enumerate() {
            let (Some(mut facts), Some(watched)) = (facts, self.watched.lanes.get_mut(lane)) else {
                continue;
            };
            // Who writes and who reads there nobody knows: as if nobody read it. Below a balance loop that is
            // told, and no reason for a fall: its reader is not gone for that.
            let walks = state == State::Active
                && self.config.lanes.get(lane).is_some_and(|lane| lane.balance);
            let is_unseen = self.watched.audits.has_stopped;
            if is_unseen && !walks {
                (facts.subscribers, facts.controller_reads) = (0, false);
            }
            let graph = LaneGraph { is_unseen, ..graph(facts) };
            if self.gate.lane(lane).is_some_and(|lane| *lane.graph() != graph) {
                self.gate.graph(lane, graph);
            }
            for (cause, level) in watched.look(facts, state).into_iter().flatten() {
                self.gate.level(cause, Subject::Lane(lane), level, now);
            }
        }
        for (index, input) in self.kill_inputs.iter_mut().enumerate() {
            if input.listed.update() {
                self.gate.kill_input_listed(index, input.listed.output_buffer());
            }
        }
        let (before, paths) = (self.watched.paths, self.facts.paths());
        self.watched.paths = paths;
        let changed = before ^ paths;
        for path in (0..self.config.other_paths.len()).take_while(|_| changed != 0) {
            let bit = 1_u64.checked_shl(u32::try_from(path).unwrap_or(u32::MAX)).unwrap_or(0);
            if changed & bit != 0 {
                let level = Level::plain(paths & bit != 0);
                self.gate.level(Cause::OtherPath, Subject::Path(path), level, now);
            }
        }
    }
}

impl GateThread {
    /// What thread `monitor` found of heat and charge.
    pub(super) fn read_sensors(&mut self, now: Moment) {
        self.watch_monitor(now);
        let changes = self.sensors.changes();
        if changes == self.watched.sensors.changes {
            return;
        }
        self.watched.sensors.changes = changes;
        self.gate.set_derating(self.sensors.derating(), now);
        let found = self.sensors.temperatures().chain(self.sensors.batteries());
        for (watched, found) in self.watched.sensors.trips.iter_mut().zip(found) {
            if watched.found.to_bits() == found.to_bits() {
                continue;
            }
            watched.found = found;
            let level = if found.is_nan() {
                Level::plain(false)
            } else {
                Level { present: true, found, bound: watched.bound() }
            };
            self.gate.level(watched.cause, watched.subject, level, now);
        }
    }
}

const fn graph(facts: LaneFacts) -> LaneGraph {
    LaneGraph {
        subscribers: facts.subscribers,
        controller_reads: facts.controller_reads,
        incompatible: facts.incompatible,
        foreign_publishers: facts.foreign_publishers,
        is_unseen: false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ros::control::AUDIT;

    /// What one audit makes of these facts, by the causes that begin and end.
    fn audit(lane: &mut WatchedLane, change: impl FnOnce(&mut LaneFacts)) -> Vec<(Cause, bool)> {
        let mut facts = lane.facts;
        facts.audit = facts.audit.checked_add(1).unwrap_or(1);
        change(&mut facts);
        let levels = lane.look(facts, State::Active).into_iter().flatten();
        levels.map(|(cause, level)| (cause, level.present)).collect()
    }

    fn foreign(lane: &mut WatchedLane, count: u32) -> Vec<(Cause, bool)> {
        audit(lane, |facts| facts.foreign_publishers = count)
    }

    #[test]
    fn hazard_12_foreign_publisher_is_a_cause_at_the_second_audit_in_a_row() {
        let mut lane = WatchedLane::default();
        for _ in 0..3 {
            assert_eq!(foreign(&mut lane, 1), [], "one may be a mistake");
            assert_eq!(foreign(&mut lane, 0), []);
        }
        assert_eq!(foreign(&mut lane, 1), []);
        // Looked at again and again between two audits.
        for _ in 0..100 {
            assert_eq!(lane.look(lane.facts, State::Active), [None, None]);
        }
        assert_eq!(foreign(&mut lane, 2), [(Cause::ForeignPublisher, true)]);
        for _ in 0..300 {
            assert_eq!(foreign(&mut lane, 1), [], "it is told once");
        }
        assert_eq!(foreign(&mut lane, 0), [(Cause::ForeignPublisher, false)]);
        assert!(AUDIT * u32::from(AUDITS) <= Duration::from_secs(2), "the cause within 2 s");
    }

    #[test]
    fn when_another_controller_comes_while_active_expect_a_cause_until_it_is_not() {
        let mut lane = WatchedLane::default();
        let facts = LaneFacts { controller: 1, audit: 1, ..LaneFacts::default() };
        assert_eq!(lane.look(facts, State::Disarmed), [None, None]);
        assert_eq!(audit(&mut lane, |_| ()), []);
        let changed = audit(&mut lane, |facts| facts.controller = 2);
        assert_eq!(changed, [(Cause::ControllerChanged, true)]);
        assert_eq!(audit(&mut lane, |_| ()), []);
        let [None, Some((cause, level))] = lane.look(lane.facts, State::Disarmed) else {
            panic!("disarmed, it is the one that is there")
        };
        assert_eq!((cause, level.present), (Cause::ControllerChanged, false));
    }
}
