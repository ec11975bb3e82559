//! iceoryx2 on the same machine, if it is asked for: it takes a minute to build.

use std::process::Command;

/// Builds it, runs it, and prints what it measures.
pub(crate) fn print() {
    if std::env::var_os("PSYNC_BENCH_ICEORYX2").is_none() {
        println!("\n(PSYNC_BENCH_ICEORYX2=1 measures iceoryx2 as well)");
        return;
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/iceoryx2/Cargo.toml");
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/iceoryx2");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--manifest-path", manifest, "--target-dir", target])
        .output();
    match output {
        Ok(output) if output.status.success() => {
            println!("\niceoryx2, 1 to 1\n\n{}", String::from_utf8_lossy(&output.stdout));
        }
        Ok(output) => println!("\n(iceoryx2: {})", String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("\n(iceoryx2: {error})"),
    }
}
