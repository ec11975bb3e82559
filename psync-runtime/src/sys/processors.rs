//! On how many processors this thread may run, and on which one it does.

use crate::primitive::{AtomicU32, Ordering};
use core::{cell::Cell, num::NonZero};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_getcpu},
    unistd::{Pid, SysconfVar, sysconf},
};

/// How often a thread answers from memory before it asks the kernel again, who may have been told otherwise.
const TRUST: u32 = 64;

thread_local! {
    /// What the kernel has said, and how often that may still be repeated.
    static KNOWN: Cell<(u32, u32)> = const { Cell::new((1, 0)) };
}

/// How many processors this thread may use, at least 1. It may have been another number a moment ago.
#[inline]
pub(crate) fn count() -> u32 {
    let (count, trust) = KNOWN.get();
    if trust == 0 {
        return ask();
    }
    KNOWN.set((count, trust - 1));
    count
}

/// How many processors may work at a time for those that this thread works with. If it is bound to one, the others may be bound to others.
pub(crate) fn usable() -> u32 {
    match count() {
        1 => all(),
        several => several,
    }
}

/// Has the next answer come from the kernel: something here suggests that it has changed.
pub(crate) fn doubt() {
    KNOWN.set((1, 0));
}

#[cold]
fn ask() -> u32 {
    let count = allowed().min(quota());
    KNOWN.set((count, TRUST));
    count
}

/// How many the thread is allowed to run on.
fn allowed() -> u32 {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return 1 };
    let in_set = |cpu: &usize| set.is_set(*cpu) == Ok(true);
    let count = (0..CpuSet::count()).take(all() as usize).filter(in_set).count();
    u32::try_from(count).unwrap_or(u32::MAX).max(1)
}

/// How many processors the machine has, at least 1.
pub(crate) fn all() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    once(&COUNT, || {
        let all = sysconf(SysconfVar::_NPROCESSORS_CONF).ok().flatten().unwrap_or(1);
        u32::try_from(all).unwrap_or(1)
    })
}

/// How many the process's control group lets it use at a time; `u32::MAX` if it does not say. Asked once: it takes reading files.
fn quota() -> u32 {
    static QUOTA: AtomicU32 = AtomicU32::new(0);
    once(&QUOTA, || {
        let usable = std::thread::available_parallelism().map_or(1, NonZero::get);
        let usable = u32::try_from(usable).unwrap_or(u32::MAX);
        if usable < allowed() { usable } else { u32::MAX }
    })
}

fn once(known: &AtomicU32, find: impl FnOnce() -> u32) -> u32 {
    match known.load(Ordering::Relaxed) {
        0 => {
            let found = find().max(1);
            known.store(found, Ordering::Relaxed);
            found
        }
        found => found,
    }
}

/// The processor that this thread runs on. Costs next to nothing.
pub(crate) fn current() -> usize {
    sched_getcpu().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_pinned_learns_of_it() {
        std::thread::spawn(|| {
            let before = sched_getaffinity(Pid::from_raw(0)).expect("it is our own");
            let mut only = CpuSet::new();
            let first = (0..CpuSet::count()).find(|cpu| before.is_set(*cpu) == Ok(true));
            only.set(first.expect("it runs somewhere")).expect("in range");
            assert_eq!(count(), allowed().min(quota()));
            nix::sched::sched_setaffinity(Pid::from_raw(0), &only).expect("allowed");
            assert!((0..=TRUST).any(|_| count() == 1));
            nix::sched::sched_setaffinity(Pid::from_raw(0), &before).expect("allowed");
            doubt();
            assert_eq!(count(), allowed().min(quota()));
        })
        .join()
        .expect("no panic");
    }
}
