//! The params file: from text or rcl parameters to a [`model::Config`], or to every problem at once.
pub mod model;
mod rules;
