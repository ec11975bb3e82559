//! Which processes hold a queue, and each one's seat at its two sides.

use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering, fence},
    shm::world::{self, Identity, Phase, SLOTS, World},
    sys::fault,
};

/// One entry per slot of the process table.
///
/// Only the entries of processes that have held the queue are looked at: the pages of the others are not reserved. An entry says whose it is in
/// each of its words, so what an earlier process of the same slot left there counts for nothing.
#[repr(C, align(64))]
pub(crate) struct Presence {
    entries: [Entry; SLOTS],
}

/// Each account: process (high half) and how many handles (low half).
#[repr(C, align(64))]
struct Entry {
    senders: AtomicU64,
    receivers: AtomicU64,
    /// Senders (lower 16 bits) and receivers (upper 16) in messages that nobody has decoded yet.
    flight: AtomicU64,
    seats: [Seat; 2],
}

/// Where the thread sits that a side may be biased to.
///
/// Only that one thread ever stores to `inside` as long as its process lives: another's late store could not be told from its own. So the seat is
/// given to the first thread of a process that earns a bias, and to no other.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Seat {
    /// Process and thread. Written under the side's lock.
    pub(super) owner: AtomicU64,
    /// Whether that thread is inside. A futex.
    pub(super) inside: AtomicU32,
}

/// What happens to handles, for those who have looked at the entries.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Changes {
    /// How often a process has let go of its last handle of a kind.
    leaves: AtomicU32,
    /// How often an account has changed, counted afterwards, or was about to be one handle less.
    moves: AtomicU32,
    /// Whether a handle may be under way that no account knows of. Stays so.
    has_strays: AtomicU32,
}

impl Changes {
    /// Where that word lies.
    pub(super) const MOVES: usize = core::mem::offset_of!(Self, moves);

    pub(crate) fn leaves(&self) -> u32 {
        self.leaves.load(Ordering::Acquire)
    }

    pub(crate) fn note_leave(&self) {
        self.leaves.fetch_add(1, Ordering::AcqRel);
    }

    /// Before the accounts are read.
    pub(crate) fn moves(&self) -> u32 {
        self.moves.load(Ordering::Acquire)
    }

    /// Whether what was read of the accounts since is true of one moment. Otherwise a handle may have gone from where it was not looked for
    /// yet to where it was not looked for any more.
    pub(crate) fn is_still_at(&self, moves: u32) -> bool {
        fence(Ordering::Acquire);
        self.moves.load(Ordering::Relaxed) == moves
    }

    /// An account has changed.
    pub(crate) fn note_move(&self) {
        self.moves.fetch_add(1, Ordering::AcqRel);
    }

    /// Before a handle is counted no more, and after it was counted wherever it goes: whoever finds it nowhere, since he has looked here before that and
    /// there after it, finds another number than before, and looks again.
    pub(crate) fn note_removal(&self) {
        self.note_move();
        fault::point("queue: about to let go");
    }

    /// A handle has gone where it is not counted.
    pub(crate) fn note_stray(&self) {
        self.has_strays.store(1, Ordering::Release);
    }

    pub(crate) fn has_strays(&self) -> bool {
        self.has_strays.load(Ordering::Acquire) != 0
    }
}

/// How many entries a page of the system holds.
pub(crate) const PER_PAGE: usize = 4096 / size_of::<Entry>();
// One bit of `Head::pages` for each page.
const _: () = assert!(SLOTS.div_ceil(PER_PAGE) <= 64);

/// What a handle is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Sender,
    Receiver,
}

/// Who holds handles of one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// This process, as its own.
    Own,
    /// Another process, or a message on its way.
    Others,
    Nobody,
}

#[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
const fn count_of(word: u64, id: Identity) -> Option<u32> {
    if (word >> 32) as u32 == id.bits() { Some(word as u32) } else { None }
}

const fn pack(id: Identity, count: u32) -> u64 {
    (id.bits() as u64) << 32 | count as u64
}

const fn holder_of(word: u64) -> Identity {
    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    Identity::from_bits((word >> 32) as u32)
}

impl Role {
    /// One in the account of what is in flight.
    const fn unit(self) -> u32 {
        match self {
            Self::Sender => 1,
            Self::Receiver => 1 << 16,
        }
    }

    const fn flying(self, count: u32) -> u32 {
        match self {
            Self::Sender => count & 0xffff,
            Self::Receiver => count >> 16,
        }
    }
}

impl Entry {
    fn account(&self, role: Role) -> &AtomicU64 {
        match role {
            Role::Sender => &self.senders,
            Role::Receiver => &self.receivers,
        }
    }
}

/// Changes the count of `id` in an account; an earlier process's count is 0. What was there before.
fn change(word: &AtomicU64, id: Identity, with: impl Fn(u32) -> u32) -> u64 {
    let next = |seen: u64| Some(pack(id, with(count_of(seen, id).unwrap_or(0))));
    word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next).unwrap_or_else(|seen| seen)
}

impl Presence {
    /// The length of an entry, and where its seats begin and end.
    #[cfg(feature = "fuzzing")]
    pub(crate) const ENTRY: usize = size_of::<Entry>();
    #[cfg(feature = "fuzzing")]
    pub(crate) const SEATS: (u64, u64) = {
        let start = core::mem::offset_of!(Entry, seats);
        (start as u64, (start + size_of::<[Seat; 2]>()) as u64)
    };

    #[inline]
    pub(super) fn seat(&self, id: Identity, role: Role) -> &Seat {
        let seats = &self.entries[id.slot()].seats;
        &seats[usize::from(role == Role::Receiver)]
    }

    /// One more handle. Its page is reserved.
    pub(crate) fn join(&self, id: Identity, role: Role) {
        change(self.entries[id.slot()].account(role), id, |count| count.saturating_add(1));
    }

    /// One handle less; whether that was the last of this process and role.
    pub(crate) fn leave(&self, id: Identity, role: Role) -> bool {
        let word = self.entries[id.slot()].account(role);
        change(word, id, |count| count.saturating_sub(1));
        count_of(word.load(Ordering::Acquire), id).unwrap_or(0) == 0
    }

    /// Whether the process has a handle of this role on its own account.
    pub(crate) fn has(&self, id: Identity, role: Role) -> bool {
        let word = self.entries[id.slot()].account(role).load(Ordering::Acquire);
        count_of(word, id).is_some_and(|count| count > 0)
    }

    /// A handle goes into a message on the account of `id`. False if the account does not know of all that are under way from here on: it is full, or was
    /// another process's, which has ended.
    pub(crate) fn take_off(&self, id: Identity, role: Role) -> bool {
        let unit = role.unit();
        let before = change(&self.entries[id.slot()].flight, id, |count| {
            if role.flying(count) < 0xffff { count + unit } else { count }
        });
        match count_of(before, id) {
            Some(count) => role.flying(count) < 0xffff,
            None => count_of(before, holder_of(before)) == Some(0),
        }
    }

    /// A handle has come out of a message, or will never.
    pub(crate) fn land(&self, id: Identity, role: Role) {
        let unit = role.unit();
        change(&self.entries[id.slot()].flight, id, |count| {
            if role.flying(count) > 0 { count - unit } else { count }
        });
    }

    /// Who has handles of this role, as far as `is_alive` knows.
    pub(crate) fn who(
        &self,
        me: Identity,
        role: Role,
        is_alive: impl Fn(Identity) -> bool,
        pages: u64,
    ) -> Account {
        let mut own = false;
        for (index, entry) in self.entries.iter().enumerate() {
            if pages >> (index / PER_PAGE) & 1 == 0 {
                continue;
            }
            let (word, flight) =
                (entry.account(role).load(Ordering::Acquire), entry.flight.load(Ordering::Acquire));
            let (holder, sender) = (holder_of(word), holder_of(flight));
            if holder == me {
                own |= count_of(word, me).is_some_and(|count| count > 0);
            } else if count_of(word, holder).is_some_and(|count| count > 0) && is_alive(holder) {
                return Account::Others;
            }
            let flying = count_of(flight, sender).map_or(0, |count| role.flying(count));
            if flying > 0 && is_alive(sender) {
                return Account::Others;
            }
        }
        if own { Account::Own } else { Account::Nobody }
    }
}

impl Presence {
    /// The living processes with handles of this role; `None` if one is under way, whoever sent it.
    pub(crate) fn holders(
        &self,
        role: Role,
        is_alive: impl Fn(Identity) -> bool,
        pages: u64,
    ) -> Option<Vec<Identity>> {
        let mut holders = Vec::new();
        let used = self.entries.iter().enumerate();
        for (_, entry) in used.filter(|(index, _)| pages >> (index / PER_PAGE) & 1 != 0) {
            let (word, flight) =
                (entry.account(role).load(Ordering::Acquire), entry.flight.load(Ordering::Acquire));
            if count_of(flight, holder_of(flight)).is_some_and(|count| role.flying(count) > 0) {
                return None;
            }
            let holder = holder_of(word);
            if count_of(word, holder).is_some_and(|count| count > 0) && is_alive(holder) {
                holders.push(holder);
            }
        }
        Some(holders)
    }
}

/// Whether a page of the table, as bytes, names somebody who is there and can receive, or a handle under way that can.
pub(crate) fn page_has_receivers(page: &[u8], is_here: impl Fn(Identity) -> bool) -> bool {
    page.chunks_exact(size_of::<Entry>()).any(|entry| {
        let word = |at: usize| entry.get(at..)?.first_chunk().copied().map(u64::from_ne_bytes);
        let receivers = word(core::mem::offset_of!(Entry, receivers)).unwrap_or(0);
        let flight = word(core::mem::offset_of!(Entry, flight)).unwrap_or(0);
        let holds = |word: u64, count: fn(u32) -> u32| {
            let holder = holder_of(word);
            count_of(word, holder).is_some_and(|all| count(all) > 0) && is_here(holder)
        };
        holds(receivers, |all| all) || holds(flight, |all| Role::Receiver.flying(all))
    })
}

/// Whether a process lives or is being started, by the table.
pub(crate) fn is_here(world: &World, id: Identity) -> bool {
    id != Identity::NOBODY
        && (world.is_alive(id) || {
            let state = world.slot(id).state();
            state.generation() == id.generation() && state.phase() == Phase::Starting
        })
}

impl core::fmt::Debug for Presence {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let me = world::me().id;
        f.debug_struct("Presence")
            .field("sends", &self.has(me, Role::Sender))
            .finish_non_exhaustive()
    }
}
