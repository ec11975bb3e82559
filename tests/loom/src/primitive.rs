//! Stands in for the runtime's `primitive`: atomics that the model checker sees, laid out as the real ones.

pub(crate) use core::{cell::UnsafeCell, sync::atomic::Ordering};

use crate::{
    barriers, defects,
    machine::{self, Sabotage, weaken},
    memory, points, writers,
};
use core::fmt;
use std::rc::Rc;

/// A word and the checker's object for it.
pub(crate) trait Twin {
    type Object;
}

macro_rules! atomic {
    ($($name:ident: $value:ty),+ $(,)?) => {$(
        /// See [`memory`]. To a thread that unwinds, because it was killed or the model has failed, it is nothing.
        #[repr(transparent)]
        pub(crate) struct $name(core::sync::atomic::$name);

        impl Twin for $name {
            type Object = loom::sync::atomic::$name;
        }

        #[allow(dead_code, reason = "not every machine needs all of it")]
        impl $name {
            pub(crate) const fn new(value: $value) -> Self {
                Self(core::sync::atomic::$name::new(value))
            }

            fn object(&self) -> Option<Rc<<Self as Twin>::Object>> {
                let first = || loom::sync::atomic::$name::new(self.0.load(Ordering::Relaxed));
                if std::thread::panicking() {
                    return None;
                }
                barriers::pass();
                Some(memory::at(self.address(), first))
            }

            /// Changes the word: a step that may be the last.
            fn change<R: fmt::Debug>(
                &self,
                what: impl fmt::Debug,
                change: impl FnOnce(&<Self as Twin>::Object) -> R,
            ) -> Option<R> {
                let object = self.object()?;
                machine::step();
                order();
                let result = change(&object);
                writers::note(self.address());
                defects::note_store(self.address());
                order();
                barriers::publish();
                self.trace(what, &result);
                Some(result)
            }

            fn trace(&self, what: impl fmt::Debug, result: &impl fmt::Debug) {
                machine::trace(|| format!("{:#x} {what:x?}: {result:x?}", self.address()));
            }

            pub(crate) fn address(&self) -> usize {
                core::ptr::from_ref(self).addr()
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                let Some(object) = self.object() else { return 0 };
                self::order();
                let value = if writers::is_mine(self.address()) {
                    self.load_own(&object, weaken(order))
                } else {
                    object.load(weaken(order))
                };
                let value = defects::seen(self.address(), value);
                self.trace("load", &value);
                value
            }

            /// What this thread was the last to write. To the checker it looks like an exchange that failed: a load of ours would have it forget
            /// that somebody else has loaded the word before what we are going to store, and never try it the other way round.
            fn load_own(&self, object: &<Self as Twin>::Object, order: Ordering) -> $value {
                let (Ok(value) | Err(value)) = object.compare_exchange(Self::UNUSUAL, Self::UNUSUAL, order, order);
                value
            }

            const UNUSUAL: $value = 0x5eed_5eed;

            /// The last value, which only the kernel can be sure to see. To the checker it looks like an exchange that failed,
            /// so that it tries what happens before and after it.
            pub(crate) fn latest(&self, order: Ordering) -> $value {
                let Some(object) = self.object() else { return 0 };
                match object.compare_exchange(Self::UNUSUAL, Self::UNUSUAL, order, order) {
                    Ok(value) | Err(value) => {
                        self.trace("latest", &value);
                        value
                    }
                }
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                if let Some(point) = defects::is_late(self.address()) {
                    if let Some(object) = self.object() {
                        points::later(point, move || object.store(value, order));
                    }
                    return;
                }
                self.change(("store", value), |object| object.store(value, weaken(order)));
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                self.change(("swap", value), |object| object.swap(value, weaken(order))).unwrap_or_default()
            }

            pub(crate) fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.change(("fetch_add", value), |object| object.fetch_add(value, weaken(order))).unwrap_or_default()
            }

            pub(crate) fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.change(("fetch_sub", value), |object| object.fetch_sub(value, weaken(order))).unwrap_or_default()
            }

            pub(crate) fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                self.change(("fetch_and", value), |object| object.fetch_and(value, weaken(order))).unwrap_or_default()
            }

            pub(crate) fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                self.change(("fetch_or", value), |object| object.fetch_or(value, weaken(order))).unwrap_or_default()
            }

            pub(crate) fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                self.change(("fetch_max", value), |object| object.fetch_max(value, weaken(order))).unwrap_or_default()
            }

            pub(crate) fn fetch_update(
                &self,
                success: Ordering,
                failure: Ordering,
                mut next: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let (success, failure) = (weaken(success), weaken(failure));
                let change = |object: &<Self as Twin>::Object| {
                    let mut seen = self.load_own(object, failure);
                    loop {
                        let Some(value) = next(seen) else { return Err(seen) };
                        match object.compare_exchange(seen, value, success, failure) {
                            Ok(before) => return Ok(before),
                            Err(now) => seen = now,
                        }
                    }
                };
                self.change("update", change).unwrap_or(Ok(0))
            }

            pub(crate) fn compare_exchange(
                &self,
                old: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let (success, failure) = (weaken(success), weaken(failure));
                let change = |object: &<Self as Twin>::Object| {
                    object.compare_exchange(old, new, success, failure)
                };
                self.change(("exchange", old, new), change).unwrap_or(Ok(old))
            }
        }

        /// Makes the word known to the checker: whoever shows a machine before its first use has all its words made before that.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.object();
                write!(f, "@{:x}", self.address())
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                memory::forget(self.address());
            }
        }
    )+};
}

atomic! {
    AtomicI32: i32,
    AtomicU32: u32,
    AtomicU64: u64,
}

/// With strong memory: whatever was done before anywhere has been seen here.
fn order() {
    if machine::is_strong() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}

pub(crate) fn fence(order: Ordering) {
    if !std::thread::panicking() && !machine::has(Sabotage::NoFence) {
        loom::sync::atomic::fence(order);
    }
}

/// See the runtime's: not a word of the checker's.
pub(crate) type Hint = core::sync::atomic::AtomicU32;

/// See the runtime's. The checker knows no order of `SeqCst` exchanges, but one of fences.
pub(crate) fn exchange_fence() {
    fence(Ordering::SeqCst);
}

/// Between two questions of whoever spins, which nobody does here.
pub(crate) fn spin_loop() {}
