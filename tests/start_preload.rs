//! What supervisors do before their first child, and which file they come from.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{
    programs::{build, command, program, run, scratch, succeed, target, told},
    watchdog,
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    process::Command,
    time::{Duration, Instant},
};

/// `TestHandlePreload.test_handle_preload_main_valid`
#[test]
fn what_is_preloaded_is_there_in_every_process() {
    let _watchdog = watchdog();
    for policy in ["default", "ignore", "warn", "fail"] {
        assert_eq!(run(["start", "preload", policy, "ok"]), "42\n42\n", "{policy}");
    }
}

/// `TestForkserverPreload.test_preload_on_error_ignore_default`,
/// `TestForkserverPreload.test_preload_on_error_ignore_explicit`
#[test]
fn a_preload_that_fails_may_be_ignored() {
    let _watchdog = watchdog();
    for policy in ["default", "ignore"] {
        assert_eq!(run(["start", "preload", policy, "error"]), "0\n0\n", "{policy}");
        let output = command(["start", "preload", policy, "panic"]).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n0\n", "{}", told(&output));
    }
}

/// `TestForkserverPreload.test_preload_on_error_warn`, `TestHandlePreload.test_handle_preload_main_on_error_warn`
#[test]
fn a_preload_that_fails_may_be_warned_of() {
    let _watchdog = watchdog();
    let output = command(["start", "preload", "warn", "error"]).output().expect("it runs");
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n0\n");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "psync: preload failed: there is no acorn to load\n",
        "once"
    );
}

/// `TestForkserverPreload.test_preload_on_error_fail_breaks_context`,
/// `TestHandlePreload.test_handle_preload_main_on_error_fail`
#[test]
fn a_preload_that_fails_may_make_starts_fail() {
    let _watchdog = watchdog();
    let said = run(["start", "preload", "fail", "error"]);
    let line = "cannot start the supervisor: preload failed: there is no acorn to load\n";
    assert_eq!(said, line.repeat(2));
    let output = command(["start", "preload", "fail", "panic"]).output().expect("it runs");
    let line = "cannot start the supervisor: preload failed: it panicked\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), line.repeat(2), "{}", told(&output));
}

/// `_TestSpawnedSysPath.test_std_streams_flushed_after_preload`, `MiscTestCase.test_preload_main`
#[test]
fn what_a_preload_prints_comes_out_once() {
    let _watchdog = watchdog();
    let output = command(["start", "preload-prints"]).output().expect("it runs");
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "before, loaded 3, f, f, f, ");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "warmed up, ");
}

/// `MiscTestCase.test_preload_main_large_sys_argv`, `MiscTestCase.test_preload_main_sys_argv`
#[test]
fn arguments_of_the_program_are_seen_however_many() {
    let _watchdog = watchdog();
    for count in [2, 5_000] {
        let mut program = command(["start", "arguments"]);
        program.args((0..count).map(|n| format!("an argument of the program, number {n}")));
        let (all, last) = (count + 3, count - 1);
        let line = format!("{all} {all} an argument of the program, number {last}\n");
        // A process that was executed afresh has not been preloaded.
        let fresh = format!("0 {all} an argument of the program, number {last}\n");
        assert_eq!(succeed(&mut program), format!("{line}{fresh}"));
    }
}

/// `_TestProcess.test_set_executable`
#[test]
fn the_executable_can_be_named_in_every_form() {
    let _watchdog = watchdog();
    let own = program().to_str().expect("text");
    for kind in ["text", "bytes", "path"] {
        assert_eq!(run(["start", "executable", kind, own]), "Ok(7)\nOk(7)\n", "{kind}");
    }
    let place = scratch("executable");
    fs::copy(program(), place.join(OsStr::from_bytes(b"acorn-\xff"))).expect("a copy");
    let place = place.to_str().expect("text");
    assert_eq!(run(["start", "executable", "odd bytes", place]), "Ok(7)\nOk(7)\n");
}

/// `TestNoForkBomb.test_noforkbomb`
#[test]
fn a_wrong_executable_is_a_clear_error() {
    let _watchdog = watchdog();
    build(&["build", "--quiet", "-p", "programs", "--example", "boots"]);
    let place = scratch("wrong");
    let wrapper = place.join("wrapper");
    let marks = place.join("marks");
    // If what is executed ran the program as the user does, every run would add a mark.
    let script = format!("#!/bin/sh\necho run >> {}\nexit 5\n", marks.display());
    fs::write(&wrapper, script).expect("a script");
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("executable");
    let other = target().join("debug/examples/boots");
    for (wrong, reason) in [
        ("/nowhere/at/all", "No such file or directory"),
        ("/bin/true", "exit code 0 before it was ready"),
        ("/bin/false", "exit code 1 before it was ready"),
        (wrapper.to_str().expect("text"), "exit code 5 before it was ready"),
        (other.to_str().expect("text"), "exit code 127 before it was ready"),
        ("/", "Permission denied"),
    ] {
        let start = Instant::now();
        let said = run(["start", "executable", "path", wrong]);
        assert!(start.elapsed() < Duration::from_secs(20), "{wrong} takes its time");
        assert_eq!(said.lines().count(), 2, "{said}");
        for line in said.lines() {
            assert!(line.contains(reason), "{wrong}: {line}");
            assert!(!line.contains("Ok("), "{wrong}: {line}");
        }
    }
    assert_eq!(fs::read_to_string(marks).expect("marks"), "run\nrun\n", "once per start");
}

#[test]
fn a_program_without_its_file_starts_processes() {
    let _watchdog = watchdog();
    let copy = scratch("without-file").join("copy");
    fs::copy(program(), &copy).expect("a copy");
    assert_eq!(succeed(Command::new(&copy).args(["start", "without-file"])), "started\n");
    assert_eq!(fs::read(&copy).expect("the other file"), b"#!/bin/sh\nexit 3\n");
}

/// `TestStartMethod.test_forkserver_requires_writeable_tempdir`,
/// `TestStartMethod.test_default_start_method_without_usable_tempdir`
#[test]
fn no_directory_for_temporary_files_is_needed() {
    let _watchdog = watchdog();
    let place = scratch("temporary");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o000)).expect("no rights");
    for directory in [place.to_str().expect("text"), "/nowhere/at/all", ""] {
        let said = succeed(command(["start", "temporary"]).env("TMPDIR", directory));
        assert_eq!(said, "4\n", "{directory}");
    }
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).expect("rights");
}

/// `ForkInThreads.test_fork`
#[test]
fn a_program_with_threads_does_not_fork_itself() {
    let _watchdog = watchdog();
    let said = run(["start", "threads"]);
    assert!(said.starts_with("cannot fork a process that has 2 threads; use "), "{said}");
}

/// `TestStartMethod.test_import_does_not_determine_default_start_method`,
/// `TestStartMethod.test_freeze_support_dont_set_context`
#[test]
fn a_program_that_starts_nothing_gets_nothing() {
    let _watchdog = watchdog();
    assert_eq!(run(["start", "nothing"]), "None []\n");
}
