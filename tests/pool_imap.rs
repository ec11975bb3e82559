//! `imap` and `imap_unordered`: each item's own result, and no more input than is asked for.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod pooling;

use killing::{Watchdog, poll_for};
use pooling::{LONG, Stage, held, hold, panic_of, pool, recovers, square, stage};
use psync::{
    pool::{MapOptions, TaskError},
    prelude::*,
};
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering::SeqCst,
    time::Duration,
};

fn chunks_of(chunk: usize) -> MapOptions {
    MapOptions { chunk: Some(chunk), ..MapOptions::default() }
}

fn buffer_of(buffer: usize) -> MapOptions {
    MapOptions { buffer: Some(buffer), ..MapOptions::default() }
}

/// `_TestPool.test_imap`
#[test]
fn results_come_one_by_one_in_order() {
    let _watchdog = Watchdog::new("results_come_one_by_one_in_order");
    let pool = pool(3);
    for (count, options) in
        [(10, MapOptions::default()), (1_000, chunks_of(100)), (1_000, chunks_of(1))]
    {
        let mut results = pool.imap_with(square, 0..count, options);
        for n in 0..count {
            assert_eq!(results.next().expect("one more").expect("a result"), n * n);
        }
        assert!(results.next().is_none() && results.next().is_none());
    }
}

/// `_TestPool.test_imap_unordered`
#[test]
fn results_come_as_they_are_ready_if_order_does_not_matter() {
    let _watchdog = Watchdog::new("results_come_as_they_are_ready_if_order_does_not_matter");
    let pool = pool(3);
    for (count, options) in [(10, MapOptions::default()), (1_000, chunks_of(100))] {
        let results = pool.imap_unordered_with(square, 0..count, options);
        let mut all: Vec<u64> = results.map(|result| result.expect("a result")).collect();
        all.sort_unstable();
        assert_eq!(all, (0..count).map(square).collect::<Vec<_>>());
    }
    let stage = stage();
    let items = (0..3).map(|place| (stage.clone(), place));
    let mut results = pool.imap_unordered_with(hold, items, chunks_of(1));
    for place in [2, 0, 1] {
        stage.here[place].wait();
        stage.cue[place].set();
        assert_eq!(results.next().expect("one more").expect("a result"), place);
    }
    assert!(results.next().is_none());
}

/// `ExecutorTest.test_map_exception`
#[test]
fn an_item_that_fails_is_an_error_among_results() {
    let _watchdog = Watchdog::new("an_item_that_fails_is_an_error_among_results");
    let pool = pool(2);
    let divide = |(n, by): (u32, u32)| (n / by, n % by);
    let pairs = [(1, 2), (1, 3), (1, 0), (1, 5)];
    for options in [MapOptions::default(), chunks_of(1), chunks_of(4)] {
        let results: Vec<_> = pool.imap_with(divide, pairs, options).collect();
        assert!(matches!(results[..2], [Ok((0, 1)), Ok((0, 1))]), "{results:?}");
        assert_eq!(panic_of(&results[2]), Some("attempt to divide by zero"));
        assert!(matches!(results[3..], [Ok((0, 1))]), "what follows is not lost: {results:?}");
    }
}

/// `_TestPool.test_imap_handle_iterable_exception`
#[test]
fn a_panic_of_the_input_comes_behind_the_results_before_it() {
    let _watchdog = Watchdog::new("a_panic_of_the_input_comes_behind_the_results_before_it");
    let pool = pool(2);
    for (at, chunk) in [(0, 1), (3, 1), (6, 2), (6, 4), (6, 100)] {
        let input = || (0..20).inspect(move |n| assert!(*n != at, "no item {n}"));
        let mut results = pool.imap_with(square, input(), chunks_of(chunk));
        for n in 0..at {
            assert_eq!(results.next().expect("one more").expect("a result"), n * n);
        }
        let panic = catch_unwind(AssertUnwindSafe(|| results.next())).expect_err("a panic");
        assert_eq!(panic.downcast_ref::<String>(), Some(&format!("no item {at}")));
        assert!(results.next().is_none(), "nothing follows");

        let results = pool.imap_unordered_with(square, input(), chunks_of(chunk));
        let seen = Cell::new(0);
        let all = || results.for_each(|_| seen.set(seen.get() + 1));
        let panic = catch_unwind(AssertUnwindSafe(all)).expect_err("a panic");
        assert_eq!(panic.downcast_ref::<String>(), Some(&format!("no item {at}")));
        assert_eq!(seen.get(), at);
    }
    recovers(&pool, 2);
}

/// `ExecutorTest.test_map_buffersize_value_validation`
#[test]
fn a_buffer_or_chunk_of_nothing_is_an_error_and_nothing_else() {
    let _watchdog = Watchdog::new("a_buffer_or_chunk_of_nothing_is_an_error_and_nothing_else");
    let pool = pool(2);
    for options in [buffer_of(0), chunks_of(0)] {
        let pulled = Cell::new(0);
        let input = || (0..5).inspect(|_| pulled.set(pulled.get() + 1));
        let results: Vec<_> = pool.imap_with(square, input(), options.clone()).collect();
        assert!(matches!(results[..], [Err(TaskError::Input(_))]), "{results:?}");
        let results: Vec<_> = pool.imap_unordered_with(square, input(), options).collect();
        assert!(matches!(results[..], [Err(TaskError::Input(_))]), "{results:?}");
        assert_eq!(pulled.get(), 0);
    }
}

/// `ExecutorTest.test_map_buffersize`, `ExecutorTest.test_map_buffersize_on_multiple_iterables`,
/// `ExecutorTest.test_map_buffersize_on_empty_iterable`
#[test]
fn buffers_of_every_size_give_the_same() {
    let _watchdog = Watchdog::new("buffers_of_every_size_give_the_same");
    let pool = pool(2);
    for buffer in [1, 2, 4, 8, 1_000, usize::MAX] {
        let texts = pool.imap_with(|n: u32| n.to_string(), 0..4, buffer_of(buffer));
        let texts: Vec<String> = texts.map(|text| text.expect("a result")).collect();
        assert_eq!(texts, ["0", "1", "2", "3"]);
        let sums = pool.imap_with(|(a, b): (u32, u32)| a + b, (0..4).zip(0..4), buffer_of(buffer));
        assert!(sums.map(|sum| sum.expect("a result")).eq([0, 2, 4, 6]));
        assert!(pool.imap_with(square, [], buffer_of(buffer)).next().is_none());
        let mapped = pool.map_with(square, 0..100, buffer_of(buffer)).expect("all");
        assert!(mapped.into_iter().eq((0..100).map(square)));
        let unordered = pool.imap_unordered_with(square, 0..100, buffer_of(buffer));
        assert_eq!(
            unordered.map(|n| n.expect("a result")).sum::<u64>(),
            (0..100).map(square).sum()
        );
    }
}

fn hold_one((stage, n): (Shared<Stage>, usize)) -> usize {
    if n == 2 { hold((stage, n)) } else { n }
}

/// `_TestPool.test_async_timeout`
#[test]
fn a_time_limit_counts_from_the_call_and_ends_the_iteration() {
    let _watchdog = Watchdog::new("a_time_limit_counts_from_the_call_and_ends_the_iteration");
    for ordered in [true, false] {
        let (pool, stage) = (pool(3), stage());
        let items = (0..3).map(|n| (stage.clone(), n));
        recovers(&pool, 3);
        let timeout = Some(Duration::from_secs(2));
        let options = MapOptions { timeout, ..chunks_of(1) };
        let results: Vec<_> = if ordered {
            pool.imap_with(hold_one, items, options).collect()
        } else {
            pool.imap_unordered_with(hold_one, items, options).collect()
        };
        let (last, before) = results.split_last().expect("at least the error");
        assert!(matches!(last, Err(TaskError::TimedOut)), "{results:?}");
        assert!(before.iter().all(Result::is_ok) && before.len() <= 2, "{results:?}");
        stage.here[2].wait();
        pool.terminate();
        pool.join().expect("although one was running");
    }
}

/// `ThreadPoolExecutorTest.test_executor_map_current_future_cancel`
#[test]
fn what_is_not_waited_for_any_more_never_begins() {
    let _watchdog = Watchdog::new("what_is_not_waited_for_any_more_never_begins");
    for timed in [true, false] {
        let (pool, stage) = (pool(1), stage());
        let busy = held(&pool, &stage, 0);
        let count = |stage: Shared<Stage>| stage.count.fetch_add(1, SeqCst);
        let timeout = timed.then_some(Duration::ZERO);
        let items = (0..10).map(|_| stage.clone());
        let mut results = pool.imap_with(count, items, MapOptions { timeout, ..chunks_of(1) });
        if timed {
            assert!(matches!(results.next(), Some(Err(TaskError::TimedOut))));
            assert!(results.next().is_none());
        }
        drop(results);
        stage.cue[0].set();
        assert_eq!(busy.wait().expect("a result"), 0);
        recovers(&pool, 1);
        assert_eq!(stage.count.load(SeqCst), 0);
        assert!(poll_for(LONG, || pool.stats().queued == 0));
    }
}

/// `ThreadPoolExecutorTest.test_map_submits_without_iteration`
#[test]
fn items_are_worked_on_before_anybody_asks() {
    let _watchdog = Watchdog::new("items_are_worked_on_before_anybody_asks");
    let (pool, stage) = (pool(2), stage());
    stage.cue.iter().for_each(Event::set);
    let items = (0..5).map(|place| (stage.clone(), place));
    let results = pool.imap_with(hold, items, buffer_of(5));
    stage.here[..5].iter().for_each(Event::wait);
    drop(results);
    recovers(&pool, 2);
}

#[test]
fn iterations_may_be_interleaved() {
    let _watchdog = Watchdog::new("iterations_may_be_interleaved");
    let pool = pool(2);
    let mut many: Vec<_> = (0..10).map(|from| pool.imap(square, from..from + 50)).collect();
    for step in 0..50 {
        for (from, results) in (0..).zip(&mut many) {
            let n = from + step;
            assert_eq!(results.next().expect("one more").expect("a result"), n * n);
        }
        assert_eq!(pool.run(square, step).expect("a result"), step * step);
    }
    assert!(many.iter_mut().all(|results| results.next().is_none()));
}

/// Whoever has taken a result and does something else keeps nobody from theirs.
#[test]
fn between_two_results_everything_else_goes_on() {
    let _watchdog = Watchdog::new("between_two_results_everything_else_goes_on");
    let pool = pool(2);
    for ordered in [true, false] {
        let mut boxed: Box<dyn Iterator<Item = Result<u64, TaskError>>> = if ordered {
            Box::new(pool.imap_with(square, 0.., buffer_of(20)))
        } else {
            Box::new(pool.imap_unordered_with(square, 0.., buffer_of(20)))
        };
        for _ in 0..3 {
            assert!(boxed.next().expect("no end").is_ok());
            assert!(poll_for(LONG, || pool.stats().queued + pool.stats().running == 0));
            let task = pool.submit(square, 3).expect("open");
            assert!(poll_for(LONG, || task.is_done()), "it is not taken in");
            let (tell, told) = std::sync::mpsc::channel::<()>();
            pool.submit(square, 4).expect("open").on_done(move |_| drop(tell));
            assert!(
                told.recv_timeout(LONG).is_err_and(|error| {
                    error == std::sync::mpsc::RecvTimeoutError::Disconnected
                })
            );
        }
    }
}
