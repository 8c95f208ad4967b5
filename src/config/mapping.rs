//! How a type without a built-in map is read: `fields`, `keep`, `fixed`, `allow_non_finite`,
//! `checksum`, `unused_elements`.
//!
//! Reads what is written and what can be known without the type: paths that parse, no field with
//! two meanings, values that agree. Whether the type has the fields, and whether every command field
//! is covered, is asked when the layout is compiled. **Invariant:** nothing is mapped by default.

use super::keys::Keys;
use super::model::{
    ChecksumConfig, ChecksumKind, FeedbackConfig, FeedbackType, FieldMap, FixedField, Mirror,
    UnusedElements,
};
use super::{names, paths, places};
use crate::cdr::Path;

/// Everything a mapped type needs.
#[derive(Default)]
pub(super) struct Mapping {
    pub(super) fields: FieldMap,
    pub(super) keep: Vec<Path>,
    pub(super) fixed: Vec<FixedField>,
    pub(super) allow_non_finite: Vec<Path>,
    pub(super) checksum: Option<ChecksumConfig>,
    pub(super) unused_elements: UnusedElements,
}

/// Whether `fields` is written.
pub(super) fn is_written(keys: &Keys<'_>, at: &str) -> bool {
    keys.map.under(&format!("{at}.fields")).next().is_some()
}

/// The mapping of a lane with `fields`.
pub(super) fn mapping(
    keys: &mut Keys<'_>,
    at: &str,
    feedback: &[FeedbackConfig],
) -> Option<Mapping> {
    let fields = fields(keys, at);
    let keep = paths::paths(keys, &format!("{at}.keep"));
    let fixed = fixed(keys, at, feedback);
    let allow_non_finite = paths::paths(keys, &format!("{at}.allow_non_finite"));
    let checksum = checksum(keys, at);
    let unused_elements = keys
        .word(
            &format!("{at}.unused_elements"),
            &[("zero", Some(UnusedElements::Zero)), ("keep", Some(UnusedElements::Keep))],
        )
        .or(UnusedElements::Zero);
    let mapping = Mapping {
        fields: fields?,
        keep: keep?,
        fixed: fixed?,
        allow_non_finite: allow_non_finite?,
        checksum: checksum?,
        unused_elements: unused_elements?,
    };
    one_meaning(keys, at, &mapping)?;
    if mapping.fields.names.is_none() {
        let is_single = places::lists_one(keys, at);
        places::refuse_apart(keys, at, &mapping.fields, is_single)?;
    }
    Some(mapping)
}

/// The names of a JointState say whose its numbers are, in any order: a map that leaves them out would
/// limit one joint by another's bounds.
pub(super) fn reads_names(
    keys: &mut Keys<'_>,
    at: &str,
    type_name: Option<&str>,
    fields: &FieldMap,
) -> Option<()> {
    let has_names = type_name == Some(FeedbackType::JointState.ros_name());
    if !has_names || fields.names.is_some() {
        return Some(());
    }
    keys.missing(
        &format!("{at}.fields.names"),
        "name",
        "a JointState has its joints in any order, and says which by their names",
    );
    None
}

/// What only a mapping uses must not stand beside a built-in type.
pub(super) fn refuse_without_fields(keys: &mut Keys<'_>, at: &str) -> Option<()> {
    let names = ["keep", "fixed", "allow_non_finite", "checksum", "unused_elements"];
    let all = names.map(|name| {
        keys.refuse_effectless(
            &format!("{at}.{name}"),
            "only beside `fields`",
            "a type with a built-in map is read as a whole, and has no such field",
        )
    });
    all.into_iter().collect()
}

/// `fields.<quantity>`.
pub(super) fn fields(keys: &mut Keys<'_>, at: &str) -> Option<FieldMap> {
    let mut read = |name: &str| paths::path(keys, &format!("{at}.fields.{name}")).optional();
    let (position, velocity) = (read("position"), read("velocity"));
    let (acceleration, effort) = (read("acceleration"), read("effort"));
    let (kp, kd, stamp, names) = (read("kp"), read("kd"), read("stamp"), read("names"));
    Some(FieldMap {
        position: position?,
        velocity: velocity?,
        acceleration: acceleration?,
        effort: effort?,
        kp: kp?,
        kd: kd?,
        stamp: stamp?,
        names: names?,
    })
}

/// `fields` of feedback: what is measured.
pub(super) fn measured_fields(keys: &mut Keys<'_>, at: &str) -> Option<FieldMap> {
    let mut read = |name: &str| paths::path(keys, &format!("{at}.fields.{name}")).optional();
    let (position, velocity, names) = (read("position"), read("velocity"), read("names"));
    Some(FieldMap {
        position: position?,
        velocity: velocity?,
        names: names?,
        ..FieldMap::default()
    })
}

/// `checksum.{field, kind}`.
pub(super) fn checksum(keys: &mut Keys<'_>, at: &str) -> Option<Option<ChecksumConfig>> {
    let (field_key, kind_key) = (format!("{at}.checksum.field"), format!("{at}.checksum.kind"));
    let field = paths::path(keys, &field_key);
    let kind = keys.word(&kind_key, &[("unitree_crc32", Some(ChecksumKind::UnitreeCrc32))]);
    if field.is_absent() && kind.is_absent() {
        return Some(None);
    }
    let field = keys.needed(&field_key, field, "the checksum's path", "it says what to verify");
    let kind = keys.needed(&kind_key, kind, "unitree_crc32", "a checksum's kind is never guessed");
    Some(Some(ChecksumConfig { field: field?, kind: kind? }))
}

fn fixed(keys: &mut Keys<'_>, at: &str, feedback: &[FeedbackConfig]) -> Option<Vec<FixedField>> {
    let group = format!("{at}.fixed");
    let written = keys.map.names_under(&group).len();
    let all = names::names(keys, &group);
    let fixed: Vec<FixedField> = all
        .into_iter()
        .filter_map(|name| one_fixed(keys, &format!("{group}.{name}"), name, feedback))
        .collect();
    (fixed.len() == written).then_some(fixed)
}

fn one_fixed(
    keys: &mut Keys<'_>,
    at: &str,
    name: String,
    feedback: &[FeedbackConfig],
) -> Option<FixedField> {
    let field_key = format!("{at}.field");
    let field = paths::path(keys, &field_key);
    let field = keys.needed(&field_key, field, "a field path", "it says which field is meant");
    let allowed = keys.integers(&format!("{at}.allowed"), i64::MIN, i64::MAX).optional();
    let safe_key = format!("{at}.safe");
    let because = "the safe command carries it";
    let safe = keys.integer(&safe_key, i64::MIN, i64::MAX, because).optional();
    let mirror = mirror(keys, &format!("{at}.mirror"), feedback);
    let (allowed, safe, mirror) = (allowed?.unwrap_or_default().to_vec(), safe?, mirror?);
    match (&mirror, safe) {
        (Some(_), Some(_)) => {
            keys.refuse(
                &safe_key,
                "contradicts `mirror`",
                "one of `safe` and `mirror`",
                "the safe command takes the mirrored value",
                "remove one",
            );
            return None;
        }
        (None, None) => {
            keys.missing(
                &safe_key,
                "an integer, or `mirror: <feedback>.<path>`",
                "a safe command is made before the first command has come, and zero may be a \
                 mode that the robot refuses",
            );
            return None;
        }
        (None, Some(value)) if !allowed.is_empty() && !allowed.contains(&value) => {
            keys.refuse(
                &safe_key,
                format!("{value} is not among `allowed`"),
                allowed.iter().map(i64::to_string).collect::<Vec<_>>().join(", "),
                "the gate must not send what it would refuse",
                "correct one of the two",
            );
            return None;
        }
        (None, Some(_)) | (Some(_), None) => {}
    }
    Some(FixedField { name, field: field?, allowed, safe, mirror })
}

/// `<feedback>.<path>`.
fn mirror(keys: &mut Keys<'_>, key: &str, feedback: &[FeedbackConfig]) -> Option<Option<Mirror>> {
    let Some(text) = keys.string(key).optional()? else {
        return Some(None);
    };
    let (name, path) = text.split_once('.').unwrap_or((text, ""));
    let index = feedback.iter().position(|one| one.name == name);
    let is_written = keys.map.under(&format!("feedback.{name}")).next().is_some();
    let Some(index) = index else {
        // A written one that could not be read has its own problem.
        if !is_written {
            keys.refuse(
                key,
                format!("{name:?} is not a feedback"),
                "<feedback>.<path>, for example low_state.mode_machine",
                "the value is taken from the newest message of that feedback",
                format!("add feedback.{name}, or correct the name"),
            );
        }
        return None;
    };
    if feedback.get(index).is_some_and(|one| one.feedback_type != FeedbackType::Mapped) {
        keys.refuse(
            key,
            format!("{name:?} is of a type with a built-in map"),
            "a feedback of the vendor's own type",
            "the built-in types have no mode or counter to mirror",
            "name another feedback",
        );
        return None;
    }
    match Path::parse(path) {
        Ok(field) => Some(Some(Mirror { feedback: index, field })),
        Err(error) => {
            keys.refuse(
                key,
                format!(
                    "{path:?} is not a field path: {} at character {}",
                    error.problem, error.at
                ),
                "<feedback>.<path>, for example low_state.mode_machine",
                "a field that is not found is never guessed",
                "correct the path",
            );
            None
        }
    }
}

/// One field cannot be two things.
fn one_meaning(keys: &mut Keys<'_>, at: &str, mapping: &Mapping) -> Option<()> {
    let quantities =
        mapping.fields.mapped().map(|(name, path)| (format!("{at}.fields.{name}"), path));
    let keep = mapping.keep.iter().map(|path| (format!("{at}.keep"), path));
    let fixed =
        mapping.fixed.iter().map(|one| (format!("{at}.fixed.{}.field", one.name), &one.field));
    let checksum = mapping.checksum.iter().map(|one| (format!("{at}.checksum.field"), &one.field));
    let mut seen: Vec<(String, &Path)> = Vec::new();
    let mut is_good = Some(());
    for (key, path) in quantities.chain(keep).chain(fixed).chain(checksum) {
        if let Some((other, _)) = seen.iter().find(|(_, known)| *known == path) {
            keys.refuse(
                &key,
                format!("{path} is also {other}"),
                "one meaning for each field",
                "of two rules for one field one would not be kept",
                "correct one of the two",
            );
            is_good = None;
        }
        seen.push((key, path));
    }
    is_good
}
