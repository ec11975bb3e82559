//! The pool's own thread: takes in what the workers tell while nobody who waits does, and replaces workers that end meanwhile.

use super::inner::Inner;
use crate::{
    primitive::Ordering,
    shm::world::Watch,
    sys::{clock::Deadline, futex},
};
use std::{
    io,
    sync::{Arc, TryLockError},
    thread::{Builder, JoinHandle},
};

/// Starts it. It ends after [`Inner::dismiss_keeper`].
pub(super) fn start(inner: &Arc<Inner>) -> io::Result<JoinHandle<()>> {
    let inner = Arc::clone(inner);
    // The name of a thread has no zeros.
    let name = format!("{}-keeper", inner.terms.name.replace('\0', " "));
    Builder::new().name(name).spawn(move || inner.keep())
}

impl Inner {
    fn keep(&self) {
        let is_over = || self.is_over.load(Ordering::SeqCst);
        while !is_over() {
            let watch = Watch::new();
            let call = self.call.load(Ordering::SeqCst);
            let is_idle = || self.outstanding.load(Ordering::SeqCst) == 0 && !self.has_news();
            if !is_idle() {
                let buffer = match self.role.try_lock() {
                    Ok(buffer) => Some(buffer),
                    Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                    Err(TryLockError::WouldBlock) => None,
                };
                if let Some(buffer) = buffer {
                    self.collect_with(buffer, &|| is_idle() || is_over(), Deadline::NEVER);
                    continue;
                }
            }
            if !is_over() {
                watch.wait(&self.call, call, Deadline::NEVER);
            }
        }
    }

    /// There is something to be taken in, and perhaps nobody at it.
    pub(super) fn call_keeper(&self) {
        if self.collector.load(Ordering::SeqCst) == 0 {
            self.call.fetch_add(1, Ordering::SeqCst);
            futex::wake_all(&self.call);
        }
    }

    /// The keeper ends, wherever it is.
    pub(super) fn dismiss_keeper(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.call.fetch_add(1, Ordering::SeqCst);
        futex::wake_all(&self.call);
        self.post.results.nudge();
    }
}
