//! The read-write lock.

use super::data::Data;
use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, doomed, process, shared, strike, victim},
    points::has_passed,
    sync::raw::{RawRwLock, Reading, Refusal},
    sys::clock::Deadline,
};
use std::sync::Arc;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "rwlock::readers_and_a_writer_exclude_each_other",
        run: readers_and_a_writer_exclude_each_other,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
            (Sabotage::NoFence, "Causality violation"),
        ],
    },
    Model {
        name: "rwlock::writers_exclude_each_other",
        run: writers_exclude_each_other,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "rwlock::two_readers_and_a_writer",
        run: two_readers_and_a_writer,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model { name: "rwlock::both_only_try", run: both_only_try, notices: &[] },
    Model {
        name: "rwlock::a_reader_reads_again_past_a_writer",
        run: a_reader_reads_again_past_a_writer,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "rwlock::a_writer_gives_up_waiting",
        run: a_writer_gives_up_waiting,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "rwlock::a_reader_is_killed",
        run: a_reader_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "rwlock::a_reader_is_killed_unreported",
        run: a_reader_is_killed_unreported,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
    Model {
        name: "rwlock::a_writer_is_killed",
        run: a_writer_is_killed,
        notices: &[(Sabotage::NoMark, "try_write")],
    },
    Model {
        name: "rwlock::the_writer_after_a_dead_reader_is_killed",
        run: the_writer_after_a_dead_reader_is_killed,
        notices: &[(Sabotage::NoMark, "deadlock")],
    },
];

type Both = (Arc<RawRwLock>, Arc<Data>);

fn new() -> Both {
    (shared(RawRwLock::new()), Data::new())
}

fn enter(lock: &RawRwLock) -> Reading<'_> {
    lock.enter().unwrap_or_else(|| lock.enter_late(&Deadline::NEVER.into()).expect("no deadline"))
}

/// Repairs what a dead writer has left, if there is word of one. With the lock in one's hands for writing.
fn repair((lock, data): &Both) -> bool {
    let is_poisoned = lock.turn().poison().is_some();
    if is_poisoned {
        data.repair();
        lock.turn().clear_poison();
    }
    is_poisoned
}

fn read(both: &Both) {
    let (lock, data) = both;
    let reading = enter(lock);
    if lock.turn().poison().is_none() {
        data.read_among_others();
    }
    lock.leave(&reading);
}

/// Whether it had to repair the data.
fn write(both: &Both) -> bool {
    let (lock, data) = both;
    if !lock.write_at_once() {
        lock.write(&Deadline::NEVER.into()).expect("no deadline");
    }
    let has_repaired = repair(both);
    data.add();
    lock.end_writing();
    has_repaired
}

/// At the end nobody is inside, and it can be read and written at once.
fn is_left((lock, data): &Both, written: u32) {
    assert_eq!(lock.readers(), 0);
    lock.leave(&lock.enter().expect("no writer is left"));
    assert!(lock.try_write());
    assert_eq!(data.read_whole(), written);
    lock.end_writing();
}

/// One reads and one writes, twice each.
fn readers_and_a_writer_exclude_each_other(explorer: Explorer) {
    explorer.thoroughly(|| {
        let both = new();
        let reader = {
            let both = both.clone();
            process(move || (0..2).for_each(|_| read(&both)))
        };
        (0..2).for_each(|_| assert!(!write(&both)));
        reader.join();
        is_left(&both, 2);
    });
}

/// Two write.
fn writers_exclude_each_other(explorer: Explorer) {
    explorer.thoroughly(|| {
        let both = new();
        let other = {
            let both = both.clone();
            process(move || assert!(!write(&both)))
        };
        assert!(!write(&both));
        other.join();
        is_left(&both, 2);
    });
}

/// Two read and one writes: the last reader to leave lets the writer in, and the writer all of them.
fn two_readers_and_a_writer(explorer: Explorer) {
    explorer.strong().fine().explore(|| {
        let both = new();
        let readers = [0, 1].map(|_| {
            let both = both.clone();
            process(move || read(&both))
        });
        assert!(!write(&both));
        readers.into_iter().for_each(Process::join);
        is_left(&both, 1);
    });
}

/// A reader and a writer that never wait: they may both be turned away, and are never both inside.
fn both_only_try(explorer: Explorer) {
    explorer.thoroughly(|| {
        let both = new();
        let reader = {
            let (lock, data) = both.clone();
            process(move || {
                if let Some(reading) = lock.enter().or_else(|| lock.try_enter_late()) {
                    data.read_among_others();
                    lock.leave(&reading);
                }
            })
        };
        let (lock, data) = &both;
        let is_inside = lock.try_write();
        if is_inside {
            data.add();
            lock.end_writing();
        }
        reader.join();
        is_left(&both, u32::from(is_inside));
    });
}

/// Who reads already reads again, whether a writer waits or not.
fn a_reader_reads_again_past_a_writer(explorer: Explorer) {
    explorer.thoroughly(|| {
        let both = new();
        let writer = {
            let both = both.clone();
            process(move || assert!(!write(&both)))
        };
        let (lock, data) = &both;
        let outer = enter(lock);
        let seen = data.read_among_others();
        let inner = enter(lock);
        assert_eq!(data.read_among_others(), seen);
        lock.leave(&outer);
        assert_eq!(data.read_among_others(), seen);
        lock.leave(&inner);
        writer.join();
        is_left(&both, 1);
    });
}

/// While one reads, a writer waits until noon, which comes at any moment, and another reader as long as it takes.
fn a_writer_gives_up_waiting(explorer: Explorer) {
    explorer.strong().fine().explore(|| {
        let both = new();
        let first = enter(&both.0);
        let writer = {
            let (lock, data) = both.clone();
            process(move || match lock.write(&Deadline::Noon.into()) {
                Ok(()) => {
                    data.add();
                    lock.end_writing();
                    1
                }
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::TimedOut);
                    0
                }
            })
        };
        let reader = {
            let both = both.clone();
            process(move || read(&both))
        };
        let clock = process(strike);
        both.1.read_among_others();
        both.0.leave(&first);
        clock.join();
        reader.join();
        is_left(&both, writer.join());
    });
}

/// A reader is killed at any step; a writer comes in all the same.
fn a_reader_is_killed(explorer: Explorer) {
    reader(explorer, Death::Marked);
}

/// The same without anybody who would report the death.
fn a_reader_is_killed_unreported(explorer: Explorer) {
    reader(explorer, Death::Unreported);
}

fn reader(explorer: Explorer, death: Death) {
    let model = || {
        let both = new();
        let reader = {
            let both = both.clone();
            victim(move || read(&both))
        };
        assert!(!write(&both));
        reader.end();
        read(&both);
        assert!(!write(&both));
        is_left(&both, 2);
    };
    explorer.kill(death, model);
    explorer.strong().fine().kill(death, model);
}

/// A writer is killed at any step, while one reads and another one writes: whatever it has left half done is known for it, and what
/// it has not begun is not.
fn a_writer_is_killed(explorer: Explorer) {
    let model = |readers: usize| {
        move || {
            let both = new();
            let writer = {
                let both = both.clone();
                victim(move || {
                    write(&both);
                })
            };
            let readers: Vec<_> = (0..readers)
                .map(|_| {
                    let both = both.clone();
                    process(move || read(&both))
                })
                .collect();
            let told = write(&both);
            writer.end();
            readers.into_iter().for_each(Process::join);
            read(&both);
            let told = repair(&both) || told;
            assert!(!told || has_passed(1, "rwlock: active"), "it had written nothing");
            assert!(both.1.read_whole() >= 1);
            is_left(&both, both.1.read_whole());
        }
    };
    explorer.kill(Death::Marked, model(0));
    explorer.strong().fine().kill(Death::Marked, model(0));
    explorer.strong().kill(Death::Marked, model(1));
}

/// A reader is dead, and of two writers that find it one is killed too, at any step.
fn the_writer_after_a_dead_reader_is_killed(explorer: Explorer) {
    explorer.strong().fine().kill(Death::Marked, || {
        let both = new();
        let reader = {
            let both = both.clone();
            doomed(move || {
                let _ = enter(&both.0);
            })
        };
        reader.end();
        let writer = {
            let both = both.clone();
            victim(move || {
                write(&both);
            })
        };
        write(&both);
        writer.end();
        write(&both);
        read(&both);
    });
}
