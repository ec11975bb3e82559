//! `Barrier`: whoever dies inside breaks it for all, and whoever dies outside does not.

use super::super::cast::{Act, Part, Plan, Saw};
use super::super::play::{Play, VICTIM as V};
use super::super::stage::{ACTOR, Arena};
use super::{Scenario, Script, fine};
use psync::{Barrier, BarrierWait, BrokenBarrier};
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

const MISSING: &str = "waited for";
const BROKEN: &str = "broken, and told";
const BEFORE: &str = "broken by the one before";
const CROSSED_BROKEN: &str = "crossed; broken after that, and told";
const CROSSED: &str = "crossed";
const ENDED: &str = "broken by nobody's death";
const RESET_BROKEN: &str = "as new; broken after that, and told";
const RESET: &str = "as new";

const WAIT: usize = 1;
const PROBE: usize = 2;

/// One of the stage's barriers.
trait Gate {
    fn of(arena: &Arena) -> &Barrier;
}

enum Pair {}
enum Trio {}
enum Acting {}

impl Gate for Pair {
    fn of(arena: &Arena) -> &Barrier {
        &arena.pair
    }
}

impl Gate for Trio {
    fn of(arena: &Arena) -> &Barrier {
        &arena.trio
    }
}

impl Gate for Acting {
    fn of(arena: &Arena) -> &Barrier {
        &arena.acting
    }
}

fn gate<G: Gate>(part: &Part) -> &Barrier {
    G::of(&part.stage().arena)
}

fn saw(crossed: Result<BarrierWait, BrokenBarrier>) -> Saw {
    match crossed {
        Ok(_) => Saw::Fine,
        Err(BrokenBarrier { dead: Some(pid) }) => Saw::Died(pid),
        Err(_) => Saw::Broken,
    }
}

fn wait<G: Gate>(part: &Part) -> Saw {
    part.begin();
    let saw = saw(gate::<G>(part).wait());
    part.end();
    saw
}

/// Would run the action.
fn wait_and_act(part: &Part) -> Saw {
    let _ = ACTOR.set(part.stage().clone());
    wait::<Acting>(part)
}

/// Comes, and does not wait.
fn probe<G: Gate>(part: &Part) -> Saw {
    part.begin();
    let saw = saw(gate::<G>(part).wait_timeout(Duration::ZERO));
    part.end();
    saw
}

fn abort(part: &Part) -> Saw {
    part.begin();
    gate::<Pair>(part).abort();
    part.end();
    Saw::Fine
}

fn reset(part: &Part) -> Saw {
    part.begin();
    gate::<Pair>(part).reset();
    part.end();
    Saw::Fine
}

fn wait_in_vain(part: &Part) -> Saw {
    part.begin();
    let saw = saw(gate::<Trio>(part).wait_timeout(Duration::from_millis(20)));
    part.end();
    saw
}

/// What one who waits beside the victim comes to; if it still waits, another one comes.
fn partner(play: &mut Play, waiter: usize) -> Result<&'static str, String> {
    let victim = play.victim_pid();
    if !play.settle(waiter)? {
        let other = play.whole(WAIT)?;
        fine("a third one", &other)?;
        fine("who waited for it", &play.end(waiter)?)?;
        return Ok(MISSING);
    }
    match play.end(waiter)? {
        Saw::Died(pid) if pid == victim => Ok(BROKEN),
        Saw::Broken => Ok(ENDED),
        Saw::Fine => match play.whole(PROBE)? {
            Saw::Died(pid) if pid == victim => Ok(CROSSED_BROKEN),
            Saw::Broken => Ok(CROSSED),
            saw => Err(format!("after the crossing, one alone saw {saw:?}")),
        },
        saw => Err(format!("it saw {saw:?}; the victim was {victim}")),
    }
}

/// The victim comes first.
fn first(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin(WAIT)?;
    play.victim_ends()?;
    partner(play, waiter)
}

/// The same, at a gate that was crossed before.
fn first_again(play: &mut Play) -> Result<&'static str, String> {
    let early = play.begin_to_sleep(WAIT)?;
    fine("the second", &play.whole(WAIT)?)?;
    fine("the first", &play.end(early)?)?;
    first(play)
}

/// Another waits already.
fn last(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(WAIT)?;
    play.victim_goes(victim)?;
    let verdict = partner(play, waiter)?;
    let actions = play.arena().actions.load(SeqCst);
    let acted = play.victim_pid() != 0 && actions == 1;
    if matches!(verdict, CROSSED | CROSSED_BROKEN) && has_action(play) && !acted {
        return Err(format!("crossed after {actions} actions"));
    }
    Ok(verdict)
}

fn has_action(play: &Play) -> bool {
    play.arena().phase.load(SeqCst) != 0
}

/// The victim breaks the gate for one who waits.
fn breaks(play: &mut Play) -> Result<&'static str, String> {
    last(play)
}

/// The victim waits beside another for a third who never comes.
fn gives_up(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(WAIT)?;
    play.victim_goes(victim)?;
    if !play.settle(waiter)? {
        // The two who are missing.
        let second = play.begin_to_sleep(WAIT)?;
        fine("a third one", &play.whole(WAIT)?)?;
        fine("a second one", &play.end(second)?)?;
        fine("who waited for them", &play.end(waiter)?)?;
        return Ok(MISSING);
    }
    match play.end(waiter)? {
        Saw::Died(pid) if pid == play.victim_pid() => Ok(BROKEN),
        Saw::Broken => Ok(ENDED),
        saw => Err(format!("{saw:?}")),
    }
}

/// Whether two can cross.
fn as_new(play: &mut Play) -> Result<&'static str, String> {
    let one = play.begin(WAIT)?;
    if play.settle(one)? {
        return match play.end(one)? {
            Saw::Died(pid) if pid == play.victim_pid() => Ok(RESET_BROKEN),
            saw => Err(format!("after the reset: {saw:?}")),
        };
    }
    fine("the second", &play.whole(WAIT)?)?;
    fine("the first", &play.end(one)?)?;
    Ok(RESET)
}

/// The victim resets the gate under one who waits.
fn resets(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(WAIT)?;
    play.victim_goes(victim)?;
    match partner(play, waiter)? {
        ENDED => as_new(play),
        verdict => Ok(verdict),
    }
}

/// The victim resets what a death has broken.
fn mends(play: &mut Play) -> Result<&'static str, String> {
    let asleep = Plan::DieAsleep("barrier: falls asleep".to_owned(), 1);
    let early = play.enter_with(WAIT, &asleep)?;
    play.go(early);
    let dead = play.die(early)?;
    let broken = play.whole(WAIT)?;
    if broken != Saw::Died(dead) {
        return Err(format!("{dead} died in there, and the next one saw {broken:?}"));
    }
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    if !play.arena().pair.is_broken() {
        return as_new(play);
    }
    match play.whole(WAIT)? {
        Saw::Died(pid) if pid == dead => Ok(BEFORE),
        Saw::Died(pid) if pid == play.victim_pid() => Ok(BROKEN),
        saw => Err(format!("{saw:?}; {dead} had died in there")),
    }
}

pub(super) fn all() -> Vec<Scenario> {
    let row = |operation, role, acts: [Act; 3], script: Script, order| Scenario {
        primitive: "Barrier",
        operation,
        role,
        slow: false,
        acts: acts.to_vec(),
        script,
        order,
    };
    let pair = |victim: Act| [victim, wait::<Pair> as Act, probe::<Pair>];
    let crossing: &[&str] = &[MISSING, BROKEN, CROSSED_BROKEN, CROSSED];
    vec![
        row("wait", "first of two", pair(wait::<Pair>), first, crossing),
        row("wait", "first of two, for the second time", pair(wait::<Pair>), first_again, crossing),
        row("wait", "last of two", pair(wait::<Pair>), last, crossing),
        row(
            "wait, with action",
            "last of two",
            [wait_and_act, wait::<Acting>, probe::<Acting>],
            last,
            crossing,
        ),
        row("abort", "while another waits", pair(abort), breaks, &[MISSING, BROKEN, ENDED]),
        row(
            "wait_timeout",
            "in vain, beside another",
            [wait_in_vain, wait::<Trio>, probe::<Trio>],
            gives_up,
            &[MISSING, BROKEN, ENDED],
        ),
        row(
            "reset",
            "while another waits",
            pair(reset),
            resets,
            &[MISSING, BROKEN, RESET_BROKEN, RESET],
        ),
        row("reset", "after a death inside", pair(reset), mends, &[BEFORE, RESET_BROKEN, RESET]),
    ]
}
