//! Which of two buffers is the current one.

use crate::{
    primitive::{AtomicU32, Ordering, fence},
    sys::fault,
};

/// A counter of commits whose parity names the current of two buffers.
///
/// A writer, of whom there is one at a time, fills the other buffer and then commits by one store. Killed before the store, it
/// has changed nothing that anybody reads; killed after, everything.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Versions(AtomicU32);

impl Versions {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Copies the current buffer with `read(index)`, as often as a writer gets in its way.
    ///
    /// What `read` returns may be torn; only a copy that is whole is returned.
    #[inline]
    pub(crate) fn read<R>(&self, mut read: impl FnMut(usize) -> R) -> R {
        loop {
            let before = self.0.load(Ordering::Acquire);
            let copy = read((before & 1) as usize);
            fault::point("versions: copied");
            // Pairs with the fence in `begin`: whoever has read from a later write sees the commit before it.
            fence(Ordering::Acquire);
            if self.0.load(Ordering::Relaxed) == before {
                return copy;
            }
        }
    }

    /// Begins a write: the index of the buffer to fill. Only for the one writer.
    #[inline]
    pub(crate) fn begin(&self) -> usize {
        let now = self.0.load(Ordering::Relaxed);
        fence(Ordering::Release);
        fault::point("versions: begun");
        ((now & 1) ^ 1) as usize
    }

    /// Makes what was filled since [`begin`](Self::begin) current.
    #[inline]
    pub(crate) fn commit(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
        fault::point("versions: committed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_goes_to_the_buffer_that_is_not_read() {
        let versions = Versions::new();
        assert_eq!(versions.read(|index| index), 0);
        assert_eq!(versions.begin(), 1);
        assert_eq!(versions.read(|index| index), 0);
        versions.commit();
        assert_eq!(versions.read(|index| index), 1);
        assert_eq!(versions.begin(), 0);
    }

    #[test]
    fn a_read_that_a_commit_overtook_is_repeated() {
        let versions = Versions::new();
        let mut reads = 0;
        let index = versions.read(|index| {
            reads += 1;
            if reads == 1 {
                versions.commit();
            }
            index
        });
        assert_eq!((index, reads), (1, 2));
    }
}
