//! A manager's server: its beginning, its end in every way, and what its handles say then.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{descriptors, eventually, is_alive, signal, watchdog};
use psync::{
    manager::{CounterProxy, DictProxy, ListProxy, ValueProxy},
    prelude::*,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

#[allow(clippy::needless_pass_by_value, reason = "it is the last that is seen of it")]
fn is_lost<T: std::fmt::Debug>(result: Result<T, ManagerError>, of: i32) -> bool {
    matches!(result, Err(ManagerError::Lost { pid }) if pid == of)
}

/// `_TestMyManager.test_mymanager` (its end; what is exposed is in `manager_managed.rs`)
#[test]
fn a_shutdown_is_an_orderly_exit() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let (pid, list) = (manager.pid(), manager.list().expect("a list"));
    list.push(1).expect("the server is there");
    assert!(is_alive(pid));
    // An error unless its exit code is 0.
    manager.shutdown().expect("it ends by itself");
    assert!(!is_alive(pid));
    assert!(is_lost(list.len(), pid));
    assert!(is_lost(list.push(2), pid));
}

/// `_TestMyManager.test_mymanager_context`, `_TestMyManager.test_mymanager_context_prestarted`
#[test]
fn dropping_the_last_handle_of_the_starter_ends_the_server() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let (pid, again) = (manager.pid(), manager.clone());
    drop(manager);
    assert!(is_alive(pid));
    assert_eq!(again.objects().expect("it serves"), 0);
    drop(again);
    assert!(!is_alive(pid));
}

#[process]
fn use_all(list: ListProxy<u32>, dict: DictProxy<u32, u32>, ready: &Semaphore) -> Vec<bool> {
    list.push(1).expect("the server is there");
    ready.release(1).expect("no bound");
    // Until it is killed.
    while dict.insert(1, 1).is_ok() {}
    let pid = match list.len() {
        Err(ManagerError::Lost { pid }) => pid,
        other => panic!("{other:?}"),
    };
    vec![is_lost(dict.get(&1), pid), is_lost(list.push(3), pid), is_lost(list.clone().pop(), pid)]
}

/// Clients that are calling, and handles of every kind, in every process.
#[test]
fn a_killed_server_is_one_error_on_every_handle() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let (list, dict) = (manager.list().expect("a list"), manager.dict().expect("a dict"));
    let (value, counter) = (manager.value(7).expect("a value"), manager.counter().expect("one"));
    let ready = Shared::new(Semaphore::new(0)).expect("memory");
    let clients =
        [0; 3].map(|_| use_all::spawn(list.clone(), dict.clone(), &ready).expect("starts"));
    for _ in &clients {
        ready.acquire().expect("they call").forget();
    }
    let pid = manager.pid();
    signal(pid, libc::SIGKILL);
    for client in clients {
        assert_eq!(client.join().expect("ends by itself"), [true; 3]);
    }
    assert!(is_lost(list.len(), pid) && is_lost(dict.len(), pid));
    assert!(is_lost(value.get(), pid) && is_lost(counter.add(1), pid));
    assert!(is_lost(manager.list::<u32>(), pid) && is_lost(manager.objects(), pid));
    assert!(is_lost(manager.shutdown(), pid));
}

#[process]
fn wait_for_ever(value: ValueProxy<u32>) -> bool {
    let pid = match value.update(|_| {
        loop {
            std::thread::park();
        }
    }) {
        Err(ManagerError::Lost { pid }) => pid,
        other => panic!("{other:?}"),
    };
    is_lost(value.get(), pid)
}

/// A call that the server is busy with, and one that waits behind it.
#[test]
fn blocked_calls_return_when_the_server_is_killed() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let value = manager.value(1_u32).expect("a value");
    let client = wait_for_ever::spawn(value.clone()).expect("starts");
    let pid = manager.pid();
    // Calls until one of them has to wait for the client's.
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    let waiting = std::thread::spawn(move || {
        loop {
            let got = value.get();
            if got.is_err() {
                return is_lost(got, pid);
            }
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let is_still = || {
        let before = calls.load(Ordering::Relaxed);
        std::thread::park_timeout(Duration::from_millis(100));
        before == calls.load(Ordering::Relaxed)
    };
    assert!(eventually(is_still));
    let before = Instant::now();
    signal(pid, libc::SIGKILL);
    assert!(client.join().expect("ends by itself"));
    assert!(waiting.join().expect("no panic"));
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}

#[test]
fn a_stopped_server_is_killed_by_a_shutdown() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let pid = manager.pid();
    signal(pid, libc::SIGSTOP);
    assert!(is_lost(manager.shutdown(), pid));
    assert!(!is_alive(pid));
}

#[test]
fn the_end_of_the_starter_is_the_end_of_the_server() {
    let _watchdog = watchdog();
    let start = |ready: Queue<i32>| {
        let manager = Manager::start().expect("starts");
        ready.send(manager.pid()).expect("room");
        common::sleep_for_ever()
    };
    let ready = Queue::bounded(1).expect("memory");
    let starter = psync::spawn::<_, ()>(start, ready.clone()).expect("starts");
    let pid = ready.recv().expect("a pid");
    assert!(is_alive(pid));
    starter.kill().expect("signals");
    assert!(eventually(|| !is_alive(pid)));
}

#[process]
fn shut_it_down(manager: Manager) -> bool {
    manager.shutdown().is_ok()
}

#[test]
fn any_process_may_make_objects_and_shut_it_down() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let make = |manager: Manager| manager.counter().expect("the server is there");
    let counter: CounterProxy =
        psync::spawn(make, manager.clone()).expect("starts").join().expect("a counter");
    assert_eq!(counter.add(5).expect("it outlives its maker"), 5);
    assert!(shut_it_down::run(manager.clone()).expect("ends"));
    assert!(is_lost(counter.get(), manager.pid()));
}

/// `_TestManagerRestart.test_rapid_restart`, here without an address.
#[test]
fn managers_come_and_go_and_leave_nothing() {
    let _watchdog = watchdog();
    let round = || {
        let manager = Manager::start().expect("starts");
        let list = manager.list().expect("a list");
        list.push("hello world".to_owned()).expect("the server is there");
        assert_eq!(list.pop().expect("the server is there").as_deref(), Some("hello world"));
        drop(list);
        manager.shutdown().expect("ends by itself");
    };
    (0..2).for_each(|_| round());
    let before = descriptors().len();
    (0..10).for_each(|_| round());
    assert!(descriptors().len() <= before, "{before} descriptors, then {}", descriptors().len());
}

#[test]
fn two_managers_do_not_mix() {
    let _watchdog = watchdog();
    let (one, two) = (Manager::start().expect("starts"), Manager::start().expect("starts"));
    let (a, b) = (one.counter().expect("one"), two.counter().expect("one"));
    for n in 1..=100 {
        assert_eq!((a.add(1).expect("there"), b.add(2).expect("there")), (n, 2 * n));
    }
    assert!(!CounterProxy::ptr_eq(&a, &b) && CounterProxy::ptr_eq(&a, &a.clone()));
    one.shutdown().expect("ends");
    assert_eq!(b.get().expect("the other one serves"), 200);
}
