//! Crates that use psync: what the macros generate is not noticed by any lint there.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "cargo is run, and waited for")]

mod common;

use common::{programs, watchdog_for};
use std::time::Duration;

#[test]
fn a_crate_that_forbids_every_lint_compiles_and_runs() {
    let _watchdog = watchdog_for(Duration::from_mins(20));
    programs::build(&["check", "--quiet", "-p", "strict"]);
    programs::build(&["clippy", "--quiet", "-p", "strict", "--all-targets"]);
    programs::build(&["test", "--quiet", "-p", "strict", "--lib"]);
}

/// The crate is compiled anew each time, since what is compiled already shows nothing.
#[test]
fn expansions_are_shown_to_who_asks() {
    let _watchdog = watchdog_for(Duration::from_mins(20));
    let shown = |wanted: &str| {
        let anew = format!("--cfg=shown_{wanted}_{}", std::process::id());
        let mut cargo = programs::cargo(&[
            "rustc",
            "--quiet",
            "-p",
            "strict",
            "--profile",
            "check",
            "--",
            &anew,
        ]);
        let output = cargo.env("PSYNC_EXPAND", wanted).output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let monkey = shown("monkey");
    assert!(monkey.starts_with("// #[process]: monkey\n"), "{monkey}");
    assert!(monkey.contains("pub enum monkey {}") && monkey.contains("fn __entry"), "{monkey}");
    assert!(!monkey.contains("struct"), "{monkey}");
    assert!(shown("parallel").matches("// parallel: parallel").count() >= 3);
    assert!(shown("Farm").contains("pub struct FarmShed"));
}
