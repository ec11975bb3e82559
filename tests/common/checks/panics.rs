//! Processes that panic.
#![allow(clippy::manual_assert, reason = "panics are what this is about")]

use super::life::with;
use psync::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Read;

/// What a caller learns of a panic.
#[derive(Debug)]
struct Told {
    message: String,
    location: String,
    backtrace: Option<String>,
}

fn told<R: std::fmt::Debug>(ended: Result<R, ProcessError>, process: &str) -> Told {
    match ended {
        Err(ProcessError::Panicked { message, location, backtrace, name, pid }) => {
            assert!(name == process && pid > 0, "{name}, {pid}");
            Told { message, location: location.expect("a location"), backtrace }
        }
        other => panic!("not a panic: {other:?}"),
    }
}

fn quiet(method: StartMethod) -> Options {
    with(method).stderr(Stdio::null()).env("RUST_BACKTRACE", "0")
}

#[process]
fn fail(with_number: bool, number: u32) -> u32 {
    if with_number {
        panic!("the number is {number}");
    }
    panic!("no number")
}

pub fn message_and_location(method: StartMethod) {
    for (with_number, message) in [(true, "the number is 17"), (false, "no number")] {
        let process = fail::spawn_with(quiet(method), with_number, 17).unwrap();
        let status = process.wait();
        assert_eq!(status.code(), Some(101));
        let told = told(process.join(), "fail");
        assert_eq!(told.message, message);
        let place: Vec<&str> = told.location.rsplitn(3, ':').collect();
        assert!(place[2].ends_with("checks/panics.rs"), "{told:?}");
        assert!(place[1].parse::<u32>().is_ok() && place[0].parse::<u32>().is_ok(), "{told:?}");
        assert!(told.backtrace.is_none(), "nobody asked for {told:?}");
    }
    let error = fail::spawn_with(quiet(method), false, 0).unwrap().join();
    let said = error.unwrap_err().to_string();
    assert!(said.contains("`fail`") && said.ends_with("no number"), "{said}");
}

pub fn backtrace_if_asked_for(method: StartMethod) {
    let options = quiet(method).env("RUST_BACKTRACE", "1");
    let told = told(fail::spawn_with(options, false, 0).unwrap().join(), "fail");
    let backtrace = told.backtrace.expect("a backtrace");
    assert!(backtrace.contains("panic"), "{backtrace}");
}

#[process]
fn throw_a_number() {
    std::panic::panic_any(17_u64);
}

pub fn payload_that_is_no_text(method: StartMethod) {
    let told = told(throw_a_number::spawn_with(quiet(method)).unwrap().join(), "throw_a_number");
    assert_eq!(told.message, "a payload that is not text");
    assert!(told.location.contains("panics.rs"), "{told:?}");
}

#[derive(Debug, Serialize, Deserialize)]
struct Fragile {
    armed: bool,
}

impl Drop for Fragile {
    fn drop(&mut self) {
        if std::mem::take(&mut self.armed) && psync::current().parent().is_some() {
            panic!("broke on the floor");
        }
    }
}

#[process]
fn make_fragile() -> Fragile {
    Fragile { armed: true }
}

pub fn in_the_drop_of_the_result(method: StartMethod) {
    let process = make_fragile::spawn_with(quiet(method)).unwrap();
    assert_eq!(process.wait().code(), Some(101));
    let told = told(process.join(), "make_fragile");
    assert_eq!(told.message, "broke on the floor");
}

#[process]
fn panic_twice() {
    let _fragile = Fragile { armed: true };
    panic!("first");
}

pub fn while_panicking(method: StartMethod) {
    let ended = panic_twice::spawn_with(quiet(method)).unwrap().join();
    assert!(
        matches!(ended, Err(ProcessError::Signaled { signal: libc::SIGABRT, .. })),
        "{ended:?}"
    );
}

#[process]
fn survive_a_thread() -> bool {
    std::thread::spawn(|| panic!("only the thread")).join().is_err()
}

pub fn of_another_thread_only(method: StartMethod) {
    assert!(survive_a_thread::spawn_with(quiet(method)).unwrap().join().unwrap());
}

#[process]
fn divide(by: u32) -> u32 {
    std::hint::black_box(1) / by
}

pub fn report_on_standard_error(method: StartMethod) {
    let options = quiet(method).stderr(Stdio::piped()).name("division");
    let mut process = divide::spawn_with(options, 0).unwrap();
    let mut said = String::new();
    process.take_stderr().unwrap().read_to_string(&mut said).unwrap();
    let pid = process.pid();
    let told = told(process.join(), "division");
    assert!(told.message.contains("divide by zero"), "{told:?}");
    for part in ["panicked", "panics.rs", "attempt to divide by zero"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(said.matches("attempt to divide by zero").count(), 1, "{said}");
    // A child of `Fork` has the hook of its starter, and the test harness has set one.
    let named = format!("\nprocess `division` (pid {pid}) panicked at ");
    assert!(said.starts_with(&named) || method == StartMethod::Fork, "{said}");
}
