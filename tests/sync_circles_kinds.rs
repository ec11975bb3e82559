//! Circles through everything that one can wait for: joins of all forms, conditions, readers, arrays, values, guarded fields, onces, declared locks.
#![allow(missing_docs, reason = "a test")]

mod circles;
mod killing;

use circles::{Outcome, only_report, outcome};
use killing::{HANG, Watchdog, poll_for};
use psync::{ArrayGuard, dump_waits, prelude::*};
use std::time::{Duration, Instant};

#[shared]
struct Desk {
    #[init(Mutex::new(0))]
    left: Mutex<u64>,
    #[init(Mutex::new(0))]
    right: Mutex<u64>,
    #[init([const { RwLock::new(0) }; 6])]
    others: [RwLock<u64>; 6],
    #[init(RwLock::new(0))]
    table: RwLock<u64>,
    #[init(Value::new(0))]
    price: Value<u64>,
    #[init(Value::new(0))]
    amount: Value<u64>,
    pen: Lock,
    #[guarded_by(pen)]
    ink: u64,
    first: Once<u64>,
    second: Once<u64>,
    changed: Condvar,
    #[init(Barrier::new(2))]
    both: Barrier,
    here: Event,
    done: Event,
    #[init(Value::new(0))]
    reading: Value<u32>,
}

fn desk() -> Shared<Desk> {
    Shared::new(Desk::default()).expect("shared memory")
}

#[process(daemon)]
fn needs_left(desk: &Desk) -> Outcome {
    let outcome = outcome(desk.left.lock(), Instant::now());
    desk.done.set();
    outcome
}

/// The report that a process gets whose starter holds what it needs, and waits for it.
fn told_to_child(outcome: &Outcome, way: &str) {
    let report = only_report(core::slice::from_ref(outcome));
    assert!(report.contains(way) && report.contains("for Mutex<u64>"), "{report}");
}

#[test]
fn every_way_to_wait_for_a_process_counts() {
    let watchdog = Watchdog::new("every_way_to_wait_for_a_process");
    watchdog.step("wait");
    let desk = desk();
    let _left = desk.left.lock().expect("free");
    let process = needs_left::spawn(&desk).expect("started");
    process.wait();
    told_to_child(&process.join().expect("ends"), "for the end of Process<");
    watchdog.step("run");
    let outcome = needs_left::run(&desk);
    let place = format!("sync_circles_kinds.rs:{}:", line!() - 1);
    told_to_child(outcome.as_ref().expect("ends"), "for the end of Process<");
    assert!(outcome.expect("ends").report().is_some_and(|report| report.contains(&place)));
    watchdog.step("the end of a scope");
    let process = psync::scope(|scope| needs_left::spawn_in(scope, &desk).expect("started"));
    told_to_child(&process.join().expect("ends"), "for the end of scope");
    watchdog.step("a join in a scope");
    let outcome = psync::scope(|scope| needs_left::spawn_in(scope, &desk).expect("started").join());
    told_to_child(&outcome.expect("ends"), "for the end of Process<");
    watchdog.step("parallel!");
    let outcome = parallel! { needs_left(&desk) };
    told_to_child(&outcome.expect("ends"), "for the end of parallel!");
}

/// Until everything is done.
#[process]
fn stays(desk: &Desk, busy: bool) {
    while busy && !desk.done.is_set() {
        std::thread::yield_now();
    }
    desk.done.wait();
}

/// Only a process with one thread forks itself.
#[process]
fn waits_for_a_fork(desk: Shared<Desk>) -> [Outcome; 2] {
    let _left = desk.left.lock().expect("free");
    let fork = Options::new().start_method(StartMethod::Fork);
    let joined = needs_left::spawn_with(fork, &desk).expect("one thread").join();
    let in_a_block = parallel! { with start_method = StartMethod::Fork; needs_left(&desk) };
    [joined.expect("ends"), in_a_block.expect("ends")]
}

#[test]
fn forked_processes_are_waited_for_as_well() {
    let _watchdog = Watchdog::new("forked_processes_are_waited_for");
    let [joined, in_a_block] = waits_for_a_fork::run(desk()).expect("ends");
    told_to_child(&joined, "for the end of Process<");
    told_to_child(&in_a_block, "for the end of parallel!");
}

#[process]
fn outer(desk: &Desk) -> Outcome {
    parallel! { middle(desk) }.expect("ends")
}

#[process]
fn middle(desk: &Desk) -> Outcome {
    let ((), outcome) = parallel! {
        stays(desk, false),
        needs_left(desk),
    }
    .expect("both end");
    outcome
}

#[test]
fn nested_blocks_make_one_circle() {
    let _watchdog = Watchdog::new("nested_blocks_make_one_circle");
    let desk = desk();
    let _left = desk.left.lock().expect("free");
    let outcome = parallel! { outer(&desk) }.expect("ends");
    let report = only_report(core::slice::from_ref(&outcome)).to_owned();
    assert_eq!(report.matches("for the end of parallel!").count(), 3, "{report}");
}

/// A record has room for four of the processes that one waits for.
#[test]
fn the_last_of_many_branches_is_found() {
    let watchdog = Watchdog::new("the_last_of_many_branches");
    for busy in [true, false] {
        watchdog.step(format!("the others are busy: {busy}"));
        let desk = desk();
        let _left = desk.left.lock().expect("free");
        let (_, outcome) = parallel! {
            for _ in 0..9 => stays(&desk, busy),
            needs_left(&desk),
        }
        .expect("all end");
        told_to_child(&outcome, "for the end of parallel!");
    }
}

/// One of many readers waits for what the writer holds.
#[process(daemon)]
fn reads_and_needs_left(desk: &Desk) -> Outcome {
    // More than a record has room for; some of them more than once.
    let _others =
        desk.others.each_ref().map(|other| [(); 2].map(|()| other.read().expect("sound")));
    let _table = desk.table.read().expect("sound");
    desk.reading.update(|n| n + 1);
    desk.both.wait().expect("both are here");
    outcome(desk.left.lock(), Instant::now())
}

#[process(daemon)]
fn reads_on(desk: &Desk) {
    let _table = desk.table.read().expect("sound");
    desk.reading.update(|n| n + 1);
    desk.done.wait();
}

#[process(daemon)]
fn writes_with_left(desk: &Desk) -> Outcome {
    let _left = desk.left.lock().expect("sound");
    desk.both.wait().expect("both are here");
    let outcome = outcome(desk.table.write(), Instant::now());
    // The other readers are in the way even so.
    desk.done.set();
    outcome
}

#[test]
fn one_of_many_readers_is_found() {
    let _watchdog = Watchdog::new("one_of_many_readers");
    let desk = desk();
    let readers: Vec<_> = (0..10).map(|_| reads_on::spawn(&desk).expect("started")).collect();
    assert!(poll_for(HANG / 2, || desk.reading.get() == 10));
    let reader = reads_and_needs_left::spawn(&desk).expect("started");
    assert!(poll_for(HANG / 2, || desk.reading.get() == 11));
    let writer = writes_with_left::spawn(&desk).expect("started");
    let told = [&reader, &writer].map(Process::pid);
    // If it is the reader that is told, the writer has to wait for the others, which wait for it.
    let reader = reader.join().expect("ends");
    desk.done.set();
    let report = only_report(&[reader, writer.join().expect("ends")]).to_owned();
    assert!(told.iter().all(|pid| report.contains(&format!("process {pid},"))), "{report}");
    assert!(report.contains("to write under RwLock<u64>"), "{report}");
    for reader in readers {
        reader.join().expect("ends");
    }
}

#[process(daemon)]
fn ink_then_array(desk: &Desk, array: Array<u64>) -> Outcome {
    let _pen = desk.lock_pen().expect("sound");
    desk.both.wait().expect("both are here");
    outcome(array.lock(), Instant::now())
}

#[process(daemon)]
fn array_then_ink(desk: &Desk, array: Array<u64>) -> Outcome {
    let _array: ArrayGuard<'_, u64> = array.lock().expect("sound");
    desk.both.wait().expect("both are here");
    outcome(desk.lock_pen(), Instant::now())
}

#[test]
fn arrays_and_guarded_fields_are_locks_too() {
    let _watchdog = Watchdog::new("arrays_and_guarded_fields");
    let (desk, array) = (desk(), Array::zeroed(5).expect("shared memory"));
    let ends = parallel! { ink_then_array(&desk, array.clone()), array_then_ink(&desk, array) };
    let (one, other) = ends.expect("both end");
    let report = only_report(&[one, other]).to_owned();
    assert!(report.contains("for Array<u64>") && report.contains("for Lock"), "{report}");
}

/// Holds one value and changes the other; which there is no error for.
#[process]
fn changes_two(desk: &Desk, here: bool) -> u64 {
    let (one, other) = if here { (&desk.price, &desk.amount) } else { (&desk.amount, &desk.price) };
    let mut guard = one.lock().expect("free");
    desk.both.wait().expect("both are here");
    *guard += other.update(|n| n + 1);
    *guard
}

/// Makes a value of which another one is a part.
#[process]
fn makes_two(desk: &Desk, here: bool) -> u64 {
    let (one, other) = if here { (&desk.first, &desk.second) } else { (&desk.second, &desk.first) };
    *one.get_or_init(|| {
        desk.both.wait().expect("both are here");
        other.get_or_init(|| 5) + 1
    })
}

/// Of two that would wait for each other for ever, one panics, with the circle; and what became of the other one.
fn one_panics(work: psync::Result<[Process<u64>; 2]>) -> (Result<u64, String>, String) {
    let result = |process: Process<u64>| match process.join() {
        Ok(result) => Ok(result),
        Err(ProcessError::Panicked { message, .. }) => Err(message),
        Err(other) => panic!("{other}"),
    };
    let is_told =
        |end: &Result<u64, String>| end.as_ref().is_err_and(|message| message.contains("deadlock"));
    let [one, other] = work.expect("started").map(result);
    assert_ne!(is_told(&one), is_told(&other), "{one:?} {other:?}");
    let (told, other) = if is_told(&one) { (one, other) } else { (other, one) };
    let message = told.expect_err("it is told");
    println!("{message}");
    assert_eq!(message.matches("waits at").count(), 2, "{message}");
    (other, message)
}

fn quiet() -> Options {
    Options::new().stderr(Stdio::null()).daemon(true)
}

#[test]
fn a_value_that_cannot_be_changed_is_a_panic_with_the_circle() {
    let _watchdog = Watchdog::new("a_value_that_cannot_be_changed");
    let desk = desk();
    let both = [true, false].map(|here| changes_two::spawn_with(quiet(), &desk, here));
    let (result, message) = one_panics(both_of(both));
    assert!(message.contains("for Value<u64>"), "{message}");
    // What the one that panicked had in hand was rolled back.
    assert_eq!((result, desk.price.get() + desk.amount.get()), (Ok(1), 2));
}

#[test]
fn a_once_that_cannot_be_made_is_a_panic_with_the_circle() {
    let _watchdog = Watchdog::new("a_once_that_cannot_be_made");
    let desk = desk();
    let both = [true, false].map(|here| makes_two::spawn_with(quiet(), &desk, here));
    let (result, message) = one_panics(both_of(both));
    assert!(message.contains("for Once<u64>"), "{message}");
    // The other one makes both.
    let mut made = [desk.first.get(), desk.second.get()];
    made.sort_unstable();
    assert_eq!((result, made), (Ok(6), [Some(&5), Some(&6)]));
}

fn both_of<E>(both: [Result<Process<u64>, E>; 2]) -> psync::Result<[Process<u64>; 2]>
where
    psync::Error: From<E>,
{
    let [one, other] = both;
    Ok([one?, other?])
}

/// The line of the attribute that follows.
const LINE: u32 = line!() + 2;

#[process(lock(desk.left as left), barrier(desk.both), lock(desk.right as right))]
fn declares(desk: &Desk) -> u64 {
    *left += 1;
    *right
}

#[process(lock(desk.right as right), barrier(desk.both), lock(desk.left as left))]
fn declares_otherwise(desk: &Desk) -> u64 {
    *right += 1;
    *left
}

#[test]
fn declared_locks_are_named_by_the_line_of_their_declaration() {
    let _watchdog = Watchdog::new("declared_locks");
    let desk = desk();
    let both =
        [declares::spawn_with(quiet(), &desk), declares_otherwise::spawn_with(quiet(), &desk)];
    let (other, message) = one_panics(both_of(both));
    // A panic with a lock in hand poisons it, for the other one too.
    let other = other.expect_err("poisoned");
    assert!(other.contains("panicked while it held the lock"), "{other}");
    for line in [LINE, LINE + 6] {
        let place = format!("sync_circles_kinds.rs:{line}:");
        assert!(message.contains(&place), "no {place} in: {message}");
    }
}

/// Has `right`, and waits for a condition with `left`: it wakes up and needs that again.
#[process(daemon)]
fn waits_with_right(desk: &Desk) {
    let _right = desk.right.lock().expect("free");
    let left = desk.left.lock().expect("free");
    desk.here.set();
    let left = desk.changed.wait(left).expect("sound");
    drop(left);
}

#[process(daemon)]
fn notifies_and_needs_right(desk: &Desk) -> Outcome {
    let _left = desk.left.lock().expect("sound");
    assert_eq!(desk.changed.notify(1), 1);
    outcome(desk.right.lock(), Instant::now())
}

#[test]
fn whoever_wants_its_mutex_back_after_a_condition_is_in_the_circle() {
    let _watchdog = Watchdog::new("whoever_wants_its_mutex_back");
    let desk = desk();
    let waiter = waits_with_right::spawn(&desk).expect("started");
    desk.here.wait();
    let told = notifies_and_needs_right::run(&desk).expect("ends");
    let report = only_report(core::slice::from_ref(&told)).to_owned();
    assert!(report.contains("for Condvar, held up by"), "{report}");
    waiter.join().expect("goes on");
    assert!(!dump_waits().contains("Condvar"));
    assert!(desk.right.lock_timeout(Duration::from_secs(30)).is_ok());
}
