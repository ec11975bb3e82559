//! A block: one value or slice in a segment, and the header in front of it that says what it is.
//!
//! Small blocks lie together in an *arena*, so that many objects need few descriptors and mappings; a large one has a segment to
//! itself. A block is never given back: other processes may hold it, or a message on its way. What goes back is a whole segment,
//! by the kernel, once no process holds a block of it.
#![allow(unsafe_code, reason = "turns a mapping into references")]

use super::{
    ShmError, registry,
    segment::{FIRST, LINE, PAGE, Purpose, Segment},
    transfer,
};
use crate::primitive::{AtomicBool, AtomicU64, Ordering};
use core::{alloc::Layout, ptr::NonNull};
use std::sync::Arc;

/// In front of every block. `tag` is written last: a block whose maker died half-way is none.
#[repr(C, align(32))]
struct Header {
    /// [`TAG`] and the block's offset, so that no other place passes for a block.
    tag: AtomicU64,
    fingerprint: AtomicU64,
    count: AtomicU64,
}

const TAG: u64 = u64::from_le_bytes(*b"psyncB01");
const LEAD: usize = size_of::<Header>();

/// The largest block that is put into an arena.
const SMALL: usize = 32 << 10;
/// Arenas grow with what they hold altogether, so that their number stays small.
const ARENA: core::ops::RangeInclusive<usize> = 64 << 10..=16 << 20;

/// This process's hold on a block; it keeps the segment mapped.
#[derive(Debug)]
pub(crate) struct Block {
    segment: Arc<Segment>,
    offset: usize,
    /// Another process may hold it, or a message on its way.
    sent: AtomicBool,
    /// The count of forks when it was made: a later one has copied this hold.
    forks: u32,
}

impl Block {
    /// Makes a block for `count` values that take up `layout` together. `fill` gets their address, where all bytes are zero.
    pub(super) fn make(
        fingerprint: u64,
        layout: Layout,
        count: usize,
        fill: impl FnOnce(NonNull<u8>),
    ) -> Result<Self, ShmError> {
        let too_large = || ShmError::TooLarge { len: layout.size(), each: 1 };
        let forks = registry::forks();
        let (segment, offset) = place(layout)?;
        fill(segment.view(offset, layout).ok_or_else(too_large)?);
        let block = Self { segment, offset, sent: AtomicBool::new(false), forks };
        let header = header(&block.segment, offset).ok_or_else(too_large)?;
        header.fingerprint.store(fingerprint, Ordering::Relaxed);
        header.count.store(count as u64, Ordering::Relaxed);
        header.tag.store(TAG ^ offset as u64, Ordering::Release);
        Ok(block)
    }

    /// The block at a place that came from another process, and how many values it holds. `None` if there is none with this
    /// fingerprint.
    pub(super) fn find(
        (segment, offset): (u64, u64),
        fingerprint: u64,
    ) -> Result<Option<(Self, usize)>, ShmError> {
        let segment = registry::find(segment).ok_or(ShmError::NotFound { segment })?;
        let Ok(offset) = usize::try_from(offset) else { return Ok(None) };
        let found = header(&segment, offset).filter(|header| {
            header.tag.load(Ordering::Acquire) == TAG ^ offset as u64
                && header.fingerprint.load(Ordering::Relaxed) == fingerprint
        });
        let count =
            found.and_then(|found| usize::try_from(found.count.load(Ordering::Relaxed)).ok());
        let Some(count) = count else { return Ok(None) };
        let block = Self { segment, offset, sent: AtomicBool::new(true), forks: registry::forks() };
        Ok(Some((block, count)))
    }

    /// The address of the value, if so much can be there.
    pub(super) fn value(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.segment.view(self.offset, layout)
    }

    /// Notes that others may hold the block from now on, for good.
    pub(super) fn publish(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }

    /// The block's place on its way into a message: [`find`](Self::find) takes it at the other end.
    pub(super) fn depart(&self) -> (u64, u64) {
        self.publish();
        transfer::record(&self.segment);
        self.place()
    }

    /// The number of the segment and the offset in it.
    pub(super) fn place(&self) -> (u64, u64) {
        (self.segment.id(), self.offset as u64)
    }

    /// Whether no other process can hold this block.
    pub(super) fn is_private(&self) -> bool {
        !self.sent.load(Ordering::Relaxed) && self.forks == registry::forks()
    }
}

/// The header in front of `offset`.
fn header(segment: &Segment, offset: usize) -> Option<&Header> {
    let start = segment.view(offset.checked_sub(LEAD)?, Layout::new::<Header>())?;
    // SAFETY: it lies inside the mapping and is aligned, as just checked; all fields are atomics, of which any bytes are valid.
    Some(unsafe { start.cast::<Header>().as_ref() })
}

/// Finds a place that nobody has used.
fn place(layout: Layout) -> Result<(Arc<Segment>, usize), ShmError> {
    let too_large = || ShmError::TooLarge { len: layout.size(), each: 1 };
    // Whatever does not fit into one cache line with its header begins a line of its own.
    let align = layout.align().max(if layout.size() > LINE - LEAD { LINE } else { LEAD });
    let take = |segment: Arc<Segment>| {
        let offset = segment.take(LEAD, align, layout.size())?;
        Some((segment, offset))
    };
    if layout.size() <= SMALL {
        if let Some(found) = registry::arena().and_then(take) {
            return Ok(found);
        }
        let size = (super::segment::arena_bytes() / 4).clamp(*ARENA.start(), *ARENA.end());
        // If there is no memory for an arena there may be enough for the block.
        if let Ok(segment) = Segment::create(size, Purpose::Arena) {
            registry::set_arena(&segment);
            return take(segment).ok_or_else(too_large);
        }
    }
    let lead = (FIRST + LEAD).checked_next_multiple_of(align).ok_or_else(too_large)?;
    let size = lead.checked_add(layout.size()).ok_or_else(too_large)?;
    let size = size.checked_next_multiple_of(PAGE).ok_or_else(too_large)?;
    take(Segment::create(size, Purpose::Block)?).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn make(size: usize, align: usize) -> Block {
        let layout = Layout::from_size_align(size, align).expect("layout");
        Block::make(7, layout, 1, |_| {}).expect("block")
    }

    #[test]
    fn a_place_that_is_no_block_is_not_found() {
        let block = make(100, 8);
        let (segment, offset) = block.place();
        assert!(Block::find((segment, offset), 7).expect("mapped").is_some());
        assert!(Block::find((segment, offset), 8).expect("mapped").is_none(), "another type");
        for wrong in [0, 1, 32, 64, offset + 32, offset - 32, offset + 1, 1 << 40, u64::MAX] {
            assert!(Block::find((segment, wrong), 7).expect("mapped").is_none(), "{wrong}");
        }
        assert_eq!(
            Block::find((u64::MAX, offset), 7).err(),
            Some(ShmError::NotFound { segment: u64::MAX })
        );
    }

    #[test]
    fn many_objects_need_few_segments() {
        let blocks: Vec<Block> = (0..20_000).map(|_| make(8, 8)).collect();
        let ids: std::collections::BTreeSet<u64> = blocks.iter().map(|b| b.place().0).collect();
        assert!(ids.len() < 30, "{} segments", ids.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Covers `_TestHeap.test_heap`: blocks tile their segments without overlap, and nothing remains of them in the end.
        #[test]
        fn blocks_never_overlap(sizes in prop::collection::vec((0_usize..40_000, 0_u32..=12), 1..60)) {
            let mut blocks = Vec::new();
            for (size, align) in sizes {
                let block = make(size, 1 << align);
                prop_assert_eq!(block.offset % (1 << align), 0);
                prop_assert!(block.offset + size <= block.segment.len());
                blocks.push((block.segment.id(), block.offset - LEAD, block.offset + size, block));
            }
            blocks.sort_by_key(|block| (block.0, block.1));
            for pair in blocks.windows(2) {
                prop_assert!(pair[0].0 != pair[1].0 || pair[0].2 <= pair[1].1);
            }
        }
    }
}
