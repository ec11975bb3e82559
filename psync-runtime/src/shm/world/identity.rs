//! Who a process is, in a form that is never reused while anyone could confuse it.

use super::{Method, Status, World, existing};
use crate::{
    primitive::{AtomicU64, Ordering},
    sys::{pidfd::PidFd, procfs},
};

/// A process of this program: its slot in the table and the slot's generation. 0 is nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(u32);

const SLOT_BITS: u32 = super::SLOTS.ilog2();

impl Identity {
    /// No process: where there is no world, or none is meant.
    pub(crate) const NOBODY: Self = Self(0);

    pub(crate) const fn new(slot: usize, generation: u32) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "slots are fewer than 2^12")]
        Self(generation << SLOT_BITS | slot as u32)
    }

    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) const fn slot(self) -> usize {
        (self.0 & ((1 << SLOT_BITS) - 1)) as usize
    }

    pub(crate) const fn generation(self) -> u32 {
        self.0 >> SLOT_BITS
    }
}

/// This process: its identity and its pid, small enough for one store into a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Me {
    pub(crate) id: Identity,
    pub(crate) pid: i32,
}

impl Me {
    /// Both in one word, never 0.
    pub(crate) const fn bits(self) -> u64 {
        (self.pid.cast_unsigned() as u64) << 32 | self.id.0 as u64
    }

    pub(crate) const fn from_bits(bits: u64) -> Option<Self> {
        #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
        match bits {
            0 => None,
            _ => Some(Self { id: Identity(bits as u32), pid: ((bits >> 32) as u32).cast_signed() }),
        }
    }
}

static ME: AtomicU64 = AtomicU64::new(0);

/// This process. Its identity is [`Identity::NOBODY`] as long as the program has no world.
#[inline]
pub(crate) fn me() -> Me {
    match Me::from_bits(ME.load(Ordering::Relaxed)) {
        Some(me) => me,
        None => introduce(),
    }
}

/// [`Me::bits`] of this process if they are known already, as they are after the first [`me`]; otherwise 0.
#[inline]
pub(crate) fn known_bits() -> u64 {
    ME.load(Ordering::Relaxed)
}

/// First use in this process: in a program without a world, or in a child that the program forked by itself.
#[cold]
fn introduce() -> Me {
    let pid = nix::unistd::getpid().as_raw();
    let Some(world) = existing() else { return stay_nobody(pid) };
    let id = world.take_slot(Identity::NOBODY, pid).map_or(Identity::NOBODY, |id| {
        world.slot(id).describe("fork", 0, false, Method::Foreign);
        world.slot(id).detach(id);
        world.slot(id).claim(id, pid, pid);
        id
    });
    become_process(Me { id, pid })
}

/// Remembers the pid, until a world is made and gives this process an identity ([`register_root`]).
fn stay_nobody(pid: i32) -> Me {
    forget_at_fork();
    let me = Me { id: Identity::NOBODY, pid };
    match ME.compare_exchange(0, me.bits(), Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => me,
        Err(now) => Me::from_bits(now).unwrap_or(me),
    }
}

/// Sets who this process is, once its slot is claimed. Also the moment to have raw forks forget it.
pub(crate) fn become_process(me: Me) -> Me {
    forget_at_fork();
    ME.store(me.bits(), Ordering::Relaxed);
    me
}

fn forget_at_fork() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| crate::sys::thread::at_fork(forget));
}

/// In the child of a fork: whoever it is, it is not its parent.
pub(crate) fn forget() {
    ME.store(0, Ordering::Relaxed);
}

/// The process that makes the world has the first slot.
pub(super) fn register_root(world: &World) {
    let pid = nix::unistd::getpid().as_raw();
    if let Some(id) = world.take_slot(Identity::NOBODY, pid) {
        world.slot(id).describe("main", 0, false, Method::Root);
        world.slot(id).claim(id, pid, pid);
        become_process(Me { id, pid });
    }
}

/// Whether the last thread of a process has ended, which may be later than its first.
fn has_ended(pid: i32) -> bool {
    PidFd::open(pid).map_or(true, |pidfd| pidfd.has_ended())
}

impl World {
    /// Whether the process is alive as far as the table knows. Nobody is not.
    pub(crate) fn is_alive(&self, id: Identity) -> bool {
        id != Identity::NOBODY && self.slot(id).is_alive(id)
    }

    /// Asks the kernel whether the process is alive, for when the reaper may be gone. If it has vanished, the table learns it.
    pub(crate) fn verify(&self, id: Identity) -> bool {
        if !self.is_alive(id) {
            return false;
        }
        let slot = self.slot(id);
        let (pid, started) = (slot.pid(), slot.started());
        match procfs::Stat::of(pid) {
            Some(stat) if stat.started <= started => !stat.is_zombie() || !has_ended(pid),
            _ => {
                self.mark_dead(id, Status::UNKNOWN);
                false
            }
        }
    }
}
