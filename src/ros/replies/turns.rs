//! Whose answer goes next.
//!
//! An answer may occupy a worker for 100 ms where its client cannot receive it. So that nobody who
//! can waits behind somebody who cannot: a client has one answer on its way at a time, a client
//! whose last answer could not be delivered comes after everybody else and has one worker at most,
//! and only its newest answer waits.
//!
//! **Invariant:** what waits is bounded, whoever asks how often.

use std::collections::VecDeque;

/// The middleware's identifier of a client.
pub(super) type Client = [u8; 16];

/// Answers that may wait. Beyond, an answer is dropped and counted: the kill itself was served.
pub(super) const CAPACITY: usize = 256;

/// Answers of one client that may wait: more than anybody asks for who waits for one.
const OF_ONE_CLIENT: usize = 16;

/// Clients that are remembered for an answer that could not be delivered; the oldest is forgotten,
/// and costs a worker 100 ms once more.
const REMEMBERED: usize = 256;

/// Answers waiting for a worker, and what is known of their clients.
#[derive(Debug)]
pub(super) struct Turns<A> {
    waiting: VecDeque<(Client, A)>,
    /// By worker: the client whose answer it has.
    workers: Vec<Option<Client>>,
    /// Clients whose last answer could not be delivered.
    deaf: VecDeque<Client>,
}

impl<A> Turns<A> {
    pub(super) fn new(workers: usize) -> Self {
        Self { waiting: VecDeque::new(), workers: vec![None; workers], deaf: VecDeque::new() }
    }

    /// Puts an answer in line. Returns false where one had to be dropped for it: the client's own
    /// oldest, or this one where no room is left at all.
    #[must_use = "a dropped answer is to be counted"]
    pub(super) fn add(&mut self, client: Client, answer: A) -> bool {
        let most = if self.is_deaf(&client) { 1 } else { OF_ONE_CLIENT };
        let own = self.waiting.iter().filter(|(other, _)| *other == client).count();
        if own >= most {
            self.drop_oldest(&client);
        } else if self.waiting.len() >= CAPACITY {
            return false;
        }
        self.waiting.push_back((client, answer));
        own < most
    }

    /// The next answer and the worker that is to send it, where both are there.
    pub(super) fn next(&mut self) -> Option<(usize, A)> {
        let worker = self.workers.iter().position(Option::is_none)?;
        let place = self.first(false).or_else(|| self.first(true))?;
        let (client, answer) = self.waiting.remove(place)?;
        *self.workers.get_mut(worker)? = Some(client);
        Some((worker, answer))
    }

    /// The oldest answer of a client that is served now or else of one that is not.
    fn first(&self, deaf: bool) -> Option<usize> {
        let busy = |client: &Client| self.workers.contains(&Some(*client));
        let may = |client: &Client| {
            self.is_deaf(client) == deaf && if deaf { !self.serves_deaf() } else { !busy(client) }
        };
        self.waiting.iter().position(|(client, _)| may(client))
    }

    /// A worker has sent its answer, or could not. Returns how many answers were dropped for that.
    #[must_use = "a dropped answer is to be counted"]
    pub(super) fn done(&mut self, worker: usize, delivered: bool) -> usize {
        let Some(client) = self.workers.get_mut(worker).and_then(Option::take) else { return 0 };
        self.deaf.retain(|other| *other != client);
        if delivered {
            return 0;
        }
        if self.deaf.len() >= REMEMBERED {
            self.deaf.pop_front();
        }
        self.deaf.push_back(client);
        let mut dropped = 0;
        while self.waiting.iter().filter(|(other, _)| *other == client).count() > 1 {
            self.drop_oldest(&client);
            dropped += 1;
        }
        dropped
    }

    /// Gives up on who cannot be answered. Returns how many answers were dropped for that.
    #[must_use = "a dropped answer is to be counted"]
    pub(super) fn give_up(&mut self) -> usize {
        let before = self.waiting.len();
        let deaf = &self.deaf;
        self.waiting.retain(|(client, _)| !deaf.contains(client));
        before.saturating_sub(self.waiting.len())
    }

    /// Nothing waits and no worker has an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.workers.iter().all(Option::is_none)
    }

    fn is_deaf(&self, client: &Client) -> bool {
        self.deaf.contains(client)
    }

    fn serves_deaf(&self) -> bool {
        self.workers.iter().flatten().any(|client| self.is_deaf(client))
    }

    fn drop_oldest(&mut self, client: &Client) {
        if let Some(place) = self.waiting.iter().position(|(other, _)| other == client) {
            self.waiting.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HONEST: Client = [0; 16];

    fn hostile(number: u8) -> Client {
        [number; 16]
    }

    #[test]
    fn hazard_61_hostile_service_client() {
        let mut turns = Turns::new(4);
        for number in 1..=5 {
            for answer in 0..10 {
                assert!(turns.add(hostile(number), (number, answer)));
            }
        }
        // Unknown clients: each has one answer on its way, however many wait.
        let first: Vec<_> = std::iter::from_fn(|| turns.next()).collect();
        assert_eq!(first, [(0, (1, 0)), (1, (2, 0)), (2, (3, 0)), (3, (4, 0))]);
        for (worker, _) in first {
            // All but the newest of those that waited.
            assert_eq!(turns.done(worker, false), 8);
        }
        // The fifth is not known yet; of those that are, one at a time is tried again.
        assert_eq!(turns.next(), Some((0, (5, 0))));
        assert_eq!(turns.next(), Some((1, (1, 9))));
        assert_eq!(turns.next(), None);
        assert_eq!(turns.done(0, false), 8);
        // They flood on, and hold up nobody.
        for number in 1..=5 {
            assert!(turns.add(hostile(number), (number, 10)) == (number == 1), "{number}");
            assert!(!turns.add(hostile(number), (number, 11)));
        }
        assert_eq!(turns.next(), None);
        assert!(turns.add(HONEST, (0, 0)));
        assert_eq!(turns.next(), Some((0, (0, 0))));
        assert_eq!(turns.done(0, true), 0);
        assert_eq!(turns.next(), None);
        // Their turn comes, one after the other.
        assert_eq!(turns.done(1, false), 0);
        for number in 1..=5 {
            assert_eq!(turns.next(), Some((0, (number, 11))));
            assert_eq!(turns.next(), None);
            assert_eq!(turns.done(0, false), 0);
        }
        assert!(turns.is_idle());
    }

    #[test]
    fn when_a_client_can_be_answered_again_expect_it_served_as_any_other() {
        let mut turns = Turns::new(2);
        assert!(turns.add(HONEST, 0));
        assert_eq!(turns.next(), Some((0, 0)));
        assert_eq!(turns.done(0, false), 0);
        assert!(turns.add(HONEST, 1));
        assert_eq!(turns.next(), Some((0, 1)));
        assert_eq!(turns.done(0, true), 0);
        for answer in 2..4 {
            assert!(turns.add(HONEST, answer), "more than one may wait again");
        }
        // In their order, one on its way at a time.
        assert_eq!(turns.next(), Some((0, 2)));
        assert_eq!(turns.next(), None);
        assert_eq!(turns.done(0, true), 0);
        assert_eq!(turns.next(), Some((0, 3)));
    }

    #[test]
    fn when_one_asks_without_end_expect_its_own_oldest_dropped() {
        let mut turns = Turns::new(1);
        for answer in 0..1000 {
            assert_eq!(turns.add(hostile(1), answer), answer < OF_ONE_CLIENT);
        }
        assert!(turns.add(HONEST, 7));
        assert_eq!(turns.next(), Some((0, 1000 - OF_ONE_CLIENT)));
    }

    #[test]
    fn when_there_is_no_room_expect_the_newest_refused() {
        let mut turns = Turns::new(1);
        for number in 0..CAPACITY {
            let mut client = HONEST;
            client[..8].copy_from_slice(&number.to_le_bytes());
            assert!(turns.add(client, number));
        }
        assert!(!turns.add([0xff; 16], 0));
    }

    #[test]
    fn when_the_end_comes_expect_nobody_waited_for_who_cannot_be_answered() {
        let mut turns = Turns::new(2);
        assert!(turns.add(hostile(1), 0));
        assert!(turns.add(HONEST, 1));
        assert_eq!(turns.next(), Some((0, 0)));
        assert_eq!(turns.done(0, false), 0);
        assert!(turns.add(hostile(1), 2));
        assert_eq!(turns.give_up(), 1);
        assert!(!turns.is_idle());
        assert_eq!(turns.next(), Some((0, 1)));
        assert_eq!(turns.done(0, true), 0);
        assert!(turns.is_idle());
    }
}
