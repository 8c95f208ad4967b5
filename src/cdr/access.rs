//! Typed reads and in-place writes at an offset that a layout found.
//!
//! Every function checks the bounds again, so a hit used with another message's bytes gives `None`,
//! not a wrong read outside the buffer. Offsets count from the first byte of the message.
//!
//! **Invariant:** a write changes the bytes of that one element and nothing else, or nothing at all.

use super::cursor::{Endian, index};
use super::schema::Primitive;

/// A time as `builtin_interfaces/Time` carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Whole seconds.
    pub sec: i32,
    /// Nanoseconds on top, below 10⁹ in a valid stamp; not checked here.
    pub nanosec: u32,
}

fn get<const N: usize>(bytes: &[u8], offset: u32) -> Option<[u8; N]> {
    bytes.get(index(offset)..)?.first_chunk::<N>().copied()
}

fn put<const N: usize>(bytes: &mut [u8], offset: u32, element: [u8; N]) -> Option<()> {
    *bytes.get_mut(index(offset)..)?.first_chunk_mut::<N>()? = element;
    Some(())
}

/// Reads a number of type `$type` in the given byte order.
macro_rules! read {
    ($type:ty, $bytes:expr, $endian:expr, $offset:expr) => {{
        let element = get($bytes, $offset)?;
        match $endian {
            Endian::Big => <$type>::from_be_bytes(element),
            Endian::Little => <$type>::from_le_bytes(element),
        }
    }};
}

/// Writes a number in the given byte order.
macro_rules! write {
    ($bytes:expr, $endian:expr, $offset:expr, $number:expr) => {
        match $endian {
            Endian::Big => put($bytes, $offset, $number.to_be_bytes()),
            Endian::Little => put($bytes, $offset, $number.to_le_bytes()),
        }
    };
}

/// Reads a float. `None`: out of bounds, or the primitive is no float.
#[must_use]
pub fn read_f64(bytes: &[u8], endian: Endian, primitive: Primitive, offset: u32) -> Option<f64> {
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    match primitive {
        F32 => Some(f64::from(read!(f32, bytes, endian, offset))),
        F64 => Some(read!(f64, bytes, endian, offset)),
        Bool | Octet | Char | WChar | I8 | U8 | I16 | U16 | I32 | U32 | I64 | U64 => None,
    }
}

/// Writes a float; into a `float32` rounded to nearest, which may lie half a unit in the last place
/// beyond `value`. `None`: out of bounds, no float, or a finite value too large for a `float32`.
#[must_use = "None means that nothing was written"]
pub fn write_f64(
    bytes: &mut [u8],
    endian: Endian,
    primitive: Primitive,
    offset: u32,
    value: f64,
) -> Option<()> {
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    match primitive {
        F32 => {
            let narrow = narrow(value)?;
            write!(bytes, endian, offset, narrow)
        }
        F64 => write!(bytes, endian, offset, value),
        Bool | Octet | Char | WChar | I8 | U8 | I16 | U16 | I32 | U32 | I64 | U64 => None,
    }
}

/// Where the bytes of `len` elements are.
fn span(offset: u32, len: u32, primitive: Primitive) -> Option<std::ops::Range<usize>> {
    let (from, size) = (index(offset), index(primitive.size()));
    Some(from..from.checked_add(index(len).checked_mul(size)?)?)
}

/// Reads floats of an array whose first of `len` elements is at `offset`: `into` names places of it
/// and what is to have the element there. The bounds are looked at once, not for every element.
/// `None`: out of bounds, a place that is not below `len`, the primitive is no float, or `set` has
/// no place for one.
#[must_use = "None means that not everything was read"]
pub fn read_floats<T>(
    bytes: &[u8],
    endian: Endian,
    primitive: Primitive,
    (offset, len): (u32, u32),
    into: impl Iterator<Item = (usize, T)>,
    set: impl FnMut(T, f64) -> Option<()>,
) -> Option<()> {
    fn gather<const N: usize, T>(
        elements: &[u8],
        into: impl Iterator<Item = (usize, T)>,
        mut set: impl FnMut(T, f64) -> Option<()>,
        read: impl Fn([u8; N]) -> f64,
    ) -> Option<()> {
        let (elements, _) = elements.as_chunks::<N>();
        for (place, target) in into {
            set(target, read(*elements.get(place)?))?;
        }
        Some(())
    }
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    let elements = bytes.get(span(offset, len, primitive)?)?;
    match (primitive, endian) {
        (F64, Endian::Little) => gather(elements, into, set, f64::from_le_bytes),
        (F64, Endian::Big) => gather(elements, into, set, f64::from_be_bytes),
        (F32, Endian::Little) => {
            gather(elements, into, set, |bytes| f64::from(f32::from_le_bytes(bytes)))
        }
        (F32, Endian::Big) => {
            gather(elements, into, set, |bytes| f64::from(f32::from_be_bytes(bytes)))
        }
        (Bool | Octet | Char | WChar | I8 | U8 | I16 | U16 | I32 | U32 | I64 | U64, _) => None,
    }
}

/// Writes floats into such an array, each like [`write_f64`] at its place. `None`: as there, or a
/// place that is not below `len`; what stood before the one at fault may then be written.
#[must_use = "None means that not everything was written"]
pub fn write_floats(
    bytes: &mut [u8],
    endian: Endian,
    primitive: Primitive,
    (offset, len): (u32, u32),
    values: impl Iterator<Item = (usize, f64)>,
) -> Option<()> {
    fn scatter<const N: usize>(
        elements: &mut [u8],
        values: impl Iterator<Item = (usize, f64)>,
        write: impl Fn(f64) -> Option<[u8; N]>,
    ) -> Option<()> {
        let (elements, _) = elements.as_chunks_mut::<N>();
        for (place, value) in values {
            *elements.get_mut(place)? = write(value)?;
        }
        Some(())
    }
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    let elements = bytes.get_mut(span(offset, len, primitive)?)?;
    match (primitive, endian) {
        (F64, Endian::Little) => scatter(elements, values, |v| Some(v.to_le_bytes())),
        (F64, Endian::Big) => scatter(elements, values, |v| Some(v.to_be_bytes())),
        (F32, Endian::Little) => {
            scatter(elements, values, |value| Some(narrow(value)?.to_le_bytes()))
        }
        (F32, Endian::Big) => scatter(elements, values, |value| Some(narrow(value)?.to_be_bytes())),
        (Bool | Octet | Char | WChar | I8 | U8 | I16 | U16 | I32 | U32 | I64 | U64, _) => None,
    }
}

#[expect(clippy::as_conversions, reason = "rounding to nearest is what is asked for")]
pub(super) fn narrow(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (narrow.is_finite() || !value.is_finite()).then_some(narrow)
}

/// Where a `float32` lies that cannot hold a number exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// At most half a unit in the last place away.
    Nearest,
    /// The next one below, so that the number stays an upper bound.
    Down,
    /// The next one above, so that the number stays a lower bound.
    Up,
}

/// Writes a float like [`write_f64`], but into a `float32` rounded as told; a number beyond the
/// largest `float32` then becomes that one instead of nothing, if that is the side asked for.
#[must_use = "None means that nothing was written"]
pub fn write_rounded(
    bytes: &mut [u8],
    endian: Endian,
    primitive: Primitive,
    offset: u32,
    value: f64,
    rounding: Rounding,
) -> Option<()> {
    if primitive == Primitive::F32 && value.is_finite() {
        let narrow = narrow_to(value, rounding)?;
        write!(bytes, endian, offset, narrow)
    } else {
        write_f64(bytes, endian, primitive, offset, value)
    }
}

#[expect(clippy::as_conversions, reason = "the neighbour on the right side is chosen below")]
fn narrow_to(value: f64, rounding: Rounding) -> Option<f32> {
    let nearest = value as f32;
    let narrow = match rounding {
        Rounding::Down if f64::from(nearest) > value => nearest.next_down(),
        Rounding::Up if f64::from(nearest) < value => nearest.next_up(),
        Rounding::Nearest | Rounding::Down | Rounding::Up => nearest,
    };
    narrow.is_finite().then_some(narrow)
}

/// Reads an integer, a bool (0 or 1) or a character. `None`: out of bounds, a float, a value above
/// `i64::MAX`, or a bool byte above 1.
#[must_use]
pub fn read_i64(bytes: &[u8], endian: Endian, primitive: Primitive, offset: u32) -> Option<i64> {
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    match primitive {
        I8 => Some(i64::from(read!(i8, bytes, endian, offset))),
        I16 => Some(i64::from(read!(i16, bytes, endian, offset))),
        I32 => Some(i64::from(read!(i32, bytes, endian, offset))),
        I64 => Some(read!(i64, bytes, endian, offset)),
        Bool | Octet | Char | WChar | U8 | U16 | U32 | U64 => {
            i64::try_from(read_u64(bytes, endian, primitive, offset)?).ok()
        }
        F32 | F64 => None,
    }
}

/// Reads an integer, a bool (0 or 1) or a character. `None`: out of bounds, a float, a negative
/// value, or a bool byte above 1.
#[must_use]
pub fn read_u64(bytes: &[u8], endian: Endian, primitive: Primitive, offset: u32) -> Option<u64> {
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    match primitive {
        Bool => Some(u64::from(read!(u8, bytes, endian, offset))).filter(|value| *value <= 1),
        Octet | Char | U8 => Some(u64::from(read!(u8, bytes, endian, offset))),
        WChar | U16 => Some(u64::from(read!(u16, bytes, endian, offset))),
        U32 => Some(u64::from(read!(u32, bytes, endian, offset))),
        U64 => Some(read!(u64, bytes, endian, offset)),
        I8 | I16 | I32 | I64 => u64::try_from(read_i64(bytes, endian, primitive, offset)?).ok(),
        F32 | F64 => None,
    }
}

/// Writes an integer, a bool (0 or 1) or a character. `None`: out of bounds, a float, or a value
/// that the primitive cannot hold.
#[must_use = "None means that nothing was written"]
pub fn write_i64(
    bytes: &mut [u8],
    endian: Endian,
    primitive: Primitive,
    offset: u32,
    value: i64,
) -> Option<()> {
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    match primitive {
        I8 => write!(bytes, endian, offset, i8::try_from(value).ok()?),
        I16 => write!(bytes, endian, offset, i16::try_from(value).ok()?),
        I32 => write!(bytes, endian, offset, i32::try_from(value).ok()?),
        I64 => write!(bytes, endian, offset, value),
        Bool | Octet | Char | WChar | U8 | U16 | U32 | U64 => {
            write_u64(bytes, endian, primitive, offset, u64::try_from(value).ok()?)
        }
        F32 | F64 => None,
    }
}

/// Writes an integer, a bool (0 or 1) or a character. `None`: out of bounds, a float, or a value
/// that the primitive cannot hold.
#[must_use = "None means that nothing was written"]
pub fn write_u64(
    bytes: &mut [u8],
    endian: Endian,
    primitive: Primitive,
    offset: u32,
    value: u64,
) -> Option<()> {
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    match primitive {
        Bool if value > 1 => None,
        Bool | Octet | Char | U8 => write!(bytes, endian, offset, u8::try_from(value).ok()?),
        WChar | U16 => write!(bytes, endian, offset, u16::try_from(value).ok()?),
        U32 => write!(bytes, endian, offset, u32::try_from(value).ok()?),
        U64 => write!(bytes, endian, offset, value),
        I8 | I16 | I32 | I64 => {
            write_i64(bytes, endian, primitive, offset, i64::try_from(value).ok()?)
        }
        F32 | F64 => None,
    }
}

/// Reads a `builtin_interfaces/Time` that starts at `offset` (the offset of its `sec`).
#[must_use]
pub fn read_stamp(bytes: &[u8], endian: Endian, offset: u32) -> Option<Stamp> {
    let sec = read!(i32, bytes, endian, offset);
    let nanosec = read!(u32, bytes, endian, offset.checked_add(4)?);
    Some(Stamp { sec, nanosec })
}

/// Writes a `builtin_interfaces/Time` that starts at `offset` (the offset of its `sec`).
#[must_use = "None means that nothing was written"]
pub fn write_stamp(bytes: &mut [u8], endian: Endian, offset: u32, stamp: Stamp) -> Option<()> {
    // Both or neither: look for room before the first write.
    let nanosec_offset = offset.checked_add(4)?;
    get::<4>(bytes, nanosec_offset)?;
    write!(bytes, endian, offset, stamp.sec)?;
    write!(bytes, endian, nanosec_offset, stamp.nanosec)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element by element it is what the single reads and writes do.
    #[test]
    fn when_an_array_is_read_or_written_at_once_expect_what_one_by_one_gives() {
        let places = [3, 0, 2];
        for endian in [Endian::Little, Endian::Big] {
            for (primitive, size) in [(Primitive::F64, 8_u32), (Primitive::F32, 4)] {
                let values = [0.25, -1e30, f64::from(f32::MAX), 0.1];
                let (mut at_once, mut singly) = (vec![7; 64], vec![7; 64]);
                for (place, value) in (0_u32..4).zip(values) {
                    let offset = 5 + place * size;
                    write_f64(&mut singly, endian, primitive, offset, value).unwrap();
                }
                let pairs = (0..4).zip(values);
                write_floats(&mut at_once, endian, primitive, (5, 4), pairs).unwrap();
                assert_eq!(at_once, singly);
                let mut read = [0.0; 3];
                let into = places.into_iter().zip(&mut read);
                let set = |value: &mut f64, element| {
                    *value = element;
                    Some(())
                };
                read_floats(&at_once, endian, primitive, (5, 4), into, set).unwrap();
                for (value, place) in read.iter().zip(places) {
                    let offset = 5 + u32::try_from(place).unwrap() * size;
                    let one = read_f64(&at_once, endian, primitive, offset).unwrap();
                    assert_eq!(value.to_bits(), one.to_bits());
                }
            }
        }
    }

    #[test]
    fn when_an_array_is_not_all_there_expect_nothing() {
        let mut bytes = [0; 31];
        let (le, f64s) = (Endian::Little, Primitive::F64);
        let read = |primitive, at, place| {
            read_floats(&bytes, le, primitive, at, [(place, ())].into_iter(), |(), _| Some(()))
        };
        assert_eq!(read(f64s, (0, 3), 2), Some(()));
        assert_eq!(read(f64s, (0, 3), 3), None, "a place beyond the array");
        assert_eq!(read(f64s, (0, 4), 0), None, "an array beyond the bytes");
        assert_eq!(read(f64s, (u32::MAX, u32::MAX), 0), None);
        assert_eq!(read(Primitive::I64, (0, 3), 0), None, "no float");
        let one = |place, value| std::iter::once((place, value));
        assert_eq!(write_floats(&mut bytes, le, f64s, (0, 3), one(3, 1.0)), None);
        assert_eq!(write_floats(&mut bytes, le, f64s, (8, 3), one(0, 1.0)), None);
        assert_eq!(write_floats(&mut bytes, le, Primitive::F32, (0, 3), one(0, 1e300)), None);
        assert_eq!(write_floats(&mut bytes, le, Primitive::I64, (0, 3), one(0, 1.0)), None);
        assert_eq!(bytes, [0; 31]);
    }

    #[test]
    fn when_a_float32_cannot_hold_a_number_expect_the_neighbour_on_the_side_asked_for() {
        let written = |value: f64, rounding: Rounding| {
            let mut bytes = [0; 4];
            write_rounded(&mut bytes, Endian::Little, Primitive::F32, 0, value, rounding)
                .map(|()| f32::from_le_bytes(bytes))
        };
        for value in [0.1, -0.1, 1.0 / 3.0, -2.0 / 3.0, 1e-40, -1e-300, 1e30, 16_777_217.0] {
            let down = written(value, Rounding::Down).unwrap();
            let up = written(value, Rounding::Up).unwrap();
            assert!(f64::from(down) < value && value < f64::from(up), "{value}: {down} {up}");
            assert_eq!(down.next_up().to_bits() | 1 << 31, up.to_bits() | 1 << 31, "{value}");
            let nearest = written(value, Rounding::Nearest).unwrap();
            assert!(nearest == down || nearest == up, "{value}: {nearest}");
        }
        for value in [0.0, -0.0, 0.5, -3.0, f64::from(f32::MAX)] {
            for rounding in [Rounding::Nearest, Rounding::Down, Rounding::Up] {
                let bits = written(value, rounding).map(|narrow| f64::from(narrow).to_bits());
                assert_eq!(bits, Some(value.to_bits()), "{value} {rounding:?}");
            }
        }
        assert_eq!(written(1e300, Rounding::Down), Some(f32::MAX));
        assert_eq!(written(-1e300, Rounding::Up), Some(f32::MIN));
        assert_eq!(written(1e300, Rounding::Up), None);
        assert_eq!(written(1e300, Rounding::Nearest), None);
    }
}
