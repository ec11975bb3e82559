//! A lock between the threads of one process that is free again in every forked child.
//!
//! A thread that holds an ordinary lock while another forks leaves it locked for ever in the child, where it does not exist.
//! Here the word names the fork generation of its holder, and a holder of an earlier generation does not count.

use super::{clock::Deadline, futex, thread};
use crate::primitive::{AtomicU32, Ordering, UnsafeCell};

/// | word | meaning |
/// |---|---|
/// | 0 | free |
/// | generation · 4 + 1 | held by a thread of that fork generation |
/// | generation · 4 + 2 | the same, and somebody may be sleeping |
#[derive(Debug)]
pub(crate) struct ForkLock(AtomicU32);

const FREE: u32 = 0;

/// Holds the lock until dropped.
#[must_use]
#[derive(Debug)]
pub(crate) struct ForkGuard<'a>(&'a ForkLock);

impl ForkLock {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(FREE))
    }

    pub(crate) fn lock(&self) -> ForkGuard<'_> {
        let held = thread::generation() << 2 | 1;
        let contended = thread::generation() << 2 | 2;
        let mut wanted = held;
        loop {
            let seen = self.0.load(Ordering::Relaxed);
            if seen == held || seen == contended {
                wanted = contended;
                if seen == contended || self.swap(seen, contended) {
                    futex::wait(&[(&self.0, contended)], Deadline::NEVER);
                }
            } else if self.swap(seen, wanted) {
                return ForkGuard(self);
            }
        }
    }

    fn swap(&self, from: u32, to: u32) -> bool {
        self.0.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

impl Drop for ForkGuard<'_> {
    fn drop(&mut self) {
        if self.0.0.swap(FREE, Ordering::Release) & 3 == 2 {
            futex::wake(&self.0.0, 1);
        }
    }
}

/// A value behind a [`ForkLock`].
///
/// Where a fork interrupts a change, the child finds the value before it or after it: so it must be one that is changed by a single
/// store, such as an `Option<Arc<_>>`.
pub(crate) struct ForkCell<T> {
    lock: ForkLock,
    value: UnsafeCell<T>,
}

#[allow(unsafe_code, reason = "hands the value to one thread at a time")]
// SAFETY: the lock lets one thread at a time to the value.
unsafe impl<T: Send> Sync for ForkCell<T> {}

impl<T> ForkCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { lock: ForkLock::new(), value: UnsafeCell::new(value) }
    }

    /// Calls `with` with the value, while nobody else has it. It must not come back here.
    #[allow(unsafe_code, reason = "hands the value to one thread at a time")]
    pub(crate) fn with<R>(&self, with: impl FnOnce(&mut T) -> R) -> R {
        let _held = self.lock.lock();
        // SAFETY: the lock is held, so there is no other reference.
        with(unsafe { &mut *self.value.get() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_excludes() {
        static LOCK: ForkLock = ForkLock::new();
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let _held = LOCK.lock();
                        assert_eq!(INSIDE.fetch_add(1, Ordering::Relaxed), 0);
                        INSIDE.fetch_sub(1, Ordering::Relaxed);
                    }
                });
            }
        });
    }

    #[test]
    fn a_holder_of_an_earlier_generation_does_not_count() {
        let lock = ForkLock(AtomicU32::new((thread::generation() + 1) << 2 | 1));
        drop(lock.lock());
    }
}
