//! What `#[shared] static HITS: Value<u64> = ..` expands to: a static of this process that leads to the one value of the program.
//!
//! The value lies in the world (`shm/world/statics.rs` says how its place is found), behind the words of a `RawOnce`.
//!
//! | `once` in the world | `value` in the world | `known` in this process | meaning | left by |
//! |---|---|---|---|---|
//! | not made, free | zeros, or what a killed maker has left, which nobody looks at | null | nobody makes it | whoever uses it, and takes the lock |
//! | not made, held | is being written | null | its maker runs the initializer, or copies what that has returned | the maker (done; or gives up, if the initializer panics) |
//! | not made, its owner died | zeros, or torn | null | nobody makes it | whoever takes the lock over, and evaluates the initializer afresh |
//! | done | whole, for ever | null | this process has not used it yet | whoever uses it (`known`) |
//! | done | whole | its address here | all further uses take a load and a branch | nobody |
//!
//! A process that is killed between two of these lines leaves the state of the line that it was in. `known` is the process's own, and goes with it; a fork
//! copies it together with the mapping that it leads into.
#![allow(unsafe_code, reason = "hands out what was written once")]

use super::{
    lock::refused,
    raw::{RawOnce, Refusal},
};
use crate::{
    primitive::{AtomicPtr, Ordering, UnsafeCell},
    shm::{
        Lends, ShmSafe,
        world::{self, Blocking, NoPlace, Operation, STATICS_ROOM, Site},
    },
    sys::{clock::Deadline, fault},
};
use core::{
    alloc::Layout, fmt, marker::PhantomData, mem::MaybeUninit, ops::Deref, panic::Location, ptr,
};

/// A `#[shared]` static: one `T` for all processes of the program, which it derefs to.
///
/// The attribute writes this type; it has no other use.
pub struct SharedStatic<T: 'static> {
    known: AtomicPtr<T>,
    init: fn() -> T,
    name: &'static str,
}

/// Says that a `T` may lie in shared memory. An argument of its own, so that the compiler complains about the type and not about the attribute.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Fits<T>(PhantomData<fn() -> T>);

/// Compiles for nothing but a [`ShmSafe`] type.
#[doc(hidden)]
pub const fn fits<T: ShmSafe>() -> Fits<T> {
    Fits(PhantomData)
}

/// What the world holds of a static. All-zero bytes are one that has not been made.
#[repr(C)]
struct Made<T> {
    once: RawOnce,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: it gives `&T` to many threads, once such a `T` has been made: that takes a `Fits<T>`, of which `T: ShmSafe` is `Send + Sync`.
unsafe impl<T> Sync for SharedStatic<T> {}

impl<T> SharedStatic<T> {
    /// For the attribute only: the place of the result decides which static it is, so it must be a static.
    #[doc(hidden)]
    pub const fn new(_: Fits<T>, name: &'static str, init: fn() -> T) -> Self {
        const {
            assert!(!core::mem::needs_drop::<T>(), "nobody drops what lies in shared memory");
            assert!(align_of::<T>() <= 4096, "shared memory is aligned to pages at most");
            assert!(size_of::<T>() < STATICS_ROOM, "all statics of a program have 16 MiB");
        }
        Self { known: AtomicPtr::new(ptr::null_mut()), init, name }
    }

    /// In the place of one that does not compile, so that its uses are no mistakes on top of that.
    #[doc(hidden)]
    pub const fn refused(name: &'static str) -> Self {
        Self { known: AtomicPtr::new(ptr::null_mut()), init: || unreachable!(), name }
    }

    /// The first use in this process.
    #[cold]
    #[track_caller]
    fn find(&self) -> *mut T {
        let made = self.place();
        if !made.once.is_done() {
            self.make(made, Location::caller());
        }
        let value = made.value.get().cast::<T>();
        // Pairs with the load in `deref`: whoever sees the address sees the value, as this thread does.
        self.known.store(value, Ordering::Release);
        fault::point("static: known");
        value
    }

    /// Where the program keeps it.
    fn place(&self) -> &'static Made<T> {
        let world = world::world().unwrap_or_else(|error| self.fail(&NoPlace::Os(error)));
        let address = ptr::from_ref(self).addr();
        let place = world.place_of_static(address, Layout::new::<Made<T>>());
        let place = place.unwrap_or_else(|error| self.fail(&error));
        // SAFETY: the place has this layout, is this static's alone in all processes, and stays mapped for ever (W1, S7); all-zero bytes are a `Made`
        // that nobody has made, and whatever it becomes is done by its own methods.
        unsafe { place.cast().as_ref() }
    }

    /// Makes the value, unless somebody else has done so meanwhile. Never inlined: it has the value on its stack, which who only finds it may not have room for.
    #[inline(never)]
    fn make(&self, made: &Made<T>, place: &'static Location<'static>) {
        let what = core::any::type_name::<T>();
        let site = Site { operation: Operation::Initialize, what, place };
        let blocking = Blocking::new(Deadline::NEVER, Some(site));
        let turn = match made.once.begin(&blocking) {
            Ok(turn) => turn,
            Err(refusal) => self.refuse(refusal, blocking),
        };
        drop(blocking);
        if let Some(turn) = turn {
            let value = (self.init)();
            fault::point("static: initialized");
            // SAFETY: nobody has a reference to it, since it is not done, and nobody else writes it, since the turn is ours (UNSAFE.md, L7).
            unsafe { made.value.get().write(MaybeUninit::new(value)) };
            fault::point("static: written");
            turn.finish();
        }
    }

    #[cold]
    fn refuse(&self, refusal: Refusal, blocking: Blocking) -> ! {
        let name = self.name;
        panic!("the shared static `{name}` cannot be made: {}", refused(refusal, blocking))
    }

    #[cold]
    fn fail(&self, error: &NoPlace) -> ! {
        let name = self.name;
        match error {
            NoPlace::Elsewhere => panic!(
                "the shared static `{name}` is not part of the main program, so other processes would not find it; move it there, or pass a `Shared` to \
                 the processes"
            ),
            NoPlace::Full => panic!(
                "there is no room for the shared static `{name}`: all of a program have {} MiB; make it a `Shared`, and pass that to the processes",
                STATICS_ROOM >> 20
            ),
            NoPlace::Os(error) => {
                panic!("there is no memory for the shared static `{name}`: {error}")
            }
        }
    }
}

impl<T> Deref for SharedStatic<T> {
    type Target = T;

    /// # Panics
    /// At the first use only: if the initializer does, or there is no memory, or it cannot be had.
    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        let mut value = self.known.load(Ordering::Acquire);
        if value.is_null() {
            value = self.find();
        }
        // SAFETY: it was made (L7), and stays where it is for ever (W1, S7); what changes in it lies in cells (S4).
        unsafe { &*value }
    }
}

impl<T: ShmSafe> Lends<T> for SharedStatic<T> {
    fn lend(&self) -> &T {
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for SharedStatic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
#[path = "shared_static_tests.rs"]
mod tests;
