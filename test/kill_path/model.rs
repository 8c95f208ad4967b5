//! Loom's models of the kill path.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use loom::thread;

use crate::gate::cause::Cause;
use crate::gate::machine::{Machine, Report, Subject};
use crate::gate::release::Release;
use crate::gate::state::State;
use crate::gate::units::Moment;

/// One thread waits for a bit that another sets once: the model ends only if no wake is slept over.
macro_rules! wakes_once {
    ($with:ident) => {
        loom::model(|| {
            let set = crate::$with::wake::WakeSet::new(1);
            let waker = set.waker(0).expect("a bit");
            let sleeper = thread::spawn(move || {
                set.bind(thread::current()).expect("the first thread");
                while set.take_bits(0) == 0 {
                    thread::park();
                }
            });
            waker.wake();
            sleeper.join().expect("no panic");
        })
    };
}

/// Whoever sees that a kill was raised sees what was written before it, and its cause.
macro_rules! sees_what_came_before {
    ($with:ident) => {
        loom::model(|| {
            let switch = Arc::new(crate::$with::kill_switch::KillSwitch::default());
            let written = Arc::new(AtomicU64::new(0));
            let (of_raiser, to_write) = (switch.clone(), written.clone());
            let raiser = thread::spawn(move || {
                to_write.store(7, Ordering::Relaxed);
                of_raiser.raise(Cause::KillSocket);
            });
            let seen = crate::$with::kill_switch::KillCount::default();
            if switch.is_raised_since(seen) {
                assert_eq!(written.load(Ordering::Relaxed), 7, "an older value");
                let mut told = Vec::new();
                let _ = switch.take(&mut |cause| told.push(cause));
                assert_eq!(told, [Cause::KillSocket]);
            }
            raiser.join().expect("no panic");
        })
    };
}

#[test]
fn when_a_bit_is_set_at_any_moment_expect_the_thread_awake() {
    wakes_once!(modelled);
}

#[test]
#[should_panic(expected = "deadlock")]
fn when_a_take_does_not_release_expect_loom_to_find_the_thread_asleep() {
    wakes_once!(weakened);
}

#[test]
fn when_two_bits_are_set_at_any_moment_expect_both_taken() {
    loom::model(|| {
        let set = crate::modelled::wake::WakeSet::new(2);
        let wakers = [0, 1].map(|bit| set.waker(bit).expect("a bit"));
        let sleeper = thread::spawn(move || {
            set.bind(thread::current()).expect("the first thread");
            let mut taken = 0;
            while taken != 0b11 {
                let bits = set.take_bits(0);
                taken |= bits;
                if bits == 0 {
                    thread::park();
                }
            }
        });
        let [one, another] = wakers;
        let other = thread::spawn(move || one.wake());
        another.wake();
        other.join().expect("no panic");
        sleeper.join().expect("no panic");
    });
}

#[test]
fn when_a_kill_is_seen_expect_its_cause_and_what_came_before() {
    sees_what_came_before!(modelled);
}

#[test]
#[should_panic(expected = "an older value")]
fn when_the_count_does_not_release_expect_loom_to_find_the_older_value() {
    sees_what_came_before!(weakened);
}

/// Kills from two threads while the gate thread looks.
#[test]
fn when_kills_come_at_any_moment_expect_none_lost() {
    use crate::modelled::kill_switch::{KillCount, KillSwitch};
    loom::model(|| {
        let switch = Arc::new(KillSwitch::default());
        let raisers = [Cause::KillSignal, Cause::KillSocket].map(|cause| {
            let switch = switch.clone();
            thread::spawn(move || switch.raise(cause))
        });
        let mut told = Vec::new();
        let mut seen = KillCount::default();
        if switch.is_raised_since(seen) {
            seen = switch.take(&mut |cause| told.push(cause));
        }
        for raiser in raisers {
            raiser.join().expect("no panic");
        }
        if switch.is_raised_since(seen) {
            seen = switch.take(&mut |cause| told.push(cause));
        }
        assert!(!switch.is_raised_since(seen));
        assert!(told.contains(&Cause::KillSignal) && told.contains(&Cause::KillSocket), "{told:?}");
    });
}

/// The gate thread's order: look at kills, judge a command, look once more, publish.
#[test]
fn when_a_kill_has_returned_expect_no_command_published_after_it() {
    use crate::modelled::kill_switch::{KillCount, KillSwitch};
    loom::model(|| {
        let switch = Arc::new(KillSwitch::default());
        let returned = Arc::new(AtomicBool::new(false));
        let (of_raiser, to_return) = (switch.clone(), returned.clone());
        let raiser = thread::spawn(move || {
            of_raiser.raise(Cause::KillSignal);
            to_return.store(true, Ordering::Release);
        });
        let (mut seen, mut killed) = (KillCount::default(), false);
        if switch.is_raised_since(seen) {
            seen = switch.take(&mut |_| killed = true);
        }
        // A command is judged here; then, directly before the publish:
        let had_returned = returned.load(Ordering::Acquire);
        let publishes = !killed && !switch.is_raised_since(seen);
        assert!(!(had_returned && publishes), "a command went out after a kill that had returned");
        raiser.join().expect("no panic");
    });
}

/// The gate thread's look at kills from other threads.
fn look(
    switch: &crate::modelled::kill_switch::KillSwitch,
    seen: &mut crate::modelled::kill_switch::KillCount,
    machine: &mut Machine,
) {
    if switch.is_raised_since(*seen) {
        *seen = switch.take(&mut |cause| {
            machine.kill(Report::plain(cause, Subject::Node), Moment::default());
        });
    }
}

/// Both steps of a reset in the gate thread's order, a look before each, against a kill by another
/// thread: the kill wins wherever it comes, and every order comes.
#[test]
fn hazard_01_reset_races_stop_at_any_moment() {
    use crate::modelled::kill_switch::{KillCount, KillSwitch};
    // Of all runs of the model: refused at the first step, at the second, done before the kill.
    let came = Arc::new([(); 3].map(|()| std::sync::atomic::AtomicBool::new(false)));
    let of_model = came.clone();
    loom::model(move || {
        let switch = Arc::new(KillSwitch::default());
        let returned = Arc::new(AtomicBool::new(false));
        let (of_raiser, to_return) = (switch.clone(), returned.clone());
        let raiser = thread::spawn(move || {
            of_raiser.raise(Cause::KillSocket);
            to_return.store(true, Ordering::Release);
        });
        let mut machine = Machine::new(State::Killed, 7, Moment::default());
        let mut seen = KillCount::default();
        look(&switch, &mut seen, &mut machine);
        let begun = machine.begin(Release::Reset, 7, false);
        // Here the record is written.
        let had_returned = returned.load(Ordering::Acquire);
        look(&switch, &mut seen, &mut machine);
        let done = begun.is_ok() && machine.conclude(false, Moment::default()).is_ok();
        assert!(!(had_returned && done), "a reset took effect after a kill that had returned");
        let order = if begun.is_err() { 0 } else { 1 + usize::from(done) };
        of_model[order].store(true, std::sync::atomic::Ordering::Relaxed);
        raiser.join().expect("no panic");
        look(&switch, &mut seen, &mut machine);
        assert_eq!(machine.state(), State::Killed, "the kill is lost");
        assert_eq!(machine.seq(), 8 + u64::from(done));
    });
    let came = came.iter().map(|order| order.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(came.collect::<Vec<_>>(), [true; 3]);
}

/// The fence against a gate that goes on: what it looks at after the burst began is the fence. A
/// publish that had looked before is the burst's to outlast.
#[test]
fn when_the_burst_has_begun_expect_a_look_to_see_the_fence() {
    use crate::modelled::kill_switch::KillSwitch;
    loom::model(|| {
        let switch = Arc::new(KillSwitch::default());
        let burst = Arc::new(AtomicBool::new(false));
        let (of_watchdog, begins) = (switch.clone(), burst.clone());
        let watchdog = thread::spawn(move || {
            of_watchdog.fence();
            begins.store(true, Ordering::Release);
        });
        let begun = burst.load(Ordering::Acquire);
        assert!(!begun || switch.is_fenced());
        watchdog.join().expect("no panic");
    });
}
