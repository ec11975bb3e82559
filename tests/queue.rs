//! Queues and channels between processes: what a message is, who gets it, and who learns that nobody is left.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{sleep_for_ever, watchdog};
use psync::{prelude::*, spawn};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(100);
const LATE: Duration = Duration::from_mins(1);

/// `_TestQueue.test_put`
#[test]
fn a_full_queue_refuses_in_every_form() {
    let _watchdog = watchdog();
    let queue = Queue::bounded(6).expect("memory");
    assert!(queue.is_empty() && !queue.is_full());
    queue.send(1).expect("room");
    queue.send_timeout(2, LATE).expect("room");
    queue.send_timeout(3, Duration::ZERO).expect("room");
    queue.try_send(4).expect("room");
    queue.send_all([5, 6]).expect("room");
    assert_eq!((queue.len(), queue.is_full(), queue.capacity()), (6, true, Some(6)));
    let error = queue.try_send(7).expect_err("full");
    assert_eq!((error.kind(), error.into_inner()), (SendErrorKind::Full, 7));
    let began = Instant::now();
    let error = queue.send_timeout(8, SOON).expect_err("full");
    assert_eq!((error.kind(), error.into_inner()), (SendErrorKind::TimedOut, 8));
    assert!(began.elapsed() >= SOON);
    let error = queue.send_timeout(9, Duration::ZERO).expect_err("full");
    assert_eq!(error.kind(), SendErrorKind::Full);
    let take = |queue: Queue<i32>| queue.recv_many(6);
    let six = spawn(take, queue.clone()).expect("starts").join().expect("ends");
    assert_eq!(six, [1, 2, 3, 4, 5, 6]);
    assert!(queue.is_empty());
}

#[process]
fn send_five_and_stay(queue: Queue<u32>, sent: &Event) {
    queue.send_all(1..=5).expect("room");
    sent.set();
    sleep_for_ever();
}

/// `_TestQueue.test_get`
#[test]
fn an_empty_queue_refuses_in_every_form() {
    let _watchdog = watchdog();
    let queue = Queue::<u32>::unbounded().expect("memory");
    let sent = Shared::new(Event::new()).expect("memory");
    let child = send_five_and_stay::spawn(queue.clone(), &sent).expect("starts");
    sent.wait();
    assert!(!queue.is_empty());
    assert_eq!(queue.recv(), Ok(1));
    assert_eq!(queue.recv_timeout(LATE), Ok(2));
    assert_eq!(queue.recv_timeout(Duration::ZERO), Ok(3));
    assert_eq!(queue.try_recv(), Ok(4));
    assert_eq!(queue.recv_many(9), [5]);
    assert_eq!(queue.try_recv(), Err(RecvError::Empty));
    let began = Instant::now();
    assert_eq!(queue.recv_timeout(SOON), Err(RecvError::TimedOut));
    assert!(began.elapsed() >= SOON);
    assert_eq!(queue.recv_timeout(Duration::ZERO), Err(RecvError::Empty));
    child.kill().expect("signals");
}

#[process]
fn pass_to_a_grandchild(queue: Queue<u8>) {
    queue.send(1).expect("room");
    let send = |queue: Queue<u8>| queue.send(2).is_ok();
    assert!(spawn(send, queue).expect("starts").join().expect("ends"));
}

/// `TestStartMethod.test_nested_startmethod`
#[test]
fn a_queue_is_passed_on_to_a_grandchild() {
    let _watchdog = watchdog();
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let queue = Queue::bounded(4).expect("memory");
        let options = Options::new().start_method(method);
        pass_to_a_grandchild::spawn_with(options, queue.clone())
            .expect("starts")
            .join()
            .expect("ends");
        assert_eq!(queue.recv_many(4), [1, 2]);
    }
}

/// `_TestQueue.test_fork`
#[test]
fn a_child_sends_behind_its_parent() {
    let _watchdog = watchdog();
    let queue = Queue::unbounded().expect("memory");
    queue.send_all(0..10).expect("room");
    let send = |queue: Queue<i32>| queue.send_all(10..20).is_ok();
    assert!(spawn(send, queue.clone()).expect("starts").join().expect("ends"));
    assert_eq!(queue.recv_many(20), (0..20).collect::<Vec<_>>());
    assert_eq!(queue.try_recv(), Err(RecvError::Empty));
}

/// `_TestQueue.test_closed_queue_put_get_exceptions`, `_TestQueue.test_closed_queue_empty_exceptions`, `TestSimpleQueue.test_close`,
/// `TestSimpleQueue.test_empty_exceptions`
#[test]
fn a_closed_queue_takes_nothing_and_gives_what_it_has() {
    let _watchdog = watchdog();
    let queue = Queue::bounded(4).expect("memory");
    queue.send("left".to_owned()).expect("room");
    queue.close();
    queue.close();
    let error = queue.send("late".to_owned()).expect_err("closed");
    assert_eq!((error.kind(), error.into_inner()), (SendErrorKind::Closed, "late".to_owned()));
    assert_eq!(queue.recv(), Ok("left".to_owned()));
    assert_eq!(queue.recv(), Err(RecvError::Closed));
    assert_eq!(queue.try_recv(), Err(RecvError::Closed));
    assert!(queue.is_empty());
    let unused = Queue::<u8>::unbounded().expect("memory");
    unused.close();
    assert!(unused.is_empty());
    assert_eq!(unused.recv(), Err(RecvError::Closed));
}

#[process]
fn close_when_told(queue: Queue<u32>, now: &Event) {
    now.wait();
    queue.close();
}

#[test]
fn closing_wakes_who_waits() {
    let _watchdog = watchdog();
    let full = Queue::bounded(1).expect("memory");
    full.send(1_u32).expect("room");
    let empty = Queue::<u32>::bounded(1).expect("memory");
    let now = Shared::new(Event::new()).expect("memory");
    let closers =
        [&full, &empty].map(|queue| close_when_told::spawn(queue.clone(), &now).expect("starts"));
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| full.send(2).expect_err("closed").kind());
        let receiver = scope.spawn(|| empty.recv());
        now.set();
        assert_eq!(sender.join().expect("no panic"), SendErrorKind::Closed);
        assert_eq!(receiver.join().expect("no panic"), Err(RecvError::Closed));
    });
    for closer in closers {
        closer.join().expect("ends");
    }
    assert_eq!(full.recv(), Ok(1));
}

#[process]
fn report_emptiness(queue: Queue<bool>, go: &Event) {
    go.wait();
    let empty = queue.is_empty();
    queue.send(empty).expect("room");
    let empty = queue.is_empty();
    queue.send(empty).expect("room");
}

/// `TestSimpleQueue.test_empty`
#[test]
fn both_ends_see_whether_it_is_empty() {
    let _watchdog = watchdog();
    let queue = Queue::unbounded().expect("memory");
    let go = Shared::new(Event::new()).expect("memory");
    let child = report_emptiness::spawn(queue.clone(), &go).expect("starts");
    assert!(queue.is_empty());
    go.set();
    child.join().expect("ends");
    assert!(!queue.is_empty());
    assert_eq!((queue.recv(), queue.recv()), (Ok(true), Ok(false)));
    assert!(queue.is_empty());
}

/// A value that cannot be encoded, or not be decoded, as it says.
#[derive(Debug, PartialEq)]
enum Odd {
    Fine(u32),
    Unsendable,
    Undecodable,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fine(n) => n.serialize(serializer),
            Self::Unsendable => Err(serde::ser::Error::custom("this one does not travel")),
            Self::Undecodable => u32::MAX.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            u32::MAX => Err(serde::de::Error::custom("nobody knows this one")),
            n => Ok(Self::Fine(n)),
        }
    }
}

/// `_TestQueue.test_queue_feeder_donot_stop_onexc`
#[test]
fn a_message_that_cannot_be_encoded_or_decoded_hurts_no_other() {
    let _watchdog = watchdog();
    let queue = Queue::bounded(1).expect("memory");
    let error = queue.send(Odd::Unsendable).expect_err("unsendable");
    assert_eq!(error.kind(), SendErrorKind::Encode);
    assert!(error.to_string().contains("this one does not travel"), "{error}");
    assert_eq!(error.into_inner(), Odd::Unsendable);
    assert_eq!(queue.len(), 0);
    queue.send(Odd::Undecodable).expect("room");
    assert_eq!(queue.len(), 1);
    assert!(matches!(queue.recv(), Err(RecvError::Decode(reason)) if reason.contains("nobody")));
    queue.send(Odd::Fine(3)).expect("room");
    assert_eq!(queue.recv(), Ok(Odd::Fine(3)));
}

/// What came before it is returned, what comes behind it is there afterwards, and the next receive says why.
#[test]
fn a_message_that_cannot_be_decoded_ends_a_batch_or_an_iteration_and_is_told_of_next() {
    fn check(
        send: impl Fn(Odd),
        batch: impl Fn() -> Vec<Odd>,
        receive: impl Fn() -> Result<Odd, RecvError>,
        is_ready: impl Fn() -> bool,
    ) {
        [Odd::Fine(1), Odd::Fine(2), Odd::Undecodable, Odd::Fine(3)].into_iter().for_each(&send);
        assert_eq!(batch(), [Odd::Fine(1), Odd::Fine(2)]);
        assert_eq!(batch(), []);
        assert!(is_ready());
        assert!(matches!(receive(), Err(RecvError::Decode(reason)) if reason.contains("nobody")));
        assert_eq!(batch(), [Odd::Fine(3)]);
        assert!(!is_ready());
        // Also if it comes first, or last.
        [Odd::Undecodable, Odd::Undecodable].into_iter().for_each(&send);
        for _ in 0..2 {
            assert_eq!(batch(), []);
            assert!(is_ready());
            assert!(matches!(receive(), Err(RecvError::Decode(_))));
        }
        assert_eq!(receive(), Err(RecvError::Empty));
    }
    let _watchdog = watchdog();
    let is_ready = |one: &dyn psync::Waitable| {
        psync::wait_any(&[one], Some(Duration::ZERO)).is_ok_and(|ready| ready == [0])
    };
    let queue = Queue::unbounded().expect("memory");
    let send = |value| queue.send(value).expect("room");
    check(send, || queue.recv_many(9), || queue.try_recv(), || is_ready(&queue));
    let take_while_some = || queue.iter().take(queue.len().max(1)).collect();
    check(send, take_while_some, || queue.try_recv(), || is_ready(&queue));
    let (sender, receiver) = channel(9).expect("memory");
    let send = |value| sender.send(value).expect("room");
    check(send, || receiver.recv_many(9), || receiver.try_recv(), || is_ready(&receiver));
    let take_while_some = || receiver.iter().take(receiver.len().max(1)).collect();
    check(send, take_while_some, || receiver.try_recv(), || is_ready(&receiver));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Parcel {
    number: u64,
    words: Vec<String>,
    rest: Option<Vec<f64>>,
    tag: (char, bool, ()),
}

fn parcel(number: u64) -> Parcel {
    Parcel {
        number,
        words: (0..number % 50).map(|n| format!("word {n}")).collect(),
        rest: number.is_multiple_of(3).then(|| vec![0.5; (number % 700) as usize]),
        tag: ('ß', number.is_multiple_of(2), ()),
    }
}

#[process]
fn pass_on(from: Queue<Parcel>, to: Queue<Parcel>) {
    for parcel in &from {
        to.send(parcel).expect("room");
    }
    to.close();
}

#[test]
fn values_of_every_kind_arrive_in_order() {
    let _watchdog = watchdog();
    let there = Queue::bounded(16).expect("memory");
    let back = Queue::bounded(16).expect("memory");
    let child = pass_on::spawn(there.clone(), back.clone()).expect("starts");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            there.send_all((0..2_000).map(parcel)).expect("room");
            there.close();
        });
        let mut next = 0;
        for received in &back {
            assert_eq!(received, parcel(next));
            next += 1;
        }
        assert_eq!(next, 2_000);
    });
    child.join().expect("ends");
}

#[test]
fn a_message_may_be_empty_or_larger_than_anything() {
    let _watchdog = watchdog();
    let queue = Queue::bounded(2).expect("memory");
    let send = |queue: Queue<Vec<u8>>| {
        queue.send(Vec::new()).is_ok()
            && queue.send((0..=249).cycle().take(40_000_000).collect()).is_ok()
    };
    let child = spawn(send, queue.clone()).expect("starts");
    assert_eq!(queue.recv(), Ok(Vec::new()));
    let large = queue.recv().expect("whole");
    assert_eq!(large.len(), 40_000_000);
    assert!(large.iter().eq((0..=249).cycle().take(40_000_000).collect::<Vec<u8>>().iter()));
    assert!(child.join().expect("ends"));
    let units = Queue::unbounded().expect("memory");
    units.send_all([(); 10]).expect("room");
    assert_eq!(units.recv_many(20).len(), 10);
}

/// What was sent is there, although its sender has gone.
#[test]
fn whoever_has_sent_may_end_at_once() {
    let _watchdog = watchdog();
    let queue = Queue::unbounded().expect("memory");
    let send = |queue: Queue<String>| queue.send_all(vec!["x".repeat(1_000); 20_000]).is_ok();
    assert!(spawn(send, queue.clone()).expect("starts").join().expect("ends at once"));
    assert_eq!(queue.len(), 20_000);
    assert!(queue.recv_many(20_000).iter().all(|text| text.len() == 1_000));
}

#[process]
fn hold(queue: Queue<u32>, here: &Event) {
    let _held = queue;
    here.set();
    sleep_for_ever();
}

#[test]
fn a_blocked_receive_ends_when_the_last_other_process_does() {
    let _watchdog = watchdog();
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let queue = Queue::<u32>::unbounded().expect("memory");
        let here = Shared::new(Event::new()).expect("memory");
        let options = || Options::new().start_method(method);
        let children =
            [0, 1].map(|_| hold::spawn_with(options(), queue.clone(), &here).expect("starts"));
        here.wait();
        std::thread::scope(|scope| {
            let receiver = scope.spawn(|| queue.recv());
            for child in &children {
                assert!(!receiver.is_finished());
                child.kill().expect("signals");
                child.wait();
            }
            assert_eq!(receiver.join().expect("no panic"), Err(RecvError::Disconnected));
        });
        assert_eq!(queue.try_recv(), Err(RecvError::Empty));
        assert_eq!(queue.recv_timeout(LATE), Err(RecvError::Disconnected));
    }
}

#[test]
fn a_blocked_send_ends_when_the_last_other_process_does() {
    let _watchdog = watchdog();
    let queue = Queue::bounded(1).expect("memory");
    queue.send(1).expect("room");
    let here = Shared::new(Event::new()).expect("memory");
    let child = hold::spawn(queue.clone(), &here).expect("starts");
    here.wait();
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| queue.send(2).expect_err("alone").kind());
        child.kill().expect("signals");
        assert_eq!(sender.join().expect("no panic"), SendErrorKind::Disconnected);
    });
}

#[test]
fn what_the_dead_have_sent_comes_before_the_news_of_their_death() {
    let _watchdog = watchdog();
    let queue = Queue::unbounded().expect("memory");
    let send_and_die = |queue: Queue<u32>| {
        let _ = queue.send_all(0..1_000);
        common::signal(std::process::id().cast_signed(), libc::SIGKILL);
    };
    let child = spawn(send_and_die, queue.clone()).expect("starts");
    let all: Vec<u32> = queue.iter().collect();
    assert_eq!(all, (0..1_000).collect::<Vec<_>>());
    child.wait();
}

#[test]
fn threads_of_one_process_use_it_as_well() {
    let _watchdog = watchdog();
    let queue = Queue::bounded(4).expect("memory");
    std::thread::scope(|scope| {
        for from in [0, 1_000, 2_000] {
            let queue = &queue;
            scope.spawn(move || queue.send_all(from..from + 1_000).expect("room"));
        }
        let mut all: Vec<i32> = (0..3_000).map(|_| queue.recv().expect("a message")).collect();
        all.sort_unstable();
        assert_eq!(all, (0..3_000).collect::<Vec<_>>());
    });
    assert_eq!(queue.recv_timeout(SOON), Err(RecvError::TimedOut));
}

#[process]
fn produce(sender: Sender<u64>, from: u64) {
    sender.send_all(from..from + 500).expect("received");
}

/// `_TestConnection.test_duplex_false`
#[test]
fn receivers_learn_that_no_sender_is_left() {
    let _watchdog = watchdog();
    let (sender, receiver) = channel(3).expect("memory");
    let producers =
        [0, 500, 1_000].map(|from| produce::spawn(sender.clone(), from).expect("starts"));
    drop(sender);
    let mut all: Vec<u64> = receiver.iter().collect();
    all.sort_unstable();
    assert_eq!(all, (0..1_500).collect::<Vec<_>>());
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    assert_eq!(receiver.try_recv(), Err(RecvError::Disconnected));
    for producer in producers {
        producer.join().expect("ends");
    }
}

#[process]
fn stay(_receiver: Receiver<u8>) {
    sleep_for_ever();
}

#[test]
fn senders_learn_that_no_receiver_is_left() {
    let _watchdog = watchdog();
    let (sender, receiver) = channel(2).expect("memory");
    let child = spawn(|receiver: Receiver<u8>| receiver.recv(), receiver).expect("starts");
    sender.send(1).expect("a receiver is under way");
    assert_eq!(child.join().expect("ends"), Ok(1));
    let error = sender.send(2).expect_err("nobody is left");
    assert_eq!((error.kind(), error.into_inner()), (SendErrorKind::Disconnected, 2));

    let (sender, receiver) = channel(1).expect("memory");
    let child = stay::spawn(receiver).expect("starts");
    sender.send(1).expect("room");
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| sender.send(2).expect_err("killed").kind());
        child.kill().expect("signals");
        assert_eq!(blocked.join().expect("no panic"), SendErrorKind::Disconnected);
    });
}

#[test]
fn a_start_that_fails_takes_its_handles_back() {
    let _watchdog = watchdog();
    let (sender, receiver) = channel::<u8>(1).expect("memory");
    let refused = spawn(|(_, _): (Sender<u8>, Odd)| (), (sender, Odd::Unsendable));
    assert!(refused.is_err());
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
}
