//! `Value`: a small value that changes in one step or not at all.
#![allow(unsafe_code, reason = "copies bytes that a writer may be changing")]

use super::{
    error::LockError,
    lock::refused,
    raw::{Acquired, RawMutex, Refusal, Versions},
};
use crate::{
    primitive::UnsafeCell,
    shm::world::{Blocking, Operation, Site},
    sys::{clock::Deadline, fault},
};
use core::{
    fmt,
    marker::PhantomData,
    mem::MaybeUninit,
    ops::{Deref, DerefMut},
    time::Duration,
};

/// A value that is read without waiting and that changes in one step.
///
/// Readers always see a whole value, and never wait for somebody who holds it. Writers take turns; each prepares
/// the new value aside and then replaces the old one by a single store.
///
/// **When a writer dies**, or panics, the value is the one from before: nobody notices, and there is no poison.
///
/// `value.set(value.get() + 1)` is two steps, between which others may change it; [`update`](Self::update) is one.
///
/// # Examples
/// ```
/// use psync::Value;
///
/// let price = Value::new(9.99);
/// assert_eq!(price.update(|price| price * 2.0), 19.98);
/// price.set(5.0);
/// assert_eq!(price.get(), 5.0);
/// ```
///
/// A process that ends in the middle of a change:
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn half_a_change(pair: &Value<(u32, u32)>) {
///     let mut guard = pair.lock().expect("nobody else has it");
///     guard.0 = 9;
///     std::process::exit(1);
/// }
///
/// let pair = Shared::new(Value::new((1, 1)))?;
/// half_a_change::spawn(&pair)?.wait();
/// assert_eq!(pair.get(), (1, 1));
/// assert_eq!(pair.update(|(a, b)| (a + 1, b + 1)), (2, 2));
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::Value;
/// use std::time::Duration;
///
/// let pair = Value::new((1, 2));
/// let mut copy = pair.lock_timeout(Duration::from_secs(1))?;
/// copy.0 = 3;
/// assert_eq!(pair.get(), (1, 2), "not yet");
/// drop(copy);
/// assert_eq!(pair.get(), (3, 2));
/// # Ok::<(), psync::LockError>(())
/// ```
#[repr(C)]
pub struct Value<T> {
    lock: RawMutex,
    versions: Versions,
    buffers: [Buffer<T>; 2],
}

/// Aligned for copies word by word.
#[repr(C, align(8))]
struct Buffer<T>(UnsafeCell<MaybeUninit<T>>);

type Word = MaybeUninit<u64>;

// SAFETY: what is shared is copies of a `Copy` value; the buffers are written by the holder of the lock alone, and a copy that a
// write overlapped is discarded (UNSAFE.md, L4).
unsafe impl<T: Copy + Send> Sync for Value<T> {}

impl<T: Copy> Value<T> {
    /// A value that is `value`.
    pub const fn new(value: T) -> Self {
        let buffer = MaybeUninit::new(value);
        Self {
            lock: RawMutex::new(),
            versions: Versions::new(),
            buffers: [Buffer(UnsafeCell::new(buffer)), Buffer(UnsafeCell::new(buffer))],
        }
    }

    /// The value, as it is at this moment. Never waits for a holder.
    #[inline]
    pub fn get(&self) -> T {
        let copy = self.versions.read(|index| self.buffers[index].read());
        // SAFETY: the copy is whole: no commit happened while it was made, so nobody wrote to this buffer (L4); and each buffer holds
        // a value from `new` on.
        unsafe { copy.assume_init() }
    }

    /// Replaces the value. Waits while somebody holds it.
    ///
    /// # Panics
    /// If that would never end: at once if this thread holds the value, and within a second if whoever holds it waits, perhaps over others, for something
    /// that this thread holds. With [`lock`](Self::lock), that is an error.
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) {
        let _held = self.hold();
        self.commit(value);
    }

    /// Replaces the value by what `change` makes of it; returns the new one. Waits while somebody holds it.
    ///
    /// If `change` panics, the value stays as it was.
    ///
    /// # Panics
    /// As [`set`](Self::set); and if `change` does.
    #[inline]
    #[track_caller]
    pub fn update(&self, change: impl FnOnce(T) -> T) -> T {
        let _held = self.hold();
        let value = change(self.get());
        self.commit(value);
        value
    }

    /// Holds the value, waiting until nobody else does. The guard is a copy that becomes the value when it is dropped.
    ///
    /// # Errors
    /// [`LockError::Deadlock`] at once if this thread holds the value, and within a second if whoever holds it waits, perhaps over others, for something that
    /// this thread holds.
    ///
    /// # Examples
    /// ```
    /// use psync::Value;
    ///
    /// let range = Value::new((1, 5));
    /// let mut guard = range.lock()?;
    /// guard.0 = 3;
    /// assert_eq!(range.get(), (1, 5));
    /// drop(guard);
    /// assert_eq!(range.get(), (3, 5));
    /// # Ok::<(), psync::LockError>(())
    /// ```
    #[track_caller]
    pub fn lock(&self) -> Result<ValueGuard<'_, T>, LockError> {
        self.guard(Deadline::NEVER)
    }

    /// Holds the value if nobody else does.
    ///
    /// # Errors
    /// [`LockError::WouldBlock`] if somebody does.
    pub fn try_lock(&self) -> Result<ValueGuard<'_, T>, LockError> {
        let acquired = self.lock.try_lock().ok_or(LockError::WouldBlock)?;
        Ok(self.guarded(acquired))
    }

    /// Holds the value, waiting until nobody else does or `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// [`LockError::TimedOut`], and [`LockError::Deadlock`] at once if this thread holds the value.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ValueGuard<'_, T>, LockError> {
        self.guard(Deadline::after(timeout))
    }

    #[track_caller]
    fn guard(&self, deadline: Deadline) -> Result<ValueGuard<'_, T>, LockError> {
        let blocking = Blocking::new(deadline, Some(Site::here::<Self>(Operation::Lock)));
        match self.lock.lock(&blocking) {
            Ok(acquired) => Ok(self.guarded(acquired)),
            Err(refusal) => Err(refused(refusal, blocking)),
        }
    }

    fn guarded(&self, acquired: Acquired) -> ValueGuard<'_, T> {
        let held = self.held(acquired);
        ValueGuard {
            copy: self.get(),
            value: self,
            _held: held,
            panicking: std::thread::panicking(),
        }
    }

    #[inline]
    #[track_caller]
    fn hold(&self) -> Held<'_> {
        if self.lock.take_free() {
            self.held(Acquired::Clean)
        } else {
            self.hold_contended(Site::here::<Self>(Operation::Lock))
        }
    }

    #[cold]
    fn hold_contended(&self, site: Site) -> Held<'_> {
        let blocking = Blocking::new(Deadline::NEVER, Some(site));
        match self.lock.lock_contended(&blocking) {
            Ok(acquired) => self.held(acquired),
            Err(refusal) => refuse(refusal, blocking),
        }
    }

    #[inline]
    fn held(&self, acquired: Acquired) -> Held<'_> {
        if acquired != Acquired::Clean {
            // What the dead had not committed is in the buffer that nobody reads.
            self.lock.adopt();
        }
        Held { lock: &self.lock, not_send: PhantomData }
    }

    /// Makes `value` the value. Only for the holder of the lock.
    #[inline]
    fn commit(&self, value: T) {
        self.buffers[self.versions.begin()].write(value);
        self.versions.commit();
    }
}

#[cold]
fn refuse(refusal: Refusal, blocking: Blocking) -> ! {
    panic!("the value cannot be changed: {}", refused(refusal, blocking))
}

impl<T: Copy> Buffer<T> {
    const WORDS: usize = size_of::<Self>() / size_of::<Word>();

    fn word(&self, index: usize) -> *mut Word {
        self.0.get().cast::<Word>().wrapping_add(index)
    }

    /// A copy, which is torn if somebody writes meanwhile.
    #[inline]
    fn read(&self) -> MaybeUninit<T> {
        let copy = Self(UnsafeCell::new(MaybeUninit::uninit()));
        for index in 0..Self::WORDS {
            // SAFETY: the word lies inside this buffer, whose size is a multiple of its alignment, that of a word. The read is volatile since
            // another process may be writing (L4); any bytes are a value of `Word`.
            let word = unsafe { self.word(index).read_volatile() };
            // SAFETY: the word lies inside the copy, which only we know.
            unsafe { copy.word(index).write(word) };
        }
        copy.0.into_inner()
    }

    /// Only for the holder of the lock, on the buffer that is not current.
    #[inline]
    fn write(&self, value: T) {
        let source = Self(UnsafeCell::new(MaybeUninit::new(value)));
        for index in 0..Self::WORDS {
            // SAFETY: the word lies inside the source, which only we know; any bytes are a value of `Word`.
            let word = unsafe { source.word(index).read() };
            // SAFETY: the word lies inside this buffer. The write is volatile since readers that are about to find their copy torn may be reading (L4).
            unsafe { self.word(index).write_volatile(word) };
            fault::point("value: word written");
        }
    }
}

impl<T: Copy + Default> Default for Value<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&self.get()).finish()
    }
}

/// Releases the lock when dropped.
struct Held<'a> {
    lock: &'a RawMutex,
    not_send: PhantomData<std::sync::MutexGuard<'static, ()>>,
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.lock.unlock();
    }
}

/// A copy of a held [`Value`], which becomes the value when this is dropped, unless by a panic.
///
/// # Examples
/// ```
/// let number = psync::Value::new(1);
/// let mut copy = number.lock()?;
/// *copy += 1;
/// drop(copy); // one store, and everybody sees it
/// assert_eq!(number.get(), 2);
/// # Ok::<(), psync::LockError>(())
/// ```
#[must_use = "the value is released at once if the guard is not kept"]
pub struct ValueGuard<'a, T: Copy> {
    copy: T,
    value: &'a Value<T>,
    _held: Held<'a>,
    panicking: bool,
}

impl<T: Copy> Deref for ValueGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.copy
    }
}

impl<T: Copy> DerefMut for ValueGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.copy
    }
}

impl<T: Copy> Drop for ValueGuard<'_, T> {
    fn drop(&mut self) {
        let panicked = !self.panicking && std::thread::panicking();
        if !panicked && self.value.lock.is_mine() {
            self.value.commit(self.copy);
        }
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for ValueGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.copy, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::watchdog;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_panic_rolls_back() {
        let value = Value::new([1_u8; 13]);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            value.lock().expect("free")[3] = 9;
            let mut guard = value.lock().expect("free");
            guard[0] = 9;
            panic!("with the value");
        }));
        let _ = catch_unwind(AssertUnwindSafe(|| value.update(|_| panic!("no new value"))));
        let mut expected = [1; 13];
        expected[3] = 9;
        assert_eq!(value.get(), expected);
        assert!(value.try_lock().is_ok());
    }

    #[test]
    fn a_thread_that_ends_with_the_guard_rolls_back() {
        let value = Value::new(4_i16);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut guard = value.lock().expect("free");
                *guard = 5;
                core::mem::forget(guard);
            });
        });
        assert_eq!((value.get(), value.update(|v| v * 2)), (4, 8));
    }

    #[test]
    fn waiting_for_oneself_is_refused() {
        let value = Value::new(1);
        let _guard = value.lock().expect("free");
        assert!(matches!(value.lock(), Err(LockError::Deadlock(_))));
        assert!(matches!(value.try_lock(), Err(LockError::WouldBlock)));
        assert_eq!(value.get(), 1);
        assert!(catch_unwind(AssertUnwindSafe(|| value.set(2))).is_err());
    }

    #[test]
    fn readers_see_whole_values() {
        let _watchdog = watchdog("readers_see_whole_values");
        let value = Value::new([0_u64; 9]);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..20_000 {
                            value.update(|now| [now[0] + 1; 9]);
                        }
                    })
                })
                .collect();
            while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                let copy = value.get();
                assert!(copy.iter().all(|word| *word == copy[0]), "{copy:?}");
            }
        });
        assert_eq!(value.get(), [40_000; 9]);
    }
}
