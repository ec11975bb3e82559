//! Condition variables.

use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, doomed, process, shared, strike, victim},
    points::has_passed,
    primitive::{AtomicU32, Ordering},
    sync::raw::{Acquired, Ended, RawCondvar, RawMutex},
    sys::clock::Deadline,
};
use std::sync::Arc;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "condvar::one_waits_for_another",
        run: one_waits_for_another,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "condvar::two_are_notified_one_by_one",
        run: two_are_notified_one_by_one,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "condvar::two_are_notified_at_once",
        run: two_are_notified_at_once,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "condvar::one_gives_up_waiting",
        run: one_gives_up_waiting,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "condvar::a_waiter_is_killed",
        run: a_waiter_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "condvar::a_waiter_is_killed_unreported",
        run: a_waiter_is_killed_unreported,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
    Model {
        name: "condvar::who_passes_on_is_killed",
        run: who_passes_on_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "condvar::the_notifier_is_killed",
        run: the_notifier_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
];

/// A number of tokens behind a mutex.
#[derive(Debug)]
struct Box {
    mutex: RawMutex,
    tokens: AtomicU32,
    condvar: RawCondvar,
}

impl Box {
    fn new() -> Arc<Self> {
        shared(Self {
            mutex: RawMutex::new(),
            tokens: AtomicU32::new(0),
            condvar: RawCondvar::new(),
        })
    }

    fn lock(&self) {
        if let Ok(Acquired::Inherited(_)) = self.mutex.lock(&Deadline::NEVER.into()) {
            self.mutex.adopt();
        }
    }

    /// As the typed face does it: with the mutex before and after.
    fn wait(&self, until: Deadline) -> Ended {
        let waiter = self.condvar.enlist();
        self.mutex.unlock();
        self.condvar.sleep(&waiter, &until.into(), || self.mutex.is_suspect());
        self.lock();
        self.condvar.leave(&waiter)
    }

    /// Takes a token; waits for one.
    fn take(&self) {
        self.lock();
        while self.tokens.load(Ordering::Relaxed) == 0 {
            self.wait(Deadline::NEVER);
        }
        self.tokens.fetch_sub(1, Ordering::Relaxed);
        self.mutex.unlock();
    }

    fn put(&self, tokens: u32) {
        self.lock();
        self.tokens.fetch_add(tokens, Ordering::Relaxed);
        self.mutex.unlock();
    }

    fn is_empty(&self) {
        assert_eq!((self.tokens.load(Ordering::Relaxed), self.condvar.waiting()), (0, 0));
        assert_eq!(self.condvar.notify(1), 0);
    }
}

/// One takes what another one puts.
fn one_waits_for_another(explorer: Explorer) {
    explorer.thoroughly(|| {
        let tokens = Box::new();
        let taker = {
            let tokens = tokens.clone();
            process(move || tokens.take())
        };
        tokens.put(1);
        tokens.condvar.notify(1);
        taker.join();
        tokens.is_empty();
    });
}

/// Two take what is put one by one, each with word to one.
fn two_are_notified_one_by_one(explorer: Explorer) {
    explorer.strong().fine().explore(|| {
        let tokens = Box::new();
        let takers = [0, 1].map(|_| {
            let tokens = tokens.clone();
            process(move || tokens.take())
        });
        for _ in 0..2 {
            tokens.put(1);
            tokens.condvar.notify(1);
        }
        takers.into_iter().for_each(Process::join);
        tokens.is_empty();
    });
}

/// Two take what is put at once, with word to all.
fn two_are_notified_at_once(explorer: Explorer) {
    explorer.strong().fine().explore(|| {
        let tokens = Box::new();
        let takers = [0, 1].map(|_| {
            let tokens = tokens.clone();
            process(move || tokens.take())
        });
        tokens.put(2);
        tokens.condvar.notify(u32::MAX);
        takers.into_iter().for_each(Process::join);
        tokens.is_empty();
    });
}

/// Waits, once, until there is a token, and leaves it there. Who is notified tells the next one.
fn see(tokens: &Box, until: Deadline) {
    tokens.lock();
    let mut ended = None;
    while tokens.tokens.load(Ordering::Relaxed) == 0 && ended != Some(Ended::TimedOut) {
        ended = Some(tokens.wait(until));
    }
    tokens.mutex.unlock();
    if ended == Some(Ended::Notified) {
        tokens.condvar.notify(1);
    }
}

/// Two wait, the one until noon, which comes at any moment; one of them is notified. Whoever ends its wait as notified tells the next one;
/// so does not who gives up, and therefore it has not been told.
fn one_gives_up_waiting(explorer: Explorer) {
    explorer.strong().fine().explore(|| {
        let tokens = Box::new();
        let waiters = [Deadline::Noon, Deadline::NEVER].map(|until| {
            let tokens = tokens.clone();
            process(move || see(&tokens, until))
        });
        let clock = process(strike);
        tokens.put(1);
        tokens.condvar.notify(1);
        clock.join();
        waiters.into_iter().for_each(Process::join);
    });
}

/// One of two waiters is killed at any step; one notification is given. If the dead one had got it and not used it, the other one gets it.
fn a_waiter_is_killed(explorer: Explorer) {
    waiter(explorer, Death::Marked);
}

/// The same without anybody who would report the death.
fn a_waiter_is_killed_unreported(explorer: Explorer) {
    waiter(explorer, Death::Unreported);
}

fn waiter(explorer: Explorer, death: Death) {
    explorer.strong().kill(death, || {
        let tokens = Box::new();
        let killed = {
            let tokens = tokens.clone();
            victim(move || see(&tokens, Deadline::NEVER))
        };
        let other = {
            let tokens = tokens.clone();
            process(move || see(&tokens, Deadline::NEVER))
        };
        tokens.put(1);
        tokens.condvar.notify(1);
        if killed.end().is_none() && has_passed(VICTIM, "condvar: left") {
            // It was notified and has told nobody.
            tokens.condvar.notify(1);
        }
        other.join();
    });
}

/// Somebody is dead that was notified and has not used it, and of two that wait one is killed too, at any step, also while it passes that on: the
/// other one gets it. Whoever has got it writes that down, so that nobody begins to wait for it later.
fn who_passes_on_is_killed(explorer: Explorer) {
    explorer.strong().coarse().kill(Death::Marked, || {
        let tokens = Box::new();
        let wait = |tokens: &Box| {
            tokens.lock();
            while tokens.tokens.load(Ordering::Relaxed) == 0 {
                if tokens.wait(Deadline::NEVER) == Ended::Notified {
                    tokens.tokens.store(1, Ordering::Relaxed);
                }
            }
            tokens.mutex.unlock();
            tokens.condvar.notify(1);
        };
        let killed = {
            let tokens = tokens.clone();
            victim(move || wait(&tokens))
        };
        let dead = {
            let tokens = tokens.clone();
            doomed(move || {
                let waiter = tokens.condvar.enlist();
                while !tokens.condvar.is_notified(&waiter) {
                    tokens.condvar.notify(1);
                }
            })
        };
        let other = {
            let tokens = tokens.clone();
            process(move || wait(&tokens))
        };
        dead.end();
        if killed.end().is_none() && has_passed(VICTIM, "condvar: left") {
            tokens.put(1);
            tokens.condvar.notify(1);
        }
        other.join();
    });
}

/// The number of the process that is started first.
const VICTIM: usize = 1;

/// One waits, and who notifies is killed at any step. If it has notified all the same, the waiter goes on; if not, it does so with
/// the next word.
fn the_notifier_is_killed(explorer: Explorer) {
    let model = || {
        let tokens = Box::new();
        let notifier = {
            let tokens = tokens.clone();
            victim(move || {
                tokens.put(1);
                tokens.condvar.notify(1);
            })
        };
        let taker = {
            let tokens = tokens.clone();
            process(move || tokens.take())
        };
        if notifier.end().is_none() && !has_passed(VICTIM, "condvar: notified") {
            tokens.put(1);
            tokens.condvar.notify(1);
        }
        taker.join();
    };
    explorer.kill(Death::Marked, model);
    explorer.strong().kill(Death::Marked, model);
}
