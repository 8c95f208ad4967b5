//! The state machine of the node: one pure function, its table, and a test for each cell.

use super::cause::Cause;
use super::closed_list::closed_list;

closed_list! {
    /// The node's state. There is no other latched state; the cause says why.
    State {
        /// Interlock has let go: nothing is forwarded.
        Disarmed = "disarmed",
        /// Commands may pass.
        Active = "active",
        /// Latched: lanes keep their safe command.
        Killed = "killed",
    }
}

/// What the latch record said at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootRecord {
    /// The last run ended disarmed, or shut down cleanly.
    Clean,
    /// The last run ended killed.
    Killed,
    /// The last run ended killed, because one before it ended while active in this boot of the machine
    /// and nobody has reset since: what that one last sent may still be followed.
    KilledUnclean,
    /// The last run ended while active, in this boot of the machine: what it last sent may still be
    /// followed.
    EndedActive,
    /// The last run ended while active, and the machine was booted since: nobody follows it any more.
    EndedActiveEarlier,
    /// The record cannot be read or is invalid.
    Unreadable,
    /// There is no record.
    Missing,
}

impl BootRecord {
    /// Whether somebody may still follow what a run sent last that ended in motion.
    #[must_use]
    pub const fn is_unclean(self) -> bool {
        match self {
            Self::EndedActive | Self::KilledUnclean => true,
            Self::Clean
            | Self::Killed
            | Self::EndedActiveEarlier
            | Self::Unreadable
            | Self::Missing => false,
        }
    }

    /// Whether the run that left it killed, or to be killed, was active until then; `None`: nothing is
    /// killed, or the record does not say it.
    #[must_use]
    pub const fn ended_active(self) -> Option<bool> {
        match self {
            Self::EndedActive | Self::EndedActiveEarlier | Self::KilledUnclean => Some(true),
            Self::Missing => Some(false),
            Self::Clean | Self::Killed | Self::Unreadable => None,
        }
    }

    /// Why the node comes up killed; `None`: it does not.
    #[must_use]
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Clean => None,
            Self::Killed | Self::KilledUnclean => Some(Cause::Persisted),
            Self::EndedActive | Self::EndedActiveEarlier => Some(Cause::UncleanRestart),
            Self::Unreadable => Some(Cause::LatchFile),
            Self::Missing => Some(Cause::FirstRun),
        }
    }
}

/// Whether an arm or a reset may go ahead. Filled in by the caller, in this order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// `seq` matches and nothing is unmet.
    Ready,
    /// The state moved since the caller looked.
    SeqMoved,
    /// At least one condition is unmet.
    Unmet,
}

/// Whether a kill tells anything new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Another cause, or a new rising edge (at most one a second counts as new).
    New,
    /// The same cause still, or an edge within a second of the last.
    Again,
}

/// What can happen to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The kill verb, or a kill input that asserts. Works in any state.
    Kill(News),
    /// A cause with action `kill`.
    AutomaticKill(News),
    /// A cause with action `disarm`.
    AutomaticDisarm,
    /// The disarm verb.
    Disarm,
    /// The reset verb.
    Reset(Check),
    /// The arm verb.
    Arm(Check),
}

/// Why a verb had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Reset, but nothing is latched.
    NotKilled,
    /// Arm or disarm while killed.
    ResetFirst,
    /// Arm while active.
    AlreadyActive,
    /// Disarm while disarmed.
    AlreadyDisarmed,
    /// `seq` is not the one the caller saw.
    SeqMoved,
    /// Conditions are unmet.
    Unmet,
    /// Arm, but there is no such profile.
    UnknownProfile,
    /// Another reset or arm waits for its record.
    Busy,
    /// A disarm or a shutdown came while its record was being written.
    Withdrawn,
}

impl Refused {
    /// The label in metrics and events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotKilled => "not_killed",
            Self::ResetFirst => "killed",
            Self::AlreadyActive => "already_active",
            Self::AlreadyDisarmed => "already_disarmed",
            Self::SeqMoved => "seq_moved",
            Self::Unmet => "unmet",
            Self::UnknownProfile => "unknown_profile",
            Self::Busy => "busy",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Whether `seq` moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeqStep {
    /// `seq + 1`.
    Next,
    /// Unchanged.
    Same,
}

impl State {
    /// The state after boot. Anything but a clean record is killed.
    ///
    /// | record               | state      |
    /// |----------------------|------------|
    /// | `Clean`              | `Disarmed` |
    /// | `Killed`             | `Killed`   |
    /// | `KilledUnclean`      | `Killed`   |
    /// | `EndedActive`        | `Killed`   |
    /// | `EndedActiveEarlier` | `Killed`   |
    /// | `Unreadable`         | `Killed`   |
    /// | `Missing`            | `Killed`   |
    #[must_use]
    pub const fn at_boot(record: BootRecord) -> Self {
        match record {
            BootRecord::Clean => Self::Disarmed,
            BootRecord::Killed
            | BootRecord::KilledUnclean
            | BootRecord::EndedActive
            | BootRecord::EndedActiveEarlier
            | BootRecord::Unreadable
            | BootRecord::Missing => Self::Killed,
        }
    }

    /// The whole machine. An error leaves the state as it was.
    ///
    /// | event                  | `Disarmed`        | `Active`        | `Killed`        |
    /// |------------------------|-------------------|-----------------|-----------------|
    /// | `Kill(New)`            | `Killed` +1       | `Killed` +1     | `Killed` +1     |
    /// | `Kill(Again)`          | `Killed` +1       | `Killed` +1     | `Killed`        |
    /// | `AutomaticKill(New)`   | `Disarmed`        | `Killed` +1     | `Killed` +1     |
    /// | `AutomaticKill(Again)` | `Disarmed`        | `Killed` +1     | `Killed`        |
    /// | `AutomaticDisarm`      | `Disarmed`        | `Disarmed` +1   | `Killed`        |
    /// | `Disarm`               | `AlreadyDisarmed` | `Disarmed` +1   | `ResetFirst`    |
    /// | `Reset(Ready)`         | `NotKilled`       | `NotKilled`     | `Disarmed` +1   |
    /// | `Reset(SeqMoved)`      | `NotKilled`       | `NotKilled`     | `SeqMoved`      |
    /// | `Reset(Unmet)`         | `NotKilled`       | `NotKilled`     | `Unmet`         |
    /// | `Arm(Ready)`           | `Active` +1       | `AlreadyActive` | `ResetFirst`    |
    /// | `Arm(SeqMoved)`        | `SeqMoved`        | `AlreadyActive` | `ResetFirst`    |
    /// | `Arm(Unmet)`           | `Unmet`           | `AlreadyActive` | `ResetFirst`    |
    ///
    /// To review: a kill works in every state; nothing leads from `Killed` to `Active`, so a reset
    /// never restarts motion; `seq` moves at every change of state and at every news while killed;
    /// an automatic cause latches nothing while nothing can move (it is an unmet arm condition).
    ///
    /// # Errors
    /// [`Refused`], as in the table.
    pub const fn next(self, event: Event) -> Result<(Self, SeqStep), Refused> {
        use SeqStep::{Next, Same};
        match (self, event) {
            (Self::Disarmed | Self::Active, Event::Kill(_))
            | (Self::Active, Event::AutomaticKill(_))
            | (Self::Killed, Event::Kill(News::New) | Event::AutomaticKill(News::New)) => {
                Ok((Self::Killed, Next))
            }
            (Self::Killed, Event::Kill(News::Again) | Event::AutomaticKill(News::Again))
            | (Self::Killed, Event::AutomaticDisarm) => Ok((Self::Killed, Same)),
            (Self::Disarmed, Event::AutomaticKill(_) | Event::AutomaticDisarm) => {
                Ok((Self::Disarmed, Same))
            }
            (Self::Active, Event::AutomaticDisarm | Event::Disarm)
            | (Self::Killed, Event::Reset(Check::Ready)) => Ok((Self::Disarmed, Next)),
            (Self::Disarmed, Event::Arm(Check::Ready)) => Ok((Self::Active, Next)),
            (Self::Disarmed, Event::Disarm) => Err(Refused::AlreadyDisarmed),
            (Self::Killed, Event::Disarm | Event::Arm(_)) => Err(Refused::ResetFirst),
            (Self::Disarmed | Self::Active, Event::Reset(_)) => Err(Refused::NotKilled),
            (Self::Active, Event::Arm(_)) => Err(Refused::AlreadyActive),
            (Self::Killed, Event::Reset(Check::SeqMoved))
            | (Self::Disarmed, Event::Arm(Check::SeqMoved)) => Err(Refused::SeqMoved),
            (Self::Killed, Event::Reset(Check::Unmet))
            | (Self::Disarmed, Event::Arm(Check::Unmet)) => Err(Refused::Unmet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Check::{Ready, SeqMoved, Unmet};
    use super::Event::{Arm, AutomaticDisarm, AutomaticKill, Disarm, Kill, Reset};
    use super::News::{Again, New};
    use super::SeqStep::{Next, Same};
    use super::State::{Active, Disarmed, Killed};
    use super::*;

    type Cell = Result<(State, SeqStep), Refused>;

    /// The doc table, cell by cell: one test a cell, so a failure names it.
    macro_rules! cells {
        ($( $name:ident: $from:expr, $event:expr => $to:expr; )+) => {
            $( #[test] fn $name() { let expected: Cell = $to; assert_eq!($from.next($event), expected); } )+
            const CELLS: &[(State, Event)] = &[ $( ($from, $event) ),+ ];
        };
    }

    cells! {
        disarmed_kill_new: Disarmed, Kill(New) => Ok((Killed, Next));
        active_kill_new: Active, Kill(New) => Ok((Killed, Next));
        killed_kill_new: Killed, Kill(New) => Ok((Killed, Next));
        disarmed_kill_again: Disarmed, Kill(Again) => Ok((Killed, Next));
        active_kill_again: Active, Kill(Again) => Ok((Killed, Next));
        killed_kill_again: Killed, Kill(Again) => Ok((Killed, Same));
        disarmed_automatic_kill_new: Disarmed, AutomaticKill(New) => Ok((Disarmed, Same));
        active_automatic_kill_new: Active, AutomaticKill(New) => Ok((Killed, Next));
        killed_automatic_kill_new: Killed, AutomaticKill(New) => Ok((Killed, Next));
        disarmed_automatic_kill_again: Disarmed, AutomaticKill(Again) => Ok((Disarmed, Same));
        active_automatic_kill_again: Active, AutomaticKill(Again) => Ok((Killed, Next));
        killed_automatic_kill_again: Killed, AutomaticKill(Again) => Ok((Killed, Same));
        disarmed_automatic_disarm: Disarmed, AutomaticDisarm => Ok((Disarmed, Same));
        active_automatic_disarm: Active, AutomaticDisarm => Ok((Disarmed, Next));
        killed_automatic_disarm: Killed, AutomaticDisarm => Ok((Killed, Same));
        disarmed_disarm: Disarmed, Disarm => Err(Refused::AlreadyDisarmed);
        active_disarm: Active, Disarm => Ok((Disarmed, Next));
        killed_disarm: Killed, Disarm => Err(Refused::ResetFirst);
        disarmed_reset_ready: Disarmed, Reset(Ready) => Err(Refused::NotKilled);
        active_reset_ready: Active, Reset(Ready) => Err(Refused::NotKilled);
        killed_reset_ready: Killed, Reset(Ready) => Ok((Disarmed, Next));
        disarmed_reset_seq_moved: Disarmed, Reset(SeqMoved) => Err(Refused::NotKilled);
        active_reset_seq_moved: Active, Reset(SeqMoved) => Err(Refused::NotKilled);
        killed_reset_seq_moved: Killed, Reset(SeqMoved) => Err(Refused::SeqMoved);
        disarmed_reset_unmet: Disarmed, Reset(Unmet) => Err(Refused::NotKilled);
        active_reset_unmet: Active, Reset(Unmet) => Err(Refused::NotKilled);
        killed_reset_unmet: Killed, Reset(Unmet) => Err(Refused::Unmet);
        disarmed_arm_ready: Disarmed, Arm(Ready) => Ok((Active, Next));
        active_arm_ready: Active, Arm(Ready) => Err(Refused::AlreadyActive);
        killed_arm_ready: Killed, Arm(Ready) => Err(Refused::ResetFirst);
        disarmed_arm_seq_moved: Disarmed, Arm(SeqMoved) => Err(Refused::SeqMoved);
        active_arm_seq_moved: Active, Arm(SeqMoved) => Err(Refused::AlreadyActive);
        killed_arm_seq_moved: Killed, Arm(SeqMoved) => Err(Refused::ResetFirst);
        disarmed_arm_unmet: Disarmed, Arm(Unmet) => Err(Refused::Unmet);
        active_arm_unmet: Active, Arm(Unmet) => Err(Refused::AlreadyActive);
        killed_arm_unmet: Killed, Arm(Unmet) => Err(Refused::ResetFirst);
    }

    fn all_events() -> Vec<Event> {
        let mut events = vec![AutomaticDisarm, Disarm];
        for news in [New, Again] {
            events.extend([Kill(news), AutomaticKill(news)]);
        }
        for check in [Ready, SeqMoved, Unmet] {
            events.extend([Reset(check), Arm(check)]);
        }
        events
    }

    #[test]
    fn every_cell_has_a_test() {
        for &state in State::ALL {
            for event in all_events() {
                assert!(CELLS.contains(&(state, event)), "no test for {state:?} {event:?}");
            }
        }
        assert_eq!(CELLS.len(), State::ALL.len() * all_events().len());
    }

    #[test]
    fn seq_moves_exactly_when_the_state_does_or_news_arrive_while_killed() {
        for &state in State::ALL {
            for event in all_events() {
                if let Ok((to, seq)) = state.next(event) {
                    let news = state == Killed && matches!(event, Kill(New) | AutomaticKill(New));
                    assert_eq!(seq == Next, to != state || news, "{state:?} {event:?}");
                }
            }
        }
    }

    #[test]
    fn when_the_record_is_not_clean_expect_killed() {
        assert_eq!(State::at_boot(BootRecord::Clean), Disarmed);
        for record in [
            BootRecord::Killed,
            BootRecord::KilledUnclean,
            BootRecord::EndedActive,
            BootRecord::EndedActiveEarlier,
            BootRecord::Unreadable,
            BootRecord::Missing,
        ] {
            assert_eq!(State::at_boot(record), Killed, "{record:?}");
        }
    }
}
