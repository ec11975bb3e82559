//! The objects of a server, and who holds them.

use super::{
    Served,
    accounts::{Accounts, Charge},
};
use crate::{
    manager::error::Fault,
    primitive::{AtomicU64, Ordering},
    shm::world::{self, Identity, Phase},
    sys::memory,
};
use core::hash::{BuildHasherDefault, Hasher};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

/// So many objects of one dead process are worth a look for memory that the system may have back.
const MANY: usize = 256;

/// Numbers of objects are as good as hashes once they are spread.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

type Objects = HashMap<u64, Arc<dyn Served>, BuildHasherDefault<Spread>>;

/// See the module.
pub(in super::super) struct Table {
    owner: Identity,
    objects: RwLock<Objects>,
    accounts: Mutex<Accounts>,
    next: AtomicU64,
    /// Objects that have names, and what they are.
    names: Mutex<HashMap<String, (u64, u64)>>,
}

impl core::fmt::Debug for Table {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Table({} objects)", self.len())
    }
}

impl Table {
    pub(super) fn new(owner: Identity) -> Self {
        Self {
            owner,
            objects: RwLock::default(),
            accounts: Mutex::default(),
            next: AtomicU64::new(1),
            names: Mutex::default(),
        }
    }

    /// The process whose table it is.
    pub(in super::super) const fn owner(&self) -> Identity {
        self.owner
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object of that number.
    #[inline]
    pub(super) fn get(&self, object: u64) -> Option<Arc<dyn Served>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.get(&object).map(Arc::clone)
    }

    /// How many objects there are.
    pub(in super::super) fn len(&self) -> usize {
        self.objects.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes in a new object, which `holder` has the first handle of.
    pub(super) fn insert(&self, holder: Identity, served: Arc<dyn Served>) -> u64 {
        let object = self.next.fetch_add(1, Ordering::Relaxed);
        self.objects.write().unwrap_or_else(PoisonError::into_inner).insert(object, served);
        self.accounts().begin(holder, object);
        object
    }

    /// Drops objects that nobody holds, outside of all locks: handles in them come back here.
    fn remove(&self, gone: impl IntoIterator<Item = u64>) {
        for object in gone {
            let removed =
                self.objects.write().unwrap_or_else(PoisonError::into_inner).remove(&object);
            // What the user's `drop` does is no fault of whoever lets go, nor of the other objects here.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(removed)));
        }
    }

    pub(in super::super) fn release(&self, process: Identity, object: u64) {
        let is_last = self.accounts().release(process, object);
        self.remove(is_last.then_some(object));
    }

    pub(in super::super) fn depart(&self, charge: Charge, object: u64) -> bool {
        self.accounts().depart(charge, object)
    }

    pub(in super::super) fn arrive(&self, process: Identity, charge: Charge, object: u64) -> bool {
        self.accounts().arrive(process, charge, object)
    }

    pub(in super::super) fn land(&self, charge: Charge, object: u64) {
        let is_last = self.accounts().land(charge, object);
        self.remove(is_last.then_some(object));
    }

    /// Has the object be found under a name, and so held, in the place of another one. False if it is gone.
    pub(super) fn publish(&self, name: String, object: u64, kind: u64) -> bool {
        let mut accounts = self.accounts();
        if !accounts.knows(object) {
            return false;
        }
        accounts.begin(self.owner, object);
        drop(accounts);
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let old = names.insert(name, (object, kind));
        drop(names);
        if let Some((old, _)) = old {
            self.release(self.owner, old);
        }
        true
    }

    /// The object of a name, if there is one, with a handle for whoever asks.
    pub(super) fn find(&self, asks: Identity, name: &str, kind: u64) -> Result<Option<u64>, Fault> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((object, of_kind)) = names.get(name).copied() else { return Ok(None) };
        if of_kind != kind {
            return Err(Fault::WrongType);
        }
        // While the name holds it.
        self.accounts().begin(asks, object);
        drop(names);
        Ok(Some(object))
    }

    pub(super) fn connect(&self, process: Identity) {
        self.accounts().connect(process);
    }

    /// A connection has ended, and all that had come through it is done.
    pub(super) fn disconnect(&self, process: Identity) {
        self.accounts().disconnect(process);
        self.sweep_process(process, false);
    }

    /// Lets go of what the dead have. With `verify`, asks the kernel who is dead.
    pub(super) fn sweep(&self, verify: bool) {
        let processes = self.accounts().processes();
        for process in processes {
            self.sweep_process(process, verify);
        }
        let gone = self.accounts().close_estates();
        self.remove(gone);
    }

    fn sweep_process(&self, process: Identity, verify: bool) {
        if is_there(process, verify) {
            return;
        }
        let gone = self.accounts().close(process);
        let many = gone.len() >= MANY;
        self.remove(gone);
        if many {
            memory::give_back();
        }
    }
}

/// Whether a process lives, or is being started.
fn is_there(process: Identity, verify: bool) -> bool {
    let Some(world) = world::existing() else { return true };
    let state = world.slot(process).state();
    if state.generation() != process.generation() {
        return false;
    }
    match state.phase() {
        Phase::Starting => true,
        Phase::Running => !verify || world.verify(process),
        _ => false,
    }
}
