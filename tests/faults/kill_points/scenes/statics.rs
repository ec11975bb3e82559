//! `#[shared]` statics: whoever dies over the first use of one leaves it to the next.

use super::super::cast::{Act, Part, Saw};
use super::super::play::Play;
use super::super::stage::{OTHER, Tally, VICTIM};
use super::onces::{self, AFRESH, MADE, MADE_BEFORE, made_by, whose};
use super::{Scenario, Script};
use psync_runtime::{
    __private::{SharedStatic, fits},
    sync::testing::faults,
};
use std::{
    cell::{Cell, RefCell},
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

/// How many cells can be played, with those that are played again: a static can be made once in a program.
const ALL: usize = 4096;

static TALLIES: [SharedStatic<Tally>; ALL] =
    [const { SharedStatic::new(fits(), "TALLIES", make) }; ALL];

thread_local! {
    /// Who makes it here.
    static WHO: Cell<usize> = const { Cell::new(OTHER) };
    /// Who begins in the middle of making it.
    static BEGINS: RefCell<Option<Part>> = const { RefCell::new(None) };
}

fn make() -> Tally {
    if let Some(part) = BEGINS.take() {
        part.begin();
    }
    faults::point("makes");
    made_by(WHO.get())
}

/// The static of this scene.
fn tally(part: &Part) -> Saw {
    let number = usize::try_from(part.stage().arena.before.load(SeqCst));
    match number.ok().and_then(|number| TALLIES.get(number)) {
        Some(tally) => whose(tally),
        None => Saw::Wrong("all statics have been used up".to_owned()),
    }
}

fn get_as(part: &Part, who: usize) -> Saw {
    WHO.set(who);
    part.begin();
    let saw = tally(part);
    part.end();
    saw
}

fn hold_as(part: &Part, who: usize) -> Saw {
    WHO.set(who);
    BEGINS.set(Some(part.twin()));
    let saw = tally(part);
    part.end();
    saw
}

fn get(part: &Part) -> Saw {
    get_as(part, VICTIM)
}

fn hold(part: &Part) -> Saw {
    hold_as(part, VICTIM)
}

fn next(part: &Part) -> Saw {
    get_as(part, OTHER)
}

fn other_holds(part: &Part) -> Saw {
    match hold_as(part, OTHER) {
        Saw::Number(0) => Saw::Fine,
        saw => saw,
    }
}

/// Plays with a static that nobody has used.
fn with_a_fresh_one(play: &mut Play, script: Script) -> Result<&'static str, String> {
    static USED: AtomicU64 = AtomicU64::new(0);
    play.arena().before.store(USED.fetch_add(1, SeqCst), SeqCst);
    script(play)
}

fn alone(play: &mut Play) -> Result<&'static str, String> {
    with_a_fresh_one(play, onces::alone)
}

fn awaited(play: &mut Play) -> Result<&'static str, String> {
    with_a_fresh_one(play, onces::awaited)
}

fn waits(play: &mut Play) -> Result<&'static str, String> {
    with_a_fresh_one(play, onces::waits)
}

fn waits_for_the_dying(play: &mut Play) -> Result<&'static str, String> {
    with_a_fresh_one(play, onces::waits_for_the_dying)
}

pub(super) fn all() -> Vec<Scenario> {
    let row = |role, victim: Act, script: Script, order| Scenario {
        primitive: "Static",
        operation: "first use",
        role,
        slow: false,
        acts: vec![victim, next, other_holds],
        script,
        order,
    };
    vec![
        row("alone", get, alone, &[AFRESH, MADE]),
        row("making it while another waits", hold, awaited, &[AFRESH, MADE]),
        row("waiting for the maker", get, waits, &[MADE_BEFORE]),
        row("waiting for a maker who dies", get, waits_for_the_dying, &[AFRESH, MADE]),
    ]
}
