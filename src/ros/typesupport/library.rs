//! Finding and opening a type's libraries.
//!
//! Each package has one library for each kind of type support, `lib<pkg>__rosidl_typesupport_c.so`
//! for the one that the middleware takes and `…_introspection_c.so`, with one exported function for
//! each type. They lie in `lib` of a prefix of `AMENT_PREFIX_PATH`; where none has them the
//! loader's own path is tried.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use libloading::Library;
use parking_lot::Mutex;
use r2r_rcl::{rosidl_message_type_support_t, rosidl_service_type_support_t};

use super::TypeSupportError;
use super::installed::{interfaces_of, prefixes, similar_packages};

/// A type's full name, taken apart.
pub(super) struct TypeName {
    package: String,
    kind: String,
    name: String,
}

/// Which type support of a type.
#[derive(Clone, Copy)]
pub(super) enum Flavour {
    /// The one that rcl hands to the middleware.
    Middleware,
    /// The one that describes the fields.
    Introspection,
}

impl Flavour {
    const fn identifier(self) -> &'static str {
        match self {
            Self::Middleware => "rosidl_typesupport_c",
            Self::Introspection => "rosidl_typesupport_introspection_c",
        }
    }
}

impl TypeName {
    pub(super) fn parse(text: &str) -> Result<Self, TypeSupportError> {
        let bad = || TypeSupportError::BadName(text.to_owned());
        let mut parts = text.split('/');
        let (Some(package), Some(kind), Some(name), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        if !matches!(kind, "msg" | "srv" | "action") || !is_word(package) || !is_word(name) {
            return Err(bad());
        }
        Ok(Self { package: package.to_owned(), kind: kind.to_owned(), name: name.to_owned() })
    }

    fn full(&self) -> String {
        format!("{}/{}/{}", self.package, self.kind, self.name)
    }
}

/// Only such words become part of a library's and a symbol's name.
fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The type support of a message.
pub(super) fn message_type_support(
    name: &TypeName,
    flavour: Flavour,
) -> Result<&'static rosidl_message_type_support_t, TypeSupportError> {
    let handle = symbol(name, flavour, "message")?;
    // SAFETY: rosidl generates a function of this name without arguments that returns the address
    // of a static object; the library is never closed.
    let pointer = unsafe {
        let handle: extern "C" fn() -> *const rosidl_message_type_support_t =
            std::mem::transmute(handle);
        handle().as_ref()
    };
    pointer.ok_or_else(|| TypeSupportError::NoIntrospection { type_name: name.full() })
}

/// The type support of a service, for the middleware.
pub(super) fn service_type_support(
    name: &TypeName,
) -> Result<&'static rosidl_service_type_support_t, TypeSupportError> {
    let handle = symbol(name, Flavour::Middleware, "service")?;
    // SAFETY: as for messages.
    let pointer = unsafe {
        let handle: extern "C" fn() -> *const rosidl_service_type_support_t =
            std::mem::transmute(handle);
        handle().as_ref()
    };
    pointer.ok_or_else(|| TypeSupportError::NoIntrospection { type_name: name.full() })
}

/// Every library opened so far, by its path. Never shrinks, and a static is never dropped: that is
/// what keeps the libraries open.
static OPENED: Mutex<BTreeMap<PathBuf, Library>> = Mutex::new(BTreeMap::new());

/// The address of the function that gives a type support. The library stays open for good.
fn symbol(
    name: &TypeName,
    flavour: Flavour,
    sort: &str,
) -> Result<unsafe extern "C" fn(), TypeSupportError> {
    let symbol = format!(
        "{}__get_{sort}_type_support_handle__{}__{}__{}",
        flavour.identifier(),
        name.package,
        name.kind,
        name.name
    );
    let mut opened = OPENED.lock();
    let library = match opened.entry(library_path(name, flavour)) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => {
            // SAFETY: opening runs the library's initialisers. It is a library of the installation
            // that the whole process trusts: the same loader opens it for the middleware too.
            let library = unsafe { Library::new(unknown.key()) };
            unknown.insert(library.map_err(|error| cannot_open(name, &error))?)
        }
    };
    // SAFETY: only the address is taken here; the callers call it as what rosidl generates.
    let found = unsafe { library.get::<unsafe extern "C" fn()>(symbol.as_bytes()) };
    found.map(|function| *function).map_err(|_| TypeSupportError::NoType {
        type_name: name.full(),
        package: name.package.clone(),
        available: interfaces_of(&name.package, &name.kind).unwrap_or_default(),
    })
}

/// The library's file in the first prefix that has it, else its bare name for the loader.
fn library_path(name: &TypeName, flavour: Flavour) -> PathBuf {
    let file = PathBuf::from(format!("lib{}__{}.so", name.package, flavour.identifier()));
    let mut candidates = prefixes().into_iter().map(|prefix| prefix.join("lib").join(&file));
    candidates.find(|path| path.exists()).unwrap_or(file)
}

fn cannot_open(name: &TypeName, error: &libloading::Error) -> TypeSupportError {
    let type_name = name.full();
    if interfaces_of(&name.package, &name.kind).is_some() {
        TypeSupportError::Library { type_name, reason: error.to_string() }
    } else if prefixes().is_empty() {
        TypeSupportError::NoRos { type_name }
    } else {
        let similar = similar_packages(&name.package);
        TypeSupportError::NoPackage { type_name, package: name.package.clone(), similar }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_names_are_type_names() {
        for name in ["std_msgs/msg/Bool", "std_srvs/srv/Trigger_Request", "a/action/B_Goal"] {
            assert_eq!(TypeName::parse(name).ok().map(|name| name.full()), Some(name.to_owned()));
        }
        for name in [
            "",
            "Bool",
            "std_msgs/Bool",
            "std_msgs/msg/",
            "/msg/Bool",
            "a/b/C",
            "a/msg/B/C",
            "../msg/X",
            "a/msg/1",
            "a b/msg/C",
        ] {
            assert!(TypeName::parse(name).is_err(), "{name}");
        }
    }
}
