//! Read-write locks, between processes.
#![allow(missing_docs, reason = "tests")]

mod killing;

use killing::Watchdog;
use psync::prelude::*;
use std::time::Duration;

#[shared]
struct Board {
    #[init(RwLock::new(0))]
    notes: RwLock<u64>,
    here: Event,
    go: Event,
}

fn board() -> Shared<Board> {
    Shared::new(Board::default()).expect("shared memory")
}

#[process]
fn tries_to_read(board: &Board) -> Option<LockError> {
    board.here.set();
    board.go.wait();
    board.notes.read_timeout(Duration::from_millis(50)).err()
}

#[process]
fn forks_while_it_reads(board: Shared<Board>) -> Option<LockError> {
    let reading = board.notes.read().expect("free");
    let fork = Options::new().start_method(StartMethod::Fork);
    let child = tries_to_read::spawn_with(fork, &board).expect("one thread");
    board.here.wait();
    drop(reading);
    let _writing = board.notes.write().expect("free");
    board.go.set();
    child.join().expect("ends")
}

/// The child has the memory of its starter, but holds none of its locks.
#[test]
fn a_forked_process_does_not_read_by_its_starters_guard() {
    let _watchdog = Watchdog::new("a_forked_process_does_not_read");
    let told = forks_while_it_reads::run(board()).expect("ends");
    assert_eq!(told, Some(LockError::TimedOut));
}
