//! The rows of the kill matrix about waiting: `Semaphore`, `Event`, `Mutex` apart, which is with the locks.

use super::killing::{HANG, poll_for, spin};
use super::round::{Cell, Round, Told};
use super::stage::{Arena, EDGE, OUT, PERMITS, Stage};
use psync::Semaphore;
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

/// One of the stage's semaphores.
type Which = fn(&Arena) -> &Semaphore;

trait Counted {
    const NAME: &'static str;
    const WHICH: Which;
}

enum Unbounded {}
enum Bounded {}

impl Counted for Unbounded {
    const NAME: &'static str = "Semaphore";
    const WHICH: Which = |arena| &arena.permits;
}

impl Counted for Bounded {
    const NAME: &'static str = "Semaphore, bounded";
    const WHICH: Which = |arena| &arena.bounded;
}

fn hold_two<C: Counted>(stage: &Stage) {
    let semaphore = C::WHICH(&stage.arena);
    stage.mark(EDGE);
    let one = semaphore.acquire().expect("room in the roster");
    let two = semaphore.acquire().expect("room in the roster");
    spin(Duration::from_nanos(300));
    drop(one);
    drop(two);
    stage.mark(OUT);
}

/// One only: to wait for a second while we wait for its first would be a deadlock.
fn wait_for_one<C: Counted>(stage: &Stage) {
    stage.mark(EDGE);
    let permit = C::WHICH(&stage.arena).acquire().expect("room in the roster");
    stage.mark(OUT);
    drop(permit);
}

fn hold_one<C: Counted>(stage: &Stage) {
    let permit = C::WHICH(&stage.arena).acquire().expect("room in the roster");
    spin(Duration::from_nanos(300));
    drop(permit);
    stage.arena.other_beats.fetch_add(1, SeqCst);
}

/// Acquires everything there is, which needs what the dead held; true if there is no more than that.
fn have_all(semaphore: &Semaphore, meanwhile: impl FnOnce()) -> Result<(), String> {
    let mut permits = Vec::new();
    for _ in 0..PERMITS {
        permits.push(semaphore.acquire().map_err(|error| error.to_string())?);
    }
    meanwhile();
    match (semaphore.try_acquire(), semaphore.available()) {
        (Err(_), 0) => Ok(()),
        (found, free) => Err(format!("permits out of nothing: {found:?}, {free}")),
    }
}

fn permit_holder<C: Counted>(round: &Round<'_>) -> Result<Told, String> {
    round.until_begun();
    round.pass();
    round.kill();
    have_all(C::WHICH(round.arena()), || round.recovered()).map(|()| None)
}

/// The victim waits for permits that we have, and is killed about when we give them back.
fn permit_waiter<C: Counted>(round: &Round<'_>) -> Result<Told, String> {
    let semaphore = C::WHICH(round.arena());
    have_all(semaphore, || {
        poll_for(HANG, || round.arena().phase.load(SeqCst) == EDGE);
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
    have_all(semaphore, || round.recovered()).map(|()| None)
}

fn all_are_there<C: Counted>(round: &Round<'_>) -> Result<(), String> {
    let semaphore = C::WHICH(round.arena());
    have_all(semaphore, || ())?;
    let undisturbed = round.arena().other_beats.load(SeqCst) == 0;
    if undisturbed && semaphore.available() != PERMITS {
        return Err(format!("{} permits are free", semaphore.available()));
    }
    if undisturbed && C::NAME == Bounded::NAME && semaphore.release(1).is_ok() {
        return Err("released above the bound".to_owned());
    }
    Ok(())
}

/// Takes a permit out of the world and puts a new one into it.
fn forget_and_release(stage: &Stage) {
    stage.arena.permits.acquire().expect("room in the roster").forget();
    stage.arena.permits.release(1).expect("without a bound");
}

fn next_but_one(round: &Round<'_>) -> Result<Told, String> {
    round.until_begun();
    round.pass();
    round.kill();
    let permits = &round.arena().permits;
    // One may be gone for good: what was forgotten and not yet replaced.
    let (one, two) = (permits.acquire(), permits.acquire());
    round.recovered();
    one.and(two).map(|_| None).map_err(|error| error.to_string())
}

fn at_most_one_is_gone(round: &Round<'_>) -> Result<(), String> {
    replace_forgotten(round.stage)
}

fn replace_forgotten(stage: &Stage) -> Result<(), String> {
    match stage.arena.permits.available() {
        PERMITS => Ok(()),
        free if free == PERMITS - 1 => {
            stage.arena.permits.release(1).map_err(|error| error.to_string())
        }
        free => Err(format!("{free} permits")),
    }
}

const fn counted<C: Counted>(
    operation: &'static str,
    role: &'static str,
    bystander: Option<fn(&Stage)>,
    act: fn(&Round<'_>) -> Result<Told, String>,
) -> Cell {
    Cell {
        primitive: C::NAME,
        operation,
        role,
        victim: hold_two::<C>,
        bystander,
        act,
        audit: all_are_there::<C>,
        reset: |_| Ok(()),
        nudge: |_| (),
    }
}

/// Waits for the bell, and until it is quiet again.
fn listen(stage: &Stage) {
    stage.mark(EDGE);
    stage.arena.bell.wait();
    stage.mark(OUT);
    while stage.arena.bell.is_set() {
        std::thread::yield_now();
    }
}

fn listen_too(stage: &Stage) {
    stage.arena.bell.wait();
    stage.arena.other_beats.fetch_add(1, SeqCst);
}

fn heard(round: &Round<'_>, before: u64) -> Result<(), String> {
    let heard = || round.arena().other_beats.load(SeqCst) > before;
    // Spinning first, for the sake of the measured time.
    let begin = std::time::Instant::now();
    while !heard() && begin.elapsed() < Duration::from_millis(5) {
        core::hint::spin_loop();
    }
    if !poll_for(HANG / 2, heard) {
        return Err("the other one did not hear the bell".to_owned());
    }
    round.recovered();
    Ok(())
}

fn listener(round: &Round<'_>) -> Result<Told, String> {
    let bell = &round.arena().bell;
    poll_for(HANG, || round.arena().phase.load(SeqCst) == EDGE);
    spin(round.delay * 4);
    let before = round.arena().other_beats.load(SeqCst);
    if round.coin {
        round.kill();
        spin(round.delay / 4);
        bell.set();
    } else {
        bell.set();
        spin(round.delay / 4);
        round.kill();
    }
    heard(round, before)?;
    bell.clear();
    Ok(None)
}

/// Rings until it is heard.
fn ring(stage: &Stage) {
    let before = stage.arena.other_beats.load(SeqCst);
    stage.arena.before.store(before, SeqCst);
    stage.arena.bell.set();
    while stage.arena.other_beats.load(SeqCst) == before {
        core::hint::spin_loop();
    }
    stage.arena.bell.clear();
}

/// Killed between the change of the bell and the call that wakes, the ringer must still be heard.
fn ringer(round: &Round<'_>) -> Result<Told, String> {
    round.until_begun();
    round.pass();
    round.kill();
    let before = round.arena().before.load(SeqCst);
    if round.arena().bell.is_set() {
        heard(round, before)?;
    }
    round.await_death()?;
    if round.arena().bell.is_set() {
        heard(round, round.arena().before.load(SeqCst))?;
    }
    round.arena().bell.clear();
    Ok(None)
}

const fn bell(
    operation: &'static str,
    role: &'static str,
    victim: fn(&Stage),
    act: fn(&Round<'_>) -> Result<Told, String>,
) -> Cell {
    Cell {
        primitive: "Event",
        operation,
        role,
        victim,
        bystander: Some(listen_too),
        act,
        audit: |_| Ok(()),
        reset: |stage| {
            stage.arena.bell.clear();
            Ok(())
        },
        nudge: |stage| {
            stage.arena.bell.set();
            stage.arena.bell.clear();
        },
    }
}

fn permits<C: Counted>() -> [Cell; 3] {
    let one = Some(hold_one::<C> as fn(&Stage));
    [
        counted::<C>("acquire 2, drop", "holder", None, permit_holder::<C>),
        counted::<C>("acquire 2, drop", "one of two", one, permit_holder::<C>),
        Cell {
            victim: wait_for_one::<C>,
            ..counted::<C>("acquire", "waiter", one, permit_waiter::<C>)
        },
    ]
}

/// All rows of this file.
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    cells.extend(permits::<Unbounded>());
    cells.extend(permits::<Bounded>());
    cells.push(Cell {
        victim: forget_and_release,
        audit: at_most_one_is_gone,
        reset: replace_forgotten,
        ..counted::<Unbounded>("forget, release", "holder", None, next_but_one)
    });
    cells.push(bell("wait", "waiter", listen, listener));
    cells.push(bell("set, clear", "setter", ring, ringer));
    cells
}
