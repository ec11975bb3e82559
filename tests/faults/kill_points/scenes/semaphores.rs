//! `Semaphore`: permits of the dead come back, and no wake-up is lost.

use super::super::cast::{Act, Part, Plan, Saw};
use super::super::killing::{HANG, poll_for};
use super::super::play::{Play, VICTIM as V};
use super::super::stage::{Arena, MANY, PERMITS};
use super::{Scenario, Script, fine};
use psync::{AcquireError, Permit, Semaphore};
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

const ALL: &str = "all permits are there";
const MORE: &str = "one more";
const LESS: &str = "one is gone";

const NEXT: usize = 1;
const HOLD: usize = 2;
const COUNT: usize = 3;
const FILL: usize = 4;
const FORGET: usize = 5;

/// One of the stage's semaphores.
trait Which {
    const NAME: &'static str;
    fn of(arena: &Arena) -> &Semaphore;
}

enum Unbounded {}
enum Bounded {}

impl Which for Unbounded {
    const NAME: &'static str = "Semaphore";

    fn of(arena: &Arena) -> &Semaphore {
        &arena.permits
    }
}

impl Which for Bounded {
    const NAME: &'static str = "Semaphore, bounded";

    fn of(arena: &Arena) -> &Semaphore {
        &arena.bounded
    }
}

fn which<W: Which>(part: &Part) -> &Semaphore {
    W::of(&part.stage().arena)
}

fn wrong(error: AcquireError) -> Saw {
    Saw::Wrong(error.to_string())
}

/// The victim's operation with a permit, or the attempt to get one.
fn once<W: Which>(part: &Part) -> Saw {
    part.begin();
    let saw = which::<W>(part).acquire().map(drop).map_or_else(wrong, |()| Saw::Fine);
    part.end();
    saw
}

/// Twice, since a process has its place in the semaphore after the first time.
fn twice<W: Which>(part: &Part) -> Saw {
    part.begin();
    let first = which::<W>(part).acquire().map(drop);
    let second = which::<W>(part).acquire().map(drop);
    part.end();
    first.and(second).map_or_else(wrong, |()| Saw::Fine)
}

/// All permits that there are.
fn all_of<W: Which>(part: &Part) -> Vec<Permit<'_>> {
    (0..PERMITS).filter_map(|_| which::<W>(part).try_acquire().ok()).collect()
}

fn with_all<W: Which>(part: &Part, work: impl FnOnce(Vec<Permit<'_>>)) -> Saw {
    let all = all_of::<W>(part);
    if all.len() != PERMITS as usize {
        return Saw::Wrong(format!("{} permits only", all.len()));
    }
    work(all);
    Saw::Fine
}

/// Gives one of its permits back, and keeps the others until the judge says so.
fn give_one_back<W: Which>(part: &Part) -> Saw {
    with_all::<W>(part, |mut all| {
        part.begin();
        drop(all.pop());
        part.end();
        poll_for(HANG, || part.stage().arena.go.load(SeqCst) != 0);
    })
}

/// As the victim; alone, and not to be waited for.
fn give_one_back_and_leave<W: Which>(part: &Part) -> Saw {
    with_all::<W>(part, |mut all| {
        part.begin();
        drop(all.pop());
        part.end();
    })
}

fn forget_one<W: Which>(part: &Part) -> Saw {
    let Ok(permit) = which::<W>(part).acquire() else { return Saw::Wrong("none".to_owned()) };
    part.begin();
    permit.forget();
    part.end();
    Saw::Fine
}

/// More than the word of the semaphore can tell of one process.
fn forget_one_of_many(part: &Part) -> Saw {
    let many = &part.stage().arena.many;
    let mut held: Vec<_> = (0..17).filter_map(|_| many.try_acquire().ok()).collect();
    let one = held.pop();
    part.begin();
    drop(many.try_acquire());
    if let Some(permit) = one {
        permit.forget();
    }
    part.end();
    if held.len() == 16 { Saw::Fine } else { Saw::Wrong(format!("{} permits", held.len())) }
}

fn release_one<W: Which>(part: &Part) -> Saw {
    part.begin();
    let released = which::<W>(part).release(1);
    part.end();
    released.map_or_else(|error| Saw::Wrong(error.to_string()), |()| Saw::Fine)
}

fn ask_for_available<W: Which>(part: &Part) -> Saw {
    part.begin();
    let free = which::<W>(part).available();
    part.end();
    if free == PERMITS { Saw::Fine } else { Saw::Wrong(format!("{free} are free")) }
}

fn ask_for_many_available(part: &Part) -> Saw {
    part.begin();
    let free = part.stage().arena.many.available();
    part.end();
    if free == MANY { Saw::Fine } else { Saw::Wrong(format!("{free} are free")) }
}

/// Puts one more into the world than the bound allows to be free, as long as it has one itself.
fn give_back_above_the_bound(part: &Part) -> Saw {
    let semaphore = which::<Bounded>(part);
    let (Ok(permit), Ok(())) = (semaphore.acquire(), semaphore.release(1)) else {
        return Saw::Wrong("no permit, or no release".to_owned());
    };
    part.begin();
    drop(permit);
    part.end();
    Saw::Fine
}

fn wait_in_vain<W: Which>(part: &Part) -> Saw {
    part.begin();
    let acquired = which::<W>(part).acquire_timeout(Duration::from_millis(20)).map(drop);
    part.end();
    match acquired {
        Err(AcquireError::TimedOut) => Saw::Fine,
        Err(error) => wrong(error),
        Ok(()) => Saw::Wrong("acquired what another has".to_owned()),
    }
}

/// How many permits there are to be had, of all semaphores that have so many.
fn count<W: Which>(part: &Part) -> Saw {
    part.begin();
    let semaphore = which::<W>(part);
    let free = semaphore.available();
    let mut held = Vec::new();
    while let Ok(permit) = semaphore.try_acquire() {
        held.push(permit);
    }
    part.end();
    let had = held.len() as u64;
    if u64::from(free) == had { Saw::Number(had) } else { Saw::Wrong(format!("{free}, but {had}")) }
}

fn count_many(part: &Part) -> Saw {
    part.begin();
    let mut held = Vec::new();
    while let Ok(permit) = part.stage().arena.many.try_acquire() {
        held.push(permit);
    }
    part.end();
    Saw::Number(held.len() as u64)
}

/// Has one permit of the many until it is told to go on.
fn fill(part: &Part) -> Saw {
    let permit = part.stage().arena.many.acquire();
    part.begin();
    let saw = permit.map_or_else(wrong, |_| Saw::Fine);
    part.end();
    saw
}

fn use_one_of_many(part: &Part) -> Saw {
    part.begin();
    let saw = part.stage().arena.many.acquire().map_or_else(wrong, |_| Saw::Fine);
    part.end();
    saw
}

fn verdict(counted: &Saw, all: u32) -> Result<&'static str, String> {
    let all = u64::from(all);
    match counted {
        Saw::Number(number) if *number == all => Ok(ALL),
        Saw::Number(number) if *number == all + 1 => Ok(MORE),
        Saw::Number(number) if number + 1 == all => Ok(LESS),
        saw => Err(format!("{saw:?} instead of {all}")),
    }
}

fn alone(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    verdict(&play.whole(COUNT)?, PERMITS)
}

/// After one who has died with all of them.
fn comes_after_a_death(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter_with(HOLD, &Plan::Die("begins".to_owned(), 1))?;
    play.go(holder);
    play.die(holder)?;
    alone(play)
}

/// The victim sleeps until somebody with all permits dies.
fn waits_for_the_dying(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter_with(HOLD, &Plan::Die("begins".to_owned(), 1))?;
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    play.go(holder);
    play.die(holder)?;
    play.victim_ends()?;
    verdict(&play.whole(COUNT)?, PERMITS)
}

/// The victim and another sleep, and one permit comes back.
fn waits(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter(HOLD)?;
    let victim = play.begin(V)?;
    play.asleep(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.go(holder);
    play.victim_ends()?;
    fine("the waiter", &play.end(waiter)?)?;
    play.arena().go.store(1, SeqCst);
    fine("the holder", &play.end(holder)?)?;
    verdict(&play.whole(COUNT)?, PERMITS)
}

/// The victim has all permits, and gives one back while another sleeps.
fn awaited(play: &mut Play) -> Result<&'static str, String> {
    play.arena().go.store(1, SeqCst);
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.victim_goes(victim)?;
    fine("the waiter", &play.end(waiter)?)?;
    verdict(&play.whole(COUNT)?, PERMITS)
}

/// The victim makes a permit while another sleeps.
fn makes_one(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter(HOLD)?;
    let victim = play.enter(V)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.victim_goes(victim)?;
    let was_woken = play.settle(waiter)?;
    play.go(holder);
    play.arena().go.store(1, SeqCst);
    fine("the holder", &play.end(holder)?)?;
    fine("the waiter", &play.end(waiter)?)?;
    match (verdict(&play.whole(COUNT)?, PERMITS)?, was_woken) {
        (MORE, false) => Err("the waiter was not woken for the new permit".to_owned()),
        (ALL, true) => Err("the waiter got a permit that did not exist".to_owned()),
        (verdict, _) => Ok(verdict),
    }
}

/// Somebody sleeps in vain before, so that it is thought that somebody sleeps.
fn after_one_who_gave_up(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    fine("who gave up", &play.whole(NEXT)?)?;
    play.victim_goes(victim)?;
    verdict(&play.whole(COUNT)?, PERMITS)
}

/// The victim sleeps in vain, and then another sleeps until there is one.
fn gives_up(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter(HOLD)?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let waiter = play.begin_to_sleep(NEXT)?;
    play.go(holder);
    fine("the waiter", &play.end(waiter)?)?;
    play.arena().go.store(1, SeqCst);
    fine("the holder", &play.end(holder)?)?;
    verdict(&play.whole(COUNT)?, PERMITS)
}

/// After one who has died with more permits than the word can tell.
fn many_after_a_death(play: &mut Play) -> Result<&'static str, String> {
    let holder = play.enter_with(FORGET, &Plan::Die("begins".to_owned(), 1))?;
    play.go(holder);
    play.die(holder)?;
    many(play)
}

/// As many as the word of a semaphore has places for have one each.
fn one_too_many(play: &mut Play) -> Result<&'static str, String> {
    const FULL: u32 = 12;
    let holders: Vec<usize> = (0..FULL).map(|_| play.enter(FILL)).collect::<Result<_, _>>()?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let counted = play.whole(COUNT)?;
    for holder in holders {
        play.go(holder);
        fine("a holder", &play.end(holder)?)?;
    }
    verdict(&counted, MANY - FULL)
}

fn many(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    verdict(&play.whole(COUNT)?, MANY)
}

fn rows<W: Which>() -> Vec<Scenario> {
    let row = |operation, role, victim: Act, next: Act, script: Script, order| Scenario {
        primitive: W::NAME,
        operation,
        role,
        slow: false,
        acts: vec![victim, next, give_one_back::<W>, count::<W>],
        script,
        order,
    };
    let only: &[&str] = &[ALL];
    let (once, wait_in_vain): (Act, Act) = (once::<W>, wait_in_vain::<W>);
    let twice: Act = twice::<W>;
    let leave: Act = give_one_back_and_leave::<W>;
    vec![
        row("acquire, drop", "alone", twice, once, alone, only),
        row("acquire, drop", "after a death", twice, once, comes_after_a_death, only),
        row("acquire, drop", "waiting for a holder", once, once, waits, only),
        row("acquire, drop", "waiting for one who dies", once, once, waits_for_the_dying, only),
        row("acquire_timeout", "in vain", wait_in_vain, once, gives_up, only),
        row("drop", "while another waits", give_one_back::<W>, once, awaited, only),
        row("drop", "after one who gave up", leave, wait_in_vain, after_one_who_gave_up, only),
        row("forget", "alone", forget_one::<W>, once, alone, &[ALL, LESS]),
        row("available", "after a death", ask_for_available::<W>, once, comes_after_a_death, only),
    ]
}

pub(super) fn all() -> Vec<Scenario> {
    let mut all = rows::<Unbounded>();
    all.extend(rows::<Bounded>());
    all.push(Scenario {
        primitive: Unbounded::NAME,
        operation: "release",
        role: "while another waits",
        slow: false,
        acts: vec![
            release_one::<Unbounded>,
            once::<Unbounded>,
            give_one_back::<Unbounded>,
            count::<Unbounded>,
        ],
        script: makes_one,
        order: &[ALL, MORE],
    });
    all.push(Scenario {
        primitive: Bounded::NAME,
        operation: "drop",
        role: "above the bound",
        slow: false,
        acts: vec![
            give_back_above_the_bound,
            once::<Bounded>,
            give_one_back::<Bounded>,
            count::<Bounded>,
        ],
        script: alone,
        order: &[ALL],
    });
    let crowd = |operation, role, victim: Act, script: Script, order| Scenario {
        primitive: Unbounded::NAME,
        operation,
        role,
        slow: false,
        acts: vec![victim, victim, victim, count_many, fill, forget_one_of_many],
        script,
        order,
    };
    all.push(crowd(
        "acquire, drop",
        "as the thirteenth holder",
        use_one_of_many,
        one_too_many,
        &[ALL],
    ));
    all.push(crowd(
        "available",
        "after a death with seventeen permits",
        ask_for_many_available,
        many_after_a_death,
        &[ALL],
    ));
    all.push(crowd(
        "acquire, forget",
        "with seventeen permits",
        forget_one_of_many,
        many,
        &[ALL, LESS],
    ));
    all
}
