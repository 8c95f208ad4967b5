//! A copy of the gate's state for other threads: what `~/state`, `/status` and `/diagnostics` show.
//!
//! Filled in place, so that after the first time nothing is allocated.

use super::cause::{Action, Cause};
use super::conditions::Condition;
use super::core::Gate;
use super::kill_input::Silence;
use super::lane::LaneGraph;
use super::lane_state::LaneState;
use super::machine::{Subject, Trip};
use super::publisher::Gid;
use super::seen::Seen;
use super::standstill::Motion;
use super::state::State;
use super::units::{Moment, SteadyTime};
use super::verdict::{Reason, Verdict};

/// One source.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SourceView {
    /// A valid command within the timeout.
    pub alive: bool,
    /// When the last valid command came.
    pub last_valid: Option<SteadyTime>,
    /// How often each verdict was given, by [`Verdict::index`].
    pub counts: [u64; 5],
    /// Commands overwritten before they were taken.
    pub lost: u64,
    /// Reason of the newest rejection.
    pub last_reason: Option<Reason>,
}

/// One lane.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneView {
    /// Who holds its output.
    pub state: LaneState,
    /// Source in charge.
    pub owner: Option<usize>,
    /// Source put in charge by `select_source`.
    pub selected: Option<usize>,
    /// What the graph says of the output.
    pub graph: LaneGraph,
    /// Matched readers of the output.
    pub subscribers: u32,
    /// It does not stand still although its time to stop is over.
    pub motion: Option<Motion>,
    /// Since when it is measured standing still after a stop.
    pub still_since: Option<SteadyTime>,
    /// What a watch lane saw of each joint or axis; empty on lanes that gate.
    pub seen: Vec<Seen>,
    /// The sources.
    pub sources: Vec<SourceView>,
}

/// One kill input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KillInputView {
    /// A live publisher asserts.
    pub asserted: bool,
    /// The newest message could not be read, which counts as asserted.
    pub unread: bool,
    /// Silent for longer than its timeout.
    pub lost: bool,
    /// Heard at least once.
    pub seen: bool,
    /// When the newest sample came.
    pub last_seen: Option<SteadyTime>,
    /// A publisher that asserts, where the middleware names it.
    pub asserted_by: Option<Gid>,
}

/// One feedback topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedbackView {
    /// When the newest usable sample came.
    pub last_seen: Option<SteadyTime>,
    /// Within its timeout, with what every gated lane that uses it needs.
    pub fresh: bool,
    /// Samples come within the timeout, but not with what every such lane needs.
    pub partial: bool,
}

/// One cause that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CauseView {
    /// Which.
    pub cause: Cause,
    /// What it is about.
    pub subject: Subject,
    /// What it does.
    pub action: Action,
    /// Whether it does it already, or its debounce still runs.
    pub due: bool,
    /// The value found; NaN where there is none.
    pub found: f64,
    /// The value allowed; NaN where there is none.
    pub bound: f64,
}

/// The whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// When it was made.
    pub at: Moment,
    /// The state.
    pub state: State,
    /// The number that reset and arm must name.
    pub seq: u64,
    /// When the state was entered.
    pub since: Moment,
    /// The bit in `~/permit`.
    pub permitted: bool,
    /// Why it is killed.
    pub first_trip: Option<Trip>,
    /// The newest trip.
    pub last_trip: Option<Trip>,
    /// The profile of this arm; `None` while not active.
    pub profile: Option<usize>,
    /// Factor on velocity and speeding up from heat or charge; 1: none.
    pub derating: f64,
    /// The last run ended in motion in this boot: what it sent last may still be followed.
    pub unclean: bool,
    /// Limits are still to come with a robot description.
    pub awaits_description: bool,
    /// Whether the latch file can be written, in time.
    pub latch_writable: bool,
    /// The causes that are there now, whatever they do.
    pub causes: Vec<CauseView>,
    /// What stands in the way of the next step.
    pub unmet: Vec<Condition>,
    /// The lanes.
    pub lanes: Vec<LaneView>,
    /// The kill inputs.
    pub kill_inputs: Vec<KillInputView>,
    /// The feedback topics.
    pub feedback: Vec<FeedbackView>,
}

impl Snapshot {
    /// An empty one of the right shape.
    #[must_use]
    pub fn new(gate: &Gate, at: Moment) -> Self {
        let lane = |lane: &super::lane::Lane| LaneView {
            state: LaneState::Released,
            owner: None,
            selected: None,
            graph: LaneGraph::default(),
            subscribers: 0,
            motion: None,
            still_since: None,
            seen: lane.seen.clone(),
            sources: vec![SourceView::default(); lane.sources.len()],
        };
        let mut snapshot = Self {
            at,
            state: State::Disarmed,
            seq: 0,
            since: at,
            permitted: false,
            first_trip: None,
            last_trip: None,
            profile: None,
            derating: 1.0,
            unclean: false,
            awaits_description: false,
            latch_writable: true,
            causes: Vec::with_capacity(gate.faults.capacity()),
            unmet: Vec::with_capacity(gate.conditions.capacity()),
            lanes: gate.lanes.iter().map(lane).collect(),
            kill_inputs: vec![KillInputView::default(); gate.kill_inputs.len()],
            feedback: vec![FeedbackView::default(); gate.feedback_at.len()],
        };
        gate.fill(&mut snapshot, at);
        snapshot
    }
}

impl Gate {
    /// Fills a snapshot that was made by [`Snapshot::new`] for this gate.
    pub fn fill(&self, to: &mut Snapshot, now: Moment) {
        to.at = now;
        to.state = self.machine.state();
        to.seq = self.machine.seq();
        to.since = self.machine.since();
        to.permitted = self.is_permitted();
        to.first_trip = self.machine.first_trip().copied();
        to.last_trip = self.machine.last_trip().copied();
        to.profile = self.profile;
        to.derating = self.derating;
        to.unclean = self.unclean;
        to.awaits_description = self.awaits_description;
        to.latch_writable = self.latch_writable;
        to.causes.clear();
        let present = self.faults.iter().filter(|fault| fault.level.present);
        to.causes.extend(present.map(|fault| CauseView {
            cause: fault.cause,
            subject: fault.subject,
            action: self.action(fault.cause, fault.subject),
            due: fault.is_due(),
            found: fault.level.found,
            bound: fault.level.bound,
        }));
        to.unmet.clear();
        self.unmet(now.steady, &mut |condition| to.unmet.push(condition));
        for (view, watch) in to.lanes.iter_mut().zip(&self.standstill) {
            view.motion = watch.found();
            view.still_since = watch.still_since();
        }
        for (view, lane) in to.lanes.iter_mut().zip(&self.lanes) {
            view.state = lane.state;
            view.owner = lane.owner;
            view.selected = lane.selected;
            view.graph = lane.graph;
            view.subscribers = lane.graph.subscribers;
            view.seen.copy_from_slice(&lane.seen);
            for (view, source) in view.sources.iter_mut().zip(&lane.sources) {
                view.alive = source.is_alive(now.steady);
                view.last_valid = source.last_valid();
                view.lost = source.lost;
                view.last_reason = source.last_reason();
                for (count, verdict) in view.counts.iter_mut().zip(Verdict::ALL) {
                    *count = source.counts().get(*verdict);
                }
            }
        }
        for (view, now_view) in to.kill_inputs.iter_mut().zip(self.kill_input_views(now.steady)) {
            *view = now_view;
        }
        let feedback = self.feedback_at.iter().zip(&self.rules.feedback);
        for (index, (view, (at, rules))) in to.feedback.iter_mut().zip(feedback).enumerate() {
            let is_heard = at.is_some_and(|at| now.steady.since(at) <= rules.timeout);
            view.last_seen = *at;
            // As the gate asks: one lane that can use the newest sample is not all of them.
            view.fresh = is_heard && self.feedback_is_fresh(index, now.steady);
            view.partial = is_heard && !view.fresh;
        }
    }

    /// The kill inputs as they are now, in the order of the rules.
    pub fn kill_input_views(&self, now: SteadyTime) -> impl Iterator<Item = KillInputView> + '_ {
        let inputs = self.kill_inputs.iter().zip(&self.rules.kill_inputs);
        inputs.map(move |(input, rules)| KillInputView {
            asserted: input.is_asserted(now, rules),
            unread: input.is_unread(),
            lost: matches!(input.silence(now, rules), Silence::Lost(_)),
            seen: input.last_seen().is_some(),
            last_seen: input.last_seen(),
            asserted_by: input.asserted_by(now, rules),
        })
    }
}
