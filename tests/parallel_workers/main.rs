//! `parallel!` with `workers`: the items of its `for` branches share processes, and everything else stays as it is without.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::exit, reason = "processes exit")]

#[path = "../common/mod.rs"]
mod common;
mod failures;
mod log;

use common::{is_alive, watchdog};
use log::{ITEMS, Log};
use psync::prelude::*;
use std::{collections::BTreeSet, sync::atomic::Ordering::SeqCst};

/// The first two wait for each other.
#[process]
fn sign(log: &Log, item: usize) -> usize {
    log.sign(item);
    if log.here.fetch_add(1, SeqCst) == 1 {
        log.both.set();
    }
    log.both.wait();
    item * 2
}

/// Returns once this process was told to end; calls `ready` when it cannot miss that.
fn await_sigterm(ready: impl FnOnce()) {
    let mut set = std::mem::MaybeUninit::zeroed();
    // SAFETY: initialises the set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set is initialised.
    unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM) };
    // SAFETY: as above. The signal must not go to this process's other thread either.
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) };
    ready();
    let mut signal = 0;
    // SAFETY: as above.
    unsafe { libc::sigwait(set.as_ptr(), &raw mut signal) };
}

#[test]
fn a_hundred_items_run_in_two_processes() {
    let _watchdog = watchdog();
    let log = Log::new();
    let doubled = parallel! { with workers = 2; for item in 0..ITEMS => sign(&log, item) };
    assert_eq!(doubled.expect("nothing fails"), (0..ITEMS).map(|n| n * 2).collect::<Vec<_>>());
    let pids = log.pids();
    assert_eq!((pids.len(), log.signed().len()), (2, ITEMS));
    assert!(pids.iter().all(|pid| !is_alive(*pid)), "workers are left");
}

#[test]
fn one_worker_runs_all_items_of_all_branches() {
    let _watchdog = watchdog();
    let log = Log::new();
    log.both.set();
    let (a, b, own) = parallel! {
        with workers = 1, chunk = 4;
        for item in 0..10 => sign(&log, item),
        for item in 10..20 => process(&log, item) { log.sign(item); item },
        process(&log) { log.sign(20); psync::current().name().to_owned() },
    }
    .expect("nothing fails");
    assert_eq!((a.len(), b[9], own.as_str()), (10, 19, "process"));
    let (own, pids) = (log.pid(20), log.pids());
    assert_eq!(pids.len(), 2, "the branch without `for` has a process of its own");
    assert!((0..20).all(|item| log.pid(item) != own));
}

#[test]
fn there_are_no_more_workers_than_items() {
    let _watchdog = watchdog();
    // In a process that has no other children.
    let alone = psync::spawn(
        |()| {
            let mut children = 0;
            let items = (0..3_u64).inspect(|_| children = psync::active_children().len());
            let sum = parallel! { with workers = 50; for n in items => process(n) { n + 1 } };
            (sum.map(|all| all.iter().sum::<u64>()).map_err(|error| error.to_string()), children)
        },
        (),
    );
    assert_eq!(alone.expect("a start").join().expect("it ends"), (Ok(6), 3));
}

#[process]
fn scale(part: &mut [u64], factor: u64) -> u64 {
    for number in part.iter_mut() {
        *number *= factor;
    }
    part.iter().sum()
}

#[test]
fn parts_of_shared_memory_are_lent_to_workers() {
    let _watchdog = watchdog();
    let mut numbers = Shared::<[u64]>::new_with(1000, |index| index as u64).expect("memory");
    for round in 1..4_u32 {
        let data = Shared::get_mut(&mut numbers).expect("nobody else has it");
        let sums = parallel! {
            with workers = 2;
            for part in data.chunks_mut(10) => scale(&mut *part, 3)
        };
        let sums = sums.expect("nothing fails");
        assert_eq!((sums.len(), sums[1]), (100, 145 * 3_u64.pow(round)), "in place");
    }
    assert_eq!(numbers.iter().sum::<u64>(), 499_500 * 27);
}

#[process]
fn share(number: u64) -> (Shared<[u64]>, Vec<u8>) {
    let numbers = Shared::<[u64]>::new_with(3, |_| number).expect("memory");
    (numbers, vec![7; usize::try_from(number).expect("small") * 100_000])
}

#[test]
fn results_may_be_handles_and_long() {
    let _watchdog = watchdog();
    let all = parallel! { with workers = 2; for number in 0..10 => share(number) };
    for (number, (numbers, bytes)) in all.expect("nothing fails").iter().enumerate() {
        assert_eq!((&**numbers, bytes.len()), (&[number as u64; 3][..], number * 100_000));
    }
}

#[test]
fn an_item_may_run_a_parallel_of_its_own() {
    let _watchdog = watchdog();
    let sums = parallel! {
        with workers = 2;
        for n in 0..4_u64 => process(n) {
            parallel! { with workers = 2; for m in 0..3 => process(n, m) { n * m } }
                .expect("nothing fails")
                .iter()
                .sum::<u64>()
        },
    };
    assert_eq!(sums.expect("nothing fails"), [0, 3, 6, 9]);
}

#[test]
fn workers_are_called_after_the_function() {
    let _watchdog = watchdog();
    let names = parallel! { with workers = 1; for _ in 0..2 => whoami() };
    assert_eq!(names.expect("nothing fails"), ["whoami-1", "whoami-1"]);
}

#[process]
fn whoami() -> String {
    psync::current().name().to_owned()
}

#[process(start_method = StartMethod::Spawn)]
fn spawned() -> (i32, Option<String>) {
    (psync::current().pid(), psync::current().start_method().map(|method| format!("{method:?}")))
}

#[process(daemon)]
fn daemon() -> (i32, bool) {
    (psync::current().pid(), psync::current().is_daemon())
}

/// Workers are started as the first item wants it; who wants it otherwise has a process of its own.
#[test]
fn every_item_is_started_as_its_function_says() {
    let _watchdog = watchdog();
    let (spawned, others) = parallel! {
        with workers = 1;
        for _ in 0..3 => spawned(),
        for _ in 0..3 => process() { format!("{:?}", psync::current().start_method()) },
    }
    .expect("nothing fails");
    assert!(
        spawned.iter().all(|(pid, how)| *pid == spawned[0].0 && *how == Some("Spawn".to_owned()))
    );
    assert_eq!(others, ["Some(ForkServer)"; 3]);
    let daemons = parallel! { with workers = 1; for _ in 0..2 => daemon() };
    let [(one, true), (two, true)] = daemons.expect("nothing fails")[..] else {
        panic!("no daemons")
    };
    assert_ne!(one, two);
    let pids = parallel! {
        with workers = 1, start_method = StartMethod::Spawn;
        for _ in 0..2 => process() { psync::current().pid() },
    }
    .expect("nothing fails");
    assert_eq!(pids[0], pids[1]);
}

/// A forked worker would have whatever this process has by the time at which it is replaced, so there are none.
#[test]
fn forked_items_have_processes_of_their_own() {
    let _watchdog = watchdog();
    // In a process of one thread.
    let forks = psync::spawn(
        |()| {
            let pids = parallel! {
                with workers = 2, start_method = StartMethod::Fork;
                for _ in 0..5 => process() { psync::current().pid() },
            };
            pids.map(|pids| pids.into_iter().collect::<BTreeSet<_>>().len())
                .map_err(|error| error.to_string())
        },
        (),
    );
    assert_eq!(forks.expect("a start").join().expect("it ends"), Ok(5));
}

#[process(start_method = StartMethod::Fork)]
fn forked(log: &Log, item: usize) -> i32 {
    log.sign(item);
    psync::current().pid()
}

#[test]
fn forked_branches_and_workers_go_together() {
    let _watchdog = watchdog();
    let together = psync::spawn(
        |log: Shared<Log>| {
            log.both.set();
            let all = parallel! {
                with workers = 2;
                for item in 0..10 => sign(&log, item),
                for item in 10..13 => forked(&log, item),
                forked(&log, 13),
            };
            all.map(|(a, b, _)| (a.len(), b.len())).map_err(|error| error.to_string())
        },
        Log::new(),
    );
    assert_eq!(together.expect("a start").join().expect("it ends"), Ok((10, 3)));
}

#[test]
fn workers_end_as_processes_do() {
    let _watchdog = watchdog();
    let log = Log::new();
    parallel! {
        with workers = 1;
        for item in 0..2 => process(log, item) {
            log.sign(item);
            psync::Finalizer::new(Some(0), move || log.bell.set()).leave();
        },
    }
    .expect("nothing fails");
    assert!(log.bell.is_set(), "its finalizers have run");
}
