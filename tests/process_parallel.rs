//! `parallel!`: branches that start together and have all ended when it returns.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "processes exit and sleep")]

mod common;

use common::{eventually, is_alive, sleep_for_ever, watchdog};
use psync::{Failure, ParallelError, Waitable, prelude::*, wait_any};
use std::time::{Duration, Instant};

#[shared]
struct Field {
    here: [Event; 4],
    pids: [Value<i32>; 4],
    bell: Event,
    ignored: Event,
}

fn field() -> Shared<Field> {
    Shared::new(Field::default()).expect("shared memory")
}

#[process]
fn square(n: u64) -> u64 {
    n * n
}

#[process]
fn name(of: &str, times: usize) -> String {
    of.repeat(times)
}

/// Says who it is and that it is there, and stays.
#[process]
fn stay(field: &Field, place: usize) {
    field.pids[place].set(psync::current().pid());
    field.here[place].set();
    sleep_for_ever();
}

/// The same, and is deaf to SIGTERM.
#[process]
fn stay_stubbornly(field: &Field, place: usize) {
    // SAFETY: the disposition is one of the kernel's own.
    unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
    field.ignored.set();
    stay(field, place);
}

#[process]
fn panic_when_all_are_here(field: &Field, places: usize) {
    field.here[..places].iter().for_each(Event::wait);
    panic!("enough");
}

#[process]
fn exit_with(code: i32) {
    std::process::exit(code);
}

fn is_cancelled(failure: &Failure) -> bool {
    matches!(failure.error, ProcessError::Cancelled { .. })
}

fn gone(field: &Field, places: usize) -> bool {
    field.pids[..places].iter().all(|pid| pid.get() != 0 && !is_alive(pid.get()))
}

#[test]
fn branches_of_all_kinds_give_a_tuple() {
    let _watchdog = watchdog();
    let field = field();
    let factor = 10;
    let (one, many, block, blocks, ()) = parallel! {
        square(7),
        for n in 0..20 => square(n),
        process(factor) { factor * 2 },
        for text in ["a", "b"].map(str::to_owned) => process(text, factor) { format!("{text}{factor}") },
        process(&field) { field.bell.set() },
    }
    .expect("nothing fails");
    assert_eq!((one, block), (49, 20));
    assert_eq!(many, (0..20).map(|n| n * n).collect::<Vec<_>>(), "in the order of the items");
    assert_eq!(blocks, ["a10", "b10"]);
    assert!(field.bell.is_set());
}

#[test]
fn one_branch_alone_gives_its_own_output() {
    let _watchdog = watchdog();
    assert_eq!(parallel! { square(3) }.expect("nothing fails"), 9);
    let none: Vec<u64> = parallel! { for n in std::iter::empty() => square(n) }.expect("no work");
    assert!(none.is_empty());
    assert_eq!(parallel! { for n in [2] => square(n) }.expect("nothing fails"), [4]);
}

#[test]
fn named_branches_give_named_fields() {
    let _watchdog = watchdog();
    let output = parallel! {
        numbers: for n in 1..4 => square(n),
        word: name("la", 2),
    }
    .expect("nothing fails");
    assert_eq!(output.numbers, [1, 4, 9]);
    assert_eq!(output.word, "lala");
}

#[test]
fn every_start_method_can_be_chosen() {
    let _watchdog = watchdog();
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let methods = parallel! {
            with start_method = method;
            for _ in 0..2 => process() { psync::current().start_method().is_some() },
            process() { format!("{:?}", psync::current().start_method()) },
        };
        let (ours, said) = methods.expect("nothing fails");
        assert_eq!((ours, said), (vec![true, true], format!("Some({method:?})")));
    }
}

#[test]
fn branches_run_side_by_side() {
    let _watchdog = watchdog();
    let field = field();
    // Each waits for the one after it, so none could end if they ran one after the other.
    parallel! {
        for place in 0..3 => process(&field, place) { field.here[place + 1].wait(); },
        process(&field) { field.here.iter().for_each(Event::set); },
    }
    .expect("nothing fails");
}

#[test]
fn a_panic_ends_the_others() {
    let _watchdog = watchdog();
    let field = field();
    let error = parallel! {
        calm: for place in 0..3 => stay(&field, place),
        brave: panic_when_all_are_here(&field, 3),
    }
    .expect_err("one branch panics");
    assert!(gone(&field, 3), "processes are left");
    let failures = error.failures();
    assert_eq!(failures.len(), 4, "{error}");
    assert_eq!((failures[0].branch, failures[0].index), (1, None), "the first failure comes first");
    assert_eq!(failures[0].name, "brave");
    assert!(
        matches!(&failures[0].error, ProcessError::Panicked { message, .. } if message == "enough"),
        "{error}"
    );
    let mut cancelled: Vec<_> = failures[1..].iter().map(|f| (f.branch, f.index)).collect();
    cancelled.sort_unstable();
    assert_eq!(cancelled, [(0, Some(0)), (0, Some(1)), (0, Some(2))], "{error}");
    for failure in &failures[1..] {
        assert_eq!(failure.name, "calm");
        assert!(matches!(failure.error, ProcessError::Cancelled { .. }), "{error}");
    }
    let said = error.to_string();
    assert!(said.starts_with("branch `brave`: process `panic_when_all_are_here`"), "{said}");
    assert!(said.contains("branch `calm`[1]: "), "{said}");
}

#[test]
fn a_panic_of_an_iterator_ends_what_runs() {
    let _watchdog = watchdog();
    let field = field();
    let places = (0..3).inspect(|place| {
        field.here[0].wait();
        assert!(*place != 1, "no second");
    });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        parallel! { stay(&field, 0), for place in places => square(place) }
    }));
    assert!(caught.is_err(), "the panic went on");
    assert!(gone(&field, 1), "a process is left");
}

#[test]
fn one_that_ignores_sigterm_is_killed_after_the_grace() {
    let _watchdog = watchdog();
    let field = field();
    let start = Instant::now();
    let error = parallel! {
        with grace = Duration::from_millis(50);
        stay_stubbornly(&field, 0),
        panic_when_all_are_here(&field, 1),
    }
    .expect_err("one branch panics");
    assert!(start.elapsed() >= Duration::from_millis(50), "it had no grace");
    assert!(gone(&field, 1) && field.ignored.is_set());
    assert!(matches!(error.failures()[1].error, ProcessError::Cancelled { .. }), "{error}");
}

#[test]
fn a_deadline_ends_what_still_runs() {
    let _watchdog = watchdog();
    let field = field();
    let error = parallel! {
        with deadline = Duration::from_millis(300), grace = Duration::from_millis(20);
        square(2),
        stay_stubbornly(&field, 0),
        stay(&field, 1),
    }
    .expect_err("two branches are late");
    assert_eq!(error.failures().len(), 2, "{error}");
    for failure in error.failures() {
        assert!(matches!(failure.error, ProcessError::TimedOut { .. }), "{error}");
    }
    assert!(eventually(|| field.pids[..2]
        .iter()
        .all(|pid| !is_alive(pid.get()) || pid.get() == 0)));
    let in_time = parallel! { with deadline = Duration::from_mins(1); square(2) };
    assert_eq!(in_time.expect("it is quick"), 4);
}

/// Fails as well, by itself, once it has been told to end: so its starter has seen the first failure by then.
#[process]
fn exit_when_told_to_end(field: &Field, place: usize) {
    let mut set = std::mem::MaybeUninit::zeroed();
    // SAFETY: initialises the set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set is initialised.
    unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM) };
    // SAFETY: as above. The signal must not go to this process's other thread either.
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) };
    field.here[place].set();
    let mut signal = 0;
    // SAFETY: as above.
    unsafe { libc::sigwait(set.as_ptr(), &raw mut signal) };
    std::process::exit(signal);
}

#[test]
fn failures_come_in_the_order_of_their_happening() {
    let _watchdog = watchdog();
    let field = field();
    let error = parallel! {
        with grace = Duration::from_secs(100);
        exit_when_told_to_end(&field, 0),
        square(5),
        for n in 0..2_u32 => process(&field, n) {
            if n == 1 {
                field.here[0].wait();
                panic!("first");
            }
        },
    };
    let error = error.expect_err("two branches fail");
    // Who has nothing to do may not have returned before it was cancelled.
    let own = error.failures().iter().filter(|failure| !is_cancelled(failure));
    let seen: Vec<_> = own.map(|f| (f.branch, f.index)).collect();
    assert_eq!(seen, [(2, Some(1)), (0, None)], "{error}");
    let second = &error.failures()[1].error;
    assert!(matches!(second, ProcessError::Exited { code: libc::SIGTERM, .. }), "{error}");
}

#[test]
fn the_others_finish_if_they_may() {
    let _watchdog = watchdog();
    let field = field();
    let error = parallel! {
        with on_failure = finish;
        exit_with(0),
        process(&field) { field.bell.set() },
    }
    .expect_err("a process that exits by itself has no result");
    assert!(field.bell.is_set());
    assert_eq!(error.failures().len(), 1);
    assert!(matches!(error.failures()[0].error, ProcessError::Exited { code: 0, .. }), "{error}");
}

#[test]
fn a_killed_branch_is_reported_with_its_signal() {
    let _watchdog = watchdog();
    let field = field();
    let error = parallel! {
        stay(&field, 0),
        process(&field) {
            field.here[0].wait();
            common::signal(field.pids[0].get(), libc::SIGKILL);
        },
    }
    .expect_err("one is killed");
    let first = &error.failures()[0];
    assert!(matches!(first.error, ProcessError::Signaled { signal: libc::SIGKILL, .. }), "{error}");
    assert_eq!(first.name, "stay");
    // Who has killed it may not have returned before it was cancelled.
    assert!(error.failures()[1..].iter().all(is_cancelled), "{error}");
}

#[test]
fn an_error_that_a_function_returns_is_a_result() {
    let _watchdog = watchdog();
    let (a, b) = parallel! {
        process() { "7x".parse::<u32>().map_err(|error| error.to_string()) },
        process() { "7".parse::<u32>().map_err(|error| error.to_string()) },
    }
    .expect("no process fails");
    assert!(a.is_err());
    assert_eq!(b, Ok(7));
}

#[test]
fn a_start_that_fails_is_a_failure_of_its_branch() {
    let _watchdog = watchdog();
    let field = field();
    let local = [1_u8, 2, 3];
    let error: ParallelError = parallel! {
        inside: stay(&field, 0),
        outside: sum(&local),
    }
    .expect_err("the slice does not lie in shared memory");
    assert!(field.pids[0].get() == 0 || gone(&field, 1));
    let first = &error.failures()[0];
    assert_eq!(first.name, "outside");
    let message = first.error.to_string();
    assert!(matches!(first.error, ProcessError::NotStarted { .. }), "{error}");
    assert!(message.contains("shared memory"), "{message}");
}

#[process]
fn sum(numbers: &[u8]) -> u8 {
    numbers.iter().sum()
}

/// The branches are processes like any other while they run.
#[test]
fn a_branch_can_itself_run_branches() {
    let _watchdog = watchdog();
    let sums = parallel! {
        for n in 0..3_u64 => process(n) {
            parallel! { for m in 0..3 => square(n + m) }.expect("nothing fails").iter().sum::<u64>()
        },
    };
    assert_eq!(sums.expect("nothing fails"), [5, 14, 29]);
}

/// `wait_any` takes processes, events and descriptors together.
#[test]
fn waiting_for_whichever_is_first() {
    let _watchdog = watchdog();
    let field = field();
    let process = stay::spawn(&field, 0).expect("a start");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let items: [&dyn Waitable; 4] = [&process, &field.bell, &reader, &field.ignored];
    assert_eq!(wait_any(&items, Some(Duration::from_millis(10))).expect("waits"), []);
    field.bell.set();
    assert_eq!(wait_any(&items, None).expect("waits"), [1]);
    std::io::Write::write_all(&mut &writer, b"x").expect("room");
    assert_eq!(wait_any(&items, None).expect("waits"), [1, 2]);
    process.kill().expect("kills");
    process.wait();
    drop(writer);
    assert_eq!(wait_any(&items, None).expect("waits"), [0, 1, 2]);
    field.bell.clear();
    let rings = psync::spawn(|field: Shared<Field>| field.ignored.set(), field.clone());
    let two: [&dyn Waitable; 2] = [&field.bell, &field.ignored];
    assert_eq!(wait_any(&two, None).expect("waits"), [1], "set by another process");
    rings.expect("a start").join().expect("it rings");
}
