//! Locks, events and queues that a manager keeps: used from several processes, by those who die, and after the server's end.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{eventually, signal, sleep_for_ever, watchdog};
use psync::{
    manager::{
        BarrierProxy, ConditionProxy, CounterProxy, EventProxy, LockProxy, QueueProxy,
        SemaphoreProxy, SharedProxy,
    },
    prelude::*,
    spawn,
};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(1);

#[process]
fn die_with(lock: LockProxy, held: EventProxy) {
    let _guard = lock.lock().expect("it is free");
    held.set().expect("there");
    sleep_for_ever()
}

/// `TestSyncManagerTypes.test_lock`
#[test]
fn the_lock_of_a_dead_client_is_free_and_says_so() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let (lock, held) = (manager.lock().expect("a lock"), manager.event().expect("an event"));
    let client = die_with::spawn(lock.clone(), held.clone()).expect("starts");
    held.wait().expect("there");
    assert!(lock.is_locked().expect("there"));
    assert!(matches!(lock.try_lock(), Err(ManagerError::NotLocked(LockError::WouldBlock))));
    assert!(matches!(lock.lock_timeout(SOON), Err(ManagerError::NotLocked(LockError::TimedOut))));
    let pid = client.pid();
    client.kill().expect("signals");
    match lock.lock() {
        Err(ManagerError::NotLocked(LockError::Poisoned { pid: dead, .. })) => {
            assert_eq!(dead, pid);
        }
        other => panic!("{other:?}"),
    }
    assert!(lock.is_poisoned().expect("there"));
    drop(lock.lock_or_repair(|| ()).expect("it is whole"));
    drop(lock.lock().expect("it is free"));
    let guard = lock.lock().expect("it is free");
    assert!(matches!(lock.lock(), Err(ManagerError::NotLocked(LockError::Deadlock(_)))));
    drop(guard);
    assert!(!lock.is_locked().expect("there"));
}

/// `TestSyncManagerTypes.test_rlock`
#[test]
fn a_lock_that_may_be_taken_twice() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let lock = manager.shared(ReentrantMutex::new(7)).expect("memory");
    let take = |lock: SharedProxy<ReentrantMutex<i32>>| {
        let outer = lock.lock().expect("it is free");
        let inner = lock.lock().expect("it is ours");
        assert!(lock.is_locked() && inner.depth() == 2);
        *outer
    };
    assert_eq!(spawn(take, lock.clone()).expect("starts").join().expect("ends"), 7);
    assert!(!lock.is_locked());
}

/// `TestSyncManagerTypes.test_semaphore`, `TestSyncManagerTypes.test_bounded_semaphore`
#[test]
fn permits_of_a_client_are_counted_and_come_back() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let (open, bounded) =
        (manager.semaphore(1).expect("one"), manager.bounded_semaphore(1).expect("one"));
    let take = |(open, bounded): (SemaphoreProxy, SemaphoreProxy)| {
        open.acquire().expect("it is free").forget();
        bounded.acquire().expect("it is free").forget();
        bounded.available().expect("there")
    };
    let client = spawn(take, (open.clone(), bounded.clone())).expect("starts");
    assert_eq!(client.join().expect("ends"), 0);
    assert!(matches!(open.try_acquire(), Err(ManagerError::NotAcquired(AcquireError::WouldBlock))));
    open.release(1).expect("it has room");
    bounded.release(1).expect("it has room");
    assert!(matches!(bounded.release(1), Err(ManagerError::NotReleased(_))));
    open.release(1).expect("no bound");
    assert_eq!((open.available().expect("there"), bounded.available().expect("there")), (2, 1));
    let hold = |bounded: SemaphoreProxy| {
        let _permit = bounded.acquire().expect("it is free");
        sleep_for_ever()
    };
    let client = spawn::<_, ()>(hold, bounded.clone()).expect("starts");
    assert!(eventually(|| bounded.available().expect("there") == 0));
    client.kill().expect("signals");
    drop(bounded.acquire().expect("the dead hold nothing"));
}

/// `TestSyncManagerTypes.test_event`
#[test]
fn an_event_is_set_and_cleared() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let event = manager.event().expect("an event");
    assert!(!event.is_set().expect("there") && !event.wait_timeout(SOON).expect("there"));
    event.set().expect("there");
    let clear = |event: EventProxy| {
        assert!(event.is_set().expect("there"));
        event.wait().expect("it is set");
        event.clear().expect("there");
    };
    spawn(clear, event.clone()).expect("starts").join().expect("ends");
    assert!(!event.is_set().expect("there"));
    let text = format!("{event:?}");
    assert!(text.starts_with("psync") || text.starts_with("event") || text.contains("EventProxy"));
}

/// `TestSyncManagerTypes.test_condition`
#[test]
fn a_condition_is_waited_for() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let (changed, count) = (manager.condition().expect("one"), manager.counter().expect("one"));
    let wait = |(changed, count): (ConditionProxy, CounterProxy)| {
        let guard = changed.lock().expect("it is free");
        let guard =
            changed.wait_while(guard, || count.get().expect("there") == 0).expect("it comes");
        count.sub(1).expect("there");
        drop(guard);
    };
    let clients = [(); 3].map(|()| spawn(wait, (changed.clone(), count.clone())).expect("starts"));
    let guard = changed.lock().expect("it is free");
    let (guard, waited) = changed.wait_timeout(guard, SOON).expect("it is free again");
    assert!(waited.timed_out());
    count.add(3).expect("there");
    changed.notify_all().expect("there");
    drop(guard);
    for client in clients {
        client.join().expect("ends");
    }
    assert_eq!(changed.notify(7).expect("there"), 0);
}

#[test]
fn a_barrier_lets_all_go_on_or_breaks() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let barrier = manager.barrier(3).expect("a barrier");
    let cross = |barrier: BarrierProxy| barrier.wait().expect("all come").index();
    let others = [(); 2].map(|()| spawn(cross, barrier.clone()).expect("starts"));
    let mut all = vec![barrier.wait().expect("all come").index()];
    all.extend(others.map(|other| other.join().expect("ends")));
    all.sort_unstable();
    assert_eq!((all, barrier.parties().expect("there")), (vec![0, 1, 2], 3));
    let die = |barrier: BarrierProxy| drop(barrier.wait());
    let client = spawn(die, barrier.clone()).expect("starts");
    assert!(eventually(|| barrier.waiting().expect("there") == 1));
    client.kill().expect("signals");
    client.wait();
    assert!(matches!(barrier.wait(), Err(ManagerError::Broken(_))));
    assert!(barrier.is_broken().expect("there"));
    barrier.reset().expect("there");
    assert!(matches!(barrier.wait_timeout(SOON), Err(ManagerError::Broken(_))));
    barrier.reset().expect("there");
    barrier.abort().expect("there");
    assert!(barrier.is_broken().expect("there"));
}

/// `TestSyncManagerTypes.test_queue`
#[test]
fn a_queue_is_full_and_empty() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let queue = manager.bounded_queue(2).expect("a queue");
    queue.send(5).expect("room");
    queue.send(6).expect("room");
    assert!(matches!(queue.try_send(7), Err(ManagerError::NotSent(SendErrorKind::Full))));
    let take = |queue: QueueProxy<u32>| {
        assert!(queue.is_full().expect("there") && queue.len().expect("there") == 2);
        assert_eq!((queue.recv().expect("one"), queue.recv().expect("one")), (5, 6));
        assert!(queue.is_empty().expect("there"));
        assert!(matches!(queue.try_recv(), Err(ManagerError::NotReceived(RecvError::Empty))));
    };
    spawn(take, queue.clone()).expect("starts").join().expect("ends");
    assert!(queue.is_empty().expect("there") && !queue.is_full().expect("there"));
    queue.close().expect("there");
    assert!(matches!(queue.recv(), Err(ManagerError::NotReceived(RecvError::Closed))));
}

/// `TestSyncManagerTypes.test_joinable_queue`: a work queue in an object of the manager is the queue itself.
#[test]
fn a_work_queue_is_kept_by_a_value() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let jobs = WorkQueue::bounded(2).expect("memory");
    let kept = manager.value(jobs.clone()).expect("a value");
    jobs.send(5).expect("room");
    jobs.send(6).expect("room");
    let work = |kept: psync::manager::ValueProxy<WorkQueue<u32>>| {
        let jobs = kept.get().expect("there");
        assert_eq!(jobs.unfinished(), 2);
        for wanted in [5, 6] {
            let job = jobs.recv().expect("a job");
            assert_eq!(*job, wanted);
            job.done();
        }
        assert!(jobs.is_empty());
    };
    spawn(work, kept).expect("starts").join().expect("ends");
    assert!(jobs.join_timeout(Duration::ZERO) && jobs.is_empty());
}

/// `TestSyncManagerTypes.test_array`
#[test]
fn an_array_is_kept_by_a_value() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let kept = manager.value(Array::from_slice(&[0, 1]).expect("memory")).expect("a value");
    let read = |kept: psync::manager::ValueProxy<Array<i32>>| {
        let array = kept.get().expect("there");
        let guard = array.lock().expect("it is free");
        assert_eq!((guard[0], guard[1], guard.len()), (0, 1, 2));
        assert_eq!(guard.iter().sum::<i32>(), 1);
    };
    spawn(read, kept).expect("starts").join().expect("ends");
}

/// `_TestSharedMemory.test_shared_memory_SharedMemoryManager_basics`
#[test]
fn memory_is_found_by_name_until_the_manager_ends() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let names = manager.namespace().expect("a namespace");
    for len in (5..10).chain(32..112) {
        let bytes = Array::from_slice(&vec![7_u8; len]).expect("memory");
        names.set(format!("bytes {len}"), bytes).expect("set");
    }
    let read = |names: psync::manager::NamespaceProxy| {
        (5..10).chain(32..112).all(|len| {
            let found = names.get::<Array<u8>>(&format!("bytes {len}")).expect("the server lives");
            found.is_some_and(|bytes| {
                bytes.len() == len && bytes.to_vec().is_ok_and(|all| all == vec![7; len])
            })
        })
    };
    assert!(spawn(read, names.clone()).expect("starts").join().expect("ends"));
    assert!(names.get::<Array<u8>>("bytes 1").expect("the server lives").is_none());
    manager.shutdown().expect("it ends by itself");
    assert!(matches!(names.get::<Array<u8>>("bytes 5"), Err(ManagerError::Lost { .. })));
}

#[process]
fn block(kind: u32, lock: LockProxy, event: EventProxy, gate: BarrierProxy, lines: Lines) -> i32 {
    let (swings, changed, queue, ready) = lines;
    ready.release(1).expect("no bound");
    let error = match kind {
        0 => lock.lock().map(drop),
        1 => event.wait(),
        2 => gate.wait().map(drop),
        3 => swings.acquire().map(drop),
        4 => queue.recv().map(drop),
        _ => {
            let guard = changed.lock().expect("it is free");
            changed.wait(guard).map(drop)
        }
    };
    match error {
        Err(ManagerError::Lost { pid }) => pid,
        other => panic!("{kind}: {other:?}"),
    }
}

type Lines = (SemaphoreProxy, ConditionProxy, QueueProxy<u32>, SemaphoreProxy);

/// All that wait in shared memory, where nobody is left who could end their waits.
#[test]
fn waits_end_with_the_server() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let lock = manager.lock().expect("a lock");
    let (event, gate) = (manager.event().expect("one"), manager.barrier(2).expect("one"));
    let ready = manager.semaphore(0).expect("one");
    let lines: Lines = (
        manager.semaphore(0).expect("one"),
        manager.condition().expect("one"),
        manager.queue().expect("one"),
        ready.clone(),
    );
    let guard = lock.lock().expect("it is free");
    let clients: Vec<Process<i32>> = (0..6)
        .map(|kind| {
            let (lock, event, gate) = (lock.clone(), event.clone(), gate.clone());
            block::spawn(kind, lock, event, gate, lines.clone()).expect("starts")
        })
        .collect();
    for _ in &clients {
        ready.acquire().expect("they come").forget();
    }
    assert!(eventually(|| psync::dump_waits().lines().count() >= clients.len()));
    let (pid, before) = (manager.pid(), Instant::now());
    signal(pid, libc::SIGKILL);
    for client in clients {
        assert_eq!(client.join().expect("ends by itself"), pid);
    }
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    drop(guard);
    assert!(matches!(lock.lock(), Err(ManagerError::Lost { .. })));
    assert!(matches!(event.set(), Err(ManagerError::Lost { .. })));
    assert!(matches!(lines.2.send(1), Err(ManagerError::Lost { .. })));
}

/// Their makers and all their holders may die in between.
#[test]
fn primitives_outlive_their_makers() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list().expect("a list");
    let make = |(manager, list): (Manager, psync::manager::ListProxy<SemaphoreProxy>)| {
        let semaphore = manager.semaphore(3).expect("one");
        list.push(semaphore).expect("there");
    };
    let maker = spawn(make, (manager.clone(), list.clone())).expect("starts");
    maker.join().expect("ends");
    let semaphore = list.pop().expect("there").expect("one");
    assert_eq!(semaphore.available().expect("it is there"), 3);
    drop((semaphore, list));
    assert!(eventually(|| manager.objects().expect("there") == 0));
}
