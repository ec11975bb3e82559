//! Counting permits, with an account of who has them.

use super::{
    death, me,
    mutex::{Held, RawMutex},
    owners::Owners,
    permits::{MOST_FREE, PLACES, Permits},
    roster::Roster,
    signal::Signal,
    spin::{Spin, Worth},
};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    shm::world::{Blocking, Identity, Me, Slept, Wake, Watch, Whom},
    sys::fault,
};

/// Permits that come back when their holder dies.
///
/// What exists is `total`. The `word` tells what is free and what each process with a place in `owners` has; the roster tells what the others have, and what
/// of one process does not fit into its place. What none of them tells of is free as well: the *reserve*, which is written down nowhere.
///
/// | | changes | how |
/// |---|---|---|
/// | without the lock | the word | one exchange moves a permit from free to the place of the caller's process, or back: their sum stays |
/// | with the lock | the word, in all other ways; `owners`, the roster, `total` | one store moves permits to or from the reserve, or makes or ends some |
///
/// So whoever has the lock knows the reserve, whatever others do meanwhile; and a permit is never told of twice. A place is a process's as long as that lives: no
/// exchange can come too late and count for another. If a process is killed right after a line, the others find:
///
/// | line | |
/// |---|---|
/// | *acquire* word: free → place | a permit of a dead process, which whoever finds none free takes back |
/// | *acquire, without room in the word* word: a free one less | it is in the reserve |
/// | roster: one more | a permit of a dead process |
/// | *give back* word: place → free | a free permit; sleepers are woken by the death |
/// | *give back, without room in the word* word or roster: one less | it is in the reserve |
/// | *forget* word or roster: one less | it is in the reserve: as if it had not been forgotten before the death |
/// | `total`: one less | it is gone |
/// | *release* `total`: more | they are in the reserve; sleepers are woken by the death |
/// | *settle* `total`: less | what was above the bound is gone |
/// | word: more free | they are free, and no longer in the reserve |
/// | *take back from the dead* word or roster: all of it | it is in the reserve |
/// | *claim a place* `owners` | the place of a dead process that has nothing |
/// | *wait* word: awaited | whoever gives back looks for sleepers once in vain |
///
/// Whoever takes the lock over from the dead, and whoever has changed anything with it, moves the reserve into the word.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RawSemaphore {
    /// See [`Permits`].
    word: AtomicU64,
    /// Whose the places in the word are.
    owners: Owners<PLACES>,
    /// So many are free in the word at most when one is given back without the lock.
    limit: u32,
    /// How many permits `release` may make free; `u32::MAX` if there is no bound.
    bound: u32,
    total: AtomicU32,
    spin: Spin,
    signal: Signal,
    lock: RawMutex,
    roster: Roster,
}

/// What became of an attempt to acquire.
enum Attempt {
    Taken,
    /// None was free, and nobody is to wait.
    None,
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
        let bound = if bounded { permits } else { u32::MAX };
        let limit = match bound {
            0..=MOST_FREE => bound,
            u32::MAX => MOST_FREE,
            // What is free outside of the word counts too, and that is known only with the lock.
            _ => 0,
        };
        Self {
            word: AtomicU64::new(Permits::new(permits).0),
            owners: Owners::new(),
            limit,
            bound,
            total: AtomicU32::new(permits),
            spin: Spin::new(),
            signal: Signal::new(),
            lock: RawMutex::new(),
            roster: Roster::new(),
        }
    }

    fn hold(&self) -> Held<'_> {
        self.lock.hold(|_| self.settle())
    }

    #[inline]
    fn look(&self) -> Permits {
        Permits(self.word.load(Ordering::Relaxed))
    }

    #[inline]
    fn exchange(&self, old: Permits, new: Permits) -> bool {
        self.word.compare_exchange(old.0, new.0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Exchanges the word for the `next` one, if there is one; what it was before.
    #[inline]
    fn change(&self, next: impl Fn(Permits) -> Option<Permits>) -> Option<Permits> {
        loop {
            let seen = self.look();
            if self.exchange(seen, next(seen)?) {
                return Some(seen);
            }
        }
    }

    /// Takes a permit if that is simple; returns the holder it is booked on.
    #[inline]
    pub(crate) fn acquire_free(&self) -> Option<Identity> {
        let me = me().id;
        let place = self.owners.find(me)?;
        self.change(|seen| seen.take(place))?;
        fault::point("semaphore: taken");
        Some(me)
    }

    /// Takes a permit; waits for that.
    #[cold]
    pub(crate) fn acquire(&self, blocking: &Blocking) -> Result<Identity, Denied> {
        let mut is_dead: fn(Identity) -> bool = death::is_dead;
        let mut may_spin = true;
        loop {
            if let Some(holder) = self.acquire_free() {
                return Ok(holder);
            }
            let watch = Watch::new();
            let may_wait = !blocking.is_over();
            if may_wait && may_spin && self.look().free() == 0 {
                may_spin = self.spin.until(Worth::Lock, 4, || self.look().free() != 0);
                if may_spin {
                    continue;
                }
            }
            let me = me();
            let ticket = match self.attempt(me, is_dead, may_wait) {
                Attempt::Taken => return Ok(me.id),
                Attempt::None => return Err(Denied::TimedOut),
                Attempt::Full => return Err(Denied::Full),
                Attempt::Wait(ticket) => ticket,
            };
            fault::point("semaphore: falls asleep");
            let slept = blocking.sleep(watch, self.signal.word(), ticket, Whom::Unknown);
            fault::point("semaphore: awake");
            let verify = slept == Slept::Woke(Wake::Verify);
            is_dead = if verify { death::is_gone } else { death::is_dead };
        }
    }

    fn attempt(&self, me: Me, is_dead: fn(Identity) -> bool, may_wait: bool) -> Attempt {
        let _held = self.hold();
        let place = self.owners.find(me.id).or_else(|| self.claim(me.id, is_dead));
        loop {
            let seen = self.look();
            if seen.free() == 0 {
                if self.collect(is_dead) {
                    // One is for us.
                    self.notify(self.look().free().saturating_sub(1));
                    continue;
                }
                if !may_wait {
                    return Attempt::None;
                }
                if self.exchange(seen, seen.awaited()) {
                    fault::point("semaphore: awaited");
                    return Attempt::Wait(self.signal.register());
                }
            } else if let Some(next) = place.and_then(|place| seen.take(place)) {
                if self.exchange(seen, next) {
                    fault::point("semaphore: taken with the lock");
                    return Attempt::Taken;
                }
            } else {
                let Ok(entry) = self.roster.entry(me) else { return Attempt::Full };
                if seen.spend().is_some_and(|next| self.exchange(seen, next)) {
                    fault::point("semaphore: spent");
                    entry.set(entry.value() + 1);
                    fault::point("semaphore: booked");
                    return Attempt::Taken;
                }
            }
        }
    }

    /// A place that is nobody's becomes that of this process. Only with the lock.
    #[cold]
    fn claim(&self, me: Identity, is_dead: fn(Identity) -> bool) -> Option<usize> {
        let is_left = |&place: &usize| is_dead(self.owners.get(place));
        let place = self.owners.vacant().or_else(|| (0..PLACES).find(is_left))?;
        self.take_back(place);
        self.owners.set(place, me);
        fault::point("semaphore: place claimed");
        self.settle();
        Some(place)
    }

    /// Gives back a permit that is booked on `holder`.
    #[inline]
    pub(crate) fn give_back(&self, holder: Identity) {
        let place = self.owners.find(holder);
        let before = place.and_then(|place| self.change(|s| s.give_back(place, self.limit)));
        fault::point("semaphore: given back");
        match before {
            Some(before) if before.are_awaited() => self.wake(),
            Some(_) => {}
            None => self.give_back_late(holder),
        }
    }

    #[cold]
    fn wake(&self) {
        self.spin.note_processor();
        let _held = self.hold();
        self.notify(1);
    }

    #[cold]
    fn give_back_late(&self, holder: Identity) {
        let _held = self.hold();
        if self.unbook(holder) {
            self.settle();
            self.notify(1);
        }
    }

    /// Moves a permit that is booked on `holder` to the reserve. False if there is none, since the process passes for dead. Only with the lock.
    fn unbook(&self, holder: Identity) -> bool {
        let place = self.owners.find(holder);
        if place.and_then(|place| self.change(|seen| seen.lose(place))).is_none() {
            // Other threads of the process do not change this without the lock.
            let Some(entry) = self.roster.find(holder) else { return false };
            match entry.value() {
                0 => return false,
                1 => entry.clear(),
                held => entry.set(held - 1),
            }
        }
        fault::point("semaphore: unbooked");
        true
    }

    /// Takes a permit that is booked on `holder` out of the world.
    pub(crate) fn forget(&self, holder: Identity) {
        let _held = self.hold();
        if self.unbook(holder) {
            self.total
                .store(self.total.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
            fault::point("semaphore: forgotten");
        }
    }

    /// Makes `permits` more of them.
    pub(crate) fn release(&self, permits: u32) -> Release {
        let _held = self.hold();
        let total = self.total.load(Ordering::Relaxed);
        match (self.free().checked_add(permits), total.checked_add(permits)) {
            (Some(free), Some(total)) if free <= self.bound => {
                self.total.store(total, Ordering::Relaxed);
                fault::point("semaphore: total raised");
                self.settle();
                self.notify(permits);
                Release::Done
            }
            _ => Release::AboveBound(self.bound),
        }
    }

    /// How many permits are free, those of dead processes included.
    pub(crate) fn available(&self) -> u32 {
        let _held = self.hold();
        if self.collect(death::is_gone) {
            self.notify(u32::MAX);
        }
        self.free()
    }

    /// The number that may be out of date by the time it is read, without the lock.
    pub(crate) fn glance(&self) -> u32 {
        self.free()
    }

    /// What is free, in the word or not. Exact with the lock.
    fn free(&self) -> u32 {
        self.total.load(Ordering::Relaxed).saturating_sub(self.held(self.look()))
    }

    /// What all processes have, at the moment at which the word was `seen`.
    fn held(&self, seen: Permits) -> u32 {
        let others = self.roster.entries().fold(0_u32, |sum, e| sum.saturating_add(e.value()));
        seen.held_by_all().saturating_add(others)
    }

    /// Takes back what the dead have; whether anything is free now. Only with the lock.
    fn collect(&self, is_dead: fn(Identity) -> bool) -> bool {
        let me = me().id;
        let mut found = false;
        for place in 0..PLACES {
            let holder = self.owners.get(place);
            let has_some = self.look().held(place) != 0;
            if has_some && holder != me && is_dead(holder) {
                self.take_back(place);
                found = true;
            }
        }
        for entry in self.roster.entries() {
            let holder = entry.holder();
            if holder != me && is_dead(holder) {
                entry.clear();
                fault::point("semaphore: entry taken back");
                found = true;
            }
        }
        if found {
            self.settle();
        }
        found && self.look().free() > 0
    }

    /// Moves what the process of `place`, which is dead or nobody, has to the reserve. Only with the lock.
    fn take_back(&self, place: usize) {
        self.change(|seen| Some(seen.without(place)));
        fault::point("semaphore: taken back");
    }

    /// Moves the reserve into the word, as far as it has room. Only with the lock.
    ///
    /// A `release` beside permits that were still held has made more of them than the bound allows to be free together; what has come back
    /// above it ceases to exist.
    fn settle(&self) {
        let most = self.bound.min(MOST_FREE);
        loop {
            let seen = self.look();
            let held = self.held(seen);
            let mut free = self.total.load(Ordering::Relaxed).saturating_sub(held);
            if free > self.bound {
                self.total.store(held.saturating_add(self.bound), Ordering::Relaxed);
                fault::point("semaphore: total cut");
                free = self.bound;
            }
            let more = free.min(most).saturating_sub(seen.free());
            if more == 0 || self.exchange(seen, seen.more(more)) {
                break;
            }
        }
        fault::point("semaphore: settled");
    }

    /// Wakes up to `count` of those who sleep. Only with the lock.
    fn notify(&self, count: u32) {
        if !self.look().are_awaited() {
            return;
        }
        self.signal.notify(count);
        if !self.signal.is_awaited() {
            self.change(|seen| Some(seen.not_awaited()));
            fault::point("semaphore: not awaited");
        }
    }
}

#[cfg(all(test, not(loom)))]
#[path = "semaphore_tests.rs"]
mod tests;
