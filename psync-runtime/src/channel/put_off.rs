//! The error that ended a batch or an iteration, which can return values only: the next receive says it.

use super::{core::Limit, error::RecvError};
use crate::primitive::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Belongs to one handle.
#[derive(Debug, Default)]
pub(super) struct PutOff {
    /// Whether there is one: all that a receive looks at.
    is_some: AtomicBool,
    error: Mutex<Option<RecvError>>,
}

impl PutOff {
    #[inline]
    pub(super) fn is_some(&self) -> bool {
        self.is_some.load(Ordering::Relaxed)
    }

    /// What comes before anything else that a receive could return.
    #[inline]
    pub(super) fn first(&self) -> Result<(), RecvError> {
        if self.is_some() { self.take().map_or(Ok(()), Err) } else { Ok(()) }
    }

    #[cold]
    fn take(&self) -> Option<RecvError> {
        let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_some.store(false, Ordering::Relaxed);
        error.take()
    }

    /// Keeps what no later receive would find out by itself. Of two threads' errors the first.
    #[cold]
    fn keep(&self, why: RecvError) {
        if matches!(why, RecvError::Decode(_) | RecvError::Damaged | RecvError::Deadlock(_)) {
            let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
            error.get_or_insert(why);
            self.is_some.store(true, Ordering::Relaxed);
        }
    }

    /// The next value of an iteration. While an error waits to be asked for, there is none.
    pub(super) fn next<T>(&self, receive: impl FnOnce() -> Result<T, RecvError>) -> Option<T> {
        if self.is_some() {
            return None;
        }
        receive().map_err(|error| self.keep(error)).ok()
    }

    /// Up to `most` values: waits for the first one. While an error waits to be asked for, there are none.
    pub(super) fn batch<T>(
        &self,
        most: usize,
        mut receive: impl FnMut(Limit) -> Result<T, RecvError>,
    ) -> Vec<T> {
        let mut many = Vec::new();
        while many.len() < most {
            let limit = if many.is_empty() { Limit::FOREVER } else { Limit::Try };
            match self.next(|| receive(limit)) {
                Some(value) => many.push(value),
                None => break,
            }
        }
        many
    }
}
