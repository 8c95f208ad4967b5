//! Parameters as rcl's own parser reads them.
//!
//! rcl parses params files and `-p` values with its own YAML rules, which
//! differ from YAML's. This is that parser: the configuration's reader is
//! compared with it, and the node's run-time values come through it.
//!
//! **Invariant:** a text that rcl refuses is an error with rcl's words.

use std::path::Path;
use std::ptr::NonNull;

use r2r_rcl::{
    rcl_params_t, rcl_parse_yaml_file, rcl_parse_yaml_value, rcl_variant_t,
    rcl_yaml_node_struct_fini, rcl_yaml_node_struct_init, rcutils_get_default_allocator,
};

use super::error::{RclError, c_string, copy_string};

/// rcl's general code, for functions that answer only true or false.
const ERROR: i32 = 1;

/// A parameter value.
#[derive(Debug, Clone, PartialEq)]
pub enum RclValue {
    /// true or false
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or exponent, NaN and infinities included.
    Double(f64),
    /// Text; bytes that are not UTF-8 become U+FFFD.
    String(String),
    /// Bytes; YAML cannot express them, `-p` cannot either.
    ByteArray(Vec<u8>),
    /// A list of booleans.
    BoolArray(Vec<bool>),
    /// A list of whole numbers.
    IntArray(Vec<i64>),
    /// A list of numbers.
    DoubleArray(Vec<f64>),
    /// A list of texts.
    StringArray(Vec<String>),
}

/// One section of a params file: the nodes it is for, and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeParams {
    /// A node's name or a pattern with `*` and `**`, as written.
    pub pattern: String,
    /// Dotted keys and values, in the order rcl holds them.
    pub values: Vec<(String, RclValue)>,
}

/// All sections, in the order of their first appearance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParamsFile {
    /// The sections.
    pub nodes: Vec<NodeParams>,
}

/// Parses a params file as `--params-file` would.
///
/// # Errors
/// rcl's text, for a file it cannot read or parse.
pub fn parse_params_file(path: &Path) -> Result<ParamsFile, RclError> {
    const CALL: &str = "rcl_parse_yaml_file";
    let Some(path) = path.to_str() else {
        return Err(RclError::refused(CALL, format!("{path:?} is not UTF-8")));
    };
    let path = c_string(CALL, path)?;
    let params = Params::new()?;
    // SAFETY: a NUL-terminated path and an initialised struct.
    let parsed = unsafe { rcl_parse_yaml_file(path.as_ptr(), params.0.as_ptr()) };
    if !parsed {
        return Err(RclError::take(CALL, ERROR));
    }
    params.read()
}

/// Parses the text right of `:=` as `-p name:=text` would.
///
/// # Errors
/// rcl's text, for a text it cannot parse.
pub fn parse_param_value(text: &str) -> Result<RclValue, RclError> {
    const CALL: &str = "rcl_parse_yaml_value";
    let text = c_string(CALL, text)?;
    let params = Params::new()?;
    // SAFETY: three NUL-terminated strings and an initialised struct.
    let parsed = unsafe {
        rcl_parse_yaml_value(c"node".as_ptr(), c"value".as_ptr(), text.as_ptr(), params.0.as_ptr())
    };
    if !parsed {
        return Err(RclError::take(CALL, ERROR));
    }
    let mut values = params.read()?.nodes.into_iter().flat_map(|node| node.values);
    let (_, value) = values.next().ok_or_else(|| RclError::refused(CALL, "no value"))?;
    Ok(value)
}

/// Owns rcl's parameter struct.
pub(super) struct Params(NonNull<rcl_params_t>);

impl Params {
    fn new() -> Result<Self, RclError> {
        // SAFETY: takes an allocator by value; returns an owned struct or null.
        let raw = unsafe { rcl_yaml_node_struct_init(rcutils_get_default_allocator()) };
        NonNull::new(raw)
            .map(Self)
            .ok_or_else(|| RclError::take("rcl_yaml_node_struct_init", ERROR))
    }

    /// Takes over a struct that rcl allocated.
    ///
    /// # Safety
    /// `raw` is an initialised struct that nobody else releases.
    pub(super) unsafe fn from_raw(raw: NonNull<rcl_params_t>) -> Self {
        Self(raw)
    }

    /// Copies everything out.
    pub(super) fn read(&self) -> Result<ParamsFile, RclError> {
        // SAFETY: an initialised struct; rcl keeps `num_nodes` entries in both
        // lists, which are null only when there are none.
        let (names, sections) = unsafe {
            let params = self.0.as_ref();
            (list(params.node_names, params.num_nodes), list(params.params, params.num_nodes))
        };
        let mut nodes = Vec::with_capacity(sections.len());
        for (name, section) in names.iter().zip(sections) {
            // SAFETY: rcl keeps `num_params` entries in both lists.
            let (keys, variants) = unsafe {
                (
                    list(section.parameter_names, section.num_params),
                    list(section.parameter_values, section.num_params),
                )
            };
            let mut values = Vec::with_capacity(keys.len());
            for (key, variant) in keys.iter().zip(variants) {
                // SAFETY: NUL-terminated, owned by the struct.
                let key = unsafe { copy_string(*key) };
                // SAFETY: a variant of an initialised struct.
                let value = unsafe { value(variant) };
                let value = value.ok_or_else(|| {
                    RclError::refused("rcl_variant_t", format!("parameter {key:?} has no value"))
                })?;
                values.push((key, value));
            }
            // SAFETY: NUL-terminated, owned by the struct.
            let pattern = unsafe { copy_string(*name) };
            nodes.push(NodeParams { pattern, values });
        }
        Ok(ParamsFile { nodes })
    }
}

impl Drop for Params {
    fn drop(&mut self) {
        // SAFETY: owned, initialised, released once.
        unsafe { rcl_yaml_node_struct_fini(self.0.as_ptr()) };
    }
}

/// A C array as a slice; empty for null.
///
/// # Safety
/// `data` is null or points to `size` initialised values that outlive `'a`.
unsafe fn list<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, size) }
}

/// A copy of the one value that a variant holds.
///
/// # Safety
/// The variant belongs to an initialised parameter struct.
unsafe fn value(variant: &rcl_variant_t) -> Option<RclValue> {
    // SAFETY: each pointer is null or points to a value of its type; arrays
    // hold `size` values.
    unsafe {
        if let Some(value) = variant.bool_value.as_ref() {
            return Some(RclValue::Bool(*value));
        }
        if let Some(value) = variant.integer_value.as_ref() {
            return Some(RclValue::Int(*value));
        }
        if let Some(value) = variant.double_value.as_ref() {
            return Some(RclValue::Double(*value));
        }
        if !variant.string_value.is_null() {
            return Some(RclValue::String(copy_string(variant.string_value)));
        }
        if let Some(array) = variant.byte_array_value.as_ref() {
            return Some(RclValue::ByteArray(list(array.values, array.size).to_vec()));
        }
        if let Some(array) = variant.bool_array_value.as_ref() {
            return Some(RclValue::BoolArray(list(array.values, array.size).to_vec()));
        }
        if let Some(array) = variant.integer_array_value.as_ref() {
            return Some(RclValue::IntArray(list(array.values, array.size).to_vec()));
        }
        if let Some(array) = variant.double_array_value.as_ref() {
            return Some(RclValue::DoubleArray(list(array.values, array.size).to_vec()));
        }
        let array = variant.string_array_value.as_ref()?;
        let texts = list(array.data, array.size).iter().map(|text| copy_string(*text)).collect();
        Some(RclValue::StringArray(texts))
    }
}
