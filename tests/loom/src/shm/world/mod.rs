//! Stands in for the runtime's `shm::world`: the process table as far as the machines ask it.

mod blocking;
mod spill;

pub(crate) use crate::machine::read_locks;
pub(crate) use blocking::{Blocking, Holders, NAMES, Operation, Site, Slept, Wake, Watch, Whom};
pub(crate) use spill::{Note, SpillEntry};

use crate::{
    machine::{self, Sabotage},
    primitive::{AtomicU32, Ordering},
    sys::futex,
};

/// The threads of a model, of which the checker allows as many.
pub(crate) const SLOTS: usize = loom::MAX_THREADS;

/// One for all executions: what the checker knows of its words is forgotten before each.
pub(crate) static WORLD: World = World {
    epoch: Epoch(AtomicU32::new(0)),
    dead: [const { AtomicU32::new(0) }; SLOTS],
    ended: [const { AtomicU32::new(0) }; SLOTS],
};

#[derive(Debug)]
pub(crate) struct World {
    epoch: Epoch,
    /// The process table: whose death is known.
    dead: [AtomicU32; SLOTS],
    /// What the kernel knows.
    ended: [AtomicU32; SLOTS],
}

#[derive(Debug)]
struct Epoch(AtomicU32);

/// See the runtime's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity(u32);

impl Identity {
    pub(crate) const NOBODY: Self = Self(0);

    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// Nobody's is one like any other, as in the runtime.
    pub(crate) const fn slot(self) -> usize {
        self.0.saturating_sub(1) as usize
    }

    /// Nobody comes after anybody.
    #[allow(clippy::unused_self, reason = "as in the runtime")]
    pub(crate) const fn generation(self) -> u32 {
        0
    }
}

/// See the runtime's. Whoever is in the table runs, or has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting,
    Running,
}

/// An entry of the process table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot(Identity);

#[allow(clippy::unused_self, reason = "as in the runtime")]
impl Slot {
    pub(crate) const fn pid(self) -> i32 {
        self.0.0.cast_signed()
    }

    pub(crate) const fn state(self) -> Self {
        self
    }

    pub(crate) const fn generation(self) -> u32 {
        0
    }

    pub(crate) const fn phase(self) -> Phase {
        Phase::Running
    }
}

/// See the runtime's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Me {
    pub(crate) id: Identity,
    pub(crate) pid: i32,
}

impl Me {
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

/// This process.
pub(crate) fn me() -> Me {
    machine::is_known();
    machine::me()
}

/// See the runtime's.
pub(crate) fn known_bits() -> u64 {
    if machine::is_known() { machine::me().bits() } else { 0 }
}

/// See the runtime's.
pub(crate) fn deaths() -> u32 {
    WORLD.epoch.0.load(Ordering::Acquire)
}

/// There always is one.
#[allow(clippy::unnecessary_wraps, reason = "as in the runtime")]
pub(crate) fn existing() -> Option<&'static World> {
    Some(&WORLD)
}

/// See the runtime's.
pub(crate) fn world() -> Result<&'static World, core::convert::Infallible> {
    Ok(&WORLD)
}

impl World {
    pub(crate) fn epoch(&self) -> &AtomicU32 {
        &self.epoch.0
    }

    #[allow(clippy::unused_self, reason = "as in the runtime")]
    pub(crate) fn slot(&self, id: Identity) -> Slot {
        Slot(id)
    }

    pub(crate) fn is_alive(&self, id: Identity) -> bool {
        if id == Identity::NOBODY {
            return false;
        }
        let is_known = self.dead[machine::slot(id)].load(Ordering::Acquire) != 0;
        !is_known || machine::has(Sabotage::NoTable)
    }

    /// See the runtime's.
    pub(crate) fn verify(&self, id: Identity) -> bool {
        let lives = self.is_alive(id) && !self.has_ended(id);
        if !lives && id != Identity::NOBODY {
            self.mark_dead(id);
        }
        lives
    }

    /// Whether the kernel knows that the process has ended.
    pub(crate) fn has_ended(&self, id: Identity) -> bool {
        self.ended[machine::slot(id)].latest(Ordering::Acquire) != 0
    }

    /// The process has ended.
    pub(crate) fn end(&self, id: Identity) {
        self.ended[machine::slot(id)].store(1, Ordering::Release);
    }

    /// See the runtime's.
    pub(crate) fn mark_dead(&self, id: Identity) {
        let dead = &self.dead[machine::slot(id)];
        let is_news = dead.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if is_news && !machine::has(Sabotage::NoReport) {
            self.epoch.0.fetch_add(1, Ordering::Release);
            futex::wake_all(&self.epoch.0);
        }
    }

    /// The processes of a model have lent nothing to each other.
    #[allow(clippy::unused_self, reason = "as in the runtime")]
    pub(crate) fn orphans(&self, _dead: Identity) -> impl Iterator<Item = Identity> {
        core::iter::empty()
    }

    #[allow(clippy::unused_self, reason = "as in the runtime")]
    pub(crate) fn verify_orphans(&self, _dead: Identity) -> bool {
        false
    }
}
