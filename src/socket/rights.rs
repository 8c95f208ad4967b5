//! Who may let motion begin.
//!
//! Root, the node's own user, and the members of the configured group: by primary group as the
//! kernel tells it of the peer, else by `/etc/group`. Pure: files are texts.
//!
//! **Invariant:** nothing here is asked for a kill.

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
}
