//! Who may let motion begin, and how often they may try.
//!
//! Root, the node's own user, and the members of the configured group: by primary group as the
//! kernel tells it of the peer, else by `/etc/group`. Pure: files are texts, time is an argument.
//!
//! **Invariant:** nothing here is asked for a kill.

use std::collections::VecDeque;
use std::time::Duration;

use crate::gate::units::SteadyTime;

/// The other end of a connection, as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Effective user.
    pub uid: u32,
    /// Effective primary group.
    pub gid: u32,
}

/// What the system's files say. Names that a network directory gives are not in them.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// `/etc/group`.
    pub groups: String,
    /// `/etc/passwd`.
    pub users: String,
}

impl Accounts {
    /// The number of a group; `None`: there is none of that name.
    #[must_use]
    pub fn gid(&self, group: &str) -> Option<u32> {
        let (_, gid, _) = lines(&self.groups).find(|(name, ..)| *name == group)?;
        gid.parse().ok()
    }

    /// Whether a peer is root, the node's own user, or of the group.
    #[must_use]
    pub fn may_release(&self, peer: Peer, own_uid: u32, group: &str) -> bool {
        if peer.uid == 0 || peer.uid == own_uid {
            return true;
        }
        let Some((_, gid, members)) = lines(&self.groups).find(|(name, ..)| *name == group) else {
            return false;
        };
        if gid.parse() == Ok(peer.gid) {
            return true;
        }
        // In passwd the third field is the user's number, as it is the group's in group.
        let mut users = lines(&self.users);
        users.any(|(user, uid, _)| {
            uid.parse() == Ok(peer.uid) && members.split(',').any(|member| member == user)
        })
    }
}

/// Name, number and rest of each line.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    text.lines().filter_map(|line| {
        let mut fields = line.splitn(4, ':');
        let name = fields.next()?;
        let _password = fields.next()?;
        Some((name, fields.next()?, fields.next()?.trim()))
    })
}

/// Attempts at once: what a person does who mistypes.
const BURST: u32 = 5;
/// Time for one more.
const REFILL: Duration = Duration::from_secs(1);
/// Users that are told apart; the one that was heard least lately gives way.
const USERS: usize = 32;

/// How often each user may try.
#[derive(Debug, Default)]
pub struct Attempts {
    users: VecDeque<Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    uid: u32,
    left: u32,
    since: SteadyTime,
}

impl Attempts {
    /// Takes one attempt; false: too many.
    #[must_use]
    pub fn take(&mut self, uid: u32, now: SteadyTime) -> bool {
        let known = self.users.iter().position(|bucket| bucket.uid == uid);
        let bucket = known.and_then(|at| self.users.remove(at));
        let mut bucket = bucket.unwrap_or(Bucket { uid, left: BURST, since: now });
        let refills = now.since(bucket.since).as_secs() / REFILL.as_secs();
        if refills > 0 {
            bucket.left = bucket.left.saturating_add(u32::try_from(refills).unwrap_or(BURST));
            bucket.left = bucket.left.min(BURST);
            bucket.since = now;
        }
        let may = bucket.left > 0;
        bucket.left = bucket.left.saturating_sub(1);
        if self.users.len() == USERS {
            self.users.pop_front();
        }
        self.users.push_back(bucket);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            groups: "root:x:0:\nbroken\ninterlock:x:990:maria,jo\nempty:x:991:\n".to_owned(),
            users: "root:x:0:0::/:/bin/sh\nmaria:x:1001:1001::/home/maria:/bin/sh\n\
                    jo:x:1002:1002::/:/bin/sh\nsam:x:1003:1003::/:/bin/sh\n"
                .to_owned(),
        }
    }

    #[test]
    fn when_a_peer_asks_expect_root_the_nodes_user_and_members_only() {
        let own = 998;
        for (uid, gid, may) in [
            (0, 0, true),
            (998, 998, true),
            (1001, 1001, true),
            (1002, 1002, true),
            (1003, 1003, false),
            (1003, 990, true),
            (1004, 0, false),
            (u32::MAX, u32::MAX, false),
        ] {
            let peer = Peer { uid, gid };
            assert_eq!(accounts().may_release(peer, own, "interlock"), may, "{uid} {gid}");
        }
        for group in ["empty", "none", "", "interloc"] {
            let peer = Peer { uid: 1001, gid: 1001 };
            assert!(!accounts().may_release(peer, own, group), "{group}");
        }
        let nothing = Accounts::default();
        assert!(!nothing.may_release(Peer { uid: 1001, gid: 990 }, own, "interlock"));
        assert!(nothing.may_release(Peer { uid: own, gid: 5 }, own, "interlock"));
        assert_eq!(accounts().gid("interlock"), Some(990));
        assert_eq!(accounts().gid("other"), None);
    }

    #[test]
    fn when_one_user_tries_too_often_expect_only_that_one_refused_and_for_a_while() {
        let at = |s: u64| SteadyTime::from_nanos(s * 1_000_000_000);
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
