//! A worker of a pool is killed at every point that it passes: nothing is lost, nothing is done twice but what it was doing, and nobody waits for ever.

use psync::{
    Pool, Shared,
    pool::{MapOptions, PoolStats, TaskError},
};
use psync_runtime::sync::testing::{Watchdog, faults, watchdog};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU32, Ordering},
};

const ITEMS: u32 = 40;

/// How often each item was begun, and how many workers were told to die.
type Begun = Shared<[AtomicU32]>;

/// The point and the turn at which the first worker that comes dies; no point for one that only notes what it passes.
type Plan = (Begun, String, u32);

fn prepare((begun, point, turn): Plan) {
    if begun[ITEMS as usize].fetch_add(1, Ordering::Relaxed) > 0 {
        return;
    }
    if point.is_empty() {
        faults::record();
    } else {
        faults::die_at(&point, turn);
    }
}

fn square((begun, n): (Begun, u32)) -> Vec<u32> {
    begun[n as usize].fetch_add(1, Ordering::Relaxed);
    // Some results are too long for the buffer.
    vec![n * n; if n % 16 == 9 { 20_000 } else { 1 }]
}

fn plain(n: u32) -> u32 {
    n + 1
}

/// What a worker has passed.
fn hits(_: ()) -> Vec<String> {
    faults::disarm().into_iter().map(|hit| hit.name.to_owned()).collect()
}

fn pool(plan: &Plan, workers: usize, retries: u32) -> Pool {
    let builder = Pool::builder().workers(workers).retries(retries);
    builder.initializer(prepare, plan.clone()).build().expect("a pool")
}

fn begun() -> Begun {
    Shared::<[AtomicU32]>::zeroed(ITEMS as usize + 1).expect("memory")
}

/// What came out of the squares, and of the sums.
type Outcomes = (Vec<Result<Vec<u32>, TaskError>>, Vec<Result<u32, TaskError>>);

/// The same work each time: batches of several tasks and of single ones, with handles and without, and long results.
fn work(pool: &Pool, begun: &Begun) -> Outcomes {
    let options = MapOptions { chunk: Some(5), ..MapOptions::default() };
    let plain = pool.imap_with(plain, 0..ITEMS, options).collect();
    let items: Vec<_> = (0..ITEMS).map(|n| (begun.clone(), n)).collect();
    (pool.imap(square, items).collect(), plain)
}

/// How often a worker that does all the work passes each point.
fn rehearse() -> BTreeMap<String, u32> {
    let begun = begun();
    let pool = pool(&(begun.clone(), String::new(), 0), 1, 0);
    let (squares, sums) = work(&pool, &begun);
    assert!(squares.iter().all(Result::is_ok) && sums.iter().all(Result::is_ok));
    let mut points = BTreeMap::new();
    for name in pool.run(hits, ()).expect("it lives") {
        *points.entry(name).or_default() += 1;
    }
    points
}

/// One death. Whether the worker has come there: what it gets to do is not the same each time.
fn play(point: &str, turn: u32, retries: u32, watchdog: &Watchdog) -> bool {
    let _ = watchdog;
    let begun = begun();
    let pool = pool(&(begun.clone(), point.to_owned(), turn), 2, retries);
    let (squares, sums) = work(&pool, &begun);
    let cell = format!("{point}, turn {turn}, {retries} retries");
    let lost = |error: &TaskError| matches!(error, TaskError::WorkerLost { cause, .. } if cause.signal() == Some(9));
    let mut losses = 0;
    for (n, result) in (0..).zip(&sums) {
        match result {
            Ok(sum) => assert_eq!(*sum, n + 1, "{cell}"),
            Err(error) => {
                assert!(lost(error), "{cell}: {error}");
                losses += 1;
            }
        }
    }
    let mut twice = 0;
    for (n, result) in (0..).zip(&squares) {
        let times = begun[n as usize].load(Ordering::Relaxed);
        match result {
            Ok(square) => {
                assert!(square.iter().all(|value| *value == n * n), "{cell}: torn");
                assert!((1..=1 + retries).contains(&times), "{cell}: item {n} ran {times} times");
                twice += times - 1;
            }
            Err(error) => {
                assert!(lost(error) && times <= 1, "{cell}: {error}, ran {times} times");
                losses += 1;
            }
        }
    }
    // It may die only now, or when there is nothing to do.
    loop {
        match pool.map(plain, 0..100) {
            Ok(sums) => {
                assert!(sums.iter().zip(1..).all(|(a, b)| *a == b), "{cell}");
                break;
            }
            Err(error) => {
                assert!(lost(&error), "{cell}: {error}");
                losses += 1;
            }
        }
    }
    assert!(losses <= u32::from(retries == 0), "{cell}: {losses} are lost");
    assert!(twice <= 1, "{cell}: {twice} were done twice");
    let is_at_rest =
        |stats: &PoolStats| (stats.queued, stats.running, stats.workers.len()) == (0, 0, 2);
    while !is_at_rest(&pool.stats()) {
        std::thread::yield_now();
    }
    let lost_workers = pool.stats().lost_workers;
    pool.join().expect("it is whole");
    lost_workers > 0
}

/// The points that the sources of the pool name.
fn named() -> BTreeSet<String> {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../../psync-runtime/src/pool");
    let files = std::fs::read_dir(sources).expect("the sources");
    let text: String =
        files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok()).collect();
    let names = text.split("fault::point(\"").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(str::to_owned).collect()
}

#[test]
fn a_worker_dies_at_every_point() {
    let points = rehearse();
    let passed: BTreeSet<String> = points.keys().cloned().collect();
    let missed: Vec<_> = named().difference(&passed).cloned().collect();
    assert!(missed.is_empty(), "nobody passes {missed:?}");
    let (mut cells, mut deaths) = (0, 0);
    for (point, count) in &points {
        let mut turns = vec![1, 2, 3, count / 2];
        turns.retain(|turn| (1..=*count).contains(turn));
        turns.dedup();
        for turn in turns {
            for retries in [0, 1] {
                let watchdog = watchdog("a_worker_dies_at_every_point");
                cells += 1;
                deaths += u32::from(play(point, turn, retries, &watchdog));
            }
        }
    }
    println!("{} points, {cells} cells, {deaths} deaths", points.len());
    assert!(deaths * 2 > cells, "most cells kill: {deaths} of {cells}");
}
