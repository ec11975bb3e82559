//! What goes into a process and what comes out of it, with each start method.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::everywhere;

#[test]
fn of_every_size() {
    everywhere("results::of_every_size");
}

#[test]
fn arguments_of_every_size() {
    everywhere("results::arguments_of_every_size");
}

/// `_TestProcess.test_args_argument`
#[test]
fn keep_their_values() {
    everywhere("results::keep_their_values");
}

#[test]
fn handles_inside() {
    everywhere("results::handles_inside");
}

#[test]
fn handles_by_the_hundred() {
    everywhere("results::handles_by_the_hundred");
}

#[test]
fn cannot_be_encoded() {
    everywhere("results::cannot_be_encoded");
}

#[test]
fn cannot_be_decoded() {
    everywhere("results::cannot_be_decoded");
}
