//! Tables with one cell for each member of a closed list.

use std::marker::PhantomData;

use super::lists::{
    ArmRefusal, EventKind, LogLevel, LogSink, OfferedDurability, OfferedReliability, ResetRefusal,
    StampAnomaly, StopTrigger, Suppressed, ThreadName,
};
use crate::gate::cause::Cause;
use crate::gate::condition::ConditionCode;
use crate::gate::lane_state::LaneState;
use crate::gate::sensor::{BatteryRule, Grade, InvalidReading, PowerHealth, PowerStatus};
use crate::gate::state::State;
use crate::gate::verdict::{Limit, Reason, Verdict};

/// Something that has a place in a row: a member of a closed list, or an index of the
/// configuration.
pub trait Place: Copy {
    /// Its place, from 0.
    fn place(self) -> usize;
    /// What stands at a place.
    fn at_place(place: usize) -> Option<Self>;
}

impl Place for usize {
    fn place(self) -> usize {
        self
    }

    fn at_place(place: usize) -> Option<Self> {
        (place != usize::MAX).then_some(place)
    }
}

/// A member of a closed list.
pub trait Labelled: Place + 'static {
    /// Every member. Invariant: `MEMBERS[i].place() == i`.
    const MEMBERS: &'static [Self];
    /// The word for it.
    fn word(self) -> &'static str;
}

macro_rules! labelled {
    ($($list:ty),+ $(,)?) => { $(
        impl Place for $list {
            fn place(self) -> usize { self.index() }
            fn at_place(place: usize) -> Option<Self> { Self::ALL.get(place).copied() }
        }
        impl Labelled for $list {
            const MEMBERS: &'static [Self] = Self::ALL;
            fn word(self) -> &'static str { self.label() }
        }
    )+ };
}

labelled!(
    Verdict,
    Reason,
    Limit,
    Cause,
    State,
    LaneState,
    ConditionCode,
    ResetRefusal,
    ArmRefusal,
    StopTrigger,
    EventKind,
    LogLevel,
    LogSink,
    ThreadName,
    StampAnomaly,
    Suppressed,
    OfferedReliability,
    OfferedDurability,
    Grade,
    InvalidReading,
    BatteryRule,
    PowerStatus,
    PowerHealth,
);

/// One cell for each member of `E`.
#[derive(Debug)]
pub struct Table<E, T> {
    /// Invariant: as many as `E::MEMBERS`.
    cells: Box<[T]>,
    list: PhantomData<fn(E) -> E>,
}

impl<E: Labelled, T> Table<E, T> {
    /// Makes each cell.
    pub fn from_fn(cell: impl FnMut(E) -> T) -> Self {
        Self { cells: E::MEMBERS.iter().copied().map(cell).collect(), list: PhantomData }
    }

    /// The cell of a member.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a member's place is below MEMBERS.len(), which is the number of cells"
    )]
    pub fn at(&self, member: E) -> &T {
        &self.cells[member.place()]
    }

    /// Every member with its cell.
    pub fn iter(&self) -> impl Iterator<Item = (E, &T)> {
        E::MEMBERS.iter().copied().zip(self.cells.iter())
    }
}

impl<E: Labelled, T: Default> Default for Table<E, T> {
    fn default() -> Self {
        Self::from_fn(|_| T::default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::Counter;
    use super::*;

    fn check<E: Labelled>(name: &str) {
        let table: Table<E, Counter> = Table::default();
        let mut words = Vec::new();
        for (i, member) in E::MEMBERS.iter().enumerate() {
            assert_eq!(member.place(), i, "{name}: {}", member.word());
            assert_eq!(E::at_place(i).map(Labelled::word), Some(member.word()));
            table.at(*member).add(1 + u64::try_from(i).unwrap());
            assert!(!words.contains(&member.word()), "{name}: {} twice", member.word());
            words.push(member.word());
        }
        for (i, (member, cell)) in table.iter().enumerate() {
            assert_eq!(cell.get(), 1 + u64::try_from(i).unwrap(), "{}", member.word());
        }
    }

    #[test]
    fn when_a_table_is_written_by_member_expect_each_in_its_own_cell() {
        check::<Verdict>("Verdict");
        check::<Reason>("Reason");
        check::<Limit>("Limit");
        check::<Cause>("Cause");
        check::<State>("State");
        check::<LaneState>("LaneState");
        check::<ConditionCode>("ConditionCode");
        check::<ResetRefusal>("ResetRefusal");
        check::<ArmRefusal>("ArmRefusal");
        check::<StopTrigger>("StopTrigger");
        check::<EventKind>("EventKind");
        check::<LogLevel>("LogLevel");
        check::<ThreadName>("ThreadName");
        check::<StampAnomaly>("StampAnomaly");
        check::<Suppressed>("Suppressed");
        check::<OfferedReliability>("OfferedReliability");
        check::<OfferedDurability>("OfferedDurability");
    }
}
