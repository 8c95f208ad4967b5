//! The texts of what the file loader refuses: each names rcl's behaviour and the way out.

use super::value::Value;

/// The key that separates node names from parameters.
pub(super) const PARAMETERS: &str = "ros__parameters";

/// One thing that is refused in any params file.
pub(super) struct Rule {
    pub(super) found: &'static str,
    pub(super) allowed: &'static str,
    pub(super) because: &'static str,
    pub(super) fix: &'static str,
}

/// The typed array of elements, where all have one type.
pub(super) fn array(elements: &[Value]) -> Option<Value> {
    /// All elements through `pick`, or none.
    fn all<T>(elements: &[Value], pick: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        elements.iter().map(pick).collect()
    }
    match elements.first()? {
        Value::Bool(_) => all(elements, |value| match value {
            Value::Bool(v) => Some(*v),
            Value::Int(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::BoolArray(_)
            | Value::IntArray(_)
            | Value::DoubleArray(_)
            | Value::StringArray(_) => None,
        })
        .map(Value::BoolArray),
        Value::Int(_) => all(elements, |value| match value {
            Value::Int(v) => Some(*v),
            Value::Bool(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::BoolArray(_)
            | Value::IntArray(_)
            | Value::DoubleArray(_)
            | Value::StringArray(_) => None,
        })
        .map(Value::IntArray),
        Value::Double(_) => all(elements, |value| match value {
            Value::Double(v) => Some(*v),
            Value::Bool(_)
            | Value::Int(_)
            | Value::String(_)
            | Value::BoolArray(_)
            | Value::IntArray(_)
            | Value::DoubleArray(_)
            | Value::StringArray(_) => None,
        })
        .map(Value::DoubleArray),
        Value::String(_) => all(elements, |value| match value {
            Value::String(v) => Some(v.clone()),
            Value::Bool(_)
            | Value::Int(_)
            | Value::Double(_)
            | Value::BoolArray(_)
            | Value::IntArray(_)
            | Value::DoubleArray(_)
            | Value::StringArray(_) => None,
        })
        .map(Value::StringArray),
        Value::BoolArray(_)
        | Value::IntArray(_)
        | Value::DoubleArray(_)
        | Value::StringArray(_) => None,
    }
}

/// What libyaml takes as printable and both parsers take as one character of a line.
pub(super) fn is_plain_character(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

pub(super) const REFUSED_CHARACTER: Rule = Rule {
    found: "a character is not allowed",
    allowed: "printable characters, spaces and line ends (LF or CR LF)",
    because: "rcl's parser refuses it or takes it for something else than other YAML readers do",
    fix: "replace it; indent with spaces, not tabs",
};
pub(super) const REFUSED_DIRECTIVE: Rule = Rule {
    found: "a line that starts with % or ... is not allowed",
    allowed: "a params file without YAML directives and document ends",
    because: "rcl's parser and YAML 1.2 do not agree on them",
    fix: "remove the line",
};
pub(super) const REFUSED_SYNTAX: Rule = Rule {
    found: "this is not YAML",
    allowed: "a ROS 2 params file: NODE: {ros__parameters: {…}}",
    because: "a file that cannot be read completely is not read at all",
    fix: "correct the line; indentation and brackets are the usual cause",
};
pub(super) const REFUSED_TOP: Rule = Rule {
    found: "the file does not start with a node's name",
    allowed: "NODE: {ros__parameters: {…}}, for example `interlock:`",
    because: "it is a ROS 2 params file",
    fix: "put the parameters under `interlock:` and `ros__parameters:`",
};
pub(super) const REFUSED_SECOND_DOCUMENT: Rule = Rule {
    found: "a second YAML document is not allowed",
    allowed: "one document a file",
    because: "rcl reads both as one, other YAML readers do not",
    fix: "put it into a file of its own and pass both with --params-file",
};
pub(super) const REFUSED_TAG: Rule = Rule {
    found: "a tag on a key, list or map is not allowed",
    allowed: "tags only on values, and only !!str",
    because: "rcl ignores it",
    fix: "remove the tag",
};
pub(super) const REFUSED_ALIAS: Rule = Rule {
    found: "an alias (*name) is not allowed",
    allowed: "the value itself",
    because: "rcl's parser has no aliases and refuses the whole file",
    fix: "write the value out",
};
pub(super) const REFUSED_ANCHOR: Rule = Rule {
    found: "an anchor (&name) is not allowed",
    allowed: "the value itself",
    because: "rcl's parser has no aliases, so an anchor can only be a mistake",
    fix: "remove it, or put the text in quotes",
};
pub(super) const REFUSED_IN_FLOW: Rule = Rule {
    found: "an unquoted text with : or ? in it, or | or > in front, is not allowed inside {} or []",
    allowed: "plain words and numbers, or text in quotes",
    because: "rcl's parser ends the text there, or refuses the file",
    fix: "put it in quotes",
};
pub(super) const REFUSED_KEY: Rule = Rule {
    found: "this key is not allowed",
    allowed: "a name of 1 to 500 characters with its colon on the same line",
    because: "rcl's parser refuses it, or cuts it short",
    fix: "write a plain name and a colon behind it",
};
pub(super) const REFUSED_TWICE: Rule = Rule {
    found: "is given twice",
    allowed: "each key once",
    because: "rcl keeps both and the last wins; a person reads the first",
    fix: "remove one",
};
pub(super) const REFUSED_DOT: Rule = Rule {
    found: "a key with a dot may not hold further keys",
    allowed: "one map for each name",
    because: "rcl counts it as one level and removes one name too few or too many after it, so \
              every later key moves",
    fix: "nest the names: `a: {b: {…}}` instead of `a.b: {…}`",
};
pub(super) const REFUSED_ADJACENT: Rule = Rule {
    found: "a colon without a space after it",
    allowed: "`key: value`",
    because: "not every version of rcl's parser takes it for the end of a quoted key",
    fix: "put a space after the colon",
};
pub(super) const REFUSED_DEPTH: Rule = Rule {
    found: "too many levels",
    allowed: "32 levels",
    because: "no parameter needs more",
    fix: "flatten it",
};
pub(super) const REFUSED_EMPTY: Rule = Rule {
    found: "has no value",
    allowed: "a value",
    because: "rcl refuses a key without one; nothing here is switched off by leaving it empty",
    fix: "write the value, or remove the key",
};
pub(super) const REFUSED_EMPTY_MAP: Rule = Rule {
    found: "an empty map ({}) is not allowed",
    allowed: "at least one key",
    because: "rcl's parser leaves the section at an empty map and reads the next keys wrongly",
    fix: "remove the key",
};
pub(super) const REFUSED_EMPTY_LIST: Rule = Rule {
    found: "an empty list ([]) is not allowed",
    allowed: "at least one element",
    because: "to rcl it means \"not set\", so an empty list of what is allowed would read as all",
    fix: "remove the key, or name the elements",
};
pub(super) const REFUSED_MIXED: Rule = Rule {
    found: "a list of different types is not allowed",
    allowed: "elements of one type, for example [0.0, 1.5] instead of [0, 1.5]",
    because: "rcl refuses the whole file",
    fix: "write every number with a dot, or every text in quotes",
};
pub(super) const REFUSED_NESTED_LIST: Rule = Rule {
    found: "a list of lists or maps is not allowed",
    allowed: "a list of values of one type",
    because: "rcl flattens it into something else",
    fix: "give each element a name of its own under a map",
};
pub(super) const REFUSED_MAP_ARGUMENT: Rule = Rule {
    found: "a map is not allowed as an argument",
    allowed: "a value or a list of values",
    because: "rcl refuses it",
    fix: "pass one -p for each key",
};
pub(super) const REFUSED_ESCAPE: Rule = Rule {
    found: "\\/ is not allowed",
    allowed: "/ without a backslash",
    because: "rcl's parser refuses the file",
    fix: "remove the backslash",
};
pub(super) const REFUSED_BLOCK_END: Rule = Rule {
    found: "a block (| or >) without a line end behind it is not allowed",
    allowed: "a text that ends with a line end, or a value on one line",
    because: "rcl reads it without its line end, so that `5` in it becomes a number",
    fix: "end the file with a line end",
};
pub(super) const REFUSED_HEX: Rule = Rule {
    found: "",
    allowed: "a decimal number, or a hexadecimal integer of 64 bits",
    because: "C reads hexadecimal fractions and large numbers, other YAML readers read text",
    fix: "write it in decimal, or in quotes if it is text",
};
pub(super) const REFUSED_BINARY: Rule = Rule {
    found: "",
    allowed: "a decimal number",
    because: "new C libraries read an integer, older ones text",
    fix: "write it in decimal, or in quotes if it is text",
};
pub(super) const REFUSED_TOO_SMALL: Rule = Rule {
    found: "",
    allowed: "0, or a number of at least 2.3e-308",
    because: "rcl reads smaller ones as text",
    fix: "write 0.0",
};
pub(super) const REFUSED_NUL: Rule = Rule {
    found: "a text with a NUL character is not allowed",
    allowed: "text without it",
    because: "rcl's strings end there",
    fix: "remove it",
};
