//! What the gate thread watches besides its topics: the clocks, and what the control thread found in
//! the graph.
//!
//! **Invariant:** a level is handed on only when it changes, so that a quiet tick costs a few loads.

use super::{Drain, GateThread};
use crate::clock::{self, ClockCauses, ClockEvent};
use crate::config::model::Config;
use crate::gate::cause::Cause;
use crate::gate::fault::Level;
use crate::gate::lane::LaneGraph;
use crate::gate::machine::Subject;
use crate::gate::sensor::Thresholds;
use crate::gate::state::State;
use crate::gate::units::Moment;
use crate::ros::graph::LaneFacts;

/// A foreign publisher is a cause when this many audits running saw one (design: two).
const AUDITS: u8 = 2;

/// What was seen last, to see what changes.
pub(super) struct Watched {
    clocks: ClockCauses,
    lanes: Vec<WatchedLane>,
    paths: u64,
    sensors: WatchedSensors,
}

/// Heat and charge.
struct WatchedSensors {
    /// [`SensorFacts::changes`] at the last look.
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

impl Watched {
    pub(super) fn new(config: &Config) -> Self {
        let written = config.causes.get(Cause::ClockStep.index()).and_then(|rules| rules.above);
        let step = written.map_or(clock::STEP, nanos);
        Self {
            clocks: ClockCauses::new(step),
            lanes: vec![WatchedLane::default(); config.lanes.len()],
            paths: 0,
            sensors: WatchedSensors::new(config),
        }
    }
}

#[expect(clippy::as_conversions, reason = "a validated number of seconds; saturates")]
fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}

impl GateThread {
    /// A suspend or a step of the wall clock since the last tick. Either is a moment: the cause is
    /// there for one tick, and what it did stays.
    pub(super) fn watch_clocks(&mut self, now: Moment) {
        let news = self.watched.clocks.look(clock::readings());
        match news.event {
            None => {}
            Some(ClockEvent::Suspended(_)) => {
                // What waited through it looks fresh and is not.
                self.drain_commands(Drain::Fenced);
                self.slots.node.suspends.increment();
            }
            Some(ClockEvent::Stepped(_)) => self.slots.node.clock_steps.increment(),
        }
        for (cause, level) in news.levels() {
            self.gate.level(cause, Subject::Node, level, now);
        }
    }

    /// What the control thread found out about the outputs and the other paths.
    pub(super) fn read_graph(&mut self, now: Moment) {
        let active = self.gate.machine().state() == State::Active;
        for (lane, facts) in self.facts.lanes().enumerate() {
            let (Some(facts), Some(watched)) = (facts, self.watched.lanes.get_mut(lane)) else {
                continue;
            };
            if watched.facts != facts {
                self.gate.graph(lane, graph(facts));
            }
            if watched.facts.audit != facts.audit {
                let seen = if facts.foreign_publishers > 0 { watched.foreign } else { 0 };
                let more = u8::from(facts.foreign_publishers > 0);
                watched.foreign = seen.saturating_add(more);
            }
            watched.facts = facts;
            if !active {
                watched.controller = facts.controller;
            }
            let is_foreign = watched.foreign >= AUDITS;
            let is_changed = watched.controller != facts.controller;
            let subject = Subject::Lane(lane);
            if watched.is_foreign != is_foreign {
                watched.is_foreign = is_foreign;
                let found = f64::from(facts.foreign_publishers);
                let level = Level { present: is_foreign, found, bound: 0.0 };
                self.gate.level(Cause::ForeignPublisher, subject, level, now);
            }
            if watched.is_changed != is_changed {
                watched.is_changed = is_changed;
                let level = Level::plain(is_changed);
                self.gate.level(Cause::ControllerChanged, subject, level, now);
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
    }
}
