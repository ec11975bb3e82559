//! `Once`: a value that whoever comes first makes for all.
#![allow(unsafe_code, reason = "hands out what was written once")]

use super::{
    lock::refused,
    raw::{RawOnce, Refusal},
};
use crate::{
    primitive::UnsafeCell,
    shm::world::{Blocking, Operation, Site},
    sys::clock::Deadline,
};
use core::fmt;

/// A value that is made by whoever needs it first, in whichever process, and never changes afterwards.
///
/// Everything that was written before the value was made is visible to whoever gets it. Once it is there, getting it takes no lock.
///
/// **When a process dies** while it makes the value, or panics, there is none yet: the next one makes it, afresh. What `make` did elsewhere has been done
/// then, and is done once more.
///
/// # Examples
/// In several processes:
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn price(price: &Once<u32>) -> u32 {
///     *price.get_or_init(|| psync::current().pid() as u32)
/// }
///
/// let once = Shared::new(Once::new())?;
/// let prices = parallel! { for _ in 0..3 => price(&once) }?;
/// assert!(prices.iter().all(|price| Some(price) == once.get()));
/// # Ok::<(), psync::Error>(())
/// ```
///
/// In one:
/// ```
/// use psync::Once;
///
/// let start = Once::new();
/// assert_eq!(start.get(), None);
/// assert_eq!(start.get_or_init(|| 5), &5);
/// assert_eq!(start.get_or_init(|| unreachable!("made already")), &5);
/// ```
#[repr(C)]
pub struct Once<T> {
    raw: RawOnce,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written once, by the holder of the lock, before anybody gets a reference to it (UNSAFE.md, L7).
unsafe impl<T: Send + Sync> Sync for Once<T> {}

impl<T> Once<T> {
    /// No value yet.
    pub const fn new() -> Self {
        Self { raw: RawOnce::new(), value: UnsafeCell::new(None) }
    }

    /// The value, if it has been made.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if self.raw.is_done() { Some(self.made()) } else { None }
    }

    /// The value; if there is none yet, makes it with `make`, or waits for somebody else who does.
    ///
    /// # Panics
    /// If `make` does; there is no value then. If waiting for somebody else would never end, with the circle of those who wait: `make` asks for the value that
    /// it makes, or there is a deadlock over others.
    #[inline]
    #[track_caller]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if !self.raw.is_done() {
            self.init(make, Site::here::<Self>(Operation::Initialize));
        }
        self.made()
    }

    #[cold]
    fn init(&self, make: impl FnOnce() -> T, site: Site) {
        let blocking = Blocking::new(Deadline::NEVER, Some(site));
        let turn = match self.raw.begin(&blocking) {
            Ok(turn) => turn,
            Err(refusal) => refuse(refusal, blocking),
        };
        drop(blocking);
        if let Some(turn) = turn {
            let value = make();
            // SAFETY: nobody has a reference to it, since it is not done, and nobody else writes it, since the turn is ours (UNSAFE.md, L7). What a maker that
            // was killed may have left there is not dropped.
            unsafe { self.value.get().write(Some(value)) };
            turn.finish();
        }
    }

    #[inline]
    fn made(&self) -> &T {
        // SAFETY: it is done, so nobody writes it any more (UNSAFE.md, L7).
        let value = unsafe { &*self.value.get() };
        let Some(value) = value else { unreachable!("it is done") };
        value
    }
}

#[cold]
fn refuse(refusal: Refusal, blocking: Blocking) -> ! {
    panic!("the value cannot be made: {}", refused(refusal, blocking))
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Some(value) => f.debug_tuple("Once").field(value).finish(),
            None => f.write_str("Once(not made)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        primitive::{AtomicU32, Ordering},
        sync::testing::watchdog,
    };
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn it_is_made_once() {
        let _watchdog = watchdog("it_is_made_once");
        let (once, made) = (Once::new(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let value = once.get_or_init(|| {
                        std::thread::yield_now();
                        made.fetch_add(1, Ordering::Relaxed);
                        "made".to_owned()
                    });
                    assert_eq!(value, "made");
                });
            }
        });
        assert_eq!(made.load(Ordering::Relaxed), 1);
        assert_eq!(format!("{once:?}"), "Once(\"made\")");
    }

    #[test]
    fn a_panic_leaves_it_unmade() {
        let once = Once::new();
        assert!(catch_unwind(AssertUnwindSafe(|| once.get_or_init(|| panic!("no")))).is_err());
        assert_eq!((once.get(), format!("{once:?}")), (None, "Once(not made)".to_owned()));
        assert_eq!(once.get_or_init(|| 3), &3);
    }

    #[test]
    fn a_value_that_needs_itself_is_refused() {
        let once = Once::new();
        let recursive = catch_unwind(AssertUnwindSafe(|| {
            once.get_or_init(|| once.get_or_init(|| 1) + 1);
        }));
        assert!(recursive.is_err());
        assert_eq!(once.get_or_init(|| 3), &3);
    }

    #[test]
    fn a_thread_that_ends_while_it_makes_it_leaves_it_to_the_next() {
        let _watchdog = watchdog("a_thread_that_ends_while_it_makes_it_leaves_it_to_the_next");
        let once = Once::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                core::mem::forget(once.raw.begin(&Deadline::NEVER.into()));
            });
        });
        assert_eq!(once.get_or_init(|| 3), &3);
    }
}
