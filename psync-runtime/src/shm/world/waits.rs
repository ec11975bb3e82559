//! Who waits, and for what: a record for each thread that has ever been blocked.

use super::{
    Identity, PAGE, World, descriptor, me,
    needs::{Check, Details, Holders, NAMES, Needs, READS, Turn, Waiter},
    site::{Operation, Site, constant, text},
};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering, fence},
    sys::{memory, thread},
};
use core::cell::Cell;

/// How many threads can be told apart. Others wait as well, but nobody learns of it.
const RECORDS: usize = 8192;
const PER_PAGE: usize = PAGE / size_of::<Record>();

/// What one thread waits for.
///
/// | turn | meaning | left by |
/// |---|---|---|
/// | even | it does not wait; the fields are being filled in, or of before | its thread, when it is about to sleep (+1) |
/// | odd | it waits, and does nothing else until this changes | its thread, when it has what it waited for, or gave up (+1) |
///
/// A turn never comes back, also not when another thread gets the record. So what is true of a thread as long as it waits is true as long as
/// its turn is the same: it holds the locks that it held when it began.
///
/// If the thread is killed while the turn is odd, it stays so; the record is read only as long as the process lives, and is free once its death is known.
#[repr(C, align(128))]
pub(crate) struct Record {
    /// pid (high half) and thread id (low half); 0 if the record is free.
    thread: AtomicU64,
    process: AtomicU32,
    turn: AtomicU32,
    /// [`Operation`], [`TIMED`], [`MAIN`].
    kind: AtomicU32,
    /// The turn for which `lock`, `reads`, `names`, `is_known` and `queue` have been filled in.
    details: AtomicU32,
    /// The type that it waits for, and the file of the line that it waits in: see [`constant`].
    what: AtomicU64,
    file: AtomicU64,
    /// Line (high half) and column (low half).
    line: AtomicU64,
    /// The thread that holds it up, as far as it knew when it last looked: as `thread`. With a thread id of 0, the process as a whole.
    owner: AtomicU64,
    /// A record (high half, plus one) and its turn (low half): that thread held this one up when it waited in that turn already. 0 if nothing of the
    /// kind is known.
    edge: AtomicU64,
    /// The number of the lock whose readers it waits for; 0 if it does not.
    lock: AtomicU64,
    /// The numbers of the locks that it reads under.
    reads: [AtomicU64; READS],
    /// Device and number of the file of the queue that it waits for.
    queue: [AtomicU64; 2],
    /// Grows by two with each look at what it waits for that anybody may end; odd during the look.
    checks: AtomicU32,
    /// 1 if `names` has everybody who could end such a wait.
    is_known: AtomicU32,
    /// Processes for whose end it waits; or, of a wait that anybody may end, who could.
    names: [AtomicU32; NAMES],
}

const _: () = assert!(size_of::<Record>() == 256);

/// All records. Their memory is reserved page by page.
#[repr(C, align(4096))]
pub(super) struct Records([Record; RECORDS]);

/// What is known of the records as a whole.
#[repr(C)]
pub(super) struct Usage {
    /// One more than the highest record ever used.
    high: AtomicU32,
    /// Whether the memory of a page of records has been reserved; stays so for ever.
    reserved: [AtomicU32; RECORDS / PER_PAGE],
}

/// Of `kind`: it waits only for some time, so it is not part of a deadlock.
const TIMED: u32 = 1 << 8;
/// Of `kind`: its process ends when the thread's function does.
const MAIN: u32 = 1 << 9;

/// What a record said, all at one time.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) process: Identity,
    pub(crate) pid: i32,
    pub(crate) thread: u32,
    pub(crate) operation: Operation,
    pub(crate) timed: bool,
    pub(crate) what: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) owner: Option<(i32, u32)>,
    /// The processes that could end the wait, where they are known.
    pub(crate) holders: Vec<Identity>,
}

#[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
const fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

const fn joined(high: u32, low: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

/// What a thread is in these records.
pub(crate) const fn thread_key(pid: i32, thread: u32) -> u64 {
    joined(pid.cast_unsigned(), thread)
}

impl Record {
    /// Its thread is about to sleep. Only for that thread, while the turn is even; the new turn.
    pub(super) fn begin(&self, site: Site, timed: bool, owner: Option<(i32, u32)>) -> u32 {
        // Pairs with the fence in `stable`: whoever reads one of these sees that the last turn is over.
        fence(Ordering::Release);
        let main = if IS_MAIN.get() { MAIN } else { 0 };
        let timed = if timed { TIMED } else { 0 };
        self.kind.store(site.operation as u32 | timed | main, Ordering::Relaxed);
        self.what.store(constant(site.what), Ordering::Relaxed);
        self.file.store(constant(site.place.file()), Ordering::Relaxed);
        self.line.store(joined(site.place.line(), site.place.column()), Ordering::Relaxed);
        self.edge.store(0, Ordering::Relaxed);
        self.set_owner(owner);
        let turn = self.turn.load(Ordering::Relaxed).wrapping_add(1);
        self.turn.store(turn, Ordering::Release);
        turn
    }

    /// Its thread has done sleeping.
    pub(super) fn end(&self) {
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Release);
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.turn.load(Ordering::Relaxed) & 1 == 1
    }

    pub(super) fn set_owner(&self, owner: Option<(i32, u32)>) {
        let key = owner.map_or(0, |(pid, thread)| thread_key(pid, thread));
        self.owner.store(key, Ordering::Relaxed);
    }

    pub(super) fn set_edge(&self, to: Option<Turn>) {
        self.edge.store(to.map_or(0, Turn::bits), Ordering::Release);
    }

    pub(super) fn set_details(&self, details: &Details<'_>) {
        self.details.store(0, Ordering::Relaxed);
        fence(Ordering::Release);
        self.lock.store(details.lock, Ordering::Relaxed);
        for (index, read) in self.reads.iter().enumerate() {
            read.store(details.reads.get(index).copied().unwrap_or(0), Ordering::Relaxed);
        }
        for (index, name) in self.names.iter().enumerate() {
            let process = details.names.get(index).map_or(0, |process| process.bits());
            name.store(process, Ordering::Relaxed);
        }
        self.is_known.store(u32::from(details.file.is_some()), Ordering::Relaxed);
        let (device, number) = details.file.unwrap_or_default();
        self.queue[0].store(device, Ordering::Relaxed);
        self.queue[1].store(number, Ordering::Relaxed);
        self.details.store(self.turn.load(Ordering::Relaxed), Ordering::Release);
    }

    /// Its thread begins to look at what it waits for.
    pub(super) fn begin_check(&self) {
        // Odd already if somebody was killed in the middle of one.
        let number = self.checks.load(Ordering::Relaxed).wrapping_add(1) | 1;
        self.checks.store(number, Ordering::Relaxed);
        // Who has not seen that it has begun has done what it did before it.
        fence(Ordering::SeqCst);
    }

    /// It has written down what it found.
    pub(super) fn end_check(&self) {
        let number = self.checks.load(Ordering::Relaxed);
        self.checks.store(number.wrapping_add(1), Ordering::Release);
    }

    /// Reads with `read`, if the record is at `turn` the whole time.
    fn stable<R>(&self, turn: u32, read: impl FnOnce() -> R) -> Option<R> {
        if self.turn.load(Ordering::Acquire) != turn {
            return None;
        }
        let result = read();
        fence(Ordering::Acquire);
        (self.turn.load(Ordering::Relaxed) == turn).then_some(result)
    }
}

thread_local! {
    static SEAT: Seat = const { Seat { index: Cell::new(u32::MAX), generation: Cell::new(0) } };
    static IS_MAIN: Cell<bool> = const { Cell::new(false) };
}

/// This thread is the one whose function's end is the end of its process.
pub(crate) fn become_main_thread() {
    IS_MAIN.set(true);
}

/// The record of this thread, which is given back when the thread ends.
struct Seat {
    index: Cell<u32>,
    /// A forked copy of the thread has a record of its own.
    generation: Cell<u32>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let is_ours = self.generation.get() == thread::generation();
        let Some(world) = super::existing().filter(|_| is_ours) else { return };
        if let Some(record) = world.records().get(self.index.get() as usize) {
            record.thread.store(0, Ordering::Release);
        }
    }
}

impl World {
    /// The record of this thread; `None` if there are none left.
    pub(super) fn own_record(&self) -> Option<(u32, &Record)> {
        let index = SEAT.try_with(|seat| {
            let generation = thread::generation();
            if seat.index.get() == u32::MAX || seat.generation.get() != generation {
                seat.index.set(self.claim_record()?);
                seat.generation.set(generation);
            }
            Some(seat.index.get())
        });
        let index = index.ok()??;
        Some((index, self.records().get(index as usize)?))
    }

    #[allow(clippy::cast_possible_truncation, reason = "records are fewer than 2^32")]
    fn claim_record(&self) -> Option<u32> {
        let me = me();
        let key = thread_key(me.pid, thread::tid());
        self.records.0.iter().enumerate().find_map(|(index, record)| {
            let is_free = self.reserve_records(index / PER_PAGE)
                && record.thread.load(Ordering::Relaxed) == 0;
            if !is_free {
                return None;
            }
            self.usage.high.fetch_max(index as u32 + 1, Ordering::Relaxed);
            record.thread.compare_exchange(0, key, Ordering::AcqRel, Ordering::Relaxed).ok()?;
            // Of a thread that was killed while it waited: it waits no longer.
            if record.is_waiting() {
                record.end();
            }
            record.process.store(me.id.bits(), Ordering::Relaxed);
            Some(index as u32)
        })
    }

    /// Reserves the memory of a page of records. Those that are never used cost nothing.
    fn reserve_records(&self, page: usize) -> bool {
        let reserved = &self.usage.reserved[page];
        if reserved.load(Ordering::Acquire) != 0 {
            return true;
        }
        let start = core::mem::offset_of!(World, records) + page * PAGE;
        let done = descriptor()
            .is_some_and(|file| memory::reserve(file, start as u64, PAGE as u64).is_ok());
        if done {
            reserved.store(1, Ordering::Release);
        }
        done
    }

    /// Frees the records of a process that has died.
    pub(super) fn free_records(&self, id: Identity, pid: i32) {
        for record in self.records() {
            let key = record.thread.load(Ordering::Acquire);
            // Whoever gets the record just now has another pid, even if it has not written down yet who it is.
            let is_its = halves(key).0.cast_signed() == pid
                && record.process.load(Ordering::Relaxed) == id.bits();
            if is_its {
                let _ = record.thread.compare_exchange(key, 0, Ordering::AcqRel, Ordering::Relaxed);
            }
        }
    }

    fn records(&self) -> &[Record] {
        let high = (self.usage.high.load(Ordering::Relaxed) as usize).min(RECORDS);
        &self.records.0[..high]
    }

    /// Who waits at this moment, of living processes.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Seen> {
        self.turns().filter_map(|at| self.seen(at))
    }

    /// The records of threads that wait.
    #[allow(clippy::cast_possible_truncation, reason = "records are fewer than 2^32")]
    pub(super) fn turns(&self) -> impl Iterator<Item = Turn> {
        self.records().iter().enumerate().filter_map(|(index, record)| {
            let turn = record.turn.load(Ordering::Acquire);
            (turn & 1 == 1).then_some(Turn { index: index as u32, turn })
        })
    }

    fn at<R>(&self, at: Turn, read: impl FnOnce(&Record) -> R) -> Option<R> {
        let record = self.records().get(at.index as usize)?;
        record.stable(at.turn, || read(record))
    }

    /// What the record says, if its thread waits in this turn and its process lives.
    pub(crate) fn seen(&self, at: Turn) -> Option<Seen> {
        let seen = self.at(at, |record| {
            let (pid, thread) = halves(record.thread.load(Ordering::Relaxed));
            let (line, column) = halves(record.line.load(Ordering::Relaxed));
            let kind = record.kind.load(Ordering::Relaxed);
            let (owner_pid, owner) = halves(record.owner.load(Ordering::Relaxed));
            Seen {
                process: Identity::from_bits(record.process.load(Ordering::Relaxed)),
                pid: pid.cast_signed(),
                thread,
                operation: Operation::from_kind(kind),
                timed: kind & TIMED != 0,
                what: text(record.what.load(Ordering::Relaxed)),
                file: text(record.file.load(Ordering::Relaxed)),
                line,
                column,
                owner: (owner_pid != 0).then_some((owner_pid.cast_signed(), owner)),
                holders: Vec::new(),
            }
        })?;
        let check = self.needs(at).and_then(|needs| needs.check);
        let holders = check.map_or_else(Vec::new, |check| check.holders.processes);
        let seen = Seen { holders, ..seen };
        self.is_alive(seen.process).then_some(seen)
    }

    /// Whose record it is; `None` if its thread does not wait in this turn, or for some time only.
    pub(super) fn waits_for_ever(&self, at: Turn) -> Option<Waiter> {
        let (waiter, kind) = self.at(at, |record| {
            let kind = record.kind.load(Ordering::Relaxed);
            let waiter = Waiter {
                thread: record.thread.load(Ordering::Relaxed),
                process: Identity::from_bits(record.process.load(Ordering::Relaxed)),
                is_main: kind & MAIN != 0,
                operation: Operation::from_kind(kind),
            };
            (waiter, kind)
        })?;
        (kind & TIMED == 0 && self.is_alive(waiter.process)).then_some(waiter)
    }

    /// Who holds the record's thread up as long as both wait: any of them is enough. Nobody is known of a wait that anybody may end.
    pub(super) fn holders(&self, at: Turn) -> Vec<Turn> {
        let Some(needs) = self.needs(at) else { return Vec::new() };
        let Needs { edge, lock, ends, .. } = needs;
        edge.into_iter().chain(self.readers_of(lock)).chain(self.mains_of(&ends)).collect()
    }

    /// What the record says about whom its thread waits for.
    pub(super) fn needs(&self, at: Turn) -> Option<Needs> {
        self.at(at, |record| {
            let edge = Turn::from_bits(record.edge.load(Ordering::Acquire));
            let operation = Operation::from_kind(record.kind.load(Ordering::Relaxed));
            let mut needs = Needs { edge, ..Needs::default() };
            let number = record.checks.load(Ordering::Acquire);
            if record.details.load(Ordering::Acquire) != at.turn {
                return needs;
            }
            let names = record.names.iter().map(|name| name.load(Ordering::Relaxed));
            let names: Vec<Identity> =
                names.take_while(|&name| name != 0).map(Identity::from_bits).collect();
            needs.lock = record.lock.load(Ordering::Relaxed);
            needs.reads = record.reads.each_ref().map(|read| read.load(Ordering::Relaxed));
            let is_known = record.is_known.load(Ordering::Relaxed) != 0;
            let file = record.queue.each_ref().map(|part| part.load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            let is_whole = record.details.load(Ordering::Relaxed) == at.turn
                && record.checks.load(Ordering::Relaxed) == number;
            match operation {
                Operation::Join => needs.ends = names,
                _ if is_known && is_whole && number & 1 == 0 => {
                    let holders = Holders { processes: names, file: file.into() };
                    needs.check = Some(Check { number, holders });
                }
                _ => {}
            }
            needs
        })
    }

    /// How many looks the record's thread has begun at what it waits for; the one that it is in counts as done.
    pub(super) fn checks_begun(&self, at: Turn) -> Option<u32> {
        let begun = |number: u32| number.wrapping_add(number & 1);
        self.at(at, |record| begun(record.checks.load(Ordering::Acquire)))
    }

    /// The threads that wait while they read under the lock with this number.
    pub(super) fn readers_of(&self, lock: u64) -> impl Iterator<Item = Turn> {
        let reads = move |record: &Record, turn: Turn| {
            record.details.load(Ordering::Acquire) == turn.turn
                && record.reads.iter().any(|read| read.load(Ordering::Relaxed) == lock)
        };
        let turns = if lock == 0 { None } else { Some(self.turns()) };
        turns
            .into_iter()
            .flatten()
            .filter(move |&turn| self.at(turn, |record| reads(record, turn)) == Some(true))
    }

    /// The threads that wait although their end is that of one of these processes.
    pub(super) fn mains_of(&self, processes: &[Identity]) -> impl Iterator<Item = Turn> {
        let is_any = processes.iter().any(|process| *process != Identity::NOBODY);
        let turns = if is_any { Some(self.turns()) } else { None };
        turns.into_iter().flatten().filter(|&turn| {
            let waits = self.waits_for_ever(turn);
            waits.is_some_and(|waiter| waiter.is_main && processes.contains(&waiter.process))
        })
    }
}
