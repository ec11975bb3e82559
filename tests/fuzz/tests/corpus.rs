//! What the fuzzer has found once, and the seeds it begins with, go well without a fuzzer.
#![allow(missing_docs, reason = "tests")]

use psync_fuzz::TARGETS;
use std::{path::Path, sync::mpsc, thread, time::Duration};

/// Ends this process if it takes too long, with the name of the input.
fn watch() -> mpsc::Sender<String> {
    let (name, named) = mpsc::channel::<String>();
    thread::spawn(move || {
        let mut last = String::new();
        loop {
            match named.recv_timeout(Duration::from_mins(1)) {
                Ok(name) => last = name,
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    eprintln!("{last} hangs");
                    std::process::abort();
                }
            }
        }
    });
    name
}

/// One test: the targets count the memory of the whole process.
#[test]
fn every_input_ends_in_a_value_or_an_error() {
    let watched = watch();
    for (target, run) in TARGETS {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut count = 0;
        for file in std::fs::read_dir(directory).expect("a corpus") {
            let path = file.expect("a file").path();
            watched.send(path.display().to_string()).expect("a watchdog");
            run(&std::fs::read(&path).expect("an input"));
            count += 1;
        }
        assert!(count >= 5, "{target}: {count} inputs");
    }
}
