//! Input is taken when there is room for it: also what never ends, and no more of it than is asked for.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "slow input is asleep")]

mod killing;
mod pooling;

use killing::{Watchdog, poll_for};
use pooling::{LONG, SOON, Stage, pool, recovers, square, stage, stay};
use psync::{
    pool::{MapOptions, TaskError},
    prelude::*,
};
use std::{cell::Cell, time::Duration};

fn buffer_of(buffer: usize) -> MapOptions {
    MapOptions { buffer: Some(buffer), ..MapOptions::default() }
}

fn idle(pool: &Pool) -> bool {
    poll_for(LONG, || pool.stats().running == 0 && pool.stats().queued == 0)
}

/// `ExecutorTest.test_map_buffersize_on_infinite_iterable`
#[test]
fn input_may_go_on_for_ever() {
    let _watchdog = Watchdog::new("input_may_go_on_for_ever");
    let pool = pool(2);
    let texts = pool.imap_with(|n: u64| n.to_string(), 0.., buffer_of(2));
    let first: Vec<String> = texts.take(3).map(|text| text.expect("a result")).collect();
    assert_eq!(first, ["0", "1", "2"]);
    let squares: Vec<u64> = pool.imap(square, 0..).take(5_000).map(Result::unwrap).collect();
    assert!(squares.into_iter().eq((0..5_000).map(square)));
    let mut some: Vec<u64> =
        pool.imap_unordered(square, 0..).take(5_000).map(Result::unwrap).collect();
    some.sort_unstable();
    some.dedup();
    assert_eq!(some.len(), 5_000, "none comes twice");
    assert!(idle(&pool), "what nobody waits for is not worked on: {:?}", pool.stats());
    recovers(&pool, 2);
}

/// `ExecutorTest.test_map_buffersize_when_buffer_is_full`
#[test]
fn no_more_is_taken_than_the_buffer_holds() {
    let _watchdog = Watchdog::new("no_more_is_taken_than_the_buffer_holds");
    let pool = pool(3);
    for buffer in [1, 2, 7, 100] {
        for chunk in [None, Some(1), Some(5)] {
            let pulled = Cell::new(0);
            let input = (0..).inspect(|_| pulled.set(pulled.get() + 1));
            let mut squares =
                pool.imap_with(square, input, MapOptions { chunk, ..buffer_of(buffer) });
            assert_eq!(pulled.get(), buffer, "before anybody asks");
            assert!(idle(&pool));
            assert_eq!(pulled.get(), buffer, "although they are done");
            for n in 0..250 {
                assert_eq!(squares.next().expect("no end").expect("a result"), square(n as u64));
                let ahead = pulled.get() - (n + 1);
                assert!(ahead <= buffer, "{ahead} ahead with a buffer of {buffer}");
            }
        }
    }
}

#[test]
fn results_that_come_out_of_order_do_not_widen_the_buffer() {
    let _watchdog = Watchdog::new("results_that_come_out_of_order_do_not_widen_the_buffer");
    let (pool, stage) = (pool(2), stage());
    let pulled = Cell::new(0);
    let input = (0..).inspect(|_| pulled.set(pulled.get() + 1)).map(|n: usize| (stage.clone(), n));
    let first_waits = |(stage, n): (Shared<pooling::Stage>, usize)| {
        if n == 0 {
            stage.cue[0].wait();
        }
        n
    };
    let options = MapOptions { chunk: Some(1), ..buffer_of(10) };
    let mut results = pool.imap_with(first_waits, input, options);
    assert!(poll_for(LONG, || pool.stats().done == 9), "{:?}", pool.stats());
    assert_eq!(pulled.get(), 10, "the first is not there yet");
    stage.cue[0].set();
    for n in 0..100 {
        assert_eq!(results.next().expect("no end").expect("a result"), n);
        assert!(pulled.get() <= n + 1 + 10);
    }
}

#[test]
fn without_a_buffer_it_is_a_few_batches() {
    let _watchdog = Watchdog::new("without_a_buffer_it_is_a_few_batches");
    let (pool, stage) = (pool(2), stage());
    let pulled = Cell::new(0);
    let input = (0..).inspect(|_: &usize| pulled.set(pulled.get() + 1)).map(|n| (stage.clone(), n));
    let wait = |(stage, n): (Shared<pooling::Stage>, usize)| {
        stage.cue[0].wait();
        n
    };
    let options = MapOptions { chunk: Some(1), ..MapOptions::default() };
    let mut results = pool.imap_with(wait, input, options);
    let ahead = pulled.get();
    assert!((2..=64).contains(&ahead), "{ahead} for two workers, one at a time");
    stage.cue[0].set();
    assert_eq!(results.next().expect("no end").expect("a result"), 0);
}

#[test]
fn input_is_taken_in_the_thread_that_asks() {
    let _watchdog = Watchdog::new("input_is_taken_in_the_thread_that_asks");
    let pool = pool(2);
    let here = std::thread::current().id();
    // Neither `Send` nor `'static`.
    let count = std::rc::Rc::new(Cell::new(0_u64));
    let items = || {
        std::iter::from_fn(|| {
            assert_eq!(std::thread::current().id(), here);
            count.set(count.get() + 1);
            (count.get() <= 100).then(|| count.get())
        })
    };
    assert_eq!(pool.map(square, items()).expect("all").len(), 100);
    count.set(0);
    assert_eq!(pool.imap(square, items()).count(), 100);
    count.set(0);
    assert_eq!(pool.imap_unordered(square, items()).count(), 100);
}

#[test]
fn a_lazy_map_may_be_left_in_the_middle() {
    let _watchdog = Watchdog::new("a_lazy_map_may_be_left_in_the_middle");
    let pool = pool(2);
    for taken in [0, 1, 10] {
        let squares = pool.imap(square, 0..).take(taken);
        assert!(
            squares.map(|squared| squared.expect("a result")).eq((0..taken as u64).map(square))
        );
        assert!(idle(&pool), "{:?}", pool.stats());
    }
    pool.close();
    assert!(matches!(pool.imap(square, 0..).next(), Some(Err(TaskError::Closed))));
    pool.join().expect("ends");
}

#[test]
fn the_output_of_one_is_the_input_of_another() {
    let _watchdog = Watchdog::new("the_output_of_one_is_the_input_of_another");
    let pool = pool(2);
    let squares = pool.imap(square, 0..).map(|squared| squared.expect("a result"));
    let roots = pool.imap_with(|n: u64| n.isqrt(), squares, buffer_of(30));
    assert!(roots.map(|root| root.expect("a result")).take(3_000).eq(0..3_000));
    let squares = pool.imap_unordered(square, 0..500).map(|squared| squared.expect("a result"));
    let mut roots = pool.map(|n: u64| n.isqrt(), squares).expect("all");
    roots.sort_unstable();
    assert!(roots.into_iter().eq(0..500));
    recovers(&pool, 2);
}

/// Numbers that come slowly, and how many have come.
fn slowly(pulled: &Cell<u64>) -> impl Iterator<Item = u64> {
    (0..).inspect(|_| {
        pulled.set(pulled.get() + 1);
        std::thread::sleep(Duration::from_millis(50));
    })
}

#[test]
fn the_first_results_do_not_wait_for_slow_input() {
    let _watchdog = Watchdog::new("the_first_results_do_not_wait_for_slow_input");
    let pool = pool(2);
    // The workers know how short the task is, so that batches could be long.
    recovers(&pool, 2);
    for round in 0..2 {
        let pulled = Cell::new(0);
        let mut squares: Box<dyn Iterator<Item = Result<u64, TaskError>> + '_> = if round == 0 {
            Box::new(pool.imap(square, slowly(&pulled)))
        } else {
            Box::new(pool.imap_unordered(square, slowly(&pulled)))
        };
        for _ in 0..10 {
            squares.next().expect("no end").expect("a result");
        }
        assert!(pulled.get() < 60, "{} items for 10 results", pulled.get());
    }
}

#[test]
fn a_map_fails_in_the_middle_of_slow_input() {
    let _watchdog = Watchdog::new("a_map_fails_in_the_middle_of_slow_input");
    let pool = pool(2);
    let pulled = Cell::new(0);
    let fail = |n: u64| assert_ne!(n, 3, "no such number");
    let error = pool.map(fail, slowly(&pulled).take(1_000)).expect_err("one fails");
    assert!(matches!(error, TaskError::Panicked { .. }), "{error}");
    assert!(pulled.get() < 60, "{} items were taken for nothing", pulled.get());
    recovers(&pool, 2);
}

#[test]
fn slow_input_without_end_is_over_when_the_time_is_up() {
    let _watchdog = Watchdog::new("slow_input_without_end_is_over_when_the_time_is_up");
    let pool = pool(2);
    for chunk in [None, Some(1), Some(1_000_000)] {
        let timeout = Some(Duration::from_millis(200));
        let options = MapOptions { chunk, timeout, ..MapOptions::default() };
        let pulled = Cell::new(0);
        let late = pool.map_with(square, slowly(&pulled), options.clone());
        assert_eq!(late, Err(TaskError::TimedOut));
        let last = pool.imap_with(square, slowly(&pulled), options.clone()).last();
        assert_eq!(last, Some(Err(TaskError::TimedOut)));
        let last = pool.imap_unordered_with(square, slowly(&pulled), options).last();
        assert_eq!(last, Some(Err(TaskError::TimedOut)));
    }
    recovers(&pool, 2);
}

#[test]
fn what_is_ready_can_be_had_after_the_time() {
    let _watchdog = Watchdog::new("what_is_ready_can_be_had_after_the_time");
    let pool = pool(2);
    let timeout = Some(Duration::from_secs(3));
    let options = MapOptions { timeout, ..MapOptions::default() };
    let mut squares = pool.imap_with(square, 0..5, options);
    assert_eq!(squares.next(), Some(Ok(0)));
    assert!(idle(&pool));
    std::thread::sleep(Duration::from_secs(3));
    let rest: Result<Vec<u64>, TaskError> = squares.collect();
    assert_eq!(rest, Ok(vec![1, 4, 9, 16]), "nothing was missing");
}

/// The failure is waited out, but not beyond the time that there is.
#[test]
fn a_failed_map_ends_what_runs_when_the_time_is_up() {
    let _watchdog = Watchdog::new("a_failed_map_ends_what_runs_when_the_time_is_up");
    let pool = pool(2);
    let stage = stage();
    let work = |(stage, place): (Shared<Stage>, usize)| {
        if place == 1 {
            stage.here[0].wait();
            panic!("at once");
        }
        stay((stage, place))
    };
    let options = MapOptions { chunk: Some(1), timeout: Some(SOON * 10), ..MapOptions::default() };
    let places = (0..2).map(|place| (stage.clone(), place));
    let error = pool.map_with(work, places, options).expect_err("both");
    assert_eq!(error, TaskError::TimedOut, "that of the first item");
    recovers(&pool, 2);
}
