//! The only user of r2r and r2r_rcl.
pub mod rcl;
pub mod typesupport;
