//! Locks with a tally behind them.

use super::super::cast::{Act, Part, Plan, Saw};
use super::super::play::{Play, VICTIM as V};
use super::super::stage::{EDGE, IN, OTHER, OUT, Stage, VICTIM, is_whole, repair};
use super::super::subjects::{OfArray, OfLock, OfMutex, OfReentrant, OfWriting, Subject};
use super::{Scenario, fine};
use psync::{LockError, PoisonCause};
use psync_runtime::sync::testing::faults;
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

pub(super) const FREE: &str = "free";
pub(super) const TOLD: &str = "poisoned, and told";
pub(super) const FIRST: &str = "poisoned by the one before";

const LONG: Duration = Duration::from_mins(1);

/// A way to take a lock.
trait How {
    const NAME: &'static str;
    fn take<S: Subject>(stage: &Stage) -> Result<S::Guard<'_>, LockError>;
}

enum Plainly {}
enum Trying {}
enum InTime {}
enum Repairing {}

impl How for Plainly {
    const NAME: &'static str = "lock, change, unlock";

    fn take<S: Subject>(stage: &Stage) -> Result<S::Guard<'_>, LockError> {
        S::lock(stage)
    }
}

impl How for Trying {
    const NAME: &'static str = "try_lock, change, unlock";

    fn take<S: Subject>(stage: &Stage) -> Result<S::Guard<'_>, LockError> {
        S::try_lock(stage)
    }
}

impl How for InTime {
    const NAME: &'static str = "lock_timeout, change, unlock";

    fn take<S: Subject>(stage: &Stage) -> Result<S::Guard<'_>, LockError> {
        S::lock_timeout(stage, LONG)
    }
}

impl How for Repairing {
    const NAME: &'static str = "lock_or_repair, change, unlock";

    fn take<S: Subject>(stage: &Stage) -> Result<S::Guard<'_>, LockError> {
        repairing::<S>(stage)
    }
}

fn repairing<S: Subject>(stage: &Stage) -> Result<S::Guard<'_>, LockError> {
    S::or_repair(stage, &mut |tally| {
        stage.mark(IN);
        faults::point("repairs");
        repair(tally);
        stage.mark(EDGE);
    })
}

/// Changes the tally, with a moment in between at which it is not whole.
fn change<S: Subject>(guard: &mut S::Guard<'_>, whose: usize) -> Saw {
    let before = S::tally(guard);
    S::add(guard, whose);
    faults::point("half changed");
    S::add(guard, 0);
    let after = S::tally(guard);
    let alone = after[0] == before[0] + 1 && after[whose] == before[whose] + 1;
    if is_whole(&before) && alone {
        Saw::Fine
    } else {
        Saw::Wrong(format!("{before:?}, {after:?}"))
    }
}

fn told(error: &LockError) -> Saw {
    match error {
        LockError::Poisoned { pid, cause: PoisonCause::Died } => Saw::Died(*pid),
        LockError::Poisoned { pid, .. } => Saw::Panicked(*pid),
        error => Saw::Wrong(error.to_string()),
    }
}

/// The victim, from taking the lock to releasing it.
fn cycle<S: Subject, H: How>(part: &Part) -> Saw {
    use_lock::<S>(part, H::take::<S>)
}

/// The same; if the lock is poisoned, once more with a repair.
fn cycle_again<S: Subject, H: How>(part: &Part) -> Saw {
    use_lock::<S>(part, |stage| {
        H::take::<S>(stage).or_else(|error| match error {
            LockError::Poisoned { .. } => repairing::<S>(stage),
            error => Err(error),
        })
    })
}

fn use_lock<S: Subject>(
    part: &Part,
    take: impl FnOnce(&Stage) -> Result<S::Guard<'_>, LockError>,
) -> Saw {
    let stage = part.stage();
    part.begin();
    stage.mark(EDGE);
    let taken = take(stage);
    let saw = match taken {
        Ok(mut guard) => {
            stage.mark(IN);
            let saw = change::<S>(&mut guard, VICTIM);
            stage.mark(EDGE);
            drop(guard);
            saw
        }
        Err(error) => told(&error),
    };
    stage.mark(OUT);
    part.end();
    saw
}

/// Takes the lock, and begins where it has it.
fn release<S: Subject>(part: &Part) -> Saw {
    let stage = part.stage();
    let mut guard = match S::lock(stage) {
        Ok(guard) => guard,
        Err(error) => return told(&error),
    };
    stage.mark(IN);
    let saw = change::<S>(&mut guard, VICTIM);
    part.begin();
    stage.mark(EDGE);
    drop(guard);
    stage.mark(OUT);
    part.end();
    saw
}

/// Takes the lock, and has it until it is told to go on. Changes nothing, but may die in the middle of it.
fn hold<S: Subject>(part: &Part) -> Saw {
    let guard = match S::lock(part.stage()) {
        Ok(guard) => guard,
        Err(error) => return told(&error),
    };
    part.begin();
    drop(guard);
    part.end();
    Saw::Fine
}

/// Whoever comes next: takes the lock, is told or not, repairs if it must.
pub(super) fn next<S: Subject>(part: &Part) -> Saw {
    let stage = part.stage();
    part.begin();
    let (mut saw, taken) = match S::lock(stage) {
        Err(error @ LockError::Poisoned { .. }) => {
            (told(&error), S::or_repair(stage, &mut |tally| repair(tally)))
        }
        taken => (Saw::Fine, taken),
    };
    match taken {
        Ok(mut guard) => match change::<S>(&mut guard, OTHER) {
            Saw::Fine => {}
            wrong => saw = wrong,
        },
        Err(error) => saw = told(&error),
    }
    part.end();
    saw
}

/// Waits a while in vain.
fn wait_in_vain<S: Subject>(part: &Part) -> Saw {
    part.begin();
    let taken = S::lock_timeout(part.stage(), Duration::from_millis(20));
    let saw = match taken {
        Err(LockError::TimedOut) => Saw::Fine,
        Ok(_) => Saw::Wrong("acquired what another holds".to_owned()),
        Err(error) => told(&error),
    };
    part.end();
    saw
}

const NEXT: usize = 1;
const HOLD: usize = 2;

fn alone(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[next], None)
}

/// The victim has the lock, and another sleeps until it gets it.
fn awaited(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.victim_goes(victim)?;
    let first = play.end(waiter)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[first, next], None)
}

/// The victim and another sleep until a third releases the lock.
fn waits(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter(HOLD)?;
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.go(holder);
    fine("the holder", &play.end(holder)?)?;
    play.victim_ends()?;
    let first = play.end(waiter)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[first, next], None)
}

/// The same, but the third dies.
fn waits_for_the_dying(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter_with(HOLD, &Plan::Die("begins".to_owned(), 1))?;
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    let dead = play.dies_for_the_victim(holder, &[waiter])?;
    play.victim_ends()?;
    let first = play.end(waiter)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[first, next], Some(dead))
}

/// The third died before.
fn comes_after_a_death(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter_with(HOLD, &Plan::Die("begins".to_owned(), 1))?;
    play.go(holder);
    let dead = play.die(holder)?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[next], Some(dead))
}

/// The victim gives up while another has the lock, and a second one waits on.
fn gives_up(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter(HOLD)?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.go(holder);
    fine("the holder", &play.end(holder)?)?;
    let first = play.end(waiter)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[first, next], None)
}

/// What survivors saw of the lock, one after the other; `before` died with it before the victim came.
pub(super) fn verdict(
    play: &Play,
    saws: &[Saw],
    before: Option<i32>,
) -> Result<&'static str, String> {
    let victim = play.victim_pid();
    let mut verdict = FREE;
    for saw in saws {
        let seen = match saw {
            Saw::Fine => continue,
            Saw::Died(pid) if *pid == victim => TOLD,
            Saw::Died(pid) if Some(*pid) == before => FIRST,
            saw => return Err(format!("{saw:?}; the victim was {victim}, before it {before:?}")),
        };
        if verdict != FREE {
            return Err(format!("told again after a repair: {saws:?}"));
        }
        verdict = seen;
    }
    match (play.arena().phase.load(SeqCst), verdict) {
        (IN, FREE | FIRST) => Err("it died inside, and nobody was told".to_owned()),
        (OUT, TOLD) => Err("it died outside, and was reported".to_owned()),
        _ => Ok(verdict),
    }
}

fn scenario<S: Subject>(
    operation: &'static str,
    role: &'static str,
    victim: Act,
    script: super::Script,
    order: &'static [&'static str],
) -> Scenario {
    let acts: Vec<Act> = vec![victim, next::<S>, hold::<S>];
    Scenario { primitive: S::NAME, operation, role, slow: false, acts, script, order }
}

fn ways<S: Subject, H: How>(sleeps: bool) -> Vec<Scenario> {
    let row =
        |role, victim: Act, script, order| scenario::<S>(H::NAME, role, victim, script, order);
    let once: Act = cycle::<S, H>;
    // With others around, it is not determined who takes the lock between the two times.
    let (told, told_and_repaired): (&[&str], &[&str]) = if H::NAME == Repairing::NAME {
        (&[FIRST, TOLD, FREE], &[FIRST, TOLD, FREE])
    } else {
        (&[FIRST, TOLD, FIRST], &[FIRST, TOLD, FIRST, TOLD, FREE])
    };
    let mut rows = vec![
        row("alone", once, alone, &[FREE, TOLD, FREE]),
        row("after a death", cycle_again::<S, H>, comes_after_a_death, told_and_repaired),
    ];
    if sleeps {
        rows.push(row("waiting for a holder", once, waits, &[FREE, TOLD, FREE]));
        rows.push(row("waiting for one who dies", once, waits_for_the_dying, told));
    }
    rows
}

fn rows<S: Subject>() -> Vec<Scenario> {
    let mut rows = ways::<S, Plainly>(true);
    rows.extend(ways::<S, Trying>(false));
    rows.extend(ways::<S, InTime>(true));
    rows.extend(ways::<S, Repairing>(true));
    rows.push(scenario::<S>("unlock", "while others wait", release::<S>, awaited, &[TOLD, FREE]));
    rows.push(scenario::<S>("lock_timeout", "in vain", wait_in_vain::<S>, gives_up, &[FREE]));
    rows
}

pub(super) fn all() -> Vec<Scenario> {
    let mut all = rows::<OfMutex>();
    all.extend(rows::<OfLock>());
    all.extend(rows::<OfArray>());
    all.extend(rows::<OfReentrant>());
    all.extend(rows::<OfWriting>());
    all
}
