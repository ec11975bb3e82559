//! The named points that the threads of a model have passed, and what they do there too late.

use crate::machine::{count, step, trace, who};
use core::cell::RefCell;

thread_local! {
    /// Of each thread, the last one last.
    static PASSED: RefCell<Vec<Vec<&'static str>>> = const { RefCell::new(Vec::new()) };
    static LATE: RefCell<Vec<Late>> = const { RefCell::new(Vec::new()) };
}

/// A thread, a point, and what it does there.
type Late = (usize, &'static str, Box<dyn FnOnce()>);

/// Nobody has passed any.
pub(crate) fn clear() {
    PASSED.set(vec![Vec::new(); loom::MAX_THREADS]);
    LATE.take();
}

/// This thread passes a point.
pub(crate) fn pass(point: &'static str) {
    if std::thread::panicking() {
        return;
    }
    trace(|| point);
    let me = who();
    PASSED.with_borrow_mut(|passed| passed[me].push(point));
    let is_due = |late: &mut Late| (late.0, late.1) == (me, point);
    let due: Vec<Late> = LATE.with_borrow_mut(|late| late.extract_if(.., is_due).collect());
    for (_, _, act) in due {
        step();
        act();
    }
}

/// Has this thread do something when it passes a point, too late.
pub(crate) fn later(point: &'static str, act: impl FnOnce() + 'static) {
    LATE.with_borrow_mut(|late| late.push((who(), point, Box::new(act))));
}

/// Whether this thread has passed one point and not yet the other one that follows.
pub(crate) fn is_between(first: &str, second: &str) -> bool {
    PASSED.with_borrow(|passed| {
        let at = |point| passed[who()].iter().rposition(|passed| *passed == point);
        at(first) > at(second)
    })
}

/// Whether the process that was started as the n-th, counted from 1, has passed a point. Only after its end: it is no step.
pub(crate) fn has_passed(process: usize, point: &str) -> bool {
    count_passes(process, point) > 0
}

/// How often it has.
pub(crate) fn count_passes(process: usize, point: &str) -> usize {
    PASSED.with_borrow(|passed| passed[process].iter().filter(|at| **at == point).count())
}

/// The last point that each thread has passed, for the report of a failure.
pub(crate) fn whereabouts() -> Vec<&'static str> {
    PASSED.with_borrow(|passed| {
        let last = |points: &Vec<&'static str>| points.last().copied().unwrap_or("the start");
        passed.iter().take(count()).map(last).collect()
    })
}
