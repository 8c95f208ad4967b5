//! The walk over YAML events behind [`super::yaml`]: refuses by name what rcl would misread.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::problem::{Place, Problem, Problems};
use super::rcl_scalar::{self, Style, Unreadable};
use super::value::{Doubt, Entry, Value};
use super::yaml::{Item, Node};
use super::yaml_rules::*;
use super::yaml_text::{self, Source};

/// Deeper maps are refused; no configuration needs them, and a stack has an end.
const MAX_DEPTH: usize = 32;

/// One text on its way through.
pub(super) struct Reader<'t> {
    source: Source<'t>,
    /// How many `{` and `[` are open.
    flow: usize,
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
            source: Source::new(text),
            flow: 0,
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
        let items = self.refuse_lines().and_then(|()| self.document());
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
        self.refuse_lines()?;
        self.start()?;
        let (event, span) = self.next()?;
        let entry = match self.value(event, span, 0)? {
            Node::Leaf(entry) => entry,
            Node::Map(_) => return self.stop(0, &REFUSED_MAP_ARGUMENT),
        };
        self.end()?;
        Ok(entry)
    }

    fn refuse_lines(&mut self) -> Result<(), Stop> {
        match self.source.refused_line() {
            None => Ok(()),
            Some((line, found, rule)) => {
                self.refuse_found(line, found, rule);
                Err(Stop)
            }
        }
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
            (Event::MappingStart(anchor, tag), span) => {
                self.refuse_decorated(span.start.line(), anchor, tag.is_some())?;
                self.flow = usize::from(self.source.is_flow(&span));
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
        while let Some((key, line)) = self.key()? {
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
        Ok(items)
    }

    /// The next key and its line; `None` at the map's end.
    fn key(&mut self) -> Result<Option<(String, usize)>, Stop> {
        let (event, span) = self.next()?;
        let line = span.start.line();
        let key = match event {
            Event::MappingEnd => return Ok(None),
            Event::Scalar(key, style, anchor, tag) => {
                self.refuse_decorated(line, anchor, tag.is_some())?;
                self.refuse_in_flow(line, &key, style)?;
                if let Some(rule) = self.source.refused_key(&span, style) {
                    return self.stop(line, rule);
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
        Ok(Some((key, line)))
    }

    fn refuse_decorated(&mut self, line: usize, anchor: usize, tag: bool) -> Result<(), Stop> {
        match (anchor, tag) {
            (0, false) => Ok(()),
            (0, true) => self.stop(line, &REFUSED_TAG),
            (_, _) => self.stop(line, &REFUSED_ANCHOR),
        }
    }

    fn refuse_in_flow(&mut self, line: usize, text: &str, style: ScalarStyle) -> Result<(), Stop> {
        let is_open = style == ScalarStyle::Plain && self.flow > 0;
        if is_open && yaml_text::is_refused_in_flow(text) {
            return self.stop(line, &REFUSED_IN_FLOW);
        }
        Ok(())
    }

    fn value(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        let line = span.start.line();
        if depth > MAX_DEPTH {
            return self.stop(line, &REFUSED_DEPTH);
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_decorated(line, anchor, false)?;
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                Ok(Node::Leaf(self.scalar(&text, style, tag, &span)?))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_decorated(line, anchor, tag.is_some())?;
                let flow = usize::from(self.source.is_flow(&span));
                self.flow += flow;
                let entry = self.sequence(line)?;
                self.flow -= flow;
                Ok(Node::Leaf(entry))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_decorated(line, anchor, tag.is_some())?;
                let flow = usize::from(self.source.is_flow(&span));
                self.flow += flow;
                let items = self.map(depth)?;
                self.flow -= flow;
                // rcl takes an empty section, but an empty map among the parameters ends it.
                if items.is_empty() && !self.is_section() {
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
    ) -> Result<Entry, Stop> {
        self.refuse_in_flow(span.start.line(), text, style)?;
        if let Some(rule) = self.source.refused_scalar(span, style) {
            return self.stop(span.start.line(), rule);
        }
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
                let value = Value::String(String::new());
                return Ok(Entry { value, place, doubt: None, bool_word: None });
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
        Ok(Entry { value: scalar.value, place, doubt, bool_word })
    }

    fn sequence(&mut self, line: usize) -> Result<Entry, Stop> {
        let mut elements: Vec<Value> = Vec::new();
        let mut doubt = None;
        let mut bool_word = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::SequenceEnd => break,
                Event::Scalar(text, style, anchor, tag) => {
                    self.refuse_decorated(span.start.line(), anchor, false)?;
                    let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                    let entry = self.scalar(&text, style, tag, &span)?;
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
                let rule = if elements.is_empty() { &REFUSED_EMPTY_LIST } else { &REFUSED_MIXED };
                self.refuse(line, rule);
                Value::Bool(false)
            }
        };
        Ok(Entry { value, place, doubt, bool_word })
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
        Place { rank: self.rank, line, label: self.label.clone() }
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
        // Rules about a written value have no text of their own.
        let found = match rule.found {
            "" => format!("{text} is not allowed"),
            found => found.to_owned(),
        };
        self.refuse_found(line, found, rule);
    }

    /// Whether the last key is the one that opens a section's parameters.
    fn is_section(&self) -> bool {
        self.path.iter().position(|key| key == PARAMETERS) == self.path.len().checked_sub(1)
    }

    /// The keys after `ros__parameters`, or all of them before it.
    fn parameter_path(&self) -> String {
        let mut parts = self.path.rsplitn(2, |key| key == PARAMETERS);
        parts.next().unwrap_or_default().join(".")
    }
}
