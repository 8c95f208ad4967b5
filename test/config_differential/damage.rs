//! Damaged files: small edits of good and bad ones, the same in every run.

/// A small generator with a fixed seed: the same damage in every run.
pub(crate) struct Damage(pub(crate) u64);

impl Damage {
    /// A number below `below`.
    pub(crate) fn next(&mut self, below: usize) -> usize {
        // Numerical Recipes' 64-bit linear congruential generator; the high bits are good enough.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    /// The text with one to three pieces removed, added, swapped or copied.
    pub(crate) fn damage(&mut self, text: &str) -> String {
        const PIECES: &[&str] = &[
            "\n",
            " ",
            "  ",
            ":",
            ": ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            ",",
            "#",
            " #",
            "'",
            "\"",
            "&a ",
            "*a",
            "!",
            "!!str ",
            "|",
            ">",
            "%",
            "@",
            "?",
            "? ",
            "~",
            ".",
            "..",
            "a.b",
            "0",
            "08",
            "1e5",
            "yes",
            "\\",
            "---\n",
            "...\n",
            "<<",
            "{}",
            "[]",
            "\r\n",
            "\r",
            "ros__parameters",
            "interlock",
            "/",
            "*",
            "é",
            "\n\n",
            "    ",
            "\n    ",
        ];
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..=self.next(3) {
            let at = self.next(characters.len());
            match self.next(4) {
                0 => {
                    let end = (at + 1 + self.next(4)).min(characters.len());
                    characters.drain(at..end);
                }
                1 => {
                    let piece: Vec<char> = PIECES[self.next(PIECES.len())].chars().collect();
                    characters.splice(at..at, piece);
                }
                2 => {
                    let other = self.next(characters.len());
                    characters.swap(at, other);
                }
                _ => {
                    let end = (at + self.next(40)).min(characters.len());
                    let copy: Vec<char> = characters[at..end].to_vec();
                    let to = self.next(characters.len());
                    characters.splice(to..to, copy);
                }
            }
            if characters.is_empty() {
                characters.push(' ');
            }
        }
        characters.into_iter().collect()
    }
}
