//! Handles in messages: of every type, through every channel, with senders that end at once.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{descriptors, sleep_for_ever, watchdog};
use psync::{prelude::*, spawn};
use serde::{Deserialize, Serialize};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Every kind of handle, in a type of the program's own.
#[derive(Debug, Serialize, Deserialize)]
struct Kit {
    total: Shared<AtomicU64>,
    numbers: Array<u64>,
    slice: Shared<[u64]>,
    answers: Queue<String>,
    inner: Vec<Option<(Sender<u64>, Receiver<u64>)>>,
    line: Connection<u64, String>,
}

fn kit() -> (Kit, Connection<String, u64>, Receiver<u64>, Sender<u64>) {
    let (theirs, ours) = pipe().expect("descriptors");
    let (sender, receiver) = channel(1).expect("memory");
    let (sender_back, receiver_back) = channel(1).expect("memory");
    let kit = Kit {
        total: Shared::new(AtomicU64::new(1)).expect("memory"),
        numbers: Array::from_slice(&[1, 2, 3]).expect("memory"),
        slice: Shared::<[u64]>::new_with(100_000, |at| at as u64).expect("memory"),
        answers: Queue::bounded(4).expect("memory"),
        inner: vec![None, Some((sender, receiver_back))],
        line: theirs,
    };
    (kit, ours, receiver, sender_back)
}

/// Uses every handle of a kit.
fn use_kit(kit: &Kit) {
    kit.total.fetch_add(kit.slice.iter().sum::<u64>(), Relaxed);
    kit.numbers.lock().expect("whole")[1] = 20;
    let (sender, receiver) = kit.inner[1].as_ref().expect("one");
    let word = receiver.recv().expect("a number");
    sender.send(word + 1).expect("received");
    kit.line.send(&(word + 2)).expect("received");
    let text = kit.line.recv().expect("a text");
    kit.answers.send(text).expect("room");
}

fn check_kit(
    kit: &Kit,
    line: &Connection<String, u64>,
    receiver: &Receiver<u64>,
    sender: &Sender<u64>,
) {
    sender.send(40).expect("room");
    assert_eq!(receiver.recv(), Ok(41));
    assert_eq!(line.recv(), Ok(42));
    line.send(&"done".to_owned()).expect("sent");
    assert_eq!(kit.answers.recv().as_deref(), Ok("done"));
    assert_eq!(kit.total.load(Relaxed), 1 + 100_000 * 99_999 / 2);
    assert_eq!(kit.numbers.to_vec().expect("whole"), [1, 20, 3]);
}

#[process]
fn serve_queue(kits: Queue<Kit>) {
    use_kit(&kits.recv().expect("a kit"));
}

#[process]
fn serve_connection(kits: Connection<(), Kit>) {
    use_kit(&kits.recv().expect("a kit"));
}

#[process]
fn serve_argument(kit: Kit) {
    use_kit(&kit);
}

fn copy_of(kit: &Kit) -> Kit {
    Kit {
        total: kit.total.clone(),
        numbers: kit.numbers.clone(),
        slice: kit.slice.clone(),
        answers: kit.answers.clone(),
        inner: kit.inner.clone(),
        line: pipe().expect("descriptors").0,
    }
}

/// Puts the line of `kit` into a copy of it.
fn to_send(mut kit: Kit) -> (Kit, Kit) {
    let mut copy = copy_of(&kit);
    core::mem::swap(&mut copy.line, &mut kit.line);
    (copy, kit)
}

#[test]
fn every_handle_goes_through_a_queue() {
    let _watchdog = watchdog();
    let kits = Queue::bounded(1).expect("memory");
    let child = serve_queue::spawn(kits.clone()).expect("starts");
    let (kit, line, receiver, sender) = kit();
    let (sent, kept) = to_send(kit);
    kits.send(sent).expect("room");
    check_kit(&kept, &line, &receiver, &sender);
    child.join().expect("ends");
}

#[test]
fn every_handle_goes_through_a_connection() {
    let _watchdog = watchdog();
    let (ours, theirs) = pipe::<Kit, ()>().expect("descriptors");
    let child = serve_connection::spawn(theirs).expect("starts");
    let (kit, line, receiver, sender) = kit();
    let (sent, kept) = to_send(kit);
    ours.send(&sent).expect("sent");
    drop(sent);
    check_kit(&kept, &line, &receiver, &sender);
    child.join().expect("ends");
}

/// `_TestPicklingConnections.test_access`
#[test]
fn every_handle_is_an_argument() {
    let _watchdog = watchdog();
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let (kit, line, receiver, sender) = kit();
        let (sent, kept) = to_send(kit);
        let options = Options::new().start_method(method);
        let child = serve_argument::spawn_with(options, sent).expect("starts");
        check_kit(&kept, &line, &receiver, &sender);
        child.join().expect("ends");
    }
}

#[test]
fn every_handle_is_a_result() {
    let _watchdog = watchdog();
    let make = |()| {
        let (kit, line, receiver, sender) = kit();
        (kit, line, receiver, sender)
    };
    let child = spawn(make, ()).expect("starts");
    child.wait();
    let (kit, line, receiver, sender) = child.join().expect("a result");
    let (sent, kept) = to_send(kit);
    let child = serve_argument::spawn(sent).expect("starts");
    check_kit(&kept, &line, &receiver, &sender);
    child.join().expect("ends");
}

/// The sender has ended long before anybody receives.
#[test]
fn what_an_ended_process_has_sent_is_still_there() {
    let _watchdog = watchdog();
    let send = |queue: Queue<Shared<[u64]>>| {
        for length in [100_000, 200_000] {
            let slice = Shared::<[u64]>::new_with(length, |at| at as u64).expect("memory");
            queue.send(slice).expect("room");
        }
    };
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let queue = Queue::bounded(4).expect("memory");
        let options = Options::new().start_method(method);
        psync::spawn_with(options, send, queue.clone()).expect("starts").join().expect("ends");
        let first = queue.recv().expect("left to the supervisor");
        assert_eq!((first.len(), first[99_999]), (100_000, 99_999));
        // By another process than the one that knows the sender.
        let other = |queue: Queue<Shared<[u64]>>| queue.recv().map(|slice| slice[199_999]);
        assert_eq!(spawn(other, queue).expect("starts").join().expect("ends"), Ok(199_999));
    }
}

#[process]
fn send_and_stay(queue: Queue<Shared<[u64]>>, sent: &Event) {
    queue.send(Shared::<[u64]>::zeroed(100_000).expect("memory")).expect("room");
    sent.set();
    sleep_for_ever();
}

#[test]
fn what_a_killed_process_has_sent_a_handle_of_is_a_clear_error() {
    let _watchdog = watchdog();
    let queue = Queue::bounded(4).expect("memory");
    let sent = Shared::new(Event::new()).expect("memory");
    let child = send_and_stay::spawn(queue.clone(), &sent).expect("starts");
    sent.wait();
    child.kill().expect("signals");
    child.wait();
    let error = queue.recv().expect_err("its memory is gone");
    assert!(matches!(&error, RecvError::Decode(reason) if reason.contains("has ended")), "{error}");
    assert_eq!(queue.try_recv().expect_err("nothing else"), RecvError::Empty);
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").expect("maps").lines().count()
}

#[process]
fn receive_all(objects: Queue<Vec<Shared<AtomicU64>>>, back: Queue<(u64, usize, usize)>) {
    let mut all = Vec::new();
    while let Ok(some) = objects.recv() {
        all.extend(some);
    }
    let sum = all.iter().map(|one| one.load(Relaxed)).sum();
    back.send((sum, descriptors().len(), mappings())).expect("room");
}

#[test]
fn very_many_objects_need_few_descriptors_and_mappings() {
    let _watchdog = watchdog();
    let objects = Queue::bounded(64).expect("memory");
    let back = Queue::bounded(1).expect("memory");
    let child = receive_all::spawn(objects.clone(), back.clone()).expect("starts");
    let mut all = Vec::new();
    for part in 0..1_000 {
        let some: Vec<_> = (0..100)
            .map(|n| Shared::new(AtomicU64::new(part * 100 + n)).expect("memory"))
            .collect();
        objects.send(some.clone()).expect("room");
        all.extend(some);
    }
    objects.close();
    let (sum, open, mapped) = back.recv().expect("a sum");
    assert_eq!(sum, 100_000 * 99_999 / 2);
    assert!(open < 200 && mapped < 1_000, "{open} descriptors, {mapped} mappings in the receiver");
    let (open, mapped) = (descriptors().len(), mappings());
    assert!(open < 500 && mapped < 1_000, "{open} descriptors, {mapped} mappings");
    child.join().expect("ends");
}

/// How many descriptors more there are after so many messages, each with a handle of the same.
#[process]
fn receive_again_and_again(queue: Queue<Shared<[u64]>>) -> isize {
    let first = queue.recv().expect("a handle");
    let before = descriptors().len().cast_signed();
    let all = queue.recv_many(99);
    assert!(all.len() == 99 && all.iter().all(|one| Shared::ptr_eq(one, &first)));
    descriptors().len().cast_signed() - before
}

#[test]
fn receiving_the_same_again_costs_nothing() {
    let _watchdog = watchdog();
    let queue = Queue::bounded(200).expect("memory");
    let slice = Shared::<[u64]>::zeroed(100_000).expect("memory");
    let send = |(queue, slice): (Queue<Shared<[u64]>>, Shared<[u64]>)| {
        (0..100).for_each(|_| queue.send(slice.clone()).expect("room"));
    };
    spawn(send, (queue.clone(), slice.clone())).expect("starts").join().expect("ends");
    assert_eq!(receive_again_and_again::run(queue).expect("ends"), 0);
}

/// A handle under way counts as held: its sender has dropped its own.
#[test]
fn a_sender_in_an_unread_message_is_no_reason_to_give_up() {
    let _watchdog = watchdog();
    let (sender, receiver) = channel::<u64>(1).expect("memory");
    let post = Queue::bounded(1).expect("memory");
    post.send(sender).expect("room");
    assert_eq!(receiver.recv_timeout(Duration::from_millis(50)), Err(RecvError::TimedOut));
    let deliver = |post: Queue<Sender<u64>>| post.recv().is_ok_and(|sender| sender.send(7).is_ok());
    let child = spawn(deliver, post.clone()).expect("starts");
    assert_eq!(receiver.recv(), Ok(7));
    assert!(child.join().expect("ends"));
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
}

/// Sends what nobody else has a handle of, and says how many descriptors are left once all was received.
#[process]
fn send_and_forget(queue: Queue<Shared<[u64]>>, back: Queue<()>) -> usize {
    let before = descriptors().len();
    for _ in 0..20 {
        queue.send(Shared::<[u64]>::zeroed(100_000).expect("memory")).expect("room");
    }
    back.recv().expect("all received");
    // Any wait lets go of what was received.
    let _ = back.recv_timeout(Duration::from_millis(1));
    descriptors().len() - before
}

#[test]
fn what_was_received_is_let_go_of_by_its_sender() {
    let _watchdog = watchdog();
    let (queue, back) = (Queue::bounded(1).expect("memory"), Queue::bounded(1).expect("memory"));
    let child = send_and_forget::spawn(queue.clone(), back.clone()).expect("starts");
    for _ in 0..20 {
        assert_eq!(queue.recv().expect("a handle").len(), 100_000);
    }
    back.send(()).expect("room");
    assert_eq!(child.join().expect("ends"), 0);
}

/// Sends what is never received, through queues that it drops, and says how many descriptors are left. It never waits.
#[process]
fn send_in_vain() -> usize {
    let before = descriptors().len();
    for _ in 0..100 {
        let queue = Queue::unbounded().expect("memory");
        queue.send(Shared::<[u64]>::zeroed(100_000).expect("memory")).expect("room");
    }
    descriptors().len() - before
}

#[test]
fn what_nobody_can_receive_any_more_is_let_go_of() {
    let _watchdog = watchdog();
    assert_eq!(send_in_vain::spawn().expect("starts").join().expect("ends"), 0);
}

/// How many descriptors a queue costs while it is there, and after it was closed, emptied and dropped.
#[process]
fn count_a_queue() -> (usize, usize) {
    let before = descriptors().len();
    let queue = Queue::bounded(8).expect("memory");
    queue.send_all(["acorn".to_owned(), "x".repeat(1 << 20)]).expect("room");
    let most = descriptors().len() - before;
    queue.close();
    assert_eq!(queue.iter().count(), 2);
    drop(queue);
    (most, descriptors().len() - before)
}

/// `TestSimpleQueue.test_closed`
#[test]
fn a_queue_is_one_descriptor_and_leaves_none() {
    let _watchdog = watchdog();
    assert_eq!(count_a_queue::spawn().expect("starts").join().expect("ends"), (1, 0));
}
