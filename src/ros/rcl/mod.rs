//! rcl
