//! A whole message as a tree of values.
//!
//! For start-up and tests: building safe messages and our own small messages, and comparing
//! messages by what they say. The gate's path never makes one; it works in the received bytes.
//!
//! **Invariant:** equality is of bits, so a NaN equals itself and -0 does not equal 0: two values
//! are equal exactly if they encode to the same bytes.

use thiserror::Error;

use super::cursor::index;
use super::fit::{fit, fit_list};
use super::layout::{LayoutProblem, check_path};
use super::path::{Index, Path, Step};
use super::schema::{Arity, Field, Kind, MessageType, Primitive};

/// One value. Which variant belongs to a field follows from its kind and arity.
#[derive(Clone, Debug)]
pub enum Value {
    /// `bool`.
    Bool(bool),
    /// `byte`, `char`, `wchar` and the unsigned integers.
    Unsigned(u64),
    /// The signed integers.
    Signed(i64),
    /// `float32`.
    F32(f32),
    /// `float64`.
    F64(f64),
    /// `string`, without NUL.
    Text(Vec<u8>),
    /// `wstring`, in 16-bit units.
    WideText(Vec<u16>),
    /// A message: its fields in the order of its type.
    Message(Vec<Value>),
    /// An array or sequence.
    List(Vec<Value>),
}

/// A value that cannot be set or read by a path.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("`{path}` of {message}: {problem}")]
pub struct SetError {
    /// The path.
    pub path: String,
    /// The message type it starts from.
    pub message: String,
    /// What is wrong.
    pub problem: SetProblem,
}

/// What is wrong with setting a value.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SetProblem {
    /// The path does not fit the type.
    #[error(transparent)]
    Path(#[from] LayoutProblem),
    /// The value does not fit the field.
    #[error("{value} does not fit {type_name}")]
    WrongValue {
        /// The value.
        value: String,
        /// The field's type.
        type_name: String,
    },
    /// The tree is not one of this type, or the path names an element that is not there.
    #[error("there is no such value")]
    Missing,
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Unsigned(one), Self::Unsigned(other)) => one == other,
            (Self::Signed(one), Self::Signed(other)) => one == other,
            (Self::F32(one), Self::F32(other)) => one.to_bits() == other.to_bits(),
            (Self::F64(one), Self::F64(other)) => one.to_bits() == other.to_bits(),
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::WideText(one), Self::WideText(other)) => one == other,
            (Self::Message(one), Self::Message(other)) | (Self::List(one), Self::List(other)) => {
                one == other
            }
            (
                Self::Bool(_)
                | Self::Unsigned(_)
                | Self::Signed(_)
                | Self::F32(_)
                | Self::F64(_)
                | Self::Text(_)
                | Self::WideText(_)
                | Self::Message(_)
                | Self::List(_),
                _,
            ) => false,
        }
    }
}

impl Eq for Value {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }
}

impl Value {
    /// A message as its type fills it when nobody sets anything: the type's own defaults, else
    /// zeros, empty texts and empty sequences.
    #[must_use]
    pub fn default_of(message: &MessageType) -> Self {
        Self::Message(message.fields.iter().map(Self::default_of_field).collect())
    }

    fn default_of_field(field: &Field) -> Self {
        if let Some(default) = &field.default {
            return default.clone();
        }
        match field.arity {
            Arity::One => Self::default_of_kind(&field.kind),
            Arity::Array(count) => Self::List(vec![Self::default_of_kind(&field.kind); count]),
            Arity::Sequence { .. } => Self::List(Vec::new()),
        }
    }

    /// One element of that kind with nothing set.
    #[must_use]
    pub fn default_of_kind(kind: &Kind) -> Self {
        match kind {
            Kind::Primitive(Primitive::Bool) => Self::Bool(false),
            Kind::Primitive(Primitive::F32) => Self::F32(0.0),
            Kind::Primitive(Primitive::F64) => Self::F64(0.0),
            Kind::Primitive(Primitive::I8 | Primitive::I16 | Primitive::I32 | Primitive::I64) => {
                Self::Signed(0)
            }
            Kind::Primitive(
                Primitive::Octet
                | Primitive::Char
                | Primitive::WChar
                | Primitive::U8
                | Primitive::U16
                | Primitive::U32
                | Primitive::U64,
            ) => Self::Unsigned(0),
            Kind::String { .. } => Self::Text(Vec::new()),
            Kind::WString { .. } => Self::WideText(Vec::new()),
            Kind::Message(message) => Self::default_of(message),
        }
    }

    /// Sets every field that `path` names. `[i]` and ranges make a sequence long enough; `[]` and
    /// no index take the elements that are there, and a [`Value::List`] replaces the whole array.
    /// Numbers are converted where nothing is lost but a float's precision.
    ///
    /// # Errors
    /// [`SetError`] when the path does not fit the type or the value does not fit the field; the
    /// tree may then be longer than before, but holds no wrong value.
    pub fn set(
        &mut self,
        message: &MessageType,
        path: &Path,
        value: &Self,
    ) -> Result<(), SetError> {
        let fail =
            |problem| SetError { path: path.to_string(), message: message.name.clone(), problem };
        check_path(message, path).map_err(|problem| fail(problem.into()))?;
        set_below(self, message, path.steps(), value).map_err(fail)
    }

    /// Every value that `path` names, in wire order; an array at its end gives its elements.
    ///
    /// # Errors
    /// [`SetError`] when the path does not fit the type.
    pub fn get(&self, message: &MessageType, path: &Path) -> Result<Vec<&Self>, SetError> {
        let fail =
            |problem| SetError { path: path.to_string(), message: message.name.clone(), problem };
        check_path(message, path).map_err(|problem| fail(problem.into()))?;
        let mut values = Vec::new();
        get_below(self, message, path.steps(), &mut values).map_err(fail)?;
        Ok(values)
    }
}

/// The field that the first step names, its value's place, and the steps after it.
fn position_of<'message>(
    message: &'message MessageType,
    step: &Step,
) -> Result<(usize, &'message Field), SetProblem> {
    message
        .fields
        .iter()
        .enumerate()
        .find(|(_, field)| field.name == step.name)
        .ok_or(SetProblem::Missing)
}

fn get_below<'value>(
    tree: &'value Value,
    message: &MessageType,
    steps: &[Step],
    values: &mut Vec<&'value Value>,
) -> Result<(), SetProblem> {
    let (Some((step, rest)), Value::Message(fields)) = (steps.split_first(), tree) else {
        return Err(SetProblem::Missing);
    };
    let (place, field) = position_of(message, step)?;
    let at = fields.get(place).ok_or(SetProblem::Missing)?;
    let elements: Vec<&Value> = match at {
        Value::List(elements) => {
            let range = element_range(step.index, elements.len());
            elements.iter().skip(range.start).take(range.len()).collect()
        }
        Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Signed(_)
        | Value::F32(_)
        | Value::F64(_)
        | Value::Text(_)
        | Value::WideText(_)
        | Value::Message(_) => vec![at],
    };
    match (&field.kind, rest) {
        (_, []) => values.extend(elements),
        (Kind::Message(inner), rest) => {
            for element in elements {
                get_below(element, inner, rest, values)?;
            }
        }
        (Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. }, _) => {
            return Err(SetProblem::Missing);
        }
    }
    Ok(())
}

fn element_range(index_: Index, len: usize) -> std::ops::Range<usize> {
    let (from, to) = match index_ {
        Index::None | Index::All => (0, len),
        Index::One(one) => (index(one), index(one).saturating_add(1)),
        Index::Range(from, to) => (index(from), index(to)),
    };
    from.min(len)..to.min(len)
}

fn set_below(
    tree: &mut Value,
    message: &MessageType,
    steps: &[Step],
    value: &Value,
) -> Result<(), SetProblem> {
    let (Some((step, rest)), Value::Message(fields)) = (steps.split_first(), tree) else {
        return Err(SetProblem::Missing);
    };
    let (place, field) = position_of(message, step)?;
    let at = fields.get_mut(place).ok_or(SetProblem::Missing)?;
    let whole = matches!(step.index, Index::None | Index::All);
    if let (true, [], Value::List(_)) = (whole, rest, value) {
        *at = fit_list(value, field).ok_or_else(|| wrong(value, field))?;
        return Ok(());
    }
    let one = |element: &mut Value| -> Result<(), SetProblem> {
        match (&field.kind, rest) {
            (_, []) => {
                *element = fit(value, &field.kind).ok_or_else(|| wrong(value, field))?;
                Ok(())
            }
            (Kind::Message(inner), rest) => set_below(element, inner, rest, value),
            (Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. }, _) => {
                Err(SetProblem::Missing)
            }
        }
    };
    if field.arity == Arity::One {
        return one(at);
    }
    let Value::List(elements) = at else {
        return Err(SetProblem::Missing);
    };
    let needed = match step.index {
        Index::None | Index::All => 0,
        Index::One(last) => index(last).saturating_add(1),
        Index::Range(_, end) => index(end),
    };
    // Growing comes after `check_path`: an index past the bound never gets here.
    while elements.len() < needed {
        elements.push(Value::default_of_kind(&field.kind));
    }
    let range = element_range(step.index, elements.len());
    elements.get_mut(range).unwrap_or_default().iter_mut().try_for_each(one)
}

fn wrong(value: &Value, field: &Field) -> SetProblem {
    SetProblem::WrongValue { value: format!("{value:?}"), type_name: field.type_name() }
}
