//! Writing a safe message of a mapped type.
//!
//! **Invariant:** a `float32` is never written beyond what it stands for: velocities, efforts and
//! gains are rounded toward zero; a pose that the message holds already, rounded to either side,
//! stays as it is on the wire, and any other is rounded to the inside of the lane's bounds.

use super::Set;
use crate::cdr::{Endian, Found, Primitive, Rounding, read_f64, write_i64, write_rounded};
use crate::codec::mapped::{Carries, Mapped};
use crate::gate::limits::{Bounds, DimensionLimits};

/// One number's place.
struct Place<'a> {
    bytes: &'a mut [u8],
    endian: Endian,
    primitive: Primitive,
    offset: u32,
}

impl Place<'_> {
    fn read(&self) -> Option<f64> {
        read_f64(self.bytes, self.endian, self.primitive, self.offset)
    }

    fn write(&mut self, value: f64, rounding: Rounding) -> bool {
        let Self { bytes, endian, primitive, offset } = self;
        write_rounded(bytes, *endian, *primitive, *offset, value, rounding).is_some()
    }

    fn write_toward_zero(&mut self, value: f64) -> bool {
        self.write(value, if value > 0.0 { Rounding::Down } else { Rounding::Up })
    }

    /// A pose: unchanged where the message holds it already.
    fn write_pose(&mut self, value: f64, limits: &DimensionLimits) -> bool {
        let Some(there) = self.read() else { return false };
        let is_rounded =
            |rounding| narrow(value, self.primitive, rounding).is_some_and(|one| same(one, there));
        if is_rounded(Rounding::Down) || is_rounded(Rounding::Up) {
            return true;
        }
        let nearest = narrow(value, self.primitive, Rounding::Nearest);
        let rounding = match (limits.position, nearest) {
            (Some(bounds), Some(nearest)) if nearest > bounds.max => Rounding::Down,
            (Some(bounds), Some(nearest)) if nearest < bounds.min => Rounding::Up,
            (Some(_) | None, _) => Rounding::Nearest,
        };
        self.write(value, rounding)
    }

    /// A gain that stays: cut to its limit. Below zero it would drive away from the target.
    fn cut_gain(&mut self, most: Option<f64>) -> bool {
        self.cut(Bounds { min: 0.0, max: most.unwrap_or(f64::INFINITY) })
    }

    fn cut(&mut self, bounds: Bounds) -> bool {
        match self.read() {
            None => false,
            Some(there) if there > bounds.max => self.write(bounds.max, Rounding::Down),
            Some(there) if there < bounds.min => self.write(bounds.min, Rounding::Up),
            Some(_) => true,
        }
    }
}

fn same(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits()
}

/// The value as a field of that type holds it.
fn narrow(value: f64, primitive: Primitive, rounding: Rounding) -> Option<f64> {
    let mut bytes = [0; 8];
    write_rounded(&mut bytes, Endian::Little, primitive, 0, value, rounding)?;
    read_f64(&bytes, Endian::Little, primitive, 0)
}

/// Writes every quantity; false where a count differs or a number has no place. `unsent`: the bytes
/// are those of a command that no limit was applied to.
pub(super) fn write<'a>(
    mapped: &Mapped,
    found: &Found,
    bytes: &mut [u8],
    limits: &[DimensionLimits],
    unsent: bool,
    set: impl Fn(Carries) -> Set<'a>,
) -> bool {
    mapped.quantities.iter().all(|quantity| {
        let (carries, primitive) = (quantity.carries, quantity.primitive());
        let set = set(carries);
        mapped.each(quantity, found, |joint, endian, offset| {
            let limits = limits.get(joint).copied().unwrap_or_default();
            let mut place = Place { bytes, endian, primitive, offset };
            match (set, carries) {
                (Set::Leave, Carries::Kp) => place.cut_gain(limits.kp),
                (Set::Leave, Carries::Kd) => place.cut_gain(limits.kd),
                (Set::Leave, Carries::Position) if unsent => {
                    limits.position.is_none_or(|bounds| place.cut(bounds))
                }
                (Set::Leave, _) => true,
                (Set::Zero, _) => place.write(0.0, Rounding::Nearest),
                (Set::To(values), _) => values.get(joint).is_some_and(|value| match carries {
                    Carries::Position => place.write_pose(*value, &limits),
                    Carries::Velocity
                    | Carries::Acceleration
                    | Carries::Effort
                    | Carries::Kp
                    | Carries::Kd => place.write_toward_zero(*value),
                }),
            }
        })
    })
}

/// Writes the newest value of every mirrored field that was seen, and the safe value of any other fixed
/// field where the bytes are those of a command that was not forwarded.
pub(super) fn write_fixed(
    mapped: &Mapped,
    found: &Found,
    bytes: &mut [u8],
    mirrors: &[Option<i64>],
    unsent: bool,
) -> bool {
    mapped.fixed.iter().all(|fixed| {
        let newest = fixed.mirror.and_then(|number| mirrors.get(number).copied().flatten());
        let safe = fixed.safe.filter(|_| unsent);
        let Some(value) = newest.or(safe) else { return true };
        found.hits(fixed.slot).iter().all(|hit| {
            (0..hit.len).all(|element| {
                hit.element(element, fixed.primitive).is_some_and(|offset| {
                    write_i64(bytes, found.endian(), fixed.primitive, offset, value).is_some()
                })
            })
        })
    })
}
