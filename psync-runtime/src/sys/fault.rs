//! Named points inside the algorithms at which a test can have a process die.

/// The process may be killed here as well as anywhere else; a test can see to it that it is.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is nothing in a program")]
pub(crate) fn point(_name: &'static str) {}
