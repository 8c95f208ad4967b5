//! YAML as JSON values: every scalar a text. Enough for rule files, which use no anchors.

use saphyr_parser::{Event, Parser, StrInput};
use serde_json::{Map, Value};

/// One document.
pub(crate) fn parse(text: &str) -> Value {
    let mut parser = Parser::new_from_str(text);
    loop {
        if let Event::DocumentStart(_) = next(&mut parser) {
            let first = next(&mut parser);
            return value(&mut parser, first);
        }
    }
}

fn next<'t>(parser: &mut Parser<'t, StrInput<'t>>) -> Event<'t> {
    parser.next_event().expect("the document goes on").expect("YAML").0
}

fn value<'t>(parser: &mut Parser<'t, StrInput<'t>>, first: Event<'t>) -> Value {
    match first {
        Event::Scalar(text, ..) => Value::String(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(parser) {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(value(parser, event)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                match next(parser) {
                    Event::MappingEnd => return Value::Object(map),
                    Event::Scalar(key, ..) => {
                        let event = next(parser);
                        let inner = value(parser, event);
                        assert!(
                            map.insert(key.clone().into_owned(), inner).is_none(),
                            "{key} twice"
                        );
                    }
                    other => panic!("not a key: {other:?}"),
                }
            }
        }
        other => panic!("not a value: {other:?}"),
    }
}
