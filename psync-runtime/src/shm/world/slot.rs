//! One entry of the process table.
//!
//! | phase | meaning | who moves it on |
//! |---|---|---|
//! | `FREE` | nobody's | a starter takes it (`STARTING`) |
//! | `STARTING` | the pid field is the starter's; a start is on its way | a child claims it (`RUNNING`), refuses it (`REFUSED`), or the starter gives up (`FREE`) |
//! | `RUNNING` | the pid field is the process's | whoever learns of its end (`DEAD`, or `FREE` if `DETACHED`) |
//! | `DEAD` | `status` and `outcome` are final | the starter (`FREE`) |
//! | `REFUSED` | `status` holds an error number | the starter (`FREE`) |

use super::Identity;
use crate::{
    primitive::{AtomicI32, AtomicU32, AtomicU64, Ordering},
    sys::procfs,
};

/// See the module.
#[repr(C, align(256))]
pub(crate) struct Slot {
    /// pid (32) · generation (20) · spare (7) · detached (1) · phase (4)
    state: AtomicU64,
    outcome: AtomicU64,
    status: AtomicU32,
    /// Identity of the starter.
    parent: AtomicU32,
    parent_pid: AtomicI32,
    index: AtomicU32,
    /// The pid of the supervisor that will tell of its end; 0 if none will.
    reporter: AtomicI32,
    flags: AtomicU32,
    /// How many processes this one has started: numbers them.
    children: AtomicU32,
    /// When it began, in ticks since boot; a process with its pid that began later is another.
    started: AtomicU64,
    /// Whether the memory of the slot's page has been reserved; stays so for ever.
    reserved: AtomicU32,
    name_len: AtomicU32,
    name: [AtomicU64; NAME_WORDS],
}

const NAME_WORDS: usize = 16;
/// The longest name of a process, in bytes; longer ones are cut at a character.
pub(crate) const NAME_MAX: usize = NAME_WORDS * 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Phase {
    Free = 0,
    Starting = 1,
    Running = 2,
    Dead = 3,
    Refused = 4,
}

/// How a process came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Method {
    Root = 0,
    ForkServer = 1,
    Spawn = 2,
    Fork = 3,
    /// Forked by the program itself, without psync.
    Foreign = 4,
}

const DAEMON: u32 = 1 << 8;
const PHASE: u32 = 0xf;
const DETACHED: u32 = 0x10;
const GENERATION_SHIFT: u32 = 12;

/// The state word, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u64);

#[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
impl State {
    const fn new(pid: i32, generation: u32, detached: u32, phase: Phase) -> Self {
        Self(
            (pid.cast_unsigned() as u64) << 32
                | (generation << GENERATION_SHIFT | detached | phase as u32) as u64,
        )
    }

    pub(crate) const fn pid(self) -> i32 {
        ((self.0 >> 32) as u32).cast_signed()
    }

    /// The low half, which is the futex.
    pub(crate) const fn low(self) -> u32 {
        self.0 as u32
    }

    pub(crate) const fn generation(self) -> u32 {
        self.low() >> GENERATION_SHIFT
    }

    pub(crate) const fn is_detached(self) -> bool {
        self.low() & DETACHED != 0
    }

    pub(crate) const fn phase(self) -> Phase {
        match self.low() & PHASE {
            1 => Phase::Starting,
            2 => Phase::Running,
            3 => Phase::Dead,
            4 => Phase::Refused,
            _ => Phase::Free,
        }
    }
}

/// How a process ended, in one word; 0 is "not yet".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u32);

impl Status {
    pub(crate) const UNKNOWN: Self = Self(3 << 16);

    pub(crate) const fn exited(code: i32) -> Self {
        Self(1 << 16 | (code.cast_unsigned() & 0xffff))
    }

    pub(crate) const fn signaled(signal: i32, core: bool) -> Self {
        Self(2 << 16 | (core as u32) << 15 | (signal.cast_unsigned() & 0x7fff))
    }

    /// Kind (1 exited, 2 signaled, 3 unknown), number, and whether there is a core file.
    pub(crate) const fn parts(self) -> (u32, i32, bool) {
        let kind = self.0 >> 16;
        let core = kind == 2 && self.0 & 0x8000 != 0;
        (kind, (self.0 & 0x7fff).cast_signed(), core)
    }
}

/// What a function left: 0 is "nothing (yet)". The commit word of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome(pub(crate) u64);

impl Slot {
    pub(crate) fn state(&self) -> State {
        State(self.state.load(Ordering::Acquire))
    }

    /// The half of the state that waits are on.
    pub(crate) fn word(&self) -> &AtomicU32 {
        super::table::low_half(&self.state)
    }

    pub(super) fn exchange(&self, old: State, new: State) -> bool {
        self.state.compare_exchange(old.0, new.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// `FREE → STARTING`, by `pid`; the new generation.
    pub(super) fn take(&self, pid: i32) -> Option<u32> {
        let old = self.state();
        if old.phase() != Phase::Free {
            return None;
        }
        let generation = (old.generation() + 1) & ((1 << 20) - 1);
        let generation = generation.max(1);
        self.exchange(old, State::new(pid, generation, 0, Phase::Starting)).then_some(generation)
    }

    /// Fills in what the starter knows. Only between [`World::take_slot`](super::World::take_slot) and the start.
    pub(crate) fn describe(&self, name: &str, index: u32, daemon: bool, method: Method) {
        self.status.store(0, Ordering::Relaxed);
        self.outcome.store(0, Ordering::Relaxed);
        self.children.store(0, Ordering::Relaxed);
        self.index.store(index, Ordering::Relaxed);
        self.reporter.store(0, Ordering::Relaxed);
        self.flags.store(method as u32 | if daemon { DAEMON } else { 0 }, Ordering::Relaxed);
        self.set_name(name);
    }

    pub(super) fn reserved(&self) -> &AtomicU32 {
        &self.reserved
    }

    pub(super) fn set_parent(&self, parent: Identity, pid: i32) {
        self.parent.store(parent.bits(), Ordering::Relaxed);
        self.parent_pid.store(pid, Ordering::Relaxed);
    }

    fn set_name(&self, name: &str) {
        let name = &name[..name.floor_char_boundary(NAME_MAX)];
        for (word, bytes) in self.name.iter().zip(name.as_bytes().chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_ne_bytes(padded), Ordering::Relaxed);
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most NAME_MAX")]
        self.name_len.store(name.len() as u32, Ordering::Relaxed);
    }

    /// The name of the process; lossy if somebody is just changing it.
    pub(crate) fn name(&self) -> String {
        let bytes: Vec<u8> =
            self.name.iter().flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).collect();
        let len = (self.name_len.load(Ordering::Relaxed) as usize).min(NAME_MAX);
        String::from_utf8_lossy(&bytes[..len]).into_owned()
    }

    /// `STARTING → RUNNING`: the process `pid` takes on the start that `starter` sent. False if another did, or the starter
    /// has given up.
    pub(crate) fn claim(&self, id: Identity, starter: i32, pid: i32) -> bool {
        self.started.store(procfs::ticks_since_boot(), Ordering::Relaxed);
        let detached = self.state().low() & DETACHED;
        let old = State::new(starter, id.generation(), detached, Phase::Starting);
        self.exchange(old, State::new(pid, id.generation(), detached, Phase::Running))
    }

    /// `STARTING → REFUSED`: the start cannot be carried out; `errno` says why.
    pub(crate) fn refuse(&self, id: Identity, errno: i32) -> bool {
        let old = self.state();
        if old.generation() != id.generation() || old.phase() != Phase::Starting {
            return false;
        }
        self.status.store(errno.cast_unsigned(), Ordering::Relaxed);
        self.exchange(old, State::new(old.pid(), id.generation(), 0, Phase::Refused))
    }

    /// `STARTING → FREE`: nobody may claim the start any more. False if it was claimed.
    pub(crate) fn withdraw(&self, id: Identity) -> bool {
        let old = self.state();
        let ours = old.generation() == id.generation();
        if ours && old.phase() == Phase::Refused {
            self.free(id);
        }
        !ours
            || !matches!(old.phase(), Phase::Starting | Phase::Running)
            || old.phase() == Phase::Starting
                && self.exchange(old, State::new(0, id.generation(), 0, Phase::Free))
    }

    /// Ends this generation. The next process in this slot is another one.
    pub(crate) fn free(&self, id: Identity) {
        let old = self.state();
        if old.generation() == id.generation() && old.phase() != Phase::Free {
            self.exchange(old, State::new(0, id.generation(), 0, Phase::Free));
        }
    }

    /// Nobody will ask for the end of this process any more. Frees the slot if it has ended.
    pub(crate) fn detach(&self, id: Identity) {
        loop {
            let old = self.state();
            if old.generation() != id.generation() || old.phase() == Phase::Free {
                return;
            }
            let next = match old.phase() {
                Phase::Dead | Phase::Refused => State::new(0, old.generation(), 0, Phase::Free),
                _ => State(old.0 | u64::from(DETACHED)),
            };
            if self.exchange(old, next) {
                return;
            }
        }
    }

    /// Whether a start with this identity is still to be had.
    pub(crate) fn awaits_claim(&self, id: Identity) -> bool {
        let state = self.state();
        state.generation() == id.generation() && state.phase() == Phase::Starting
    }

    /// Writes down how the process has ended while it is still there to be waited for: whoever then finds it gone, and says so in the table first, has the
    /// right answer.
    pub(crate) fn foretell(&self, status: Status) {
        let _ = self.status.compare_exchange(0, status.0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Records the end. The first to know decides; true if that was this call.
    pub(super) fn die(&self, id: Identity, status: Status, keep: bool) -> bool {
        if !self.is_alive(id) {
            return false;
        }
        self.foretell(status);
        loop {
            let old = self.state();
            if old.generation() != id.generation() || old.phase() != Phase::Running {
                return false;
            }
            let next = if old.is_detached() || !keep { Phase::Free } else { Phase::Dead };
            let pid = if next == Phase::Free { 0 } else { old.pid() };
            if self.exchange(old, State::new(pid, old.generation(), 0, next)) {
                return true;
            }
        }
    }

    pub(crate) fn is_alive(&self, id: Identity) -> bool {
        let state = self.state();
        state.generation() == id.generation() && state.phase() == Phase::Running
    }

    pub(crate) fn pid(&self) -> i32 {
        self.state().pid()
    }

    pub(crate) fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    pub(crate) fn status(&self) -> Status {
        Status(self.status.load(Ordering::Acquire))
    }

    pub(crate) fn outcome(&self) -> Outcome {
        Outcome(self.outcome.load(Ordering::Acquire))
    }

    /// The one store that makes a result exist.
    pub(crate) fn commit(&self, outcome: Outcome) {
        self.outcome.store(outcome.0, Ordering::Release);
    }

    pub(crate) fn parent(&self) -> (Identity, i32) {
        (
            Identity::from_bits(self.parent.load(Ordering::Relaxed)),
            self.parent_pid.load(Ordering::Relaxed),
        )
    }

    /// Before the claim: who will tell of this process's end.
    pub(crate) fn set_reporter(&self, supervisor: i32) {
        self.reporter.store(supervisor, Ordering::Relaxed);
    }

    pub(crate) fn reporter(&self) -> i32 {
        self.reporter.load(Ordering::Relaxed)
    }

    /// Whether what stands there about the parent is about the starter that has taken the slot.
    pub(super) fn is_taken_by_parent(&self) -> bool {
        let (parent, pid) = self.parent();
        parent != Identity::NOBODY && pid == self.pid()
    }

    pub(crate) fn index(&self) -> u32 {
        self.index.load(Ordering::Relaxed)
    }

    pub(crate) fn is_daemon(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & DAEMON != 0
    }

    pub(crate) fn method(&self) -> Method {
        match self.flags.load(Ordering::Relaxed) & 0xff {
            0 => Method::Root,
            1 => Method::ForkServer,
            2 => Method::Spawn,
            3 => Method::Fork,
            _ => Method::Foreign,
        }
    }

    /// A number for the next child.
    pub(crate) fn next_child(&self) -> u32 {
        self.children.fetch_add(1, Ordering::Relaxed)
    }
}
