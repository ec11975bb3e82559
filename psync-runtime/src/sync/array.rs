//! `Array`: a slice of run-time length behind a lock, held by any number of processes.
#![allow(unsafe_code, reason = "hands out what the lock guards")]

use super::{Lock, LockError, LockGuard};
use crate::shm::{Guarded, Shared, ShmSafe, Zeroable, lend_handle};
use core::{
    fmt,
    ops::{Deref, DerefMut},
    time::Duration,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A slice in shared memory that processes change in turns.
///
/// It is a handle, like [`Shared`]: `Clone` makes another one to the same slice, and it may be sent to any process of the program. The
/// length is fixed when it is made.
///
/// The guard is a `&mut [T]`: its parts can be lent to processes that work on them in place, at the same time.
///
/// **When the holder of the lock dies**, the slice may be half-changed: see [`Lock`]. If it had lent parts to other processes, the lock
/// is not given on before these are gone, too.
///
/// # Examples
/// ```
/// use psync::Array;
///
/// let numbers = Array::from_slice(&[1.5, 2.5])?;
/// let same = numbers.clone();
/// numbers.lock()?[0] += 1.0;
/// assert_eq!(same.to_vec()?, [2.5, 2.5]);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// In another process:
/// ```
/// use psync::prelude::*;
///
/// #[process(lock(numbers as all))]
/// fn double(numbers: Array<f64>) {
///     all.iter_mut().for_each(|number| *number *= 2.0);
/// }
///
/// let numbers = Array::from_slice(&[1.5, 2.5])?;
/// double::run(numbers.clone())?;
/// assert_eq!(numbers.to_vec()?, [3.0, 5.0]);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::{Array, LockError};
/// use std::time::Duration;
///
/// let scores = Array::from_slice(&[3, 1, 2])?;
/// let other = scores.clone();
/// assert!(Array::ptr_eq(&scores, &other), "two handles of the same values");
/// scores.lock_timeout(Duration::from_secs(1))?.sort();
///
/// // A thread that panics with the guard has perhaps left something half done.
/// let panicked = std::thread::spawn(move || {
///     let _guard = other.lock();
///     panic!("half done");
/// });
/// assert!(panicked.join().is_err());
/// assert!(scores.is_poisoned());
/// assert!(matches!(scores.lock(), Err(LockError::Poisoned { .. })));
/// scores.clear_poison();
/// assert_eq!(scores.to_vec()?, [1, 2, 3]);
/// # Ok::<(), psync::Error>(())
/// ```
pub struct Array<T: ShmSafe + Copy> {
    lock: Shared<Lock>,
    values: Shared<[Guarded<T>]>,
}

impl<T: ShmSafe + Copy> Array<T> {
    /// `len` values whose bytes are all zero.
    ///
    /// # Errors
    /// [`ShmError`](crate::shm::ShmError), if there is no memory or no descriptor for it.
    pub fn zeroed(len: usize) -> crate::Result<Self>
    where
        T: Zeroable,
    {
        Ok(Self { lock: Shared::new(Lock::new())?, values: Shared::<[Guarded<T>]>::zeroed(len)? })
    }

    /// A copy of `values`.
    ///
    /// # Errors
    /// As [`zeroed`](Self::zeroed).
    pub fn from_slice(values: &[T]) -> crate::Result<Self> {
        let copy =
            Shared::<[Guarded<T>]>::new_with(values.len(), |index| Guarded::new(values[index]))?;
        Ok(Self { lock: Shared::new(Lock::new())?, values: copy })
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Locks the slice, waiting until it is free.
    ///
    /// # Errors
    /// As [`Lock::lock`].
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> Result<ArrayGuard<'_, T>, LockError> {
        self.lock.lock_in::<Self>().map(|guard| self.guard(guard))
    }

    /// Locks the slice if it is free.
    ///
    /// # Errors
    /// As [`Lock::try_lock`].
    #[inline]
    pub fn try_lock(&self) -> Result<ArrayGuard<'_, T>, LockError> {
        self.lock.try_lock().map(|guard| self.guard(guard))
    }

    /// Locks the slice, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`Lock::lock_timeout`].
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ArrayGuard<'_, T>, LockError> {
        self.lock.lock_timeout_in::<Self>(timeout).map(|guard| self.guard(guard))
    }

    /// As [`lock`](Self::lock), but after a death or a panic `repair` first makes the values whole; then the array is as good as new.
    ///
    /// # Errors
    /// [`LockError::Deadlock`], as [`Lock::lock`].
    ///
    /// # Panics
    /// If `repair` does; the array stays poisoned then.
    #[track_caller]
    pub fn lock_or_repair(
        &self,
        repair: impl FnOnce(&mut [T]),
    ) -> Result<ArrayGuard<'_, T>, LockError> {
        super::guarded::lock_or_repair(&self.lock, |guard| self.guard(guard), |guard| repair(guard))
    }

    /// Whether somebody holds the lock.
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// Whether a holder died or panicked, and nobody has vouched for the values since.
    pub fn is_poisoned(&self) -> bool {
        self.lock.is_poisoned()
    }

    /// Vouches for the values, after a death that nobody has met yet as well. Needs no lock: whoever calls it has to know.
    pub fn clear_poison(&self) {
        self.lock.clear_poison();
    }

    /// A copy of the values, made under the lock.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    #[track_caller]
    pub fn to_vec(&self) -> Result<Vec<T>, LockError> {
        self.lock().map(|values| values.to_vec())
    }

    /// Whether both are handles to the same slice.
    pub fn ptr_eq(a: &Self, b: &Self) -> bool {
        Shared::ptr_eq(&a.lock, &b.lock)
    }

    #[inline]
    fn guard<'a>(&'a self, guard: LockGuard<'a>) -> ArrayGuard<'a, T> {
        ArrayGuard { values: &self.values, _guard: guard }
    }
}

impl<T: ShmSafe + Copy> Clone for Array<T> {
    fn clone(&self) -> Self {
        Self { lock: self.lock.clone(), values: self.values.clone() }
    }
}

impl<T: ShmSafe + Copy> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("len", &self.len())
            .field("lock", &*self.lock)
            .finish_non_exhaustive()
    }
}

impl<T: ShmSafe + Copy> Serialize for Array<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.lock, &self.values).serialize(serializer)
    }
}

impl<'de, T: ShmSafe + Copy> Deserialize<'de> for Array<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (lock, values) = Deserialize::deserialize(deserializer)?;
        Ok(Self { lock, values })
    }
}

lend_handle!([T: ShmSafe + Copy] Array<T>);

/// A locked [`Array`]: a `&mut [T]`, which is released when this is dropped.
///
/// # Examples
/// ```
/// let array = psync::Array::from_slice(&[1, 2, 3, 4])?;
/// let mut guard = array.lock()?;
/// let (left, right) = guard.split_at_mut(2);
/// left.swap_with_slice(right);
/// assert_eq!(guard[..], [3, 4, 1, 2]);
/// # Ok::<(), psync::Error>(())
/// ```
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct ArrayGuard<'a, T: ShmSafe + Copy> {
    values: &'a [Guarded<T>],
    _guard: LockGuard<'a>,
}

impl<T: ShmSafe + Copy> Deref for ArrayGuard<'_, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `Guarded<T>` is laid out as `T`; every process that touches the values holds the lock (L1), as `self` does.
        unsafe { core::slice::from_raw_parts(self.values.as_ptr().cast(), self.values.len()) }
    }
}

impl<T: ShmSafe + Copy> DerefMut for ArrayGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above; the values lie in cells, and `self` is borrowed mutably.
        unsafe {
            core::slice::from_raw_parts_mut(
                self.values.as_ptr().cast_mut().cast(),
                self.values.len(),
            )
        }
    }
}

impl<T: ShmSafe + Copy + fmt::Debug> fmt::Debug for ArrayGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
