//! The robust list, and what the kernel does with it when a thread dies.

use crate::{
    machine::{self, Death, robust, sleep, step},
    memory,
    primitive::Ordering,
};
use core::fmt;
use std::rc::Rc;

/// As large as the runtime's, whose `next` is the second half.
#[repr(C)]
pub(crate) struct RobustNode([usize; 2]);

/// From a node's `next` back to its lock word, as in the runtime.
const TO_WORD: usize = 32;
const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;
const TID: u32 = 0x3fff_ffff;

impl RobustNode {
    pub(crate) const fn new() -> Self {
        Self([0; 2])
    }

    /// The address of `next`.
    fn member(&self) -> usize {
        core::ptr::from_ref(&self.0[1]).addr()
    }

    fn fields(&self) -> Rc<loom::cell::UnsafeCell<()>> {
        memory::at(self.member(), || loom::cell::UnsafeCell::new(()))
    }

    /// The fields are plain memory: whoever writes them must know that nobody else does (UNSAFE.md, L2).
    fn write(&self) {
        self.fields().with_mut(|_| ());
    }
}

impl fmt::Debug for RobustNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields();
        f.write_str("RobustNode")
    }
}

impl Drop for RobustNode {
    fn drop(&mut self) {
        memory::forget(self.member());
    }
}

/// See the runtime's.
pub(crate) fn tid() -> u32 {
    machine::me().id.bits()
}

/// See the runtime's.
pub(crate) fn must_ask() -> bool {
    machine::death() == Death::Unmarked
}

/// See the runtime's.
pub(crate) fn pending(node: &RobustNode) -> (u32, Pending<'_>) {
    if !std::thread::panicking() {
        step();
        machine::trace(|| format!("pending {:#x}", node.member() - TO_WORD));
        robust::set_pending(Some(node.member()));
    }
    (tid(), Pending(node))
}

/// See the runtime's.
pub(crate) fn pending_at_once(node: &RobustNode) -> Option<(u32, Pending<'_>)> {
    Some(pending(node))
}

/// See the runtime's.
pub(crate) fn pending_if_alone(node: &RobustNode) -> Option<Pending<'_>> {
    let is_alone = !std::thread::panicking() && robust::is_alone(node.member());
    is_alone.then(|| pending(node).1)
}

/// See the runtime's.
#[derive(Debug)]
pub(crate) struct Pending<'a>(&'a RobustNode);

impl Pending<'_> {
    pub(crate) fn link(self) {
        if !std::thread::panicking() {
            step();
            self.0.write();
            machine::trace(|| "link");
            robust::link(self.0.member());
        }
        core::mem::forget(self);
    }

    pub(crate) fn unlink(&self) {
        if !std::thread::panicking() {
            step();
            self.0.write();
            machine::trace(|| "unlink");
            robust::unlink(self.0.member());
        }
    }

    pub(crate) fn unlink_alone(&self) {
        self.unlink();
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            step();
            machine::trace(|| "not pending");
            robust::set_pending(None);
        }
    }
}

/// Orders what a kill cuts off: a killed thread of a model stops between two steps, and the kernel sees all that were made.
pub(crate) fn kill_fence() {}

/// What Linux does with the list of a thread that has ended (`exit_robust_list`).
pub(crate) fn exit(members: &[usize], pending: Option<usize>) {
    for member in members.iter().filter(|member| Some(**member) != pending) {
        mark(*member, false);
    }
    if let Some(member) = pending {
        mark(member, true);
    }
}

/// `handle_futex_death`.
fn mark(member: usize, is_pending: bool) {
    let address = member - TO_WORD;
    let word = memory::word(address);
    let exchange = |old, new| word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire);
    let mut seen = exchange(TID, TID).unwrap_or_else(|seen| seen);
    loop {
        if is_pending && seen == 0 {
            sleep::wake(address, 1);
            return;
        }
        if seen & TID != tid() {
            return;
        }
        match exchange(seen, seen & WAITERS | OWNER_DIED) {
            Ok(_) => {
                machine::trace(|| format!("{address:#x} is marked"));
                break;
            }
            Err(now) => seen = now,
        }
    }
    if seen & WAITERS != 0 {
        sleep::wake(address, 1);
    }
}
