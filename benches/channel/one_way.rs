//! So many messages one way, until the last one has been received.

use super::{
    measure::{Contestant, Goal, Pace, Row, contest, contest_of_singles},
    peers::{self, Message, Peer, ROOM},
};
use psync::prelude::*;
use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

/// The partner process: receives as many as it is told to, and says so.
#[process]
fn drain_numbers(messages: Queue<u64>, orders: Queue<u64>, done: Queue<()>) {
    drain(&messages, &orders, &done);
}

#[process]
fn drain_arrays(messages: Queue<[u64; 8]>, orders: Queue<u64>, done: Queue<()>) {
    drain(&messages, &orders, &done);
}

#[process]
fn drain_vectors(messages: Queue<Vec<u8>>, orders: Queue<u64>, done: Queue<()>) {
    drain(&messages, &orders, &done);
}

fn drain<M: Message>(messages: &Queue<M>, orders: &Queue<u64>, done: &Queue<()>) {
    for count in orders {
        for _ in 0..count {
            messages.recv().expect("a message");
        }
        done.send(()).expect("somebody waits");
    }
}

type Start<M> = fn(Queue<M>, Queue<u64>, Queue<()>) -> Result<Process<()>, SpawnError>;

fn ours<'a, M: Message>(message: M, start: Start<M>) -> Contestant<'a> {
    let messages = Queue::bounded(ROOM).expect("memory");
    let (orders, done) = (Queue::bounded(1).expect("memory"), Queue::bounded(1).expect("memory"));
    start(messages.clone(), orders.clone(), done.clone()).expect("starts");
    Contestant::new("psync", move |count| {
        orders.send(count).expect("room");
        let start = Instant::now();
        for _ in 0..count {
            messages.send(message.clone()).expect("room");
        }
        done.recv().expect("all received");
        start.elapsed()
    })
}

/// What all of them do besides: make the message, and free it.
fn making<'a, M: Message>(message: M) -> Contestant<'a> {
    Contestant::calls("no channel", move || drop(std::hint::black_box(message.clone())))
}

fn theirs<'a, M: Message>(message: M, (name, make): Peer<M>) -> Contestant<'a> {
    let (mut send, mut receive) = make();
    let (orders, to_do) = mpsc::channel::<u64>();
    let (say, done) = mpsc::channel();
    std::thread::spawn(move || {
        for count in to_do {
            for _ in 0..count {
                receive().expect("a message");
            }
            say.send(()).expect("somebody waits");
        }
    });
    Contestant::new(name, move |count| {
        orders.send(count).expect("the partner");
        let start = Instant::now();
        for _ in 0..count {
            send(message.clone());
        }
        done.recv().expect("all received");
        start.elapsed()
    })
}

fn row<M: Message>(
    pace: &Pace,
    work: &'static str,
    message: &M,
    start: Start<M>,
    nanos: f64,
) -> Row {
    let peers = peers::threads().into_iter().chain(peers::processes());
    let mut all = vec![ours(message.clone(), start)];
    all.extend(peers.map(|peer| theirs(message.clone(), peer)));
    all.push(making(message.clone()));
    let goal = if nanos == 0.0 { Goal::None } else { Goal::Nanos(nanos) };
    let figures = if message.len() > 1 << 20 {
        contest_of_singles(pace.rounds(20), all)
    } else {
        contest(pace.rounds(40), Duration::from_millis(10), all)
    };
    Row { work, figures, goal }
}

/// One of two producers. Each would wait for orders from the other for ever: so they end with the bench, as daemons do.
#[process(daemon)]
fn produce(messages: Queue<[u64; 8]>, orders: Queue<u64>) {
    for count in &orders {
        for number in 0..count {
            messages.send([number; 8]).expect("room");
        }
    }
}

/// One of two consumers.
#[process(daemon)]
fn consume(messages: Queue<[u64; 8]>, sum: &Semaphore) {
    let mut received = 0;
    for _ in &messages {
        received += 1;
        if received == 1000 {
            sum.release(1).expect("no bound");
            received = 0;
        }
    }
}

/// Two to two: what the consumers have not yet counted of a round is counted with the next one.
#[allow(clippy::cast_precision_loss, reason = "counts of a short round")]
fn crowd(pace: &Pace) -> Row {
    let messages = Queue::bounded(ROOM).expect("memory");
    let orders = Queue::bounded(2).expect("memory");
    let sum = Shared::new(Semaphore::new(0)).expect("memory");
    for _ in 0..2 {
        produce::spawn(messages.clone(), orders.clone()).expect("starts");
        consume::spawn(messages.clone(), &sum).expect("starts");
    }
    let ours = Contestant::new("psync", move |count| {
        let each = (count / 2).max(1).next_multiple_of(2000);
        let start = Instant::now();
        orders.send_all([each, each]).expect("room");
        for _ in 0..(2 * each / 1000).saturating_sub(2) {
            sum.acquire().expect("room").forget();
        }
        // As for `count` messages.
        let share = count as f64 / (2 * each) as f64;
        start.elapsed().mul_f64(share)
    });
    let figures = contest(pace.rounds(40), Duration::from_millis(20), vec![ours]);
    Row { work: "64 B, 2 to 2", figures, goal: Goal::Nanos(1e3 / 15.0) }
}

pub(crate) fn rows(pace: &Pace) -> Vec<Row> {
    vec![
        row(pace, "8 B", &7_u64, drain_numbers::spawn, 1e3 / 60.0),
        row(pace, "64 B", &[7_u64; 8], drain_arrays::spawn, 1e3 / 30.0),
        row(pace, "1 KiB", &vec![7; 1 << 10], drain_vectors::spawn, 1e3 / 15.0),
        row(pace, "64 KiB", &vec![7; 64 << 10], drain_vectors::spawn, 1e3 / 0.9),
        row(pace, "64 MiB, copied", &vec![7; 64 << 20], drain_vectors::spawn, 0.0),
        crowd(pace),
    ]
}
