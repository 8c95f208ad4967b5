//! The params file: from text or rcl parameters to a [`model::Config`], or to every problem at once.
//!
//! Flow: [`args`] takes the command line apart, [`yaml`] and [`section`] read files as rcl's parser
//! does, [`merge`] makes one [`value::FlatMap`] of them, [`reader`] turns that into a
//! [`model::Config`] ([`schema`] knows every key). At run time the node also compares the flat map
//! with what rcl gave it ([`difference`]) and does not start if they differ. [`check`] is
//! `--check-config`.
//!
//! **Invariant:** pure but for [`mod@load`], which reads the files; no ROS, no clock, no thread.
//! **Invariant:** nothing is ignored: each key is read, belongs to ROS, is listed as foreign, or is
//! a problem.
pub mod args;
mod balance;
mod batteries;
mod carries;
mod causes;
pub mod check;
pub mod difference;
mod digest;
mod engage;
mod feedback;
mod globals;
mod inputs;
mod keys;
mod kill_field;
mod lane;
mod lane_feedback;
mod limit_group;
mod limits;
pub mod load;
mod mapping;
pub mod merge;
pub mod model;
mod monitor;
mod motion;
mod names;
mod never;
mod origin;
mod paths;
mod places;
pub mod problem;
mod range;
pub mod rcl_scalar;
pub mod reader;
pub mod remap;
mod rules;
mod safe;
pub mod schema;
pub mod section;
mod shape;
mod source;
mod stop;
mod temperatures;
mod topics;
pub mod urdf;
pub mod value;
pub mod yaml;
mod yaml_reader;
mod yaml_rules;
mod yaml_text;

#[cfg(test)]
pub(crate) mod tests;

pub use difference::differences;
pub use load::load;
