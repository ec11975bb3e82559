//! Checks that hold for every start method. They run in the tests, and in a program of one thread, where `Fork` is possible.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "this is for tests"
)]

pub mod life;
pub mod panics;
pub mod results;
pub mod statics;
pub mod surroundings;

use psync::StartMethod;

/// A check, for one start method.
pub type Check = fn(StartMethod);

macro_rules! checks {
    ($($module:ident: $($name:ident)+;)+) => {
        /// All of them, by name.
        pub const ALL: &[(&str, Check)] = &[$($((concat!(stringify!($module), "::", stringify!($name)), $module::$name),)+)+];
    };
}

checks! {
    life: is_seen_as_started_running_and_ended tells_who_it_is waits_with_and_without_limits
        ends_by_signals ends_by_real_time_signals ends_by_exit_and_abort
        has_a_descriptor_that_shows_its_end goes_on_without_its_handle daemons_start_nothing starts_others_three_deep
        carries_the_default_names has_what_a_forked_starter_has_open;
    panics: message_and_location backtrace_if_asked_for payload_that_is_no_text in_the_drop_of_the_result
        while_panicking of_another_thread_only report_on_standard_error;
    results: of_every_size arguments_of_every_size keep_their_values handles_inside handles_by_the_hundred
        cannot_be_encoded cannot_be_decoded;
    statics: are_one_for_all are_of_any_type outlive_whoever_made_them are_made_afresh_after_a_panic_and_a_kill
        are_lent_like_other_shared_data;
    surroundings: environment directory deleted_directory mask_of_files null_and_files pipes signal_mask
        limits name_in_the_process_list arguments_of_the_program signals_mean_what_they_meant;
}

/// The check of this name.
pub fn find(name: &str) -> Check {
    ALL.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no check {name}")).1
}
