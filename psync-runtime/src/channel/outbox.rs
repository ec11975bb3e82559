//! What this process has sent handles of, kept open until the messages have been received.

use super::{
    core::Core,
    raw::{Account, Role},
};
use crate::{
    primitive::{AtomicUsize, Ordering},
    shm::{Carried, segment::Inode, transfer, world::Identity},
    sys::fork_lock::ForkCell,
};
use std::{
    collections::BTreeMap,
    os::fd::OwnedFd,
    sync::{Arc, OnceLock},
};

/// What waits in one queue: each thing, and how many messages will have been received once its last one was.
struct Waiting {
    core: Arc<Core>,
    carried: BTreeMap<Inode, (u64, Carried)>,
}

/// By the number of the queue's segment.
static OUTBOX: ForkCell<Option<BTreeMap<u64, Waiting>>> = ForkCell::new(None);
/// How many queues are in it: most processes need not look.
static QUEUES: AtomicUsize = AtomicUsize::new(0);

/// What the layer that knows the supervisor does for this one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hooks {
    /// Finds what a process that has ended left for whoever receives its messages.
    pub(crate) find: fn(Inode, Identity) -> Option<OwnedFd>,
    /// Sees that what is in the outbox at the end of this process is left to somebody.
    pub(crate) arm: fn(),
}

static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// Has `hooks` called from here on.
pub(crate) fn install(hooks: Hooks) {
    let _ = HOOKS.set(hooks);
}

/// What the ended process `sender` left of that number.
pub(super) fn legacy(inode: Inode, sender: Identity) -> Option<OwnedFd> {
    HOOKS.get().and_then(|hooks| (hooks.find)(inode, sender))
}

/// With how many queues in it the outbox is next looked through: twice as many as were left the last time.
static LOOK_AT: AtomicUsize = AtomicUsize::new(FEW);
const FEW: usize = 16;

/// Keeps `carried` until what has been sent so far through the queue was received.
pub(super) fn keep(core: &Arc<Core>, carried: &[Carried]) {
    let until = core.head().sent();
    if QUEUES.load(Ordering::Relaxed) >= LOOK_AT.load(Ordering::Relaxed) {
        prune_all();
    }
    if let Some(hooks) = HOOKS.get() {
        (hooks.arm)();
    }
    let old = OUTBOX.with(|outbox| {
        let outbox = outbox.get_or_insert_default();
        let waiting = outbox
            .entry(core.segment().id())
            .or_insert_with(|| Waiting { core: Arc::clone(core), carried: BTreeMap::new() });
        for one in carried {
            if let Ok((inode, _)) = transfer::inode_of(one) {
                waiting.carried.insert(inode, (until, one.clone()));
            }
        }
        let old = waiting.drop_received();
        QUEUES.store(outbox.len(), Ordering::Relaxed);
        old
    });
    drop(old);
}

impl Waiting {
    /// Takes out what nobody will ask for any more.
    fn drop_received(&mut self) -> Vec<Carried> {
        let core = Arc::clone(&self.core);
        let gone = self.carried.extract_if(.., |_, (until, _)| core.is_past(*until));
        gone.map(|(_, (_, carried))| carried).collect()
    }

    fn is_over(&self) -> bool {
        self.carried.is_empty() || self.core.who(Role::Receiver, false) == Account::Nobody
    }
}

/// Lets go of what has been received.
#[inline]
pub(crate) fn prune() {
    if QUEUES.load(Ordering::Relaxed) != 0 {
        prune_all();
    }
}

#[cold]
fn prune_all() {
    let old = OUTBOX.with(|outbox| {
        let Some(outbox) = outbox else { return (Vec::new(), Vec::new()) };
        let received: Vec<Carried> = outbox.values_mut().flat_map(Waiting::drop_received).collect();
        let over: Vec<Waiting> =
            outbox.extract_if(.., |_, waiting| waiting.is_over()).map(|(_, over)| over).collect();
        QUEUES.store(outbox.len(), Ordering::Relaxed);
        LOOK_AT.store((2 * outbox.len()).max(FEW), Ordering::Relaxed);
        (received, over)
    });
    // Outside of the lock: what is dropped may come back here.
    drop(old);
}

/// What has not been received at the end of this process: for each queue its file, how many messages have to be received first,
/// and what waits for that.
pub(crate) fn remains() -> Vec<(Arc<Core>, u64, Vec<Carried>)> {
    prune();
    if QUEUES.load(Ordering::Relaxed) == 0 {
        return Vec::new();
    }
    let outbox = OUTBOX.with(Option::take);
    let waiting = outbox.into_iter().flat_map(BTreeMap::into_values);
    waiting
        .map(|Waiting { core, carried }| {
            let until = carried.values().map(|(until, _)| *until).max().unwrap_or(0);
            (core, until, carried.into_values().map(|(_, one)| one).collect())
        })
        .collect()
}
