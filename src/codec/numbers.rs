//! Numbers of a message, found by a layout: reading them by slot, writing them back.

use crate::cdr::{
    Endian, Found, Layout, Primitive, Rounding, read_f64, read_floats, read_stamp, write_floats,
    write_rounded,
};
use crate::gate::check::Refusal;
use crate::gate::verdict::Reason;

const MALFORMED: Refusal = Refusal::whole(Reason::Malformed);

/// Not as many values as there must be.
pub(super) fn wrong_count(found: usize, needed: usize) -> Refusal {
    let number = |count: usize| u32::try_from(count).map_or(f64::NAN, f64::from);
    let (found, bound) = (number(found), number(needed));
    Refusal { found, bound, ..Refusal::whole(Reason::WrongCount) }
}

/// Writes a limited number over the one that was asked for. Into a `float32` it is rounded away from
/// that one: the limit lies between the two, so the number written stays inside it.
pub(super) fn put_inside(
    bytes: &mut [u8],
    endian: Endian,
    primitive: Primitive,
    offset: u32,
    value: f64,
) -> bool {
    let Some(asked) = read_f64(bytes, endian, primitive, offset) else { return false };
    if asked.to_bits() == value.to_bits() {
        return true;
    }
    let rounding = if value < asked { Rounding::Down } else { Rounding::Up };
    write_rounded(bytes, endian, primitive, offset, value, rounding).is_some()
}

/// What a message says, by slot.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) found: &'a Found,
    pub(super) layout: &'a Layout,
}

impl Reader<'_> {
    fn endian(&self) -> Endian {
        self.found.endian()
    }

    fn primitive(&self, slot: usize) -> Primitive {
        self.layout.primitive(slot).unwrap_or(Primitive::F64)
    }

    pub(super) fn scalar(&self, slot: usize) -> Result<f64, Refusal> {
        let hit = self.found.hits(slot).first().ok_or(MALFORMED)?;
        let primitive = self.primitive(slot);
        read_f64(self.bytes, self.endian(), primitive, hit.offset).ok_or(MALFORMED)
    }

    /// One array whose length must be that of `place_of`.
    pub(super) fn array(
        &self,
        slot: usize,
        place_of: &[usize],
        values: &mut Vec<f64>,
    ) -> Result<(), Refusal> {
        let hit = self.found.hits(slot).first().ok_or(MALFORMED)?;
        let (primitive, endian) = (self.primitive(slot), self.endian());
        let found = usize::try_from(hit.len).unwrap_or(usize::MAX);
        if found != place_of.len() {
            return Err(wrong_count(found, place_of.len()));
        }
        if found > values.capacity() {
            return Err(wrong_count(found, values.capacity()));
        }
        values.resize(place_of.len(), f64::NAN);
        let at = (hit.offset, hit.len);
        let into = place_of.iter().copied().zip(values.iter_mut());
        let set = |value: &mut f64, element| {
            *value = element;
            Some(())
        };
        read_floats(self.bytes, endian, primitive, at, into, set).ok_or_else(|| {
            let beyond = place_of.iter().any(|place| *place >= place_of.len());
            if beyond { wrong_count(found, place_of.len()) } else { MALFORMED }
        })
    }

    /// One array for each point, all empty or all with one value for each named joint. Joints that
    /// the message does not name stay NaN.
    pub(super) fn points(
        &self,
        slot: usize,
        joint_at: &[usize],
        dimensions: usize,
        points: usize,
        values: &mut Vec<f64>,
    ) -> Result<(), Refusal> {
        let hits = self.found.hits(slot);
        if hits.iter().all(|hit| hit.len == 0) {
            return Ok(());
        }
        let room = points.saturating_mul(dimensions);
        if room > values.capacity() {
            return Err(wrong_count(room, values.capacity()));
        }
        values.resize(room, f64::NAN);
        let (primitive, endian) = (self.primitive(slot), self.endian());
        for (hit, row) in hits.iter().zip(values.chunks_exact_mut(dimensions)) {
            let found = usize::try_from(hit.len).unwrap_or(usize::MAX);
            if found != joint_at.len() {
                return Err(wrong_count(found, joint_at.len()));
            }
            let at = (hit.offset, hit.len);
            let set = |joint: &usize, element| row.get_mut(*joint).map(|value| *value = element);
            let into = joint_at.iter().enumerate();
            read_floats(self.bytes, endian, primitive, at, into, set).ok_or(MALFORMED)?;
        }
        Ok(())
    }

    pub(super) fn times(&self, slot: usize, times: &mut Vec<i64>) -> Result<(), Refusal> {
        for hit in self.found.hits(slot) {
            let stamp = read_stamp(self.bytes, self.endian(), hit.offset).ok_or(MALFORMED)?;
            let seconds = i64::from(stamp.sec).saturating_mul(1_000_000_000);
            times.push(seconds.saturating_add(i64::from(stamp.nanosec)));
        }
        Ok(())
    }
}

/// Writes into a message, by slot.
pub(super) struct Writer<'a> {
    pub(super) bytes: &'a mut [u8],
    pub(super) found: &'a Found,
    pub(super) layout: &'a Layout,
}

impl Writer<'_> {
    pub(super) fn scalar(&mut self, slot: usize, value: f64) -> bool {
        self.element(slot, 0, 0, value)
    }

    pub(super) fn element(&mut self, slot: usize, hit: usize, place: usize, value: f64) -> bool {
        self.elements(slot, hit, std::iter::once((place, value)))
    }

    /// Numbers of one array, by their places in it.
    pub(super) fn elements(
        &mut self,
        slot: usize,
        hit: usize,
        values: impl Iterator<Item = (usize, f64)>,
    ) -> bool {
        let Some(primitive) = self.layout.primitive(slot) else { return false };
        let Some(hit) = self.found.hits(slot).get(hit) else { return false };
        let at = (hit.offset, hit.len);
        write_floats(self.bytes, self.found.endian(), primitive, at, values).is_some()
    }

    pub(super) fn points(
        &mut self,
        slot: usize,
        joint_at: &[usize],
        dimensions: usize,
        values: &[f64],
    ) -> bool {
        if values.is_empty() {
            return true;
        }
        let mut rows = values.chunks_exact(dimensions).enumerate();
        rows.all(|(hit, row)| {
            // A joint beyond the row would be a number without a place.
            joint_at.iter().all(|joint| *joint < row.len())
                && self.elements(
                    slot,
                    hit,
                    joint_at.iter().filter_map(|j| row.get(*j)).copied().enumerate(),
                )
        })
    }
}
