//! Golden expansions and messages.
