//! How often somebody may try what lets motion begin. Pure: time is an argument.
//!
//! **Invariant:** nothing here is asked for a kill or a disarm.

use std::collections::VecDeque;
use std::time::Duration;

use crate::gate::units::SteadyTime;

/// Attempts at once: what a person does who mistypes.
const BURST: u32 = 5;
/// Time for one more.
const REFILL: Duration = Duration::from_secs(1);
/// Users that are told apart; the one that was heard least lately gives way.
const USERS: usize = 32;

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an attempt that was refused must not be made"]
pub enum Attempt {
    /// It may.
    Granted,
    /// It may not, and the one before could.
    FirstRefused,
    /// It may not, as the one before: a flood of these is one fact.
    RefusedAgain,
}

/// The attempts that are left to whoever shares them.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    left: u32,
    since: SteadyTime,
    is_refusing: bool,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub const fn new(now: SteadyTime) -> Self {
        Self { left: BURST, since: now, is_refusing: false }
    }

    /// Takes one attempt, if there is one.
    pub fn take(&mut self, now: SteadyTime) -> Attempt {
        let refills = now.since(self.since).as_secs() / REFILL.as_secs();
        if refills > 0 {
            self.left = self.left.saturating_add(u32::try_from(refills).unwrap_or(BURST));
            self.left = self.left.min(BURST);
            self.since = now;
        }
        let was_refusing = std::mem::replace(&mut self.is_refusing, self.left == 0);
        self.left = self.left.saturating_sub(1);
        match (self.is_refusing, was_refusing) {
            (false, _) => Attempt::Granted,
            (true, false) => Attempt::FirstRefused,
            (true, true) => Attempt::RefusedAgain,
        }
    }

    /// Gives back one that was granted and had its effect.
    pub fn give_back(&mut self) {
        self.left = self.left.saturating_add(1).min(BURST);
    }
}

/// How often each user may try.
#[derive(Debug, Default)]
pub struct Attempts {
    users: VecDeque<(u32, Bucket)>,
}

impl Attempts {
    /// Takes one attempt of a user; false: too many.
    #[must_use]
    pub fn take(&mut self, uid: u32, now: SteadyTime) -> bool {
        let known = self.users.iter().position(|(user, _)| *user == uid);
        let known = known.and_then(|at| self.users.remove(at));
        let (_, mut bucket) = known.unwrap_or((uid, Bucket::new(now)));
        let may = bucket.take(now) == Attempt::Granted;
        if self.users.len() == USERS {
            self.users.pop_front();
        }
        self.users.push_back((uid, bucket));
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> SteadyTime {
        SteadyTime::from_nanos(s * 1_000_000_000)
    }

    #[test]
    fn when_somebody_tries_and_tries_expect_one_first_refusal_for_each_attempt_granted() {
        let mut bucket = Bucket::new(at(10));
        assert!((0..BURST).all(|_| bucket.take(at(10)) == Attempt::Granted));
        assert_eq!(bucket.take(at(10)), Attempt::FirstRefused);
        assert!((0..1000).all(|_| bucket.take(at(10)) == Attempt::RefusedAgain));
        assert_eq!(bucket.take(at(11)), Attempt::Granted);
        assert_eq!(bucket.take(at(11)), Attempt::FirstRefused);
        assert_eq!(bucket.take(at(11)), Attempt::RefusedAgain);
    }

    #[test]
    fn when_attempts_have_effect_expect_no_end_of_them_and_never_more_than_at_once() {
        let mut bucket = Bucket::new(at(10));
        for _ in 0..1000 {
            assert_eq!(bucket.take(at(10)), Attempt::Granted);
            bucket.give_back();
        }
        bucket.give_back();
        assert!((0..BURST).all(|_| bucket.take(at(10)) == Attempt::Granted));
        assert_eq!(bucket.take(at(10)), Attempt::FirstRefused);
    }

    #[test]
    fn when_one_user_tries_too_often_expect_only_that_one_refused_and_for_a_while() {
        let mut attempts = Attempts::default();
        assert!((0..BURST).all(|_| attempts.take(7, at(10))));
        assert!(!attempts.take(7, at(10)));
        assert!(!attempts.take(7, at(10)));
        assert!(attempts.take(8, at(10)));
        assert!(attempts.take(7, at(11)));
        assert!(!attempts.take(7, at(11)));
        assert!((0..BURST).all(|_| attempts.take(7, at(100))));
        assert!(!attempts.take(7, at(100)));
    }

    #[test]
    fn when_many_users_try_expect_a_bound() {
        let mut attempts = Attempts::default();
        for uid in 0..1000 {
            assert!(attempts.take(uid, SteadyTime::from_nanos(0)));
        }
        assert_eq!(attempts.users.len(), USERS);
    }
}
