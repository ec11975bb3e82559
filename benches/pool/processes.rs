//! Another crate's pool of processes.

use super::{
    WORKERS,
    measure::Contestant,
    threads::{CHUNK, numbers},
    work::{LONG, MILLIS, busy, tiny},
};
use procspawn::{JoinHandle, Pool};
use std::{collections::VecDeque, time::Instant};

const NAME: &str = "procspawn";

fn pool() -> Pool {
    Pool::new(WORKERS).expect("workers")
}

/// Has to be called first in `main`: workers begin there as well.
pub(crate) fn init() {
    // SAFETY: all functions that workers run are in this program, none in a library that it has loaded.
    unsafe { procspawn::assert_spawn_is_safe() };
    procspawn::init();
}

/// How many calls are under way: each has descriptors of its own, so there cannot be any number.
const AHEAD: usize = 64;

/// The results of all calls, in order.
fn map<A, R>(pool: &Pool, task: fn(A) -> R, arguments: impl Iterator<Item = A>) -> Vec<R>
where
    A: serde::Serialize + serde::de::DeserializeOwned,
    R: serde::Serialize + serde::de::DeserializeOwned + Send + 'static,
{
    let (mut calls, mut results) = (VecDeque::new(), Vec::new());
    let end = |call: JoinHandle<R>| call.join().expect("a result");
    for argument in arguments {
        if calls.len() == AHEAD {
            results.extend(calls.pop_front().map(end));
        }
        calls.push_back(pool.spawn(argument, task));
    }
    results.extend(calls.into_iter().map(end));
    results
}

pub(crate) fn one_by_one<'a>() -> Contestant<'a> {
    let pool = pool();
    Contestant::new(NAME, move |count| {
        let begin = Instant::now();
        assert_eq!(map(&pool, tiny, 0..count).last(), Some(&count));
        begin.elapsed()
    })
}

fn tiny_each(chunk: Vec<u64>) -> Vec<u64> {
    chunk.into_iter().map(tiny).collect()
}

pub(crate) fn in_chunks<'a>() -> Contestant<'a> {
    let pool = pool();
    Contestant::new(NAME, move |count| {
        let begin = Instant::now();
        let numbers = numbers(count);
        let chunks = numbers.chunks(CHUNK).map(<[u64]>::to_vec);
        assert_eq!(map(&pool, tiny_each, chunks).concat().last(), Some(&count));
        begin.elapsed()
    })
}

pub(crate) fn long<'a>() -> Contestant<'a> {
    let pool = pool();
    Contestant::calls(NAME, move || {
        assert_eq!(map(&pool, busy, [MILLIS; LONG].into_iter()).len(), LONG);
    })
}

pub(crate) fn run<'a>() -> Contestant<'a> {
    let pool = pool();
    Contestant::calls(NAME, move || {
        assert_eq!(pool.spawn(1, tiny).join().expect("a result"), 2);
    })
}

pub(crate) fn start<'a>() -> Contestant<'a> {
    Contestant::new(NAME, |count| {
        super::starts(count, || {
            let pool = pool();
            assert_eq!(map(&pool, tiny, [1, 2].into_iter()), [2, 3]);
            pool
        })
    })
}
