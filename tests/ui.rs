//! What the compiler says to mistakes, word for word, and that what is right compiles.
//!
//! After a change of a message: `TRYBUILD=overwrite cargo test --test ui`, then read what has changed.

// What is said does not depend on the profile, so once is enough.
#![cfg(debug_assertions)]

use std::process::Command;

/// The compiler whose words are recorded: they change from one release to the next.
const RECORDED: &str = "rustc 1.95.";

#[test]
fn mistakes_are_explained_and_the_rest_compiles() {
    let test = trybuild::TestCases::new();
    test.pass("tests/ui/pass/*.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("cargo has found it").stdout;
    let version = String::from_utf8_lossy(&version);
    if version.starts_with(RECORDED) {
        for part in ["shared", "process", "parallel", "sync"] {
            test.compile_fail(format!("tests/ui/{part}/*.rs"));
        }
    } else {
        println!("the messages are recorded with {RECORDED}x, this is {version}");
    }
}
