//! The latch: the state, its `seq`, and the trips, around the pure table in [`super::state`].
//!
//! Reset and arm, which need their record on disk first, stand in [`super::release`].

use std::time::Duration;

use super::cause::{Action, Cause};
use super::history::{Start, Trips};
use super::release::Pending;
use super::state::{Event, News, Refused, SeqStep, State};
use super::units::{Moment, SteadyTime, WallTime};

/// What a trip or a condition is about, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The node itself.
    Node,
    /// A lane.
    Lane(usize),
    /// A source of a lane.
    Source {
        /// The lane.
        lane: usize,
        /// The source.
        source: usize,
    },
    /// A kill input.
    KillInput(usize),
    /// A feedback topic.
    Feedback(usize),
    /// A temperature.
    Temperature(usize),
    /// A battery.
    Battery(usize),
    /// Another path that moves the robot (`other_paths`).
    Path(usize),
}

/// One event that latched or let go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trip {
    /// `seq` after it.
    pub seq: u64,
    /// When, for people.
    pub stamp: WallTime,
    /// Why.
    pub cause: Cause,
    /// What it is about.
    pub subject: Subject,
    /// The value found, in the cause's unit; NaN where there is none.
    pub found: f64,
    /// The value allowed; NaN where there is none.
    pub bound: f64,
}

/// A cause that is reported to the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Why.
    pub cause: Cause,
    /// What it is about.
    pub subject: Subject,
    /// The value found; NaN where there is none.
    pub found: f64,
    /// The value allowed; NaN where there is none.
    pub bound: f64,
    /// Whether the cause was absent just before: a button pressed anew.
    pub rising: bool,
}

impl Report {
    /// A cause without numbers.
    #[must_use]
    pub const fn plain(cause: Cause, subject: Subject) -> Self {
        Self { cause, subject, found: f64::NAN, bound: f64::NAN, rising: false }
    }
}

/// How many causes are told apart while killed; more count as the last one.
const TOLD_APART: usize = 16;

/// For how long a kill after a cause that let go of the robot belongs to what that cause interrupted:
/// a person who presses the button because of it.
const FOLLOWS: Duration = Duration::from_secs(180);

/// At most one rising edge in this time moves `seq`, so that a flapping input cannot outrun a
/// person who types a reset.
const EDGE_HOLD_OFF: Duration = Duration::from_secs(1);

/// The state and its history.
#[derive(Clone, Debug)]
pub struct Machine {
    state: State,
    seq: u64,
    since: Moment,
    first_trip: Option<Trip>,
    last_trip: Option<Trip>,
    trips: Trips,
    told: [Option<(Cause, Subject)>; TOLD_APART],
    last_news: SteadyTime,
    /// Whether a cause, and no verb, led to `disarmed`.
    was_let_go: bool,
    from_active: Option<bool>,
    pub(super) pending: Option<Pending>,
}

/// What an event did to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
    /// Whether `seq` moved.
    pub moved: bool,
}

impl Machine {
    /// The machine after boot.
    #[must_use]
    pub fn new(state: State, seq: u64, now: Moment) -> Self {
        Self {
            state,
            seq,
            since: now,
            first_trip: None,
            last_trip: None,
            trips: Trips::default(),
            told: [None; TOLD_APART],
            last_news: SteadyTime::from_nanos(0),
            was_let_go: false,
            from_active: None,
            pending: None,
        }
    }

    /// The machine after boot. Where the record makes it killed: with the trip that killed it in an
    /// earlier run, or else with the cause that the record is.
    #[must_use]
    pub fn at_boot(start: Start, now: Moment) -> Self {
        let Start { record, seq, first, last } = start;
        let mut machine = Self::new(State::at_boot(record), seq, now);
        machine.last_trip = last;
        machine.from_active = record.ended_active();
        match (record.cause(), first) {
            (Some(Cause::Persisted), Some(first)) => {
                machine.first_trip = Some(first);
                machine.tell_apart((first.cause, first.subject));
            }
            (Some(cause), _) => machine.note_trip(Report::plain(cause, Subject::Node), now),
            (None, _) => {}
        }
        machine
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The number that reset and arm must name.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// When the state was entered.
    #[must_use]
    pub const fn since(&self) -> Moment {
        self.since
    }

    /// Why it is killed; `None` while it is not.
    #[must_use]
    pub const fn first_trip(&self) -> Option<&Trip> {
        self.first_trip.as_ref()
    }

    /// Whether it was active when it was killed, or a cause had let go of it not long before; `None`
    /// while it is not killed, and where the record of an earlier run does not say it.
    #[must_use]
    pub const fn was_killed_active(&self) -> Option<bool> {
        self.from_active
    }

    /// The newest trip ever.
    #[must_use]
    pub const fn last_trip(&self) -> Option<&Trip> {
        self.last_trip.as_ref()
    }

    /// The newest trips of this run.
    #[must_use]
    pub const fn trips(&self) -> &Trips {
        &self.trips
    }

    /// A kill verb or an asserted kill input: works in every state. It defeats a reset or an arm that
    /// waits for its record, so that then even the same cause again is news.
    pub fn kill(&mut self, report: Report, now: Moment) -> Outcome {
        let news = if self.is_releasing() { News::New } else { self.news(&report, now) };
        self.apply(Event::Kill(news), Some(report), now)
    }

    /// An automatic cause with the action the configuration gives it.
    pub fn automatic(&mut self, report: Report, action: Action, now: Moment) -> Outcome {
        let event = match action {
            Action::Kill => Event::AutomaticKill(self.news(&report, now)),
            Action::Disarm => Event::AutomaticDisarm,
            Action::Ignore | Action::Warn | Action::Hold => {
                return Outcome { from: self.state, to: self.state, moved: false };
            }
        };
        self.apply(event, Some(report), now)
    }

    /// The disarm verb. It also takes back an arm that waits for its record.
    ///
    /// # Errors
    /// [`Refused`] as in the state table.
    pub fn disarm(&mut self, now: Moment) -> Result<Outcome, Refused> {
        if self.state == State::Disarmed && self.withdraw() {
            return Ok(Outcome { from: self.state, to: self.state, moved: false });
        }
        self.verb(Event::Disarm, now)
    }

    fn news(&self, report: &Report, now: Moment) -> News {
        if self.state != State::Killed {
            return News::New;
        }
        let told = self.told.iter().flatten().any(|told| *told == (report.cause, report.subject));
        let full = self.told.iter().all(Option::is_some);
        let rested = now.steady.since(self.last_news) >= EDGE_HOLD_OFF;
        match (told || full, report.rising && rested) {
            (false, _) | (true, true) => News::New,
            (true, false) => News::Again,
        }
    }

    fn apply(&mut self, event: Event, report: Option<Report>, now: Moment) -> Outcome {
        let from = self.state;
        let Ok((to, step)) = self.state.next(event) else {
            return Outcome { from, to: from, moved: false };
        };
        let moved = step == SeqStep::Next;
        if moved {
            self.seq = self.seq.saturating_add(1);
        }
        if to != from {
            let follows = self.was_let_go && now.steady.since(self.since.steady) < FOLLOWS;
            self.from_active = (to == State::Killed).then_some(from == State::Active || follows);
            self.was_let_go = event == Event::AutomaticDisarm;
            self.state = to;
            self.since = now;
        }
        if let (true, Some(report)) = (moved, report) {
            self.note_trip(report, now);
        }
        if to != State::Killed {
            self.first_trip = None;
            self.told = [None; TOLD_APART];
        }
        Outcome { from, to, moved }
    }

    fn note_trip(&mut self, report: Report, now: Moment) {
        let trip = Trip {
            seq: self.seq,
            stamp: now.wall,
            cause: report.cause,
            subject: report.subject,
            found: report.found,
            bound: report.bound,
        };
        self.last_trip = Some(trip);
        self.trips.push(trip);
        self.last_news = now.steady;
        // The first is kept: it is the one to look for. A self test's is not.
        if self.first_trip.is_none_or(|first| first.cause == Cause::SelfTest) {
            self.first_trip = Some(trip);
        }
        self.tell_apart((report.cause, report.subject));
    }

    fn tell_apart(&mut self, entry: (Cause, Subject)) {
        if !self.told.contains(&Some(entry))
            && let Some(free) = self.told.iter_mut().find(|told| told.is_none())
        {
            *free = Some(entry);
        }
    }

    pub(super) fn verb(&mut self, event: Event, now: Moment) -> Result<Outcome, Refused> {
        // Asked first, so that a refusal changes nothing at all.
        self.state.next(event)?;
        Ok(self.apply(event, None, now))
    }
}

#[cfg(test)]
mod tests;
