//! Which locks this thread reads under, so that it does not wait for itself, and others can tell that it holds them up.

use super::me;
use core::cell::Cell;

/// How many are told apart. With more, some are not known, which costs nothing but a report.
const MOST: usize = 16;

struct Held {
    /// The process that the rest is about: a forked one has its starter's memory, and reads under none of its locks.
    pid: Cell<i32>,
    /// How many there are. Those beyond [`MOST`] are not written down.
    count: Cell<usize>,
    /// The addresses of the locks, each as often as the thread reads; 0 where one was taken out.
    locks: [Cell<usize>; MOST],
}

thread_local! {
    static HELD: Held = const {
        Held { pid: Cell::new(0), count: Cell::new(0), locks: [const { Cell::new(0) }; MOST] }
    };
}

/// This thread of the process `pid` begins to read under the lock at `address`.
#[inline]
pub(crate) fn push(pid: i32, address: usize) {
    HELD.with(|held| {
        let count = if held.pid.replace(pid) == pid { held.count.get() } else { 0 };
        if let Some(lock) = held.locks.get(count) {
            lock.set(address);
        }
        held.count.set(count + 1);
    });
}

/// It has done so.
#[inline]
pub(crate) fn pop(pid: i32, address: usize) {
    HELD.with(|held| {
        let Some(left) = held.count.get().checked_sub(1).filter(|_| held.pid.get() == pid) else {
            return;
        };
        if held.locks.get(left).is_none_or(|last| last.get() != address) {
            take_out(held, left, address);
        }
        held.count.set(left);
    });
}

/// Locks are left in another order than they were entered.
#[cold]
fn take_out(held: &Held, left: usize, address: usize) {
    let known = left.min(MOST);
    if let Some(lock) = held.locks[..known].iter().rev().find(|lock| lock.get() == address) {
        lock.set(held.locks.get(left).map_or(0, Cell::get));
    }
}

/// Whether it does.
pub(crate) fn contains(address: usize) -> bool {
    all().contains(&address)
}

/// All of them, each once.
pub(super) fn all() -> Vec<usize> {
    let mut all: Vec<usize> = HELD.with(|held| {
        let count = if held.pid.get() == me().pid { held.count.get() } else { 0 };
        held.locks.iter().take(count).map(Cell::get).filter(|lock| *lock != 0).collect()
    });
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_left_in_any_order() {
        let pid = me().pid;
        assert_eq!(all(), []);
        for lock in [10, 20, 10, 30] {
            push(pid, lock);
        }
        assert_eq!(all(), [10, 20, 30]);
        pop(pid, 20);
        pop(pid, 10);
        assert_eq!(all(), [10, 30]);
        pop(pid, 30);
        pop(pid, 10);
        assert_eq!(all(), []);
        pop(pid, 10);
    }

    #[test]
    fn more_than_can_be_told_apart_come_and_go() {
        let pid = me().pid;
        for lock in 1..=MOST + 5 {
            push(pid, lock);
        }
        assert!(contains(MOST) && !contains(MOST + 1));
        for lock in 1..=MOST + 5 {
            pop(pid, lock);
        }
        assert_eq!(all(), []);
    }

    #[test]
    fn a_copy_of_another_process_is_forgotten() {
        push(me().pid + 1, 10);
        assert!(!contains(10));
        push(me().pid, 20);
        assert_eq!(all(), [20]);
        pop(me().pid, 20);
    }
}
