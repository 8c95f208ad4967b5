//! The text behind the YAML events: what libyaml and YAML 1.2 take differently although the events
//! of our parser look harmless. Found by comparing with rcl; each has a case in the differential
//! test.

use saphyr_parser::{ScalarStyle, Span};

use super::yaml_rules::*;

/// A file's or argument's text.
pub(super) struct Source<'t> {
    text: &'t str,
    /// The same, for the positions that the parser gives.
    characters: Vec<char>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, characters: text.chars().collect() }
    }

    /// The first line that cannot be in any params file: its number, what is wrong, the rule.
    pub(super) fn refused_line(&self) -> Option<(usize, String, &'static Rule)> {
        self.text.split('\n').enumerate().find_map(|(index, line)| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let number = index + 1;
            if let Some(character) = line.chars().find(|c| !is_plain_character(*c)) {
                let found = format!("the character {character:?} is not allowed");
                return Some((number, found, &REFUSED_CHARACTER));
            }
            (line.starts_with('%') || line.starts_with("..."))
                .then(|| (number, REFUSED_DIRECTIVE.found.to_owned(), &REFUSED_DIRECTIVE))
        })
    }

    /// Whether a map or list that starts here is written with brackets.
    pub(super) fn is_flow(&self, span: &Span) -> bool {
        matches!(self.characters.get(span.start.index()), Some('{' | '['))
    }

    /// What libyaml may not take as a key: one over several lines, one with its colon on the next
    /// line, a quoted one with no space after the colon.
    pub(super) fn refused_key(&self, span: &Span, style: ScalarStyle) -> Option<&'static Rule> {
        let rest = self.characters.get(span.end.index()..).unwrap_or_default();
        let gap: String = rest.iter().take_while(|c| **c != ':').collect();
        let after = rest.iter().skip_while(|c| **c != ':').nth(1);
        if gap.contains('\n') || span.start.line() != span.end.line() {
            Some(&REFUSED_KEY)
        } else if style != ScalarStyle::Plain && after.is_some_and(|c| !c.is_whitespace()) {
            Some(&REFUSED_ADJACENT)
        } else {
            self.refused_scalar(span, style)
        }
    }

    /// What libyaml reads otherwise: an escaped slash, and a block without a line end behind it.
    pub(super) fn refused_scalar(&self, span: &Span, style: ScalarStyle) -> Option<&'static Rule> {
        let written = self.characters.get(span.start.index()..span.end.index());
        match style {
            ScalarStyle::Plain | ScalarStyle::SingleQuoted => None,
            ScalarStyle::DoubleQuoted => {
                has_escaped_slash(written.unwrap_or_default()).then_some(&REFUSED_ESCAPE)
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                (!self.text.ends_with('\n')).then_some(&REFUSED_BLOCK_END)
            }
        }
    }
}

/// Inside `{}` and `[]`, libyaml ends an unquoted text earlier than YAML 1.2 does.
pub(super) fn is_refused_in_flow(text: &str) -> bool {
    text.contains([':', '?']) || text.starts_with(['|', '>'])
}

fn has_escaped_slash(written: &[char]) -> bool {
    let mut rest = written.iter();
    while let Some(character) = rest.next() {
        if *character == '\\' && rest.next() == Some(&'/') {
            return true;
        }
    }
    false
}
