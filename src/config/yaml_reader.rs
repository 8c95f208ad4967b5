//! The walk over YAML events behind [`super::yaml`]: refuses by name what rcl would misread.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::problem::{Place, Problem, Problems};
use super::rcl_scalar::{self, Style, Unreadable};
use super::value::{Doubt, Entry, Value};
use super::yaml::{Item, Node};
use super::yaml_rules::*;

/// Deeper maps are refused; no configuration needs them, and a stack has an end.
const MAX_DEPTH: usize = 32;

/// One text on its way through.
pub(super) struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    rank: usize,
    label: String,
    path: Vec<String>,
    is_argument: bool,
    problems: Problems,
}

/// The parser cannot go on after this; the problem is already pushed.
struct Stop;

type Next<'t> = (Event<'t>, Span);

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, rank: usize, label: &str) -> Self {
        Self {
            text,
            parser: Parser::new_from_str(text),
            rank,
            label: label.to_owned(),
            path: Vec::new(),
            is_argument: false,
            problems: Problems::default(),
        }
    }

    /// The tree of a file.
    pub(super) fn file(mut self) -> Result<Vec<Item>, Problems> {
        let items = self.refuse_characters().and_then(|()| self.document());
        match items {
            Ok(items) if self.problems.is_empty() => Ok(items),
            Ok(_) | Err(Stop) => Err(self.problems),
        }
    }

    /// The value of a `-p` argument.
    pub(super) fn argument(mut self, key: &str) -> Result<Entry, Problems> {
        self.is_argument = true;
        self.path.push(key.to_owned());
        match self.argument_value() {
            Ok(entry) if self.problems.is_empty() => Ok(entry),
            Ok(_) | Err(Stop) => Err(self.problems),
        }
    }

    fn argument_value(&mut self) -> Result<Entry, Stop> {
        self.refuse_characters()?;
        self.start()?;
        let (event, span) = self.next()?;
        let entry = match self.value(event, span, 0)? {
            Node::Leaf(entry) => entry,
            Node::Map(_) => return self.stop(0, &REFUSED_MAP_ARGUMENT),
        };
        self.end()?;
        Ok(entry)
    }

    /// Characters that libyaml refuses, or takes for a line break where YAML 1.2 does not.
    fn refuse_characters(&mut self) -> Result<(), Stop> {
        for (index, line) in self.text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if let Some(character) = line.chars().find(|c| !is_plain_character(*c)) {
                let found = format!("the character {character:?} is not allowed");
                self.refuse_found(index + 1, found, &REFUSED_CHARACTER);
                return Err(Stop);
            }
            if line.starts_with('%') {
                self.refuse(index + 1, &REFUSED_DIRECTIVE);
                return Err(Stop);
            }
        }
        Ok(())
    }

    fn document(&mut self) -> Result<Vec<Item>, Stop> {
        match self.next()? {
            (Event::StreamStart, _) => {}
            (_, span) => return self.stop(span.start.line(), &REFUSED_TOP),
        }
        match self.next()? {
            (Event::StreamEnd, _) => return Ok(Vec::new()),
            (Event::DocumentStart(_), _) => {}
            (_, span) => return self.stop(span.start.line(), &REFUSED_TOP),
        }
        let items = match self.next()? {
            (Event::MappingStart(_, tag), span) => {
                if tag.is_some() {
                    return self.stop(span.start.line(), &REFUSED_TAG);
                }
                self.map(0)?
            }
            (_, span) => return self.stop(span.start.line(), &REFUSED_TOP),
        };
        self.end()?;
        Ok(items)
    }

    fn start(&mut self) -> Result<(), Stop> {
        self.next()?;
        match self.next()? {
            (Event::DocumentStart(_), _) => Ok(()),
            (_, _) => self.stop(0, &REFUSED_EMPTY),
        }
    }

    fn end(&mut self) -> Result<(), Stop> {
        self.next()?;
        match self.next()? {
            (Event::StreamEnd, _) => Ok(()),
            (_, span) => self.stop(span.start.line(), &REFUSED_SECOND_DOCUMENT),
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Item>, Stop> {
        let mut items: Vec<Item> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let line = span.start.line();
            let key = match event {
                Event::MappingEnd => return Ok(items),
                Event::Scalar(key, style, _, tag) => {
                    if tag.is_some() {
                        return self.stop(line, &REFUSED_TAG);
                    }
                    if style != ScalarStyle::Plain {
                        self.refuse_adjacent(&span);
                    }
                    key.into_owned()
                }
                Event::Alias(_) => return self.stop(line, &REFUSED_ALIAS),
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..) => return self.stop(line, &REFUSED_KEY),
            };
            if key.is_empty() || key.contains(['\0', '\n']) || key.len() > 500 {
                return self.stop(line, &REFUSED_KEY);
            }
            self.path.push(key.clone());
            if items.iter().any(|item| item.key == key) {
                self.refuse(line, &REFUSED_TWICE);
            }
            let (event, span) = self.next()?;
            let node = self.value(event, span, depth + 1)?;
            if matches!(node, Node::Map(_)) && key.contains('.') {
                self.refuse(line, &REFUSED_DOT);
            }
            self.path.pop();
            items.push(Item { key, line, node });
        }
    }

    /// `{"key":1}`: not every libyaml takes a colon without a space after it.
    fn refuse_adjacent(&mut self, key: &Span) {
        let rest = self.text.chars().skip(key.end.index());
        let mut after = rest.skip_while(|c| *c != ':').skip(1);
        if let Some(next) = after.next()
            && !next.is_whitespace()
        {
            self.refuse(key.start.line(), &REFUSED_ADJACENT);
        }
    }

    fn value(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        let line = span.start.line();
        if depth > MAX_DEPTH {
            return self.stop(line, &REFUSED_DEPTH);
        }
        match event {
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                let entry = self.scalar(&text, style, tag, &span);
                Ok(Node::Leaf(entry))
            }
            Event::SequenceStart(_, tag) => {
                if tag.is_some() {
                    return self.stop(line, &REFUSED_TAG);
                }
                Ok(Node::Leaf(self.sequence(line)?))
            }
            Event::MappingStart(_, tag) => {
                if tag.is_some() {
                    return self.stop(line, &REFUSED_TAG);
                }
                let items = self.map(depth)?;
                // rcl takes an empty section, but an empty map among the parameters ends it.
                if items.is_empty() && self.path.last().is_none_or(|key| key != PARAMETERS) {
                    self.refuse(line, &REFUSED_EMPTY_MAP);
                }
                Ok(Node::Map(items))
            }
            Event::Alias(_) => self.stop(line, &REFUSED_ALIAS),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => self.stop(line, &REFUSED_EMPTY),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<String>,
        span: &Span,
    ) -> Entry {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let is_string_tag = tag.as_deref() == Some("tag:yaml.org,2002:str");
        let place = self.place(span.start.line());
        let scalar = match rcl_scalar::read(text, style, is_string_tag) {
            Ok(scalar) => scalar,
            Err(unreadable) => {
                self.refuse_scalar(span.start.line(), text, unreadable);
                return Entry {
                    value: Value::String(String::new()),
                    place,
                    doubt: None,
                    bool_word: None,
                };
            }
        };
        let is_several_lines = style != Style::Block && span.start.line() != span.end.line();
        let doubt = scalar
            .doubt
            .or_else(|| tag.filter(|_| !is_string_tag).map(Doubt::Tag))
            .or_else(|| is_several_lines.then_some(Doubt::SeveralLines));
        let bool_word = (matches!(scalar.value, Value::Bool(_))
            && !matches!(text, "true" | "false"))
        .then(|| text.to_owned());
        Entry {
            value: scalar.value,
            place,
            doubt,
            bool_word,
        }
    }

    fn sequence(&mut self, line: usize) -> Result<Entry, Stop> {
        let mut elements: Vec<Value> = Vec::new();
        let mut doubt = None;
        let mut bool_word = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::SequenceEnd => break,
                Event::Scalar(text, style, _, tag) => {
                    let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                    let entry = self.scalar(&text, style, tag, &span);
                    doubt = doubt.or(entry.doubt);
                    bool_word = bool_word.or(entry.bool_word);
                    elements.push(entry.value);
                }
                Event::Alias(_) => return self.stop(span.start.line(), &REFUSED_ALIAS),
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::SequenceStart(..)
                | Event::MappingStart(..)
                | Event::MappingEnd => {
                    return self.stop(span.start.line(), &REFUSED_NESTED_LIST);
                }
            }
        }
        let place = self.place(line);
        let value = match array(&elements) {
            Some(value) => value,
            None => {
                let rule = if elements.is_empty() {
                    &REFUSED_EMPTY_LIST
                } else {
                    &REFUSED_MIXED
                };
                self.refuse(line, rule);
                Value::Bool(false)
            }
        };
        Ok(Entry {
            value,
            place,
            doubt,
            bool_word,
        })
    }

    fn next(&mut self) -> Result<Next<'t>, Stop> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let found = format!("this is not YAML: {}", error.info());
                self.refuse_found(error.marker().line(), found, &REFUSED_SYNTAX);
                Err(Stop)
            }
            None => self.stop(0, &REFUSED_EMPTY),
        }
    }

    fn place(&self, line: usize) -> Place {
        let line = if self.is_argument { 0 } else { line };
        Place {
            rank: self.rank,
            line,
            label: self.label.clone(),
        }
    }

    fn stop<T>(&mut self, line: usize, rule: &Rule) -> Result<T, Stop> {
        self.refuse(line, rule);
        Err(Stop)
    }

    fn refuse(&mut self, line: usize, rule: &Rule) {
        self.refuse_found(line, rule.found.to_owned(), rule);
    }

    fn refuse_found(&mut self, line: usize, found: String, rule: &Rule) {
        let path = self.parameter_path();
        let key = match (self.is_argument, path.is_empty()) {
            (true, _) => path,
            (false, true) => format!("line {line}"),
            (false, false) => format!("line {line}, {path}"),
        };
        self.problems.push(Problem {
            key,
            found,
            allowed: rule.allowed.to_owned(),
            because: rule.because.to_owned(),
            fix: rule.fix.to_owned(),
            place: self.place(line),
        });
    }

    fn refuse_scalar(&mut self, line: usize, text: &str, unreadable: Unreadable) {
        let rule = match unreadable {
            Unreadable::Empty => &REFUSED_EMPTY,
            Unreadable::HexNumber => &REFUSED_HEX,
            Unreadable::BinaryNumber => &REFUSED_BINARY,
            Unreadable::TooSmall => &REFUSED_TOO_SMALL,
            Unreadable::NulCharacter => &REFUSED_NUL,
        };
        let found = match unreadable {
            Unreadable::Empty | Unreadable::NulCharacter => rule.found.to_owned(),
            Unreadable::HexNumber | Unreadable::BinaryNumber | Unreadable::TooSmall => {
                format!("{text} is not allowed")
            }
        };
        self.refuse_found(line, found, rule);
    }

    /// The keys after `ros__parameters`, or all of them before it.
    fn parameter_path(&self) -> String {
        let after = self
            .path
            .iter()
            .position(|key| key == PARAMETERS)
            .map_or(0, |at| at + 1);
        self.path.get(after..).unwrap_or_default().join(".")
    }
}
