//! What the processes of these tests write down, for each other and for the test.

use psync::prelude::*;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst},
};

pub(crate) const ITEMS: usize = 100;

#[shared]
#[derive(Debug)]
pub(crate) struct Log {
    /// Who has run which item.
    pids: [AtomicI32; ITEMS],
    pub(crate) here: AtomicUsize,
    pub(crate) both: Event,
    pub(crate) bell: Event,
}

impl Log {
    pub(crate) const fn empty() -> Self {
        let pids = [const { AtomicI32::new(0) }; ITEMS];
        Self { pids, here: AtomicUsize::new(0), both: Event::new(), bell: Event::new() }
    }

    pub(crate) fn new() -> Shared<Self> {
        Shared::new(Self::empty()).expect("memory")
    }

    pub(crate) fn sign(&self, item: usize) {
        self.pids[item].store(psync::current().pid(), SeqCst);
    }

    pub(crate) fn pid(&self, item: usize) -> i32 {
        self.pids[item].load(SeqCst)
    }

    pub(crate) fn pids(&self) -> BTreeSet<i32> {
        (0..ITEMS).map(|item| self.pid(item)).filter(|pid| *pid != 0).collect()
    }

    pub(crate) fn signed(&self) -> Vec<usize> {
        (0..ITEMS).filter(|item| self.pid(*item) != 0).collect()
    }
}
