//! The thread with a real file: numbers, names, and what a restart then knows.

use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;

use parking_lot::Mutex;

use super::*;
use crate::gate::cause::Cause;
use crate::gate::machine::{Report, Subject};
use crate::gate::release::Release;
use crate::gate::state::BootRecord;
use crate::latch::{read, start};
use crate::telemetry::fixture;

const BOOT: BootId = [3; 16];

/// A folder that goes with the test, and everything the thread needs in it.
struct Bench {
    folder: PathBuf,
    attribution: Arc<Attribution>,
    slots: Arc<Slots>,
    told: Arc<Mutex<Vec<Option<String>>>>,
    woken: Arc<AtomicUsize>,
    late: Arc<Mutex<Option<(Cause, WallTime)>>>,
}

impl Bench {
    fn new(name: &str) -> Self {
        let name = format!("interlock-writer-{}-{name}", std::process::id());
        Self {
            folder: std::env::temp_dir().join(name),
            attribution: Arc::default(),
            slots: fixture::slots(),
            told: Arc::default(),
            woken: Arc::default(),
            late: Arc::default(),
        }
    }

    /// The next run: its machine, and its latch.
    fn run(&self) -> (Machine, Post, Latch) {
        self.run_in(BOOT)
    }

    /// The same in another boot of the machine.
    fn run_in(&self, boot_id: BootId) -> (Machine, Post, Latch) {
        let (store, found) = Store::open(&self.folder).unwrap();
        let begins = start(&found, boot_id, &|_| Some(Subject::Node));
        let (told, woken) = (self.told.clone(), self.woken.clone());
        let late = self.late.clone();
        let parts = Parts {
            store,
            found,
            boot_id,
            describe: Box::new(|trip| ("pendant".to_owned(), format!("{} in words", trip.cause))),
            attribution: self.attribution.clone(),
            slots: self.slots.clone(),
            steady: crate::clock::steady,
            told: Box::new(move |trouble| told.lock().push(trouble)),
            late: Box::new(move || late.lock().take()),
        };
        let wake = Box::new(move || {
            woken.fetch_add(1, Ordering::SeqCst);
        });
        let now = Moment::default();
        let (post, latch) = Latch::start(parts, begins, now, wake).unwrap();
        (Machine::at_boot(begins, now), post, latch)
    }

    fn ended(&self, boot: BootId) -> BootRecord {
        boot::how_it_ended(&crate::latch::file::found_in(&self.folder).unwrap(), boot)
    }

    fn read(&self) -> Contents {
        read(&self.folder).unwrap().0
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited for {what}");
}

/// A run's first reset, and an arm.
fn arm(machine: &mut Machine) {
    machine.reset(1, false, Moment::default()).unwrap();
    machine.arm(2, false, Moment::default()).unwrap();
}

fn kill(machine: &mut Machine, cause: Cause) {
    machine.kill(Report::plain(cause, Subject::Node), Moment::default());
}

#[test]
fn when_posted_expect_the_number_told_and_the_next_run_to_know_it() {
    let bench = Bench::new("posted");
    let (mut machine, mut post, latch) = bench.run();
    assert_eq!(bench.read().trips[0].cause, "first_run", "before anything was posted");
    let number = post.post(&machine, false);
    assert!(post.progress().is_durable(number), "nothing is new");
    machine.reset(1, false, Moment::default()).unwrap();
    kill(&mut machine, Cause::KillService);
    kill(&mut machine, Cause::KillSignal);
    let number = post.post(&machine, false);
    wait("the record", || post.progress().is_durable(number));
    assert!(bench.woken.load(Ordering::SeqCst) > 0);
    assert!(!post.progress().has_failed(number));
    let contents = bench.read();
    assert_eq!((contents.state, contents.seq, contents.clean), (State::Killed, 4, false));
    // Who asked is told a moment later.
    bench.attribution.note(3, "maria", "arm near table");
    wait("the name", || bench.read().first_trip().unwrap().operator == "maria");
    let trip = bench.read().first_trip().unwrap().clone();
    assert_eq!((trip.cause.as_str(), trip.subject.as_str()), ("kill_service", "pendant"));
    assert_eq!(
        (trip.detail.as_str(), trip.reason.as_str()),
        ("kill_service in words", "arm near table")
    );
    // A write is timed after the file has it.
    wait("three writes", || bench.slots.node.latch_write.read().count >= 3);
    latch.finish();
    assert!(bench.read().clean);
    drop(post);
    let (machine, ..) = bench.run();
    assert_eq!((machine.state(), machine.seq()), (State::Killed, 4));
    assert_eq!(
        machine.first_trip().map(|trip| (trip.seq, trip.cause)),
        Some((3, Cause::KillService))
    );
    assert_eq!(bench.read().trips.len(), 3, "none is forgotten");
}

/// A button that flaps: the trip that latched is kept, the newest stay the newest, however often it is written.
#[test]
fn when_more_trips_come_than_are_kept_expect_the_first_and_the_newest_in_their_order() {
    let bench = Bench::new("many");
    let (mut machine, mut post, latch) = bench.run();
    machine.reset(1, false, Moment::default()).unwrap();
    for second in 1..=18_u64 {
        let report = Report { rising: true, ..Report::plain(Cause::KillService, Subject::Node) };
        let steady = SteadyTime::from_nanos(second * 2_000_000_000);
        machine.kill(report, Moment { steady, ..Moment::default() });
        // The disk is slow at first: many come at once.
        if second > 16 {
            let number = post.post(&machine, false);
            wait("the record", || post.progress().is_durable(number));
        }
    }
    let kept = |bench: &Bench| {
        let all = bench.read().trips;
        all.iter().map(|trip| trip.seq).collect::<Vec<u64>>()
    };
    let newest: Vec<u64> = std::iter::once(3).chain(6..=20).collect();
    assert_eq!(kept(&bench), newest);
    assert_eq!(bench.read().first_trip().map(|trip| trip.seq), Some(3));
    // Written again, for a name that came late, and for the end.
    bench.attribution.note(20, "maria", "the button");
    wait("the name", || bench.read().trips.last().is_some_and(|trip| trip.operator == "maria"));
    assert_eq!(kept(&bench), newest);
    drop((post, latch));
}

/// Between the gate thread's end and the process's: nobody moves any more, and the next run is killed.
#[test]
fn when_a_kill_comes_after_the_gate_has_ended_expect_the_next_run_killed_by_it() {
    let bench = Bench::new("late");
    let (mut machine, mut post, latch) = bench.run();
    machine.reset(1, false, Moment::default()).unwrap();
    let number = post.post(&machine, false);
    wait("the record", || post.progress().is_durable(number));
    *bench.late.lock() = Some((Cause::KillSignal, WallTime::default()));
    latch.finish();
    assert_eq!(bench.ended(BOOT), BootRecord::Killed);
    let contents = bench.read();
    assert_eq!((contents.seq, contents.clean), (3, true));
    assert_eq!(contents.first_trip().unwrap().cause, "kill_signal");
    // And the kill before it is still why.
    let (_, _, latch) = bench.run();
    *bench.late.lock() = Some((Cause::KillService, WallTime::default()));
    latch.finish();
    assert_eq!(bench.read().first_trip().unwrap().cause, "kill_signal");
    assert_eq!(bench.read().trips.last().unwrap().cause, "kill_service");
}

/// A ramp that the end of the process cut off: killed by then, and the next run knows of the motion.
#[test]
fn hazard_38_start_drops_robot_after_a_late_kill_in_motion_the_end_in_motion_is_still_known() {
    let bench = Bench::new("late_active");
    let (mut machine, mut post, latch) = bench.run();
    arm(&mut machine);
    let number = post.post(&machine, false);
    wait("the record", || post.progress().is_durable(number));
    *bench.late.lock() = Some((Cause::KillSignal, WallTime::default()));
    latch.finish();
    drop(post);
    assert_eq!(bench.ended(BOOT), BootRecord::EndedActive);
    let contents = bench.read();
    assert_eq!((contents.seq, contents.clean), (4, false));
    assert_eq!(contents.trips.last().unwrap().cause, "kill_signal");
}

#[test]
fn when_the_file_cannot_be_written_expect_the_number_failed_and_all_of_it_written_later() {
    let bench = Bench::new("failed");
    let (mut machine, mut post, latch) = bench.run();
    let away = bench.folder.with_extension("away");
    std::fs::rename(&bench.folder, &away).unwrap();
    wait("the loss to be noticed", || !post.progress().is_writable());
    // A reset that is not known to be on disk may be there all the same.
    assert!(post.progress().is_kill_durable(1));
    machine.begin(Release::Reset, 1, false).unwrap();
    let number = post.post(&machine, false);
    wait("the failure", || post.progress().has_failed(number));
    assert!(!post.progress().is_kill_durable(1));
    kill(&mut machine, Cause::KillService);
    let number = post.post(&machine, false);
    wait("the failure", || post.progress().has_failed(number));
    assert!(!post.progress().is_durable(number));
    assert!(bench.told.lock().last().unwrap().as_ref().unwrap().contains("mkdir"));
    std::fs::rename(&away, &bench.folder).unwrap();
    wait("the record", || post.progress().is_durable(number));
    assert!(post.progress().is_writable() && !post.progress().has_failed(number));
    assert_eq!(bench.told.lock().last(), Some(&None));
    assert_eq!(bench.read().trips.last().unwrap().cause, "kill_service");
    latch.finish();
}

#[test]
fn when_the_process_dies_while_active_expect_unclean_and_while_ended_active_not_clean() {
    let bench = Bench::new("active");
    let (mut machine, mut post, latch) = bench.run();
    arm(&mut machine);
    let number = post.post(&machine, false);
    wait("the mark", || post.progress().is_durable(number));
    latch.finish();
    assert!(!bench.read().clean, "nobody ends active by himself");
    drop(post);
    assert_eq!(bench.ended(BOOT), BootRecord::EndedActive);
}

#[test]
fn hazard_38_start_drops_robot_a_second_restart_knows_that_the_run_ended_in_motion() {
    for (boot, ended, again) in [
        (BOOT, BootRecord::EndedActive, BootRecord::KilledUnclean),
        ([4; 16], BootRecord::EndedActiveEarlier, BootRecord::Killed),
    ] {
        let bench = Bench::new("again");
        let (mut machine, mut post, latch) = bench.run();
        arm(&mut machine);
        post.post(&machine, false);
        latch.finish();
        drop(post);
        assert_eq!(bench.ended(boot), ended);
        for _ in 0..3 {
            let (mut machine, mut post, latch) = bench.run_in(boot);
            assert_eq!(machine.first_trip().map(|trip| trip.cause), Some(Cause::UncleanRestart));
            // A kill meanwhile is news, and no reset.
            kill(&mut machine, Cause::KillService);
            post.post(&machine, false);
            latch.finish();
            drop(post);
            assert_eq!(bench.ended(boot), again);
        }
        // A reset that was written, and overtaken by a kill, is none.
        let (mut machine, mut post, latch) = bench.run_in(boot);
        machine.begin(Release::Reset, machine.seq(), false).unwrap();
        post.post(&machine, false);
        wait("the record of the reset", || bench.read().state == State::Disarmed);
        kill(&mut machine, Cause::KillSignal);
        post.post(&machine, false);
        latch.finish();
        drop(post);
        assert_eq!(bench.ended(boot), again, "it never came true");
        let (mut machine, mut post, latch) = bench.run_in(boot);
        machine.reset(machine.seq(), false, Moment::default()).unwrap();
        kill(&mut machine, Cause::KillService);
        post.post(&machine, false);
        latch.finish();
        assert_eq!(bench.ended(boot), BootRecord::Killed, "it was reset");
        assert_eq!(bench.read().state, State::Killed);
    }
}

#[test]
fn hazard_38_start_drops_robot_a_run_that_ends_in_its_ramp_to_zero_ended_in_motion() {
    let bench = Bench::new("ramp");
    let (mut machine, mut post, latch) = bench.run();
    arm(&mut machine);
    post.post(&machine, false);
    machine.disarm(Moment::default()).unwrap();
    let number = post.post(&machine, true);
    wait("the record of the ramp", || post.progress().is_durable(number));
    let contents = bench.read();
    assert_eq!((contents.state, contents.seq), (State::Active, machine.seq()));
    assert_eq!(bench.ended(BOOT), BootRecord::EndedActive, "as a crash here would leave it");
    // At zero, it is what it says.
    let number = post.post(&machine, false);
    wait("the record of the end", || post.progress().is_durable(number));
    assert_eq!(bench.ended(BOOT), BootRecord::Clean);
    // Let go on the way: no clean end.
    post.post(&machine, true);
    latch.finish();
    assert!(!bench.read().clean);
    assert_eq!(bench.ended(BOOT), BootRecord::EndedActive);
}
