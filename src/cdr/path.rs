//! Paths to fields, as the params file writes them.
//!
//! `name(.name)*`, each name with nothing, `[]` (every element), `[i]` (one) or `[i..j]` (a range,
//! end excluded): `motor_cmd[].q`, `data[0..7]`, `motor_state[].temperature[1]`. A path says nothing
//! about a type; [`Layout::compile`](super::Layout::compile) fits it to one.
//!
//! **Invariant:** what [`Path`] prints parses to the same path.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::schema::{Arity, Field, Kind, MessageType};

/// A path to one field or to many. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

/// One name of a path, with the elements it takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The field's name.
    pub name: String,
    /// Which elements.
    pub index: Index,
}

/// Which elements of an array a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Index {
    /// Nothing written: the field itself.
    None,
    /// `[]`.
    All,
    /// `[i]`.
    One(u32),
    /// `[i..j]`, from the first up to but not including the second; never empty.
    Range(u32, u32),
}

/// A text that is not a path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{path}` is not a field path: {problem} at character {at}")]
pub struct InvalidPath {
    /// The whole text.
    pub path: String,
    /// Where, counted in characters from 1.
    pub at: usize,
    /// What is wrong.
    pub problem: PathProblem,
}

/// What is wrong with a path's text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathProblem {
    /// A name is missing.
    #[error("a field name is missing")]
    NoName,
    /// A character that cannot stand here.
    #[error("unexpected `{0}` (names are letters, digits and _; elements are [], [i] or [i..j])")]
    UnexpectedCharacter(char),
    /// A `[` without `]`.
    #[error("`[` is not closed")]
    NotClosed,
    /// Between the brackets is no number and no range of numbers.
    #[error("`[{0}]` is none of [], [i], [i..j] with plain numbers")]
    BadIndex(String),
    /// The range takes nothing.
    #[error("`[{0}..{1}]` is empty (the end is excluded)")]
    EmptyRange(u32, u32),
}

impl MessageType {
    /// Every field without fields of its own, in the order of the bytes, with its path: `[]` at arrays
    /// of messages, and nothing at an array of numbers or texts.
    #[must_use]
    pub fn leaves(&self) -> Vec<(Path, &Field)> {
        fn below<'m>(message: &'m MessageType, above: &[Step], found: &mut Vec<(Path, &'m Field)>) {
            for field in &message.fields {
                let steps_with = |index| {
                    let step = Step { name: field.name.clone(), index };
                    above.iter().cloned().chain([step]).collect::<Vec<Step>>()
                };
                match &field.kind {
                    Kind::Message(inner) if field.arity == Arity::One => {
                        below(inner, &steps_with(Index::None), found);
                    }
                    Kind::Message(inner) => below(inner, &steps_with(Index::All), found),
                    Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. } => {
                        found.push((Path { steps: steps_with(Index::None) }, field));
                    }
                }
            }
        }
        let mut found = Vec::new();
        below(self, &[], &mut found);
        found
    }
}

impl Path {
    /// A path of these steps; `None` if there are none.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Option<Self> {
        if steps.is_empty() { None } else { Some(Self { steps }) }
    }

    /// Whether a step takes a range.
    #[must_use]
    pub fn has_range(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.index, Index::Range(..)))
    }

    /// Reads a path.
    ///
    /// # Errors
    /// [`InvalidPath`] with the place, when the text does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let mut scanner = Scanner { rest: text, at: 1 };
        let mut steps = Vec::new();
        loop {
            let step = scanner.step().map_err(|problem| InvalidPath {
                path: text.to_owned(),
                at: scanner.at,
                problem,
            })?;
            steps.push(step);
            match scanner.next() {
                None => return Ok(Self { steps }),
                Some('.') => {}
                Some(other) => {
                    return Err(InvalidPath {
                        path: text.to_owned(),
                        at: scanner.at - 1,
                        problem: PathProblem::UnexpectedCharacter(other),
                    });
                }
            }
        }
    }

    /// The steps, at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl FromStr for Path {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        Self::parse(text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                out.write_str(".")?;
            }
            step.fmt(out)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.name, self.index)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::All => out.write_str("[]"),
            Self::One(index) => write!(out, "[{index}]"),
            Self::Range(from, to) => write!(out, "[{from}..{to}]"),
        }
    }
}

/// The text not read yet, and the character number (from 1) at which it starts.
struct Scanner<'text> {
    rest: &'text str,
    at: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next()?;
        self.rest = characters.as_str();
        self.at += 1;
        Some(next)
    }

    fn step(&mut self) -> Result<Step, PathProblem> {
        let mut name = String::new();
        while let Some(next) = self.rest.chars().next() {
            let first = name.is_empty();
            if next.is_ascii_alphabetic() || (!first && (next.is_ascii_digit() || next == '_')) {
                name.push(next);
                self.next();
            } else if first && !matches!(next, '.' | '[') {
                return Err(PathProblem::UnexpectedCharacter(next));
            } else {
                break;
            }
        }
        if name.is_empty() {
            return Err(PathProblem::NoName);
        }
        let index = if self.rest.starts_with('[') { self.index()? } else { Index::None };
        Ok(Step { name, index })
    }

    /// Reads `[…]`; on an error the position is that of the bracket.
    fn index(&mut self) -> Result<Index, PathProblem> {
        let Some((inside, _)) = self.rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        else {
            return Err(PathProblem::NotClosed);
        };
        let index = parse_index(inside)?;
        for _ in 0..inside.chars().count() + 2 {
            self.next();
        }
        Ok(index)
    }
}

fn parse_index(inside: &str) -> Result<Index, PathProblem> {
    let bad = || PathProblem::BadIndex(inside.to_owned());
    if inside.is_empty() {
        return Ok(Index::All);
    }
    if let Some((from, to)) = inside.split_once("..") {
        let (from, to) = (parse_number(from).ok_or_else(bad)?, parse_number(to).ok_or_else(bad)?);
        if from < to { Ok(Index::Range(from, to)) } else { Err(PathProblem::EmptyRange(from, to)) }
    } else {
        parse_number(inside).map(Index::One).ok_or_else(bad)
    }
}

/// A plain decimal number: no sign, no leading zero, so that printing gives the same text back.
fn parse_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (usize, PathProblem) {
        let error = Path::parse(text).unwrap_err();
        assert_eq!(error.path, text);
        (error.at, error.problem)
    }

    #[test]
    fn paths_of_the_grammar_print_as_they_were_read() {
        for text in [
            "data",
            "motor_cmd[].q",
            "data[0..7]",
            "buttons[4]",
            "motor_state[].temperature[1]",
            "a.b.c_9[2..30].d[]",
            "Upper[4294967295]",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn every_step_is_read() {
        let path = Path::parse("points[1..3].positions[0].x[]").unwrap();
        let steps: Vec<(&str, Index)> =
            path.steps().iter().map(|step| (step.name.as_str(), step.index)).collect();
        assert_eq!(
            steps,
            [("points", Index::Range(1, 3)), ("positions", Index::One(0)), ("x", Index::All)]
        );
    }

    #[test]
    fn a_wrong_text_is_refused_with_its_place() {
        use PathProblem::{BadIndex, EmptyRange, NoName, NotClosed, UnexpectedCharacter};
        assert_eq!(problem(""), (1, NoName));
        assert_eq!(problem("a..b"), (3, NoName));
        assert_eq!(problem("a."), (3, NoName));
        assert_eq!(problem("[3]"), (1, NoName));
        assert_eq!(problem("a b"), (2, UnexpectedCharacter(' ')));
        assert_eq!(problem("9a"), (1, UnexpectedCharacter('9')));
        assert_eq!(problem("a[1]b"), (5, UnexpectedCharacter('b')));
        assert_eq!(problem("a[1][2]"), (5, UnexpectedCharacter('[')));
        assert_eq!(problem("ä"), (1, UnexpectedCharacter('ä')));
        assert_eq!(problem("a.b[1"), (4, NotClosed));
        assert_eq!(problem("a[x]"), (2, BadIndex("x".into())));
        assert_eq!(problem("a[-1]"), (2, BadIndex("-1".into())));
        assert_eq!(problem("a[+1]"), (2, BadIndex("+1".into())));
        assert_eq!(problem("a[01]"), (2, BadIndex("01".into())));
        assert_eq!(problem("a[4294967296]"), (2, BadIndex("4294967296".into())));
        assert_eq!(problem("a[1..]"), (2, BadIndex("1..".into())));
        assert_eq!(problem("a[..2]"), (2, BadIndex("..2".into())));
        assert_eq!(problem("a[1...2]"), (2, BadIndex("1...2".into())));
        assert_eq!(problem("a[2..2]"), (2, EmptyRange(2, 2)));
        assert_eq!(problem("a[3..2]"), (2, EmptyRange(3, 2)));
    }

    #[test]
    fn the_message_says_what_to_write() {
        assert_eq!(
            Path::parse("data[2..2]").unwrap_err().to_string(),
            "`data[2..2]` is not a field path: `[2..2]` is empty (the end is excluded) \
             at character 5"
        );
        assert_eq!(
            Path::parse("a[x]").unwrap_err().to_string(),
            "`a[x]` is not a field path: `[x]` is none of [], [i], [i..j] with plain numbers \
             at character 2"
        );
    }
}
