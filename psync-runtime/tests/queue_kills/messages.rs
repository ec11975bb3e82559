//! Every message carries who sent it and its number there; numbers prove what was lost, doubled, torn or overtaken.

use crate::process::{Child, pause, progress, random, share, start, until};
use core::{
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};
use psync_runtime::channel::{Queue, RecvError};

/// Producer, number, and as many copies of the number as make the message long enough to be torn.
type Message = (u64, u64, Vec<u64>);

const PRODUCERS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(20);

fn message(producer: u64, number: u64) -> Message {
    // Now and then one that does not fit into the log.
    let len = if number.is_multiple_of(97) { 12_000 } else { number % 40 };
    (producer, number, vec![number; usize::try_from(len).expect("short")])
}

/// What the messages have shown so far; in memory that all processes share.
struct Account {
    /// Per producer: how many sends have returned, and the number of the last message that was received, plus one.
    sent: [AtomicU64; PRODUCERS],
    received: [AtomicU64; PRODUCERS],
    /// How many numbers were skipped.
    lost: AtomicU64,
    rounds: AtomicU64,
}

fn account() -> &'static Account {
    share(Account {
        sent: [const { AtomicU64::new(0) }; PRODUCERS],
        received: [const { AtomicU64::new(0) }; PRODUCERS],
        lost: AtomicU64::new(0),
        rounds: AtomicU64::new(0),
    })
}

fn produce(queue: &Queue<Message>, account: &Account, producer: usize) {
    for number in account.sent[producer].load(SeqCst).. {
        queue.send(message(producer as u64, number)).expect("room");
        account.sent[producer].store(number + 1, SeqCst);
    }
}

/// Checks a message against its producer's earlier ones. By one process at a time.
fn check((producer, number, copies): Message, account: &Account) {
    let expected = message(producer, number);
    assert_eq!(copies, expected.2, "a torn message");
    let received = &account.received[usize::try_from(producer).expect("few")];
    let last = received.load(SeqCst);
    assert!(number >= last, "{number} of {producer} after {last}: doubled or overtaken");
    account.lost.fetch_add(number - last, SeqCst);
    received.store(number + 1, SeqCst);
}

/// The producer that is killed sends on from its last number whose send returned, so a message that was sent without that comes twice; that one is known.
fn start_producer(queue: &Queue<Message>, account: &'static Account, producer: usize) -> Child {
    let queue = queue.clone();
    start(move || produce(&queue, account, producer))
}

pub(crate) fn one_producer_is_killed(kills: usize) {
    for queue in [Queue::bounded(8), Queue::unbounded()] {
        let queue = queue.expect("memory");
        for round in 0..kills / 2 {
            let account = account();
            let mut child = start_producer(&queue, account, round % PRODUCERS);
            let quota = random(200);
            let mut received = 0;
            while received < quota {
                check(queue.recv_timeout(PATIENCE).expect("a message"), account);
                received += 1;
            }
            pause(200);
            child.kill();
            // All that is there is whole and in order, and nothing whose send returned is missing.
            while let Ok(message) = queue.try_recv() {
                check(message, account);
            }
            let sent = account.sent[round % PRODUCERS].load(SeqCst);
            let last = account.received[round % PRODUCERS].load(SeqCst);
            assert!(last == sent || last == sent + 1, "{sent} were sent, and the last is {last}");
            assert_eq!(account.lost.load(SeqCst), 0);
            queue.try_send(message(0, 0)).expect("room");
            assert_eq!(queue.try_recv(), Ok(message(0, 0)));
        }
    }
}

pub(crate) fn one_consumer_is_killed(kills: usize) {
    for queue in [Queue::bounded(8), Queue::unbounded()] {
        let queue = queue.expect("memory");
        for _ in 0..kills / 2 {
            let account = account();
            let consumer = queue.clone();
            let mut child = start(move || {
                loop {
                    check(consumer.recv_timeout(PATIENCE).expect("a message"), account);
                }
            });
            for number in 0..random(200) {
                queue.send_timeout(message(1, number), PATIENCE).expect("room");
                account.sent[1].store(number + 1, SeqCst);
            }
            pause(200);
            child.kill();
            let before = account.received[1].load(SeqCst);
            let mut rest = 0;
            while let Ok(message) = queue.try_recv() {
                check(message, account);
                rest += 1;
            }
            let sent = account.sent[1].load(SeqCst);
            // At most the one in its hands is gone.
            assert!(before + rest + 1 >= sent, "{before} and {rest} of {sent}");
            assert!(account.lost.load(SeqCst) <= 1);
        }
    }
}

/// Three producers and two consumers, any of which is killed and replaced.
pub(crate) fn anybody_is_killed(kills: usize) {
    let queue = Queue::<Message>::bounded(16).expect("memory");
    let account = account();
    let torn = share(AtomicU64::new(0));
    let consume = |queue: Queue<Message>| {
        start(move || {
            loop {
                let (producer, number, copies) = queue.recv_timeout(PATIENCE).expect("a message");
                if copies != message(producer, number).2 {
                    torn.fetch_add(1, SeqCst);
                }
                account.rounds.fetch_add(1, SeqCst);
            }
        })
    };
    let mut producers: Vec<Child> =
        (0..3).map(|producer| start_producer(&queue, account, producer)).collect();
    let mut consumers: Vec<Child> = (0..2).map(|_| consume(queue.clone())).collect();
    for kill in 0..kills {
        pause(2_000);
        let victim = usize::try_from(random(5)).expect("few");
        if let Some(producer) = producers.get_mut(victim) {
            producer.kill();
            *producer = start_producer(&queue, account, victim);
        } else {
            consumers[victim - 3].kill();
            consumers[victim - 3] = consume(queue.clone());
        }
        if kill % 8 == 0 {
            progress(&account.rounds);
        }
    }
    drop(producers);
    until(|| queue.is_empty());
    drop(consumers);
    assert_eq!(torn.load(SeqCst), 0);
    assert_eq!(queue.try_recv(), Err(RecvError::Empty));
    assert_eq!(queue.len(), 0);
}

/// SIGSTOP of whoever is inside a side holds up others, but is not taken for death: when it goes on, all is as it was.
pub(crate) fn a_stopped_process_is_not_dead(kills: usize) {
    let queue = Queue::bounded(8).expect("memory");
    let account = account();
    let mut child = start_producer(&queue, account, 3);
    // What this process has sent itself stands between what the child has.
    let note = |message: Message| {
        let is_its = message.0 == 3;
        if is_its {
            check(message, account);
        }
        is_its
    };
    for _ in 0..kills.min(100) {
        for _ in 0..random(50) {
            note(queue.recv_timeout(PATIENCE).expect("a message"));
        }
        child.signal(nix::sys::signal::Signal::SIGSTOP);
        pause(300);
        // Try operations come back, whatever the stopped one holds.
        let _ = queue.try_recv().map(note);
        let _ = queue.try_send(message(4, 0));
        child.signal(nix::sys::signal::Signal::SIGCONT);
        while !note(queue.recv_timeout(PATIENCE).expect("it goes on")) {}
    }
    assert_eq!(account.lost.load(SeqCst), 0);
    child.kill();
}
