//! Whether a value fits a field, and its conversion where it does.
//!
//! Numbers are converted where nothing is lost but a float's precision: an integer may become a
//! wider or narrower one that holds it, or a float that holds it exactly; a float never becomes an
//! integer. Texts and arrays are held to their bounds.

use super::access::narrow;
use super::schema::{Arity, Field, Kind, Primitive};
use super::value::Value;

/// The value as a whole array of that field; `None` if it does not fit.
pub(super) fn fit_list(value: &Value, field: &Field) -> Option<Value> {
    let Value::List(elements) = value else {
        return None;
    };
    let fits = match field.arity {
        Arity::One => false,
        Arity::Array(count) => elements.len() == count,
        Arity::Sequence { bound } => bound.is_none_or(|bound| elements.len() <= bound),
    };
    let converted: Option<Vec<Value>> =
        elements.iter().map(|element| fit(element, &field.kind)).collect();
    converted.filter(|_| fits).map(Value::List)
}

/// The value as one element of that kind; `None` if it does not fit.
pub(super) fn fit(value: &Value, kind: &Kind) -> Option<Value> {
    match (kind, value) {
        (Kind::Primitive(primitive), value) => fit_number(value, *primitive),
        (Kind::String { bound }, Value::Text(text)) => {
            let fits = bound.is_none_or(|bound| text.len() <= bound) && !text.contains(&0);
            fits.then(|| value.clone())
        }
        (Kind::WString { bound }, Value::WideText(text)) => {
            bound.is_none_or(|bound| text.len() <= bound).then(|| value.clone())
        }
        (Kind::Message(message), Value::Message(fields)) => {
            let fields: Option<Vec<Value>> = (fields.len() == message.fields.len())
                .then(|| {
                    fields
                        .iter()
                        .zip(&message.fields)
                        .map(|(value, field)| match field.arity {
                            Arity::One => fit(value, &field.kind),
                            Arity::Array(_) | Arity::Sequence { .. } => fit_list(value, field),
                        })
                        .collect()
                })
                .flatten();
            fields.map(Value::Message)
        }
        (Kind::String { .. } | Kind::WString { .. } | Kind::Message(_), _) => None,
    }
}

fn fit_number(value: &Value, primitive: Primitive) -> Option<Value> {
    let integer: Option<i128> = match value {
        Value::Unsigned(number) => Some(i128::from(*number)),
        Value::Signed(number) => Some(i128::from(*number)),
        Value::Bool(number) => Some(i128::from(*number)),
        Value::F32(_)
        | Value::F64(_)
        | Value::Text(_)
        | Value::WideText(_)
        | Value::Message(_)
        | Value::List(_) => None,
    };
    match primitive {
        Primitive::Bool => match integer? {
            0 => Some(Value::Bool(false)),
            1 => Some(Value::Bool(true)),
            _ => None,
        },
        Primitive::Octet | Primitive::Char | Primitive::U8 => {
            u8::try_from(integer?).ok().map(|number| Value::Unsigned(number.into()))
        }
        Primitive::WChar | Primitive::U16 => {
            u16::try_from(integer?).ok().map(|number| Value::Unsigned(number.into()))
        }
        Primitive::U32 => u32::try_from(integer?).ok().map(|n| Value::Unsigned(n.into())),
        Primitive::U64 => u64::try_from(integer?).ok().map(Value::Unsigned),
        Primitive::I8 => i8::try_from(integer?).ok().map(|number| Value::Signed(number.into())),
        Primitive::I16 => i16::try_from(integer?).ok().map(|number| Value::Signed(number.into())),
        Primitive::I32 => i32::try_from(integer?).ok().map(|number| Value::Signed(number.into())),
        Primitive::I64 => i64::try_from(integer?).ok().map(Value::Signed),
        Primitive::F64 => float(value, integer).map(Value::F64),
        Primitive::F32 => match value {
            Value::F32(number) => Some(Value::F32(*number)),
            Value::Bool(_)
            | Value::Unsigned(_)
            | Value::Signed(_)
            | Value::F64(_)
            | Value::Text(_)
            | Value::WideText(_)
            | Value::Message(_)
            | Value::List(_) => narrow(float(value, integer)?).map(Value::F32),
        },
    }
}

/// The number as a float; an integer only if it is exact in 32 bits, where every float holds it.
fn float(value: &Value, integer: Option<i128>) -> Option<f64> {
    match (value, integer) {
        (Value::F64(number), _) => Some(*number),
        (Value::F32(number), _) => Some(f64::from(*number)),
        (Value::Unsigned(_) | Value::Signed(_), Some(integer)) => {
            i32::try_from(integer).ok().map(f64::from)
        }
        (
            Value::Bool(_)
            | Value::Unsigned(_)
            | Value::Signed(_)
            | Value::Text(_)
            | Value::WideText(_)
            | Value::Message(_)
            | Value::List(_),
            _,
        ) => None,
    }
}
