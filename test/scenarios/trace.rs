//! What happened in a scenario, as an observer beside the gate would write it down: what came in,
//! what was published, and what the gate says of itself afterwards.
//!
//! **Invariant:** nothing here knows how the gate decides. The oracle reads these records and the
//! rules, and nothing else, so that a doctored record is judged like a true one.

use interlock::gate::command::Command;
use interlock::gate::lane_state::LaneState;
use interlock::gate::safe::SafeCommand;
use interlock::gate::state::{Refused, State};
use interlock::gate::verdict::{Reason, Verdict};

/// One call to the gate, and everything it led to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Steady clock, ns.
    pub(crate) at: u64,
    pub(crate) what: What,
    /// In the order in which they were published.
    pub(crate) outputs: Vec<Output>,
    pub(crate) after: View,
}

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Boot,
    Tick,
    Command(Box<Received>),
    Kill,
    KillInput {
        input: usize,
        publisher: u8,
        /// `None`: a message that cannot be read.
        asserted: Option<bool>,
    },
    Disarm(Result<(), Refused>),
    Reset {
        seq: u64,
        result: Result<(), Refused>,
    },
    Arm {
        seq: u64,
        profile: usize,
        result: Result<(), Refused>,
    },
    Select {
        lane: usize,
        source: Option<usize>,
        accepted: bool,
    },
    Feedback {
        lane: usize,
        position: Vec<f64>,
        velocity: Vec<f64>,
        usable: bool,
    },
    /// The factor that heat and charge ask for.
    Derate(f64),
}

/// A command that was taken from its queue and judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Received {
    pub(crate) lane: usize,
    pub(crate) source: usize,
    pub(crate) publisher: Option<u8>,
    pub(crate) stamp: Option<i64>,
    /// How many steps had been made when it reached its queue.
    pub(crate) queued_after: usize,
    /// As it came in.
    pub(crate) asked: Command,
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<Reason>,
}

/// One message on a lane's output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) lane: usize,
    pub(crate) from: From,
    /// A forwarded command as it went out; a safe command as a command of one point.
    pub(crate) command: Command,
}

/// Whose message it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum From {
    Source(usize),
    Safe(SafeCommand),
}

/// What the gate says of itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) state: State,
    pub(crate) seq: u64,
    pub(crate) permitted: bool,
    pub(crate) lanes: Vec<LaneView>,
}

/// The same of one lane.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LaneView {
    pub(crate) state: LaneState,
    pub(crate) owner: Option<usize>,
    /// By source, then by [`Verdict::index`].
    pub(crate) counts: Vec<[u64; 5]>,
}
