//! The bytes that a mapped lane's safe message begins with: the type's defaults, with every count,
//! name and fixed value that the map tells.

use super::paths::{many_steps, with_index};
use crate::cdr::{Endian, Index, MessageType, Value, encode};
use crate::codec::CodecError;
use crate::config::model::{FieldMap, FixedField, LaneConfig};

/// The value in the safe command made at start-up.
pub(super) fn safe_value(fixed: &FixedField) -> Option<i64> {
    let only = match fixed.allowed.as_slice() {
        [only] => Some(*only),
        [] | [..] => None,
    };
    fixed.safe.or(only)
}

/// The bytes that a safe message begins with.
pub(super) fn start(
    lane: &LaneConfig,
    fields: &FieldMap,
    message: &MessageType,
    frozen: &MessageType,
) -> Result<Vec<u8>, CodecError> {
    let failed = |error: &dyn std::fmt::Display| CodecError::Safe(error.to_string());
    let mut value = Value::default_of(frozen);
    if let Some(path) = &fields.names
        && let [step] = many_steps(message, path).as_slice()
    {
        for (element, name) in (0..).zip(&lane.dimensions) {
            let one = with_index(path, *step, Index::One(element));
            let text = Value::from(name.as_str());
            value.set(frozen, &one, &text).map_err(|error| failed(&error))?;
        }
    }
    for fixed in &lane.fixed {
        let Some(safe) = safe_value(fixed) else { continue };
        let safe = Value::Signed(safe);
        value.set(frozen, &fixed.field, &safe).map_err(|error| failed(&error))?;
    }
    encode(message, &value, Endian::Little).map_err(|error| failed(&error))
}
