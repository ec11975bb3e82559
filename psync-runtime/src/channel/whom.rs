//! Whom an operation on a queue needs, and who could end its wait.

use super::{core::Core, raw::Role};
use crate::{
    primitive::Ordering,
    shm::world::{self, Holders, Identity, NAMES, Operation, Site},
};
use core::panic::Location;

/// Who has to be there for a wait to make sense, and what it waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    pub(super) who: Who,
    what: fn() -> &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Another process that holds the queue.
    OtherProcess,
    /// Anybody with this kind of handle.
    Anybody(Role),
    /// It may be this process's own threads.
    Nobody,
}

impl Needs {
    /// Another process that holds this `T`.
    pub(crate) const fn other_process<T>() -> Self {
        Self { who: Who::OtherProcess, what: core::any::type_name::<T> }
    }

    /// Anybody with this kind of handle, for a `T`.
    pub(crate) const fn anybody<T>(role: Role) -> Self {
        Self { who: Who::Anybody(role), what: core::any::type_name::<T> }
    }

    /// The same without anybody.
    pub(super) const fn nobody(self) -> Self {
        Self { who: Who::Nobody, ..self }
    }

    /// A call that needs it.
    #[track_caller]
    pub(super) fn site(self, operation: Operation) -> Site {
        Site { operation, what: (self.what)(), place: Location::caller() }
    }

    /// Those who have what could end its wait.
    const fn role(self) -> Role {
        match self.who {
            Who::Anybody(role) => role,
            // A handle is for both.
            Who::OtherProcess | Who::Nobody => Role::Sender,
        }
    }
}

impl Core {
    /// All processes that could end such a wait now; `None` if that cannot be told, or `ready` says that it is over.
    ///
    /// The order counts. Whoever has sent something and let go of the queue before the processes are looked at has done so before `ready` is asked.
    pub(super) fn could_end(&self, needs: Needs, ready: impl Fn() -> bool) -> Option<Holders> {
        let world = world::existing()?;
        let head = self.head();
        let moves = head.changes.moves();
        let pages = head.pages.load(Ordering::Acquire);
        let holders = self.presence().holders(needs.role(), |id| world.is_alive(id), pages);
        let is_true = head.changes.is_still_at(moves) && !head.changes.has_strays();
        let mut processes = holders.filter(|_| is_true)?;
        if head.work.is_one.load(Ordering::Relaxed) != 0 {
            processes.extend(head.work.workers(self.hands(), head.received()));
            processes.sort_unstable_by_key(|id: &Identity| id.bits());
            processes.dedup();
        }
        let is_all = processes.len() <= NAMES && !ready();
        is_all.then(|| Holders { processes, file: self.segment().inode() })
    }
}
