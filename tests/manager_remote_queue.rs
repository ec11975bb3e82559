//! Queues of a manager that other programs connect to: the server sends and receives for them.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{eventually, signal, watchdog};
use psync::{
    RecvError, SendErrorKind,
    manager::{LockProxy, QueueProxy},
    prelude::*,
    spawn,
};
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use std::time::{Duration, Instant};

const KEY: &[u8] = b"a key of thirty-two random bytes";

fn serve() -> (Manager, String) {
    let manager = Manager::serve("127.0.0.1:0", KEY).expect("starts");
    let address = manager.addr().expect("it listens").to_string();
    (manager, address)
}

fn find<T: psync::manager::Item>(address: &str) -> QueueProxy<T> {
    let there = Manager::connect(address, KEY).expect("it listens");
    there.find("line").expect("there").expect("it was published")
}

#[derive(Debug, PartialEq, Deserialize)]
struct Mixed(String, Option<u8>, bool, f64, Vec<u8>);

impl Serialize for Mixed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.3.is_nan() {
            return Err(S::Error::custom("not a number"));
        }
        (&self.0, self.1, self.2, self.3, &self.4).serialize(serializer)
    }
}

fn mixed(number: f64) -> Mixed {
    Mixed("hallå".to_owned(), None, true, number, b"ab\0c".to_vec())
}

/// `_TestRemoteManager.test_remote`, with a queue that the server's program has made and one that a client has made.
#[test]
fn one_client_puts_and_another_one_gets() {
    let _watchdog = watchdog();
    for by_client in [false, true] {
        let (manager, address) = serve();
        let maker = if by_client {
            Manager::connect(&address, KEY).expect("it listens")
        } else {
            manager.clone()
        };
        let line: QueueProxy<Mixed> = maker.queue().expect("a queue");
        assert_eq!(line.queue().is_none(), by_client);
        maker.publish("line", &line).expect("there");
        let put = |address: String| {
            let line = find::<Mixed>(&address);
            line.send(mixed(2.25)).expect("there");
            let wrong = line.send(mixed(f64::NAN));
            assert!(matches!(wrong, Err(ManagerError::Encode { .. })), "{wrong:?}");
            line.send(mixed(4.5)).expect("it goes on");
            let there = Manager::connect(&address, KEY).expect("it listens");
            let wrong = there.find::<QueueProxy<u8>>("line");
            assert!(matches!(wrong, Err(ManagerError::WrongType)), "{wrong:?}");
        };
        spawn(put, address.clone()).expect("starts").join().expect("ends");
        assert_eq!(line.len().expect("there"), 2);
        let got: Mixed = spawn(|address: String| find(&address).recv().expect("one"), address)
            .expect("starts")
            .join()
            .expect("ends");
        assert_eq!(got, mixed(2.25));
        // As a process of the server's program finds it: the memory itself, if there is any.
        let near: QueueProxy<Mixed> = manager.find("line").expect("there").expect("one");
        assert_eq!(near.queue().is_none(), by_client);
        assert_eq!(near.try_recv().expect("one"), mixed(4.5));
        assert!(line.is_empty().expect("there"));
    }
}

#[test]
fn room_and_ends_are_as_of_any_queue() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let there = Manager::connect(&address, KEY).expect("it listens");
    let own = manager.bounded_queue::<u32>(2).expect("a queue");
    manager.publish("line", &own).expect("there");
    assert!(there.bounded_queue::<u32>(0).is_err());
    for line in [find::<u32>(&address), there.bounded_queue(2).expect("a queue")] {
        let moment = Duration::from_millis(20);
        line.send(1).expect("there is room");
        line.send_timeout(2, moment).expect("there is room");
        assert!(line.is_full().expect("there"));
        let full = |sent, kind| matches!(sent, Err(ManagerError::NotSent(other)) if other == kind);
        assert!(full(line.try_send(3), SendErrorKind::Full));
        let begun = Instant::now();
        assert!(full(line.send_timeout(3, moment), SendErrorKind::TimedOut));
        assert!(begun.elapsed() >= moment);
        assert_eq!((line.recv().expect("one"), line.try_recv().expect("one")), (1, 2));
        let empty =
            |got, error| matches!(got, Err(ManagerError::NotReceived(other)) if other == error);
        assert!(empty(line.try_recv(), RecvError::Empty));
        let begun = Instant::now();
        assert!(empty(line.recv_timeout(moment), RecvError::TimedOut));
        assert!(begun.elapsed() >= moment);
        line.send(4).expect("there is room");
        line.close().expect("there");
        assert!(full(line.send(5), SendErrorKind::Closed));
        assert_eq!(line.recv().expect("what was sent before"), 4);
        assert!(empty(line.recv(), RecvError::Closed));
    }
}

#[process]
fn take_one(address: String, waits: &Semaphore) -> u32 {
    let line = find(&address);
    waits.release(1).expect("no bound");
    line.recv().expect("there will be one")
}

#[test]
fn whoever_waits_is_woken_and_who_is_killed_waiting_takes_nothing() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let there = Manager::connect(&address, KEY).expect("it listens");
    for maker in [&manager, &there] {
        let line = maker.queue::<u32>().expect("a queue");
        maker.publish("line", &line).expect("there");
        let far = find::<u32>(&address);
        let waits = Shared::new(Semaphore::new(0)).expect("memory");
        let takers: Vec<Process<u32>> =
            (0..6).map(|_| take_one::spawn(address.clone(), &waits).expect("starts")).collect();
        for _ in &takers {
            waits.acquire().expect("it is about to wait").forget();
        }
        let (killed, rest) = takers.split_at(3);
        for taker in killed {
            taker.kill().expect("signals");
            taker.wait();
        }
        // One way for each, and one that is in the server's way already.
        line.send(0).expect("there");
        far.send(1).expect("there");
        line.send(2).expect("there");
        assert!(rest.iter().all(|taker| taker.wait().success()));
        assert!(line.is_empty().expect("there"));
        let mut taken: Vec<u32> =
            takers.into_iter().skip(3).map(|taker| taker.join().expect("ends")).collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2]);
    }
}

#[test]
fn a_message_with_handles_stays_where_it_can_be_received() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let there = Manager::connect(&address, KEY).expect("it listens");
    let own = manager.queue::<LockProxy>().expect("a queue");
    manager.publish("line", &own).expect("there");
    own.send(manager.lock().expect("a lock")).expect("there");
    let far: QueueProxy<LockProxy> = there.find("line").expect("there").expect("one");
    let refused = far.recv();
    assert!(matches!(refused, Err(ManagerError::Elsewhere)), "{refused:?}");
    assert!(!own.recv().expect("it is still there").is_locked().expect("there"));
    // A process of the server's program may put one into a queue that a client has made.
    let line = there.queue::<LockProxy>().expect("a queue");
    there.publish("line", &line).expect("there");
    let near: QueueProxy<LockProxy> = manager.find("line").expect("there").expect("one");
    near.send(manager.lock().expect("a lock")).expect("there");
    assert!(matches!(line.try_recv(), Err(ManagerError::Elsewhere)));
    assert!(!near.recv().expect("it is still there").is_locked().expect("there"));
}

#[test]
fn the_servers_end_ends_all_waits() {
    let _watchdog = watchdog();
    let (manager, address) = serve();
    let own = manager.queue::<u32>().expect("a queue");
    manager.publish("line", &own).expect("there");
    let there = Manager::connect(&address, KEY).expect("it listens");
    let pid = manager.pid();
    let lines = [find::<u32>(&address), there.queue().expect("a queue")];
    std::thread::scope(|scope| {
        let waiting: Vec<_> = lines
            .iter()
            .map(|line| scope.spawn(move || line.recv().expect_err("no message")))
            .collect();
        // Whether they wait already or are about to, it ends.
        signal(pid, libc::SIGKILL);
        for wait in waiting {
            let error = wait.join().expect("no panic");
            assert!(matches!(error, ManagerError::Lost { pid: lost } if lost == pid), "{error:?}");
        }
    });
    assert!(eventually(|| matches!(own.try_recv(), Err(ManagerError::Lost { .. }))));
}
