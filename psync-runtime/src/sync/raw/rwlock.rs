//! The read-write lock: a lock for writers, and an account of readers.

use super::{
    await_orphans, death, me,
    mutex::{Acquired, Poison, RawMutex, Refusal},
    roster::Roster,
    spin::{Spin, Worth},
};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering, exchange_fence},
    shm::world::{Blocking, Identity, Me, Slept, Wake, Watch, Whom, read_locks},
    sys::{clock::Deadline, fault, futex, thread::kill_fence},
};
use core::time::Duration;

const NONE: u32 = 0;
const PENDING: u32 = 1;
const ACTIVE: u32 = 2;

/// Many readers or one writer, any of whom may be killed at any instruction.
///
/// A writer holds `turn`, a robust lock, from beginning to end. With it in its hands it says that it is `PENDING`, which keeps new readers out, and waits until the
/// readers that there are have left; so writers do not starve. A reader enters by one exchange in the roster, which adds one to what its process has, and looks
/// at `writer` behind it: of a reader and a writer that come at the same time, at least one sees the other. A reader that sees a writer goes out again and queues
/// for `turn`, which it keeps just long enough to enter.
///
/// | `writer` | `turn` | meaning | left by |
/// |---|---|---|---|
/// | `NONE` | free, or held by a reader that enters | readers may enter | a writer that has `turn` (`PENDING`) |
/// | `PENDING` | held | waits for the readers to leave | its writer (`ACTIVE`; or `NONE`, if it gives up) |
/// | `ACTIVE` | held | the data may be changed | its writer (`NONE`) |
/// | any | its owner died | what it was about is over | whoever takes `turn` over: `ACTIVE` poisons, and then `NONE` |
///
/// A reader that is killed leaves its process's number behind; a writer that waits for the readers strikes out what the dead have. If the roster is full, a reader
/// keeps `turn` for as long as it reads.
///
/// | a reader is killed after | the others find |
/// |---|---|
/// | its entry, in the roster | a number of a dead process: struck out by the next writer |
/// | leaving, by the roster's exchange | that it has left; a pending writer is woken by the death |
/// | adding to `gone` | the same |
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RawRwLock {
    turn: RawMutex,
    writer: AtomicU32,
    /// How many readers have left while a writer waited for it; what that one sleeps on.
    gone: AtomicU32,
    spin: Spin,
    roster: Roster,
}

/// How a reader stays inside.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    /// The word with the number of its process; `None` if it has the turn instead.
    word: Option<&'a AtomicU64>,
    pub(crate) reader: Me,
}

impl RawRwLock {
    pub(crate) const fn new() -> Self {
        Self {
            turn: RawMutex::new(),
            writer: AtomicU32::new(NONE),
            gone: AtomicU32::new(0),
            spin: Spin::new(),
            roster: Roster::new(),
        }
    }

    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Enters as a reader if that is simple.
    #[inline]
    pub(crate) fn enter(&self) -> Option<Reading<'_>> {
        if self.writer.load(Ordering::Relaxed) != NONE {
            return None;
        }
        let reader = me();
        let word = match self.roster.add_one(reader.id) {
            Some(word) => word,
            None => self.take_seat(reader)?,
        };
        fault::point("rwlock: entered");
        exchange_fence();
        // Also pairs with the store in `end_writing`: what the last writer wrote is visible.
        if self.writer.load(Ordering::SeqCst) == NONE {
            return Some(self.reading(reader, Some(word)));
        }
        self.go_out(word, reader.id);
        None
    }

    #[cold]
    fn take_seat(&self, reader: Me) -> Option<&AtomicU64> {
        self.roster.change(reader, |readers| readers + 1).ok().map(|entry| entry.word())
    }

    #[inline]
    fn reading<'a>(&self, reader: Me, word: Option<&'a AtomicU64>) -> Reading<'a> {
        read_locks::push(reader.pid, self.address());
        Reading { word, reader }
    }

    /// Enters as a reader; waits for that.
    #[cold]
    pub(crate) fn enter_late(&self, blocking: &Blocking) -> Result<Reading<'_>, Refusal> {
        if let Some(again) = self.enter_again() {
            return Ok(again);
        }
        let acquired = self.turn.lock(blocking)?;
        if !self.settle(acquired, blocking.deadline) {
            return Err(Refusal::TimedOut);
        }
        Ok(self.enter_in_turn())
    }

    /// Enters as a reader if there is no writer.
    #[cold]
    pub(crate) fn try_enter_late(&self) -> Option<Reading<'_>> {
        if let Some(again) = self.enter_again() {
            return Some(again);
        }
        if let Some(acquired) = self.turn.try_lock() {
            let at_once = Deadline::after(Duration::ZERO);
            return self.settle(acquired, at_once).then(|| self.enter_in_turn());
        }
        // A reader may have the turn, for a moment; or for as long as it reads, if the roster is full.
        self.enter()
    }

    /// A thread that reads already may do so twice, also while a writer waits: it would wait for the first time to end.
    ///
    /// The thread's list is a hint: a guard that was leaked leaves the address of its lock there, where another may lie by now. What counts is that
    /// the number of the process goes from n to n + 1: as long as it is not 0, no writer gets on.
    fn enter_again(&self) -> Option<Reading<'_>> {
        let me = me();
        if !read_locks::contains(self.address()) {
            return None;
        }
        let (word, holder) = self.roster.places().find_map(|place| {
            let (holder, readers) = place.read();
            let is_inside = is_of(holder, me) && readers != 0;
            let entered = is_inside && place.exchange(holder, readers, readers + 1);
            entered.then(|| (place.word(), holder))
        })?;
        Some(self.reading(Me { id: holder, pid: me.pid }, Some(word)))
    }

    /// Whether this thread reads, as far as can be told: see [`enter_again`](Self::enter_again).
    fn is_read_by_me(&self) -> bool {
        let me = me();
        let is_mine = |(holder, readers)| is_of(holder, me) && readers != 0;
        read_locks::contains(self.address())
            && (self.turn.is_mine() || self.roster.places().any(|place| is_mine(place.read())))
    }

    /// With the turn, so there is no writer.
    fn enter_in_turn(&self) -> Reading<'_> {
        let reader = me();
        fault::point("rwlock: has the turn to read");
        let word = self.take_seat(reader);
        if word.is_some() {
            fault::point("rwlock: entered in turn");
            self.turn.unlock();
        }
        self.reading(reader, word)
    }

    /// Ends reading.
    #[inline]
    pub(crate) fn leave(&self, reading: &Reading<'_>) {
        read_locks::pop(reading.reader.pid, self.address());
        match reading.word {
            Some(word) => self.go_out(word, reading.reader.id),
            None => self.turn.unlock(),
        }
    }

    #[inline]
    fn go_out(&self, word: &AtomicU64, holder: Identity) {
        Roster::take_one(word, holder);
        fault::point("rwlock: gone out");
        exchange_fence();
        if self.writer.load(Ordering::SeqCst) == PENDING {
            self.tell_writer();
        }
    }

    #[cold]
    fn tell_writer(&self) {
        self.spin.note_processor();
        self.gone.fetch_add(1, Ordering::Release);
        fault::point("rwlock: counted out");
        // Killed before this, it is the death that wakes the writer.
        futex::wake(&self.gone, 1);
    }

    /// Becomes the writer if that is simple.
    #[inline]
    pub(crate) fn write_at_once(&self) -> bool {
        if !self.turn.take_free() {
            return false;
        }
        self.announce_writer();
        if self.readers() == 0 {
            self.begin_writing();
            return true;
        }
        self.give_up_writing();
        false
    }

    /// Becomes the writer; waits for that.
    #[cold]
    pub(crate) fn write(&self, blocking: &Blocking) -> Result<(), Refusal> {
        if self.is_read_by_me() {
            return Err(Refusal::Deadlock);
        }
        let acquired = self.turn.lock(blocking)?;
        if !self.settle(acquired, blocking.deadline) {
            return Err(Refusal::TimedOut);
        }
        self.announce_writer();
        match self.drain(blocking) {
            Ok(()) => self.begin_writing(),
            Err(refusal) => {
                self.give_up_writing();
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Becomes the writer if nobody is inside.
    pub(crate) fn try_write(&self) -> bool {
        let Some(acquired) = self.turn.try_lock() else { return false };
        if !self.settle(acquired, Deadline::after(Duration::ZERO)) {
            return false;
        }
        // Without this look, a vain attempt would turn readers away.
        if self.readers() != 0 && !self.is_empty(death::is_dead, Deadline::after(Duration::ZERO)) {
            self.turn.unlock();
            return false;
        }
        self.announce_writer();
        let empty = self.is_empty(death::is_dead, Deadline::after(Duration::ZERO));
        if empty {
            self.begin_writing();
        } else {
            self.give_up_writing();
        }
        empty
    }

    /// With the turn: keeps readers out.
    #[inline]
    fn announce_writer(&self) {
        fault::point("rwlock: has the turn to write");
        self.writer.swap(PENDING, Ordering::SeqCst);
        fault::point("rwlock: pending");
        exchange_fence();
    }

    /// Once nobody reads.
    #[inline]
    fn begin_writing(&self) {
        self.writer.store(ACTIVE, Ordering::Relaxed);
        // Before any store to the data.
        kill_fence();
        fault::point("rwlock: active");
    }

    #[cold]
    fn give_up_writing(&self) {
        self.writer.store(NONE, Ordering::Release);
        fault::point("rwlock: given up");
        self.turn.unlock();
    }

    fn drain(&self, blocking: &Blocking) -> Result<(), Refusal> {
        let is_empty = || self.readers() == 0;
        // To look through the table is no short question.
        if is_empty() || (!self.roster.has_spilled() && self.spin.until(Worth::Lock, 16, is_empty))
        {
            return Ok(());
        }
        let mut is_dead: fn(Identity) -> bool = death::is_dead;
        loop {
            let watch = Watch::new();
            let gone = self.gone.load(Ordering::Acquire);
            if self.is_empty(is_dead, blocking.deadline) {
                return Ok(());
            }
            if blocking.is_over() {
                return Err(Refusal::TimedOut);
            }
            fault::point("rwlock: about to sleep");
            match blocking.sleep(watch, &self.gone, gone, Whom::Readers(self.address())) {
                Slept::Deadlock => return Err(Refusal::Deadlock),
                Slept::Woke(Wake::Verify) => is_dead = death::is_gone,
                Slept::Woke(_) => is_dead = death::is_dead,
            }
        }
    }

    /// How many read at this moment, the dead included.
    pub(crate) fn readers(&self) -> u32 {
        self.roster.places().map(|place| place.read().1).sum()
    }

    /// Whether nobody reads. Strikes out the dead, once those are gone to whom they had lent parts of the data. Only with the turn.
    fn is_empty(&self, is_dead: fn(Identity) -> bool, deadline: Deadline) -> bool {
        let mut empty = true;
        for place in self.roster.places() {
            let (holder, readers) = place.read();
            if readers == 0 {
                continue;
            }
            let dead = Me { id: holder, pid: 0 };
            if holder != me().id && is_dead(holder) && await_orphans(dead, deadline) {
                place.exchange(holder, readers, 0);
                fault::point("rwlock: dead reader struck out");
                place.give_back(holder);
            } else {
                empty = false;
            }
        }
        empty
    }

    /// Ends writing.
    #[inline]
    pub(crate) fn end_writing(&self) {
        fault::point("rwlock: about to end writing");
        // Pairs with the load in `enter`.
        self.writer.store(NONE, Ordering::Release);
        fault::point("rwlock: no writer");
        self.turn.unlock();
    }

    /// Makes the turn, however it was acquired, one's own, and `writer` `NONE`. False, and the turn is left to the next one, if the deadline comes first.
    fn settle(&self, acquired: Acquired, deadline: Deadline) -> bool {
        let Acquired::Inherited(dead) = acquired else { return true };
        if !await_orphans(dead, deadline) {
            self.turn.abandon();
            return false;
        }
        if self.writer.load(Ordering::Relaxed) == ACTIVE {
            self.turn.set_poison(Poison { pid: dead.pid, panicked: false });
            fault::point("rwlock: poisoned");
        }
        self.writer.store(NONE, Ordering::SeqCst);
        fault::point("rwlock: settled");
        self.turn.adopt();
        true
    }

    /// Whether the data is suspect: it is poisoned, or will be since a writer died while it might write.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.turn.poison().is_some()
            || self.turn.is_abandoned() && self.writer.load(Ordering::Relaxed) == ACTIVE
    }

    /// Lifts the poison, that of a death which nobody has met yet as well.
    pub(crate) fn clear_poison(&self) {
        if self.turn.is_abandoned()
            && let Some(acquired) = self.turn.try_lock()
            && self.settle(acquired, Deadline::after(Duration::ZERO))
        {
            self.turn.unlock();
        }
        self.turn.clear_poison();
    }

    /// Whether this thread is the writer, or reads by the turn.
    pub(crate) fn has_turn(&self) -> bool {
        self.turn.is_mine()
    }

    pub(crate) fn is_written(&self) -> bool {
        self.writer.load(Ordering::Relaxed) == ACTIVE && !self.turn.is_abandoned()
    }

    /// The lock of the writers, which also knows whether the data is sound.
    pub(crate) const fn turn(&self) -> &RawMutex {
        &self.turn
    }
}

/// Whether the place of `holder` is this process's, perhaps from before the program had a world.
fn is_of(holder: Identity, me: Me) -> bool {
    holder == me.id || holder == Identity::NOBODY
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn never() -> Blocking {
        Deadline::NEVER.into()
    }

    #[test]
    fn readers_share_and_a_writer_does_not() {
        let lock = RawRwLock::new();
        let first = lock.enter().expect("free");
        let second = lock.enter().expect("readers share");
        assert_eq!(lock.readers(), 2);
        assert!(!lock.try_write());
        lock.leave(&first);
        lock.leave(&second);
        assert_eq!(lock.write(&never()), Ok(()));
        assert!(lock.is_written() && lock.enter().is_none() && lock.try_enter_late().is_none());
        assert_eq!(lock.write(&never()), Err(Refusal::Deadlock));
        assert_eq!(lock.enter_late(&never()).err(), Some(Refusal::Deadlock));
        lock.end_writing();
        assert!(!lock.is_written());
    }

    #[test]
    fn whoever_reads_cannot_write_but_read_again_also_past_a_writer() {
        let lock = RawRwLock::new();
        let reading = lock.enter().expect("free");
        assert_eq!(lock.write(&never()), Err(Refusal::Deadlock));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                assert_eq!(lock.write(&never()), Ok(()));
                lock.end_writing();
            });
            while lock.writer.load(Ordering::Relaxed) != PENDING {
                std::thread::yield_now();
            }
            assert!(lock.enter().is_none(), "a new reader would wait");
            let again = lock.enter_late(&never()).expect("at once");
            lock.leave(&again);
            lock.leave(&reading);
            writer.join().expect("no panic");
        });
        assert_eq!(lock.readers(), 0);
    }

    #[test]
    fn a_writer_that_ends_with_its_thread_poisons_and_one_that_waits_does_not() {
        let lock = RawRwLock::new();
        std::thread::scope(|scope| {
            scope.spawn(|| lock.write(&never()));
        });
        let reading = lock.enter_late(&never()).expect("taken over");
        assert_eq!(lock.turn().poison(), Some(Poison { pid: me().pid, panicked: false }));
        lock.turn().clear_poison();
        lock.leave(&reading);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _ = lock.turn.lock(&never());
                lock.writer.store(PENDING, Ordering::Relaxed);
            });
        });
        assert!(lock.enter().is_none());
        let reading = lock.enter_late(&never()).expect("taken over");
        assert_eq!(lock.turn().poison(), None);
        lock.leave(&reading);
        assert!(lock.try_write());
        lock.end_writing();
    }
}
