//! Which segments this process maps: by number, by file, and by address.
//!
//! The one lock here is taken around every fork, so that a child never finds it held by a thread that it does not have, nor the
//! tables half-way changed. Nothing is dropped while it is held: dropping a segment takes it.

use super::{
    ShmError,
    segment::{Inode, Segment},
};
use crate::{
    primitive::{AtomicBool, AtomicU32, Ordering},
    sys::fork,
};
use core::cell::Cell;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

struct Tables {
    by_id: BTreeMap<u64, Weak<Segment>>,
    by_inode: BTreeMap<Inode, Weak<Segment>>,
    /// By first address.
    by_base: BTreeMap<usize, Weak<Segment>>,
    /// Where small blocks come from at present.
    arena: Weak<Segment>,
}

static TABLES: Mutex<Tables> = Mutex::new(Tables {
    by_id: BTreeMap::new(),
    by_inode: BTreeMap::new(),
    by_base: BTreeMap::new(),
    arena: Weak::new(),
});

/// How often this process, or one that it is a copy of, was about to fork since it made its first segment.
static FORKS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The lock, while this thread forks.
    static HELD: Cell<Option<MutexGuard<'static, Tables>>> = const { Cell::new(None) };
}

fn tables() -> MutexGuard<'static, Tables> {
    TABLES.lock().unwrap_or_else(PoisonError::into_inner)
}

extern "C" fn before_fork() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    let guard = tables();
    let _ = HELD.try_with(|held| held.set(Some(guard)));
}

extern "C" fn after_fork() {
    let _ = HELD.try_with(Cell::take);
}

/// Counts the forks that could have copied what this process has. Equal before and after: no copy was made.
pub(crate) fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Enters a new mapping, unless the same file is mapped already: then that one is returned, and the new one dropped.
pub(super) fn adopt(segment: Segment) -> Result<Arc<Segment>, ShmError> {
    static ARMED: AtomicBool = AtomicBool::new(false);
    if !ARMED.swap(true, Ordering::Relaxed) {
        fork::around(before_fork, after_fork);
    }
    let segment = Arc::new(segment);
    let mut tables = tables();
    // Entries that cannot be upgraded are of segments that are being dropped just now; a `Weak` frees memory at most.
    let known = tables.by_id.get(&segment.id()).and_then(Weak::upgrade);
    if known.is_none() {
        let entry = Arc::downgrade(&segment);
        tables.by_id.insert(segment.id(), entry.clone());
        tables.by_inode.insert(segment.inode(), entry.clone());
        tables.by_base.insert(segment.base(), entry);
    }
    drop(tables);
    match known {
        None => Ok(segment),
        Some(known) if known.inode() == segment.inode() => Ok(known),
        Some(_) => Err(ShmError::Foreign("a segment of this program has the same number")),
    }
}

/// The segment with this number.
pub(crate) fn find(id: u64) -> Option<Arc<Segment>> {
    tables().by_id.get(&id).and_then(Weak::upgrade)
}

pub(super) fn by_inode(inode: Inode) -> Option<Arc<Segment>> {
    tables().by_inode.get(&inode).and_then(Weak::upgrade)
}

/// The segment that small blocks are taken from, if any of its blocks is still in use.
pub(super) fn arena() -> Option<Arc<Segment>> {
    tables().arena.upgrade()
}

/// Has small blocks be taken from this one from now on.
pub(super) fn set_arena(segment: &Arc<Segment>) {
    tables().arena = Arc::downgrade(segment);
}

/// The segment that holds the `len` bytes at `address`, and where in it they begin.
pub(crate) fn locate(address: usize, len: usize) -> Option<(Arc<Segment>, usize)> {
    let found = tables().by_base.range(..=address).next_back().and_then(|(_, s)| s.upgrade());
    let segment = found?;
    let offset = address - segment.base();
    (offset.checked_add(len)? <= segment.len()).then_some((segment, offset))
}

/// Takes the entries of a segment that is being dropped out, unless they are another's by now.
pub(super) fn forget(segment: &Segment) {
    let mut tables = tables();
    remove(&mut tables.by_id, &segment.id(), segment);
    remove(&mut tables.by_inode, &segment.inode(), segment);
    remove(&mut tables.by_base, &segment.base(), segment);
}

fn remove<K: Ord>(table: &mut BTreeMap<K, Weak<Segment>>, key: &K, segment: &Segment) {
    if table.get(key).is_some_and(|entry| core::ptr::eq(entry.as_ptr(), segment)) {
        table.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::segment::Purpose, *};

    #[test]
    fn addresses_lead_to_their_segment() {
        let segment = Segment::create(1, Purpose::Block).expect("segment");
        let base = segment.base();
        let (found, offset) = locate(base + 100, 50).expect("inside");
        assert!(Arc::ptr_eq(&found, &segment));
        assert_eq!(offset, 100);
        assert!(locate(base + 100, segment.len()).is_none(), "runs over the end");
        assert!(locate((&raw const base).addr(), 1).is_none(), "the stack");
        assert!(locate(base, usize::MAX).is_none());
    }

    #[test]
    fn dropping_the_last_handle_forgets_the_segment() {
        let segment = Segment::create(1, Purpose::Block).expect("segment");
        let (id, base) = (segment.id(), segment.base());
        assert!(find(id).is_some());
        drop(segment);
        assert!(find(id).is_none());
        // Another test may have got the address meanwhile.
        assert!(locate(base, 1).is_none_or(|(other, _)| other.id() != id));
    }
}
