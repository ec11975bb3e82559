//! Programs of their own that tests run: the packages under `tests/fixtures`, built into the target directory of the tests.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

/// Where the packages are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Where they are built to.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures")
}

/// A place for files of a test.
pub fn scratch(name: &str) -> PathBuf {
    let place =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("a directory");
    place
}

/// `cargo` on the packages, without network, with the versions of dependencies that the tests themselves have.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let about_us = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_PRIMARY",
            "CARGO_CRATE_",
            "NEXTEST",
            "RUSTFLAGS",
        ];
        if about_us.iter().any(|prefix| text.starts_with(prefix)) || text == "RUST_TEST_THREADS" {
            cargo.env_remove(&name);
        }
    }
    cargo.args(arguments).env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
    cargo.current_dir(fixtures()).stdin(Stdio::null());
    cargo
}

/// Runs `cargo` and panics with what it said if it fails.
pub fn build(arguments: &[&str]) -> Output {
    let _one = exclusive();
    let output = cargo(arguments).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", told(&output));
    output
}

/// One build at a time, also among test binaries that run side by side. Makes the versions of dependencies agree.
fn exclusive() -> File {
    fs::create_dir_all(target()).expect("a directory");
    let lock = File::create(target().join("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let (theirs, seen) = (fixtures().join("Cargo.lock"), target().join("Cargo.lock.seen"));
    let current = fs::read(&ours).unwrap_or_default();
    if !theirs.exists() || fs::read(&seen).unwrap_or_default() != current {
        fs::write(&theirs, &current).expect("the fixtures' lock file");
        fs::write(&seen, &current).expect("a note of it");
    }
    lock
}

/// The main program of the fixtures, in a debug build. It does what its first argument says.
pub fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        build(&["build", "--quiet", "-p", "programs", "--bin", "programs"]);
        target().join("debug/programs")
    })
}

/// The main program with arguments, and nothing on its standard input.
pub fn command(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the main program; it must succeed. Its standard output.
pub fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    succeed(&mut command(arguments))
}

/// Runs a command that must succeed and say nothing on standard error. Its standard output.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command:?} complains");
    String::from_utf8(output.stdout).expect("text")
}

/// Everything that a program has said, for messages.
pub fn told(output: &Output) -> String {
    format!(
        "{}\n--- stdout\n{}\n--- stderr\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
