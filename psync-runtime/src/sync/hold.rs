//! From a lock that is held to the fields that it guards. What `#[shared]` prints stands on this without a word of `unsafe`.
//!
//! Which lock guards a field is a matter of types: the field is a `Guarded<T, Owner, LOCK>`, and `Owner: Guards<LOCK>` has a constant for the
//! place of the lock. So a hold opens the fields of one struct that name its lock, each of them once: [`Hold::field`] looks after both.
//! Compared are numbers that the compiler knows, so that nothing of it is left in optimised programs.

use super::{
    Lock, LockError, LockGuard,
    guarded::{Held, lock_or_repair},
};
use crate::shm::Guarded;
use core::{ptr, time::Duration};

/// A struct with fields that one of its locks guards. Each such lock has a number.
pub trait Guards<const LOCK: usize>: Sized {
    /// Where in the struct the lock is. A constant, since what is guarded by one lock today must not be guarded by another tomorrow.
    const PLACE: usize;

    /// The lock at [`PLACE`](Self::PLACE).
    fn lock_of_fields(&self) -> &Lock;
}

/// What a field has to be for other fields to be guarded by it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot guard other fields, only a `Lock` can",
    label = "the field of this name is not a `Lock`",
    note = "give the field the type `Lock`, or put what it guards into a `Mutex<T>`, without `#[guarded_by]`"
)]
pub trait GuardsFields {
    #[doc(hidden)]
    fn as_lock(&self) -> &Lock;
}

impl GuardsFields for Lock {
    fn as_lock(&self) -> &Lock {
        self
    }
}

/// The lock that a field is.
pub fn lock_of(field: &impl GuardsFields) -> &Lock {
    field.as_lock()
}

/// A lock of `owner` that is held, on the way to the fields that it guards.
#[derive(Debug)]
pub struct Hold<'a, Owner, const LOCK: usize> {
    owner: &'a Owner,
    guard: LockGuard<'a>,
    /// Up to where fields have been taken.
    taken: usize,
}

impl<'a, Owner, const LOCK: usize> Hold<'a, Owner, LOCK> {
    /// The struct.
    #[inline]
    pub const fn owner(&self) -> &'a Owner {
        self.owner
    }

    /// Access to a field. Fields are asked for in their order.
    ///
    /// # Panics
    /// If the field is another struct's, or was taken before. What `#[shared]` prints does neither.
    #[inline]
    pub fn field<T>(&mut self, field: &'a Guarded<T, Owner, LOCK>) -> Held<'a, T> {
        let place = place(self.owner, field);
        // Nothing of its own type lies inside a struct, so what is inside its bytes and names it as the owner is its field.
        assert!(
            place.is_some_and(|place| place >= self.taken),
            "a guarded field is taken once, with its own lock"
        );
        self.taken = place.unwrap_or(0) + size_of::<T>();
        Held { cell: field.anywhere(), share: self.guard.share() }
    }

    /// The lock itself, after all fields.
    #[inline]
    pub fn rest(self) -> LockGuard<'a> {
        self.guard
    }
}

/// How far from the beginning of `owner` a part of it lies, or `None` if it is not a part.
#[inline]
fn place<Owner, T>(owner: &Owner, part: &T) -> Option<usize> {
    let place = ptr::from_ref(part).addr().wrapping_sub(ptr::from_ref(owner).addr());
    let is_inside = place <= size_of::<Owner>() && size_of::<T>() <= size_of::<Owner>() - place;
    is_inside.then_some(place)
}

/// The lock of the fields of `owner`, as its type has it.
#[inline]
fn lock<Owner: Guards<LOCK>, const LOCK: usize>(owner: &Owner) -> &Lock {
    let lock = owner.lock_of_fields();
    assert!(place(owner, lock) == Some(Owner::PLACE), "a lock is where its struct says");
    lock
}

/// Gives the guarded fields to who holds their lock.
#[inline]
fn open<'a, Owner, G, const LOCK: usize>(
    owner: &'a Owner,
    guard: LockGuard<'a>,
    over: impl FnOnce(Hold<'a, Owner, LOCK>) -> G,
) -> G {
    over(Hold { owner, guard, taken: 0 })
}

/// Waits for the lock.
///
/// # Errors
/// As [`Lock::lock`].
#[inline]
#[track_caller]
pub fn lock_fields<'a, Owner: Guards<LOCK>, G, const LOCK: usize>(
    owner: &'a Owner,
    over: impl FnOnce(Hold<'a, Owner, LOCK>) -> G,
) -> Result<G, LockError> {
    Ok(open(owner, lock(owner).lock()?, over))
}

/// Takes the lock if nobody holds it.
///
/// # Errors
/// As [`Lock::try_lock`].
#[inline]
#[track_caller]
pub fn try_lock_fields<'a, Owner: Guards<LOCK>, G, const LOCK: usize>(
    owner: &'a Owner,
    over: impl FnOnce(Hold<'a, Owner, LOCK>) -> G,
) -> Result<G, LockError> {
    Ok(open(owner, lock(owner).try_lock()?, over))
}

/// Waits for the lock no longer than `timeout`.
///
/// # Errors
/// As [`Lock::lock_timeout`].
#[inline]
#[track_caller]
pub fn lock_fields_timeout<'a, Owner: Guards<LOCK>, G, const LOCK: usize>(
    owner: &'a Owner,
    timeout: Duration,
    over: impl FnOnce(Hold<'a, Owner, LOCK>) -> G,
) -> Result<G, LockError> {
    Ok(open(owner, lock(owner).lock_timeout(timeout)?, over))
}

/// Waits for the lock; after a death or a panic, `repair` first makes the fields whole.
///
/// # Errors
/// [`LockError::Deadlock`] if this thread holds the lock.
#[track_caller]
pub fn lock_fields_or_repair<'a, Owner: Guards<LOCK>, G, const LOCK: usize>(
    owner: &'a Owner,
    over: impl FnOnce(Hold<'a, Owner, LOCK>) -> G,
    repair: impl FnOnce(&mut G),
) -> Result<G, LockError> {
    lock_or_repair(lock(owner), |guard| open(owner, guard, over), repair)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    /// As `#[shared]` makes them, but what may be wrong is in the tests' hands.
    #[repr(C)]
    #[derive(Default)]
    struct Farm {
        pen: Lock,
        acorns: Guarded<u32, Self, 0>,
        walnuts: Guarded<u32, Self, 0>,
        shed: Lock,
    }

    impl Guards<0> for Farm {
        const PLACE: usize = offset_of!(Self, pen);
        fn lock_of_fields(&self) -> &Lock {
            &self.pen
        }
    }

    type Pen<'a> = (Held<'a, u32>, Held<'a, u32>, LockGuard<'a>);

    fn both(mut hold: Hold<'_, Farm, 0>) -> Pen<'_> {
        let farm = hold.owner();
        (hold.field(&farm.acorns), hold.field(&farm.walnuts), hold.rest())
    }

    #[test]
    fn a_hold_opens_its_fields() {
        let farm = Farm::default();
        let mut pen = lock_fields(&farm, both).expect("free");
        *pen.0 += 2;
        *pen.1 += *pen.0;
        assert!(matches!(
            try_lock_fields(&farm, both),
            Err(LockError::WouldBlock | LockError::Deadlock(_))
        ));
        drop(pen);
        let pen = lock_fields_timeout(&farm, Duration::ZERO, both).expect("free again");
        assert_eq!((*pen.0, *pen.1), (2, 2));
    }

    #[test]
    #[should_panic(expected = "a guarded field is taken once")]
    fn no_field_is_taken_twice() {
        let farm = Farm::default();
        let _ = lock_fields(&farm, |mut hold: Hold<'_, Farm, 0>| {
            (hold.field(&hold.owner().walnuts), hold.field(&hold.owner().walnuts))
        });
    }

    #[test]
    #[should_panic(expected = "a guarded field is taken once")]
    fn no_field_is_taken_after_one_behind_it() {
        let farm = Farm::default();
        let _ = lock_fields(&farm, |mut hold: Hold<'_, Farm, 0>| {
            (hold.field(&hold.owner().walnuts), hold.field(&hold.owner().acorns))
        });
    }

    #[test]
    #[should_panic(expected = "a guarded field is taken once")]
    fn the_fields_of_another_struct_stay_closed() {
        static OTHER: Farm = Farm {
            pen: Lock::new(),
            acorns: Guarded::new(0),
            walnuts: Guarded::new(0),
            shed: Lock::new(),
        };
        let farm = Farm::default();
        let _ = lock_fields(&farm, |mut hold: Hold<'_, Farm, 0>| hold.field(&OTHER.acorns));
    }

    /// Says that its lock is one thing and takes another.
    #[repr(C)]
    struct Liar {
        pen: Lock,
        shed: Lock,
    }

    impl Guards<0> for Liar {
        const PLACE: usize = offset_of!(Self, pen);
        fn lock_of_fields(&self) -> &Lock {
            &self.shed
        }
    }

    #[test]
    #[should_panic(expected = "a lock is where its struct says")]
    fn fields_have_one_lock() {
        let liar = Liar { pen: Lock::new(), shed: Lock::new() };
        assert!(!liar.pen.is_locked());
        let _ = lock_fields(&liar, |hold: Hold<'_, Liar, 0>| hold.rest());
    }
}
