//! The rows of the kill matrix about `Barrier`.

use super::killing::{HANG, poll_for};
use super::round::{Cell, Expect, Round, Told};
use super::stage::{EDGE, OUT, Stage};
use psync::{Barrier, BarrierWait, BrokenBarrier};
use std::{
    sync::atomic::Ordering::SeqCst,
    thread::{Scope, ScopedJoinHandle},
    time::Duration,
};

type Crossed = Result<BarrierWait, BrokenBarrier>;

/// Waits for the word, and goes to the gate.
fn arrive(stage: &Stage, gate: &Barrier) {
    while stage.arena.go.load(SeqCst) == 0 {
        core::hint::spin_loop();
    }
    stage.mark(EDGE);
    let _ = gate.wait();
    // The judge saw how it ended.
    while !stage.stopped() {
        std::thread::yield_now();
    }
}

/// What the bystander does at a gate: goes through, or writes down why not and waits for its repair.
fn pass_too(stage: &Stage, gate: &Barrier) {
    let crossed = gate.wait();
    match crossed {
        Ok(_) => drop(stage.arena.crossings.fetch_add(1, SeqCst)),
        Err(BrokenBarrier { dead: Some(pid) }) => stage.arena.told.store(pid, SeqCst),
        Err(_) => {}
    }
    stage.arena.other_beats.fetch_add(1, SeqCst);
    if crossed.is_ok() {
        return;
    }
    while gate.is_broken() && !stage.stopped() {
        std::thread::yield_now();
    }
}

fn told(crossed: Crossed) -> Told {
    crossed.err().and_then(|broken| broken.dead)
}

/// The victim is there first. Once it is known to be dead, whoever comes is told.
fn comes_later(round: &Round<'_>) -> Result<Told, String> {
    let gate = &round.arena().pair;
    round.arena().go.store(1, SeqCst);
    while round.arena().phase.load(SeqCst) != EDGE {
        core::hint::spin_loop();
    }
    round.pass();
    let arrived = gate.waiting() == 1;
    round.kill();
    round.await_death()?;
    let arrived = arrived || gate.waiting() == 1;
    round.certain.set(Some(if arrived { Expect::Told } else { Expect::Either }));
    // It may have been killed with the gate half-way open; otherwise nobody will ever come.
    let patience = if arrived { HANG } else { Duration::ZERO };
    let crossed = gate.wait_timeout(patience);
    round.recovered();
    match crossed {
        Ok(_) => Err("crossed together with the dead".to_owned()),
        broken => Ok(told(broken)),
    }
}

/// Has a thread of ours wait at the gate, and waits until `others` are there.
fn wait_with<'s, 'e>(
    scope: &'s Scope<'s, 'e>,
    gate: &'e Barrier,
    others: usize,
) -> Result<ScopedJoinHandle<'s, Crossed>, String> {
    let waiter = scope.spawn(|| gate.wait());
    if poll_for(HANG / 2, || gate.waiting() == others) {
        Ok(waiter)
    } else {
        Err(format!("{} at the gate instead of {others}", gate.waiting()))
    }
}

fn join(waiter: ScopedJoinHandle<'_, Crossed>) -> Result<Crossed, String> {
    waiter.join().map_err(|_| "the waiter panicked".to_owned())
}

/// Others wait, the victim joins them, and one more will never come.
fn waits_with_others(round: &Round<'_>) -> Result<Told, String> {
    let gate = &round.arena().four;
    poll_for(HANG / 2, || gate.waiting() == 1);
    let before = round.arena().other_beats.load(SeqCst);
    std::thread::scope(|scope| {
        let waiter = wait_with(scope, gate, 2)?;
        round.arena().go.store(1, SeqCst);
        round.pass();
        let arrived = gate.waiting() == 3;
        round.kill();
        if arrived {
            round.certain.set(Some(Expect::Told));
        } else {
            round.await_death()?;
            round.certain.set(Some(Expect::Either));
            if gate.waiting() == 3 {
                round.certain.set(Some(Expect::Told));
            } else if !gate.is_broken() {
                gate.abort();
            }
        }
        let crossed = join(waiter)?;
        round.recovered();
        let other_returned = || round.arena().other_beats.load(SeqCst) > before;
        if !poll_for(HANG / 2, other_returned) {
            return Err("the other one was not woken".to_owned());
        }
        let other = round.arena().told.load(SeqCst);
        match crossed {
            Ok(_) => Err("crossed although one was missing".to_owned()),
            broken if other != told(broken).unwrap_or(0) => {
                Err(format!("we were told {broken:?}, and the other one {other}"))
            }
            broken => Ok(told(broken)),
        }
    })
}

/// Everybody crosses again and again.
fn crosses(round: &Round<'_>) -> Result<Told, String> {
    let (arena, gate) = (round.arena(), &round.arena().trio);
    // Once the other one is inside, it has counted everything before.
    poll_for(HANG / 2, || gate.waiting() == 1);
    let before = (arena.crossings.load(SeqCst), arena.other_beats.load(SeqCst));
    round.certain.set(Some(Expect::Either));
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut times = 0;
            loop {
                match gate.wait() {
                    Ok(_) => times += 1,
                    Err(broken) => return (times, broken),
                }
            }
        });
        arena.go.store(1, SeqCst);
        round.until_begun();
        round.pass();
        round.kill();
        round.await_death()?;
        // Either it was inside, or it will never come.
        let settled = || gate.is_broken() || gate.waiting() == 2;
        let settled = poll_for(HANG / 2, settled);
        gate.abort();
        let (times, broken) = waiter.join().map_err(|_| "the waiter panicked".to_owned())?;
        if !settled {
            return Err("the survivors are neither told nor waiting".to_owned());
        }
        round.recovered();
        let others = || arena.crossings.load(SeqCst) - before.0;
        if !poll_for(HANG / 2, || arena.other_beats.load(SeqCst) - before.1 > others()) {
            return Err("the other one was not woken".to_owned());
        }
        if times != others() {
            return Err(format!("crossed {times} times, and the other one {}", others()));
        }
        Ok(broken.dead)
    })
}

fn cross(stage: &Stage) {
    while stage.arena.go.load(SeqCst) == 0 {
        core::hint::spin_loop();
    }
    let _ = stage.arena.trio.wait();
}

/// The victim comes last and runs the action.
fn acts(round: &Round<'_>) -> Result<Told, String> {
    let gate = &round.arena().acting;
    std::thread::scope(|scope| {
        let waiter = wait_with(scope, gate, 1)?;
        round.arena().go.store(1, SeqCst);
        while round.arena().phase.load(SeqCst) == OUT {
            core::hint::spin_loop();
        }
        round.pass();
        round.kill();
        round.await_death()?;
        if gate.waiting() == 1 && !gate.is_broken() {
            // It never came.
            gate.abort();
        }
        let crossed = join(waiter)?;
        round.recovered();
        let actions = round.arena().actions.load(SeqCst);
        match crossed {
            Ok(_) if actions != 1 => Err(format!("crossed after {actions} actions")),
            crossed => Ok(told(crossed)),
        }
    })
}

fn reset(stage: &Stage) -> Result<(), String> {
    let arena = &stage.arena;
    arena.go.store(0, SeqCst);
    arena.actions.store(0, SeqCst);
    for gate in [&arena.pair, &arena.four, &arena.trio, &arena.acting] {
        gate.reset();
        if gate.is_broken() {
            return Err("broken after a reset".to_owned());
        }
    }
    Ok(())
}

fn unblock(stage: &Stage) {
    for gate in [&stage.arena.four, &stage.arena.trio] {
        gate.abort();
        gate.reset();
    }
}

/// All rows of this file.
pub(crate) fn cells() -> Vec<Cell> {
    let row = |operation, role, victim, bystander, act| Cell {
        primitive: "Barrier",
        operation,
        role,
        victim,
        bystander,
        act,
        audit: |_| Ok(()),
        reset,
        nudge: unblock,
    };
    let four = |stage: &Stage| pass_too(stage, &stage.arena.four);
    let trio = |stage: &Stage| pass_too(stage, &stage.arena.trio);
    vec![
        row("wait", "first there", |s| arrive(s, &s.arena.pair), None, comes_later),
        row("wait", "one of many", |s| arrive(s, &s.arena.four), Some(four), waits_with_others),
        row("wait, wait, ..", "one of three", cross, Some(trio), crosses),
        row("action", "last", |s| arrive(s, &s.arena.acting), None, acts),
    ]
}
