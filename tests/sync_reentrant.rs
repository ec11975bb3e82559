//! Reentrant mutexes, between processes.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::{PoisonCause, prelude::*};
use std::time::Duration;

#[shared]
struct Desk {
    /// Only the holder touches the number inside.
    #[init(ReentrantMutex::new(Value::new(0)))]
    drawer: ReentrantMutex<Value<u64>>,
    moved: Condvar,
    held: Event,
    deeper: Event,
    leave: Event,
    end: Event,
}

fn desk() -> Shared<Desk> {
    Shared::new(Desk::default()).expect("shared memory")
}

/// Whether it is locked, as the holder sees it.
#[process]
fn holds(desk: &Desk) -> bool {
    let _drawer = desk.drawer.lock().expect("free");
    desk.held.set();
    desk.leave.wait();
    desk.drawer.is_locked()
}

#[process]
fn holds_three_deep(desk: &Desk) {
    let outer = desk.drawer.lock().expect("free");
    let _more = (desk.drawer.lock().expect("ours"), desk.drawer.try_lock().expect("ours"));
    outer.set(outer.get() + 1);
    desk.held.set();
    desk.leave.wait();
}

/// `_TestLock.test_rlock_context`
#[test]
fn the_end_of_a_guard_releases_one_level() {
    let _watchdog = watchdog();
    let desk = desk();
    {
        let outer = desk.drawer.lock().expect("free");
        {
            let inner = desk.drawer.lock().expect("ours");
            assert_eq!(inner.depth(), 2);
        }
        assert_eq!((outer.depth(), desk.drawer.is_locked()), (1, true));
    }
    assert!(!desk.drawer.is_locked());
}

/// `_TestLock.test_rlock_locked_2processes`
#[test]
fn a_mutex_that_another_process_holds_is_locked_for_both() {
    let _watchdog = watchdog();
    let desk = desk();
    assert!(!desk.drawer.is_locked());
    let process = holds::spawn(&desk).expect("a start");
    desk.held.wait();
    assert!(desk.drawer.is_locked());
    assert_eq!(desk.drawer.try_lock().err(), Some(LockError::WouldBlock));
    desk.leave.set();
    assert!(process.join().expect("ends"), "its holder sees it as well");
    assert!(!desk.drawer.is_locked());
}

fn said(desk: &Desk) -> String {
    format!("{:?}", desk.drawer)
}

/// What it says of a holder in this process.
fn held_by(process: i32, times: &str) -> impl Fn(&str) -> bool {
    let end = format!(" of process {process}{times})");
    move |said| said.starts_with("ReentrantMutex(held by thread ") && said.ends_with(&end)
}

/// `_TestLock.test_repr_rlock`
#[test]
fn the_debug_form_names_the_owner_and_how_deep_it_is() {
    let _watchdog = watchdog();
    let desk = desk();
    let own = psync::current().pid();
    assert_eq!(said(&desk), "ReentrantMutex(free)");
    let all = [(); 3].map(|()| desk.drawer.lock().expect("ours"));
    let thrice = said(&desk);
    assert!(held_by(own, " 3 times")(&thrice), "{thrice}");
    std::thread::scope(|scope| {
        // The same, seen by another thread.
        scope.spawn(|| assert_eq!(said(&desk), thrice));
    });
    drop(all);
    let by_threads: Vec<String> = std::thread::scope(|scope| {
        let deep = |depth| {
            let desk = &desk;
            scope.spawn(move || {
                let all: Vec<_> = (0..depth).map(|_| desk.drawer.lock().expect("free")).collect();
                let said = said(desk);
                drop(all);
                said
            })
        };
        let threads = [1, 2, 3].map(deep);
        threads.map(|thread| thread.join().expect("no panic")).to_vec()
    });
    for (said, times) in by_threads.iter().zip(["", " 2 times", " 3 times"]) {
        assert!(held_by(own, times)(said), "{said}");
        assert_ne!(*said, thrice, "the threads have numbers of their own");
    }
    let process = holds_three_deep::spawn(&desk).expect("a start");
    desk.held.wait();
    let far = said(&desk);
    assert!(held_by(process.pid(), " 3 times")(&far), "{far}");
    desk.leave.set();
    process.join().expect("ends");
    assert_eq!(said(&desk), "ReentrantMutex(free)");
}

#[process]
fn counts(desk: &Desk, times: u64) {
    for turn in 0..times {
        let outer = desk.drawer.lock().expect("sound");
        let before = outer.get();
        let inner = desk.drawer.lock().expect("ours");
        if turn % 64 == 0 {
            std::thread::yield_now();
        }
        inner.set(before + 1);
    }
}

#[test]
fn nothing_is_lost_when_processes_take_turns() {
    let _watchdog = watchdog();
    let desk = desk();
    parallel! { for _ in 0..4 => counts(&desk, 3_000) }.expect("nobody fails");
    assert_eq!(desk.drawer.lock().expect("sound").get(), 12_000);
}

#[process]
fn lets_go_of_it_level_by_level(desk: &Desk) {
    let outer = desk.drawer.lock().expect("free");
    let inner = desk.drawer.lock().expect("ours");
    desk.held.set();
    desk.leave.wait();
    // Not in the order of their making.
    drop(outer);
    desk.deeper.set();
    desk.end.wait();
    drop(inner);
}

#[test]
fn another_process_gets_it_when_the_last_level_is_left() {
    let _watchdog = watchdog();
    let desk = desk();
    let process = lets_go_of_it_level_by_level::spawn(&desk).expect("a start");
    desk.held.wait();
    desk.leave.set();
    desk.deeper.wait();
    assert_eq!(desk.drawer.try_lock().err(), Some(LockError::WouldBlock));
    let soon = desk.drawer.lock_timeout(Duration::from_millis(20));
    assert_eq!(soon.err(), Some(LockError::TimedOut));
    desk.end.set();
    drop(desk.drawer.lock().expect("free"));
    process.join().expect("ends");
}

#[test]
fn a_death_deep_inside_poisons_it_once() {
    let _watchdog = watchdog();
    let desk = desk();
    let process = holds_three_deep::spawn(&desk).expect("a start");
    let died = LockError::Poisoned { pid: process.pid(), cause: PoisonCause::Died };
    desk.held.wait();
    process.kill().expect("kills");
    assert_eq!(desk.drawer.lock().err(), Some(died.clone()));
    assert_eq!(desk.drawer.try_lock().err(), Some(died));
    let sound = desk.drawer.lock_or_repair(|value| value.set(10)).expect("repairs");
    let again = desk.drawer.lock().expect("ours");
    assert_eq!((sound.get(), again.depth()), (10, 2));
    drop((sound, again));
    assert_eq!(desk.drawer.lock().expect("sound").get(), 10);
}

/// Waits with two levels until the number is one of its own, and makes it another's.
#[process]
fn passes_it_on(desk: &Desk, whose: u64) {
    for _ in 0..300 {
        let outer = desk.drawer.lock().expect("sound");
        let inner = desk.drawer.lock().expect("ours");
        let inner = desk.moved.wait_while(inner, |value| value.get() % 3 != whose).expect("sound");
        assert_eq!((outer.depth(), inner.depth()), (2, 2));
        inner.set(inner.get() + 1);
        desk.moved.notify_all();
    }
}

#[test]
fn all_levels_are_released_for_a_condition_and_restored() {
    let _watchdog = watchdog();
    let desk = desk();
    parallel! { for whose in 0..3_u64 => passes_it_on(&desk, whose) }.expect("nobody fails");
    assert_eq!(desk.drawer.lock().expect("sound").get(), 900);
    assert!(!desk.drawer.is_locked());
}
