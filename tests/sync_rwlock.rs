//! Read-write locks, between processes.
#![allow(missing_docs, reason = "tests")]

mod killing;

use killing::{HANG, Random, Watchdog, kill, poll_for, rounds, spin};
use psync::{PoisonCause, prelude::*};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

#[shared]
struct Board {
    /// Both are the same, except while a writer is at it.
    #[init(RwLock::new([0; 2]))]
    notes: RwLock<[u64; 2]>,
    reads: AtomicU64,
    torn: AtomicU64,
    inside: AtomicU64,
    here: Event,
    go: Event,
    stop: Event,
}

fn board() -> Shared<Board> {
    Shared::new(Board::default()).expect("shared memory")
}

fn daemon() -> Options {
    Options::new().daemon(true)
}

fn said(board: &Board) -> String {
    format!("{:?}", board.notes)
}

/// Changes the notes in steps that a kill can fall between.
fn change(notes: &mut [u64; 2]) {
    notes[0] += 1;
    spin(Duration::from_micros(2));
    notes[1] += 1;
}

/// Reads, for a while each time, until told to stop.
#[process]
fn reads_on(board: &Board) {
    while !board.stop.is_set() {
        let Ok(notes) = board.notes.read() else { continue };
        let first = notes[0];
        spin(Duration::from_micros(20));
        if notes[1] != first || notes[0] != first {
            board.torn.fetch_add(1, Relaxed);
        }
        board.reads.fetch_add(1, Relaxed);
    }
}

/// Four readers, which together never leave it free for long.
#[test]
fn writers_do_not_starve() {
    let watchdog = Watchdog::new("writers_do_not_starve");
    let board = board();
    let readers: Vec<_> =
        (0..4).map(|_| reads_on::spawn_with(daemon(), &board).expect("started")).collect();
    assert!(poll_for(HANG / 2, || board.reads.load(Relaxed) > 100));
    let mut longest = Duration::ZERO;
    let writes = rounds(200);
    for write in 0..writes {
        watchdog.step(format!("write {write}"));
        let begin = Instant::now();
        change(&mut board.notes.write().expect("sound"));
        longest = longest.max(begin.elapsed());
        // Not before others have read again.
        let seen = board.reads.load(Relaxed);
        assert!(poll_for(HANG / 2, || board.reads.load(Relaxed) > seen), "readers do not starve");
    }
    println!("a writer waited {longest:?} at most");
    board.stop.set();
    for reader in readers {
        reader.join().expect("ends");
    }
    assert_eq!(*board.notes.read().expect("sound"), [writes as u64; 2]);
    assert_eq!(board.torn.load(Relaxed), 0);
}

/// Reads, and does not let go; asleep, or busy.
#[process]
fn keeps_reading(board: &Board, busy: bool) {
    let _notes = board.notes.read().expect("sound");
    board.inside.fetch_add(1, Relaxed);
    while busy && !board.go.is_set() {
        core::hint::spin_loop();
    }
    board.go.wait();
}

#[process]
fn keeps_writing(board: &Board) {
    let mut notes = board.notes.write().expect("sound");
    notes[0] += 1;
    board.here.set();
    board.go.wait();
}

fn write_in_another_thread(board: &Board, then: impl FnOnce()) -> Duration {
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            drop(board.notes.write().expect("no poison"));
            Instant::now()
        });
        // It keeps new readers out once it waits.
        let is_waiting = || matches!(board.notes.try_read(), Err(LockError::WouldBlock));
        assert!(poll_for(HANG / 2, is_waiting));
        then();
        let killed = Instant::now();
        writer.join().expect("no panic").saturating_duration_since(killed)
    })
}

#[test]
fn a_killed_reader_has_left() {
    let watchdog = Watchdog::new("a_killed_reader_has_left");
    let mut longest = Duration::ZERO;
    for round in 0..rounds(10) {
        watchdog.step(format!("round {round}"));
        let board = board();
        let reader = keeps_reading::spawn_with(daemon(), &board, round % 2 == 0).expect("started");
        assert!(poll_for(HANG / 2, || board.inside.load(Relaxed) == 1));
        assert_eq!(board.notes.try_write().err(), Some(LockError::WouldBlock));
        let waited = write_in_another_thread(&board, || kill(reader.pid()));
        longest = longest.max(waited);
        assert!(!board.notes.is_poisoned());
    }
    println!("a writer got in {longest:?} after the kill at most");
    assert!(longest < Duration::from_secs(10), "{longest:?}");
}

#[test]
fn a_killed_writer_poisons_it_for_all_until_somebody_repairs() {
    let _watchdog = Watchdog::new("a_killed_writer_poisons_it");
    let board = board();
    let writer = keeps_writing::spawn_with(daemon(), &board).expect("started");
    board.here.wait();
    assert!(board.notes.is_write_locked() && !board.notes.is_poisoned());
    assert_eq!(board.notes.try_read().err(), Some(LockError::WouldBlock));
    kill(writer.pid());
    let died = LockError::Poisoned { pid: writer.pid(), cause: PoisonCause::Died };
    let (soon, forever) = (Duration::from_secs(30), Duration::MAX);
    assert_eq!(board.notes.read().err(), Some(died.clone()));
    assert_eq!(board.notes.write().err(), Some(died.clone()));
    assert_eq!(board.notes.read_timeout(soon).err(), Some(died.clone()));
    assert_eq!(board.notes.write_timeout(forever).err(), Some(died.clone()));
    assert_eq!(board.notes.try_read().err(), Some(died.clone()));
    assert_eq!(board.notes.try_write().err(), Some(died));
    assert!(board.notes.is_poisoned() && said(&board).ends_with(", poisoned)"), "{}", said(&board));
    let notes = board.notes.write_or_repair(|notes| notes[1] = notes[0]).expect("repairs");
    assert_eq!(*notes, [1, 1]);
    drop(notes);
    assert_eq!(*board.notes.read().expect("sound"), [1, 1]);
}

#[test]
fn a_dead_writer_is_known_and_pardoned_before_anybody_meets_it() {
    let _watchdog = Watchdog::new("a_dead_writer_is_known_and_pardoned");
    let board = board();
    let writer = keeps_writing::spawn_with(daemon(), &board).expect("started");
    board.here.wait();
    kill(writer.pid());
    writer.wait();
    assert!(board.notes.is_poisoned() && !board.notes.is_write_locked());
    board.notes.clear_poison();
    assert!(!board.notes.is_poisoned());
    assert_eq!(*board.notes.try_read().expect("pardoned"), [1, 0]);
    drop(board.notes.try_write().expect("pardoned"));
}

#[process]
fn waits_to_write(board: &Board) {
    board.here.set();
    drop(board.notes.write());
}

#[test]
fn a_writer_that_is_killed_while_it_waits_was_never_there() {
    let watchdog = Watchdog::new("a_writer_that_is_killed_while_it_waits");
    for round in 0..rounds(10) {
        watchdog.step(format!("round {round}"));
        let board = board();
        let reading = board.notes.read().expect("free");
        let writers: Vec<_> = (0..2)
            .map(|_| waits_to_write::spawn_with(daemon(), &board).expect("started"))
            .collect();
        board.here.wait();
        std::thread::scope(|scope| {
            let keeps_out = || scope.spawn(|| board.notes.try_read().err()).join().expect("ends");
            assert!(poll_for(HANG / 2, || keeps_out() == Some(LockError::WouldBlock)));
            for writer in &writers {
                kill(writer.pid());
            }
            // Readers come in, past the one whose guard this thread has.
            let reader = scope.spawn(|| board.notes.read().map(|notes| *notes));
            assert_eq!(reader.join().expect("no panic"), Ok([0; 2]));
        });
        drop(reading);
        assert!(board.notes.try_write().is_ok() && !board.notes.is_poisoned());
    }
}

/// More processes read at once than the lock itself has room for. Some are killed, the others leave.
#[test]
fn many_read_at_a_time_and_all_are_accounted_for() {
    let watchdog = Watchdog::new("many_read_at_a_time");
    for count in [9, 40] {
        watchdog.step(format!("{count} readers"));
        let board = board();
        let mut readers: Vec<_> = (0..count)
            .map(|_| keeps_reading::spawn_with(daemon(), &board, false).expect("started"))
            .collect();
        let all = || board.inside.load(Relaxed) == count;
        assert!(poll_for(HANG / 2, all), "together: {}", said(&board));
        assert_eq!(said(&board), format!("RwLock({count} readers)"));
        assert_eq!(board.notes.try_write().err(), Some(LockError::WouldBlock));
        let killed = readers.split_off(readers.len() / 2);
        let timeout = board.notes.write_timeout(Duration::from_millis(20));
        assert_eq!(timeout.err(), Some(LockError::TimedOut));
        write_in_another_thread(&board, || {
            for reader in &killed {
                kill(reader.pid());
            }
            board.go.set();
        });
        for reader in readers {
            reader.join().expect("ends");
        }
        assert_eq!(said(&board), "RwLock(free)");
    }
}

#[process]
fn writes_on(board: &Board) {
    while !board.stop.is_set() {
        change(&mut board.notes.write_or_repair(|notes| notes[1] = notes[0]).expect("no deadlock"));
    }
}

/// Readers and writers are killed at random moments: nobody ever sees torn notes without being told, and nobody hangs.
#[test]
fn a_storm_of_kills_tears_nothing() {
    let watchdog = Watchdog::new("a_storm_of_kills_tears_nothing");
    let mut random = Random::new();
    let board = board();
    let start = |writes: bool| {
        let process = if writes {
            writes_on::spawn_with(daemon(), &board)
        } else {
            reads_on::spawn_with(daemon(), &board)
        };
        (writes, process.expect("started"))
    };
    let mut crowd: Vec<_> = [true, true, false, false, false].map(start).into();
    for round in 0..rounds(200) {
        watchdog.step(format!("round {round}, seed {}", random.seed));
        spin(Duration::from_nanos(random.below(300_000)));
        let index = usize::try_from(random.below(5)).expect("a few");
        let (writes, victim) = crowd.swap_remove(index);
        kill(victim.pid());
        let notes = board.notes.write_or_repair(|notes| notes[1] = notes[0]).expect("no deadlock");
        assert_eq!(notes[0], notes[1], "seed {}", random.seed);
        drop(notes);
        crowd.push(start(writes));
    }
    board.stop.set();
    for (_, process) in crowd {
        process.join().expect("ends");
    }
    assert_eq!(board.torn.load(Relaxed), 0, "seed {}", random.seed);
    assert!(board.reads.load(Relaxed) > 0);
}
