//! Processes that wait for each other are told, with the whole circle; nobody else is.
#![allow(missing_docs, reason = "a test")]

mod killing;

use killing::{Watchdog, poll_for, rounds};
use psync::{dump_waits, prelude::*};
use std::time::{Duration, Instant};

/// What the report of a deadlock may take; ten times that is a failure, which leaves room for a busy machine.
const REPORT: Duration = Duration::from_secs(1);

#[shared]
struct Forks {
    #[init(Mutex::new(0))]
    left: Mutex<u64>,
    #[init(Mutex::new(0))]
    right: Mutex<u64>,
    #[init(RwLock::new(0))]
    table: RwLock<u64>,
    #[init(ReentrantMutex::new(0))]
    salt: ReentrantMutex<u64>,
    #[init(Barrier::new(2))]
    ready: Barrier,
    done: Event,
}

fn forks() -> Shared<Forks> {
    Shared::new(Forks::default()).expect("shared memory")
}

/// What became of a second lock: nothing, or who waits for whom. And after how many milliseconds.
type Told = (Option<String>, u64);

fn told<G>(second: Result<G, LockError>, since: Instant) -> Told {
    let after = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    match second {
        Ok(_) => (None, after),
        Err(LockError::Deadlock(report)) => {
            assert_eq!(report.pid(), psync::current().pid());
            (Some(report.to_string()), after)
        }
        Err(error) => panic!("{error}"),
    }
}

#[process(name = "lefty")]
fn left_then_right(forks: &Forks) -> Told {
    let _left = forks.left.lock().expect("sound");
    forks.ready.wait().expect("both are here");
    let since = Instant::now();
    told(forks.right.lock(), since)
}

#[process(name = "righty")]
fn right_then_left(forks: &Forks) -> Told {
    let _right = forks.right.lock().expect("sound");
    forks.ready.wait().expect("both are here");
    let since = Instant::now();
    told(forks.left.lock(), since)
}

/// One of the two is told; the other gets its lock.
fn one_of(first: Told, second: Told) -> String {
    let [report] = [first, second]
        .map(|(report, after)| {
            assert!(u128::from(after) < 10 * REPORT.as_millis(), "after {after} ms");
            report
        })
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .try_into()
        .expect("one is told");
    report
}

#[test]
fn two_locks_in_two_orders_are_reported_to_one_of_the_two() {
    let _watchdog = Watchdog::new("two_locks_in_two_orders");
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let forks = forks();
        let options = || Options::new().start_method(method);
        let lefty = left_then_right::spawn_with(options().name("lefty"), &forks).expect("started");
        let righty =
            right_then_left::spawn_with(options().name("righty"), &forks).expect("started");
        let pids = [lefty.pid(), righty.pid()];
        let report = one_of(lefty.join().expect("ends"), righty.join().expect("ends"));
        for part in ["`lefty`", "`righty`", "Mutex<u64>", "sync_deadlock.rs:"] {
            assert!(report.contains(part), "no {part} in: {report}");
        }
        assert!(pids.iter().all(|pid| report.contains(&format!("process {pid},"))), "{report}");
        assert!(!forks.left.is_poisoned() && !forks.right.is_poisoned());
    }
}

#[test]
fn threads_of_a_process_are_told_as_well() {
    let _watchdog = Watchdog::new("threads_of_a_process");
    let forks = forks();
    let (left, right) = std::thread::scope(|scope| {
        let lefty = scope.spawn(|| left_then_right(&forks));
        let righty = scope.spawn(|| right_then_left(&forks));
        (lefty.join().expect("no panic"), righty.join().expect("no panic"))
    });
    let report = one_of(left, right);
    assert_eq!(report.matches("waits at").count(), 2, "{report}");
}

#[process]
fn needs_left(forks: &Forks) -> Option<String> {
    told(forks.left.lock(), Instant::now()).0
}

#[process]
fn needs_table(forks: &Forks) -> Option<String> {
    told(forks.table.write(), Instant::now()).0
}

#[process]
fn needs_salt(forks: &Forks) -> Option<String> {
    told(forks.salt.lock(), Instant::now()).0
}

/// A parent that holds what its child needs, and waits for the child.
#[test]
fn a_join_against_a_lock_is_reported_to_the_child() {
    let _watchdog = Watchdog::new("a_join_against_a_lock");
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let forks = forks();
        let _left = forks.left.lock().expect("free");
        let _table = forks.table.read().expect("free");
        let (_salt, _more) = (forks.salt.lock().expect("free"), forks.salt.lock().expect("ours"));
        let options = || Options::new().start_method(method);
        let child = needs_left::spawn_with(options(), &forks).expect("started");
        let report = child.join().expect("ends").expect("a deadlock");
        assert!(
            report.contains("for Mutex<u64>") && report.contains("for the end of Process<"),
            "{report}"
        );
        let child = needs_table::spawn_with(options(), &forks).expect("started");
        let report = child.join().expect("ends").expect("a deadlock");
        assert!(report.contains("to write under RwLock<u64>"), "{report}");
        let child = needs_salt::spawn_with(options(), &forks).expect("started");
        let report = child.join().expect("ends").expect("a deadlock");
        assert!(report.contains("for ReentrantMutex<u64>"), "{report}");
    }
}

#[test]
fn a_parallel_block_against_a_lock_is_reported_to_its_branch() {
    let _watchdog = Watchdog::new("a_parallel_block_against_a_lock");
    let forks = forks();
    let _left = forks.left.lock().expect("free");
    let (report, ()) = parallel! {
        needs_left(&forks),
        process(&forks) { forks.done.wait_timeout(Duration::from_millis(5)); },
    }
    .expect("both end");
    let report = report.expect("a deadlock");
    assert!(report.contains("for the end of parallel!"), "{report}");
}

#[process]
fn table_then_left(forks: &Forks) -> Told {
    let _table = forks.table.read().expect("sound");
    forks.ready.wait().expect("both are here");
    let since = Instant::now();
    told(forks.left.lock(), since)
}

#[process]
fn left_then_table(forks: &Forks) -> Told {
    let _left = forks.left.lock().expect("sound");
    forks.ready.wait().expect("both are here");
    let since = Instant::now();
    told(forks.table.write(), since)
}

#[test]
fn a_writer_that_waits_for_a_reader_that_waits_for_it_is_reported() {
    let _watchdog = Watchdog::new("a_writer_that_waits_for_a_reader");
    let forks = forks();
    let (reader, writer) =
        parallel! { table_then_left(&forks), left_then_table(&forks) }.expect("both end");
    let report = one_of(reader, writer);
    assert!(report.contains("to write under RwLock<u64>"), "{report}");
    assert!(report.contains("for Mutex<u64>"), "{report}");
}

/// With a timeout, a circle ends by itself: there is nothing to report.
#[test]
fn who_waits_for_some_time_only_is_not_told() {
    let _watchdog = Watchdog::new("who_waits_for_some_time_only");
    let forks = forks();
    let _left = forks.left.lock().expect("free");
    let child = psync::spawn(
        |forks: Shared<Forks>| {
            let _right = forks.right.lock().expect("free");
            forks.ready.wait().expect("both are here");
            forks.left.lock_timeout(Duration::from_millis(1500)).err()
        },
        forks.clone(),
    )
    .expect("started");
    forks.ready.wait().expect("both are here");
    let right = forks.right.lock().expect("when the other has given up");
    assert_eq!(child.join().expect("ends"), Some(LockError::TimedOut));
    drop(right);
}

#[process]
fn waits_for_done(forks: &Forks) {
    forks.done.wait();
}

#[test]
fn the_present_waits_can_be_seen() {
    let _watchdog = Watchdog::new("the_present_waits");
    let forks = forks();
    let left = forks.left.lock().expect("free");
    let names = Options::new().name("patient");
    let waiter = waits_for_done::spawn_with(names, &forks).expect("started");
    let needy = needs_left::spawn_with(Options::new().name("needy"), &forks).expect("started");
    let holder = format!("held up by `main` (process {}", psync::current().pid());
    let line =
        |name: &str| dump_waits().lines().find(|line| line.contains(name)).map(str::to_owned);
    let seen = poll_for(Duration::from_secs(30), || {
        let (patient, needy) = (line("`patient`"), line("`needy`"));
        patient.is_some_and(|line| line.contains("for Event") && line.contains("sync_deadlock.rs:"))
            && needy.is_some_and(|line| line.contains("for Mutex<u64>") && line.contains(&holder))
    });
    assert!(seen, "{}", dump_waits());
    drop(left);
    forks.done.set();
    waiter.join().expect("ends");
    assert_eq!(needy.join().expect("ends"), None);
    assert!(line("`patient`").is_none() && line("`needy`").is_none());
}

#[process]
fn hammers(forks: &Forks, seed: u64, deadline: Duration) -> u64 {
    let mut random = seed;
    let mut count = 0;
    let begin = Instant::now();
    while begin.elapsed() < deadline {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Always in the order left, right, table, salt; which of them differs. Long holds make others look round.
        let picks = random >> 59;
        let left = (picks & 1 != 0).then(|| forks.left.lock().expect("no deadlock"));
        let right = (picks & 2 != 0).then(|| forks.right.lock().expect("no deadlock"));
        let write = (picks & 0b1100 == 0b0100).then(|| forks.table.write().expect("no deadlock"));
        let read = (picks & 0b1100 == 0b1000).then(|| forks.table.read().expect("no deadlock"));
        let salt = (picks & 16 != 0).then(|| forks.salt.lock().expect("no deadlock"));
        if (random >> 40).trailing_zeros() >= 6 {
            forks.done.wait_timeout(Duration::from_millis(250));
        }
        count += 1;
        drop((salt, read, write, right, left));
    }
    count
}

/// Six processes with locks in one order, some of them held for longer than it takes to become suspicious, joined by a parent: nobody is told of a
/// deadlock. 20 seconds; ten minutes in a long run.
#[test]
fn nothing_else_is_called_a_deadlock() {
    let watchdog = Watchdog::new("nothing_else_is_called_a_deadlock");
    for round in 0..rounds(2) * if rounds(1) == 1 { 1 } else { 3 } {
        watchdog.step(format!("round {round}"));
        let forks = forks();
        let turns = parallel! {
            for seed in 0..6_u64 => hammers(&forks, seed * 77 + 1, Duration::from_secs(10)),
        }
        .expect("nobody fails");
        assert!(turns.iter().all(|&turns| turns > 0));
    }
}
