//! What the compiler says to mistakes, word for word, and that what is right compiles.
//!
//! After a change of a message: `TRYBUILD=overwrite cargo test --test ui`, then read what has changed.

// What is said does not depend on the profile, so once is enough.
#![cfg(debug_assertions)]

mod repo;

use std::{path::Path, process::Command};

/// Their folders hold files with several mistakes, and folders of topics with one mistake in each file.
const MACROS: [&str; 4] = ["shared", "process", "parallel", "managed"];

/// The compiler whose words are recorded: they change from one release to the next.
const RECORDED: &str = "rustc 1.95.";

#[test]
fn what_is_right_compiles() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

/// Apart from what compiles, since then one run of cargo checks them all.
#[test]
fn mistakes_are_explained() {
    let test = trybuild::TestCases::new();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("cargo has found it").stdout;
    let version = String::from_utf8_lossy(&version);
    if version.starts_with(RECORDED) {
        for part in ["shared", "process", "parallel", "managed", "sync"] {
            test.compile_fail(format!("tests/ui/{part}/*.rs"));
        }
        for macro_ in MACROS {
            test.compile_fail(format!("tests/ui/{macro_}/*/*.rs"));
        }
    } else {
        println!("the messages are recorded with {RECORDED}x, this is {version}");
    }
}

/// One mistake gives one error: whoever makes it reads one message, not the echo of it as well.
#[test]
fn one_mistake_gives_one_error() {
    let mut cases = 0;
    for folder in MACROS.map(|macro_| Path::new("tests/ui").join(macro_)) {
        for file in repo::files(folder.to_str().expect("text"), &[".rs"]) {
            if file.parent() == Some(&folder) {
                continue;
            }
            cases += 1;
            let said = repo::read(file.with_extension("stderr"));
            let starts = said
                .lines()
                .filter(|line| line.starts_with("error") || line.starts_with("warning"));
            let starts: Vec<&str> = starts.collect();
            assert_eq!(starts.len(), 1, "{}: {starts:#?}", file.display());
        }
    }
    assert!(cases >= 80, "only {cases} mistakes are explained");
}
