//! Threads that have given a lock up for a while and yet have others of its guards.

use super::{death, me, roster::Roster};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    shm::world::{Identity, Watch},
    sys::{clock::Deadline, fault},
};
use core::time::Duration;

/// How long a process may take from giving up its locks to being gone.
const MOMENT: Duration = Duration::from_millis(100);
/// How often to look for that, if nobody tells.
const LOOK: Duration = Duration::from_millis(2);

/// How many such threads each process has. A number is written before the lock is given up, and taken back after it was acquired again; that of a process that has
/// died counts for nothing.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Sleepers {
    roster: Roster,
    /// Whether there was no room for somebody, ever: then nobody knows.
    crowded: AtomicU32,
}

/// One of them, until this is dropped.
#[derive(Debug)]
pub(crate) struct Sleeping<'a> {
    word: &'a AtomicU64,
    holder: Identity,
}

impl Sleepers {
    pub(crate) const fn new() -> Self {
        Self { roster: Roster::new(), crowded: AtomicU32::new(0) }
    }

    /// This thread is one. Only with the lock.
    pub(crate) fn join(&self) -> Option<Sleeping<'_>> {
        let me = me();
        if let Ok(entry) = self.roster.change(me, |sleepers| sleepers + 1) {
            entry.note_pid(me.pid);
            fault::point("sleepers: joined");
            return Some(Sleeping { word: entry.word(), holder: me.id });
        }
        self.crowded.store(1, Ordering::Relaxed);
        None
    }

    /// Whether there are any, as far as is known. Only with the lock.
    ///
    /// The kernel gives on what `dying` held before that process is quite gone: it gets a moment for that.
    pub(crate) fn are_there(&self, dying: i32) -> bool {
        let moment = Deadline::after(MOMENT);
        loop {
            let watch = Watch::new();
            let mut left = self.roster.places().filter(|place| {
                let (holder, sleepers) = place.read();
                sleepers != 0 && !death::is_gone(holder)
            });
            let is_crowded = self.crowded.load(Ordering::Relaxed) != 0;
            let Some(first) = left.next() else { return is_crowded };
            let only_dying = first.pid() == dying && left.all(|place| place.pid() == dying);
            if is_crowded || !only_dying || moment.is_over() {
                return true;
            }
            let nothing = AtomicU32::new(0);
            watch.wait(&nothing, 0, moment.min(Deadline::after(LOOK)));
        }
    }
}

impl Drop for Sleeping<'_> {
    fn drop(&mut self) {
        Roster::take_one(self.word, self.holder);
    }
}
