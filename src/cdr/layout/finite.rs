//! Whether floats on the wire are finite, and whether texts have a NUL inside.

use std::ops::BitOr;

use super::super::cursor::Endian;

/// Where in `bytes` the first float of `size` bytes that is not finite starts.
#[inline]
pub(super) fn first_not_finite(bytes: &[u8], size: u32, endian: Endian) -> Option<usize> {
    match (size, endian) {
        (8, Endian::Little) => first_bad(bytes, |element| excess_64(u64::from_le_bytes(element))),
        (8, Endian::Big) => first_bad(bytes, |element| excess_64(u64::from_be_bytes(element))),
        (_, Endian::Little) => first_bad(bytes, |element| excess_32(u32::from_le_bytes(element))),
        (_, Endian::Big) => first_bad(bytes, |element| excess_32(u32::from_be_bytes(element))),
    }
}

/// The top bit is set exactly if the float with these bits is not finite, that is if all bits of
/// its exponent are: only then does one more carry into the sign's place.
const fn excess_64(bits: u64) -> u64 {
    (bits & 0x7FF0_0000_0000_0000).wrapping_add(1 << 52)
}

/// The same for 32 bits.
const fn excess_32(bits: u32) -> u32 {
    (bits & 0x7F80_0000).wrapping_add(1 << 23)
}

/// Below this many elements, preparing vector instructions costs more than a plain loop.
const FEW: usize = 8;

/// Goes through all elements without a branch, which the compiler turns into vector instructions;
/// only few elements or a bad message are looked at one by one.
#[inline]
fn first_bad<const N: usize, B>(bytes: &[u8], excess: impl Fn([u8; N]) -> B) -> Option<usize>
where
    B: BitOr<Output = B> + Default + HighBit,
{
    let (elements, _) = bytes.as_chunks::<N>();
    if elements.len() >= FEW {
        let all = elements.iter().fold(B::default(), |all, element| all | excess(*element));
        if !all.is_high() {
            return None;
        }
    }
    let number = elements.iter().position(|element| excess(*element).is_high())?;
    Some(number.saturating_mul(N))
}

/// Whether the top bit is set.
trait HighBit {
    fn is_high(&self) -> bool;
}

impl HighBit for u64 {
    fn is_high(&self) -> bool {
        self.leading_zeros() == 0
    }
}

impl HighBit for u32 {
    fn is_high(&self) -> bool {
        self.leading_zeros() == 0
    }
}

/// Whether there is a NUL in a text, eight bytes at a time.
#[inline]
pub(super) fn has_nul(text: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = text.as_chunks::<8>();
    // A byte's high bit is set by the subtraction and was not set before exactly if it, or with a
    // borrow one below it, was zero: right about whether there is one, not about where.
    let in_words = words.iter().any(|word| {
        let word = u64::from_ne_bytes(*word);
        word.wrapping_sub(ONES) & !word & HIGHS != 0
    });
    in_words || rest.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_seen_at_every_place_and_nothing_else_is() {
        for length in 0..40 {
            for filler in [1, 0x7F, 0x80, 0x81, 0xFF] {
                let mut text = vec![filler; length];
                assert!(!has_nul(&text), "{filler} x {length}");
                for place in 0..length {
                    text[place] = 0;
                    assert!(has_nul(&text), "{filler} x {length}, NUL at {place}");
                    text[place] = filler;
                }
            }
        }
    }

    #[test]
    fn a_float_is_finite_exactly_if_rust_says_so() {
        let specials = [
            0.0,
            -0.0,
            1.0,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::from_bits(0x7FF0_0000_0000_0001),
            f64::from_bits(0x7FEF_FFFF_FFFF_FFFF),
        ];
        for bad in specials {
            let expected = (!bad.is_finite()).then_some(8);
            let bytes = |number: f64| [1.0_f64.to_le_bytes(), number.to_le_bytes()].concat();
            assert_eq!(first_not_finite(&bytes(bad), 8, Endian::Little), expected);
            let bytes = |number: f64| [1.0_f64.to_be_bytes(), number.to_be_bytes()].concat();
            assert_eq!(first_not_finite(&bytes(bad), 8, Endian::Big), expected);
        }
        let specials = [
            0.0,
            f32::MAX,
            f32::MIN_POSITIVE,
            1e-45,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::from_bits(0x7F80_0001),
            f32::from_bits(0x7F7F_FFFF),
        ];
        for bad in specials {
            let expected = (!bad.is_finite()).then_some(4);
            let bytes = |number: f32| [1.0_f32.to_le_bytes(), number.to_le_bytes()].concat();
            assert_eq!(first_not_finite(&bytes(bad), 4, Endian::Little), expected);
            let bytes = |number: f32| [1.0_f32.to_be_bytes(), number.to_be_bytes()].concat();
            assert_eq!(first_not_finite(&bytes(bad), 4, Endian::Big), expected);
        }
    }
}
