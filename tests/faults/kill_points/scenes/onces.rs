//! `Once`: whoever dies making it leaves it to the next.

use super::super::cast::{Act, Part, Plan, Saw};
use super::super::play::{Play, VICTIM as V};
use super::super::stage::{OTHER, Tally, VICTIM, is_whole};
use super::{Scenario, Script, fine};
use psync_runtime::sync::testing::faults;

pub(super) const AFRESH: &str = "made afresh";
pub(super) const MADE: &str = "made by the victim";
pub(super) const MADE_BEFORE: &str = "made by another";

const NEXT: usize = 1;
const MAKE: usize = 2;

pub(super) fn made_by(whose: usize) -> Tally {
    let mut tally = [1, 0, 0];
    tally[whose] = 1;
    tally
}

pub(super) fn whose(tally: &Tally) -> Saw {
    if is_whole(tally) {
        Saw::Number(tally[VICTIM])
    } else {
        Saw::Wrong(format!("torn: {tally:?}"))
    }
}

/// Gets it, or makes it.
fn get(part: &Part) -> Saw {
    part.begin();
    let saw = whose(part.stage().arena.once.get_or_init(|| {
        faults::point("makes");
        made_by(VICTIM)
    }));
    part.end();
    saw
}

/// Begins in the middle of making it.
fn make(part: &Part) -> Saw {
    let saw = whose(part.stage().arena.once.get_or_init(|| {
        part.begin();
        made_by(VICTIM)
    }));
    part.end();
    saw
}

fn next(part: &Part) -> Saw {
    part.begin();
    let saw = whose(part.stage().arena.once.get_or_init(|| made_by(OTHER)));
    part.end();
    saw
}

/// As the victim's, for another.
fn hold(part: &Part) -> Saw {
    part.stage().arena.once.get_or_init(|| {
        part.begin();
        made_by(OTHER)
    });
    part.end();
    Saw::Fine
}

fn verdict(saws: &[Saw]) -> Result<&'static str, String> {
    let alike = saws.iter().all(|saw| *saw == saws[0]);
    match &saws[0] {
        Saw::Number(0) if alike => Ok(AFRESH),
        Saw::Number(1) if alike => Ok(MADE),
        _ => Err(format!("{saws:?}")),
    }
}

pub(super) fn alone(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    verdict(&[play.whole(NEXT)?, play.whole(NEXT)?])
}

pub(super) fn awaited(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.victim_goes(victim)?;
    let first = play.end(waiter)?;
    verdict(&[first, play.whole(NEXT)?])
}

/// The victim and another sleep while a third makes it.
pub(super) fn waits(play: &mut Play) -> Result<&'static str, String> {
    let maker = play.enter(MAKE)?;
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.go(maker);
    fine("the maker", &play.end(maker)?)?;
    play.victim_ends()?;
    let first = play.end(waiter)?;
    match verdict(&[first, play.whole(NEXT)?])? {
        AFRESH => Ok(MADE_BEFORE),
        _ => Err("made twice".to_owned()),
    }
}

/// The same, but the third dies over it.
pub(super) fn waits_for_the_dying(play: &mut Play) -> Result<&'static str, String> {
    let maker = play.enter_with(MAKE, &Plan::Die("begins".to_owned(), 1))?;
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.dies_for_the_victim(maker, &[waiter])?;
    play.victim_ends()?;
    let first = play.end(waiter)?;
    verdict(&[first, play.whole(NEXT)?])
}

pub(super) fn all() -> Vec<Scenario> {
    let row = |role, victim: Act, script: Script, order| Scenario {
        primitive: "Once",
        operation: "get_or_init",
        role,
        slow: false,
        acts: vec![victim, next, hold],
        script,
        order,
    };
    vec![
        row("alone", get, alone, &[AFRESH, MADE]),
        row("making it while another waits", make, awaited, &[AFRESH, MADE]),
        row("waiting for the maker", get, waits, &[MADE_BEFORE]),
        row("waiting for a maker who dies", get, waits_for_the_dying, &[AFRESH, MADE]),
    ]
}
