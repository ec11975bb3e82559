//! Counting permits, with an account of who has them.

use super::{
    death, me,
    mutex::{Held, RawMutex},
    roster::{Full, Roster},
    signal::Signal,
};
use crate::{
    primitive::{AtomicU32, Ordering},
    shm::world::{Identity, Wake, Watch},
    sys::{clock::Deadline, fault},
};

/// Permits that come back when their holder dies.
///
/// What exists is `total`; what each process has of it stands in the roster; what nobody has is free. Every operation that
/// gives or takes permits commits with one store, to `total` or to the roster, under the lock. `free` is derived from both:
/// whoever takes the lock over from the dead counts it again.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RawSemaphore {
    lock: RawMutex,
    /// How many permits `release` may make free; `u32::MAX` if there is no bound.
    bound: u32,
    total: AtomicU32,
    free: AtomicU32,
    signal: Signal,
    roster: Roster,
}

/// What became of an attempt to acquire.
enum Attempt {
    Taken(Identity),
    /// None was free: sleep while the signal is this.
    Wait(u32),
    Full,
}

/// Why no permit was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    TimedOut,
    /// The account of the holder has no place left.
    Full,
}

/// What became of a `release`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    Done,
    /// It would have made more free than this.
    AboveBound(u32),
}

impl RawSemaphore {
    pub(crate) const fn new(permits: u32, bounded: bool) -> Self {
        Self {
            lock: RawMutex::new(),
            bound: if bounded { permits } else { u32::MAX },
            total: AtomicU32::new(permits),
            free: AtomicU32::new(permits),
            signal: Signal::new(),
            roster: Roster::new(),
        }
    }

    #[inline]
    fn hold(&self) -> Held<'_> {
        self.lock.hold(|_| self.count())
    }

    /// Takes a permit; returns the holder it is booked on.
    #[inline]
    pub(crate) fn acquire(&self, deadline: Deadline) -> Result<Identity, Denied> {
        {
            let _held = self.hold();
            if self.free.load(Ordering::Relaxed) > 0 {
                return self.take().map_err(|Full| Denied::Full);
            }
        }
        self.acquire_contended(deadline)
    }

    #[cold]
    fn acquire_contended(&self, deadline: Deadline) -> Result<Identity, Denied> {
        let mut verify = false;
        loop {
            let watch = Watch::new();
            let is_dead = if verify { death::is_gone } else { death::is_dead };
            let ticket = match self.attempt(is_dead) {
                Attempt::Taken(holder) => return Ok(holder),
                Attempt::Full => return Err(Denied::Full),
                Attempt::Wait(ticket) => ticket,
            };
            if deadline.is_over() {
                return Err(Denied::TimedOut);
            }
            fault::point("semaphore: falls asleep");
            verify = watch.wait(self.signal.word(), ticket, deadline) == Wake::Verify;
            fault::point("semaphore: awake");
        }
    }

    fn attempt(&self, is_dead: fn(Identity) -> bool) -> Attempt {
        let _held = self.hold();
        if self.free.load(Ordering::Relaxed) == 0 && self.collect(is_dead) {
            // One is for us.
            self.signal.notify(self.free.load(Ordering::Relaxed) - 1);
        }
        if self.free.load(Ordering::Relaxed) == 0 {
            return Attempt::Wait(self.signal.register());
        }
        self.take().map_or_else(|Full| Attempt::Full, Attempt::Taken)
    }

    /// Books a free permit on this process. Only under the lock.
    #[inline]
    fn take(&self) -> Result<Identity, Full> {
        let me = me();
        let entry = self.roster.entry(me)?;
        entry.set(entry.value() + 1);
        fault::point("semaphore: booked");
        self.free.store(self.free.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        fault::point("semaphore: free lowered");
        Ok(me.id)
    }

    /// Gives back a permit that is booked on `holder`.
    #[inline]
    pub(crate) fn give_back(&self, holder: Identity) {
        let _held = self.hold();
        let Some(entry) = self.roster.find(holder) else { return };
        match entry.value() {
            0 => return,
            1 => entry.clear(),
            held => entry.set(held - 1),
        }
        fault::point("semaphore: unbooked");
        if self.bound == u32::MAX {
            self.free.store(self.free.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            fault::point("semaphore: free raised");
        } else {
            self.count();
        }
        self.signal.notify(1);
    }

    /// Takes a permit that is booked on `holder` out of the world. Killed half-way, the permit is gone as well.
    pub(crate) fn forget(&self, holder: Identity) {
        let _held = self.hold();
        let Some(entry) = self.roster.find(holder) else { return };
        let Some(rest) = entry.value().checked_sub(1) else { return };
        self.total.store(self.total.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
        fault::point("semaphore: total lowered");
        if rest == 0 {
            entry.clear();
        } else {
            entry.set(rest);
        }
        fault::point("semaphore: forgotten");
    }

    /// Makes `permits` more of them.
    pub(crate) fn release(&self, permits: u32) -> Release {
        let _held = self.hold();
        let total = self.total.load(Ordering::Relaxed);
        let free = self.free.load(Ordering::Relaxed);
        match (free.checked_add(permits), total.checked_add(permits)) {
            (Some(free), Some(total)) if free <= self.bound => {
                self.total.store(total, Ordering::Relaxed);
                fault::point("semaphore: total raised");
                self.free.store(free, Ordering::Relaxed);
                fault::point("semaphore: made free");
                self.signal.notify(permits);
                Release::Done
            }
            _ => Release::AboveBound(self.bound),
        }
    }

    /// How many permits are free, those of dead processes included.
    pub(crate) fn available(&self) -> u32 {
        let _held = self.hold();
        if self.collect(death::is_gone) {
            self.signal.notify(u32::MAX);
        }
        self.free.load(Ordering::Relaxed)
    }

    /// The number that may be out of date by the time it is read, without the lock.
    pub(crate) fn glance(&self) -> u32 {
        self.free.load(Ordering::Relaxed)
    }

    /// Takes back what the dead have; whether anything is free now. Only under the lock.
    fn collect(&self, is_dead: fn(Identity) -> bool) -> bool {
        let me = me().id;
        let mut found = false;
        for entry in self.roster.entries() {
            let holder = entry.holder();
            if holder != me && is_dead(holder) {
                entry.clear();
                fault::point("semaphore: taken back");
                found = true;
            }
        }
        if found {
            self.count();
        }
        found && self.free.load(Ordering::Relaxed) > 0
    }

    /// Derives what is free. Only under the lock.
    ///
    /// A `release` beside permits that were still held has made more of them than the bound allows to be free together; what has come back
    /// above it ceases to exist.
    fn count(&self) {
        let held = self.roster.entries().fold(0_u32, |sum, e| sum.saturating_add(e.value()));
        let free = self.total.load(Ordering::Relaxed).saturating_sub(held);
        let free = if free > self.bound {
            self.total.store(held.saturating_add(self.bound), Ordering::Relaxed);
            fault::point("semaphore: total cut");
            self.bound
        } else {
            free
        };
        self.free.store(free, Ordering::Relaxed);
        fault::point("semaphore: counted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bounded_one_gets_above_its_start_ceases_to_exist() {
        let semaphore = RawSemaphore::new(2, true);
        let first = semaphore.acquire(Deadline::NEVER).expect("free");
        let second = semaphore.acquire(Deadline::NEVER).expect("free");
        assert_eq!(semaphore.release(1), Release::Done);
        semaphore.give_back(first);
        assert_eq!(semaphore.available(), 2);
        semaphore.give_back(second);
        assert_eq!(semaphore.available(), 2);
        assert_eq!(semaphore.release(1), Release::AboveBound(2));
    }

    #[test]
    fn counting_again_changes_nothing() {
        let semaphore = RawSemaphore::new(3, false);
        let holder = semaphore.acquire(Deadline::NEVER).expect("free");
        semaphore.count();
        assert_eq!(semaphore.available(), 2);
        semaphore.forget(holder);
        semaphore.count();
        assert_eq!(semaphore.available(), 2);
    }
}
