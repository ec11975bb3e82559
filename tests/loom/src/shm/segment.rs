//! Stands in for the runtime's `shm::Segment`: a sparse file that holds a queue.
//!
//! Its head is words, which nobody but the checker changes: so the memory under them is used again by the next execution. The log is real memory as well,
//! beside which the checker is told of each access, as of plain memory. Everything else is kept by pages.

use crate::{
    channel::{LOG, LOG_BYTES, LOG_END, STEP},
    machine::{self, Sabotage},
    memory, points,
};
use core::{
    alloc::Layout,
    cell::RefCell,
    fmt,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

const PAGE: u64 = 4096;
/// The tables of a queue end before that.
const WORDS: usize = 1 << 20;

/// See the module.
pub(crate) struct Segment {
    words: Option<Vec<u64>>,
    log: Rc<Log>,
    file: RefCell<BTreeMap<u64, Box<[u8]>>>,
    /// The steps of the log that are reserved.
    reserved: RefCell<BTreeSet<u64>>,
    /// The checker's plain memory, for each piece of the file that is used at once.
    plain: BTreeMap<u64, loom::cell::UnsafeCell<()>>,
}

/// Memory of the log, and a second one for what is written too late.
struct Log([Box<[AtomicU64]>; 2]);

/// See the runtime's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ShmError {
    Foreign(#[allow(dead_code, reason = "as in the runtime")] &'static str),
}

thread_local! {
    static UNUSED: RefCell<Vec<Vec<u64>>> = const { RefCell::new(Vec::new()) };
}

/// What of the file is told to the checker as one: a place in the log, or all that begins at a page of the rest.
const fn piece(place: u64) -> u64 {
    if place < LOG_END { place / 16 * 16 } else { place / PAGE * PAGE }
}

impl Segment {
    /// There is one file.
    #[allow(clippy::unused_self, reason = "as in the runtime")]
    pub(crate) const fn inode(&self) -> u64 {
        0
    }

    #[allow(clippy::unnecessary_wraps, reason = "as in the runtime")]
    #[allow(
        clippy::arc_with_non_send_sync,
        reason = "all threads of a model are coroutines of one"
    )]
    pub(crate) fn create_sparse(_reserved: usize) -> Result<Arc<Self>, ShmError> {
        let words = UNUSED.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; WORDS / 8]);
        let log = || (0..LOG_BYTES / 8).map(|_| AtomicU64::new(u64::MAX)).collect();
        Ok(Arc::new(Self {
            words: Some(words),
            log: Rc::new(Log([log(), log()])),
            file: RefCell::default(),
            reserved: RefCell::default(),
            plain: crate::channel::pieces()
                .map(|at| (piece(at), loom::cell::UnsafeCell::new(())))
                .collect(),
        }))
    }

    fn base(&self) -> usize {
        let words = self.words.as_ref().map_or(0, |words| words.as_ptr().addr());
        words.next_multiple_of(4096)
    }

    pub(crate) fn view(&self, offset: usize, _layout: Layout) -> Option<NonNull<u8>> {
        let words = self.words.as_ref()?.as_ptr().cast::<u8>().cast_mut();
        NonNull::new(words.wrapping_add(self.base() - words.addr() + offset))
    }

    /// Each time another one, since there are processes that share nothing but the segment.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "as in the runtime")]
    pub(crate) fn companion<T>(self: &Arc<Self>, make: impl FnOnce() -> T) -> Option<Arc<T>> {
        Some(Arc::new(make()))
    }

    fn plain(&self, place: u64) -> &loom::cell::UnsafeCell<()> {
        let piece = self.plain.get(&piece(place));
        piece.unwrap_or_else(|| panic!("the file is used at {place:#x}, where nobody expects it"))
    }

    fn address(&self, which: usize, place: u64) -> NonNull<u8> {
        assert!((LOG..LOG_END).contains(&place), "the log grows without need");
        let log = self.log.0[which].as_ptr().cast::<u8>().cast_mut();
        let offset = usize::try_from(place - LOG).expect("the log is short");
        NonNull::new(log.wrapping_add(offset)).expect("it is somewhere")
    }

    /// Where a place in the log is, to be read.
    pub(crate) fn at(&self, place: u64) -> NonNull<u8> {
        let address = self.address(0, place);
        self.plain(place).with(|_| ());
        address
    }

    /// The same, to be written. Who is killed here has written something.
    pub(crate) fn at_to_write(&self, place: u64) -> NonNull<u8> {
        machine::step();
        let late = usize::from(machine::has(Sabotage::LateData));
        let address = self.address(late, place);
        let is_reserved = self.reserved.borrow().contains(&(place / STEP));
        assert!(is_reserved, "the log is written at {place:#x}, where it is not reserved");
        let word = usize::try_from((place - LOG) / 8).expect("the log is short");
        if late == 0 {
            self.plain(place).with_mut(|_| ());
            self.log.0[0][word].store(u64::MAX, Ordering::Relaxed);
            machine::step();
        } else {
            let log = Rc::clone(&self.log);
            points::later("queue: message sent", move || {
                for at in word..(word + 4).min(log.0[0].len()) {
                    log.0[0][at].store(log.0[1][at].load(Ordering::Relaxed), Ordering::Relaxed);
                }
            });
        }
        address
    }

    /// Makes a part writable for certain. The tables always are.
    pub(crate) fn reserve(&self, place: u64, len: u64) {
        machine::step();
        if (LOG..LOG_END).contains(&place) {
            self.reserved.borrow_mut().extend(place / STEP..(place + len).div_ceil(STEP));
        }
    }

    /// Gives a part back.
    pub(crate) fn punch(&self, place: u64, len: u64) {
        machine::step();
        if (LOG..LOG_END).contains(&place) {
            let steps = place / STEP..(place + len) / STEP;
            self.reserved.borrow_mut().retain(|step| !steps.contains(step));
        } else {
            self.plain(place).with_mut(|_| ());
            self.write_pages(place, &vec![0; usize::try_from(len).expect("it is short")]);
            let pages = place.div_ceil(PAGE)..(place + len) / PAGE;
            self.file.borrow_mut().retain(|page, _| !pages.contains(page));
        }
    }

    pub(crate) fn write(&self, place: u64, bytes: &[u8]) {
        machine::step();
        self.plain(place).with_mut(|_| ());
        self.write_pages(place, bytes);
        machine::step();
    }

    fn write_pages(&self, place: u64, bytes: &[u8]) {
        let mut file = self.file.borrow_mut();
        for (at, byte) in (place..).zip(bytes) {
            let page = file.entry(at / PAGE).or_insert_with(|| vec![0; 4096].into());
            page[usize::try_from(at % PAGE).expect("in a page")] = *byte;
        }
    }

    pub(crate) fn read(&self, place: u64, len: usize) -> Vec<u8> {
        self.plain(place).with(|_| ());
        let file = self.file.borrow();
        let byte = |at: u64| {
            let page = file.get(&(at / PAGE));
            page.map_or(0, |page| page[usize::try_from(at % PAGE).expect("in a page")])
        };
        (place..).take(len).map(byte).collect()
    }

    /// How many pages of a part of the file, and how many steps of the log, are there.
    pub(crate) fn pages(&self, part: core::ops::Range<u64>) -> usize {
        self.file.borrow().range(part.start / PAGE..part.end / PAGE).count()
    }

    pub(crate) fn steps(&self) -> usize {
        self.reserved.borrow().len()
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Segment")
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        memory::forget_all(&(self.base()..self.base() + WORDS));
        if let Some(words) = self.words.take() {
            // At the end of the thread nobody uses it again.
            let _ = UNUSED.try_with(|unused| unused.borrow_mut().push(words));
        }
    }
}
