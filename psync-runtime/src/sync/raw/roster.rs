//! Who holds how much of a primitive, so that it can be taken back from the dead.

use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    shm::world::{self, Identity, Me, Note, SpillEntry},
    sys::fault,
};

const INLINE: usize = 8;

/// A number per process: a few in place, further ones in the world's spill table.
///
/// Written only under the lock of the primitive that it belongs to; each change of a number is one store, so a kill leaves the
/// old or the new one. A number of 0 and no entry are the same. Read without the lock, it may be out of date.
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
pub(crate) enum Entry<'a> {
    Inline(&'a AtomicU64, &'a Note),
    Spilled(u32, &'a SpillEntry),
}

/// Neither the roster nor the world's spill table has a free place.
#[derive(Debug)]
pub(crate) struct Full;

impl<'a> Entry<'a> {
    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    pub(crate) fn value(&self) -> u32 {
        match self {
            Self::Inline(word, _) => word.load(Ordering::Relaxed) as u32,
            Self::Spilled(_, entry) => entry.value(),
        }
    }

    pub(crate) fn holder(&self) -> Identity {
        match self {
            Self::Inline(word, _) => holder_of(word.load(Ordering::Relaxed)),
            Self::Spilled(_, entry) => entry.holder(),
        }
    }

    fn note(&self) -> &'a Note {
        match self {
            Self::Inline(_, note) => note,
            Self::Spilled(_, entry) => entry.note(),
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.note().pid.load(Ordering::Relaxed)
    }

    /// See [`Note`].
    pub(crate) fn present(&self) -> &'a AtomicU32 {
        &self.note().present
    }

    fn is_idle(&self) -> bool {
        self.value() == 0 && self.present().load(Ordering::Relaxed) == 0
    }

    /// The one store that changes what the process has.
    pub(crate) fn set(&self, value: u32) {
        match self {
            Self::Inline(word, _) => {
                word.store(pack(holder_of(word.load(Ordering::Relaxed)), value), Ordering::Relaxed);
            }
            Self::Spilled(_, entry) => entry.set(value),
        }
    }

    /// Sets the number to 0 and gives the place back, unless the process has threads inside.
    pub(crate) fn clear(&self) {
        self.set(0);
        if let Self::Spilled(key, entry) = self
            && self.is_idle()
        {
            entry.free(*key, entry.holder());
            fault::point("roster: spilled place freed");
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
const fn holder_of(word: u64) -> Identity {
    Identity::from_bits((word >> 32) as u32)
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

    #[inline]
    fn inline(&self) -> impl Iterator<Item = Entry<'_>> {
        self.inline.iter().zip(&self.notes).map(|(word, note)| Entry::Inline(word, note))
    }

    fn spilled(&self) -> impl Iterator<Item = Entry<'_>> {
        let key = self.key.load(Ordering::Relaxed);
        let world = if key == 0 { None } else { world::existing() };
        world
            .into_iter()
            .flat_map(move |world| world.spilled(key).map(move |entry| Entry::Spilled(key, entry)))
    }

    /// The entry of `holder`, if it has one.
    #[inline]
    pub(crate) fn find(&self, holder: Identity) -> Option<Entry<'_>> {
        let place = self.inline.iter().position(|word| {
            let word = word.load(Ordering::Relaxed);
            holder_of(word) == holder && word != pack(Identity::NOBODY, 0)
        });
        match place {
            Some(place) => Some(Entry::Inline(&self.inline[place], &self.notes[place])),
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
        if let Some(Entry::Inline(word, note)) = self.inline().find(Entry::is_idle) {
            note.begin(holder.pid);
            fault::point("roster: note begun");
            word.store(pack(holder.id, 0), Ordering::Relaxed);
            fault::point("roster: place taken");
            return Ok(Entry::Inline(word, note));
        }
        let world = world::existing().ok_or(Full)?;
        if self.key.load(Ordering::Relaxed) == 0 {
            self.key.store(world.next_key(), Ordering::Relaxed);
            fault::point("roster: key made");
        }
        let key = self.key.load(Ordering::Relaxed);
        let entry = world.claim_spill(key, holder).ok_or(Full)?;
        fault::point("roster: spilled place taken");
        Ok(Entry::Spilled(key, entry))
    }
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
