//! typesupport
