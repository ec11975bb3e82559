//! What happens when a program, or a process of it, ends.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{
    eventually, is_alive, one_at_a_time,
    programs::{command, run, scratch},
    signal, state_of, watchdog, watchdog_for,
};
use psync::Finalizer;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

#[test]
fn daemons_are_ended_and_others_waited_for() {
    let _watchdog = watchdog();
    let said = run(["exit", "family"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[1..], ["finalizer", "left", "left"], "{said}");
    for pid in lines[0].split(' ') {
        assert_eq!(state_of(pid.parse().expect("a pid")), None, "it has outlived the program");
    }
}

#[test]
fn processes_without_handles_are_not_cut_short() {
    let _watchdog = watchdog();
    let said = run(["exit", "detached"]);
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["Fork", "ForkServer", "Spawn"]);
}

/// `_TestAtExit.test_atexit`
#[test]
fn exit_hooks_of_a_process_run_at_its_end() {
    let _watchdog = watchdog();
    let path = scratch("hooks").join("file");
    assert_eq!(run(["exit".as_ref(), "hooks".as_ref(), path.as_os_str()]), "of the root\n");
    for (method, lines) in [
        // A forked copy of a program leaves out what the program has registered with the C library, as `_exit` does.
        ("Fork", "function\ndeadbeef\n"),
        ("ForkServer", "function\ndeadbeef\nc library\n"),
        ("Spawn", "function\ndeadbeef\nc library\n"),
    ] {
        let file = path.with_file_name(format!("file.{method}"));
        assert_eq!(fs::read_to_string(file).expect("a file"), lines, "{method}");
    }
}

/// `_TestFinalize.test_finalize`
#[test]
fn finalizers_run_once_and_in_their_order() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let _watchdog = watchdog();
    let words = ["a", "b", "d10", "d03", "d02", "d01", "e", "registered at exit", ""];
    assert_eq!(run(["exit", "order"]), words.join("\n"));
    let count = || {
        RUNS.fetch_add(1, Ordering::Relaxed);
    };
    let called = Finalizer::new(None, count);
    assert!(called.is_pending());
    called.call();
    let cancelled = Finalizer::new(None, count);
    cancelled.cancel();
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}

/// `_TestFinalize.test_thread_safety`
#[test]
fn finalizers_come_and_go_in_many_threads() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let _watchdog = watchdog();
    let (stop, made) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        for thread in 0..4_i32 {
            let (stop, made) = (&stop, &made);
            scope.spawn(move || {
                let mut kept = Vec::new();
                let mut n = thread;
                while !stop.load(Ordering::Relaxed) {
                    n = n.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                    made.fetch_add(1, Ordering::Relaxed);
                    kept.push(Finalizer::new((n % 3 != 0).then_some(n % 7), || {
                        RUNS.fetch_add(1, Ordering::Relaxed);
                    }));
                    if kept.len() > 50 {
                        kept.drain(..n.unsigned_abs() as usize % 50);
                    }
                }
            });
        }
        assert!(eventually(|| made.load(Ordering::Relaxed) > 20_000));
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), made.load(Ordering::Relaxed));
}

/// `TestStdinBadfiledescriptor.test_flushing`
#[test]
fn what_is_buffered_comes_out_once() {
    let _watchdog = watchdog();
    assert_eq!(run(["exit", "unflushed"]), "foobarbarbar");
}

/// `_TestProcess.test_error_on_stdio_flush_1`
#[test]
fn closed_streams_of_the_starter_are_no_failure() {
    let _watchdog = watchdog();
    for which in ["0", "1", "2", "1,2", "0,1", "0,1,2"] {
        let output = command(["exit", "closed", which]).output().expect("it runs");
        assert!(output.status.success(), "{which}: {}", common::programs::told(&output));
    }
}

/// `_TestProcess.test_error_on_stdio_flush_2`
#[test]
fn streams_that_a_process_closes_are_no_failure() {
    let _watchdog = watchdog();
    run(["exit", "close-inside"]);
}

/// A program that waits for a word on its standard input, and the pids that it has printed.
fn begin(arguments: &[&str]) -> (Child, Vec<i32>) {
    let mut program = command(arguments);
    program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = program.spawn().expect("it runs");
    let mut line = String::new();
    let out = program.stdout.as_mut().expect("piped");
    BufReader::new(out).read_line(&mut line).expect("a line");
    let pids = line.split_whitespace().map(|pid| pid.parse().expect("a pid")).collect();
    (program, pids)
}

/// `TestResourceTracker.test_resource_tracker_fork_deadlock`
#[test]
fn a_stranger_that_was_forked_does_not_delay_the_end() {
    let _watchdog = watchdog();
    let (mut program, pids) = begin(&["exit", "raw-fork"]);
    program.stdin.take().expect("piped").write_all(b"exit\n").expect("it listens");
    let start = Instant::now();
    assert!(program.wait().expect("it ends").success());
    assert!(start.elapsed() < Duration::from_secs(20), "it has waited for the stranger");
    assert!(is_alive(pids[0]) && eventually(|| !is_alive(pids[1])), "{pids:?}");
    signal(pids[0], libc::SIGKILL);
}

/// `TestResourceTracker.test_resource_tracker_raw_fork_prompt_reap`
#[test]
fn a_stranger_that_was_forked_keeps_nobody_alive() {
    let _watchdog = watchdog();
    let (mut program, pids) = begin(&["exit", "raw-fork"]);
    program.kill().expect("kills");
    program.wait().expect("it ends");
    assert!(eventually(|| !is_alive(pids[1])), "the program's process lives on");
    assert!(is_alive(pids[0]));
    signal(pids[0], libc::SIGKILL);
}

/// `TestResourceTracker.test_resource_tracker_lock_reinit_after_fork`
#[test]
fn psync_works_in_what_was_forked_at_any_moment() {
    let _watchdog = watchdog_for(Duration::from_mins(4));
    assert_eq!(run(["exit", "raw-fork-uses-psync"]), "all went well\n");
}

/// `_TestProcess.test_parent_process`
#[test]
fn the_end_of_the_root_is_the_end_of_all() {
    let _watchdog = watchdog();
    let (mut program, pids) = begin(&["exit", "root-dies"]);
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|&pid| is_alive(pid)));
    // The grandchild goes together with its parent.
    signal(pids[0], libc::SIGTERM);
    assert!(eventually(|| !is_alive(pids[0]) && !is_alive(pids[1])));
    program.kill().expect("kills");
    program.wait().expect("it ends");
    let (mut program, pids) = begin(&["exit", "root-dies"]);
    program.kill().expect("kills");
    program.wait().expect("it ends");
    assert!(eventually(|| pids.iter().all(|&pid| !is_alive(pid))));
}

/// `FailingInitializerResourcesTest.test_spawn`, `FailingInitializerResourcesTest.test_forkserver`
#[test]
fn failing_starts_leave_nothing() {
    let _watchdog = watchdog();
    let _alone = one_at_a_time();
    let shm = || fs::read_dir("/dev/shm").map_or(0, Iterator::count);
    let before = shm();
    let output = command(["exit", "failing-start"]).output().expect("it runs");
    assert!(output.status.success(), "{}", common::programs::told(&output));
    assert_eq!(shm(), before, "names are left in /dev/shm");
}
