//! Managers that other programs connect to. The clients here are processes of this program that have nothing but address and key.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{eventually, is_alive, signal, sleep_for_ever, watchdog};
use psync::{
    manager::{
        Address, Client, CounterProxy, DequeProxy, DictProxy, ListProxy, NamespaceProxy, Proxy,
    },
    prelude::*,
    spawn,
};
use std::time::Duration;

const KEY: &[u8] = b"a key of thirty-two random bytes";

fn serve() -> (Manager, String) {
    let manager = Manager::serve("127.0.0.1:0", KEY).expect("starts");
    let address = manager.addr().expect("it listens").to_string();
    (manager, address)
}

type Mixed = (String, Option<u8>, bool, f64, Vec<u8>);

fn mixed() -> Mixed {
    ("hallå".to_owned(), None, true, 2.25, b"ab\0c".to_vec())
}

/// `_TestRemoteManager.test_remote`
#[test]
fn a_client_puts_and_another_one_reads() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let line = manager.deque::<Mixed>().expect("a deque");
    manager.publish("line", &line).expect("there");
    let put = |address: String| {
        let manager = Manager::connect(address, KEY).expect("it listens");
        let line: DequeProxy<Mixed> = manager.find("line").expect("there").expect("it is there");
        line.push_back(mixed()).expect("there");
        let wrong = manager.find::<ListProxy<u8>>("line");
        assert!(matches!(wrong, Err(ManagerError::WrongType)), "{wrong:?}");
        assert!(manager.find::<ListProxy<u8>>("nothing").expect("there").is_none());
    };
    spawn(put, address.clone()).expect("starts").join().expect("ends");
    let read = |address: String| {
        let manager = Manager::connect(address, KEY).expect("it listens");
        let line: DequeProxy<Mixed> = manager.find("line").expect("there").expect("it is there");
        line.pop_front().expect("there").expect("one")
    };
    assert_eq!(spawn(read, address).expect("starts").join().expect("ends"), mixed());
    assert!(line.is_empty().expect("there"));
}

#[test]
fn all_families_and_all_kinds_of_objects() {
    let _watchdog = watchdog();
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket").display().to_string();
    for address in ["127.0.0.1:0", &path, &format!("@psync test {path}")] {
        let manager = Manager::serve(address, b"").expect("starts");
        let address = manager.addr().expect("it listens").to_string();
        let there = Manager::connect(&address, b"").expect("it listens");
        assert_eq!(there.pid(), manager.pid());
        let list = there.list().expect("a list");
        list.extend(["b".to_owned(), "a".to_owned()]).expect("there");
        assert_eq!(list.to_vec().expect("there"), ["b", "a"]);
        let dict = there.dict().expect("a dict");
        assert!(dict.compare_and_swap(1_u8, None, Some(2.5_f64)).expect("there"));
        let (set, counter) = (there.set().expect("a set"), there.counter().expect("one"));
        assert!(set.insert(7_i8).expect("there") && counter.add(3).expect("there") == 3);
        let space: NamespaceProxy = there.namespace().expect("one");
        space.set("x", 1_u16).expect("there");
        assert_eq!(space.get::<u16>("x").expect("there"), Some(1));
        let value = there.value(vec![1, 2]).expect("a value");
        assert_eq!(value.replace(vec![3]).expect("there"), [1, 2]);
        assert_eq!(manager.objects().expect("there"), 6);
        let large = vec![7_u8; 3_000_000];
        assert_eq!(there.value(large.clone()).expect("a value").get().expect("there"), large);
        drop((list, dict, set, counter, space, value));
        assert!(eventually(|| manager.objects().expect("there") == 0));
        manager.shutdown().expect("ends");
        assert!(matches!(there.list::<u8>(), Err(ManagerError::Lost { .. })));
        assert!(Manager::connect(&address, b"").is_err());
    }
    assert_eq!(std::fs::read_dir(directory.path()).expect("there").count(), 0, "no file is left");
}

#[test]
fn what_does_not_reach_another_program_is_an_error() {
    let _watchdog = watchdog();
    let (_manager, address) = serve();
    let there = Manager::connect(address, KEY).expect("it listens");
    let is_elsewhere = |error: ManagerError| matches!(error, ManagerError::Elsewhere);
    let list = there.list::<u32>().expect("a list");
    list.extend([2, 1]).expect("there");
    assert!(is_elsewhere(list.sort().expect_err("a function")));
    assert!(is_elsewhere(list.update_with(0, |n| n).expect_err("a function")));
    assert!(is_elsewhere(there.lock().expect_err("shared memory")));
    assert!(is_elsewhere(there.barrier(1).expect_err("shared memory")));
    let queue = Queue::<u8>::bounded(1).expect("memory");
    assert!(is_elsewhere(there.value(queue).expect_err("shared memory")));
    assert_eq!(list.to_vec().expect("it goes on"), [2, 1]);
    let queue = Queue::bounded(1).expect("memory");
    assert!(queue.send(list).is_err(), "its handles stay in this process");
    assert!(is_elsewhere(there.shutdown().expect_err("it is not ours")));
}

/// An object of the program's own, as a client of another program sees it.
fn seen<P: Proxy>(manager: &Manager, there: &Manager, own: &P) -> P {
    manager.publish("it", own).expect("there");
    there.find("it").expect("there").expect("it was published")
}

#[test]
fn what_cannot_be_sent_is_not_taken() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let there = Manager::connect(address, KEY).expect("it listens");
    let queue = Queue::bounded(1).expect("memory");
    queue.send(7).expect("there is room");
    let is_left = |taken: Result<bool, ManagerError>| {
        assert!(matches!(taken, Err(ManagerError::Elsewhere)), "{taken:?}");
    };

    let own = manager.list::<Queue<u8>>().expect("a list");
    own.push(queue.clone()).expect("there");
    let list = seen(&manager, &there, &own);
    is_left(list.pop().map(|taken| taken.is_some()));
    is_left(list.remove(0).map(|_| true));
    is_left(list.get(0).map(|got| got.is_some()));
    assert_eq!(list.len().expect("there"), 1);
    assert_eq!(own.pop().expect("there").expect("it").len(), 1);

    let own = manager.deque::<Queue<u8>>().expect("a deque");
    own.push_back(queue.clone()).expect("there");
    let deque = seen(&manager, &there, &own);
    is_left(deque.pop_back().map(|taken| taken.is_some()));
    is_left(deque.pop_front().map(|taken| taken.is_some()));
    assert_eq!(own.pop_front().expect("there").expect("it").len(), 1);

    let own = manager.dict::<u8, Option<Queue<u8>>>().expect("a dict");
    own.insert(1, Some(queue.clone())).expect("there");
    let dict = seen(&manager, &there, &own);
    is_left(dict.remove(&1).map(|taken| taken.is_some()));
    is_left(dict.insert(1, None).map(|old| old.is_some()));
    is_left(dict.pop_last().map(|taken| taken.is_some()));
    assert_eq!(own.remove(&1).expect("there").flatten().expect("it").len(), 1);

    let own = manager.value(Some(queue.clone())).expect("a value");
    let value = seen(&manager, &there, &own);
    is_left(value.replace(None).map(|taken| taken.is_some()));
    assert_eq!(own.get().expect("there").expect("it").len(), 1);

    let own = manager.namespace().expect("one");
    own.set("queue", queue).expect("there");
    let space = seen(&manager, &there, &own);
    is_left(space.get::<Queue<u8>>("queue").map(|got| got.is_some()));
    assert!(space.remove("queue").expect("what it was is not asked"));
}

#[test]
fn what_is_too_long_for_a_connection_is_an_error_of_that_call() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let own = manager.list::<String>().expect("a list");
    manager.publish("acorns", &own).expect("there");
    for _ in 0..3 {
        own.push("acorn ".repeat(5 << 20)).expect("there");
    }
    let there = Manager::connect(address, KEY).expect("it listens");
    let list: ListProxy<String> = there.find("acorns").expect("there").expect("it is there");
    let held = there.counter().expect("a counter");
    let error = list.to_vec().expect_err("more than 64 MiB");
    assert!(matches!(&error, ManagerError::System { reason } if reason.contains("too long")));
    assert_eq!(list.len().expect("it goes on"), 3);
    own.push("acorn ".repeat(12 << 20)).expect("there");
    let error = list.pop().expect_err("more than 64 MiB");
    assert!(matches!(&error, ManagerError::System { reason } if reason.contains("too long")));
    assert_eq!(own.pop().expect("there").expect("it is still there").len(), 6 * (12 << 20));
    let error = list.push("acorn ".repeat(11 << 20)).expect_err("more than 64 MiB");
    assert!(matches!(error, ManagerError::Protocol { .. }), "{error}");
    assert_eq!(list.len().expect("it goes on"), 3);
    assert_eq!(held.add(1).expect("nothing is lost"), 1);
}

#[test]
fn a_crowded_manager_says_so_and_nothing_is_lost() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let there = Manager::connect(&address, KEY).expect("it listens");
    let (queue, counter) = (there.queue::<u8>().expect("one"), there.counter().expect("one"));
    let connect = || Manager::connect(&address, KEY);
    let is_crowded = |error: ManagerError| matches!(error, ManagerError::Crowded);
    std::thread::scope(|scope| {
        // It waits in the only connection of this client.
        let waits = scope.spawn(|| queue.recv().expect("a message"));
        let mut others = Vec::new();
        let refused = loop {
            match connect() {
                Ok(other) => others.push(other),
                Err(error) => break error,
            }
        };
        assert!(is_crowded(refused));
        assert!(others.len() >= 254, "{}", others.len());
        // Another call needs another connection, for which there is no room, unless the wait has just ended to begin anew.
        let error = loop {
            if let Err(error) = counter.add(1) {
                break error;
            }
        };
        assert!(is_crowded(error));
        others.clear();
        assert!(eventually(|| counter.get().is_ok()));
        assert!(eventually(|| connect().is_ok()));
        queue.send(7).expect("it is not lost");
        assert_eq!(waits.join().expect("no panic"), 7);
    });
    assert_eq!(manager.objects().expect("there"), 2);
}

#[test]
fn another_key_is_refused_and_the_others_do_not_notice() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let there = Manager::connect(&address, KEY).expect("it listens");
    let counter = there.counter().expect("one");
    for key in [&b""[..], b"guess", &KEY[1..]] {
        assert!(matches!(Manager::connect(&address, key), Err(ManagerError::Refused)));
        counter.add(1).expect("there");
    }
    assert_eq!((counter.get().expect("there"), manager.objects().expect("there")), (3, 1));
}

#[process]
fn hold_things(address: String, held: &Event) {
    let manager = Manager::connect(address, KEY).expect("it listens");
    let _lists: Vec<ListProxy<u8>> = (0..100).map(|_| manager.list().expect("one")).collect();
    held.set();
    sleep_for_ever()
}

#[test]
fn what_a_killed_client_held_is_released() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let held = Shared::new(Event::new()).expect("memory");
    let client = hold_things::spawn(address, &held).expect("starts");
    held.wait();
    assert_eq!(manager.objects().expect("there"), 100);
    client.kill().expect("signals");
    assert!(eventually(|| manager.objects().expect("there") == 0));
}

#[test]
fn threads_of_a_client_call_at_the_same_time() {
    let _watchdog = watchdog();
    let (_manager, address) = serve();
    let there = Manager::connect(address, KEY).expect("it listens");
    let dict: DictProxy<String, u64> = there.dict().expect("a dict");
    let counter: CounterProxy = there.counter().expect("one");
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let (dict, counter) = (&dict, &counter);
            scope.spawn(move || {
                for n in 0..100 {
                    dict.insert(name.to_owned(), n).expect("there");
                    counter.add(1).expect("there");
                }
            });
        }
    });
    assert_eq!((dict.len().expect("there"), counter.get().expect("there")), (4, 400));
}

#[test]
fn a_killed_server_is_lost_to_its_remote_clients() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let there = Manager::connect(&address, KEY).expect("it listens");
    let counter = there.counter().expect("one");
    let pid = there.pid();
    signal(pid, libc::SIGKILL);
    assert!(eventually(|| !is_alive(pid)));
    for _ in 0..2 {
        assert!(matches!(counter.add(1), Err(ManagerError::Lost { pid: lost }) if lost == pid));
    }
    drop(manager);
}

/// `_TestManagerRestart.test_rapid_restart`
#[test]
fn an_address_can_be_used_again_at_once() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    for round in 0..3 {
        let manager = if round == 0 {
            manager.clone()
        } else {
            Manager::serve(&address, KEY).expect("the address is free again")
        };
        let list = manager.list::<String>().expect("a list");
        manager.publish("list", &list).expect("there");
        let put = |address: String| {
            let manager = Manager::connect(address, KEY).expect("it listens");
            let list: ListProxy<String> = manager.find("list").expect("there").expect("one");
            list.push("hello world".to_owned()).expect("there");
        };
        spawn(put, address.clone()).expect("starts").join().expect("ends");
        assert_eq!(list.pop().expect("there").as_deref(), Some("hello world"));
        assert!(matches!(manager.addr(), Some(Address::Tcp(_))));
        manager.shutdown().expect("ends");
    }
    drop(manager);
}

/// Somebody with the key sends what no client sends: requests for functions at any place, lengths that lie, noise.
#[test]
fn requests_that_no_client_makes_do_no_harm() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let list = manager.list::<u8>().expect("a list");
    list.push(7).expect("there");
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_le_bytes()[7]
    };
    for round in 0..40_u8 {
        let client = Client::connect(&address, KEY).expect("it listens");
        client.send_bytes(&[round; 16]).expect("it is there");
        client.recv_bytes().expect("the server's pid");
        for operation in 0..=12_u8 {
            let mut request = vec![operation, 0, 0, 0, random() % 16, 0, 0, 0];
            request.extend_from_slice(&u64::from(random() % 3).to_le_bytes());
            // Sometimes with a function that is to keep values.
            let keep = if round % 4 == 3 { u64::from(random()) } else { 0 };
            request.extend_from_slice(&keep.to_le_bytes());
            let rest = random() % 40;
            request.extend((0..rest).map(|_| if round % 2 == 0 { random() } else { 0xff }));
            if round % 5 == 4 {
                request.truncate(usize::from(random() % 30));
            }
            client.send_bytes(&request).expect("it is there");
            let _ = client.recv_bytes_timeout(Duration::from_millis(3));
        }
        for operation in [2, 4, 6, 7, 8] {
            let other = Client::connect(&address, KEY).expect("it listens");
            other.send_bytes(&[round; 16]).expect("it is there");
            other.recv_bytes().expect("the server's pid");
            let request = [&[operation, 0, 0, 0][..], &[0; 28]].concat();
            other.send_bytes(&request).expect("it is there");
            assert_eq!(other.recv_bytes().expect("a reply")[0], 1, "it failed");
        }
    }
    assert!(is_alive(manager.pid()));
    list.clear().expect("there");
    list.push(9).expect("it goes on");
    assert_eq!(list.pop().expect("there"), Some(9));
}
