//! `RwLock` beside its plain writers, who are among the locks: readers, and writers among readers.

use super::super::cast::{Act, Part, Plan, Saw};
use super::super::play::{Play, VICTIM as V};
use super::super::stage::{EDGE, IN, OUT, VICTIM, is_whole};
use super::super::subjects::OfWriting;
use super::locks::{FIRST, FREE, TOLD, next, verdict};
use super::{Scenario, Script, fine};
use psync::{LockError, PoisonCause, ReadGuard, WriteGuard};
use psync_runtime::sync::testing::faults;
use std::time::Duration;

const NEXT: usize = 1;
const READ: usize = 2;
const WRITE: usize = 3;

/// How many readers have their places in the lock itself.
const FULL: usize = 8;

type Reading<'a> = Result<ReadGuard<'a, [u64; 3]>, LockError>;
type Writing<'a> = Result<WriteGuard<'a, [u64; 3]>, LockError>;

fn told(error: &LockError) -> Saw {
    match error {
        LockError::Poisoned { pid, cause: PoisonCause::Died } => Saw::Died(*pid),
        error => Saw::Wrong(error.to_string()),
    }
}

fn looked(reading: &Reading<'_>) -> Saw {
    match reading {
        Ok(guard) if is_whole(&**guard) => Saw::Fine,
        Ok(guard) => Saw::Wrong(format!("torn: {:?}", **guard)),
        Err(error) => told(error),
    }
}

/// Reads in the way of `take`.
fn read_by(part: &Part, take: fn(&Part) -> Reading<'_>) -> Saw {
    part.begin();
    let reading = take(part);
    faults::point("reads");
    let saw = looked(&reading);
    drop(reading);
    part.end();
    saw
}

fn read(part: &Part) -> Saw {
    read_by(part, |part| part.stage().arena.shared.read())
}

fn try_read(part: &Part) -> Saw {
    read_by(part, |part| part.stage().arena.shared.try_read())
}

/// Begins where it reads already.
fn leave(part: &Part) -> Saw {
    let reading = part.stage().arena.shared.read();
    part.begin();
    let saw = looked(&reading);
    drop(reading);
    part.end();
    saw
}

/// Reads a second time, also past a writer that waits.
fn read_again(part: &Part) -> Saw {
    let reading = part.stage().arena.shared.read();
    let saw = read(part);
    drop(reading);
    saw
}

/// Writes until it is told to go on, and may die in the middle.
fn write(part: &Part) -> Saw {
    let mut writing = part.stage().arena.shared.write();
    part.begin();
    let saw = writing.as_ref().err().map_or(Saw::Fine, told);
    if let Ok(guard) = &mut writing {
        faults::point("writes");
        guard[VICTIM] += 0;
    }
    drop(writing);
    part.end();
    saw
}

/// Writes in the way of `take`.
fn write_by(part: &Part, take: fn(&Part) -> Writing<'_>) -> Saw {
    let stage = part.stage();
    part.begin();
    stage.mark(EDGE);
    let saw = match take(part) {
        Ok(mut guard) => {
            stage.mark(IN);
            guard[VICTIM] += 1;
            faults::point("half changed");
            guard[0] += 1;
            stage.mark(EDGE);
            Saw::Fine
        }
        Err(LockError::TimedOut | LockError::WouldBlock) => Saw::Number(0),
        Err(error) => told(&error),
    };
    stage.mark(OUT);
    part.end();
    saw
}

fn write_late(part: &Part) -> Saw {
    write_by(part, |part| part.stage().arena.shared.write())
}

fn try_write(part: &Part) -> Saw {
    write_by(part, |part| part.stage().arena.shared.try_write())
}

fn write_in_time(part: &Part) -> Saw {
    write_by(part, |part| part.stage().arena.shared.write_timeout(Duration::from_millis(20)))
}

fn alone(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[next], None)
}

/// The victim reads, or begins to, while a writer sleeps until it has left.
fn awaited(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.victim_goes(victim)?;
    let first = play.end(waiter)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[first, next], None)
}

/// The victim sleeps behind whoever plays `before`, in front of a writer.
fn behind(play: &mut Play, before: usize) -> Result<&'static str, String> {
    let holder = play.enter(before)?;
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

/// The victim wants to write, in vain, while another reads.
fn in_vain(play: &mut Play) -> Result<&'static str, String> {
    let reader = play.enter(READ)?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    // It turns away nobody any more.
    fine("another reader", &play.whole(READ)?)?;
    play.go(reader);
    fine("the reader", &play.end(reader)?)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[next], None)
}

/// The victim comes after one who died, playing `before`.
fn after_a_death(play: &mut Play, before: usize) -> Result<&'static str, String> {
    let dying = play.enter_with(before, &Plan::Die("begins".to_owned(), 1))?;
    play.go(dying);
    let dead = play.die(dying)?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[next], Some(dead))
}

/// The ninth reader has died, which had no place in the lock itself; the others have left.
fn after_the_ninth_died(play: &mut Play) -> Result<&'static str, String> {
    let readers: Vec<usize> = (0..FULL).map(|_| play.enter(READ)).collect::<Result<_, _>>()?;
    let dying = play.enter_with(READ, &Plan::Die("begins".to_owned(), 1))?;
    play.go(dying);
    let dead = play.die(dying)?;
    for reader in readers {
        play.go(reader);
        fine("a reader", &play.end(reader)?)?;
    }
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[next], Some(dead))
}

/// As many read as the lock itself has places for.
fn one_too_many(play: &mut Play) -> Result<&'static str, String> {
    let readers: Vec<usize> = (0..FULL).map(|_| play.enter(READ)).collect::<Result<_, _>>()?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    for reader in readers {
        play.go(reader);
        fine("a reader", &play.end(reader)?)?;
    }
    let next = play.whole(NEXT)?;
    verdict(play, &[next], None)
}

pub(super) fn all() -> Vec<Scenario> {
    let row = |operation, role, victim: Act, script: Script, order| Scenario {
        primitive: "RwLock",
        operation,
        role,
        slow: false,
        acts: vec![victim, next::<OfWriting>, leave, write],
        script,
        order,
    };
    let read_only: &[&str] = &[FREE];
    let written: &[&str] = &[FREE, TOLD, FREE];
    vec![
        row("read", "alone", read, alone, read_only),
        row("try_read", "alone", try_read, alone, read_only),
        row("read", "as the ninth", read, one_too_many, read_only),
        row("read", "waiting for a writer", read, |play| behind(play, WRITE), read_only),
        row("read", "again, while a writer waits", read_again, awaited, read_only),
        row("read", "after a writer's death", read, |play| after_a_death(play, WRITE), &[FIRST]),
        row(
            "try_read",
            "after a writer's death",
            try_read,
            |play| after_a_death(play, WRITE),
            &[FIRST],
        ),
        row("end of reading", "while a writer waits", leave, awaited, read_only),
        row("write", "waiting for a reader", write_late, |play| behind(play, READ), written),
        row(
            "write",
            "after a reader's death",
            write_late,
            |play| after_a_death(play, READ),
            written,
        ),
        row("write", "after the ninth reader's death", write_late, after_the_ninth_died, written),
        row(
            "try_write",
            "after a reader's death",
            try_write,
            |play| after_a_death(play, READ),
            written,
        ),
        row("try_write", "in vain", try_write, in_vain, read_only),
        row("write_timeout", "in vain", write_in_time, in_vain, read_only),
    ]
}
