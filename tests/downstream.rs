//! Crates that use psync: what the macros generate is not noticed by any lint there.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "cargo is run, and waited for")]

mod common;

use common::{programs, watchdog_for};
use std::time::Duration;

#[test]
fn a_crate_that_denies_every_lint_compiles() {
    let _watchdog = watchdog_for(Duration::from_mins(20));
    programs::build(&["check", "--quiet", "-p", "strict"]);
    programs::build(&["clippy", "--quiet", "-p", "strict", "--all-targets"]);
}
