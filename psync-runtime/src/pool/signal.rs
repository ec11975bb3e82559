//! Waiting for something that another thread of this process will do.

use crate::{
    primitive::{AtomicU32, Ordering},
    sys::clock::Deadline,
};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Told whenever what somebody may wait for has changed; costs next to nothing while nobody waits.
#[derive(Debug, Default)]
pub(super) struct Signal {
    waiting: AtomicU32,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Signal {
    /// After the change.
    pub(super) fn notify(&self) {
        // Pairs with the increment in `wait`: it or the change is seen.
        crate::primitive::fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) != 0 {
            drop(lock(&self.lock));
            self.changed.notify_all();
        }
    }

    /// Until `done` or the deadline.
    pub(super) fn wait(&self, done: impl Fn() -> bool, deadline: Deadline) {
        let mut guard = lock(&self.lock);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        crate::primitive::fence(Ordering::SeqCst);
        while !done() && !deadline.is_over() {
            guard = match deadline.remaining() {
                None => self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(rest) => {
                    let waited = self.changed.wait_timeout(guard, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A lock of the pool's: whoever panicked under it was user code of which nothing is kept there.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
