//! Why a type cannot be loaded, in words for whoever wrote the params file.

use thiserror::Error;

use super::members::FieldProblem;

/// A type that cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TypeSupportError {
    /// Not a type's full name.
    #[error(
        "`{0}` is not a type name; write package/msg/Name, for example geometry_msgs/msg/Twist"
    )]
    BadName(String),
    /// No ROS in the environment.
    #[error(
        "`{type_name}` cannot be loaded: AMENT_PREFIX_PATH is not set; source a ROS 2 installation"
    )]
    NoRos {
        /// The type asked for.
        type_name: String,
    },
    /// The package is not installed.
    #[error("package `{package}` of `{type_name}` is not installed{}", did_you_mean(similar))]
    NoPackage {
        /// The type asked for.
        type_name: String,
        /// Its package.
        package: String,
        /// Installed packages with nearly that name.
        similar: Vec<String>,
    },
    /// The package has no such type.
    #[error("package `{package}` has no `{type_name}`; it has {}", list(available))]
    NoType {
        /// The type asked for.
        type_name: String,
        /// Its package.
        package: String,
        /// The package's types of that kind.
        available: Vec<String>,
    },
    /// A library that is there cannot be opened.
    #[error("the type support of `{type_name}` cannot be opened: {reason}")]
    Library {
        /// The type asked for.
        type_name: String,
        /// What the loader says.
        reason: String,
    },
    /// The library's introspection is not what rosidl generates.
    #[error("the type support of `{type_name}` has no introspection")]
    NoIntrospection {
        /// The type asked for.
        type_name: String,
    },
    /// A field that cannot be described.
    #[error("`{type_name}` cannot be used: {problem}")]
    BadField {
        /// The type asked for.
        type_name: String,
        /// Which field, and why.
        problem: FieldProblem,
    },
}

fn did_you_mean(similar: &[String]) -> String {
    if similar.is_empty() { String::new() } else { format!("; did you mean {}?", list(similar)) }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
