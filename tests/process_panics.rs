//! Processes that panic, with each start method.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::everywhere;

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
