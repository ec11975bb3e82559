//! A process from its start to its end, with each start method.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::everywhere;

/// `_TestProcess.test_process`, `_TestProcess.test_active_children`
#[test]
fn is_seen_as_started_running_and_ended() {
    everywhere("life::is_seen_as_started_running_and_ended");
}

/// `_TestProcess.test_parent_process_attributes`, `_TestProcess.test_daemon_argument`, `TestStartMethod.test_context`
#[test]
fn tells_who_it_is() {
    everywhere("life::tells_who_it_is");
}

#[test]
fn waits_with_and_without_limits() {
    everywhere("life::waits_with_and_without_limits");
}

/// `_TestProcess.test_kill`, `_TestProcess.test_interrupt`, `_TestProcess.test_interrupt_no_handler`
#[test]
fn ends_by_signals() {
    everywhere("life::ends_by_signals");
}

#[test]
fn ends_by_real_time_signals() {
    everywhere("life::ends_by_real_time_signals");
}

#[test]
fn ends_by_exit_and_abort() {
    everywhere("life::ends_by_exit_and_abort");
}

/// `_TestProcess.test_sentinel`
#[test]
fn has_a_descriptor_that_shows_its_end() {
    everywhere("life::has_a_descriptor_that_shows_its_end");
}

#[test]
fn goes_on_without_its_handle() {
    everywhere("life::goes_on_without_its_handle");
}

#[test]
fn daemons_start_nothing() {
    everywhere("life::daemons_start_nothing");
}

#[test]
fn starts_others_three_deep() {
    everywhere("life::starts_others_three_deep");
}

#[test]
fn carries_the_default_names() {
    everywhere("life::carries_the_default_names");
}
