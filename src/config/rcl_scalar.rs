//! How rcl reads one scalar of a params file: boolean, integer, number or text.
//!
//! Mirrors rcl_yaml_param_parser 9.2 (Jazzy) with libyaml and glibc behind it, not the YAML
//! specification: `no` is a boolean, `010` is 8, `1_000` is text, `1e-3` and `.inf` are numbers.
//! What depends on the C library's version is refused instead of guessed.
//!
//! **Invariant:** a value returned here is the value that rcl reads.

use super::value::{Doubt, Value};

/// How the scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single or double quotes: always text.
    Quoted,
    /// After `|` or `>`: typed like plain ones.
    Block,
}

/// A scalar that rcl refuses, or that its C library may read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Nothing was written.
    Empty,
    /// `0x…` that is not a 64-bit integer.
    HexNumber,
    /// `0b…`: an integer to new C libraries, text to old ones.
    BinaryNumber,
    /// Smaller than the smallest normal double.
    TooSmall,
    /// Text with a NUL character: C ends there.
    NulCharacter,
}

/// The value of a scalar and what is doubtful about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// As rcl reads it; never an array.
    pub value: Value,
    /// Set where a person reads it differently.
    pub doubt: Option<Doubt>,
}

/// Reads a scalar as rcl does.
///
/// # Errors
/// [`Unreadable`], each where its variant says.
pub fn read(text: &str, style: Style, is_string_tag: bool) -> Result<Scalar, Unreadable> {
    if text.contains('\0') {
        return Err(Unreadable::NulCharacter);
    }
    if text.is_empty() && style != Style::Quoted {
        return Err(Unreadable::Empty);
    }
    if is_string_tag || style == Style::Quoted {
        return Ok(Scalar { value: Value::String(text.to_owned()), doubt: None });
    }
    let mut scalar = read_unquoted(text)?;
    if style == Style::Block {
        scalar.doubt = Some(Doubt::BlockScalar);
    }
    Ok(scalar)
}

fn read_unquoted(text: &str) -> Result<Scalar, Unreadable> {
    if let Some(value) = boolean(text) {
        return Ok(Scalar { value: Value::Bool(value), doubt: None });
    }
    // strtoll and strtod skip white space in front, which only block scalars can have.
    let number = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let unsigned = number.strip_prefix(['+', '-']).unwrap_or(number);
    if let Some(bits) = unsigned.strip_prefix("0b").or_else(|| unsigned.strip_prefix("0B"))
        && bits.starts_with(['0', '1'])
    {
        return Err(Unreadable::BinaryNumber);
    }
    let is_hex = unsigned.starts_with("0x") || unsigned.starts_with("0X");
    if let Some(value) = integer(number) {
        let doubt = leading_zero(text, unsigned).filter(|_| !is_hex);
        return Ok(Scalar { value: Value::Int(value), doubt });
    }
    if is_hex {
        return Err(Unreadable::HexNumber);
    }
    let double = match special(text) {
        Some(value) => Decimal::Number(value),
        None => decimal(number)?,
    };
    let text_value = || Value::String(text.to_owned());
    Ok(match double {
        Decimal::Number(value) => {
            Scalar { value: Value::Double(value), doubt: leading_zero(text, unsigned) }
        }
        // strtod sets ERANGE, and rcl then takes the text.
        Decimal::TooLarge => {
            Scalar { value: text_value(), doubt: Some(Doubt::TooLarge(text.to_owned())) }
        }
        Decimal::None => Scalar {
            value: text_value(),
            doubt: is_null(text).then(|| Doubt::Null(text.to_owned())),
        },
    })
}

/// rcl's boolean words; no other capitalisation counts.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "Y" | "y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(true)
        }
        "N" | "n" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(false)
        }
        _ => None,
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "~" | "null" | "Null" | "NULL")
}

fn leading_zero(text: &str, unsigned: &str) -> Option<Doubt> {
    let mut characters = unsigned.chars();
    let is_doubtful = characters.next() == Some('0')
        && characters.next().is_some_and(|c| c.is_ascii_digit())
        && !unsigned.contains(['.', 'e', 'E']);
    is_doubtful.then(|| Doubt::LeadingZero(text.to_owned()))
}

/// `strtoll` with base 0 over the whole text; `None` where it stops early or overflows.
fn integer(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (16, hex),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    // from_str_radix would accept a second sign.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if is_negative { -magnitude } else { magnitude }).ok()
}

/// The dotted words for NaN and the infinities that rcl spells out.
fn special(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// What `strtod` makes of a text.
enum Decimal {
    /// All of it is a number.
    Number(f64),
    /// A number beyond the range of a double.
    TooLarge,
    /// Not a number, or only its beginning.
    None,
}

/// `strtod` over the whole text, without hexadecimal numbers: but for those words Rust reads the same.
fn decimal(text: &str) -> Result<Decimal, Unreadable> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let lower = unsigned.to_ascii_lowercase();
    if lower == "inf" || lower == "infinity" {
        return Ok(Decimal::Number(sign * f64::INFINITY));
    }
    if lower == "nan" || is_nan_with_payload(&lower) {
        return Ok(Decimal::Number(f64::NAN));
    }
    let Ok(value) = text.parse::<f64>() else {
        return Ok(Decimal::None);
    };
    if value.is_infinite() {
        return Ok(Decimal::TooLarge);
    }
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    if value.abs() <= f64::MIN_POSITIVE && mantissa.contains(|c: char| ('1'..='9').contains(&c)) {
        return Err(Unreadable::TooSmall);
    }
    Ok(Decimal::Number(value))
}

fn is_nan_with_payload(lower: &str) -> bool {
    lower
        .strip_prefix("nan(")
        .and_then(|rest| rest.strip_suffix(')'))
        .is_some_and(|inner| inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}
