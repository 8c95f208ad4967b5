//! One number for the effective configuration: in `~/state`, a metric and the logs.
//!
//! A robot's description is not in it and has a digest of its own ([`super::model::Description`]).
//! It is the SHA-256 of the flat map as written: one line a key, sorted, `key: type value`. Defaults
//! are not in it (a new version with a new default shows as another version), foreign keys and
//! ROS's own are not either. Files, sections, comments and order make no difference.

use sha2::{Digest, Sha256};

use super::reader::is_foreign;
use super::value::FlatMap;

/// Lower-case hex.
pub(super) fn sha256(map: &FlatMap, foreign: &[String]) -> String {
    let digest = Sha256::digest(canonical(map, foreign).as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn canonical(map: &FlatMap, foreign: &[String]) -> String {
    let own = map.iter().filter(|(key, _)| {
        !is_foreign(key, foreign)
            && *key != "foreign_parameters"
            && *key != "start_type_description_service"
            && *key != "enable_logger_service"
            && !key.starts_with("qos_overrides.")
    });
    own.map(|(key, entry)| format!("{key}: {} {}\n", entry.value.type_name(), entry.value))
        .collect()
}
