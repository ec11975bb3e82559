//! Which process has which of a few places.

use crate::{
    primitive::{AtomicU32, Ordering},
    shm::world::Identity,
};

/// Whose `N` places are. Written only with the lock of the primitive that they belong to; whoever finds its own process there without it may rely on it, if places are
/// taken away only from dead ones.
#[repr(transparent)]
#[derive(Debug)]
pub(super) struct Owners<const N: usize>([AtomicU32; N]);

/// As no process has these bits, they stand for those that have no identity: 0 is for a place that is nobody's.
const NAMELESS: u32 = 1;

const fn key(id: Identity) -> u32 {
    if id.bits() == Identity::NOBODY.bits() { NAMELESS } else { id.bits() }
}

const fn identity(key: u32) -> Identity {
    if key == NAMELESS { Identity::NOBODY } else { Identity::from_bits(key) }
}

impl<const N: usize> Owners<N> {
    pub(super) const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; N])
    }

    /// The place of a process. What was done with it before it was this one's is behind the caller.
    #[inline]
    pub(super) fn find(&self, id: Identity) -> Option<usize> {
        self.0.iter().position(|owner| owner.load(Ordering::Acquire) == key(id))
    }

    /// A place that is nobody's.
    pub(super) fn vacant(&self) -> Option<usize> {
        self.0.iter().position(|owner| owner.load(Ordering::Relaxed) == 0)
    }

    /// Whose the place is; nobody's, too, if it is that of those without identity.
    pub(super) fn get(&self, place: usize) -> Identity {
        identity(self.0[place].load(Ordering::Relaxed))
    }

    /// The place becomes that of the process, after all that the caller has done with it.
    pub(super) fn set(&self, place: usize, id: Identity) {
        self.0[place].store(key(id), Ordering::Release);
    }
}
