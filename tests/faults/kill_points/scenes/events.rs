//! `Event`: a set reaches those who wait, whoever dies.

use super::super::cast::{Act, Part, Saw};
use super::super::play::{Play, VICTIM as V};
use super::{Scenario, Script, fine};
use psync::wait_any;
use std::time::Duration;

const SET: &str = "set, and heard";
const CLEAR: &str = "clear";
const HEARD: &str = "heard by the others";

const WAIT: usize = 1;
const RING: usize = 2;

fn set(part: &Part) -> Saw {
    part.begin();
    part.stage().arena.bell.set();
    part.end();
    Saw::Fine
}

fn clear(part: &Part) -> Saw {
    part.stage().arena.bell.set();
    part.begin();
    part.stage().arena.bell.clear();
    part.end();
    Saw::Fine
}

fn wait(part: &Part) -> Saw {
    part.begin();
    part.stage().arena.bell.wait();
    part.end();
    Saw::Fine
}

fn wait_for_any(part: &Part) -> Saw {
    part.begin();
    let ready = wait_any(&[&part.stage().arena.bell], None);
    part.end();
    match ready {
        Ok(ready) if ready == [0] => Saw::Fine,
        other => Saw::Wrong(format!("{other:?}")),
    }
}

fn wait_in_vain(part: &Part) -> Saw {
    part.begin();
    let heard = part.stage().arena.bell.wait_timeout(Duration::from_millis(20));
    part.end();
    if heard { Saw::Wrong("heard what nobody rang".to_owned()) } else { Saw::Fine }
}

/// The victim rings for one who sleeps.
fn rings(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(WAIT)?;
    play.victim_goes(victim)?;
    let verdict = if play.arena().bell.is_set() { SET } else { CLEAR };
    if verdict == CLEAR {
        if play.settle(waiter)? {
            return Err("woken by nobody".to_owned());
        }
        fine("the ringer", &play.whole(RING)?)?;
    }
    fine("the waiter", &play.end(waiter)?)?;
    Ok(verdict)
}

/// Nobody waits for what the victim does.
fn alone(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let verdict = if play.arena().bell.is_set() { SET } else { CLEAR };
    if verdict == CLEAR {
        let waiter = play.begin_to_sleep(WAIT)?;
        fine("the ringer", &play.whole(RING)?)?;
        fine("the waiter", &play.end(waiter)?)?;
    } else {
        fine("the waiter", &play.whole(WAIT)?)?;
    }
    Ok(verdict)
}

/// The victim sleeps beside another until a third rings.
fn waits(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin_to_sleep(WAIT)?;
    fine("the ringer", &play.whole(RING)?)?;
    play.victim_ends()?;
    fine("the waiter", &play.end(waiter)?)?;
    Ok(HEARD)
}

/// The victim gives up, and another waits on.
fn gives_up(play: &mut Play) -> Result<&'static str, String> {
    let waiter = play.begin_to_sleep(WAIT)?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    fine("the ringer", &play.whole(RING)?)?;
    fine("the waiter", &play.end(waiter)?)?;
    Ok(HEARD)
}

pub(super) fn all() -> Vec<Scenario> {
    let row = |operation, role, victim: Act, script: Script, order| Scenario {
        primitive: "Event",
        operation,
        role,
        slow: false,
        acts: vec![victim, wait, set],
        script,
        order,
    };
    vec![
        row("set", "alone", set, alone, &[CLEAR, SET]),
        row("set", "while another waits", set, rings, &[CLEAR, SET]),
        row("clear", "alone", clear, alone, &[SET, CLEAR]),
        row("wait", "beside another", wait, waits, &[HEARD]),
        row("wait_any", "beside another", wait_for_any, waits, &[HEARD]),
        row("wait_timeout", "in vain", wait_in_vain, gives_up, &[HEARD]),
    ]
}
