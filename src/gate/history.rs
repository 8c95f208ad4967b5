//! What happened in this run and before it: the newest trips, and what a run begins with.

use super::cause::Cause;
use super::machine::Trip;
use super::state::BootRecord;

/// How many trips are kept, here and in the latch file.
pub const KEPT_TRIPS: usize = 16;

/// The newest trips, oldest first. Fixed size: the gate thread hands a copy to whoever writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trips {
    kept: [Option<Trip>; KEPT_TRIPS],
}

impl Trips {
    /// Adds a trip; the oldest makes place for it. Of the self test's only the newest is kept, so
    /// that a daily test does not push out what people look for.
    pub fn push(&mut self, trip: Trip) {
        if trip.cause == Cause::SelfTest {
            self.remove(Cause::SelfTest);
        }
        match self.kept.iter_mut().find(|kept| kept.is_none()) {
            Some(free) => *free = Some(trip),
            None => {
                self.kept.rotate_left(1);
                if let Some(last) = self.kept.last_mut() {
                    *last = Some(trip);
                }
            }
        }
    }

    /// Removes the oldest trip of this cause, and keeps the order.
    fn remove(&mut self, cause: Cause) {
        let is_it = |kept: &Option<Trip>| kept.is_some_and(|trip| trip.cause == cause);
        let Some(place) = self.kept.iter().position(is_it) else { return };
        if let Some(rest) = self.kept.get_mut(place..)
            && let Some(first) = rest.first_mut()
        {
            *first = None;
            rest.rotate_left(1);
        }
    }

    /// The trips, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Trip> {
        self.kept.iter().flatten()
    }
}

/// What a run begins with: the latch record, as far as the gate needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// How the last run ended.
    pub record: BootRecord,
    /// The number to go on with.
    pub seq: u64,
    /// Why it is killed, where an earlier run latched it.
    pub first: Option<Trip>,
    /// The newest trip of earlier runs.
    pub last: Option<Trip>,
}

impl Start {
    /// Without a trip of an earlier run.
    #[must_use]
    pub const fn of(record: BootRecord, seq: u64) -> Self {
        Self { record, seq, first: None, last: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::{Machine, Report, Subject};
    use super::super::state::State;
    use super::super::units::Moment;
    use super::*;

    fn trip(seq: u64) -> Trip {
        Trip {
            seq,
            stamp: Moment::default().wall,
            cause: Cause::Tilt,
            subject: Subject::Node,
            found: 0.5,
            bound: 0.25,
        }
    }

    #[test]
    fn when_more_trips_come_than_are_kept_expect_the_newest_in_order() {
        let mut trips = Trips::default();
        for seq in 1..=20 {
            trips.push(trip(seq));
        }
        let kept: Vec<u64> = trips.iter().map(|trip| trip.seq).collect();
        assert_eq!(kept, (5..=20).collect::<Vec<u64>>());
    }

    #[test]
    fn when_self_tests_trip_expect_only_the_newest_kept_and_no_other_pushed_out() {
        let mut trips = Trips::default();
        let tested = |seq| Trip { cause: Cause::SelfTest, ..trip(seq) };
        for seq in 1..=15 {
            trips.push(trip(seq));
        }
        for seq in 16..=30 {
            trips.push(tested(seq));
        }
        let kept = |trips: &Trips| trips.iter().map(|trip| trip.seq).collect::<Vec<u64>>();
        assert_eq!(kept(&trips), (1..=15).chain([30]).collect::<Vec<u64>>());
        trips.push(trip(31));
        trips.push(tested(32));
        assert_eq!(kept(&trips), (2..=15).chain([31, 32]).collect::<Vec<u64>>());
    }

    #[test]
    fn when_an_earlier_run_was_killed_expect_its_trip_and_its_seq() {
        let start =
            Start { first: Some(trip(7)), last: Some(trip(9)), ..Start::of(BootRecord::Killed, 9) };
        let mut machine = Machine::at_boot(start, Moment::default());
        assert_eq!((machine.state(), machine.seq()), (State::Killed, 9));
        assert_eq!(machine.first_trip().map(|trip| trip.seq), Some(7));
        assert_eq!(machine.last_trip().map(|trip| trip.seq), Some(9));
        assert_eq!(machine.trips().iter().count(), 0, "none of this run");
        // The same cause again is no news, another one is.
        let report = |cause| Report::plain(cause, Subject::Node);
        assert!(!machine.kill(report(Cause::Tilt), Moment::default()).moved);
        assert!(machine.kill(report(Cause::KillService), Moment::default()).moved);
    }

    #[test]
    fn when_the_record_itself_is_the_cause_expect_it_as_the_first_trip() {
        for record in [
            BootRecord::Killed,
            BootRecord::KilledUnclean,
            BootRecord::EndedActive,
            BootRecord::EndedActiveEarlier,
            BootRecord::Unreadable,
            BootRecord::Missing,
        ] {
            let start = Start { last: Some(trip(3)), ..Start::of(record, 40) };
            let machine = Machine::at_boot(start, Moment::default());
            let first = machine.first_trip().map(|trip| (trip.cause, trip.seq));
            assert_eq!(first, record.cause().map(|cause| (cause, 40)), "{record:?}");
        }
        // An unclean end outweighs the trip before it, which was reset since.
        let start = Start { first: Some(trip(3)), ..Start::of(BootRecord::EndedActive, 40) };
        let machine = Machine::at_boot(start, Moment::default());
        assert_eq!(machine.first_trip().map(|trip| trip.cause), Some(Cause::UncleanRestart));
    }
}
