//! A short text of fixed size: operator names and reasons inside events.

/// At most 63 bytes of text, on the stack. Longer text is cut at a character, control characters
/// become `?`: it comes from a client and ends in a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShortText {
    /// Invariant: the first `length` bytes are UTF-8.
    bytes: [u8; CAPACITY],
    length: u8,
}

const CAPACITY: usize = 63;

impl ShortText {
    /// No text.
    pub const EMPTY: Self = Self { bytes: [0; CAPACITY], length: 0 };

    /// Takes as much of `text` as fits.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut out = Self::EMPTY;
        let mut length = 0_usize;
        for character in text.chars() {
            let character = if character.is_control() { '?' } else { character };
            let Some(place) = out.bytes.get_mut(length..length + character.len_utf8()) else {
                break;
            };
            character.encode_utf8(place);
            length += character.len_utf8();
        }
        out.length = u8::try_from(length).unwrap_or(0);
        out
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl Default for ShortText {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl std::fmt::Debug for ShortText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::fmt::Display for ShortText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_text_fits_expect_it_whole() {
        let longest = "x".repeat(CAPACITY);
        for text in ["", "alice", "Åsa Öberg", "机器人", &longest] {
            assert_eq!(ShortText::new(text).as_str(), text);
        }
    }

    #[test]
    fn when_text_is_long_expect_it_cut_at_a_character() {
        let text = format!("{}€€", "x".repeat(CAPACITY - 4));
        assert_eq!(ShortText::new(&text).as_str(), format!("{}€", "x".repeat(CAPACITY - 4)));
    }

    #[test]
    fn when_text_holds_control_characters_expect_none_of_them() {
        assert_eq!(ShortText::new("a\u{1b}[31m\nb\0").as_str(), "a?[31m?b?");
    }
}
