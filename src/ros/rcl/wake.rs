//! Waking a parked thread from rcl's callbacks and from other threads.
//!
//! One bit stands for one thing to look at: a subscription, a service, the kill
//! counter. Whoever has news sets the bit and unparks; the thread takes the
//! bits, looks, and parks again. A wait set would cost 7 to 9 % of a round trip
//! with 15 subscriptions; this costs two atomic operations.
//!
//! **Invariant:** a bit set before, during or after a take is seen by that take
//! or a later one, and the thread does not sleep over it.
//! **Invariant:** setting a bit neither blocks nor allocates nor unwinds: it
//! runs on the middleware's threads, under the middleware's locks.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

/// Bits in one word.
const WORD_BITS: usize = 64;

/// The bits one thread waits for.
#[derive(Debug)]
pub struct WakeSet {
    words: Box<[AtomicU64]>,
    thread: OnceLock<Thread>,
}

/// A second thread tried to wait for the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another thread already waits for these bits")]
pub struct AlreadyBound;

impl WakeSet {
    /// A set of `bits` bits, all clear, with no thread yet. Rounded up to whole
    /// words.
    #[must_use]
    pub fn new(bits: usize) -> Arc<Self> {
        let words = bits.div_ceil(WORD_BITS).max(1);
        Arc::new(Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            thread: OnceLock::new(),
        })
    }

    /// Makes `thread` the one that is unparked. Bits set before stay set: call
    /// [`Self::take_bits`] for every word before the first park.
    ///
    /// # Errors
    /// [`AlreadyBound`] the second time.
    pub fn bind(&self, thread: Thread) -> Result<(), AlreadyBound> {
        self.thread.set(thread).map_err(|_| AlreadyBound)
    }

    /// The handle that sets bit `bit` (word `bit / 64`); `None` beyond the end.
    #[must_use]
    pub fn waker(self: &Arc<Self>, bit: usize) -> Option<Waker> {
        let word = bit / WORD_BITS;
        self.words.get(word)?;
        Some(Waker { set: self.clone(), word, mask: 1 << (bit % WORD_BITS) })
    }

    /// How many words [`Self::take_bits`] knows.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// Takes and clears the bits of one word; 0 beyond the end.
    ///
    /// # Ordering
    /// Acquire: pairs with the Release half of [`Waker::wake`], so whoever sees
    /// a bit also sees what was written before it was set (the sample in the
    /// reader's history, the kill counter). Release: pairs with the Acquire
    /// half there. All operations on a word are read-modify-writes and so have
    /// one order: a wake that comes after a take in it reads from that take,
    /// and therefore sees the thread that was bound before the take. With
    /// Acquire alone, a wake could miss the bit's take *and* miss the thread,
    /// and the thread would park on a set bit.
    #[must_use]
    pub fn take_bits(&self, word: usize) -> u64 {
        self.words.get(word).map_or(0, |word| word.swap(0, Ordering::AcqRel))
    }
}

/// Sets one bit and wakes the thread. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Waker {
    set: Arc<WakeSet>,
    word: usize,
    mask: u64,
}

impl Waker {
    /// Sets the bit and unparks the thread, if it is known already.
    ///
    /// # Ordering
    /// AcqRel, see [`WakeSet::take_bits`]. A thread that takes between the set
    /// and the unpark finds the token when it parks and returns at once.
    pub fn wake(&self) {
        if let Some(word) = self.set.words.get(self.word) {
            word.fetch_or(self.mask, Ordering::AcqRel);
        }
        if let Some(thread) = self.set.thread.get() {
            thread.unpark();
        }
    }

    /// The word this waker's bit is in.
    #[must_use]
    pub fn word(&self) -> usize {
        self.word
    }

    /// The bit within that word.
    #[must_use]
    pub fn mask(&self) -> u64 {
        self.mask
    }
}

/// A waker as rcl's `user_data`: the pointer stays valid until this is dropped.
#[derive(Debug)]
pub(super) struct Registration(Arc<Waker>);

impl Registration {
    pub(super) fn new(waker: Waker) -> Self {
        Self(Arc::new(waker))
    }

    pub(super) fn user_data(&self) -> *const c_void {
        Arc::as_ptr(&self.0).cast()
    }

    pub(super) fn wake(&self) {
        self.0.wake();
    }

    /// Keeps the waker for the rest of the process, for when rcl could not
    /// release what might still call it.
    pub(super) fn leak(self) {
        let _kept = std::mem::ManuallyDrop::new(self.0);
    }
}

/// What rcl calls. Cannot unwind: nothing in it panics.
///
/// # Safety
/// `user_data` is the pointer of a [`Registration`] that is still alive.
pub(super) unsafe extern "C" fn on_news(user_data: *const c_void, _count: usize) {
    // SAFETY: the caller's promise; a Waker is Sync and only read.
    let waker = unsafe { &*user_data.cast::<Waker>() };
    waker.wake();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

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

    /// Ends only if no wake is lost: between binding and the first take, between
    /// a take and the park, and while parked.
    #[test]
    fn no_wake_is_slept_over() {
        for _ in 0..500 {
            let set = WakeSet::new(1);
            let waker = set.waker(0).expect("a bit");
            let sleeper = thread::spawn({
                let set = set.clone();
                move || {
                    set.bind(thread::current()).expect("the first thread");
                    for _ in 0..3 {
                        while set.take_bits(0) == 0 {
                            thread::park();
                        }
                    }
                }
            });
            while !sleeper.is_finished() {
                // The next wake comes only after this one was taken.
                waker.wake();
                while set.words.iter().any(|word| word.load(Ordering::Acquire) != 0) {
                    thread::yield_now();
                    if sleeper.is_finished() {
                        break;
                    }
                }
            }
            sleeper.join().expect("no panic");
        }
    }
}
