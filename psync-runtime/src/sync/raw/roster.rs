//! Who holds how much of a primitive, so that it can be taken back from the dead.

use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    shm::world::{self, Identity, Me, Note, SpillEntry},
    sys::fault,
};

/// How many processes have their place in the primitive itself.
pub(crate) const INLINE: usize = 8;

/// A number per process: a few in place, further ones in the world's spill table.
///
/// | word of a place | meaning | left by |
/// |---|---|---|
/// | any process, 0 | free | any process that needs a place (itself, n) |
/// | process, n | it has n of the primitive | itself; anyone, if it is dead or n is 0 |
///
/// There are two ways to use it. Under a lock of the primitive: [`entry`](Self::entry), [`Entry::set`], [`Entry::clear`]. Without one: [`change`](Self::change)
/// and [`Entry::exchange`], whose one exchange also compares the process, so that a place that has become another's is not touched; then places in the spill
/// table stay a process's as long as it lives, since to the same process one of another primitive would look the same. Either way a number changes by one
/// store, so a kill leaves the old or the new one. A number of 0 and no entry are the same.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Roster {
    /// Process (high half) and number (low half).
    inline: [AtomicU64; INLINE],
    notes: [Note; INLINE],
    /// What the spill table knows this primitive by; 0 if it was never needed.
    key: AtomicU32,
}

/// One process's place in a roster.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    word: &'a AtomicU64,
    note: &'a Note,
    place: Place<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// One of the first [`INLINE`].
    Inline(usize),
    /// In the spill table, under this number of the primitive.
    Spilled(u32, &'a SpillEntry),
}

/// Neither the roster nor the world's spill table has a free place.
#[derive(Debug)]
pub(crate) struct Full;

impl<'a> Entry<'a> {
    fn spilled(key: u32, entry: &'a SpillEntry) -> Self {
        Self { word: entry.word(), note: entry.note(), place: Place::Spilled(key, entry) }
    }

    pub(crate) fn value(&self) -> u32 {
        value_of(self.word.load(Ordering::Relaxed))
    }

    pub(crate) fn holder(&self) -> Identity {
        holder_of(self.word.load(Ordering::Relaxed))
    }

    /// Whose it is, and what that process has, as of one moment; ordered behind what is read before and in front of what is read after.
    pub(crate) fn read(&self) -> (Identity, u32) {
        let word = self.word.load(Ordering::SeqCst);
        (holder_of(word), value_of(word))
    }

    pub(crate) fn place(&self) -> Place<'a> {
        self.place
    }

    pub(crate) const fn word(&self) -> &'a AtomicU64 {
        self.word
    }

    pub(crate) fn pid(&self) -> i32 {
        self.note.pid.load(Ordering::Relaxed)
    }

    /// Notes the pid of its process, after [`change`](Roster::change).
    pub(crate) fn note_pid(&self, pid: i32) {
        self.note.pid.store(pid, Ordering::Relaxed);
    }

    /// See [`Note`].
    pub(crate) fn present(&self) -> &'a AtomicU32 {
        &self.note.present
    }

    fn is_idle(&self) -> bool {
        self.value() == 0 && self.present().load(Ordering::Relaxed) == 0
    }

    /// The one store that changes what the process has.
    pub(crate) fn set(&self, value: u32) {
        self.word.store(pack(self.holder(), value), Ordering::Relaxed);
    }

    /// The same without a lock: only if it is still `holder`'s, and `old`.
    #[inline]
    pub(crate) fn exchange(&self, holder: Identity, old: u32, new: u32) -> bool {
        self.replace(pack(holder, old), pack(holder, new))
    }

    #[inline]
    fn replace(&self, old: u64, new: u64) -> bool {
        self.word.compare_exchange(old, new, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    /// Sets the number to 0 and gives the place back, unless the process has threads inside.
    pub(crate) fn clear(&self) {
        let holder = self.holder();
        self.set(0);
        if self.is_idle() {
            self.give_back(holder);
        }
    }

    /// Gives the place back to the spill table, if it is from there and `holder` has nothing.
    pub(crate) fn give_back(&self, holder: Identity) {
        if let Place::Spilled(key, entry) = self.place {
            entry.free(key, holder);
            fault::point("roster: spilled place freed");
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
const fn holder_of(word: u64) -> Identity {
    Identity::from_bits((word >> 32) as u32)
}

#[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
const fn value_of(word: u64) -> u32 {
    word as u32
}

const fn pack(holder: Identity, value: u32) -> u64 {
    (holder.bits() as u64) << 32 | value as u64
}

impl Roster {
    pub(crate) const fn new() -> Self {
        Self {
            inline: [const { AtomicU64::new(0) }; INLINE],
            notes: [const { Note::new() }; INLINE],
            key: AtomicU32::new(0),
        }
    }

    /// All entries with a number, or with threads inside.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.inline().chain(self.spilled()).filter(|entry| !entry.is_idle())
    }

    /// All places, in use or not.
    pub(crate) fn places(&self) -> impl Iterator<Item = Entry<'_>> {
        self.inline().chain(self.spilled())
    }

    /// Whether it ever had more holders at a time than places.
    pub(crate) fn has_spilled(&self) -> bool {
        self.key.load(Ordering::Relaxed) != 0
    }

    #[inline]
    fn inline(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..INLINE).map(|index| self.inline_entry(index))
    }

    #[inline]
    fn inline_entry(&self, index: usize) -> Entry<'_> {
        Entry { word: &self.inline[index], note: &self.notes[index], place: Place::Inline(index) }
    }

    fn spilled(&self) -> impl Iterator<Item = Entry<'_>> {
        let key = self.key.load(Ordering::Acquire);
        let world = if key == 0 { None } else { world::existing() };
        world
            .into_iter()
            .flat_map(move |world| world.spilled(key).map(move |entry| Entry::spilled(key, entry)))
    }

    /// The entry of `holder`, if it has one.
    #[inline]
    pub(crate) fn find(&self, holder: Identity) -> Option<Entry<'_>> {
        let place = self.inline.iter().position(|word| {
            let word = word.load(Ordering::Relaxed);
            holder_of(word) == holder && word != pack(Identity::NOBODY, 0)
        });
        match place {
            Some(place) => Some(self.inline_entry(place)),
            None => self.find_spilled(holder),
        }
    }

    #[cold]
    fn find_spilled(&self, holder: Identity) -> Option<Entry<'_>> {
        self.spilled().find(|entry| entry.holder() == holder)
    }

    /// The entry of `holder`, which is made if it has none.
    #[inline]
    pub(crate) fn entry(&self, holder: Me) -> Result<Entry<'_>, Full> {
        match self.find(holder.id) {
            Some(entry) => Ok(entry),
            None => self.make(holder),
        }
    }

    #[cold]
    fn make(&self, holder: Me) -> Result<Entry<'_>, Full> {
        if let Some(entry) = self.inline().find(Entry::is_idle) {
            entry.note.begin(holder.pid);
            fault::point("roster: note begun");
            entry.word.store(pack(holder.id, 0), Ordering::Relaxed);
            fault::point("roster: place taken");
            return Ok(entry);
        }
        self.spill(holder)
    }

    /// Adds one to what `holder` has, without a lock, if that is simple: the fast path of [`change`](Self::change). The word of the place.
    #[inline]
    pub(crate) fn add_one(&self, holder: Identity) -> Option<&AtomicU64> {
        let word = self.inline.iter().find(|w| holder_of(w.load(Ordering::Relaxed)) == holder)?;
        let seen = word.load(Ordering::Relaxed);
        let added = holder_of(seen) == holder
            && word.compare_exchange(seen, seen + 1, Ordering::SeqCst, Ordering::Relaxed).is_ok();
        added.then_some(word)
    }

    /// Takes one from what `holder` has in the place with this word. Nothing happens if it has nothing, since it passes for dead.
    #[inline]
    pub(crate) fn take_one(word: &AtomicU64, holder: Identity) {
        let mut seen = word.load(Ordering::Relaxed);
        while holder_of(seen) == holder && value_of(seen) != 0 {
            match word.compare_exchange(seen, seen - 1, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// Changes what `holder` has from n to `next(n)`, without a lock. The entry has to be asked again before it is used.
    #[inline]
    pub(crate) fn change(&self, holder: Me, next: impl Fn(u32) -> u32) -> Result<Entry<'_>, Full> {
        loop {
            let entry = match self.find(holder.id) {
                Some(entry) => entry,
                None => match self.seat(holder, next(0))? {
                    Seat::Taken(entry) => return Ok(entry),
                    Seat::Offered(entry) => entry,
                },
            };
            let value = entry.value();
            if entry.exchange(holder.id, value, next(value)) {
                fault::point("roster: number exchanged");
                return Ok(entry);
            }
        }
    }

    /// A place for `holder` alone, with the number `first`, also if it has others.
    pub(crate) fn take(&self, holder: Me, first: u32) -> Result<Entry<'_>, Full> {
        match self.seat(holder, first)? {
            Seat::Taken(entry) => Ok(entry),
            Seat::Offered(entry) if entry.exchange(holder.id, 0, first) => Ok(entry),
            Seat::Offered(_) => Err(Full),
        }
    }

    /// A place for `holder`: with the number `first` already, or with 0.
    #[cold]
    fn seat(&self, holder: Me, first: u32) -> Result<Seat<'_>, Full> {
        for entry in self.inline() {
            let seen = entry.word.load(Ordering::Relaxed);
            if value_of(seen) == 0 && entry.replace(seen, pack(holder.id, first)) {
                fault::point("roster: place taken with a number");
                return Ok(Seat::Taken(entry));
            }
        }
        self.spill(holder).map(Seat::Offered)
    }

    fn spill(&self, holder: Me) -> Result<Entry<'_>, Full> {
        let world = world::existing().ok_or(Full)?;
        let mut key = self.key.load(Ordering::Acquire);
        if key == 0 {
            let fresh = world.next_key();
            let exchange = self.key.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire);
            key = exchange.err().unwrap_or(fresh);
            fault::point("roster: key made");
        }
        let entry = world.claim_spill(key, holder).ok_or(Full)?;
        fault::point("roster: spilled place taken");
        Ok(Entry::spilled(key, entry))
    }
}

enum Seat<'a> {
    Taken(Entry<'a>),
    Offered(Entry<'a>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(id: u32) -> Me {
        Me { id: Identity::from_bits(id), pid: 1 }
    }

    #[test]
    fn a_process_keeps_its_place() {
        let roster = Roster::new();
        let (a, b) = (process(70), process(71));
        roster.entry(a).expect("room").set(3);
        roster.entry(b).expect("room").set(4);
        roster.entry(a).expect("room").set(5);
        let all: Vec<_> = roster.entries().map(|entry| (entry.holder(), entry.value())).collect();
        assert_eq!(all, [(a.id, 5), (b.id, 4)]);
    }

    #[test]
    fn nobody_has_a_place_too() {
        let roster = Roster::new();
        roster.entry(process(0)).expect("room").set(2);
        assert_eq!(roster.find(Identity::NOBODY).map(|entry| entry.value()), Some(2));
    }

    #[test]
    fn what_does_not_fit_is_spilled_and_comes_back() {
        world::world().expect("a world");
        let roster = Roster::new();
        let processes: Vec<_> = (100..120).map(process).collect();
        for (process, value) in processes.iter().zip(1..) {
            roster.entry(*process).expect("room").set(value);
        }
        assert_eq!(roster.entries().map(|entry| entry.value()).sum::<u32>(), 210);
        for process in &processes {
            roster.find(process.id).expect("its place").clear();
        }
        assert_eq!(roster.entries().count(), 0);
        assert_eq!(roster.spilled().count(), 0);
    }
}
