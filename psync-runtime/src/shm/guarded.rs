//! The cell behind `#[guarded_by(lock)]` fields.
#![allow(unsafe_code, reason = "a cell whose lock lies beside it")]

use super::{ShmSafe, Zeroable, safe::fingerprint};
use crate::primitive::UnsafeCell;
use core::{fmt, marker::PhantomData};

/// A value that is touched only while its lock is held. `#[shared]` makes them; user code sees the guard.
///
/// As a field of a struct, its type says which struct that is, and which of its fields is the lock. No other hold opens it.
#[repr(transparent)]
pub struct Guarded<T, Owner = (), const LOCK: usize = 0>(UnsafeCell<T>, PhantomData<fn() -> Owner>);

// SAFETY: references to the value exist only while its lock is held (UNSAFE.md, L1), so it is handed from thread to thread.
unsafe impl<T: Send, Owner, const LOCK: usize> Sync for Guarded<T, Owner, LOCK> {}

// SAFETY: `repr(transparent)` over a `T`, and a cell of psync.
unsafe impl<T: ShmSafe, Owner: 'static, const LOCK: usize> ShmSafe for Guarded<T, Owner, LOCK> {
    const FINGERPRINT: u64 =
        fingerprint("Guarded", &[("0", T::FINGERPRINT, 0)], size_of::<Self>(), align_of::<Self>());
}
// SAFETY: as the `T`.
unsafe impl<T: Zeroable, Owner: 'static, const LOCK: usize> Zeroable for Guarded<T, Owner, LOCK> {}

impl<T, Owner, const LOCK: usize> Guarded<T, Owner, LOCK> {
    /// A cell that holds `value`.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value), PhantomData)
    }

    /// The cell without its whereabouts, for who has checked them.
    pub(crate) const fn anywhere(&self) -> &Guarded<T> {
        // SAFETY: both are `repr(transparent)` over the same `UnsafeCell<T>`.
        unsafe { &*core::ptr::from_ref(self).cast() }
    }
}

impl<T> Guarded<T> {
    /// The value, for as long as its lock is held.
    ///
    /// # Safety
    /// The caller holds the lock that guards this cell for as long as the reference lives, and asks for no second reference in that time.
    #[allow(clippy::mut_from_ref, reason = "that is what the lock is for")]
    pub unsafe fn get(&self) -> &mut T {
        // SAFETY: every process that touches the value holds its lock meanwhile (L1), and the caller holds it now.
        unsafe { &mut *self.0.get() }
    }

    /// The values of many cells, for as long as the one lock of all of them is held.
    ///
    /// # Safety
    /// As [`get`](Self::get), for each of the cells.
    #[allow(clippy::mut_from_ref, reason = "that is what the lock is for")]
    pub unsafe fn get_all(cells: &[Self]) -> &mut [T] {
        // A slice of `repr(transparent)` cells is laid out as the slice of the values; `UnsafeCell` lets it be written through.
        let values =
            core::ptr::slice_from_raw_parts_mut(cells.as_ptr().cast::<T>().cast_mut(), cells.len());
        // SAFETY: as in `get`, for each of the cells.
        unsafe { &mut *values }
    }
}

impl<T, Owner, const LOCK: usize> From<T> for Guarded<T, Owner, LOCK> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default, Owner, const LOCK: usize> Default for Guarded<T, Owner, LOCK> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T, Owner, const LOCK: usize> fmt::Debug for Guarded<T, Owner, LOCK> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_changed_alone_and_together() {
        let cells: [Guarded<i32>; 3] = [Guarded::new(1), Guarded::from(2), Guarded::default()];
        // SAFETY: nobody else knows the cells.
        let all = unsafe { Guarded::get_all(&cells) };
        all[2] = 3;
        assert_eq!(all, [1, 2, 3]);
        // SAFETY: as above, and `all` is not used any more.
        assert_eq!(unsafe { *cells[2].get() }, 3);
    }
}
