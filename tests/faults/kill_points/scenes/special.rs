//! Locks in company: several at once, a panic, an owner that the kernel has not marked, and one that had lent what it held.
#![allow(unsafe_code, reason = "looks at descriptors by number")]

use super::super::cast::{Part, Plan, Saw, Scene};
use super::super::killing::{self, HANG, poll_for};
use super::super::play::{Play, VICTIM as V};
use super::super::stage::{EDGE, IN, OUT, VICTIM};
use super::super::subjects::{OfArray, OfLock, OfMutex, OfReentrant, Subject};
use super::locks::{FIRST, FREE, TOLD, next, verdict};
use super::{Scenario, Script};
use psync::{LockError, PoisonCause};
use psync_runtime::sync::testing::{self, faults};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::Ordering::SeqCst,
    time::Duration,
};

const BOTH_UNMARKED: &str = "after a death, both without marks";

const NEXT: usize = 1;
const HOLD: usize = 2;

fn wrong(error: &LockError) -> Saw {
    Saw::Wrong(error.to_string())
}

/// Holds up to three locks, and lets go of the middle one first; then two of them again.
fn three(part: &Part) -> Saw {
    let stage = part.stage();
    stage.arena.told.store(killing::own_pid(), SeqCst);
    part.begin();
    let first = OfMutex::lock(stage);
    let second = OfLock::lock(stage);
    let third = OfArray::lock(stage);
    let sound = first.is_ok() && second.is_ok() && third.is_ok();
    drop(second);
    drop(first);
    drop(third);
    let again = OfLock::lock(stage);
    let first = OfMutex::lock(stage);
    let sound = sound && again.is_ok() && first.is_ok();
    drop(again);
    drop(first);
    part.end();
    if sound { Saw::Fine } else { Saw::Wrong("a lock was not to be had".to_owned()) }
}

/// How many of the three locks tell of the victim's death.
fn count_told(part: &Part) -> Saw {
    let stage = part.stage();
    part.begin();
    let victim = stage.arena.told.load(SeqCst);
    let all = [
        OfMutex::lock(stage).map(drop),
        OfLock::lock(stage).map(drop),
        OfArray::lock(stage).map(drop),
    ];
    part.end();
    let mut told = 0;
    for taken in all {
        match taken {
            Ok(()) => {}
            Err(LockError::Poisoned { pid, cause: PoisonCause::Died }) if pid == victim => {
                told += 1;
            }
            Err(error) => return wrong(&error),
        }
    }
    Saw::Number(told)
}

const TOLD_OF: [&str; 4] = ["free", "told of one", "told of two", "told of all three"];

fn several(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    match play.whole(NEXT)? {
        Saw::Number(told) => Ok(TOLD_OF[usize::try_from(told).unwrap_or(0)]),
        saw => Err(format!("{saw:?}")),
    }
}

/// Marks that its part is over, whatever happens.
struct Marks<'a>(&'a Part, u32);

impl Drop for Marks<'_> {
    fn drop(&mut self) {
        self.0.stage().mark(self.1);
    }
}

/// Panics with the lock.
fn panic_inside<S: Subject>(part: &Part) -> Saw {
    let stage = part.stage();
    part.begin();
    stage.mark(EDGE);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = S::lock(stage).expect("free");
        let _leaves = Marks(part, EDGE);
        stage.mark(IN);
        S::add(&mut guard, VICTIM);
        resume_unwind(Box::new(()));
    }));
    stage.mark(OUT);
    part.end();
    if panicked.is_err() { Saw::Fine } else { Saw::Wrong("no panic".to_owned()) }
}

/// Takes the lock while a panic is under way that has nothing to do with it.
fn take_in_a_panic(part: &Part) -> Saw {
    struct Takes<'a>(&'a Part);
    impl Drop for Takes<'_> {
        fn drop(&mut self) {
            let stage = self.0.stage();
            let mut guard = OfMutex::lock(stage).expect("free");
            stage.mark(IN);
            OfMutex::add(&mut guard, VICTIM);
            OfMutex::add(&mut guard, 0);
            stage.mark(EDGE);
        }
    }
    part.begin();
    part.stage().mark(EDGE);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _takes = Takes(part);
        resume_unwind(Box::new(()));
    }));
    part.stage().mark(OUT);
    part.end();
    if panicked.is_err() { Saw::Fine } else { Saw::Wrong("no panic".to_owned()) }
}

const PANIC: &str = "poisoned by the panic";

fn panics(play: &mut Play) -> Result<&'static str, String> {
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let saw = play.whole(NEXT)?;
    if saw == Saw::Panicked(play.victim_pid()) {
        let phase = play.arena().phase.load(SeqCst);
        return if phase == IN { Err("the panic was not over".to_owned()) } else { Ok(PANIC) };
    }
    verdict(play, &[saw], None)
}

/// Holds the lock as with a C library that keeps the kernel from marking it.
fn hold_unmarked(part: &Part) -> Saw {
    testing::pretend_foreign_c_library();
    part.begin();
    let guard = OfMutex::lock(part.stage());
    faults::point("holds");
    let saw = guard.as_ref().err().map_or(Saw::Fine, wrong);
    part.end();
    saw
}

/// Takes the lock with `take`, also if it is poisoned.
fn take(part: &Part, take: fn(&Part) -> Result<<OfMutex as Subject>::Guard<'_>, LockError>) -> Saw {
    let stage = part.stage();
    part.begin();
    stage.mark(EDGE);
    let saw = match take(part) {
        Ok(mut guard) => {
            stage.mark(IN);
            OfMutex::add(&mut guard, VICTIM);
            OfMutex::add(&mut guard, 0);
            stage.mark(EDGE);
            drop(guard);
            Saw::Fine
        }
        Err(LockError::Poisoned { .. }) => Saw::Fine,
        Err(error) => wrong(&error),
    };
    stage.mark(OUT);
    part.end();
    saw
}

fn take_plainly(part: &Part) -> Saw {
    take(part, |part| OfMutex::lock(part.stage()))
}

/// Tries, as with the same C library: who does not wait must ask as well.
fn try_unmarked(part: &Part) -> Saw {
    testing::pretend_foreign_c_library();
    take(part, |part| OfMutex::try_lock(part.stage()))
}

/// After a death that the kernel did not mark, `point` being where.
fn after_unmarked(play: &mut Play, point: &str) -> Result<&'static str, String> {
    let holder = play.enter_with(HOLD, &Plan::Die(point.to_owned(), 1))?;
    play.go(holder);
    let dead = play.die(holder)?;
    let victim = play.enter(V)?;
    play.victim_goes(victim)?;
    let next = play.whole(NEXT)?;
    verdict(play, &[next], Some(dead))
}

/// Starts a process that outlives it, and dies with the lock.
fn lend(part: &Part) -> Saw {
    let stage = part.stage();
    let guard = OfArray::lock(stage);
    let child = psync::spawn(outlive, (part.scene.clone(),));
    poll_for(HANG, || stage.arena.told.load(SeqCst) != 0);
    part.begin();
    part.end();
    Saw::Wrong(format!("it lives; {:?}, {child:?}", guard.err()))
}

/// Cuts its lifeline, says who it is, and lives until it is killed; not for ever, if the judge fails to do so.
fn outlive((scene,): (Scene,)) {
    for descriptor in 0..256 {
        // SAFETY: takes numbers.
        let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
        if flags != -1 && flags & libc::O_ASYNC != 0 {
            // SAFETY: takes numbers.
            unsafe { libc::fcntl(descriptor, libc::F_SETFL, flags & !libc::O_ASYNC) };
        }
    }
    scene.stage.arena.told.store(killing::own_pid(), SeqCst);
    poll_for(HANG, || false);
}

/// Tries for a while to take over from the lender.
fn wait_for_the_lent(part: &Part) -> Saw {
    part.begin();
    let taken = OfArray::lock_timeout(part.stage(), Duration::from_millis(20)).map(drop);
    part.end();
    match taken {
        Err(LockError::TimedOut) => Saw::Fine,
        Err(error) => wrong(&error),
        Ok(()) => Saw::Wrong("taken over from under the borrower".to_owned()),
    }
}

fn lends(play: &mut Play) -> Result<&'static str, String> {
    let lender = play.enter_with(HOLD, &Plan::Die("begins".to_owned(), 1))?;
    let borrower = play.arena().told.load(SeqCst);
    play.go(lender);
    let dead = play.die(lender)?;
    let victim = play.enter(V)?;
    let went = play.victim_goes(victim);
    killing::kill(borrower);
    went?;
    let next = play.whole(NEXT)?;
    verdict(play, &[next], Some(dead))
}

pub(super) fn all() -> Vec<Scenario> {
    let mutex = |operation, role, victim, script: Script, order| Scenario {
        primitive: OfMutex::NAME,
        operation,
        role,
        slow: false,
        acts: vec![victim, next::<OfMutex>, hold_unmarked],
        script,
        order,
    };
    let owner_unknown: Script = |play| after_unmarked(play, "mutex: taken");
    let owner_known: Script = |play| after_unmarked(play, "holds");
    let early = "after an unmarked death before the holder was noted";
    vec![
        Scenario {
            slow: true,
            ..mutex("lock", early, take_plainly, owner_unknown, &[FREE, TOLD, FREE])
        },
        mutex("lock", "after an unmarked death", take_plainly, owner_known, &[FIRST, TOLD, FIRST]),
        Scenario {
            slow: true,
            ..mutex("try_lock", BOTH_UNMARKED, try_unmarked, owner_known, &[FIRST, TOLD, FIRST])
        },
        mutex("lock", "in a panic", take_in_a_panic, panics, &[FREE, TOLD, FREE]),
        mutex("lock, panic", "alone", panic_inside::<OfMutex>, panics, &[FREE, TOLD, PANIC]),
        Scenario {
            primitive: OfReentrant::NAME,
            acts: vec![panic_inside::<OfReentrant>, next::<OfReentrant>],
            ..mutex("lock, panic", "alone", take_plainly, panics, &[FREE, TOLD, PANIC])
        },
        Scenario {
            primitive: "Mutex, Lock and Array",
            operation: "lock all, unlock",
            role: "alone",
            slow: false,
            acts: vec![three, count_told],
            script: several,
            order: &[
                TOLD_OF[0], TOLD_OF[1], TOLD_OF[2], TOLD_OF[3], TOLD_OF[2], TOLD_OF[1], TOLD_OF[0],
                TOLD_OF[1], TOLD_OF[2], TOLD_OF[1], TOLD_OF[0],
            ],
        },
        Scenario {
            primitive: OfArray::NAME,
            operation: "lock_timeout",
            role: "after a lender whose borrower lives",
            slow: false,
            acts: vec![wait_for_the_lent, next::<OfArray>, lend],
            script: lends,
            order: &[FIRST],
        },
    ]
}
