//! Decisions on their way to `~/decisions`: preallocated records between two bounded queues.
//!
//! The gate thread takes an empty record, copies numbers into it and posts it; thread `control`
//! makes a message of it and gives it back. Which commands are told is decided here: rejections and
//! limitations up to a rate, and one in N of the others of each source. Every record carries the
//! totals of its source, so thinning hides nothing.
//!
//! **Invariant:** the gate's side neither formats, allocates, locks nor waits. Without an empty
//! record the decision is not told, and that is said to the caller.

mod text;

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

pub use self::text::{change_words, sentence};
use crate::gate::check::Refusal;
use crate::gate::command::Command;
use crate::gate::envelope::{Change, MAX_CHANGES};
use crate::gate::publisher::Receipt;
use crate::gate::rate::TokenBucket;
use crate::gate::units::{SteadyTime, WallTime};
use crate::gate::verdict::Verdict;

/// Records in the pool: a reader that looks every 5 ms keeps up with 10,000 decisions a second.
const RECORDS: usize = 64;
/// Rejections and limitations told at once after a quiet time.
const BURST: u32 = 10;
/// Quantities of a command.
const QUANTITIES: usize = 6;

/// How often each verdict was given, by [`Verdict::index`].
pub type Totals = [u64; Verdict::ALL.len()];

/// The numbers of one point of one command.
///
/// # Shape
/// Each quantity is empty (the message does not carry it) or has one value for each joint or axis,
/// in the lane's order; NaN where a partial command does not name the joint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Of a trajectory; else 0.
    pub point: usize,
    /// Position, velocity, acceleration, effort, kp, kd.
    pub values: [Vec<f64>; QUANTITIES],
}

const fn quantities(command: &Command) -> [&Vec<f64>; QUANTITIES] {
    let Command { position, velocity, acceleration, effort, kp, kd, .. } = command;
    [position, velocity, acceleration, effort, kp, kd]
}

impl Numbers {
    fn with_capacity(dimensions: usize) -> Self {
        Self { point: 0, values: std::array::from_fn(|_| Vec::with_capacity(dimensions)) }
    }

    fn clear(&mut self) {
        self.point = 0;
        self.values.iter_mut().for_each(Vec::clear);
    }

    /// Copies one point. Quantities that are not complete stay empty.
    fn copy(&mut self, command: &Command, point: usize) {
        self.clear();
        self.point = point;
        let start = point.saturating_mul(command.dimensions);
        let end = start.saturating_add(command.dimensions);
        for (to, from) in self.values.iter_mut().zip(quantities(command)) {
            let Some(from) = from.get(start..end) else { continue };
            if to.capacity() < from.len() {
                continue;
            }
            let given = command.given.iter().copied().chain(std::iter::repeat(true));
            to.extend(from.iter().zip(given).map(|(v, given)| if given { *v } else { f64::NAN }));
        }
    }
}

/// What was decided about one command.
#[derive(Clone, Debug)]
pub struct Record {
    /// The lane.
    pub lane: usize,
    /// The source.
    pub source: usize,
    /// What came with the message.
    pub receipt: Receipt,
    /// The command's own stamp.
    pub stamp: Option<WallTime>,
    /// `seq` of the node.
    pub seq: u64,
    /// Judged only.
    pub shadow: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it was rejected.
    pub refusal: Option<Refusal>,
    /// Take to publish; `None`: not published.
    pub residence: Option<Duration>,
    /// As received.
    pub requested: Numbers,
    /// As sent; empty when nothing was.
    pub sent: Numbers,
    /// What limits moved, in order, as far as there is room for it.
    pub changes: Vec<Change>,
    /// How often each verdict was given to this source, this one included.
    pub counts: Totals,
}

/// What the caller knows of a command after it was concluded.
#[derive(Clone, Copy, Debug)]
pub struct Concluded<'a> {
    /// The lane.
    pub lane: usize,
    /// The source.
    pub source: usize,
    /// What came with the message.
    pub receipt: &'a Receipt,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it was rejected.
    pub refusal: Option<Refusal>,
    /// `seq` of the node.
    pub seq: u64,
    /// Judged only.
    pub shadow: bool,
    /// The command as it was sent.
    pub command: &'a Command,
    /// What limits moved.
    pub changes: &'a [Change],
    /// Take to publish; `None`: not published.
    pub residence: Option<Duration>,
    /// Totals with this command.
    pub counts: Totals,
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a lost record is counted"]
pub enum Posted {
    /// Told.
    Told,
    /// Thinned out, as configured.
    Thinned,
    /// No empty record.
    Lost,
}

/// The gate thread's side.
#[derive(Debug)]
pub struct DecisionTap {
    empty: Receiver<Box<Record>>,
    full: Sender<Box<Record>>,
    requested: Command,
    loud: TokenBucket,
    loud_due: bool,
    quiet_due: bool,
    one_in: u64,
}

/// The telling side.
#[derive(Debug)]
pub struct DecisionFeed {
    empty: Sender<Box<Record>>,
    full: Receiver<Box<Record>>,
}

/// What is told, and for which lanes.
#[derive(Clone, Copy, Debug)]
pub struct Thinning {
    /// Rejections and limitations a second.
    pub max_rate_hz: f64,
    /// One in this many of the others.
    pub one_in: u32,
    /// Most joints or axes of a lane.
    pub dimensions: usize,
    /// Most numbers of one quantity in a command.
    pub capacity: usize,
}

/// Makes both sides.
#[must_use]
pub fn decisions(thinning: Thinning, now: SteadyTime) -> (DecisionTap, DecisionFeed) {
    let (give, empty) = bounded(RECORDS);
    let (full, take) = bounded(RECORDS);
    for _ in 0..RECORDS {
        // There is a place for each of them.
        give.try_send(Box::new(Record::new(thinning.dimensions))).ok();
    }
    let tap = DecisionTap {
        empty,
        full,
        requested: Command::with_capacity(thinning.dimensions, thinning.capacity),
        loud: TokenBucket::new(thinning.max_rate_hz, BURST, now),
        loud_due: false,
        quiet_due: false,
        one_in: u64::from(thinning.one_in.max(1)),
    };
    (tap, DecisionFeed { empty: give, full: take })
}

impl Record {
    fn new(dimensions: usize) -> Self {
        Self {
            lane: 0,
            source: 0,
            receipt: Receipt::default(),
            stamp: None,
            seq: 0,
            shadow: false,
            verdict: Verdict::Passed,
            refusal: None,
            residence: None,
            requested: Numbers::with_capacity(dimensions),
            sent: Numbers::with_capacity(dimensions),
            changes: Vec::with_capacity(MAX_CHANGES),
            counts: Totals::default(),
        }
    }
}

const fn is_loud(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Limited | Verdict::Rejected => true,
        Verdict::Passed | Verdict::Withheld | Verdict::NotSelected => false,
    }
}

/// Commands that are told one in N.
fn quiet(counts: Totals) -> u64 {
    let all = [Verdict::Passed, Verdict::Withheld, Verdict::NotSelected];
    all.iter().map(|verdict| counts.get(verdict.index()).copied().unwrap_or(0)).sum()
}

impl DecisionTap {
    /// Before a command is judged: keeps its numbers where its decision may be told. `counts` are
    /// the totals without it.
    pub fn before(&mut self, command: &Command, counts: Totals, now: SteadyTime) {
        self.loud_due = self.loud.has_token(now);
        self.quiet_due = quiet(counts).checked_rem(self.one_in).unwrap_or(0) == 0;
        if self.loud_due || self.quiet_due {
            copy(command, &mut self.requested);
        }
    }

    /// After it was concluded: tells it where it is due.
    pub fn after(&mut self, of: &Concluded<'_>) -> Posted {
        let verdict = of.verdict;
        let due = if is_loud(verdict) { self.loud_due } else { self.quiet_due };
        if !due {
            return Posted::Thinned;
        }
        if is_loud(verdict) {
            // The token is there: `before` looked.
            let _fits = self.loud.charge(0, of.receipt.at.steady);
        }
        let Ok(mut record) = self.empty.try_recv() else { return Posted::Lost };
        record.fill(of, &self.requested);
        if self.full.try_send(record).is_err() { Posted::Lost } else { Posted::Told }
    }
}

fn copy(from: &Command, to: &mut Command) {
    to.clear();
    to.dimensions = from.dimensions;
    to.points = from.points;
    to.stamp = from.stamp;
    to.given.clear();
    to.given.extend_from_slice(&from.given);
    to.position.extend_from_slice(&from.position);
    to.velocity.extend_from_slice(&from.velocity);
    to.acceleration.extend_from_slice(&from.acceleration);
    to.effort.extend_from_slice(&from.effort);
    to.kp.extend_from_slice(&from.kp);
    to.kd.extend_from_slice(&from.kd);
}

impl Record {
    fn fill(&mut self, of: &Concluded<'_>, requested: &Command) {
        self.lane = of.lane;
        self.source = of.source;
        self.receipt = *of.receipt;
        self.stamp = requested.stamp;
        self.seq = of.seq;
        self.shadow = of.shadow;
        self.verdict = of.verdict;
        self.refusal = of.refusal;
        self.residence = of.residence;
        self.counts = of.counts;
        self.changes.clear();
        if of.verdict == Verdict::Limited {
            let room = self.changes.capacity();
            self.changes.extend(of.changes.iter().take(room).copied());
        }
        let point = match (of.refusal, self.changes.first()) {
            (Some(refusal), _) => refusal.point,
            (None, Some(change)) => change.place.point,
            (None, None) => 0,
        };
        self.requested.copy(requested, point);
        self.sent.clear();
        if matches!(of.verdict, Verdict::Passed | Verdict::Limited) && !of.shadow {
            self.sent.copy(of.command, point);
        }
    }
}

impl DecisionFeed {
    /// The oldest decision that waits.
    #[must_use]
    pub fn take(&self) -> Option<Box<Record>> {
        self.full.try_recv().ok()
    }

    /// Gives a record back once it was told.
    pub fn give_back(&self, record: Box<Record>) {
        // There is a place for every record; without the gate thread nobody needs it.
        self.empty.try_send(record).ok();
    }
}

#[cfg(test)]
mod tests;
