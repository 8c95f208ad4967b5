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

const fn graph(facts: LaneFacts) -> LaneGraph {
    LaneGraph {
        subscribers: facts.subscribers,
        controller_reads: facts.controller_reads,
        incompatible: facts.incompatible,
        foreign_publishers: facts.foreign_publishers,
    }
}
