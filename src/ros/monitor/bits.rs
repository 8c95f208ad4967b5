//! The wake bits of thread `monitor`, handed out to whoever reads topics on it.

use std::sync::Arc;

use crate::ros::rcl::{WakeSet, Waker};

/// Bits of one thread: handed out one after the other, and what of them is set and not yet served.
#[derive(Debug)]
pub struct Bits {
    set: Arc<WakeSet>,
    words: Vec<u64>,
    next: usize,
}

impl Bits {
    /// Room for this many.
    #[must_use]
    pub fn new(bits: usize) -> Self {
        let set = WakeSet::new(bits);
        Self { words: vec![0; set.words()], set, next: 0 }
    }

    /// The next one for a subscription's `on_new_message`; `None`: all are given.
    pub fn take(&mut self) -> Option<Waker> {
        let bit = self.set.waker(self.next)?;
        self.next = self.next.saturating_add(1);
        Some(bit)
    }

    /// Whether something came for this bit since it was cleared.
    #[must_use]
    pub fn is_set(&self, bit: &Waker) -> bool {
        self.words.get(bit.word()).is_some_and(|word| word & bit.mask() != 0)
    }

    /// Called before the take: what comes during it sets the bit again.
    pub fn clear(&mut self, bit: &Waker) {
        if let Some(word) = self.words.get_mut(bit.word()) {
            *word &= !bit.mask();
        }
    }

    /// There is more to take than was taken.
    pub fn set(&mut self, bit: &Waker) {
        if let Some(word) = self.words.get_mut(bit.word()) {
            *word |= bit.mask();
        }
    }

    /// Binds the thread that is woken.
    pub(super) fn bind(&self) -> bool {
        self.set.bind(std::thread::current()).is_ok()
    }

    /// Takes what was set. Returns whether anything is there to do.
    pub(super) fn collect(&mut self) -> bool {
        let mut any = false;
        for (index, word) in self.words.iter_mut().enumerate() {
            *word |= self.set.take_bits(index);
            any |= *word != 0;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_bit_is_woken_expect_it_set_until_it_is_cleared() {
        let mut bits = Bits::new(70);
        let all: Vec<Waker> = std::iter::from_fn(|| bits.take()).collect();
        assert_eq!(all.len(), 128, "whole words");
        assert!(!bits.collect());
        all[69].wake();
        assert!(bits.collect());
        assert!(bits.is_set(&all[69]) && !bits.is_set(&all[68]));
        assert!(bits.collect(), "not served yet");
        bits.clear(&all[69]);
        assert!(!bits.collect());
        bits.set(&all[1]);
        assert!(bits.collect() && bits.is_set(&all[1]));
    }
}
