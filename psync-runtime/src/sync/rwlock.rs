//! `RwLock`: data that many may read or one may change.
#![allow(unsafe_code, reason = "hands out references to what a lock protects")]

use super::{
    error::LockError,
    lock::{poisoned_by, refused},
    raw::{self, Poison, RawRwLock, Reading},
};
use crate::{
    primitive::UnsafeCell,
    shm::world::{Blocking, Operation, Site},
    sys::clock::Deadline,
};
use core::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    time::Duration,
};

/// Data that any number of threads of all processes may read at a time, or one may change.
///
/// A writer that waits keeps new readers out, so writers do not starve; who gets the lock among several that wait is not determined. A thread that
/// reads may read once more at any time. Everything that was written before a release is visible after the acquisitions that follow.
///
/// **When a process dies** while it reads, it has left: writers go on. When a writer dies or panics, the data may be half-changed, so from then on
/// every plain acquisition reports [`LockError::Poisoned`], until somebody makes the data whole:
/// [`write_or_repair`](Self::write_or_repair), [`write_or_replace`](Self::write_or_replace), or [`clear_poison`](Self::clear_poison). A writer that dies while it still
/// waits changes nothing. That a reader has died is known between processes of one program. A read guard that was leaked stays its process's, also when its
/// thread ends.
///
/// # Examples
/// ```
/// use psync::RwLock;
///
/// let limits = RwLock::new((0, 10));
/// {
///     let one = limits.read()?;
///     let other = limits.read()?;
///     assert_eq!(one.1, other.1);
/// }
/// limits.write()?.1 = 20;
/// assert_eq!(*limits.read()?, (0, 20));
/// # Ok::<(), psync::LockError>(())
/// ```
///
/// A process that ends while it reads does not hold up the writer:
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn ends_while_it_reads(limits: &RwLock<(u32, u32)>) {
///     let _reading = limits.read().expect("nobody writes");
///     std::process::exit(1);
/// }
///
/// let limits = Shared::new(RwLock::new((0, 10)))?;
/// ends_while_it_reads::spawn(&limits)?.wait();
/// limits.write()?.1 = 20;
/// assert_eq!(limits.read()?.1, 20);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::{LockError, RwLock};
/// use std::time::Duration;
///
/// let paper = RwLock::new(1);
/// let reading = paper.read_timeout(Duration::from_secs(1))?;
/// assert_eq!(*paper.try_read()?, 1);
/// assert!(paper.try_write().is_err());
/// drop(reading);
/// *paper.write_timeout(Duration::from_secs(1))? = 2;
/// assert!(!paper.is_write_locked());
///
/// // A holder that panics leaves the lock poisoned.
/// let _ = std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let _held = paper.write();
///         panic!("half done");
///     })
///     .join()
/// });
/// assert!(paper.is_poisoned());
/// assert_eq!(*paper.write_or_repair(|value| *value = 3)?, 3);
/// assert_eq!(*paper.write_or_replace(4)?, 3, "there is nothing to replace any more");
/// paper.clear_poison(); // nothing to clear any more
/// # Ok::<(), LockError>(())
/// ```
#[repr(C)]
pub struct RwLock<T> {
    raw: RawRwLock,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached only through guards: shared ones of readers, or one of a writer (UNSAFE.md, L6).
unsafe impl<T: Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A free lock around `data`.
    pub const fn new(data: T) -> Self {
        Self { raw: RawRwLock::new(), data: UnsafeCell::new(data) }
    }

    /// Acquires the lock for reading, waiting until no writer has it or waits for it. A thread that reads already does not wait.
    ///
    /// # Errors
    /// [`LockError::Poisoned`] if a writer died or panicked; [`LockError::Deadlock`] at once if this thread is the writer, and within a second if the
    /// writer waits, perhaps over others, for something that this thread holds.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> Result<ReadGuard<'_, T>, LockError> {
        match self.raw.enter() {
            Some(reading) => self.reader(reading),
            None => self.read_late(Deadline::NEVER, Site::here::<Self>(Operation::Read)),
        }
    }

    /// Acquires the lock for reading if no writer has it or waits for it, or if this thread reads already.
    ///
    /// # Errors
    /// [`LockError::WouldBlock`] if one does, [`LockError::Poisoned`] if a writer died or panicked.
    pub fn try_read(&self) -> Result<ReadGuard<'_, T>, LockError> {
        let reading = self.raw.enter().or_else(|| self.raw.try_enter_late());
        self.reader(reading.ok_or(LockError::WouldBlock)?)
    }

    /// Acquires the lock for reading, waiting until no writer has it or waits for it, or `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// [`LockError::TimedOut`], [`LockError::Poisoned`] if a writer died or panicked, [`LockError::Deadlock`] at once if this thread is the writer.
    #[track_caller]
    pub fn read_timeout(&self, timeout: Duration) -> Result<ReadGuard<'_, T>, LockError> {
        match self.raw.enter() {
            Some(reading) => self.reader(reading),
            None => self.read_late(Deadline::after(timeout), Site::here::<Self>(Operation::Read)),
        }
    }

    #[cold]
    fn read_late(&self, deadline: Deadline, site: Site) -> Result<ReadGuard<'_, T>, LockError> {
        let blocking = Blocking::new(deadline, Some(site));
        match self.raw.enter_late(&blocking) {
            Ok(reading) => self.reader(reading),
            Err(refusal) => Err(refused(refusal, blocking)),
        }
    }

    #[inline]
    fn reader<'a>(&'a self, reading: Reading<'a>) -> Result<ReadGuard<'a, T>, LockError> {
        self.sound(ReadGuard { lock: self, reading, not_send: PhantomData })
    }

    /// Acquires the lock for writing, waiting until nobody else has it. A thread that reads cannot: it has to let go first.
    ///
    /// # Errors
    /// [`LockError::Poisoned`] if a writer died or panicked; [`LockError::Deadlock`] at once if this thread has the lock, for reading or writing, and
    /// within a second if the writer or a reader waits, perhaps over others, for something that this thread holds.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> Result<WriteGuard<'_, T>, LockError> {
        if self.raw.write_at_once() {
            return self.sound(self.writer());
        }
        let guard = self.write_any(Deadline::NEVER, Site::here::<Self>(Operation::Write))?;
        self.sound(guard)
    }

    /// Acquires the lock for writing if nobody has it.
    ///
    /// # Errors
    /// [`LockError::WouldBlock`] if somebody has, [`LockError::Poisoned`] if a writer died or panicked.
    pub fn try_write(&self) -> Result<WriteGuard<'_, T>, LockError> {
        if !self.raw.try_write() {
            return Err(LockError::WouldBlock);
        }
        self.sound(self.writer())
    }

    /// Acquires the lock for writing, waiting until nobody else has it or `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// [`LockError::TimedOut`], [`LockError::Poisoned`] if a writer died or panicked, [`LockError::Deadlock`] at once if this thread has the lock, for
    /// reading or writing.
    #[track_caller]
    pub fn write_timeout(&self, timeout: Duration) -> Result<WriteGuard<'_, T>, LockError> {
        let guard =
            self.write_any(Deadline::after(timeout), Site::here::<Self>(Operation::Write))?;
        self.sound(guard)
    }

    /// Acquires the lock for writing; if it is poisoned, has `repair` make the data whole and lifts the poison.
    ///
    /// # Errors
    /// [`LockError::Deadlock`], as [`write`](Self::write).
    ///
    /// # Panics
    /// If `repair` does; the lock stays poisoned then.
    #[track_caller]
    pub fn write_or_repair(
        &self,
        repair: impl FnOnce(&mut T),
    ) -> Result<WriteGuard<'_, T>, LockError> {
        let mut guard = self.write_any(Deadline::NEVER, Site::here::<Self>(Operation::Write))?;
        if self.is_poisoned() {
            repair(&mut guard);
            self.clear_poison();
        }
        Ok(guard)
    }

    /// Acquires the lock for writing; if it is poisoned, replaces the data by `sound` and lifts the poison.
    ///
    /// # Errors
    /// [`LockError::Deadlock`], as [`write`](Self::write).
    #[track_caller]
    pub fn write_or_replace(&self, sound: T) -> Result<WriteGuard<'_, T>, LockError> {
        self.write_or_repair(|data| *data = sound)
    }

    #[cold]
    fn write_any(&self, deadline: Deadline, site: Site) -> Result<WriteGuard<'_, T>, LockError> {
        let blocking = Blocking::new(deadline, Some(site));
        match self.raw.write(&blocking) {
            Ok(()) => Ok(self.writer()),
            Err(refusal) => Err(refused(refusal, blocking)),
        }
    }

    #[inline]
    fn writer(&self) -> WriteGuard<'_, T> {
        WriteGuard { lock: self, panicking: std::thread::panicking(), not_send: PhantomData }
    }

    /// The guard, unless the data is suspect.
    #[inline]
    fn sound<G>(&self, guard: G) -> Result<G, LockError> {
        match self.raw.turn().poison() {
            None => Ok(guard),
            Some(poison) => Err(poisoned(guard, poison)),
        }
    }

    /// Whether a writer has the lock at this moment.
    pub fn is_write_locked(&self) -> bool {
        self.raw.is_written()
    }

    /// Whether a writer died or panicked and nobody has made the data whole since.
    ///
    /// A death counts as soon as the kernel has reported it, which is before anybody learns that the process has ended.
    pub fn is_poisoned(&self) -> bool {
        self.raw.is_poisoned()
    }

    /// Declares the data sound, after a death that nobody has met yet as well; see [`Lock::clear_poison`](super::Lock::clear_poison).
    pub fn clear_poison(&self) {
        self.raw.clear_poison();
    }

    /// The data, which nobody else can reach while `self` is borrowed for this.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// The data.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

/// Releases the lock, and says why it is not to be had.
#[cold]
fn poisoned<G>(guard: G, poison: Poison) -> LockError {
    drop(guard);
    poisoned_by(poison)
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.raw.is_written().then(|| self.raw.turn().owner()).flatten(), self.raw.readers())
        {
            (Some((pid, tid)), _) => write!(f, "RwLock(written by thread {tid} of process {pid}")?,
            (None, 0) => f.write_str("RwLock(free")?,
            (None, 1) => f.write_str("RwLock(1 reader")?,
            (None, readers) => write!(f, "RwLock({readers} readers")?,
        }
        f.write_str(if self.is_poisoned() { ", poisoned)" } else { ")" })
    }
}

/// An [`RwLock`] that is held for reading, and the way to its data. Dropping it releases the lock; a panic that drops it does no harm.
///
/// # Examples
/// ```
/// let paper = psync::RwLock::new(5);
/// let (one, other) = (paper.read()?, paper.read()?);
/// assert_eq!(*one, *other);
/// # Ok::<(), psync::LockError>(())
/// ```
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct ReadGuard<'a, T> {
    lock: &'a RwLock<T>,
    reading: Reading<'a>,
    /// The thread is known to read, so as not to wait for itself: as with std's guards, not `Send`.
    not_send: PhantomData<std::sync::MutexGuard<'static, ()>>,
}

// SAFETY: a shared guard gives shared access to the data, nothing else.
unsafe impl<T: Sync> Sync for ReadGuard<'_, T> {}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: as long as somebody reads, nobody writes (UNSAFE.md, L6).
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> Drop for ReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Of a hold in the process that this one was forked from, nothing is ours.
        if self.reading.reader.pid == raw::me().pid {
            self.lock.raw.leave(&self.reading);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// An [`RwLock`] that is held for writing, and the way to its data. Dropping it releases the lock, and poisons it if a panic does so.
///
/// # Examples
/// ```
/// let paper = psync::RwLock::new(5);
/// let mut writing = paper.write()?;
/// *writing += 1;
/// drop(writing);
/// assert_eq!(*paper.read()?, 6);
/// # Ok::<(), psync::LockError>(())
/// ```
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct WriteGuard<'a, T> {
    lock: &'a RwLock<T>,
    /// A panic was under way when it was acquired, so it does not poison.
    panicking: bool,
    not_send: PhantomData<std::sync::MutexGuard<'static, ()>>,
}

// SAFETY: a shared guard gives shared access to the data, nothing else.
unsafe impl<T: Sync> Sync for WriteGuard<'_, T> {}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: there is one writer, and nobody reads meanwhile (UNSAFE.md, L6).
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed for this alone.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T> Drop for WriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if !self.lock.raw.has_turn() {
            return;
        }
        if !self.panicking && std::thread::panicking() {
            self.lock.raw.turn().set_poison(Poison { pid: raw::me().pid, panicked: true });
        }
        self.lock.raw.end_writing();
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

#[cfg(test)]
#[path = "rwlock_tests.rs"]
mod tests;
