//! The ends of what can be asked for: values of all kinds, limits that are endless or none at all, and names of any length.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod pooling;

use killing::{Watchdog, poll_for};
use pooling::{LONG, held, pool, recovers, square, stage};
use psync::{
    pool::{MapOptions, ReturnWhen, TaskError, as_completed, wait_tasks},
    prelude::*,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

fn same<T: Serialize + DeserializeOwned + Send + PartialEq + Debug + Clone + 'static>(
    pool: &Pool,
    values: &[T],
) {
    let identity = |value: T| value;
    assert_eq!(pool.map(identity, values.iter().cloned()).expect("all"), values);
    for value in values {
        assert_eq!(pool.run(identity, value.clone()).expect("a result"), *value);
    }
    let lazy = pool.imap(identity, values.iter().cloned().cycle().take(1_000));
    assert!(
        lazy.map(|value| value.expect("a result")).eq(values.iter().cloned().cycle().take(1_000))
    );
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
    Path { corners: Vec<(i16, u128)>, closed: bool },
}

#[test]
fn values_of_all_kinds_stay_what_they_are() {
    let _watchdog = Watchdog::new("values_of_all_kinds_stay_what_they_are");
    let pool = pool(2);
    same(&pool, &[()]);
    same(&pool, &[false, true]);
    same(&pool, &[0, 1, u8::MAX]);
    same(&pool, &[i128::MIN, -1, i128::MAX]);
    same(&pool, &[0.0, -0.0, f64::MIN_POSITIVE, f64::INFINITY]);
    same(&pool, &['a', 'ß', '\u{10ffff}', '\0']);
    same(&pool, &[[1_u16, 2, 3], [u16::MAX; 3]]);
    same(&pool, &[(1_u8, 2_u64, 'c'), (255, u64::MAX, '\0')]);
    same(&pool, &[String::new(), "x".repeat(100_000)]);
    same(&pool, &[None, Some(Some(3)), Some(None)]);
    same(&pool, &[Ok(1), Err("no".to_owned())]);
    same(&pool, &[vec![vec![1_u64; 3]; 500], Vec::new()]);
    same(&pool, &[BTreeMap::from([("a".to_owned(), 1)]), BTreeMap::new()]);
    same(&pool, &[HashMap::from([(1, 'a'), (2, 'b')])]);
    same(&pool, &[Box::new(Shape::Point), Box::new(Shape::Circle(0.5))]);
    let corners = vec![(-1, u128::MAX), (3, 4)];
    same(&pool, &[Shape::Path { corners, closed: true }, Shape::Point]);
    same(&pool, &[Duration::MAX, Duration::ZERO]);
    let nan = pool.run(|value: f64| value, f64::NAN).expect("a result");
    assert!(nan.is_nan());
}

#[test]
fn values_without_a_size_are_counted() {
    let _watchdog = Watchdog::new("values_without_a_size_are_counted");
    let pool = pool(2);
    assert_eq!(pool.map(|()| (), vec![(); 100_000]).expect("all").len(), 100_000);
    assert_eq!(pool.imap_unordered(|()| (), vec![(); 10_000]).flatten().count(), 10_000);
    assert!(pool.run(|()| (), ()).is_ok());
}

#[test]
fn limits_may_be_endless() {
    let _watchdog = Watchdog::new("limits_may_be_endless");
    let builder = Pool::builder().workers(2).task_timeout(Duration::MAX).retries(u32::MAX);
    let pool = builder.max_memory(u64::MAX).max_tasks_per_worker(usize::MAX).build();
    let pool = pool.expect("a pool");
    let endless = MapOptions { timeout: Some(Duration::MAX), ..MapOptions::default() };
    assert_eq!(pool.map_with(square, 0..3, endless.clone()), Ok(vec![0, 1, 4]));
    assert_eq!(pool.imap_with(square, 0..3, endless).count(), 3);
    let submit = |n| pool.submit(square, n).expect("open");
    assert_eq!(submit(3).wait_timeout(Duration::MAX), Some(Ok(9)));
    let (finished, others) =
        wait_tasks((0..3).map(submit).collect(), ReturnWhen::All, Some(Duration::MAX));
    assert_eq!((finished.len(), others.len()), (3, 0));
    let completed = as_completed((0..3).map(submit).collect()).timeout(Duration::MAX);
    let squares = completed.map(|task| task.expect("in time").wait().expect("a result"));
    assert_eq!(squares.sum::<u64>(), 5);
    recovers(&pool, 2);
}

#[test]
fn limits_may_be_none_at_all() {
    let _watchdog = Watchdog::new("limits_may_be_none_at_all");
    let (pool, stage) = (pool(1), stage());
    let busy = held(&pool, &stage, 0);
    let none = MapOptions { timeout: Some(Duration::ZERO), ..MapOptions::default() };
    assert_eq!(pool.map_with(square, 0..3, none.clone()), Err(TaskError::TimedOut));
    assert_eq!(pool.imap_with(square, 0..3, none.clone()).next(), Some(Err(TaskError::TimedOut)));
    assert_eq!(pool.map_with(square, [], none), Ok(Vec::new()), "nothing takes no time");
    assert_eq!(pool.submit(square, 1).expect("open").wait_timeout(Duration::ZERO), None);
    stage.cue[0].set();
    assert_eq!(busy.wait(), Ok(0));
    recovers(&pool, 1);
}

/// A worker that cannot even begin is not started again and again.
#[test]
fn a_pool_whose_workers_cannot_begin_is_broken() {
    let _watchdog = Watchdog::new("a_pool_whose_workers_cannot_begin_is_broken");
    let pool = Pool::builder().workers(2).max_memory(0).build().expect("a pool");
    // Not left out by an optimiser.
    let fill = |len: usize| std::hint::black_box(vec![1_u8; len]).len();
    let result = pool.run(fill, 64 << 20);
    assert!(
        matches!(result, Err(TaskError::Initializer(_) | TaskError::WorkerLost { .. })),
        "{result:?}"
    );
    assert!(pool.stats().started_workers < 100, "{:?}", pool.stats());
}

#[test]
fn names_may_be_of_any_kind() {
    let _watchdog = Watchdog::new("names_may_be_of_any_kind");
    for name in ["", "ß", &"long ".repeat(100), "with\nlines", "with\0zero"] {
        let pool = Pool::builder().workers(1).name(name).build().expect("a pool");
        assert_eq!(pool.workers()[0].name, format!("{name}-1"));
        let named = pool.run(|()| psync::current().name().to_owned(), ()).expect("a name");
        assert!(
            named.starts_with(name) || name.starts_with(&named) || name.contains('\0'),
            "{named}"
        );
        recovers(&pool, 1);
    }
}

#[test]
fn a_pool_may_do_nothing_for_a_while() {
    let _watchdog = Watchdog::new("a_pool_may_do_nothing_for_a_while");
    let pool = pool(2);
    recovers(&pool, 2);
    let ticks = || {
        let stats = pool.workers().into_iter().map(|worker| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", worker.pid));
            let stat = stat.unwrap_or_default();
            let fields: Vec<&str> =
                stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
            let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
            number(12).zip(number(13)).map_or(0, |(user, system)| user + system)
        });
        stats.collect::<Vec<u64>>()
    };
    let before = ticks();
    std::thread::park_timeout(Duration::from_millis(500));
    assert_eq!(ticks().len(), before.len());
    let spent: u64 = ticks().iter().zip(&before).map(|(now, before)| now - before).sum();
    assert!(spent <= 5, "{spent} hundredths of a second for nothing");
    assert!(poll_for(LONG, || pool.run(square, 2) == Ok(4)));
}

/// As in Python: whoever looks while workers are replaced sees as many as there should be.
#[test]
fn no_seat_is_seen_empty() {
    let _watchdog = Watchdog::new("no_seat_is_seen_empty");
    let pool = Pool::builder().workers(2).max_tasks_per_worker(1).build().expect("a pool");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                let seen = pool.workers();
                assert_eq!(seen.len(), 2, "{seen:?}");
            }
        });
        for n in 0..100 {
            assert_eq!(pool.run(square, n), Ok(square(n)));
            assert_eq!(pool.workers().len(), 2);
        }
        is_over.store(true, SeqCst);
    });
}
