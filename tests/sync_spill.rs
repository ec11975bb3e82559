//! More readers of more locks than a program has room to write down.
#![allow(missing_docs, reason = "tests")]

mod killing;

use killing::{HANG, Watchdog, kill, poll_for};
use psync::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Each has room for eight processes; the others share a table with 4096 places.
const LOCKS: usize = 420;
const READERS: usize = 19;

#[shared]
struct Shelf {
    #[init([const { RwLock::new(0) }; LOCKS])]
    books: [RwLock<u32>; LOCKS],
    inside: AtomicUsize,
    refused: AtomicUsize,
    go: Event,
}

/// Reads as many as it can get, all at a time.
#[process(daemon)]
fn reads_all(shelf: &Shelf) -> usize {
    let mut reading = Vec::new();
    for book in &shelf.books {
        match book.try_read() {
            Ok(book) => reading.push(book),
            Err(error) => {
                assert_eq!(error, LockError::WouldBlock);
                shelf.refused.fetch_add(1, Relaxed);
            }
        }
    }
    shelf.inside.fetch_add(1, Relaxed);
    shelf.go.wait();
    reading.len()
}

/// Whoever finds no room keeps the lock to itself, as a writer would; the others are refused, and nobody hangs. When all have left or are dead, everything is free.
#[test]
fn who_finds_no_room_is_refused_or_alone() {
    let watchdog = Watchdog::new("who_finds_no_room_is_refused_or_alone");
    let shelf = Shared::new(Shelf::default()).expect("shared memory");
    let mut readers: Vec<_> = (0..READERS)
        .map(|number| {
            watchdog.step(format!("reader {number}"));
            let reader = reads_all::spawn(&shelf).expect("started");
            assert!(poll_for(HANG * 2, || shelf.inside.load(Relaxed) > number));
            reader
        })
        .collect();
    println!("{} times refused", shelf.refused.load(Relaxed));
    assert!(shelf.refused.load(Relaxed) > 0, "there is room for all");
    for book in &shelf.books {
        assert_eq!(book.try_write().err(), Some(LockError::WouldBlock));
    }
    watchdog.step("half of them are killed");
    for victim in readers.drain(..READERS / 2) {
        kill(victim.pid());
    }
    shelf.go.set();
    let read: usize = readers.into_iter().map(|reader| reader.join().expect("ends")).sum();
    println!("the others read {read}");
    watchdog.step("all are free");
    for book in &shelf.books {
        *book.write().expect("no poison") += 1;
        assert_eq!(format!("{book:?}"), "RwLock(free)");
    }
}
