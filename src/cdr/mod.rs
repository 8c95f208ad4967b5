//! cdr
