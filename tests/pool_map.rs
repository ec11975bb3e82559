//! `map`: the results of all items in the order of the items, or the first error, when nothing runs any more.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod pooling;

use killing::{Watchdog, poll_for};
use pooling::{
    LONG, Place, Stage, hold, hold_and_panic, panic_of, pids, pool, recovers, square, stage,
};
use psync::{
    pool::{MapOptions, TaskError},
    prelude::*,
};
use serde::{Deserialize, Serialize, Serializer};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering::SeqCst,
    time::Duration,
};

fn chunks_of(chunk: usize) -> MapOptions {
    MapOptions { chunk: Some(chunk), ..MapOptions::default() }
}

/// `_TestPool.test_map`, `_TestPool.test_map_async`
#[test]
fn results_are_in_the_order_of_the_items() {
    let _watchdog = Watchdog::new("results_are_in_the_order_of_the_items");
    let pool = pool(3);
    for count in [1, 10, 100, 5_000] {
        let squares: Vec<u64> = (0..count).map(square).collect();
        assert_eq!(pool.map(square, 0..count).expect("all"), squares);
        for chunk in [1, 3, 20, 10_000] {
            let mapped = pool.map_with(square, 0..count, chunks_of(chunk)).expect("all");
            assert_eq!(mapped, squares, "chunks of {chunk}");
        }
    }
    let words = pool.map(|word: String| word.to_uppercase(), ["a", "b"].map(str::to_owned));
    assert_eq!(words.expect("all"), ["A", "B"]);
}

/// `_TestPool.test_starmap`, `_TestPool.test_starmap_async`
#[test]
fn several_arguments_are_a_tuple() {
    let _watchdog = Watchdog::new("several_arguments_are_a_tuple");
    let pool = pool(4);
    let times = |(a, b): (u64, u64)| a * b;
    let pairs = |count: u64| (0..count).zip((0..count).rev());
    for (count, options) in [(10, MapOptions::default()), (100, chunks_of(20))] {
        let products = pool.map_with(times, pairs(count), options).expect("all");
        assert!(products.into_iter().eq(pairs(count).map(times)));
    }
}

/// `ProcessPoolExecutorTest.test_map_chunksize`, `ExecutorTest.test_map`
#[test]
fn chunks_of_every_size_give_the_same() {
    let _watchdog = Watchdog::new("chunks_of_every_size_give_the_same");
    let pool = pool(3);
    let power = |(base, power): (u64, u32)| base.wrapping_pow(power);
    let pairs = || (0..40).zip(0..40);
    let expected: Vec<u64> = pairs().map(power).collect();
    for chunk in [1, 3, 6, 39, 40, 41, 50, usize::MAX] {
        assert_eq!(pool.map_with(power, pairs(), chunks_of(chunk)).expect("all"), expected);
    }
}

#[test]
fn chunks_and_buffers_of_nothing_are_refused() {
    let _watchdog = Watchdog::new("chunks_and_buffers_of_nothing_are_refused");
    let pool = pool(2);
    let none = MapOptions { buffer: Some(0), ..MapOptions::default() };
    for (options, word) in [(chunks_of(0), "chunk"), (none, "buffer")] {
        let mut pulled = 0;
        let items = (0..5).inspect(|_| pulled += 1);
        let result = pool.map_with(square, items, options);
        assert!(matches!(&result, Err(TaskError::Input(why)) if why.contains(word)), "{result:?}");
        assert_eq!(pulled, 0, "nothing is taken");
    }
    recovers(&pool, 2);
}

/// `_TestPool.test_map_chunksize`, `_TestPool.test_empty_iterable`
#[test]
fn nothing_gives_nothing_at_once() {
    let _watchdog = Watchdog::new("nothing_gives_nothing_at_once");
    let (pool, stage) = (pool(1), stage());
    let busy = pooling::held(&pool, &stage, 0);
    assert!(pool.map(square, []).expect("no items").is_empty());
    let brief = MapOptions { timeout: Some(Duration::from_millis(100)), ..chunks_of(1) };
    assert!(pool.map_with(square, [], brief).expect("no items").is_empty());
    assert_eq!(pool.imap(square, []).count(), 0);
    assert_eq!(pool.imap_unordered(square, []).count(), 0);
    stage.cue[0].set();
    assert_eq!(busy.wait().expect("a result"), 0);
}

#[derive(Debug, Deserialize)]
struct Secret(u32);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("secrets stay here"))
    }
}

/// `_TestPool.test_map_unplicklable`
#[test]
fn items_that_cannot_be_encoded_are_an_error() {
    let _watchdog = Watchdog::new("items_that_cannot_be_encoded_are_an_error");
    let pool = pool(2);
    let open = |secret: Secret| secret.0;
    for _ in 0..2 {
        let result = pool.map(open, (0..10).map(Secret));
        assert!(matches!(result, Err(TaskError::Encode)), "{result:?}");
        let each: Vec<_> = pool.imap(open, (0..10).map(Secret)).collect();
        assert_eq!(each.len(), 10);
        assert!(each.iter().all(|one| matches!(one, Err(TaskError::Encode))), "{each:?}");
    }
    recovers(&pool, 2);
}

/// An iterator that panics instead of giving its item number `at`.
fn failing_at(at: u64, count: u64) -> impl Iterator<Item = u64> {
    (0..count).inspect(move |n| assert!(*n != at, "no item {n}"))
}

/// `_TestPool.test_map_handle_iterable_exception`
#[test]
fn a_panic_of_the_input_is_raised_again() {
    let _watchdog = Watchdog::new("a_panic_of_the_input_is_raised_again");
    let pool = pool(2);
    for at in [0, 3, 500] {
        for chunk in [None, Some(1), Some(4)] {
            let options = MapOptions { chunk, ..MapOptions::default() };
            let map = || pool.map_with(square, failing_at(at, 1_000), options);
            let panic = catch_unwind(AssertUnwindSafe(map)).expect_err("a panic");
            let message = panic.downcast_ref::<String>().expect("the message as it was");
            assert_eq!(*message, format!("no item {at}"));
        }
    }
    recovers(&pool, 2);
}

fn fail_with_much((stage, place): Place) -> u64 {
    hold((stage, place));
    panic!("{place}{}", "!".repeat(1 << 20));
}

/// `_TestPool.test_map_no_failfast`
#[test]
fn an_error_comes_when_nothing_runs_any_more() {
    let _watchdog = Watchdog::new("an_error_comes_when_nothing_runs_any_more");
    let (pool, stage) = (pool(2), stage());
    std::thread::scope(|scope| {
        let items = (0..2).map(|place| (stage.clone(), place));
        let map = scope.spawn(|| pool.map_with(fail_with_much, items, chunks_of(1)));
        stage.here[..2].iter().for_each(Event::wait);
        stage.cue[1].set();
        assert!(poll_for(LONG, || pool.stats().running == 1), "{:?}", pool.stats());
        assert!(!map.is_finished(), "it has left one that runs");
        stage.cue[0].set();
        let result = map.join().expect("no panic");
        let message = panic_of(&result).expect("a panic").to_owned();
        assert_eq!((&message[..2], message.len()), ("0!", 1 + (1 << 20)), "the first in order");
    });
    pool.close();
    pool.join().expect("ends");
}

#[test]
fn what_has_not_begun_when_an_item_fails_never_does() {
    let _watchdog = Watchdog::new("what_has_not_begun_when_an_item_fails_never_does");
    let (pool, stage) = (pool(1), stage());
    let count = |(stage, n): (Shared<Stage>, u64)| -> u64 {
        stage.count.fetch_add(1, SeqCst);
        assert!(n != 5, "not {n}");
        n
    };
    let items = (0..10_000).map(|n| (stage.clone(), n));
    let result = pool.map_with(count, items, chunks_of(1));
    assert_eq!(panic_of(&result), Some("not 5"), "{result:?}");
    let begun = stage.count.load(SeqCst);
    assert!((6..10_000).contains(&begun), "{begun} have begun");
    recovers(&pool, 1);
    assert_eq!(stage.count.load(SeqCst), begun, "one has begun afterwards");
}

/// `ExecutorTest.test_map_timeout`
#[test]
fn a_map_that_takes_too_long_is_ended() {
    let _watchdog = Watchdog::new("a_map_that_takes_too_long_is_ended");
    let (pool, stage) = (pool(2), stage());
    recovers(&pool, 2);
    let before = pids(&pool);
    stage.cue[..2].iter().for_each(Event::set);
    let items = (0..5).map(|place| (stage.clone(), place));
    let brief = MapOptions { timeout: Some(Duration::from_secs(2)), ..chunks_of(1) };
    let result = pool.map_with(hold, items, brief);
    assert!(matches!(result, Err(TaskError::TimedOut)), "{result:?}");
    assert!(stage.here[2].is_set() && stage.here[3].is_set(), "two were running");
    assert!(!stage.here[4].is_set(), "what has not begun is cancelled");
    recovers(&pool, 2);
    assert!(!stage.here[4].is_set());
    assert!(pids(&pool).is_disjoint(&before), "what ran has been killed");
}

#[test]
fn a_map_in_time_is_whole() {
    let _watchdog = Watchdog::new("a_map_in_time_is_whole");
    let pool = pool(2);
    let options = MapOptions { timeout: Some(LONG), progress: true, ..MapOptions::default() };
    assert_eq!(pool.map_with(square, 0..4, options).expect("in time"), [0, 1, 4, 9]);
}

#[test]
fn the_error_of_the_lowest_item_is_told() {
    let _watchdog = Watchdog::new("the_error_of_the_lowest_item_is_told");
    let (pool, stage) = (pool(3), stage());
    std::thread::scope(|scope| {
        let items = (0..3).map(|place| (stage.clone(), place));
        let map = scope.spawn(|| pool.map_with(hold_and_panic, items, chunks_of(1)));
        stage.here[..3].iter().for_each(Event::wait);
        for place in (0..3).rev() {
            stage.cue[place].set();
            assert!(poll_for(LONG, || pool.stats().running <= place));
        }
        let result = map.join().expect("no panic");
        assert_eq!(panic_of(&result), Some("from place 0"));
    });
}

/// A number that can be encoded if it is even.
#[derive(Debug, Deserialize)]
struct Even(u64);

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 2 == 1 {
            return Err(serde::ser::Error::custom("odd"));
        }
        self.0.serialize(serializer)
    }
}

#[test]
fn an_input_may_close_or_end_the_pool() {
    let watchdog = Watchdog::new("an_input_may_close_or_end_the_pool");
    for (at, terminates) in [(0, false), (7, false), (8, false), (7, true), (8, true), (500, true)]
    {
        for chunk in [None, Some(1), Some(10)] {
            watchdog.step(format!("at item {at}, chunks of {chunk:?}, terminates: {terminates}"));
            let pool = pool(2);
            // Up to there all are even.
            let items = || {
                (0..1_000).map(|n| match n {
                    n if n < at => Even(2 * n),
                    n => {
                        if terminates {
                            pool.terminate();
                        } else {
                            pool.close();
                        }
                        Even(n)
                    }
                })
            };
            let take = |Even(n)| n;
            let options = MapOptions { chunk, ..MapOptions::default() };
            let result = pool.map_with(take, items(), options.clone());
            assert!(matches!(result, Err(TaskError::Closed | TaskError::Encode)), "{result:?}");
            let rest: Vec<_> = pool.imap_with(take, items(), options).collect();
            assert!(rest.iter().all(Result::is_err), "{rest:?}");
            pool.join().expect("ends");
        }
    }
}
