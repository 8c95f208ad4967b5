use super::*;
use crate::gate::state::BootRecord;

fn at(ms: u64) -> Moment {
    let nanos = ms * 1_000_000;
    let wall = WallTime::from_nanos(i64::try_from(nanos).unwrap());
    Moment { steady: SteadyTime::from_nanos(nanos), wall }
}

fn button(rising: bool) -> Report {
    Report { rising, ..Report::plain(Cause::KillInputAsserted, Subject::KillInput(0)) }
}

const SERVICE: Report = Report::plain(Cause::KillService, Subject::Node);

#[test]
fn when_killed_twice_expect_the_first_trip_kept_and_seq_counting_news_only() {
    let mut machine = Machine::new(State::Disarmed, 7, at(0));
    assert_eq!(machine.kill(SERVICE, at(10)).to, State::Killed);
    assert_eq!(machine.seq(), 8);
    machine.kill(SERVICE, at(20));
    assert_eq!(machine.seq(), 8);
    machine.kill(button(true), at(30));
    assert_eq!(machine.seq(), 9);
    assert_eq!(machine.first_trip().unwrap().cause, Cause::KillService);
    assert_eq!(machine.last_trip().unwrap().cause, Cause::KillInputAsserted);
    assert_eq!(machine.since(), at(10));
}

#[test]
fn when_an_input_flaps_expect_at_most_one_seq_a_second() {
    let mut machine = Machine::new(State::Active, 1, at(0));
    for edge in 0..50 {
        machine.kill(button(true), at(edge * 100));
    }
    assert_eq!(machine.seq(), 2 + 4);
}

#[test]
fn when_seq_moved_expect_reset_and_arm_refused_and_nothing_changed() {
    let mut machine = Machine::new(State::Disarmed, 1, at(0));
    machine.kill(SERVICE, at(1));
    assert_eq!(machine.reset(1, false, at(2)), Err(Refused::SeqMoved));
    assert_eq!(machine.reset(2, true, at(2)), Err(Refused::Unmet));
    assert_eq!((machine.state(), machine.seq()), (State::Killed, 2));
    assert_eq!(machine.reset(2, false, at(3)).unwrap().to, State::Disarmed);
    assert!(machine.first_trip().is_none());
    assert_eq!(machine.arm(2, false, at(4)), Err(Refused::SeqMoved));
    assert_eq!(machine.arm(3, false, at(4)).unwrap().to, State::Active);
}

#[test]
fn when_an_automatic_cause_comes_while_disarmed_expect_nothing_latched() {
    let mut machine = Machine::new(State::Disarmed, 1, at(0));
    let report = Report::plain(Cause::Tilt, Subject::Node);
    let outcome = machine.automatic(report, Action::Kill, at(1));
    assert_eq!((outcome.to, outcome.moved), (State::Disarmed, false));
    assert!(machine.last_trip().is_none());
}

#[test]
fn when_an_automatic_cause_disarms_expect_it_told_as_the_last_trip() {
    let mut machine = Machine::new(State::Active, 1, at(0));
    let report = Report::plain(Cause::GateStalled, Subject::Node);
    assert_eq!(machine.automatic(report, Action::Disarm, at(1)).to, State::Disarmed);
    assert_eq!(machine.last_trip().unwrap().cause, Cause::GateStalled);
    assert!(machine.first_trip().is_none());
}

#[test]
fn when_killed_expect_it_known_whether_it_was_active_for_as_long_as_it_is() {
    let gate_stalled = Report::plain(Cause::GateStalled, Subject::Node);
    let mut machine = Machine::new(State::Active, 1, at(0));
    assert_eq!(machine.was_killed_active(), None);
    machine.kill(SERVICE, at(1));
    machine.kill(button(true), at(2_000));
    assert_eq!(machine.was_killed_active(), Some(true));
    machine.reset(machine.seq(), false, at(3_000)).unwrap();
    assert_eq!(machine.was_killed_active(), None);
    machine.kill(SERVICE, at(4_000));
    assert_eq!(machine.was_killed_active(), Some(false), "the reset ended that");
    // A person disarmed it, then killed.
    let mut machine = Machine::new(State::Active, 1, at(0));
    machine.disarm(at(1)).unwrap();
    machine.kill(SERVICE, at(2));
    assert_eq!(machine.was_killed_active(), Some(false));
    // A cause disarmed it, and a person killed because of that; or another day.
    for (killed_at, expected) in [(20_000, true), (300_000, false)] {
        let mut machine = Machine::new(State::Active, 1, at(0));
        machine.automatic(gate_stalled, Action::Disarm, at(1));
        assert_eq!(machine.was_killed_active(), None);
        machine.kill(SERVICE, at(killed_at));
        assert_eq!(machine.was_killed_active(), Some(expected));
    }
}

#[test]
fn when_it_starts_killed_expect_what_the_record_knows_of_before() {
    for (record, expected) in [
        (BootRecord::Clean, None),
        (BootRecord::Killed, None),
        (BootRecord::KilledUnclean, Some(true)),
        (BootRecord::EndedActive, Some(true)),
        (BootRecord::EndedActiveEarlier, Some(true)),
        (BootRecord::Unreadable, None),
        (BootRecord::Missing, Some(false)),
    ] {
        let machine = Machine::at_boot(Start::of(record, 7), at(0));
        assert_eq!(machine.was_killed_active(), expected, "{record:?}");
    }
}

#[test]
fn when_more_causes_come_than_are_told_apart_expect_still_killed() {
    let mut machine = Machine::new(State::Active, 1, at(0));
    for input in 0..40 {
        let subject = Subject::KillInput(input);
        machine.kill(Report::plain(Cause::KillInputAsserted, subject), at(1));
    }
    assert_eq!((machine.state(), machine.seq()), (State::Killed, 17));
}
