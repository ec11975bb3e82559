//! The macros of psync.
