//! What the models protect with the machines.

use crate::machine::{self, shared};
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// Two numbers that are to be equal, written one after the other. The checker takes them for plain memory: whoever touches them beside
/// somebody else, or without having seen what was written before, fails the model.
#[derive(Debug)]
pub(crate) struct Data {
    plain: loom::cell::UnsafeCell<()>,
    halves: [AtomicU32; 2],
}

impl Data {
    pub(crate) fn new() -> Arc<Self> {
        shared(Self { plain: loom::cell::UnsafeCell::new(()), halves: Default::default() })
    }

    /// Adds one to both. A victim may be killed before, between, and after.
    pub(crate) fn add(&self) {
        for half in &self.halves {
            machine::step();
            self.plain.with_mut(|_| half.fetch_add(1, Ordering::Relaxed));
        }
    }

    /// Adds one to the first half.
    pub(crate) fn add_half(&self) {
        self.plain.with_mut(|_| self.halves[0].fetch_add(1, Ordering::Relaxed));
    }

    /// Takes back what was half done.
    pub(crate) fn repair(&self) {
        let [first, second] = &self.halves;
        self.plain.with_mut(|_| first.store(second.load(Ordering::Relaxed), Ordering::Relaxed));
    }

    /// Makes it 1, whatever was done of that.
    pub(crate) fn complete(&self) {
        self.plain
            .with_mut(|_| self.halves.each_ref().map(|half| half.store(1, Ordering::Relaxed)));
    }

    /// What it is, if it is whole.
    pub(crate) fn read(&self) -> Option<u32> {
        let [first, second] =
            self.plain.with(|_| self.halves.each_ref().map(|half| half.load(Ordering::Relaxed)));
        (first == second).then_some(first)
    }

    /// What it is.
    pub(crate) fn read_whole(&self) -> u32 {
        self.read().expect("the data is whole")
    }
}
