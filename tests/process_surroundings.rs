//! What a process finds around it, with each start method. These run in a program, since they change what the caller has.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::in_a_program;

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

#[test]
fn interrupt_is_default() {
    in_a_program("surroundings::interrupt_is_default");
}
