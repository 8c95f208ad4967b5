//! A screen that is redrawn line by line: over a slow link only what changed is sent.

use std::fmt::Write as _;

/// What stands on the terminal.
#[derive(Debug, Default)]
pub(super) struct Screen {
    lines: Vec<String>,
    /// Rows and columns that it was drawn for; `None`: not drawn yet.
    size: Option<(usize, usize)>,
}

impl Screen {
    /// The bytes that make the terminal of `rows` and `columns` show `text`. What does not fit is cut,
    /// and the last row says so.
    pub(super) fn draw(&mut self, text: &str, (rows, columns): (usize, usize)) -> String {
        let mut lines: Vec<String> =
            text.lines().map(|line| line.chars().take(columns).collect()).collect();
        // The row below the text is the cursor's.
        let room = rows.saturating_sub(1);
        if lines.len() > room {
            let hidden = lines.len().saturating_sub(room).saturating_add(1);
            lines.truncate(room.saturating_sub(1));
            lines.push(format!("  … {hidden} more lines: a taller window, or interlockctl status"));
        }
        let mut out = String::new();
        if self.size != Some((rows, columns)) {
            // The first time; and a terminal of another size has broken the lines anew.
            out.push_str("\x1b[2J");
            self.lines.clear();
            self.size = Some((rows, columns));
        }
        for (row, line) in lines.iter().enumerate() {
            if self.lines.get(row) != Some(line) {
                // Writing to a String cannot fail.
                write!(out, "\x1b[{};1H{line}\x1b[K", row.saturating_add(1)).ok();
            }
        }
        if lines.len() != self.lines.len() || !out.is_empty() {
            write!(out, "\x1b[{};1H\x1b[J", lines.len().saturating_add(1)).ok();
        }
        self.lines = lines;
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_one_line_changes_expect_only_that_line_sent() {
        let mut screen = Screen::default();
        let first = screen.draw("one\ntwo\nthree\n", (24, 80));
        assert!(first.starts_with("\x1b[2J") && first.contains("one") && first.contains("three"));
        assert_eq!(screen.draw("one\ntwo\nthree\n", (24, 80)), "");
        let next = screen.draw("one\n2\nthree\n", (24, 80));
        assert_eq!(next, "\x1b[2;1H2\x1b[K\x1b[4;1H\x1b[J");
        let shorter = screen.draw("one\n", (24, 80));
        assert_eq!(shorter, "\x1b[2;1H\x1b[J");
    }

    #[test]
    fn when_the_size_changes_expect_all_of_it_again() {
        let mut screen = Screen::default();
        let first = screen.draw("one\ntwo\n", (24, 80));
        assert_eq!(screen.draw("one\ntwo\n", (24, 60)), first);
        assert_eq!(screen.draw("one\ntwo\n", (24, 60)), "");
    }

    #[test]
    fn when_the_terminal_is_small_expect_the_text_cut_and_said() {
        let mut screen = Screen::default();
        let text = screen.draw(&"0123456789\n".repeat(10), (4, 5));
        assert!(text.contains("01234") && !text.contains("012345"));
        assert!(text.contains("8 more lines"), "{text:?}");
        assert!(!text.contains("\x1b[5;"), "{text:?}");
    }
}
