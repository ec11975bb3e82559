//! Condition variables, between processes and threads.
#![allow(missing_docs, reason = "tests")]
#![allow(unsafe_code, reason = "handles a signal")]

mod common;

use common::{eventually, signal, watchdog};
use psync::prelude::*;
use std::time::{Duration, Instant};

#[shared]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    sleeping: u32,
    woken: u32,
    timed_out: u32,
    state: u32,
}

#[shared]
struct Room {
    #[init(Mutex::new(Count::default()))]
    count: Mutex<Count>,
    changed: Condvar,
    ready: Event,
}

fn room() -> Shared<Room> {
    Shared::new(Room::default()).expect("shared memory")
}

fn count(room: &Room) -> Count {
    *room.count.lock().expect("sound")
}

/// How many wait and have not been notified.
fn waiting(room: &Room) -> String {
    format!("{:?}", room.changed)
}

#[process(daemon)]
fn sleeps(room: &Room, timeout: Option<Duration>) {
    let mut count = room.count.lock().expect("sound");
    count.sleeping += 1;
    let timed_out = match timeout {
        None => {
            count = room.changed.wait(count).expect("sound");
            false
        }
        Some(timeout) => {
            let (again, result) = room.changed.wait_timeout(count, timeout).expect("sound");
            count = again;
            result.timed_out()
        }
    };
    count.woken += 1;
    count.timed_out += u32::from(timed_out);
}

/// Has `processes` processes and `threads` threads sleep, calls `then` when all do, and waits until they have ended.
fn with_sleepers(
    room: &Shared<Room>,
    [processes, threads]: [u32; 2],
    timeout: Option<Duration>,
    then: impl FnOnce(),
) {
    let before = count(room).sleeping;
    std::thread::scope(|scope| {
        let started: Vec<_> =
            (0..processes).map(|_| sleeps::spawn(room, timeout).expect("a start")).collect();
        for _ in 0..threads {
            scope.spawn(|| sleeps(room, timeout));
        }
        // Whoever is counted has let go of the mutex since, to wait.
        assert!(eventually(|| count(room).sleeping == before + processes + threads));
        then();
        for process in started {
            process.join().expect("ends");
        }
    });
}

/// Whether so many have been woken, nobody else is about to be, and so many still wait.
fn have_woken(room: &Room, woken: u32, left: u32) -> bool {
    waiting(room) == format!("Condvar({left} waiting)") && eventually(|| count(room).woken == woken)
}

/// `_TestCondition.test_notify`
#[test]
fn one_notification_wakes_one() {
    let _watchdog = watchdog();
    let room = room();
    with_sleepers(&room, [1, 1], None, || {
        assert!(have_woken(&room, 0, 2), "nobody is woken before");
        room.changed.notify_one();
        assert!(have_woken(&room, 1, 1));
        room.changed.notify_one();
        assert!(have_woken(&room, 2, 0));
    });
    let Count { sleeping, woken, timed_out, .. } = count(&room);
    assert_eq!((sleeping, woken, timed_out), (2, 2, 0));
    // Nothing is kept for who waits next.
    room.changed.notify_one();
    let guard = room.count.lock().expect("sound");
    let (_, result) = room.changed.wait_timeout(guard, Duration::from_millis(10)).expect("sound");
    assert!(result.timed_out());
}

/// `_TestCondition.test_notify_all`
#[test]
fn a_notification_of_all_wakes_all() {
    let _watchdog = watchdog();
    let room = room();
    with_sleepers(&room, [3, 3], Some(Duration::from_millis(100)), || ());
    assert_eq!(count(&room), Count { sleeping: 6, woken: 6, timed_out: 6, state: 0 });
    assert_eq!(waiting(&room), "Condvar(0 waiting)");
    with_sleepers(&room, [3, 3], None, || {
        assert!(have_woken(&room, 6, 6));
        room.changed.notify_all();
        assert!(have_woken(&room, 12, 0));
    });
    assert_eq!(count(&room), Count { sleeping: 12, woken: 12, timed_out: 6, state: 0 });
}

/// `_TestCondition.test_notify_n`
#[test]
fn as_many_are_woken_as_are_notified() {
    let _watchdog = watchdog();
    let room = room();
    with_sleepers(&room, [3, 3], None, || {
        assert!(have_woken(&room, 0, 6));
        assert_eq!(room.changed.notify(2), 2);
        assert!(have_woken(&room, 2, 4));
        assert_eq!(room.changed.notify(0), 0);
        assert!(have_woken(&room, 2, 4));
        assert_eq!(room.changed.notify(4), 4);
        assert!(have_woken(&room, 6, 0));
    });
    assert_eq!(room.changed.notify(3), 0);
    assert!(have_woken(&room, 6, 0));
}

/// `_TestCondition.test_timeout`
#[test]
fn a_wait_ends_in_time_with_the_mutex() {
    let _watchdog = watchdog();
    let room = room();
    let (timeout, begin) = (Duration::from_millis(60), Instant::now());
    let guard = room.count.lock().expect("free");
    let (guard, result) = room.changed.wait_timeout(guard, timeout).expect("sound");
    assert!(result.timed_out() && begin.elapsed() >= timeout);
    assert!(room.count.is_locked());
    assert_eq!(another_tries(&room), Some(LockError::WouldBlock));
    drop(guard);
    assert_eq!(another_tries(&room), None);
}

/// What another process gets of the mutex.
fn another_tries(room: &Shared<Room>) -> Option<LockError> {
    tries::run(room).expect("ends")
}

#[process]
fn tries(room: &Room) -> Option<LockError> {
    room.count.try_lock().err()
}

/// Whether the state became 4, and how long that took.
#[process]
fn waits_for_four(room: &Room, timeout: Duration) -> (bool, Duration) {
    let guard = room.count.lock().expect("free");
    room.ready.set();
    let begin = Instant::now();
    let wait = room.changed.wait_timeout_while(guard, timeout, |count| count.state != 4);
    let (count, result) = wait.expect("sound");
    assert_eq!(result.timed_out(), count.state != 4);
    (!result.timed_out(), begin.elapsed())
}

fn increment(room: &Room) {
    // Not before it waits, since it gives the mutex up only for that.
    room.ready.wait();
    room.count.lock().expect("sound").state += 1;
    room.changed.notify_one();
}

/// `_TestCondition.test_waitfor_timeout`
#[test]
fn a_condition_that_does_not_come_true_is_awaited_until_the_time_is_up() {
    let _watchdog = watchdog();
    let (room, timeout) = (room(), Duration::from_millis(100));
    let process = waits_for_four::spawn(&room, timeout).expect("a start");
    for _ in 0..3 {
        increment(&room);
    }
    let (came_true, after) = process.join().expect("ends");
    assert!(!came_true && after >= timeout, "after {after:?}");
}

#[test]
fn a_condition_that_comes_true_ends_the_wait() {
    let _watchdog = watchdog();
    for timeout in [Duration::from_mins(1), Duration::MAX] {
        let room = room();
        let process = waits_for_four::spawn(&room, timeout).expect("a start");
        for _ in 0..4 {
            increment(&room);
        }
        assert!(process.join().expect("ends").0);
    }
}

extern "C" fn do_nothing(_: i32) {}

/// Has SIGINT interrupt system calls, and do nothing else.
fn be_interruptible() {
    // SAFETY: zeros are an action, with the flags that are wanted: none, so that no call is begun again.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = do_nothing as *const () as libc::sighandler_t;
    // SAFETY: installs a handler that may run at any time.
    let result = unsafe { libc::sigaction(libc::SIGINT, &raw const action, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// Waits with each timeout; whether it was notified.
#[process]
fn waits_again_and_again(room: &Room, timeouts: Vec<Duration>) -> Vec<bool> {
    be_interruptible();
    let wait = |timeout| {
        let mut count = room.count.lock().expect("sound");
        count.sleeping += 1;
        let (_, result) = room.changed.wait_timeout(count, timeout).expect("sound");
        !result.timed_out()
    };
    timeouts.into_iter().map(wait).collect()
}

/// `_TestCondition.test_wait_result`
///
/// A signal does not end a wait: what a handler is there for is its own affair.
#[test]
fn a_wait_tells_whether_it_was_notified_and_goes_on_after_signals() {
    let _watchdog = watchdog();
    let (room, minute) = (room(), Duration::from_mins(1));
    let timeouts = vec![Duration::ZERO, Duration::from_millis(100), minute, minute];
    let process = waits_again_and_again::spawn(&room, timeouts).expect("a start");
    assert!(eventually(|| count(&room).sleeping == 3), "two waits in vain");
    room.changed.notify_one();
    assert!(eventually(|| count(&room).sleeping == 4));
    for _ in 0..20 {
        signal(process.pid(), libc::SIGINT);
        // By the time that it sleeps again, the signal has been taken.
        assert!(eventually(|| common::state_of(process.pid()) == Some('S')));
        assert_eq!(waiting(&room), "Condvar(1 waiting)");
    }
    room.changed.notify_one();
    assert_eq!(process.join().expect("ends"), [false, false, true, true]);
}

#[shared]
struct Relay {
    turn: Lock,
    #[guarded_by(turn)]
    whose: u32,
    #[guarded_by(turn)]
    rounds: u32,
    passed: Condvar,
}

/// The guard of fields is given up and comes back as that of another mutex does.
#[process]
fn runs(relay: &Relay, number: u32, rounds: u32) {
    for _ in 0..rounds {
        let turn = relay.lock_turn().expect("sound");
        let mut turn =
            relay.passed.wait_while(turn, |turn| *turn.whose % 3 != number).expect("sound");
        *turn.whose += 1;
        *turn.rounds += 1;
        relay.passed.notify_all();
    }
}

#[test]
fn guarded_fields_are_waited_for_as_well() {
    let _watchdog = watchdog();
    let relay = Shared::new(Relay::default()).expect("shared memory");
    parallel! { for number in 0..3_u32 => runs(&relay, number, 200) }.expect("nobody fails");
    assert_eq!(*relay.lock_turn().expect("sound").rounds, 600);
}
