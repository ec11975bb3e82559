//! Tasks go wrong in every way, and each costs the pool nothing but that task.
//!
//! ```console
//! $ cargo run --release --example accidents
//! ```
#![allow(clippy::disallowed_methods, reason = "a task that sleeps, and one that exits")]
#![allow(clippy::needless_pass_by_value, reason = "a worker owns what it is sent")]

// ANCHOR: task
use psync::{pool::TaskError, prelude::*};
use std::{panic, process, thread, time::Duration};

#[shared]
static FLAKY_RUNS: Value<u32> = Value::new(0);

fn work(kind: String) -> String {
    match kind.as_str() {
        "panics" => panic!("that was not expected"),
        "exits" => process::exit(3),
        "aborts" => process::abort(),
        "never ends" => thread::sleep(Duration::MAX),
        "is flaky" if FLAKY_RUNS.update(|runs| runs + 1) == 1 => process::exit(1),
        _ => {}
    }
    format!("done in `{}`", psync::current().name())
}
// ANCHOR_END: task

// ANCHOR: pool
/// Panics are told of in `main`; they would be on standard error as well.
fn be_quiet((): ()) {
    panic::set_hook(Box::new(|_| ()));
}

fn main() -> psync::Result<()> {
    let pool = Pool::builder()
        .workers(2)
        .initializer(be_quiet, ())
        .task_timeout(Duration::from_millis(500))
        .retries(1)
        .build()?;
    let kinds = ["panics", "exits", "aborts", "never ends", "is flaky", "is harmless"];
    for (kind, result) in kinds.iter().zip(pool.imap(work, kinds.map(str::to_owned))) {
        match result {
            Ok(_) => println!("one {kind}, and is done"),
            Err(TaskError::Panicked { message, .. }) => println!("one {kind}: {message}"),
            Err(TaskError::WorkerLost { cause, .. }) => {
                let (code, signal) = (cause.code(), cause.signal());
                println!("one {kind}: its worker is lost, exit code {code:?}, signal {signal:?}");
            }
            Err(error) => println!("one {kind}: {error}"),
        }
    }
    let sums = pool.map(|n: u32| n + 1, 0..100)?;
    let stats = pool.stats();
    println!("then {} more are done by {} workers", sums.len(), stats.workers.len());
    println!("{} times a task was tried again", stats.retried);
    pool.join()
}
// ANCHOR_END: pool
