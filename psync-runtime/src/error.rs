//! The umbrella error that every operation's own error converts into.

use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The result of operations that can fail in more ways than one; `E` defaults to [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Any error of psync.
///
/// Each operation has a small error type of its own; all of them convert into this one with `?`. To act on one in
/// particular, ask for it back with [`Error::downcast_ref`].
///
/// # Examples
/// ```
/// use psync::{LockError, Mutex};
///
/// fn relock(mutex: &Mutex<u32>) -> psync::Result<()> {
///     let _held = mutex.lock()?;
///     let _again = mutex.try_lock()?;
///     Ok(())
/// }
///
/// let error = relock(&Mutex::new(7)).unwrap_err();
/// assert!(error.downcast_ref::<LockError>().is_some());
/// ```
pub struct Error(Box<dyn core::error::Error + Send + Sync + 'static>);

impl Error {
    /// Wraps an operation's error.
    pub fn new(error: impl core::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// The operation's own error, if it is an `E`.
    pub fn downcast_ref<E: core::error::Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }

    /// The operation's own error by value, if it is an `E`; otherwise `self` again.
    ///
    /// # Examples
    /// ```
    /// use psync::{Error, LockError};
    ///
    /// let error = Error::from(LockError::WouldBlock);
    /// assert_eq!(error.downcast::<LockError>()?, LockError::WouldBlock);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn downcast<E: core::error::Error + 'static>(self) -> Result<E> {
        self.0.downcast().map(|error| *error).map_err(Self)
    }
}

/// What `main` prints of an error that it returns, so it is what the error says, in several lines if there is much to say. `{:#?}` shows the
/// operation's own error, field by field.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { fmt::Debug::fmt(&self.0, f) } else { write!(f, "{:#}", self.0) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source()
    }
}

/// What an error says, where the error itself stayed in another process.
#[derive(Debug)]
struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Told {}

/// An error that crosses to another process keeps its words, and no more: there it is no operation's own error.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|words| Self::new(Told(words)))
    }
}

/// Implements `From<$error> for Error`; each layer calls it for the errors that it defines.
macro_rules! umbrella {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for $crate::error::Error {
            fn from(error: $error) -> Self {
                Self::new(error)
            }
        }
    )+};
}
pub(crate) use umbrella;

umbrella!(std::io::Error);
