//! What the models protect with the machines.

use crate::{
    machine::{self, me, shared},
    primitive::{AtomicU32, Ordering},
};
use core::sync::atomic;
use std::sync::Arc;

/// Two numbers that are to be equal, written one after the other. To the checker they are plain memory: whoever touches them beside
/// somebody else, or without having seen what was written before, fails the model.
#[derive(Debug)]
pub(crate) struct Data {
    plain: loom::cell::UnsafeCell<()>,
    halves: [atomic::AtomicU32; 2],
    /// Who is at it, which also shows where the machine's memory is strong, so that nothing is unseen.
    guest: AtomicU32,
}

impl Data {
    pub(crate) fn new() -> Arc<Self> {
        shared(Self {
            plain: loom::cell::UnsafeCell::new(()),
            halves: Default::default(),
            guest: AtomicU32::new(0),
        })
    }

    /// Touches the data as somebody who must be alone with it.
    pub(crate) fn visit(&self, touch: impl FnOnce()) {
        let before = self.guest.swap(me().id.bits(), Ordering::Relaxed);
        assert!(before == 0 || machine::is_dead(before), "two at a time");
        touch();
        self.guest.store(0, Ordering::Relaxed);
    }

    /// Adds one to both. A victim may be killed before, between, and after.
    pub(crate) fn add(&self) {
        self.visit(|| {
            self.add_half();
            machine::step();
            self.plain.with_mut(|_| self.halves[1].fetch_add(1, Ordering::Relaxed));
            machine::step();
        });
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

    /// Reads it beside others who do so too, at two moments with nobody else at it.
    pub(crate) fn read_among_others(&self) -> u32 {
        self.is_left_alone();
        let first = self.read_whole();
        self.is_left_alone();
        assert_eq!(self.read_whole(), first);
        first
    }

    fn is_left_alone(&self) {
        let guest = self.guest.load(Ordering::Relaxed);
        assert!(guest == 0 || machine::is_dead(guest), "somebody writes");
    }

    /// Writes 1 into both, whatever they were. A victim may be killed before, between, and after.
    pub(crate) fn make(&self) {
        self.visit(|| {
            for half in &self.halves {
                machine::step();
                self.plain.with_mut(|_| half.store(1, Ordering::Relaxed));
            }
            machine::step();
        });
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

/// A place with room for so many.
#[derive(Debug)]
pub(crate) struct Room(AtomicU32, u32);

impl Room {
    pub(crate) fn new(size: u32) -> Arc<Self> {
        shared(Self(AtomicU32::new(0), size))
    }

    pub(crate) fn visit(&self) {
        let others = self.0.fetch_add(1, Ordering::Relaxed);
        assert!(others < self.1, "{others} of {} places are taken", self.1);
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
