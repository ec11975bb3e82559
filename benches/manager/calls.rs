//! Gets, sets and appends, through proxies and by Redis: as many as asked for, until all are done.

use super::{
    measure::{Contestant, Goal, Pace, Row, contest},
    redis,
};
use psync::{
    manager::{DictProxy, ListProxy},
    prelude::*,
};
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

const KEYS: u64 = 100;

/// Another process that does the same at the same time.
#[process]
fn helper(dict: DictProxy<u64, u64>, orders: Queue<u64>, done: Queue<()>) {
    for count in &orders {
        for n in 0..count {
            dict.get(&(n % KEYS)).expect("the server is there");
        }
        done.send(()).expect("somebody waits");
    }
}

fn filled(manager: &Manager) -> DictProxy<u64, u64> {
    let dict = manager.dict().expect("a dict");
    dict.extend((0..KEYS).map(|n| (n, n))).expect("room");
    dict
}

/// The next key.
fn step(turn: &Cell<u64>) -> u64 {
    turn.set(turn.get() + 1);
    turn.get() % KEYS
}

fn get<'a>(dict: DictProxy<u64, u64>) -> Contestant<'a> {
    let turn = Cell::new(0);
    Contestant::calls("psync", move || {
        dict.get(&step(&turn)).expect("the server is there");
    })
}

fn insert<'a>(dict: DictProxy<u64, u64>) -> Contestant<'a> {
    let turn = Cell::new(0);
    Contestant::calls("psync", move || {
        dict.insert(step(&turn), turn.get()).expect("the server is there");
    })
}

fn push<'a>(list: ListProxy<u64>) -> Contestant<'a> {
    Contestant::new("psync", move |count| {
        list.clear().expect("the server is there");
        let start = Instant::now();
        for n in 0..count {
            list.push(n).expect("the server is there");
        }
        start.elapsed()
    })
}

/// Two processes, each of which does half.
fn get_by_two<'a>(dict: DictProxy<u64, u64>) -> Contestant<'a> {
    let (orders, done) = (Queue::bounded(1).expect("memory"), Queue::bounded(1).expect("memory"));
    helper::spawn(dict.clone(), orders.clone(), done.clone()).expect("starts");
    Contestant::new("psync", move |count| {
        let start = Instant::now();
        orders.send(count.div_ceil(2)).expect("room");
        for n in 0..count / 2 {
            dict.get(&(n % KEYS)).expect("the server is there");
        }
        done.recv().expect("all done");
        start.elapsed()
    })
}

#[process]
fn echo(there: Queue<u64>, back: Queue<u64>) {
    for number in &there {
        back.send(number).expect("somebody waits");
    }
}

/// The least that it can cost: a message there and another back.
fn messages<'a>() -> Contestant<'a> {
    let (there, back) = (Queue::bounded(1).expect("memory"), Queue::bounded(1).expect("memory"));
    echo::spawn(there.clone(), back.clone()).expect("starts");
    Contestant::calls("two messages", move || {
        there.send(1).expect("room");
        back.recv().expect("an answer");
    })
}

fn with<'a>(ours: Contestant<'a>, peer: Option<Contestant<'a>>) -> Vec<Contestant<'a>> {
    [ours, messages()].into_iter().chain(peer).collect()
}

/// Has the calling thread, and the server, stay on one processor, or be free again.
fn bind(pid: i32, alone: bool) {
    // SAFETY: zeros are the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for cpu in 0..if alone { 1 } else { 64 } {
        // SAFETY: a number that the set has room for.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it lives");
    let threads = threads.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
    for thread in threads.chain([0]) {
        // SAFETY: for a thread, with a set of the size that is told.
        unsafe { libc::sched_setaffinity(thread, size_of_val(&set), &raw const set) };
    }
}

pub(crate) fn rows(pace: &Pace, redis: Option<&redis::Server>) -> Vec<Row> {
    let manager = Manager::start().expect("starts");
    let (rounds, round) = (pace.rounds(40), Duration::from_millis(20));
    let mut rows = Vec::new();
    let mut row = |work, goal, make: &dyn Fn() -> Vec<Contestant<'static>>| {
        if pace.wants(work) {
            rows.push(Row { work, figures: contest(rounds, round, make()), goal });
        }
    };
    let one = Goal::Nanos(2_000.0);
    row("dict get", one, &|| with(get(filled(&manager)), redis.map(|s| s.get(1))));
    row("dict set", one, &|| with(insert(filled(&manager)), redis.map(redis::Server::set)));
    row("list append", one, &|| {
        with(push(manager.list().expect("a list")), redis.map(redis::Server::push))
    });
    row("dict get, 2 processes", one, &|| {
        with(get_by_two(filled(&manager)), redis.map(|s| s.get(2)))
    });
    // A lane of its own, so that nothing remembers other processors.
    let alone = Manager::start().expect("starts");
    bind(alone.pid(), true);
    row("dict get, one processor", Goal::Nanos(11_000.0), &|| {
        let dict = filled(&alone);
        bind(alone.pid(), true);
        with(get(dict), None)
    });
    bind(alone.pid(), false);
    rows
}
