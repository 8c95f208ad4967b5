//! The same on real threads, and what needs no second thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use interlock::gate::cause::Cause;
use interlock::kill_switch::{KillCount, KillSwitch};
use interlock::wake::{AlreadyBound, WakeSet};

#[test]
fn when_kills_are_raised_expect_each_cause_once_and_the_count_moved() {
    let switch = KillSwitch::default();
    let seen = KillCount::default();
    assert!(!switch.is_raised_since(seen));
    switch.raise(Cause::KillSignal);
    switch.raise(Cause::KillSocket);
    switch.raise(Cause::KillSignal);
    assert!(switch.is_raised_since(seen));
    let mut causes = Vec::new();
    let seen = switch.take(&mut |cause| causes.push(cause));
    assert_eq!(causes, [Cause::KillSignal, Cause::KillSocket]);
    assert!(!switch.is_raised_since(seen));
    switch.raise(Cause::KillSocket);
    assert!(switch.is_raised_since(seen));
}

#[test]
fn when_many_threads_raise_expect_no_kill_missed() {
    let switch = KillSwitch::default();
    let mut seen = KillCount::default();
    thread::scope(|scope| {
        let raisers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..1000).for_each(|_| switch.raise(Cause::KillSignal))))
            .collect();
        while raisers.iter().any(|raiser| !raiser.is_finished()) {
            seen = switch.take(&mut |_| {});
        }
    });
    let mut told = 0;
    if switch.is_raised_since(seen) {
        seen = switch.take(&mut |_| told += 1);
        assert!(told <= 1);
    }
    assert!(!switch.is_raised_since(seen));
}

#[test]
fn a_waker_sets_its_own_bit_of_its_own_word() {
    let set = WakeSet::new(65);
    assert_eq!(set.words(), 2);
    for bit in [0, 63, 64, 127] {
        let waker = set.waker(bit).expect("inside the two words");
        assert_eq!((waker.word(), waker.mask()), (bit / 64, 1 << (bit % 64)));
        waker.wake();
        waker.wake();
        assert_eq!(set.take_bits(waker.word()), waker.mask());
        assert_eq!((set.take_bits(0), set.take_bits(1)), (0, 0), "taken once");
    }
    assert!(set.waker(128).is_none());
    assert_eq!(set.take_bits(2), 0);
}

#[test]
fn only_one_thread_waits() {
    let set = WakeSet::new(1);
    assert_eq!(set.bind(thread::current()), Ok(()));
    assert_eq!(set.bind(thread::current()), Err(AlreadyBound));
}

/// Ends only if no wake is lost: between binding and the first take, between a take and the park, and
/// while parked.
#[test]
fn no_wake_is_slept_over() {
    const WAKES: usize = 3;
    for _ in 0..500 {
        let set = WakeSet::new(1);
        let waker = set.waker(0).expect("a bit");
        let taken = Arc::new(AtomicUsize::new(0));
        let sleeper = thread::spawn({
            let (set, taken) = (set.clone(), taken.clone());
            move || {
                set.bind(thread::current()).expect("the first thread");
                for _ in 0..WAKES {
                    while set.take_bits(0) == 0 {
                        thread::park();
                    }
                    taken.fetch_add(1, Ordering::Release);
                }
            }
        });
        for wake in 1..=WAKES {
            waker.wake();
            // The next comes only after this one was taken.
            while taken.load(Ordering::Acquire) < wake {
                thread::yield_now();
            }
        }
        sleeper.join().expect("no panic");
    }
}
