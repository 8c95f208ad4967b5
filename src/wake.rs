//! Waking a parked thread from the middleware's callbacks and from other threads.
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
//!
//! Tested in `test/kill_path`, by loom too: this file is compiled there a second
//! time, with loom's atomics behind the name `sync`.

use std::sync::Arc;

use super::sync::{AtomicU64, OnceLock, Ordering, Thread};

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
