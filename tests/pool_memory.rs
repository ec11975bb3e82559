//! Memory that does not grow with the number of items, neither here nor in the workers.
//!
//! A million items, or ten with `PSYNC_LONG=1`. Nothing else is tested in this program, since it is its memory that is looked at.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod pooling;

use killing::{Watchdog, rounds};
use pooling::{hold, pids, pool, square, stage};
use psync::{
    pool::{ReturnWhen, wait_tasks},
    prelude::*,
};
use std::{
    fs,
    sync::{Mutex as StdMutex, PoisonError},
    time::Duration,
};

/// What a process has in memory of its own, in KiB.
fn memory(pid: i32) -> [u64; 2] {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    [line("VmRSS:"), line("VmData:")]
}

/// From which tenth of the items on memory is compared.
const SETTLED: usize = 2;

/// The most that memory may grow from there to the last tenth, in KiB. With a million items, one word that was kept of each would be more.
const GROWTH: u64 = 6 << 10;

/// Each measures the memory of the whole program.
static ALONE: StdMutex<()> = StdMutex::new(());

/// Takes results of many items, and looks at the memory at every tenth of them.
fn stays_flat(name: &'static str, count: usize, mut next: impl FnMut() -> u64, pool: &Pool) {
    let watchdog = Watchdog::new(name);
    let mut seen: Vec<(i32, [u64; 2])> = Vec::new();
    for tenth in 1..=10 {
        let mut sum = 0_u64;
        for part in 0..100 {
            watchdog.step(format!("{part} hundredths of tenth {tenth}"));
            (0..count / 1_000).for_each(|_| sum = sum.wrapping_add(next()));
        }
        assert_ne!(sum, 0);
        for pid in pids(pool).into_iter().chain([killing::own_pid()]) {
            let now = memory(pid);
            match seen.iter().find(|(first, _)| *first == pid) {
                // By then batches are as long as they get, and so is what is taken ahead.
                None if tenth < SETTLED => {}
                None => seen.push((pid, now)),
                Some((_, first)) => {
                    for (kind, (now, first)) in
                        ["VmRSS", "VmData"].iter().zip(now.iter().zip(first))
                    {
                        assert!(
                            *now <= first + GROWTH,
                            "{kind} of {pid} was {first} KiB and is {now} KiB after {tenth} tenths"
                        );
                    }
                }
            }
        }
        println!("{tenth}: {:?}", memory(killing::own_pid()));
    }
    assert_eq!(seen.len(), pids(pool).len() + 1, "the same workers all the time");
}

#[test]
fn memory_stays_flat_over_a_million_items() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = pool(2);
    let mut squares = pool.imap(|n: u64| n.wrapping_mul(n), 1..);
    let mut expected = 0_u64;
    let next = || {
        expected += 1;
        let squared = squares.next().expect("no end").expect("a result");
        assert_eq!(squared, expected.wrapping_mul(expected));
        squared
    };
    stays_flat("memory_stays_flat_over_a_million_items", rounds(1_000_000), next, &pool);
}

#[test]
fn memory_stays_flat_over_many_tasks() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = pool(2);
    let mut unordered = pool.imap_unordered(|n: u64| vec![n; 4], 1..);
    let mut turn = 0_u64;
    let next = || {
        turn += 1;
        match turn % 10 {
            0 => pool.run(square, turn % 1_000).expect("a result"),
            _ => unordered.next().expect("no end").expect("a result")[3],
        }
    };
    stays_flat("memory_stays_flat_over_many_tasks", rounds(100_000), next, &pool);
}

/// What is left of a wait that was over goes with the next one.
#[test]
fn waiting_again_and_again_piles_nothing_up() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("waiting_again_and_again_piles_nothing_up");
    let (pool, stage) = (pool(1), stage());
    let mut others: Vec<_> =
        (0..50).map(|_| pool.submit(hold, (stage.clone(), 0)).expect("open")).collect();
    stage.here[0].wait();
    let mut first = 0;
    for round in 0..10 {
        watchdog.step(format!("round {round}"));
        for _ in 0..2_000 {
            let (finished, rest) = wait_tasks(others, ReturnWhen::First, Some(Duration::ZERO));
            assert!(finished.is_empty());
            others = rest;
        }
        let now = memory(killing::own_pid())[0];
        assert!(first == 0 || now <= first + GROWTH, "from {first} to {now} KiB");
        first = if first == 0 { now } else { first };
    }
    stage.cue[0].set();
    assert_eq!(wait_tasks(others, ReturnWhen::All, None).0.len(), 50);
}
