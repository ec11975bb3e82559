//! Named points inside the algorithms at which a test can have a process die.
//!
//! A point stands behind each step that other processes can see. Without the feature `fault-points` it is nothing; with it, a look at
//! one word.

#[cfg(feature = "fault-points")]
mod armed;

#[cfg(feature = "fault-points")]
pub use armed::{Event, Hit};
#[cfg(feature = "fault-points")]
pub(crate) use armed::{Plan, arm, disarm, observe, point, sleep};

/// The process may be killed here as well as anywhere else; a test can see to it that it is.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is nothing in a program")]
pub(crate) fn point(_name: &'static str) {}

/// Sleeps by `how`; a test can have the process killed meanwhile.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is nothing in a program")]
pub(crate) fn sleep<R>(how: impl FnOnce() -> R) -> R {
    how()
}
