//! The rows of the kill matrix about locks with data behind them, and about `Value`.

use super::killing::{HANG, poll_for, spin};
use super::round::{Cell, Round, Told};
use super::stage::{EDGE, IN, OTHER, OUT, Stage, VICTIM, change, is_whole, repair};
use super::subjects::{OfArray, OfLock, OfMutex, OfReentrant, OfWriting, Subject};
use psync::{LockError, PoisonCause};
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

/// Takes the lock in the way that `how` chooses. If its holder died: who that was (0 if a repairing take cannot tell), with
/// the tally repaired.
pub(crate) fn take<S: Subject>(
    stage: &Stage,
    how: usize,
    then: impl FnOnce(&mut S::Guard<'_>),
) -> Result<Told, String> {
    let plain = match how % 4 {
        0 => Some(S::lock(stage)),
        1 => Some(S::lock_timeout(stage, HANG)),
        2 => loop {
            match S::try_lock(stage) {
                Err(LockError::WouldBlock) => core::hint::spin_loop(),
                taken => break Some(taken),
            }
        },
        _ => None,
    };
    let mut told = match plain {
        Some(Ok(mut guard)) => {
            let tally = S::tally(&guard);
            if !is_whole(&tally) {
                return Err(format!("torn, and nobody was told: {tally:?}"));
            }
            then(&mut guard);
            return Ok(None);
        }
        Some(Err(LockError::Poisoned { pid, cause: PoisonCause::Died })) => Some(pid),
        Some(Err(error)) => return Err(format!("expected word of a death, got: {error}")),
        None => None,
    };
    let mut note = |tally: &mut [u64]| {
        told = told.or(Some(0));
        repair(tally);
    };
    let mut guard = S::or_repair(stage, &mut note).map_err(|error| error.to_string())?;
    let tally = S::tally(&guard);
    if !is_whole(&tally) {
        return Err(format!("torn, and nothing was repaired: {tally:?}"));
    }
    then(&mut guard);
    Ok(told)
}

/// Changes the tally in steps that a kill can fall between.
pub(crate) fn change_held<S: Subject>(guard: &mut S::Guard<'_>, whose: usize) {
    S::add(guard, whose);
    spin(Duration::from_nanos(300));
    S::add(guard, 0);
}

fn hold<S: Subject>(stage: &Stage) {
    stage.mark(EDGE);
    match S::lock(stage) {
        Ok(mut guard) => {
            stage.mark(IN);
            change_held::<S>(&mut guard, VICTIM);
            stage.mark(EDGE);
            drop(guard);
        }
        Err(error) => panic!("the victim was told of a death: {error}"),
    }
    stage.mark(OUT);
}

#[allow(clippy::cast_possible_truncation, reason = "a few thousand")]
pub(crate) fn meddle<S: Subject>(stage: &Stage) {
    let how = stage.arena.other_beats.fetch_add(1, SeqCst) as usize;
    match take::<S>(stage, how, |guard| change_held::<S>(guard, OTHER)) {
        Ok(Some(pid)) => stage.arena.told.store(pid.max(1), SeqCst),
        Ok(None) => {}
        Err(problem) => panic!("{problem}"),
    }
}

/// The holder is killed, and we are next.
fn holder<S: Subject>(round: &Round<'_>) -> Result<Told, String> {
    round.until_begun();
    round.pass();
    round.kill();
    let told = take::<S>(round.stage, round.number, |_| ());
    round.recovered();
    told
}

/// The victim waits for a lock that we hold, and is killed about when we release it.
fn waiter<S: Subject>(round: &Round<'_>) -> Result<Told, String> {
    let mut told = None;
    // It may be inside already; not when we are.
    let first = take::<S>(round.stage, 0, |_| {
        // It is at the edge also for a moment after it has let go; from there it soon comes to where it waits for us.
        poll_for(HANG, || round.arena().phase.load(SeqCst) == EDGE);
        // Long enough to fall asleep, or not.
        spin(round.delay * 4);
        if round.coin {
            round.kill();
            spin(round.delay / 4);
        }
    })?;
    if !round.coin {
        spin(round.delay / 4);
        round.kill();
    }
    told = told.or(first);
    let second = take::<S>(round.stage, round.number, |_| ())?;
    round.recovered();
    Ok(told.or(second))
}

/// Of each victim's changes, those are there that it finished, and perhaps one more.
fn counted(round: &Round<'_>, changes: u64) -> Result<(), String> {
    let done = round.arena().beats.load(SeqCst);
    // The tally lives as long as the row; each victim counts its own.
    let changes = changes - round.arena().before.load(SeqCst);
    if changes == done || changes == done + 1 {
        return Ok(());
    }
    Err(format!("the victim finished {done} changes, and {changes} are there"))
}

fn tally_adds_up<S: Subject>(round: &Round<'_>) -> Result<(), String> {
    let mut changes = 0;
    take::<S>(round.stage, 0, |guard| changes = S::tally(guard)[VICTIM])?;
    counted(round, changes)
}

fn repaired<S: Subject>(stage: &Stage) -> Result<(), String> {
    let note = |guard: &mut S::Guard<'_>| {
        stage.arena.before.store(S::tally(guard)[VICTIM], SeqCst);
    };
    take::<S>(stage, 0, note).map(drop)
}

/// The three roles that a lock can be killed in.
const fn rows<S: Subject>() -> [Cell; 3] {
    let primitive = S::NAME;
    [
        Cell {
            primitive,
            operation: "lock, change, unlock",
            role: "holder",
            victim: hold::<S>,
            bystander: None,
            act: holder::<S>,
            audit: tally_adds_up::<S>,
            reset: repaired::<S>,
            nudge: |_| (),
        },
        Cell {
            primitive,
            operation: "lock, change, unlock",
            role: "one of two",
            victim: hold::<S>,
            bystander: Some(meddle::<S>),
            act: holder::<S>,
            audit: tally_adds_up::<S>,
            reset: repaired::<S>,
            nudge: |_| (),
        },
        Cell {
            primitive,
            operation: "lock",
            role: "waiter",
            victim: hold::<S>,
            bystander: Some(meddle::<S>),
            act: waiter::<S>,
            audit: tally_adds_up::<S>,
            reset: repaired::<S>,
            nudge: |_| (),
        },
    ]
}

fn update(stage: &Stage) {
    stage.arena.value.update(|mut tally| {
        change(&mut tally, VICTIM);
        tally
    });
}

fn edit(stage: &Stage) {
    let mut guard = stage.arena.value.lock().expect("nobody poisons a value");
    change(&mut *guard, VICTIM);
}

fn update_too(stage: &Stage) {
    stage.arena.value.update(|mut tally| {
        change(&mut tally, OTHER);
        tally
    });
    stage.arena.other_beats.fetch_add(1, SeqCst);
}

/// A value is whole for whoever reads it at any time, and free for whoever is next.
fn next_update(round: &Round<'_>) -> Result<Told, String> {
    round.until_begun();
    round.pass();
    round.kill();
    let value = &round.arena().value;
    let read = value.get();
    let written = match round.number % 3 {
        0 => value.update(|tally| tally),
        1 => *value.lock().map_err(|error| error.to_string())?,
        _ => *value.lock_timeout(HANG).map_err(|error| error.to_string())?,
    };
    round.recovered();
    match [read, written].iter().find(|tally| !is_whole(*tally)) {
        Some(torn) => Err(format!("torn: {torn:?}")),
        None => Ok(None),
    }
}

fn value_adds_up(round: &Round<'_>) -> Result<(), String> {
    counted(round, round.arena().value.get()[VICTIM])
}

const fn value(
    operation: &'static str,
    role: &'static str,
    victim: fn(&Stage),
    bystander: Option<fn(&Stage)>,
) -> Cell {
    let primitive = "Value";
    Cell {
        primitive,
        operation,
        role,
        victim,
        bystander,
        act: next_update,
        audit: value_adds_up,
        reset: |stage| {
            stage.arena.before.store(stage.arena.value.get()[VICTIM], SeqCst);
            Ok(())
        },
        nudge: |_| (),
    }
}

/// All rows of this file.
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    cells.extend(rows::<OfMutex>());
    cells.extend(rows::<OfLock>());
    cells.extend(rows::<OfArray>());
    cells.extend(rows::<OfReentrant>());
    cells.extend(rows::<OfWriting>());
    cells.extend([
        value("update", "holder", update, None),
        value("update", "one of two", update, Some(update_too)),
        value("lock, change, drop", "holder", edit, None),
        value("lock, change, drop", "one of two", edit, Some(update_too)),
    ]);
    cells
}
