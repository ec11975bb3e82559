//! The rows of the kill matrix about what is done in company: readers of an `RwLock`, a `Condvar`, a `Once`.

use super::killing::{HANG, poll_for, spin};
use super::locks::{change_held, meddle, take};
use super::round::{Cell, Expect, Round, Told};
use super::stage::{Arena, EDGE, IN, ONCES, OTHER, OUT, Stage, Tally, VICTIM, change, is_whole};
use super::subjects::OfWriting;
use psync::LockError;
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

/// Reads, and holds on for a moment.
fn read(stage: &Stage) {
    match stage.arena.shared.read() {
        Ok(tally) => {
            spin(Duration::from_nanos(300));
            assert!(is_whole(&*tally), "torn: {:?}", *tally);
        }
        Err(error) => panic!("the reader was told of a death: {error}"),
    }
}

/// The reader is killed, and we write next. Nobody is ever told of a reader.
fn reader(round: &Round<'_>) -> Result<Told, String> {
    round.until_begun();
    round.pass();
    round.kill();
    let told = take::<OfWriting>(round.stage, round.number, |guard| {
        change_held::<OfWriting>(guard, OTHER);
    })?;
    round.recovered();
    Ok(told)
}

fn all_can_read(round: &Round<'_>) -> Result<(), String> {
    let shared = &round.arena().shared;
    let (one, two) = (shared.read(), shared.read());
    one.and(two).map(drop).map_err(|error| error.to_string())
}

const fn reading(role: &'static str, bystander: Option<fn(&Stage)>) -> Cell {
    Cell {
        primitive: "RwLock (read)",
        operation: "read, drop",
        role,
        victim: read,
        bystander,
        act: reader,
        audit: all_can_read,
        reset: |_| Ok(()),
        nudge: |_| (),
    }
}

/// Waits for a token, and consumes it.
fn consume(stage: &Stage, victim: bool) -> Result<(), LockError> {
    let phase = |phase| {
        if victim {
            stage.mark(phase);
        }
    };
    phase(EDGE);
    let mut tokens = stage.arena.tokens.lock()?;
    phase(IN);
    while *tokens == 0 {
        phase(EDGE);
        tokens = stage.arena.changed.wait(tokens)?;
        phase(IN);
    }
    *tokens -= 1;
    phase(EDGE);
    drop(tokens);
    phase(OUT);
    Ok(())
}

fn consume_as_victim(stage: &Stage) {
    if let Err(error) = consume(stage, true) {
        panic!("the victim was told of a death: {error}");
    }
}

fn consume_too(stage: &Stage) {
    match consume(stage, false) {
        Ok(()) => drop(stage.arena.other_beats.fetch_add(1, SeqCst)),
        Err(LockError::Poisoned { pid, .. }) => {
            drop(stage.arena.tokens.lock_or_repair(|_| ()));
            stage.arena.told.store(pid, SeqCst);
        }
        Err(error) => panic!("{error}"),
    }
}

/// Puts one token in and notifies once, poisoned or not.
fn produce(arena: &Arena) -> Result<Told, String> {
    let mut told = None;
    let mut tokens = match arena.tokens.lock() {
        Err(LockError::Poisoned { pid, .. }) => {
            told = Some(pid);
            arena.tokens.lock_or_repair(|_| ())
        }
        taken => taken,
    }
    .map_err(|error| error.to_string())?;
    *tokens += 1;
    drop(tokens);
    arena.changed.notify_one();
    Ok(told)
}

/// The victim and another sleep; one token and one notification come, and about then the victim is killed. Somebody must consume the token.
fn token_waiter(round: &Round<'_>) -> Result<Told, String> {
    let arena = round.arena();
    let both_wait = || format!("{:?}", arena.changed) == "Condvar(2 waiting)";
    if !poll_for(HANG / 2, both_wait) {
        return Err(format!("they do not wait: {:?}", arena.changed));
    }
    let mut told = None;
    if round.coin {
        told = produce(arena)?;
        spin(round.delay * 4);
        round.kill();
    } else {
        round.kill();
        spin(round.delay / 4);
        told = told.or(produce(arena)?);
    }
    round.await_death()?;
    let consumed = || match arena.tokens.lock() {
        Ok(tokens) => *tokens == 0,
        Err(LockError::Poisoned { pid, .. }) => {
            arena.told.store(pid, SeqCst);
            drop(arena.tokens.lock_or_repair(|_| ()));
            false
        }
        Err(_) => false,
    };
    if !poll_for(HANG / 2, consumed) {
        return Err(format!("the token is still there, and {:?}", arena.changed));
    }
    round.recovered();
    Ok(told)
}

/// As many processes wait as live.
fn one_waits(round: &Round<'_>) -> Result<(), String> {
    let arena = round.arena();
    // The dead are struck out by whoever goes to sleep next.
    let settled = poll_for(HANG / 2, || {
        let waiting = format!("{:?}", arena.changed);
        if waiting == "Condvar(2 waiting)" {
            arena.changed.notify_one();
        }
        waiting == "Condvar(1 waiting)"
    });
    if settled { Ok(()) } else { Err(format!("{:?} instead of one", arena.changed)) }
}

fn notify(stage: &Stage) {
    stage.arena.changed.notify_one();
    spin(Duration::from_nanos(300));
}

/// Wakes up for every notification.
fn listen(stage: &Stage) {
    let Ok(guard) = stage.arena.tokens.lock() else { panic!("nobody dies with the mutex") };
    drop(stage.arena.changed.wait(guard));
    stage.arena.other_beats.fetch_add(1, SeqCst);
}

fn notifier(round: &Round<'_>) -> Result<Told, String> {
    round.until_begun();
    round.pass();
    round.kill();
    round.certain.set(Some(Expect::Nothing));
    round.await_death()?;
    round.recovered();
    Ok(None)
}

fn condvar(
    operation: &'static str,
    role: &'static str,
    victim: fn(&Stage),
    bystander: fn(&Stage),
    act: fn(&Round<'_>) -> Result<Told, String>,
    audit: fn(&Round<'_>) -> Result<(), String>,
) -> Cell {
    Cell {
        primitive: "Condvar",
        operation,
        role,
        victim,
        bystander: Some(bystander),
        act,
        audit,
        reset: |stage| {
            stage.arena.told.store(0, SeqCst);
            Ok(())
        },
        nudge: |stage| drop(produce(&stage.arena)),
    }
}

fn make(mut tally: Tally) -> Tally {
    change(&mut tally, VICTIM);
    spin(Duration::from_micros(2));
    tally
}

/// Gets the one of this round; makes it, the first time.
fn get(stage: &Stage) {
    let index = usize::try_from(stage.arena.before.load(SeqCst)).unwrap_or(0) % ONCES;
    let tally = stage.arena.onces[index].get_or_init(|| make([0; 3]));
    assert!(is_whole(tally), "torn: {tally:?}");
}

/// The maker is killed, and we get it, or make it.
fn maker(round: &Round<'_>) -> Result<Told, String> {
    round.pass();
    round.kill();
    let index = usize::try_from(round.arena().before.load(SeqCst)).unwrap_or(0) % ONCES;
    let tally = round.arena().onces[index].get_or_init(|| make([0; 3]));
    round.recovered();
    if is_whole(tally) { Ok(None) } else { Err(format!("torn: {tally:?}")) }
}

const fn once(role: &'static str, bystander: Option<fn(&Stage)>) -> Cell {
    Cell {
        primitive: "Once",
        operation: "get_or_init",
        role,
        victim: get,
        bystander,
        act: maker,
        audit: |_| Ok(()),
        reset: |stage| {
            stage.arena.before.fetch_add(1, SeqCst);
            Ok(())
        },
        nudge: |_| (),
    }
}

/// All rows of this file.
pub(crate) fn cells() -> Vec<Cell> {
    let get_too = |stage: &Stage| {
        get(stage);
        stage.arena.other_beats.fetch_add(1, SeqCst);
    };
    vec![
        reading("reader", None),
        reading("reader and writer", Some(meddle::<OfWriting>)),
        condvar("wait, consume", "waiter", consume_as_victim, consume_too, token_waiter, one_waits),
        condvar("notify_one", "notifier", notify, listen, notifier, |_| Ok(())),
        once("maker", None),
        once("one of two", Some(get_too)),
    ]
}
