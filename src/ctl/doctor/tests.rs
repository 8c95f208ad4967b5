//! The checks of what the node tells, and the table.

use super::*;
use crate::telemetry::status::LaneStatus;

fn good() -> Status {
    Status {
        state: "active".to_owned(),
        seq: 5,
        lanes: vec![LaneStatus {
            name: "base".to_owned(),
            mode: "gate".to_owned(),
            subscribers: Some(1),
            foreign_publishers: Some(0),
            ..LaneStatus::default()
        }],
        ..Status::default()
    }
}

fn of(status: &Status, name: &str) -> Check {
    of_status(status).into_iter().find(|check| check.name == name).expect("a check")
}

#[test]
fn when_all_is_well_expect_ok_everywhere() {
    let checks = of_status(&good());
    assert!(checks.iter().all(|check| check.found == Found::Ok && check.fix.is_empty()));
    assert_eq!(verdict(&checks), GOOD);
}

#[test]
fn when_something_is_bad_expect_it_named_with_its_fix() {
    let mut status = good();
    status.lanes[0].subscribers = Some(0);
    status.lanes[0].foreign_publishers = Some(2);
    status.simulated_time = true;
    status.ignored_causes = vec!["tilt".to_owned()];
    status.realtime = vec!["SCHED_FIFO 40: refused; allow it with LimitRTPRIO=".to_owned()];
    let check = of(&status, "set-up");
    assert!(check.found == Found::Bad && check.text.contains("LimitRTPRIO"), "{check:?}");
    for (name, part) in [
        ("controllers", "base"),
        ("publishers", "base"),
        ("time", "use_sim_time"),
        ("causes", "tilt"),
    ] {
        let check = of(&status, name);
        assert!(check.found == Found::Bad && check.text.contains(part), "{check:?}");
        assert!(!check.fix.is_empty());
    }
    assert_eq!(verdict(&of_status(&status)), REFUSED);
    // A watched lane has no reader and no writer of ours.
    let gated = good().lanes.remove(0);
    status.lanes[0].mode = "watch".to_owned();
    status.lanes.push(gated);
    assert_eq!(of(&status, "controllers").found, Found::Ok);
}

#[test]
fn when_no_lane_is_gated_expect_bad_and_nothing_said_of_readers() {
    let mut status = good();
    assert_eq!(of(&status, "lanes").text, "every lane is gated");
    status.lanes[0].mode = "watch".to_owned();
    status.lanes[0].subscribers = Some(0);
    let check = of(&status, "lanes");
    assert_eq!(check.found, Found::Bad, "{check:?}");
    assert!(
        check.text.starts_with("no lane is gated: every lane only watches (base)"),
        "{check:?}"
    );
    assert!(check.fix.contains("hardware emergency stop"), "{check:?}");
    let names: Vec<&str> = of_status(&status).iter().map(|check| check.name).collect();
    assert!(!names.contains(&"controllers") && !names.contains(&"publishers"), "{names:?}");
    // One gated lane is something that a kill stops; the other is named.
    status.lanes.extend(good().lanes);
    status.lanes[0].name = "arms".to_owned();
    let check = of(&status, "lanes");
    assert_eq!(check.found, Found::Ok);
    assert!(check.text.starts_with("arms only watches"), "{check:?}");
}

#[test]
fn when_the_latch_is_not_on_disk_expect_why_and_the_way_out_in_every_state() {
    for state in ["active", "disarmed", "killed"] {
        // Nothing is unmet while active: what the disk says must show all the same.
        let mut status = Status { state: state.to_owned(), ..good() };
        assert_eq!(of(&status, "latch").found, Found::Ok);
        status.latch = NOT_PERSISTED.to_owned();
        let check = of(&status, "latch");
        assert!(check.found == Found::Bad && check.fix.contains("latch.persist"), "{check:?}");
        // A disk that fails says more: its text has the way out.
        status.latch = "No space left: make space".to_owned();
        let check = of(&status, "latch");
        assert_eq!((check.found, check.text.as_str()), (Found::Bad, "No space left: make space"));
        assert_eq!(check.fix, "");
    }
}

#[test]
fn when_somebody_else_than_the_controller_reads_expect_bad() {
    let mut status = good();
    status.lanes[0].controller = "'base_controller' does not read the output".to_owned();
    let check = of(&status, "controllers");
    assert_eq!(check.found, Found::Bad);
    assert_eq!(check.text, "of base: 'base_controller' does not read the output");
    assert!(check.fix.contains("start it"), "{check:?}");
    let mut status = good();
    status.lanes[0].notes = vec![
        "also publishes on the output: /other".to_owned(),
        format!("{UNREAD}: /driver (best_effort)"),
    ];
    let check = of(&status, "controllers");
    assert_eq!(check.found, Found::Bad);
    assert_eq!(check.text, format!("of base: {UNREAD}: /driver (best_effort)"));
    // Who else writes is the next check's.
    status.lanes[0].notes.pop();
    assert_eq!(of(&status, "controllers").found, Found::Ok);
}

#[test]
fn when_it_was_not_counted_expect_cannot_tell() {
    let mut status = good();
    status.lanes[0].subscribers = None;
    status.lanes[0].foreign_publishers = None;
    assert_eq!(of(&status, "controllers").found, Found::CannotTell);
    assert_eq!(of(&status, "publishers").found, Found::CannotTell);
    assert_eq!(verdict(&of_status(&status)), UNREACHABLE);
}

#[test]
fn when_rights_are_asked_expect_the_group_in_the_fix() {
    let mut whoami =
        Whoami { uid: 7, may_release: true, group: "ops".to_owned(), ..Whoami::default() };
    assert_eq!(rights(&whoami).found, Found::Ok);
    whoami.may_release = false;
    let check = rights(&whoami);
    assert!(check.found == Found::Bad && check.fix.contains("usermod -aG ops"), "{check:?}");
}

#[test]
fn when_checks_are_shown_expect_a_table_of_80_columns() {
    let checks = [
        Check::ok("socket", "/run/interlock/control.sock"),
        Check::bad(
            "time",
            "simulated (use_sim_time)",
            "turn use_sim_time off, unless this is a simulation",
        ),
        Check::cannot_tell("clock", "?"),
    ];
    let expected = "\
ok           socket          /run/interlock/control.sock
BAD          time            simulated (use_sim_time)
                             fix: turn use_sim_time off, unless this is a
                               simulation
cannot tell  clock           ?
";
    assert_eq!(table(&checks, false), expected);
    assert!(table(&checks, true).contains("\u{1b}[1;31mBAD        \u{1b}[0m"));
}
