//! Everything that is a lock with a tally behind it, so that the kill tests treat all of it alike.

use super::stage::{ArenaPen, Stage, Tally};
use psync::{ArrayGuard, LockError, MutexGuard, ReentrantGuard, WriteGuard};
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

pub(crate) type Repair<'a> = &'a mut dyn FnMut(&mut [u64]);

/// A lock with a tally behind it.
pub(crate) trait Subject {
    const NAME: &'static str;
    type Guard<'a>;
    fn lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError>;
    fn lock_timeout(stage: &Stage, limit: Duration) -> Result<Self::Guard<'_>, LockError>;
    fn try_lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError>;
    fn or_repair<'a>(stage: &'a Stage, repair: Repair<'_>) -> Result<Self::Guard<'a>, LockError>;
    fn tally(guard: &Self::Guard<'_>) -> Tally;
    /// Adds one to one number of the tally.
    fn add(guard: &mut Self::Guard<'_>, index: usize);
}

pub(crate) enum OfMutex {}

impl Subject for OfMutex {
    const NAME: &'static str = "Mutex";
    type Guard<'a> = MutexGuard<'a, Tally>;

    fn lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.mutex.lock()
    }

    fn lock_timeout(stage: &Stage, limit: Duration) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.mutex.lock_timeout(limit)
    }

    fn try_lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.mutex.try_lock()
    }

    fn or_repair<'a>(stage: &'a Stage, repair: Repair<'_>) -> Result<Self::Guard<'a>, LockError> {
        stage.arena.mutex.lock_or_repair(|tally| repair(tally))
    }

    fn tally(guard: &Self::Guard<'_>) -> Tally {
        **guard
    }

    fn add(guard: &mut Self::Guard<'_>, index: usize) {
        guard[index] += 1;
    }
}

/// Fields that a `Lock` guards.
pub(crate) enum OfLock {}

impl Subject for OfLock {
    const NAME: &'static str = "Lock (guarded_by)";
    type Guard<'a> = ArenaPen<'a>;

    fn lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.lock_pen()
    }

    fn lock_timeout(stage: &Stage, limit: Duration) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.lock_pen_timeout(limit)
    }

    fn try_lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.try_lock_pen()
    }

    fn or_repair<'a>(stage: &'a Stage, repair: Repair<'_>) -> Result<Self::Guard<'a>, LockError> {
        stage.arena.lock_pen_or_repair(|guard| repair(&mut guard.acorns[..]))
    }

    fn tally(guard: &Self::Guard<'_>) -> Tally {
        *guard.acorns
    }

    fn add(guard: &mut Self::Guard<'_>, index: usize) {
        guard.acorns[index] += 1;
    }
}

pub(crate) enum OfArray {}

impl Subject for OfArray {
    const NAME: &'static str = "Array";
    type Guard<'a> = ArrayGuard<'a, u64>;

    fn lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        stage.array.lock()
    }

    fn lock_timeout(stage: &Stage, limit: Duration) -> Result<Self::Guard<'_>, LockError> {
        stage.array.lock_timeout(limit)
    }

    fn try_lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        stage.array.try_lock()
    }

    fn or_repair<'a>(stage: &'a Stage, repair: Repair<'_>) -> Result<Self::Guard<'a>, LockError> {
        stage.array.lock_or_repair(|tally| repair(tally))
    }

    fn tally(guard: &Self::Guard<'_>) -> Tally {
        [guard[0], guard[1], guard[2]]
    }

    fn add(guard: &mut Self::Guard<'_>, index: usize) {
        guard[index] += 1;
    }
}

pub(crate) enum OfReentrant {}

impl Subject for OfReentrant {
    const NAME: &'static str = "ReentrantMutex";
    /// The outer and the inner one of two levels.
    type Guard<'a> = [ReentrantGuard<'a, [std::sync::atomic::AtomicU64; 3]>; 2];

    fn lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        Ok([stage.arena.nested.lock()?, stage.arena.nested.lock()?])
    }

    fn lock_timeout(stage: &Stage, limit: Duration) -> Result<Self::Guard<'_>, LockError> {
        let nested = &stage.arena.nested;
        Ok([nested.lock_timeout(limit)?, nested.lock_timeout(limit)?])
    }

    fn try_lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        Ok([stage.arena.nested.try_lock()?, stage.arena.nested.try_lock()?])
    }

    fn or_repair<'a>(stage: &'a Stage, repair: Repair<'_>) -> Result<Self::Guard<'a>, LockError> {
        let outer = stage.arena.nested.lock_or_repair(|tally| {
            let mut copy = tally.each_mut().map(|number| *number.get_mut());
            repair(&mut copy);
            *tally = copy.map(Into::into);
        })?;
        Ok([outer, stage.arena.nested.lock()?])
    }

    fn tally([guard, _]: &Self::Guard<'_>) -> Tally {
        guard.each_ref().map(|number| number.load(SeqCst))
    }

    fn add([_, guard]: &mut Self::Guard<'_>, index: usize) {
        guard[index].fetch_add(1, SeqCst);
    }
}

/// An `RwLock`, for writing.
pub(crate) enum OfWriting {}

impl Subject for OfWriting {
    const NAME: &'static str = "RwLock (write)";
    type Guard<'a> = WriteGuard<'a, Tally>;

    fn lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.shared.write()
    }

    fn lock_timeout(stage: &Stage, limit: Duration) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.shared.write_timeout(limit)
    }

    fn try_lock(stage: &Stage) -> Result<Self::Guard<'_>, LockError> {
        stage.arena.shared.try_write()
    }

    fn or_repair<'a>(stage: &'a Stage, repair: Repair<'_>) -> Result<Self::Guard<'a>, LockError> {
        stage.arena.shared.write_or_repair(|tally| repair(tally))
    }

    fn tally(guard: &Self::Guard<'_>) -> Tally {
        **guard
    }

    fn add(guard: &mut Self::Guard<'_>, index: usize) {
        guard[index] += 1;
    }
}
