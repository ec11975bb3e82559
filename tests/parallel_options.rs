//! The options of `parallel!`: how many items at a time, what becomes of those that wait, the bar; and branches that exit.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::exit, reason = "processes exit")]

mod common;
mod terminal;

use common::{sleep_for_ever, watchdog};
use psync::{Failure, Never, ParallelError, SpawnError, prelude::*};
use std::{
    io::Read,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};
use terminal::terminal;

#[shared]
#[derive(Debug)]
struct Desk {
    now: AtomicUsize,
    most: AtomicUsize,
    second: Event,
    open: Event,
    gate: Value<u32>,
}

fn desk() -> Shared<Desk> {
    Shared::new(Desk::default()).expect("shared memory")
}

/// Counts who is here; the first two wait for each other, so that fewer than two at a time would hang.
#[process]
fn visit(desk: &Desk, number: usize) -> usize {
    let here = desk.now.fetch_add(1, SeqCst) + 1;
    desk.most.fetch_max(here, SeqCst);
    if here == 2 {
        desk.second.set();
    }
    desk.second.wait();
    desk.now.fetch_sub(1, SeqCst);
    number * 10
}

#[process]
fn stay(desk: &Desk, number: usize) {
    desk.most.fetch_max(number + 1, SeqCst);
    desk.open.set();
    sleep_for_ever();
}

#[process]
fn square(n: usize) -> usize {
    n * n
}

#[process]
fn leave(code: i32) -> ! {
    std::process::exit(code)
}

/// Without the error, which the pattern names since a program's may do so too.
fn what(Failure { branch, index, name, error: _ }: &Failure) -> (usize, Option<usize>, &str) {
    (*branch, *index, name)
}

#[test]
fn as_many_workers_as_asked_for() {
    let _watchdog = watchdog();
    let desk = desk();
    let visits = parallel! { with workers = 2; for n in 0..12 => visit(&desk, n) };
    assert_eq!(visits.expect("nothing fails"), (0..12).map(|n| n * 10).collect::<Vec<_>>());
    assert_eq!(desk.most.load(SeqCst), 2);
}

#[test]
fn all_for_branches_share_the_workers() {
    let _watchdog = watchdog();
    let desk = desk();
    let (a, b) = parallel! {
        with workers = 2, chunk = 3;
        for n in 0..5 => visit(&desk, n),
        for n in 5..9 => visit(&desk, n),
    }
    .expect("nothing fails");
    assert_eq!((a.len(), b), (5, vec![50, 60, 70, 80]));
    assert_eq!(desk.most.load(SeqCst), 2);
}

/// Only items wait for a worker: a branch of its own runs from the start.
#[test]
fn branches_without_for_do_not_wait() {
    let _watchdog = watchdog();
    let desk = desk();
    let (ready, ()) = parallel! {
        with workers = 1;
        for n in 0..3_u32 => process(&desk, n) { desk.open.wait(); desk.gate.update(|gate| gate + n) },
        process(&desk) { desk.open.set() },
    }
    .expect("nothing fails");
    assert_eq!(ready, [0, 1, 3], "one after the other, in their order");
}

/// More than a program can have processes at a time.
const MANY: usize = 5000;

/// Items are looked at when somebody is free for them, and there may be more of them than a program can have processes.
#[test]
fn items_are_taken_one_by_one() {
    let _watchdog = watchdog();

    let mut taken = 0;
    let squares = parallel! {
        with workers = 2;
        for n in (0..MANY).inspect(|_| taken += 1) => square(n)
    };
    let squares = squares.expect("nothing fails");
    assert_eq!((squares.len(), squares[MANY - 1]), (MANY, (MANY - 1) * (MANY - 1)));
    assert_eq!(taken, MANY);
}

#[test]
fn a_failure_leaves_the_waiting_items_where_they_are() {
    let _watchdog = watchdog();
    let mut taken = Vec::new();
    let error: ParallelError = parallel! {
        with workers = 1;
        for n in (0..).inspect(|n| taken.push(*n)) => process(n) { assert!(n < 2, "enough") }
    }
    .expect_err("the third panics");
    assert_eq!(taken, [0, 1, 2]);
    let failures: Vec<_> = error.failures().iter().map(what).collect();
    assert_eq!(failures, [(0, Some(2), "process"), (0, None, "process")], "{error}");
    assert!(matches!(&error.failures()[0].error, ProcessError::Panicked { .. }), "{error}");
    assert!(matches!(&error.failures()[1].error, ProcessError::Cancelled { pid: 0, .. }));
    let rest = error.failures()[1].to_string();
    assert_eq!(
        rest,
        "branch `process`: process `process` was cancelled because another branch failed"
    );
}

#[test]
fn the_waiting_items_run_if_the_others_may_finish() {
    let _watchdog = watchdog();
    let desk = desk();
    let error = parallel! {
        with workers = 1, on_failure = finish;
        for n in 0..4_u32 => process(&desk, n) {
            assert!(n != 1, "not me");
            desk.gate.update(|gate| gate + 1);
        }
    }
    .expect_err("the second panics");
    assert_eq!(error.failures().iter().map(what).collect::<Vec<_>>(), [(0, Some(1), "process")]);
    assert_eq!(desk.gate.get(), 3);
}

#[test]
fn a_deadline_counts_for_waiting_items_too() {
    let _watchdog = watchdog();
    let desk = desk();
    let error = parallel! {
        with workers = 1, deadline = Duration::from_millis(300), grace = Duration::from_mins(1);
        late: for n in 0..3 => stay(&desk, n),
    }
    .expect_err("the first stays too long");
    assert_eq!(
        error.failures().iter().map(what).collect::<Vec<_>>(),
        [(0, Some(0), "late"), (0, None, "late")],
        "{error}"
    );
    for failure in error.failures() {
        assert!(matches!(failure.error, ProcessError::TimedOut { .. }), "{error}");
    }
    assert_eq!(desk.most.load(SeqCst), 1, "only the first has ever run");
}

#[test]
fn nobody_at_all_is_an_error() {
    let _watchdog = watchdog();
    for (workers, chunk) in [(0, 1), (1, 0)] {
        let error = parallel! {
            with workers = workers, chunk = chunk;
            for n in 0..3 => square(n)
        }
        .expect_err("nobody works");
        let [failure] = error.failures() else { panic!("{error}") };
        assert!(
            matches!(
                &failure.error,
                ProcessError::NotStarted { error: SpawnError::Refused { .. }, .. }
            ),
            "{error}"
        );
    }
    let nobody = 0;
    let none = parallel! { with workers = nobody; for n in 0..0 => square(n) };
    assert!(none.expect("there was nothing to do").is_empty());
}

#[test]
fn a_block_may_exit() {
    let _watchdog = watchdog();
    let desk = desk();
    let error = parallel! {
        process(&desk) {
            desk.open.set();
            std::process::exit(3);
        },
        process(&desk) { desk.open.wait(); 7 },
    }
    .expect_err("the first exits");
    assert!(matches!(error.failures()[0].error, ProcessError::Exited { code: 3, .. }), "{error}");
    let alone = parallel! { process() { std::process::exit(4) } };
    let error = alone.expect_err("it exits");
    assert!(matches!(error.failures()[0].error, ProcessError::Exited { code: 4, .. }), "{error}");
    let named = parallel! {
        with on_failure = finish;
        one: process() { panic!("no value") },
        two: for n in 0..2 => process(n) { std::process::exit(n) },
    };
    let error = named.map(|_| ()).expect_err("nobody returns");
    assert_eq!(error.failures().len(), 3, "{error}");
}

#[test]
fn a_function_may_never_return() {
    let _watchdog = watchdog();
    let process: Process<Never> = leave::spawn(5).expect("a start");
    let Err(error) = process.join();
    assert!(matches!(error, ProcessError::Exited { code: 5, .. }), "{error}");
    let Err(error) = leave::run(6);
    assert!(matches!(error, ProcessError::Exited { code: 6, .. }), "{error}");
    let Err(error) = parallel! { leave(0) };
    assert!(matches!(error.failures()[0].error, ProcessError::Exited { code: 0, .. }), "{error}");
}

/// The value is had with `?` in functions of every error type, and what is not known yet is inferred from its use.
#[test]
fn every_error_type_takes_it() {
    fn ours() -> psync::Result<usize> {
        Ok(parallel! { square(2) }?)
    }
    fn any() -> Result<usize, Box<dyn std::error::Error + Send + Sync + 'static>> {
        Ok(parallel! { square("3".parse()?) }?)
    }
    fn own() -> Result<usize, Own> {
        Ok(parallel! { square(4) }?)
    }
    #[derive(Debug)]
    struct Own;
    impl From<ParallelError> for Own {
        fn from(_: ParallelError) -> Self {
            Self
        }
    }
    let _watchdog = watchdog();
    assert_eq!((ours().expect("fine"), any().expect("fine"), own().expect("fine")), (4, 9, 16));
    let text: String = parallel! { process() { ["a", "b"].into_iter().collect() } }.expect("fine");
    assert_eq!(text, "ab");
}

#[process]
fn with_a_bar(known: bool) -> usize {
    let items = (0..4_usize).filter(|n| known || *n < 3);
    let done = if known {
        parallel! { with progress = true, workers = 1; for n in 0..4_usize => square(n), square(9) }
            .map(|(all, _)| all)
    } else {
        parallel! { with progress = true; for n in items => square(n) }
    };
    done.expect("nothing fails").len()
}

#[test]
fn a_terminal_shows_how_far_it_is() {
    let _watchdog = watchdog();
    for (known, shown) in [(true, "5/5"), (false, " 3")] {
        let (mut ours, theirs) = terminal();
        let options = Options::new().stderr(Stdio::from(theirs)).env("TERM", "xterm");
        let process = with_a_bar::spawn_with(options, known).expect("a start");
        assert_eq!(process.join().expect("it works"), if known { 4 } else { 3 });
        let mut text = Vec::new();
        // Reading ends with an error when nobody has the other end any more.
        let _ = ours.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains(shown), "{text:?}");
    }
}

#[test]
fn where_there_is_no_terminal_nothing_is_written() {
    let _watchdog = watchdog();
    let mut process =
        with_a_bar::spawn_with(Options::new().stderr(Stdio::piped()), true).expect("a start");
    let mut text = String::new();
    let mut stderr = process.take_stderr().expect("a pipe");
    stderr.read_to_string(&mut text).expect("text");
    assert_eq!((process.join().expect("it works"), text), (4, String::new()));
}
