//! psync needs no set-up, wherever a program comes from and however it was built.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{
    programs::{build, cargo, command, run, succeed, target, told},
    watchdog_for,
};
use std::{process::Command, time::Duration};

/// Some of these tests compile a program, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_mins(15);

/// Builds the main program with a profile and has it check itself.
fn check_profile(profile: &str, directory: &str) {
    build(&["build", "--quiet", "-p", "programs", "--bin", "programs", "--profile", profile]);
    let mut program = Command::new(target().join(directory).join("programs"));
    let output = program.args(["boot", "check"]).output().expect("it runs");
    assert!(output.status.success(), "{profile}: {}", told(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "booted\n");
}

#[test]
fn in_a_debug_build() {
    let _watchdog = watchdog_for(PATIENCE);
    check_profile("dev", "debug");
}

#[test]
fn in_a_release_build() {
    let _watchdog = watchdog_for(PATIENCE);
    check_profile("release", "release");
}

#[test]
fn with_fat_lto_one_unit_and_stripped() {
    let _watchdog = watchdog_for(PATIENCE);
    check_profile("fat", "fat");
}

#[test]
fn with_panics_that_abort() {
    let _watchdog = watchdog_for(PATIENCE);
    check_profile("aborts", "aborts");
}

#[test]
fn in_an_example() {
    let _watchdog = watchdog_for(PATIENCE);
    let said = build(&["run", "--quiet", "-p", "programs", "--example", "boots"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "booted\n");
}

#[test]
fn in_a_bench_without_harness() {
    let _watchdog = watchdog_for(PATIENCE);
    let said =
        build(&["bench", "--quiet", "-p", "programs", "--bench", "boots", "--profile", "dev"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "booted\n");
}

#[test]
fn in_a_doctest() {
    let _watchdog = watchdog_for(PATIENCE);
    let said = build(&["test", "-p", "programs", "--doc"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("1 passed"), "{}", told(&said));
}

#[test]
fn in_plain_tests_under_cargo_test() {
    let _watchdog = watchdog_for(PATIENCE);
    let said = build(&["test", "-p", "programs", "--test", "boots"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("2 passed"), "{}", told(&said));
}

#[test]
fn in_plain_tests_under_nextest() {
    let _watchdog = watchdog_for(PATIENCE);
    let installed = cargo(&["nextest", "--version"]).output().is_ok_and(|o| o.status.success());
    if !installed {
        assert!(std::env::var_os("CI").is_none(), "cargo-nextest is missing, and CI must have it");
        eprintln!("skipped: cargo-nextest is not installed");
        return;
    }
    let said = build(&["nextest", "run", "-p", "programs", "--test", "boots", "--no-fail-fast"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("2 passed"), "{}", told(&said));
}

/// A child runs another program of psync by `std::process::Command`: it is a root of its own.
#[test]
fn in_programs_that_children_run() {
    let _watchdog = watchdog_for(PATIENCE);
    assert_eq!(run(["boot", "through-command"]), "");
}

#[test]
fn not_in_a_library_that_a_program_loads() {
    let _watchdog = watchdog_for(PATIENCE);
    build(&["build", "--quiet", "-p", "plugin"]);
    let library = target().join("debug/libplugin.so");
    let said = succeed(command(["boot", "dlopen"]).arg(library));
    assert_eq!(said, "loaded\n");
}
