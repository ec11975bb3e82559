//! `Value`: whoever dies, it is as before or as after.

use super::super::cast::{Act, Part, Plan, Saw};
use super::super::play::{Play, VICTIM as V};
use super::super::stage::{OTHER, Tally, VICTIM, is_whole};
use super::{Scenario, Script, fine};
use psync_runtime::sync::testing::faults;

const BEFORE: &str = "as before";
const AFTER: &str = "as after";

const NEXT: usize = 1;
const HOLD: usize = 2;

fn with_one_more(mut tally: Tally, whose: usize) -> Tally {
    tally[whose] += 1;
    tally[0] += 1;
    tally
}

fn set(part: &Part) -> Saw {
    let value = &part.stage().arena.value;
    let next = with_one_more(value.get(), VICTIM);
    part.begin();
    value.set(next);
    part.end();
    Saw::Fine
}

fn update(part: &Part) -> Saw {
    part.begin();
    part.stage().arena.value.update(|tally| {
        faults::point("computes");
        with_one_more(tally, VICTIM)
    });
    part.end();
    Saw::Fine
}

fn edit(part: &Part) -> Saw {
    part.begin();
    let saw = match part.stage().arena.value.lock() {
        Ok(mut guard) => {
            guard[VICTIM] += 1;
            faults::point("half changed");
            guard[0] += 1;
            Saw::Fine
        }
        Err(error) => Saw::Wrong(error.to_string()),
    };
    part.end();
    saw
}

fn get(part: &Part) -> Saw {
    part.begin();
    let tally = part.stage().arena.value.get();
    part.end();
    if is_whole(&tally) { Saw::Fine } else { Saw::Wrong(format!("torn: {tally:?}")) }
}

/// Holds the guard, half changed, until it is told to go on.
fn hold(part: &Part) -> Saw {
    let Ok(mut guard) = part.stage().arena.value.lock() else {
        return Saw::Wrong("not to be had".to_owned());
    };
    guard[OTHER] += 1;
    part.begin();
    guard[0] += 1;
    drop(guard);
    part.end();
    Saw::Fine
}

/// Changes it as others do; how much of what it finds is the victim's.
fn next(part: &Part) -> Saw {
    let value = &part.stage().arena.value;
    part.begin();
    let read = value.get();
    let mut found = [0; 3];
    let written = value.update(|tally| {
        found = tally;
        with_one_more(tally, OTHER)
    });
    part.end();
    if is_whole(&read) && is_whole(&found) && is_whole(&written) {
        Saw::Number(found[VICTIM])
    } else {
        Saw::Wrong(format!("torn: {read:?}, {found:?}, {written:?}"))
    }
}

fn verdict(saws: &[Saw]) -> Result<&'static str, String> {
    match saws.last() {
        Some(Saw::Number(0)) if saws.iter().all(|saw| *saw == Saw::Number(0)) => Ok(BEFORE),
        Some(Saw::Number(1)) => Ok(AFTER),
        _ => Err(format!("{saws:?}")),
    }
}

fn alone(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    verdict(&[play.whole(NEXT)?])
}

/// The victim and another sleep until a third lets go.
fn waits(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter(HOLD)?;
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.go(holder);
    fine("the holder", &play.end(holder)?)?;
    play.victim_ends()?;
    let first = play.end(waiter)?;
    verdict(&[first, play.whole(NEXT)?])
}

/// The same, but the third dies.
fn waits_for_the_dying(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter_with(HOLD, &Plan::Die("begins".to_owned(), 1))?;
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.dies_for_the_victim(holder, &[waiter])?;
    play.victim_ends()?;
    let first = play.end(waiter)?;
    verdict(&[first, play.whole(NEXT)?])
}

/// Reads while another holds it.
fn reads(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter(HOLD)?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    play.go(holder);
    fine("the holder", &play.end(holder)?)?;
    verdict(&[play.whole(NEXT)?])
}

fn scenario(
    operation: &'static str,
    role: &'static str,
    victim: Act,
    script: Script,
    order: &'static [&'static str],
) -> Scenario {
    let acts: Vec<Act> = vec![victim, next, hold];
    Scenario { primitive: "Value", operation, role, slow: false, acts, script, order }
}

pub(super) fn all() -> Vec<Scenario> {
    let mut all = vec![scenario("get", "while another holds it", get, reads, &[BEFORE])];
    let changes: [(&'static str, Act); 3] = [("set", set), ("update", update), ("lock", edit)];
    for (operation, victim) in changes {
        let row = |role, script| scenario(operation, role, victim, script, &[BEFORE, AFTER]);
        all.push(row("alone", alone));
        all.push(row("waiting for a holder", waits));
        all.push(row("waiting for one who dies", waits_for_the_dying));
    }
    all
}
