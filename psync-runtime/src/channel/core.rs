//! A queue as one process has it: the shared head, the windows on the log, and the one place where operations wait.
#![allow(unsafe_code, reason = "turns a mapping into references")]

use super::{
    outbox,
    raw::{
        Account, Bytes, Door, HANDS, Hand, Head, Memory, Popped, Presence, Pushed, Reason, Role,
        Side, YIELDS, is_here,
    },
    whom::Who,
    windows::Windows,
};
use crate::{
    primitive::{AtomicU64, Ordering, UnsafeCell},
    shm::{
        Segment, ShmError,
        world::{self, Blocking, Identity, Operation, Slept, Wake, Watch, Whom},
    },
    sync::{
        DeadlockReport,
        raw::{Spin, Worth},
    },
    sys::{OsError, clock::Deadline, fault},
};
use core::{alloc::Layout, time::Duration};
use std::sync::Arc;

#[path = "limit.rs"]
mod limit;

pub(crate) use super::whom::Needs;
pub(crate) use limit::Limit;

pub(super) const HEAD: usize = 4096;
pub(super) const PRESENCE: usize = 64 << 10;
pub(super) const HANDS_AT: usize = 512 << 10;
/// What of the file is reserved when it is made.
const RESERVED: usize = 8 << 10;
const _: () = assert!(HEAD + size_of::<Head>() <= RESERVED);

const MAGIC: u64 = u64::from_le_bytes(*b"psyncQ01");

/// See the module.
#[derive(Debug)]
pub(crate) struct Core {
    segment: Arc<Segment>,
    head: &'static Head,
    presence: &'static Presence,
    hands: &'static [Hand; HANDS],
    /// Each for whoever is inside that side.
    producing: UnsafeCell<Windows>,
    consuming: UnsafeCell<Windows>,
    spin: [Spin; 2],
    /// The death epoch and count of leaves at which somebody was last found on the other side, for senders.
    found: AtomicU64,
}

// SAFETY: the cells are used inside their side only, which one thread is at a time (Q2).
unsafe impl Sync for Core {}
// SAFETY: nothing in it belongs to a thread.
unsafe impl Send for Core {}

/// Why nothing was sent.
#[derive(Debug)]
pub(crate) enum Refusal {
    Full,
    Closed,
    Disconnected,
    Damaged,
    Deadlock(DeadlockReport),
    System(OsError),
}

/// Why nothing was received.
#[derive(Debug)]
pub(crate) enum Lack {
    Empty,
    Closed,
    Disconnected,
    Damaged,
    Deadlock(DeadlockReport),
    System(OsError),
}

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
enum Waited {
    Ready,
    /// Nobody is left who could make it ready.
    Alone,
    /// Those who could wait for this thread.
    Deadlock(DeadlockReport),
    TimedOut,
}

impl Core {
    /// A new queue for `capacity` messages; 0 for no limit.
    pub(crate) fn create(capacity: u64, fingerprint: u64) -> Result<Arc<Self>, ShmError> {
        let segment = Segment::create_sparse(RESERVED)?;
        let core = Self::of(&segment)?;
        core.head.begin(capacity, fingerprint, MAGIC);
        Ok(core)
    }

    /// The queue in a segment that came from another process.
    pub(crate) fn attach(segment: &Arc<Segment>, fingerprint: u64) -> Result<Arc<Self>, ShmError> {
        let core = Self::of(segment)?;
        let is_whole = core.head.magic.load(Ordering::Acquire) == MAGIC;
        if is_whole && core.head.fingerprint.load(Ordering::Relaxed) == fingerprint {
            Ok(core)
        } else {
            Err(ShmError::Foreign("it is no queue of this type"))
        }
    }

    fn of(segment: &Arc<Segment>) -> Result<Arc<Self>, ShmError> {
        let foreign = ShmError::Foreign("it is no queue");
        let head = segment.view(HEAD, Layout::new::<Head>());
        let presence = segment.view(PRESENCE, Layout::new::<Presence>());
        let hands = segment.view(HANDS_AT, Layout::new::<[Hand; HANDS]>());
        let (Some(head), Some(presence), Some(hands)) = (head, presence, hands) else {
            return Err(foreign);
        };
        let make = || Self {
            // SAFETY: inside the mapping, aligned, and all atomics; mapped for as long as `segment`, which this holds (S2).
            head: unsafe { head.cast().as_ref() },
            // SAFETY: as above.
            presence: unsafe { presence.cast().as_ref() },
            // SAFETY: as above.
            hands: unsafe { hands.cast().as_ref() },
            producing: UnsafeCell::new(Windows::new(Arc::clone(segment))),
            consuming: UnsafeCell::new(Windows::new(Arc::clone(segment))),
            segment: Arc::clone(segment),
            spin: [const { Spin::new() }; 2],
            found: AtomicU64::new(0),
        };
        segment.companion(make).ok_or(foreign)
    }

    pub(crate) fn head(&self) -> &Head {
        self.head
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    pub(super) const fn hands(&self) -> &[Hand; HANDS] {
        self.hands
    }

    pub(crate) fn presence(&self) -> &Presence {
        self.presence
    }

    /// Makes the entry of a process in the presence table usable.
    pub(crate) fn make_entry(&self, id: Identity) -> Result<(), OsError> {
        let page = id.slot() / super::raw::PER_PAGE;
        if self.head.pages.load(Ordering::Acquire) >> page & 1 == 0 {
            let windows = Windows::new(Arc::clone(&self.segment));
            windows.reserve((PRESENCE + page * 4096) as u64, 4096)?;
            self.head.pages.fetch_or(1 << page, Ordering::AcqRel);
        }
        if id != world::me().id {
            self.head.was_shared.store(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn side(&self, role: Role) -> &Side {
        match role {
            Role::Sender => &self.head.producers,
            Role::Receiver => &self.head.consumers,
        }
    }

    /// Enters a side for something rare.
    pub(super) fn enter(&self, role: Role, limit: Limit) -> Option<Door<'_>> {
        self.side(role).enter(self.presence, role, limit.patience())
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `Side::inside`")]
    fn inside<R>(&self, role: Role, limit: Limit, body: impl FnOnce() -> R) -> Option<R> {
        self.side(role).inside(self.presence, role, || limit.patience(), body)
    }

    /// Sends an encoded message.
    #[inline]
    #[track_caller]
    pub(crate) fn send(
        &self,
        parts: &[&[u8]],
        note: bool,
        needs: Needs,
        limit: Limit,
    ) -> Result<(), Refusal> {
        let mut reason = None;
        loop {
            let pushed = self.inside(Role::Sender, limit, || {
                // SAFETY: inside the producers' side.
                let memory = unsafe { &mut *self.producing.get() };
                self.head.push(memory, parts, note, &mut reason)
            });
            match pushed.ok_or(Refusal::Full)? {
                Pushed::Done => {
                    self.head.items.ring(1);
                    return Ok(());
                }
                Pushed::Closed => return Err(Refusal::Closed),
                Pushed::Damaged => return Err(Refusal::Damaged),
                Pushed::Refused => return Err(Refusal::System(given(reason))),
                Pushed::Full => {}
            }
            let has_room = || !self.head.is_full() || self.head.is_closed();
            // Going on at the first free place would have both sides wait for each other at every message.
            let is_roomy = || self.head.is_roomy() || self.head.is_closed();
            if limit.waits() && self.spin[0].until(Worth::Meeting, 16, is_roomy) {
                continue;
            }
            match self.wait(Operation::Send, has_room, needs, limit, Deadline::NEVER) {
                Waited::Ready => {}
                Waited::Alone => return Err(Refusal::Disconnected),
                Waited::Deadlock(report) => return Err(Refusal::Deadlock(report)),
                Waited::TimedOut => return Err(Refusal::Full),
            }
        }
    }

    /// Receives a message: `take` gets its bytes, before it is gone for others.
    #[inline]
    #[track_caller]
    pub(crate) fn receive(
        &self,
        mut take: impl FnMut(Bytes<'_>, bool) -> Result<(), OsError>,
        needs: Needs,
        limit: Limit,
    ) -> Result<(), Lack> {
        let mut reason = None;
        loop {
            let popped =
                self.inside(Role::Receiver, limit, || self.pop_inside(&mut take, &mut reason));
            match popped.ok_or(Lack::Empty)? {
                Popped::Got => return Ok(()),
                Popped::Damaged => return Err(Lack::Damaged),
                Popped::Refused => return Err(Lack::System(given(reason))),
                Popped::Empty => {}
            }
            // What was sent before it was closed is seen by whoever sees it closed.
            if self.head.is_closed() {
                if self.head.len() == 0 {
                    return Err(Lack::Closed);
                }
                continue;
            }
            let has_message = || self.head.len() > 0 || self.head.is_closed();
            match self.wait(Operation::Receive, has_message, needs, limit, Deadline::NEVER) {
                Waited::Ready => {}
                Waited::Alone => return Err(Lack::Disconnected),
                Waited::Deadlock(report) => return Err(Lack::Deadlock(report)),
                Waited::TimedOut => return Err(Lack::Empty),
            }
        }
    }

    /// Takes the oldest message out. Only inside the consumers' side.
    #[inline]
    pub(super) fn pop_inside(
        &self,
        take: impl FnOnce(Bytes<'_>, bool) -> Result<(), OsError>,
        reason: &mut Reason,
    ) -> Popped {
        // SAFETY: inside the consumers' side.
        let memory = unsafe { &mut *self.consuming.get() };
        let popped = self.head.pop(memory, take, reason);
        if matches!(popped, Popped::Got) && self.head.capacity.load(Ordering::Relaxed) != 0 {
            self.head.space.ring(1);
        }
        popped
    }

    /// Waits until `ready`; whether it is time to ask the kernel about those who might have died. An error if nobody is left.
    #[track_caller]
    pub(super) fn await_item(
        &self,
        ready: impl Fn() -> bool,
        needs: Needs,
        limit: Limit,
    ) -> Result<bool, Lack> {
        if self.is_alone(needs, limit, false) && !ready() {
            return Err(Lack::Disconnected);
        }
        // Longer than the time after which a wait asks the kernel.
        let slice = Deadline::after(Duration::from_millis(1500));
        match self.wait(Operation::Receive, ready, needs, limit, slice) {
            Waited::Ready => Ok(false),
            Waited::Alone => Err(Lack::Disconnected),
            Waited::Deadlock(report) => Err(Lack::Deadlock(report)),
            Waited::TimedOut if limit.is_over() => Err(Lack::Empty),
            Waited::TimedOut => Ok(true),
        }
    }

    /// Waits until `ready`, which whoever has done a job may have made so; false if the time is up first.
    #[track_caller]
    pub(super) fn await_jobs(
        &self,
        ready: impl Fn() -> bool,
        needs: Needs,
        limit: Limit,
    ) -> Result<bool, DeadlockReport> {
        match self.wait(Operation::Finish, ready, needs.nobody(), limit, Deadline::NEVER) {
            Waited::Deadlock(report) => Err(report),
            waited => Ok(waited == Waited::Ready),
        }
    }

    /// Waits until `ready`, for the layers above; false if the time is up first.
    #[track_caller]
    pub(super) fn await_bell(&self, ready: impl Fn() -> bool, needs: Needs, limit: Limit) -> bool {
        self.wait(Operation::Receive, ready, needs, limit, Deadline::NEVER) == Waited::Ready
    }

    /// Where every operation waits: until `ready`, the deadline or `until`, or nobody is left who could make it ready.
    #[cold]
    #[track_caller]
    fn wait(
        &self,
        operation: Operation,
        ready: impl Fn() -> bool,
        needs: Needs,
        limit: Limit,
        until: Deadline,
    ) -> Waited {
        let (bell, spin) = match operation {
            Operation::Send => (&self.head.space, &self.spin[0]),
            Operation::Finish => (&self.head.work.done, &self.spin[0]),
            _ => (&self.head.items, &self.spin[1]),
        };
        let blocking = Blocking::new(limit.deadline(), Some(needs.site(operation)));
        let could_end = || self.could_end(needs, &ready);
        let mut verify = false;
        if limit.waits() && spin.until(Worth::Meeting, 4, &ready) {
            return Waited::Ready;
        }
        for _ in 0..if limit.waits() { YIELDS } else { 0 } {
            std::thread::yield_now();
            if ready() {
                return Waited::Ready;
            }
        }
        loop {
            let watch = Watch::new();
            let ticket = if limit.waits() { bell.ticket() } else { 0 };
            // Before the last look: what somebody sent before he went has to be seen.
            let is_alone = self.is_alone(needs, limit, verify);
            if ready() {
                return Waited::Ready;
            }
            if is_alone {
                return Waited::Alone;
            }
            if limit.waits() {
                outbox::prune();
            }
            if limit.is_over() || until.is_over() || blocking.is_over() {
                return Waited::TimedOut;
            }
            fault::point("queue: falls asleep");
            let words = [(bell.word(), ticket)];
            let slept = blocking.sleep_until(watch, &words, until, Whom::Anyone(&could_end));
            fault::point("queue: awake");
            if slept == Slept::Deadlock {
                return Waited::Deadlock(DeadlockReport::new(blocking));
            }
            verify = slept == Slept::Woke(Wake::Verify);
        }
    }

    /// Whether nobody is there whom the operation needs.
    pub(super) fn is_alone(&self, needs: Needs, limit: Limit, verify: bool) -> bool {
        match needs.who {
            Who::Nobody => false,
            Who::Anybody(role) => self.who(role, verify) == Account::Nobody,
            Who::OtherProcess if !limit.waits() => false,
            Who::OtherProcess if self.who(Role::Sender, verify) == Account::Others => false,
            Who::OtherProcess => {
                // Nobody else has ever had it: other threads of this process may use it still.
                self.head.was_shared.load(Ordering::Relaxed) != 0
                    || (limit.is_forever() && super::alone::is_only_thread())
            }
        }
    }

    /// Who has handles of this kind. With `verify`, by asking the kernel.
    pub(crate) fn who(&self, role: Role, verify: bool) -> Account {
        let Some(world) = world::existing() else { return Account::Own };
        let is_alive =
            |id| is_here(world, id) && (!verify || !world.is_alive(id) || world.verify(id));
        loop {
            let moves = self.head.changes.moves();
            let pages = self.head.pages.load(Ordering::Acquire);
            let account = self.presence.who(world::me().id, role, is_alive, pages);
            if account == Account::Others || self.head.changes.is_still_at(moves) {
                return account;
            }
        }
    }

    /// Whether a receiver is left, for senders: looks again only after somebody has died or let go of his last handle.
    #[inline]
    pub(crate) fn has_receivers(&self) -> bool {
        let now = u64::from(world::deaths()) << 32 | u64::from(self.head.changes.leaves());
        self.found.load(Ordering::Relaxed) == now.wrapping_add(1) || self.look_for_receivers(now)
    }

    #[cold]
    fn look_for_receivers(&self, now: u64) -> bool {
        let found = self.who(Role::Receiver, false) != Account::Nobody;
        if found {
            self.found.store(now.wrapping_add(1), Ordering::Relaxed);
        }
        found
    }

    /// Handles on the account of a process have come out of a message, or will never. Those that have come out were counted before.
    pub(super) fn land(&self, charged: Identity, roles: impl IntoIterator<Item = Role>) {
        self.head.changes.note_removal();
        roles.into_iter().for_each(|role| self.presence.land(charged, role));
        self.head.changes.note_move();
        self.announce_leave();
    }

    /// A process lets go of a handle; whether that was its last one of any of these roles.
    pub(super) fn leave(&self, id: Identity, roles: impl IntoIterator<Item = Role>) -> bool {
        self.head.changes.note_removal();
        let leave = |last, role| last | self.presence.leave(id, role);
        let last = roles.into_iter().fold(false, leave);
        self.head.changes.note_move();
        last
    }

    /// Somebody is gone: all who wait look again.
    pub(crate) fn announce_leave(&self) {
        self.head.changes.note_leave();
        self.head.items.ring(u32::MAX);
        self.head.space.ring(u32::MAX);
    }

    /// Nothing can be sent from here on; whoever waits is woken.
    pub(crate) fn close(&self) {
        let door = self.enter(Role::Sender, Limit::FOREVER);
        self.head.close();
        drop(door);
        self.head.items.ring(u32::MAX);
        self.head.space.ring(u32::MAX);
    }

    /// Whether no message among the first `until` is needed any more.
    pub(super) fn is_past(&self, until: u64) -> bool {
        if self.head.received() < until {
            return false;
        }
        // A job may be delivered again.
        let received = self.head.received();
        self.head.work.in_hands(self.hands, received, Identity::NOBODY) == 0
    }

    /// Reads a long message.
    pub(crate) fn read(&self, place: u64, len: u64) -> Result<Vec<u8>, OsError> {
        crate::sys::memory::read_claimed(&self.segment, place, len)
    }
}

/// The system's reason.
pub(super) fn given(reason: Reason) -> OsError {
    reason.unwrap_or(OsError::new("fallocate", nix::errno::Errno::ENOMEM))
}
