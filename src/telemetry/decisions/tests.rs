use super::*;
use crate::gate::check::Place;
use crate::gate::envelope::Quantity;
use crate::gate::units::Moment;
use crate::gate::verdict::{Limit, Reason};

const ONE_IN: u32 = 4;

fn pool(max_rate_hz: f64) -> (DecisionTap, DecisionFeed) {
    let thinning = Thinning { max_rate_hz, one_in: ONE_IN, dimensions: 2, capacity: 8 };
    decisions(thinning, SteadyTime::default())
}

fn command(position: &[f64]) -> Command {
    let mut command = Command::with_capacity(2, 8);
    command.points = position.len() / 2;
    command.position.extend_from_slice(position);
    command
}

fn at(ms: u64) -> Receipt {
    let steady = SteadyTime::from_nanos(ms * 1_000_000);
    Receipt { at: Moment { steady, ..Moment::default() }, ..Receipt::default() }
}

fn totals(verdict: Verdict, count: u64) -> Totals {
    let mut totals = Totals::default();
    totals[verdict.index()] = count;
    totals
}

/// What the limits would list.
fn changes(requested: &[f64], sent: &[f64]) -> Vec<Change> {
    let pairs = requested.iter().zip(sent).enumerate();
    let moved = pairs.filter(|(_, (requested, sent))| requested.to_bits() != sent.to_bits());
    let change = |(index, (requested, sent)): (usize, (&f64, &f64))| Change {
        place: Place { point: index / 2, dimension: index % 2 },
        quantity: Quantity::Position,
        limit: Limit::Position,
        requested: *requested,
        sent: *sent,
        bound: *sent,
    };
    moved.map(change).collect()
}

/// One command from receipt to conclusion.
fn one(
    tap: &mut DecisionTap,
    requested: &[f64],
    sent: &[f64],
    verdict: Verdict,
    refusal: Option<Refusal>,
    count: u64,
    ms: u64,
) -> Posted {
    let receipt = at(ms);
    tap.before(&command(requested), totals(verdict, count), receipt.at.steady);
    let changes = changes(requested, sent);
    let (sent, counts) = (command(sent), totals(verdict, count + 1));
    tap.after(&Concluded {
        lane: 0,
        source: 0,
        receipt: &receipt,
        verdict,
        refusal,
        seq: 7,
        shadow: false,
        command: &sent,
        changes: &changes,
        residence: None,
        counts,
    })
}

fn names() -> Vec<String> {
    vec!["left_elbow".to_owned(), "linear.x".to_owned()]
}

#[test]
fn when_a_command_is_refused_expect_its_numbers_nan_included() {
    let (mut tap, feed) = pool(50.0);
    let place = crate::gate::check::Place { point: 0, dimension: 1 };
    let why = Refusal::value(Reason::NotFinite, place, f64::NAN, f64::NAN);
    let posted = one(&mut tap, &[0.5, f64::NAN], &[0.0, 0.0], Verdict::Rejected, Some(why), 0, 0);
    assert_eq!(posted, Posted::Told);
    let record = feed.take().unwrap();
    assert!(record.requested.values[0][1].is_nan());
    assert_eq!(record.requested.values[0][0].to_bits(), 0.5_f64.to_bits());
    assert!(record.sent.values.iter().all(Vec::is_empty));
    assert_eq!(sentence(&record, &names()), "linear.x: nan is not a finite number");
}

#[test]
fn when_a_command_is_limited_expect_each_change_and_one_sentence() {
    let (mut tap, feed) = pool(50.0);
    let posted = one(&mut tap, &[3.1, 0.25], &[2.09, 0.25], Verdict::Limited, None, 0, 0);
    assert_eq!(posted, Posted::Told);
    let record = feed.take().unwrap();
    assert_eq!(record.changes.len(), 1);
    assert_eq!(sentence(&record, &names()), "left_elbow: position 3.1, sent 2.09, limit 2.09");
    assert_eq!(record.sent.values[0], [2.09, 0.25]);
    assert_eq!(record.counts, totals(Verdict::Limited, 1));
}

#[test]
fn when_a_position_is_refused_expect_the_joint_the_value_and_the_bound() {
    let (mut tap, feed) = pool(50.0);
    let place = crate::gate::check::Place { point: 2, dimension: 0 };
    let why = Refusal::value(Reason::Position, place, 3.1, 2.09);
    let plan = [0.0, 0.0, 1.0, 1.0, 3.1, 2.0];
    let posted = one(&mut tap, &plan, &plan, Verdict::Rejected, Some(why), 0, 0);
    assert_eq!(posted, Posted::Told);
    let record = feed.take().unwrap();
    assert_eq!(sentence(&record, &names()), "left_elbow at point 2: position 3.1, limit 2.09");
    // Of a trajectory, the point at fault.
    assert_eq!((record.requested.point, record.requested.values[0].clone()), (2, vec![3.1, 2.0]));
}

#[test]
fn when_commands_pass_expect_the_first_and_then_one_in_n() {
    let (mut tap, feed) = pool(50.0);
    let mut told = 0;
    for count in 0..12 {
        let posted = one(&mut tap, &[0.0, 0.0], &[0.0, 0.0], Verdict::Passed, None, count, count);
        told += u32::from(posted == Posted::Told);
    }
    assert_eq!(told, 12 / ONE_IN);
    assert_eq!(feed.take().unwrap().counts, totals(Verdict::Passed, 1));
}

#[test]
fn when_refusals_flood_expect_a_burst_then_the_rate_and_totals_that_hide_nothing() {
    let (mut tap, feed) = pool(10.0);
    let mut told = 0;
    let why = Refusal::whole(Reason::Malformed);
    // 10 s at 100 Hz.
    for count in 0..1000 {
        let posted = one(&mut tap, &[], &[], Verdict::Rejected, Some(why), count, count * 10);
        told += u32::from(posted == Posted::Told);
        if let Some(record) = feed.take() {
            assert_eq!(record.counts, totals(Verdict::Rejected, count + 1));
            feed.give_back(record);
        }
    }
    // The burst, and 10 a second for the rest.
    assert!((BURST + 95..=BURST + 105).contains(&told), "{told}");
}

#[test]
fn when_nobody_takes_them_expect_the_pool_to_run_dry_and_say_so() {
    let (mut tap, feed) = pool(1.0e6);
    let why = Refusal::whole(Reason::Malformed);
    let mut lost = 0;
    for count in 0..100 {
        let posted = one(&mut tap, &[], &[], Verdict::Rejected, Some(why), count, count);
        lost += usize::from(posted == Posted::Lost);
    }
    assert_eq!(lost, 100 - RECORDS);
    let record = feed.take().unwrap();
    feed.give_back(record);
    let posted = one(&mut tap, &[], &[], Verdict::Rejected, Some(why), 100, 100);
    assert_eq!(posted, Posted::Told);
}

#[test]
fn every_reason_has_a_sentence_with_and_without_a_joint() {
    for reason in Reason::ALL {
        let place = crate::gate::check::Place { point: 0, dimension: 0 };
        for refusal in [Refusal::whole(*reason), Refusal::value(*reason, place, 1.5, 1.0)] {
            let (mut tap, feed) = pool(50.0);
            let posted = one(&mut tap, &[], &[], Verdict::Rejected, Some(refusal), 0, 0);
            assert_eq!(posted, Posted::Told);
            let text = sentence(&feed.take().unwrap(), &names());
            assert!(text.len() > 10, "{reason}: {text}");
            assert_eq!(text.starts_with("left_elbow: "), refusal.dimension.is_some(), "{text}");
        }
    }
}
