//! Our pool.

use super::{
    WORKERS,
    measure::Contestant,
    work::{LONG, MILLIS, STEPS, busy, crunch, tiny},
};
use psync::{pool::MapOptions, prelude::*};
use std::time::Instant;

fn pool(workers: usize) -> Pool {
    Pool::new(workers).expect("workers")
}

/// One result after the other, with so many tasks in a batch.
pub(crate) fn imap<'a>(chunk: Option<usize>) -> Contestant<'a> {
    let pool = pool(WORKERS);
    Contestant::new("psync imap", move |count| {
        let options = MapOptions { chunk, ..MapOptions::default() };
        let begin = Instant::now();
        let results = pool.imap_with(tiny, 0..count, options);
        let sum: u64 = results.map(|result| result.expect("a result")).sum();
        assert_eq!(sum, count * (count + 1) / 2);
        begin.elapsed()
    })
}

pub(crate) fn submit<'a>() -> Contestant<'a> {
    let pool = pool(WORKERS);
    Contestant::new("psync submit", move |count| {
        let begin = Instant::now();
        let tasks: Vec<_> = (0..count).map(|n| pool.submit(tiny, n).expect("open")).collect();
        let sum: u64 = tasks.into_iter().map(|task| task.wait().expect("a result")).sum();
        assert_eq!(sum, count * (count + 1) / 2);
        begin.elapsed()
    })
}

pub(crate) fn map<'a>() -> Contestant<'a> {
    let pool = pool(WORKERS);
    Contestant::new("psync map", move |count| {
        let begin = Instant::now();
        let results = pool.map(tiny, 0..count).expect("results");
        assert_eq!(results.last(), Some(&count));
        begin.elapsed()
    })
}

pub(crate) fn long<'a>() -> Contestant<'a> {
    let pool = pool(WORKERS);
    Contestant::calls("psync map", move || {
        assert_eq!(pool.map(busy, [MILLIS; LONG]).expect("results").len(), LONG);
    })
}

pub(crate) fn run<'a>() -> Contestant<'a> {
    let pool = pool(WORKERS);
    Contestant::calls("psync run", move || assert_eq!(pool.run(tiny, 1).expect("a result"), 2))
}

/// From nothing to the first results; the end of the pool is not measured.
pub(crate) fn start<'a>() -> Contestant<'a> {
    Contestant::new("psync", |count| {
        super::starts(count, || {
            let pool = pool(WORKERS);
            assert_eq!(pool.map(tiny, [1, 2]).expect("results"), [2, 3]);
            pool
        })
    })
}

/// Work for the processor alone, with so many workers.
pub(crate) fn crunching<'a>(name: &'static str, workers: usize) -> Contestant<'a> {
    let pool = pool(workers);
    Contestant::calls(name, move || {
        assert_eq!(pool.map(crunch, [STEPS; LONG]).expect("results").len(), LONG);
    })
}
