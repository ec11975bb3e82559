//! The result of a function that does not return.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// What a `#[process]` function that is declared to return `!` gives: no value at all, so that joining its process can only fail.
///
/// # Examples
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn leave(code: i32) -> ! {
///     std::process::exit(code)
/// }
///
/// let process: Process<psync::Never> = leave::spawn(3)?;
/// let Err(error) = process.join();
/// assert!(matches!(error, ProcessError::Exited { code: 3, .. }));
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl Serialize for Never {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("a function that never returns has no result"))
    }
}
