//! The examples as programs.

use std::{path::PathBuf, process::Command};

/// The program that cargo has built beside this test.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("the test is a file");
    let profile =
        test.parent().and_then(|deps| deps.parent()).expect("it lies in target/PROFILE/deps");
    let program: PathBuf = profile.join("examples").join(name);
    if !program.exists() {
        // `cargo test --test ..` builds no examples.
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(super::root()).args(["build", "--quiet", "--example", name]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo can be run").success(), "`{name}` is not built");
    }
    let mut command = Command::new(program);
    command.current_dir(super::root());
    command
}

/// The lines that a program prints. It must succeed, and complain about nothing.
pub(crate) fn lines(name: &str, arguments: &[&str]) -> Vec<String> {
    let output = example(name).args(arguments).output().expect("it can be run");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{name}: {}: {}", output.status, said(&output.stderr));
    assert_eq!(said(&output.stderr), "", "{name}");
    said(&output.stdout).lines().map(str::to_owned).collect()
}
