//! Barriers that one thread has all others pass, as the kernel does it with an interrupt.
//!
//! What a thread has done before the moment of the barrier is seen by whoever had it pass, afterwards; and what that one has done before is seen by the thread from
//! then on. So in a model with such barriers each thread publishes what it does, in a word of the checker's, where the barrier acquires it; and acquires what
//! the last barrier has published before it goes on. Nothing is gained by that between two threads of which neither asks for a barrier.

use crate::machine::{self, Sabotage, has};
use core::cell::{Cell, RefCell};
use loom::sync::atomic::{AtomicU32, Ordering};
use std::rc::Rc;

#[derive(Debug)]
struct Words {
    /// What each thread has done.
    threads: [AtomicU32; loom::MAX_THREADS],
    /// What was done before the last barrier.
    barrier: AtomicU32,
}

thread_local! {
    static WORDS: RefCell<Option<Rc<Words>>> = const { RefCell::new(None) };
    static ARE_THERE: Cell<bool> = const { Cell::new(false) };
    static COUNT: Cell<u32> = const { Cell::new(0) };
    static PASSED: Cell<[u32; loom::MAX_THREADS]> = const { Cell::new([0; loom::MAX_THREADS]) };
}

/// A model without barriers begins.
pub(crate) fn clear() {
    WORDS.set(None);
    ARE_THERE.set(false);
    COUNT.set(0);
    PASSED.set([0; loom::MAX_THREADS]);
}

/// There will be barriers.
pub(crate) fn begin() {
    ARE_THERE.set(true);
    if !machine::is_strong() {
        let threads = core::array::from_fn(|_| AtomicU32::new(0));
        WORDS.set(Some(Rc::new(Words { threads, barrier: AtomicU32::new(0) })));
    }
}

/// Whether there are.
pub(crate) fn are_there() -> bool {
    ARE_THERE.get()
}

fn words() -> Option<Rc<Words>> {
    WORDS.with_borrow(Clone::clone)
}

/// This thread has done something that others can see.
pub(crate) fn publish() {
    if let Some(words) = words() {
        words.threads[machine::who()].fetch_add(1, Ordering::Release);
    }
}

/// This thread goes on: it has passed all barriers that were asked for.
pub(crate) fn pass() {
    let me = machine::who();
    let mut passed = PASSED.get();
    if passed[me] != COUNT.get() {
        passed[me] = COUNT.get();
        PASSED.set(passed);
        if let Some(words) = words() {
            words.barrier.fetch_add(1, Ordering::Acquire);
        }
    }
}

/// Has all threads pass a barrier.
pub(crate) fn heavy() {
    if has(Sabotage::NoBarrier) {
        return;
    }
    if let Some(words) = words() {
        // Whoever is too late for the second of these passes the barrier that the first one has made.
        words.barrier.fetch_add(1, Ordering::AcqRel);
        COUNT.set(COUNT.get() + 1);
        for thread in &words.threads[..machine::count()] {
            thread.fetch_add(1, Ordering::Acquire);
        }
    }
}
