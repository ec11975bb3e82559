//! The condition variable's list of who waits and who has been notified.

use super::{
    death, me,
    mutex::RawMutex,
    roster::{Entry, INLINE, Place, Roster},
};
use crate::{
    primitive::{AtomicU32, Ordering},
    shm::world::{self, Blocking, Identity, Slept, Wake, Watch, Whom},
    sys::{fault, futex},
};

const WAITING: u32 = 1 << 30;
const NOTIFIED: u32 = 2 << 30;
const STATE: u32 = 3 << 30;
const TICKET: u32 = WAITING - 1;

/// A list of waiters, each of which is notified by name.
///
/// Every waiting thread has a place of its own in the roster.
///
/// | number of the place | meaning | left by |
/// |---|---|---|
/// | 0 | free | a thread that begins to wait (`WAITING`) |
/// | `WAITING` and a ticket | waits since it drew the ticket | whoever notifies (`NOTIFIED`), the waiter when its time is up (0) |
/// | `NOTIFIED` and the ticket | is to go on | the waiter, once it has its mutex again (0) |
///
/// Who waits longest is notified first. If a process is killed:
///
/// | after | the others find |
/// |---|---|
/// | it took a place | a waiter that is dead: passed over |
/// | it left, with the mutex | a mutex that is suspect: everybody wakes up by the death |
/// | it was notified, before it went on | a notification that nobody has used: whoever wakes up by the death passes it on |
/// | it notified, before it rang the bell | the death wakes the waiter, which finds that it is notified |
/// | it passed on, before it struck out the dead | the same notification, which is passed on once more: somebody wakes up for nothing |
///
/// `passing` is held by who passes on, so that few do it at once; nobody waits for it. Waiters for whom there is no place wake up whenever somebody is notified.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RawCondvar {
    roster: Roster,
    passing: RawMutex,
    tickets: AtomicU32,
    /// What the waiters with the first places sleep on, each on its own.
    bells: [AtomicU32; INLINE],
    /// What all others sleep on.
    common: AtomicU32,
    /// How many there are for whom there was no place; more, if some of them were killed.
    unlisted: AtomicU32,
}

/// One thread's place in the list.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    /// `None` if there was no room.
    place: Option<Entry<'a>>,
    holder: Identity,
    ticket: u32,
    /// What `common` was at the begin.
    heard: u32,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Notified,
    TimedOut,
}

impl RawCondvar {
    pub(crate) const fn new() -> Self {
        Self {
            roster: Roster::new(),
            passing: RawMutex::new(),
            tickets: AtomicU32::new(0),
            bells: [const { AtomicU32::new(0) }; INLINE],
            common: AtomicU32::new(0),
            unlisted: AtomicU32::new(0),
        }
    }

    /// Begins to wait, with the mutex still held: whoever gets that next and notifies sees this waiter.
    pub(crate) fn enlist(&self) -> Waiter<'_> {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed) & TICKET;
        let mut holder = me();
        let mut place = self.roster.take(holder, WAITING | ticket);
        if place.is_err() && world::existing().is_none() && world::world().is_ok() {
            holder = me();
            place = self.roster.take(holder, WAITING | ticket);
        }
        let heard = self.common.load(Ordering::Relaxed);
        if place.is_err() {
            self.unlisted.fetch_add(1, Ordering::SeqCst);
        }
        fault::point("condvar: enlisted");
        Waiter { place: place.ok(), holder: holder.id, ticket, heard }
    }

    /// Sleeps until the waiter is notified or the time is up, without the mutex; or until that `is_suspect`: whoever has died with it can no longer notify anybody of
    /// what it has done.
    pub(crate) fn sleep(
        &self,
        waiter: &Waiter<'_>,
        blocking: &Blocking,
        is_suspect: impl Fn() -> bool,
    ) {
        let mut is_dead: fn(Identity) -> bool = death::is_dead;
        loop {
            let watch = Watch::new();
            let bell = self.bell(waiter);
            let seen = bell.load(Ordering::Acquire);
            if self.is_notified(waiter) || blocking.is_over() {
                return;
            }
            self.pass_on(is_dead);
            if self.is_notified(waiter) || is_suspect() {
                return;
            }
            fault::point("condvar: about to sleep");
            let slept = blocking.sleep(watch, bell, seen, Whom::Unknown);
            fault::point("condvar: woken");
            is_dead =
                if slept == Slept::Woke(Wake::Verify) { death::is_gone } else { death::is_dead };
        }
    }

    fn bell(&self, waiter: &Waiter<'_>) -> &AtomicU32 {
        match waiter.place.as_ref().map(Entry::place) {
            Some(Place::Inline(index)) => &self.bells[index],
            _ => &self.common,
        }
    }

    pub(crate) fn is_notified(&self, waiter: &Waiter<'_>) -> bool {
        match &waiter.place {
            Some(place) => place.read() == (waiter.holder, NOTIFIED | waiter.ticket),
            None => self.common.load(Ordering::Acquire) != waiter.heard,
        }
    }

    /// Leaves the list, with the mutex held again.
    pub(crate) fn leave(&self, waiter: &Waiter<'_>) -> Ended {
        let Some(place) = &waiter.place else {
            self.unlisted.fetch_sub(1, Ordering::Relaxed);
            let notified = self.is_notified(waiter);
            return if notified { Ended::Notified } else { Ended::TimedOut };
        };
        fault::point("condvar: about to leave");
        let in_vain = place.exchange(waiter.holder, WAITING | waiter.ticket, 0);
        if !in_vain {
            place.exchange(waiter.holder, NOTIFIED | waiter.ticket, 0);
        }
        fault::point("condvar: left");
        place.give_back(waiter.holder);
        if in_vain { Ended::TimedOut } else { Ended::Notified }
    }

    /// Lets up to `count` waiters go on; how many there were.
    pub(crate) fn notify(&self, count: u32) -> u32 {
        let mut notified = 0;
        while notified < count && self.notify_first() {
            notified += 1;
        }
        notified + self.notify_unlisted(count - notified)
    }

    /// Notifies who has waited longest.
    fn notify_first(&self) -> bool {
        let now = self.tickets.load(Ordering::Relaxed);
        loop {
            let waiting = self.roster.places().filter_map(|place| {
                let (holder, number) = place.read();
                (number & STATE == WAITING && !death::is_dead(holder)).then_some((
                    now.wrapping_sub(number) & TICKET,
                    holder,
                    number,
                    place,
                ))
            });
            let Some((_, holder, number, place)) = waiting.max_by_key(|(age, ..)| *age) else {
                return false;
            };
            fault::point("condvar: about to notify");
            if place.exchange(holder, number, NOTIFIED | number & TICKET) {
                fault::point("condvar: notified");
                self.ring(&place);
                return true;
            }
        }
    }

    fn ring(&self, place: &Entry<'_>) {
        match place.place() {
            Place::Inline(index) => {
                self.bells[index].fetch_add(1, Ordering::Release);
                fault::point("condvar: rung");
                futex::wake(&self.bells[index], 1);
            }
            Place::Spilled(..) => {
                self.common.fetch_add(1, Ordering::Release);
                fault::point("condvar: rung for all");
                futex::wake_all(&self.common);
            }
        }
    }

    /// All of them, since they cannot be told apart; how many of them were meant.
    fn notify_unlisted(&self, count: u32) -> u32 {
        let unlisted = self.unlisted.load(Ordering::SeqCst);
        if count == 0 || unlisted == 0 {
            return 0;
        }
        self.common.fetch_add(1, Ordering::Release);
        futex::wake_all(&self.common);
        unlisted.min(count)
    }

    /// Gives notifications of the dead to others, as if the dead had never waited.
    fn pass_on(&self, is_dead: fn(Identity) -> bool) {
        let me = me().id;
        let is_stale = |place: &Entry<'_>| {
            let (holder, number) = place.read();
            number != 0 && holder != me && is_dead(holder)
        };
        if !self.roster.places().any(|place| is_stale(&place)) {
            return;
        }
        // Whoever has it does the same, and if it is killed meanwhile, its death wakes us.
        let Some(acquired) = self.passing.try_lock() else { return };
        for place in self.roster.places().filter(is_stale) {
            let (holder, number) = place.read();
            if number & STATE == NOTIFIED {
                self.notify(1);
                fault::point("condvar: passed on");
            }
            place.exchange(holder, number, 0);
            place.give_back(holder);
        }
        if acquired != super::Acquired::Clean {
            self.passing.adopt();
        }
        self.passing.unlock();
    }

    /// How many wait at this moment, the dead included.
    pub(crate) fn waiting(&self) -> usize {
        self.roster.places().filter(|place| place.read().1 & STATE == WAITING).count()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sys::clock::Deadline;
    use core::time::Duration;

    #[test]
    fn who_waits_longest_is_notified_first() {
        let condvar = RawCondvar::new();
        let [a, b, c] = [condvar.enlist(), condvar.enlist(), condvar.enlist()];
        assert_eq!(condvar.notify(1), 1);
        assert!(condvar.is_notified(&a) && !condvar.is_notified(&b));
        assert_eq!(condvar.leave(&a), Ended::Notified);
        let d = condvar.enlist();
        assert_eq!(condvar.notify(1), 1);
        assert!(condvar.is_notified(&b) && !condvar.is_notified(&d));
        assert_eq!(condvar.leave(&c), Ended::TimedOut);
        assert_eq!((condvar.notify(5), condvar.waiting()), (1, 0));
        assert_eq!((condvar.leave(&b), condvar.leave(&d)), (Ended::Notified, Ended::Notified));
        assert_eq!(condvar.notify(u32::MAX), 0);
    }

    #[test]
    fn more_waiters_than_places_wait_as_well() {
        world::world().expect("memory for the world");
        let condvar = RawCondvar::new();
        let waiters: Vec<_> = (0..3 * INLINE).map(|_| condvar.enlist()).collect();
        for (first, waiter) in waiters.iter().enumerate() {
            assert_eq!(condvar.notify(1), 1);
            assert!(condvar.is_notified(waiter));
            assert!(waiters[first + 1..].iter().all(|later| !condvar.is_notified(later)));
            assert_eq!(condvar.leave(waiter), Ended::Notified);
        }
        assert_eq!(condvar.roster.entries().count(), 0);
    }

    #[test]
    fn a_waiter_without_a_place_hears_every_notification() {
        let condvar = RawCondvar::new();
        condvar.unlisted.store(1, Ordering::Relaxed);
        let waiter = Waiter { place: None, holder: me().id, ticket: 0, heard: 0 };
        let at_once = Blocking::from(Deadline::after(Duration::ZERO));
        condvar.sleep(&waiter, &at_once, || false);
        assert!(!condvar.is_notified(&waiter));
        assert_eq!(condvar.notify(1), 1);
        condvar.sleep(&waiter, &Deadline::NEVER.into(), || false);
        assert_eq!(condvar.leave(&waiter), Ended::Notified);
        assert_eq!(condvar.notify(1), 0);
    }
}
