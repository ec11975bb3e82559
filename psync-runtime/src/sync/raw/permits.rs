//! The word of a semaphore: how many permits are free, and how many each of a few processes has.

/// How many processes have a place in the word.
pub(super) const PLACES: usize = 12;
/// How many permits of one process the word can tell.
const MOST_HELD: u64 = 15;
/// How many free permits it can tell.
pub(super) const MOST_FREE: u32 = (1 << 15) - 1;

const PLACE_BITS: usize = 4;
const FREE_SHIFT: usize = PLACES * PLACE_BITS;
const ONE_FREE: u64 = 1 << FREE_SHIFT;
const WAITERS: u64 = 1 << 63;

/// What the word says at one moment.
///
/// waiters (1) · free (15) · held by the processes of places 11 to 0 (4 each)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permits(pub(super) u64);

impl Permits {
    /// So many are free, or as many as the word can tell.
    pub(super) const fn new(free: u32) -> Self {
        let free = if free < MOST_FREE { free } else { MOST_FREE };
        Self(free as u64 * ONE_FREE)
    }

    #[allow(clippy::cast_possible_truncation, reason = "15 bits")]
    #[inline]
    pub(super) const fn free(self) -> u32 {
        (self.0 >> FREE_SHIFT) as u32 & MOST_FREE
    }

    /// Whether somebody may sleep until one is free.
    #[inline]
    pub(super) const fn are_awaited(self) -> bool {
        self.0 & WAITERS != 0
    }

    #[inline]
    const fn count(self, place: usize) -> u64 {
        self.0 >> (place * PLACE_BITS) & MOST_HELD
    }

    #[inline]
    const fn one(place: usize) -> u64 {
        1 << (place * PLACE_BITS)
    }

    /// How many the process of `place` has.
    #[allow(clippy::cast_possible_truncation, reason = "4 bits")]
    pub(super) const fn held(self, place: usize) -> u32 {
        self.count(place) as u32
    }

    /// How many all processes with a place have.
    pub(super) fn held_by_all(self) -> u32 {
        (0..PLACES).map(|place| self.held(place)).sum()
    }

    /// A free one becomes that of the process of `place`. `None` if none is free, or the process has as many as the word can tell.
    #[inline]
    pub(super) const fn take(self, place: usize) -> Option<Self> {
        if self.free() == 0 || self.count(place) == MOST_HELD {
            return None;
        }
        Some(Self(self.0 - ONE_FREE + Self::one(place)))
    }

    /// One that the process of `place` has becomes free. `None` if it has none, or `limit` are free.
    #[inline]
    pub(super) const fn give_back(self, place: usize, limit: u32) -> Option<Self> {
        if self.count(place) == 0 || self.free() >= limit {
            return None;
        }
        Some(Self(self.0 + ONE_FREE - Self::one(place)))
    }

    /// One that the process of `place` has leaves the word, if it has one.
    pub(super) const fn lose(self, place: usize) -> Option<Self> {
        if self.count(place) == 0 { None } else { Some(Self(self.0 - Self::one(place))) }
    }

    /// All that the process of `place` has leave the word.
    pub(super) const fn without(self, place: usize) -> Self {
        Self(self.0 & !(MOST_HELD << (place * PLACE_BITS)))
    }

    /// A free one leaves the word, if there is one.
    pub(super) const fn spend(self) -> Option<Self> {
        if self.free() == 0 { None } else { Some(Self(self.0 - ONE_FREE)) }
    }

    /// So many more are free; no more than the word can tell.
    pub(super) const fn more(self, free: u32) -> Self {
        Self(self.0 + free as u64 * ONE_FREE)
    }

    pub(super) const fn awaited(self) -> Self {
        Self(self.0 | WAITERS)
    }

    pub(super) const fn not_awaited(self) -> Self {
        Self(self.0 & !WAITERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_counts_for_itself() {
        let mut permits = Permits::new(u32::MAX).awaited();
        for place in 0..PLACES {
            for held in 1..=15 {
                permits = permits.take(place).expect("room");
                assert_eq!(permits.held(place), held);
            }
            assert_eq!(permits.take(place), None);
        }
        assert_eq!(permits.held_by_all() + permits.free(), MOST_FREE);
        for place in 0..PLACES {
            permits = permits.give_back(place, MOST_FREE).expect("it has some");
            assert_eq!(permits.without(place).held(place), 0);
            assert_eq!(permits.lose(place).map(|lost| lost.held(place)), Some(13));
        }
        assert_eq!(permits.held_by_all() + permits.free(), MOST_FREE);
        assert!(permits.are_awaited() && !permits.not_awaited().are_awaited());
    }

    #[test]
    fn the_ends_of_the_counts_are_not_passed() {
        let none = Permits::new(0);
        assert_eq!((none.take(3), none.spend(), none.lose(3)), (None, None, None));
        assert_eq!(none.give_back(3, 1), None);
        let one = Permits::new(2).take(3).expect("free");
        assert_eq!(one.give_back(3, 1), None);
        assert_eq!(one.give_back(3, 2), Some(Permits::new(2)));
        assert_eq!(Permits::new(0).more(MOST_FREE), Permits::new(MOST_FREE));
    }
}
