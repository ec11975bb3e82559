//! The world segment: one mapping, inherited by every process of a program, that knows which processes there are.
#![allow(unsafe_code, reason = "turns a mapping into references")]

mod blocking;
mod identity;
mod needs;
pub(crate) mod read_locks;
mod site;
mod slot;
mod spill;
mod standstill;
mod statics;
mod table;
mod waits;
mod watch;

pub(crate) use blocking::{Blocking, Circle, Slept, Whom, guarded_by};
pub(crate) use identity::{Identity, Me, become_process, known_bits, me};
pub(crate) use needs::{Holders, NAMES};
pub(crate) use site::{Operation, Site};
pub(crate) use slot::{Method, Outcome, Phase, Slot, State, Status};
pub(crate) use spill::{Note, SpillEntry};
pub(crate) use statics::{NoPlace, ROOM as STATICS_ROOM, offset_in_statics};
pub(crate) use waits::{Seen, become_main_thread};
pub(crate) use watch::{Wake, Watch};

use crate::{
    primitive::{AtomicI32, AtomicU32, AtomicU64, Ordering},
    sys::{OsError, fork_lock::ForkLock, futex, memory},
};
use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::OnceLock,
};

/// How many processes of one program can live at once.
pub(crate) const SLOTS: usize = 4096;
/// How large an outcome may be to fit beside its slot.
pub(crate) const PAGE: usize = 4096;

/// How many waiting children the world knows by their pids.
const IDLE: usize = 32;

/// The fields that all processes share; every one is an atomic (UNSAFE.md, W2).
#[repr(C, align(4096))]
pub(crate) struct World {
    magic: AtomicU64,
    /// Fingerprint of the executable image, so that no foreign program ever interprets our function offsets.
    image: AtomicU64,
    root: AtomicI32,
    /// One more than the highest slot ever used: where scans may stop.
    high: AtomicU32,
    /// Where the next search for a free slot begins.
    hint: AtomicU32,
    segments: AtomicU64,
    /// How many ready children have ended before they claimed a start.
    lost: AtomicU32,
    /// How many primitives have been numbered.
    keys: AtomicU32,
    /// One more than the highest spill entry ever used.
    spill_high: AtomicU32,
    /// Children that wait for a start, 0 where there is none: they have no slot, and whom they come to as orphans must reap them.
    idle: [AtomicI32; IDLE],
    epoch: Epoch,
    slots: [Slot; SLOTS],
    spill: [SpillEntry; spill::ENTRIES],
    usage: waits::Usage,
    records: waits::Records,
    pages: [Page; SLOTS],
    statics: statics::Statics,
}

/// The death epoch has a cache line of its own: everybody who sleeps reads it.
#[repr(C, align(128))]
struct Epoch(AtomicU32);

/// The place of a small outcome. Written by the process of the slot before its outcome is committed (W3).
#[repr(C, align(4096))]
pub(crate) struct Page(core::cell::UnsafeCell<[u8; PAGE]>);

// SAFETY: a page is written only by the one process that its slot belongs to, and read after that process's commit (W3).
unsafe impl Sync for Page {}

const MAGIC: u64 = u64::from_le_bytes(*b"psyncW01");

struct Mapped {
    world: &'static World,
    file: OwnedFd,
}

static WORLD: OnceLock<Mapped> = OnceLock::new();

/// The world of this program, which is made if this is the program's first use of it.
pub(crate) fn world() -> Result<&'static World, OsError> {
    static MAKING: ForkLock = ForkLock::new();
    if let Some(mapped) = WORLD.get() {
        return Ok(mapped.world);
    }
    let _making = MAKING.lock();
    if let Some(mapped) = WORLD.get() {
        return Ok(mapped.world);
    }
    let mapped = create()?;
    let world = mapped.world;
    let _ = WORLD.set(mapped);
    Ok(world)
}

/// The world of this program, if anything has needed it yet.
#[inline]
pub(crate) fn existing() -> Option<&'static World> {
    WORLD.get().map(|mapped| mapped.world)
}

/// The descriptor of the world segment, for handing it to a process that is about to be started.
pub(crate) fn descriptor() -> Option<BorrowedFd<'static>> {
    WORLD.get().map(|mapped| mapped.file.as_fd())
}

/// Takes over the world that whoever started this process has passed on. Fails if it is of another executable.
pub(crate) fn adopt(file: OwnedFd) -> Result<&'static World, OsError> {
    let mapped = attach(file)?;
    let world = mapped.world;
    let foreign = world.magic.load(Ordering::Acquire) != MAGIC
        || world.image.load(Ordering::Relaxed) != crate::sys::image::fingerprint();
    if foreign || WORLD.set(mapped).is_err() {
        return Err(OsError::new("exec", nix::errno::Errno::ENOEXEC));
    }
    Ok(world)
}

/// How many deaths have been announced.
#[inline]
pub(crate) fn deaths() -> u32 {
    existing().map_or(0, |world| world.epoch.0.load(Ordering::Acquire))
}

fn create() -> Result<Mapped, OsError> {
    let file = memory::anonymous_file("psync-world")?;
    memory::set_size(&file, size_of::<World>() as u64)?;
    memory::seal_size(&file)?;
    memory::reserve(&file, 0, core::mem::offset_of!(World, records) as u64)?;
    let mapped = attach(file)?;
    let world = mapped.world;
    world.image.store(crate::sys::image::fingerprint(), Ordering::Relaxed);
    world.segments.store(1, Ordering::Relaxed);
    world.root.store(nix::unistd::getpid().as_raw(), Ordering::Relaxed);
    world.magic.store(MAGIC, Ordering::Release);
    identity::register_root(world);
    Ok(mapped)
}

fn attach(file: OwnedFd) -> Result<Mapped, OsError> {
    let mapping = core::mem::ManuallyDrop::new(memory::map(&file, 0, size_of::<World>())?);
    #[allow(
        clippy::cast_ptr_alignment,
        reason = "a mapping is aligned to pages, and so is `World`"
    )]
    // SAFETY: the mapping is page-aligned, as long as `World`, never unmapped (W1), and all-zero bytes are a valid
    // `World`, whose fields are atomics (W2).
    let world = unsafe { &*mapping.as_ptr().cast::<World>() };
    Ok(Mapped { world, file })
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("World").field("root", &self.root()).finish_non_exhaustive()
    }
}

impl World {
    /// An id for a new segment, never used before in this program.
    pub(crate) fn next_segment(&self) -> u64 {
        self.segments.fetch_add(1, Ordering::Relaxed)
    }

    /// The pid of the process that the user started.
    pub(crate) fn root(&self) -> i32 {
        self.root.load(Ordering::Relaxed)
    }

    /// Wakes every blocked operation of the program, so that each looks again at whom it depends on.
    pub(crate) fn announce_death(&self) {
        self.epoch.0.fetch_add(1, Ordering::Release);
        futex::wake_all(&self.epoch.0);
    }

    /// How many deaths were announced.
    pub(crate) fn deaths(&self) -> u32 {
        self.epoch.0.load(Ordering::Acquire)
    }

    /// A ready child has ended: a message that it had taken is lost.
    pub(crate) fn announce_lost_child(&self) {
        self.lost.fetch_add(1, Ordering::Release);
        self.announce_death();
    }

    /// Notes a child that waits for a start. If there is no room for it, it may stay a zombie when its supervisor is killed in a
    /// container's first process.
    pub(crate) fn note_idle(&self, pid: i32) {
        if self.idle().all(|known| known != pid) {
            self.exchange_idle(0, pid);
        }
    }

    /// The child waits no longer.
    pub(crate) fn forget_idle(&self, pid: i32) {
        // Both who noted it may have done so at once.
        self.exchange_idle(pid, 0);
        self.exchange_idle(pid, 0);
    }

    fn exchange_idle(&self, old: i32, new: i32) {
        let exchange = |cell: &&AtomicI32| {
            cell.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        let _ = self.idle.iter().find(exchange);
    }

    /// The children that wait for a start.
    pub(crate) fn idle(&self) -> impl Iterator<Item = i32> {
        self.idle.iter().map(|cell| cell.load(Ordering::Relaxed)).filter(|&pid| pid != 0)
    }

    /// How many there have been: if this changes while a start is unclaimed, its message may be lost.
    pub(crate) fn lost_children(&self) -> u32 {
        self.lost.load(Ordering::Acquire)
    }

    /// Reserves the memory of a slot's page. The pages of slots that are never used cost nothing.
    pub(crate) fn reserve_page(&self, id: Identity) -> Result<(), OsError> {
        let reserved = self.slot(id).reserved();
        let Some(file) = descriptor().filter(|_| reserved.load(Ordering::Acquire) == 0) else {
            return Ok(());
        };
        let start = core::mem::offset_of!(World, pages) + id.slot() * PAGE;
        memory::reserve(file, start as u64, PAGE as u64)?;
        reserved.store(1, Ordering::Release);
        Ok(())
    }

    /// The page of a slot.
    pub(crate) fn page(&self, id: Identity) -> *mut [u8; PAGE] {
        self.pages[id.slot()].0.get()
    }
}
