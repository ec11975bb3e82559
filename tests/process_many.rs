//! Many processes, and processes among threads, signals and other processes.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "processes sleep")]

mod common;

use common::{one_at_a_time, watchdog};
use psync::{active_children, prelude::*};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

#[process]
fn nap(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

/// `_TestProcess.test_many_processes`
#[test]
fn many_start_many_end_and_many_are_terminated() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    for (method, count) in [(StartMethod::ForkServer, 100), (StartMethod::Spawn, 8)] {
        let start = |millis| {
            let options = || Options::new().start_method(method);
            let started = (0..count).map(|_| nap::spawn_with(options(), millis).expect("a start"));
            started.collect::<Vec<_>>()
        };
        for process in start(10) {
            assert!(process.wait().success());
            process.join().expect("ends");
        }
        let long = start(100_000);
        for process in &long {
            process.terminate().expect("it can be signalled");
        }
        for process in long {
            assert_eq!(process.wait().signal(), Some(libc::SIGTERM));
        }
    }
}

#[test]
fn threads_start_processes_at_the_same_time() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let total = Shared::new(Value::new(0_u32)).expect("shared memory");
    thread::scope(|scope| {
        for thread in 0..8 {
            let total = &total;
            scope.spawn(move || {
                for n in 0..20 {
                    let add = |(total, n): (Shared<Value<u32>>, u32)| {
                        total.update(|sum| sum + 1);
                        n * 2
                    };
                    let process = psync::spawn(add, (total.clone(), thread * 100 + n));
                    let doubled = process.expect("a start").join();
                    assert_eq!(doubled.expect("ends"), (thread * 100 + n) * 2);
                }
            });
        }
    });
    assert_eq!(total.get(), 160);
}

/// A process hangs on its starter, not on the thread that started it.
#[test]
fn a_process_outlives_the_thread_that_started_it() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let go = Shared::new(Event::new()).expect("shared memory");
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        go.clear();
        let wait = |go: Shared<Event>| go.wait();
        let start = || {
            let options = Options::new().start_method(method);
            psync::spawn_with(options, wait, go.clone()).expect("a start")
        };
        let process = thread::scope(|scope| scope.spawn(start).join().expect("no panic"));
        assert_eq!(process.wait_timeout(Duration::from_millis(20)), None);
        go.set();
        process.join().expect("ends");
    }
}

/// One handle, waited for by several threads.
#[test]
fn threads_wait_for_the_same_process() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let process = nap::spawn(100_000).expect("a start");
    thread::scope(|scope| {
        let waits: Vec<_> = (0..4).map(|_| scope.spawn(|| process.wait().signal())).collect();
        process.kill().expect("it can be signalled");
        for wait in waits {
            assert_eq!(wait.join().expect("no panic"), Some(libc::SIGKILL));
        }
    });
}

static SIGNALS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count_signal(_: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Sends its starter signals, and ends.
#[process]
fn disturb(starter: i32, thread: i32) {
    for _ in 0..20 {
        // SAFETY: a signal to a thread of our starter, which has a handler.
        unsafe { libc::syscall(libc::SYS_tgkill, starter, thread, libc::SIGUSR1) };
        thread::sleep(Duration::from_millis(2));
    }
}

/// `_TestPollEintr.test_poll_eintr`
#[test]
fn signals_do_not_end_a_wait() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    // SAFETY: the handler only adds to a number.
    let old =
        unsafe { libc::signal(libc::SIGUSR1, count_signal as *const () as libc::sighandler_t) };
    // SAFETY: asks for a number.
    let thread = unsafe { libc::gettid() };
    let process = disturb::spawn(psync::current().pid(), thread).expect("a start");
    assert!(process.wait().success());
    process.join().expect("ends");
    let event = Event::new();
    let process = disturb::spawn(psync::current().pid(), thread).expect("a start");
    assert!(!event.wait_timeout(Duration::from_millis(30)));
    assert!(psync::wait_any(&[&process], None).is_ok_and(|ready| ready == [0]));
    assert!(SIGNALS.load(Ordering::Relaxed) > 0);
    // SAFETY: puts back what was there.
    unsafe { libc::signal(libc::SIGUSR1, old) };
}

/// `_TestProcess.test_process_mainthread_native_id`
#[test]
fn user_code_runs_on_a_thread_of_its_own() {
    fn deep(n: u32) -> u64 {
        let frame = std::hint::black_box([u64::from(n); 64]);
        if n == 0 { frame[0] } else { deep(n - 1) + frame[63] }
    }
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let ask = |()| {
        // SAFETY: asks for a number.
        let thread = unsafe { libc::gettid() };
        (thread, thread::current().name().map(str::to_owned))
    };
    let (ours, _) = ask(());
    let (theirs, name) = psync::spawn(ask, ()).expect("a start").join().expect("ends");
    assert_ne!(ours, theirs);
    assert_eq!(name.as_deref(), Some("main"));
    // With as much room as a main thread has.
    let sum = psync::spawn(deep, 4_000).expect("a start").join().expect("enough stack");
    assert_eq!(sum, (1..=4_000).sum());
}

/// `_TestProcess.test_current`
#[test]
fn the_first_process_knows_itself() {
    let own = psync::current();
    assert_eq!(own.pid().unsigned_abs(), std::process::id());
    assert_eq!((own.name(), own.is_daemon(), own.start_method()), ("main", false, None));
    assert!(own.parent().is_none());
    let shown = format!("{own:?}");
    assert!(shown.contains(&format!("pid: {}", own.pid())), "{shown}");
}

/// `_TestProcess.test_cpu_count`
#[test]
fn there_is_at_least_one_cpu() {
    assert!(psync::cpu_count() >= 1);
    assert!(psync::cpu_count() <= thread::available_parallelism().expect("a number").get());
}

/// Where requests are laid down, and answers.
#[shared]
struct Desk {
    word: Mutex<Text<20>>,
    asked: Event,
    answered: Event,
}

/// Answers requests until an empty one comes; returns how many there were.
#[process]
fn upper_case(desk: &Desk) -> u32 {
    let mut served = 0;
    loop {
        desk.asked.wait();
        desk.asked.clear();
        let mut word = desk.word.lock().expect("sound");
        let answer = word.to_uppercase();
        word.set(&answer).expect("as long as the word");
        drop(word);
        desk.answered.set();
        if answer.is_empty() {
            return served;
        }
        served += 1;
    }
}

/// `_TestSubclassingProcess.test_subclassing`
#[test]
fn a_process_serves_requests_until_it_is_told_to_stop() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let desk = Shared::new(Desk::default()).expect("shared memory");
    let worker = upper_case::spawn(&desk).expect("a start");
    let ask = |word: &str| {
        *desk.word.lock().expect("sound") = word.parse().expect("it fits");
        desk.asked.set();
        desk.answered.wait();
        desk.answered.clear();
        desk.word.lock().expect("sound").to_string()
    };
    assert_eq!((ask("hello").as_str(), ask("world").as_str()), ("HELLO", "WORLD"));
    assert_eq!(ask(""), "");
    assert_eq!(worker.join().expect("ends"), 2);
    assert!(active_children().iter().all(|child| child.name() != "upper_case"));
}
