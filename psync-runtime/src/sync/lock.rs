//! `Lock`: mutual exclusion, and word of a holder that died or panicked.

use super::{
    deadlock::DeadlockReport,
    error::{LockError, PoisonCause},
    raw::{self, Acquired, Poison, RawMutex, Refusal},
};
use crate::{
    primitive::{AtomicU32, Ordering},
    shm::world::{Blocking, Operation, Site, guarded_by},
    sys::{clock::Deadline, fault},
};
use core::{fmt, marker::PhantomData, time::Duration};

/// Mutual exclusion between processes, for something that is not inside the lock.
///
/// At most one thread of all processes that see it holds the lock at a time. [`Mutex`](super::Mutex) is the same with data; take
/// this one where what it protects is elsewhere, such as fields beside it or a file. Who gets the lock next is not
/// determined; everything that was written before a release is visible after the acquisition that follows.
///
/// **When the holder dies**, however it dies, the lock is free for the next one within a moment, and poisoned: every plain
/// acquisition reports [`LockError::Poisoned`] until somebody vouches for what the lock protects, with [`lock_or_repair`](Self::lock_or_repair) or
/// [`clear_poison`](Self::clear_poison). The same holds if a guard is dropped by a panic.
///
/// # Examples
/// ```
/// use psync::Lock;
///
/// static PRINTER: Lock = Lock::new();
///
/// let guard = PRINTER.lock()?;
/// println!("nobody else prints now");
/// drop(guard);
/// assert!(!PRINTER.is_locked());
/// # Ok::<(), psync::LockError>(())
/// ```
///
/// ```
/// use psync::Lock;
/// use std::time::Duration;
///
/// let door = Lock::new();
/// drop(door.lock_timeout(Duration::from_secs(1))?);
///
/// // A holder that panics leaves the lock poisoned.
/// let _ = std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let _held = door.lock();
///         panic!("half done");
///     })
///     .join()
/// });
/// assert!(door.is_poisoned());
/// door.clear_poison();
/// door.lock()?;
/// # Ok::<(), psync::LockError>(())
/// ```
#[repr(C)]
pub struct Lock {
    raw: RawMutex,
    /// How many guards of the present holder keep it held besides the first, and [`IN_PANIC`]. Touched by the holder alone; 0 whenever
    /// the lock is free or was left clean, so that the usual hold need not write it.
    shares: AtomicU32,
}

/// Of `shares`: a panic was under way when the lock was acquired, so it does not poison.
const IN_PANIC: u32 = 1 << 31;

impl Lock {
    /// A lock that is free.
    pub const fn new() -> Self {
        Self { raw: RawMutex::new(), shares: AtomicU32::new(0) }
    }

    /// Acquires the lock, waiting until it is free.
    ///
    /// # Errors
    /// [`LockError::Poisoned`] if a holder died or panicked; [`LockError::Deadlock`] at once if this thread holds the lock, and within a second if
    /// whoever holds it waits, perhaps over others, for something that this thread holds.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call costs a tenth of what it is about")]
    #[track_caller]
    pub fn lock(&self) -> Result<LockGuard<'_>, LockError> {
        self.lock_in::<Self>()
    }

    /// [`lock`](Self::lock) for a `T` that this lock is a part of.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    #[track_caller]
    pub(super) fn lock_in<T: ?Sized>(&self) -> Result<LockGuard<'_>, LockError> {
        if self.raw.take_free() {
            LockGuard::new(self).into_sound()
        } else {
            self.lock_timely(Deadline::NEVER, Site::here::<T>(Operation::Lock))
        }
    }

    /// Acquires the lock if it is free.
    ///
    /// # Errors
    /// [`LockError::WouldBlock`] if it is not, [`LockError::Poisoned`] if a holder died or panicked.
    #[inline]
    pub fn try_lock(&self) -> Result<LockGuard<'_>, LockError> {
        self.take_at_once().ok_or(LockError::WouldBlock)?.into_sound()
    }

    /// Acquires the lock, waiting until it is free or `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// [`LockError::TimedOut`], [`LockError::Poisoned`] if a holder died or panicked, [`LockError::Deadlock`] at once if this thread holds the lock.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<LockGuard<'_>, LockError> {
        self.lock_timeout_in::<Self>(timeout)
    }

    /// [`lock_timeout`](Self::lock_timeout) for a `T` that this lock is a part of.
    #[track_caller]
    pub(super) fn lock_timeout_in<T: ?Sized>(
        &self,
        timeout: Duration,
    ) -> Result<LockGuard<'_>, LockError> {
        self.lock_timely(Deadline::after(timeout), Site::here::<T>(Operation::Lock))
    }

    #[cold]
    fn lock_timely(&self, deadline: Deadline, site: Site) -> Result<LockGuard<'_>, LockError> {
        self.take(deadline, site)?.into_sound()
    }

    /// Acquires the lock; if it is poisoned, has `repair` make whole what it protects and lifts the poison.
    ///
    /// # Errors
    /// [`LockError::Deadlock`], as [`lock`](Self::lock).
    ///
    /// # Panics
    /// If `repair` does; the lock stays poisoned then.
    ///
    /// # Examples
    /// ```
    /// use psync::Lock;
    ///
    /// let lock = Lock::new();
    /// let guard = lock.lock_or_repair(|| unreachable!("nobody has died"))?;
    /// # Ok::<(), psync::LockError>(())
    /// ```
    #[track_caller]
    pub fn lock_or_repair(&self, repair: impl FnOnce()) -> Result<LockGuard<'_>, LockError> {
        let guard = self.take(Deadline::NEVER, Site::here::<Self>(Operation::Lock))?;
        if guard.is_poisoned() {
            repair();
            self.clear_poison();
        }
        Ok(guard)
    }

    /// Acquires the lock also if it is poisoned; whether it is.
    #[doc(hidden)]
    #[track_caller]
    pub fn lock_any(&self) -> Result<(LockGuard<'_>, bool), LockError> {
        let guard = self.take(Deadline::NEVER, Site::here::<Self>(Operation::Lock))?;
        let poisoned = guard.is_poisoned();
        Ok((guard, poisoned))
    }

    /// Another guard, if this thread holds the lock.
    #[inline]
    pub(super) fn lock_again(&self) -> Option<LockGuard<'_>> {
        self.raw.is_surely_mine().then(|| LockGuard::share_of(self))
    }

    /// Whether somebody holds the lock at this moment.
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// Whether a holder died or panicked and nobody has vouched for what the lock protects since.
    ///
    /// A death counts as soon as the kernel has reported it, which is before anybody learns that the process has ended.
    pub fn is_poisoned(&self) -> bool {
        self.raw.poison_soon().is_some()
    }

    /// Declares what the lock protects sound, after a death that nobody has met yet as well. Needs no lock: whoever calls it has to know.
    ///
    /// Where processes still work on parts that the dead one had lent them, nobody can know; the lock is poisoned then as soon as they are gone.
    pub fn clear_poison(&self) {
        if self.raw.is_abandoned() {
            drop(self.take_at_once());
        }
        self.raw.clear_poison();
    }

    /// Acquires the lock, poisoned or not, if nobody holds it.
    #[inline]
    fn take_at_once(&self) -> Option<LockGuard<'_>> {
        match self.raw.try_lock()? {
            Acquired::Clean => Some(LockGuard::new(self)),
            Acquired::Inherited(dead) => self.inherit(dead, Deadline::after(Duration::ZERO)),
        }
    }

    /// Acquires the lock, poisoned or not.
    pub(super) fn take(&self, deadline: Deadline, site: Site) -> Result<LockGuard<'_>, LockError> {
        let blocking = Blocking::new(deadline, Some(site));
        match self.raw.lock(&blocking) {
            Ok(Acquired::Clean) => Ok(LockGuard::new(self)),
            Ok(Acquired::Inherited(dead)) => {
                self.inherit(dead, deadline).ok_or(LockError::TimedOut)
            }
            Err(refusal) => Err(refused(refusal, blocking)),
        }
    }

    /// Takes the lock over from the dead, once those are gone whom they had lent parts of the data to; `None` if the deadline
    /// comes first.
    #[cold]
    fn inherit(&self, dead: raw::Me, deadline: Deadline) -> Option<LockGuard<'_>> {
        if !raw::await_orphans(dead, deadline) {
            self.raw.abandon();
            return None;
        }
        self.raw.set_poison(Poison { pid: dead.pid, panicked: false });
        self.shares.store(0, Ordering::Relaxed);
        fault::point("lock: shares forgotten");
        self.raw.adopt();
        Some(LockGuard::new(self))
    }

    /// Ends a guard, which most often is the only one and so ends the hold.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `lock`")]
    fn end(&self) {
        let is_only = self.shares.load(Ordering::Relaxed) == 0;
        if !(is_only && !std::thread::panicking() && self.raw.unlock_simply()) {
            self.give_up();
        }
    }

    /// The same, as a call: in line it would slow inner levels down.
    #[inline(never)]
    fn end_outermost(&self) {
        self.end();
    }

    /// Gives up a guard where it or its lock is not the only one, or where there is a panic.
    #[cold]
    fn give_up(&self) {
        // Of a hold in the process that this one was forked from, nothing is ours.
        if !self.raw.is_mine() {
            return;
        }
        let shares = self.shares.load(Ordering::Relaxed);
        if shares & IN_PANIC == 0 && std::thread::panicking() {
            self.raw.set_poison(Poison { pid: raw::me().pid, panicked: true });
        }
        if shares & !IN_PANIC == 0 {
            self.shares.store(0, Ordering::Relaxed);
            fault::point("lock: last share gone");
            self.raw.unlock();
        } else {
            self.shares.store(shares - 1, Ordering::Relaxed);
            fault::point("lock: share gone");
        }
    }

    pub(super) fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe_with(name, |_| Ok(()), f)
    }

    /// The same for a lock whose shares are the levels of one that is taken again.
    pub(super) fn describe_levels(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels =
            |f: &mut fmt::Formatter<'_>| match self.shares.load(Ordering::Relaxed) & !IN_PANIC {
                0 => Ok(()),
                shares => write!(f, " {} times", shares + 1),
            };
        self.describe_with(name, levels, f)
    }

    fn describe_with(
        &self,
        name: &str,
        levels: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        write!(f, "{name}(")?;
        match self.raw.owner().filter(|_| self.raw.is_locked()) {
            Some((pid, tid)) => {
                write!(f, "held by thread {tid} of process {pid}")?;
                levels(f)?;
            }
            None => f.write_str("free")?,
        }
        match self.raw.poison_soon() {
            Some(Poison { pid, panicked }) => {
                let event = if panicked { "panic" } else { "death" };
                write!(f, ", poisoned by the {event} of process {pid})")
            }
            None => f.write_str(")"),
        }
    }
}

#[cold]
pub(super) fn refused(refusal: Refusal, blocking: Blocking) -> LockError {
    match refusal {
        Refusal::TimedOut => LockError::TimedOut,
        Refusal::Deadlock => LockError::Deadlock(DeadlockReport::new(blocking)),
    }
}

impl Default for Lock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe("Lock", f)
    }
}

/// A held [`Lock`], which is released when this is dropped, and poisoned if a panic does so.
///
/// # Examples
/// ```
/// let door = psync::Lock::new();
/// let inside = door.lock()?;
/// assert!(door.is_locked());
/// drop(inside);
/// assert!(!door.is_locked());
/// # Ok::<(), psync::LockError>(())
/// ```
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct LockGuard<'a> {
    lock: &'a Lock,
    /// The kernel knows the lock as this thread's: as with std's guards, not `Send`.
    not_send: PhantomData<std::sync::MutexGuard<'static, ()>>,
}

impl<'a> LockGuard<'a> {
    #[inline]
    fn new(lock: &'a Lock) -> Self {
        if std::thread::panicking() {
            lock.shares.store(IN_PANIC, Ordering::Relaxed);
            fault::point("lock: acquired in a panic");
        }
        Self { lock, not_send: PhantomData }
    }

    #[inline]
    pub(super) fn is_poisoned(&self) -> bool {
        self.lock.raw.poison().is_some()
    }

    /// Why the lock is poisoned, if it is.
    pub(super) fn poison(&self) -> Option<LockError> {
        self.lock.raw.poison().map(poisoned_by)
    }

    /// A second guard of the same hold: the lock is released when all are gone.
    #[inline]
    pub(super) fn share(&self) -> Self {
        Self::share_of(self.lock)
    }

    /// The same, of a lock that this thread holds.
    #[inline]
    fn share_of(lock: &'a Lock) -> Self {
        let shares = lock.shares.load(Ordering::Relaxed);
        assert!(shares & !IN_PANIC < !IN_PANIC, "a lock has fewer than 2147483648 guards");
        lock.shares.store(shares + 1, Ordering::Relaxed);
        fault::point("lock: shared");
        Self { lock, not_send: PhantomData }
    }

    /// What dropping the guard does, for one that is often not the only one of its hold.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `Lock::lock`")]
    pub(super) fn end_level(&self) {
        let shares = self.lock.shares.load(Ordering::Relaxed);
        let simple = matches!(shares, 1..IN_PANIC)
            && !std::thread::panicking()
            // And not of the process that this one was forked from.
            && self.lock.raw.is_of_this_process();
        if simple {
            self.lock.shares.store(shares - 1, Ordering::Relaxed);
            fault::point("lock: inner share gone");
        } else {
            self.lock.end_outermost();
        }
    }

    /// Whether both are guards of one lock.
    pub(super) fn is_of_the_same(&self, other: &LockGuard<'_>) -> bool {
        core::ptr::eq(self.lock, other.lock)
    }

    /// How many guards keep the lock held.
    pub(super) fn guards(&self) -> u32 {
        (self.lock.shares.load(Ordering::Relaxed) & !IN_PANIC) + 1
    }

    /// Releases the lock for a while, with all its guards; what to [resume](Self::resume) it with.
    pub(super) fn suspend(&self) -> Suspended {
        let shares = self.lock.shares.load(Ordering::Relaxed);
        self.lock.shares.store(0, Ordering::Relaxed);
        fault::point("lock: shares set aside");
        self.lock.raw.unlock();
        Suspended(shares)
    }

    /// Whether somebody has died or panicked with the lock, as far as that can be told without it.
    pub(super) fn is_suspect(&self) -> bool {
        self.lock.raw.is_suspect()
    }

    /// Acquires the lock again, whatever it takes: other guards of the hold may be about, so there is no going on without. `Err` says that it is
    /// poisoned; it is held even so.
    pub(super) fn resume(&self, hold: Suspended, site: Site) -> Result<(), LockError> {
        let take = || self.lock.take(Deadline::NEVER, site);
        let guard = loop {
            // Of a deadlock another one of its threads is told.
            if let Ok(guard) = guarded_by(raw::Identity::NOBODY, take) {
                break guard;
            }
        };
        self.lock.shares.store(hold.0, Ordering::Relaxed);
        fault::point("lock: shares restored");
        // From here on it is `self` that holds the lock.
        core::mem::forget(guard);
        self.lock.raw.poison().map_or(Ok(()), |poison| Err(poisoned_by(poison)))
    }

    /// Itself, unless the lock is poisoned.
    #[inline]
    pub(super) fn into_sound(self) -> Result<Self, LockError> {
        match self.lock.raw.poison() {
            None => Ok(self),
            Some(poison) => Err(self.poisoned(poison)),
        }
    }

    /// Releases the lock, and says why it is not to be had.
    #[cold]
    fn poisoned(self, poison: Poison) -> LockError {
        drop(self);
        poisoned_by(poison)
    }
}

/// What a [suspended](LockGuard::suspend) lock was held with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspended(u32);

#[cold]
pub(super) fn poisoned_by(poison: Poison) -> LockError {
    let cause = if poison.panicked { PoisonCause::Panicked } else { PoisonCause::Died };
    LockError::Poisoned { pid: poison.pid, cause }
}

impl Drop for LockGuard<'_> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `Lock::lock`")]
    fn drop(&mut self) {
        self.lock.end();
    }
}

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock.describe("LockGuard", f)
    }
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
