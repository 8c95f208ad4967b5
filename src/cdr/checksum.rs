//! The checksum of a vendor's frame, which runs over the vendor's C struct, not over CDR.
//!
//! Firmware computes it over the memory of its struct, so the message's fields are gathered into an
//! image of that struct: every primitive in the order of declaration, each at a multiple of its own
//! size; a nested message at a multiple of the largest alignment in it, and filled up to a multiple
//! of that; arrays inline; padding zero; little endian whatever the message is. CDR differs from it
//! where a struct is aligned or filled up (CDR aligns only primitives).
//!
//! `unitree_crc32`: CRC-32 with polynomial 0x04c11db7, initial value 0xffffffff, nothing reflected
//! and no final xor, over the image's little-endian 32-bit words, each from its highest bit, without
//! the last word, which is the checksum itself. That is CRC-32/MPEG-2 over the words' bytes, highest
//! first.
//!
//! **Invariant:** no allocation after construction; only the checksum's own four bytes are written.

use crc::{CRC_32_MPEG_2, Crc, Table};
use thiserror::Error;

use super::access::{read_u64, write_u64};
use super::cursor::{Endian, HEADER_BYTES, index};
use super::layout::{LayoutProblem, check_path};
use super::path::{Index, Path};
use super::schema::{Arity, Kind, MessageType, Primitive};

/// Sixteen bytes a step: a frame of 35 motors is a kilobyte.
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_MPEG_2);

/// Largest struct that is gathered. A message is at most 64 KiB by default.
const MAX_BYTES: usize = 1 << 20;

/// Why a checksum cannot be computed for a type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChecksumProblem {
    /// The path does not fit the type.
    #[error(transparent)]
    Path(#[from] LayoutProblem),
    /// The field is no `uint32`, or not the last one of the struct.
    #[error("it must be a uint32 and the last field of the type")]
    NotTheLastWord,
    /// A text or a sequence: a C struct holds neither.
    #[error("`{field}` is {type_name}, and a C struct has a fixed size")]
    Dynamic {
        /// Path of the field.
        field: String,
        /// Its type.
        type_name: String,
    },
    /// A struct that nobody sends.
    #[error("the struct is larger than {MAX_BYTES} bytes")]
    TooLarge,
}

/// Elements that follow each other in the message and in the struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// Offset from the message's first byte.
    from: u32,
    /// Offset in the struct.
    to: u32,
    bytes: u32,
    /// Bytes of one element, to be turned round if the message is big endian.
    element: u32,
}

/// Computes the checksum of one message type. Holds the image it is computed over.
#[derive(Clone, Debug)]
pub struct StructChecksum {
    stretches: Box<[Stretch]>,
    /// The struct without its last word. Padding stays zero for ever.
    image: Box<[u8]>,
    /// The image's words, highest byte first.
    words: Box<[u8]>,
    /// Offset of the checksum in the message.
    at: u32,
}

impl StructChecksum {
    /// Works out where each field of `message` lies in the vendor's struct.
    ///
    /// # Errors
    /// [`ChecksumProblem`] when the type is not of fixed size, or `field` is not its last word.
    pub fn unitree_crc32(message: &MessageType, field: &Path) -> Result<Self, ChecksumProblem> {
        check_path(message, field)?;
        let mut gather = Gather { stretches: Vec::new(), wire: HEADER_BYTES, memory: 0 };
        gather.message(message, "")?;
        let last = message.fields.last().filter(|last| {
            let word = Kind::Primitive(Primitive::U32);
            last.kind == word && last.arity == Arity::One && named(field, &last.name)
        });
        let checksum = gather.stretches.last_mut();
        let (Some(_), Some(checksum)) = (last, checksum) else {
            return Err(ChecksumProblem::NotTheLastWord);
        };
        // The last four bytes of the last stretch, which ends with the last field.
        let rest = checksum.bytes.saturating_sub(4);
        let (at, to) = (checksum.from.saturating_add(rest), checksum.to.saturating_add(rest));
        if to.checked_add(4) != Some(gather.memory) {
            return Err(ChecksumProblem::NotTheLastWord);
        }
        checksum.bytes = rest;
        let stretches: Box<[Stretch]> =
            gather.stretches.into_iter().filter(|stretch| stretch.bytes > 0).collect();
        let image = vec![0; index(to)].into_boxed_slice();
        Ok(Self { stretches, words: image.clone(), image, at })
    }

    /// The checksum that the message should carry; `None` where the bytes are not such a message.
    fn compute(&mut self, bytes: &[u8], endian: Endian) -> Option<u32> {
        for stretch in &self.stretches {
            let (from, to, len) = (index(stretch.from), index(stretch.to), index(stretch.bytes));
            let source = bytes.get(from..)?.get(..len)?;
            let target = self.image.get_mut(to..)?.get_mut(..len)?;
            target.copy_from_slice(source);
            if endian == Endian::Big {
                target.chunks_exact_mut(index(stretch.element)).for_each(<[u8]>::reverse);
            }
        }
        let (words, _) = self.image.as_chunks::<4>();
        let (turned, _) = self.words.as_chunks_mut::<4>();
        for (turned, word) in turned.iter_mut().zip(words) {
            *turned = u32::from_le_bytes(*word).to_be_bytes();
        }
        Some(CRC.checksum(&self.words))
    }

    /// Whether the message carries the checksum of its contents.
    #[must_use]
    pub fn is_right(&mut self, bytes: &[u8], endian: Endian) -> bool {
        let computed = self.compute(bytes, endian).map(u64::from);
        computed.is_some() && read_u64(bytes, endian, Primitive::U32, self.at) == computed
    }

    /// Writes the checksum of the message's contents into it. `None`: the bytes are not such a
    /// message, and nothing was written.
    #[must_use = "None means that nothing was written"]
    pub fn write(&mut self, bytes: &mut [u8], endian: Endian) -> Option<()> {
        let computed = self.compute(bytes, endian)?;
        write_u64(bytes, endian, Primitive::U32, self.at, computed.into())
    }
}

fn named(path: &Path, name: &str) -> bool {
    match path.steps() {
        [step] => step.name == name && step.index == Index::None,
        [] | [..] => false,
    }
}

/// Goes through the type with one place in the message and one in the struct.
struct Gather {
    stretches: Vec<Stretch>,
    wire: u32,
    memory: u32,
}

impl Gather {
    fn message(&mut self, message: &MessageType, path: &str) -> Result<(), ChecksumProblem> {
        let align = alignment(message);
        self.memory = self.memory.next_multiple_of(align);
        for field in &message.fields {
            let separator = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{separator}{}", field.name);
            let count = match field.arity {
                Arity::One => 1,
                Arity::Array(count) => count,
                Arity::Sequence { .. } => {
                    let type_name = field.type_name();
                    return Err(ChecksumProblem::Dynamic { field: path, type_name });
                }
            };
            for _ in 0..count {
                match &field.kind {
                    Kind::Primitive(primitive) => self.number(primitive.size()),
                    Kind::Message(inner) => self.message(inner, &path)?,
                    Kind::String { .. } | Kind::WString { .. } => {
                        let type_name = field.type_name();
                        return Err(ChecksumProblem::Dynamic { field: path, type_name });
                    }
                }
                if index(self.memory) > MAX_BYTES {
                    return Err(ChecksumProblem::TooLarge);
                }
            }
        }
        self.memory = self.memory.next_multiple_of(align);
        Ok(())
    }

    fn number(&mut self, size: u32) {
        // On the wire positions count from behind the encapsulation header.
        let position = self.wire.wrapping_sub(HEADER_BYTES).next_multiple_of(size);
        let from = position.wrapping_add(HEADER_BYTES);
        let to = self.memory.next_multiple_of(size);
        self.wire = from.wrapping_add(size);
        self.memory = to.wrapping_add(size);
        match self.stretches.last_mut() {
            Some(last)
                if last.element == size
                    && last.from.wrapping_add(last.bytes) == from
                    && last.to.wrapping_add(last.bytes) == to =>
            {
                last.bytes = last.bytes.wrapping_add(size);
            }
            Some(_) | None => {
                self.stretches.push(Stretch { from, to, bytes: size, element: size });
            }
        }
    }
}

/// The largest alignment in a struct.
fn alignment(message: &MessageType) -> u32 {
    let one = |kind: &Kind| match kind {
        Kind::Primitive(primitive) => primitive.size(),
        Kind::Message(inner) => alignment(inner),
        Kind::String { .. } | Kind::WString { .. } => 1,
    };
    message.fields.iter().map(|field| one(&field.kind)).max().unwrap_or(1)
}

#[cfg(test)]
mod tests;
