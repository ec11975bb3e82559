//! A segment: one anonymous file, mapped, from which blocks are taken one after the other and never given back.
//!
//! | offset | content |
//! |---|---|
//! | 0 | [`Header`]; `magic` is written last |
//! | 64 | blocks, each with its own header in front (see `block`) |
#![allow(unsafe_code, reason = "turns a mapping into references")]

use super::{ShmError, registry, world};
use crate::{
    primitive::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    sys::{OsError, fork_lock::ForkCell, memory, thread},
};
use core::{alloc::Layout, any::Any, fmt, mem::ManuallyDrop, ptr::NonNull};
use memmap2::MmapRaw;
use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Arc, Weak},
};

/// What every segment begins with. All fields are atomics, and only `used` changes after `magic` was written.
#[repr(C, align(64))]
struct Header {
    magic: AtomicU64,
    id: AtomicU64,
    size: AtomicU64,
    /// Fingerprint of the executable, whose types the blocks hold.
    image: AtomicU64,
    /// Where the next block begins. In the segment itself, since after a raw fork two processes take blocks from it.
    used: AtomicU64,
}

const MAGIC: u64 = u64::from_le_bytes(*b"psyncS01");
/// Where the first block begins.
pub(super) const FIRST: usize = size_of::<Header>();
pub(super) const PAGE: usize = 4096;

/// A segment as this process maps it. Dropping it unmaps and closes it; the kernel frees the memory with its last mapping.
pub(crate) struct Segment {
    /// Unmapped by `drop`.
    map: ManuallyDrop<MmapRaw>,
    file: OwnedFd,
    id: u64,
    /// Device and number of the file, which tell it from another program's with the same id.
    inode: Inode,
    purpose: Purpose,
    pinned: AtomicBool,
    /// What a layer above keeps once per process for a segment.
    companion: ForkCell<Option<Companion>>,
}

type Companion = Weak<dyn Any + Send + Sync>;

pub(crate) type Inode = (u64, u64);

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// One block.
    Block,
    /// Many small blocks.
    Arena,
    /// The head of a sparse file, of which others map and reserve what they need.
    Sparse,
}

/// The size of a sparse file. No other segment is as large.
const SPARSE: u64 = 1 << 56;
/// How much of a sparse file every process maps.
pub(crate) const SPARSE_HEAD: usize = 1 << 20;

/// The size of all arenas that this process has made and still maps.
static ARENAS: AtomicUsize = AtomicUsize::new(0);

/// The size of all arenas that this process has made and still maps.
pub(super) fn arena_bytes() -> usize {
    ARENAS.load(Ordering::Relaxed)
}

impl Segment {
    /// Makes a segment of at least `size` bytes, all of them reserved.
    pub(crate) fn create(size: usize, purpose: Purpose) -> Result<Arc<Self>, ShmError> {
        let too_large = || ShmError::TooLarge { len: size, each: 1 };
        let size = size.checked_next_multiple_of(PAGE).ok_or_else(too_large)?;
        if size == 0 || size as u64 > machine_memory() {
            return Err(too_large());
        }
        let id = world::world()?.next_segment();
        let file = memory::anonymous_file("psync")?;
        memory::set_size(&file, size as u64)?;
        memory::seal_size(&file)?;
        // Mapping first: it is what limits of the address space refuse, and costs nothing to undo.
        let map = memory::map(&file, 0, size)?;
        memory::reserve(&file, 0, size as u64)?;
        Self::new(map, file, id, purpose)?.describe(size as u64)
    }

    /// Makes a segment of which the first `reserved` bytes are reserved, and the first [`SPARSE_HEAD`] mapped; the file goes on far
    /// beyond that.
    pub(crate) fn create_sparse(reserved: usize) -> Result<Arc<Self>, ShmError> {
        let id = world::world()?.next_segment();
        let file = memory::anonymous_file("psync")?;
        memory::set_size(&file, SPARSE)?;
        memory::seal_size(&file)?;
        let map = memory::map(&file, 0, SPARSE_HEAD)?;
        memory::reserve(&file, 0, reserved as u64)?;
        Self::new(map, file, id, Purpose::Sparse)?.describe(SPARSE)
    }

    /// Writes the header of a new segment, and enters it.
    fn describe(self, size: u64) -> Result<Arc<Self>, ShmError> {
        let header = self.header();
        header.id.store(self.id, Ordering::Relaxed);
        header.size.store(size, Ordering::Relaxed);
        header.image.store(crate::sys::image::fingerprint(), Ordering::Relaxed);
        header.used.store(FIRST as u64, Ordering::Relaxed);
        header.magic.store(MAGIC, Ordering::Release);
        registry::adopt(self)
    }

    /// Maps the segment behind a descriptor that was received, or finds it if this process has it already.
    pub(crate) fn attach(file: OwnedFd) -> Result<Arc<Self>, ShmError> {
        let stat = OsError::wrap("fstat", nix::sys::stat::fstat(&file))?;
        let size = usize::try_from(stat.st_size).unwrap_or(0);
        if size < PAGE || !size.is_multiple_of(PAGE) || !memory::is_sealed(&file) {
            return Err(ShmError::Foreign("its size is not fixed"));
        }
        if let Some(known) = registry::by_inode((stat.st_dev, stat.st_ino)) {
            return Ok(known);
        }
        let purpose = if size as u64 == SPARSE { Purpose::Sparse } else { Purpose::Block };
        let mapped = if purpose == Purpose::Sparse { SPARSE_HEAD } else { size };
        let map = memory::map(&file, 0, mapped)?;
        let mut segment = Self::new(map, file, 0, purpose)?;
        let header = segment.header();
        if header.magic.load(Ordering::Acquire) != MAGIC {
            return Err(ShmError::Foreign("it does not begin as a segment does"));
        }
        if header.image.load(Ordering::Relaxed) != crate::sys::image::fingerprint() {
            return Err(ShmError::Foreign("it was made by another executable"));
        }
        if header.size.load(Ordering::Relaxed) != size as u64 {
            return Err(ShmError::Foreign("it is not as long as it says"));
        }
        segment.id = header.id.load(Ordering::Relaxed);
        registry::adopt(segment)
    }

    fn new(map: MmapRaw, file: OwnedFd, id: u64, purpose: Purpose) -> Result<Self, OsError> {
        let stat = OsError::wrap("fstat", nix::sys::stat::fstat(&file))?;
        let inode = (stat.st_dev, stat.st_ino);
        if purpose == Purpose::Arena {
            ARENAS.fetch_add(map.len(), Ordering::Relaxed);
        }
        Ok(Self {
            map: ManuallyDrop::new(map),
            file,
            id,
            inode,
            purpose,
            pinned: AtomicBool::new(false),
            companion: ForkCell::new(None),
        })
    }

    #[allow(clippy::cast_ptr_alignment, reason = "mappings begin with a page")]
    fn header(&self) -> &Header {
        // SAFETY: the mapping is page-aligned and at least a page long; the header is all atomics, of which any bytes are valid.
        unsafe { &*self.map.as_ptr().cast::<Header>() }
    }

    /// The segment's number, the same in every process of the program.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// Device and number of the file.
    pub(crate) const fn inode(&self) -> Inode {
        self.inode
    }

    /// The length of the mapping in bytes.
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// The address of what lies at `offset`, if it is aligned and between the header and the end.
    pub(crate) fn view(&self, offset: usize, layout: Layout) -> Option<NonNull<u8>> {
        let end = offset.checked_add(layout.size())?;
        let inside = offset >= FIRST && end <= self.len();
        // The mapping itself begins with a page.
        if !inside || layout.align() > PAGE || !offset.is_multiple_of(layout.align()) {
            return None;
        }
        // SAFETY: at most one past the end of the mapping.
        NonNull::new(unsafe { self.map.as_mut_ptr().add(offset) })
    }

    /// The first address of the mapping.
    pub(super) fn base(&self) -> usize {
        self.map.as_ptr().addr()
    }

    /// Takes `size` bytes, `lead` of them in front of a multiple of `align`; the offset of that multiple. `None` if the rest
    /// is too short. What is taken has never been used and reads as zeros.
    pub(super) fn take(&self, lead: usize, align: usize, size: usize) -> Option<usize> {
        let mut taken = None;
        let advance = |used: u64| {
            let payload =
                usize::try_from(used).ok()?.checked_add(lead)?.checked_next_multiple_of(align)?;
            let end = payload.checked_add(size)?.checked_next_multiple_of(LINE)?;
            taken = Some(payload);
            (end <= self.len()).then_some(end as u64)
        };
        let used = &self.header().used;
        let result = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance);
        result.ok().and(taken)
    }

    /// What this process keeps for the segment, made by `make` if it keeps nothing yet or no more.
    pub(crate) fn companion<T: Send + Sync + 'static>(
        &self,
        make: impl FnOnce() -> T,
    ) -> Option<Arc<T>> {
        self.companion.with(|companion| {
            if let Some(kept) = companion.as_ref().and_then(Weak::upgrade) {
                return kept.downcast().ok();
            }
            let made = Arc::new(make());
            let weak: Weak<T> = Arc::downgrade(&made);
            *companion = Some(weak);
            Some(made)
        })
    }

    /// Keeps the segment mapped for as long as the process runs. Costs something only the first time.
    pub(crate) fn pin(self: &Arc<Self>) {
        if !self.pinned.swap(true, Ordering::Relaxed) {
            core::mem::forget(Arc::clone(self));
        }
    }
}

/// Blocks do not share cache lines.
pub(super) const LINE: usize = 64;

impl AsFd for Segment {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({}, {} bytes)", self.id, self.len())
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        registry::forget(self);
        if self.purpose == Purpose::Arena {
            ARENAS.fetch_sub(self.len(), Ordering::Relaxed);
        }
        // The kernel and this thread's next lock follow the list into it.
        if !thread::holds_any_of(&(self.base()..self.base() + self.len())) {
            // SAFETY: dropped here and nowhere else, and not used again.
            unsafe { ManuallyDrop::drop(&mut self.map) };
        }
    }
}

/// All memory and swap there is. Reserving more would have the kernel look for victims instead of refusing.
fn machine_memory() -> u64 {
    let info = nix::sys::sysinfo::sysinfo();
    info.map_or(u64::MAX, |info| info.ram_total().saturating_add(info.swap_total()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(segment: &Segment) -> OwnedFd {
        segment.as_fd().try_clone_to_owned().expect("descriptor")
    }

    #[test]
    fn a_size_of_zero_and_an_absurd_one_are_errors() {
        assert!(matches!(Segment::create(0, Purpose::Block), Err(ShmError::TooLarge { .. })));
        assert!(matches!(
            Segment::create(usize::MAX, Purpose::Block),
            Err(ShmError::TooLarge { .. })
        ));
        assert!(matches!(Segment::create(1 << 50, Purpose::Block), Err(ShmError::TooLarge { .. })));
    }

    #[test]
    fn receiving_a_segment_twice_gives_one_mapping() {
        let segment = Segment::create(1, Purpose::Block).expect("segment");
        let known = Segment::attach(again(&segment)).expect("known");
        assert!(Arc::ptr_eq(&segment, &known));
        let (file, id) = (again(&segment), segment.id());
        drop((segment, known));
        assert!(registry::find(id).is_none());
        let back = Segment::attach(file).expect("attach");
        assert_eq!(back.id(), id);
        assert_eq!(back.len(), PAGE);
    }

    #[test]
    fn what_is_not_a_segment_is_refused() {
        let file = memory::anonymous_file("other").expect("file");
        memory::set_size(&file, PAGE as u64).expect("size");
        let open = file.try_clone().expect("descriptor");
        assert!(matches!(Segment::attach(open), Err(ShmError::Foreign(_))), "not sealed");
        memory::seal_size(&file).expect("seal");
        assert!(matches!(Segment::attach(file), Err(ShmError::Foreign(_))), "no magic");
        let null = std::fs::File::open("/dev/null").expect("null");
        assert!(Segment::attach(null.into()).is_err());
    }

    #[test]
    fn pieces_do_not_overlap_and_end_with_the_segment() {
        let segment = Segment::create(PAGE, Purpose::Block).expect("segment");
        let mut last = FIRST;
        while let Some(offset) = segment.take(32, 32, 8) {
            assert!(offset >= last + 32);
            assert!(offset + 8 <= PAGE);
            last = offset + 8;
        }
        assert_eq!(segment.take(32, 32, usize::MAX - 7), None);
        assert!(last > PAGE - 64);
    }
}
