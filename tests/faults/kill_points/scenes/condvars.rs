//! `Condvar`: who dies waiting has never waited, and who dies notifying has notified or not.

use super::super::cast::{Act, Part, Plan, Saw};
use super::super::play::{Play, VICTIM as V};
use super::super::stage::{EDGE, IN, OUT, Stage, repair};
use super::super::subjects::{OfMutex, OfReentrant, Subject};
use super::locks::{FREE, TOLD, next, verdict};
use super::{Scenario, Script, fine};
use psync::{CondvarGuard, LockError, PoisonCause, ReentrantGuard};
use psync_runtime::sync::testing::faults;
use std::time::Duration;

const WOKEN: &str = "another goes on";
const WOKEN_TOLD: &str = "another goes on; poisoned, and told";
const WAITS: &str = "another waits on";
const NONE: &str = "nobody is notified";
const ONE: &str = "one is notified";
const BOTH: &str = "both are notified";
const SOME: &str = "some are notified";
const ALL: &str = "all are notified";

const NEXT: usize = 1;
const WAIT: usize = 2;
const NOTIFY: usize = 3;

const ASLEEP: &str = "condvar: about to sleep";

fn told(error: &LockError) -> Saw {
    match error {
        LockError::Poisoned { pid, cause: PoisonCause::Died } => Saw::Died(*pid),
        error => Saw::Wrong(error.to_string()),
    }
}

/// Waits with a guard that it has, and lets go of it, and of what else holds the lock.
fn wait_with<G: CondvarGuard, R>(part: &Part, guard: G, rest: R, limit: Option<Duration>) -> Saw {
    let stage = part.stage();
    let changed = &stage.arena.changed;
    stage.mark(IN);
    part.begin();
    stage.mark(EDGE);
    let waited = match limit {
        None => changed.wait(guard),
        Some(limit) => changed.wait_timeout(guard, limit).map(|(guard, _)| guard),
    };
    let saw = match waited {
        Ok(guard) => {
            stage.mark(IN);
            faults::point("has the mutex again");
            stage.mark(EDGE);
            drop(guard);
            drop(rest);
            Saw::Fine
        }
        Err(error) => told(&error),
    };
    stage.mark(OUT);
    part.end();
    saw
}

fn wait(part: &Part) -> Saw {
    match OfMutex::lock(part.stage()) {
        Ok(guard) => wait_with(part, guard, (), None),
        Err(error) => told(&error),
    }
}

fn wait_in_vain(part: &Part) -> Saw {
    match OfMutex::lock(part.stage()) {
        Ok(guard) => wait_with(part, guard, (), Some(Duration::from_millis(20))),
        Err(error) => told(&error),
    }
}

/// With all levels of a mutex.
fn wait_nested(part: &Part) -> Saw {
    let nested: Result<ReentrantGuard<'_, _>, _> = part.stage().arena.nested.lock();
    let deeper = OfReentrant::lock(part.stage());
    match (nested, deeper) {
        (Ok(guard), Ok(deeper)) => wait_with(part, guard, deeper, None),
        _ => Saw::Wrong("not to be had".to_owned()),
    }
}

/// What others do: repairs if it must, waits, and lets go.
fn wait_too<S: Subject>(part: &Part) -> Saw
where
    for<'a> S::Guard<'a>: Waits<'a>,
{
    let stage = part.stage();
    part.begin();
    let (mut saw, taken) = match S::lock(stage) {
        Err(error @ LockError::Poisoned { .. }) => {
            (told(&error), S::or_repair(stage, &mut |tally| repair(tally)))
        }
        taken => (Saw::Fine, taken),
    };
    match taken.and_then(|guard| guard.wait(stage)) {
        Ok(()) => {}
        Err(error) => {
            saw = told(&error);
            drop(S::or_repair(stage, &mut |tally| repair(tally)));
        }
    }
    part.end();
    saw
}

/// A guard to wait with, at whatever depth.
trait Waits<'a> {
    fn wait(self, stage: &Stage) -> Result<(), LockError>;
}

impl<'a> Waits<'a> for <OfMutex as Subject>::Guard<'a> {
    fn wait(self, stage: &Stage) -> Result<(), LockError> {
        stage.arena.changed.wait(self).map(drop)
    }
}

impl<'a> Waits<'a> for <OfReentrant as Subject>::Guard<'a> {
    fn wait(self, stage: &Stage) -> Result<(), LockError> {
        let [outer, inner] = self;
        let _outer = outer;
        stage.arena.changed.wait(inner).map(drop)
    }
}

fn notify_one(part: &Part) -> Saw {
    part.begin();
    part.stage().arena.changed.notify_one();
    part.end();
    Saw::Fine
}

fn notify_all(part: &Part) -> Saw {
    part.begin();
    part.stage().arena.changed.notify_all();
    part.end();
    Saw::Fine
}

/// The victim waits, then another; one notification comes.
fn waits(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.begin(V)?;
    play.sleeps_at(victim, ASLEEP)?;
    let waiter = play.begin(WAIT)?;
    play.sleeps_at(waiter, ASLEEP)?;
    fine("the notifier", &play.whole(NOTIFY)?)?;
    play.victim_ends()?;
    let goes_on = play.settle(waiter)?;
    if !goes_on {
        fine("the second notifier", &play.whole(NOTIFY)?)?;
    }
    let saw = play.end(waiter)?;
    let next = play.whole(NEXT)?;
    let verdict = verdict(play, &[saw, next], None)?;
    match (verdict, goes_on) {
        (FREE, true) => Ok(WOKEN),
        (FREE, false) => Ok(WAITS),
        (_, true) => Ok(WOKEN_TOLD),
        (_, false) => Err("poisoned, and who waits was not woken".to_owned()),
    }
}

/// The victim waits for a while.
fn gives_up(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let waiter = play.begin(WAIT)?;
    play.sleeps_at(waiter, ASLEEP)?;
    fine("the notifier", &play.whole(NOTIFY)?)?;
    let saw = play.end(waiter)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[saw, next], None)
}

/// The victim sleeps behind one who dies with a notification, which is passed on to it.
fn inherits(play: &mut Play) -> Result<&'static str, String> {
    // When it goes to take the mutex again.
    let dying = play.enter_with(WAIT, &Plan::Die("list: pending at once".to_owned(), 2))?;
    play.go(dying);
    play.sleeps_at(dying, ASLEEP)?;
    let victim = play.begin(V)?;
    play.sleeps_at(victim, ASLEEP)?;
    fine("the notifier", &play.whole(NOTIFY)?)?;
    play.die(dying)?;
    play.victim_ends()?;
    // Whatever is left of the notification.
    let waiter = play.begin(WAIT)?;
    if !play.settle(waiter)? {
        fine("the second notifier", &play.whole(NOTIFY)?)?;
    }
    let saw = play.end(waiter)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[saw, next], None)
}

/// Nine wait, the last of whom has no place in the condvar itself; the victim notifies all.
fn notifies_nine(play: &mut Play) -> Result<&'static str, String> {
    const WAITERS: usize = 9;
    let victim = play.enter(V)?;
    let waiters: Vec<usize> = (0..WAITERS).map(|_| play.begin(WAIT)).collect::<Result<_, _>>()?;
    for &waiter in &waiters {
        play.sleeps_at(waiter, ASLEEP)?;
    }
    play.victim_goes(victim)?;
    let goes_on = waiters.iter().map(|&waiter| play.settle(waiter));
    let waiting = goes_on.collect::<Result<Vec<bool>, _>>()?.iter().filter(|on| !**on).count();
    for _ in 0..waiting {
        fine("the notifier", &play.whole(NOTIFY)?)?;
    }
    for waiter in waiters {
        fine("a waiter", &play.end(waiter)?)?;
    }
    Ok(match waiting {
        WAITERS => NONE,
        0 => ALL,
        _ => SOME,
    })
}

/// Two wait for what the victim notifies.
fn notifies(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    let (one, two) = (play.begin(WAIT)?, play.begin(WAIT)?);
    play.sleeps_at(one, ASLEEP)?;
    play.sleeps_at(two, ASLEEP)?;
    play.victim_goes(victim)?;
    let notified = [play.settle(one)?, play.settle(two)?];
    let waiting = notified.iter().filter(|notified| !**notified).count();
    for _ in 0..waiting {
        fine("the notifier", &play.whole(NOTIFY)?)?;
    }
    for waiter in [one, two] {
        fine("a waiter", &play.end(waiter)?)?;
    }
    fine("the next", &play.whole(NEXT)?)?;
    Ok([BOTH, ONE, NONE][waiting])
}

pub(super) fn all() -> Vec<Scenario> {
    let row = |operation, role, victim: Act, script: Script, order| Scenario {
        primitive: "Condvar",
        operation,
        role,
        slow: false,
        acts: vec![victim, next::<OfMutex>, wait_too::<OfMutex>, notify_one],
        script,
        order,
    };
    // Whoever dies between giving up the data and the mutex leaves that suspect for a moment: others wake up, and find all well.
    let notified: &[&str] = &[WOKEN_TOLD, WOKEN, WOKEN_TOLD, WOKEN, WAITS];
    vec![
        row("wait", "in front of another", wait, waits, notified),
        Scenario {
            acts: vec![wait_nested, next::<OfReentrant>, wait_too::<OfReentrant>, notify_one],
            ..row("wait, ReentrantMutex", "in front of another", wait, waits, notified)
        },
        row("wait_timeout", "in vain", wait_in_vain, gives_up, &[TOLD, FREE, TOLD, FREE]),
        row("wait", "behind one who dies notified", wait, inherits, &[TOLD, FREE, TOLD, FREE]),
        row("notify_one", "while two wait", notify_one, notifies, &[NONE, ONE]),
        row("notify_all", "while two wait", notify_all, notifies, &[NONE, ONE, BOTH]),
        row("notify_all", "while nine wait", notify_all, notifies_nine, &[NONE, SOME, ALL]),
    ]
}
