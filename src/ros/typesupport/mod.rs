//! Message and service types by name, from the ROS installation.
//!
//! A lane names its type in the params file; nothing about it is compiled in. [`load_message`]
//! opens the type's libraries the way rosbag2 does, gives the type support that rcl needs to
//! subscribe and publish, and turns the introspection into a [`MessageType`] that `cdr` compiles to
//! a layout. [`LoadedMessage::serialize`] and [`LoadedMessage::deserialize`] go through the real
//! middleware; they are what our own encoder and layouts are tested against.
//!
//! **Invariant:** a library that was opened stays open until the process ends. The middleware keeps
//! pointers into it for as long as any participant lives, and C++ libraries do not survive being
//! closed while their static objects are in use. A process loads a handful.
//! **Invariant:** enum-like fields of C structs are read as integers; an unknown value is an error,
//! never a Rust enum.
//!
//! Start-up only. The first use of a type support by the middleware opens further libraries, so
//! subscriptions and publishers are made before the gate runs.

#![expect(unsafe_code, reason = "type supports are C structs behind dlopen")]

mod error;
mod fields;
mod installed;
mod library;
mod members;
mod native;

use std::sync::Arc;

use r2r_rcl::{rosidl_message_type_support_t, rosidl_service_type_support_t};

pub use error::TypeSupportError;
pub use installed::{installed_messages, installed_services};
pub use members::FieldProblem;
pub use native::NativeError;

use crate::cdr::{MessageType, Value};
use crate::ros::rcl::MessageTypeSupport;
use library::TypeName;
use members::Members;

/// A message type with its type support, ready for rcl and for a layout.
#[derive(Clone, Debug)]
pub struct LoadedMessage {
    message: Arc<MessageType>,
    type_support: &'static rosidl_message_type_support_t,
    members: Members,
}

/// A service type with its type support.
#[derive(Clone, Debug)]
pub struct LoadedService {
    type_support: &'static rosidl_service_type_support_t,
    request: LoadedMessage,
    response: LoadedMessage,
}

// SAFETY: points to static data of libraries that are never closed. The middleware fills the type
// support's table of further libraries on first use, whole pointers at a time; every ROS client
// library shares these objects among threads.
unsafe impl Send for LoadedMessage {}
// SAFETY: as above.
unsafe impl Sync for LoadedMessage {}
// SAFETY: as for messages.
unsafe impl Send for LoadedService {}
// SAFETY: as for messages.
unsafe impl Sync for LoadedService {}

/// Loads `pkg/msg/Name`. Also loads the parts of services and actions, which rosidl names
/// `pkg/srv/Name_Request` and so on.
///
/// # Errors
/// [`TypeSupportError`] that says whether the name, the installation or the type is at fault.
pub fn load_message(type_name: &str) -> Result<LoadedMessage, TypeSupportError> {
    let name = TypeName::parse(type_name)?;
    let type_support = library::message_type_support(&name, library::Flavour::Middleware)?;
    let introspection = library::message_type_support(&name, library::Flavour::Introspection)?;
    let members = Members::of(introspection)
        .ok_or_else(|| TypeSupportError::NoIntrospection { type_name: type_name.to_owned() })?;
    let message = members::message_type(members).map_err(|problem| TypeSupportError::BadField {
        type_name: type_name.to_owned(),
        problem,
    })?;
    Ok(LoadedMessage { message, type_support, members })
}

/// Loads `pkg/srv/Name` with the types of its request and response.
///
/// # Errors
/// [`TypeSupportError`] that says whether the name, the installation or the type is at fault.
pub fn load_service(type_name: &str) -> Result<LoadedService, TypeSupportError> {
    let name = TypeName::parse(type_name)?;
    let type_support = library::service_type_support(&name)?;
    let request = load_message(&format!("{type_name}_Request"))?;
    let response = load_message(&format!("{type_name}_Response"))?;
    Ok(LoadedService { type_support, request, response })
}

impl LoadedMessage {
    /// The type, as introspection describes it, with its default values.
    #[must_use]
    pub const fn message(&self) -> &Arc<MessageType> {
        &self.message
    }

    /// The type support for rcl. Valid until the process ends.
    #[must_use]
    pub const fn type_support(&self) -> *const rosidl_message_type_support_t {
        self.type_support
    }

    /// The type support for our own endpoints.
    #[must_use]
    pub fn support(&self) -> MessageTypeSupport {
        MessageTypeSupport::loaded(self.type_support)
    }

    /// Serializes with the middleware. For tests of our own encoder: the gate never needs it.
    ///
    /// # Errors
    /// [`NativeError`] when the value is not of this type or the middleware refuses it.
    pub fn serialize(&self, value: &Value) -> Result<Vec<u8>, NativeError> {
        native::Memory::holding(self, value)?.serialize(self)
    }

    /// Deserializes with the middleware. For tests of our own layouts: the gate never needs it.
    ///
    /// # Errors
    /// [`NativeError`] when the middleware refuses the bytes.
    pub fn deserialize(&self, bytes: &[u8]) -> Result<Value, NativeError> {
        native::Memory::deserialized(self, bytes)?.read(self.members, &self.message)
    }
}

impl LoadedService {
    /// The type support for rcl. Valid until the process ends.
    #[must_use]
    pub const fn type_support(&self) -> *const rosidl_service_type_support_t {
        self.type_support
    }

    /// The request's type.
    #[must_use]
    pub const fn request(&self) -> &LoadedMessage {
        &self.request
    }

    /// The response's type.
    #[must_use]
    pub const fn response(&self) -> &LoadedMessage {
        &self.response
    }
}
