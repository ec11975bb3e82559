//! Where `#[shared]` statics live: a log at the end of the world, which every process of the program has mapped since it began.
//!
//! A static is known by its own offset in the executable image, which is the same in every process. The log has an entry for each that has ever been
//! used, and room behind the entry for its value. Entries follow one another without a gap, are never changed and never given back; so nothing of a static
//! rests on the process that has entered it.
//!
//! | entry | room behind it | meaning | left by |
//! |---|---|---|---|
//! | 0 | zeros, up to the end | the end of the log | whoever needs a static that the log does not have, by one exchange (the static and its length) |
//! | static (high 40 bits), lines (low 24) | zeros, or a value: its owner knows | the static is here, and the next entry so many lines further | nobody |
//!
//! What is left of a process that is killed
//!
//! * before the exchange: at most reserved memory behind the end of the log, which the next entry uses;
//! * after it: an entry whose room reads as zeros. Whoever comes next finds it as everybody does.
//!
//! **The line at the end of the log is reserved**, so that reading it cannot fault: whoever adds an entry reserves its room and the line behind that first, and
//! whoever looks reserves the first line of all.
#![allow(unsafe_code, reason = "turns offsets of a mapping into addresses")]

use super::{World, descriptor, existing};
use crate::{
    primitive::{AtomicU64, Ordering, UnsafeCell},
    sys::{OsError, fault, image, memory},
};
use core::{alloc::Layout, ptr::NonNull};

/// What all statics of a program may take up together. None of it costs memory before it is used.
pub(crate) const ROOM: usize = 16 << 20;
/// Entries begin with a cache line, so that no two statics share one.
const LINE: usize = 64;
const LINES_BITS: u32 = 24;

/// See the module.
#[repr(C, align(4096))]
pub(super) struct Statics(UnsafeCell<[u8; ROOM]>);

// SAFETY: entries are atomics (W2); the room behind one is handed out as an address, and whoever uses it answers for that.
unsafe impl Sync for Statics {}

/// Why a static has no place.
#[derive(Debug)]
pub(crate) enum NoPlace {
    /// It is not in the image of the main program, so other processes would not find it.
    Elsewhere,
    /// All statics together are too long.
    Full,
    /// There is no memory.
    Os(OsError),
}

impl From<OsError> for NoPlace {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

/// What tells a static from the others of the program: where it lies in the image, in words. `None` if it is in no image that all processes have.
fn key(address: usize) -> Option<u64> {
    let offset = image::main_program()?.offset_of_variable(address)?;
    // An offset of 0 is the image's own header; the shift keeps statics apart, since each holds an address and is aligned to that.
    (offset.is_multiple_of(8) && offset >> 3 >> (64 - LINES_BITS) == 0).then_some(offset >> 3)
}

impl World {
    /// The place for the value of the static at `address` of this process's image: the same memory in every process of the program. Zeros as long as
    /// nobody has written there.
    ///
    /// A static asks with the same layout every time.
    pub(crate) fn place_of_static(
        &self,
        address: usize,
        layout: Layout,
    ) -> Result<NonNull<u8>, NoPlace> {
        let key = key(address).filter(|&key| key != 0).ok_or(NoPlace::Elsewhere)?;
        self.statics.find_or_enter(key, layout)
    }

    /// Where in the room for statics the `len` bytes at `address` begin, if they are part of the value of one.
    pub(crate) fn offset_in_statics(&self, address: usize, len: usize) -> Option<u64> {
        let offset = address.checked_sub(self.statics.base().addr().get())?;
        self.statics.is_in_one(offset, len).then_some(offset as u64)
    }

    /// What lies at an offset that another process has sent, if it is part of the value of a static.
    pub(crate) fn view_statics(&self, offset: u64, layout: Layout) -> Option<NonNull<u8>> {
        let offset = usize::try_from(offset).ok()?;
        let aligned = layout.align() <= LINE.max(align_of::<Statics>())
            && offset.is_multiple_of(layout.align());
        let found = aligned && self.statics.is_in_one(offset, layout.size());
        found.then(|| self.statics.at(offset))
    }
}

/// The same for whoever does not know whether there is a world.
pub(crate) fn offset_in_statics(address: usize, len: usize) -> Option<u64> {
    existing()?.offset_in_statics(address, len)
}

/// Where an entry at `at` has its value, and where the next entry begins.
fn extent(at: usize, layout: Layout) -> Option<(usize, usize)> {
    let value = (at + size_of::<AtomicU64>()).checked_next_multiple_of(layout.align())?;
    let next = value.checked_add(layout.size())?.checked_next_multiple_of(LINE)?;
    Some((value, next))
}

impl Statics {
    fn base(&self) -> NonNull<u8> {
        NonNull::from(&self.0).cast()
    }

    fn at(&self, offset: usize) -> NonNull<u8> {
        debug_assert!(offset < ROOM, "callers have checked it");
        // SAFETY: inside the room, as callers have checked.
        unsafe { self.base().add(offset) }
    }

    /// The entry at `at`, which is the beginning of a line inside the room and reserved.
    fn entry(&self, at: usize) -> &AtomicU64 {
        // SAFETY: aligned, inside the mapping, which is never unmapped (W1); atomics may be any bytes.
        unsafe { self.at(at).cast().as_ref() }
    }

    fn find_or_enter(&self, key: u64, layout: Layout) -> Result<NonNull<u8>, NoPlace> {
        reserve(0, LINE)?;
        let mut at = 0;
        while at < ROOM {
            let (value, next) = extent(at, layout).ok_or(NoPlace::Full)?;
            let mut seen = self.entry(at).load(Ordering::Acquire);
            if seen == 0 {
                if next > ROOM {
                    return Err(NoPlace::Full);
                }
                reserve(at, (next + LINE).min(ROOM) - at)?;
                fault::point("static: reserved");
                let entry = key << LINES_BITS | ((next - at) / LINE) as u64;
                let exchange =
                    self.entry(at).compare_exchange(0, entry, Ordering::AcqRel, Ordering::Acquire);
                fault::point("static: entered");
                seen = exchange.map_or_else(|other| other, |_| entry);
            }
            if seen >> LINES_BITS == key {
                return Ok(self.at(value));
            }
            at += lines(seen) * LINE;
        }
        Err(NoPlace::Full)
    }

    /// Whether the bytes are part of one entry's room.
    fn is_in_one(&self, offset: usize, len: usize) -> bool {
        let Some(end) = offset.checked_add(len).filter(|&end| end <= ROOM) else { return false };
        if reserve(0, LINE).is_err() {
            return false;
        }
        let mut at = 0;
        while at < end {
            let seen = self.entry(at).load(Ordering::Acquire);
            if seen == 0 {
                return false;
            }
            let next = at + lines(seen) * LINE;
            if (at + size_of::<AtomicU64>()..next).contains(&offset) {
                return end <= next;
            }
            at = next;
        }
        false
    }
}

/// Reserves the memory of a part of the room. Costs a system call, also if it is reserved.
fn reserve(start: usize, len: usize) -> Result<(), OsError> {
    let Some(file) = descriptor() else { return Ok(()) };
    let start = core::mem::offset_of!(World, statics) + start;
    memory::reserve(file, start as u64, len as u64)
}

/// How many lines an entry takes up. Never 0, so that whoever looks gets on.
#[allow(clippy::cast_possible_truncation, reason = "24 bits")]
fn lines(entry: u64) -> usize {
    ((entry & ((1 << LINES_BITS) - 1)) as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::world::world;
    use std::collections::BTreeSet;

    static PLACES: [AtomicU64; 64] = [const { AtomicU64::new(1) }; 64];

    fn place(of: &AtomicU64, size: usize, align: usize) -> Result<NonNull<u8>, NoPlace> {
        let layout = Layout::from_size_align(size, align).expect("layout");
        world().expect("memory").place_of_static((&raw const *of).addr(), layout)
    }

    #[test]
    fn every_static_has_a_place_of_its_own_and_keeps_it() {
        let sizes = |index: usize| (index * 37 % 200, 1 << (index % 13));
        let find = |index: usize| {
            let (size, align) = sizes(index);
            let first = place(&PLACES[index], size, align).expect("room").addr().get();
            assert!(first.is_multiple_of(align));
            (first, first + size)
        };
        let mut places: Vec<_> = (0..32).map(find).collect();
        std::thread::scope(|scope| {
            let all = || (0..32).rev().map(find).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(all)).collect();
            for thread in threads {
                let mut again = thread.join().expect("no panic");
                again.reverse();
                assert_eq!(again, places);
            }
        });
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{places:?}");
        let world = world().expect("memory");
        for (first, end) in places {
            let offset = world.offset_in_statics(first, end - first).expect("inside");
            let layout = Layout::from_size_align(end - first, 1).expect("layout");
            let there = world.view_statics(offset, layout).expect("inside");
            assert_eq!(there.addr().get(), first);
        }
    }

    #[test]
    fn threads_that_come_at_once_find_the_same_place() {
        let found: BTreeSet<usize> = std::thread::scope(|scope| {
            let find = || place(&PLACES[40], 100, 8).expect("room").addr().get();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(find)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn what_is_no_static_of_the_program_or_too_long_has_none() {
        let local = AtomicU64::new(0);
        assert!(matches!(place(&local, 8, 8), Err(NoPlace::Elsewhere)));
        assert!(matches!(place(&PLACES[41], ROOM, 8), Err(NoPlace::Full)));
        // Being refused takes nothing from others.
        assert!(place(&PLACES[42], 8, 8).is_ok());
    }

    #[test]
    fn places_that_are_no_values_are_not_found() {
        let first = place(&PLACES[43], 8, 8).expect("room");
        let world = world().expect("memory");
        let offset = world.offset_in_statics(first.addr().get(), 8).expect("inside");
        let view = |offset, size| {
            world.view_statics(offset, Layout::from_size_align(size, 8).expect("layout"))
        };
        assert_eq!(view(offset, 8), Some(first));
        assert_eq!(view(offset - 8, 8), None, "the entry");
        assert_eq!(view(offset + 4, 4), None, "not aligned");
        assert_eq!(view(offset, 4096), None, "more than there is");
        for wrong in [ROOM as u64 - 8, ROOM as u64, u64::MAX] {
            assert_eq!(view(wrong, 8), None, "{wrong}");
        }
        assert_eq!(world.offset_in_statics((&raw const wrong_place).addr(), 1), None);
    }

    #[allow(non_upper_case_globals, reason = "reads as what it is")]
    static wrong_place: u8 = 0;
}
