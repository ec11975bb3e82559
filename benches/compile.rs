//! How long the macros take to compile: a crate with 50 functions and 50 blocks, beside the same crate without them.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const USES: usize = 50;

/// The crate as it is written with psync.
fn with_macros() -> String {
    let mut text = String::from(
        "use psync::prelude::*;\n#[shared]\nstruct Farm { bell: Event, fed: Value<u32> }\n",
    );
    for i in 0..USES {
        let _ = writeln!(
            text,
            "#[process(wait(farm.bell))]\nfn work{i}(farm: &Farm, name: String, n: u32) -> u32 {{ farm.fed.update(|fed| fed + n + name.len() as u32) }}\n\
             fn run{i}(farm: &Shared<Farm>) -> psync::Result<(Vec<u32>, u32)> {{\n\
             Ok(parallel! {{ for n in 0..3 => work{i}(farm, String::new(), n), process(&farm) {{ farm.fed.get() }} }}?)\n}}"
        );
    }
    text + &calls()
}

/// The same functions, called one after the other.
fn without_macros() -> String {
    let mut text = String::from(
        "use psync::prelude::*;\n#[shared]\nstruct Farm { bell: Event, fed: Value<u32> }\n",
    );
    for i in 0..USES {
        let _ = writeln!(
            text,
            "fn work{i}(farm: &Farm, name: String, n: u32) -> u32 {{ farm.bell.wait(); farm.fed.update(|fed| fed + n + name.len() as u32) }}\n\
             fn run{i}(farm: &Shared<Farm>) -> psync::Result<(Vec<u32>, u32)> {{\n\
             Ok(((0..3).map(|n| work{i}(farm, String::new(), n)).collect(), farm.fed.get()))\n}}"
        );
    }
    text + &calls()
}

fn calls() -> String {
    let mut calls = String::new();
    for i in 0..USES {
        let _ = write!(calls, "run{i}(&farm)?; ");
    }
    format!(
        "fn main() -> psync::Result<()> {{ let farm = Shared::new(Farm::default())?; {calls} Ok(()) }}\n"
    )
}

/// A package of its own that uses this psync.
fn package(name: &str, source: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile").join(name);
    fs::create_dir_all(place.join("src")).expect("a directory");
    let psync = env!("CARGO_MANIFEST_DIR");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\npsync = {{ path = {psync:?} }}\n"
    );
    fs::write(place.join("Cargo.toml"), manifest).expect("a manifest");
    let lock = Path::new(psync).join("Cargo.lock");
    if lock.exists() {
        fs::copy(lock, place.join("Cargo.lock")).expect("the versions of the dependencies");
    }
    fs::write(place.join("src/main.rs"), source).expect("a source");
    place
}

/// Compiles the package alone; what it depends on is there already after the first time.
fn compile(place: &Path, how: &str) -> Duration {
    let source = place.join("src/main.rs");
    let text = fs::read(&source).expect("the source");
    // A new time makes it new to cargo.
    fs::write(&source, text).expect("the source again");
    let start = Instant::now();
    let status = Command::new(env!("CARGO"))
        .args([how, "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile/target"))
        .current_dir(place)
        .stdin(Stdio::null())
        .status();
    assert!(status.expect("cargo runs").success(), "{} does not compile", place.display());
    start.elapsed()
}

/// The best of some rounds, after one that compiles the dependencies.
fn best(place: &Path, how: &str) -> Duration {
    compile(place, how);
    (0..4).map(|_| compile(place, how)).min().unwrap_or_default()
}

fn main() {
    let (with, without) =
        (package("with-macros", &with_macros()), package("without-macros", &without_macros()));
    println!("{USES} functions and {USES} blocks, best of 4, the dependencies compiled before");
    for how in ["check", "build"] {
        let (with, without) = (best(&with, how), best(&without, how));
        let added = with.saturating_sub(without);
        let each = added / u32::try_from(2 * USES).unwrap_or(1);
        println!(
            "cargo {how:<6} {without:>8.0?} without, {with:>8.0?} with: the macros add {added:.0?}, {each:.1?} for each use"
        );
    }
}
