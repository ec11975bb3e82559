//! A blocked operation: how it sleeps, what it tells others of itself, and how it finds out that it waits for itself.
//!
//! Each blocked thread has a [record](super::waits::Record). A thread that waits for ever looks after every slice of its sleep whether whoever holds it up
//! waits as well, and if so writes that down as an *edge*: from its own record to the other's, at the turn that it has seen there. The order is: see the
//! other's turn, then see that it still holds us up, then write the edge. So the other held us up at a time when it waited, and as long as it waits in that turn
//! it cannot let go of anything: the edge is true as long as both turns last. A writer that waits for readers names its lock, and waiting readers name theirs;
//! whoever waits for the end of processes names those. That is as good as edges, one to each of them.
//!
//! Whoever finds a circle reads all the turns in it once more. If they are as before, then between the two readings all of these threads
//! waited for each other at the same time: that is a deadlock, and no other thing is called one. Waits with a deadline have no edges, since they end. Of the
//! threads of a circle one is told, the others go on waiting: see [`Blocking::is_chosen`].
//!
//! A wait that any of several processes could end writes down which these are: see [`standstill`].

use super::{
    Identity, Seen, Site, Wake, Watch, World, existing, me,
    needs::{Details, Holders, NAMES, READS, Turn},
    read_locks,
    standstill::{self, Knot, Suspicion},
    waits::{Record, thread_key},
    watch,
};
use crate::{
    primitive::AtomicU32,
    shm::registry,
    sys::{clock::Deadline, thread},
};
use core::{
    cell::{Cell, RefCell},
    time::Duration,
};

/// How long a thread sleeps before it looks whether it waits for itself.
const SLICE: Duration = Duration::from_millis(200);
/// The same for one that has found that it does, as far as anybody can see, and for how many looks.
const HASTE: (Duration, u32) = (Duration::from_millis(50), 40);
/// The same for one that waits for anybody and has looked some times.
const LEISURE: (Duration, usize) = (Duration::from_millis(500), 5);
/// That is doubled each time that others were found to have copies, after so many times and up to so many: such a look is a look at all processes.
const DOUBLINGS: (u32, u32) = (4, 10);

thread_local! {
    /// See [`guarded_by`].
    static GUARDIAN: Cell<Identity> = const { Cell::new(Identity::NOBODY) };
}

/// Runs `body`, whose waits end with the death of that process as if their time were up: those for things that make no sense without it.
pub(crate) fn guarded_by<R>(guardian: Identity, body: impl FnOnce() -> R) -> R {
    /// Puts back what was there, also when `body` panics.
    struct Before(Identity);
    impl Drop for Before {
        fn drop(&mut self) {
            let _ = GUARDIAN.try_with(|guardian| guardian.set(self.0));
        }
    }
    let before = GUARDIAN.try_with(|now| now.replace(guardian)).unwrap_or(Identity::NOBODY);
    let _before = Before(before);
    body()
}

/// An operation that may have to wait.
#[derive(Debug)]
pub(crate) struct Blocking {
    pub(crate) deadline: Deadline,
    /// `None` for what is none of the user's business, such as the short locks inside primitives.
    site: Option<Site>,
    /// With whose death it is over, too; nobody for most. See [`guarded_by`].
    guardian: Identity,
    /// The record of this thread while it says that this operation waits.
    turn: Cell<Option<Turn>>,
    /// When to look round next: neither deaths nor a word that changes put that off.
    look: Cell<Option<Deadline>>,
    /// How often it has.
    looks: Cell<usize>,
    /// How often in a row it has found that it is stuck, and in how many of these that it cannot be sure.
    stuck: Cell<u32>,
    unsure: Cell<u32>,
    suspicion: RefCell<Option<Suspicion>>,
    circle: RefCell<Circle>,
}

/// What is known of a deadlock: who is in the circle, and who else could have ended a wait in it.
#[derive(Debug, Default)]
pub(crate) struct Circle {
    pub(crate) waits: Vec<Seen>,
    pub(crate) others: Vec<Seen>,
}

/// Who holds up a blocked operation.
#[derive(Clone, Copy)]
pub(crate) enum Whom<'a> {
    /// Nobody can tell.
    Unknown,
    /// The thread that owns something: pid, 0 if it is not known yet, and thread id.
    Owner(&'a dyn Fn() -> Option<(i32, u32)>),
    /// All threads that read under the lock at this address.
    Readers(usize),
    /// All these processes, until they have ended.
    Processes(&'a [Identity]),
    /// Any of several processes, if it can be told which: that it is still to be waited for has to be seen *after* these were. Asked for every now and then.
    Anyone(&'a dyn Fn() -> Option<Holders>),
}

impl core::fmt::Debug for Whom<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "Unknown",
            Self::Owner(_) => "Owner",
            Self::Readers(_) => "Readers",
            Self::Processes(_) => "Processes",
            Self::Anyone(_) => "Anyone",
        })
    }
}

/// Why a blocked operation woke up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slept {
    /// As [`Wake`].
    Woke(Wake),
    /// It waits for itself, and was chosen to be told: see [`Blocking::into_circle`].
    Deadlock,
}

impl From<Deadline> for Blocking {
    fn from(deadline: Deadline) -> Self {
        Self::new(deadline, None)
    }
}

impl Blocking {
    pub(crate) fn new(deadline: Deadline, site: Option<Site>) -> Self {
        let guardian = if site.is_some() { GUARDIAN.try_with(Cell::get).ok() } else { None };
        Self {
            deadline,
            site,
            guardian: guardian.unwrap_or(Identity::NOBODY),
            turn: Cell::new(None),
            look: Cell::new(None),
            looks: Cell::new(0),
            stuck: Cell::new(0),
            unsure: Cell::new(0),
            suspicion: RefCell::new(None),
            circle: RefCell::new(Circle { waits: Vec::new(), others: Vec::new() }),
        }
    }

    /// Whether it shall end, if what it waits for has not come.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.is_over() || self.is_forsaken()
    }

    fn is_forsaken(&self) -> bool {
        self.guardian != Identity::NOBODY
            && existing().is_some_and(|world| !world.is_alive(self.guardian))
    }

    pub(crate) const fn site(&self) -> Option<Site> {
        self.site
    }

    /// Sleeps while `word` is `expected` and nobody dies.
    pub(crate) fn sleep(
        &self,
        watch: Watch,
        word: &AtomicU32,
        expected: u32,
        whom: Whom<'_>,
    ) -> Slept {
        self.sleep_until(watch, &[(word, expected)], self.deadline, whom)
    }

    /// Sleeps while all of the words are as expected and nobody dies, at most until the deadline or `until`.
    pub(crate) fn sleep_until(
        &self,
        watch: Watch,
        words: &[(&AtomicU32, u32)],
        until: Deadline,
        whom: Whom<'_>,
    ) -> Slept {
        self.rest(until, whom, |until| watch.wait_words(words, until))
    }

    /// Sleeps by `rest`, which is told until when at most: the deadline, `until`, or when this thread has to look round.
    pub(crate) fn rest(
        &self,
        until: Deadline,
        whom: Whom<'_>,
        rest: impl FnOnce(Deadline) -> Wake,
    ) -> Slept {
        self.announce(whom);
        let slept = self.rest_alone(until, whom, rest);
        if slept == Slept::Woke(Wake::Verify)
            && self.guardian != Identity::NOBODY
            && let Some(world) = existing()
        {
            // The table learns of the death, if that has not been reported.
            world.verify(self.guardian);
        }
        slept
    }

    fn rest_alone(
        &self,
        until: Deadline,
        whom: Whom<'_>,
        rest: impl FnOnce(Deadline) -> Wake,
    ) -> Slept {
        let until = until.min(self.deadline);
        if self.is_timed() || self.site.is_none() || matches!(whom, Whom::Unknown) {
            return Slept::Woke(rest(until));
        }
        let look = self.look.get().unwrap_or_else(|| Deadline::after(self.slice(whom)));
        self.look.set(Some(look));
        let wake = rest(until.min(look));
        if !look.is_over() {
            return Slept::Woke(wake);
        }
        self.look.set(None);
        if let Ok(world) = super::world()
            && (self.waits_for_itself(world, whom) || self.stands_still(world))
        {
            return Slept::Deadlock;
        }
        Slept::Woke(match wake {
            Wake::TimedOut if !until.is_over() => watch::after_a_while(),
            wake => wake,
        })
    }

    /// How long to sleep before the next look.
    fn slice(&self, whom: Whom<'_>) -> Duration {
        let (haste, times) = HASTE;
        let (leisure, looks) = LEISURE;
        let (patient, most) = DOUBLINGS;
        let unsure = self.unsure.get();
        match self.stuck.get() {
            _ if unsure > patient => leisure * 2_u32.pow(unsure.min(most) - patient),
            stuck if unsure == 0 && (1..times).contains(&stuck) => haste,
            _ if matches!(whom, Whom::Anyone(_)) && self.looks.get() >= looks => leisure,
            _ => SLICE,
        }
    }

    fn is_timed(&self) -> bool {
        self.deadline != Deadline::NEVER
    }

    /// Writes down that this thread waits.
    fn announce(&self, whom: Whom<'_>) {
        let (Some(site), Some(world), None) = (self.site, existing(), self.turn.get()) else {
            return;
        };
        let Some((index, record)) = world.own_record() else { return };
        // A signal handler waits in the middle of a wait.
        if record.is_waiting() {
            return;
        }
        let turn = record.begin(site, self.is_timed(), owner_of(whom));
        self.turn.set(Some(Turn { index, turn }));
        if let Whom::Processes(ends) = whom {
            record.set_details(&Details {
                reads: &self.reads(),
                names: ends,
                ..Details::default()
            });
        }
    }

    /// The numbers of the locks that this thread reads under. A record has room for some of them only: they take turns.
    fn reads(&self) -> Vec<u64> {
        let mut reads: Vec<u64> = read_locks::all().into_iter().map(number).collect();
        let first = self.looks.get().wrapping_mul(READS).checked_rem(reads.len()).unwrap_or(0);
        reads.rotate_left(first);
        reads
    }

    /// Whether this thread is one of a circle and is the one to be told.
    fn waits_for_itself(&self, world: &World, whom: Whom<'_>) -> bool {
        self.announce(whom);
        let Some(mine) = self.turn.get() else { return false };
        let Some((_, record)) = world.own_record() else { return false };
        let reads = self.reads();
        self.looks.set(self.looks.get().wrapping_add(1));
        if let Whom::Anyone(holders) = whom {
            look(record, &reads, holders);
            return false;
        }
        let lock = if let Whom::Readers(address) = whom { number(address) } else { 0 };
        let ends = if let Whom::Processes(ends) = whom { ends } else { &[] };
        let details = Details { lock, reads: &reads, names: ends, file: None };
        record.set_owner(owner_of(whom));
        record.set_details(&details);
        let owner = if let Whom::Owner(owner) = whom { holder(world, owner) } else { None };
        record.set_edge(owner);
        let holders: Vec<Turn> = match whom {
            Whom::Unknown | Whom::Anyone(_) => Vec::new(),
            Whom::Owner(_) => owner.into_iter().collect(),
            Whom::Readers(_) => world.readers_of(lock).filter(|turn| *turn != mine).collect(),
            Whom::Processes(ends) => world.mains_of(ends).collect(),
        };
        let Some(circle) = circle(world, mine, &holders) else { return false };
        // A record cannot name all of many: let it name the one that counts.
        if let Some(next) = circle.get(1).and_then(|next| world.waits_for_ever(*next))
            && ends.contains(&next.process)
        {
            record.set_details(&Details { names: &[next.process], ..details });
        }
        let Some(waits) = confirm(world, &circle) else { return false };
        let is_chosen = Self::is_chosen(&waits);
        if is_chosen {
            self.circle.replace(Circle { waits, others: Vec::new() });
        }
        is_chosen
    }

    /// Whether this thread waits for what could be done only by those who wait for each other, and is the one to be told. That takes two looks at least.
    fn stands_still(&self, world: &World) -> bool {
        let can_tell = self.site.is_some_and(|site| site.operation.rank().is_some());
        let Some(mine) = self.turn.get().filter(|_| can_tell) else { return false };
        let Some(knot) = standstill::find(world, mine) else {
            self.stuck.set(0);
            self.unsure.set(0);
            self.suspicion.replace(None);
            return false;
        };
        self.stuck.set(self.stuck.get().saturating_add(1));
        if knot.told() != Some(thread_key(me().pid, thread::tid())) {
            return false;
        }
        let suspicion = self.suspicion.take().filter(|suspicion| suspicion.is_about(&knot));
        match suspicion {
            Some(suspicion) if suspicion.is_borne_out(&knot) => return self.report(world, &knot),
            Some(suspicion) => self.suspicion.replace(Some(suspicion)),
            None => self.suspicion.replace(self.suspect(world, &knot)),
        };
        false
    }

    fn suspect(&self, world: &World, knot: &Knot) -> Option<Suspicion> {
        if !knot.has_no_copies(world) {
            self.unsure.set(self.unsure.get() + 1);
            return None;
        }
        self.unsure.set(0);
        Suspicion::of(world, knot)
    }

    /// Whether all of a knot that is certain is still as it was.
    fn report(&self, world: &World, knot: &Knot) -> bool {
        let (turns, len) = knot.turns();
        let Some(mut waits) = confirm(world, &turns) else { return false };
        let others = waits.split_off(len);
        self.circle.replace(Circle { waits, others });
        true
    }

    /// Whether this thread is the one to be told, of those in the circle: the first of those whose operation has an error for it.
    fn is_chosen(circle: &[Seen]) -> bool {
        let can_tell = |seen: &&Seen| seen.operation.rank().is_some();
        let key = |seen: &Seen| thread_key(seen.pid, seen.thread);
        let chosen = circle.iter().filter(can_tell).map(key).min();
        chosen == Some(thread_key(me().pid, thread::tid()))
    }

    /// The circle that [`Slept::Deadlock`] was about, from this thread on.
    pub(crate) fn into_circle(self) -> Circle {
        self.circle.take()
    }
}

/// Writes down who could end the wait, if that can be told.
fn look(record: &Record, reads: &[u64], holders: &dyn Fn() -> Option<Holders>) {
    record.begin_check();
    let holders = holders().filter(|holders| holders.processes.len() <= NAMES);
    let (names, file) = match &holders {
        Some(holders) => (&holders.processes[..], Some(holders.file)),
        None => (&[][..], None),
    };
    record.set_details(&Details { lock: 0, reads, names, file });
    record.end_check();
}

/// The one thread or process that holds an operation up, if it is one.
fn owner_of(whom: Whom<'_>) -> Option<(i32, u32)> {
    match whom {
        Whom::Owner(owner) => owner(),
        Whom::Processes([only]) => existing().map(|world| (world.slot(*only).pid(), 0)),
        _ => None,
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        let (Some(_), Some(world)) = (self.turn.get(), existing()) else { return };
        if let Some((_, record)) = world.own_record() {
            record.end();
        }
    }
}

/// The turn of the thread that owns what we wait for, if it waits for ever and holds us up meanwhile.
fn holder(world: &World, owner: &dyn Fn() -> Option<(i32, u32)>) -> Option<Turn> {
    let (pid, thread) = owner()?;
    let key = thread_key(pid, thread);
    let is_its =
        |turn: &Turn| world.waits_for_ever(*turn).is_some_and(|waiter| waiter.thread == key);
    let turn = world.turns().find(is_its)?;
    (owner() == Some((pid, thread))).then_some(turn)
}

/// A way from `mine` over one of `holders` back to `mine`, if there is one.
fn circle(world: &World, mine: Turn, holders: &[Turn]) -> Option<Vec<Turn>> {
    let mut path = vec![mine];
    let mut open = vec![holders.to_vec()];
    let mut visited: Vec<Turn> = Vec::new();
    while let Some(choices) = open.last_mut() {
        let Some(next) = choices.pop() else {
            open.pop();
            path.pop();
            continue;
        };
        if next == mine {
            return Some(path);
        }
        if visited.contains(&next) || world.waits_for_ever(next).is_none() {
            continue;
        }
        visited.push(next);
        path.push(next);
        open.push(world.holders(next));
    }
    None
}

/// What the records in the circle say, if all of them still are where they were, and every process in it lives.
fn confirm(world: &World, circle: &[Turn]) -> Option<Vec<Seen>> {
    let seen: Option<Vec<Seen>> = circle.iter().map(|&turn| world.seen(turn)).collect();
    let seen = seen.filter(|seen| seen.iter().all(|seen| world.verify(seen.process)))?;
    circle.iter().all(|&turn| world.waits_for_ever(turn).is_some()).then_some(seen)
}

/// A number for the lock at `address` that is the same in every process.
fn number(address: usize) -> u64 {
    /// Spreads the bits, so that what differs anywhere differs almost surely.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |high: u64, low: u64| (high.wrapping_mul(SPREAD) ^ low).wrapping_mul(SPREAD) | 1;
    if let Some(offset) = super::offset_in_statics(address, 1) {
        return mix(0, offset);
    }
    match registry::locate(address, 1) {
        Some((segment, offset)) => mix(segment.id(), offset as u64),
        None => mix(!u64::from(me().pid.cast_unsigned()), address as u64),
    }
}
