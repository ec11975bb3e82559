//! Another crate's pool of processes.

use super::{
    WORKERS,
    measure::Contestant,
    threads::{CHUNK, numbers},
    work::{LONG, MILLIS, busy, tiny},
};
use procspawn::Pool;
use std::time::Instant;

const NAME: &str = "procspawn";

fn pool() -> Pool {
    Pool::new(WORKERS).expect("workers")
}

/// The results of all calls, which are made before the first result is looked at.
fn map<A, R>(pool: &Pool, task: fn(A) -> R, arguments: impl Iterator<Item = A>) -> Vec<R>
where
    A: serde::Serialize + serde::de::DeserializeOwned,
    R: serde::Serialize + serde::de::DeserializeOwned + Send + 'static,
{
    let handles: Vec<_> = arguments.map(|argument| pool.spawn(argument, task)).collect();
    handles.into_iter().map(|handle| handle.join().expect("a result")).collect()
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
