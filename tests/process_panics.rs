//! Processes that panic, with each start method.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::everywhere;
use psync::prelude::*;
use std::{
    fs::{self, File},
    thread,
};

#[test]
fn message_and_location() {
    everywhere("panics::message_and_location");
}

#[test]
fn backtrace_if_asked_for() {
    everywhere("panics::backtrace_if_asked_for");
}

#[test]
fn payload_that_is_no_text() {
    everywhere("panics::payload_that_is_no_text");
}

#[test]
fn in_the_drop_of_the_result() {
    everywhere("panics::in_the_drop_of_the_result");
}

#[test]
fn while_panicking() {
    everywhere("panics::while_panicking");
}

#[test]
fn of_another_thread_only() {
    everywhere("panics::of_another_thread_only");
}

/// `_TestSubclassingProcess.test_stderr_flush`
#[test]
fn report_on_standard_error() {
    everywhere("panics::report_on_standard_error");
}

/// What is said on standard error by processes that are started with these options.
fn said(start: impl FnOnce(&dyn Fn() -> Options)) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("said");
    let file = File::options().append(true).create(true).open(&path).expect("a file");
    start(&|| {
        let file = file.try_clone().expect("a descriptor");
        Options::new().stderr(Stdio::from(file)).env("RUST_BACKTRACE", "1")
    });
    fs::read_to_string(path).expect("a file")
}

#[process]
fn fail_together(all_here: &Barrier, number: u32) {
    all_here.wait().expect("all come");
    panic!("number {number}");
}

#[test]
fn reports_of_several_processes_are_whole() {
    let said = said(|options| {
        let all_here = Shared::new(Barrier::new(4)).expect("memory");
        let start = |number| fail_together::spawn_with(options(), &all_here, number);
        let all: Vec<_> = (0..4).map(|number| start(number).expect("a process")).collect();
        for process in all {
            assert_eq!(process.wait().code(), Some(101));
        }
    });
    let mut reports: Vec<&str> = said.split("\nprocess `fail_together` (pid ").collect();
    assert_eq!(reports.remove(0), "", "{said}");
    reports.sort_unstable_by_key(|report| report.split_once("number ").map(|(_, rest)| rest));
    assert_eq!(reports.len(), 4, "{said}");
    for (number, report) in reports.iter().enumerate() {
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines[1..3], [&format!("number {number}"), "stack backtrace:"], "{report}");
        let frames = lines.iter().filter(|line| line.trim_start().starts_with(char::is_numeric));
        // The first line begins with the pid. The user's function is there, and nothing that has called it for psync.
        assert!(frames.clone().nth(1).is_some_and(|frame| frame.starts_with("   0: ")), "{report}");
        // Where it is a part of another function, it has its own name only.
        assert!(report.contains("fail_together\n"), "{report}");
        assert!(frames.count() < 12 && !report.contains("supervisor"), "{report}");
    }
}

#[process]
fn fail_in_its_own_words() {
    std::panic::set_hook(Box::new(|_| eprintln!("oh dear")));
    panic!("not reported");
}

#[test]
fn a_hook_of_ones_own_reports_instead() {
    let words = said(|options| {
        let ended = fail_in_its_own_words::spawn_with(options()).expect("a process").join();
        assert!(ended.is_err_and(|error| error.to_string().ends_with("panicked: not reported")));
    });
    assert_eq!(words, "oh dear\n");
}

#[process]
fn lose_a_thread() {
    let loader = thread::Builder::new().name("loader".to_owned());
    let lost = loader.spawn(|| panic!("nothing to load")).expect("a thread").join();
    assert!(lost.is_err());
}

#[test]
fn a_thread_is_named_beside_its_process() {
    let words = said(|options| {
        lose_a_thread::spawn_with(options()).expect("a process").join().expect("it goes on");
    });
    assert!(words.starts_with("\nthread `loader` of process `lose_a_thread` (pid "), "{words}");
}
