//! What a process finds around it, with each start method. These run in a program, since they change what the caller has.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{in_a_program, programs, watchdog};
use std::os::unix::process::CommandExt as _;

/// `TestFlags.test_flags`
#[test]
fn environment() {
    in_a_program("surroundings::environment");
}

#[test]
fn directory() {
    in_a_program("surroundings::directory");
}

#[test]
fn deleted_directory() {
    in_a_program("surroundings::deleted_directory");
}

#[test]
fn mask_of_files() {
    in_a_program("surroundings::mask_of_files");
}

#[test]
fn null_and_files() {
    in_a_program("surroundings::null_and_files");
}

#[test]
fn pipes() {
    in_a_program("surroundings::pipes");
}

#[test]
fn signal_mask() {
    in_a_program("surroundings::signal_mask");
}

#[test]
fn limits() {
    in_a_program("surroundings::limits");
}

#[test]
fn name_in_the_process_list() {
    in_a_program("surroundings::name_in_the_process_list");
}

/// `MiscTestCase.test_preload_main_sys_argv`
#[test]
fn arguments_of_the_program() {
    in_a_program("surroundings::arguments_of_the_program");
}

/// Runs the check in a program that was started with some signals ignored and the others not.
fn with_ignored(ignored: &'static [i32]) {
    let _watchdog = watchdog();
    let check = "surroundings::signals_mean_what_they_meant";
    let mut command = programs::command(["check", check]);
    let set = move || {
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGQUIT] {
            let meaning = if ignored.contains(&signal) { libc::SIG_IGN } else { libc::SIG_DFL };
            // SAFETY: no handler of ours.
            unsafe { libc::signal(signal, meaning) };
        }
        Ok(())
    };
    // SAFETY: nothing but calls that are allowed between fork and exec.
    unsafe { command.pre_exec(set) };
    assert_eq!(programs::succeed(&mut command), "Fork\nForkServer\nSpawn\n");
}

#[test]
fn interrupt_is_default() {
    with_ignored(&[]);
}

#[test]
fn what_was_ignored_before_the_program_stays_ignored() {
    with_ignored(&[libc::SIGINT, libc::SIGHUP]);
}
