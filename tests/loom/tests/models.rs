//! `cargo test -p psync-models`: explores every model, or those that an argument names a part of.

fn main() -> std::process::ExitCode {
    psync_models::run(std::env::args().skip(1))
}
