//! Which processes are inside a primitive at this moment.

use super::{
    death,
    owners::Owners,
    roster::{Full, Roster},
};
use crate::{
    primitive::{AtomicI32, AtomicU32, Ordering},
    shm::world::{Identity, Me},
    sys::fault,
};

/// How many processes have a cache line of their own here.
const PLACES: usize = 8;

/// How many threads of each process are inside.
///
/// They come in with the lock of the primitive, and leave without. A process writes to a line that no other one writes to, and that others look at only when
/// somebody has died. Processes for which there is no line left stand in a roster.
///
/// | `inside` of a place | meaning | left by |
/// |---|---|---|
/// | 0 | none of its process's threads is inside | one that comes in (1); whoever comes in after the process has died (takes the place, 1) |
/// | n | n of them are | one that comes in or leaves; if the process is dead, whoever dismisses it (0) |
#[repr(C, align(64))]
#[derive(Debug)]
pub(super) struct Presence {
    owners: Owners<PLACES>,
    places: [Place; PLACES],
    rest: Roster,
}

#[repr(C, align(64))]
#[derive(Debug)]
struct Place {
    inside: AtomicU32,
    pid: AtomicI32,
}

/// A process with threads inside.
pub(super) struct Guest<'a> {
    pub(super) pid: i32,
    inside: &'a AtomicU32,
}

/// A thread is inside until this is dropped.
#[derive(Debug)]
pub(super) struct Stay<'a>(&'a AtomicU32);

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
        fault::point("presence: left");
    }
}

impl Guest<'_> {
    /// It has died, and everybody knows. Only with the lock.
    pub(super) fn dismiss(&self) {
        self.inside.store(0, Ordering::Relaxed);
        fault::point("presence: dismissed");
    }
}

impl Presence {
    pub(super) const fn new() -> Self {
        Self {
            owners: Owners::new(),
            places: [const { Place { inside: AtomicU32::new(0), pid: AtomicI32::new(0) } }; PLACES],
            rest: Roster::new(),
        }
    }

    /// A thread of this process comes in. Only with the lock.
    #[inline]
    pub(super) fn enter(&self, me: Me) -> Result<Stay<'_>, Full> {
        let inside = match self.owners.find(me.id) {
            Some(place) => &self.places[place].inside,
            None => self.find_room(me)?,
        };
        inside.fetch_add(1, Ordering::Relaxed);
        fault::point("presence: entered");
        Ok(Stay(inside))
    }

    #[cold]
    fn find_room(&self, me: Me) -> Result<&AtomicU32, Full> {
        let is_free = |&place: &usize| {
            death::is_dead(self.owners.get(place))
                && self.places[place].inside.load(Ordering::Relaxed) == 0
        };
        let free = self.owners.vacant().or_else(|| (0..PLACES).find(is_free));
        let Some(place) = free else { return self.find_rest(me) };
        self.places[place].pid.store(me.pid, Ordering::Relaxed);
        self.owners.set(place, me.id);
        fault::point("presence: place taken");
        Ok(&self.places[place].inside)
    }

    fn find_rest(&self, me: Me) -> Result<&AtomicU32, Full> {
        if self.rest.find(me.id).is_none() {
            // Gives back what the others do not need at this moment.
            self.rest.places().for_each(|entry| entry.clear());
        }
        self.rest.entry(me).map(|entry| entry.present())
    }

    /// Who of those inside has died. As long as nobody has, it looks at no line that others write to.
    pub(super) fn casualties(
        &self,
        me: Identity,
        is_dead: fn(Identity) -> bool,
    ) -> impl Iterator<Item = Guest<'_>> {
        let has_died = move |id: Identity| id != me && is_dead(id);
        let placed = self
            .places
            .iter()
            .enumerate()
            .filter(move |(place, _)| has_died(self.owners.get(*place)))
            .map(|(_, line)| Guest { pid: line.pid.load(Ordering::Relaxed), inside: &line.inside });
        let others = self
            .rest
            .entries()
            .filter(move |entry| has_died(entry.holder()))
            .map(|entry| Guest { pid: entry.pid(), inside: entry.present() });
        placed.chain(others).filter(|guest| guest.inside.load(Ordering::Relaxed) != 0)
    }
}
