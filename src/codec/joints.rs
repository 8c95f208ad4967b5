//! The order of joints in a message that names them, against the lane's own order.

use super::numbers::wrong_count;
use crate::cdr::Found;
use crate::gate::check::Refusal;
use crate::gate::verdict::Reason;

/// Maps a message's places to the lane's joints. Reused for every message.
#[derive(Clone, Debug)]
pub(super) struct JointOrder {
    names: Vec<Box<[u8]>>,
    /// Joint of the lane at each place of the message.
    joint_at: Vec<usize>,
    seen: Vec<bool>,
}

impl JointOrder {
    pub(super) fn new(names: &[String]) -> Self {
        Self {
            names: names.iter().map(|name| name.as_bytes().into()).collect(),
            joint_at: Vec::with_capacity(names.len()),
            seen: vec![false; names.len()],
        }
    }

    /// Reads the names at `slot`. Every joint at most once, no other, and all of them unless
    /// `partial`.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        found: &Found,
        slot: usize,
        partial: bool,
    ) -> Result<(), Refusal> {
        self.joint_at.clear();
        self.seen.fill(false);
        for (place, hit) in found.hits(slot).iter().enumerate() {
            let Some(name) = hit.text(bytes) else {
                return Err(Refusal::whole(Reason::Malformed));
            };
            // Most senders keep one order: look at the same place first.
            let same = self.names.get(place).is_some_and(|known| known.as_ref() == name);
            let joint = if same {
                Some(place)
            } else {
                self.names.iter().position(|known| known.as_ref() == name)
            };
            let Some(joint) = joint else {
                return Err(Refusal::whole(Reason::UnknownJoint));
            };
            match self.seen.get_mut(joint) {
                Some(seen) if !*seen => *seen = true,
                Some(_) | None => {
                    let refusal = Refusal::whole(Reason::DuplicateJoint);
                    return Err(Refusal { dimension: Some(joint), ..refusal });
                }
            }
            self.joint_at.push(joint);
        }
        let found = self.joint_at.len();
        if !partial && found != self.names.len() {
            return Err(wrong_count(found, self.names.len()));
        }
        if found == 0 {
            return Err(wrong_count(found, self.names.len()));
        }
        Ok(())
    }

    /// Joint of the lane at each place of the message read last.
    pub(super) fn joint_at(&self) -> &[usize] {
        &self.joint_at
    }

    /// Which joints the message read last names.
    pub(super) fn seen(&self) -> &[bool] {
        &self.seen
    }
}
