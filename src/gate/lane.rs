//! One lane while the node runs: its sources, what was sent, and what it is in.
//!
//! How a command is judged stands in [`super::judgement`], who is in charge in [`super::arbitration`],
//! what goes out in a stop in [`super::stop`], how much of the limits may be used in
//! [`super::easing`], shadow sources and watch lanes in [`super::aside`].

use super::aside::Aside;
use super::awaits::SafeWaits;
use super::credit::TimeCredit;
pub use super::decision::Decision;
use super::easing::{Easing, Factors};
use super::envelope::{Change, Envelope};
use super::interrupted::Interrupted;
use super::lane_state::LaneState;
use super::limit::{LimitSet, Reference};
use super::measured::Measured;
use super::rules::{GateRules, Interface, LaneMode, LaneRules, SourceMode};
use super::seen::Seen;
use super::source::{Shares, Source};
pub use super::stop::SafeOutput;
use super::units::SteadyTime;

/// Whether the node's state lets a command of this lane through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Active, and nothing holds.
    Permitted,
    /// Active, but a cause or another lane holds.
    Held,
    /// Disarmed or killed.
    NotPermitted,
}

/// What the gate knows and a lane does not, for one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) permission: Permission,
    pub(super) factors: Factors,
    /// Feedback is within its timeout.
    pub(super) fresh: bool,
    /// Within two: near enough to say where a plan begins and what gains act on.
    pub(super) recent: bool,
}

/// What the graph says of a lane's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneGraph {
    /// Matched readers.
    pub subscribers: u32,
    /// The named controller is among the readers; of no meaning where none is named.
    pub controller_reads: bool,
    /// Readers that can get nothing: another type, or a QoS that does not match.
    pub incompatible: u32,
    /// Other writers than ours and those expected (`other_publishers`).
    pub foreign_publishers: u32,
    /// Nobody has looked for so long that no reader counts.
    pub is_unseen: bool,
}

/// A lane.
#[derive(Clone, Debug)]
pub struct Lane {
    pub(super) rules: LaneRules,
    /// Stamps are of a clock that is not ours.
    pub(super) simulated: bool,
    pub(super) sources: Vec<Source>,
    pub(super) state: LaneState,
    pub(super) owner: Option<usize>,
    /// When an operator put the source in charge there; it must be heard after that.
    pub(super) owner_since: SteadyTime,
    pub(super) selected: Option<usize>,
    pub(super) measured: Measured,
    pub(super) graph: LaneGraph,
    /// What its safe message cannot be made without.
    pub(super) safe_waits: Option<SafeWaits>,
    /// Its own source fell silent in motion.
    pub(super) silent_since: Option<SteadyTime>,
    /// That silence holds, not only stops this lane.
    pub(super) silence_holds: bool,
    /// The motion that a hold interrupted.
    pub(super) interrupted: Interrupted,
    /// A cause with action `hold` concerns it.
    pub(super) cause_holds: bool,
    pub(super) envelope: Envelope,
    /// Something was sent since the node took this output, so `sent` is what is on the wire.
    pub(super) has_sent: bool,
    /// Time for the next change.
    pub(super) credit: TimeCredit,
    pub(super) moves_until: Option<SteadyTime>,
    /// When its source last said zero, where limits left it something to slow down from.
    pub(super) unfinished: Option<SteadyTime>,
    /// It slows down as that source's own stream would.
    pub(super) settling: bool,
    pub(super) frozen: Vec<f64>,
    pub(super) has_frozen: bool,
    pub(super) release_at: Option<SteadyTime>,
    pub(super) next_safe: SteadyTime,
    pub(super) safe_values: Vec<f64>,
    pub(super) easing: Easing,
    /// Mean sent velocity over the same time as the mean measured one.
    pub(super) mean_sent: Vec<f64>,
    /// The source whose command was judged aside last, until one is judged for the output.
    pub(super) judged_aside: Option<usize>,
    /// Watch lanes only.
    pub(super) seen: Vec<Seen>,
}

impl Lane {
    pub(super) fn new(lane: &LaneRules, gate: &GateRules, now: SteadyTime) -> Self {
        let rules = lane.clone();
        let dimensions = rules.limits.len();
        let watches = rules.mode == LaneMode::Watch;
        let source = |source: &super::rules::SourceRules| {
            let is_aside = watches || source.mode == SourceMode::Shadow;
            let aside = is_aside.then(|| Aside::new(&rules, gate.plan_numbers, now));
            Source::new(source.clone(), dimensions, aside, Shares::new(gate), now)
        };
        Self {
            sources: rules.sources.iter().map(source).collect(),
            state: LaneState::Released,
            owner: None,
            owner_since: now,
            simulated: gate.simulated_stamps,
            selected: None,
            measured: Measured::new(dimensions),
            graph: LaneGraph::default(),
            safe_waits: None,
            silent_since: None,
            silence_holds: false,
            interrupted: Interrupted::default(),
            cause_holds: false,
            envelope: Envelope::of(&rules, gate.plan_numbers),
            has_sent: false,
            credit: TimeCredit::new(now),
            moves_until: None,
            unfinished: None,
            settling: false,
            frozen: vec![0.0; dimensions],
            has_frozen: false,
            release_at: None,
            next_safe: now,
            safe_values: vec![0.0; dimensions],
            easing: Easing::default(),
            mean_sent: vec![0.0; dimensions],
            judged_aside: None,
            seen: if watches { vec![Seen::default(); dimensions] } else { Vec::new() },
            rules,
        }
    }

    /// Who holds its output.
    #[must_use]
    pub const fn state(&self) -> LaneState {
        self.state
    }

    /// Source in charge.
    #[must_use]
    pub const fn owner(&self) -> Option<usize> {
        self.owner
    }

    /// Source put in charge by `select_source`; while not active, for the next arm.
    #[must_use]
    pub const fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// What the graph says of its output.
    #[must_use]
    pub const fn graph(&self) -> &LaneGraph {
        &self.graph
    }

    /// Matched readers of its output.
    #[must_use]
    pub const fn subscribers(&self) -> u32 {
        self.graph.subscribers
    }

    /// Which limits the last judged command met, for each joint or axis.
    #[must_use]
    pub fn applied(&self) -> &[LimitSet] {
        let aside = self.judged_aside.and_then(|index| self.sources.get(index));
        let aside = aside.and_then(|source| source.aside.as_ref());
        aside.map_or(self.envelope.applied(), Aside::applied)
    }

    /// What limits moved in the last judged command.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        let aside = self.judged_aside.and_then(|index| self.sources.get(index));
        let aside = aside.and_then(|source| source.aside.as_ref());
        aside.map_or(self.envelope.changes(), Aside::changes)
    }

    /// What was last sent, for each joint or axis.
    #[must_use]
    pub fn sent(&self) -> &[Reference] {
        self.envelope.sent()
    }

    /// What a watch lane saw of each joint or axis; empty on lanes that gate.
    #[must_use]
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// Whether it gates, rather than only watches.
    pub(super) fn is_gated(&self) -> bool {
        self.rules.mode == LaneMode::Gate
    }

    /// Whether it holds by itself, and so holds the others unless it is independent.
    pub(super) const fn holds(&self) -> bool {
        self.cause_holds || (self.silence_holds && self.silent_since.is_some())
    }

    /// Whether somebody reads its output who should.
    pub(super) const fn is_read(&self) -> bool {
        let reads = !self.rules.names_controller || self.graph.controller_reads;
        self.graph.subscribers > 0 && reads
    }

    /// Starts anew for an arm: the one selected in charge or nobody, the pose held chosen anew, no
    /// motion owed.
    pub(super) fn start(&mut self, fresh: bool, now: SteadyTime) -> bool {
        // What is on the wire stays the reference while the lane still publishes it; after a release
        // `has_sent` is false and the measured pose is taken.
        self.has_frozen = false;
        self.silent_since = None;
        self.cause_holds = false;
        self.release_at = None;
        for source in &mut self.sources {
            source.engaged = false;
            source.fence();
        }
        self.hand_to(self.selected);
        self.easing.start();
        let ready = self.enter_stop(LaneState::Waiting, fresh, now);
        match self.rules.interface {
            Interface::Position => self.refer_to_wire(fresh),
            Interface::Velocity | Interface::Effort => {
                if !self.has_sent {
                    self.envelope.sent_mut().fill(Reference::default());
                }
            }
        }
        self.credit.forfeit(now);
        self.envelope.forget_plan();
        self.mean_sent.fill(0.0);
        ready
    }

    /// Lets go of the output.
    pub(super) fn let_go(&mut self) {
        self.state = LaneState::Released;
        self.release_at = None;
        self.owner = None;
        self.silent_since = None;
        self.moves_until = None;
        // Others may move the robot from here on: nothing sent so far says where it is.
        self.has_frozen = false;
        self.has_sent = false;
        self.envelope.sent_mut().fill(Reference::default());
        self.envelope.forget_plan();
    }
}
