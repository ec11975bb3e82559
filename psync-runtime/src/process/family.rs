//! What a process needs to start others: its lifeline, its inbox, and its store.

use crate::{
    primitive::{AtomicPtr, Ordering},
    shm::world::{Identity, SLOTS, existing, me},
    sys::{OsError, fork_lock::ForkLock, lifeline::Lifeline, memory, socket, standard, thread},
};
use memmap2::MmapRaw;
use nix::fcntl::OFlag;
use std::{
    collections::HashMap,
    fs::File,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// One per process, made at its first start and kept as long as it lives; a forked child makes its own.
#[derive(Debug)]
pub(crate) struct Family {
    lifeline: Lifeline,
    /// Where children leave the descriptors of handles in their results: reading end, writing end.
    inbox: (OwnedFd, OwnedFd),
    store: OwnedFd,
    /// This process's `/proc/self/status`.
    status: File,
    /// What has been taken out of the inbox for results that nobody has asked for yet.
    stash: Mutex<HashMap<Identity, Vec<OwnedFd>>>,
}

static FAMILY: AtomicPtr<Family> = AtomicPtr::new(core::ptr::null_mut());

/// This process's family, if it has started anything yet.
#[allow(unsafe_code, reason = "the pointer is to a value that is never freed")]
pub(crate) fn existing_family() -> Option<&'static Family> {
    // SAFETY: `FAMILY` is null or came from `Box::leak`.
    unsafe { FAMILY.load(Ordering::Acquire).as_ref() }
}

/// This process's family.
pub(crate) fn family() -> Result<&'static Family, OsError> {
    static MAKING: ForkLock = ForkLock::new();
    static ONCE: std::sync::Once = std::sync::Once::new();
    if let Some(family) = existing_family() {
        return Ok(family);
    }
    let _making = MAKING.lock();
    if let Some(family) = existing_family() {
        return Ok(family);
    }
    let family: &'static Family = Box::leak(Box::new(Family::new()?));
    ONCE.call_once(|| thread::at_fork(leave));
    FAMILY.store(core::ptr::from_ref(family).cast_mut(), Ordering::Release);
    Ok(family)
}

/// In a forked child: the lifeline is the parent's, and nobody but the parent may keep it whole.
fn leave() {
    if let Some(family) = existing_family() {
        FAMILY.store(core::ptr::null_mut(), Ordering::Release);
        #[allow(unsafe_code, reason = "nothing but async-signal-safe calls are allowed here")]
        // SAFETY: the descriptor's owner was leaked and is out of reach from here on, so nobody closes it a second time.
        unsafe {
            nix::libc::close(family.lifeline.writer());
        }
    }
}

fn open_status() -> Result<File, OsError> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let file = nix::fcntl::open("/proc/self/status", flags, nix::sys::stat::Mode::empty());
    Ok(standard::beyond(OsError::wrap("open(/proc/self/status)", file)?)?.into())
}

/// Each slot's part of a store: a terabyte for the arguments, another for the outcome.
const PART: u64 = 1 << 40;

impl Family {
    fn new() -> Result<Self, OsError> {
        let store = memory::anonymous_file("psync-store")?;
        memory::set_size(&store, SLOTS as u64 * 2 * PART)?;
        Ok(Self {
            lifeline: Lifeline::new()?,
            inbox: socket::stream_pair()?,
            store,
            status: open_status()?,
            stash: Mutex::default(),
        })
    }

    /// What every child gets: the lifeline's reading end, the inbox's writing end, the store.
    pub(crate) fn descriptors(&self) -> [BorrowedFd<'_>; 3] {
        [self.lifeline.reader(), self.inbox.1.as_fd(), self.store.as_fd()]
    }

    /// See [`current_umask`](super::surroundings::current_umask).
    pub(crate) fn status(&self) -> &File {
        &self.status
    }

    pub(crate) fn store(&self) -> BorrowedFd<'_> {
        self.store.as_fd()
    }

    /// What the inbox holds for `id`.
    pub(crate) fn collect(&self, id: Identity) -> Vec<OwnedFd> {
        self.empty_inbox().remove(&id).unwrap_or_default()
    }

    /// Empties the inbox, so that no child waits for room in it.
    pub(crate) fn empty_inbox(&self) -> MutexGuard<'_, HashMap<Identity, Vec<OwnedFd>>> {
        let mut stash = lock(&self.stash);
        let mut bytes = [0; 4];
        while let Ok(Some(received)) = socket::try_receive(&self.inbox.0, &mut bytes) {
            stash
                .entry(Identity::from_bits(u32::from_ne_bytes(bytes)))
                .or_default()
                .extend(received.descriptors);
        }
        // What came from children that nobody waits for any more.
        if let Some(world) = existing() {
            stash.retain(|owner, _| world.slot(*owner).state().generation() == owner.generation());
        }
        stash
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends descriptors to a starter's inbox, under the name of this process.
pub(crate) fn deliver(inbox: impl AsFd, descriptors: &[BorrowedFd<'_>]) -> Result<(), OsError> {
    let own = me().id.bits().to_ne_bytes();
    descriptors
        .chunks(socket::MAX_DESCRIPTORS)
        .try_for_each(|part| socket::send(&inbox, &[&own], part))
}

/// A part of a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region(u64);

impl Region {
    /// Where a process finds its arguments, if they are large.
    pub(crate) const fn arguments(id: Identity) -> Self {
        Self(id.slot() as u64 * 2 * PART)
    }

    /// Where a process leaves its outcome, if it is large.
    pub(crate) const fn outcome(id: Identity) -> Self {
        Self((id.slot() as u64 * 2 + 1) * PART)
    }

    /// Makes `len` bytes at `start` writable: reserved and mapped.
    pub(crate) fn window(
        self,
        store: impl AsFd,
        start: u64,
        len: usize,
    ) -> Result<MmapRaw, OsError> {
        memory::reserve(&store, self.0 + start, len as u64)?;
        memory::map(&store, self.0 + start, len)
    }

    /// Maps the first `len` bytes for reading.
    pub(crate) fn map(self, store: impl AsFd, len: usize) -> Result<MmapRaw, OsError> {
        memory::map(store, self.0, len)
    }

    /// Gives the memory of the first `len` bytes back.
    pub(crate) fn clear(self, store: impl AsFd, len: u64) {
        // Nothing can be done about a failure, and the next user overwrites what is there.
        let _ = memory::punch(store, self.0, len);
    }
}
